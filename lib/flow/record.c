/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow record: its description, and how an ended flow becomes one. */
#include "flow_priv.h"

#include <ns_decode.h>
#include <ns_text.h>

#include <string.h>

#define F(member, ...) NS_REC_FIELD(struct ns_flow_rec, member, .name = #member, __VA_ARGS__)
#define REV(ie) .ipfix_pen = NS_REC_PEN_REVERSE, .ipfix_ie = (ie)

/* The first nineteen stand in this order in every CSV; more may follow, none may move. */
static const struct ns_rec_field fields[] = {
	F(community_id, .type = NS_REC_STR, .flags = NS_REC_KEY | NS_REC_NO_EXPORT,
		.help = "Community ID v1, seed 0"),
	NS_REC_FIELD(struct ns_flow_rec, src, .name = "src_ip", .type = NS_REC_IP,
		.flags = NS_REC_KEY, .ipfix_ie = 8, .ipfix_ie6 = 27,
		.help = "address of the initiator: who sent the first packet"),
	F(src_port, .type = NS_REC_U16, .ipfix_ie = 7, .help = "port of the initiator; ICMP: 0"),
	NS_REC_FIELD(struct ns_flow_rec, dst, .name = "dst_ip", .type = NS_REC_IP,
		.flags = NS_REC_KEY, .ipfix_ie = 12, .ipfix_ie6 = 28,
		.help = "address of the responder"),
	F(dst_port, .type = NS_REC_U16, .ipfix_ie = 11,
		.help = "port of the responder; ICMP: type * 256 + code of the first packet"),
	F(proto, .type = NS_REC_PROTO, .ipfix_ie = 4, .help = "IP protocol"),
	F(vlan, .type = NS_REC_VLANS, .ipfix_ie = 58, .ipfix_len = 2,
		.help = "VLAN ids of the innermost layer 2, outermost first"),
	F(tunnel, .type = NS_REC_STR, .flags = NS_REC_NO_EXPORT,
		.help = "innermost tunnel and its id, as \"vxlan:42\""),
	F(packets, .type = NS_REC_U64, .ipfix_ie = 2, .unit = "packets",
		.help = "packets from initiator to responder"),
	F(ip_octets, .type = NS_REC_U64, .ipfix_ie = 1, .unit = "octets",
		.help = "octets by the innermost IP header"),
	F(l2_octets, .type = NS_REC_U64, .ipfix_ie = 352, .unit = "octets",
		.help = "octets of the frames as they were on the wire, however much was captured"),
	F(rev_packets, .type = NS_REC_U64, REV(2), .unit = "packets",
		.help = "the same from responder to initiator"),
	F(rev_ip_octets, .type = NS_REC_U64, REV(1), .unit = "octets", .help = ""),
	F(rev_l2_octets, .type = NS_REC_U64, REV(352), .unit = "octets", .help = ""),
	F(start_ns, .type = NS_REC_TIME, .flags = NS_REC_KEY, .ipfix_ie = 156, .unit = "ns",
		.help = "time of the first packet"),
	F(end_ns, .type = NS_REC_TIME, .ipfix_ie = 157, .unit = "ns",
		.help = "time of the last packet"),
	F(tcp_flags, .type = NS_REC_TCP_FLAGS, .ipfix_ie = 6, .ipfix_len = 2,
		.help = "union of the TCP flags"),
	F(rev_tcp_flags, .type = NS_REC_TCP_FLAGS, REV(6), .ipfix_len = 2, .help = ""),
	F(end_reason, .type = NS_REC_U8, .ipfix_ie = 136,
		.help = "flowEndReason: 1 idle, 2 active time-out, 3 end detected, 4 forced end, "
			"5 lack of resources"),
	F(tcp_first_flags, .type = NS_REC_TCP_FLAGS, .flags = NS_REC_NO_EXPORT,
		.help = "TCP flags of the first packet"),
	F(rev_tcp_first_flags, .type = NS_REC_TCP_FLAGS, .flags = NS_REC_NO_EXPORT, .help = ""),
	F(tcp_gaps, .type = NS_REC_U32, .flags = NS_REC_NO_EXPORT, .unit = "segments",
		.help = "segments that begin behind the highest sequence number seen (counts to "
			"65535)"),
	F(rev_tcp_gaps, .type = NS_REC_U32, .flags = NS_REC_NO_EXPORT, .unit = "segments",
		.help = ""),
	F(tcp_retransmits, .type = NS_REC_U32, .flags = NS_REC_NO_EXPORT, .unit = "segments",
		.help = "segments with data below the highest sequence number seen"),
	F(rev_tcp_retransmits, .type = NS_REC_U32, .flags = NS_REC_NO_EXPORT, .unit = "segments",
		.help = ""),
	F(tcp_rtt_ns, .type = NS_REC_U64, .flags = NS_REC_EMPTY_ZERO | NS_REC_NO_EXPORT,
		.unit = "ns", .help = "handshake: SYN to the ACK of the SYN+ACK"),
	F(ttl_min, .type = NS_REC_U8, .ipfix_ie = 52, .help = "lowest TTL or hop limit"),
	F(ttl_max, .type = NS_REC_U8, .ipfix_ie = 53, .help = "highest TTL or hop limit"),
	F(rev_ttl_min, .type = NS_REC_U8, REV(52), .help = ""),
	F(rev_ttl_max, .type = NS_REC_U8, REV(53), .help = ""),
	F(tos, .type = NS_REC_U8, .ipfix_ie = 5, .help = "DSCP and ECN of the first packet"),
	F(rev_tos, .type = NS_REC_U8, REV(5), .help = ""),
	F(icmp_type, .type = NS_REC_U8, .flags = NS_REC_NO_EXPORT,
		.help = "ICMP type of the first packet"),
	F(icmp_code, .type = NS_REC_U8, .flags = NS_REC_NO_EXPORT,
		.help = "ICMP code of the first packet"),
	/* layer2SegmentId (351) holds VXLAN and NVGRE only, and wants their type in it */
	F(tunnel_id, .type = NS_REC_U32, .flags = NS_REC_EMPTY_ZERO | NS_REC_NO_EXPORT,
		.help = "id of the innermost tunnel: VNI, key, TEID"),
	F(outer_src, .type = NS_REC_IP, .flags = NS_REC_NO_EXPORT,
		.help = "source address outside the innermost tunnel"),
	F(outer_dst, .type = NS_REC_IP, .flags = NS_REC_NO_EXPORT,
		.help = "destination address outside the innermost tunnel"),
	F(port, .type = NS_REC_U16, .ipfix_ie = 10, .ipfix_len = 4,
		.help = "input port, or interface of the capture file, of the first packet"),
};

const struct ns_rec_kind ns_flow_rec_kind = {
	.name = "flow",
	.version = 1,
	.size = sizeof(struct ns_flow_rec),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "one conversation, both directions, as a biflow (RFC 5103)",
	.ipfix_family_field = 1,
};
NS_REC_REGISTER(ns_flow_rec_kind)

static void put_tunnel(struct ns_flow_rec *r, const struct ns_tuple *t, uint32_t id)
{
	const char *name = ns_decoder_tunnel_name(t->tunnel);
	size_t n = NS_MIN(strlen(name), sizeof(r->tunnel) - 13);
	char *p = r->tunnel;

	memcpy(p, name, n);
	p += n;
	if (id != 0) {
		*p++ = ':';
		p = ns_put_u64(p, id);
	}
	*p = '\0';
}

static void put_ip(struct ns_ip *ip, uint8_t ver, const uint8_t *addr)
{
	ip->ver = ver;
	memcpy(ip->addr, addr, sizeof(ip->addr));
}

static void put_counters(struct ns_flow_rec *r, const struct hot *f, const struct big *b)
{
	r->packets = f->packets[0];
	r->ip_octets = f->ip_octets[0];
	r->l2_octets = f->l2_octets[0];
	r->rev_packets = f->packets[1];
	r->rev_ip_octets = f->ip_octets[1];
	r->rev_l2_octets = f->l2_octets[1];
	if ((f->state & FLOW_BIG) == 0)
		return;
	r->packets += b->packets[0];
	r->ip_octets += b->ip_octets[0];
	r->l2_octets += b->l2_octets[0];
	r->rev_packets += b->packets[1];
	r->rev_ip_octets += b->ip_octets[1];
	r->rev_l2_octets += b->l2_octets[1];
}

void ns_flow_record(const struct ns_flow_ended *e, struct ns_flow_rec *r)
{
	ns_flow_record_draft(e, r);
	ns_flow_record_ids(r, 1);
}

void ns_flow_record_draft(const struct ns_flow_ended *e, struct ns_flow_rec *r)
{
	const struct hot *f = e->hot;
	const struct warm *w = e->warm;
	const struct ns_tuple *t = e->tuple;
	bool swapped = (f->state & FLOW_SWAPPED) != 0;
	bool icmp = flow_is_icmp(t->proto);
	bool ports = (w->state & FLOW_PORTS) != 0;
	uint16_t sport = __builtin_bswap16(swapped ? t->pb : t->pa);
	uint16_t dport = __builtin_bswap16(swapped ? t->pa : t->pb);

	memset(r, 0, sizeof(*r));
	put_ip(&r->src, t->ver, swapped ? t->b : t->a);
	put_ip(&r->dst, t->ver, swapped ? t->a : t->b);
	ns_community_id_later(r->community_id, sport, dport, ports);
	r->proto = t->proto;
	if (icmp) {
		r->icmp_type = w->icmp_type;
		r->icmp_code = w->icmp_code;
		r->dst_port = (uint16_t)(w->icmp_type << 8 | w->icmp_code);
	} else {
		r->src_port = sport;
		r->dst_port = dport;
	}
	for (unsigned i = 0; i < 2 && t->vlan[i] != 0; i++)
		r->vlan.id[r->vlan.n++] = (uint16_t)(t->vlan[i] - 1);
	put_counters(r, f, e->big);
	r->start_ns = w->start_ns;
	r->end_ns = flow_end_ns(f, w);
	r->tcp_flags = w->tcp_flags[0];
	r->rev_tcp_flags = w->tcp_flags[1];
	if (t->proto == 6) {
		r->tcp_first_flags = w->first_flags[0];
		r->rev_tcp_first_flags = w->first_flags[1];
	}
	r->end_reason = e->reason;
	r->ttl_min = w->ttl_min[0];
	r->ttl_max = w->ttl_max[0];
	r->tos = w->tos[0];
	if (f->packets[1] != 0) {
		r->rev_ttl_min = w->ttl_min[1];
		r->rev_ttl_max = w->ttl_max[1];
		r->rev_tos = w->tos[1];
	}
	r->tcp_gaps = w->gaps[0];
	r->rev_tcp_gaps = w->gaps[1];
	r->tcp_retransmits = w->retransmits[0];
	r->rev_tcp_retransmits = w->retransmits[1];
	if ((w->state & FLOW_RTT) != 0)
		r->tcp_rtt_ns = w->hs_ns;
	if ((w->state & FLOW_TUNNEL) == 0)
		return;
	r->port = e->cold->port;
	if (t->tunnel == 0)
		return;
	r->tunnel_id = e->cold->tunnel_id;
	put_tunnel(r, t, r->tunnel_id);
	if (e->cold->ver != 0) {
		put_ip(&r->outer_src, e->cold->ver, e->cold->src);
		put_ip(&r->outer_dst, e->cold->ver, e->cold->dst);
	}
}
