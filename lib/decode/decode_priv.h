/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_decode.h>

#include <string.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_TEB 0x6558
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_PPP 0x880b
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_MPLS_MC 0x8848
#define ETHERTYPE_PPPOE_DISCOVERY 0x8863
#define ETHERTYPE_PPPOE 0x8864

enum { TCP = 6, UDP = 17, DCCP = 33, ICMP = 1, ICMPV6 = 58, SCTP = 132, UDPLITE = 136 };

#define MAX_STEPS 256 /* headers of all kinds in one packet */
#define MAX_EXTENSIONS 128

/* The walk over one packet. On the stack of ns_decode(). */
struct walk {
	const struct ns_decoder *d;
	const uint8_t *data;
	uint32_t len; /* captured octets; shrinks to what the IP header says */
	uint32_t off; /* where the next header begins */
	uint32_t wire_end; /* where the packet ends by its headers; >= len when it was cut */
	enum ns_next next;
	uint16_t ethertype;
	uint16_t linktype;
	uint16_t vlan[2]; /* of the current layer 2, id + 1 */
	uint8_t nvlans;
	uint8_t tunnel; /* index of the tunnel that we are inside, 0 for none */
	bool directional;
	uint32_t tunnel_id;
	uint16_t tunnel_outer; /* l3 offset of the header outside the tunnel */
	uint8_t headers; /* IP headers read so far */
	struct ns_packet *p;
	struct ns_counters *notes;
	const struct ns_counter *fault; /* why the walk ended early */
};

struct tunnel_entry {
	const struct ns_tunnel_ops *ops;
	uint8_t index;
};

#define TUNNELS_MAX 64
#define CANDIDATES_MAX 4

#define PORT_FILTER 2048 /* 32 cache lines, where the classes of all ports fill 1024 */

struct ns_decoder {
	struct ns_decode_conf conf;
	int32_t fast_linktype; /* frames that decode_fast() may take; -1: none */
	uint8_t port_filter[PORT_FILTER]; /* port % PORT_FILTER: 1 if by_port_class may be set */
	uint8_t by_proto[256][CANDIDATES_MAX]; /* indices into tunnels, 0 ends */
	uint8_t by_port_class[65536]; /* 0: no tunnel; else a row of by_port */
	uint8_t by_port[TUNNELS_MAX][CANDIDATES_MAX];
	uint8_t ports_n;
	const struct ns_tunnel_ops *tunnels[TUNNELS_MAX];
	uint8_t tunnels_n; /* the first is index 1 */
};

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* True when n octets can be read at off. */
static inline bool have(const struct walk *w, uint32_t off, uint32_t n)
{
	return off <= w->len && n <= w->len - off;
}

/*
 * The two ways to fill a view; both give the same. The short one returns false and has touched
 * nothing when the packet is not of the shape that it knows (fast.c); it does not write the view's
 * third line, which holds nothing for the packets that it takes.
 */
bool decode_fast(const struct ns_decoder *d, struct rte_mbuf *m);
const struct ns_counter *decode_walk(
	const struct ns_decoder *d, struct rte_mbuf *m, struct ns_counters *notes);

/* Each step reads one header at w->off, moves on and sets w->next; it may set w->fault. */
void walk_link(struct walk *w);
void walk_ethernet(struct walk *w);
void walk_ethertype(struct walk *w);
void walk_ppp(struct walk *w);
void walk_llc(struct walk *w);
void walk_ip(struct walk *w);

/* Reads the L4 header behind an IP header and looks for a tunnel in it. */
struct ip_info {
	uint32_t l3_off;
	uint32_t l4_off;
	uint32_t end; /* end of the IP packet on the wire, may lie behind what is captured */
	uint8_t proto;
	uint8_t ver;
	bool later_frag;
	bool rerouted; /* the pseudo header has addresses that are not those of the IP header */
};
void walk_l4(struct walk *w, const struct ip_info *ip);

/* True when the checksums of the packet are right or can't be checked. */
bool checksums_ok(const struct walk *w, const struct ip_info *ip);

extern struct ns_counter ns_note_cut_l4;
extern struct ns_counter ns_note_nesting_limit;
extern struct ns_counter ns_note_tunnel_undecoded;

static inline void walk_fault(struct walk *w, const struct ns_counter *why)
{
	w->next = NS_NEXT_END;
	w->fault = why;
}

/* The walk is walk_begin(), then walk_step() at most MAX_STEPS times until NS_NEXT_END, walk_end().
 */
static inline struct walk walk_begin(
	const struct ns_decoder *d, struct rte_mbuf *m, struct ns_counters *notes)
{
	struct ns_packet *p = ns_packet(m);

	/* all that an earlier packet (or an earlier decode) left in this mbuf */
	p->flags &= NS_PKT_RSS | NS_PKT_COPY;
	memset((uint8_t *)p + offsetof(struct ns_packet, l3_off), 0,
		sizeof(*p) - offsetof(struct ns_packet, l3_off));
	return (struct walk){
		.d = d,
		.data = ns_packet_data(m),
		.len = p->caplen,
		.wire_end = NS_MAX(p->wirelen, p->caplen),
		.next = NS_NEXT_LINK,
		.linktype = p->linktype,
		.p = p,
		.notes = notes,
	};
}

static inline void walk_step(struct walk *w)
{
	switch (w->next) {
	case NS_NEXT_LINK:
		walk_link(w);
		break;
	case NS_NEXT_ETHERNET:
		walk_ethernet(w);
		break;
	case NS_NEXT_ETHERTYPE:
		walk_ethertype(w);
		break;
	case NS_NEXT_PPP:
		walk_ppp(w);
		break;
	case NS_NEXT_IP:
		walk_ip(w);
		break;
	case NS_NEXT_END:
		break;
	}
}

/* NULL, or the reason for which the packet is dropped. */
static inline const struct ns_counter *walk_end(struct walk *w)
{
	struct ns_packet *p = w->p;

	p->flags |= NS_PKT_DECODED;
	if (w->next != NS_NEXT_END) { /* more headers than any real packet has */
		if ((p->flags & NS_PKT_IP) != 0)
			ns_count(w->notes, &ns_note_nesting_limit);
		else
			w->fault = &ns_drop_bad_link_header;
	}
	if (w->fault == &ns_drop_bad_checksum)
		return w->fault;
	if ((p->flags & NS_PKT_IP) == 0)
		return w->fault;
	if (w->headers > 0 && w->fault != NULL && w->tunnel != 0)
		ns_count(w->notes, &ns_note_tunnel_undecoded);
	p->hash = ns_tuple_hash(&p->tuple);
	return NULL;
}
