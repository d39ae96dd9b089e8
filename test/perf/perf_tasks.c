/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets of tasks, each with a state of its own. Single default tasks are found in the text of the
 * default configuration: a list whose entries begin with "- ".
 */
#include "perf.h"

#include <ns_registry.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the configuration. */
static struct perf_tasks *create(const char *name, struct ns_conf *conf, struct ns_err *e)
{
	struct ns_tasks_args args = {.conf = conf, .live = true};
	struct perf_tasks *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		ns_conf_destroy(conf);
		ns_fail(e, ENOMEM, "no memory for the tasks \"%s\"", name);
		return NULL;
	}
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->conf = conf;
	t->tasks = ns_tasks_create(&args, e);
	if (t->tasks != NULL) {
		t->lcore = ns_task_lcore_create(t->tasks);
		t->state = ns_tasks_state_create(t->tasks);
		if (t->lcore == NULL || t->state == NULL)
			ns_fail(e, ENOMEM, "no memory for the tasks \"%s\"", name);
	}
	if (t->lcore == NULL || t->state == NULL) {
		int err = errno;

		perf_tasks_destroy(t);
		return ns_errno_null(err);
	}
	return t;
}

struct perf_tasks *perf_tasks_create(const char *name, const char *yaml, struct ns_err *e)
{
	struct ns_conf *conf = yaml[0] != '\0' ? ns_conf_parse(yaml, strlen(yaml), name, NULL, 0, e)
					       : ns_conf_load(NULL, NULL, 0, e);

	return conf != NULL ? create(name, conf, e) : NULL;
}

void perf_tasks_destroy(struct perf_tasks *t)
{
	if (t == NULL)
		return;
	if (t->tasks != NULL)
		ns_tasks_state_destroy(t->tasks, t->state);
	ns_task_lcore_destroy(t->lcore);
	ns_tasks_destroy(t->tasks);
	ns_conf_destroy(t->conf);
	free(t);
}

struct perf_tasks *perf_tasks_core(struct ns_err *e)
{
	struct ns_conf *conf = ns_conf_load(PERF_CORE_SET, NULL, 0, e);

	return conf != NULL ? create("core", conf, e) : NULL;
}

/* The list "tasks:" of a configuration's text, or NULL; *end is where it ends. */
static const char *find_list(const char *text, const char **end)
{
	const char *list = strncmp(text, "tasks:", 6) == 0 ? text : strstr(text, "\ntasks:");

	if (list == NULL)
		return NULL;
	list = strchr(list + 1, '\n');
	if (list == NULL)
		return NULL;
	*end = ++list;
	/* as long as lines are indented or begin an entry */
	while (**end == ' ' || **end == '-') {
		*end = strchr(*end, '\n');
		if (*end == NULL) {
			*end = list + strlen(list);
			break;
		}
		(*end)++;
	}
	return list;
}

static struct perf_tasks *one(
	const char *name, const char *entry, const char *end, struct ns_err *e)
{
	char yaml[2048];

	snprintf(yaml, sizeof(yaml), "tasks:\n%.*s", (int)(end - entry), entry);
	return perf_tasks_create(name, yaml, e);
}

/* Where the next entry begins that is indented as this one, or the end. */
static const char *next_entry(const char *entry, const char *end)
{
	size_t indent = strspn(entry, " ");

	for (const char *at = strchr(entry, '\n'); at != NULL && at + 1 < end;
		at = strchr(at + 1, '\n')) {
		if (strspn(at + 1, " ") == indent && at[1 + indent] == '-')
			return at + 1;
	}
	return end;
}

int perf_tasks_each(struct perf_tasks **v, unsigned max, struct ns_err *e)
{
	struct ns_conf *conf = ns_conf_load(NULL, NULL, 0, e);
	char *text = conf != NULL ? ns_conf_dump(conf) : NULL;
	const char *end = NULL, *entry = text != NULL ? find_list(text, &end) : NULL;
	int n = 0;
	size_t items;
	const struct ns_conf_item *item = NULL;

	if (conf != NULL)
		item = ns_conf_items(conf, "tasks", &items);
	if (item == NULL || entry == NULL)
		n = ns_fail(e, ENOENT, "the default configuration has no tasks");
	for (size_t i = 0; n >= 0 && i < items && entry < end && (unsigned)n < max; i++) {
		const struct ns_task_conf *c = item[i].values;
		const char *next = next_entry(entry, end);

		v[n] = one(c->name, entry, next, e);
		n = v[n] != NULL ? n + 1 : -errno;
		entry = next;
	}
	free(text);
	ns_conf_destroy(conf);
	return n;
}
