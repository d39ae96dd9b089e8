/* SPDX-License-Identifier: BSD-3-Clause */
/* Order, grouping and merging change nothing. */
#include "sample_test_util.h"

static void order_and_grouping(void)
{
	for (unsigned shape = 0; shape < SHAPES; shape++) {
		struct stream s = make_stream(shape, 30000, 3, shape);
		struct ns_sample *one = make(700), *two = make(700);

		add(one, &s, 0, s.n, 1, 1);
		for (unsigned round = 0; round < 4; round++) {
			shuffle(&s, round);
			ns_sample_reset(two);
			add(two, &s, 0, s.n, round == 0 ? 5000 : round * 20, round);
			CU_ASSERT(same(one, two));
		}
		ns_sample_destroy(one);
		ns_sample_destroy(two);
		free_stream(&s);
	}
}

static void merge_parts(enum shape shape, unsigned n, uint32_t slots, uint64_t seed)
{
	struct stream s = make_stream(shape, n, 3, seed);
	struct ns_sample *whole = make(slots), *part[8];
	unsigned k = 1 + (unsigned)(ns_test_mix(&seed) % 8), left = k;

	add(whole, &s, 0, s.n, 32, seed);
	for (unsigned i = 0; i < k; i++)
		part[i] = make(slots);
	for (unsigned i = 0; i < s.n; i++)
		add(part[ns_test_mix(&seed) % k], &s, i, i + 1, 1, i);
	while (left > 1) { /* any tree */
		unsigned i = (unsigned)(ns_test_mix(&seed) % (left - 1));

		CU_ASSERT_EQUAL(ns_sample_merge(part[i], part[left - 1]), 0);
		CU_ASSERT(roomy(part[i]));
		ns_sample_destroy(part[--left]);
	}
	CU_ASSERT(same(part[0], whole));
	holds(part[0], &s);
	ns_sample_destroy(part[0]);
	ns_sample_destroy(whole);
	free_stream(&s);
}

static void merged_is_one_pass(void)
{
	for (unsigned shape = 0; shape < SHAPES; shape++)
		for (unsigned i = 0; i < 8; i++)
			merge_parts(shape, 500 + 3000 * i, i % 2 ? 300 : 6000, i * 31 + shape);
}

/* Two full tables whose walks go through each other from one end. */
static void merge_full(void)
{
	struct stream s = make_stream(EVEN, 2000000, 0, 77);
	struct ns_sample *x = make(400000), *y = make(400000), *whole = make(400000);

	add(x, &s, 0, 1000000, 32, 1);
	add(y, &s, 1000000, 2000000, 32, 1);
	add(whole, &s, 0, 2000000, 32, 1);
	CU_ASSERT_EQUAL(ns_sample_merge(x, y), 0);
	CU_ASSERT(same(x, whole));
	ns_sample_destroy(x);
	ns_sample_destroy(y);
	ns_sample_destroy(whole);
	free_stream(&s);
}

static void merge_refuses(void)
{
	struct ns_sample_conf c = {.slots = 100, .key_len = 16, .values = 2, .seed = 5};
	struct ns_sample *x = make(100), *y = ns_sample_create(&c), *z = make(101);

	CU_ASSERT_EQUAL(ns_sample_merge(x, y), -EINVAL);
	CU_ASSERT_EQUAL(ns_sample_merge(x, z), -EINVAL);
	ns_sample_destroy(x);
	ns_sample_destroy(y);
	ns_sample_destroy(z);
	ns_sample_destroy(NULL);
}

NS_TEST_MAIN({"order and grouping", order_and_grouping}, {"merged is one pass", merged_is_one_pass},
	{"merge full", merge_full}, {"merge refuses", merge_refuses})
