/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The frame of every unit test: a table of functions run by CUnit, exit status 1 when one fails.
 *
 *	static void adds_up(void) { CU_ASSERT_EQUAL(1 + 1, 2); }
 *	NS_TEST_MAIN({"adds up", adds_up})
 *
 * A test that needs EAL calls ns_test_eal() first (no hugepages, no PCI, nothing left behind).
 */

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>

struct ns_test_case {
	const char *name;
	void (*fn)(void);
};

static inline int ns_test_run(const char *suite, const struct ns_test_case *cases, size_t n)
{
	unsigned failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	CU_pSuite s = CU_add_suite(suite, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		CU_add_test(s, cases[i].name, cases[i].fn);
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failed = CU_get_number_of_tests_failed() + CU_get_number_of_suites_failed();
	if (CU_get_number_of_tests_run() != n)
		failed++;
	CU_cleanup_registry();
	return failed > 0;
}

#define NS_TEST_MAIN(...)                                                              \
	int main(void)                                                                 \
	{                                                                              \
		static const struct ns_test_case cases[] = {__VA_ARGS__};              \
                                                                                       \
		return ns_test_run(__FILE__, cases, sizeof(cases) / sizeof(cases[0])); \
	}
