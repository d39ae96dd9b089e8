/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles by DDSketch: life, adding, merging, questions. The layout is in quantile_priv.h. */
#include "quantile_priv.h"

#include <math.h>
#include <stdlib.h>

/* The error of k is 1 / 2^(k+1): half of a bucket, of the least value in it. */
static unsigned k_for(double error)
{
	unsigned k = K_MIN;

	if (!(error >= 0.001 && error <= 0.1))
		return 0;
	while (k < K_MAX && ldexp(1, -(int)k - 1) > error)
		k++;
	return k;
}

size_t quantile_size(unsigned k)
{
	return sizeof(struct ns_quantile) + buckets_of(k) * sizeof(uint64_t);
}

size_t ns_quantile_size(const struct ns_quantile_conf *c)
{
	unsigned k = k_for(c->error);

	if (k == 0)
		errno = EINVAL;
	return k != 0 ? quantile_size(k) : 0;
}

static struct ns_quantile *init_zeroed(void *mem, unsigned k, uint64_t seed)
{
	struct ns_quantile *q = mem;

	q->seed = seed;
	q->k = k;
	q->buckets = buckets_of(k);
	q->min = UINT64_MAX;
	return q;
}

struct ns_quantile *quantile_init(void *mem, unsigned k, uint64_t seed)
{
	return init_zeroed(memset(mem, 0, quantile_size(k)), k, seed);
}

struct ns_quantile *ns_quantile_init_zeroed(void *mem, const struct ns_quantile_conf *c)
{
	unsigned k = k_for(c->error);

	return k != 0 ? init_zeroed(mem, k, c->seed) : ns_errno_null(EINVAL);
}

struct ns_quantile *ns_quantile_init(void *mem, const struct ns_quantile_conf *c)
{
	unsigned k = k_for(c->error);

	return k != 0 ? quantile_init(mem, k, c->seed) : ns_errno_null(EINVAL);
}

struct ns_quantile *ns_quantile_create(const struct ns_quantile_conf *c)
{
	size_t size = ns_quantile_size(c);
	void *mem = size != 0 ? ns_sketch_alloc(size) : NULL;

	return mem != NULL ? ns_quantile_init(mem, c) : NULL;
}

void ns_quantile_destroy(struct ns_quantile *q)
{
	free(q);
}

void ns_quantile_reset(struct ns_quantile *q)
{
	q->count = q->max = q->sum_low = q->sum_high = 0;
	q->min = UINT64_MAX;
	memset(q->counter, 0, q->buckets * sizeof(q->counter[0]));
}

/* Whether all are the same: frames often are, and one counter would wait for itself n times. */
static bool alike(const uint64_t *value, unsigned n)
{
	uint64_t other = 0;

	for (unsigned i = 1; i < n; i++)
		other |= value[i] ^ value[0];
	return other == 0;
}

void ns_quantile_add_bulk(struct ns_quantile *q, const uint64_t *value, unsigned n)
{
	unsigned __int128 sum = sum_get(q);
	uint64_t min = q->min, max = q->max;
	unsigned k = q->k;

	q->count += n;
	if (n > 1 && value[1] == value[0] && alike(value, n)) {
		q->counter[bucket_of(value[0], k)] += n;
		sum_set(q, sum + (unsigned __int128)value[0] * n);
		q->min = NS_MIN(min, value[0]);
		q->max = NS_MAX(max, value[0]);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		uint64_t v = value[i];

		q->counter[bucket_of(v, k)]++;
		sum += v;
		min = NS_MIN(min, v);
		max = NS_MAX(max, v);
	}
	q->min = min;
	q->max = max;
	sum_set(q, sum);
}

void ns_quantile_add(struct ns_quantile *q, uint64_t value)
{
	ns_quantile_add_bulk(q, &value, 1);
}

int ns_quantile_merge(struct ns_quantile *into, const struct ns_quantile *from)
{
	if (into->k != from->k || into->seed != from->seed)
		return ns_errno_set(EINVAL);
	if (into->count + from->count < into->count)
		return ns_errno_set(EOVERFLOW);
	if (from->count == 0)
		return 0;
	/* beyond min and max there is nothing to add */
	for (uint32_t i = bucket_of(from->min, from->k); i <= bucket_of(from->max, from->k); i++)
		into->counter[i] += from->counter[i];
	into->count += from->count;
	into->min = NS_MIN(into->min, from->min);
	into->max = NS_MAX(into->max, from->max);
	sum_set(into, sum_get(into) + sum_get(from));
	return 0;
}

double ns_quantile_error(const struct ns_quantile *q)
{
	return ldexp(1, -(int)q->k - 1);
}

uint64_t ns_quantile_count(const struct ns_quantile *q)
{
	return q->count;
}

uint64_t ns_quantile_min(const struct ns_quantile *q)
{
	return q->count != 0 ? q->min : 0;
}

uint64_t ns_quantile_max(const struct ns_quantile *q)
{
	return q->max;
}

double ns_quantile_mean(const struct ns_quantile *q)
{
	return q->count != 0 ? (double)sum_get(q) / (double)q->count : 0;
}

/*
 * The value whose greatest relative distance to the bucket's least and highest value is the least:
 * 2 low high / (low + high), of the part of the bucket that min and max leave.
 */
static double value_of(const struct ns_quantile *q, uint32_t i)
{
	unsigned shift;
	uint64_t first = bucket_low(i, q->k, &shift), last = first + ((UINT64_C(1) << shift) - 1);
	double low = (double)NS_MAX(first, q->min), high = (double)NS_MIN(last, q->max);

	return low < high ? 2 * low / (low + high) * high : low;
}

/* ceil(p * count), from 1 to count; doubles have no 64 bits, so it is kept in range. */
static uint64_t rank_of(const struct ns_quantile *q, double p)
{
	double rank = ceil(p * (double)q->count);

	if (!(rank >= 1))
		return 1;
	return rank >= (double)q->count ? q->count : (uint64_t)rank;
}

void ns_quantile_values(const struct ns_quantile *q, const double *p, double *out, unsigned n)
{
	uint64_t seen = 0;
	uint32_t i = 0;

	if (q->count == 0) {
		for (unsigned j = 0; j < n; j++)
			out[j] = 0;
		return;
	}
	i = bucket_of(q->min, q->k);
	seen = q->counter[i];
	for (unsigned j = 0; j < n; j++) {
		uint64_t rank = rank_of(q, p[j]);

		while (seen < rank && i + 1 < q->buckets)
			seen += q->counter[++i];
		/* the first and the last are known better than their buckets are */
		out[j] = rank == 1          ? (double)q->min
			 : rank == q->count ? (double)q->max
					    : value_of(q, i);
	}
}

double ns_quantile_value(const struct ns_quantile *q, double p)
{
	double v;

	ns_quantile_values(q, &p, &v, 1);
	return v;
}
