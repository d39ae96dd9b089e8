/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Entropy of a distribution: its parts in one flat block.
 *
 *   | head, one line | ns_topk, keys of 8 octets | ns_sample, one value |
 *
 * Both see all that is added. The top-k sketch names a key by its hash times an odd number, so
 * that which bucket a key falls into has nothing to do with being in the sample.
 */

#include "ns_entropy.h"
#include "sample_priv.h"
#include "topk_priv.h"

#define ENTROPY_KEY_LEN 8

struct ns_entropy {
	uint64_t mapped;
	uint64_t sample; /**< offset */
	uint8_t spare[NS_CACHE_LINE - 16];
};

_Static_assert(sizeof(struct ns_entropy) == NS_CACHE_LINE, "the top-k sketch begins a line");

static inline struct ns_topk *entropy_topk(const struct ns_entropy *s)
{
	return (struct ns_topk *)((uintptr_t)s + sizeof(*s));
}

static inline struct ns_sample *entropy_sample(const struct ns_entropy *s)
{
	return (struct ns_sample *)((uintptr_t)s + s->sample);
}

/** By which name the top-k sketch knows a key. */
static inline uint64_t entropy_name(uint64_t hash)
{
	return (hash + (hash == 0)) * NS_HASH_P1;
}

/** An empty one of these parts. */
struct ns_entropy *entropy_create(uint32_t buckets, const struct ns_sample_conf *sc);
