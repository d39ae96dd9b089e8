/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_port.h"

#include <rte_ethdev.h>

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(NS_PORT_NAME == RTE_ETH_NAME_MAX_LEN, "names as long as DPDK's");

void ns_port_names(uint16_t port, char name[NS_PORT_NAME], char device[NS_PORT_NAME])
{
	struct rte_eth_dev_info info;
	char kernel[IF_NAMESIZE];

	if (!rte_eth_dev_is_valid_port(port) || rte_eth_dev_get_name_by_port(port, device) != 0)
		snprintf(device, NS_PORT_NAME, "port %u", port);
	snprintf(name, NS_PORT_NAME, "%s", device);
	if (rte_eth_dev_is_valid_port(port) && rte_eth_dev_info_get(port, &info) == 0 &&
		info.if_index > 0 && if_indextoname(info.if_index, kernel) != NULL)
		snprintf(name, NS_PORT_NAME, "%s", kernel);
}

static bool is_meant(uint16_t port, const char *word)
{
	char name[NS_PORT_NAME], device[NS_PORT_NAME], number[8];

	snprintf(number, sizeof(number), "%u", port);
	ns_port_names(port, name, device);
	return strcmp(word, number) == 0 || strcmp(word, name) == 0 || strcmp(word, device) == 0 ||
	       (strncmp(device, "0000:", 5) == 0 && strcmp(word, device + 5) == 0);
}

/* "0 net_af_packet0 (eth1), 1 0000:3b:00.0" */
static void list(char *text, size_t len)
{
	size_t at = 0;
	uint16_t port;

	snprintf(text, len, "none");
	RTE_ETH_FOREACH_DEV(port)
	{
		char name[NS_PORT_NAME], device[NS_PORT_NAME];

		ns_port_names(port, name, device);
		int n = snprintf(text + at, len - at, "%s%u %s%s%s%s", at > 0 ? ", " : "", port,
			device, strcmp(name, device) != 0 ? " (" : "",
			strcmp(name, device) != 0 ? name : "",
			strcmp(name, device) != 0 ? ")" : "");

		if (n < 0 || at + (size_t)n >= len)
			break;
		at += (size_t)n;
	}
}

int ns_port_find(const char *word, uint16_t *port, struct ns_err *e)
{
	char known[400];
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	{
		if (!is_meant(id, word))
			continue;
		*port = id;
		return 0;
	}
	list(known, sizeof(known));
	return ns_fail(e, ENODEV, "there is no port \"%.60s\"; there are: %s", word, known);
}

void ns_port_each_name(void (*fn)(void *ctx, const char *name), void *ctx)
{
	uint16_t port;

	RTE_ETH_FOREACH_DEV(port)
	{
		char name[NS_PORT_NAME], device[NS_PORT_NAME];

		ns_port_names(port, name, device);
		fn(ctx, name);
		if (strcmp(name, device) != 0)
			fn(ctx, device);
	}
}
