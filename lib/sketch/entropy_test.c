/* SPDX-License-Identifier: BSD-3-Clause */
#include "entropy_priv.h"
#include "golden_entropy.h"

#include <ns_test.h>
#include <ns_test_alloc.h>
#include <ns_test_zipf.h>

#include <math.h>

#define KEYS 40000
#define DRAWS 100000
#define SEEDS 100

enum { EVEN = 0, HALF_ONE_KEY = -1 }; /* other shapes: the exponent of a zipf distribution */

struct stream {
	uint64_t *hash;
	double bits; /* true entropy */
};

static double bits_of(const uint64_t *count, unsigned keys, double total)
{
	double sum = 0;

	for (unsigned k = 0; k <= keys; k++)
		if (count[k] > 0)
			sum += (double)count[k] / total * log2(total / (double)count[k]);
	return sum;
}

static struct stream draw(double shape, uint64_t seed)
{
	struct stream s = {malloc(DRAWS * sizeof(uint64_t)), 0};
	uint64_t *count = calloc(KEYS + 1, sizeof(*count)), state = seed;
	struct ns_zipf z = {0};

	if (shape > 0)
		ns_zipf_init(&z, shape, KEYS, seed);
	for (unsigned i = 0; i < DRAWS; i++) {
		uint64_t key[2] = {1, seed};

		if (shape > 0)
			key[0] = ns_zipf_next(&z);
		else if (shape == EVEN || ns_test_mix(&state) % 2)
			key[0] = 1 + ns_test_mix(&state) % KEYS;
		count[key[0]]++;
		s.hash[i] = ns_hash_words(key, 2, 0);
	}
	s.bits = bits_of(count, KEYS, DRAWS);
	free(count);
	return s;
}

static struct ns_entropy *make(size_t memory)
{
	struct ns_entropy_conf c = {.memory = memory};
	struct ns_entropy *s = ns_entropy_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

static bool same(const struct ns_entropy *x, const struct ns_entropy *y)
{
	size_t nx = ns_entropy_write_size(x), ny = ns_entropy_write_size(y);
	uint8_t *a = malloc(nx), *b = malloc(ny);
	bool equal = nx == ny && ns_entropy_write(x, a) == nx && ns_entropy_write(y, b) == ny &&
		     memcmp(a, b, nx) == 0;

	free(a);
	free(b);
	return equal;
}

static void exact_while_it_fits(void)
{
	static const double shapes[] = {EVEN, HALF_ONE_KEY, 0.8, 1.0, 1.4};

	for (unsigned i = 0; i < NS_ARRAY_LEN(shapes); i++) {
		struct stream s = draw(shapes[i], 5);
		struct ns_entropy *t = make(4 << 20);
		double low, high, bits;

		ns_entropy_add_bulk(t, s.hash, NULL, DRAWS);
		bits = ns_entropy_bits(t, 0.95, &low, &high);
		CU_ASSERT_DOUBLE_EQUAL(bits, s.bits, 1e-9);
		CU_ASSERT(low == bits && high == bits);
		CU_ASSERT_EQUAL(ns_entropy_total(t), DRAWS);
		CU_ASSERT_EQUAL(ns_entropy_keys(t), ns_sample_kept(entropy_sample(t)));
		ns_entropy_destroy(t);
		free(s.hash);
	}
}

static void plain_cases(void)
{
	struct ns_entropy *t = make(64 << 10);
	uint64_t hash[256], weight[256];
	double low, high;

	CU_ASSERT_EQUAL(ns_entropy_bits(t, 0.95, &low, &high), 0); /* nothing */
	CU_ASSERT(low == 0 && high == 0);
	for (unsigned i = 0; i < 256; i++) {
		hash[i] = 77;
		weight[i] = 1000;
	}
	ns_entropy_add_bulk(t, hash, weight, 256);
	CU_ASSERT_EQUAL(ns_entropy_bits(t, 0.95, &low, &high), 0); /* one key */
	CU_ASSERT(low == 0 && high == 0);
	ns_entropy_reset(t);
	for (unsigned i = 0; i < 256; i++)
		hash[i] = i * NS_HASH_P0 + 1;
	ns_entropy_add_bulk(t, hash, weight, 256);
	CU_ASSERT_DOUBLE_EQUAL(ns_entropy_bits(t, 0.95, &low, &high), 8, 1e-12);
	ns_entropy_reset(t);
	weight[0] = 1;
	weight[1] = 3;
	ns_entropy_add_bulk(t, hash, weight, 2);
	CU_ASSERT_DOUBLE_EQUAL(ns_entropy_bits(t, 0.95, &low, &high), 2 - 0.75 * log2(3), 1e-12);
	CU_ASSERT_EQUAL(ns_entropy_keys(t), 2);
	ns_entropy_destroy(t);
	ns_entropy_destroy(NULL);
}

/* Many streams of one shape: how far off, how often inside, and is sigma what it says. */
static void covers(double shape, size_t memory, double rms_max)
{
	double square = 0, sum = 0, width = 0, rate = 0, low, high;
	unsigned inside = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct stream s = draw(shape, seed * 977);
		struct ns_entropy *t = make(memory);

		ns_entropy_add_bulk(t, s.hash, NULL, DRAWS);
		double error = ns_entropy_bits(t, 0.95, &low, &high) - s.bits;

		square += error * error;
		sum += error;
		inside += low <= s.bits && s.bits <= high;
		width += high - low;
		rate += ns_sample_rate(entropy_sample(t));
		CU_ASSERT(low >= 0 && low <= high && high <= log2(DRAWS));
		CU_ASSERT(ns_sample_rate(entropy_sample(t)) < 1);
		ns_entropy_destroy(t);
		free(s.hash);
	}
	double rms = sqrt(square / SEEDS);

	printf("\n    shape %4.1f, %zu KiB, %4.1f %% of keys kept: rms %.4f, bias %+.4f, "
	       "interval +-%.4f, holds %u of %d",
		shape, memory >> 10, 100 * rate / SEEDS, rms, sum / SEEDS, width / SEEDS / 2,
		inside, SEEDS);
	CU_ASSERT(inside >= SEEDS * 90 / 100);
	CU_ASSERT(rms <= rms_max);
	CU_ASSERT(width / SEEDS / 2 < 3.5 * rms); /* nor is it wide for nothing */
}

static void coverage(void)
{
	covers(EVEN, 64 << 10, 0.025);
	covers(HALF_ONE_KEY, 64 << 10, 0.015);
	covers(0.8, 64 << 10, 0.11);
	covers(1.0, 64 << 10, 0.06);
	/* heavy keys that their buckets have no place for cost more the more of the sum they are */
	covers(1.2, 72 << 10, 0.025);
	covers(1.4, 72 << 10, 0.006);
}

static void order(void)
{
	struct stream s = draw(1.0, 3);
	struct ns_entropy *one = make(64 << 10), *two = make(64 << 10);
	double a, b, low_a, low_b, high_a, high_b;

	ns_entropy_add_bulk(one, s.hash, NULL, DRAWS);
	for (unsigned i = DRAWS; i-- > 0;)
		ns_entropy_add_bulk(two, s.hash + i, NULL, 1);
	a = ns_entropy_bits(one, 0.99, &low_a, &high_a);
	b = ns_entropy_bits(two, 0.99, &low_b, &high_b);
	CU_ASSERT(low_a <= b && b <= high_a);
	CU_ASSERT(low_b <= a && a <= high_b);
	CU_ASSERT_EQUAL(ns_entropy_keys(one), ns_entropy_keys(two));
	ns_entropy_destroy(one);
	ns_entropy_destroy(two);
	free(s.hash);
}

static void merged_parts(void)
{
	uint64_t seed = 4;
	unsigned inside = 0;

	for (unsigned round = 0; round < 40; round++) {
		struct stream s = draw(round % 2 ? 1.0 : 1.2, round + 1);
		struct ns_entropy *whole = make(64 << 10), *part[6];
		unsigned k = 2 + (unsigned)(ns_test_mix(&seed) % 5);
		double one, low, high, merged, mlow, mhigh;

		ns_entropy_add_bulk(whole, s.hash, NULL, DRAWS);
		for (unsigned i = 0; i < k; i++)
			part[i] = make(64 << 10);
		for (unsigned i = 0; i < DRAWS; i++)
			ns_entropy_add_bulk(part[ns_test_mix(&seed) % k], s.hash + i, NULL, 1);
		for (unsigned i = k - 1; i > 0; i--) {
			CU_ASSERT_EQUAL(ns_entropy_merge(part[i / 2], part[i]), 0);
			ns_entropy_destroy(part[i]);
		}
		one = ns_entropy_bits(whole, 0.99, &low, &high);
		merged = ns_entropy_bits(part[0], 0.99, &mlow, &mhigh);
		CU_ASSERT(low <= merged && merged <= high);
		CU_ASSERT(mlow <= one && one <= mhigh);
		CU_ASSERT_EQUAL(ns_entropy_total(part[0]), DRAWS);
		CU_ASSERT_EQUAL(ns_entropy_keys(part[0]), ns_entropy_keys(whole));
		inside += mlow <= s.bits && s.bits <= mhigh;
		ns_entropy_destroy(part[0]);
		ns_entropy_destroy(whole);
		free(s.hash);
	}
	CU_ASSERT(inside >= 37);
	struct ns_entropy *x = make(64 << 10), *y = make(65 << 10);

	CU_ASSERT_EQUAL(ns_entropy_merge(x, y), -EINVAL);
	ns_entropy_destroy(x);
	ns_entropy_destroy(y);
}

/* Small parts that fit: merging them is exact as well. */
static void merged_exact(void)
{
	struct ns_entropy *x = make(64 << 10), *y = make(64 << 10);
	double low, high;

	for (uint64_t i = 0; i < 512; i++) {
		uint64_t hash = (i + 1) * NS_HASH_P0;

		ns_entropy_add_bulk(i % 3 ? x : y, &hash, NULL, 1);
	}
	CU_ASSERT_EQUAL(ns_entropy_merge(x, y), 0);
	CU_ASSERT_DOUBLE_EQUAL(ns_entropy_bits(x, 0.95, &low, &high), 9, 1e-12);
	CU_ASSERT_EQUAL(low, high);
	ns_entropy_destroy(x);
	ns_entropy_destroy(y);
}

static void certain(void)
{
	struct stream s = draw(EVEN, 3);
	struct ns_entropy *t = make(16 << 10);
	double low, high;

	ns_entropy_add_bulk(t, s.hash, NULL, DRAWS);
	ns_entropy_bits(t, 1, &low, &high);
	CU_ASSERT_EQUAL(low, 0);
	CU_ASSERT_DOUBLE_EQUAL(high, log2(DRAWS), 1e-9);
	ns_entropy_destroy(t);
	free(s.hash);
}

static void memory(void)
{
	struct stream s = draw(1.0, 8);
	struct ns_entropy_conf c = {0};

	for (c.memory = 16384; c.memory < 1u << 28; c.memory *= 2) {
		CU_ASSERT(ns_entropy_size(&c) <= c.memory);
		CU_ASSERT(ns_entropy_size(&c) > c.memory - 512);
	}
	c.memory = 0; /* the least there is, and it works */
	struct ns_entropy *t = ns_entropy_init(ns_sketch_alloc(ns_entropy_size(&c)), &c);
	double low, high, bits;

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	ns_entropy_add_bulk(t, s.hash, NULL, DRAWS);
	bits = ns_entropy_bits(t, 0.95, &low, &high);
	CU_ASSERT(bits >= low && bits <= high && high <= log2(DRAWS));
	free(t);

	c.memory = 32768; /* emptied, it is a fresh one */
	size_t size = ns_entropy_size(&c);

	t = ns_entropy_init(ns_sketch_alloc(size), &c);
	struct ns_entropy *fresh = ns_entropy_init(ns_sketch_alloc(size), &c);

	ns_test_alloc_fail(1);
	ns_entropy_add_bulk(t, s.hash, NULL, DRAWS);
	ns_entropy_merge(fresh, t);
	ns_entropy_reset(fresh);
	ns_entropy_reset(t);
	CU_ASSERT(ns_test_alloc_done());
	CU_ASSERT_EQUAL(memcmp(t, fresh, size), 0);
	ns_test_alloc_fail(1);
	CU_ASSERT_EQUAL(ns_entropy_write(t, (uint8_t[4096]){0}), 0);
	CU_ASSERT_FALSE(ns_test_alloc_done());
	free(t);
	free(fresh);
	free(s.hash);
}

static void round_trip(void)
{
	for (unsigned n = 0; n <= DRAWS; n = 10 * n + 1) {
		struct stream s = draw(0.8, n + 1);
		struct ns_entropy *t = make(16 << 10), *u;
		struct ns_err e = {{0}};

		ns_entropy_add_bulk(t, s.hash, NULL, n);
		size_t len = ns_entropy_write_size(t);
		uint8_t *out = malloc(len);

		CU_ASSERT_EQUAL(ns_entropy_write(t, out), len);
		u = ns_entropy_parse(out, len, &e);
		CU_ASSERT_PTR_NOT_NULL_FATAL(u);
		CU_ASSERT(same(t, u));
		ns_entropy_add_bulk(t, s.hash, NULL, 5000);
		ns_entropy_add_bulk(u, s.hash, NULL, 5000);
		CU_ASSERT(same(t, u));
		CU_ASSERT_EQUAL(ns_entropy_merge(t, u), 0);
		ns_entropy_destroy(t);
		ns_entropy_destroy(u);
		free(out);
		free(s.hash);
	}
}

/* The least room, 60 keys of different weight. */
static void golden(void)
{
	struct ns_entropy_conf c = {.memory = 0, .seed = 3};
	struct ns_entropy *t = ns_entropy_create(&c), *u;
	struct ns_err e = {{0}};

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (uint64_t i = 1; i <= 60; i++) {
		uint64_t hash = ns_hash_words(&i, 1, 3), weight = 1000 / i;

		ns_entropy_add_bulk(t, &hash, &weight, 1);
	}
	size_t len = ns_entropy_write_size(t);
	uint8_t *out = malloc(len);

	CU_ASSERT_EQUAL(ns_entropy_write(t, out), len);
	if (len != sizeof(golden_entropy_v1) || memcmp(out, golden_entropy_v1, len) != 0) {
		CU_FAIL("other octets than those of version 1");
		for (size_t i = 0; i < len; i++)
			printf("0x%02x,%s", out[i], i % 16 == 15 ? "\n" : " ");
	}
	u = ns_entropy_parse(golden_entropy_v1, sizeof(golden_entropy_v1), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(u);
	CU_ASSERT(same(t, u));
	ns_entropy_destroy(t);
	ns_entropy_destroy(u);
	free(out);
}

static void refused(size_t at, uint8_t with, const char *what)
{
	uint8_t in[sizeof(golden_entropy_v1)];
	struct ns_err e = {{0}};

	memcpy(in, golden_entropy_v1, sizeof(in));
	in[at] ^= with;
	CU_ASSERT_PTR_NULL(ns_entropy_parse(in, sizeof(in), &e));
	if (strstr(e.text, what) == NULL) {
		CU_FAIL("another message");
		printf("wanted \"%s\": \"%s\"\n", what, e.text);
	}
}

static void damage(void)
{
	size_t topk = ns_le_get64(golden_entropy_v1 + 24), sample = 32 + topk;
	struct ns_err e = {{0}};

	refused(4, 1, "octet 4:");
	refused(24, 1, "entropy: from octet ");
	refused(31, 1, "octet 24:");
	refused(32, 1, "from octet 32 on: sketch: octet 0:");
	refused(8, 1, "octet 32:"); /* another seed than the parts have */
	refused(sample + 4, 1, "octet 4:");
	refused(sample + 8, 1, "another kind, seed or total");
	refused(sample + 40, 1, "another kind, seed or total");
	refused(sample + 24 + 3, 0x80, "octet 24:");
	for (size_t cut = 1; cut <= sizeof(golden_entropy_v1); cut++)
		CU_ASSERT_PTR_NULL(
			ns_entropy_parse(golden_entropy_v1, sizeof(golden_entropy_v1) - cut, &e));
}

NS_TEST_MAIN({"exact while it fits", exact_while_it_fits}, {"plain cases", plain_cases},
	{"coverage", coverage}, {"order", order}, {"merged parts", merged_parts},
	{"merged exact", merged_exact}, {"certain", certain}, {"memory", memory},
	{"round trip", round_trip}, {"golden", golden}, {"damage", damage})
