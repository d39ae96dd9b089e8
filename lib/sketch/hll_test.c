/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperLogLog: registers, merging, forms. */
#include "golden_hll.h"
#include "hll_test_util.h"
#include "ns_test.h"

static void exact_while_few(void)
{
	for (uint8_t p = NS_HLL_P_MIN; p <= NS_HLL_P_MAX; p++) {
		struct ns_hll *h = hll_make(p);
		uint32_t keep = ns_hll_keep(p);
		double low, high;

		CU_ASSERT_EQUAL(ns_hll_estimate(h), 0);
		ns_hll_add(h, 0);
		for (uint32_t n = 1; n < keep; n++) {
			ns_hll_add(h, hll_key(n));
			ns_hll_add(h, hll_key(n / 2 + 1));
			ns_hll_add(h, 0);
			if (ns_hll_estimate(h) != n + 1)
				CU_FAIL_FATAL("a kept hash is counted once");
		}
		CU_ASSERT_EQUAL(ns_hll_error(h), 0);
		CU_ASSERT_EQUAL(ns_hll_interval(h, 0.99, &low, &high), keep);
		CU_ASSERT(low == keep && high == keep);
		CU_ASSERT_FALSE(h->dense);
		ns_hll_add(h, hll_key(keep));
		CU_ASSERT_TRUE(h->dense);
		CU_ASSERT(ns_hll_error(h) > 0);
		ns_hll_reset(h);
		CU_ASSERT_EQUAL(ns_hll_estimate(h), 0);
		hll_add_range(h, 0, 10);
		CU_ASSERT_EQUAL(ns_hll_estimate(h), 10);
		ns_hll_destroy(h);
	}
}

/* Registers against a set of the ranks that fell to each. */
static void registers_remember(void)
{
	struct ns_hll *h = hll_make(4);
	uint64_t ranks[16] = {0}, state = 4;
	unsigned seen = 0;

	ns_hll_densify(h);
	for (unsigned i = 0; i < 4000; i++) {
		/* Ranks up to the largest, evenly. */
		uint64_t x = ns_test_mix(&state), idx = x >> 60, rank = 1 + x % 61;
		uint64_t hash = idx << 60 | (rank == 61 ? 0 : UINT64_C(1) << (60 - rank));

		if (i < 2000 && rank > 20)
			continue;
		ns_hll_add(h, hash | (rank < 60 ? x & 3 & ((UINT64_C(1) << (60 - rank)) - 1) : 0));
		ranks[idx] |= UINT64_C(1) << rank;
		seen++;
		for (unsigned r = 0; r < 16; r++) {
			unsigned u = ranks[r] == 0 ? 0 : 63 - (unsigned)__builtin_clzll(ranks[r]);
			unsigned want = u == 0 ? 0 : (u + 1) << 2;

			if (u > 1)
				want |= (ranks[r] >> (u - 1) & 1) << 1;
			if (u > 2)
				want |= ranks[r] >> (u - 2) & 1;
			if (h->area[r] != want)
				CU_FAIL_FATAL("a register is wrong");
		}
	}
	CU_ASSERT(seen > 2000);
	ns_hll_destroy(h);
}

/* Everything is in one register, or in all at their top: no end of the scale breaks it. */
static void ends_of_the_scale(void)
{
	struct ns_hll *h = hll_make(14);
	double low, high;

	for (uint64_t i = 0; i < 100000; i++)
		ns_hll_add(h, i);
	CU_ASSERT(isfinite(ns_hll_estimate(h)));
	CU_ASSERT(ns_hll_interval(h, 0.95, &low, &high) >= ns_hll_keep(14) + 1);
	CU_ASSERT(low >= ns_hll_keep(14) + 1 && low <= high);
	ns_hll_reset(h);
	for (uint64_t i = 0; i < 1 << 14; i++) {
		ns_hll_add(h, i << 50);
		ns_hll_add(h, i << 50 | 1);
		ns_hll_add(h, i << 50 | 2);
	}
	CU_ASSERT_EQUAL(ns_hll_estimate(h), 0x1p64);
	CU_ASSERT_EQUAL(ns_hll_interval(h, 1, &low, &high), 0x1p64);
	CU_ASSERT(low == ns_hll_keep(14) + 1.0 && isinf(high));
	ns_hll_destroy(h);
}

/* Any split over any number of parts, merged in any grouping, is one pass to the bit. */
static void merging(void)
{
	uint64_t state = 77;

	for (unsigned round = 0; round < 300; round++) {
		uint8_t p = (uint8_t)(4 + ns_test_mix(&state) % 12);
		unsigned parts = 1 + ns_test_mix(&state) % 6;
		unsigned n = ns_test_mix(&state) % (3 * ns_hll_keep(p));
		struct ns_hll *one = hll_make(p), *part[6];

		for (unsigned i = 0; i < parts; i++)
			part[i] = hll_make(p);
		for (unsigned i = 0; i < n; i++) {
			uint64_t hash = i % 97 == 0 ? 0 : hll_key(ns_test_mix(&state) % n);

			ns_hll_add(one, hash);
			/* Some parts get most of it: dense and sparse ones meet. */
			uint64_t a = ns_test_mix(&state) % parts;

			ns_hll_add(part[a * a / parts], hash);
			if (i % 5 == 0)
				ns_hll_add(part[a], hash);
		}
		for (unsigned left = parts; left > 1; left--) {
			unsigned a = ns_test_mix(&state) % left, b;

			do
				b = ns_test_mix(&state) % left;
			while (b == a);
			CU_ASSERT_EQUAL(ns_hll_merge(part[a], part[b]), 0);
			ns_hll_destroy(part[b]);
			part[b] = part[left - 1];
		}
		CU_ASSERT_TRUE(hll_same(one, part[0]));
		CU_ASSERT_EQUAL(ns_hll_merge(one, one), 0);
		CU_ASSERT_TRUE(hll_same(one, part[0]));
		ns_hll_destroy(one);
		ns_hll_destroy(part[0]);
	}

	struct ns_hll *a = hll_make(10), *b = hll_make(11);
	struct ns_hll *c = ns_hll_create(&(struct ns_hll_conf){.p = 10, .seed = 1});

	CU_ASSERT_EQUAL(ns_hll_merge(a, b), -EINVAL);
	CU_ASSERT_EQUAL(ns_hll_merge(a, c), -EINVAL);
	ns_hll_destroy(a);
	ns_hll_destroy(b);
	ns_hll_destroy(c);
}

/* All pairs of registers, sixteen at a time, against opening and closing them one by one. */
static void merging_registers(void)
{
	struct ns_hll *a = hll_make(16), *b = hll_make(16);
	unsigned n = 0;

	a->dense = b->dense = true;
	for (unsigned x = 0; x < 256; x++) {
		for (unsigned y = 0; y < 256; y++, n++) {
			bool ok = (x == 0 || x == 8 || x == 12 || x == 14 || x >= 16) &&
				  (y == 0 || y == 8 || y == 12 || y == 14 || y >= 16);

			a->area[n] = ok ? (uint8_t)x : 0;
			b->area[n] = ok ? (uint8_t)y : 0;
		}
	}
	struct ns_hll *m = hll_make(16);

	CU_ASSERT_EQUAL(ns_hll_merge(m, a), 0);
	CU_ASSERT_EQUAL(ns_hll_merge(m, b), 0);
	for (unsigned i = 0; i < n; i++) {
		uint64_t set = ns_hll_open(a->area[i]) | ns_hll_open(b->area[i]);

		if (m->area[i] != (set != 0 ? ns_hll_close(set) : 0))
			CU_FAIL_FATAL("two registers merge as their sets do");
	}
	ns_hll_destroy(a);
	ns_hll_destroy(b);
	ns_hll_destroy(m);
}

static void golden(void)
{
	struct ns_hll *h = ns_hll_create(&(struct ns_hll_conf){.p = 4, .seed = 0x0123456789abcdef});
	uint8_t out[256];
	struct ns_err e;

	hll_add_range(h, 0, 5);
	ns_hll_add(h, 0);
	CU_ASSERT_EQUAL(ns_hll_write(h, out), sizeof(golden_hll_sparse));
	CU_ASSERT_EQUAL(memcmp(out, golden_hll_sparse, sizeof(golden_hll_sparse)), 0);
	hll_add_range(h, 0, 1000);
	CU_ASSERT_EQUAL(ns_hll_write(h, out), sizeof(golden_hll_dense));
	CU_ASSERT_EQUAL(memcmp(out, golden_hll_dense, sizeof(golden_hll_dense)), 0);

	struct ns_hll *old = ns_hll_parse(golden_hll_dense, sizeof(golden_hll_dense), &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(old);
	CU_ASSERT_TRUE(hll_same(h, old));
	CU_ASSERT_EQUAL(ns_hll_estimate(h), ns_hll_estimate(old));
	ns_hll_destroy(old);
	old = ns_hll_parse(golden_hll_sparse, sizeof(golden_hll_sparse), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(old);
	CU_ASSERT_EQUAL(ns_hll_estimate(old), 6);
	CU_ASSERT_EQUAL(ns_hll_merge(h, old), 0);
	ns_hll_destroy(old);
	ns_hll_destroy(h);
}

static void round_trip(void)
{
	uint64_t state = 5;

	for (uint8_t p = NS_HLL_P_MIN; p <= NS_HLL_P_MAX; p++) {
		for (unsigned round = 0; round < 6; round++) {
			struct ns_hll *h = hll_make(p), *back;
			unsigned n = ns_test_mix(&state) % (2 * ns_hll_keep(p));
			struct ns_err e;

			hll_add_range(h, 0, round == 0 ? 0 : n);
			size_t len = ns_hll_write_size(h);
			uint8_t *out = malloc(len);

			CU_ASSERT_EQUAL(ns_hll_write(h, out), len);
			back = ns_hll_parse(out, len, &e);
			CU_ASSERT_PTR_NOT_NULL_FATAL(back);
			CU_ASSERT_TRUE(hll_same(h, back));
			hll_add_range(h, 7, 7777);
			hll_add_range(back, 7, 7777);
			CU_ASSERT_TRUE(hll_same(h, back));
			free(out);
			ns_hll_destroy(h);
			ns_hll_destroy(back);
		}
	}
}

static void refused(const uint8_t *form, size_t len, unsigned at, uint8_t octet, const char *says)
{
	uint8_t bad[256];
	struct ns_err e = {0};

	memcpy(bad, form, len);
	bad[at] = octet;
	errno = 0;
	CU_ASSERT_PTR_NULL(ns_hll_parse(bad, len, &e));
	CU_ASSERT_EQUAL(errno, EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, says));
	if (strstr(e.text, says) == NULL)
		printf("\"%s\" lacks \"%s\"\n", e.text, says);
}

static void bad_forms(void)
{
	static const uint8_t *d = golden_hll_dense, *s = golden_hll_sparse;
	const size_t nd = sizeof(golden_hll_dense), ns = sizeof(golden_hll_sparse);
	struct ns_err e;

	refused(d, nd, 0, 'X', "octet 0");
	refused(d, nd, 4, NS_SKETCH_CMS, "octet 4");
	refused(d, nd, 5, 2, "octet 5");
	refused(d, nd, 6, 1, "octet 6");
	refused(d, nd, 16, 3, "octet 16");
	refused(d, nd, 24, 3, "octet 24");
	refused(d, nd, 24, 19, "octet 24");
	refused(d, nd, 24, 5, "octet 16");
	refused(d, nd, 25, 2, "octet 25");
	refused(d, nd, 27, 1, "octet 25");
	refused(d, nd, 28, 1, "octet 28");
	refused(d, nd, 32, 3, "octet 32: a register with a rank of 0");
	refused(d, nd, 33, 4, "octet 33: a register with a rank of 0");
	refused(d, nd, 47, 9, "octet 47: a register with a rank below 1");
	refused(d, nd, 47, 13, "octet 47: a register with a rank below 1");
	refused(d, nd, 47, 63 << 2, "octet 47: a register with a rank above");
	refused(s, ns, 28, 13, "octet 28");
	refused(s, ns, 28, 5, "octet 16");
	refused(s, ns, ns - 1, 0, "do not ascend");
	for (size_t len = 0; len < nd; len++)
		CU_ASSERT_PTR_NULL(ns_hll_parse(d, len, &e));

	uint8_t none[48];

	memcpy(none, d, 32);
	memset(none + 32, 0, 16);
	refused(none, 48, 0, 'N', "nothing in them");
}

static void configurations(void)
{
	CU_ASSERT_EQUAL(ns_hll_size(&(struct ns_hll_conf){.p = 3}), 0);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(ns_hll_create(&(struct ns_hll_conf){.p = 19}));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(ns_hll_size(&(struct ns_hll_conf){.p = 14}), 64 + 16384);
	CU_ASSERT_EQUAL(ns_hll_p(0.0081), 14);
	CU_ASSERT_EQUAL(ns_hll_p(0.005), 15);
	CU_ASSERT_EQUAL(ns_hll_p(1), NS_HLL_P_MIN);
	CU_ASSERT_EQUAL(ns_hll_p(0), NS_HLL_P_MAX);
	CU_ASSERT_EQUAL(ns_hll_p(NAN), NS_HLL_P_MAX);
	ns_hll_destroy(NULL);
}

NS_TEST_MAIN({"configurations", configurations}, {"exact while few", exact_while_few},
	{"registers remember three ranks", registers_remember},
	{"ends of the scale", ends_of_the_scale}, {"merging", merging},
	{"merging registers", merging_registers}, {"golden octets", golden},
	{"round trip", round_trip}, {"bad forms", bad_forms})
