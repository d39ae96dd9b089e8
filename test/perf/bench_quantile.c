/* SPDX-License-Identifier: BSD-3-Clause */
/* DDSketch beside its floor: one counter of as much memory as the values of the stream touch. */
#include "bench.h"

#include <ns_quantile.h>

#include <stdlib.h>

#define COUNTERS 2048u /* those of values below 2^37 at k = 6 */

struct state {
	struct ns_quantile *quantile;
	uint64_t *floor;
};

static void *setup(void)
{
	struct ns_quantile_conf c = {.error = 0.01};
	struct state *s = bench_alloc(sizeof(*s));

	s->quantile = ns_quantile_init(bench_alloc(ns_quantile_size(&c)), &c);
	s->floor = bench_alloc(COUNTERS * sizeof(*s->floor));
	return s;
}

static void teardown(void *state)
{
	struct state *s = state;

	free(s->quantile);
	free(s->floor);
	free(s);
}

/* The keys are the values. */
static void run(void *state, const struct bench_stream *s)
{
	struct state *st = state;

	for (unsigned i = 0; i < s->n; i += BENCH_BURST)
		ns_quantile_add_bulk(st->quantile, s->key + i, BENCH_BURST);
}

static void touch(void *state, const struct bench_stream *s)
{
	uint64_t *counter = ((struct state *)state)->floor;

	for (unsigned i = 0; i < s->n; i++)
		counter[s->key[i] % COUNTERS]++;
}

const struct bench bench_quantile[] = {
	{"quantile 1 %", setup, teardown, NULL, run, touch, 0}, {NULL}};
