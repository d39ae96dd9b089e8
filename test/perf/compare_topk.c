/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns-compare-topk [--things N] [FILE...]
 *
 * Ways to find the heaviest keys beside each other: recall of the true top 100, mean relative error
 * of the counts of these (a key that is not listed counts as 1), ns of CPU time for each add. The
 * streams are made (N things, 10 M by default, over 1 M keys), or one for each FILE: the source
 * addresses of a capture, or decimal numbers; "-" reads numbers from the standard input.
 */
#include "compare.h"
#include "ns_test_zipf.h"

#include <ns_topk.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TOP 100
#define KEYS 1000000
#define TIMED (1u << 20) /* things of a stream whose adding is timed */
#define ROUNDS 9

void *compare_alloc(size_t size)
{
	void *p = ns_sketch_alloc(size);

	if (p == NULL) {
		fprintf(stderr, "ns-compare-topk: no memory\n");
		exit(2);
	}
	return memset(p, 0, size);
}

static void *saving_make(size_t memory)
{
	struct ns_topk_conf c = {.memory = memory, .key_len = sizeof(struct compare_key)};

	return ns_topk_init(compare_alloc(ns_topk_size(&c)), &c);
}

static void saving_drop(void *state)
{
	ns_topk_destroy(state);
}

static void saving_add(void *state, const uint64_t *hash, const struct compare_key *key, unsigned n)
{
	ns_topk_add_bulk(state, hash, (const uint8_t *)key, sizeof(*key), NULL, NULL, n);
}

static unsigned saving_answer(
	const struct ns_topk_entry *e, int n, struct compare_answer *out, bool sure)
{
	for (int i = 0; i < n; i++) {
		memcpy(&out[i].key, e[i].key, sizeof(out[i].key));
		out[i].count = e[i].count - (sure ? e[i].error : 0);
	}
	return (unsigned)n;
}

static unsigned saving_list(void *state, struct compare_answer *out, unsigned max)
{
	static struct ns_topk_entry e[COMPARE_LIST_KEYS];

	max = max < COMPARE_LIST_KEYS ? max : COMPARE_LIST_KEYS;
	return saving_answer(e, ns_topk_list(state, e, max), out, false);
}

static unsigned sure_list(void *state, struct compare_answer *out, unsigned max)
{
	static struct ns_topk_entry e[COMPARE_LIST_KEYS];

	max = max < COMPARE_LIST_KEYS ? max : COMPARE_LIST_KEYS;
	return saving_answer(e, ns_topk_list_sure(state, e, max), out, true);
}

const struct contender compare_saving = {
	"Space-Saving", saving_make, saving_drop, saving_add, saving_list};
const struct contender compare_sure = {
	"count - error", saving_make, saving_drop, saving_add, sure_list};

static const struct contender *const contenders[] = {
	&compare_saving, &compare_sure, &compare_keeper, &compare_countmin};

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct compare_key));
}

static int by_count(const void *a, const void *b)
{
	const struct compare_answer *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
				    : by_key(&x->key, &y->key);
}

/* The true heaviest, at most TOP; all of them behind, for the counts of others. */
static struct compare_answer *truth_of(const struct compare_stream *s, size_t *keys)
{
	struct compare_key *sorted = compare_alloc(s->n * sizeof(*sorted));
	struct compare_answer *truth = compare_alloc(s->n * sizeof(*truth));
	size_t n = 0;

	memcpy(sorted, s->key, s->n * sizeof(*sorted));
	qsort(sorted, s->n, sizeof(*sorted), by_key);
	for (size_t i = 0; i < s->n; i++) {
		if (i == 0 || by_key(&sorted[i], &sorted[i - 1]) != 0)
			truth[n++].key = sorted[i];
		truth[n - 1].count++;
	}
	free(sorted);
	qsort(truth, n, sizeof(*truth), by_count);
	*keys = n;
	return truth;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void add_all(
	const struct contender *c, void *state, const struct compare_stream *s, size_t n)
{
	for (size_t i = 0; i < n; i += COMPARE_BURST) {
		unsigned some = n - i < COMPARE_BURST ? (unsigned)(n - i) : COMPARE_BURST;

		c->add(state, s->hash + i, s->key + i, some);
	}
}

/* Equal counts at the end of the top are as good as each other. */
static double recall(const struct compare_answer *truth, size_t keys, unsigned top,
	const struct compare_answer *got, unsigned n)
{
	unsigned found = 0;

	for (size_t k = 0; k < keys && truth[k].count >= truth[top - 1].count; k++)
		for (unsigned i = 0; i < n; i++)
			found += by_key(&truth[k].key, &got[i].key) == 0;
	return (double)found / top;
}

static double error(const struct compare_answer *truth, unsigned top,
	const struct compare_answer *got, unsigned n)
{
	double sum = 0;

	for (unsigned k = 0; k < top; k++) {
		double e = 1, count = (double)truth[k].count;

		for (unsigned i = 0; i < n; i++)
			if (by_key(&truth[k].key, &got[i].key) == 0)
				e = fabs((double)got[i].count - count) / count;
		sum += e;
	}
	return sum / top;
}

static void compare(const struct compare_stream *s, size_t memory)
{
	static struct compare_answer got[COMPARE_LIST_KEYS];
	size_t keys, timed = s->n < TIMED ? s->n : TIMED;
	struct compare_answer *truth = truth_of(s, &keys);
	unsigned top = keys < TOP ? (unsigned)keys : TOP;
	double ns[sizeof(contenders) / sizeof(contenders[0])][ROUNDS];
	void *state[sizeof(contenders) / sizeof(contenders[0])];

	for (size_t c = 0; c < sizeof(contenders) / sizeof(contenders[0]); c++) {
		state[c] = contenders[c]->make(memory);
		add_all(contenders[c], state[c], s, s->n);
	}
	printf("%-28.28s %4zu", s->name, memory / 1024);
	for (size_t c = 0; c < sizeof(contenders) / sizeof(contenders[0]); c++) {
		unsigned n = contenders[c]->list(state[c], got, COMPARE_LIST_KEYS);

		printf("  | %6.3f %8.4f%%", recall(truth, keys, top, got, n < top ? n : top),
			100 * error(truth, top, got, n));
	}
	for (unsigned r = 0; r < ROUNDS; r++) {
		for (size_t c = 0; c < sizeof(contenders) / sizeof(contenders[0]); c++) {
			double t = now();

			add_all(contenders[c], state[c], s, timed);
			ns[c][r] = (now() - t) / (double)timed;
		}
	}
	printf("  |");
	for (size_t c = 0; c < sizeof(contenders) / sizeof(contenders[0]); c++) {
		for (unsigned i = 1; i < ROUNDS; i++)
			for (unsigned j = i; j > 0 && ns[c][j] < ns[c][j - 1]; j--) {
				double v = ns[c][j];

				ns[c][j] = ns[c][j - 1];
				ns[c][j - 1] = v;
			}
		printf(" %6.1f", ns[c][ROUNDS / 2]);
		contenders[c]->drop(state[c]);
	}
	printf("\n");
	free(truth);
}

static void both_sizes(struct compare_stream *s)
{
	if (s->n == 0) {
		printf("%-28.28s  no keys\n", s->name);
	} else {
		compare(s, 512 * 1024);
		compare(s, 64 * 1024);
	}
	free(s->key);
	free(s->hash);
}

static void made(const char *name, double s, bool last, size_t n)
{
	struct compare_stream stream = {.name = name};
	uint64_t state = 1;
	struct ns_zipf z;

	if (s > 0)
		ns_zipf_init(&z, s, KEYS, 1);
	for (size_t i = 0; i < n; i++) {
		uint64_t key = s > 0 ? ns_zipf_next(&z) : 1 + ns_test_mix(&state) % KEYS;

		/* the heaviest 200 of a zipf stream are not there but in the last tenth */
		if (last && key <= 200 && i < n / 10 * 9)
			key += KEYS + ns_test_mix(&state) % KEYS;
		compare_push(&stream, (struct compare_key){{key, 0}});
	}
	both_sizes(&stream);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"things", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {0}};
	size_t n = 10000000;
	int o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'n') {
			n = strtoull(optarg, NULL, 10);
		} else {
			printf("usage: ns-compare-topk [--things N] [FILE...]\n");
			return o == 'h' ? 0 : 2;
		}
	}
	printf("%-28s %4s", "recall of top 100, error", "KiB");
	for (size_t c = 0; c < sizeof(contenders) / sizeof(contenders[0]); c++)
		printf("  | %-16s", contenders[c]->name);
	printf("  | ns/add each\n");
	for (int i = optind; i < argc; i++) {
		struct compare_stream s;

		compare_read(&s, argv[i]);
		both_sizes(&s);
	}
	if (optind == argc) {
		made("zipf 0.8", 0.8, false, n);
		made("zipf 1.0", 1.0, false, n);
		made("zipf 1.2", 1.2, false, n);
		made("zipf 1.4", 1.4, false, n);
		made("uniform", 0, false, n);
		made("zipf 1.0, heaviest last", 1.0, true, n);
	}
	return 0;
}
