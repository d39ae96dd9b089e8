/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * How many different things? HyperLogLog with two more bits a register.
 *
 * Exact while things are few (their hashes are kept), then 2^p registers of one octet: six bits of
 * HyperLogLog's rank and two that say whether the two ranks below have been seen as well
 * (UltraLogLog, Ertl 2023, arXiv 2308.16862), read by maximum likelihood. The standard error is
 * 0.76 / sqrt(2^p) where HyperLogLog's best is 1.04 / sqrt(2^p); HyperLogLog's registers are
 * contained in ours. Order of adding, repeats and merging in any grouping change nothing.
 */

#include <ns_sketch.h>

#define NS_HLL_P_MIN 4
#define NS_HLL_P_MAX 18

struct ns_hll;

struct ns_hll_conf {
	uint8_t p; /**< 2^p registers of one octet; NS_HLL_P_MIN..NS_HLL_P_MAX */
	uint64_t seed;
};

/** The smallest p whose relative standard error is at most @p error (0.01 for 1 %), or the largest.
 */
uint8_t ns_hll_p(double error);

/** Octets of a block; 0 with EINVAL for a wrong configuration. */
size_t ns_hll_size(const struct ns_hll_conf *c);
struct ns_hll *ns_hll_init(void *mem, const struct ns_hll_conf *c);
/** As ns_hll_init() in memory that is all zeros: touches the head only. */
struct ns_hll *ns_hll_init_zeroed(void *mem, const struct ns_hll_conf *c);
struct ns_hll *ns_hll_create(const struct ns_hll_conf *c);
void ns_hll_destroy(struct ns_hll *h);
void ns_hll_reset(struct ns_hll *h);

void ns_hll_add(struct ns_hll *h, uint64_t hash);
void ns_hll_add_bulk(struct ns_hll *h, const uint64_t *hash, unsigned n);

/** Union; -EINVAL when p or seed differ. */
int ns_hll_merge(struct ns_hll *into, const struct ns_hll *from);

double ns_hll_estimate(const struct ns_hll *h);

/** Relative standard error of the estimate: 0 while all hashes are kept. */
double ns_hll_error(const struct ns_hll *h);

/** Interval that holds the number with @p confidence (0.95); returns the estimate. */
double ns_hll_interval(const struct ns_hll *h, double confidence, double *low, double *high);

/** Octets that ns_hll_write() puts now. */
size_t ns_hll_write_size(const struct ns_hll *h);
/** Serialises into @p out, which has ns_hll_write_size() octets; returns how many. */
size_t ns_hll_write(const struct ns_hll *h, uint8_t *out);
/** A sketch of its own from its serialised form; NULL with errno EBADMSG, ENOMEM and a message. */
struct ns_hll *ns_hll_parse(const uint8_t *in, size_t len, struct ns_err *e);
