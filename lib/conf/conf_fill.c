/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the tree and the modules' structs (conf_priv.h draws the slots). libcyaml gets one
 * mapping whose keys are the sections and, with names that no section can have, the entries of the
 * list sections: a schema of its own for each of them, and one call that makes or frees it all.
 *
 *	flow: {...}        flow: {...}
 *	tasks:             write: {...}
 *	- {type: a ...}    tasks.0: {type: a ...}
 *	- {type: b ...}    tasks.1: {type: b ...}
 *	write: {...}
 */
#include "conf_priv.h"

#include <stdio.h>
#include <string.h>

static void keep_first_line(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	char *line = ctx;

	if (line[0] != '\0')
		return;
	vsnprintf(line, 200, fmt, args);
	line[strcspn(line, "\n")] = '\0';
}

static cyaml_config_t cyaml_conf(char *line)
{
	return (cyaml_config_t){.log_fn = line != NULL ? keep_first_line : NULL,
		.log_ctx = line,
		.mem_fn = ns_conf_mem,
		.log_level = CYAML_LOG_ERROR};
}

static struct conf_node *values_of(
	struct conf_arena *a, const cyaml_schema_field_t *fields, size_t size, const void *values)
{
	cyaml_schema_value_t v = conf_mapping_of(fields, size, CYAML_FLAG_DEFAULT);
	struct conf_node *n = NULL;

	if (values == NULL)
		return conf_node(a, CONF_MAPPING, (struct conf_at){CONF_FROM_DEFAULT, 0, 0});
	return conf_from_struct(a, &v, values, 0, &n) < 0 ? NULL : n;
}

static struct conf_node *loaded_entries(struct conf_arena *a, const struct conf_part *p)
{
	struct conf_node *list = conf_node(a, CONF_LIST, (struct conf_at){CONF_FROM_DEFAULT, 0, 0});
	struct conf_node *k;

	for (size_t i = 0; list != NULL && i < p->n_items; i++) {
		const struct ns_conf_variant *v = p->items[i].variant;

		k = values_of(a, v->fields, v->size, p->items[i].values);
		if (k == NULL)
			return NULL;
		conf_append(list, k);
	}
	return list;
}

struct conf_node *conf_tree(struct conf_ctx *c, const struct ns_conf *conf)
{
	struct conf_arena *a = &c->arena;
	struct conf_node *root =
		conf_node(a, CONF_MAPPING, (struct conf_at){CONF_FROM_DEFAULT, 0, 0});
	struct conf_node *k = NULL;

	if (root != NULL && (k = conf_plugins_node(a, conf)) != NULL)
		conf_append(root, k);
	for (size_t i = 0; k != NULL && i < conf->n; i++) {
		const struct conf_part *p = &conf->parts[i];
		const struct ns_conf_section *s = p->section;

		if (s != NULL)
			k = values_of(a, s->fields, s->size,
				conf->loaded ? conf->slots[p->slot] : s->defaults);
		else if (conf->loaded)
			k = loaded_entries(a, p);
		else if ((k = conf_default_entries(c, p, false)) == NULL)
			return NULL;
		if (k == NULL)
			break;
		k->key = p->name;
		conf_append(root, k);
	}
	if (root == NULL || root->n < conf->n + 1) {
		conf_no_memory(c->err);
		return NULL;
	}
	return root;
}

/* One key of what libcyaml gets: n under that name, for the slot that comes next. */
static int add_slot(struct conf_ctx *c, struct ns_conf *conf, struct conf_node *top,
	const struct conf_node *n, const char *name, cyaml_schema_value_t v)
{
	struct conf_node *copy = conf_node(&c->arena, n->kind, n->at);

	if (copy == NULL)
		return conf_no_memory(c->err);
	*copy = *n;
	copy->key = name;
	conf->fields[top->n] = (cyaml_schema_field_t){
		.key = name, .data_offset = (uint32_t)(top->n * sizeof(void *)), .value = v};
	conf_append(top, copy);
	return 0;
}

static int add_entries(struct conf_ctx *c, struct ns_conf *conf, struct conf_node *top,
	struct conf_part *p, const struct conf_node *list)
{
	char name[120];

	p->slot = top->n;
	p->items = conf_alloc(&conf->arena, (list->n + 1) * sizeof(*p->items));
	if (p->items == NULL)
		return conf_no_memory(c->err);
	for (const struct conf_node *k = list->first; k != NULL; k = k->next) {
		const struct ns_conf_variant *v = conf_variant_of(p, k);
		int n = snprintf(name, sizeof(name), "%.80s.%zu", p->name, p->n_items);
		char *key = conf_strndup(&conf->arena, name, (size_t)n);

		if (key == NULL)
			return conf_no_memory(c->err);
		if (add_slot(c, conf, top, k, key,
			    conf_mapping_of(v->fields, v->size,
				    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)) < 0)
			return -errno;
		p->items[p->n_items++].variant = v;
	}
	return 0;
}

/* The mapping for libcyaml and its schema; NULL with a message. */
static struct conf_node *lay_out(
	struct conf_ctx *c, struct ns_conf *conf, const struct conf_node *root)
{
	struct conf_node *top = conf_node(&c->arena, CONF_MAPPING, root->at);
	size_t n = conf->n;

	for (const struct conf_node *k = root->first; k != NULL; k = k->next)
		n += k->kind == CONF_LIST ? k->n : 0;
	conf->fields = conf_alloc(&conf->arena, (n + 1) * sizeof(*conf->fields));
	if (top == NULL || conf->fields == NULL) {
		conf_no_memory(c->err);
		return NULL;
	}
	conf->root = conf_mapping_of(conf->fields, 0, CYAML_FLAG_POINTER);
	for (size_t i = 0; i < conf->n; i++) {
		const struct ns_conf_section *s = conf->parts[i].section;

		if (s == NULL)
			continue;
		if (add_slot(c, conf, top, conf_find(root, s->name, strlen(s->name)), s->name,
			    conf_mapping_of(s->fields, s->size,
				    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)) < 0)
			return NULL;
	}
	for (size_t i = 0; i < conf->n; i++) {
		struct conf_part *p = &conf->parts[i];

		if (p->list != NULL &&
			add_entries(c, conf, top, p, conf_find(root, p->name, strlen(p->name))) < 0)
			return NULL;
	}
	conf->root.data_size = (uint32_t)(top->n * sizeof(void *));
	return top;
}

/* The tree has been checked already, so libcyaml's refusal would be a surprise: say all it says. */
int conf_fill(struct conf_ctx *c, struct ns_conf *conf, const struct conf_node *root)
{
	struct conf_node *top = lay_out(c, conf, root);
	struct conf_buf text = {0};
	char line[200] = "";
	cyaml_config_t cfg = cyaml_conf(line);
	cyaml_data_t *slots = NULL;
	cyaml_err_t err;

	if (top == NULL)
		return -errno;
	conf->loaded = top->n == 0;
	if (conf->loaded)
		return 0;
	conf_write_block(&text, top, 0);
	if (text.oom) {
		conf_buf_free(&text);
		return conf_no_memory(c->err);
	}
	err = cyaml_load_data((const uint8_t *)text.s, text.n, &cfg, &conf->root, &slots, NULL);
	conf_buf_free(&text);
	if (err == CYAML_OK && slots != NULL) {
		conf->slots = slots;
		conf->loaded = true;
		for (size_t i = 0; i < conf->n; i++) {
			const struct conf_part *p = &conf->parts[i];

			for (size_t k = 0; k < p->n_items; k++)
				p->items[k].values = conf->slots[p->slot + k];
		}
		return 0;
	}
	/* out of memory inside libyaml comes as one of its own errors without a message */
	if (err == CYAML_ERR_OOM || err == CYAML_ERR_LIBYAML_PARSER_INIT ||
		(err == CYAML_ERR_LIBYAML_PARSER && strstr(line, "(null)") != NULL))
		return conf_no_memory(c->err);
	return ns_fail(c->err, EINVAL, "%s: configuration refused: %s (%s)", c->name,
		cyaml_strerror(err), line);
}

void conf_unfill(struct ns_conf *conf)
{
	cyaml_config_t cfg = cyaml_conf(NULL);

	if (conf->slots != NULL)
		cyaml_free(&cfg, &conf->root, conf->slots, 0);
	conf->slots = NULL;
}
