/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles: the serialised form, what is refused, and that release after release reads it. */
#include "golden_quantile.h"
#include "ns_test.h"
#include "ns_test_zipf.h"
#include "quantile_priv.h"

#include <stdlib.h>

/* i^3 for i below n, and i again for even ones. */
static struct ns_quantile *filled(double error, unsigned n, uint64_t seed)
{
	struct ns_quantile_conf c = {.error = error, .seed = seed};
	struct ns_quantile *q = ns_quantile_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	for (uint64_t i = 0; i < n; i++) {
		ns_quantile_add(q, i * i * i);
		if (i % 2 == 0)
			ns_quantile_add(q, i);
	}
	return q;
}

static uint8_t *written(const struct ns_quantile *q, size_t *len)
{
	uint8_t *out;

	*len = ns_quantile_write_size(q);
	out = malloc(*len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	CU_ASSERT_EQUAL(ns_quantile_write(q, out), *len);
	return out;
}

static void there_and_back(void)
{
	static const double errors[] = {0.001, 0.01, 0.1};
	static const unsigned n[] = {0, 1, 2, 1000, 100000};

	for (unsigned i = 0; i < 15; i++) {
		struct ns_quantile *q = filled(errors[i % 3], n[i / 3], i), *back;
		struct ns_err e;
		size_t len;
		uint8_t *out;

		if (i > 6)
			ns_quantile_add(q, UINT64_MAX);
		out = written(q, &len);
		back = ns_quantile_parse(out, len, &e);
		CU_ASSERT_PTR_NOT_NULL_FATAL(back);
		CU_ASSERT_EQUAL(
			memcmp(q, back, sizeof(*q) + q->buckets * sizeof(q->counter[0])), 0);
		CU_ASSERT_EQUAL(ns_quantile_merge(back, q), 0);
		ns_quantile_destroy(back);
		ns_quantile_destroy(q);
		free(out);
	}
}

/* Octets that version 1 has once made. */
static void golden(void)
{
	struct ns_quantile *q = filled(0.05, 20, UINT64_C(0x0123456789abcdef)), *back;
	struct ns_err e = {0};
	size_t len;
	uint8_t *out = written(q, &len);

	CU_ASSERT_EQUAL(len, sizeof(golden_quantile));
	CU_ASSERT_EQUAL(memcmp(out, golden_quantile, NS_MIN(len, sizeof(golden_quantile))), 0);
	back = ns_quantile_parse(golden_quantile, sizeof(golden_quantile), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(back);
	CU_ASSERT_EQUAL(back->seed, UINT64_C(0x0123456789abcdef));
	CU_ASSERT_EQUAL(ns_quantile_count(back), 30);
	CU_ASSERT_EQUAL(ns_quantile_max(back), 6859);
	CU_ASSERT_EQUAL(ns_quantile_mean(back), (36100 + 90) / 30.0);
	CU_ASSERT_EQUAL(ns_quantile_value(back, 0.35), 14);
	ns_quantile_destroy(back);
	ns_quantile_destroy(q);
	free(out);
}

static void refused(const uint8_t *in, size_t len, const char *why)
{
	struct ns_err e = {0};
	struct ns_quantile *q;

	errno = 0;
	q = ns_quantile_parse(in, len, &e);
	CU_ASSERT_PTR_NULL(q);
	CU_ASSERT_EQUAL(errno, EBADMSG);
	if (strstr(e.text, why) == NULL) {
		printf("\"%s\" instead of \"%s\"\n", e.text, why);
		CU_FAIL("message");
	}
	ns_quantile_destroy(q);
}

/* A form of error 1/16 with these fields and these octets of runs. */
static void form(const char *why, uint64_t k, uint64_t min, uint64_t max, uint64_t sum,
	const uint8_t *runs, size_t len)
{
	struct ns_sketch_head h = {.type = NS_SKETCH_QUANTILE, .version = 1, .body = 40 + len};
	uint8_t out[128], *p = ns_sketch_head_put(out, &h);

	p = ns_le_put64(p, k);
	p = ns_le_put64(p, min);
	p = ns_le_put64(p, max);
	p = ns_le_put64(p, sum);
	p = ns_le_put64(p, 0);
	memcpy(p, runs, len);
	p += len;
	if (why != NULL) {
		refused(out, (size_t)(p - out), why);
		return;
	}
	struct ns_quantile *q = ns_quantile_parse(out, (size_t)(p - out), NULL);

	CU_ASSERT_PTR_NOT_NULL(q);
	ns_quantile_destroy(q);
}

#define RUNS(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void refusals(void)
{
	/* 3, 3 and 17: 17 is the first of bucket 16 with 16 and 17 */
	form(NULL, 3, 3, 17, 23, RUNS(3, 1, 2, 12, 1, 1));
	form("octet 24", 2, 3, 17, 23, RUNS(3, 1, 2, 12, 1, 1));
	form("octet 24", 10, 3, 17, 23, RUNS(3, 1, 2, 12, 1, 1));
	form("octet 24", UINT64_C(3) << 32, 3, 17, 23, RUNS(3, 1, 2, 12, 1, 1));
	form("octet 32", 3, 2, 17, 23, RUNS(3, 1, 2, 12, 1, 1));
	form("octet 32", 3, 3, 18, 23, RUNS(3, 1, 2, 12, 1, 1));
	form("octet 32", 3, 3, 15, 23, RUNS(3, 1, 2, 12, 1, 1));
	form("octet 48", 3, 3, 17, 21, RUNS(3, 1, 2, 12, 1, 1));
	form("octet 48", 3, 3, 17, 24, RUNS(3, 1, 2, 12, 1, 1));
	form("octet 32", 3, 17, 16, 33, RUNS(16, 1, 2));
	form("octet 32", 3, 16, 17, 17, RUNS(16, 1, 1));
	form("octet 32", 3, 16, 16, 17, RUNS(16, 1, 1));
	form(NULL, 3, 17, 17, 17, RUNS(16, 1, 1));
	/* numbers */
	form("octet 64: no number", 3, 3, 3, 3, RUNS(0x83));
	form("octet 64: no number", 3, 3, 3, 3, RUNS(0x83, 0x00, 1, 1));
	form("octet 66: no number", 3, 3, 3, 3, RUNS(3, 1));
	form("octet 66: no number", 3, 3, 3, 3,
		RUNS(3, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2));
	/* runs */
	form("octet 66: a counter", 3, 3, 3, 0, RUNS(3, 1, 0));
	form("octet 67: a counter", 3, 3, 4, 3,
		RUNS(3, 2, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1));
	form("octet 64: a run", 3, 3, 3, 3, RUNS(3, 0));
	form("octet 67: a run", 3, 3, 4, 7, RUNS(3, 1, 1, 0, 1, 1));
	form("octet 64: a run", 3, 3, 3, 3, RUNS(0xf0, 3, 1, 1));
	form("octet 64: a run", 3, 3, 3, 3, RUNS(0xef, 3, 2, 1, 1));
	/* empty */
	form(NULL, 3, 0, 0, 0, (const uint8_t *)"", 0);
	form("octet 32", 3, 1, 0, 0, (const uint8_t *)"", 0);
	form("octet 32", 3, UINT64_MAX, 0, 0, (const uint8_t *)"", 0);
	form("octet 32", 3, 0, 1, 0, (const uint8_t *)"", 0);
	form("octet 32", 3, 0, 0, 1, (const uint8_t *)"", 0);
}

static void cut_short(void)
{
	struct ns_quantile *q = filled(0.05, 20, 0);
	size_t len;
	uint8_t *out = written(q, &len);

	for (size_t cut = 0; cut < len; cut++) {
		if (cut >= NS_SKETCH_HEAD)
			ns_le_put64(out + 16, cut - NS_SKETCH_HEAD);
		refused(out, cut, cut < NS_SKETCH_HEAD ? "octets, a head has" : "octet ");
	}
	ns_quantile_destroy(q);
	free(out);
}

/* A damaged form is refused, or is one that some sketch would have written. */
static void any_damage(void)
{
	struct ns_quantile *q = filled(0.05, 20, 0), *back;
	size_t len, again;
	uint8_t *out = written(q, &len), *twice;

	for (size_t i = 0; i < len * 8; i++) {
		struct ns_err e = {0};

		out[i / 8] ^= (uint8_t)(1u << i % 8);
		back = ns_quantile_parse(out, len, &e);
		if (back != NULL) {
			twice = written(back, &again);
			CU_ASSERT_EQUAL(again, len);
			CU_ASSERT_EQUAL(memcmp(out, twice, NS_MIN(len, again)), 0);
			free(twice);
		} else {
			CU_ASSERT_NOT_EQUAL(e.text[0], '\0');
		}
		ns_quantile_destroy(back);
		out[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	ns_quantile_destroy(q);
	free(out);
}

NS_TEST_MAIN({"there and back", there_and_back}, {"golden octets", golden}, {"refusals", refusals},
	{"cut short", cut_short}, {"any damage", any_damage})
