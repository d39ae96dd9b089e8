/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Two sections with every kind of value, and a list section with two types, for the tests and the
 * fuzz target of this room.
 */

#include "ns_conf.h"

#include <string.h>

/* The fuzz target is linked with every room and needs names that none of them has. */
#ifndef T_PREFIX
#define T_PREFIX ""
#endif

struct t_pair {
	int32_t a;
	uint8_t b;
};

struct t_flow {
	uint32_t idle, active;
	bool tcp_end;
	int8_t i8;
	int16_t i16;
	int64_t i64;
	uint16_t u16;
	uint64_t u64;
	float f32;
	double f64;
	int policy;
	uint32_t flags;
	char *name; /* absent by default */
	char *note; /* null by default */
	char tag[5];
	struct {
		uint32_t depth;
		char *mode;
	} sub;
	char **files;
	unsigned files_count;
	struct t_pair *pairs;
	uint8_t pairs_count;
	int32_t point[3];
};

struct t_write {
	char *path;
	bool on;
	uint8_t pipe;
};

enum t_policy { T_OLDEST, T_RANDOM = 7, T_NONE = -1 };

static const cyaml_strval_t t_policies[] = {
	{"oldest", T_OLDEST}, {"random", T_RANDOM}, {"none", T_NONE}};
static const cyaml_strval_t t_flags[] = {{"syn", 1}, {"ack", 2}, {"fin", 4}};

static const cyaml_schema_value_t t_file = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};
static const cyaml_schema_value_t t_number = {CYAML_VALUE_INT(CYAML_FLAG_DEFAULT, int32_t)};

static const cyaml_schema_field_t t_pair_fields[] = {
	CYAML_FIELD_INT("a", CYAML_FLAG_DEFAULT, struct t_pair, a),
	CYAML_FIELD_UINT("b", CYAML_FLAG_OPTIONAL, struct t_pair, b), CYAML_FIELD_END};
static const cyaml_schema_value_t t_pair = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct t_pair, t_pair_fields)};

static const cyaml_schema_field_t t_sub_fields[] = {
	CYAML_FIELD_UINT(
		"depth", CYAML_FLAG_OPTIONAL, __typeof__(((struct t_flow *)0)->sub), depth),
	CYAML_FIELD_STRING_PTR("mode", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		__typeof__(((struct t_flow *)0)->sub), mode, 2, 8),
	CYAML_FIELD_END};

static const cyaml_schema_field_t t_flow_fields[] = {
	CYAML_FIELD_UINT("idle", CYAML_FLAG_OPTIONAL, struct t_flow, idle),
	CYAML_FIELD_UINT("active", CYAML_FLAG_OPTIONAL, struct t_flow, active),
	CYAML_FIELD_BOOL("tcp_end", CYAML_FLAG_OPTIONAL, struct t_flow, tcp_end),
	CYAML_FIELD_INT("i8", CYAML_FLAG_OPTIONAL, struct t_flow, i8),
	CYAML_FIELD_INT("i16", CYAML_FLAG_OPTIONAL, struct t_flow, i16),
	CYAML_FIELD_INT("i64", CYAML_FLAG_OPTIONAL, struct t_flow, i64),
	CYAML_FIELD_UINT("u16", CYAML_FLAG_OPTIONAL, struct t_flow, u16),
	CYAML_FIELD_UINT("u64", CYAML_FLAG_OPTIONAL, struct t_flow, u64),
	CYAML_FIELD_FLOAT("f32", CYAML_FLAG_OPTIONAL, struct t_flow, f32),
	CYAML_FIELD_FLOAT("f64", CYAML_FLAG_OPTIONAL, struct t_flow, f64),
	CYAML_FIELD_ENUM("policy", CYAML_FLAG_OPTIONAL, struct t_flow, policy, t_policies,
		CYAML_ARRAY_LEN(t_policies)),
	CYAML_FIELD_FLAGS("flags", CYAML_FLAG_OPTIONAL, struct t_flow, flags, t_flags,
		CYAML_ARRAY_LEN(t_flags)),
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct t_flow,
		name, 0, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR("note", CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL,
		struct t_flow, note, 0, CYAML_UNLIMITED),
	CYAML_FIELD_STRING("tag", CYAML_FLAG_OPTIONAL, struct t_flow, tag, 0),
	CYAML_FIELD_MAPPING("sub", CYAML_FLAG_OPTIONAL, struct t_flow, sub, t_sub_fields),
	CYAML_FIELD_SEQUENCE("files", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct t_flow,
		files, &t_file, 0, 4),
	CYAML_FIELD_SEQUENCE("pairs", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct t_flow,
		pairs, &t_pair, 0, CYAML_UNLIMITED),
	CYAML_FIELD_SEQUENCE_FIXED(
		"point", CYAML_FLAG_OPTIONAL, struct t_flow, point, &t_number, 3),
	CYAML_FIELD_END};

static char *t_default_files[] = {(char *)"a.pcap", (char *)"b c.pcap"};
static struct t_pair t_default_pairs[] = {{-1, 2}};

static const struct t_flow t_flow_defaults = {
	.idle = 15,
	.active = 60,
	.tcp_end = true,
	.i8 = -128,
	.i16 = 300,
	.i64 = INT64_MIN,
	.u16 = 65535,
	.u64 = UINT64_MAX,
	.f32 = 0.1f,
	.f64 = 1.0 / 3,
	.policy = T_RANDOM,
	.flags = 5,
	.tag = "ab",
	.sub = {.depth = 3, .mode = (char *)"fast"},
	.files = t_default_files,
	.files_count = 2,
	.pairs = t_default_pairs,
	.pairs_count = 1,
	.point = {1, -2, 3},
};

static const struct ns_conf_doc t_flow_docs[] = {
	{"idle", "seconds without a packet | after which a flow ends"}, {"sub.depth", "how deep"},
	{"pairs.a", "first of two"}, {NULL, NULL}};

static int t_flow_check(const void *values, const char **key, struct ns_err *e)
{
	const struct t_flow *f = values;

	if (f->active != 0 && f->idle > f->active) {
		*key = "idle";
		return ns_fail(e, EINVAL, "%u s is longer than active, %u s", f->idle, f->active);
	}
	if (f->sub.depth > 10) {
		*key = "sub.depth";
		return ns_fail(e, EINVAL, "at most 10");
	}
	if (f->u16 == 1)
		return ns_fail(e, EINVAL, "something is wrong");
	if (f->u16 == 2) {
		*key = "files[1]";
		return ns_fail(e, EINVAL, "wrong by default");
	}
	for (unsigned i = 0; i < f->files_count; i++) {
		static const char *const keys[] = {"files[0]", "files[1]", "files[2]", "files[3]"};

		*key = keys[i];
		if (strcmp(f->files[i], "bad") == 0)
			return ns_fail(e, EINVAL, "bad file");
	}
	*key = "pairs[1].a";
	if (f->pairs_count > 1 && f->pairs[1].a == 66)
		return ns_fail(e, EINVAL, "not 66");
	return 0;
}

static struct ns_conf_section t_flow_section = {.name = T_PREFIX "flow",
	.summary = "Flow table.",
	.fields = t_flow_fields,
	.size = sizeof(struct t_flow),
	.defaults = &t_flow_defaults,
	.docs = t_flow_docs,
	.live = (const char *const[]){T_PREFIX "flow.idle", T_PREFIX "flow.active", NULL},
	.check = t_flow_check};
NS_CONF_REGISTER(t_flow_section)

static const cyaml_bitdef_t t_bits[] = {{"low", 0, 3}, {"high", 3, 5}};

static const cyaml_schema_field_t t_write_fields[] = {
	CYAML_FIELD_STRING_PTR("path", CYAML_FLAG_POINTER, struct t_write, path, 1, 64),
	CYAML_FIELD_BOOL("on", CYAML_FLAG_OPTIONAL, struct t_write, on),
	CYAML_FIELD_BITFIELD(
		"pipe", CYAML_FLAG_OPTIONAL, struct t_write, pipe, t_bits, CYAML_ARRAY_LEN(t_bits)),
	CYAML_FIELD_END};

static const struct t_write t_write_defaults = {.path = (char *)"out.json", .pipe = 0x2b};

static struct ns_conf_section t_write_section = {.name = T_PREFIX "write",
	.summary = "Writers.",
	.fields = t_write_fields,
	.size = sizeof(struct t_write),
	.defaults = &t_write_defaults};
NS_CONF_REGISTER(t_write_section)

/* A list section: what all its entries begin with, and two types of them. */
struct t_task {
	char *name;
	char *type;
};

struct t_heavy {
	struct t_task task;
	char **key;
	unsigned key_count;
	int by;
	uint32_t top;
	char *memory;
	struct {
		uint32_t depth;
		char *mode; /* absent by default */
	} sub;
};

struct t_quantile {
	struct t_task task;
	char *field; /* required */
	float error;
	bool verify;
};

enum t_by { T_PACKETS, T_OCTETS };

static const cyaml_strval_t t_bys[] = {{"packets", T_PACKETS}, {"octets", T_OCTETS}};

#define T_TASK_FIELDS(st)                                                         \
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, st, task.name, 1, 32), \
		CYAML_FIELD_STRING_PTR(                                           \
			"type", CYAML_FLAG_POINTER, st, task.type, 1, CYAML_UNLIMITED)

static const cyaml_schema_field_t t_heavy_sub_fields[] = {
	CYAML_FIELD_UINT(
		"depth", CYAML_FLAG_OPTIONAL, __typeof__(((struct t_heavy *)0)->sub), depth),
	CYAML_FIELD_STRING_PTR("mode", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		__typeof__(((struct t_heavy *)0)->sub), mode, 2, 8),
	CYAML_FIELD_END};

static const cyaml_schema_field_t t_heavy_fields[] = {
	CYAML_FIELD_SEQUENCE("key", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct t_heavy, key,
		&t_file, 0, 4),
	T_TASK_FIELDS(struct t_heavy),
	CYAML_FIELD_ENUM(
		"by", CYAML_FLAG_OPTIONAL, struct t_heavy, by, t_bys, CYAML_ARRAY_LEN(t_bys)),
	CYAML_FIELD_UINT("top", CYAML_FLAG_OPTIONAL, struct t_heavy, top),
	CYAML_FIELD_STRING_PTR("memory", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct t_heavy,
		memory, 0, CYAML_UNLIMITED),
	CYAML_FIELD_MAPPING("sub", CYAML_FLAG_OPTIONAL, struct t_heavy, sub, t_heavy_sub_fields),
	CYAML_FIELD_END};

static char *t_default_key[] = {(char *)"src_ip"};

static const struct t_heavy t_heavy_defaults = {.key = t_default_key,
	.key_count = 1,
	.by = T_OCTETS,
	.top = 100,
	.memory = (char *)"512 KiB",
	.sub = {.depth = 3}};

static const struct ns_conf_doc t_heavy_docs[] = {{"name", "of the result"},
	{"type", "what it does"}, {"key", "fields to group by"}, {"sub.depth", "how deep"},
	{NULL, NULL}};

static int t_heavy_check(const void *values, const char **key, struct ns_err *e)
{
	static const char *const keys[] = {"key[0]", "key[1]", "key[2]", "key[3]"};
	const struct t_heavy *h = values;
	uint64_t memory;

	for (unsigned i = 0; i < h->key_count; i++) {
		if (h->key[i][0] == '-') {
			*key = keys[i];
			return ns_fail(e, EINVAL, "no such field");
		}
	}
	if (h->sub.depth > 10) {
		*key = "sub.depth";
		return ns_fail(e, EINVAL, "at most 10");
	}
	if (h->sub.depth == 8)
		return ns_fail(e, EINVAL, "something is wrong");
	if (h->sub.depth == 9) {
		*key = "sub.mode";
		return ns_fail(e, EINVAL, "must be given");
	}
	if (h->key_count > h->top) {
		*key = "top";
		return ns_fail(e, EINVAL, "fewer than keys");
	}
	*key = "memory";
	return ns_conf_size(h->memory, &memory, e);
}

static struct ns_conf_variant t_heavy_variant = {.section = T_PREFIX "tasks",
	.type = "heavy",
	.summary = "Largest ones.",
	.fields = t_heavy_fields,
	.size = sizeof(struct t_heavy),
	.defaults = &t_heavy_defaults,
	.docs = t_heavy_docs,
	.check = t_heavy_check};
NS_CONF_VARIANT_REGISTER(t_heavy_variant)

static const cyaml_schema_field_t t_quantile_fields[] = {T_TASK_FIELDS(struct t_quantile),
	CYAML_FIELD_STRING_PTR(
		"field", CYAML_FLAG_POINTER, struct t_quantile, field, 1, CYAML_UNLIMITED),
	CYAML_FIELD_FLOAT("error", CYAML_FLAG_OPTIONAL, struct t_quantile, error),
	CYAML_FIELD_BOOL("verify", CYAML_FLAG_OPTIONAL, struct t_quantile, verify),
	CYAML_FIELD_END};

static const struct t_quantile t_quantile_defaults = {.error = 0.01f};

static struct ns_conf_variant t_quantile_variant = {.section = T_PREFIX "tasks",
	.type = "quantile",
	.summary = "Sizes.",
	.fields = t_quantile_fields,
	.size = sizeof(struct t_quantile),
	.defaults = &t_quantile_defaults};
NS_CONF_VARIANT_REGISTER(t_quantile_variant)

static int t_tasks_check(
	const struct ns_conf_item *items, size_t n, size_t *at, const char **key, struct ns_err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct t_task *a = items[i].values;

		for (size_t k = 0; k < i; k++) {
			const struct t_task *b = items[k].values;

			if (strcmp(a->name, b->name) != 0)
				continue;
			*at = i;
			*key = "name";
			return ns_fail(
				e, EINVAL, "\"%s\" is the name of tasks[%zu] too", a->name, k);
		}
	}
	return n <= 6 ? 0 : ns_fail(e, EINVAL, "more than 6 together");
}

static struct ns_conf_list t_tasks_list = {.section = T_PREFIX "tasks",
	.summary = "Aggregators.",
	.defaults = "# two of them\n"
		    "- {name: sources, type: heavy}\n"
		    "\n"
		    "- name: sizes\n"
		    "  type: quantile\n"
		    "  field: l2_octets\n",
	.check = t_tasks_check};
NS_CONF_LIST_REGISTER(t_tasks_list)
