/* SPDX-License-Identifier: BSD-3-Clause */
/* What an entry of type "spread" says. */
#include "spread_priv.h"

#define TOP_MAX 100000
#define MEMORY_MIN (UINT64_C(16) << 10)
#define MEMORY_MAX (UINT64_C(4) << 30)

static int check_fields(const struct spread_conf *c, const char *name, char *const *f, unsigned n,
	const char **key, struct ns_err *e)
{
	if (n == 0) {
		*key = name;
		return ns_fail(e, EINVAL, "must name at least one field");
	}
	return ns_task_check_key(&c->task, name, f, n, key, e);
}

static int check_memory(const struct spread_conf *c, const char **key, struct ns_err *e)
{
	uint64_t octets;
	int rc = ns_conf_size(c->memory, &octets, e);

	if (rc == 0 && (octets < MEMORY_MIN || octets > MEMORY_MAX))
		rc = ns_fail(e, EINVAL, "\"%s\" is not between 16 KiB and 4 GiB", c->memory);
	if (rc < 0)
		*key = "memory";
	return rc;
}

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct spread_conf *c = values;
	int rc = ns_task_check(&c->task, key, e);

	if (rc == 0)
		rc = check_fields(c, "key", c->key, c->key_count, key, e);
	if (rc == 0)
		rc = check_fields(c, "peers", c->peers, c->peers_count, key, e);
	if (rc < 0)
		return rc;
	if (c->top < 1 || c->top > TOP_MAX) {
		*key = "top";
		return ns_fail(e, EINVAL, "%u is not between 1 and %u", c->top, TOP_MAX);
	}
	return check_memory(c, key, e);
}

static const struct cyaml_schema_value text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

#define OPT CYAML_FLAG_OPTIONAL

static const struct cyaml_schema_field fields[] = {NS_TASK_CONF_FIELDS(struct spread_conf),
	CYAML_FIELD_SEQUENCE(
		"key", OPT | CYAML_FLAG_POINTER, struct spread_conf, key, &text, 0, 16),
	CYAML_FIELD_SEQUENCE(
		"peers", OPT | CYAML_FLAG_POINTER, struct spread_conf, peers, &text, 0, 16),
	CYAML_FIELD_UINT("top", OPT, struct spread_conf, top),
	CYAML_FIELD_UINT("least", OPT, struct spread_conf, least),
	CYAML_FIELD_STRING_PTR(
		"memory", OPT | CYAML_FLAG_POINTER, struct spread_conf, memory, 1, 64),
	CYAML_FIELD_END};

static char memory[] = "1 MiB";
static const struct spread_conf defaults = {.top = 50, .least = 2, .memory = memory};

static const struct ns_conf_doc docs[] = {NS_TASK_CONF_DOCS,
	{"key", "fields that say who is looked at, e.g. [src_ip]"},
	{"peers", "fields that say what is counted, e.g. [dst_ip]: how many different ones each "
		  "key has met"},
	{"top", "rows given, those with the most peers (1-100000)"},
	{"least", "keys with fewer peers are not given"},
	{"memory", "size of the sketch on each analysis lcore (16 KiB-4 GiB); exact while all "
		   "pairs fit"},
	{NULL, NULL}};

static struct ns_conf_variant variant = {
	.section = "tasks",
	.type = "spread",
	.summary = "keys that meet the most different peers: scanners, and what is scanned",
	.fields = fields,
	.size = sizeof(struct spread_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_VARIANT_REGISTER(variant)
