/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration as a JSON schema (draft 2020-12), for editors and other people's tools. A type
 * of a list section is a schema of its own below $defs; which of them holds for an entry, its key
 * "type" says:
 *
 *	tasks ─ items ─▶ $defs/tasks ─ if type is heavy ─▶ $defs/tasks.heavy
 */
#include "conf_json.h"

#include <ns_log.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

NS_LOG_TYPE("conf");

struct schema {
	struct conf_ctx c;
	struct conf_json j;
	const struct ns_conf_doc *docs;
};

static void describe(struct schema *s, const char *key)
{
	for (const struct ns_conf_doc *d = s->docs; d != NULL && d->key != NULL; d++) {
		if (strcmp(d->key, key) == 0 && d->text[0] != '\0')
			conf_json_put_text(&s->j, "description", d->text);
	}
}

static void put_words(struct schema *s, const char *key, const cyaml_schema_value_t *v)
{
	conf_json_member(&s->j, key);
	conf_buf_str(&s->j.out, "[");
	for (uint32_t i = 0; i < v->enumeration.count; i++) {
		conf_buf_str(&s->j.out, i > 0 ? ", " : "");
		conf_json_text(&s->j, v->enumeration.strings[i].str);
	}
	conf_buf_str(&s->j.out, "]");
}

static void put_integer(struct schema *s, const cyaml_schema_value_t *v)
{
	char buf[24];

	conf_json_put(&s->j, "type", "\"integer\"");
	snprintf(buf, sizeof(buf), "%" PRId64,
		v->type == CYAML_INT ? conf_int_min(v->data_size) : (int64_t)0);
	conf_json_put(&s->j, "minimum", buf);
	conf_json_put_uint(&s->j, "maximum",
		v->type == CYAML_INT ? (uint64_t)conf_int_max(v->data_size)
				     : conf_uint_max(v->data_size));
}

/* Text is taken as it stands, so what other readers take for a number is text too. */
static void put_string(struct schema *s, const cyaml_schema_value_t *v)
{
	bool null = v->string.min == 0 ||
		    (v->flags & CYAML_FLAG_POINTER_NULL) == CYAML_FLAG_POINTER_NULL;
	uint32_t max = v->string.max;

	if (!(v->flags & CYAML_FLAG_POINTER))
		max = NS_MIN(max, v->data_size - 1);
	conf_json_put(&s->j, "type",
		null ? "[\"string\", \"number\", \"boolean\", \"null\"]"
		     : "[\"string\", \"number\", \"boolean\"]");
	if (v->string.min > 0)
		conf_json_put_uint(&s->j, "minLength", v->string.min);
	if (max != CYAML_UNLIMITED)
		conf_json_put_uint(&s->j, "maxLength", max);
}

static void put_bits(struct schema *s, const cyaml_schema_value_t *v)
{
	conf_json_put(&s->j, "type", "\"object\"");
	conf_json_put(&s->j, "additionalProperties", "false");
	conf_json_member(&s->j, "properties");
	conf_json_begin(&s->j, "{");
	for (uint32_t i = 0; i < v->bitfield.count; i++) {
		const cyaml_bitdef_t *d = &v->bitfield.bitdefs[i];

		conf_json_member(&s->j, d->name);
		conf_json_begin(&s->j, "{");
		conf_json_put(&s->j, "type", "\"integer\"");
		conf_json_put(&s->j, "minimum", "0");
		conf_json_put_uint(&s->j, "maximum",
			d->bits >= 64 ? UINT64_MAX : (UINT64_C(1) << d->bits) - 1);
		conf_json_end(&s->j, "}");
	}
	conf_json_end(&s->j, "}");
}

static void put_value(struct schema *s, const cyaml_schema_value_t *v, const struct conf_node *d,
	const char *key, bool whole);

static void put_list(struct schema *s, const cyaml_schema_value_t *v, const char *key)
{
	conf_json_put(&s->j, "type", "\"array\"");
	conf_json_member(&s->j, "items");
	if (v->type == CYAML_FLAGS) {
		conf_json_begin(&s->j, "{");
		put_words(s, "enum", v);
		conf_json_end(&s->j, "}");
		return;
	}
	put_value(s, v->sequence.entry, NULL, key, true);
	if (v->sequence.min > 0)
		conf_json_put_uint(&s->j, "minItems", v->sequence.min);
	if (v->sequence.max != CYAML_UNLIMITED)
		conf_json_put_uint(&s->j, "maxItems", v->sequence.max);
}

/* Keys that must be there: those that neither are optional nor have a default. */
static void put_required(
	struct schema *s, const cyaml_schema_field_t *fields, const struct conf_node *d)
{
	bool any = false;

	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		if ((f->value.flags & CYAML_FLAG_OPTIONAL) || f->value.type == CYAML_IGNORE ||
			(d != NULL && conf_find(d, f->key, strlen(f->key)) != NULL))
			continue;
		if (!any)
			conf_json_put(&s->j, "required", "[");
		else
			conf_buf_str(&s->j.out, ", ");
		conf_json_text(&s->j, f->key);
		any = true;
	}
	if (any)
		conf_buf_str(&s->j.out, "]");
}

/* Properties of a mapping; @p type is the word of a list section's type, or NULL. */
static void put_fields(struct schema *s, const cyaml_schema_field_t *fields,
	const struct conf_node *d, const char *key, const char *type)
{
	char k[200];

	conf_json_put(&s->j, "additionalProperties", "false");
	put_required(s, fields, d);
	conf_json_member(&s->j, "properties");
	conf_json_begin(&s->j, "{");
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		if (f->value.type == CYAML_IGNORE)
			continue;
		snprintf(k, sizeof(k), "%s%s%s", key, key[0] != '\0' ? "." : "", f->key);
		conf_json_member(&s->j, f->key);
		if (type != NULL && strcmp(f->key, "type") == 0) {
			conf_json_begin(&s->j, "{");
			describe(s, "type");
			conf_json_put_text(&s->j, "const", type);
			conf_json_end(&s->j, "}");
			continue;
		}
		put_value(s, &f->value, d != NULL ? conf_find(d, f->key, strlen(f->key)) : NULL, k,
			false);
	}
	conf_json_end(&s->j, "}");
}

static void put_value(struct schema *s, const cyaml_schema_value_t *v, const struct conf_node *d,
	const char *key, bool whole)
{
	conf_json_begin(&s->j, "{");
	if (!whole)
		describe(s, key);
	switch (v->type) {
	case CYAML_INT:
	case CYAML_UINT:
		put_integer(s, v);
		break;
	case CYAML_BOOL:
		conf_json_put(&s->j, "enum",
			"[true, false, \"true\", \"false\", \"yes\", \"no\", \"on\", \"off\"]");
		break;
	case CYAML_FLOAT:
		conf_json_put(&s->j, "type", "\"number\"");
		break;
	case CYAML_STRING:
		put_string(s, v);
		break;
	case CYAML_ENUM:
		put_words(s, "enum", v);
		break;
	case CYAML_BITFIELD:
		put_bits(s, v);
		break;
	case CYAML_MAPPING:
		conf_json_put(&s->j, "type", whole ? "\"object\"" : "[\"object\", \"null\"]");
		put_fields(s, v->mapping.fields, d, key, NULL);
		d = NULL;
		break;
	case CYAML_FLAGS:
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		put_list(s, v, key);
		break;
	default:
		break;
	}
	if (d != NULL) {
		conf_json_member(&s->j, "default");
		conf_json_node(&s->j, d);
	}
	conf_json_end(&s->j, "}");
}

/* The defaults of a section or a type; an empty mapping when there are none, NULL: no memory. */
static struct conf_node *defaults_of(
	struct schema *s, const cyaml_schema_field_t *fields, size_t size, const void *values)
{
	cyaml_schema_value_t v = conf_mapping_of(fields, size, CYAML_FLAG_DEFAULT);
	struct conf_node *n = NULL;

	if (values == NULL)
		return conf_node(
			&s->c.arena, CONF_MAPPING, (struct conf_at){CONF_FROM_DEFAULT, 0, 0});
	return conf_from_struct(&s->c.arena, &v, values, 0, &n) < 0 ? NULL : n;
}

static int put_section(struct schema *s, const struct ns_conf_section *sec)
{
	const struct conf_node *d = defaults_of(s, sec->fields, sec->size, sec->defaults);

	if (d == NULL)
		return ns_errno_set(ENOMEM);
	s->docs = sec->docs;
	conf_json_begin(&s->j, "{");
	if (sec->summary != NULL)
		conf_json_put_text(&s->j, "description", sec->summary);
	conf_json_put(&s->j, "type", "[\"object\", \"null\"]");
	put_fields(s, sec->fields, d, "", NULL);
	conf_json_end(&s->j, "}");
	return 0;
}

static int put_list_section(struct schema *s, const struct conf_part *p)
{
	struct ns_err why = {""};
	struct conf_node *d;
	char ref[120];

	s->c.err = &why;
	d = conf_default_entries(&s->c, p, false);
	if (d == NULL) {
		int err = errno;

		NS_LOG(ERR, "%s", why.text);
		return ns_errno_set(err);
	}
	conf_json_begin(&s->j, "{");
	if (p->list->summary != NULL)
		conf_json_put_text(&s->j, "description", p->list->summary);
	conf_json_put(&s->j, "type", "[\"array\", \"null\"]");
	conf_json_put_uint(
		&s->j, "maxItems", p->types.enumeration.count > 0 ? CONF_ENTRIES_MAX : 0);
	conf_json_member(&s->j, "items");
	snprintf(ref, sizeof(ref), "{\"$ref\": \"#/$defs/%.80s\"}", p->name);
	conf_buf_str(&s->j.out, ref);
	conf_json_member(&s->j, "default");
	conf_json_node(&s->j, d);
	conf_json_end(&s->j, "}");
	return 0;
}

/* The schema of an entry: which of the types' holds for it. */
static void put_entry(struct schema *s, const struct conf_part *p)
{
	conf_json_member(&s->j, p->name);
	conf_json_begin(&s->j, "{");
	conf_json_put(&s->j, "type", "\"object\"");
	conf_json_put(&s->j, "required", "[\"type\"]");
	conf_json_member(&s->j, "properties");
	conf_json_begin(&s->j, "{");
	conf_json_member(&s->j, "type");
	conf_json_begin(&s->j, "{");
	put_words(s, "enum", &p->types);
	conf_json_end(&s->j, "}");
	conf_json_end(&s->j, "}");
	if (p->types.enumeration.count > 0) {
		conf_json_member(&s->j, "allOf");
		conf_json_begin(&s->j, "[");
		for (uint32_t i = 0; i < p->types.enumeration.count; i++) {
			const char *type = p->variants[i]->type;
			char ref[200];

			conf_json_member(&s->j, NULL);
			conf_buf_str(
				&s->j.out, "{\"if\": {\"properties\": {\"type\": {\"const\": ");
			conf_json_text(&s->j, type);
			snprintf(ref, sizeof(ref),
				"}}}, \"then\": {\"$ref\": \"#/$defs/%.80s.%.80s\"}}", p->name,
				type);
			conf_buf_str(&s->j.out, ref);
		}
		conf_json_end(&s->j, "]");
	}
	conf_json_end(&s->j, "}");
}

static int put_types(struct schema *s, const struct conf_part *p)
{
	char name[200];

	put_entry(s, p);
	for (uint32_t i = 0; i < p->types.enumeration.count; i++) {
		const struct ns_conf_variant *v = p->variants[i];
		const struct conf_node *d = defaults_of(s, v->fields, v->size, v->defaults);

		if (d == NULL)
			return ns_errno_set(ENOMEM);
		s->docs = v->docs;
		snprintf(name, sizeof(name), "%.80s.%.80s", p->name, v->type);
		conf_json_member(&s->j, name);
		conf_json_begin(&s->j, "{");
		if (v->summary != NULL)
			conf_json_put_text(&s->j, "description", v->summary);
		conf_json_put(&s->j, "type", "\"object\"");
		put_fields(s, v->fields, d, "", v->type);
		conf_json_end(&s->j, "}");
	}
	return 0;
}

static int put_all(struct schema *s, const struct conf_part *parts, size_t n)
{
	int rc = 0;

	conf_json_begin(&s->j, "{");
	conf_json_put(&s->j, "$schema", "\"https://json-schema.org/draft/2020-12/schema\"");
	conf_json_put(&s->j, "title", "\"NetSpectra configuration\"");
	conf_json_put(&s->j, "type", "[\"object\", \"null\"]");
	conf_json_put(&s->j, "additionalProperties", "false");
	conf_json_member(&s->j, "properties");
	conf_json_begin(&s->j, "{");
	conf_json_member(&s->j, CONF_PLUGINS);
	s->docs = conf_plugins_docs;
	put_value(s, &conf_plugins_field.value, NULL, CONF_PLUGINS, false);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		conf_json_member(&s->j, parts[i].name);
		rc = parts[i].section != NULL ? put_section(s, parts[i].section)
					      : put_list_section(s, &parts[i]);
	}
	conf_json_end(&s->j, "}");
	conf_json_member(&s->j, "$defs");
	conf_json_begin(&s->j, "{");
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = parts[i].list != NULL ? put_types(s, &parts[i]) : 0;
	conf_json_end(&s->j, "}");
	conf_json_end(&s->j, "}");
	conf_buf_str(&s->j.out, "\n");
	return rc;
}

int ns_conf_schema(int fd)
{
	struct schema s = {0};
	const struct conf_part *parts;
	size_t n;
	int rc;

	parts = conf_parts(&s.c.arena, &n, NULL);
	rc = parts == NULL ? -errno : put_all(&s, parts, n);
	if (rc == 0)
		rc = s.j.out.oom ? -ENOMEM : conf_write_all(fd, s.j.out.s, s.j.out.n);
	conf_arena_free(&s.c.arena);
	conf_buf_free(&s.j.out);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}
