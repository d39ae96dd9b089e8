/* SPDX-License-Identifier: BSD-3-Clause */
/* show ports: what the ports of DPDK say of themselves. Main thread. */
#include "command_priv.h"

#include <rte_ethdev.h>
#include <rte_ether.h>

#include <stdio.h>
#include <string.h>

struct port_rec {
	uint16_t port;
	char name[RTE_ETH_NAME_MAX_LEN];
	char driver[24];
	char link[8];
	uint32_t speed_mbps;
	uint16_t queues, mtu;
	char promiscuous[4];
	uint8_t mac[6];
	uint64_t packets, octets, missed, errors, no_mbuf;
	uint64_t sent, send_errors;
};

#define F(m, ...) NS_REC_FIELD(struct port_rec, m, .name = #m, __VA_ARGS__)
#define NO_IE .flags = NS_REC_NO_EXPORT

static const struct ns_rec_field fields[] = {
	F(port, .type = NS_REC_U16, .flags = NS_REC_KEY | NS_REC_NO_EXPORT,
		.help = "DPDK's number"),
	F(name, .type = NS_REC_STR, .flags = NS_REC_KEY | NS_REC_NO_EXPORT, .help = "DPDK's name"),
	F(link, .type = NS_REC_STR, NO_IE, .help = "up or down"),
	F(speed_mbps, .type = NS_REC_U32, .flags = NS_REC_NO_EXPORT | NS_REC_EMPTY_ZERO,
		.help = "of the link in Mbit/s; not known: empty"),
	F(packets, .type = NS_REC_U64, NO_IE, .unit = "packets",
		.help = "received and handed over, by the port's own count"),
	F(octets, .type = NS_REC_U64, NO_IE, .unit = "octets", .help = "of them"),
	F(missed, .type = NS_REC_U64, NO_IE, .unit = "packets",
		.help = "lost for lack of receive descriptors (imissed)"),
	F(errors, .type = NS_REC_U64, NO_IE, .unit = "packets",
		.help = "received with errors (ierrors)"),
	F(no_mbuf, .type = NS_REC_U64, NO_IE, .unit = "packets",
		.help = "lost for lack of packet buffers (rx_nombuf)"),
	F(queues, .type = NS_REC_U16, NO_IE, .unit = "queues", .help = "receive queues"),
	F(sent, .type = NS_REC_U64, NO_IE, .unit = "packets",
		.help = "by mirrors and replays, by the port's own count"),
	F(send_errors, .type = NS_REC_U64, NO_IE, .unit = "packets",
		.help = "that it could not send (oerrors)"),
	F(mtu, .type = NS_REC_U16, NO_IE, .help = "largest packet in octets"),
	F(promiscuous, .type = NS_REC_STR, NO_IE,
		.help = "takes what is meant for others: yes, no"),
	F(driver, .type = NS_REC_STR, NO_IE, .help = "DPDK's driver"),
	F(mac, .type = NS_REC_MAC, NO_IE, .help = "address"),
};

static const struct ns_rec_kind port_kind = {
	.name = "port",
	.version = 1,
	.size = sizeof(struct port_rec),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "a port of DPDK",
	.ipfix_family_field = -1,
};

static void fill_link(struct port_rec *r)
{
	struct rte_eth_link link = {0};

	if (rte_eth_link_get_nowait(r->port, &link) < 0)
		return;
	snprintf(r->link, sizeof(r->link), "%s",
		link.link_status == RTE_ETH_LINK_UP ? "up" : "down");
	if (link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		r->speed_mbps = link.link_speed;
}

static void fill(struct port_rec *r)
{
	struct rte_eth_dev_info info;
	struct rte_eth_stats st;
	struct rte_ether_addr mac;

	rte_eth_dev_get_name_by_port(r->port, r->name);
	fill_link(r);
	if (rte_eth_dev_info_get(r->port, &info) == 0) {
		snprintf(r->driver, sizeof(r->driver), "%s",
			info.driver_name != NULL ? info.driver_name : "");
		r->queues = info.nb_rx_queues;
	}
	rte_eth_dev_get_mtu(r->port, &r->mtu);
	snprintf(r->promiscuous, sizeof(r->promiscuous), "%s",
		rte_eth_promiscuous_get(r->port) == 1 ? "yes" : "no");
	if (rte_eth_macaddr_get(r->port, &mac) == 0)
		memcpy(r->mac, mac.addr_bytes, sizeof(r->mac));
	if (rte_eth_stats_get(r->port, &st) == 0) {
		r->packets = st.ipackets;
		r->octets = st.ibytes;
		r->missed = st.imissed;
		r->errors = st.ierrors;
		r->no_mbuf = st.rx_nombuf;
		r->sent = st.opackets;
		r->send_errors = st.oerrors;
	}
}

static int show_ports(struct ns_command_call *c, struct ns_err *e)
{
	uint16_t id;
	bool any = false;

	if (c->engine == NULL)
		return ns_fail(e, ENOENT, "no engine runs");
	RTE_ETH_FOREACH_DEV(id)
	{
		struct port_rec r = {.port = id};

		fill(&r);
		ns_command_record(c, &port_kind, &r);
		any = true;
	}
	if (!any)
		ns_command_text(c, "there are no ports");
	return 0;
}

static struct ns_command ports = {.name = "show ports",
	.help = "ports with their links, and their own count of what came and was lost",
	.run = show_ports};
NS_COMMAND_REGISTER(ports)
