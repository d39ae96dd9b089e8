/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is registered: sections, list sections and the types of their entries. Constructors only
 * link them; order and names are looked at when a configuration is loaded, so that link order
 * never matters.
 *
 *	sections ─▶ flow ─▶ write          parts: [ flow | tasks | write ]
 *	lists    ─▶ tasks            ───▶                    │
 *	variants ─▶ sizes ─▶ heavy                  variants: [ heavy | sizes ]
 */
#include "conf_priv.h"

#include <stdlib.h>
#include <string.h>

static struct ns_conf_section *section_list;
static struct ns_conf_list *list_list;
static struct ns_conf_variant *variant_list;

void ns_conf_link(struct ns_conf_section *s)
{
	s->next = section_list;
	section_list = s;
}

void ns_conf_list_link(struct ns_conf_list *l)
{
	l->next = list_list;
	list_list = l;
}

void ns_conf_variant_link(struct ns_conf_variant *v)
{
	v->next = variant_list;
	variant_list = v;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

unsigned ns_conf_live(const char *keys[NS_CONF_LIVE_MAX])
{
	unsigned n = 0;

	for (const struct ns_conf_section *s = section_list; s != NULL; s = s->next) {
		for (unsigned i = 0; s->live != NULL && s->live[i] != NULL; i++) {
			if (n < NS_CONF_LIVE_MAX - 1)
				keys[n++] = s->live[i];
		}
	}
	for (const struct ns_conf_list *l = list_list; l != NULL; l = l->next) {
		if (l->live && n < NS_CONF_LIVE_MAX - 1)
			keys[n++] = l->section;
	}
	qsort(keys, n, sizeof(keys[0]), by_text);
	keys[n] = NULL;
	return n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct conf_part *)a)->name, ((const struct conf_part *)b)->name);
}

static int by_type(const void *a, const void *b)
{
	return strcmp((*(const struct ns_conf_variant *const *)a)->type,
		(*(const struct ns_conf_variant *const *)b)->type);
}

/* The types of one list section; 0 or -err with a message. */
static int find_variants(struct conf_arena *a, struct conf_part *p, struct ns_err *e)
{
	cyaml_strval_t *words;
	size_t n = 0, i = 0;

	for (const struct ns_conf_variant *v = variant_list; v != NULL; v = v->next)
		n += strcmp(v->section, p->name) == 0;
	p->variants = conf_alloc(a, (n + 1) * sizeof(struct ns_conf_variant *));
	words = conf_alloc(a, (n + 1) * sizeof(*words));
	if (p->variants == NULL || words == NULL)
		return conf_no_memory(e);
	for (const struct ns_conf_variant *v = variant_list; v != NULL; v = v->next) {
		if (strcmp(v->section, p->name) == 0)
			p->variants[i++] = v;
	}
	qsort(p->variants, n, sizeof(struct ns_conf_variant *), by_type);
	for (i = 0; i < n; i++) {
		const struct ns_conf_variant *v = p->variants[i];
		const cyaml_schema_field_t *f = v->fields;

		if (i > 0 && strcmp(p->variants[i - 1]->type, v->type) == 0)
			return ns_fail(e, EEXIST, "two types of \"%s\" are named \"%s\"", p->name,
				v->type);
		while (f->key != NULL && strcmp(f->key, "type") != 0)
			f++;
		if (v->type[0] == '\0' || f->key == NULL)
			return ns_fail(e, EINVAL, "type \"%s\" of \"%s\" lacks a %s", v->type,
				p->name, f->key == NULL ? "key \"type\"" : "name");
		words[i] = (cyaml_strval_t){.str = v->type, .val = (int64_t)i};
	}
	p->types.type = CYAML_ENUM;
	p->types.enumeration.strings = words;
	p->types.enumeration.count = (uint32_t)n;
	return 0;
}

static int check_parts(struct conf_part *parts, size_t n, struct ns_err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_part *p = &parts[i];

		if (p->name[0] == '\0' || strlen(p->name) > CONF_NAME_MAX ||
			strpbrk(p->name, ".=: ") != NULL || strcmp(p->name, CONF_PLUGINS) == 0)
			return ns_fail(e, EINVAL, "\"%s\" is no name for a configuration section",
				p->name);
		if (i > 0 && strcmp(parts[i - 1].name, p->name) == 0)
			return ns_fail(
				e, EEXIST, "two configuration sections are named \"%s\"", p->name);
	}
	for (const struct ns_conf_variant *v = variant_list; v != NULL; v = v->next) {
		const struct ns_conf_list *l = list_list;

		while (l != NULL && strcmp(l->section, v->section) != 0)
			l = l->next;
		if (l == NULL)
			return ns_fail(e, EINVAL,
				"type \"%s\" is of the list section \"%s\", which does not exist",
				v->type, v->section);
	}
	return 0;
}

struct conf_part *conf_parts(struct conf_arena *a, size_t *n, struct ns_err *e)
{
	struct conf_part *parts;
	size_t i = 0, slot = 0;

	*n = 0;
	for (const struct ns_conf_section *s = section_list; s != NULL; s = s->next)
		(*n)++;
	for (const struct ns_conf_list *l = list_list; l != NULL; l = l->next)
		(*n)++;
	parts = conf_alloc(a, (*n + 1) * sizeof(*parts));
	if (parts == NULL) {
		conf_no_memory(e);
		return NULL;
	}
	for (const struct ns_conf_section *s = section_list; s != NULL; s = s->next)
		parts[i++] = (struct conf_part){.name = s->name, .section = s};
	for (const struct ns_conf_list *l = list_list; l != NULL; l = l->next)
		parts[i++] = (struct conf_part){.name = l->section, .list = l};
	qsort(parts, *n, sizeof(*parts), by_name);
	if (check_parts(parts, *n, e) < 0)
		return NULL;
	for (i = 0; i < *n; i++) {
		if (parts[i].section != NULL)
			parts[i].slot = slot++;
		else if (find_variants(a, &parts[i], e) < 0)
			return NULL;
	}
	return parts;
}

int conf_know(struct conf_ctx *c, const struct conf_part *parts, size_t n)
{
	cyaml_schema_field_t *fields = conf_alloc(&c->arena, (n + 2) * sizeof(*fields));
	cyaml_schema_value_t *root = conf_alloc(&c->arena, sizeof(*root));

	if (fields == NULL || root == NULL)
		return conf_no_memory(c->err);
	for (size_t i = 0; i < n; i++) {
		const struct ns_conf_section *s = parts[i].section;

		fields[i].key = parts[i].name;
		fields[i].value.type = CYAML_IGNORE;
		if (s != NULL)
			fields[i].value = conf_mapping_of(
				s->fields, s->size, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL);
	}
	fields[n] = conf_plugins_field;
	*root = conf_mapping_of(fields, (n + 1) * sizeof(void *), CYAML_FLAG_POINTER);
	c->parts = parts;
	c->n_parts = n;
	c->root = root;
	return 0;
}

const struct conf_part *conf_find_list(const struct conf_ctx *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->n_parts; i++) {
		const struct conf_part *p = &c->parts[i];

		if (p->list != NULL && strncmp(p->name, name, len) == 0 && p->name[len] == '\0')
			return p;
	}
	return NULL;
}
