/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Between the text and the modules' structs stands a tree of nodes, each of which knows where it
 * came from:
 *
 *	defaults (struct) ──▶ tree ◀─ merge ─ tree ◀── file
 *	                       ▲──── merge ─ tree ◀── override, one by one
 *	                       ▼
 *	                  YAML text ──▶ libcyaml ──▶ one struct per section
 *
 * A list section is one more mapping key of the tree's root, a list. Its defaults are YAML text
 * already, and under each of its entries the defaults of the entry's type are laid as soon as it
 * is read; a later list replaces an earlier one as a whole. libcyaml fills one struct per entry.
 *
 * libcyaml alone could not do it: it has no defaults (an absent key is zero), takes "5x" for 5,
 * -1 for the largest unsigned number and any word but "false" for true. So the tree is checked
 * against the same schema first, strictly, which also gives every message its place.
 */

#include "ns_conf.h"

#define CONF_TEXT_MAX (1u << 20) /* octets of a configuration file */
#define CONF_NODES_MAX 16384u /* of one document, after its aliases are expanded */
#define CONF_DEPTH_MAX 32u
#define CONF_NAME_MAX 64u /* octets of a section's name */
#define CONF_ENTRIES_MAX 1024u /* of one list section */
#define CONF_PLUGINS "plugins" /* the one key of the root that is no section */

enum conf_kind { CONF_SCALAR, CONF_LIST, CONF_MAPPING };

enum { CONF_FROM_FILE = -1, CONF_FROM_DEFAULT = -2 }; /* from 0: number of an override */

struct conf_at {
	int from;
	unsigned line, col; /* from 1; meant for CONF_FROM_FILE */
};

/*
 *	mapping ─ first ─▶ child(key) ─ next ─▶ child(key) ◀─ last
 *	list    ─ first ─▶ child      ─ next ─▶ child      ◀─ last
 *
 * All of it, strings too, lies in the arena of the load and goes with it.
 */
struct conf_node {
	enum conf_kind kind;
	bool text_like; /* quoted in the source, or of a type that is text */
	bool keep; /* a blank laid over it changes nothing */
	unsigned n; /* children */
	struct conf_at at, key_at;
	const char *key; /* child of a mapping only */
	const char *text;
	struct conf_node *next, *first, *last;
};

/* A key of the root: a section, or a list section with its types of entries. */
struct conf_part {
	const char *name;
	const struct ns_conf_section *section; /* either this */
	const struct ns_conf_list *list; /* or this */
	const struct ns_conf_variant **variants; /* of the list, in order of type */
	cyaml_schema_value_t types; /* the same as a list of words, for messages */
	size_t slot; /* of the section's struct, or of the first entry's */
	struct ns_conf_item *items; /* n_items of them, once loaded */
	size_t n_items;
};

struct conf_chunk;

struct conf_arena {
	struct conf_chunk *chunks;
};

/* One load: who is asked, and where the answer for the person goes. */
struct conf_ctx {
	struct conf_arena arena;
	const char *name; /* of the file */
	const char *const *overrides;
	struct ns_err *err;
	const struct conf_part *parts; /* in order of name, n_parts of them */
	size_t n_parts;
	const cyaml_schema_value_t *root; /* what a file must look like; lists are CYAML_IGNORE */
	struct conf_node *file; /* what was read, NULL: nothing */
};

/*
 *	slots: [ ptr | ptr | ptr | ptr ]    sections in order of name, then entries of list sections
 *	          │     └──────────▶ struct of the second, from libcyaml
 *	          └────────────────▶ struct of the first
 */
struct ns_conf {
	struct conf_arena arena; /* of parts, items and the root's fields */
	struct conf_part *parts; /* in order of name, n of them */
	size_t n;
	bool loaded;
	const char **plugins; /* plugins_n names of files */
	size_t plugins_n;
	cyaml_schema_field_t *fields; /* of the slots, and an end */
	cyaml_schema_value_t root;
	void **slots; /* NULL when there is none */
};

/* The only allocator of the room (libcyaml's too), so that a test can make it fail. */
extern cyaml_mem_fn_t ns_conf_mem;

/* Growing text; after an allocation failed, oom stays set and appending does nothing. */
struct conf_buf {
	char *s; /* terminated once anything was appended */
	size_t n, cap;
	bool oom;
};

void conf_buf_add(struct conf_buf *b, const char *s, size_t n);
void conf_buf_str(struct conf_buf *b, const char *s);
void conf_buf_free(struct conf_buf *b);

/* Zeroed memory; NULL with errno ENOMEM. */
void *conf_alloc(struct conf_arena *a, size_t size);
char *conf_strndup(struct conf_arena *a, const char *s, size_t n);
void conf_arena_free(struct conf_arena *a);

struct conf_node *conf_node(struct conf_arena *a, enum conf_kind kind, struct conf_at at);
void conf_append(struct conf_node *parent, struct conf_node *child);
struct conf_node *conf_find(const struct conf_node *mapping, const char *key, size_t len);
/* Lays the mapping @p over on @p base, key by key; takes over's children. */
void conf_merge(struct conf_node *base, struct conf_node *over);
/* A scalar without any text, as after "key:". */
bool conf_is_blank(const struct conf_node *n);

/* Where a node came from, for the head of a message; returns buf. */
char *conf_where(const struct conf_ctx *c, struct conf_at at, char *buf, size_t len);
/* "WHERE: [PATH: ]text" into the caller's ns_err; returns -err. */
int conf_fail(struct conf_ctx *c, int err, struct conf_at at, const char *path, const char *fmt,
	...) NS_PRINTF(5, 6);
/* The user's text, cut and without control characters, fit for a message; returns buf. */
char *conf_show(const char *text, char *buf, size_t len);

/* Reads one YAML document; *out is NULL for an empty one. 0, -EINVAL or -ENOMEM, with message. */
int conf_read(struct conf_ctx *c, const char *yaml, size_t len, int from, struct conf_node **out);
/* Writes a mapping as a block, or any node on one line. */
void conf_write_block(struct conf_buf *b, const struct conf_node *mapping, unsigned indent);
void conf_write_flow(struct conf_buf *b, const struct conf_node *n);

/* A struct as a tree; *out is NULL for what is absent (a NULL pointer). 0 or -ENOMEM. */
int conf_from_struct(struct conf_arena *a, const cyaml_schema_value_t *v, const void *data,
	uint64_t count, struct conf_node **out);
/* What a value must be, as in "expected ..."; returns buf. */
char *conf_expected(const cyaml_schema_value_t *v, char *buf, size_t len);
/* The schema of a section's or an entry's struct. */
cyaml_schema_value_t conf_mapping_of(
	const cyaml_schema_field_t *fields, size_t size, enum cyaml_flag flags);
/* The range of an integer of @p size octets. */
int64_t conf_int_min(uint32_t size);
int64_t conf_int_max(uint32_t size);
uint64_t conf_uint_max(uint32_t size);

/* A dotted name such as flow.sub.list[2] that grows and shrinks with the walk. */
struct conf_path {
	char s[200];
	size_t n;
};

/* Appends; returns what conf_path_pop() takes to undo it. */
size_t conf_path_push(struct conf_path *p, const char *fmt, ...) NS_PRINTF(2, 3);
void conf_path_pop(struct conf_path *p, size_t before);

/* "expected EXPECTED, not ...": refuses n for what it is. */
int conf_is_not(struct conf_ctx *c, const char *expected, const struct conf_node *n,
	const struct conf_path *path);
/*
 * Names that v knows (keys, bits or words) as "a, b, c" in list, and in hint " (did you mean
 * "x"?)" when one of them is near to word.
 */
void conf_suggest(const cyaml_schema_value_t *v, const char *word, char hint[80], char list[220]);

/*
 * Checks a tree against the schema and puts booleans into libcyaml's words. With @p whole, keys
 * that are required must be there too. 0 or -EINVAL with a message.
 */
int conf_check(struct conf_ctx *c, const cyaml_schema_value_t *v, struct conf_node *n,
	struct conf_path *path, bool whole);

/* All that is registered as parts in order of name, in arena a; NULL with a message. */
struct conf_part *conf_parts(struct conf_arena *a, size_t *n, struct ns_err *e);
/* Makes the parts known to c, as c->root too; 0 or -ENOMEM with a message. */
int conf_know(struct conf_ctx *c, const struct conf_part *parts, size_t n);
/* The list section of that name, or NULL. */
const struct conf_part *conf_find_list(const struct conf_ctx *c, const char *name, size_t len);

/* The type of an entry, or NULL. */
const struct ns_conf_variant *conf_variant_of(
	const struct conf_part *list, const struct conf_node *entry);
/*
 * Checks what stands for a list section and lays the defaults under its entries; blank is fine.
 * 0, -EINVAL or -ENOMEM with a message.
 */
int conf_check_entries(struct conf_ctx *c, const struct conf_part *list, struct conf_node *n,
	struct conf_path *path);
/*
 * The default entries of a list section, checked. Unless strict, those of types that are not
 * there are left out. NULL with errno and a message.
 */
struct conf_node *conf_default_entries(
	struct conf_ctx *c, const struct conf_part *list, bool strict);

/* The schema of the key "plugins" of the root. */
extern const cyaml_schema_field_t conf_plugins_field;
extern const struct ns_conf_doc conf_plugins_docs[];
/* Loads the plug-ins that c->file and the overrides name; 0 or -errno with a message. */
int conf_load_plugins(struct conf_ctx *c, size_t overrides_n);
/* Keeps their names, of the checked root; 0 or -ENOMEM with a message. */
int conf_keep_plugins(struct conf_ctx *c, struct ns_conf *conf, const struct conf_node *root);
/* The names as a list under its key; NULL: no memory. */
struct conf_node *conf_plugins_node(struct conf_arena *a, const struct ns_conf *conf);

/* Values as a tree: those loaded, or the defaults when there are none yet; NULL with a message. */
struct conf_node *conf_tree(struct conf_ctx *c, const struct ns_conf *conf);
/* libcyaml makes the structs of a checked tree. 0, -EINVAL or -ENOMEM with a message. */
int conf_fill(struct conf_ctx *c, struct ns_conf *conf, const struct conf_node *root);
/* Frees what conf_fill() made. */
void conf_unfill(struct ns_conf *conf);
/* Runs the modules' checks and finds the place of what they complain about. */
int conf_run_checks(struct conf_ctx *c, const struct ns_conf *conf, const struct conf_node *root);

/* write(2) of all of it; 0 or -errno. */
int conf_write_all(int fd, const char *s, size_t n);

/* ns_fail() with ENOMEM and the room's words for it. */
int conf_no_memory(struct ns_err *e);
