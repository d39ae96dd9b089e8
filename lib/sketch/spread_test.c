/* SPDX-License-Identifier: BSD-3-Clause */
#include "golden_spread.h"
#include "ns_spread.h"

#include <ns_test.h>
#include <ns_test_alloc.h>
#include <ns_test_zipf.h>

#include <math.h>

#define KEYS 2000

/* Key number k has KEYS * 4 / k peers; all pairs, each three times, in any order. */
struct pairs {
	uint64_t *hash, *key; /* key: 16 octets, the number first */
	unsigned n, different;
};

static unsigned fan_out(unsigned k)
{
	return KEYS * 4 / k;
}

static struct pairs make_pairs(uint64_t seed)
{
	struct pairs p = {0};

	for (unsigned k = 1; k <= KEYS; k++)
		p.different += fan_out(k);
	p.hash = calloc(3 * p.different, 8);
	p.key = calloc(3 * p.different, 16);
	for (unsigned k = 1; k <= KEYS; k++) {
		for (unsigned i = 0; i < 3 * fan_out(k); i++) {
			uint64_t key[2] = {k, seed}, peer = i % fan_out(k);
			uint64_t j = ns_test_mix(&seed) % (p.n + 1);

			seed = key[1];
			p.hash[p.n] = p.hash[j];
			memcpy(p.key + 2 * (size_t)p.n++, p.key + 2 * j, 16);
			p.hash[j] =
				ns_hash_pair(ns_hash_words(key, 2, 0), ns_hash_words(&peer, 1, 0));
			memcpy(p.key + 2 * j, key, 16);
		}
	}
	return p;
}

static void free_pairs(struct pairs *p)
{
	free(p->hash);
	free(p->key);
}

static void add(struct ns_spread *s, const struct pairs *p, unsigned from, unsigned n)
{
	ns_spread_add_bulk(s, p->hash + from, (uint8_t *)(p->key + 2 * (size_t)from), 16, n);
}

static struct ns_spread *make(size_t memory)
{
	struct ns_spread_conf c = {.memory = memory, .key_len = 16};
	struct ns_spread *s = ns_spread_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

static bool same(const struct ns_spread *x, const struct ns_spread *y)
{
	size_t nx = ns_spread_write_size(x), ny = ns_spread_write_size(y);
	uint8_t *a = malloc(nx), *b = malloc(ny);
	bool equal = nx == ny && ns_spread_write(x, a) == nx && ns_spread_write(y, b) == ny &&
		     memcmp(a, b, nx) == 0;

	free(a);
	free(b);
	return equal;
}

static uint64_t number(const struct ns_spread_entry *e)
{
	return ns_le_get64(e->key);
}

static void exact_while_it_fits(void)
{
	struct pairs p = make_pairs(1);
	struct ns_spread *s = make(8 << 20);
	struct ns_spread_entry e[KEYS];

	add(s, &p, 0, p.n);
	CU_ASSERT_EQUAL(ns_spread_rate(s), 1);
	CU_ASSERT_EQUAL(ns_spread_pairs(s), p.different);
	CU_ASSERT_EQUAL_FATAL(ns_spread_list(s, e, KEYS, 0.95), KEYS);
	for (unsigned i = 0; i < KEYS; i++) {
		unsigned want = fan_out(i + 1);

		CU_ASSERT_FATAL(e[i].peers == want && e[i].sampled == want);
		CU_ASSERT_FATAL(e[i].low == want && e[i].high == want);
		CU_ASSERT_EQUAL_FATAL(fan_out((unsigned)number(&e[i])), want);
		CU_ASSERT_EQUAL_FATAL(e[i].hash, ns_hash_words(e[i].key, 2, 0));
		if (i > 0 && e[i - 1].peers == e[i].peers)
			CU_ASSERT_FATAL(memcmp(e[i - 1].key, e[i].key, 16) < 0);
	}
	CU_ASSERT_EQUAL(ns_spread_list(s, e, 3, 0.95), 3);
	CU_ASSERT_EQUAL(number(&e[0]), 1);
	CU_ASSERT_EQUAL(number(&e[2]), 3);
	CU_ASSERT_EQUAL(ns_spread_list(s, e, 0, 0.95), 0);
	ns_spread_destroy(s);
	free_pairs(&p);
}

/* A list cut at any length is the beginning of the whole list. */
static void cut_list(void)
{
	struct pairs p = make_pairs(2);
	struct ns_spread *s = make(300 << 10);
	struct ns_spread_entry all[KEYS], some[KEYS];

	add(s, &p, 0, p.n);
	int n = ns_spread_list(s, all, KEYS, 0.95);

	CU_ASSERT(n > 500 && ns_spread_rate(s) < 0.5);
	for (int max = 1; max <= n; max = 2 * max + 1) {
		CU_ASSERT_EQUAL_FATAL(ns_spread_list(s, some, (unsigned)max, 0.95), max);
		for (int i = 0; i < max; i++)
			CU_ASSERT_EQUAL_FATAL(some[i].key, all[i].key);
	}
	ns_spread_destroy(s);
	free_pairs(&p);
}

/* True fan-outs lie in their intervals as often as the confidence says, and low is sure. */
static void intervals(void)
{
	static const double confidence[] = {0.5, 0.9, 0.95, 0.99};
	unsigned inside[4] = {0};

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct pairs p = make_pairs(seed);
		struct ns_spread *s = make(100 << 10);
		struct ns_spread_entry e[KEYS];

		add(s, &p, 0, p.n);
		for (unsigned c = 0; c < NS_ARRAY_LEN(confidence); c++) {
			int keys = ns_spread_list(s, e, KEYS, confidence[c]);

			for (int i = 0; i < keys; i++) {
				double want = fan_out((unsigned)number(&e[i]));

				CU_ASSERT_FATAL(e[i].low >= (double)e[i].sampled);
				CU_ASSERT_FATAL(e[i].low <= e[i].peers);
				CU_ASSERT_FATAL(e[i].high >= e[i].peers);
				/* chosen by their true size; one that is not listed is outside */
				if (number(&e[i]) > 100)
					continue;
				inside[c] += e[i].low <= want && want <= e[i].high;
			}
		}
		CU_ASSERT(fabs(ns_spread_pairs(s) / p.different - 1) < 0.1);
		ns_spread_destroy(s);
		free_pairs(&p);
	}
	for (unsigned c = 0; c < NS_ARRAY_LEN(confidence); c++)
		CU_ASSERT(fabs((double)inside[c] / (60 * 100) - confidence[c]) < 0.02);
}

static void certain(void)
{
	struct pairs p = make_pairs(3);
	struct ns_spread *s = make(100 << 10);
	struct ns_spread_entry e;

	add(s, &p, 0, p.n);
	CU_ASSERT_EQUAL(ns_spread_list(s, &e, 1, 1), 1);
	CU_ASSERT_EQUAL(e.low, e.sampled);
	CU_ASSERT(isinf(e.high));
	ns_spread_destroy(s);
	free_pairs(&p);
}

static void merged_is_one_pass(void)
{
	struct pairs p = make_pairs(4);
	uint64_t seed = 9;

	for (unsigned k = 1; k <= 5; k++) {
		struct ns_spread *whole = make(200 << 10), *part[5];

		add(whole, &p, 0, p.n);
		for (unsigned i = 0; i < k; i++)
			part[i] = make(200 << 10);
		for (unsigned i = 0; i < p.n; i++)
			add(part[ns_test_mix(&seed) % k], &p, i, 1);
		for (unsigned i = k - 1; i > 0; i--) {
			CU_ASSERT_EQUAL(ns_spread_merge(part[i / 2], part[i]), 0);
			ns_spread_destroy(part[i]);
		}
		CU_ASSERT(same(whole, part[0]));
		ns_spread_reset(whole);
		ns_spread_destroy(part[0]);
		part[0] = make(200 << 10);
		CU_ASSERT(same(whole, part[0]));
		ns_spread_destroy(part[0]);
		ns_spread_destroy(whole);
	}
	struct ns_spread *x = make(200 << 10), *y = make(201 << 10);

	CU_ASSERT_EQUAL(ns_spread_merge(x, y), -EINVAL);
	ns_spread_destroy(x);
	ns_spread_destroy(y);
	ns_spread_destroy(NULL);
	free_pairs(&p);
}

static void configurations(void)
{
	struct ns_spread_conf bad[] = {{1 << 20, 0, 0}, {1 << 20, 7, 0}, {1 << 20, 136, 0}};
	struct ns_spread_conf c = {.key_len = 16};

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		CU_ASSERT_EQUAL(ns_spread_size(&bad[i]), 0);
		CU_ASSERT_PTR_NULL(ns_spread_create(&bad[i]));
		CU_ASSERT_PTR_NULL(ns_spread_init(NULL, &bad[i]));
		CU_ASSERT_EQUAL(errno, EINVAL);
	}
	for (c.memory = 8192; c.memory < 1u << 30; c.memory *= 2) {
		CU_ASSERT(ns_spread_size(&c) <= c.memory);
		CU_ASSERT(ns_spread_size(&c) > c.memory - 256);
	}
	c.memory = 100000;
	struct ns_spread *s = ns_spread_init(ns_sketch_alloc(ns_spread_size(&c)), &c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(ns_spread_pairs(s), 0);
	free(s);
}

static void memory_ends(void)
{
	struct ns_spread *s = make(8192);
	uint64_t pair = 5, key[2] = {1, 2};
	struct ns_spread_entry e;
	uint8_t out[256];

	ns_spread_add_bulk(s, &pair, (uint8_t *)key, 16, 1);
	ns_test_alloc_fail(1);
	CU_ASSERT_EQUAL(ns_spread_list(s, &e, 1, 0.95), -ENOMEM);
	CU_ASSERT_FALSE(ns_test_alloc_done());
	ns_test_alloc_fail(1);
	CU_ASSERT_EQUAL(ns_spread_write(s, out), 0);
	CU_ASSERT_FALSE(ns_test_alloc_done());
	ns_spread_destroy(s);
}

/* 200 pairs of 20 keys in the least room there is. */
static struct ns_spread *golden_spread_made(void)
{
	struct ns_spread_conf c = {.memory = 4096, .key_len = 8, .seed = 7};
	struct ns_spread *s = ns_spread_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t key = i % 20, pair;

		pair = ns_hash_pair(ns_hash_words(&key, 1, 7), ns_hash_words(&i, 1, 7));
		ns_spread_add_bulk(s, &pair, (uint8_t *)&key, 8, 1);
	}
	return s;
}

static void golden(void)
{
	struct ns_spread *s = golden_spread_made(), *t;
	size_t len = ns_spread_write_size(s);
	uint8_t *out = malloc(len);
	struct ns_err e = {{0}};

	CU_ASSERT_EQUAL(ns_spread_write(s, out), len);
	if (len != sizeof(golden_spread_v1) || memcmp(out, golden_spread_v1, len) != 0) {
		CU_FAIL("other octets than those of version 1");
		for (size_t i = 0; i < len; i++)
			printf("0x%02x,%s", out[i], i % 16 == 15 ? "\n" : " ");
	}
	t = ns_spread_parse(golden_spread_v1, sizeof(golden_spread_v1), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT(same(s, t));
	ns_spread_destroy(s);
	ns_spread_destroy(t);
	free(out);
}

static void refused(size_t at, uint8_t with, const char *what)
{
	uint8_t in[sizeof(golden_spread_v1)];
	struct ns_err e = {{0}};

	memcpy(in, golden_spread_v1, sizeof(in));
	in[at] ^= with;
	CU_ASSERT_PTR_NULL(ns_spread_parse(in, sizeof(in), &e));
	if (strstr(e.text, what) == NULL) {
		CU_FAIL("another message");
		printf("wanted \"%s\": \"%s\"\n", what, e.text);
	}
}

static void damage(void)
{
	uint8_t bare[40] = {0}; /* no key: a sample, but no spread */
	struct ns_err e = {{0}};

	refused(4, 1, "octet 4:"); /* the type of a sample */
	refused(27, 0x80, "octet 24:");
	refused(28, 4, "octet 24:");
	refused(30, 1, "octet 36:");
	refused(33, 0x80, "octet 32:");
	refused(36, 1, "octet 36:");
	refused(40 + 7, 0xff, "octet 40:");
	refused(sizeof(golden_spread_v1) - 16 + 7, 0xff, "octet ");
	memcpy(bare, golden_spread_v1, 40);
	bare[16] = 16;
	bare[17] = bare[28] = bare[36] = 0;
	CU_ASSERT_PTR_NULL(ns_spread_parse(bare, sizeof(bare), &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "octet 28:"));
	for (size_t cut = 1; cut <= sizeof(golden_spread_v1); cut++)
		CU_ASSERT_PTR_NULL(
			ns_spread_parse(golden_spread_v1, sizeof(golden_spread_v1) - cut, &e));
}

NS_TEST_MAIN({"exact while it fits", exact_while_it_fits}, {"cut list", cut_list},
	{"intervals", intervals}, {"certain", certain}, {"merged is one pass", merged_is_one_pass},
	{"configurations", configurations}, {"memory ends", memory_ends}, {"golden", golden},
	{"damage", damage})
