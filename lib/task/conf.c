/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list `tasks:`: what all types check alike, and the tasks that run when there is no list.
 */
#include "task_priv.h"

#include <ns_registry.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cyaml_strval_t ns_task_of_words[2] = {
	{"packets", NS_TASK_OF_PACKETS},
	{"flows", NS_TASK_OF_FLOWS},
};

static const char default_tasks[] =
	"- {name: top_sources, type: heavy, key: [src_ip], by: octets}\n"
	"- {name: top_destinations, type: heavy, key: [dst_ip], by: octets}\n"
	"- {name: top_services, type: heavy, key: [proto, responder_port], by: octets}\n"
	"- {name: top_talkers, type: heavy, key: [initiator_ip, responder_ip], by: octets}\n"
	"- {name: sources, type: cardinality, key: [src_ip]}\n"
	"- {name: destinations, type: cardinality, key: [dst_ip]}\n"
	"- {name: ports, type: cardinality, key: [proto, responder_port]}\n"
	"- {name: fan_out, type: spread, key: [initiator_ip], peers: [responder_ip]}\n"
	"- {name: fan_in, type: spread, key: [responder_ip], peers: [initiator_ip]}\n"
	"- {name: packet_sizes, type: quantile, value: l2_octets}\n";

static bool is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return s[n] == '\0' && n >= 1 && n <= NS_TASK_NAME_MAX && s[0] >= 'a' && s[0] <= 'z';
}

static int check_name(const char *name, struct ns_err *e)
{
	if (!is_name(name))
		return ns_fail(e, EINVAL,
			"\"%.40s\" is no name: a letter, then at most %u of a-z, 0-9 and _", name,
			NS_TASK_NAME_MAX - 1);
	if (strncmp(name, "sqlite_", 7) == 0 || strncmp(name, "ns_", 3) == 0)
		return ns_fail(e, EINVAL,
			"\"%s\": tables whose names begin with \"sqlite_\" or \"ns_\" are not for tasks",
			name);
	if (ns_rec_find(name) != NULL)
		return ns_fail(
			e, EINVAL, "\"%s\" is the name of a kind of records that is there", name);
	return 0;
}

int ns_task_check(const struct ns_task_conf *c, const char **key, struct ns_err *e)
{
	*key = "name";
	if (check_name(c->name, e) < 0)
		return -errno;
	if (c->when == NULL || c->when[0] == '\0')
		return 0;
	*key = "when";
	if (c->of != NS_TASK_OF_PACKETS)
		return ns_fail(
			e, EINVAL, "a filter looks at packets; it can't go with \"of: flows\"");
	struct ns_filter *f = ns_filter_create(c->when, NS_LINKTYPE_ETHERNET, 0, e);

	if (f == NULL)
		return -errno;
	ns_filter_destroy(f);
	return 0;
}

/* The columns that all rows begin with. */
static bool is_head(const char *name)
{
	return strcmp(name, "start_ns") == 0 || strcmp(name, "end_ns") == 0;
}

int ns_task_check_key(const struct ns_task_conf *c, const char *name, char *const *fields,
	unsigned n, const char **key, struct ns_err *e)
{
	static _Thread_local char where[64];
	struct task_key *k = malloc(sizeof(*k));
	unsigned bad = 0;
	int rc;

	*key = name;
	if (k == NULL)
		return ns_fail(e, ENOMEM, "no memory for a key");
	rc = task_key_parse(k, c->of, fields, n, &bad, e);
	for (unsigned i = 0; i < k->parts_n && rc == 0; i++) {
		bad = i;
		if (is_head(k->parts[i].field.name))
			rc = ns_fail(e, EINVAL,
				"\"%s\" can't be part of a key: rows have a column of that name",
				k->parts[i].field.name);
	}
	free(k);
	if (rc < 0 && n > 0) {
		snprintf(where, sizeof(where), "%.40s[%u]", name, bad);
		*key = where;
	}
	return rc;
}

int ns_task_check_value(const struct ns_task_conf *c, const char *name, const char *field,
	const char **key, struct ns_err *e)
{
	struct task_value v;

	*key = name;
	return task_value_parse(&v, c->of, field, e);
}

/* Compiles each task on trial, so that what only its plug-in can know is said with the line. */
static int check_tasks(
	const struct ns_conf_item *items, size_t n, size_t *at, const char **key, struct ns_err *e)
{
	const struct ns_tasks_args args = {0};

	for (size_t i = 0; i < n; i++) {
		const struct ns_task_conf *c = items[i].values;

		*at = i;
		*key = "name";
		for (size_t j = 0; j < i; j++) {
			const struct ns_task_conf *other = items[j].values;

			if (strcmp(c->name, other->name) == 0)
				return ns_fail(
					e, EINVAL, "there is a task \"%s\" already", c->name);
		}
		/* before the registry is sealed no plug-in can be found */
		if (ns_plugin_find(NS_TASK_KIND, c->type) == NULL)
			continue;
		*key = NULL;
		struct ns_tasks *ts = task_plan(&items[i], 1, &args, e);

		if (ts == NULL)
			return -errno;
		ns_tasks_destroy(ts);
	}
	return 0;
}

static struct ns_conf_list task_list = {
	.section = "tasks",
	.summary = "what is computed over packets and flow records",
	.defaults = default_tasks,
	.live = true,
	.check = check_tasks,
};
NS_CONF_LIST_REGISTER(task_list)
