/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two lists that constructors fill before main() and ns_registry_seal() sorts into arrays.
 * Writer: the main thread, before the lcores start. Readers: any thread after that.
 */
#include <ns_registry.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ns_plugin_link *plugin_list;
static struct ns_counter *counter_list;

static const struct ns_plugin **plugins;
static size_t plugins_n;
static const struct ns_counter *counters[NS_COUNTER_MAX];
static unsigned counters_n;

/* What ns_plugin_load() has loaded; kept until the program ends. */
struct module {
	struct module *next;
	void *handle;
};

static struct module *modules;
static bool closed;

void ns_plugin_link(struct ns_plugin_link *link)
{
	link->next = plugin_list;
	plugin_list = link;
}

void ns_counter_link(struct ns_counter *c)
{
	c->next = counter_list;
	counter_list = c;
}

static int by_kind_and_name(const void *a, const void *b)
{
	const struct ns_plugin *x = *(const struct ns_plugin *const *)a;
	const struct ns_plugin *y = *(const struct ns_plugin *const *)b;
	int c = strcmp(x->kind, y->kind);

	return c != 0 ? c : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct ns_counter *const *)a)->name,
		(*(const struct ns_counter *const *)b)->name);
}

static int seal_plugins(struct ns_err *e)
{
	size_t n = 0;

	for (struct ns_plugin_link *l = plugin_list; l != NULL; l = l->next)
		n++;
	free(plugins);
	plugins_n = 0;
	plugins = calloc(n + 1, sizeof(*plugins));
	if (plugins == NULL)
		return ns_fail(e, ENOMEM, "no memory for the list of plug-ins");
	for (struct ns_plugin_link *l = plugin_list; l != NULL; l = l->next) {
		const struct ns_plugin *p = l->plugin;

		if (p->kind == NULL || p->name == NULL || p->name[0] == '\0' || p->ops == NULL)
			return ns_fail(e, EINVAL, "a plug-in without kind, name or operations");
		if (p->abi != NS_PLUGIN_ABI)
			return ns_fail(e, EPROTO, "%s \"%s\" is built for ABI %u, this is %u",
				p->kind, p->name, p->abi, NS_PLUGIN_ABI);
		plugins[plugins_n++] = p;
	}
	qsort(plugins, plugins_n, sizeof(*plugins), by_kind_and_name);
	for (size_t i = 1; i < plugins_n; i++) {
		if (by_kind_and_name(&plugins[i - 1], &plugins[i]) == 0)
			return ns_fail(e, EEXIST, "two plug-ins of kind %s are named \"%s\"",
				plugins[i]->kind, plugins[i]->name);
	}
	return 0;
}

static int seal_counters(struct ns_err *e)
{
	counters_n = 0;
	for (struct ns_counter *c = counter_list; c != NULL; c = c->next) {
		if (counters_n == NS_COUNTER_MAX)
			return ns_fail(e, ENOSPC, "more than %u named counters", NS_COUNTER_MAX);
		counters[counters_n++] = c;
	}
	qsort(counters, counters_n, sizeof(counters[0]), by_name);
	for (unsigned i = 0; i < counters_n; i++) {
		if (i > 0 && strcmp(counters[i - 1]->name, counters[i]->name) == 0)
			return ns_fail(
				e, EEXIST, "two counters are named \"%s\"", counters[i]->name);
		((struct ns_counter *)(uintptr_t)counters[i])->id = i;
	}
	return 0;
}

int ns_registry_seal(struct ns_err *e)
{
	int rc = seal_plugins(e);

	return rc < 0 ? rc : seal_counters(e);
}

/* Was it loaded by us, under whatever name? */
static bool is_loaded(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	bool ours = false;

	if (handle == NULL)
		return false;
	for (const struct module *m = modules; m != NULL; m = m->next)
		ours |= m->handle == handle;
	dlclose(handle);
	return ours;
}

int ns_plugin_load(const char *path, struct ns_err *e)
{
	struct ns_plugin_link *before = plugin_list;
	struct module *m;
	void *handle;

	if (is_loaded(path))
		return 1;
	if (closed)
		return ns_fail(e, EBUSY, "plug-in %s: takes a restart", path);
	m = malloc(sizeof(*m));
	if (m == NULL)
		return ns_fail(e, ENOMEM, "plug-in %s: no memory", path);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL || plugin_list == before) {
		free(m);
		return handle == NULL ? ns_fail(e, ENOENT, "plug-in %s: %s", path, dlerror())
				      : ns_fail(e, EPROTO, "plug-in %s: registers nothing", path);
	}
	*m = (struct module){.next = modules, .handle = handle};
	modules = m;
	return 0;
}

void ns_plugin_close(void)
{
	closed = true;
}

const struct ns_plugin *ns_plugin_find(const char *kind, const char *name)
{
	NS_PLUGIN_FOREACH (kind, p) {
		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

const struct ns_plugin *ns_plugin_next(const char *kind, const struct ns_plugin *prev)
{
	bool passed = prev == NULL;

	for (size_t i = 0; i < plugins_n; i++) {
		if (passed && (kind == NULL || strcmp(plugins[i]->kind, kind) == 0))
			return plugins[i];
		if (plugins[i] == prev)
			passed = true;
	}
	return NULL;
}

char *ns_plugin_names(const char *kind, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	NS_PLUGIN_FOREACH (kind, p) {
		int n = snprintf(buf + at, len - at, "%s%s", at > 0 ? ", " : "", p->name);

		if (n < 0 || (size_t)n >= len - at)
			break;
		at += (size_t)n;
	}
	return buf;
}

const struct ns_counter *const *ns_counters_all(unsigned *n)
{
	*n = counters_n;
	return counters;
}

const struct ns_counter *ns_counter_find(const char *name)
{
	for (unsigned i = 0; i < counters_n; i++) {
		if (strcmp(counters[i]->name, name) == 0)
			return counters[i];
	}
	return NULL;
}
