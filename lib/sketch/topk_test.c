/* SPDX-License-Identifier: BSD-3-Clause */
/* Top-k: adding in each way, the list, questions, edges; topk_bound_test.c has the bounds. */
#include "ns_test.h"
#include "topk_test_util.h"

/* One bucket by the book. */
struct model {
	uint64_t hash[PLACES], count[PLACES], error[PLACES], other[PLACES];
	uint8_t key[PLACES][KEY_MAX];
};

static void model_add(struct model *m, unsigned key_len, uint64_t hash, const uint8_t *key,
	uint64_t weight, uint64_t other)
{
	unsigned at = 0;

	for (unsigned i = 1; i < PLACES; i++)
		if (m->count[i] < m->count[at])
			at = i;
	for (unsigned i = 0; i < PLACES; i++) {
		if (m->hash[i] == hash) {
			m->count[i] = add_sat(m->count[i], weight);
			m->other[i] = add_sat(m->other[i], other);
			return;
		}
	}
	m->hash[at] = hash;
	m->error[at] = m->count[at];
	m->count[at] = add_sat(m->count[at], weight);
	m->other[at] = other;
	memcpy(m->key[at], key, key_len);
}

static uint64_t differences(const struct ns_topk *t, const struct model *m)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < t->buckets; i++) {
		const struct bucket *b = bucket_at(t, i);

		n += memcmp(b->hash, m[i].hash, sizeof(b->hash)) != 0;
		n += memcmp(b->count, m[i].count, sizeof(b->count)) != 0;
		for (unsigned p = 0; p < PLACES; p++) {
			const struct record *r = record_at(t, b, p);

			n += r->error != m[i].error[p] || r->other != m[i].other[p] ||
			     memcmp(r->key, m[i].key[p], t->key_len) != 0;
		}
	}
	return n;
}

#define WAYS 4

static unsigned ways(topk_add_fn *fn)
{
	unsigned n = 0;

	fn[n++] = topk_add_plain;
	fn[n++] = topk_add_full;
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		fn[n++] = topk_add_avx2;
	if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512bw"))
		fn[n++] = topk_add_avx512;
#endif
	return n;
}

/* Adds random things of few keys to a sketch and its model; `bits` of weight. */
static void as_model(topk_add_fn add, unsigned key_len, unsigned bits, unsigned rounds)
{
	struct ns_topk *t = topk_make(64 + 7 * (size_t)bucket_len(key_len), (uint16_t)key_len);
	struct model *m = calloc(t->buckets, sizeof(*m));
	uint64_t state = key_len * 64 + bits, total = 0, total_other = 0;
	static uint8_t keys[80 * (KEY_MAX + 24)];

	CU_ASSERT_EQUAL_FATAL(t->buckets, 7);
	for (unsigned round = 0; round < rounds; round++) {
		uint64_t hash[80], weight[80], other[80];
		unsigned n = ns_test_mix(&state) % 81, stride = key_len + round % 4 * 8;
		bool weighs = bits > 0 && round % 5 != 0, others = bits > 0 && round % 3 != 0;

		for (unsigned i = 0; i < n; i++) {
			uint64_t number = ns_test_mix(&state) % 100;
			uint8_t *key = keys + (size_t)i * stride;

			hash[i] = topk_key(key, key_len, number);
			if (number == 0)
				hash[i] = 0; /* counts as 1 */
			weight[i] = ns_test_mix(&state) >> (64 - NS_MAX(bits, 1));
			other[i] = ns_test_mix(&state) >> (64 - NS_MAX(bits, 1));
			model_add(&m[bucket_of(hash[i], t->buckets)], key_len,
				hash[i] != 0 ? hash[i] : 1, key, weighs ? weight[i] : 1,
				others ? other[i] : 1);
			total = add_sat(total, weighs ? weight[i] : 1);
			total_other = add_sat(total_other, others ? other[i] : 1);
		}
		topk_add_with(add, t, hash, keys, stride, weighs ? weight : NULL,
			others ? other : NULL, n);
	}
	CU_ASSERT_EQUAL(differences(t, m), 0);
	CU_ASSERT_EQUAL(ns_topk_total(t), total);
	CU_ASSERT_EQUAL(ns_topk_total_other(t), total_other);
	free(m);
	ns_topk_destroy(t);
}

static void all_ways_as_the_model(void)
{
	static const unsigned lens[] = {8, 16, 24, 32, 40, 48, 64, 128};
	topk_add_fn fn[WAYS];
	unsigned n = ways(fn);

	for (unsigned w = 0; w < n; w++) {
		for (unsigned i = 0; i < NS_ARRAY_LEN(lens); i++) {
			as_model(fn[w], lens[i], 0, 50);
			as_model(fn[w], lens[i], 11, 200);
			as_model(fn[w], lens[i], 40, 200);
		}
	}
}

/* Sums stop at the end of their range, in the middle of a burst as well. */
static void never_wraps(void)
{
	topk_add_fn fn[WAYS];
	unsigned n = ways(fn);

	for (unsigned w = 0; w < n; w++) {
		as_model(fn[w], 16, 60, 60);
		as_model(fn[w], 16, 64, 60);
	}
	struct ns_topk *t = topk_make(0, 8), *u = topk_make(0, 8);
	uint64_t hash = 7, weight = UINT64_MAX - 1, key = 5;
	struct ns_topk_entry e;

	ns_topk_add_bulk(t, &hash, (const uint8_t *)&key, 8, &weight, NULL, 1);
	ns_topk_add_bulk(u, &hash, (const uint8_t *)&key, 8, &weight, NULL, 1);
	CU_ASSERT_TRUE(ns_topk_query(t, hash, &e));
	CU_ASSERT_EQUAL(e.count, UINT64_MAX - 1);
	CU_ASSERT_EQUAL(ns_topk_merge(t, u), 0);
	CU_ASSERT_TRUE(ns_topk_query(t, hash, &e));
	CU_ASSERT_EQUAL(e.count, UINT64_MAX);
	CU_ASSERT_EQUAL(e.other, 2);
	CU_ASSERT_EQUAL(ns_topk_total(t), UINT64_MAX);
	ns_topk_add_bulk(t, &hash, (const uint8_t *)&key, 8, NULL, NULL, 1);
	CU_ASSERT_TRUE(ns_topk_query(t, hash, &e));
	CU_ASSERT_EQUAL(e.count, UINT64_MAX);
	CU_ASSERT_EQUAL(e.other, 3);
	ns_topk_destroy(t);
	ns_topk_destroy(u);
}

static void sizes(void)
{
	struct ns_topk_conf c = {.memory = 512 * 1024, .key_len = 16};

	/* hash, count, error, other, key: 48 octets a place */
	CU_ASSERT_EQUAL(ns_topk_size(&c), 64 + 2730 * 4 * 48);
	c.memory = 0;
	CU_ASSERT_EQUAL(ns_topk_size(&c), 64 + 4 * 48);
	c.memory = 64 + 3 * 4 * 48 - 1;
	CU_ASSERT_EQUAL(ns_topk_size(&c), 64 + 2 * 4 * 48);
	/* records are whole 16 octets, buckets whole lines */
	c.memory = 64 + 4 * 48;
	c.key_len = 8;
	CU_ASSERT_EQUAL(ns_topk_size(&c), 64 + 4 * 48);
	c.memory = 64 + 4 * 64;
	c.key_len = 24;
	CU_ASSERT_EQUAL(ns_topk_size(&c), 64 + 4 * 64);
	static const uint16_t wrong[] = {0, 4, 12, 17, 136, 65528};

	for (unsigned i = 0; i < NS_ARRAY_LEN(wrong); i++) {
		c.key_len = wrong[i];
		errno = 0;
		CU_ASSERT_EQUAL(ns_topk_size(&c), 0);
		CU_ASSERT_EQUAL(errno, EINVAL);
		CU_ASSERT_PTR_NULL(ns_topk_create(&c));
	}
	c = (struct ns_topk_conf){.memory = SIZE_MAX, .key_len = 8};
	CU_ASSERT_EQUAL(ns_topk_size(&c), 0);
	ns_topk_destroy(NULL);
}

/* A block that was full of anything is empty after init, and after reset. */
static void empty_at_first(void)
{
	struct ns_topk_conf c = {.memory = 4000, .key_len = 24, .seed = 9};
	size_t size = ns_topk_size(&c);
	uint8_t *mem = ns_sketch_alloc(size), *copy = malloc(size);
	struct ns_topk_entry e[4];
	uint64_t hash[3] = {1, 1000, UINT64_MAX}, keys[9] = {1, 2, 3};

	memset(mem, 0xee, size);
	struct ns_topk *t = ns_topk_init(mem, &c);

	CU_ASSERT_PTR_EQUAL_FATAL(t, mem);
	CU_ASSERT_EQUAL(ns_topk_capacity(t), (size - 64) / (16 + 48));
	CU_ASSERT_EQUAL(ns_topk_places(&c), ns_topk_capacity(t));
	memcpy(copy, mem, size);
	CU_ASSERT_EQUAL(ns_topk_list(t, e, 4), 0);
	CU_ASSERT_EQUAL(ns_topk_unlisted(t), 0);
	CU_ASSERT_EQUAL(ns_topk_total(t), 0);
	CU_ASSERT_FALSE(ns_topk_query(t, 0, e));
	CU_ASSERT_EQUAL(e->count, 0);
	ns_topk_add_bulk(t, hash, (const uint8_t *)keys, 24, NULL, NULL, 3);
	CU_ASSERT_EQUAL(ns_topk_list(t, e, 4), 3);
	CU_ASSERT_EQUAL(ns_topk_list(t, e, 0), 0);
	ns_topk_add_bulk(t, hash, (const uint8_t *)keys, 24, NULL, NULL, 0);
	CU_ASSERT_EQUAL(ns_topk_total(t), 3);
	ns_topk_reset(t);
	CU_ASSERT_EQUAL(memcmp(copy, mem, size), 0);
	free(copy);
	free(mem);
}

/* By count downwards, equal ones by their octets; asking for fewer cuts the end off. */
static void list_in_order(void)
{
	static struct feed f;
	struct truth truth = truth_make(9000);
	struct ns_topk_entry all[2048], some[100];
	uint64_t state = 5;
	int n;

	f = (struct feed){.t = topk_make(64 * 1024, 16), .truth = &truth};
	for (unsigned i = 0; i < 50000; i++)
		feed(&f, ns_test_mix(&state) % 9000, ns_test_mix(&state) % 4, 1);
	feed_flush(&f);
	n = ns_topk_list(f.t, all, 2048);
	CU_ASSERT_EQUAL_FATAL(n, (int)ns_topk_capacity(f.t));
	for (int i = 1; i < n; i++) {
		CU_ASSERT(all[i - 1].count >= all[i].count);
		if (all[i - 1].count == all[i].count)
			CU_ASSERT(memcmp(all[i - 1].key, all[i].key, 16) < 0);
	}
	for (unsigned max = 1; max <= 100; max++) {
		CU_ASSERT_EQUAL(ns_topk_list(f.t, some, max), (int)max);
		CU_ASSERT_EQUAL(memcmp(some, all, max * sizeof(some[0])), 0);
	}
	CU_ASSERT_EQUAL(ns_topk_list_sure(f.t, some, 100), 100);
	for (int i = 0, sure = 0; i < n; i++) {
		uint64_t least = some[99].count - some[99].error;

		sure += all[i].count - all[i].error > least;
		CU_ASSERT(sure <= 99);
		if (i > 0 && i < 100)
			CU_ASSERT(some[i - 1].count - some[i - 1].error >=
				  some[i].count - some[i].error);
	}
	for (int i = 0; i < n; i++) {
		struct ns_topk_entry e;

		CU_ASSERT_TRUE(ns_topk_query(f.t, all[i].hash, &e));
		CU_ASSERT_EQUAL(memcmp(&e, &all[i], sizeof(e)), 0);
	}
	ns_topk_destroy(f.t);
	truth_free(&truth);
}

NS_TEST_MAIN({"all ways as the model", all_ways_as_the_model}, {"never wraps", never_wraps},
	{"sizes", sizes}, {"empty at first", empty_at_first}, {"list in order", list_in_order})
