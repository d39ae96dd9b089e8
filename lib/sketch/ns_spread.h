/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Which things meet the most different others? Super-spreaders by distinct sampling
 * (Venkataraman, Song, Gibbons, Blum, NDSS 2005): different (key, peer) pairs are kept in an
 * ns_sample with their key, and a key with c of them has met about c / rate peers.
 *
 * Exact while all pairs fit. Order, repeats and merging in any grouping change nothing.
 */

#include <ns_sample.h>

struct ns_spread;

struct ns_spread_conf {
	size_t memory; /**< octets of the whole block, at least */
	uint16_t key_len; /**< octets of a key, a multiple of 8, 8..128 */
	uint64_t seed;
};

struct ns_spread_entry {
	const uint8_t *key; /**< inside the sketch */
	uint64_t hash; /**< of the key: ns_hash_words(key, key_len / 8, seed) */
	uint64_t sampled; /**< pairs kept */
	double peers; /**< estimate */
	double low, high; /**< interval with the confidence asked for */
};

size_t ns_spread_size(const struct ns_spread_conf *c);
struct ns_spread *ns_spread_init(void *mem, const struct ns_spread_conf *c);
/** As ns_spread_init() in memory that is all zeros: touches the head only. */
struct ns_spread *ns_spread_init_zeroed(void *mem, const struct ns_spread_conf *c);
struct ns_spread *ns_spread_create(const struct ns_spread_conf *c);
void ns_spread_destroy(struct ns_spread *s);
void ns_spread_reset(struct ns_spread *s);

/** @p pair: ns_hash_pair(hash of key, hash of peer). */
void ns_spread_add_bulk(struct ns_spread *s, const uint64_t *pair, const uint8_t *keys,
	unsigned stride, unsigned n);

int ns_spread_merge(struct ns_spread *into, const struct ns_spread *from);

/** Estimate of all different pairs. */
double ns_spread_pairs(const struct ns_spread *s);
/** Share of all pairs that is kept: 1 is exact. */
double ns_spread_rate(const struct ns_spread *s);

/**
 * Keys with the most peers, at most @p max, by estimate downwards (equal ones by their octets).
 * Entries point into the sketch. Returns how many; -ENOMEM.
 */
int ns_spread_list(
	const struct ns_spread *s, struct ns_spread_entry *out, unsigned max, double confidence);

size_t ns_spread_write_size(const struct ns_spread *s);
size_t ns_spread_write(const struct ns_spread *s, uint8_t *out);
struct ns_spread *ns_spread_parse(const uint8_t *in, size_t len, struct ns_err *e);
