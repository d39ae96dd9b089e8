/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Streams of keys for accuracy tests: the same seed gives the same stream everywhere.
 *
 * ns_test_mix() is SplitMix64 (Steele, Lea, Flood 2014). ns_zipf_next() draws ranks 1..n with
 * P(k) ~ k^-s for any s > 0 by rejection-inversion (Hörmann, Derflinger 1996): the area under x^-s
 * over [k - 1/2, k + 1/2] is at least k^-s, so a point drawn evenly under the curve is taken when
 * it lies within the share that k deserves. About 1.1 tries a draw and no table, whatever n is.
 */

#include <math.h>
#include <stdint.h>

static inline uint64_t ns_test_mix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/** Evenly from [0, 1). */
static inline double ns_test_unit(uint64_t *state)
{
	return (double)(ns_test_mix(state) >> 11) * 0x1p-53;
}

struct ns_zipf {
	double s;
	double first, last; /**< areas up to 1.5, less the 1 that k = 1 deserves, and to n + 0.5 */
	double sure; /**< a point no more than this below k is taken unseen */
	uint64_t n, state;
};

/* Integral of x^-s from 1 to x; (x^(1-s) - 1) / (1 - s) loses all digits near s = 1. */
static inline double ns_zipf_area(double s, double x)
{
	double l = log(x), t = (1 - s) * l;

	return fabs(t) > 1e-8 ? expm1(t) / t * l : (1 + t / 2) * l;
}

static inline double ns_zipf_area_inverse(double s, double a)
{
	double t = (1 - s) * a;

	if (t < -1)
		t = -1;
	return exp(fabs(t) > 1e-8 ? log1p(t) / t * a : (1 - t / 2) * a);
}

static inline void ns_zipf_init(struct ns_zipf *z, double s, uint64_t n, uint64_t seed)
{
	z->s = s;
	z->n = n;
	z->state = seed;
	z->first = ns_zipf_area(s, 1.5) - 1;
	z->last = ns_zipf_area(s, (double)n + 0.5);
	z->sure = 2 - ns_zipf_area_inverse(s, ns_zipf_area(s, 2.5) - pow(2, -s));
}

/** A rank from 1, the heaviest, to n. */
static inline uint64_t ns_zipf_next(struct ns_zipf *z)
{
	for (;;) {
		double a = z->last + ns_test_unit(&z->state) * (z->first - z->last);
		double x = ns_zipf_area_inverse(z->s, a);
		uint64_t k = x < 1 ? 1 : (uint64_t)(x + 0.5);

		if (k > z->n)
			k = z->n;
		if ((double)k - x <= z->sure ||
			a >= ns_zipf_area(z->s, (double)k + 0.5) - pow((double)k, -z->s))
			return k;
	}
}
