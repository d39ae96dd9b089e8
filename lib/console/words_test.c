/* SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"

#include <ns_test.h>

#include <string.h>

static struct words w;
static struct ns_err e;

/* The words of a line, each in brackets. */
static const char *split(const char *line)
{
	static char all[512];

	all[0] = '\0';
	if (words_split(line, false, &w, &e) < 0)
		return e.text;
	for (unsigned i = 0; i < w.n; i++) {
		strcat(all, "[");
		strcat(all, w.v[i]);
		strcat(all, "]");
	}
	return all;
}

static void words(void)
{
	static const char *const cases[][2] = {{"", ""}, {"   ", ""}, {"show", "[show]"},
		{"  show\tlcores  ", "[show][lcores]"}, {"a 'b c' d", "[a][b c][d]"},
		{"a \"b \\\" \\\\ \\n\"", "[a][b \" \\ \\n]"}, {"a\\ b \\'", "[a b][']"},
		{"'it''s'", "[its]"}, {"x''", "[x]"}, {"'' y", "[][y]"}, {"a'b'\"c\"d", "[abcd]"},
		{"'\\'", "[\\]"}, {"end\\", "[end\\]"},
		{"a 'b", "the quote of the word in column 3 has no end"},
		{"\"", "the quote of the word in column 1 has no end"},
		{"ab\ncd", "a control character in column 3"}};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		const char *got = split(cases[i][0]);

		CU_ASSERT_STRING_EQUAL(got, cases[i][1]);
		if (strcmp(got, cases[i][1]) != 0)
			fprintf(stderr, "%s: %s\n", cases[i][0], got);
	}
}

static void open_ends(void)
{
	CU_ASSERT_EQUAL(words_split("show lc", true, &w, &e), 0);
	CU_ASSERT_TRUE(w.open);
	CU_ASSERT_EQUAL(words_split("show ", true, &w, &e), 0);
	CU_ASSERT_FALSE(w.open);
	CU_ASSERT_EQUAL(words_split("show 'a b", true, &w, &e), 0);
	CU_ASSERT_TRUE(w.open);
	CU_ASSERT_EQUAL(w.n, 2);
	CU_ASSERT_STRING_EQUAL(w.v[1], "a b");
}

static void too_much(void)
{
	char line[REQUEST_MAX + 1];

	memset(line, 'x', REQUEST_MAX);
	line[REQUEST_MAX] = '\0';
	CU_ASSERT_EQUAL(words_split(line, false, &w, &e), -E2BIG);
	line[REQUEST_MAX - 1] = '\0';
	CU_ASSERT_EQUAL(words_split(line, false, &w, &e), 0);
	CU_ASSERT_EQUAL(strlen(w.v[0]), REQUEST_MAX - 1);
	for (int i = 1; i < 2 * WORDS_MAX + 2; i += 2)
		line[i] = ' ';
	line[2 * WORDS_MAX] = '\0';
	CU_ASSERT_EQUAL(words_split(line, false, &w, &e), 0);
	CU_ASSERT_EQUAL(w.n, WORDS_MAX);
	line[2 * WORDS_MAX] = 'x';
	line[2 * WORDS_MAX + 1] = '\0';
	CU_ASSERT_EQUAL(words_split(line, false, &w, &e), -E2BIG);
}

static void requests(void)
{
	struct request r;

	CU_ASSERT_EQUAL(request_parse("columns=80 format=json\tshow  epoch", &r, &e), 0);
	CU_ASSERT_EQUAL(r.columns, 80);
	CU_ASSERT_EQUAL(r.format, FORMAT_JSON);
	CU_ASSERT_FALSE(r.repeat);
	CU_ASSERT_STRING_EQUAL(r.line, "show  epoch");
	CU_ASSERT_EQUAL(request_parse("\tx\ty", &r, &e), 0);
	CU_ASSERT_EQUAL(r.format, FORMAT_TEXT);
	CU_ASSERT_STRING_EQUAL(r.line, "x\ty");
	CU_ASSERT_EQUAL(request_parse("repeat=1 format=words\t", &r, &e), 0);
	CU_ASSERT_TRUE(r.repeat);
	CU_ASSERT_EQUAL(r.format, FORMAT_WORDS);
	CU_ASSERT_EQUAL(request_parse("columns=1000\t", &r, &e), 0);
}

static void broken_requests(void)
{
	static const char *const cases[][2] = {{"show", "tabulator"},
		{"colums=8\tx", "\"colums=8\""}, {"columns=\tx", "number from 0 to 1000"},
		{"columns=8x\tx", "\"8x\""}, {"columns=1001\tx", "number from 0 to 1000"},
		{"columns=99999999999999999999\tx", "no number from 0 to 1000"},
		{"columns=-1\tx", "\"-1\""}, {"format=xml\tx", "text, json, words"},
		{"repeat\tx", "\"repeat\""}, {"repeat=2\tx", "repeat=0 or 1"}, {"=\tx", "\"=\""}};
	struct request r;

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		CU_ASSERT_EQUAL(request_parse(cases[i][0], &r, &e), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i][1]));
	}
}

NS_TEST_MAIN({"words", words}, {"open ends", open_ends}, {"too much", too_much},
	{"requests", requests}, {"broken requests", broken_requests})
