/* SPDX-License-Identifier: BSD-3-Clause */
/* A table that can't have its memory. */
#include "flow_priv.h"
#include "flow_test_util.h"
#include "ns_test_rte_alloc.h"

static const struct ns_flow_hooks hooks = {run_ended, NULL};

static void refused(void)
{
	static const struct ns_flow_conf usual = {4096, 10, 60, true, 2};

	ns_test_eal();
	CU_ASSERT_PTR_NULL(ns_flow_table_create(&usual, 0, 0, 64, 0, false, &hooks));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(ns_flow_table_create(&usual, 0, 65, 64, 0, false, &hooks));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(ns_flow_table_create(&usual, 0, 65537, 65537, 0, false, &hooks));
	CU_ASSERT_EQUAL(errno, EINVAL);
	/* rte_hash would take one key's place for another's */
	CU_ASSERT_PTR_NULL(ns_flow_table_create(
		&(struct ns_flow_conf){1u << 26, 10, 60, true, 2}, 0, 64, 64, 0, false, &hooks));
	CU_ASSERT_EQUAL(errno, EINVAL);
	ns_flow_table_destroy(NULL);
}

/* More than EAL has. */
static void exhausted(void)
{
	ns_test_eal();
	size_t before = ns_test_rte_used();

	CU_ASSERT_PTR_NULL(ns_flow_table_create(
		&(struct ns_flow_conf){1u << 25, 10, 60, true, 2}, 0, 64, 64, 0, false, &hooks));
	CU_ASSERT_EQUAL(errno, ENOMEM);
	CU_ASSERT_EQUAL(ns_test_rte_used(), before);
}

static void nth(void)
{
	unsigned n;

	ns_test_eal();
	/* what is taken once and kept, as the list of memzones' pages, is taken now */
	run_free(run_usual());
	size_t before = ns_test_rte_used();

	for (n = 1; n < 100; n++) {
		ns_test_rte_fail(n);
		struct ns_flow_table *t = ns_flow_table_create(
			&(struct ns_flow_conf){4096, 10, 60, true, 2}, 0, 64, 64, 0, false, &hooks);

		if (ns_test_rte_done()) {
			CU_ASSERT_PTR_NOT_NULL(t);
			ns_flow_table_destroy(t);
			break;
		}
		CU_ASSERT_PTR_NULL(t);
		CU_ASSERT_EQUAL(errno, ENOMEM);
		CU_ASSERT_EQUAL(ns_test_rte_used(), before);
		ns_flow_table_destroy(t);
	}
	CU_ASSERT(n > 5);
	CU_ASSERT_EQUAL(ns_test_rte_used(), before);
}

/* No memory to grow: the flows that are there stay, and no packet is lost without a name. */
static void cannot_grow(void)
{
	run_t *r = run_share(&(struct ns_flow_conf){262144, 10, 60, true, 2}, 0, 64, 64, 0, true);
	uint32_t first = r->t->store.capacity;
	uint64_t packets = 0;

	for (uint32_t i = 0; i < 40000; i++) {
		if (r->t->stats.flows + 1 == r->t->grow_at)
			ns_test_rte_fail(1);
		say(r, (struct say){.src = i + 1, .dst = 2, .proto = UDP});
	}
	ns_test_rte_done();
	CU_ASSERT_EQUAL(r->t->store.capacity, first);
	run_end(r, 0);
	for (unsigned i = 0; i < r->n; i++)
		packets += r->recs[i].packets;
	CU_ASSERT_EQUAL(r->n, first);
	CU_ASSERT_EQUAL(packets + r->c.v[ns_drop_flow_table_full.id], 40000);
	run_free(r);
}

/* As many shards as there can be, each with room for a flow. */
static void many_shards(void)
{
	run_t *r =
		run_share(&(struct ns_flow_conf){4096, 10, 60, true, 2}, 0, 65536, 65536, 0, false);

	for (uint32_t i = 0; i < 20000; i++)
		say(r, (struct say){.src = i + 1, .dst = 2, .proto = UDP});
	CU_ASSERT_EQUAL(r->c.v[ns_drop_flow_table_full.id], 0);
	run_end(r, 0);
	CU_ASSERT_EQUAL(r->n, 20000);
	run_free(r);
}

/* What ns_flow_table_memory() promises is enough. */
static void memory(void)
{
	static const uint32_t sizes[] = {4096, 5000, 65536, 100000, 131072, 200000};

	ns_test_eal();
	for (unsigned i = 0; i < NS_ARRAY_LEN(sizes); i++) {
		struct ns_flow_conf c = {sizes[i], 10, 60, true, 2};
		size_t before = ns_test_rte_used();
		struct ns_flow_table *t = ns_flow_table_create(&c, 0, 64, 64, 0, false, &hooks);

		CU_ASSERT_PTR_NOT_NULL_FATAL(t);
		CU_ASSERT(ns_test_rte_used() - before <= ns_flow_table_memory(&c, 64, 64, 0));
		ns_flow_table_destroy(t);
		CU_ASSERT_EQUAL(ns_test_rte_used(), before);
	}
}

NS_TEST_MAIN({"bad arguments", refused}, {"more than there is", exhausted},
	{"the Nth allocation fails", nth}, {"a table that can't grow", cannot_grow},
	{"65536 shards", many_shards}, {"what it says that it takes", memory})
