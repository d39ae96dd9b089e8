/* SPDX-License-Identifier: BSD-3-Clause */
/* List sections: what is accepted, and what comes back out of it. */
#include "conf_test_sections.h"
#include "ns_test.h"

#include <stdio.h>

/* Types of its entries are not part of this program. */
static struct ns_conf_list zones_list = {
	.section = "zones", .defaults = "[{type: net, cidr: 10.0.0.0/8}]"};
NS_CONF_LIST_REGISTER(zones_list)

static struct ns_conf *load(const char *yaml, const char *o)
{
	struct ns_err e = {0};
	struct ns_conf *c = ns_conf_parse(yaml, strlen(yaml), "t.yaml", &o, o != NULL, &e);

	if (c == NULL)
		printf("\n  %s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

static const void *item(const struct ns_conf *c, size_t i, size_t of, const char *type)
{
	size_t n;
	const struct ns_conf_item *items = ns_conf_items(c, "tasks", &n);

	CU_ASSERT_EQUAL_FATAL(n, of);
	CU_ASSERT_STRING_EQUAL(items[i].variant->type, type);
	return items[i].values;
}

static void check_defaults(const struct ns_conf *c)
{
	const struct t_heavy *h = item(c, 0, 2, "heavy");
	const struct t_quantile *q = item(c, 1, 2, "quantile");

	CU_ASSERT_STRING_EQUAL(h->task.name, "sources");
	CU_ASSERT_STRING_EQUAL(h->task.type, "heavy");
	CU_ASSERT_EQUAL_FATAL(h->key_count, 1);
	CU_ASSERT_STRING_EQUAL(h->key[0], "src_ip");
	CU_ASSERT_EQUAL(h->by, T_OCTETS);
	CU_ASSERT_EQUAL(h->top, 100);
	CU_ASSERT_STRING_EQUAL(h->memory, "512 KiB");
	CU_ASSERT_EQUAL(h->sub.depth, 3);
	CU_ASSERT_PTR_NULL(h->sub.mode);
	CU_ASSERT_STRING_EQUAL(q->task.name, "sizes");
	CU_ASSERT_STRING_EQUAL(q->field, "l2_octets");
	CU_ASSERT_EQUAL(q->error, 0.01f);
	CU_ASSERT_FALSE(q->verify);
}

static void defaults(void)
{
	static const char *const none[] = {"", "flow: {idle: 3}", "tasks:\n", "tasks:\nwrite:\n"};
	struct ns_conf *c;
	size_t n = 7;

	for (size_t i = 0; i < NS_ARRAY_LEN(none); i++) {
		c = load(none[i], i == 0 ? "tasks=" : NULL);
		check_defaults(c);
		CU_ASSERT_PTR_NULL(ns_conf_get(c, "tasks"));
		CU_ASSERT_PTR_NULL(ns_conf_items(c, "flow", &n));
		CU_ASSERT_EQUAL(n, 0);
		CU_ASSERT_STRING_EQUAL(
			((const struct t_write *)ns_conf_get(c, "write"))->path, "out.json");
		ns_conf_destroy(c);
	}
	c = load("tasks: []", NULL);
	n = 7;
	CU_ASSERT_PTR_NULL(ns_conf_items(c, "tasks", &n));
	CU_ASSERT_EQUAL(n, 0);
	n = 7;
	CU_ASSERT_PTR_NULL(ns_conf_items(c, "nothing", &n));
	CU_ASSERT_EQUAL(n, 0);
	ns_conf_destroy(c);
}

static void entries(void)
{
	struct ns_conf *c = load("write: {on: yes}\n"
				 "tasks:\n"
				 "  - {verify: on, field: x, type: quantile, name: q1}\n"
				 "  - name: h1\n"
				 "    type: heavy\n"
				 "    key: [a, b]\n"
				 "    by: packets\n"
				 "    memory: 4 MiB\n"
				 "    sub: {mode: fast}\n"
				 "  - {name: h2, type: heavy, key: []}\n",
		NULL);
	const struct t_quantile *q = item(c, 0, 3, "quantile");
	const struct t_heavy *h = item(c, 1, 3, "heavy"), *h2 = item(c, 2, 3, "heavy");

	CU_ASSERT_STRING_EQUAL(q->task.name, "q1");
	CU_ASSERT_TRUE(q->verify);
	CU_ASSERT_EQUAL(q->error, 0.01f);
	CU_ASSERT_EQUAL_FATAL(h->key_count, 2);
	CU_ASSERT_STRING_EQUAL(h->key[1], "b");
	CU_ASSERT_EQUAL(h->by, T_PACKETS);
	CU_ASSERT_EQUAL(h->top, 100);
	CU_ASSERT_STRING_EQUAL(h->memory, "4 MiB");
	CU_ASSERT_EQUAL(h->sub.depth, 3);
	CU_ASSERT_STRING_EQUAL(h->sub.mode, "fast");
	CU_ASSERT_STRING_EQUAL(h2->task.name, "h2");
	CU_ASSERT_EQUAL(h2->key_count, 0);
	CU_ASSERT_EQUAL(h2->by, T_OCTETS);
	CU_ASSERT_TRUE(((const struct t_write *)ns_conf_get(c, "write"))->on);
	CU_ASSERT_EQUAL(((const struct t_flow *)ns_conf_get(c, "flow"))->idle, 15);
	ns_conf_destroy(c);

	c = load("tasks: [&a {name: x, type: heavy}, {name: y, type: heavy, sub: &s {depth: 4}},"
		 "{name: z, type: heavy, sub: *s}]",
		NULL);
	h = item(c, 2, 3, "heavy");
	CU_ASSERT_EQUAL(h->sub.depth, 4);
	ns_conf_destroy(c);
}

static void overrides(void)
{
	static const char file[] = "tasks: [{name: f, type: heavy}]";
	struct ns_conf *c = load(file, "tasks=[{name: x, type: heavy, top: 5}, {name: y, "
				       "type: quantile, field: f}]");
	const struct t_heavy *h = item(c, 0, 2, "heavy");

	CU_ASSERT_STRING_EQUAL(h->task.name, "x");
	CU_ASSERT_EQUAL(h->top, 5);
	CU_ASSERT_EQUAL(h->by, T_OCTETS);
	ns_conf_destroy(c);
	c = load(file, "tasks=[]");
	size_t n;
	CU_ASSERT_PTR_NULL(ns_conf_items(c, "tasks", &n));
	ns_conf_destroy(c);
	c = load(file, "tasks="); /* a blank changes nothing */
	h = item(c, 0, 1, "heavy");
	CU_ASSERT_STRING_EQUAL(h->task.name, "f");
	ns_conf_destroy(c);
}

static const char dump_text[] =
	"tasks:\n"
	"  - {key: [src_ip], name: \"30\", type: heavy, by: octets, top: 100, memory: \"512 KiB\", "
	"sub: {depth: 3}}\n"
	"  - {name: q, type: quantile, field: \"a: b\", error: 0.5, verify: false}\n"
	"write:\n";

static void dump(void)
{
	struct ns_conf *c = load("tasks:\n- {name: 30, type: heavy}\n"
				 "- {name: q, type: quantile, field: 'a: b', error: 0.5}\n",
		NULL);
	char *one = ns_conf_dump(c), *two;

	CU_ASSERT_PTR_NOT_NULL_FATAL(one);
	CU_ASSERT_PTR_NOT_NULL(strstr(one, dump_text));
	CU_ASSERT_PTR_NOT_NULL(strstr(one, "\nzones: []\n"));
	ns_conf_destroy(c);
	c = load(one, NULL);
	two = ns_conf_dump(c);
	CU_ASSERT_STRING_EQUAL(one, two);
	free(one);
	free(two);
	ns_conf_destroy(c);
	c = load("tasks: []", NULL);
	one = ns_conf_dump(c);
	CU_ASSERT_PTR_NOT_NULL(strstr(one, "\ntasks: []\n")); /* none are not the default ones */
	free(one);
	ns_conf_destroy(c);
}

static const char reference_text[] =
	"\n## `tasks`\n\nAggregators.\n\nA list of mappings; the key `type` of each says which of the "
	"tables below holds for it.\nWithout this section it is:\n\n"
	"```yaml\ntasks:\n  # two of them\n  - {name: sources, type: heavy}\n\n"
	"  - name: sizes\n    type: quantile\n    field: l2_octets\n```\n"
	"\n### `tasks`: type `heavy`\n\nLargest ones.\n\n"
	"| Key | Type | Default | Allowed | Meaning |\n|---|---|---|---|---|\n"
	"| `name` | text | required | text of 1 to 32 octets | of the result |\n"
	"| `type` | word | required | `heavy` | what it does |\n"
	"| `key` | list | `[src_ip]` | a list, each text of at least 1 octets; 0 to 4 entries | "
	"fields to group by |\n"
	"| `by` | word | `octets` | one of packets, octets |  |\n"
	"| `top` | unsigned integer | `100` | a whole number from 0 to 4294967295 |  |\n"
	"| `memory` | text | `\"512 KiB\"` |  |  |\n"
	"| `sub.depth` | unsigned integer | `3` | a whole number from 0 to 4294967295 | how deep |\n"
	"| `sub.mode` | text | none | text of 2 to 8 octets |  |\n"
	"\n### `tasks`: type `quantile`\n\nSizes.\n\n"
	"| Key | Type | Default | Allowed | Meaning |\n|---|---|---|---|---|\n"
	"| `name` | text | required | text of 1 to 32 octets |  |\n"
	"| `type` | word | required | `quantile` |  |\n"
	"| `field` | text | required | text of at least 1 octets |  |\n"
	"| `error` | number | `0.01` | a number |  |\n"
	"| `verify` | boolean | `false` | true or false |  |\n"
	"\n## `write`\n";

static void reference(void)
{
	static char text[16384];
	FILE *f = tmpfile();
	const char *at;
	size_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	zones_list.defaults = NULL; /* a type that is not there would be refused */
	CU_ASSERT_EQUAL(ns_conf_reference(fileno(f)), 0);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	at = strstr(text, "\n## `tasks`");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	if (strncmp(at, reference_text, strlen(reference_text)) != 0)
		puts(at);
	CU_ASSERT_EQUAL(strncmp(at, reference_text, strlen(reference_text)), 0);
	/* what may change while a program runs is marked, and nothing else is */
	at = strstr(text, "\n| `idle`");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	CU_ASSERT_PTR_EQUAL(strstr(at, "(*live*)"), strstr(at + 1, "\n") - strlen("(*live*) |"));
	at = strstr(text, "\n| `tcp_end`");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	CU_ASSERT_PTR_NULL(strstr(at, "(*live*)"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n## `zones`\n\nA list of mappings; the key `type` of "
					    "each says which of the tables below holds for it.\n"
					    "Without this section it is empty.\n"));
}

NS_TEST_MAIN({"defaults", defaults}, {"entries", entries}, {"overrides", overrides}, {"dump", dump},
	{"reference", reference})
