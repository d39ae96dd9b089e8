/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * List sections: each entry is checked against the schema of the type that it names, and gets what
 * it does not say from the defaults of that type. The keys are checked before the defaults are laid
 * under them, so that faults are found in the order of the user's text.
 */
#include "conf_priv.h"

#include <string.h>

static const char type_key[] = "type";

const struct ns_conf_variant *conf_variant_of(
	const struct conf_part *list, const struct conf_node *entry)
{
	const struct conf_node *type = NULL;

	if (entry->kind == CONF_MAPPING)
		type = conf_find(entry, type_key, strlen(type_key));
	if (type == NULL || type->kind != CONF_SCALAR)
		return NULL;
	for (uint32_t i = 0; i < list->types.enumeration.count; i++) {
		if (strcmp(list->variants[i]->type, type->text) == 0)
			return list->variants[i];
	}
	return NULL;
}

static int wrong_type(struct conf_ctx *c, const struct conf_part *list, const struct conf_node *n,
	struct conf_path *path)
{
	const struct conf_node *type = conf_find(n, type_key, strlen(type_key));
	char names[220], hint[80], shown[64], expected[240];
	bool word = type != NULL && type->kind == CONF_SCALAR && type->text[0] != '\0';

	conf_suggest(&list->types, word ? type->text : "", hint, names);
	if (type == NULL)
		return conf_fail(c, EINVAL, n->at, path->s,
			"the key \"type\" is required; there are: %s", names);
	conf_path_push(path, ".%s", type_key);
	if (!word)
		return conf_is_not(
			c, conf_expected(&list->types, expected, sizeof(expected)), type, path);
	return conf_fail(c, EINVAL, type->at, path->s, "unknown type \"%s\"%s; there are: %s",
		conf_show(type->text, shown, sizeof(shown)), hint, names);
}

static int check_entry(struct conf_ctx *c, const struct conf_part *list, struct conf_node *n,
	struct conf_path *path)
{
	const struct ns_conf_variant *v = conf_variant_of(list, n);
	struct conf_node *full = NULL;
	cyaml_schema_value_t schema;

	if (n->kind != CONF_MAPPING)
		return conf_is_not(c, "a mapping (key: value)", n, path);
	if (v == NULL)
		return wrong_type(c, list, n, path);
	schema = conf_mapping_of(v->fields, v->size, CYAML_FLAG_DEFAULT);
	if (conf_check(c, &schema, n, path, false) < 0)
		return -errno;
	if (v->defaults != NULL) {
		if (conf_from_struct(&c->arena, &schema, v->defaults, 0, &full) < 0)
			return conf_no_memory(c->err);
		conf_merge(full, n);
		n->first = full->first;
		n->last = full->last;
		n->n = full->n;
	}
	return conf_check(c, &schema, n, path, true);
}

int conf_check_entries(struct conf_ctx *c, const struct conf_part *list, struct conf_node *n,
	struct conf_path *path)
{
	unsigned i = 0;

	if (conf_is_blank(n))
		return 0;
	if (n->kind != CONF_LIST)
		return conf_is_not(c, "a list of mappings, each with its \"type\"", n, path);
	if (n->n > CONF_ENTRIES_MAX)
		return conf_fail(c, EINVAL, n->at, path->s, "%u entries, must be at most %u", n->n,
			CONF_ENTRIES_MAX);
	if (n->n > 0 && list->types.enumeration.count == 0)
		return conf_fail(c, EINVAL, n->first->at, path->s,
			"must be empty: this program knows no type of entry");
	for (struct conf_node *k = n->first; k != NULL; k = k->next) {
		size_t before = conf_path_push(path, "[%u]", i++);

		if (check_entry(c, list, k, path) < 0)
			return -errno;
		conf_path_pop(path, before);
	}
	return 0;
}

/* Is it an entry whose only fault is that its plug-in is not there? */
static bool left_out(const struct conf_part *list, const struct conf_node *entry)
{
	const struct conf_node *type = NULL;

	if (entry->kind == CONF_MAPPING)
		type = conf_find(entry, type_key, strlen(type_key));
	return type != NULL && type->kind == CONF_SCALAR && conf_variant_of(list, entry) == NULL;
}

struct conf_node *conf_default_entries(
	struct conf_ctx *c, const struct conf_part *list, bool strict)
{
	const char *text = list->list->defaults != NULL ? list->list->defaults : "";
	struct conf_node *all, *used, *next;
	struct conf_path path = {0};

	if (conf_read(c, text, strlen(text), CONF_FROM_DEFAULT, &all) < 0)
		return NULL;
	used = conf_node(&c->arena, CONF_LIST,
		all != NULL ? all->at : (struct conf_at){CONF_FROM_DEFAULT, 0, 0});
	if (used == NULL) {
		conf_no_memory(c->err);
		return NULL;
	}
	used->key = list->name;
	used->keep = true;
	conf_path_push(&path, "%s", list->name);
	if (all != NULL && all->kind != CONF_LIST) {
		conf_is_not(c, "a list of mappings", all, &path);
		return NULL;
	}
	for (struct conf_node *k = all != NULL ? all->first : NULL; k != NULL; k = next) {
		next = k->next;
		if (strict || !left_out(list, k))
			conf_append(used, k);
	}
	return conf_check_entries(c, list, used, &path) < 0 ? NULL : used;
}
