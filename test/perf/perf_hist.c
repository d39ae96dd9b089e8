/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Histogram of ns with steps that grow with the number:
 *
 *   0 ... 63 | 64 66 ... 126 | 128 132 ... 252 | ...
 *    one each    steps of 2       steps of 4
 */
#include "perf.h"

#define EXACT 64u
#define STEPS 32u

static unsigned step_of(uint64_t ns)
{
	if (ns < EXACT)
		return (unsigned)ns;
	unsigned top = 63 - (unsigned)__builtin_clzll(ns); /* from 6 on */

	return EXACT + (top - 6) * STEPS + (unsigned)(ns >> (top - 5) & (STEPS - 1));
}

/* The largest number in a step. */
static uint64_t end_of(unsigned step)
{
	if (step < EXACT)
		return step;
	unsigned shift = (step - EXACT) / STEPS + 1;

	return ((STEPS + (step - EXACT) % STEPS + 1ull) << shift) - 1;
}

void perf_hist_add(struct perf_hist *h, uint64_t ns)
{
	h->v[step_of(ns)]++;
	h->n++;
	h->max = NS_MAX(h->max, ns);
}

double perf_hist_rank(const struct perf_hist *h, double p)
{
	double want = p * (double)h->n;
	uint64_t sum = 0;

	for (unsigned i = 0; i < PERF_HIST_STEPS; i++) {
		sum += h->v[i];
		if (sum > 0 && (double)sum >= want)
			return (double)NS_MIN(end_of(i), h->max);
	}
	return (double)h->max;
}

uint64_t perf_hist_above(const struct perf_hist *h, uint64_t ns)
{
	uint64_t sum = 0;

	for (unsigned i = step_of(ns) + 1; i < PERF_HIST_STEPS; i++)
		sum += h->v[i];
	return sum;
}
