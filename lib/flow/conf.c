/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_flow.h>

static const cyaml_strval_t index_words[] = {
	{"tag", NS_FLOW_INDEX_TAG},
	{"rte_hash", NS_FLOW_INDEX_RTE_HASH},
};

static const struct cyaml_schema_field flow_fields[] = {
	CYAML_FIELD_UINT("max", CYAML_FLAG_OPTIONAL, struct ns_flow_conf, max),
	CYAML_FIELD_UINT("idle", CYAML_FLAG_OPTIONAL, struct ns_flow_conf, idle),
	CYAML_FIELD_UINT("active", CYAML_FLAG_OPTIONAL, struct ns_flow_conf, active),
	CYAML_FIELD_BOOL("tcp_end", CYAML_FLAG_OPTIONAL, struct ns_flow_conf, tcp_end),
	CYAML_FIELD_UINT("tcp_linger", CYAML_FLAG_OPTIONAL, struct ns_flow_conf, tcp_linger),
	CYAML_FIELD_ENUM("index", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct ns_flow_conf,
		index, index_words, NS_ARRAY_LEN(index_words)),
	CYAML_FIELD_END};

/* time-outs as nfcapd, softflowd and YAF have them by default, give or take */
static const struct ns_flow_conf flow_defaults = {
	.max = 4194304, .idle = 60, .active = 300, .tcp_end = true, .tcp_linger = 5};

static const struct ns_conf_doc flow_docs[] = {
	{"max", "flows kept at once, over all analysis lcores (4096-67108863); the table has shards, "
		"and a full shard ends the flow that was idle longest (end reason 5)"},
	{"idle", "seconds without a packet that end a flow (1-100000000), end reason 1"},
	{"active",
		"seconds after which a flow that goes on is reported and begins anew, end reason "
		"2; 0: never"},
	{"tcp_end", "a TCP flow ends with FIN both ways or with RST, end reason 3"},
	{"tcp_linger", "seconds that an ended TCP flow still takes late packets (0-3600)"},
	{"index", "how the table finds a flow: tag, buckets of tags of one cache line each; or "
		  "rte_hash, DPDK's table. The records are the same"},
	{NULL, NULL}};

static int flow_check(const void *values, const char **key, struct ns_err *e)
{
	const struct ns_flow_conf *c = values;

	if (c->max < 4096 || c->max > 67108863) {
		*key = "max";
		return ns_fail(e, EINVAL, "%u is not between 4096 and 67108863", c->max);
	}
	if (c->idle < 1 || c->idle > 100000000) {
		*key = "idle";
		return ns_fail(e, EINVAL, "%u is not between 1 and 100000000 seconds", c->idle);
	}
	if (c->tcp_linger > 3600) {
		*key = "tcp_linger";
		return ns_fail(e, EINVAL, "%u is more than 3600 seconds", c->tcp_linger);
	}
	return 0;
}

static struct ns_conf_section flow_section = {
	.name = "flow",
	.summary = "flow table and time-outs",
	.fields = flow_fields,
	.size = sizeof(struct ns_flow_conf),
	.defaults = &flow_defaults,
	.docs = flow_docs,
	.live = (const char *const[]){"flow.active", "flow.idle", "flow.tcp_end", "flow.tcp_linger",
		NULL},
	.check = flow_check,
};
NS_CONF_REGISTER(flow_section)
