/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_node.h>
#include <ns_test.h>

#include <string.h>

static void names(void)
{
	struct ns_err e = {""};
	char boot[33];

	CU_ASSERT_EQUAL(ns_node_init("probe-1.dc_2", &e), 0);
	CU_ASSERT_STRING_EQUAL(ns_node()->name, "probe-1.dc_2");
	CU_ASSERT_EQUAL(strlen(ns_node()->boot), 32);
	CU_ASSERT_TRUE(ns_node()->start_ns > 0);
	strcpy(boot, ns_node()->boot);
	CU_ASSERT_EQUAL(ns_node_init(NULL, &e), 0);
	CU_ASSERT_NOT_EQUAL(ns_node()->name[0], '\0');
	CU_ASSERT_STRING_NOT_EQUAL(ns_node()->boot, boot);
	CU_ASSERT_EQUAL(ns_node_check(ns_node()->name, &e), 0);
}

static void refused(void)
{
	struct ns_err e = {""};
	char long_name[NS_NODE_NAME_MAX + 2];

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	CU_ASSERT_EQUAL(ns_node_init("a/b", &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "\"a/b\" is no name of a node"));
	CU_ASSERT_EQUAL(ns_node_check(long_name, &e), -EINVAL);
	CU_ASSERT_EQUAL(ns_node_check(long_name + 1, &e), 0);
	CU_ASSERT_EQUAL(ns_node_check("", &e), -EINVAL);
}

NS_TEST_MAIN({"names", names}, {"refused", refused})
