/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP (RFC 9293), UDP (RFC 768), UDP-Lite (RFC 3828), SCTP (RFC 9260), DCCP (RFC 4340), ICMP (RFC
 * 792) and ICMPv6 (RFC 4443): ports into the tuple; then the tunnels that IP protocol or UDP port
 * suggest.
 */
#include "decode_priv.h"

/* Ports in canonical order; equal addresses are ordered by port. */
static void set_ports(struct ns_packet *p, uint16_t sport, uint16_t dport)
{
	struct ns_tuple *t = &p->tuple;
	bool swapped = (p->flags & NS_PKT_SWAPPED) != 0;

	if (!swapped && sport > dport && memcmp(t->a, t->b, t->ver == 4 ? 4 : 16) == 0) {
		swapped = true;
		p->flags |= NS_PKT_SWAPPED;
	}
	t->pa = __builtin_bswap16(swapped ? dport : sport);
	t->pb = __builtin_bswap16(swapped ? sport : dport);
	p->flags |= NS_PKT_PORTS;
}

/*
 * ICMP has no ports; as in Community ID v1 the type of a request and of its reply stand for them,
 * so that both make one flow. Other messages go one way and are told apart by type and code.
 */
static int icmp_counterpart(uint8_t type)
{
	switch (type) {
	case 0:
		return 8; /* echo reply, echo */
	case 8:
		return 0;
	case 9:
		return 10; /* router advertisement, solicitation */
	case 10:
		return 9;
	case 13:
		return 14; /* timestamp */
	case 14:
		return 13;
	case 15:
		return 16; /* information */
	case 16:
		return 15;
	case 17:
		return 18; /* address mask */
	case 18:
		return 17;
	default:
		return -1;
	}
}

static int icmpv6_counterpart(uint8_t type)
{
	switch (type) {
	case 128:
		return 129; /* echo */
	case 129:
		return 128;
	case 130:
		return 131; /* multicast listener query, report */
	case 131:
		return 130;
	case 133:
		return 134; /* router solicitation, advertisement */
	case 134:
		return 133;
	case 135:
		return 136; /* neighbor solicitation, advertisement */
	case 136:
		return 135;
	case 139:
		return 140; /* node information (RFC 4620) */
	case 140:
		return 139;
	case 144:
		return 145; /* home agent address discovery (RFC 6275) */
	case 145:
		return 144;
	default:
		return -1;
	}
}

static void cut(struct walk *w)
{
	w->p->flags |= NS_PKT_CUT;
	ns_count(w->notes, &ns_note_cut_l4);
	w->next = NS_NEXT_END;
}

static void icmp(struct walk *w, const struct ip_info *ip)
{
	struct ns_packet *p = w->p;

	if (!have(w, ip->l4_off, 2)) {
		cut(w);
		return;
	}
	p->icmp_type = w->data[ip->l4_off];
	p->icmp_code = w->data[ip->l4_off + 1];
	p->dport = (uint16_t)(p->icmp_type << 8 | p->icmp_code);
	int other = ip->proto == ICMP ? icmp_counterpart(p->icmp_type)
				      : icmpv6_counterpart(p->icmp_type);

	set_ports(p, p->icmp_type, other >= 0 ? (uint16_t)other : p->icmp_code);
}

static void payload(struct walk *w, const struct ip_info *ip, uint32_t header)
{
	struct ns_packet *p = w->p;
	uint32_t off = ip->l4_off + header;

	p->payload_off = (uint16_t)NS_MIN(off, w->len);
	p->payload_len = (uint16_t)(w->len - p->payload_off);
}

static void tcp(struct walk *w, const struct ip_info *ip)
{
	struct ns_packet *p = w->p;
	const uint8_t *h = w->data + ip->l4_off;

	if (!have(w, ip->l4_off, 14)) {
		ns_count(w->notes, &ns_note_cut_l4);
		p->flags |= NS_PKT_CUT;
		return;
	}
	uint32_t size = (uint32_t)(h[12] >> 4) * 4;

	p->tcp_seq = be32(h + 4);
	p->tcp_ack = be32(h + 8);
	p->tcp_flags = h[13];
	p->tcp_window = have(w, ip->l4_off, 16) ? be16(h + 14) : 0;
	p->flags |= NS_PKT_TCP;
	if (size < 20)
		size = 20;
	uint32_t behind = ip->end > ip->l4_off ? ip->end - ip->l4_off : 0;

	/* what the segment carries on the wire, however little of it was captured */
	p->l4_len = (uint16_t)NS_MIN(behind > size ? behind - size : 0, UINT16_MAX);
	payload(w, ip, size);
}

/* Offers the octets at off to each candidate; true when one took them. */
static bool open_tunnel(struct walk *w, const uint8_t *row, const struct ns_tunnel_outer *outer,
	uint32_t off, uint32_t l3_off)
{
	uint32_t len = off < w->len ? w->len - off : 0;

	for (; *row != 0; row++) {
		struct ns_decap out = {.next = NS_NEXT_END};
		int rc = w->d->tunnels[*row]->decap(outer, w->data + NS_MIN(off, w->len),
			(uint16_t)NS_MIN(len, UINT16_MAX), &out);

		if (rc == 0)
			continue;
		if (rc < 0 || out.consumed > len) {
			ns_count(w->notes, &ns_note_tunnel_undecoded);
			w->next = NS_NEXT_END;
			return true;
		}
		if (w->p->depth >= w->d->conf.max_tunnels) {
			ns_count(w->notes, &ns_note_nesting_limit);
			w->next = NS_NEXT_END;
			return true;
		}
		w->tunnel = *row;
		w->tunnel_id = out.id;
		w->directional = out.directional;
		w->tunnel_outer = (uint16_t)l3_off;
		w->vlan[0] = w->vlan[1] = 0;
		w->nvlans = 0;
		w->off = off + out.consumed;
		w->wire_end = NS_MAX(off + (uint32_t)outer->wire_len, w->len);
		w->ethertype = out.ethertype;
		w->linktype = out.linktype;
		w->next = out.next;
		return true;
	}
	return false;
}

static void udp(struct walk *w, const struct ip_info *ip)
{
	const uint8_t *h = w->data + ip->l4_off;

	if (!have(w, ip->l4_off, 8)) {
		ns_count(w->notes, &ns_note_cut_l4);
		w->p->flags |= NS_PKT_CUT;
		return;
	}
	uint32_t size = be16(h + 4);
	uint32_t off = ip->l4_off + 8;

	/* the UDP length may be shorter than the IP payload; 0 is a jumbogram or segmentation */
	if (size >= 8 && ip->l4_off + size < w->len)
		w->len = ip->l4_off + size;
	payload(w, ip, 8);
	uint32_t behind = ip->end > off ? ip->end - off : 0;

	w->p->l4_len = (uint16_t)NS_MIN(behind, UINT16_MAX);

	uint8_t class = w->d->by_port_class[w->p->dport];
	uint8_t other = w->d->by_port_class[w->p->sport];

	if (ns_likely((class | other) == 0))
		return;
	struct ns_tunnel_outer outer = {
		.proto = UDP, .sport = w->p->sport, .dport = w->p->dport, .wire_len = w->p->l4_len};

	/* row 0 is empty; what the destination port suggests goes first */
	if (!open_tunnel(w, w->d->by_port[class], &outer, off, ip->l3_off) && other != class)
		open_tunnel(w, w->d->by_port[other], &outer, off, ip->l3_off);
}

void walk_l4(struct walk *w, const struct ip_info *ip)
{
	struct ns_packet *p = w->p;

	w->next = NS_NEXT_END;
	if (w->d->conf.verify_checksum && !checksums_ok(w, ip)) {
		walk_fault(w, &ns_drop_bad_checksum);
		return;
	}
	if (ip->later_frag)
		return;
	switch (ip->proto) {
	case TCP:
	case UDP:
	case SCTP:
	case DCCP:
	case UDPLITE:
		if (!have(w, ip->l4_off, 4)) {
			cut(w);
			return;
		}
		p->sport = be16(w->data + ip->l4_off);
		p->dport = be16(w->data + ip->l4_off + 2);
		set_ports(p, p->sport, p->dport);
		if (ip->proto == TCP)
			tcp(w, ip);
		else if (ip->proto == UDP)
			udp(w, ip);
		else
			payload(w, ip, ip->proto == UDPLITE ? 8 : 12);
		return;
	case ICMP:
	case ICMPV6:
		icmp(w, ip);
		return;
	default:
		break;
	}
	const uint8_t *row = w->d->by_proto[ip->proto];

	if (row[0] != 0 && ip->l4_off <= w->len) {
		uint32_t behind = ip->end > ip->l4_off ? ip->end - ip->l4_off : 0;
		struct ns_tunnel_outer outer = {
			.proto = ip->proto, .wire_len = (uint16_t)NS_MIN(behind, UINT16_MAX)};

		open_tunnel(w, row, &outer, ip->l4_off, ip->l3_off);
	}
}
