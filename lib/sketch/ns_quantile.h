/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Quantiles with a relative error: DDSketch (Masson, Rim, Lee, VLDB 2019) over unsigned 64-bit
 * values with the linearly interpolated logarithm: a bucket is an exponent and the first bits of
 * the mantissa, so finding it takes a shift. Any value that a quantile gives is within ±error of a
 * value that has just that rank. Order of adding and merging in any grouping change nothing.
 */

#include <ns_sketch.h>

struct ns_quantile;

struct ns_quantile_conf {
	double error; /**< relative, 0.001..0.1; rounded down to the next 1 / 2^k */
	uint64_t seed; /**< not used for anything but the head */
};

size_t ns_quantile_size(const struct ns_quantile_conf *c);
struct ns_quantile *ns_quantile_init(void *mem, const struct ns_quantile_conf *c);
/** As ns_quantile_init() in memory that is all zeros: touches the head only. */
struct ns_quantile *ns_quantile_init_zeroed(void *mem, const struct ns_quantile_conf *c);
struct ns_quantile *ns_quantile_create(const struct ns_quantile_conf *c);
void ns_quantile_destroy(struct ns_quantile *q);
void ns_quantile_reset(struct ns_quantile *q);

void ns_quantile_add(struct ns_quantile *q, uint64_t value);
void ns_quantile_add_bulk(struct ns_quantile *q, const uint64_t *value, unsigned n);

/** As ns_quantile_add() of one value @p times; others may look with ns_quantile_merge_shared(). */
void ns_quantile_add_shared(struct ns_quantile *q, uint64_t value, uint64_t times);
/** Adds what is seen of @p from, which is being added to. -EINVAL: not alike. Any thread. */
int ns_quantile_merge_shared(struct ns_quantile *into, const struct ns_quantile *from);
/**
 * Makes of @p before what came between it and @p now, which holds all of it; least and greatest
 * value as well as the buckets know them. -EINVAL: not alike.
 */
int ns_quantile_since(struct ns_quantile *before, const struct ns_quantile *now);

int ns_quantile_merge(struct ns_quantile *into, const struct ns_quantile *from);

/** The relative error that holds, as rounded. */
double ns_quantile_error(const struct ns_quantile *q);
uint64_t ns_quantile_count(const struct ns_quantile *q);
/** Exact; 0 when empty. The sum may wrap only beyond 2^128. */
uint64_t ns_quantile_min(const struct ns_quantile *q);
uint64_t ns_quantile_max(const struct ns_quantile *q);
double ns_quantile_mean(const struct ns_quantile *q);

/** The value of rank ceil(@p p × count) (nearest rank), 0 <= p <= 1; 0 when empty. */
double ns_quantile_value(const struct ns_quantile *q, double p);
/** As ns_quantile_value() for @p n increasing @p p in one walk. */
void ns_quantile_values(const struct ns_quantile *q, const double *p, double *out, unsigned n);

size_t ns_quantile_write_size(const struct ns_quantile *q);
size_t ns_quantile_write(const struct ns_quantile *q, uint8_t *out);
struct ns_quantile *ns_quantile_parse(const uint8_t *in, size_t len, struct ns_err *e);
