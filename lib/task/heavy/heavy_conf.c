/* SPDX-License-Identifier: BSD-3-Clause */
/* What an entry of type "heavy" says. */
#include "heavy_priv.h"

#define TOP_MAX 100000
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

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct heavy_conf *c = values;

	if (ns_task_check(&c->task, key, e) < 0 ||
		ns_task_check_key(&c->task, "key", c->key, c->key_count, key, e) < 0 ||
		ns_task_check_by(&c->task, "by", c->by, key, e) < 0)
		return -errno;
	if (c->top < 1 || c->top > TOP_MAX) {
		*key = "top";
		return ns_fail(e, EINVAL, "%u is not between 1 and %u", c->top, TOP_MAX);
	}
	return check_memory(c->memory, key, e);
}

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

#define OPT CYAML_FLAG_OPTIONAL

static const cyaml_schema_field_t fields[] = {NS_TASK_CONF_FIELDS(struct heavy_conf),
	CYAML_FIELD_SEQUENCE("key", OPT | CYAML_FLAG_POINTER, struct heavy_conf, key, &text, 0, 16),
	CYAML_FIELD_ENUM("by", OPT, struct heavy_conf, by, ns_task_by_words, NS_TASK_BY_N),
	CYAML_FIELD_UINT("top", OPT, struct heavy_conf, top),
	CYAML_FIELD_STRING_PTR(
		"memory", OPT | CYAML_FLAG_POINTER, struct heavy_conf, memory, 1, 64),
	CYAML_FIELD_END};

static char memory[] = "512 KiB";
static const struct heavy_conf defaults = {.by = NS_TASK_BY_OCTETS, .top = 100, .memory = memory};

static const struct ns_conf_doc docs[] = {NS_TASK_CONF_DOCS,
	{"key", "fields that are looked at together, e.g. [src_ip]; addresses may have prefix "
		"lengths for IPv4 and IPv6, as in \"src_ip/24/48\""},
	{"by", "what is summed: packets, octets (of whole frames) or ip_octets; of: flows has "
	       "flows too, and sums both directions"},
	{"top", "rows given, the heaviest (1-100000)"},
	{"memory", "size of the sketch on each analysis lcore (1 KiB-1 GiB)"}, {NULL, NULL}};

static struct ns_conf_variant variant = {
	.section = "tasks",
	.type = "heavy",
	.summary = "the heaviest keys by packets or octets, in fixed memory",
	.fields = fields,
	.size = sizeof(struct heavy_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_VARIANT_REGISTER(variant)
