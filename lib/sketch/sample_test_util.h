/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Streams of things for the tests of a sample, and a slow reading of its contract. */

#include "sample_priv.h"

#include <ns_test.h>
#include <ns_test_zipf.h>

/* What was added, thing by thing, in arrays: hash, one key of 16 octets, two weights. */
struct stream {
	uint64_t *hash, *key, *a, *b;
	unsigned n;
};

/* How hashes lie; the limit and the sweep must hold for each. */
enum shape { EVEN, LOW, ONE_LEVEL, FALLING, RISING, SHAPES };

static inline uint64_t shaped(enum shape shape, uint64_t i, uint64_t n, uint64_t *state)
{
	switch (shape) {
	case LOW:
		return ns_test_mix(state) >> (ns_test_mix(state) % 64);
	case ONE_LEVEL:
		return UINT64_C(0xf000000000000000) | ns_test_mix(state) >> 8;
	case FALLING:
		return UINT64_MAX / n * (n - i);
	case RISING:
		return UINT64_MAX / n * i;
	default:
		return ns_test_mix(state);
	}
}

/* n draws, each with repeat out of 8 a thing that was there before. */
static inline struct stream make_stream(
	enum shape shape, unsigned n, unsigned repeat, uint64_t seed)
{
	struct stream s = {calloc(n, 8), calloc(n, 16), calloc(n, 8), calloc(n, 8), n};

	for (unsigned i = 0; i < n; i++) {
		if (i > 0 && ns_test_mix(&seed) % 8 < repeat)
			s.hash[i] = s.hash[ns_test_mix(&seed) % i];
		else
			s.hash[i] = shaped(shape, i, n, &seed);
		s.hash[i] += s.hash[i] == 0; /* 0 counts as 1, which has another key */
		s.key[2 * i] = ~s.hash[i];
		s.key[2 * i + 1] = s.hash[i] * 3;
		s.a[i] = ns_test_mix(&seed) % 1500;
		s.b[i] = 1;
	}
	return s;
}

static inline void free_stream(struct stream *s)
{
	free(s->hash);
	free(s->key);
	free(s->a);
	free(s->b);
}

static inline void swap(uint64_t *v, unsigned i, unsigned j)
{
	uint64_t t = v[i];

	v[i] = v[j];
	v[j] = t;
}

static inline void shuffle(struct stream *s, uint64_t seed)
{
	for (unsigned i = s->n - 1; i > 0; i--) {
		unsigned j = (unsigned)(ns_test_mix(&seed) % (i + 1));

		swap(s->hash, i, j);
		swap(s->a, i, j);
		swap(s->b, i, j);
		swap(s->key, 2 * i, 2 * j);
		swap(s->key, 2 * i + 1, 2 * j + 1);
	}
}

/* What sample.c proves: the table has room at all times. */
static inline bool roomy(const struct ns_sample *s)
{
	return s->used <= s->conf.slots + s->places / 16 + 33 && s->kept <= s->conf.slots &&
	       s->used < s->places;
}

/* Adds i from..to-1 in bursts of at most `burst`. */
static inline void add(struct ns_sample *t, const struct stream *s, unsigned from, unsigned to,
	unsigned burst, uint64_t seed)
{
	bool ok = true;

	while (from < to) {
		unsigned n = 1 + (unsigned)(ns_test_mix(&seed) % burst);
		const uint64_t *values[2] = {s->a + from, s->b + from};

		n = NS_MIN(n, to - from);
		ns_sample_add_bulk(
			t, s->hash + from, (uint8_t *)(s->key + 2 * from), 16, values, n);
		from += n;
		ok = ok && (burst > 32 || roomy(t));
	}
	CU_ASSERT(ok && roomy(t));
}

static inline struct ns_sample *make(uint32_t slots)
{
	struct ns_sample_conf c = {.slots = slots, .key_len = 16, .values = 2};
	struct ns_sample *t = ns_sample_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	return t;
}

/* Serialised; *len octets. */
static inline uint8_t *octets(const struct ns_sample *t, size_t *len)
{
	uint8_t *out = malloc(ns_sample_write_size(t));

	*len = ns_sample_write(t, out);
	CU_ASSERT_EQUAL(*len, ns_sample_write_size(t));
	return out;
}

static inline bool same(const struct ns_sample *x, const struct ns_sample *y)
{
	size_t nx, ny;
	uint8_t *a = octets(x, &nx), *b = octets(y, &ny);
	bool equal = nx == ny && memcmp(a, b, nx) == 0;

	free(a);
	free(b);
	return equal;
}

struct thing {
	uint64_t hash, a, b;
};

static inline int by_hash(const void *x, const void *y)
{
	uint64_t a = ((const struct thing *)x)->hash, b = ((const struct thing *)y)->hash;

	return (a > b) - (a < b);
}

/* The table holds what a slow reading of its contract says: the right limit, all below it. */
static inline void holds(const struct ns_sample *t, const struct stream *s)
{
	struct thing *all = calloc(s->n, sizeof(*all));
	uint64_t total = 0, level = SAMPLE_TOP;
	unsigned n = 0, kept;
	struct ns_sample_entry e;
	uint32_t at = 0, seen = 0;
	bool ok = true;

	for (unsigned i = 0; i < s->n; i++) {
		all[i] = (struct thing){s->hash[i], s->a[i], s->b[i]};
		total += s->a[i];
	}
	qsort(all, s->n, sizeof(*all), by_hash);
	for (unsigned i = 0; i < s->n; i++) {
		if (n > 0 && all[n - 1].hash == all[i].hash) {
			all[n - 1].a += all[i].a;
			all[n - 1].b += all[i].b;
		} else {
			all[n++] = all[i];
		}
	}
	for (kept = n; kept > t->conf.slots; level--)
		while (kept > 0 && sample_level(all[kept - 1].hash) == level)
			kept--;
	CU_ASSERT_EQUAL(ns_sample_kept(t), kept);
	CU_ASSERT_EQUAL(t->level, level);
	for (unsigned i = 0; i < n; i++) {
		bool found = ns_sample_find(t, all[i].hash, &e);

		ok = ok && found == (i < kept);
		if (found)
			ok = ok && e.hash == all[i].hash && e.values[0] == all[i].a &&
			     e.values[1] == all[i].b && ns_le_get64(e.key + 8) == e.hash * 3;
	}
	while (ns_sample_next(t, &at, &e)) {
		ok = ok && bsearch(&e.hash, all, kept, sizeof(*all), by_hash) != NULL;
		seen++;
	}
	CU_ASSERT(ok);
	CU_ASSERT_EQUAL(seen, kept);
	CU_ASSERT_EQUAL(ns_sample_total(t, 0), total);
	CU_ASSERT_EQUAL(ns_sample_total(t, 1), s->n);
	free(all);
}
