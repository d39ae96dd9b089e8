/* SPDX-License-Identifier: BSD-3-Clause */
/* What the words of "mirror" ask for; what mirrors do is shown by test/live. */
#include "mirror.h"

#include <ns_test.h>

#include <string.h>

static struct mirror_args got;
static struct ns_err err;

/* Words with one blank between. */
static int parse(const char *line)
{
	static char text[2048];
	const char *words[64];
	struct ns_command_call c = {.argv = words};

	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok(text, " "); w != NULL && c.argc < 64; w = strtok(NULL, " "))
		words[c.argc++] = w;
	err.text[0] = '\0';
	return mirror_parse(&c, &got, &err);
}

static void right(void)
{
	CU_ASSERT_EQUAL_FATAL(parse("eth1 to 2"), 0);
	CU_ASSERT_STRING_EQUAL(got.from, "eth1");
	CU_ASSERT_STRING_EQUAL(got.to, "2");
	CU_ASSERT_STRING_EQUAL(got.filter, "");
	CU_ASSERT_EQUAL(got.buffer, 0);
	CU_ASSERT_EQUAL_FATAL(parse("eth1 udp port 53 to eth2"), 0);
	CU_ASSERT_STRING_EQUAL(got.filter, "udp port 53");
	CU_ASSERT_STRING_EQUAL(got.to, "eth2");
	CU_ASSERT_EQUAL_FATAL(parse("eth1 filter udp port 53 to eth2 buffer 4M"), 0);
	CU_ASSERT_STRING_EQUAL(got.filter, "udp port 53");
	CU_ASSERT_EQUAL(got.buffer, 4000000);
	/* a host of that name */
	CU_ASSERT_EQUAL_FATAL(parse("eth1 host to to eth2"), 0);
	CU_ASSERT_STRING_EQUAL(got.filter, "host to");
	/* ports of that name */
	CU_ASSERT_EQUAL_FATAL(parse("to to filter"), 0);
	CU_ASSERT_STRING_EQUAL(got.from, "to");
	CU_ASSERT_STRING_EQUAL(got.to, "filter");
}

static void wrong(void)
{
	static const struct {
		const char *line, *text;
	} all[] = {
		{"", "from which port?"},
		{"eth1", "to which port? (mirror eth1 [EXPRESSION] to PORT)"},
		{"eth1 udp", "to which port?"},
		{"eth1 udp to", "to which port?"},
		{"to eth2", "to which port?"},
		{"eth1 filter to eth2", "filter: an expression is missing"},
		{"eth1 to eth2 loud", "\"loud\"? Behind the port there is only \"buffer N\""},
		{"eth1 to eth2 buffer", "buffer: a number is missing"},
		{"eth1 to eth2 buffer 0", "buffer: \"0\""},
		{"eth1 to eth2 buffer 1M more", "\"more\"?"},
	};
	char line[2000] = "eth1 ";

	for (unsigned i = 0; i < NS_ARRAY_LEN(all); i++) {
		CU_ASSERT(parse(all[i].line) < 0);
		if (strstr(err.text, all[i].text) == NULL)
			printf("\n%s: %s", all[i].line, err.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, all[i].text));
	}
	memset(line + 5, 'x', MIRROR_FILTER);
	strcpy(line + 5 + MIRROR_FILTER, " to eth2");
	CU_ASSERT_EQUAL(parse(line), -E2BIG);
	strcpy(line + 5 + MIRROR_FILTER - 1, " to eth2");
	CU_ASSERT_EQUAL(parse(line), 0);
}

NS_TEST_MAIN({"right", right}, {"wrong", wrong})
