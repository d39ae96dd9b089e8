/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A table of different things with their sums, that samples by hash when it gets full.
 *
 * A thing is kept when its hash is below the limit; at first that is all of them. When the table
 * is as full as it may be, the limit goes down by one step and what is above it is forgotten. A
 * thing below the final limit was below it from the start: its sums are exact. So what is kept is
 * a fair sample of all different things, chosen by nothing but their hashes (distinct sampling,
 * Gibbons 2001): order, repeats and merging in any grouping change nothing, bit for bit.
 *
 * While the limit has not moved, the table is exact and complete.
 */

#include <ns_sketch.h>

#define NS_SAMPLE_VALUES_MAX 16

struct ns_sample;

struct ns_sample_conf {
	uint32_t slots; /**< most things that are kept, 16..2^28 */
	uint16_t key_len; /**< octets of key kept with each, a multiple of 8, 0..128 */
	uint8_t values; /**< sums kept with each, 0..NS_SAMPLE_VALUES_MAX */
	uint64_t seed;
};

struct ns_sample_entry {
	uint64_t hash;
	const uint8_t *key; /**< key_len octets inside the table */
	const uint64_t *values; /**< inside the table */
};

/** Slots for @p memory octets in all. */
uint32_t ns_sample_slots(size_t memory, uint16_t key_len, uint8_t values);

size_t ns_sample_size(const struct ns_sample_conf *c);
struct ns_sample *ns_sample_init(void *mem, const struct ns_sample_conf *c);
/** As ns_sample_init(), for memory that is zero already: touches nothing but the head of it. */
struct ns_sample *ns_sample_init_zeroed(void *mem, const struct ns_sample_conf *c);
struct ns_sample *ns_sample_create(const struct ns_sample_conf *c);
void ns_sample_destroy(struct ns_sample *s);
/** Empties it; takes time for what is in it, not for its room. */
void ns_sample_reset(struct ns_sample *s);

/**
 * Adds values[j][i] to the sums of thing i, which begins with sums of zero. Key i lies at
 * @p keys + i * @p stride. What is forgotten when the limit sinks is cleared in slices, a bounded
 * one each call.
 */
void ns_sample_add_bulk(struct ns_sample *s, const uint64_t *hash, const uint8_t *keys,
	unsigned stride, const uint64_t *const *values, unsigned n);

/** Union, sums added; -EINVAL when configurations differ. */
int ns_sample_merge(struct ns_sample *into, const struct ns_sample *from);

/** Things kept now, and the share of all that they stand for: 1 while nothing was forgotten. */
uint32_t ns_sample_kept(const struct ns_sample *s);
double ns_sample_rate(const struct ns_sample *s);
/** Sum number @p j over all that was ever added, forgotten or not. */
uint64_t ns_sample_total(const struct ns_sample *s, unsigned j);

/** Finds one; false when it is not kept. */
bool ns_sample_find(const struct ns_sample *s, uint64_t hash, struct ns_sample_entry *e);

/** Walks all that is kept, in order of no meaning: begin with *at = 0, until it returns false. */
bool ns_sample_next(const struct ns_sample *s, uint32_t *at, struct ns_sample_entry *e);

/** Things are written in order of hash, so equal samples have equal octets. */
size_t ns_sample_write_size(const struct ns_sample *s);
/** Returns octets put, or 0 with ENOMEM. */
size_t ns_sample_write(const struct ns_sample *s, uint8_t *out);
struct ns_sample *ns_sample_parse(const uint8_t *in, size_t len, struct ns_err *e);
