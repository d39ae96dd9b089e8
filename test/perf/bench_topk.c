/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Top-k beside its floor. A packet writes two lines: hashes and counts of a bucket, and the record
 * of one of its four places; it reads a hash and a key. So does the floor, to a record that the
 * hash names, and knows both lines beforehand.
 */
#include "bench.h"

#include <ns_topk.h>

#include <stdlib.h>

#define LINE 64u
#define PLACES 4u

struct key {
	uint64_t half[2];
};

struct state {
	struct ns_topk *topk;
	uint8_t *floor;
	size_t buckets, bucket; /* octets */
};

/*
 * The keys of each burst, whatever their hashes: a key is copied and not looked at, and where the
 * engine adds it has just been built and lies in the first cache. Sixteen octets a thing from an
 * array as long as the stream would be read from memory: that costs the floor 2 ns and the sketch,
 * which has work to do meanwhile, less than half of it, and so flatters the ratio.
 */
static struct key burst[BENCH_BURST];

static struct state *setup(size_t memory)
{
	struct ns_topk_conf c = {.memory = memory, .key_len = sizeof(struct key)};
	struct state *s = bench_alloc(sizeof(*s));

	s->topk = ns_topk_init(bench_alloc(ns_topk_size(&c)), &c);
	s->floor = bench_alloc(memory);
	s->bucket = LINE + PLACES * (16 + sizeof(struct key));
	s->buckets = memory / s->bucket;
	return s;
}

static void teardown(void *state)
{
	struct state *s = state;

	free(s->topk);
	free(s->floor);
	free(s);
}

static void run(void *state, const struct bench_stream *s)
{
	struct state *st = state;

	for (unsigned i = 0; i < s->n; i += BENCH_BURST)
		ns_topk_add_bulk(st->topk, s->hash + i, (const uint8_t *)burst, sizeof(burst[0]),
			NULL, NULL, BENCH_BURST);
}

static void touch(void *state, const struct bench_stream *s)
{
	struct state *st = state;
	uint64_t *bucket[BENCH_BURST], *record[BENCH_BURST];

	for (unsigned i = 0; i < s->n; i += BENCH_BURST) {
		for (unsigned j = 0; j < BENCH_BURST; j++) {
			uint64_t hash = s->hash[i + j];
			uint8_t *at = st->floor + bench_place(hash, st->buckets) * st->bucket;

			bucket[j] = (uint64_t *)at;
			record[j] =
				(uint64_t *)(at + LINE + hash % PLACES * (16 + sizeof(struct key)));
			__builtin_prefetch(bucket[j], 1);
			__builtin_prefetch(record[j], 1);
		}
		for (unsigned j = 0; j < BENCH_BURST; j++) {
			bucket[j][0] += 1;
			record[j][0] += 1 + burst[j].half[0];
		}
	}
}

static void *setup_64(void)
{
	return setup(64 * 1024);
}

static void *setup_512(void)
{
	return setup(512 * 1024);
}

static void *setup_8192(void)
{
	return setup(8192 * 1024);
}

const struct bench bench_topk[] = {{"topk 64 KiB", setup_64, teardown, NULL, run, touch, 0},
	{"topk 512 KiB", setup_512, teardown, NULL, run, touch, 2},
	{"topk 8 MiB", setup_8192, teardown, NULL, run, touch, 2}, {NULL}};
