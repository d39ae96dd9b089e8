/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay_priv.h"

#include <ns_test.h>

#include <string.h>

static struct replay_args got;
static struct ns_err err;

/* Words with one blank between. */
static int parse(const char *line)
{
	static char text[256];
	const char *words[32];
	struct ns_command_call c = {.argv = words};

	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok(text, " "); w != NULL && c.argc < 32; w = strtok(NULL, " "))
		words[c.argc++] = w;
	err.text[0] = '\0';
	return replay_parse(&c, &got, &err);
}

static void right(void)
{
	CU_ASSERT_EQUAL_FATAL(parse("x.pcap to eth1"), 0);
	CU_ASSERT_STRING_EQUAL(got.path, "x.pcap");
	CU_ASSERT_STRING_EQUAL(got.to, "eth1");
	CU_ASSERT(got.how == PACE_SPEED && got.speed == 1 && got.loops == 1 && !got.cut);
	CU_ASSERT_EQUAL(parse("to to to"), 0);
	CU_ASSERT_EQUAL(parse("x to 0 speed 2.5 loop 3 cut"), 0);
	CU_ASSERT(got.how == PACE_SPEED && got.speed == 2.5 && got.loops == 3 && got.cut);
	CU_ASSERT_EQUAL(parse("x to 0 cut speed max"), 0);
	CU_ASSERT(got.how == PACE_MAX && got.cut);
	CU_ASSERT_EQUAL(parse("x to 0 speed 0"), 0);
	CU_ASSERT_EQUAL(got.how, PACE_MAX);
	CU_ASSERT_EQUAL(parse("x to 0 speed 0.0"), 0);
	CU_ASSERT_EQUAL(got.how, PACE_MAX);
	CU_ASSERT_EQUAL(parse("x to 0 pps 20k"), 0);
	CU_ASSERT(got.how == PACE_PPS && got.pps == 20000);
	CU_ASSERT_EQUAL(parse("x to 0 pps 1G"), 0);
}

static void wrong(void)
{
	static const struct {
		const char *line, *text;
	} all[] = {
		{"", "the name of a file is missing"},
		{"x", "to which port? (replay x to PORT)"},
		{"x to", "to which port?"},
		{"x eth1 to", "to which port?"},
		{"x to 0 speed", "speed: a number is missing, or max"},
		{"x to 0 speed -1", "speed: \"-1\" is neither"},
		{"x to 0 speed 1x", "speed: \"1x\""},
		{"x to 0 speed nan", "speed: \"nan\""},
		{"x to 0 speed inf", "speed: \"inf\""},
		{"x to 0 speed maximum", "speed: \"maximum\""},
		{"x to 0 speed 1e-7", "speed: \"1e-7\""},
		{"x to 0 speed 1e7", "speed: \"1e7\""},
		{"x to 0 speed 1e999", "speed: \"1e999\""},
		{"x to 0 pps", "pps: a number is missing"},
		{"x to 0 pps 0", "pps: \"0\" is not a number from 1 to 1000000000"},
		{"x to 0 pps 2G", "pps: \"2G\""},
		{"x to 0 pps -5", "pps: \"-5\""},
		{"x to 0 pps 5 speed 1", "one of speed and pps"},
		{"x to 0 speed max speed 1", "one of speed and pps"},
		{"x to 0 loop", "loop: a number is missing"},
		{"x to 0 loop 0", "loop: \"0\""},
		{"x to 0 again", "\"again\"? There are speed, pps, loop, cut"},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(all); i++) {
		CU_ASSERT(parse(all[i].line) < 0);
		if (strstr(err.text, all[i].text) == NULL)
			printf("\n%s: %s", all[i].line, err.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, all[i].text));
	}
}

NS_TEST_MAIN({"right", right}, {"wrong", wrong})
