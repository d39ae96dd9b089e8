/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A block is a head of one cache line and counters of 8 octets:
 *
 *   NS_CMS_ROWS      0                  width           2 width
 *                    | row 0            | row 1         | ...        width counters each
 *                           ^ multiply-shift of hash × odd number of the row
 *
 *   NS_CMS_BLOCKED   0                  8               16
 *                    | line 0           | line 1        | ...        width lines of 8 counters
 *                      . x . . x x . .  one of the (8 over d) sets of d counters
 *
 * In a line the upper half of the hash names the line and the lower half the set.
 */

#include "ns_cms.h"

#define NS_CMS_ROWS_MAX 8u
#define NS_CMS_LINE 8u /* counters */

struct ns_cms {
	uint64_t seed;
	uint64_t total;
	uint64_t width; /* counters of a row, or lines */
	uint8_t rows;
	uint8_t layout;
	bool plain;
	uint64_t count[] __attribute__((aligned(NS_CACHE_LINE)));
};

extern const uint64_t ns_cms_row[NS_CMS_ROWS_MAX]; /**< odd numbers */
extern const uint8_t ns_cms_sets[NS_CMS_ROWS_MAX + 1]; /**< 8 over d */
extern const uint8_t ns_cms_set[NS_CMS_ROWS_MAX + 1][70]; /**< bit c: counter c is in it */

static inline size_t ns_cms_counters(const struct ns_cms *s)
{
	return s->width * (s->layout == NS_CMS_ROWS ? s->rows : NS_CMS_LINE);
}

/** hash × width / 2^64. */
static inline uint64_t ns_cms_range(uint64_t hash, uint64_t width)
{
	return (uint64_t)((unsigned __int128)hash * width >> 64);
}

static inline size_t ns_cms_at_row(const struct ns_cms *s, uint64_t hash, unsigned row)
{
	return row * s->width + ns_cms_range(hash * ns_cms_row[row], s->width);
}

static inline size_t ns_cms_at_line(const struct ns_cms *s, uint64_t hash)
{
	return ns_cms_range(hash, s->width) * NS_CMS_LINE;
}

static inline unsigned ns_cms_at_set(unsigned rows, uint64_t hash)
{
	return ns_cms_set[rows][(hash & UINT32_MAX) * ns_cms_sets[rows] >> 32];
}

/** a + b, or the largest number there is. */
static inline uint64_t ns_cms_sum(uint64_t a, uint64_t b)
{
	uint64_t c;

	return __builtin_add_overflow(a, b, &c) ? UINT64_MAX : c;
}
