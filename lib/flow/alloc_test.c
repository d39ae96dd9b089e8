/* SPDX-License-Identifier: BSD-3-Clause */
/* A table that can't have its memory. */
#include "flow_priv.h"
#include "flow_test_util.h"
#include "ns_test_rte_alloc.h"

#include <sys/mman.h>
#include <sys/resource.h>

/* mmap() counts as an allocation too. */
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	static void *(*next)(void *, size_t, int, int, int, off_t);

	if (ns_test_rte_hit()) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	if (next == NULL)
		*(void **)&next = ns_test_rte_next("mmap");
	return next(addr, len, prot, flags, fd, off);
}

static struct ns_flow_table *create(uint32_t max, uint32_t shards, uint32_t all)
{
	static const struct ns_flow_hooks hooks = {run_ended, NULL};
	const struct ns_flow_conf c = run_conf(&(struct ns_flow_conf){max, 10, 60, true, 2});

	return ns_flow_table_create(&c, 0, shards, all, 0, false, &hooks);
}

static void refused(void)
{
	ns_test_eal();
	CU_ASSERT_PTR_NULL(create(4096, 0, 64));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(create(4096, 65, 64));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(create(4096, 65537, 65537));
	CU_ASSERT_EQUAL(errno, EINVAL);
	/* rte_hash would take one key's place for another's */
	CU_ASSERT_PTR_NULL(create(1u << 26, 64, 64));
	CU_ASSERT_EQUAL(errno, EINVAL);
	ns_flow_table_destroy(NULL);
}

/* More than EAL, or the process, may have. */
static void exhausted(void)
{
	struct rlimit old, small;

	ns_test_eal();
	size_t before = ns_test_rte_used();

	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_DATA, &old), 0);
	small = old;
	small.rlim_cur = (rlim_t)2 << 30;
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_DATA, &small), 0);
	CU_ASSERT_PTR_NULL(create(1u << 25, 64, 64));
	CU_ASSERT_EQUAL(errno, ENOMEM);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_DATA, &old), 0);
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
		struct ns_flow_table *t = create(4096, 64, 64);

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
	uint32_t first = r->t->grow_at;
	uint64_t packets = 0;

	for (uint32_t i = 0; i < 40000; i++) {
		if (r->t->stats.flows + 1 == r->t->grow_at)
			ns_test_rte_fail(1);
		say(r, (struct say){.src = i + 1, .dst = 2, .proto = UDP});
	}
	ns_test_rte_done();
	CU_ASSERT_EQUAL(r->t->grow_at, UINT32_MAX);
	run_end(r, 0);
	for (unsigned i = 0; i < r->n; i++)
		packets += r->recs[i].packets;
	CU_ASSERT(r->n >= first);
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
		const struct ns_flow_conf c =
			run_conf(&(struct ns_flow_conf){sizes[i], 10, 60, true, 2});
		size_t before = ns_test_rte_used();
		struct ns_flow_table *t = create(sizes[i], 64, 64);

		CU_ASSERT_PTR_NOT_NULL_FATAL(t);
		CU_ASSERT(ns_test_rte_used() - before <= ns_flow_table_memory(&c, 64, 64, 0));
		ns_flow_table_destroy(t);
		CU_ASSERT_EQUAL(ns_test_rte_used(), before);
	}
}

FLOW_TEST_MAIN({"bad arguments", refused}, {"more than there is", exhausted},
	{"the Nth allocation fails", nth}, {"a table that can't grow", cannot_grow},
	{"65536 shards", many_shards}, {"what it says that it takes", memory})
