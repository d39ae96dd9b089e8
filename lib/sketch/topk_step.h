/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Adding to a top-k sketch, the part that every packet pays.
 *
 * Keys of a burst take their steps together, so that no step waits for memory:
 *
 *   1. name the buckets, fetch their hashes and counts
 *   2. look which keys have a place, fetch its record
 *   3. hits: add to the count and to the record, and that is all
 *   4. misses, in order: take the place with the smallest count, fetch its record
 *   5. bring their records up to date, in order
 *
 * Buckets know nothing of each other, so only the order of keys of one bucket matters; and hits
 * alone may come in any order. So whoever shares a bucket with a miss of the burst goes with the
 * misses, where hit and miss run the same instructions, and what is left is what it would be one by
 * one. Which buckets have misses is a word with a bit for each class of 64 that buckets fall into:
 * it is enough that no bucket of a miss is overlooked. When many of the first few miss, all go with
 * the misses at once.
 *
 * There is no branch for each key: no predictor knows which of them is next, as in traffic by
 * Zipf's law a third of the packets miss. On flows by that law, where each packet went the way of
 * misses before, the ten default tasks take 27 ns a packet and not 40.
 */
#include "topk_priv.h"

/* What step 4 leaves for step 5. */
struct due {
	struct record *record;
	uint64_t error; /* of a miss */
	uint64_t miss; /* all bits, or none */
	uint64_t i; /* which of the burst */
};

/* Keys of a burst by the steps. */
struct work {
	uint64_t at[BURST] __attribute__((aligned(32))); /* address of the bucket */
	uint64_t bucket[BURST] __attribute__((aligned(32))); /* its number */
	uint64_t hash[BURST] __attribute__((aligned(32))); /* never 0 */
	struct record *record[BURST]; /* of a hit */
	uint8_t own[BURST] __attribute__((aligned(32))); /* a bit for the place that has the key */
};

/* Fills at, bucket and hash. */
typedef void (*name_fn)(const struct ns_topk *t, const struct topk_burst *in, struct work *w);
/*
 * Which of the keys from..to have a place: own is filled, a bit for each that has none is returned.
 */
typedef uint32_t (*find_fn)(struct work *w, unsigned from, unsigned to);
/* Which of BURST keys are of a class that has its bit in classes. */
typedef uint32_t (*pick_fn)(const struct work *w, uint64_t classes);
/*
 * Puts hash on its place and adds the weight; the place, + PLACES on a miss. *least is what was the
 * smallest count.
 */
typedef unsigned (*place_fn)(struct bucket *b, uint64_t hash, uint64_t weight, uint64_t *least);

#define FEW 8 /* keys that tell whether many will miss */
#define MANY 4 /* one of so many */

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Two numbers of an array. */
typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));

/* Step 1. */
ALWAYS_INLINE void name_plain(const struct ns_topk *t, const struct topk_burst *in, struct work *w)
{
	for (unsigned i = 0; i < in->n; i++) {
		uint64_t h = in->hash[i], bucket = bucket_of(h, t->buckets);

		w->hash[i] = h != 0 ? h : 1;
		w->bucket[i] = bucket;
		w->at[i] = (uintptr_t)t->first + bucket * t->bucket_len;
	}
}

/* Step 3. */
ALWAYS_INLINE void hit(const struct work *w, const struct topk_burst *in, uint32_t which)
{
	const uint64_t *weight = in->weight, *other = in->other;

	for (; which != 0; which &= which - 1) {
		unsigned i = (unsigned)__builtin_ctz(which);
		struct bucket *b = (struct bucket *)(uintptr_t)w->at[i];

		b->count[__builtin_ctz(w->own[i])] += weight[i];
		w->record[i]->other += other[i];
	}
}

/* Step 5; a known key_len makes the copy a load and a store. */
ALWAYS_INLINE void settle_len(const struct due *due, unsigned n, const struct topk_burst *in,
	bool whole, unsigned key_len)
{
	const uint64_t *other = in->other;
	const uint8_t *keys = in->keys;
	uint64_t stride = in->stride;

	for (unsigned j = 0; j < n; j++) {
		struct record *r = due[j].record;
		uint64_t i = whole ? j : due[j].i, miss = due[j].miss;
		pair *sums = (pair *)r, off = {miss, miss};
		pair fresh = {due[j].error, 0}, more = {0, other[i]};
		const uint8_t *key = keys + i * stride;

		*sums = ((*sums & ~off) | (fresh & off)) + more;
		if (key_len <= 32)
			memcpy(r->key, key, key_len);
		else
			for (unsigned k = 0; k < key_len; k += 8)
				memcpy(r->key + k, key + k, 8);
	}
}

ALWAYS_INLINE void settle(const struct ns_topk *t, const struct due *due, unsigned n,
	const struct topk_burst *in, bool whole)
{
	switch (t->key_len) {
	case 8:
		settle_len(due, n, in, whole, 8);
		break;
	case 16:
		settle_len(due, n, in, whole, 16);
		break;
	case 32:
		settle_len(due, n, in, whole, 32);
		break;
	default:
		settle_len(due, n, in, whole, t->key_len);
	}
}

/* Step 4 for one of them. */
ALWAYS_INLINE void take(const struct work *w, unsigned i, uint64_t weight, uint64_t record_len,
	place_fn place, struct due *due)
{
	struct bucket *b = (struct bucket *)(uintptr_t)w->at[i];
	unsigned at = place(b, w->hash[i], weight, &due->error);

	due->miss = -(uint64_t)(at / PLACES);
	due->record = (struct record *)(b->records + at % PLACES * record_len);
	__builtin_prefetch(due->record, 1);
}

/* Steps 4 and 5: for those who hit as well. */
ALWAYS_INLINE void miss(const struct ns_topk *t, const struct work *w, const struct topk_burst *in,
	uint32_t which, place_fn place)
{
	const uint64_t *weight = in->weight, record_len = t->record_len;
	struct due due[BURST];
	unsigned n = 0;

	if (which == UINT32_MAX) {
		for (unsigned i = 0; i < BURST; i++)
			take(w, i, weight[i], record_len, place, &due[i]);
		settle(t, due, BURST, in, true);
		return;
	}
	for (; which != 0; which &= which - 1, n++) {
		unsigned i = (unsigned)__builtin_ctz(which);

		due[n].i = i;
		take(w, i, weight[i], record_len, place, &due[n]);
	}
	settle(t, due, n, in, false);
}

/* Step 2; which keys of the burst go with the misses. */
ALWAYS_INLINE uint32_t look(
	const struct ns_topk *t, struct work *w, unsigned n, find_fn find, pick_fn pick)
{
	uint32_t all = (uint32_t)((UINT64_C(1) << n) - 1), misses;
	unsigned few = NS_MIN(n, (unsigned)FEW);
	uint64_t record_len = t->record_len, classes = 0;

	misses = find(w, 0, few);
	if (MANY * (unsigned)__builtin_popcount(misses) >= few)
		return all;
	misses |= find(w, few, n);
	/* of a miss it is the first record, which does no harm */
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		struct bucket *b = (struct bucket *)(uintptr_t)w->at[i];
		unsigned p = (unsigned)__builtin_ctz(w->own[i] | 1u << PLACES) % PLACES;

		w->record[i] = (struct record *)(b->records + p * record_len);
		__builtin_prefetch(w->record[i], 1);
	}
	if (misses == 0)
		return 0;
	for (uint32_t m = misses; m != 0; m &= m - 1)
		classes |= UINT64_C(1) << w->bucket[__builtin_ctz(m)] % 64;
	return pick(w, classes) & all;
}

ALWAYS_INLINE void add_burst(struct ns_topk *t, const struct topk_burst *in, name_fn name,
	find_fn find, pick_fn pick, place_fn place)
{
	uint32_t all = (uint32_t)((UINT64_C(1) << in->n) - 1), slow;
	unsigned n = in->n;
	struct work w;

	if (n == 0)
		return;
	if (n == BURST)
		name(t, in, &w);
	else
		name_plain(t, in, &w);
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		struct bucket *b = (struct bucket *)(uintptr_t)w.at[i];

		__builtin_prefetch(b, 1);
	}
	slow = look(t, &w, n, find, pick);
	hit(&w, in, all & ~slow);
	if (slow != 0)
		miss(t, &w, in, slow, place);
}
