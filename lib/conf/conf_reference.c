/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference of all sections, made from the schemas so that it cannot fall behind the code. */
#include "conf_priv.h"

#include <ns_log.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

NS_LOG_TYPE("conf");

struct reference {
	struct conf_ctx c;
	struct conf_buf out;
	const struct ns_conf_doc *docs; /* of the table that is being written */
	const char *section; /* whose table it is; NULL: a type's */
	const struct conf_part *list; /* of which it is a type; NULL: a section's table */
	const char *type;
};

enum which { ALL, COMMON, OWN };

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

static const char *doc_of(const struct ns_conf_doc *docs, const char *key)
{
	for (const struct ns_conf_doc *d = docs; d != NULL && d->key != NULL; d++) {
		if (strcmp(d->key, key) == 0)
			return d->text;
	}
	return "";
}

/* Do the entries of all types have that key? */
static bool is_common(const struct conf_part *list, const char *key)
{
	for (uint32_t i = 0; i < list->types.enumeration.count; i++) {
		const cyaml_schema_field_t *f = list->variants[i]->fields;

		while (f->key != NULL && strcmp(f->key, key) != 0)
			f++;
		if (f->key == NULL)
			return false;
	}
	return true;
}

static void add_default(struct reference *r, const cyaml_schema_value_t *v,
	const struct conf_node *d, bool entry_of_list)
{
	struct conf_buf text = {0};

	if (d != NULL && d->kind != CONF_MAPPING) {
		conf_write_flow(&text, d);
		conf_buf_str(&r->out, "`");
		if (!text.oom)
			add_cell(&r->out, text.s);
		conf_buf_str(&r->out, "`");
	} else if (v->type != CYAML_MAPPING && !entry_of_list) {
		conf_buf_str(&r->out, v->flags & CYAML_FLAG_OPTIONAL ? "none" : "required");
	}
	r->out.oom |= text.oom;
	conf_buf_free(&text);
}

/* Whether a running program takes another value of that key; of a section as a whole: NULL. */
static bool is_live(const char *section, const char *key)
{
	const char *live[NS_CONF_LIVE_MAX];
	size_t n = section != NULL ? strlen(section) : 0;

	ns_conf_live(live);
	for (unsigned i = 0; n > 0 && live[i] != NULL; i++) {
		if (strncmp(live[i], section, n) != 0)
			continue;
		if (live[i][n] == '\0' ||
			(key != NULL && live[i][n] == '.' && strcmp(live[i] + n + 1, key) == 0))
			return true;
	}
	return false;
}

/* The key that names the type is the same in all of them, whatever their schema says of it. */
static void add_type_row(struct reference *r)
{
	conf_buf_str(&r->out, "| `type` | word | required | `");
	add_cell(&r->out, r->type);
	conf_buf_str(&r->out, "` | ");
	add_cell(&r->out, doc_of(r->docs, "type"));
	conf_buf_str(&r->out, " |\n");
}

static void add_row(struct reference *r, const cyaml_schema_value_t *v, const char *key,
	const char *shown, const struct conf_node *d, bool entry_of_list)
{
	conf_buf_str(&r->out, "| `");
	conf_buf_str(&r->out, shown);
	conf_buf_str(&r->out, "` | ");
	conf_buf_str(&r->out, type_name(v));
	conf_buf_str(&r->out, " | ");
	add_default(r, v, d, entry_of_list);
	conf_buf_str(&r->out, " | ");
	add_allowed(&r->out, v);
	conf_buf_str(&r->out, " | ");
	add_cell(&r->out, doc_of(r->docs, key));
	if (is_live(r->section, key))
		conf_buf_str(&r->out, " (*live*)");
	conf_buf_str(&r->out, " |\n");
}

/* Keys of a mapping, then those below each; @p key is the name for docs, @p shown for people. */
static void add_fields(struct reference *r, const cyaml_schema_field_t *fields,
	const struct conf_node *defaults, const char *key, const char *shown, enum which which)
{
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		const cyaml_schema_value_t *v = &f->value;
		const struct conf_node *d =
			defaults == NULL ? NULL : conf_find(defaults, f->key, strlen(f->key));
		char k[200], s[200];

		if (v->type == CYAML_IGNORE ||
			(which != ALL && is_common(r->list, f->key) != (which == COMMON)))
			continue;
		if (which != ALL && strcmp(f->key, "type") == 0) {
			add_type_row(r);
			continue;
		}
		snprintf(k, sizeof(k), "%s%s", key, f->key);
		snprintf(s, sizeof(s), "%s%s", shown, f->key);
		if (v->type != CYAML_MAPPING || doc_of(r->docs, k)[0] != '\0')
			add_row(r, v, k, s, d, defaults == NULL);
		if (v->type == CYAML_SEQUENCE || v->type == CYAML_SEQUENCE_FIXED) {
			v = v->sequence.entry;
			d = NULL;
			strncat(s, "[]", sizeof(s) - strlen(s) - 1);
		}
		if (v->type == CYAML_MAPPING) {
			strncat(k, ".", sizeof(k) - strlen(k) - 1);
			strncat(s, ".", sizeof(s) - strlen(s) - 1);
			add_fields(r, v->mapping.fields, d, k, s, ALL);
		}
	}
}

static void add_heading(
	struct reference *r, const char *name, const char *type, const char *summary)
{
	conf_buf_str(&r->out, type == NULL ? "\n## `" : "\n### `");
	conf_buf_str(&r->out, name);
	conf_buf_str(&r->out, "`");
	if (type != NULL) {
		conf_buf_str(&r->out, ": type `");
		conf_buf_str(&r->out, type);
		conf_buf_str(&r->out, "`");
	}
	conf_buf_str(&r->out, "\n\n");
	if (summary != NULL) {
		conf_buf_str(&r->out, summary);
		conf_buf_str(&r->out, "\n\n");
	}
}

static const char table_head[] = "| Key | Type | Default | Allowed | Meaning |\n"
				 "|---|---|---|---|---|\n";

static int add_section(struct reference *r, const struct ns_conf_section *s)
{
	cyaml_schema_value_t v = conf_mapping_of(s->fields, s->size, CYAML_FLAG_DEFAULT);
	struct conf_node *defaults = NULL;

	if (s->defaults != NULL && conf_from_struct(&r->c.arena, &v, s->defaults, 0, &defaults) < 0)
		return ns_errno_set(ENOMEM);
	r->docs = s->docs;
	r->section = s->name;
	add_heading(r, s->name, NULL, s->summary);
	conf_buf_str(&r->out, table_head);
	add_fields(r, s->fields, defaults, "", "", ALL);
	r->section = NULL;
	return 0;
}

static int add_variant(struct reference *r, const struct ns_conf_variant *v)
{
	cyaml_schema_value_t schema = conf_mapping_of(v->fields, v->size, CYAML_FLAG_DEFAULT);
	struct conf_node *defaults;
	int rc = 0;

	defaults = conf_node(&r->c.arena, CONF_MAPPING, (struct conf_at){CONF_FROM_DEFAULT, 0, 0});
	if (defaults != NULL && v->defaults != NULL)
		rc = conf_from_struct(&r->c.arena, &schema, v->defaults, 0, &defaults);
	if (defaults == NULL || rc < 0)
		return ns_errno_set(ENOMEM);
	r->docs = v->docs;
	r->type = v->type;
	add_heading(r, v->section, v->type, v->summary);
	conf_buf_str(&r->out, table_head);
	add_fields(r, v->fields, defaults, "", "", COMMON);
	add_fields(r, v->fields, defaults, "", "", OWN);
	return 0;
}

/* The text of the default list as the module wrote it, comments too, below its key. */
static void add_default_list(struct reference *r, const struct conf_part *p)
{
	const char *s = p->list->defaults;

	conf_buf_str(&r->out, "```yaml\n");
	conf_buf_str(&r->out, p->name);
	conf_buf_str(&r->out, ":\n");
	while (*s != '\0') {
		size_t n = strcspn(s, "\n");

		conf_buf_str(&r->out, n > 0 ? "  " : "");
		conf_buf_add(&r->out, s, n);
		conf_buf_str(&r->out, "\n");
		s += n + (s[n] == '\n');
	}
	conf_buf_str(&r->out, "```\n");
}

static int add_list(struct reference *r, const struct conf_part *p)
{
	struct ns_err why = {0};
	const struct conf_node *entries;

	r->c.err = &why;
	entries = conf_default_entries(&r->c, p, true);
	if (entries == NULL) {
		int err = errno;

		/* nobody's mistake but the program's own, so it is said where all such things are
		 */
		if (err != ENOMEM)
			NS_LOG(ERR, "%s", why.text);
		return ns_errno_set(err);
	}
	r->list = p;
	add_heading(r, p->name, NULL, p->list->summary);
	conf_buf_str(&r->out, "A list of mappings; the key `type` of each says which of the tables "
			      "below holds for it.\n");
	if (p->list->live)
		conf_buf_str(&r->out, "The list as a whole is *live*.\n");
	if (entries->n > 0) {
		conf_buf_str(&r->out, "Without this section it is:\n\n");
		add_default_list(r, p);
	} else {
		conf_buf_str(&r->out, "Without this section it is empty.\n");
	}
	for (uint32_t i = 0; i < p->types.enumeration.count; i++) {
		if (add_variant(r, p->variants[i]) < 0)
			return -errno;
	}
	return 0;
}

int conf_write_all(int fd, const char *s, size_t n)
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

static void add_plugins(struct reference *r)
{
	const struct conf_node none = {.kind = CONF_LIST};

	r->docs = conf_plugins_docs;
	conf_buf_str(&r->out, "\nOne key at the top level is no section:\n\n");
	conf_buf_str(&r->out, table_head);
	add_row(r, &conf_plugins_field.value, CONF_PLUGINS, CONF_PLUGINS, &none, false);
}

int ns_conf_reference(int fd)
{
	struct reference r = {0};
	const struct conf_part *all;
	size_t n;
	int rc = 0;

	conf_buf_str(&r.out,
		"<!-- SPDX-License-Identifier: BSD-3-Clause -->\n"
		"# Configuration\n\n"
		"A configuration file is YAML; each section below is a key at its top "
		"level. Every key\nmay be left out. Order of precedence: defaults, the "
		"file, overrides (`section.key=value`).\nMappings merge key by key, a "
		"list replaces the default as a whole.\n\n"
		"What is *live* may change while the engine runs (`reload`, SIGHUP, `set`): "
		"all of it or,\nif any of it is wrong, nothing. The rest takes a restart.\n");
	all = conf_parts(&r.c.arena, &n, NULL);
	if (all == NULL)
		rc = -errno;
	if (all != NULL)
		add_plugins(&r);
	for (size_t i = 0; all != NULL && rc == 0 && i < n; i++)
		rc = all[i].section != NULL ? add_section(&r, all[i].section)
					    : add_list(&r, &all[i]);
	if (rc == 0)
		rc = r.out.oom ? -ENOMEM : conf_write_all(fd, r.out.s, r.out.n);
	conf_arena_free(&r.c.arena);
	conf_buf_free(&r.out);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}
