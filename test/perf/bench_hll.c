/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperLogLog beside its floor: one octet a thing is read, changed and written. */
#include "bench.h"

#include <ns_hll.h>

#include <stdlib.h>

struct state {
	struct ns_hll *hll;
	uint8_t *floor;
	unsigned p;
};

static struct state *setup(uint8_t p)
{
	struct ns_hll_conf c = {.p = p};
	struct state *s = bench_alloc(sizeof(*s));

	s->p = p;
	s->hll = ns_hll_init(bench_alloc(ns_hll_size(&c)), &c);
	s->floor = bench_alloc((size_t)1 << p);
	return s;
}

static void *setup_14(void)
{
	return setup(14);
}

static void *setup_18(void)
{
	return setup(18);
}

static void teardown(void *state)
{
	struct state *s = state;

	free(s->hll);
	free(s->floor);
	free(s);
}

static void reset(void *state)
{
	ns_hll_reset(((struct state *)state)->hll);
}

static void run(void *state, const struct bench_stream *s)
{
	struct ns_hll *h = ((struct state *)state)->hll;

	for (unsigned i = 0; i < s->n; i += BENCH_BURST)
		ns_hll_add_bulk(h, s->hash + i, BENCH_BURST);
}

static void octets(void *state, const struct bench_stream *s)
{
	const struct state *st = state;
	unsigned shift = 64 - st->p;

	for (unsigned i = 0; i < s->n; i += BENCH_BURST) {
		for (unsigned j = 0; st->p > 15 && j < BENCH_BURST; j++)
			__builtin_prefetch(&st->floor[s->hash[i + j] >> shift], 1);
		for (unsigned j = 0; j < BENCH_BURST; j++)
			st->floor[s->hash[i + j] >> shift] += 1;
	}
}

const struct bench bench_hll[] = {{"hll p=14", setup_14, teardown, NULL, run, octets, 2},
	{"hll p=14, empty each round", setup_14, teardown, reset, run, octets, 0},
	{"hll p=18", setup_18, teardown, NULL, run, octets, 2}, {NULL}};
