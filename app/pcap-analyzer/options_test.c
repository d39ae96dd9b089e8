/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <ns_test.h>

#include <getopt.h>
#include <string.h>

static int parse(struct options *o, const char *line, struct ns_err *e)
{
	static char text[256], *argv[32];
	int argc = 0;

	snprintf(text, sizeof(text), "pcap-analyzer %s", line);
	for (char *p = strtok(text, " "); p != NULL && argc < 31; p = strtok(NULL, " "))
		argv[argc++] = p;
	argv[argc] = NULL;
	optind = 0; /* begin anew */
	e->text[0] = '\0';
	return options_parse(o, argc, argv, e);
}

static void verify(void)
{
	struct options o;
	struct ns_err e;

	CU_ASSERT_EQUAL(parse(&o, "a.pcap", &e), 0);
	CU_ASSERT_FALSE(o.verify);
	CU_ASSERT_EQUAL(parse(&o, "--verify a.pcap", &e), 0);
	CU_ASSERT_TRUE(o.verify);
	CU_ASSERT_FALSE(o.verbose);
	CU_ASSERT_EQUAL(o.files_n, 1);
	CU_ASSERT_EQUAL(parse(&o, "--verify=yes a.pcap", &e), -EINVAL);
}

static void all(void)
{
	struct options o;
	struct ns_err e;

	CU_ASSERT_EQUAL(parse(&o,
				"-c c.yaml -j 4 -f udp -w json@10s:- -w csv:x -o a.b=c"
				" --report json --quiet --check a b",
				&e),
		0);
	CU_ASSERT_STRING_EQUAL(o.conf, "c.yaml");
	CU_ASSERT_EQUAL(o.workers, 4);
	CU_ASSERT_STRING_EQUAL(o.filter, "udp");
	CU_ASSERT_EQUAL_FATAL(o.writers_n, 2);
	CU_ASSERT_STRING_EQUAL(o.writers[0], "json@10s:-");
	CU_ASSERT_STRING_EQUAL(o.writers[1], "csv:x");
	CU_ASSERT_EQUAL(o.overrides_n, 1);
	CU_ASSERT_EQUAL(o.report, REPORT_JSON);
	CU_ASSERT_TRUE(o.quiet && o.check);
	CU_ASSERT_EQUAL_FATAL(o.files_n, 2);
	CU_ASSERT_STRING_EQUAL(o.files[1], "b");
}

static void refuses(void)
{
	static const char *const bad[][2] = {{"-j 0", "1 to 63"}, {"-j x", "1 to 63"},
		{"--report xml", "text, json and none"}, {"-w", "-w needs a value"},
		{"-Z", "no option -Z"}, {"--nosuch", "no option --nosuch"}};
	struct options o;
	struct ns_err e;

	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++) {
		CU_ASSERT_EQUAL(parse(&o, bad[i][0], &e), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i][1]));
	}
}

NS_TEST_MAIN({"verify", verify}, {"all", all}, {"refuses", refuses})
