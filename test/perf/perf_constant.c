/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A server of constant work: each packet writes so many lines at random, of as much memory as a
 * table has, that it takes as long as a packet of that table, whose time goes into memory, too. It
 * computes nothing. What packets wait for here no program on this machine can help.
 */
#include "perf_bench.h"

#include <stdlib.h>

#define TRIES 16
#define TRY 4096 /* packets */

struct perf_constant {
	uint64_t *memory;
	size_t size; /* octets, a power of two */
	double lines; /* a packet */
	double owed; /* parts of a line */
	uint64_t random;
};

void perf_constant_serve(struct perf_constant *c, uint32_t n)
{
	uint64_t v = c->random;

	c->owed += c->lines * n;
	uint64_t lines = (uint64_t)c->owed;

	c->owed -= (double)lines;
	for (; lines > 0; lines--) {
		v ^= v << 13;
		v ^= v >> 7;
		v ^= v << 17;
		c->memory[(v & (c->size - 1)) / sizeof(*c->memory)]++;
	}
	c->random = v;
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
	c->lines = 4;
	c->lines *= ns / cost(c, tsc_ns, PERF_BURST);
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
