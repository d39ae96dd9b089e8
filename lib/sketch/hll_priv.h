/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A block is a head of one cache line and an area, which is first a set of hashes, then registers:
 *
 *   0      8       12     13    14     16        64
 *   | seed | count | p    |dense| zero | ...     | area
 *
 *   sparse   slots of 8 octets, a power of two, open addressing; 0 is a free slot, the hash 0
 *            itself is a flag in the head. Three quarters are used at most.
 *   dense    2^p registers of one octet
 *
 * A register keeps of all ranks 1..65-p that fell to it the largest, u, and whether the two below
 * it were there:
 *
 *   7           2   1     0
 *   |   u + 1   | u-1 | u-2 |     0: nothing yet
 *
 * Opened up (Ertl 2023) it is a set of bits, rank k at bit k + 1, in which all below the three are
 * forgotten. Opened, or-ed and closed again is adding, and merging too. An octet from 4 to 7 never
 * occurs, and where there is no rank u-1 or u-2 its bit is 0.
 *
 * A sparse set turns dense when one hash more than it may hold arrives, so which of the two forms a
 * sketch has depends on its set of hashes alone and never on how they came.
 */

#include "ns_hll.h"

#define NS_HLL_SLOTS_MIN 16u
#define NS_HLL_SLOTS_MAX 2048u
#define NS_HLL_KEEP_MAX (NS_HLL_SLOTS_MAX / 4 * 3)

struct ns_hll {
	uint64_t seed;
	uint32_t count; /* hashes in the set, the hash 0 among them; 0 when dense */
	uint8_t p;
	bool dense;
	bool zero; /* the hash 0 is in the set */
	uint8_t area[] __attribute__((aligned(NS_CACHE_LINE)));
};

static inline uint32_t ns_hll_slots(uint8_t p)
{
	uint32_t slots = (1u << p) / 8;

	if (slots < NS_HLL_SLOTS_MIN)
		return NS_HLL_SLOTS_MIN;
	return slots < NS_HLL_SLOTS_MAX ? slots : NS_HLL_SLOTS_MAX;
}

/** The most different hashes that are kept. */
static inline uint32_t ns_hll_keep(uint8_t p)
{
	return ns_hll_slots(p) / 4 * 3;
}

static inline size_t ns_hll_area(uint8_t p)
{
	size_t registers = (size_t)1 << p, set = (size_t)ns_hll_slots(p) * sizeof(uint64_t);

	return registers > set ? registers : set;
}

/** The largest rank: the bits that the index leaves are all zero. */
static inline unsigned ns_hll_rank_max(uint8_t p)
{
	return 65u - p;
}

static inline uint64_t ns_hll_open(uint8_t reg)
{
	/* reg 0 shifts its mark out at the top. */
	return (uint64_t)(4 | (reg & 3)) << (((reg >> 2) - 2) & 63);
}

/** @p set is not empty and has no bit below the second. */
static inline uint8_t ns_hll_close(uint64_t set)
{
	unsigned top = 63u - (unsigned)__builtin_clzll(set);

	return (uint8_t)(top << 2 | (uint8_t)(set << (64 - top) >> 62));
}

/** The hashes of a sparse sketch in no order, into @p out of NS_HLL_KEEP_MAX; how many. */
uint32_t ns_hll_hashes(const struct ns_hll *h, uint64_t *out);

/** Turns a sparse sketch dense, whatever its number of hashes. */
void ns_hll_densify(struct ns_hll *h);
