/* SPDX-License-Identifier: BSD-3-Clause */
/* What an entry of type "entropy" says. */
#include "entropy_priv.h"

#define MEMORY_MIN (UINT64_C(16) << 10)
#define MEMORY_MAX (UINT64_C(1) << 30)

static int check_memory(const char *memory, const char **key, struct ns_err *e)
{
	uint64_t octets;

	*key = "memory";
	if (ns_conf_size(memory, &octets, e) < 0)
		return -errno;
	if (octets < MEMORY_MIN || octets > MEMORY_MAX)
		return ns_fail(e, EINVAL, "\"%.40s\" is not between 16 KiB and 1 GiB", memory);
	return 0;
}

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct entropy_conf *c = values;

	if (ns_task_check(&c->task, key, e) < 0 ||
		ns_task_check_key(&c->task, "key", c->key, c->key_count, key, e) < 0 ||
		ns_task_check_by(&c->task, "by", c->by, key, e) < 0)
		return -errno;
	return check_memory(c->memory, key, e);
}

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

#define OPT CYAML_FLAG_OPTIONAL

static const cyaml_schema_field_t fields[] = {NS_TASK_CONF_FIELDS(struct entropy_conf),
	CYAML_FIELD_SEQUENCE(
		"key", OPT | CYAML_FLAG_POINTER, struct entropy_conf, key, &text, 0, 16),
	CYAML_FIELD_ENUM("by", OPT, struct entropy_conf, by, ns_task_by_words, NS_TASK_BY_N),
	CYAML_FIELD_STRING_PTR(
		"memory", OPT | CYAML_FLAG_POINTER, struct entropy_conf, memory, 1, 64),
	CYAML_FIELD_END};

static char memory[] = "256 KiB";
static const struct entropy_conf defaults = {.by = NS_TASK_BY_PACKETS, .memory = memory};

static const struct ns_conf_doc docs[] = {NS_TASK_CONF_DOCS,
	{"key", "fields whose distribution is looked at, e.g. [dst_ip]"},
	{"by", "what a key weighs: packets, octets (of whole frames) or ip_octets; of: flows has "
	       "flows too, and sums both directions"},
	{"memory", "size of the sketch on each analysis lcore (16 KiB-1 GiB); exact while all "
		   "keys fit"},
	{NULL, NULL}};

static struct ns_conf_variant variant = {
	.section = "tasks",
	.type = "entropy",
	.summary = "how evenly keys share the traffic: Shannon entropy, in fixed memory",
	.fields = fields,
	.size = sizeof(struct entropy_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_VARIANT_REGISTER(variant)
