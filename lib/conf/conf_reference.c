/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference of all sections, made from the schemas so that it cannot fall behind the code. */
#include "conf_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct reference {
	struct conf_ctx c;
	struct conf_buf out;
	const struct ns_conf_section *section;
};

/* In a table a bar would end the cell. */
static void add_cell(struct conf_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '|')
			conf_buf_str(b, "\\");
		conf_buf_add(b, *s == '\n' ? " " : s, 1);
	}
}

static const char *type_name(const cyaml_schema_value_t *v)
{
	switch (v->type) {
	case CYAML_INT:
		return "integer";
	case CYAML_UINT:
		return "unsigned integer";
	case CYAML_BOOL:
		return "boolean";
	case CYAML_FLOAT:
		return "number";
	case CYAML_STRING:
		return "text";
	case CYAML_ENUM:
		return "word";
	case CYAML_FLAGS:
		return "list of words";
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return "list";
	default:
		return "mapping";
	}
}

static void add_allowed(struct conf_buf *b, const cyaml_schema_value_t *v)
{
	char text[1024];

	if (v->type == CYAML_MAPPING ||
		(v->type == CYAML_STRING && v->string.min == 0 && v->string.max == CYAML_UNLIMITED))
		return;
	add_cell(b, conf_expected(v, text, sizeof(text)));
	if (v->type != CYAML_SEQUENCE && v->type != CYAML_SEQUENCE_FIXED)
		return;
	if (v->sequence.min == v->sequence.max)
		snprintf(text, sizeof(text), "; %u entries", v->sequence.min);
	else if (v->sequence.max == CYAML_UNLIMITED && v->sequence.min == 0)
		return;
	else if (v->sequence.max == CYAML_UNLIMITED)
		snprintf(text, sizeof(text), "; at least %u entries", v->sequence.min);
	else
		snprintf(
			text, sizeof(text), "; %u to %u entries", v->sequence.min, v->sequence.max);
	add_cell(b, text);
}

static const char *doc_of(const struct ns_conf_section *s, const char *key)
{
	for (const struct ns_conf_doc *d = s->docs; d != NULL && d->key != NULL; d++) {
		if (strcmp(d->key, key) == 0)
			return d->text;
	}
	return "";
}

/* Keys of a mapping, then those below each; @p key is the name for docs, @p shown for people. */
static void add_fields(struct reference *r, const cyaml_schema_field_t *fields,
	const struct conf_node *defaults, const char *key, const char *shown)
{
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		const cyaml_schema_value_t *v = &f->value;
		const struct conf_node *d =
			defaults == NULL ? NULL : conf_find(defaults, f->key, strlen(f->key));
		char k[200], s[200];
		struct conf_buf text = {0};

		if (v->type == CYAML_IGNORE)
			continue;
		snprintf(k, sizeof(k), "%s%s", key, f->key);
		snprintf(s, sizeof(s), "%s%s", shown, f->key);
		if (v->type != CYAML_MAPPING || doc_of(r->section, k)[0] != '\0') {
			conf_buf_str(&r->out, "| `");
			conf_buf_str(&r->out, s);
			conf_buf_str(&r->out, "` | ");
			conf_buf_str(&r->out, type_name(v));
			conf_buf_str(&r->out, " | ");
			if (d != NULL && d->kind != CONF_MAPPING) {
				conf_write_flow(&text, d);
				conf_buf_str(&r->out, "`");
				if (!text.oom)
					add_cell(&r->out, text.s);
				conf_buf_str(&r->out, "`");
			} else if (v->type != CYAML_MAPPING && defaults != NULL) {
				conf_buf_str(&r->out,
					v->flags & CYAML_FLAG_OPTIONAL ? "none" : "required");
			}
			r->out.oom |= text.oom;
			conf_buf_free(&text);
			conf_buf_str(&r->out, " | ");
			add_allowed(&r->out, v);
			conf_buf_str(&r->out, " | ");
			add_cell(&r->out, doc_of(r->section, k));
			conf_buf_str(&r->out, " |\n");
		}
		if (v->type == CYAML_SEQUENCE || v->type == CYAML_SEQUENCE_FIXED) {
			v = v->sequence.entry;
			d = NULL;
			strncat(s, "[]", sizeof(s) - strlen(s) - 1);
		}
		if (v->type == CYAML_MAPPING) {
			strncat(k, ".", sizeof(k) - strlen(k) - 1);
			strncat(s, ".", sizeof(s) - strlen(s) - 1);
			add_fields(r, v->mapping.fields, d, k, s);
		}
	}
}

static int add_section(struct reference *r, const struct ns_conf_section *s)
{
	cyaml_schema_value_t v = {.type = CYAML_MAPPING,
		.data_size = (uint32_t)s->size,
		.mapping = {.fields = s->fields}};
	struct conf_node *defaults = NULL;

	if (s->defaults != NULL && conf_from_struct(&r->c.arena, &v, s->defaults, 0, &defaults) < 0)
		return ns_errno_set(ENOMEM);
	r->section = s;
	conf_buf_str(&r->out, "\n## `");
	conf_buf_str(&r->out, s->name);
	conf_buf_str(&r->out, "`\n\n");
	if (s->summary != NULL) {
		conf_buf_str(&r->out, s->summary);
		conf_buf_str(&r->out, "\n\n");
	}
	conf_buf_str(&r->out, "| Key | Type | Default | Allowed | Meaning |\n"
			      "|---|---|---|---|---|\n");
	add_fields(r, s->fields, defaults, "", "");
	return 0;
}

static int write_all(int fd, const char *s, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, s, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		s += put;
		n -= (size_t)put;
	}
	return 0;
}

int ns_conf_reference(int fd)
{
	struct reference r = {0};
	const struct ns_conf_section **all;
	size_t n;
	int rc = 0;

	conf_buf_str(&r.out,
		"<!-- SPDX-License-Identifier: BSD-3-Clause -->\n"
		"# Configuration\n\n"
		"A configuration file is YAML; each section below is a key at its top "
		"level. Every key\nmay be left out. Order of precedence: defaults, the "
		"file, overrides (`section.key=value`).\nMappings merge key by key, a "
		"list replaces the default as a whole.\n");
	all = conf_sections(&r.c, &n);
	if (all == NULL)
		rc = -errno;
	for (size_t i = 0; all != NULL && rc == 0 && i < n; i++)
		rc = add_section(&r, all[i]);
	if (rc == 0)
		rc = r.out.oom ? -ENOMEM : write_all(fd, r.out.s, r.out.n);
	conf_arena_free(&r.c.arena);
	conf_buf_free(&r.out);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}
