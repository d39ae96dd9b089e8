/* SPDX-License-Identifier: BSD-3-Clause */
/* What an entry of type "frequency" says. */
#include "frequency_priv.h"

#define DEPTH_MAX 8
#define MEMORY_MIN (UINT64_C(1) << 10)
#define MEMORY_MAX (UINT64_C(1) << 30)

static int check_memory(const char *memory, const char **key, struct ns_err *e)
{
	uint64_t octets;

	*key = "memory";
	if (ns_conf_size(memory, &octets, e) < 0)
		return -errno;
	if (octets < MEMORY_MIN || octets > MEMORY_MAX)
		return ns_fail(e, EINVAL, "\"%.40s\" is not between 1 KiB and 1 GiB", memory);
	return 0;
}

/* What the keys to watch say is for create(), which knows the fields. */
static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct freq_conf *c = values;

	if (ns_task_check(&c->task, key, e) < 0 ||
		ns_task_check_key(&c->task, "key", c->key, c->key_count, key, e) < 0 ||
		ns_task_check_by(&c->task, "by", c->by, key, e) < 0)
		return -errno;
	if (c->depth < 1 || c->depth > DEPTH_MAX) {
		*key = "depth";
		return ns_fail(e, EINVAL, "%u is not between 1 and %u", c->depth, DEPTH_MAX);
	}
	if (c->watch_count > FREQ_WATCH_MAX) {
		*key = "watch";
		return ns_fail(e, EINVAL, "more than %u keys", FREQ_WATCH_MAX);
	}
	return check_memory(c->memory, key, e);
}

static const cyaml_strval_t layouts[] = {{"rows", NS_CMS_ROWS}, {"lines", NS_CMS_BLOCKED}};

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

#define OPT CYAML_FLAG_OPTIONAL

static const cyaml_schema_field_t fields[] = {NS_TASK_CONF_FIELDS(struct freq_conf),
	CYAML_FIELD_SEQUENCE("key", OPT | CYAML_FLAG_POINTER, struct freq_conf, key, &text, 0, 16),
	CYAML_FIELD_ENUM("by", OPT, struct freq_conf, by, ns_task_by_words, NS_TASK_BY_N),
	CYAML_FIELD_STRING_PTR("memory", OPT | CYAML_FLAG_POINTER, struct freq_conf, memory, 1, 64),
	CYAML_FIELD_ENUM("layout", OPT, struct freq_conf, layout, layouts, NS_ARRAY_LEN(layouts)),
	CYAML_FIELD_UINT("depth", OPT, struct freq_conf, depth),
	CYAML_FIELD_BOOL("plain", OPT, struct freq_conf, plain),
	CYAML_FIELD_SEQUENCE("watch", OPT | CYAML_FLAG_POINTER, struct freq_conf, watch, &text, 0,
		CYAML_UNLIMITED),
	CYAML_FIELD_END};

static char memory[] = "1 MiB";
static const struct freq_conf defaults = {
	.by = NS_TASK_BY_PACKETS, .memory = memory, .layout = NS_CMS_BLOCKED, .depth = 3};

static const struct ns_conf_doc docs[] = {NS_TASK_CONF_DOCS,
	{"key", "fields that are looked at together, e.g. [src_ip]; addresses may have prefix "
		"lengths for IPv4 and IPv6, as in \"src_ip/24/48\""},
	{"by", "what is counted: packets, octets (of whole frames) or ip_octets; of: flows has "
	       "flows too, and sums both directions"},
	{"memory", "size of the sketch on each analysis lcore (1 KiB-1 GiB)"},
	{"layout", "lines: one cache line a key, the faster; rows: the smaller error in the same "
		   "memory"},
	{"depth", "counters of a key (1-8)"},
	{"plain", "add to all counters of a key, not only to the lowest: larger errors, but the "
		  "same result for any number of lcores"},
	{"watch", "keys that get a row, each with a word for every field: [\"192.0.2.1\"], or for "
		  "key: [src_ip, dst_port] [\"192.0.2.1 443\"]; at most 4096"},
	{NULL, NULL}};

static struct ns_conf_variant variant = {
	.section = "tasks",
	.type = "frequency",
	.summary = "packets or octets of any key, in fixed memory for all keys",
	.fields = fields,
	.size = sizeof(struct freq_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_VARIANT_REGISTER(variant)
