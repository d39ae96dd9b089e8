/* SPDX-License-Identifier: BSD-3-Clause */
#include "sqlite_priv.h"

#include <ns_conf.h>

const struct sqlite_conf sqlite_conf_defaults = {.busy_timeout = 5000, .batch = 5000};

static const cyaml_schema_field_t sqlite_fields[] = {
	CYAML_FIELD_UINT("busy_timeout", CYAML_FLAG_OPTIONAL, struct sqlite_conf, busy_timeout),
	CYAML_FIELD_UINT("batch", CYAML_FLAG_OPTIONAL, struct sqlite_conf, batch), CYAML_FIELD_END};

static const struct ns_conf_doc sqlite_docs[] = {
	{"busy_timeout",
		"milliseconds to wait while another process writes to the database (0-3600000)"},
	{"batch", "rows per transaction; fewer when the engine is idle (1-1000000)"}, {NULL, NULL}};

static int sqlite_check(const void *values, const char **key, struct ns_err *e)
{
	const struct sqlite_conf *c = values;

	if (c->busy_timeout > 3600000) {
		*key = "busy_timeout";
		return ns_fail(e, EINVAL, "%u ms are more than 3600000", c->busy_timeout);
	}
	if (c->batch < 1 || c->batch > 1000000) {
		*key = "batch";
		return ns_fail(e, EINVAL, "%u rows are not within 1-1000000", c->batch);
	}
	return 0;
}

static struct ns_conf_section sqlite_section = {.name = "sqlite",
	.summary = "writer \"sqlite\": records into an SQLite database",
	.fields = sqlite_fields,
	.size = sizeof(struct sqlite_conf),
	.defaults = &sqlite_conf_defaults,
	.docs = sqlite_docs,
	.live = (const char *const[]){"sqlite", NULL},
	.check = sqlite_check};

NS_CONF_REGISTER(sqlite_section)
