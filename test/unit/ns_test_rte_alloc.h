/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Makes the Nth allocation from EAL's memory fail. Include in ONE file of a test program: it stands
 * before the shared libraries of DPDK with rte_malloc(), rte_zmalloc(), their socket forms and
 * rte_memzone_reserve(), which rings, mempools and hashes take their memory with.
 *
 *	for (unsigned n = 1;; n++) {
 *		ns_test_rte_fail(n);
 *		x = x_create();
 *		if (ns_test_rte_done())		(true: the Nth was never asked for)
 *			break;
 *		CU_ASSERT_PTR_NULL(x);
 *	}
 */

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memzone.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

static unsigned ns_test_rte_left; /* allocations until the one that fails; 0: none does */

static inline void ns_test_rte_fail(unsigned nth)
{
	ns_test_rte_left = nth;
}

/** Ends the experiment; true when it made no allocation fail. */
static inline bool ns_test_rte_done(void)
{
	bool unused = ns_test_rte_left > 0;

	ns_test_rte_left = 0;
	return unused;
}

static bool ns_test_rte_hit(void)
{
	if (ns_test_rte_left == 0 || --ns_test_rte_left > 0)
		return false;
	rte_errno = ENOMEM;
	return true;
}

static void *ns_test_rte_next(const char *name)
{
	void *fn = dlsym(RTLD_NEXT, name);

	if (fn == NULL)
		abort();
	return fn;
}

/** Octets of EAL's heaps that are in use. */
static inline size_t ns_test_rte_used(void)
{
	struct rte_malloc_socket_stats s;

	return rte_malloc_get_socket_stats(0, &s) == 0 ? s.heap_allocsz_bytes : 0;
}

#define NS_TEST_RTE(ret, name, params, args)                       \
	ret name params                                            \
	{                                                          \
		static ret(*next) params;                          \
                                                                   \
		if (ns_test_rte_hit())                             \
			return NULL;                               \
		if (next == NULL)                                  \
			*(void **)&next = ns_test_rte_next(#name); \
		return next args;                                  \
	}

NS_TEST_RTE(
	void *, rte_malloc, (const char *type, size_t size, unsigned align), (type, size, align))
NS_TEST_RTE(
	void *, rte_zmalloc, (const char *type, size_t size, unsigned align), (type, size, align))
NS_TEST_RTE(void *, rte_malloc_socket, (const char *type, size_t size, unsigned align, int socket),
	(type, size, align, socket))
NS_TEST_RTE(void *, rte_zmalloc_socket, (const char *type, size_t size, unsigned align, int socket),
	(type, size, align, socket))
NS_TEST_RTE(const struct rte_memzone *, rte_memzone_reserve,
	(const char *name, size_t len, int socket, unsigned flags), (name, len, socket, flags))
NS_TEST_RTE(const struct rte_memzone *, rte_memzone_reserve_aligned,
	(const char *name, size_t len, int socket, unsigned flags, unsigned align),
	(name, len, socket, flags, align))
