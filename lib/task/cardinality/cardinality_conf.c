/* SPDX-License-Identifier: BSD-3-Clause */
/* What an entry of type "cardinality" says. */
#include "cardinality_priv.h"

#include <stdio.h>
#include <string.h>

#define ERROR_MIN 0.0015
#define ERROR_MAX 0.2

static bool is_address(const char *field)
{
	static const char *const names[] = {"src_ip", "dst_ip", "initiator_ip", "responder_ip"};

	for (unsigned i = 0; i < NS_ARRAY_LEN(names); i++) {
		if (strcmp(field, names[i]) == 0)
			return true;
	}
	return false;
}

static int check_prefixes(const struct card_conf *c, const char **key, struct ns_err *e)
{
	static _Thread_local char where[32];
	struct ns_prefix seen[CARD_PREFIXES_MAX];

	if (c->per == NULL || !is_address(c->per)) {
		*key = c->per == NULL ? "prefixes" : "per";
		return ns_fail(e, EINVAL,
			"prefixes are of addresses: per must be src_ip or dst_ip, or for packets "
			"initiator_ip or responder_ip");
	}
	for (uint32_t i = 0; i < c->prefixes_count; i++) {
		snprintf(where, sizeof(where), "prefixes[%u]", i);
		*key = where;
		if (i == CARD_PREFIXES_MAX)
			return ns_fail(e, EINVAL, "more than %u prefixes", CARD_PREFIXES_MAX);
		if (card_prefix_parse(c->prefixes[i], &seen[i], e) < 0)
			return -errno;
		for (uint32_t j = 0; j < i; j++) {
			if (memcmp(&seen[i], &seen[j], sizeof(seen[i])) == 0)
				return ns_fail(e, EINVAL, "\"%s\" is there twice", c->prefixes[i]);
		}
	}
	return 0;
}

static int check_per(const struct card_conf *c, const char **key, struct ns_err *e)
{
	if (c->per != NULL && ns_task_check_key(&c->task, "per", &c->per, 1, key, e) < 0) {
		*key = "per";
		return -errno;
	}
	if (c->prefixes_count > 0)
		return check_prefixes(c, key, e);
	*key = "per_max";
	if (c->per_max < 1 || c->per_max > CARD_PER_MAX)
		return ns_fail(e, EINVAL, "%u is not between 1 and %u", c->per_max, CARD_PER_MAX);
	return 0;
}

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct card_conf *c = values;

	if (ns_task_check(&c->task, key, e) < 0 ||
		ns_task_check_key(&c->task, "key", c->key, c->key_count, key, e) < 0)
		return -errno;
	if (!(c->error >= ERROR_MIN && c->error <= ERROR_MAX)) {
		*key = "error";
		return ns_fail(
			e, EINVAL, "%g is not between %g and %g", c->error, ERROR_MIN, ERROR_MAX);
	}
	return check_per(c, key, e);
}

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

#define OPT CYAML_FLAG_OPTIONAL

static const cyaml_schema_field_t fields[] = {NS_TASK_CONF_FIELDS(struct card_conf),
	CYAML_FIELD_SEQUENCE("key", OPT | CYAML_FLAG_POINTER, struct card_conf, key, &text, 0, 16),
	CYAML_FIELD_FLOAT("error", OPT, struct card_conf, error),
	CYAML_FIELD_STRING_PTR(
		"per", OPT | CYAML_FLAG_POINTER_NULL_STR, struct card_conf, per, 1, 64),
	CYAML_FIELD_UINT("per_max", OPT, struct card_conf, per_max),
	CYAML_FIELD_SEQUENCE("prefixes", OPT | CYAML_FLAG_POINTER, struct card_conf, prefixes,
		&text, 0, CARD_PREFIXES_MAX),
	CYAML_FIELD_END};

static const struct card_conf defaults = {.error = 0.008, .per_max = 64};

static const struct ns_conf_doc docs[] = {NS_TASK_CONF_DOCS,
	{"key", "fields of which different combinations are counted, e.g. [src_ip]"},
	{"error", "relative standard error, 0.0015 to 0.2: 0.008 takes 16 KiB a sketch, half of "
		  "it four times as much"},
	{"per", "a field: a row for each of its values, e.g. proto, port, reverse, vlan; none: "
		"one row"},
	{"per_max", "values of per that have a row of their own (1-4096); all others share one"},
	{"prefixes", "with per an address: a row for each of these prefixes (the longest that "
		     "matches) and one for the rest, e.g. [\"10.0.0.0/8\", \"2001:db8::/32\"]"},
	{NULL, NULL}};

static struct ns_conf_variant variant = {
	.section = "tasks",
	.type = "cardinality",
	.summary = "how many different keys there are, in all or per a field's values",
	.fields = fields,
	.size = sizeof(struct card_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_VARIANT_REGISTER(variant)
