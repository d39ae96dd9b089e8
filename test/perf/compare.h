/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The frame of ns-compare-topk: ways to find the heaviest keys, each in the same memory, on the
 * same stream. Only the first two are the product's, one sketch read in two ways; the others are
 * here to be compared with.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMPARE_BURST 32u

/** A key as the tasks have them: an address, or a number in the first half. */
struct compare_key {
	uint64_t half[2];
};

struct compare_answer {
	struct compare_key key;
	uint64_t count;
};

struct contender {
	const char *name;
	void *(*make)(size_t memory); /* not one octet more; the program ends when there is none */
	void (*drop)(void *state);
	void (*add)(void *state, const uint64_t *hash, const struct compare_key *key, unsigned n);
	unsigned (*list)(void *state, struct compare_answer *out, unsigned max);
};

extern const struct contender compare_saving, compare_sure, compare_keeper, compare_countmin;

/** A stream of keys with their hashes and true counts. */
struct compare_stream {
	const char *name;
	struct compare_key *key;
	uint64_t *hash;
	size_t n, room;
};

/** Appends a key. */
void compare_push(struct compare_stream *s, struct compare_key key);

/** Source addresses of a capture, or decimal numbers of a text file, "-": of the standard input. */
void compare_read(struct compare_stream *s, const char *file);

void *compare_alloc(size_t size);

/*
 * The k highest estimates seen, for sketches that cannot name their keys: a heap with the lowest on
 * top, and an index from hash to place in it.
 */
struct compare_list;

#define COMPARE_LIST_KEYS 1024u
size_t compare_list_size(void);
struct compare_list *compare_list_make(void);
/** The place of a key that is in the list, or -1. */
int compare_list_find(const struct compare_list *l, uint64_t hash);
/** The lowest count that is listed, 0 while there is room. */
uint64_t compare_list_least(const struct compare_list *l);
/** Raises the count of what is at a place to @p count; lower ones change nothing. */
void compare_list_raise(struct compare_list *l, int at, uint64_t count);
/** Puts a new key into a free place or in that of the lowest. */
void compare_list_put(
	struct compare_list *l, uint64_t hash, const struct compare_key *key, uint64_t count);
unsigned compare_list_get(const struct compare_list *l, struct compare_answer *out, unsigned max);
