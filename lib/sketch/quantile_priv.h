/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * DDSketch with the linearly interpolated logarithm: what its files share.
 *
 * The paper's bucket of x is ceil(log_gamma x), so that all of a bucket lies within ±error of one
 * value. A logarithm that is exact at powers of two and linear between them keeps this at 1/ln 2 =
 * 1.44 times the buckets, and it is what an integer's own bits say: the exponent e is the place of
 * its highest bit, and the k bits behind it are the way to the next power.
 *
 *   value   0..01bbbbbb xxxxxxxxxx       k = 6: bbbbbb names one of 64 parts of [2^e, 2^(e+1))
 *
 *   buckets | 0 1 2 .. 2^k-1 | 2^k .. 2^(k+1)-1 |  2^k of e = k+1 |  2^k of e = k+2 | ... e = 63 |
 *             one value each    one value each     two values each   four values each
 *
 * All buckets of the 64-bit range are there, (65 - k) * 2^k counters: 30 KiB for an error of 0.78 %
 * (k = 6). Values of one kind touch few lines of them.
 */

#include "ns_quantile.h"

#define K_MIN 3
#define K_MAX 9

struct ns_quantile {
	uint64_t seed;
	uint64_t count;
	uint64_t min; /* UINT64_MAX while empty */
	uint64_t max;
	uint64_t sum_low, sum_high;
	uint32_t k;
	uint32_t buckets;
	uint64_t zero;
	uint64_t counter[];
};

_Static_assert(sizeof(struct ns_quantile) == NS_CACHE_LINE, "counters begin at a line");

static inline uint32_t buckets_of(unsigned k)
{
	return (uint32_t)(65 - k) << k;
}

static inline uint32_t bucket_of(uint64_t value, unsigned k)
{
	unsigned shift = 63 - (unsigned)__builtin_clzll(value | UINT64_C(1) << k) - k;

	return (uint32_t)(((uint64_t)shift << k) + (value >> shift));
}

/* The least value of a bucket; its values are this and the (1 << *shift) - 1 behind it. */
static inline uint64_t bucket_low(uint32_t i, unsigned k, unsigned *shift)
{
	*shift = i >> k > 1 ? (i >> k) - 1 : 0;
	return (uint64_t)(i - (*shift << k)) << *shift;
}

static inline unsigned __int128 sum_get(const struct ns_quantile *q)
{
	return (unsigned __int128)q->sum_high << 64 | q->sum_low;
}

static inline void sum_set(struct ns_quantile *q, unsigned __int128 sum)
{
	q->sum_low = (uint64_t)sum;
	q->sum_high = (uint64_t)(sum >> 64);
}

struct ns_quantile *quantile_init(void *mem, unsigned k, uint64_t seed);
size_t quantile_size(unsigned k);
