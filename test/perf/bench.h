/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The frame of ns-bench-sketch. A sketch has a file bench_<sketch>.c with a list of benches, ended
 * by one without a name, and perhaps a table of its own; bench_sketch.c names both once.
 *
 * For each bench and stream, run() and floor() take turns, each on all things of the stream; what
 * is printed are medians of ns of CPU time a thing, and the median of the rounds' ratios.
 *
 * A floor is what no sketch of that shape can beat: it reads the same hashes, touches the same
 * number of places in as much memory, with the same prefetching as the sketch, and writes each
 * once, computing nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_BURST 32u /* things handed to a sketch at a time; divides every stream's length */

/** Things to add: key i is key[i], 8 octets, its hash ns_hash64() of them with seed 0. */
struct bench_stream {
	const char *name;
	const uint64_t *key;
	const uint64_t *hash;
	unsigned n;
	uint64_t keys; /* key[i] is from 1 to this */
};

struct bench {
	const char *name;
	void *(*setup)(void); /* the sketch and the floor's memory; exits when there is none */
	void (*teardown)(void *state);
	void (*reset)(void *state); /* before each round, not timed; may be NULL: goes on */
	void (*run)(void *state, const struct bench_stream *s);
	void (*floor)(void *state, const struct bench_stream *s);
	double bar; /* the ratio that run() may have to floor(); 0: none */
};

struct bench_table {
	const char *name;
	void (*print)(const struct bench_stream *s);
};

extern const struct bench bench_hll[], bench_cms[], bench_quantile[], bench_sample[], bench_topk[];
extern const struct bench_table bench_cms_table;

/** CPU time of this thread in ns. */
double bench_now(void);

/** Middle one of @p n numbers, which are sorted. */
double bench_median(double *v, unsigned n);

/** Zeroed memory on a cache line, or the program ends. free() it. */
void *bench_alloc(size_t size);

/** hash * n / 2^64: a place of n. */
static inline size_t bench_place(uint64_t hash, size_t n)
{
	return (size_t)((unsigned __int128)hash * n >> 64);
}

/**
 * The floor of one place a thing: adds to one word of each line of 64 octets that a hash names,
 * fetched ahead burst by burst as the sketches do.
 */
void bench_touch_lines(uint8_t *mem, size_t lines, const struct bench_stream *s);
