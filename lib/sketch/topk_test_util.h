/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the tests of top-k share: keys that are numbers, and what each of them truly weighs. */

#include "ns_test_zipf.h"
#include "topk_priv.h"

#include <stdlib.h>

#define THINGS_MAX 512 /* added at a time */

static inline struct ns_topk *topk_make(size_t memory, uint16_t key_len)
{
	struct ns_topk_conf c = {.memory = memory, .key_len = key_len};
	struct ns_topk *t = ns_topk_create(&c);

	if (t == NULL)
		abort();
	return t;
}

/* The number of a key in its first and, for longer ones, last octets. */
static inline uint64_t topk_key(uint8_t *key, unsigned key_len, uint64_t number)
{
	memset(key, 0, key_len);
	memcpy(key, &number, 8);
	key[key_len - 1] ^= 0x80;
	return ns_hash64(key, key_len, 0);
}

static inline uint64_t topk_number(const uint8_t *key, unsigned key_len)
{
	uint8_t copy[KEY_MAX];
	uint64_t number;

	memcpy(copy, key, key_len);
	copy[key_len - 1] ^= 0x80;
	memcpy(&number, copy, 8);
	return number;
}

/* What keys 0 .. keys - 1 truly weigh. */
struct truth {
	uint64_t keys, total, total_other;
	uint64_t *weight, *other;
};

static inline struct truth truth_make(uint64_t keys)
{
	struct truth t = {.keys = keys, .weight = calloc(keys, 8), .other = calloc(keys, 8)};

	if (t.weight == NULL || t.other == NULL)
		abort();
	return t;
}

static inline void truth_free(struct truth *t)
{
	free(t->weight);
	free(t->other);
}

/* Adds one thing at a time to what is ready, and that to the sketch when it is much. */
struct feed {
	struct ns_topk *t;
	struct truth *truth;
	unsigned n;
	uint64_t hash[THINGS_MAX], weight[THINGS_MAX], other[THINGS_MAX];
	uint8_t keys[THINGS_MAX * KEY_MAX];
};

static inline void feed_flush(struct feed *f)
{
	ns_topk_add_bulk(f->t, f->hash, f->keys, f->t->key_len, f->weight, f->other, f->n);
	f->n = 0;
}

static inline void feed_hashed(
	struct feed *f, uint64_t number, uint64_t hash, uint64_t weight, uint64_t other)
{
	topk_key(f->keys + (size_t)f->n * f->t->key_len, f->t->key_len, number);
	f->hash[f->n] = hash;
	f->weight[f->n] = weight;
	f->other[f->n] = other;
	f->truth->weight[number] += weight;
	f->truth->other[number] += other;
	f->truth->total += weight;
	f->truth->total_other += other;
	if (++f->n == THINGS_MAX)
		feed_flush(f);
}

static inline void feed(struct feed *f, uint64_t number, uint64_t weight, uint64_t other)
{
	uint8_t key[KEY_MAX];

	feed_hashed(f, number, topk_key(key, f->t->key_len, number), weight, other);
}

/* How many of the keys break a bound; hashes[] of keys, NULL: their own. */
static inline uint64_t topk_broken(
	const struct ns_topk *t, const struct truth *truth, const uint64_t *hashes)
{
	uint64_t broken = 0, most = ns_topk_unlisted(t);
	struct ns_topk_entry e;
	uint8_t key[KEY_MAX];

	for (uint64_t k = 0; k < truth->keys; k++) {
		uint64_t hash = topk_key(key, t->key_len, k), w = truth->weight[k];

		if (hashes != NULL)
			hash = hashes[k];
		if (ns_topk_query(t, hash, &e))
			broken += w > e.count || e.error > e.count || e.count - e.error > w ||
				  e.other > truth->other[k] || memcmp(e.key, key, t->key_len) != 0;
		else
			broken += w > e.count || e.count > most;
	}
	return broken + (ns_topk_total(t) != truth->total) +
	       (ns_topk_total_other(t) != truth->total_other);
}

struct score {
	double recall; /* of the true n heaviest */
	double error; /* mean relative error of their counts; one that is not listed has 1 */
};

static inline int topk_by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

/* A key as heavy as the n-th is as good as it. */
static inline struct score topk_score(
	const struct ns_topk *t, const struct truth *truth, unsigned n)
{
	struct ns_topk_entry *list = calloc(n, sizeof(*list)), e;
	uint64_t *sorted = malloc(truth->keys * 8), least;
	struct score s = {0, 0};
	unsigned heavy = 0;
	uint8_t key[KEY_MAX];

	if (list == NULL || sorted == NULL)
		abort();
	memcpy(sorted, truth->weight, truth->keys * 8);
	qsort(sorted, truth->keys, 8, topk_by_value);
	least = sorted[n - 1];
	for (int i = ns_topk_list(t, list, n); i-- > 0;)
		s.recall += truth->weight[topk_number(list[i].key, t->key_len)] >= least;
	for (uint64_t k = 0; k < truth->keys && heavy < n; k++) {
		double w = (double)truth->weight[k];

		if (truth->weight[k] < least)
			continue;
		heavy++;
		if (ns_topk_query(t, topk_key(key, t->key_len, k), &e))
			s.error += fabs((double)e.count - w) / w;
		else
			s.error += 1;
	}
	s.recall /= n;
	s.error /= n;
	free(sorted);
	free(list);
	return s;
}
