/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The key "plugins" of the root: files that bring sections, types and whatever else a configuration
 * may then speak of. They are loaded as soon as the text is a tree, before anything is checked; the
 * list that counts is the last one, of the file or of an override.
 */
#include "conf_priv.h"

#include <string.h>

static const cyaml_schema_value_t file_name = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

/* Nothing is ever filled by it: offsets do not count. */
const cyaml_schema_field_t conf_plugins_field = {.key = CONF_PLUGINS,
	.count_size = sizeof(uint32_t),
	.value = {.type = CYAML_SEQUENCE,
		.flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		.sequence = {.entry = &file_name, .min = 0, .max = 64}}};

const struct ns_conf_doc conf_plugins_docs[] = {
	{CONF_PLUGINS,
		"plug-in modules (FILE.so) to load before the rest is read, as with --plugin; "
		"a path with a /, or a name to be looked up as the dynamic linker does"},
	{NULL, NULL}};

static int (*loader)(const char *file, struct ns_err *e);

void ns_conf_on_plugin(int (*load)(const char *file, struct ns_err *e))
{
	loader = load;
}

/* The value of "plugins=[...]", or NULL. */
static const char *of_override(const char *text)
{
	size_t n = strlen(CONF_PLUGINS);

	return strncmp(text, CONF_PLUGINS, n) == 0 && text[n] == '=' ? text + n + 1 : NULL;
}

static int load_one(struct conf_ctx *c, const struct conf_node *n, const char *path)
{
	struct ns_err why = {""};
	int rc;

	if (loader == NULL)
		return conf_fail(c, EINVAL, n->at, path, "this program loads no plug-ins");
	rc = loader(n->text, &why);
	if (rc == 0)
		return 0;
	return conf_fail(c, rc == -ENOMEM ? ENOMEM : EINVAL, n->at, path, "%.420s",
		why.text[0] != '\0' ? why.text : strerror(-rc));
}

int conf_load_plugins(struct conf_ctx *c, size_t overrides_n)
{
	struct conf_path path = {0};
	struct conf_node *list = NULL;
	unsigned i = 0;

	if (c->file != NULL && c->file->kind == CONF_MAPPING)
		list = conf_find(c->file, CONF_PLUGINS, strlen(CONF_PLUGINS));
	for (size_t o = 0; o < overrides_n; o++) {
		const char *value = of_override(c->overrides[o]);

		if (value != NULL && conf_read(c, value, strlen(value), (int)o, &list) < 0)
			return -errno;
	}
	if (list == NULL)
		return 0;
	conf_path_push(&path, "%s", CONF_PLUGINS);
	if (conf_check(c, &conf_plugins_field.value, list, &path, true) < 0)
		return -errno;
	for (const struct conf_node *n = list->first; n != NULL; n = n->next) {
		size_t before = conf_path_push(&path, "[%u]", i++);

		if (load_one(c, n, path.s) < 0)
			return -errno;
		conf_path_pop(&path, before);
	}
	return 0;
}

int conf_keep_plugins(struct conf_ctx *c, struct ns_conf *conf, const struct conf_node *root)
{
	const struct conf_node *list = conf_find(root, CONF_PLUGINS, strlen(CONF_PLUGINS));
	size_t i = 0;

	conf->plugins = conf_alloc(&conf->arena, (list->n + 1) * sizeof(char *));
	if (conf->plugins == NULL)
		return conf_no_memory(c->err);
	for (const struct conf_node *n = list->first; n != NULL; n = n->next) {
		conf->plugins[i] = conf_strndup(&conf->arena, n->text, strlen(n->text));
		if (conf->plugins[i++] == NULL)
			return conf_no_memory(c->err);
	}
	conf->plugins_n = i;
	return 0;
}

struct conf_node *conf_plugins_node(struct conf_arena *a, const struct ns_conf *conf)
{
	const struct conf_at nowhere = {CONF_FROM_DEFAULT, 0, 0};
	struct conf_node *list = conf_node(a, CONF_LIST, nowhere), *n;

	if (list == NULL)
		return NULL;
	list->key = CONF_PLUGINS;
	for (size_t i = 0; i < conf->plugins_n; i++) {
		n = conf_node(a, CONF_SCALAR, nowhere);
		if (n == NULL)
			return NULL;
		n->text = conf->plugins[i];
		n->text_like = true;
		conf_append(list, n);
	}
	return list;
}

const char *const *ns_conf_plugins(const struct ns_conf *c, size_t *n)
{
	*n = c->plugins_n;
	return c->plugins;
}
