/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Two sections with every kind of value, for the tests and the fuzz target of this room. */

#include "ns_conf.h"

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
	return 0;
}

static struct ns_conf_section t_flow_section = {.name = "flow",
	.summary = "Flow table.",
	.fields = t_flow_fields,
	.size = sizeof(struct t_flow),
	.defaults = &t_flow_defaults,
	.docs = t_flow_docs,
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

static struct ns_conf_section t_write_section = {.name = "write",
	.summary = "Writers.",
	.fields = t_write_fields,
	.size = sizeof(struct t_write),
	.defaults = &t_write_defaults};
NS_CONF_REGISTER(t_write_section)
