/* SPDX-License-Identifier: BSD-3-Clause */
/* Count-Min beside its floor, one counter of each row or one of each line; rows beside lines. */
#include "bench.h"

#include <ns_cms.h>

#include <stdio.h>
#include <stdlib.h>

struct state {
	struct ns_cms *cms;
	uint8_t *floor;
	size_t width; /* counters of a row, or lines */
};

static struct state *setup(enum ns_cms_layout layout, uint8_t rows, size_t memory)
{
	struct ns_cms_conf c = {.memory = memory, .rows = rows, .layout = layout};
	struct state *s = bench_alloc(sizeof(*s));

	s->cms = ns_cms_init(bench_alloc(ns_cms_size(&c)), &c);
	s->floor = bench_alloc(memory);
	s->width = layout == NS_CMS_ROWS ? memory / 8 / rows : memory / 64;
	return s;
}

static void teardown(void *state)
{
	struct state *s = state;

	free(s->cms);
	free(s->floor);
	free(s);
}

static void run(void *state, const struct bench_stream *s)
{
	struct ns_cms *c = ((struct state *)state)->cms;

	for (unsigned i = 0; i < s->n; i += BENCH_BURST)
		ns_cms_add_bulk(c, s->hash + i, NULL, BENCH_BURST);
}

static void lines(void *state, const struct bench_stream *s)
{
	struct state *st = state;

	bench_touch_lines(st->floor, st->width, s);
}

/* One counter in each row; odd numbers make a place in each of one hash. */
static inline __attribute__((always_inline)) void rows(
	void *state, const struct bench_stream *s, unsigned d)
{
	static const uint64_t odd[] = {UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f),
		UINT64_C(0x165667b19e3779f9), UINT64_C(0xd6e8feb86659fd93)};
	struct state *st = state;
	uint64_t *row = (uint64_t *)st->floor, *at[BENCH_BURST][4];

	for (unsigned i = 0; i < s->n; i += BENCH_BURST) {
		for (unsigned j = 0; j < BENCH_BURST; j++) {
			for (unsigned r = 0; r < d; r++) {
				at[j][r] = row + r * st->width +
					   bench_place(s->hash[i + j] * odd[r], st->width);
				__builtin_prefetch(at[j][r], 1);
			}
		}
		for (unsigned j = 0; j < BENCH_BURST; j++) {
			for (unsigned r = 0; r < d; r++)
				*at[j][r] += 1;
		}
	}
}

#define MIB ((size_t)1 << 20)
#define BENCH_ROWS(d, mib)                                                   \
	static void *setup_rows_##d##_##mib(void)                            \
	{                                                                    \
		return setup(NS_CMS_ROWS, d, mib * MIB);                     \
	}                                                                    \
	static void rows_##d##_##mib(void *st, const struct bench_stream *s) \
	{                                                                    \
		rows(st, s, d);                                              \
	}
#define BENCH_LINES(d, mib)                                 \
	static void *setup_lines_##d##_##mib(void)          \
	{                                                   \
		return setup(NS_CMS_BLOCKED, d, mib * MIB); \
	}

BENCH_ROWS(2, 1)
BENCH_ROWS(3, 1)
BENCH_ROWS(4, 1)
BENCH_ROWS(3, 16)
BENCH_LINES(3, 1)
BENCH_LINES(3, 16)

#define ROWS(d, mib) setup_rows_##d##_##mib, teardown, NULL, run, rows_##d##_##mib, 2
#define LINES(d, mib) setup_lines_##d##_##mib, teardown, NULL, run, lines, 2

const struct bench bench_cms[] = {{"cms rows d=2 1 MiB", ROWS(2, 1)},
	{"cms rows d=3 1 MiB", ROWS(3, 1)}, {"cms rows d=4 1 MiB", ROWS(4, 1)},
	{"cms rows d=3 16 MiB", ROWS(3, 16)}, {"cms blocked d=3 1 MiB", LINES(3, 1)},
	{"cms blocked d=3 16 MiB", LINES(3, 16)}, {NULL}};

struct outcome {
	double mean, p99, ns;
};

/* Error over all keys of the stream, and cost in turns that are long enough to be warm. */
static struct outcome outcome(enum ns_cms_layout layout, uint8_t d, size_t memory,
	const struct bench_stream *s, const uint32_t *truth)
{
	struct ns_cms_conf c = {.memory = memory, .rows = d, .layout = layout};
	struct ns_cms *cms = ns_cms_init(bench_alloc(ns_cms_size(&c)), &c);
	struct state st = {.cms = cms};
	double *error = bench_alloc(s->keys * sizeof(*error)), ns[9];
	struct outcome o = {0};
	uint64_t n = 0;

	run(&st, s);
	for (uint64_t k = 1; k <= s->keys; k++) {
		if (truth[k] > 0) {
			error[n] = (double)(ns_cms_query(cms, ns_hash64(&k, 8, 0)) - truth[k]);
			o.mean += error[n++];
		}
	}
	o.mean /= (double)n;
	bench_median(error, (unsigned)n);
	o.p99 = error[n - n / 100];
	for (unsigned i = 0; i < 9; i++) {
		double t = bench_now();

		run(&st, s);
		ns[i] = (bench_now() - t) / s->n;
	}
	o.ns = bench_median(ns, 9);
	free(error);
	free(cms);
	return o;
}

/* The least memory of lines whose mean error is no more than that of rows, in steps of 1/16. */
static size_t equal_memory(
	double mean, uint8_t d, size_t memory, const struct bench_stream *s, const uint32_t *truth)
{
	size_t low = memory / 2, high = memory * 8;

	while (high - low > memory / 16) {
		size_t mid = low + (high - low) / 2;

		if (outcome(NS_CMS_BLOCKED, d, mid, s, truth).mean <= mean)
			high = mid;
		else
			low = mid;
	}
	return high;
}

static void print(const struct bench_stream *s)
{
	static const size_t kib[] = {64, 256, 1024, 4096, 16384};
	uint32_t *truth = bench_alloc((s->keys + 1) * sizeof(*truth));

	for (unsigned i = 0; i < s->n; i++)
		truth[s->key[i]]++;
	printf("%-10s %-2s %9s %9s %9s %7s\n", "layout", "d", "KiB", "mean", "p99", "ns/add");
	for (unsigned i = 0; i < sizeof(kib) / sizeof(kib[0]); i++) {
		for (uint8_t d = 2; d <= 3; d++) {
			struct outcome r = outcome(NS_CMS_ROWS, d, kib[i] * 1024, s, truth), b;
			size_t memory;

			printf("%-10s %-2u %9zu %9.2f %9.0f %7.2f\n", "rows", d, kib[i], r.mean,
				r.p99, r.ns);
			b = outcome(NS_CMS_BLOCKED, d, kib[i] * 1024, s, truth);
			printf("%-10s %-2u %9zu %9.2f %9.0f %7.2f\n", "blocked", d, kib[i], b.mean,
				b.p99, b.ns);
			memory = equal_memory(r.mean, d, kib[i] * 1024, s, truth);
			b = outcome(NS_CMS_BLOCKED, d, memory, s, truth);
			printf("%-10s %-2u %9zu %9.2f %9.0f %7.2f   at equal error\n", "blocked", d,
				memory / 1024, b.mean, b.p99, b.ns);
		}
	}
	free(truth);
}

const struct bench_table bench_cms_table = {
	"cms: rows beside blocked, zipf 1.0, conservative update; error in things", print};
