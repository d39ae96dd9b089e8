/* SPDX-License-Identifier: BSD-3-Clause */
/* The section "ethdev" of the configuration. */
#include "ethdev_priv.h"

static const cyaml_strval_t rss_words[] = {{"auto", ETH_RSS_AUTO}, {"off", ETH_RSS_OFF}};
static const cyaml_strval_t stamp_words[] = {
	{"auto", NS_STAMPS_AUTO}, {"tsc", NS_STAMPS_TSC}, {"port", NS_STAMPS_PORT}};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_UINT("rx_queues", CYAML_FLAG_OPTIONAL, struct eth_conf, rx_queues),
	CYAML_FIELD_UINT("rx_descriptors", CYAML_FLAG_OPTIONAL, struct eth_conf, rx_descriptors),
	CYAML_FIELD_UINT("mtu", CYAML_FLAG_OPTIONAL, struct eth_conf, mtu),
	CYAML_FIELD_BOOL("promiscuous", CYAML_FLAG_OPTIONAL, struct eth_conf, promiscuous),
	CYAML_FIELD_ENUM("rss", CYAML_FLAG_OPTIONAL, struct eth_conf, rss, rss_words,
		CYAML_ARRAY_LEN(rss_words)),
	CYAML_FIELD_ENUM("timestamps", CYAML_FLAG_OPTIONAL, struct eth_conf, timestamps,
		stamp_words, CYAML_ARRAY_LEN(stamp_words)),
	CYAML_FIELD_STRING_PTR("profile", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct eth_conf,
		profile, 0, 1024),
	CYAML_FIELD_END};

static const struct eth_conf defaults = {.promiscuous = true};

static const struct ns_conf_doc docs[] = {
	{"rx_queues", "receive queues of each port; 0: of the profile, or as many as lcores read"},
	{"rx_descriptors", "packets that each receive queue holds; 0: of the profile, or 1024"},
	{"mtu", "octets of the largest packet behind the Ethernet header; 0: of the driver"},
	{"promiscuous", "take packets for other stations too"},
	{"rss", "auto: ask the port for a hash that is the same both ways; off: never"},
	{"timestamps",
		"auto: of the port when it offers them, else of the CPU's counter; tsc: of the "
		"CPU's counter; port: of the port even if it does not offer them"},
	{"profile", "name of a file of drivers-config/, or a path; empty: none"}, {NULL, NULL}};

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct eth_conf *c = values;

	if (c->rx_queues > RTE_MAX_QUEUES_PER_PORT) {
		*key = "rx_queues";
		return ns_fail(e, EINVAL, "at most %u", RTE_MAX_QUEUES_PER_PORT);
	}
	if (c->rx_descriptors > UINT16_MAX) {
		*key = "rx_descriptors";
		return ns_fail(e, EINVAL, "at most %u", UINT16_MAX);
	}
	if (c->mtu != 0 && (c->mtu < RTE_ETHER_MIN_MTU || c->mtu > UINT16_MAX)) {
		*key = "mtu";
		return ns_fail(e, EINVAL, "%u is not from %u to %u", c->mtu, RTE_ETHER_MIN_MTU,
			UINT16_MAX);
	}
	return 0;
}

static struct ns_conf_section section = {.name = "ethdev",
	.summary = "Live input from DPDK ports.",
	.fields = fields,
	.size = sizeof(struct eth_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check};
NS_CONF_REGISTER(section)

const struct eth_conf *eth_conf_get(const struct ns_conf *c)
{
	const struct eth_conf *v = c == NULL ? NULL : ns_conf_get(c, "ethdev");

	return v == NULL ? &defaults : v;
}
