/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * How many different keys, in all or for each value of a small dimension.
 *
 *	state    | ns_card_slots, see slots.c | sketch 0 | sketch 1 | ... | exact: ns_sample |
 *	           (per a field only)           the rest                    (with verify only)
 *
 * Sketch 0 is all there is without a dimension. With one, it takes what has no sketch of its own.
 */

#include <ns_hll.h>
#include <ns_task.h>
#include <ns_task_exact.h>

#define CARD_PREFIXES_MAX 256
#define CARD_PER_MAX 4096

struct card_conf {
	struct ns_task_conf task;
	char **key;
	uint32_t key_count;
	double error;
	char *per;
	uint32_t per_max;
	char **prefixes;
	uint32_t prefixes_count;
};

/* --- prefixes.c: the longest prefix that an address is in --- */

typedef unsigned __int128 card_addr;

/* Addresses from first[i] up to first[i + 1] belong to slot[i]: 0, or number of the prefix + 1. */
struct card_ranges {
	unsigned n;
	card_addr first[2 * CARD_PREFIXES_MAX + 3];
	uint16_t slot[2 * CARD_PREFIXES_MAX + 3];
};

/* Reads "10.0.0.0/8" or "2001:db8::/32"; an address alone is itself. -EINVAL with a message. */
int card_prefix_parse(const char *text, struct ns_prefix *p, struct ns_err *e);
/* @p n <= CARD_PREFIXES_MAX prefixes that differ. */
void card_ranges_init(struct card_ranges *r, const struct ns_prefix *prefixes, unsigned n);
/* @p key: the 16 octets of an address in a key. */
unsigned card_ranges_find(const struct card_ranges *r, const uint8_t *key);

/* --- slots.c: values that were seen get a sketch each, as far as there are some --- */

struct card_slots_conf {
	uint32_t max;
	uint16_t key_len;
};

struct card_slots;

size_t card_slots_size(const struct card_slots_conf *c);
/* In zeroed memory, aligned to 8. */
void card_slots_init(struct card_slots *s, const struct card_slots_conf *c);
void card_slots_reset(struct card_slots *s);
uint32_t card_slots_n(const struct card_slots *s);
uint64_t card_slots_hash(const struct card_slots *s, uint32_t slot);
const uint8_t *card_slots_key(const struct card_slots *s, uint32_t slot);
/* The slot of a value, 1 or more; 0: it has none. */
uint32_t card_slots_find(const struct card_slots *s, uint64_t hash);

/*
 * As card_slots_find(), and gives it one if it deserves it. *evicted is 0, or the slot that it got
 * and that was another value's until now.
 */
uint32_t card_slots_put(struct card_slots *s, uint64_t hash, const uint8_t *key, uint32_t *evicted);

/* --- the task --- */

struct card {
	struct ns_hll_conf sketch;
	size_t sketch_len; /* octets from one to the next */
	uint32_t sketches; /* how many */
	struct card_slots_conf per; /* max 0: none */
	struct ns_task_exact exact;
	size_t sketches_at; /* in the state */
	unsigned prefixes_n;
	struct ns_prefix *prefixes;
	struct card_ranges *ranges; /* NULL: none */
	struct ns_task_estimate est;
	int prefix, other; /* offsets in the row; -1: none */
};

enum { CARD_KEY, CARD_PER }; /* keys of the task */

static inline struct card_slots *card_slots(const struct card *t, const void *state)
{
	(void)t;
	return (struct card_slots *)(uintptr_t)state;
}

static inline struct ns_hll *card_sketch(const struct card *t, const void *state, uint32_t i)
{
	return (struct ns_hll *)((uintptr_t)state + t->sketches_at + i * t->sketch_len);
}

/* cardinality_rows.c */
int card_result(const struct card *t, const void *state, struct ns_task_out *o);
void card_sketches(const struct card *t, const void *state, struct ns_task_sketches *o);
