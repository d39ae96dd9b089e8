/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The own index: buckets of ten places, one cache line each, found by the hash. A place holds 16
 * bits of the hash and the position of a flow; only where the tags are equal the flow's key is
 * looked at. A full bucket goes on in another one of the same form.
 *
 *   0                    20                                    60       64
 *   | tag 0 ... tag 9    | position 0 ... position 9           | next   |
 *
 * The idea of tags beside one another, compared in one instruction, is that of MemC3 (Fan et al.,
 * NSDI 2013) and Swiss tables; buckets that go on elsewhere are rte_hash's. No flow ever moves
 * within a table, so a reader needs no version: the writer stores the position before the tag, and
 * clears the tag before the position is freed (see flow_position_free()). A reader that meets a tag
 * and a position of different flows finds another key there and goes on.
 *
 * Writer: the analysis lcore. Readers: it, and threads registered with the table's RCU variable.
 */

#include "flow_priv.h"

#include <rte_prefetch.h>

#include <emmintrin.h>

#define TAG_PLACES 10u
#define TAG_MASK ((1u << TAG_PLACES) - 1)
#define TAG_CHAIN \
	8u /* buckets that a full one goes on in at most: what a lookup costs is bounded */

struct tag_bucket {
	uint16_t tag[TAG_PLACES]; /* 0: free */
	uint32_t pos[TAG_PLACES];
	uint32_t next; /* number of the bucket it goes on in, or 0 */
} __attribute__((aligned(NS_CACHE_LINE)));
_Static_assert(sizeof(struct tag_bucket) == NS_CACHE_LINE, "a line a bucket");

static inline uint16_t tag_of(uint32_t sig)
{
	uint16_t tag = (uint16_t)sig;

	return tag != 0 ? tag : 1;
}

static inline struct tag_bucket *tag_home(const struct tag_index *x, uint32_t sig)
{
	return &x->buckets[(uint32_t)(((uint64_t)sig * x->n) >> 32)];
}

/* A bit for each place that has this tag. */
static inline unsigned tag_match(const struct tag_bucket *b, uint16_t tag)
{
	__m128i want = _mm_set1_epi16((short)tag);
	__m128i low = _mm_load_si128((const __m128i *)(const void *)b);
	__m128i high = _mm_load_si128((const __m128i *)(const void *)b + 1);
	__m128i both = _mm_packs_epi16(_mm_cmpeq_epi16(low, want), _mm_cmpeq_epi16(high, want));

	return (unsigned)_mm_movemask_epi8(both) & TAG_MASK;
}

int tag_create(struct tag_index *x, uint32_t flows, bool live);
void tag_destroy(struct tag_index *x);
bool tag_enter(struct tag_index *x, uint32_t sig, uint32_t pos);
void tag_forget(struct tag_index *x, uint32_t sig, uint32_t pos);
uint32_t tag_find(
	const struct ns_flow_table *t, uint32_t sig, const struct key *k, const struct ns_tuple *u);
