/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test.h"

#include <ns_timeline.h>

static struct ns_timeline t, u;

static uint64_t total(const struct ns_timeline *x)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < x->used; i++)
		n += x->slots[i].packets;
	return n;
}

static void seconds(void)
{
	t = (struct ns_timeline){0};
	ns_timeline_add(&t, 100 * NS_SEC_NS, 60);
	ns_timeline_add(&t, 100 * NS_SEC_NS + 999999999, 40);
	ns_timeline_add(&t, 103 * NS_SEC_NS, 10);
	CU_ASSERT_EQUAL(t.width, 1);
	CU_ASSERT_EQUAL(t.base, 100);
	CU_ASSERT_EQUAL(t.used, 4);
	CU_ASSERT_EQUAL(t.slots[0].packets, 2);
	CU_ASSERT_EQUAL(t.slots[0].octets, 100);
	CU_ASSERT_EQUAL(t.slots[3].octets, 10);
}

static void folds(void)
{
	t = (struct ns_timeline){0};
	for (uint64_t s = 0; s < 5000; s++)
		ns_timeline_add(&t, (1001 + s) * NS_SEC_NS, 1);
	CU_ASSERT_EQUAL(t.width, 8);
	CU_ASSERT_EQUAL(t.base % t.width, 0);
	CU_ASSERT(t.base <= 1001);
	CU_ASSERT_EQUAL(total(&t), 5000);
	CU_ASSERT_EQUAL(t.slots[1].packets, 8);
}

static void earlier(void)
{
	t = (struct ns_timeline){0};
	ns_timeline_add(&t, 1000 * NS_SEC_NS, 1);
	ns_timeline_add(&t, 990 * NS_SEC_NS, 1);
	CU_ASSERT_EQUAL(t.base, 990);
	CU_ASSERT_EQUAL(t.slots[0].packets, 1);
	CU_ASSERT_EQUAL(t.slots[10].packets, 1);
	ns_timeline_add(&t, 0, 1);
	ns_timeline_add(&t, UINT64_MAX, 1);
	CU_ASSERT_EQUAL(total(&t), 4);
}

static void merges(void)
{
	t = u = (struct ns_timeline){0};
	ns_timeline_add(&t, 10 * NS_SEC_NS, 1);
	ns_timeline_add(&u, 11 * NS_SEC_NS, 5);
	ns_timeline_add(&u, 9000 * NS_SEC_NS, 5);
	ns_timeline_merge(&t, &u);
	CU_ASSERT_EQUAL(total(&t), 3);
	CU_ASSERT_EQUAL(t.width, u.width);
}

NS_TEST_MAIN({"a slot a second", seconds}, {"folds when it overflows", folds},
	{"earlier packets move the base", earlier}, {"merges", merges})
