/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics_priv.h"

#include <sys/socket.h>

#define OPT CYAML_FLAG_OPTIONAL

static const struct cyaml_schema_field fields[] = {
	CYAML_FIELD_STRING_PTR(
		"listen", OPT | CYAML_FLAG_POINTER, struct metrics_conf, listen, 0, 256),
	CYAML_FIELD_UINT("connections", OPT, struct metrics_conf, connections),
	CYAML_FIELD_UINT("timeout", OPT, struct metrics_conf, timeout), CYAML_FIELD_END};

static const struct metrics_conf defaults = {.connections = 16, .timeout = 10};

static const struct ns_conf_doc docs[] = {
	{"listen", "address and port of the pages /metrics, /healthz and /readyz (HTTP), as "
		   "127.0.0.1:9476 or [::1]:9476; empty: none. Whoever can reach it can read them"},
	{"connections", "clients at once (1-48); more wait until one goes"},
	{"timeout", "seconds (1-3600) after which a client that stands still is closed"},
	{NULL, NULL}};

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct metrics_conf *c = values;
	struct sockaddr_storage sa;

	*key = "listen";
	if (c->listen != NULL && c->listen[0] != '\0' && listen_parse(c->listen, &sa, e) < 0)
		return -EINVAL;
	*key = "connections";
	if (c->connections < 1 || c->connections > CONNECTIONS_MAX)
		return ns_fail(
			e, EINVAL, "%u is not between 1 and %d", c->connections, CONNECTIONS_MAX);
	*key = "timeout";
	if (c->timeout < 1 || c->timeout > 3600)
		return ns_fail(e, EINVAL, "%u is not between 1 and 3600 s", c->timeout);
	return 0;
}

static struct ns_conf_section section = {
	.name = "metrics",
	.summary = "pages for Prometheus and health checks",
	.fields = fields,
	.size = sizeof(struct metrics_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_REGISTER(section)
