/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Shannon entropy of a distribution over keys, in bits, in one pass.
 *
 *   H = - sum of (w / W) log2 (w / W) over all keys with weight w, W their sum
 *
 * The heavy keys come from an ns_topk with their weights; of all others an ns_sample keeps a fair
 * part with exact weights, whose share of the sum is scaled up (Horvitz, Thompson 1952). Exact
 * while all keys fit into the sample.
 */

#include <ns_sketch.h>

struct ns_entropy;

struct ns_entropy_conf {
	size_t memory; /**< octets of the whole block, at least */
	uint64_t seed;
};

size_t ns_entropy_size(const struct ns_entropy_conf *c);
struct ns_entropy *ns_entropy_init(void *mem, const struct ns_entropy_conf *c);
/** As ns_entropy_init() in memory that is all zeros: touches the head only. */
struct ns_entropy *ns_entropy_init_zeroed(void *mem, const struct ns_entropy_conf *c);
struct ns_entropy *ns_entropy_create(const struct ns_entropy_conf *c);
void ns_entropy_destroy(struct ns_entropy *s);
void ns_entropy_reset(struct ns_entropy *s);

/** @p weight NULL: 1 each. */
void ns_entropy_add_bulk(
	struct ns_entropy *s, const uint64_t *hash, const uint64_t *weight, unsigned n);

int ns_entropy_merge(struct ns_entropy *into, const struct ns_entropy *from);

uint64_t ns_entropy_total(const struct ns_entropy *s);
/** Estimate of the number of different keys. */
double ns_entropy_keys(const struct ns_entropy *s);

/** Whether no key was forgotten: bits and keys are then exact. */
bool ns_entropy_exact(const struct ns_entropy *s);

/** Bits, and the interval that holds them with @p confidence. */
double ns_entropy_bits(const struct ns_entropy *s, double confidence, double *low, double *high);

size_t ns_entropy_write_size(const struct ns_entropy *s);
size_t ns_entropy_write(const struct ns_entropy *s, uint8_t *out);
struct ns_entropy *ns_entropy_parse(const uint8_t *in, size_t len, struct ns_err *e);
