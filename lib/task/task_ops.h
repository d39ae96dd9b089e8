/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the loops over packets and over records share. */

#include "task_priv.h"

#include <string.h>
#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

/* The second word of an IPv4 address: ff ff before the four octets, in memory order. */
#define TASK_V4_MARK UINT64_C(0x00000000ffff0000)
/* "No address": a place in a reserved block, beside the one of IPv4. */
#define TASK_NO_ADDR UINT64_C(0x00000000feff0000)

/* Index of what is kept for IPv4 and IPv6: no branch, and no comparison either. */
static inline unsigned task_family(uint8_t ver)
{
	return (ver >> 1) & 1;
}

/*
 * Puts 16 octets for an address that stands as in struct ns_tuple and struct ns_ip. Masks of NULL:
 * all of it. In one shuffle, which takes half of the time that words take.
 */
#ifdef __SSSE3__
static inline __attribute__((always_inline)) void task_put_addr(
	uint8_t *key, const uint8_t *addr, uint8_t ver, const struct task_mask *m)
{
	static const uint8_t place[2][16] __attribute__((aligned(16))) = {
		{128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 1, 2, 3},
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	};
	static const uint8_t mark[2][16]
		__attribute__((aligned(16))) = {{[10] = 0xff, [11] = 0xff}, {0}};
	unsigned i = task_family(ver);
	__m128i v = _mm_loadu_si128((const __m128i *)addr);

	v = _mm_shuffle_epi8(v, *(const __m128i *)place[i]);
	v = _mm_or_si128(v, *(const __m128i *)mark[i]);
	if (m != NULL)
		v = _mm_and_si128(v, _mm_loadu_si128((const __m128i *)m->bits[i]));
	_mm_storeu_si128((__m128i *)key, v);
}
#else
static inline __attribute__((always_inline)) void task_put_addr(
	uint8_t *key, const uint8_t *addr, uint8_t ver, const struct task_mask *m)
{
	unsigned i = task_family(ver);
	uint64_t w[2], bits[2];

	memcpy(w, addr, sizeof(w));
	if (i == 0) {
		w[1] = w[0] << 32 | TASK_V4_MARK;
		w[0] = 0;
	}
	if (m != NULL) {
		memcpy(bits, m->bits[i], sizeof(bits));
		w[0] &= bits[0];
		w[1] &= bits[1];
	}
	memcpy(key, w, sizeof(w));
}
#endif

/* Replaces pairs of operations of a key of packets by one that does both. */
void task_packet_join(struct task_key *k);
