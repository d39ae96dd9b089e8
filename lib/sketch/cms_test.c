/* SPDX-License-Identifier: BSD-3-Clause */
/* Count-Min: counters, merging, forms; cms_bound_test.c measures the error. */
#include "cms_test_util.h"
#include "golden_cms.h"
#include "ns_test.h"

/* Adding by the book, one thing at a time. */
static void model_add(struct ns_cms *s, uint64_t hash, uint64_t w)
{
	uint64_t least = ns_cms_query(s, hash);

	for (unsigned i = 0; i < 8; i++) {
		uint64_t *c;

		if (s->layout == NS_CMS_ROWS) {
			if (i >= s->rows)
				break;
			c = &s->count[ns_cms_at_row(s, hash, i)];
		} else {
			if (!(ns_cms_at_set(s->rows, hash) >> i & 1))
				continue;
			c = &s->count[ns_cms_at_line(s, hash) + i];
		}
		if (s->plain)
			*c = ns_cms_sum(*c, w);
		else if (*c < ns_cms_sum(least, w))
			*c = ns_cms_sum(least, w);
	}
	s->total = ns_cms_sum(s->total, w);
}

/* All layouts, every d, both updates, batches of any length, with and without weights. */
static void as_the_model(void)
{
	uint64_t state = 3;

	for (unsigned kind = 0; kind < 32; kind++) {
		struct ns_cms *a = cms_make(kind & 1, (uint8_t)(1 + kind / 4), 6000, kind & 2);
		struct ns_cms *b = cms_make(kind & 1, (uint8_t)(1 + kind / 4), 6000, kind & 2);

		for (unsigned round = 0; round < 200; round++) {
			uint64_t hash[80], weight[80];
			unsigned n = ns_test_mix(&state) % 81;
			bool weighs = round % 3 != 0;

			for (unsigned i = 0; i < n; i++) {
				hash[i] = cms_key(ns_test_mix(&state) % 4096);
				weight[i] = ns_test_mix(&state) >> (round % 63 + 1);
				model_add(b, hash[i], weighs ? weight[i] : 1);
			}
			ns_cms_add_bulk(a, hash, weighs ? weight : NULL, n);
			if (n > 0) {
				ns_cms_add(a, hash[0], round);
				model_add(b, hash[0], round);
			}
		}
		CU_ASSERT_TRUE(cms_same(a, b));
		ns_cms_reset(a);
		CU_ASSERT_EQUAL(ns_cms_total(a), 0);
		for (uint64_t k = 0; k < 4096; k++)
			CU_ASSERT_EQUAL_FATAL(ns_cms_query(a, cms_key(k)), 0);
		ns_cms_destroy(a);
		ns_cms_destroy(b);
	}
}

static void sets_of_a_line(void)
{
	for (unsigned d = 1; d <= 8; d++) {
		bool have[256] = {false};
		unsigned n = 1;

		for (unsigned i = 0; i < d; i++)
			n = n * (8 - i) / (i + 1);
		CU_ASSERT_EQUAL(ns_cms_sets[d], n);
		for (unsigned i = 0; i < n; i++) {
			unsigned set = ns_cms_set[d][i];

			CU_ASSERT_EQUAL((unsigned)__builtin_popcount(set), d);
			CU_ASSERT_FALSE(have[set]);
			have[set] = true;
		}
		/* The lower half of a hash reaches all of them, and nothing behind. */
		CU_ASSERT_EQUAL(ns_cms_at_set(d, 0), ns_cms_set[d][0]);
		CU_ASSERT_EQUAL(ns_cms_at_set(d, UINT32_MAX), ns_cms_set[d][n - 1]);
	}
}

static void rows_spread(void)
{
	struct ns_cms *s = cms_make(NS_CMS_ROWS, 8, 8 * 8 * 1000, true);
	unsigned both = 0;

	/* Things that meet in one row do not meet in others more often than 1 in 1000. */
	for (uint64_t a = 0; a < 2000; a++) {
		for (uint64_t b = a + 1; b < 2000; b++) {
			uint64_t ha = cms_key(a), hb = cms_key(b);
			unsigned met = 0;

			if (ns_cms_at_row(s, ha, 0) != ns_cms_at_row(s, hb, 0))
				continue;
			for (unsigned r = 1; r < 8; r++)
				met += ns_cms_at_row(s, ha, r) == ns_cms_at_row(s, hb, r);
			both += met;
		}
	}
	/* 2000 pairs of 2 000 000 meet in the first row: 14 of them again in one of seven. */
	CU_ASSERT(both <= 14 + 4 * 4);
	for (uint64_t a = 0; a < 100000; a++) {
		for (unsigned r = 0; r < 8; r++)
			CU_ASSERT_FATAL(ns_cms_at_row(s, cms_key(a), r) / 1000 == r);
	}
	ns_cms_destroy(s);
}

static void saturation(void)
{
	for (unsigned kind = 0; kind < 4; kind++) {
		struct ns_cms *a = cms_make(kind & 1, 4, 4096, kind & 2);
		struct ns_cms *b = cms_make(kind & 1, 4, 4096, kind & 2);

		ns_cms_add(a, cms_key(1), UINT64_MAX - 5);
		CU_ASSERT_EQUAL(ns_cms_query(a, cms_key(1)), UINT64_MAX - 5);
		ns_cms_add(a, cms_key(1), 3);
		CU_ASSERT_EQUAL(ns_cms_query(a, cms_key(1)), UINT64_MAX - 2);
		ns_cms_add(b, cms_key(1), 4);
		CU_ASSERT_EQUAL(ns_cms_merge(b, a), 0);
		ns_cms_add(a, cms_key(1), 3);
		CU_ASSERT_EQUAL(ns_cms_query(a, cms_key(1)), UINT64_MAX);
		ns_cms_add(a, cms_key(1), UINT64_MAX);
		CU_ASSERT_EQUAL(ns_cms_query(a, cms_key(1)), UINT64_MAX);
		CU_ASSERT_EQUAL(ns_cms_total(a), UINT64_MAX);
		CU_ASSERT_EQUAL(ns_cms_query(b, cms_key(1)), UINT64_MAX);
		CU_ASSERT_EQUAL(ns_cms_total(b), UINT64_MAX);
		ns_cms_destroy(a);
		ns_cms_destroy(b);
	}
}

/* Plain: parts in any order and grouping are one pass. Conservative: never below the truth. */
static void merging(void)
{
	uint64_t state = 12;

	for (unsigned round = 0; round < 64; round++) {
		unsigned parts = 1 + ns_test_mix(&state) % 5, n = ns_test_mix(&state) % 5000;
		uint8_t rows = (uint8_t)(1 + ns_test_mix(&state) % 8);
		size_t memory = 64 + ns_test_mix(&state) % 20000;
		bool plain = round & 1;
		struct ns_cms *one = cms_make(round >> 1 & 1, rows, memory, plain), *part[5];
		uint64_t truth[512] = {0}, too_low = 0;

		for (unsigned i = 0; i < parts; i++)
			part[i] = cms_make(round >> 1 & 1, rows, memory, plain);
		for (unsigned i = 0; i < n; i++) {
			uint64_t k = ns_test_mix(&state) % 512, w = ns_test_mix(&state) % 2000;

			ns_cms_add(one, cms_key(k), w);
			ns_cms_add(part[ns_test_mix(&state) % parts], cms_key(k), w);
			truth[k] += w;
		}
		for (unsigned left = parts; left > 1; left--) {
			unsigned a = ns_test_mix(&state) % (left - 1);

			CU_ASSERT_EQUAL(ns_cms_merge(part[a], part[left - 1]), 0);
			ns_cms_destroy(part[left - 1]);
		}
		if (plain)
			CU_ASSERT_TRUE(cms_same(one, part[0]));
		CU_ASSERT_EQUAL(ns_cms_total(one), ns_cms_total(part[0]));
		for (uint64_t k = 0; k < 512; k++) {
			too_low += ns_cms_query(part[0], cms_key(k)) < truth[k];
			too_low += ns_cms_query(one, cms_key(k)) < truth[k];
		}
		CU_ASSERT_EQUAL(too_low, 0);
		ns_cms_destroy(one);
		ns_cms_destroy(part[0]);
	}
}

static void differing(void)
{
	struct ns_cms_conf c[] = {{.memory = 4096, .rows = 4, .layout = NS_CMS_BLOCKED},
		{.memory = 4160, .rows = 4, .layout = NS_CMS_BLOCKED},
		{.memory = 4096, .rows = 3, .layout = NS_CMS_BLOCKED},
		{.memory = 4096, .rows = 4, .layout = NS_CMS_ROWS},
		{.memory = 4096, .rows = 4, .layout = NS_CMS_BLOCKED, .plain = true},
		{.memory = 4096, .rows = 4, .layout = NS_CMS_BLOCKED, .seed = 1},
		{.memory = 4159, .rows = 4, .layout = NS_CMS_BLOCKED}};
	struct ns_cms *s[7];

	for (unsigned i = 0; i < 7; i++)
		s[i] = ns_cms_create(&c[i]);
	for (unsigned i = 1; i < 6; i++)
		CU_ASSERT_EQUAL(ns_cms_merge(s[0], s[i]), -EINVAL);
	CU_ASSERT_EQUAL(ns_cms_merge(s[0], s[6]), 0);
	for (unsigned i = 0; i < 7; i++)
		ns_cms_destroy(s[i]);
}

static void configurations(void)
{
	static const struct ns_cms_conf bad[] = {{.memory = 4096, .rows = 0},
		{.memory = 4096, .rows = 9}, {.memory = 31, .rows = 4},
		{.memory = 63, .rows = 1, .layout = NS_CMS_BLOCKED},
		{.memory = SIZE_MAX, .rows = 1},
		{.memory = 4096, .rows = 1, .layout = NS_CMS_BLOCKED + 1}};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		CU_ASSERT_EQUAL(ns_cms_size(&bad[i]), 0);
		CU_ASSERT_EQUAL(errno, EINVAL);
		CU_ASSERT_PTR_NULL(ns_cms_create(&bad[i]));
	}
	/* 100 octets: 12 counters, or one line. */
	CU_ASSERT_EQUAL(ns_cms_size(&(struct ns_cms_conf){.memory = 100, .rows = 5}), 64 + 80);
	CU_ASSERT_EQUAL(ns_cms_size(&(struct ns_cms_conf){
				.memory = 100, .rows = 5, .layout = NS_CMS_BLOCKED}),
		64 + 64);
	ns_cms_destroy(NULL);
}

static struct ns_cms *golden_sketch(enum ns_cms_layout layout)
{
	struct ns_cms_conf c = {
		.memory = 128, .rows = 2, .layout = layout, .seed = 0x0123456789abcdef};
	struct ns_cms *s = ns_cms_create(&c);

	for (uint64_t k = 0; k < 40; k++)
		ns_cms_add(s, cms_key(k), k * k * 1000);
	return s;
}

static void golden(void)
{
	static const struct {
		enum ns_cms_layout layout;
		const uint8_t *form;
	} known[] = {{NS_CMS_ROWS, golden_cms_rows}, {NS_CMS_BLOCKED, golden_cms_blocked}};
	const size_t len = sizeof(golden_cms_rows);
	uint8_t out[sizeof(golden_cms_rows)];
	struct ns_err e;

	CU_ASSERT_EQUAL(sizeof(golden_cms_rows), sizeof(golden_cms_blocked));
	for (unsigned i = 0; i < 2; i++) {
		struct ns_cms *s = golden_sketch(known[i].layout);
		struct ns_cms *old = ns_cms_parse(known[i].form, len, &e);

		CU_ASSERT_EQUAL(ns_cms_write_size(s), len);
		CU_ASSERT_EQUAL(ns_cms_write(s, out), len);
		CU_ASSERT_EQUAL(memcmp(out, known[i].form, len), 0);
		CU_ASSERT_PTR_NOT_NULL_FATAL(old);
		CU_ASSERT_TRUE(cms_same(s, old));
		for (uint64_t k = 0; k < 50; k++)
			CU_ASSERT_EQUAL(ns_cms_query(old, cms_key(k)), ns_cms_query(s, cms_key(k)));
		CU_ASSERT_EQUAL(ns_cms_merge(s, old), 0);
		ns_cms_destroy(s);
		ns_cms_destroy(old);
	}
}

static void bad_forms(void)
{
	static const struct {
		unsigned at;
		uint8_t octet;
		const char *says;
	} bad[] = {{0, 0, "octet 0"}, {4, NS_SKETCH_HLL, "octet 4"}, {5, 9, "octet 5"},
		{16, 1, "octet 16"}, {24, 2, "octet 24"}, {25, 0, "octet 25"}, {25, 9, "octet 25"},
		{25, 3, "octet 32"}, {26, 2, "octet 26"}, {27, 1, "octet 27"}, {31, 1, "octet 31"},
		{32, 7, "octet 32"}, {32, 0, "octet 32"}, {39, 0x20, "octet 32"}, {47, 0xff, NULL},
		{55, 0x7f, "octet 48: a counter above the total"},
		{175, 1, "octet 168: a counter above the total"}};
	const size_t len = sizeof(golden_cms_rows);
	uint8_t form[sizeof(golden_cms_rows)];
	struct ns_err e;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ns_cms *s;

		memcpy(form, golden_cms_rows, len);
		form[bad[i].at] = bad[i].octet;
		errno = 0;
		s = ns_cms_parse(form, len, &e);
		if (bad[i].says == NULL) {
			CU_ASSERT_PTR_NOT_NULL(s);
			ns_cms_destroy(s);
			continue;
		}
		CU_ASSERT_PTR_NULL(s);
		CU_ASSERT_EQUAL(errno, EBADMSG);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].says));
	}
	for (size_t n = 0; n < len; n++)
		CU_ASSERT_PTR_NULL(ns_cms_parse(golden_cms_rows, n, &e));
}

NS_TEST_MAIN({"configurations", configurations}, {"sets of a line", sets_of_a_line},
	{"rows spread", rows_spread}, {"as the model", as_the_model}, {"saturation", saturation},
	{"merging", merging}, {"differing sketches", differing}, {"golden octets", golden},
	{"bad forms", bad_forms})
