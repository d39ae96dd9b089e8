/* SPDX-License-Identifier: BSD-3-Clause */
/* What sketches share: heads, the hash, the normal distribution, memory. */
#include "ns_sketch.h"
#include "ns_test.h"
#include "ns_test_zipf.h"

#include <math.h>

static void heads(void)
{
	static const uint8_t want[NS_SKETCH_HEAD] = {
		'N', 'S', 'S', 'K', 3, 1, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, 5};
	static const struct {
		unsigned at;
		uint8_t octet;
		const char *says;
	} bad[] = {{0, 'n', "octet 0"}, {3, 'k', "octet 0"}, {4, 4, "type 4, expected 3"},
		{5, 0, "octet 5: version 0"}, {5, 3, "octet 5: version 3, known are 1 to 2"},
		{6, 1, "octet 6"}, {7, 1, "octet 6"}, {16, 4, "octet 16"}, {16, 6, "octet 16"},
		{23, 1, "octet 16"}};
	struct ns_sketch_head h = {.type = 3, .version = 1, .seed = 0x0102030405060708, .body = 5};
	struct ns_sketch_head back;
	uint8_t form[NS_SKETCH_HEAD + 5] = {0};
	struct ns_err e;

	CU_ASSERT_PTR_EQUAL(ns_sketch_head_put(form, &h), form + NS_SKETCH_HEAD);
	CU_ASSERT_EQUAL(memcmp(form, want, sizeof(want)), 0);
	CU_ASSERT_EQUAL(ns_sketch_head_get(&back, form, sizeof(form), 3, 2, &e), 0);
	CU_ASSERT(back.type == 3 && back.version == 1 && back.body == 5 && back.seed == h.seed);
	for (size_t len = 0; len < sizeof(form); len++)
		CU_ASSERT_EQUAL(ns_sketch_head_get(&back, form, len, 3, 2, &e), -EBADMSG);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t old = form[bad[i].at];

		form[bad[i].at] = bad[i].octet;
		CU_ASSERT_EQUAL(ns_sketch_head_get(&back, form, sizeof(form), 3, 2, &e), -EBADMSG);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].says));
		form[bad[i].at] = old;
	}
	CU_ASSERT_EQUAL(ns_sketch_head_get(&back, form, sizeof(form), 4, 2, NULL), -EBADMSG);
}

/* Forms on disk hold hashes: these values must stay for ever. */
static void hash_stays(void)
{
	static const struct {
		unsigned len;
		uint64_t seed, hash;
	} known[] = {{0, 0, UINT64_C(0x111cb3a78f59a58e)}, {3, 0, UINT64_C(0x82486650c2006890)},
		{8, 0, UINT64_C(0x5a513becd4ddf3d3)}, {8, 1, UINT64_C(0xe9ce3275a65dec3b)},
		{13, 0, UINT64_C(0x964dc1fbd1b46762)}, {16, 0, UINT64_C(0xb4d5e613c87f1d8d)},
		{24, 7, UINT64_C(0x3cf5b48071cf920c)}, {40, 0, UINT64_C(0x00c87ea3e68bbf63)}};
	uint8_t key[41];

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i + 1);
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		CU_ASSERT_EQUAL(ns_hash64(key, known[i].len, known[i].seed), known[i].hash);
	CU_ASSERT_EQUAL(ns_hash_pair(1, 2), UINT64_C(0xe16e920cd9cad731));
	CU_ASSERT_NOT_EQUAL(ns_hash_pair(1, 2), ns_hash_pair(2, 1));
	/* A key may lie anywhere. */
	memmove(key + 1, key, 40);
	CU_ASSERT_EQUAL(ns_hash64(key + 1, 40, 0), known[7].hash);
	CU_ASSERT_EQUAL(ns_hash_words(key + 1, 5, 0), known[7].hash);
}

/* Each bit of a key turns each bit of the hash over half of the time. */
static void hash_spreads(void)
{
	enum { KEYS = 2000 };
	static unsigned turned[256][64];
	uint64_t state = 3, key[4];
	double worst = 0;

	for (unsigned k = 0; k < KEYS; k++) {
		for (unsigned i = 0; i < 4; i++)
			key[i] = ns_test_mix(&state);
		uint64_t was = ns_hash_words(key, 4, 0);

		for (unsigned b = 0; b < 256; b++) {
			key[b / 64] ^= UINT64_C(1) << b % 64;
			uint64_t is = was ^ ns_hash_words(key, 4, 0);

			key[b / 64] ^= UINT64_C(1) << b % 64;
			for (unsigned o = 0; o < 64; o++)
				turned[b][o] += is >> o & 1;
		}
	}
	for (unsigned b = 0; b < 256; b++) {
		for (unsigned o = 0; o < 64; o++)
			worst = fmax(worst, fabs((double)turned[b][o] / KEYS - 0.5));
	}
	/* 16 384 pairs: six standard deviations are 0.067. */
	CU_ASSERT(worst < 0.067);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Numbers in a row, low bits and high bits, lengths of zeros: no two alike among a million. */
static void hash_tells_apart(void)
{
	enum { N = 1 << 20 };
	uint64_t *h = malloc(N * sizeof(*h)), same = 0;
	static const uint8_t zeros[64];
	unsigned n = 0;

	for (uint64_t i = 1; n < N / 2; i++) {
		h[n++] = ns_hash64(&i, 8, 0);
		uint64_t k[2] = {i << 40, i};

		h[n++] = ns_hash64(k, 16, 0);
	}
	for (unsigned len = 0; len <= 64; len++)
		h[n++] = ns_hash64(zeros, len, 0);
	for (uint64_t i = 0; n < N; i++)
		h[n++] = ns_hash_pair(i & 1023, i >> 10);
	qsort(h, N, sizeof(*h), by_value);
	for (unsigned i = 1; i < N; i++)
		same += h[i] == h[i - 1];
	CU_ASSERT_EQUAL(same, 0);
	free(h);
}

static void normal(void)
{
	static const double known[][2] = {{0.5, 0.6744897501960817}, {0.6826894921370859, 1},
		{0.9, 1.6448536269514722}, {0.95, 1.959963984540054}, {0.99, 2.5758293035489004},
		{0.9973002039367398, 3}, {0.999999, 4.891638475698823}};

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		CU_ASSERT_DOUBLE_EQUAL(ns_sketch_z(known[i][0]), known[i][1], 1e-7);
	CU_ASSERT_EQUAL(ns_sketch_z(0), 0);
	CU_ASSERT_EQUAL(ns_sketch_z(-1), 0);
	CU_ASSERT_EQUAL(ns_sketch_z(NAN), 0);
	CU_ASSERT(isinf(ns_sketch_z(1)));
	for (double c = 0.001; c < 0.9999; c += 0.001)
		CU_ASSERT_DOUBLE_EQUAL(erf(ns_sketch_z(c) / sqrt(2)), c, 1e-8);
}

static void memory(void)
{
	for (size_t size = 1; size < 400; size += 13) {
		uint8_t *p = ns_sketch_alloc(size);

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL((uintptr_t)p % NS_CACHE_LINE, 0);
		memset(p, 1, size);
		free(p);
	}
	CU_ASSERT_PTR_NULL(ns_sketch_alloc(SIZE_MAX));
	CU_ASSERT_EQUAL(errno, ENOMEM);
}

/* The streams of all accuracy tests: shares of ranks against Zipf's law, by chi-squared. */
static void zipf(void)
{
	static const double s[] = {0.5, 0.8, 1.0, 1.2, 1.4};
	enum { DRAWS = 200000, KEYS = 10000 };

	for (unsigned i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		double share[32] = {0}, sum = 0, chi = 0;
		unsigned have[32] = {0}, bins = 0;
		struct ns_zipf z;

		ns_zipf_init(&z, s[i], KEYS, i);
		for (unsigned k = 1; k <= KEYS; k++) {
			unsigned bin = k < 16 ? k : 11 + (unsigned)log2(k);

			share[bin] += pow(k, -s[i]);
			sum += pow(k, -s[i]);
		}
		for (unsigned n = 0; n < DRAWS; n++) {
			uint64_t k = ns_zipf_next(&z);

			if (k < 1 || k > KEYS)
				CU_FAIL_FATAL("a rank is from 1 to n");
			have[k < 16 ? k : 11 + (unsigned)log2((double)k)]++;
		}
		for (unsigned b = 0; b < 32; b++) {
			double want = share[b] / sum * DRAWS;

			if (want > 0) {
				chi += (have[b] - want) * (have[b] - want) / want;
				bins++;
			}
		}
		CU_ASSERT(bins > 20 && chi < 60);
	}
}

NS_TEST_MAIN({"heads", heads}, {"the hash stays", hash_stays}, {"the hash spreads", hash_spreads},
	{"the hash tells apart", hash_tells_apart}, {"normal distribution", normal},
	{"memory", memory}, {"zipf", zipf})
