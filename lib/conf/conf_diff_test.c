/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf_test_sections.h"

#include <ns_test.h>

static struct ns_conf *load(const char *override)
{
	struct ns_err e = {""};
	struct ns_conf *c = ns_conf_load(NULL, &override, override != NULL, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

/* The first key in which the defaults and those with the override differ; "": in none. */
static const char *first(const char *override, const char *const *except)
{
	static char key[64];
	struct ns_conf *a = load(NULL), *b = load(override);
	int rc = ns_conf_differs(a, b, except, key, sizeof(key));

	CU_ASSERT_TRUE(rc >= 0);
	if (rc == 0)
		key[0] = '\0';
	ns_conf_destroy(a);
	ns_conf_destroy(b);
	return key;
}

static void keys(void)
{
	CU_ASSERT_STRING_EQUAL(first(NULL, NULL), "");
	CU_ASSERT_STRING_EQUAL(first(T_PREFIX "flow.idle=17", NULL), T_PREFIX "flow.idle");
	CU_ASSERT_STRING_EQUAL(first(T_PREFIX "flow.sub.depth=9", NULL), T_PREFIX "flow.sub.depth");
	CU_ASSERT_STRING_EQUAL(first(T_PREFIX "flow.files=[x, y, z]", NULL), T_PREFIX "flow.files");
	/* what says the same is no difference */
	CU_ASSERT_STRING_EQUAL(first(T_PREFIX "flow.tcp_end=true", NULL), "");
}

static void left_out(void)
{
	static const char *const idle[] = {T_PREFIX "flow.idle", NULL};
	static const char *const all[] = {T_PREFIX "flow", NULL};

	CU_ASSERT_STRING_EQUAL(first(T_PREFIX "flow.idle=17", idle), "");
	CU_ASSERT_STRING_EQUAL(first(T_PREFIX "flow.active=77", idle), T_PREFIX "flow.active");
	CU_ASSERT_STRING_EQUAL(first(T_PREFIX "flow.active=77", all), "");
}

/* Some have a value that may be absent. */
static void absent(void)
{
	static const char *const note[] = {T_PREFIX "flow.note", NULL};

	CU_ASSERT_STRING_EQUAL(first(T_PREFIX "flow.note=hello", NULL), T_PREFIX "flow.note");
	CU_ASSERT_STRING_EQUAL(first(T_PREFIX "flow.note=hello", note), "");
}

static void live(void)
{
	const char *keys[NS_CONF_LIVE_MAX];

	CU_ASSERT_EQUAL_FATAL(ns_conf_live(keys), 2);
	CU_ASSERT_STRING_EQUAL(keys[0], "flow.active");
	CU_ASSERT_STRING_EQUAL(keys[1], "flow.idle");
	CU_ASSERT_PTR_NULL(keys[2]);
}

NS_TEST_MAIN({"keys", keys}, {"left out", left_out}, {"absent", absent}, {"live", live})
