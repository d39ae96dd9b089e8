/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A server of constant cost: each packet writes two lines of as much memory as a table has, at
 * random, and then computes for as long as a packet of that table takes. What packets wait for here
 * no program on this machine can help.
 */
#include "perf_bench.h"

#include <stdlib.h>

#define LINES 2
#define TRIES 16
#define TRY 4096 /* packets */

struct perf_constant {
	uint64_t *memory;
	size_t size; /* octets, a power of two */
	double steps; /* of computing, a packet */
	double owed; /* parts of a step */
	uint64_t random;
};

static uint64_t compute(uint64_t v, uint64_t steps)
{
	for (; steps > 0; steps--) {
		v *= UINT64_C(0x9e3779b97f4a7c15);
		/* nothing of it may be computed ahead */
		__asm__ volatile("" : "+r"(v));
	}
	return v;
}

void perf_constant_serve(struct perf_constant *c, uint32_t n)
{
	uint64_t v = c->random;

	for (uint32_t i = 0; i < n * LINES; i++) {
		v ^= v << 13;
		v ^= v >> 7;
		v ^= v << 17;
		c->memory[(v & (c->size - 1)) / sizeof(*c->memory)]++;
	}
	c->random = v;
	c->owed += c->steps * n;
	uint64_t steps = (uint64_t)c->owed;

	c->owed -= (double)steps;
	compute(v, steps);
}

static double cost(struct perf_constant *c, double tsc_ns, uint32_t burst)
{
	double least = 1e9;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t begin = perf_ticks();

		for (uint32_t k = 0; k < TRY; k += burst)
			perf_constant_serve(c, burst);
		double ns = (double)(perf_ticks() - begin) * tsc_ns / TRY;

		least = NS_MIN(least, ns);
	}
	return least;
}

void perf_constant_set(struct perf_constant *c, double tsc_ns, double ns)
{
	c->steps = 0;
	double lines = cost(c, tsc_ns, PERF_BURST);

	c->steps = 100;
	double step = (cost(c, tsc_ns, PERF_BURST) - lines) / c->steps;

	c->steps = ns > lines ? (ns - lines) / step : 0;
}

struct perf_constant *perf_constant_create(size_t size)
{
	struct perf_constant *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ns_errno_null(ENOMEM);
	c->size = rte_align64pow2(size);
	c->memory = perf_alloc(c->size);
	c->random = 88172645463325252;
	return c;
}

void perf_constant_destroy(struct perf_constant *c)
{
	if (c == NULL)
		return;
	perf_free(c->memory, c->size);
	free(c);
}
