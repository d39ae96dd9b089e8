/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Registry of plug-ins, drop reasons and configuration sections.
 *
 * Constructors only link static structs into statically initialised lists; nothing else happens
 * before main(). ns_registry_seal() then sorts each list by name, so that link order never
 * matters, and refuses duplicates. After it the registry is read-only and any thread may read.
 */

#include <ns_base.h>

/** Changes whenever a public struct of a plug-in contract changes; compared when a .so loads. */
#define NS_PLUGIN_ABI 3u

struct ns_conf_section;

/**
 * One plug-in: what it is, its operations and, if it has any, its configuration section.
 * @c kind is a closed word of the room that calls it: "tunnel", "source", "writer".
 */
struct ns_plugin {
	const char *kind;
	const char *name;
	const char *summary; /**< one line for --list and the documentation */
	uint32_t abi; /**< NS_PLUGIN_ABI */
	const void *ops; /**< struct ns_<kind>_ops of the room */
};

struct ns_plugin_link {
	struct ns_plugin_link *next;
	const struct ns_plugin *plugin;
};

void ns_plugin_link(struct ns_plugin_link *link);

/** Ends a plug-in's file: NS_PLUGIN_REGISTER(vxlan) for `static const struct ns_plugin vxlan`. */
#define NS_PLUGIN_REGISTER(ident)                                            \
	static struct ns_plugin_link ns_link_##ident = {.plugin = &(ident)}; \
	__attribute__((constructor)) static void ns_register_##ident(void)   \
	{                                                                    \
		ns_plugin_link(&ns_link_##ident);                            \
	}

/**
 * Sorts and checks all that constructors have linked. Call once at start, after plug-in modules
 * are loaded; a second call is fine. -EEXIST with a message for a duplicate name, -EPROTO for a
 * plug-in built against another ABI.
 */
int ns_registry_seal(struct ns_err *e);

/**
 * Loads a plug-in module (dlopen): 0, and ns_registry_seal() is due; 1 when this function has
 * loaded it before, and then there is nothing to do. -ENOENT, -EPROTO, -ENOMEM, after
 * ns_plugin_close() -EBUSY, with a message. Main thread.
 */
int ns_plugin_load(const char *path, struct ns_err *e);

/** From now on no other module can be loaded: the engine has been built of what there is. */
void ns_plugin_close(void);

/** The plug-in of that kind and name, or NULL. */
const struct ns_plugin *ns_plugin_find(const char *kind, const char *name);

/**
 * The first plug-in of @p kind (NULL: of any) after @p prev (NULL: the first), in order of kind and
 * name; NULL at the end.
 */
const struct ns_plugin *ns_plugin_next(const char *kind, const struct ns_plugin *prev);

#define NS_PLUGIN_FOREACH(kind, p) \
	for (const struct ns_plugin *p = NULL; (p = ns_plugin_next(kind, p)) != NULL;)

/** Writes the names of all plug-ins of @p kind into @p buf, separated by ", "; returns @p buf. */
char *ns_plugin_names(const char *kind, char *buf, size_t len);

/*
 * Named counters: drop reasons and notes. A drop ends a packet's way and is part of the law of
 * conservation; a note only says that something was seen. Dense ids are given out by
 * ns_registry_seal() in order of name; each lcore owns an array of NS_COUNTER_MAX of them.
 */
#define NS_COUNTER_MAX 128

enum ns_counter_kind { NS_COUNTER_DROP, NS_COUNTER_NOTE };

struct ns_counter {
	struct ns_counter *next;
	const char *name; /**< snake_case, unique over both kinds */
	const char *help;
	enum ns_counter_kind kind;
	unsigned id; /**< index into struct ns_counters; valid after ns_registry_seal() */
};

/** One lcore's counters; written by that lcore alone, read by control (relaxed). */
struct ns_counters {
	uint64_t v[NS_COUNTER_MAX];
} __attribute__((aligned(NS_CACHE_LINE)));

void ns_counter_link(struct ns_counter *c);

#define NS_COUNTER_REGISTER_(ident, nm, hlp, knd)                          \
	struct ns_counter ident = {.name = nm, .help = hlp, .kind = knd};  \
	__attribute__((constructor)) static void ns_register_##ident(void) \
	{                                                                  \
		ns_counter_link(&(ident));                                 \
	}

/** NS_DROP_REGISTER(ns_drop_truncated, "truncated", "frame ends inside a header"); */
#define NS_DROP_REGISTER(ident, nm, hlp) NS_COUNTER_REGISTER_(ident, nm, hlp, NS_COUNTER_DROP)
#define NS_NOTE_REGISTER(ident, nm, hlp) NS_COUNTER_REGISTER_(ident, nm, hlp, NS_COUNTER_NOTE)

/** All counters in order of id; *n gets their number. */
const struct ns_counter *const *ns_counters_all(unsigned *n);

/** The counter of that name, or NULL. */
const struct ns_counter *ns_counter_find(const char *name);
