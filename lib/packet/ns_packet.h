/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The view of one packet. It lives in the private area of the mbuf, holds offsets and values but no
 * copies of the packet, and is filled in three steps:
 *
 *   source    the part "given by the source"
 *   decode    all the rest, on the lcore that dispatches (or analyses, when the NIC spreads)
 *   defrag    ports and key of later fragments
 *
 * Octets: wirelen counts the whole frame as it was on the wire (without FCS unless the capture
 * holds it), caplen what was captured; offsets are from the first captured octet and always <=
 * caplen.
 */

#include <ns_base.h>
#include <ns_registry.h>

#include <rte_mbuf.h>

/** Link types by their number in capture files (LINKTYPE_*, tcpdump.org/linktypes.html). */
#define NS_LINKTYPE_ETHERNET 1

enum ns_packet_flags {
	NS_PKT_DECODED = 1u << 0, /**< decode has run */
	NS_PKT_IP = 1u << 1, /**< has an IP header: belongs to a flow */
	NS_PKT_FRAG = 1u << 2, /**< fragment of a datagram, first ones too */
	NS_PKT_LATER_FRAG = 1u << 3, /**< fragment offset > 0: has no ports of its own */
	NS_PKT_PORTS = 1u << 4, /**< tuple holds ports (or ICMP type and code) */
	NS_PKT_TCP = 1u << 5, /**< the tcp_* fields are set */
	NS_PKT_SWAPPED = 1u << 6, /**< the packet's source is endpoint b of the tuple */
	NS_PKT_TUNNEL = 1u << 7, /**< tunnel_* and outer_* are set */
	NS_PKT_CUT = 1u << 8, /**< the capture or the frame ended inside the L4 header */
	NS_PKT_RSS = 1u << 9, /**< mbuf hash.rss comes from the NIC */
	NS_PKT_MORE_FRAGS = 1u << 10, /**< the datagram goes on after this fragment */
	NS_PKT_COPY = 1u << 11, /**< a copy that defrag held; frees to its own mempool */
	NS_PKT_OUTER_FRAG =
		1u << 12, /**< an IP header outside the innermost one is a first fragment */
	NS_PKT_TRACED = 1u << 13, /**< somebody follows it: `trace` is set; after decode */
};

/**
 * What makes two packets the same flow. Endpoints stand in canonical order (lower address, then
 * lower port, first), so both directions have the same tuple. All in network order; unused octets
 * are zero, so that memcmp() and a hash over the whole struct are right.
 *
 *   0                16               32   34   36    37   38      40    42           44      48
 *   | addr a         | addr b         | pa | pb |proto| ver | vlan0 | vlan1| tunnel,0   | id    |
 */
struct ns_tuple {
	uint8_t a[16]; /**< IPv4 in the first four octets */
	uint8_t b[16];
	uint16_t pa; /**< network order; ICMP: see ns_packet.icmp */
	uint16_t pb;
	uint8_t proto;
	uint8_t ver; /**< 4 or 6 */
	uint16_t vlan[2]; /**< outermost first: VLAN id + 1, 0 for none */
	uint8_t tunnel; /**< index of the innermost tunnel's plug-in + 1, 0 for none */
	uint8_t zero;
	uint32_t tunnel_id; /**< host order; 0 where the id differs by direction (GTP-U) */
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct ns_tuple) == 48, "the key of the flow table is 48 octets");

#define NS_PKT_FRAG_ANY (NS_PKT_FRAG | NS_PKT_OUTER_FRAG)

/** What the flow table says about a packet (ns_packet.flow). */
enum ns_packet_flow {
	NS_PKT_FLOW = 1u << 0, /**< counted in a flow */
	NS_PKT_REVERSE = 1u << 1, /**< from responder to initiator */
	NS_PKT_FLOW_NEW = 1u << 2, /**< the flow's first packet */
	NS_PKT_FLOW_FIRST = 1u << 3, /**< the first of its direction in this flow and epoch */
};

/*
 * Two cache lines are all that an ordinary packet needs; only fragments, tunnels and what decodes
 * them touch the third. What stands in it holds nothing when the flag beside it is not set.
 */
struct ns_packet {
	/* --- given by the source --- */
	uint64_t ts_ns; /**< when the packet was seen, since 1970 */
	uint64_t clock_ns; /**< the source's clock: the largest ts_ns so far; time-outs run on it */
	uint32_t wirelen;
	uint32_t caplen; /**< octets that can be read at mbuf data; <= 65535 */
	uint16_t linktype; /**< LINKTYPE_* */
	uint16_t port; /**< DPDK port or file interface, for reports */

	/* --- filled by decode --- */
	uint16_t flags; /**< enum ns_packet_flags */
	uint16_t l3_off; /**< innermost IP header */
	uint16_t l4_off; /**< behind the IP header and its extensions */
	uint16_t payload_off; /**< behind the L4 header */
	uint16_t payload_len; /**< captured L4 payload without padding */
	uint16_t ethertype; /**< of the last layer-2 header, host order; 0 for none */
	uint32_t ip_octets; /**< length by the innermost IP header, header included */
	uint32_t hash; /**< symmetric hash of the tuple */
	uint16_t sport; /**< host order, as in the packet; ICMP: 0 */
	uint16_t dport; /**< ICMP: type * 256 + code */
	uint8_t ttl;
	uint8_t tos; /**< DSCP and ECN of the innermost IP header */
	uint8_t tcp_flags;

	/* --- filled by the flow table --- */
	uint8_t flow; /**< enum ns_packet_flow */
	uint16_t flow_dport; /**< port of the responder, as in the flow's record */
	uint16_t l4_len; /**< (decode) length of the L4 data by the IP header (0: not known) */

	/* --- filled by the lcore that reads --- */
	union {
		uint32_t epoch; /**< file: number of the epoch, counted from 0 without gaps */
		uint32_t rx_time; /**< live pipeline: when it was read; the engine's unit */
	};

	/* --- second line, filled by decode --- */
	struct ns_tuple tuple;
	uint32_t tcp_seq; /**< host order; tcp_*: with NS_PKT_TCP, 0 otherwise */
	uint32_t tcp_ack;
	uint16_t tcp_window;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint8_t depth; /**< IP headers above the innermost one */
	uint8_t zero[3];

	/* --- third line, filled by decode --- */
	uint32_t frag_id; /**< identification, host order; with NS_PKT_FRAG_ANY */
	uint16_t frag_off; /**< octets; with NS_PKT_FRAG_ANY */
	uint16_t frag_l3_off; /**< the IP header that frag_id and frag_off belong to */
	uint32_t tunnel_id; /**< as in the packet (VNI, TEID, GRE key), host order; NS_PKT_TUNNEL */
	uint16_t outer_l3_off; /**< the IP header outside the innermost tunnel; NS_PKT_TUNNEL */
	uint16_t trace; /**< by the lcore that reads: the engine's place for it; NS_PKT_TRACED */
};
_Static_assert(offsetof(struct ns_packet, tuple) == NS_CACHE_LINE, "first line");
_Static_assert(offsetof(struct ns_packet, frag_id) == 2 * NS_CACHE_LINE, "second line");
_Static_assert(sizeof(struct rte_mbuf) % NS_CACHE_LINE == 0, "the view begins a line");

/** Size of the private area of each mbuf that carries packets: the view, rounded up. */
#define NS_PACKET_PRIV RTE_ALIGN(sizeof(struct ns_packet), RTE_MBUF_PRIV_ALIGN)

static inline struct ns_packet *ns_packet(struct rte_mbuf *m)
{
	return (struct ns_packet *)rte_mbuf_to_priv(m);
}

static inline const uint8_t *ns_packet_data(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, const uint8_t *);
}

/** Counts one more of @p c; the lcore that owns @p set. */
static inline void ns_count(struct ns_counters *set, const struct ns_counter *c)
{
	ns_stat_add(&set->v[c->id], 1);
}
