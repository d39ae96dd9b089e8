/* SPDX-License-Identifier: BSD-3-Clause */
#include "ipfix_priv.h"

#include <ns_conf.h>

const struct ipfix_conf ipfix_conf_defaults = {
	.observation_domain = 0,
	.template_refresh = 600,
	.template_messages = 200,
	.mtu = 1400,
	.timeout = 10,
	.milliseconds = true,
};

static const cyaml_schema_field_t ipfix_fields[] = {
	CYAML_FIELD_UINT(
		"observation_domain", CYAML_FLAG_OPTIONAL, struct ipfix_conf, observation_domain),
	CYAML_FIELD_UINT(
		"template_refresh", CYAML_FLAG_OPTIONAL, struct ipfix_conf, template_refresh),
	CYAML_FIELD_UINT(
		"template_messages", CYAML_FLAG_OPTIONAL, struct ipfix_conf, template_messages),
	CYAML_FIELD_UINT("mtu", CYAML_FLAG_OPTIONAL, struct ipfix_conf, mtu),
	CYAML_FIELD_UINT("timeout", CYAML_FLAG_OPTIONAL, struct ipfix_conf, timeout),
	CYAML_FIELD_BOOL("milliseconds", CYAML_FLAG_OPTIONAL, struct ipfix_conf, milliseconds),
	CYAML_FIELD_END};

static const struct ns_conf_doc ipfix_docs[] = {
	{"observation_domain",
		"observation domain id in each message header; 0: none in particular"},
	{"template_refresh", "seconds after which templates are sent again over UDP (1-86400)"},
	{"template_messages",
		"messages after which templates are sent again over UDP; 0: only by time"},
	{"mtu", "largest message over UDP in octets, without IP and UDP headers (256-65507)"},
	{"timeout", "seconds to wait for a TCP collector to accept a connection or data (1-3600)"},
	{"milliseconds",
		"send the millisecond elements beside flow times in nano- or microseconds, "
		"for collectors that know only those"},
	{NULL, NULL}};

static int ipfix_check(const void *values, const char **key, struct ns_err *e)
{
	const struct ipfix_conf *c = values;

	if (c->template_refresh < 1 || c->template_refresh > 86400) {
		*key = "template_refresh";
		return ns_fail(e, EINVAL, "%u s is not within 1-86400", c->template_refresh);
	}
	if (c->mtu < 256 || c->mtu > IPFIX_UDP_MAX) {
		*key = "mtu";
		return ns_fail(e, EINVAL, "%u octets are not within 256-%d", c->mtu, IPFIX_UDP_MAX);
	}
	if (c->timeout < 1 || c->timeout > 3600) {
		*key = "timeout";
		return ns_fail(e, EINVAL, "%u s is not within 1-3600", c->timeout);
	}
	return 0;
}

static struct ns_conf_section ipfix_section = {
	.name = "ipfix",
	.summary = "IPFIX export (RFC 7011)",
	.fields = ipfix_fields,
	.size = sizeof(struct ipfix_conf),
	.defaults = &ipfix_conf_defaults,
	.docs = ipfix_docs,
	.live = (const char *const[]){"ipfix", NULL},
	.check = ipfix_check,
};
NS_CONF_REGISTER(ipfix_section)
