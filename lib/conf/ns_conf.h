/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Configuration: YAML into a module's own struct.
 *
 * Each module owns a section: {name, struct, cyaml fields, defaults, check}. The root schema is
 * assembled at start from the registered sections. Order of precedence: defaults, then the file,
 * then overrides ("flow.idle=30"). Unknown keys and bad values are refused with file, line and
 * column (or the override's text).
 *
 * A section may also be a list of mappings, each of a type that its key "type" names: the section
 * is registered as a ns_conf_list by its room, each type as a ns_conf_variant by its plug-in.
 *
 * Thread: main, at start. Afterwards the values are read-only and any thread may read them.
 */

#include <ns_base.h>

#include <cyaml/cyaml.h>

struct ns_conf_section {
	struct ns_conf_section *next;
	const char *name; /**< key at the top level, e.g. "flow" */
	const char *summary; /**< one line for the generated documentation */
	const cyaml_schema_field_t *fields; /**< ends with CYAML_FIELD_END */
	size_t size; /**< sizeof the module's struct */
	const void *defaults; /**< an instance of the struct; borrowed */
	const struct ns_conf_doc *docs; /**< key -> text, ends with {NULL, NULL} */
	/**
	 * Keys that a running program takes from another configuration, all else takes a restart:
	 * "flow.idle", ..., or the section's name for all of it; ends with NULL; NULL: none.
	 */
	const char *const *live;
	/**
	 * Checks values that the schema can't; NULL: none. On failure sets *key to the culprit:
	 * "idle", "sub.depth", "files[2]"; left alone: the section as such.
	 */
	int (*check)(const void *values, const char **key, struct ns_err *e);
};

/** What one key means, with its unit; keys of nested mappings as "a.b". */
struct ns_conf_doc {
	const char *key;
	const char *text;
};

void ns_conf_link(struct ns_conf_section *s);

/** NS_CONF_REGISTER(flow_section) for a `static struct ns_conf_section flow_section`. */
#define NS_CONF_REGISTER(ident)                                            \
	__attribute__((constructor)) static void ns_register_##ident(void) \
	{                                                                  \
		ns_conf_link(&(ident));                                    \
	}

/**
 * One type of entry of a list section; owned by a plug-in, borrowed for the life of the program.
 * Its struct begins with what all entries of that section have; that is for the room to say.
 */
struct ns_conf_variant {
	struct ns_conf_variant *next;
	const char *section; /**< name of the list section, e.g. "tasks" */
	const char *type; /**< value of the key "type", e.g. "heavy" */
	const char *summary; /**< one line for the generated documentation */
	/** All keys of the entry, "type" and the common ones too; ends with CYAML_FIELD_END. */
	const cyaml_schema_field_t *fields;
	size_t size; /**< sizeof the plug-in's struct */
	const void *defaults; /**< an instance of the struct, laid under each entry; NULL: none */
	const struct ns_conf_doc *docs; /**< key -> text, ends with {NULL, NULL} */
	/** As in ns_conf_section; *key is below the entry: "by", "sub.depth", "key[2]". */
	int (*check)(const void *values, const char **key, struct ns_err *e);
};

void ns_conf_variant_link(struct ns_conf_variant *v);

/** NS_CONF_VARIANT_REGISTER(heavy_conf) for a `static struct ns_conf_variant heavy_conf`. */
#define NS_CONF_VARIANT_REGISTER(ident)                                    \
	__attribute__((constructor)) static void ns_register_##ident(void) \
	{                                                                  \
		ns_conf_variant_link(&(ident));                            \
	}

/** One entry of a list section: what it is, and its values in that variant's struct. */
struct ns_conf_item {
	const struct ns_conf_variant *variant;
	const void *values;
};

/** A section that is a list; owned by a room, borrowed for the life of the program. */
struct ns_conf_list {
	struct ns_conf_list *next;
	const char *section; /**< key at the top level, e.g. "tasks" */
	const char *summary; /**< one line for the generated documentation */
	/**
	 * YAML text of the list that holds when neither the file nor an override gives one; NULL:
	 * empty. Entries of a type that this program does not have are left out of it.
	 */
	const char *defaults;
	bool live; /**< a running program takes another list (ns_conf_section.live) */
	/**
	 * Checks the entries together (unique names, ...), after each passed its own check; NULL:
	 * none. On failure *at is the entry and *key the culprit below it (NULL: the entry as
	 * such); when *at is left alone, the list as such.
	 */
	int (*check)(const struct ns_conf_item *items, size_t n, size_t *at, const char **key,
		struct ns_err *e);
};

void ns_conf_list_link(struct ns_conf_list *l);

/** NS_CONF_LIST_REGISTER(task_list) for a `static struct ns_conf_list task_list`. */
#define NS_CONF_LIST_REGISTER(ident)                                       \
	__attribute__((constructor)) static void ns_register_##ident(void) \
	{                                                                  \
		ns_conf_list_link(&(ident));                               \
	}

/**
 * Tells how the files are loaded that the key "plugins" of the root names, before anything else of
 * a configuration is looked at: @p load is called for each by every load of a configuration, so it
 * must take a file that is there already (0), and gives 0 or -errno with a message. Without it a
 * program refuses the key unless the list is empty. Main thread.
 */
void ns_conf_on_plugin(int (*load)(const char *file, struct ns_err *e));

struct ns_conf;

/**
 * Names of sections that only other programs of the house have: what a file says under them is
 * passed over, so that one file serves all. Ends with NULL; borrowed for good. Main thread, at
 * start.
 */
void ns_conf_foreign(const char *const *sections);

/**
 * Loads @p path (NULL: defaults only) and @p n overrides "section.key=value" (value is YAML).
 * Returns the configuration, owned by the caller, or NULL with errno and a message that names
 * file:line:column or the override: ENOENT, EINVAL, ENOMEM.
 */
struct ns_conf *ns_conf_load(
	const char *path, const char *const *overrides, size_t n, struct ns_err *e);

/** As ns_conf_load() from memory; @p name stands for the file in messages. */
struct ns_conf *ns_conf_parse(const char *yaml, size_t len, const char *name,
	const char *const *overrides, size_t n, struct ns_err *e);

/** The values of a section: the module's struct, owned by @p c; NULL when there is no such section.
 */
const void *ns_conf_get(const struct ns_conf *c, const char *section);

/**
 * Entries of a list section in their order, *n of them, owned by @p c. NULL and *n = 0 for an empty
 * list and when there is no such list section.
 */
const struct ns_conf_item *ns_conf_items(const struct ns_conf *c, const char *section, size_t *n);

/** Names under the key "plugins", *n of them, owned by @p c. */
const char *const *ns_conf_plugins(const struct ns_conf *c, size_t *n);

/** Frees all; NULL is fine. */
void ns_conf_destroy(struct ns_conf *c);

/** The effective configuration as YAML text; returns malloc'ed memory or NULL with errno. */
char *ns_conf_dump(const struct ns_conf *c);

/**
 * Whether two configurations differ in any key but those in @p except ("engine.filter", "tasks";
 * ends with NULL; NULL: none); @p key gets the first one ("flow.max"). 1, 0, or -ENOMEM. Any
 * thread.
 */
int ns_conf_differs(const struct ns_conf *a, const struct ns_conf *b, const char *const *except,
	char *key, size_t len);

#define NS_CONF_LIVE_MAX 64

/**
 * The keys that may change live, in order of name: "engine.filter", "tasks", ...; ends with NULL.
 * At most NS_CONF_LIVE_MAX - 1; their number. Borrowed for good. Main thread.
 */
unsigned ns_conf_live(const char *keys[NS_CONF_LIVE_MAX]);

/**
 * A copy of a dump in which passwords are "***": values of keys that name a secret, and what stands
 * before the '@' of a URL. malloc'ed, or NULL with errno. Any thread.
 */
char *ns_conf_mask(const char *text);

/**
 * Reads a size: a whole number of octets, or of KiB, MiB or GiB (1024, 1024^2, 1024^3 octets; in
 * any case, blanks allowed), as "65536", "512 KiB", "4MiB". -EINVAL with a message that says what
 * is allowed, fit for a check().
 */
int ns_conf_size(const char *text, uint64_t *octets, struct ns_err *e);

/**
 * Reads a duration into nanoseconds: a whole number of seconds, or with ms, s, m or h (blanks
 * allowed), as "10", "500ms", "5 m". -EINVAL with a message that says what is allowed.
 */
int ns_conf_duration(const char *text, uint64_t *ns, struct ns_err *e);

/**
 * Writes the reference of all sections as Markdown (doc/configuration.md) to @p fd. 0 or -errno;
 * -EINVAL, with a line in the log, also when the defaults of a list section are defective, be it
 * only that they name a type that is not there.
 */
int ns_conf_reference(int fd);

/**
 * Writes a JSON schema (draft 2020-12) of a configuration file to @p fd: every key of every section
 * with type, range of the type, default and meaning. What a section's check() knows is not in it,
 * so what it accepts may still be refused. As ns_conf_reference() else.
 */
int ns_conf_schema(int fd);
