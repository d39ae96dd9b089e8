/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_defrag.h>

static const struct cyaml_schema_field defrag_fields[] = {
	CYAML_FIELD_UINT("datagrams", CYAML_FLAG_OPTIONAL, struct ns_defrag_conf, datagrams),
	CYAML_FIELD_UINT("held", CYAML_FLAG_OPTIONAL, struct ns_defrag_conf, held),
	CYAML_FIELD_UINT("timeout", CYAML_FLAG_OPTIONAL, struct ns_defrag_conf, timeout),
	CYAML_FIELD_END};

static const struct ns_defrag_conf defrag_defaults = {
	.datagrams = 4096, .held = 1023, .timeout = 30};

static const struct ns_conf_doc defrag_docs[] = {
	{"datagrams", "fragmented datagrams remembered at once (16-1048576)"},
	{"held", "later fragments that wait for their first, at most (1-65535)"},
	{"timeout", "seconds of packet time that a fragmented datagram is remembered"},
	{NULL, NULL}};

static int defrag_check(const void *values, const char **key, struct ns_err *e)
{
	const struct ns_defrag_conf *c = values;

	if (c->datagrams < 16 || c->datagrams > 1048576) {
		*key = "datagrams";
		return ns_fail(e, EINVAL, "%u is not between 16 and 1048576", c->datagrams);
	}
	if (c->held < 1 || c->held > 65535) {
		*key = "held";
		return ns_fail(e, EINVAL, "%u is not between 1 and 65535", c->held);
	}
	if (c->timeout < 1 || c->timeout > 86400) {
		*key = "timeout";
		return ns_fail(e, EINVAL, "%u is not between 1 and 86400 seconds", c->timeout);
	}
	return 0;
}

static struct ns_conf_section defrag_section = {
	.name = "defrag",
	.summary = "ports for later fragments",
	.fields = defrag_fields,
	.size = sizeof(struct ns_defrag_conf),
	.defaults = &defrag_defaults,
	.docs = defrag_docs,
	.check = defrag_check,
};
NS_CONF_REGISTER(defrag_section)
