/* SPDX-License-Identifier: BSD-3-Clause */
#include "sample_test_util.h"

#include <ns_test_alloc.h>

#include <math.h>
#include <sys/resource.h>

static void levels(void)
{
	uint64_t state = 1;
	bool ok = true;

	CU_ASSERT_EQUAL(sample_level(1), 0);
	CU_ASSERT_EQUAL(sample_level(UINT64_MAX), SAMPLE_TOP);
	CU_ASSERT_EQUAL(sample_level_max(SAMPLE_TOP), UINT64_MAX);
	CU_ASSERT_EQUAL(sample_level_max(SAMPLE_TOP - 8), UINT64_MAX / 2);
	for (unsigned i = 0; i < 1000000; i++) {
		uint64_t h = ns_test_mix(&state) >> (i % 64);
		uint32_t level;

		if (h == 0)
			continue;
		level = sample_level(h);
		ok = ok && h <= sample_level_max(level) &&
		     (level == 0 || h > sample_level_max(level - 1));
	}
	CU_ASSERT(ok);
}

static void contract(void)
{
	static const uint32_t slots[] = {16, 17, 100, 1000, 5000};

	for (unsigned shape = 0; shape < SHAPES; shape++) {
		for (unsigned i = 0; i < NS_ARRAY_LEN(slots); i++) {
			struct stream s = make_stream(shape, 40 * slots[i] / (i + 1), 4, i + 7);
			struct ns_sample *t = make(slots[i]);

			add(t, &s, 0, s.n, 40, i);
			holds(t, &s);
			ns_sample_destroy(t);
			free_stream(&s);
		}
	}
}

static void exact_while_it_fits(void)
{
	struct stream s = make_stream(EVEN, 1000, 0, 3);
	struct ns_sample *t = make(1000);

	add(t, &s, 0, 1000, 32, 1);
	add(t, &s, 0, 1000, 32, 1);
	CU_ASSERT_EQUAL(ns_sample_kept(t), 1000);
	CU_ASSERT_EQUAL(ns_sample_rate(t), 1);
	s.hash[0] = ~s.hash[0];
	add(t, &s, 0, 1, 1, 1);
	CU_ASSERT(ns_sample_rate(t) < 1);
	CU_ASSERT(ns_sample_kept(t) <= 1000 && ns_sample_kept(t) > 800);
	ns_sample_destroy(t);
	free_stream(&s);
}

/* Nothing but new things, as fast as they come: the proof's bound is looked at after each call. */
static void never_full(void)
{
	static const unsigned bursts[] = {1, 2, 32};

	for (unsigned shape = 0; shape < SHAPES; shape++) {
		for (unsigned i = 0; i < NS_ARRAY_LEN(bursts); i++) {
			struct stream s = make_stream(shape, 200000, 0, 99);

			for (uint32_t slots = 16; slots <= 65536; slots *= 16) {
				struct ns_sample *t = make(slots);

				add(t, &s, 0, s.n, bursts[i], 5);
				ns_sample_destroy(t);
			}
			free_stream(&s);
		}
	}
}

/* What is above the limit is gone from the memory too once enough was put in. */
static void swept(void)
{
	struct stream s = make_stream(EVEN, 100000, 0, 4);
	struct ns_sample *t = make(10000);
	uint32_t waste = 0;

	add(t, &s, 0, 10001, 32, 1);
	CU_ASSERT(t->used > t->kept);
	for (unsigned i = 10001; i + 32 <= s.n && t->sweep_left > 0; i += 32)
		add(t, &s, i, i + 32, 32, 1);
	CU_ASSERT_EQUAL(t->sweep_left, 0);
	for (uint32_t p = 0; p < t->places; p++)
		waste += *sample_hot(t, p) > t->max;
	CU_ASSERT_EQUAL(waste, 0);
	CU_ASSERT_EQUAL(t->used, t->kept);
	ns_sample_destroy(t);
	free_stream(&s);
}

static void reset_is_fresh(void)
{
	static const unsigned n[] = {0, 1, 10, 500, 20000};
	struct ns_sample_conf c = {.slots = 3000, .key_len = 16, .values = 2};
	size_t size = ns_sample_size(&c);
	struct ns_sample *t = ns_sample_init(ns_sketch_alloc(size), &c);
	struct ns_sample *fresh = ns_sample_init(ns_sketch_alloc(size), &c);

	for (unsigned i = 0; i < NS_ARRAY_LEN(n); i++) {
		struct stream s = make_stream(EVEN, n[i] + 1, 1, i);

		add(t, &s, 0, n[i], 32, 1);
		ns_sample_reset(t);
		CU_ASSERT_EQUAL(memcmp(t, fresh, size), 0);
		free_stream(&s);
	}
	free(t);
	free(fresh);
}

static void configurations(void)
{
	struct ns_sample_conf bad[] = {{.slots = 15}, {.slots = (1u << 28) + 1},
		{.slots = 100, .key_len = 12}, {.slots = 100, .key_len = 136},
		{.slots = 100, .values = 17}};
	struct ns_sample_conf c = {.key_len = 48, .values = 3};

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		CU_ASSERT_EQUAL(ns_sample_size(&bad[i]), 0);
		CU_ASSERT_PTR_NULL(ns_sample_create(&bad[i]));
		CU_ASSERT_EQUAL(errno, EINVAL);
	}
	CU_ASSERT_EQUAL(ns_sample_slots(0, 16, 1), 16);
	CU_ASSERT_EQUAL(ns_sample_slots(SIZE_MAX / 2, 0, 0), 1u << 28);
	for (size_t memory = 65536; memory < 1u << 30; memory *= 3) {
		c.slots = ns_sample_slots(memory, 48, 3);
		CU_ASSERT(ns_sample_size(&c) <= memory);
		c.slots++;
		CU_ASSERT(ns_sample_size(&c) > memory);
	}
}

/* Room for 2^26 things: what is not used costs nothing. */
static void large(void)
{
	struct stream s = make_stream(EVEN, 1000, 0, 1);
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	struct ns_sample *t = make(1u << 26);

	for (unsigned i = 0; i < 10; i++) {
		ns_sample_reset(t);
		add(t, &s, 0, s.n, 32, i);
		CU_ASSERT_EQUAL(ns_sample_kept(t), 1000);
	}
	getrusage(RUSAGE_SELF, &after);
	CU_ASSERT(after.ru_maxrss - before.ru_maxrss < 32 * 1024);
	ns_sample_destroy(t);
	free_stream(&s);
}

static void no_key_no_value(void)
{
	struct ns_sample_conf c = {.slots = 64};
	struct ns_sample *t = ns_sample_create(&c);
	uint64_t hash[3] = {0, 1, 9};
	struct ns_sample_entry e;

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	ns_sample_add_bulk(t, hash, NULL, 0, NULL, 3);
	CU_ASSERT_EQUAL(ns_sample_kept(t), 2); /* 0 counts as 1 */
	CU_ASSERT(ns_sample_find(t, 0, &e));
	CU_ASSERT(ns_sample_find(t, 9, &e));
	CU_ASSERT_FALSE(ns_sample_find(t, 10, &e));
	ns_sample_destroy(t);
}

static void saturates(void)
{
	struct ns_sample_conf c = {.slots = 64, .values = 1};
	struct ns_sample *t = ns_sample_create(&c), *u = ns_sample_create(&c);
	uint64_t hash[2] = {5, 5}, most[2] = {UINT64_MAX - 1, 7}, *values[1] = {most};
	struct ns_sample_entry e;

	CU_ASSERT_FATAL(t != NULL && u != NULL);
	ns_sample_add_bulk(t, hash, NULL, 0, (const uint64_t *const *)values, 2);
	CU_ASSERT_FATAL(ns_sample_find(t, 5, &e));
	CU_ASSERT_EQUAL(e.values[0], UINT64_MAX);
	CU_ASSERT_EQUAL(ns_sample_total(t, 0), UINT64_MAX);
	ns_sample_add_bulk(u, hash, NULL, 0, (const uint64_t *const *)values, 1);
	CU_ASSERT_EQUAL(ns_sample_merge(u, t), 0);
	CU_ASSERT_FATAL(ns_sample_find(u, 5, &e));
	CU_ASSERT_EQUAL(e.values[0], UINT64_MAX);
	CU_ASSERT_EQUAL(ns_sample_total(u, 0), UINT64_MAX);
	ns_sample_destroy(t);
	ns_sample_destroy(u);
}

/* kept / rate: no bias, and a spread of 1 / sqrt(kept). */
static void estimates_the_number(void)
{
	double sum = 0, square = 0;

	for (unsigned seed = 0; seed < 200; seed++) {
		struct stream s = make_stream(EVEN, 20000, 0, seed * 13 + 1);
		struct ns_sample *t = make(1000);

		add(t, &s, 0, s.n, 32, 1);
		double error = ns_sample_kept(t) / ns_sample_rate(t) / s.n - 1;

		sum += error;
		square += error * error;
		ns_sample_destroy(t);
		free_stream(&s);
	}
	CU_ASSERT(fabs(sum / 200) < 4 * 0.033 / sqrt(200));
	CU_ASSERT(sqrt(square / 200) < 0.04);
}

static void allocates_nothing(void)
{
	struct stream s = make_stream(EVEN, 5000, 1, 1);
	struct ns_sample *t = make(300), *u = make(300);

	ns_test_alloc_fail(1);
	add(t, &s, 0, 3000, 32, 1);
	add(u, &s, 2000, 5000, 32, 1);
	ns_sample_merge(t, u);
	ns_sample_reset(u);
	CU_ASSERT(ns_test_alloc_done());
	ns_test_alloc_fail(1);
	uint8_t out[1];

	CU_ASSERT_EQUAL(ns_sample_write(t, out), 0);
	CU_ASSERT_FALSE(ns_test_alloc_done());
	ns_sample_destroy(t);
	ns_sample_destroy(u);
	free_stream(&s);
}

NS_TEST_MAIN({"levels", levels}, {"contract", contract},
	{"exact while it fits", exact_while_it_fits}, {"never full", never_full}, {"swept", swept},
	{"reset is fresh", reset_is_fresh}, {"configurations", configurations}, {"large", large},
	{"no key, no value", no_key_no_value}, {"saturates", saturates},
	{"estimates the number", estimates_the_number}, {"allocates nothing", allocates_nothing})
