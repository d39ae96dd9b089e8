/* SPDX-License-Identifier: BSD-3-Clause */
/* How often the interval holds the truth, where the sample is small or tells little. */
#include "entropy_priv.h"

#include <ns_test.h>
#include <ns_test_zipf.h>

#include <math.h>

#define SEEDS 100

/* Each of so many keys is seen once; `odd` of a million are `heavy`, the others `plain`. */
struct weights {
	const char *name;
	unsigned keys;
	unsigned odd; /* per million */
	uint64_t plain, heavy;
	double zipf; /* > 0: so many keys are drawn from, twice as often */
};

static struct ns_entropy *make(size_t memory)
{
	struct ns_entropy_conf c = {.memory = memory};
	struct ns_entropy *s = ns_entropy_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

static void add(struct ns_entropy *s, uint64_t *count, uint64_t key, uint64_t seed, uint64_t weight)
{
	uint64_t words[2] = {key, seed}, hash = ns_hash_words(words, 2, 0);

	count[key] += weight;
	ns_entropy_add_bulk(s, &hash, &weight, 1);
}

/* Feeds one stream; returns its true entropy. */
static double feed(struct ns_entropy *s, const struct weights *w, uint64_t seed)
{
	uint64_t *count = calloc(w->keys + 1, sizeof(*count)), state = seed;
	double total, bits = 0;
	struct ns_zipf z = {0};

	if (w->zipf > 0)
		ns_zipf_init(&z, w->zipf, w->keys, seed);
	for (unsigned i = 0; w->zipf > 0 && i < 2 * w->keys; i++)
		add(s, count, ns_zipf_next(&z), seed, 1);
	for (unsigned i = 1; w->zipf <= 0 && i <= w->keys; i++)
		add(s, count, i, seed,
			ns_test_mix(&state) % 1000000 < w->odd ? w->heavy : w->plain);
	total = (double)ns_entropy_total(s);
	for (unsigned i = 0; i <= w->keys; i++)
		if (count[i] > 0)
			bits += (double)count[i] / total * log2(total / (double)count[i]);
	free(count);
	return bits;
}

/* What is one half of the interval, in the mean: at most so many bits and so many errors. */
static void holds(const struct weights *w, size_t memory, double bits_max, double errors_max)
{
	double square = 0, width = 0, rate = 0, low, high;
	unsigned inside = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct ns_entropy *s = make(memory);
		double bits = feed(s, w, seed * 977);
		double error = ns_entropy_bits(s, 0.95, &low, &high) - bits;

		CU_ASSERT(!ns_entropy_exact(s));
		CU_ASSERT(low < high);
		inside += low <= bits + 1e-9 && bits <= high + 1e-9;
		square += error * error;
		width += (high - low) / 2;
		rate += ns_sample_rate(entropy_sample(s));
		ns_entropy_destroy(s);
	}
	printf("\n    %-18s %4.1f %% of keys kept: rms %.5f, interval +-%.5f, holds %u of %d",
		w->name, 100 * rate / SEEDS, sqrt(square / SEEDS), width / SEEDS, inside, SEEDS);
	CU_ASSERT(inside >= SEEDS * 90 / 100);
	CU_ASSERT(width / SEEDS <= fmax(bits_max, errors_max * sqrt(square / SEEDS)));
}

static void even(void)
{
	static const struct weights w[] = {
		{.name = "all 1", .keys = 30000, .plain = 1},
		{.name = "all 60", .keys = 30000, .plain = 60},
		{.name = "0.01 % of 2", .keys = 30000, .plain = 1, .heavy = 2, .odd = 100},
		{.name = "0.1 % of 2", .keys = 30000, .plain = 1, .heavy = 2, .odd = 1000},
		{.name = "0.5 % of 2", .keys = 30000, .plain = 1, .heavy = 2, .odd = 5000},
		{.name = "2 % of 2", .keys = 30000, .plain = 1, .heavy = 2, .odd = 20000},
		{.name = "half of 2", .keys = 30000, .plain = 1, .heavy = 2, .odd = 500000},
		{.name = "0.1 % of 3", .keys = 30000, .plain = 1, .heavy = 3, .odd = 1000},
		{.name = "0.1 % of 10 not 60",
			.keys = 30000,
			.plain = 60,
			.heavy = 10,
			.odd = 1000},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(w); i++)
		holds(&w[i], 16 << 10, 0.15, 0);
}

static void zipf(void)
{
	static const double exponents[] = {0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4};

	for (unsigned i = 0; i < NS_ARRAY_LEN(exponents); i++) {
		char name[20];
		struct weights w = {.name = name, .zipf = exponents[i], .keys = 40000};

		snprintf(name, sizeof(name), "zipf %.1f", w.zipf);
		holds(&w, 16 << 10, 0, 4);
	}
}

/* Exact until the first key is forgotten, and again when it is emptied. */
static void exact(void)
{
	static const struct weights few = {.keys = 50, .plain = 7},
				    many = {.keys = 30000, .plain = 1};
	struct ns_entropy *s = make(16 << 10), *t = make(16 << 10);
	double low, high;

	CU_ASSERT(ns_entropy_exact(s));
	CU_ASSERT_DOUBLE_EQUAL(feed(s, &few, 1), log2(50), 1e-12);
	CU_ASSERT(ns_entropy_exact(s));
	CU_ASSERT_DOUBLE_EQUAL(ns_entropy_bits(s, 0.95, &low, &high), log2(50), 1e-12);
	CU_ASSERT_EQUAL(low, high);
	feed(t, &many, 2);
	CU_ASSERT(!ns_entropy_exact(t));
	ns_entropy_bits(t, 0.95, &low, &high);
	CU_ASSERT(low < high);
	CU_ASSERT_EQUAL(ns_entropy_merge(s, t), 0);
	CU_ASSERT(!ns_entropy_exact(s));
	ns_entropy_reset(s);
	CU_ASSERT(ns_entropy_exact(s));
	ns_entropy_destroy(s);
	ns_entropy_destroy(t);
}

NS_TEST_MAIN({"even", even}, {"zipf", zipf}, {"exact", exact})
