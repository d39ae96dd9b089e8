/* SPDX-License-Identifier: BSD-3-Clause */
#include "redis_priv.h"

#include <ns_conf.h>

#include <string.h>

const struct redis_conf redis_conf_defaults = {
	.ttl_epochs = 3,
	.top = 100,
	.flows = 100,
	.connect_timeout = 1000,
	.timeout = 2000,
	.stream_max = 10000,
};

#define TEXT(key, most)                                                                 \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL, \
		struct redis_conf, key, 0, most)
#define UINT(key) CYAML_FIELD_UINT(#key, CYAML_FLAG_OPTIONAL, struct redis_conf, key)

static const cyaml_schema_field_t redis_conf_fields[] = {TEXT(username, 128),
	TEXT(password, REDIS_SECRET_MAX - 1), TEXT(password_file, 4095), UINT(db), UINT(ttl_epochs),
	UINT(top), UINT(flows), TEXT(hosts_from, 64), TEXT(flows_from, 64), UINT(connect_timeout),
	UINT(timeout), UINT(stream_max), CYAML_FIELD_END};

static const struct ns_conf_doc redis_docs[] = {
	{"username", "ACL user to log in as; without one, the default user"},
	{"password", "its password; better in a file: who may see the configuration sees it"},
	{"password_file",
		"file whose first line is the password; read again each time it connects"},
	{"db", "number of the database (0-65535)"},
	{"ttl_epochs", "epochs after which a key that is not written any more is gone (2-1000)"},
	{"top", "most rows of a task, and most hosts (1-10000)"},
	{"flows", "most flows; 0: none (0-10000)"},
	{"hosts_from",
		"task whose rows are the hosts; without one, the best whose key is one address"},
	{"flows_from",
		"task whose rows are the flows; without one, the first whose key is that of a "
		"flow, and without such a task the flows that have ended in the epoch"},
	{"connect_timeout", "milliseconds to wait for a connection and a log-in (100-60000)"},
	{"timeout",
		"milliseconds without any progress until the connection is given up (100-60000)"},
	{"stream_max", "most entries in the stream of alerts, which is to come (1-1000000)"},
	{NULL, NULL}};

static int within(const char *name, uint32_t v, uint32_t least, uint32_t most, const char **key,
	struct ns_err *e)
{
	if (v >= least && v <= most)
		return 0;
	*key = name;
	return ns_fail(e, EINVAL, "%u is not within %u-%u", v, least, most);
}

static bool given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static int redis_check(const void *values, const char **key, struct ns_err *e)
{
	const struct redis_conf *c = values;

	if (given(c->password) && given(c->password_file)) {
		*key = "password_file";
		return ns_fail(e, EINVAL, "give a password or a password_file, not both");
	}
	if (given(c->username) && !given(c->password) && !given(c->password_file)) {
		*key = "username";
		return ns_fail(e, EINVAL, "a user needs a password or a password_file");
	}
	if (within("db", c->db, 0, 65535, key, e) < 0 ||
		within("ttl_epochs", c->ttl_epochs, 2, 1000, key, e) < 0 ||
		within("top", c->top, 1, 10000, key, e) < 0 ||
		within("flows", c->flows, 0, 10000, key, e) < 0 ||
		within("connect_timeout", c->connect_timeout, 100, 60000, key, e) < 0 ||
		within("timeout", c->timeout, 100, 60000, key, e) < 0 ||
		within("stream_max", c->stream_max, 1, 1000000, key, e) < 0)
		return -errno;
	return 0;
}

static struct ns_conf_section redis_section = {.name = "redis",
	.summary = "writer \"redis\": the live state of this node in Redis",
	.fields = redis_conf_fields,
	.size = sizeof(struct redis_conf),
	.defaults = &redis_conf_defaults,
	.docs = redis_docs,
	.live = (const char *const[]){"redis", NULL},
	.check = redis_check};

NS_CONF_REGISTER(redis_section)
