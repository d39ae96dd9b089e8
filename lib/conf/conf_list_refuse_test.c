/* SPDX-License-Identifier: BSD-3-Clause */
/* List sections: what is refused, and the exact words of each refusal. */
#include "conf_priv.h"
#include "conf_test_sections.h"
#include "ns_test.h"

#include <stdio.h>

/* Types of its entries are not part of this program. */
static struct ns_conf_list zones_list = {
	.section = "zones", .defaults = "[{type: net, cidr: 10.0.0.0/8}]"};
NS_CONF_LIST_REGISTER(zones_list)

static struct ns_conf *parse(const char *yaml, const char *o, struct ns_err *e)
{
	*e = (struct ns_err){0};
	errno = 0;
	return ns_conf_parse(yaml, strlen(yaml), "t.yaml", &o, o != NULL, e);
}

static struct ns_conf *load(const char *yaml, const char *o)
{
	struct ns_err e;
	struct ns_conf *c = parse(yaml, o, &e);

	if (c == NULL)
		printf("\n  %s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

static void refused_by(int err, const char *yaml, const char *o, const char *want)
{
	struct ns_err e;
	struct ns_conf *c = parse(yaml, o, &e);

	CU_ASSERT_PTR_NULL(c);
	CU_ASSERT_EQUAL(errno, err);
	if (strcmp(e.text, want) != 0) {
		printf("\n  got:    %s\n  wanted: ", e.text);
		puts(want);
	}
	CU_ASSERT_STRING_EQUAL(e.text, want);
	ns_conf_destroy(c);
}

static void refused(const char *yaml, const char *o, const char *want)
{
	refused_by(EINVAL, yaml, o, want);
}

static void overrides(void)
{
#define WHOLE                                                                \
	"entries of a list cannot be overridden, only the list as a whole: " \
	"tasks=[{type: ...}, ...]"
	refused("", "tasks.0.memory=3", "override \"tasks.0.memory=3\": " WHOLE);
	refused("", "tasks.x=3", "override \"tasks.x=3\": " WHOLE);
#undef WHOLE
	refused("", "tasks=[{name: x, type: heavy, top: -1}]",
		"override \"tasks=[{name: x, type: heavy, top: -1}]\": tasks[0].top: expected a whole "
		"number from 0 to 4294967295, not \"-1\"");
	refused("", "tasks=[{name: x, type: heavy, memory: 1 MB}]",
		"override \"tasks=[{name: x, type: heavy, memory: 1 MB}]\": tasks[0].memory: expected "
		"a whole number of octets, KiB, MiB or GiB, as in 65536 or 512 KiB, not \"1 MB\"");
	/* an override does not excuse the file */
	refused("tasks: [{name: x, type: quantile}]", "tasks=[]",
		"t.yaml:1:9: tasks[0]: the key \"field\" is required");
}

static void wrong_types(void)
{
	static const char h[] = "tasks:\n  - {name: a, type: heavy}\n";
	char text[300];

#define ENTRY(yaml, want)                                        \
	do {                                                     \
		snprintf(text, sizeof(text), "%s" yaml "\n", h); \
		refused(text, NULL, "t.yaml:" want);             \
	} while (0)
	ENTRY("  - {name: b, type: havy}",
		"3:21: tasks[1].type: unknown type \"havy\" (did you mean \"heavy\"?); there are: "
		"heavy, quantile");
	ENTRY("  - {name: b, type: 7}",
		"3:21: tasks[1].type: unknown type \"7\"; there are: heavy, quantile");
	ENTRY("  - {name: b, tpye: heavy}",
		"3:5: tasks[1]: the key \"type\" is required; there are: heavy, quantile");
	ENTRY("  - name: b\n    type:",
		"4:10: tasks[1].type: expected one of heavy, quantile, not nothing");
	ENTRY("  - {type: [heavy]}",
		"3:12: tasks[1].type: expected one of heavy, quantile, not a list");
	ENTRY("  - heavy", "3:5: tasks[1]: expected a mapping (key: value), not \"heavy\"");
	ENTRY("  -", "3:4: tasks[1]: expected a mapping (key: value), not nothing");
	ENTRY("  - []", "3:5: tasks[1]: expected a mapping (key: value), not a list");
#undef ENTRY
#define NO_LIST "tasks: expected a list of mappings, each with its \"type\", not "
	refused("tasks: {name: a, type: heavy}", NULL, "t.yaml:1:8: " NO_LIST "a mapping");
	refused("\ntasks: heavy", NULL, "t.yaml:2:8: " NO_LIST "\"heavy\"");
	refused("tasks: ''", NULL, "t.yaml:1:8: " NO_LIST "nothing");
#undef NO_LIST
}

static void wrong_values(void)
{
#define HEAVY(yaml, at, want)                                                 \
	refused("tasks:\n  - name: a\n    type: heavy\n    " yaml "\n", NULL, \
		"t.yaml:4:" at ": tasks[0]" want)
	HEAVY("by: flows", "9", ".by: expected one of packets, octets, not \"flows\"");
	HEAVY("top: x", "10", ".top: expected a whole number from 0 to 4294967295, not \"x\"");
	HEAVY("key: [a, [b]]", "14", ".key[1]: expected text of at least 1 octets, not a list");
	HEAVY("key: src_ip", "10",
		".key: expected a list, each text of at least 1 octets, not \"src_ip\"");
	HEAVY("sub: {detph: 3}", "11",
		".sub: unknown key \"detph\" (did you mean \"depth\"?); there are: depth, mode");
	HEAVY("field: x", "5",
		": unknown key \"field\"; there are: key, name, type, by, top, memory, sub");
#undef HEAVY
	refused("tasks:\n  - {type: heavy}\n", NULL,
		"t.yaml:2:5: tasks[0]: the key \"name\" is required");
	/* in the order of the text, and before what is missing */
	refused("tasks:\n  - {type: heavy, top: x, by: y}\nflow: {idle: x}\n", NULL,
		"t.yaml:2:24: tasks[0].top: expected a whole number from 0 to 4294967295, not "
		"\"x\"");
	refused("flow: {idle: x}\ntasks: 3\n", NULL,
		"t.yaml:1:14: flow.idle: expected a whole number from 0 to 4294967295, not \"x\"");
	refused("task: []", NULL,
		"t.yaml:1:1: unknown section \"task\" (did you mean \"tasks\"?); there are: flow, "
		"tasks, write, zones, plugins");
}

static void too_many(void)
{
	static char text[64000];
	char *p = text + sprintf(text, "tasks:\n");

	for (unsigned i = 0; i <= CONF_ENTRIES_MAX; i++)
		p += sprintf(p, "- {name: n%u, type: heavy}\n", i);
	refused(text, NULL, "t.yaml:2:1: tasks: 1025 entries, must be at most 1024");
	p = strrchr(text, '-');
	*p = '\0';
	refused(text, NULL, "t.yaml:1:1: tasks: more than 6 together"); /* so many were loaded */
}

static void checks(void)
{
	/* an entry of a list has a place of its own */
	refused("tasks:\n  - name: a\n    type: heavy\n    key:\n      - b\n      - -c\n", NULL,
		"t.yaml:6:9: tasks[0].key[1]: no such field");
	refused("tasks: [{name: a, type: heavy}, {name: b, type: heavy, key: [c, d, -e]}]", NULL,
		"t.yaml:1:68: tasks[1].key[2]: no such field");
	refused("tasks:\n- name: a\n  type: heavy\n  sub:\n    depth: 11\n", NULL,
		"t.yaml:5:5: tasks[0].sub.depth: at most 10");
	refused("tasks:\n- name: a\n  type: heavy\n  sub: {depth: 9}\n", NULL,
		"t.yaml:4:3: tasks[0].sub.mode (left at its default): must be given");
	refused("tasks:\n- name: a\n  type: heavy\n  top: 0\n", NULL,
		"t.yaml:4:3: tasks[0].top: fewer than keys");
	refused("tasks:\n- {name: a, type: heavy}\n- {name: b, type: heavy, memory: lots}\n", NULL,
		"t.yaml:3:26: tasks[1].memory: expected a whole number of octets, KiB, MiB or GiB, as "
		"in 65536 or 512 KiB, not \"lots\"");
	refused("tasks:\n- {name: a, type: heavy}\n- {name: b, type: heavy, sub: {depth: 8}}\n",
		NULL, "t.yaml:3:3: tasks[1]: something is wrong");
	/* all together */
	refused("tasks:\n- {name: a, type: heavy}\n- {type: quantile, name: a, field: x}\n", NULL,
		"t.yaml:3:20: tasks[1].name: \"a\" is the name of tasks[0] too");
	refused("tasks: [{name: a, type: heavy}]",
		"tasks=[{name: a, type: heavy}, {name: a, type: heavy}]",
		"override \"tasks=[{name: a, type: heavy}, {name: a, type: heavy}]\": tasks[1].name: "
		"\"a\" is the name of tasks[0] too");
	/* what the user says of another section does not make the default list his */
	t_heavy_variant.defaults = &(struct t_heavy){.memory = (char *)"1 foot"};
	refused("flow: {idle: 3}", NULL,
		"built-in default:2:3: tasks[0].memory (left at its default): expected a whole number "
		"of octets, KiB, MiB or GiB, as in 65536 or 512 KiB, not \"1 foot\"");
	t_heavy_variant.defaults = &t_heavy_defaults;
}

static void bad_default_list(void)
{
	static const struct {
		const char *text, *want;
	} bad[] = {{"- {name: a", "built-in default:2:1: did not find expected ',' or '}' (while "
				  "parsing a flow mapping)"},
		{"a: 3", "built-in default:1:1: tasks: expected a list of mappings, not a mapping"},
		{"- {name: a, type: heavy}\n- {name: b, type: heavy, top: x}\n",
			"built-in default:2:31: tasks[1].top: expected a whole number from 0 to "
			"4294967295, not \"x\""},
		{"- {name: a}",
			"built-in default:1:3: tasks[0]: the key \"type\" is required; there "
			"are: heavy, quantile"},
		{"- {name: a, type: heavy}\n- {name: a, type: heavy}\n",
			"built-in default:2:4: tasks[1].name: \"a\" is the name of tasks[0] too"}};
	const char *good = t_tasks_list.defaults, *zones = zones_list.defaults;

	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++) {
		t_tasks_list.defaults = bad[i].text;
		refused("", NULL, bad[i].want);
	}
	/* a type that this program lacks is no reason not to start, but the reference tells */
	t_tasks_list.defaults = "[{name: a, type: absent, x: 3}, {name: b, type: heavy}]";
	struct ns_conf *c = load("", NULL);
	size_t n;
	const struct ns_conf_item *items = ns_conf_items(c, "tasks", &n);
	CU_ASSERT_EQUAL_FATAL(n, 1);
	CU_ASSERT_STRING_EQUAL(((const struct t_task *)items[0].values)->name, "b");
	ns_conf_destroy(c);
	FILE *f = tmpfile();
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	zones_list.defaults = NULL; /* that one is meant to be without its types */
	CU_ASSERT_EQUAL(ns_conf_reference(fileno(f)), -EINVAL);
	t_tasks_list.defaults = good;
	CU_ASSERT_EQUAL(ns_conf_reference(fileno(f)), 0);
	zones_list.defaults = zones;
	fclose(f);

	t_tasks_list.defaults = NULL;
	c = load("", NULL);
	CU_ASSERT_PTR_NULL(ns_conf_items(c, "tasks", &n));
	ns_conf_destroy(c);
	t_tasks_list.defaults = good;
}

/* Names that cannot be told apart are refused when a configuration is loaded. */
static void clashes(void)
{
	static struct ns_conf_section section = {
		.name = "tasks", .fields = t_pair_fields, .size = sizeof(struct t_pair)};
	static struct ns_conf_list list = {.section = "tasks"};
	static struct ns_conf_variant variant = {.section = "tasks",
		.type = "heavy",
		.fields = t_quantile_fields,
		.size = sizeof(struct t_quantile)};

	ns_conf_link(&section);
	refused_by(EEXIST, "", NULL, "two configuration sections are named \"tasks\"");
	section.name = "b.c";
	refused("", NULL, "\"b.c\" is no name for a configuration section");
	section.name = "other"; /* nothing is unlinked again; its key "a" is required */
	section.defaults = &t_default_pairs;
	ns_conf_list_link(&list);
	refused_by(EEXIST, "", NULL, "two configuration sections are named \"tasks\"");
	list.section = "others";
	ns_conf_variant_link(&variant);
	refused_by(EEXIST, "", NULL, "two types of \"tasks\" are named \"heavy\"");
	variant.section = "tsaks";
	refused("", NULL, "type \"heavy\" is of the list section \"tsaks\", which does not exist");
	variant.section = "others";
	variant.fields = t_pair_fields;
	refused("", NULL, "type \"heavy\" of \"others\" lacks a key \"type\"");
	variant.fields = t_quantile_fields;
	ns_conf_destroy(load("others: [{name: a, type: heavy, field: x}]", NULL));
}

static void no_types(void)
{
	struct ns_conf *c = load("zones: []", NULL);
	size_t n = 7;

	CU_ASSERT_PTR_NULL(ns_conf_items(c, "zones", &n));
	CU_ASSERT_EQUAL(n, 0);
	ns_conf_destroy(c);
	ns_conf_destroy(load("zones:\n", NULL));
	refused("zones:\n  - {type: net}\n", NULL,
		"t.yaml:2:5: zones: must be empty: this program knows no type of entry");
}

NS_TEST_MAIN({"overrides", overrides}, {"wrong types", wrong_types}, {"wrong values", wrong_values},
	{"too many", too_many}, {"checks of modules", checks},
	{"bad default list", bad_default_list}, {"no types", no_types}, {"clashes", clashes})
