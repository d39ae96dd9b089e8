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
	/** Checks values that the schema can't; NULL: none. On failure sets *key to the culprit. */
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

struct ns_conf;

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

/** Frees all; NULL is fine. */
void ns_conf_destroy(struct ns_conf *c);

/** The effective configuration as YAML text; returns malloc'ed memory or NULL with errno. */
char *ns_conf_dump(const struct ns_conf *c);

/** Writes the reference of all sections as Markdown (doc/configuration.md) to @p fd. */
int ns_conf_reference(int fd);
