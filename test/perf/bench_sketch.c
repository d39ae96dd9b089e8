/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns-bench-sketch [--rounds N] [--only PART] [--tables] [--check]
 *
 * What adding to each sketch costs in bulk with the hash given, beside its floor; see bench.h. With
 * --tables the comparisons of layouts as well; with --check it ends with 1 when a ratio is above
 * its bar.
 */
#include "bench.h"
#include "ns_test_zipf.h"

#include <ns_sketch.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THINGS (1u << 20)
#define KEYS 1000000u
#define ROUNDS_MIN 9

static const struct bench *const benches[] = {
	bench_hll, bench_cms, bench_quantile, bench_sample, bench_topk};
static const struct bench_table *const tables[] = {&bench_cms_table};

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double bench_median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

void *bench_alloc(size_t size)
{
	void *p = ns_sketch_alloc(size);

	if (p == NULL) {
		fprintf(stderr, "ns-bench-sketch: no memory\n");
		exit(2);
	}
	return memset(p, 0, size);
}

void bench_touch_lines(uint8_t *mem, size_t lines, const struct bench_stream *s)
{
	uint64_t *at[BENCH_BURST];

	for (unsigned i = 0; i < s->n; i += BENCH_BURST) {
		for (unsigned j = 0; j < BENCH_BURST; j++) {
			at[j] = (uint64_t *)(mem + bench_place(s->hash[i + j], lines) * 64);
			__builtin_prefetch(at[j], 1);
		}
		for (unsigned j = 0; j < BENCH_BURST; j++)
			*at[j] += 1;
	}
}

static struct bench_stream stream_make(const char *name, double s)
{
	uint64_t *key = bench_alloc(THINGS * sizeof(*key));
	uint64_t *hash = bench_alloc(THINGS * sizeof(*hash)), state = 1;
	struct ns_zipf z;

	ns_zipf_init(&z, s, KEYS, 1);
	for (unsigned i = 0; i < THINGS; i++) {
		key[i] = s > 0 ? ns_zipf_next(&z) : 1 + ns_test_mix(&state) % KEYS;
		hash[i] = ns_hash64(&key[i], sizeof(key[i]), 0);
	}
	return (struct bench_stream){name, key, hash, THINGS, KEYS};
}

/* Whether it meets its bar. */
static bool measure(const struct bench *b, const struct bench_stream *s, unsigned rounds)
{
	double *ours = bench_alloc(3 * rounds * sizeof(*ours)), *floor = ours + rounds;
	double *ratio = floor + rounds, r;
	void *state = b->setup();

	/* One round more, to warm up. */
	for (unsigned i = 0; i <= rounds; i++) {
		double t0, t1, t2;

		if (b->reset != NULL)
			b->reset(state);
		t0 = bench_now();
		b->run(state, s);
		t1 = bench_now();
		b->floor(state, s);
		t2 = bench_now();
		if (i > 0) {
			ours[i - 1] = (t1 - t0) / s->n;
			floor[i - 1] = (t2 - t1) / s->n;
			ratio[i - 1] = (t1 - t0) / (t2 - t1);
		}
	}
	b->teardown(state);
	r = bench_median(ratio, rounds);
	printf("%-32s %-8s %8.2f %8.2f %7.2f", b->name, s->name, bench_median(ours, rounds),
		bench_median(floor, rounds), r);
	if (b->bar > 0)
		printf("   <= %.1f%s", b->bar, r > b->bar ? "  ABOVE" : "");
	printf("\n");
	free(ours);
	return b->bar == 0 || r <= b->bar;
}

static void usage(FILE *f)
{
	fprintf(f, "usage: ns-bench-sketch [--rounds N] [--only PART] [--tables] [--check]\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"rounds", required_argument, NULL, 'r'},
		{"only", required_argument, NULL, 'o'}, {"tables", no_argument, NULL, 't'},
		{"check", no_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct bench_stream streams[2];
	bool check = false, tell = false, met = true;
	unsigned rounds = 15;
	const char *only = "";
	int o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 'r':
			rounds = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'o':
			only = optarg;
			break;
		case 't':
			tell = true;
			break;
		case 'c':
			check = true;
			break;
		default:
			usage(o == 'h' ? stdout : stderr);
			return o == 'h' ? 0 : 2;
		}
	}
	if (optind != argc || rounds < ROUNDS_MIN || rounds > 10000) {
		fprintf(stderr, "ns-bench-sketch: rounds can be %d to 10000\n", ROUNDS_MIN);
		usage(stderr);
		return 2;
	}
	streams[0] = stream_make("zipf 1.0", 1.0);
	streams[1] = stream_make("uniform", 0);
	printf("%u things of %u keys, %u at a time, medians of %u rounds in turn\n\n", THINGS, KEYS,
		BENCH_BURST, rounds);
	printf("%-32s %-8s %8s %8s %7s   %s\n", "sketch", "stream", "ns/add", "floor", "ratio",
		"bar");
	for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++) {
		for (const struct bench *b = benches[i]; b->name != NULL; b++) {
			if (strstr(b->name, only) == NULL)
				continue;
			for (unsigned s = 0; s < 2; s++)
				met &= measure(b, &streams[s], rounds);
		}
	}
	for (size_t i = 0; tell && i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (strstr(tables[i]->name, only) != NULL) {
			printf("\n%s\n", tables[i]->name);
			tables[i]->print(&streams[0]);
		}
	}
	for (unsigned s = 0; s < 2; s++) {
		free((void *)(uintptr_t)streams[s].key);
		free((void *)(uintptr_t)streams[s].hash);
	}
	return check && !met;
}
