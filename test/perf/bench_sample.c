/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Samples beside their floor: for each thing one line of as much memory as the sketch's hashes and
 * sums take. A sample that rejects most things touches less than that, so it may be cheaper.
 */
#include "bench.h"

#include <ns_entropy.h>
#include <ns_sample.h>
#include <ns_spread.h>

#include <stdlib.h>
#include <string.h>

#define MEMORY (4u << 20)

struct state {
	struct ns_sample *sample;
	struct ns_spread *spread;
	struct ns_entropy *entropy;
	uint8_t *floor;
	size_t lines;
};

static struct state *setup(size_t hot)
{
	struct state *s = bench_alloc(sizeof(*s));

	s->lines = hot / 64;
	s->floor = bench_alloc(s->lines * 64);
	return s;
}

static void *setup_sample(uint32_t slots)
{
	struct ns_sample_conf c = {.slots = slots, .key_len = 16, .values = 2};
	struct state *s = setup((size_t)slots * 4 / 3 * 24);

	s->sample = ns_sample_init(bench_alloc(ns_sample_size(&c)), &c);
	return s;
}

static void *setup_exact(void)
{
	return setup_sample(1u << 21); /* all keys fit */
}

static void *setup_small(void)
{
	return setup_sample(1u << 14);
}

static void *setup_spread(void)
{
	struct ns_spread_conf c = {.memory = MEMORY, .key_len = 16};
	struct state *s = setup(MEMORY / 3);

	s->spread = ns_spread_init(bench_alloc(ns_spread_size(&c)), &c);
	return s;
}

static void *setup_entropy(void)
{
	struct ns_entropy_conf c = {.memory = MEMORY};
	struct state *s = setup(MEMORY);

	s->entropy = ns_entropy_init(bench_alloc(ns_entropy_size(&c)), &c);
	return s;
}

static void teardown(void *state)
{
	struct state *s = state;

	free(s->sample);
	free(s->spread);
	free(s->entropy);
	free(s->floor);
	free(s);
}

static void reset(void *state)
{
	struct state *s = state;

	if (s->sample != NULL)
		ns_sample_reset(s->sample);
	if (s->spread != NULL)
		ns_spread_reset(s->spread);
	if (s->entropy != NULL)
		ns_entropy_reset(s->entropy);
}

static void run_sample(void *state, const struct bench_stream *s)
{
	struct ns_sample *t = ((struct state *)state)->sample;
	uint64_t keys[BENCH_BURST][2];

	memset(keys, 0, sizeof(keys));
	for (unsigned i = 0; i < s->n; i += BENCH_BURST) {
		for (unsigned j = 0; j < BENCH_BURST; j++)
			keys[j][0] = s->key[i + j];
		const uint64_t *values[2] = {s->key + i, s->key + i};

		ns_sample_add_bulk(t, s->hash + i, (const uint8_t *)keys, 16, values, BENCH_BURST);
	}
}

static void run_spread(void *state, const struct bench_stream *s)
{
	struct ns_spread *t = ((struct state *)state)->spread;
	uint64_t keys[BENCH_BURST][2];

	memset(keys, 0, sizeof(keys));
	for (unsigned i = 0; i < s->n; i += BENCH_BURST) {
		for (unsigned j = 0; j < BENCH_BURST; j++)
			keys[j][0] = s->key[i + j] % 1000;
		ns_spread_add_bulk(t, s->hash + i, (const uint8_t *)keys, 16, BENCH_BURST);
	}
}

static void run_entropy(void *state, const struct bench_stream *s)
{
	struct ns_entropy *t = ((struct state *)state)->entropy;

	for (unsigned i = 0; i < s->n; i += BENCH_BURST)
		ns_entropy_add_bulk(t, s->hash + i, NULL, BENCH_BURST);
}

static void touch(void *state, const struct bench_stream *s)
{
	const struct state *st = state;

	bench_touch_lines(st->floor, st->lines, s);
}

const struct bench bench_sample[] = {
	{"sample, all fit", setup_exact, teardown, NULL, run_sample, touch, 0},
	{"sample, all fit, empty each round", setup_exact, teardown, reset, run_sample, touch, 0},
	{"sample, 16 k of 1 M", setup_small, teardown, NULL, run_sample, touch, 0},
	{"sample, 16 k of 1 M, empty each round", setup_small, teardown, reset, run_sample, touch,
		0},
	{"spread 4 MiB", setup_spread, teardown, NULL, run_spread, touch, 0},
	{"spread 4 MiB, empty each round", setup_spread, teardown, reset, run_spread, touch, 0},
	{"entropy 4 MiB", setup_entropy, teardown, NULL, run_entropy, touch, 0},
	{"entropy 4 MiB, empty each round", setup_entropy, teardown, reset, run_entropy, touch, 0},
	{NULL}};
