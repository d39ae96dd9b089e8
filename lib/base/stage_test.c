/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_stage.h>
#include <ns_test.h>

#include <string.h>

struct trace {
	char text[32];
	char fails; /* the stage that fails, or 0 */
};

static int up(struct trace *t, char name, struct ns_err *e)
{
	if (t->fails == name)
		return ns_fail(e, EBUSY, "stage %c", name);
	t->text[strlen(t->text)] = name;
	return 0;
}

static void down(struct trace *t, char name)
{
	t->text[strlen(t->text)] = (char)(name - 'a' + 'A');
}

#define STAGE(n)                                         \
	static int n##_init(void *ctx, struct ns_err *e) \
	{                                                \
		return up(ctx, #n[0], e);                \
	}                                                \
	static void n##_fini(void *ctx)                  \
	{                                                \
		down(ctx, #n[0]);                        \
	}

STAGE(a)
STAGE(b)
STAGE(d)

static int c_init(void *ctx, struct ns_err *e)
{
	return up(ctx, 'c', e);
}

static const struct ns_stage stages[] = {
	{"a", a_init, a_fini}, {"b", b_init, b_fini}, {"c", c_init, NULL}, {"d", d_init, d_fini}};

static void in_order(void)
{
	struct trace t = {0};
	struct ns_err e = {{0}};

	CU_ASSERT_EQUAL(ns_stages_up(stages, 4, &t, &e), 0);
	CU_ASSERT_STRING_EQUAL(t.text, "abcd");
	ns_stages_down(stages, 4, &t);
	CU_ASSERT_STRING_EQUAL(t.text, "abcdDBA");
	CU_ASSERT_STRING_EQUAL(e.text, "");
}

static void undone(void)
{
	static const char *const want[] = {"", "aA", "abBA", "abcBA"};

	for (size_t i = 0; i < NS_ARRAY_LEN(want); i++) {
		struct trace t = {.fails = (char)('a' + i)};
		struct ns_err e = {{0}};

		errno = 0;
		CU_ASSERT_EQUAL(ns_stages_up(stages, 4, &t, &e), -EBUSY);
		CU_ASSERT_EQUAL(errno, EBUSY);
		CU_ASSERT_STRING_EQUAL(t.text, want[i]);
		CU_ASSERT(e.text[6] == t.fails);
	}
}

static void none(void)
{
	struct trace t = {0};

	CU_ASSERT_EQUAL(ns_stages_up(NULL, 0, &t, NULL), 0);
	ns_stages_down(NULL, 0, &t);
	CU_ASSERT_STRING_EQUAL(t.text, "");
}

NS_TEST_MAIN({"in order", in_order}, {"undone on failure", undone}, {"none", none})
