/* SPDX-License-Identifier: BSD-3-Clause */
#include "redis_priv.h"

#include <ns_test.h>
#include <ns_test_alloc.h>

#include <stdlib.h>
#include <string.h>

struct flow {
	uint64_t id, l2_octets, rev_l2_octets;
};

#define F(member) NS_REC_FIELD(struct flow, member, .name = #member, .type = NS_REC_U64)

static const struct ns_rec_field fields[] = {F(id), F(l2_octets), F(rev_l2_octets)};
static const struct ns_rec_kind kind = {
	.name = "flow", .size = sizeof(struct flow), .fields = fields, .fields_n = 3};

static int put(struct redis_flows *f, struct flow *flows, uint32_t n)
{
	return redis_flows_put(f,
		&(struct ns_batch){.kind = &kind, .n = n, .max = n, .records = (uint8_t *)flows});
}

static struct flow at(const struct redis_flows *f, uint32_t i)
{
	struct flow r;

	memcpy(&r, f->records + f->heap[i].slot * f->size, sizeof(r));
	return r;
}

static uint64_t mix(uint64_t v)
{
	v *= UINT64_C(0x9e3779b97f4a7c15);
	return v ^ v >> 29;
}

/* Of n flows in any order the largest stay, whole, both directions counted. */
static void largest(void)
{
	struct redis_flows f;
	uint64_t n = 5000;

	CU_ASSERT_EQUAL_FATAL(redis_flows_init(&f, 100), 0);
	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < n; i++) {
			uint64_t size = mix(i + 1) % n; /* each size may come several times */
			struct flow r = {size * 10 + i % 10, size / 3, size - size / 3};

			CU_ASSERT_EQUAL(put(&f, &r, 1), 0);
		}
		redis_flows_sort(&f);
		CU_ASSERT_EQUAL_FATAL(f.n, 100);
		for (uint32_t i = 0; i < f.n; i++) {
			struct flow r = at(&f, i);
			uint64_t above = 0;

			CU_ASSERT_EQUAL(r.l2_octets + r.rev_l2_octets, f.heap[i].weight);
			CU_ASSERT_EQUAL(r.id / 10, f.heap[i].weight);
			CU_ASSERT(i == 0 || f.heap[i].weight >= f.heap[i - 1].weight);
			for (uint64_t j = 0; j < n; j++)
				above += mix(j + 1) % n > f.heap[i].weight;
			CU_ASSERT(above < 100);
		}
		redis_flows_clear(&f);
	}
	redis_flows_fini(&f);
}

static void fewer_than_room(void)
{
	struct flow r[3] = {{1, 5, 0}, {2, 0, 9}, {3, 7, 0}};
	struct redis_flows f;

	CU_ASSERT_EQUAL_FATAL(redis_flows_init(&f, 10), 0);
	CU_ASSERT_EQUAL(put(&f, r, 3), 0);
	redis_flows_sort(&f);
	CU_ASSERT_EQUAL_FATAL(f.n, 3);
	CU_ASSERT_EQUAL(at(&f, 0).id, 1);
	CU_ASSERT_EQUAL(at(&f, 1).id, 3);
	CU_ASSERT_EQUAL(at(&f, 2).id, 2);
	redis_flows_fini(&f);
}

static void none_wanted(void)
{
	struct flow r = {1, 5, 0};
	struct redis_flows f;

	CU_ASSERT_EQUAL_FATAL(redis_flows_init(&f, 0), 0);
	CU_ASSERT_EQUAL(put(&f, &r, 1), 0);
	CU_ASSERT_EQUAL(f.n, 0);
	redis_flows_fini(&f);
}

static void no_memory(void)
{
	struct flow r = {1, 5, 0};
	struct redis_flows f;

	ns_test_alloc_fail(1);
	CU_ASSERT_EQUAL(redis_flows_init(&f, 10), -ENOMEM);
	CU_ASSERT_FALSE(ns_test_alloc_done());
	CU_ASSERT_EQUAL_FATAL(redis_flows_init(&f, 10), 0);
	ns_test_alloc_fail(1);
	CU_ASSERT_EQUAL(put(&f, &r, 1), -ENOMEM);
	CU_ASSERT_FALSE(ns_test_alloc_done());
	CU_ASSERT_EQUAL(put(&f, &r, 1), 0);
	CU_ASSERT_EQUAL(f.n, 1);
	redis_flows_fini(&f);
}

NS_TEST_MAIN({"the largest", largest}, {"fewer than there is room for", fewer_than_room},
	{"none wanted", none_wanted}, {"no memory", no_memory})
