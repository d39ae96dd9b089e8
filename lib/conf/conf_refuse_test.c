/* SPDX-License-Identifier: BSD-3-Clause */
/* What is refused, and the exact words of each refusal. */
#include "conf_priv.h"
#include "conf_test_sections.h"
#include "ns_test.h"

#include <string.h>

static void refused(const char *yaml, const char *o, const char *want)
{
	struct ns_err e = {0};
	struct ns_conf *c;

	errno = 0;
	c = ns_conf_parse(yaml, strlen(yaml), "t.yaml", &o, o != NULL, &e);
	CU_ASSERT_PTR_NULL(c);
	CU_ASSERT_EQUAL(errno, EINVAL);
	if (strcmp(e.text, want) != 0)
		printf("\n  got:    %s\n  wanted: %s\n", e.text, want);
	CU_ASSERT_STRING_EQUAL(e.text, want);
	ns_conf_destroy(c);
}

#define FLOW_KEYS                                                                                   \
	"there are: idle, active, tcp_end, i8, i16, i64, u16, u64, f32, f64, policy, flags, name, " \
	"note, tag, sub, files, pairs, point"

static void unknown(void)
{
	refused("write: {on: true}\nflow:\n  idel: 3\n", NULL,
		"t.yaml:3:3: flow: unknown key \"idel\" (did you mean \"idle\"?); " FLOW_KEYS);
	refused("flow:\n  zebra: 3\n", NULL, "t.yaml:2:3: flow: unknown key \"zebra\"; " FLOW_KEYS);
	refused("\nflwo: {}\n", NULL,
		"t.yaml:2:1: unknown section \"flwo\" (did you mean \"flow\"?); there are: flow, "
		"tasks, write, plugins");
	refused("flow: {sub: {detph: 1}}", NULL,
		"t.yaml:1:14: flow.sub: unknown key \"detph\" (did you mean \"depth\"?); there are: "
		"depth, mode");
	refused("flow:\n  pairs:\n    - {a: 1}\n    - {a: 1, c: 2}\n", NULL,
		"t.yaml:4:14: flow.pairs[1]: unknown key \"c\" (did you mean \"a\"?); there are: a, "
		"b");
	refused("write: {pipe: {hgih: 1}}", NULL,
		"t.yaml:1:16: write.pipe: unknown key \"hgih\" (did you mean \"high\"?); there are: "
		"low, high");
}

static void bad_values(void)
{
#define FLOW(key, value, col, why) \
	refused("flow:\n  " key ": " value "\n", NULL, "t.yaml:2:" col ": flow." key ": " why)
	FLOW("idle", "abc", "9", "expected a whole number from 0 to 4294967295, not \"abc\"");
	FLOW("idle", "5x", "9", "expected a whole number from 0 to 4294967295, not \"5x\"");
	FLOW("idle", "-1", "9", "expected a whole number from 0 to 4294967295, not \"-1\"");
	FLOW("idle", "4294967296", "9",
		"expected a whole number from 0 to 4294967295, not \"4294967296\"");
	FLOW("idle", "010", "9", "\"010\" starts with a zero, which some read as octal");
	FLOW("idle", "0x", "9", "expected a whole number from 0 to 4294967295, not \"0x\"");
	FLOW("idle", "", "8", "expected a whole number from 0 to 4294967295, not nothing");
	FLOW("idle", "[1]", "9", "expected a whole number from 0 to 4294967295, not a list");
	FLOW("i8", "128", "7", "expected a whole number from -128 to 127, not \"128\"");
	FLOW("i8", "-129", "7", "expected a whole number from -128 to 127, not \"-129\"");
	FLOW("u16", "65536", "8", "expected a whole number from 0 to 65535, not \"65536\"");
	FLOW("u64", "18446744073709551616", "8",
		"expected a whole number from 0 to 18446744073709551615, not "
		"\"18446744073709551616\"");
	FLOW("u64", "-1", "8",
		"expected a whole number from 0 to 18446744073709551615, not \"-1\"");
	FLOW("i64", "9223372036854775808", "8",
		"expected a whole number from -9223372036854775808 to 9223372036854775807, not "
		"\"9223372036854775808\"");
	FLOW("tcp_end", "flase", "12", "expected true or false, not \"flase\"");
	FLOW("f64", "1.5x", "8", "expected a number, not \"1.5x\"");
	FLOW("f64", "nan", "8", "expected a number, not \"nan\"");
	FLOW("f64", "1e999", "8", "expected a number, not \"1e999\"");
	FLOW("f32", "1e39", "8", "expected a number, not \"1e39\"");
	FLOW("policy", "newest", "11", "expected one of oldest, random, none, not \"newest\"");
	FLOW("policy", "7", "11", "expected one of oldest, random, none, not \"7\"");
	FLOW("flags", "[syn, sin]", "16", "expected a list of any of syn, ack, fin, not \"sin\"");
	FLOW("tag", "abcde", "8", "expected text of at most 4 octets, not \"abcde\"");
	FLOW("name", "{a: 1}", "9", "expected text, not a mapping");
	refused("flow: {files: [a, [b]]}", NULL,
		"t.yaml:1:19: flow.files[1]: expected text of at least 1 octets, not a list");
	FLOW("files", "[a, b, c, d, e]", "10", "5 entries, must be at most 4");
	FLOW("files", "x", "10", "expected a list, each text of at least 1 octets, not \"x\"");
	FLOW("point", "[1, 2]", "10", "2 entries, must be 3");
	refused("flow: {pairs: [{b: 1}]}", NULL,
		"t.yaml:1:16: flow.pairs[0]: the key \"a\" is required");
	FLOW("sub", "3", "8", "expected a mapping (key: value), not \"3\"");
	refused("flow: {sub: {mode: x}}", NULL,
		"t.yaml:1:20: flow.sub.mode: expected text of 2 to 8 octets, not \"x\"");
#undef FLOW
	refused("write: {pipe: {low: 8}}", NULL,
		"t.yaml:1:21: write.pipe.low: expected a whole number from 0 to 7");
	refused("hello", NULL, "t.yaml:1:1: expected a mapping (key: value), not \"hello\"");
	refused("- flow", NULL, "t.yaml:1:1: expected a mapping (key: value), not a list");
	refused("flow: 3", NULL, "t.yaml:1:7: flow: expected a mapping (key: value), not \"3\"");
}

static void entries_beyond_the_counter(void)
{
	char text[4096] = "flow: {pairs: [{a: 0}", *p = text + strlen(text);

	for (int i = 1; i < 256; i++)
		p += sprintf(p, ", {a: %d}", i);
	strcpy(p, "]}");
	refused(text, NULL, "t.yaml:1:15: flow.pairs: 256 entries, must be at most 255");
}

static void syntax(void)
{
	refused("flow:\n  idle: [1\n  active: 2\n", NULL,
		"t.yaml:3:9: did not find expected ',' or ']' (while parsing a flow sequence)");
	refused("flow:\n\tidle: 1\n", NULL,
		"t.yaml:2:1: found character that cannot start any token (while scanning for the next "
		"token)");
	refused("flow: *x\n", NULL, "t.yaml:1:7: found undefined alias");
	refused("flow: {}\nx\xff: 3\n", NULL, "t.yaml:2:2: invalid leading UTF-8 octet");
	refused("flow: {name: \"a\\0b\"}\n", NULL, "t.yaml:1:14: text with a NUL character");
	refused("? [a]\n: 1\n", NULL, "t.yaml:1:3: a key must be plain text");
	refused("flow: {}\n---\nwrite: {}\n", NULL,
		"t.yaml:2:1: a second document; only one is read");
	refused("flow: {}\n...\n}", NULL, "t.yaml:3:1: did not find expected <document start>");
}

static void duplicates(void)
{
	refused("flow:\n  idle: 1\n  active: 5\n  idle: 2\n", NULL,
		"t.yaml:4:3: duplicate key \"idle\", first at line 2, column 3");
	refused("flow: {}\nwrite: {}\n\"flow\": {}\n", NULL,
		"t.yaml:3:1: duplicate key \"flow\", first at line 1, column 1");
	refused("", "flow.sub={depth: 1, depth: 2}",
		"override \"flow.sub={depth: 1, depth: 2}\": duplicate key \"depth\"");
}

static void bombs(void)
{
	static char text[CONF_TEXT_MAX + 100];
	char *p = text;

	refused("flow: &a [*a]\n", NULL, "t.yaml:1:7: an alias of what it is a part of");
	refused("flow: {name: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
		NULL, "t.yaml:1:14: flow.name: expected text, not a list");
	refused("flow: {name: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
		NULL, "t.yaml:1:45: nested deeper than 32 levels");
	p += sprintf(p, "a: &a [x,x,x,x,x,x,x,x,x,x]\n");
	for (char c = 'b'; c < 'g'; c++)
		p += sprintf(p, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1,
			c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
	refused(text, NULL, "t.yaml:5:4: more than 16384 values");
	p = text + sprintf(text, "a: &a ");
	memset(p, 'x', 200000);
	strcpy(p + 200000, "\nb: [*a, *a, *a, *a, *a]\n");
	refused(text, NULL, "t.yaml:2:4: aliases repeat more than 1048576 octets of text");
	memset(text, ' ', CONF_TEXT_MAX + 1);
	text[CONF_TEXT_MAX + 1] = '\0';
	refused(text, NULL, "t.yaml:1:1: longer than 1048576 octets");
}

static void overrides(void)
{
	refused("", "flow.idle", "override \"flow.idle\": must be section.key=value");
	refused("", "=3", "override \"=3\": must be section.key=value");
	refused("", ".idle=3", "override \".idle=3\": must be section.key=value");
	refused("", "flow..idle=3", "override \"flow..idle=3\": must be section.key=value");
	refused("", "flow.=3", "override \"flow.=3\": must be section.key=value");
	refused("", "flow.idle=abc",
		"override \"flow.idle=abc\": flow.idle: expected a whole number from 0 to 4294967295, "
		"not \"abc\"");
	refused("", "flow.idle=",
		"override \"flow.idle=\": flow.idle: expected a whole number from 0 to 4294967295, "
		"not nothing");
	refused("", "flow.idle.x=3",
		"override \"flow.idle.x=3\": flow.idle: expected a whole number from 0 to 4294967295, "
		"not a mapping");
	refused("", "flow.sub.dpeth=3",
		"override \"flow.sub.dpeth=3\": flow.sub: unknown key \"dpeth\" (did you mean "
		"\"depth\"?); there are: depth, mode");
	refused("", "wirte.on=true",
		"override \"wirte.on=true\": unknown section \"wirte\" (did you mean \"write\"?); "
		"there are: flow, tasks, write, plugins");
	refused("", "flow.files=[a",
		"override \"flow.files=[a\": did not find expected ',' or ']' (while parsing a flow "
		"sequence)");
	/* an override does not excuse the file */
	refused("flow:\n  idle: x\n", "flow.idle=3",
		"t.yaml:2:9: flow.idle: expected a whole number from 0 to 4294967295, not \"x\"");
}

static void checks(void)
{
	refused("flow:\n  active: 30\n  idle: 31\n", NULL,
		"t.yaml:3:3: flow.idle: 31 s is longer than active, 30 s");
	refused("flow:\n  active: 10\n", NULL,
		"t.yaml:1:1: flow.idle (left at its default): 15 s is longer than active, 10 s");
	refused("flow:\n  idle: 20\n", "flow.idle=61",
		"override \"flow.idle=61\": flow.idle: 61 s is longer than active, 60 s");
	refused("flow:\n  idle: 20\n", "flow.active=19",
		"t.yaml:2:3: flow.idle: 20 s is longer than active, 19 s");
	refused("", "flow.active=1",
		"override \"flow.active=1\": flow.idle (left at its default): 15 s is longer than "
		"active, 1 s");
	refused("flow:\n  sub:\n    depth: 11\n", NULL, "t.yaml:3:5: flow.sub.depth: at most 10");
	refused("\nflow: {u16: 1}\n", NULL, "t.yaml:2:1: flow: something is wrong");
	/* entries of lists have places of their own, if it was the user who wrote them */
	refused("flow:\n  pairs:\n    - {a: 1}\n    - b: 3\n      a: 66\n", NULL,
		"t.yaml:5:7: flow.pairs[1].a: not 66");
	refused("flow: {files: [a, 'bad', c]}", NULL, "t.yaml:1:19: flow.files[1]: bad file");
	refused("", "flow.files=[bad]", "override \"flow.files=[bad]\": flow.files[0]: bad file");
	refused("flow: {u16: 2}", NULL,
		"t.yaml:1:1: flow.files[1] (left at its default): wrong by default");
	refused("flow: {u16: 2, files: []}", NULL, "t.yaml:1:16: flow.files[1]: wrong by default");
}

static void long_words(void)
{
	char text[1200], key[1000];
	struct ns_err e = {0};

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	snprintf(text, sizeof(text), "flow: {? %s : 1}", key);
	CU_ASSERT_PTR_NULL(ns_conf_parse(text, strlen(text), key, NULL, 0, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "kkk...\"; there are: idle"));
	snprintf(text, sizeof(text), "flow.%s=1", key);
	const char *o = text;
	CU_ASSERT_PTR_NULL(ns_conf_parse("", 0, NULL, &o, 1, &e));
	CU_ASSERT_EQUAL(strncmp(e.text, "override \"flow.kkk", 18), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "kkk...\": flow: unknown key \"kkk"));
	CU_ASSERT_PTR_NULL(ns_conf_parse("x", 1, "t", NULL, 0, NULL)); /* nobody wants the words */
}

NS_TEST_MAIN({"unknown keys", unknown}, {"bad values", bad_values},
	{"entries beyond the counter", entries_beyond_the_counter}, {"syntax", syntax},
	{"duplicate keys", duplicates}, {"bombs", bombs}, {"overrides", overrides},
	{"checks of modules", checks}, {"long words", long_words})
