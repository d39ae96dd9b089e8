/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles: error on many shapes, merging bit for bit; quantile_wire_test.c has the forms. */
#include "ns_test.h"
#include "ns_test_zipf.h"
#include "quantile_priv.h"

#include <stdlib.h>

#define VALUES 200000

static struct ns_quantile *make(double error)
{
	struct ns_quantile_conf c = {.error = error};
	struct ns_quantile *q = ns_quantile_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	return q;
}

static size_t block(const struct ns_quantile *q)
{
	return sizeof(*q) + q->buckets * sizeof(uint64_t);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

enum shape { ZIPF, LOGNORMAL, UNIFORM, CONSTANT, BIMODAL, SMALL, ALL_BITS, SHAPES };

static uint64_t *values(enum shape shape, unsigned n, uint64_t seed)
{
	uint64_t *v = malloc(n * sizeof(*v)), state = seed;
	struct ns_zipf z;

	ns_zipf_init(&z, 1.1, 1000000000, seed);
	for (unsigned i = 0; v != NULL && i < n; i++) {
		double g = sqrt(-2 * log(1 - ns_test_unit(&state))) *
			   cos(6.283185307179586 * ns_test_unit(&state));

		switch (shape) {
		case ZIPF:
			v[i] = ns_zipf_next(&z);
			break;
		case LOGNORMAL:
			v[i] = (uint64_t)exp(12 + 2 * g);
			break;
		case UNIFORM:
			v[i] = ns_test_mix(&state) % 10000000;
			break;
		case CONSTANT:
			v[i] = 123456789;
			break;
		case BIMODAL: /* small packets and full ones */
			v[i] = ns_test_mix(&state) % 2 ? 60 + ns_test_mix(&state) % 10
						       : 1400 + ns_test_mix(&state) % 115;
			break;
		case SMALL:
			v[i] = ns_test_mix(&state) % 100;
			break;
		default:
			v[i] = ns_test_mix(&state) >> ns_test_mix(&state) % 64;
		}
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	return v;
}

static const double ps[] = {
	0, 0.001, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.999, 1};

/* The greatest relative error of all quantiles above. */
static double worst(const struct ns_quantile *q, const uint64_t *sorted, unsigned n)
{
	double got[NS_ARRAY_LEN(ps)], most = 0;

	ns_quantile_values(q, ps, got, NS_ARRAY_LEN(ps));
	for (unsigned i = 0; i < NS_ARRAY_LEN(ps); i++) {
		double rank = ceil(ps[i] * n), truth = (double)sorted[(unsigned)fmax(rank, 1) - 1];

		CU_ASSERT_EQUAL(got[i], ns_quantile_value(q, ps[i]));
		most = fmax(most, truth > 0 ? fabs(got[i] - truth) / truth : got[i]);
	}
	return most;
}

static void error_holds(void)
{
	static const double errors[] = {0.001, 0.004, 0.01, 0.05, 0.1};

	for (unsigned shape = 0; shape < SHAPES; shape++) {
		uint64_t *v = values(shape, VALUES, shape + 1);
		unsigned __int128 sum = 0;

		for (unsigned e = 0; e < NS_ARRAY_LEN(errors); e++) {
			struct ns_quantile *q = make(errors[e]);

			for (unsigned i = 0; i < VALUES; i += 32)
				ns_quantile_add_bulk(q, v + i, NS_MIN(32, VALUES - i));
			if (e == 0)
				qsort(v, VALUES, sizeof(*v), by_value);
			CU_ASSERT(ns_quantile_error(q) <= errors[e]);
			CU_ASSERT(worst(q, v, VALUES) <= ns_quantile_error(q));
			CU_ASSERT_EQUAL(ns_quantile_count(q), VALUES);
			CU_ASSERT_EQUAL(ns_quantile_min(q), v[0]);
			CU_ASSERT_EQUAL(ns_quantile_max(q), v[VALUES - 1]);
			sum = 0;
			for (unsigned i = 0; i < VALUES; i++)
				sum += v[i];
			CU_ASSERT_EQUAL(ns_quantile_mean(q), (double)sum / VALUES);
			if (shape == CONSTANT) {
				CU_ASSERT_EQUAL(ns_quantile_value(q, 0.5), 123456789);
			}
			ns_quantile_destroy(q);
		}
		free(v);
	}
}

/* Buckets follow one another without a gap and hold the values that name them. */
static void buckets(void)
{
	for (unsigned k = K_MIN; k <= K_MAX; k++) {
		uint64_t next = 0;
		unsigned shift;

		for (uint32_t i = 0; i < buckets_of(k); i++) {
			uint64_t low = bucket_low(i, k, &shift);
			uint64_t high = low + ((UINT64_C(1) << shift) - 1);

			CU_ASSERT_EQUAL(low, next);
			CU_ASSERT_EQUAL(bucket_of(low, k), i);
			CU_ASSERT_EQUAL(bucket_of(high, k), i);
			next = high + 1;
		}
		CU_ASSERT_EQUAL(next, 0); /* one past UINT64_MAX */
	}
}

static void configuration(void)
{
	static const double wrong[] = {0, -1, 0.0009, 0.11, 1, NAN, INFINITY};
	struct ns_quantile_conf c = {.error = 0.01};
	struct ns_quantile *q = make(0.01);

	CU_ASSERT_EQUAL(ns_quantile_size(&c), 64 + 59 * 64 * 8);
	CU_ASSERT_EQUAL(ns_quantile_error(q), 1.0 / 128);
	ns_quantile_destroy(q);
	q = make(0.1);
	CU_ASSERT_EQUAL(ns_quantile_error(q), 1.0 / 16);
	ns_quantile_destroy(q);
	q = make(0.001);
	CU_ASSERT_EQUAL(ns_quantile_error(q), 1.0 / 1024);
	ns_quantile_destroy(q);
	for (unsigned i = 0; i < NS_ARRAY_LEN(wrong); i++) {
		c.error = wrong[i];
		errno = 0;
		CU_ASSERT_EQUAL(ns_quantile_size(&c), 0);
		CU_ASSERT_EQUAL(errno, EINVAL);
		CU_ASSERT_PTR_NULL(ns_quantile_create(&c));
	}
	ns_quantile_destroy(NULL);
}

static void few_values(void)
{
	struct ns_quantile *q = make(0.01), *empty = make(0.01);

	CU_ASSERT_EQUAL(ns_quantile_value(q, 0.5), 0);
	CU_ASSERT_EQUAL(ns_quantile_min(q), 0);
	CU_ASSERT_EQUAL(ns_quantile_max(q), 0);
	CU_ASSERT_EQUAL(ns_quantile_mean(q), 0);
	ns_quantile_add(q, UINT64_MAX);
	CU_ASSERT_EQUAL(ns_quantile_value(q, 0), (double)UINT64_MAX);
	ns_quantile_add(q, 0);
	CU_ASSERT_EQUAL(ns_quantile_value(q, 0.5), 0);
	CU_ASSERT_EQUAL(ns_quantile_value(q, 0.50001), (double)UINT64_MAX);
	CU_ASSERT_EQUAL(ns_quantile_value(q, NAN), 0);
	CU_ASSERT_EQUAL(ns_quantile_value(q, 7), (double)UINT64_MAX);
	ns_quantile_add(q, UINT64_MAX); /* the sum is beyond 64 bits */
	CU_ASSERT_DOUBLE_EQUAL(ns_quantile_mean(q) / 0x1p64, 2.0 / 3, 1e-12);
	ns_quantile_reset(q);
	CU_ASSERT_EQUAL(memcmp(q, empty, block(q)), 0);
	ns_quantile_destroy(q);
	ns_quantile_destroy(empty);
}

/* Parts merged two by two in any order are the one pass, to the bit. */
static void merged_parts(void)
{
	uint64_t state = 3;

	for (unsigned round = 0; round < 40; round++) {
		unsigned k = 1 + ns_test_mix(&state) % 8, n = ns_test_mix(&state) % 5000;
		uint64_t *v = values(round % SHAPES, n + 1, round);
		struct ns_quantile *one = make(0.01), *part[8];

		ns_quantile_add_bulk(one, v, n);
		for (unsigned i = 0; i < k; i++)
			part[i] = make(0.01);
		for (unsigned i = 0; i < n; i++)
			ns_quantile_add(part[ns_test_mix(&state) % k], v[i]);
		for (unsigned left = k; left > 1; left--) {
			unsigned i = ns_test_mix(&state) % (left - 1);

			CU_ASSERT_EQUAL(ns_quantile_merge(part[i], part[left - 1]), 0);
			ns_quantile_destroy(part[left - 1]);
		}
		CU_ASSERT_EQUAL(memcmp(one, part[0], block(one)), 0);
		ns_quantile_destroy(part[0]);
		ns_quantile_destroy(one);
		free(v);
	}
}

static void merge_refused(void)
{
	struct ns_quantile_conf c = {.error = 0.01, .seed = 1};
	struct ns_quantile *q = make(0.01), *other_error = make(0.02);
	struct ns_quantile *other_seed = ns_quantile_create(&c);

	CU_ASSERT_EQUAL(ns_quantile_merge(q, other_error), -EINVAL);
	CU_ASSERT_EQUAL(ns_quantile_merge(q, other_seed), -EINVAL);
	ns_quantile_add(q, 5);
	q->counter[5] = q->count = UINT64_MAX; /* years of it */
	ns_quantile_add(other_error, 5);
	other_error->k = q->k;
	CU_ASSERT_EQUAL(ns_quantile_merge(q, other_error), -EOVERFLOW);
	CU_ASSERT_EQUAL(q->count, UINT64_MAX);
	ns_quantile_destroy(q);
	ns_quantile_destroy(other_error);
	ns_quantile_destroy(other_seed);
}

NS_TEST_MAIN({"error holds", error_holds}, {"buckets", buckets}, {"configuration", configuration},
	{"few values", few_values}, {"merged parts", merged_parts},
	{"merge refused", merge_refused})
