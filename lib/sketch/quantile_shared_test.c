/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles that are looked at while they are written, and what came between two looks. */
#include "ns_test.h"
#include "quantile_priv.h"

#include <pthread.h>

static struct ns_quantile *make(double error, uint64_t seed)
{
	struct ns_quantile_conf c = {.error = error, .seed = seed};
	struct ns_quantile *q = ns_quantile_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	return q;
}

static size_t block(const struct ns_quantile *q)
{
	return sizeof(*q) + q->buckets * sizeof(uint64_t);
}

/* Many at once are what one by one would be, in every octet; so is a copy of a quiet sketch. */
static void same_as_one_by_one(void)
{
	struct ns_quantile *a = make(0.01, 0), *b = make(0.01, 0), *copy = make(0.01, 0);
	uint64_t v = 1;

	for (unsigned i = 0; i < 3000; i++, v = v * 25214903917 + 11) {
		uint64_t value = i % 97 == 0 ? i % 3 : v >> (i % 64), times = i % 40;

		if (times == 0)
			continue;
		ns_quantile_add_shared(a, value, times);
		for (unsigned k = 0; k < times; k++)
			ns_quantile_add(b, value);
	}
	CU_ASSERT_EQUAL(memcmp(a, b, block(a)), 0);
	CU_ASSERT_EQUAL(ns_quantile_merge_shared(copy, a), 0);
	CU_ASSERT_EQUAL(memcmp(copy, a, block(a)), 0);
	CU_ASSERT_EQUAL(ns_quantile_merge_shared(copy, a), 0);
	CU_ASSERT_EQUAL(ns_quantile_count(copy), 2 * ns_quantile_count(a));
	CU_ASSERT_EQUAL(ns_quantile_value(copy, 0.9), ns_quantile_value(a, 0.9));
	ns_quantile_destroy(a);
	ns_quantile_destroy(b);
	ns_quantile_destroy(copy);
}

static void between_two_looks(void)
{
	struct ns_quantile *q = make(0.01, 0), *before = make(0.01, 0);
	double error = ns_quantile_error(q);

	for (unsigned i = 0; i < 1000; i++)
		ns_quantile_add_shared(q, 5, 10);
	ns_quantile_add_shared(q, 1000000, 1);
	CU_ASSERT_EQUAL(ns_quantile_merge_shared(before, q), 0);
	for (unsigned i = 1; i <= 1000; i++)
		ns_quantile_add_shared(q, 100 * i, 2);
	CU_ASSERT_EQUAL(ns_quantile_since(before, q), 0);
	CU_ASSERT_EQUAL(ns_quantile_count(before), 2000);
	CU_ASSERT_DOUBLE_EQUAL(ns_quantile_mean(before), 50050, 1e-6);
	CU_ASSERT_DOUBLE_EQUAL(ns_quantile_value(before, 0.5), 50000, 50000 * error);
	CU_ASSERT_DOUBLE_EQUAL(ns_quantile_value(before, 0.99), 99000, 99000 * error);
	/* a bucket is twice as wide as its error */
	CU_ASSERT_DOUBLE_EQUAL((double)ns_quantile_max(before), 100000, 100000 * 2 * error);
	CU_ASSERT_DOUBLE_EQUAL((double)ns_quantile_min(before), 100, 100 * 2 * error);

	/* nothing came */
	ns_quantile_reset(before);
	ns_quantile_merge_shared(before, q);
	CU_ASSERT_EQUAL(ns_quantile_since(before, q), 0);
	CU_ASSERT_EQUAL(ns_quantile_count(before), 0);
	CU_ASSERT_EQUAL(ns_quantile_max(before), 0);
	CU_ASSERT_EQUAL(ns_quantile_value(before, 0.5), 0);
	ns_quantile_destroy(q);
	ns_quantile_destroy(before);
}

static void not_alike(void)
{
	struct ns_quantile *a = make(0.01, 0), *b = make(0.05, 0), *c = make(0.01, 1);

	CU_ASSERT_EQUAL(ns_quantile_merge_shared(a, b), -EINVAL);
	CU_ASSERT_EQUAL(ns_quantile_merge_shared(a, c), -EINVAL);
	CU_ASSERT_EQUAL(ns_quantile_since(a, b), -EINVAL);
	CU_ASSERT_EQUAL(ns_quantile_since(a, c), -EINVAL);
	ns_quantile_destroy(a);
	ns_quantile_destroy(b);
	ns_quantile_destroy(c);
}

struct writer {
	struct ns_quantile *q;
	bool stop; /* atomic */
	uint64_t added;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;

	for (uint64_t i = 1; !__atomic_load_n(&w->stop, __ATOMIC_RELAXED); i++) {
		ns_quantile_add_shared(w->q, 1000 + i % 1000, 32);
		w->added += 32;
	}
	return NULL;
}

/* Each look is whole, and none is behind the one before. */
static void while_it_is_written(void)
{
	struct writer w = {.q = make(0.01, 0)};
	struct ns_quantile *look = make(0.01, 0);
	uint64_t last = 0;
	pthread_t t;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, write_on, &w), 0);
	for (unsigned i = 0; i < 2000 || last == 0; i++) {
		uint64_t sum = 0;

		ns_quantile_reset(look);
		ns_quantile_merge_shared(look, w.q);
		for (uint32_t b = 0; b < look->buckets; b++)
			sum += look->counter[b];
		CU_ASSERT_EQUAL(sum, ns_quantile_count(look));
		CU_ASSERT(sum >= last);
		last = sum;
		if (sum == 0)
			continue;
		CU_ASSERT(ns_quantile_value(look, 0) >= 1000);
		CU_ASSERT(ns_quantile_value(look, 1) <= 1999);
	}
	__atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	CU_ASSERT_EQUAL(ns_quantile_count(w.q), w.added);
	ns_quantile_destroy(w.q);
	ns_quantile_destroy(look);
}

NS_TEST_MAIN({"same as one by one", same_as_one_by_one}, {"between two looks", between_two_looks},
	{"not alike", not_alike}, {"while it is written", while_it_is_written})
