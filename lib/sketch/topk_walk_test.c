/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test.h"
#include "ns_topk.h"

/* Each key that has a place comes once, with what a question for it tells. */
static void walk(void)
{
	const struct ns_topk_conf c = {.memory = 4096, .key_len = 8};
	struct ns_topk *t = ns_topk_create(&c);
	struct ns_topk_entry e, asked;
	bool seen[400] = {false};
	uint32_t at = 0, n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_FALSE(ns_topk_next(t, &at, &e));
	for (uint64_t i = 0; i < NS_ARRAY_LEN(seen); i++) {
		uint64_t hash = ns_hash_words(&i, 1, 0), weight = 1 + i % 7;

		ns_topk_add_bulk(t, &hash, (const uint8_t *)&i, 8, &weight, NULL, 1);
	}
	for (at = 0; ns_topk_next(t, &at, &e); n++) {
		uint64_t key;

		memcpy(&key, e.key, sizeof(key));
		CU_ASSERT_FATAL(key < NS_ARRAY_LEN(seen));
		CU_ASSERT_FALSE(seen[key]);
		seen[key] = true;
		CU_ASSERT_EQUAL(e.hash, ns_hash_words(&key, 1, 0));
		CU_ASSERT_TRUE(ns_topk_query(t, e.hash, &asked));
		CU_ASSERT_EQUAL(e.count, asked.count);
		CU_ASSERT_EQUAL(e.error, asked.error);
		CU_ASSERT_EQUAL(e.other, asked.other);
	}
	CU_ASSERT_EQUAL(n, ns_topk_capacity(t));
	/* and stays at the end */
	CU_ASSERT_FALSE(ns_topk_next(t, &at, &e));
	ns_topk_reset(t);
	at = 0;
	CU_ASSERT_FALSE(ns_topk_next(t, &at, &e));
	ns_topk_destroy(t);
}

NS_TEST_MAIN({"walk", walk})
