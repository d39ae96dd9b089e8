/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_command_words.h>
#include <ns_test.h>

#include <string.h>

static int run(struct ns_command_call *c, struct ns_err *e)
{
	(void)e;
	ns_command_text(c, "%u words", c->argc);
	return 0;
}

static struct ns_command lcores = {.name = "show lcores", .run = run};
static struct ns_command show = {.name = "show", .run = run};
static struct ns_command log_ = {.name = "show log", .run = run};
static struct ns_command quit = {.name = "quit", .run = run};
NS_COMMAND_REGISTER(lcores)
NS_COMMAND_REGISTER(show)
NS_COMMAND_REGISTER(log_)
NS_COMMAND_REGISTER(quit)
static struct ns_command shutdown_ = {.name = "shutdown", .whole = true, .run = run};
NS_COMMAND_REGISTER(shutdown_)

static const struct ns_command *find(const char *a, const char *b, unsigned *used, struct ns_err *e)
{
	const char *words[] = {a, b};

	return ns_command_find(words, b != NULL ? 2 : 1, used, e);
}

static void found(void)
{
	struct ns_err e = {""};
	unsigned used;

	CU_ASSERT_EQUAL_FATAL(ns_command_seal(&e), 0);
	CU_ASSERT_PTR_EQUAL(ns_command_next(NULL), &quit);
	CU_ASSERT_PTR_EQUAL(ns_command_next(&quit), &show);
	CU_ASSERT_PTR_EQUAL(ns_command_next(&log_), &shutdown_);
	CU_ASSERT_PTR_NULL(ns_command_next(&shutdown_));
	/* never by a part of its name, though no other command begins so */
	CU_ASSERT_PTR_EQUAL(find("shutdown", NULL, &used, &e), &shutdown_);
	CU_ASSERT_PTR_NULL(find("shut", NULL, &used, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "may go on as: shutdown"));
	CU_ASSERT_PTR_EQUAL(find("sh", NULL, &used, &e), &show);
	CU_ASSERT_PTR_EQUAL(find("show", "lcores", &used, &e), &lcores);
	CU_ASSERT_EQUAL(used, 2);
	CU_ASSERT_PTR_EQUAL(find("sh", "lc", &used, &e), &lcores);
	CU_ASSERT_PTR_EQUAL(find("q", NULL, &used, &e), &quit);
	/* the longest name wins; what is no part of one is an argument */
	CU_ASSERT_PTR_EQUAL(find("show", "all", &used, &e), &show);
	CU_ASSERT_EQUAL(used, 1);
}

static void not_found(void)
{
	struct ns_err e = {""};
	unsigned used;

	CU_ASSERT_PTR_NULL(find("shwo", NULL, &used, &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_STRING_EQUAL(
		e.text, "there is no command \"shwo\"; there are: quit, show, shutdown");
	CU_ASSERT_PTR_NULL(find("show", "l", &used, &e));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "may go on as: show lcores, show log"));
	CU_ASSERT_PTR_NULL(find("", NULL, &used, &e));
}

static void keep(void *ctx, const char *text)
{
	strcpy(ctx, text);
}

static void answers(void)
{
	char said[1024] = "";
	struct ns_command_out out = {.text = keep, .ctx = said};
	struct ns_command_call c = {.argc = 3, .out = &out};

	CU_ASSERT_EQUAL(quit.run(&c, NULL), 0);
	CU_ASSERT_STRING_EQUAL(said, "3 words");
}

static void words(void)
{
	static const char *const argv[] = {"to", "po"};
	char said[1024] = "";
	struct ns_command_out out = {.text = keep, .ctx = said};
	struct ns_command_call c = {.argc = 2, .argv = argv, .out = &out};

	ns_command_offer(&c, "speed");
	CU_ASSERT_STRING_EQUAL(said, "");
	ns_command_offer(&c, "port");
	CU_ASSERT_STRING_EQUAL(said, "port");
	CU_ASSERT(ns_command_means(NULL, 3, true) && !ns_command_means(NULL, 3, false));
	CU_ASSERT(ns_command_means("all", 3, true) && !ns_command_means("all", 3, false));
	CU_ASSERT(ns_command_means("3", 3, false) && !ns_command_means("33", 3, true));
}

static struct ns_command twice = {.name = "quit", .run = run};

static void doubles(void)
{
	struct ns_err e = {""};

	ns_command_link(&twice);
	CU_ASSERT_EQUAL(ns_command_seal(&e), -EEXIST);
	CU_ASSERT_STRING_EQUAL(e.text, "two commands are named \"quit\"");
}

NS_TEST_MAIN({"found", found}, {"not found", not_found}, {"answers", answers}, {"words", words},
	{"doubles", doubles})
