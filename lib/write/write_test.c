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

static int check_target(const char *target, struct ns_err *e)
{
	return strcmp(target, "wrong") == 0 ? ns_fail(e, EINVAL, "wrong: is wrong") : 0;
}

static const struct ns_writer_ops good_ops = {.open = open_ok, .check = check_target};
static const struct ns_writer_ops bad_ops = {.open = open_fails};
static const struct ns_writer_ops before_ops = {.wants = NS_WRITER_WRAPS, .open = open_ok};
static const struct ns_plugin good = {
	NS_WRITER_KIND, "good", "for tests", NS_PLUGIN_ABI, &good_ops};
static const struct ns_plugin bad = {NS_WRITER_KIND, "bad", "for tests", NS_PLUGIN_ABI, &bad_ops};
static const struct ns_plugin before = {
	NS_WRITER_KIND, "before", "for tests", NS_PLUGIN_ABI, &before_ops};

NS_PLUGIN_REGISTER(before)
NS_PLUGIN_REGISTER(good)
NS_PLUGIN_REGISTER(bad)

static struct ns_writer *start(const char *spec, const struct ns_writer_ops **ops, struct ns_err *e)
{
	*ops = NULL;
	opened[0] = e->text[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	return ns_writer_open(spec, &(struct ns_writer_args){.conf = NULL}, ops, e);
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
	/* the interval is no part of name or target, and a target may look like one */
	CU_ASSERT_PTR_NOT_NULL(start("good@10s:a@b:c.csv", &ops, &e));
	CU_ASSERT_STRING_EQUAL(opened, "a@b:c.csv");
	CU_ASSERT_PTR_NOT_NULL(start("good:x@y", &ops, &e));
	CU_ASSERT_STRING_EQUAL(opened, "x@y");
	/* a writer before another one gets that one's, and its interval is the other's */
	CU_ASSERT_PTR_NOT_NULL(start("before+good:a+b", &ops, &e));
	CU_ASSERT_PTR_EQUAL(ops, &before_ops);
	CU_ASSERT_STRING_EQUAL(opened, "good:a+b");
	CU_ASSERT_PTR_NOT_NULL(start("before+good@10s:x", &ops, &e));
	CU_ASSERT_STRING_EQUAL(opened, "good@10s:x");
	CU_ASSERT_PTR_EQUAL(ns_writer_ops_of("before+good@10s:x"), &before_ops);
	CU_ASSERT_PTR_NOT_NULL(start("good:a+b", &ops, &e));
	CU_ASSERT_STRING_EQUAL(opened, "a+b");
}

static void intervals(void)
{
	static const struct {
		const char *spec;
		uint64_t ns;
	} good_ones[] = {{"csv:out.csv", UINT64_MAX}, {"csv", UINT64_MAX}, {"", UINT64_MAX},
		{"csv:a@5m", UINT64_MAX}, {"ipfix:udp://u@[::1]:4739", UINT64_MAX},
		{"csv@10:x", 10 * NS_SEC_NS}, {"csv@10s:x", 10 * NS_SEC_NS},
		{"csv@5m:x", 300 * NS_SEC_NS}, {"csv@1h:x", 3600 * NS_SEC_NS},
		{"csv@500ms:x", NS_SEC_NS / 2}, {"json@1ms:-", NS_SEC_NS / 1000},
		{"ipfix@2m:udp://[::1]:4739", 120 * NS_SEC_NS}, {"nosuch@7:x", 7 * NS_SEC_NS}};
	static const struct {
		const char *spec, *says;
	} bad_ones[] = {{"csv@:x", "ms, s, m or h"}, {"csv@x:x", "ms, s, m or h"},
		{"csv@10x:x", "ms, s, m or h"}, {"csv@-1s:x", "ms, s, m or h"},
		{"csv@1.5s:x", "ms, s, m or h"}, {"csv@1s@2s:x", "ms, s, m or h"},
		{"csv@10us:x", "ms, s, m or h"}, {"csv@0:x", "10s"}, {"csv@0ms:x", "10s"},
		{"csv@99999999999999999999:x", "more than"},
		{"csv@18446744073709551615:x", "more than"},
		{"csv@1111111111111111111111111111111111111111:x", "too long"}};
	struct ns_err e;
	uint64_t ns;

	for (size_t i = 0; i < NS_ARRAY_LEN(good_ones); i++) {
		ns = 1;
		CU_ASSERT_EQUAL(ns_writer_interval(good_ones[i].spec, &ns, &e), 0);
		CU_ASSERT_EQUAL(ns, good_ones[i].ns);
	}
	for (size_t i = 0; i < NS_ARRAY_LEN(bad_ones); i++) {
		e.text[0] = '\0';
		CU_ASSERT_EQUAL(ns_writer_interval(bad_ones[i].spec, &ns, &e), -EINVAL);
		CU_ASSERT_EQUAL(errno, EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad_ones[i].spec));
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad_ones[i].says));
	}
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
		{"good@10s", "good:TARGET", EINVAL},
		{"good@10s:", "good:TARGET", EINVAL},
		{"good@ten:x", "interval: expected a whole number of seconds", EINVAL},
		{"good@:x", "interval: expected a whole number of seconds", EINVAL},
		{"good@0:x", "interval of 0", EINVAL},
		{"good+bad:x", "good does not stand before", EINVAL},
		{"before:x", "before+csv:TARGET", EINVAL},
		{"+good:x", "there are: bad, before, good", EINVAL},
		{"goo@10s:x", "there are: bad, before, good", EINVAL},
		{"@10s:x", "there are: bad, before, good", EINVAL},
		{"goo:x", "there are: bad, before, good", EINVAL},
		{":x", "there are: bad, before, good", EINVAL},
		{"", "there are: bad, before, good", EINVAL},
		{"a-name-that-is-longer-than-any-writer-has:x", "there are: bad, before, good",
			EINVAL},
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

/* The same without opening. */
static void checks(void)
{
	struct ns_err e = {""};

	opened[0] = '\0';
	CU_ASSERT_EQUAL(ns_writer_check("good@5s:there", &e), 0);
	CU_ASSERT_EQUAL(ns_writer_check("bad:anywhere", &e), 0);
	CU_ASSERT_EQUAL(ns_writer_check("good:wrong", &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "wrong: is wrong");
	CU_ASSERT_EQUAL(ns_writer_check("before+good:there", &e), 0);
	CU_ASSERT_EQUAL(ns_writer_check("good+good:there", &e), -EINVAL);
	CU_ASSERT_EQUAL(ns_writer_check("good", &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "say where to"));
	CU_ASSERT_EQUAL(ns_writer_check("good@x:there", &e), -EINVAL);
	CU_ASSERT_EQUAL(ns_writer_check("gud:there", &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "no such writer; there are: bad, before, good"));
	CU_ASSERT_STRING_EQUAL(opened, "");
}

/* What a reload asks of specs: whether a writer is the same as before, and what stands behind it.
 */
static void same(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {{"csv:x", "csv:x", true}, {"csv@5s:x", "csv:x", true},
		{"csv@5s:x", "csv@1m:x", true}, {"csv:x", "csv:y", false},
		{"csv:x", "json:x", false}, {"csv:x", "cs:x", false},
		{"csv:u@h:1", "csv:v@h:1", false}, {"zmq:tcp://a:1", "zmq@1s:tcp://a:1", true},
		{"spool+csv@1s:x", "spool+csv:x", true}, {"spool+csv:x", "csv:x", false},
		{"spool+csv:x", "spool+json:x", false}};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		CU_ASSERT_EQUAL(ns_writer_same(cases[i].a, cases[i].b), cases[i].same);
		CU_ASSERT_EQUAL(ns_writer_same(cases[i].b, cases[i].a), cases[i].same);
	}
	CU_ASSERT_STRING_EQUAL(ns_writer_behind("spool+csv@5s:x"), "csv@5s:x");
	CU_ASSERT_PTR_NULL(ns_writer_behind("csv@5s:x+y"));
	CU_ASSERT_PTR_NULL(ns_writer_behind("csv:a+b:c"));
}

NS_TEST_MAIN({"finds", finds}, {"checks", checks}, {"intervals", intervals}, {"refuses", refuses},
	{"same", same})
