/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperLogLog: the error of the estimate, measured. Every stream is made from a seed. */
#include "hll_test_util.h"
#include "ns_test.h"

/* The bar: HyperLogLog's own error of 1.04 / sqrt(2^14) is 0.81 %. */
#define BAR 0.0081
#define OURS 0.0061 /* what is stated, and some more for the number of runs */

/* Real keys, several streams; a checkpoint of n is reached by all of them. */
static void real_keys(void)
{
	static const uint64_t at[] = {1, 10, 100, 1000, 1536, 1537, 2000, 5000, 10000, 20000, 50000,
		100000, 200000, 500000, 1000000, 10000000};
	enum { POINTS = sizeof(at) / sizeof(at[0]) };
	double sum[POINTS] = {0}, square[POINTS] = {0};
	unsigned runs[POINTS] = {0};
	struct ns_hll *h = hll_make(14);

	for (uint64_t run = 0; run < 100; run++) {
		uint64_t n = 0;

		ns_hll_reset(h);
		for (unsigned i = 0; i < POINTS; i++) {
			double e;

			if ((at[i] > 100000 && run >= 24) || (at[i] > 1000000 && run >= 1))
				break;
			hll_add_range(h, (run << 32) + n, (run << 32) + at[i]);
			n = at[i];
			e = ns_hll_estimate(h) / (double)n - 1;
			sum[i] += e;
			square[i] += e * e;
			runs[i]++;
		}
	}
	for (unsigned i = 0; i < POINTS; i++) {
		double rms = sqrt(square[i] / runs[i]), bias = sum[i] / runs[i];

		if (at[i] <= 1536)
			CU_ASSERT_EQUAL(rms, 0);
		if (runs[i] > 1) {
			CU_ASSERT(rms <= BAR);
			CU_ASSERT(fabs(bias) <= 4 * OURS / sqrt(runs[i]));
		} else {
			CU_ASSERT(fabs(bias) <= 4 * OURS);
		}
	}
	ns_hll_destroy(h);
}

/*
 * The registers that n things leave, drawn straight away: each rank k < 65 - p is there with
 * probability 1 - exp(-x 2^-k), x = n / 2^p, all of them independent.
 */
static void draw(struct ns_hll *h, double n, uint64_t *state)
{
	double x = ldexp(n, -h->p);
	int last = (int)ns_hll_rank_max(h->p);

	h->dense = true;
	for (size_t i = 0; i < (size_t)1 << h->p; i++) {
		/* P(no rank above u) = exp(-x 2^-u). */
		double e = -log1p(-ns_test_unit(state)) / x;
		int u = e >= 1 ? 0 : (int)floor(-log2(e)) + 1;
		unsigned r;

		u = u > last ? last : u;
		r = u > 0 ? (unsigned)(u + 1) << 2 : 0;
		for (int back = 1; back <= 2 && back < u; back++) {
			double w = ldexp(x, -(u - back));

			if (ns_test_unit(state) < -expm1(-w))
				r |= 4u >> back;
		}
		h->area[i] = (uint8_t)r;
	}
}

static void simulated(void)
{
	static const double at[] = {2e3, 1e4, 3e4, 1e5, 1e6, 1e7, 1e8, 3e8, 1e9, 1e12};
	struct ns_hll *h = hll_make(14);
	uint64_t state = 9;

	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		double sum = 0, square = 0, rms, low, high;
		unsigned runs = 100, inside = 0;

		for (unsigned run = 0; run < runs; run++) {
			double e;

			draw(h, at[i], &state);
			e = ns_hll_interval(h, 0.95, &low, &high) / at[i] - 1;
			sum += e;
			square += e * e;
			inside += low <= at[i] && at[i] <= high;
		}
		rms = sqrt(square / runs);
		/* A Poisson process of n has a spread of its own. */
		CU_ASSERT(rms <= BAR || at[i] < 1e5);
		CU_ASSERT(at[i] < 1e5 || rms >= OURS * 0.75);
		CU_ASSERT(fabs(sum / runs) <= 4 * sqrt((OURS * OURS + 1 / at[i]) / runs));
		CU_ASSERT(inside >= runs * 0.87 || at[i] < 1e5);
	}
	ns_hll_destroy(h);
}

/* Few registers: the bias correction is seen here, and the interval is far from symmetric. */
static void few_registers(void)
{
	struct ns_hll *h = hll_make(5);
	double sum = 0;
	unsigned runs = 4000, inside = 0;
	uint64_t state = 1;

	for (unsigned run = 0; run < runs; run++) {
		double low, high;

		draw(h, 1e6, &state);
		sum += ns_hll_interval(h, 0.95, &low, &high) / 1e6 - 1;
		inside += low <= 1e6 && 1e6 <= high;
	}
	/* 0.48 / 32 is 1.5 %, which the noise of 0.21 % can't hide. */
	CU_ASSERT(fabs(sum / runs) <= 0.008);
	CU_ASSERT(inside >= runs * 0.93 && inside <= runs * 0.97);
	ns_hll_destroy(h);
}

static void streams(void)
{
	static const double s[] = {0.8, 1.0, 1.2, 1.4};
	enum { KEYS = 1 << 17 };
	uint8_t *seen = malloc(KEYS + 1);
	struct ns_hll *h = hll_make(14);
	struct ns_zipf z;

	for (unsigned i = 0; i < 4; i++) {
		unsigned distinct = 0;

		ns_hll_reset(h);
		memset(seen, 0, KEYS + 1);
		ns_zipf_init(&z, s[i], KEYS, 3 + i);
		for (unsigned k = 0; k < 300000; k++) {
			uint64_t key = ns_zipf_next(&z);

			distinct += !seen[key];
			seen[key] = 1;
			ns_hll_add(h, hll_key(key));
		}
		CU_ASSERT(fabs(ns_hll_estimate(h) / distinct - 1) <= 3 * BAR);
	}
	free(seen);

	/* Keys of one bit each, alone and in pairs, in 64 octets. */
	uint8_t key[64] = {0};
	unsigned n = 0;

	ns_hll_reset(h);
	for (unsigned a = 0; a < 512; a++) {
		key[a / 8] ^= 1u << a % 8;
		for (unsigned b = a; b < 512; b++) {
			key[b / 8] |= 1u << b % 8;
			ns_hll_add(h, ns_hash64(key, sizeof(key), 0));
			n++;
			if (b != a)
				key[b / 8] ^= 1u << b % 8;
		}
		key[a / 8] ^= 1u << a % 8;
	}
	CU_ASSERT(fabs(ns_hll_estimate(h) / n - 1) <= 3 * BAR);
	/* The same keys again, backwards, change nothing. */
	struct ns_hll *again = hll_make(14);

	hll_add_range(h, 0, 5000);
	ns_hll_merge(again, h);
	hll_add_range(h, 0, 5000);
	CU_ASSERT_TRUE(hll_same(h, again));
	ns_hll_destroy(again);
	ns_hll_destroy(h);
}

NS_TEST_MAIN({"real keys", real_keys}, {"simulated to 1e12", simulated},
	{"few registers", few_registers}, {"streams", streams})
