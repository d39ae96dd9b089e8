/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sketch that one thread adds to while another looks: relaxed stores and loads, which cost what
 * plain ones do. Who looks takes a copy; its count is the sum of the counters it saw, so that the
 * copy is whole in itself although the writer went on meanwhile.
 */
#include "quantile_priv.h"

void ns_quantile_add_shared(struct ns_quantile *q, uint64_t value, uint64_t times)
{
	unsigned __int128 sum = sum_get(q) + (unsigned __int128)value * times;

	ns_stat_add(&q->counter[bucket_of(value, q->k)], times);
	if (value < q->min)
		ns_stat_set(&q->min, value);
	if (value > q->max)
		ns_stat_set(&q->max, value);
	ns_stat_add(&q->count, times);
	ns_stat_set(&q->sum_low, (uint64_t)sum);
	ns_stat_set(&q->sum_high, (uint64_t)(sum >> 64));
}

/* What stands in a bucket can't be less than its least value nor more than its greatest. */
static void widen(struct ns_quantile *q, uint32_t i)
{
	unsigned shift;
	uint64_t low = bucket_low(i, q->k, &shift), high = low + ((UINT64_C(1) << shift) - 1);

	if (q->min > high)
		q->min = low;
	if (q->max < low)
		q->max = high;
}

int ns_quantile_merge_shared(struct ns_quantile *into, const struct ns_quantile *from)
{
	if (into->k != from->k || into->seed != from->seed)
		return ns_errno_set(EINVAL);
	uint64_t min = ns_stat_get(&from->min), max = ns_stat_get(&from->max);

	into->min = NS_MIN(into->min, min);
	into->max = NS_MAX(into->max, max);
	sum_set(into, sum_get(into) + ((unsigned __int128)ns_stat_get(&from->sum_high) << 64 |
					      ns_stat_get(&from->sum_low)));
	for (uint32_t i = 0; i < from->buckets; i++) {
		uint64_t n = ns_stat_get(&from->counter[i]);

		if (n == 0)
			continue;
		into->counter[i] += n;
		into->count += n;
		widen(into, i);
	}
	return 0;
}

int ns_quantile_since(struct ns_quantile *before, const struct ns_quantile *now)
{
	uint64_t min = now->min, max = now->max;

	if (before->k != now->k || before->seed != now->seed)
		return ns_errno_set(EINVAL);
	sum_set(before, sum_get(now) - sum_get(before));
	before->count = before->max = 0;
	before->min = UINT64_MAX;
	for (uint32_t i = 0; i < now->buckets; i++) {
		before->counter[i] = now->counter[i] - before->counter[i];
		before->count += before->counter[i];
		if (before->counter[i] != 0)
			widen(before, i);
	}
	if (before->count != 0) {
		before->min = NS_MAX(before->min, min);
		before->max = NS_MIN(before->max, max);
	}
	return 0;
}
