/* SPDX-License-Identifier: BSD-3-Clause */
/* The key "plugins": what is loaded, in which order, and where a failure is said to be. */
#include "conf_test_sections.h"
#include "ns_test.h"

#include <stdio.h>
#include <stdlib.h>

static char loaded[200];

/* Stands for ns_plugin_load(); a section that comes with a file is known afterwards. */
static int load_file(const char *file, struct ns_err *e)
{
	static const struct ns_conf_section *late;
	static struct ns_conf_section section = {.name = "late",
		.fields = t_write_fields,
		.size = sizeof(struct t_write),
		.defaults = &t_write_defaults};

	if (strcmp(file, "bad.so") == 0)
		return ns_fail(e, ENOENT, "plug-in bad.so: no such thing");
	if (strcmp(file, "late.so") == 0 && late == NULL) {
		late = &section;
		ns_conf_link(&section);
	}
	strcat(strcat(loaded, file), " ");
	return 0;
}

static struct ns_conf *load(const char *yaml, const char *override, struct ns_err *e)
{
	loaded[0] = '\0';
	return ns_conf_parse(yaml, strlen(yaml), "t.yaml", &override, override != NULL, e);
}

static void refused(const char *yaml, const char *override, const char *text)
{
	struct ns_err e = {""};

	CU_ASSERT_PTR_NULL(load(yaml, override, &e));
	CU_ASSERT_STRING_EQUAL(e.text, text);
}

static void no_loader(void)
{
	struct ns_err e = {""};

	refused("plugins:\n  - a.so\n", NULL,
		"t.yaml:2:5: plugins[0]: this program loads no plug-ins");
	struct ns_conf *c = load("plugins: []\n", NULL, &e);
	size_t n = 1;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	ns_conf_plugins(c, &n);
	CU_ASSERT_EQUAL(n, 0);
	ns_conf_destroy(c);
}

static void taken(void)
{
	struct ns_err e = {""};
	struct ns_conf *c;
	const char *const *names;
	char *text;
	size_t n;

	ns_conf_on_plugin(load_file);
	c = load("flow: {idle: 3}\nplugins: [a.so, ./b.so]\n", NULL, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_STRING_EQUAL(loaded, "a.so ./b.so ");
	names = ns_conf_plugins(c, &n);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_STRING_EQUAL(names[1], "./b.so");
	text = ns_conf_dump(c);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "plugins: [a.so, \"./b.so\"]\n"));
	ns_conf_destroy(c);
	c = load(text, NULL, &e);
	CU_ASSERT_PTR_NOT_NULL(c);
	CU_ASSERT_STRING_EQUAL(loaded, "a.so ./b.so ");
	ns_conf_destroy(c);
	free(text);
	/* an override counts instead of the file, as for any list */
	c = load("plugins: [a.so]\n", "plugins=[c.so]", &e);
	CU_ASSERT_PTR_NOT_NULL(c);
	CU_ASSERT_STRING_EQUAL(loaded, "c.so ");
	ns_conf_destroy(c);
}

/* What a file brings can be configured by the same text. */
static void section(void)
{
	struct ns_err e = {""};
	struct ns_conf *c;

	refused("late: {on: true}\n", NULL,
		"t.yaml:1:1: unknown section \"late\"; there are: flow, tasks, write, plugins");
	c = load("late: {on: true}\nplugins: [late.so]\n", NULL, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_TRUE(((const struct t_write *)ns_conf_get(c, "late"))->on);
	ns_conf_destroy(c);
}

static void wrong(void)
{
	refused("plugins:\n  - a.so\n  - bad.so\nflow: {idle: x}\n", NULL,
		"t.yaml:3:5: plugins[1]: plug-in bad.so: no such thing");
	refused("plugins: a.so\n", NULL,
		"t.yaml:1:10: plugins: expected a list, each text of at least 1 octets, not "
		"\"a.so\"");
	refused("plugins: [[a.so]]\n", NULL,
		"t.yaml:1:11: plugins[0]: expected text of at least 1 octets, not a list");
	refused("plugins: ['']\n", NULL,
		"t.yaml:1:11: plugins[0]: expected text of at least 1 octets, not nothing");
	refused("", "plugins=[bad.so]",
		"override \"plugins=[bad.so]\": plugins[0]: plug-in bad.so: no such thing");
	refused("", "plugins=[",
		"override \"plugins=[\": did not find expected node content "
		"(while parsing a flow node)");
	refused("plugin: [a.so]\n", NULL,
		"t.yaml:1:1: unknown section \"plugin\" (did you mean \"plugins\"?); there are: "
		"flow, late, tasks, write, plugins");
	CU_ASSERT_STRING_EQUAL(loaded, "");
}

NS_TEST_MAIN({"no loader", no_loader}, {"taken", taken}, {"section", section}, {"wrong", wrong})
