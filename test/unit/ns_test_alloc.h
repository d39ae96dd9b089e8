/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Makes the Nth allocation fail. Include in ONE file of a test program: it defines malloc(),
 * calloc() and realloc() for the whole program, libraries too, on top of the C library's or, under
 * a sanitizer, of the sanitizer's. (Under clang's, functions like strdup() bypass them.)
 *
 *	for (unsigned n = 1;; n++) {
 *		ns_test_alloc_fail(n);
 *		x = x_create();
 *		if (ns_test_alloc_done())	(true: the Nth was never asked for)
 *			break;
 *		CU_ASSERT_PTR_NULL(x);
 *	}
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__interceptor_malloc(size_t) __attribute__((weak));
void *__interceptor_calloc(size_t, size_t) __attribute__((weak));
void *__interceptor_realloc(void *, size_t) __attribute__((weak));

/* A sanitizer allocates before its own shadow memory is there: nothing here may be instrumented. */
#ifdef __clang__
#define NS_TEST_PLAIN __attribute__((disable_sanitizer_instrumentation))
#else
#define NS_TEST_PLAIN __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

static atomic_uint ns_test_alloc_left; /**< allocations until the one that fails; 0: none does */

NS_TEST_PLAIN static bool ns_test_alloc_hit(void)
{
	unsigned left = atomic_load(&ns_test_alloc_left);

	while (left > 0) {
		if (atomic_compare_exchange_weak(&ns_test_alloc_left, &left, left - 1)) {
			if (left == 1)
				errno = ENOMEM;
			return left == 1;
		}
	}
	return false;
}

/** The @p nth allocation from now on returns NULL with ENOMEM. */
static inline void ns_test_alloc_fail(unsigned nth)
{
	atomic_store(&ns_test_alloc_left, nth);
}

/** Ends the experiment; true when it made no allocation fail. */
static inline bool ns_test_alloc_done(void)
{
	return atomic_exchange(&ns_test_alloc_left, 0) > 0;
}

NS_TEST_PLAIN void *malloc(size_t n)
{
	if (ns_test_alloc_hit())
		return NULL;
	return __interceptor_malloc != NULL ? __interceptor_malloc(n) : __libc_malloc(n);
}

NS_TEST_PLAIN void *calloc(size_t n, size_t size)
{
	if (ns_test_alloc_hit())
		return NULL;
	return __interceptor_calloc != NULL ? __interceptor_calloc(n, size)
					    : __libc_calloc(n, size);
}

NS_TEST_PLAIN void *realloc(void *p, size_t n)
{
	if (ns_test_alloc_hit())
		return NULL;
	return __interceptor_realloc != NULL ? __interceptor_realloc(p, n) : __libc_realloc(p, n);
}
