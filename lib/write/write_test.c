/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_registry.h>
#include <ns_test.h>
#include <ns_write.h>

#include <string.h>

/* Two writers that only remember what they were opened with. */
static char opened[64];

static struct ns_writer *open_ok(const struct ns_writer_args *args, struct ns_err *e)
{
	snprintf(opened, sizeof(opened), "%s", args->target);
	return (struct ns_writer *)opened;
}

static struct ns_writer *open_fails(const struct ns_writer_args *args, struct ns_err *e)
{
	ns_fail(e, EROFS, "%s: read-only", args->target);
	return NULL;
}

static const struct ns_writer_ops good_ops = {.open = open_ok};
static const struct ns_writer_ops bad_ops = {.open = open_fails};
static const struct ns_plugin good = {
	NS_WRITER_KIND, "good", "for tests", NS_PLUGIN_ABI, &good_ops};
static const struct ns_plugin bad = {NS_WRITER_KIND, "bad", "for tests", NS_PLUGIN_ABI, &bad_ops};

NS_PLUGIN_REGISTER(good)
NS_PLUGIN_REGISTER(bad)

static struct ns_writer *start(const char *spec, const struct ns_writer_ops **ops, struct ns_err *e)
{
	*ops = NULL;
	opened[0] = e->text[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	return ns_writer_open(spec, NULL, ops, e);
}

static void finds(void)
{
	const struct ns_writer_ops *ops;
	struct ns_err e;

	CU_ASSERT_PTR_NOT_NULL(start("good:a/b.csv", &ops, &e));
	CU_ASSERT_PTR_EQUAL(ops, &good_ops);
	CU_ASSERT_STRING_EQUAL(opened, "a/b.csv");
	/* only the first colon parts the name from the target */
	CU_ASSERT_PTR_NOT_NULL(start("good:udp:[::1]:4739", &ops, &e));
	CU_ASSERT_STRING_EQUAL(opened, "udp:[::1]:4739");
	CU_ASSERT_PTR_NOT_NULL(start("good:-", &ops, &e));
}

static void refuses(void)
{
	static const struct {
		const char *spec, *says;
		int err;
	} cases[] = {
		{"bad:x", "x: read-only", EROFS},
		{"good", "good:TARGET", EINVAL},
		{"good:", "good:TARGET", EINVAL},
		{"goo:x", "there are: bad, good", EINVAL},
		{":x", "there are: bad, good", EINVAL},
		{"", "there are: bad, good", EINVAL},
		{"a-name-that-is-longer-than-any-writer-has:x", "there are: bad, good", EINVAL},
	};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		const struct ns_writer_ops *ops;
		struct ns_err e;

		CU_ASSERT_PTR_NULL(start(cases[i].spec, &ops, &e));
		CU_ASSERT_EQUAL(errno, cases[i].err);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i].says));
		CU_ASSERT_STRING_EQUAL(opened, "");
	}
}

NS_TEST_MAIN({"finds", finds}, {"refuses", refuses})
