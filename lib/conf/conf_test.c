/* SPDX-License-Identifier: BSD-3-Clause */
/* What is accepted: defaults, file, overrides, and what comes back out of them. */
#include "conf_test_sections.h"
#include "ns_test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct ns_conf *load(const char *yaml, const char *o1, const char *o2)
{
	const char *o[] = {o1, o2};
	size_t n = (size_t)(o1 != NULL) + (o2 != NULL);
	struct ns_err e = {0};
	struct ns_conf *c = ns_conf_parse(yaml, strlen(yaml), "t.yaml", o, n, &e);

	if (c == NULL)
		printf("\n  %s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

static void check_defaults(const struct t_flow *f)
{
	CU_ASSERT_EQUAL(f->idle, 15);
	CU_ASSERT_EQUAL(f->active, 60);
	CU_ASSERT_TRUE(f->tcp_end);
	CU_ASSERT_EQUAL(f->i8, -128);
	CU_ASSERT_EQUAL(f->i16, 300);
	CU_ASSERT_EQUAL(f->i64, INT64_MIN);
	CU_ASSERT_EQUAL(f->u16, 65535);
	CU_ASSERT_EQUAL(f->u64, UINT64_MAX);
	CU_ASSERT_EQUAL(f->f32, 0.1f);
	CU_ASSERT_EQUAL(f->f64, 1.0 / 3);
	CU_ASSERT_EQUAL(f->policy, T_RANDOM);
	CU_ASSERT_EQUAL(f->flags, 5);
	CU_ASSERT_PTR_NULL(f->name);
	CU_ASSERT_PTR_NULL(f->note);
	CU_ASSERT_STRING_EQUAL(f->tag, "ab");
	CU_ASSERT_EQUAL(f->sub.depth, 3);
	CU_ASSERT_STRING_EQUAL(f->sub.mode, "fast");
	CU_ASSERT_EQUAL_FATAL(f->files_count, 2);
	CU_ASSERT_STRING_EQUAL(f->files[0], "a.pcap");
	CU_ASSERT_STRING_EQUAL(f->files[1], "b c.pcap");
	CU_ASSERT_EQUAL_FATAL(f->pairs_count, 1);
	CU_ASSERT_EQUAL(f->pairs[0].a, -1);
	CU_ASSERT_EQUAL(f->pairs[0].b, 2);
	CU_ASSERT_EQUAL(f->point[0], 1);
	CU_ASSERT_EQUAL(f->point[1], -2);
	CU_ASSERT_EQUAL(f->point[2], 3);
}

static void defaults(void)
{
	static const char *const empty[] = {"", "# nothing\n", "---\n", "flow:\n", "{}",
		"flow: {}\nwrite:\n", "flow:\n  sub:\n"};

	for (size_t i = 0; i < NS_ARRAY_LEN(empty); i++) {
		struct ns_conf *c = load(empty[i], NULL, NULL);
		const struct t_write *w = ns_conf_get(c, "write");

		check_defaults(ns_conf_get(c, "flow"));
		CU_ASSERT_STRING_EQUAL(w->path, "out.json");
		CU_ASSERT_FALSE(w->on);
		CU_ASSERT_EQUAL(w->pipe, 0x2b);
		CU_ASSERT_PTR_NULL(ns_conf_get(c, "flo"));
		ns_conf_destroy(c);
	}
	struct ns_conf *c = ns_conf_load(NULL, NULL, 0, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	check_defaults(ns_conf_get(c, "flow"));
	ns_conf_destroy(c);
	ns_conf_destroy(NULL);
}

static void all_types(void)
{
	struct ns_conf *c = load("flow:\n"
				 "  idle: 0x10\n"
				 "  tcp_end: Off\n"
				 "  i8: 127\n"
				 "  i16: -32768\n"
				 "  i64: 9223372036854775807\n"
				 "  u16: +7\n"
				 "  u64: 18446744073709551615\n"
				 "  f32: 2.5\n"
				 "  f64: -1e-300\n"
				 "  policy: none\n"
				 "  flags: [ack]\n"
				 "  name: \"a \\\"b\\\" \\u00e9 \\u2028 \\t\\n: #\"\n"
				 "  note: ''\n"
				 "  tag: abcd\n"
				 "  sub: {mode: slow}\n"
				 "  files: [one]\n"
				 "  pairs:\n"
				 "    - a: 5\n"
				 "    - {b: 255, a: 6}\n"
				 "  point: [0, 0, 9]\n"
				 "write: {on: yes, path: null, pipe: {low: 7}}\n",
		NULL, NULL);
	const struct t_flow *f = ns_conf_get(c, "flow");
	const struct t_write *w = ns_conf_get(c, "write");

	CU_ASSERT_EQUAL(f->idle, 16);
	CU_ASSERT_FALSE(f->tcp_end);
	CU_ASSERT_EQUAL(f->i8, 127);
	CU_ASSERT_EQUAL(f->i16, -32768);
	CU_ASSERT_EQUAL(f->i64, INT64_MAX);
	CU_ASSERT_EQUAL(f->u16, 7);
	CU_ASSERT_EQUAL(f->u64, UINT64_MAX);
	CU_ASSERT_EQUAL(f->f32, 2.5f);
	CU_ASSERT_EQUAL(f->f64, -1e-300);
	CU_ASSERT_EQUAL(f->policy, T_NONE);
	CU_ASSERT_EQUAL(f->flags, 2);
	CU_ASSERT_STRING_EQUAL(f->name, "a \"b\" \xc3\xa9 \xe2\x80\xa8 \t\n: #");
	CU_ASSERT_PTR_NULL(f->note);
	CU_ASSERT_STRING_EQUAL(f->tag, "abcd");
	CU_ASSERT_EQUAL(f->sub.depth, 3);
	CU_ASSERT_STRING_EQUAL(f->sub.mode, "slow");
	CU_ASSERT_EQUAL_FATAL(f->files_count, 1);
	CU_ASSERT_STRING_EQUAL(f->files[0], "one");
	CU_ASSERT_EQUAL_FATAL(f->pairs_count, 2);
	CU_ASSERT_EQUAL(f->pairs[0].a, 5);
	CU_ASSERT_EQUAL(f->pairs[0].b, 0);
	CU_ASSERT_EQUAL(f->pairs[1].a, 6);
	CU_ASSERT_EQUAL(f->pairs[1].b, 255);
	CU_ASSERT_EQUAL(f->point[2], 9);
	CU_ASSERT_TRUE(w->on);
	CU_ASSERT_STRING_EQUAL(w->path, "null"); /* no key that may be null */
	CU_ASSERT_EQUAL(w->pipe, 0x2f); /* a mapping too: high stays 5 */
	ns_conf_destroy(c);
}

static void zero_stays_zero(void)
{
	struct ns_conf *c = load("flow: {idle: 0, f64: 0, tcp_end: false, files: [], pairs: [], "
				 "name: '', flags: [], sub: {depth: 0}}",
		"flow.active=0", NULL);
	const struct t_flow *f = ns_conf_get(c, "flow");

	CU_ASSERT_EQUAL(f->idle, 0);
	CU_ASSERT_EQUAL(f->active, 0);
	CU_ASSERT_EQUAL(f->f64, 0);
	CU_ASSERT_FALSE(f->tcp_end);
	CU_ASSERT_EQUAL(f->files_count, 0);
	CU_ASSERT_EQUAL(f->pairs_count, 0);
	CU_ASSERT_EQUAL(f->flags, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->name);
	CU_ASSERT_STRING_EQUAL(f->name, "");
	CU_ASSERT_EQUAL(f->sub.depth, 0);
	CU_ASSERT_STRING_EQUAL(f->sub.mode, "fast");
	ns_conf_destroy(c);
}

static void precedence(void)
{
	struct ns_conf *c = load("flow: {idle: 20, active: 30, sub: {depth: 4}}", "flow.idle=25",
		"flow.sub.depth=5");
	const struct t_flow *f = ns_conf_get(c, "flow");

	CU_ASSERT_EQUAL(f->idle, 25);
	CU_ASSERT_EQUAL(f->active, 30);
	CU_ASSERT_EQUAL(f->sub.depth, 5);
	CU_ASSERT_STRING_EQUAL(f->sub.mode, "fast");
	ns_conf_destroy(c);

	c = load("", "flow.idle=1", "flow.idle=2"); /* the last one wins */
	f = ns_conf_get(c, "flow");
	CU_ASSERT_EQUAL(f->idle, 2);
	ns_conf_destroy(c);

	c = load("flow: {files: [x]}", "flow.files=[p, \"q=r\"]",
		"flow.pairs=[{a: 1}, {a: 2, b: 3}]");
	f = ns_conf_get(c, "flow");
	CU_ASSERT_EQUAL_FATAL(f->files_count, 2);
	CU_ASSERT_STRING_EQUAL(f->files[1], "q=r");
	CU_ASSERT_EQUAL_FATAL(f->pairs_count, 2);
	CU_ASSERT_EQUAL(f->pairs[1].b, 3);
	ns_conf_destroy(c);

	c = load("", "flow.name=", "write={on: true}");
	f = ns_conf_get(c, "flow");
	CU_ASSERT_STRING_EQUAL(f->name, "");
	CU_ASSERT_TRUE(((const struct t_write *)ns_conf_get(c, "write"))->on);
	ns_conf_destroy(c);

	c = load("", "flow.name=tcp port 80 and host 10.0.0.1", NULL);
	f = ns_conf_get(c, "flow");
	CU_ASSERT_STRING_EQUAL(f->name, "tcp port 80 and host 10.0.0.1");
	ns_conf_destroy(c);
}

static void aliases(void)
{
	struct ns_conf *c =
		load("flow:\n  name: &n x y\n  note: *n\n  files: [*n, *n]\n", NULL, NULL);
	const struct t_flow *f = ns_conf_get(c, "flow");

	CU_ASSERT_STRING_EQUAL(f->note, "x y");
	CU_ASSERT_STRING_EQUAL(f->files[1], "x y");
	ns_conf_destroy(c);
}

static void from_disk(void)
{
	char path[] = "/tmp/conf_test_XXXXXX";
	int fd = mkstemp(path);
	const char *o[] = {"flow.active=99"};
	struct ns_err e = {0};
	struct ns_conf *c;
	char want[600];

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "flow:\n  idle: 42\n", 17), 17);
	c = ns_conf_load(path, o, 1, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(((const struct t_flow *)ns_conf_get(c, "flow"))->idle, 42);
	CU_ASSERT_EQUAL(((const struct t_flow *)ns_conf_get(c, "flow"))->active, 99);
	ns_conf_destroy(c);
	unlink(path);
	close(fd);

	errno = 0;
	CU_ASSERT_PTR_NULL(ns_conf_load(path, NULL, 0, &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	snprintf(want, sizeof(want), "%s: No such file or directory", path);
	CU_ASSERT_STRING_EQUAL(e.text, want);
	CU_ASSERT_PTR_NULL(ns_conf_load("/tmp", NULL, 0, &e));
	CU_ASSERT_EQUAL(errno, EISDIR);
	CU_ASSERT_STRING_EQUAL(e.text, "/tmp: Is a directory");
}

static const char dump_text[] = "plugins: []\n"
				"flow:\n"
				"  idle: 15\n"
				"  active: 60\n"
				"  tcp_end: true\n"
				"  i8: -128\n"
				"  i16: 300\n"
				"  i64: -9223372036854775808\n"
				"  u16: 65535\n"
				"  u64: 18446744073709551615\n"
				"  f32: 0.1\n"
				"  f64: 0.3333333333333333\n"
				"  policy: random\n"
				"  flags: [syn, fin]\n"
				"  name: \"30\"\n"
				"  note: null\n"
				"  tag: ab\n"
				"  sub:\n"
				"    depth: 3\n"
				"    mode: fast\n"
				"  files: [a.pcap, \"b c.pcap\"]\n"
				"  pairs:\n"
				"    - {a: -1, b: 2}\n"
				"  point: [1, -2, 3]\n"
				"tasks:\n"
				"  - {key: [src_ip], name: sources, type: heavy, by: octets, "
				"top: 100, memory: \"512 KiB\", sub: {depth: 3}}\n"
				"  - {name: sizes, type: quantile, field: l2_octets, "
				"error: 0.01, verify: false}\n"
				"write:\n"
				"  path: out.json\n"
				"  on: false\n"
				"  pipe:\n"
				"    low: 3\n"
				"    high: 5\n";

static void dump(void)
{
	struct ns_conf *c = load("", "flow.name=30", NULL);
	char *text = ns_conf_dump(c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_STRING_EQUAL(text, dump_text);
	ns_conf_destroy(c);
	c = load(text, NULL, NULL); /* what is written reads back */
	free(text);
	text = ns_conf_dump(c);
	CU_ASSERT_STRING_EQUAL(text, dump_text);
	free(text);
	ns_conf_destroy(c);
}

static void reference(void)
{
	static const char *const lines[] = {
		"\n## `flow`\n\nFlow table.\n\n| Key | Type | Default | Allowed | Meaning |\n",
		"\n| `idle` | unsigned integer | `15` | a whole number from 0 to 4294967295 | seconds "
		"without a packet \\| after which a flow ends (*live*) |\n",
		"\n| `tcp_end` | boolean | `true` | true or false |  |\n",
		"\n| `i8` | integer | `-128` | a whole number from -128 to 127 |  |\n",
		"\n| `policy` | word | `random` | one of oldest, random, none |  |\n",
		"\n| `flags` | list of words | `[syn, fin]` | a list of any of syn, ack, fin |  |\n",
		"\n| `name` | text | none |  |  |\n",
		"\n| `tag` | text | `ab` | text of at most 4 octets |  |\n",
		"\n| `sub.depth` | unsigned integer | `3` | a whole number from 0 to 4294967295 | how "
		"deep |\n",
		"\n| `sub.mode` | text | `fast` | text of 2 to 8 octets |  |\n",
		"\n| `files` | list | `[a.pcap, \"b c.pcap\"]` | a list, each text of at least 1 "
		"octets; 0 to 4 entries |  |\n",
		"\n| `pairs[].a` | integer |  | a whole number from -2147483648 to 2147483647 | first "
		"of two |\n",
		"\n## `write`\n\nWriters.\n"};
	static char text[16384];
	FILE *f = tmpfile();
	const char *at = text;
	size_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(ns_conf_reference(fileno(f)), 0);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	for (size_t i = 0; i < NS_ARRAY_LEN(lines); i++) {
		const char *hit = strstr(at, lines[i]);

		if (hit == NULL)
			printf("\n  not found, or not in order: %s\n", lines[i]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(hit);
		at = hit;
	}
	CU_ASSERT_EQUAL(ns_conf_reference(-1), -EBADF);
}

NS_TEST_MAIN({"defaults", defaults}, {"all types", all_types}, {"zero stays zero", zero_stays_zero},
	{"precedence", precedence}, {"aliases", aliases}, {"from disk", from_disk}, {"dump", dump},
	{"reference", reference})
