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
 * libcyaml alone could not do it: it has no defaults (an absent key is zero), takes "5x" for 5,
 * -1 for the largest unsigned number and any word but "false" for true. So the tree is checked
 * against the same schema first, strictly, which also gives every message its place.
 */

#include "ns_conf.h"

#define CONF_TEXT_MAX (1u << 20) /* octets of a configuration file */
#define CONF_NODES_MAX 16384u /* of one document, after its aliases are expanded */
#define CONF_DEPTH_MAX 32u

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
	unsigned n; /* children */
	struct conf_at at, key_at;
	const char *key; /* child of a mapping only */
	const char *text;
	struct conf_node *next, *first, *last;
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
/* The range of an integer of @p size octets. */
int64_t conf_int_min(uint32_t size);
int64_t conf_int_max(uint32_t size);
uint64_t conf_uint_max(uint32_t size);

/* A dotted name such as flow.sub.list[2] that grows and shrinks with the walk. */
struct conf_path {
	char s[200];
	size_t n;
};

/*
 * Checks a tree against the schema and puts booleans into libcyaml's words. With @p whole, keys
 * that are required must be there too. 0 or -EINVAL with a message.
 */
int conf_check(struct conf_ctx *c, const cyaml_schema_value_t *v, struct conf_node *n,
	struct conf_path *path, bool whole);

/* The registered sections in order of name, n of them, in the arena; NULL with a message. */
const struct ns_conf_section **conf_sections(struct conf_ctx *c, size_t *n);
