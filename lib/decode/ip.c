/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200): commits the packet's flow. */
#include "decode_priv.h"

/* Behind an IPv6 header alone: a frame holds at least 46 octets, and 4 of FCS may follow. */
#define ETHERNET_PADDING 10

/* How an IP header becomes the tuple's addresses; ports follow in walk_l4(). */
static void commit(struct walk *w, const struct ip_info *ip, const uint8_t *src, const uint8_t *dst,
	unsigned alen)
{
	struct ns_packet *p = w->p;
	struct ns_tuple *t = &p->tuple;
	int order = memcmp(src, dst, alen);

	if (w->headers > 0 && w->tunnel != 0)
		p->outer_l3_off = w->tunnel_outer;
	if ((p->flags & NS_PKT_FRAG) != 0)
		p->flags |= NS_PKT_OUTER_FRAG;
	p->flags &= (uint16_t) ~(NS_PKT_FRAG | NS_PKT_LATER_FRAG | NS_PKT_PORTS | NS_PKT_TCP |
				 NS_PKT_SWAPPED | NS_PKT_TUNNEL | NS_PKT_CUT | NS_PKT_MORE_FRAGS);
	p->flags |= NS_PKT_IP;
	p->l3_off = (uint16_t)ip->l3_off;
	p->l4_off = (uint16_t)NS_MIN(ip->l4_off, p->caplen);
	p->payload_off = p->l4_off;
	p->payload_len = 0;
	p->l4_len = 0;
	p->sport = p->dport = 0;
	p->tcp_flags = 0;
	p->depth = w->headers;
	memset(t, 0, sizeof(*t));
	if (order > 0) {
		p->flags |= NS_PKT_SWAPPED;
		memcpy(t->a, dst, alen);
		memcpy(t->b, src, alen);
	} else {
		memcpy(t->a, src, alen);
		memcpy(t->b, dst, alen);
	}
	t->ver = ip->ver;
	t->proto = ip->proto;
	t->vlan[0] = w->vlan[0];
	t->vlan[1] = w->vlan[1];
	if (w->tunnel != 0) {
		p->flags |= NS_PKT_TUNNEL;
		p->tunnel_id = w->tunnel_id;
		t->tunnel = w->tunnel;
		t->tunnel_id = w->directional ? 0 : w->tunnel_id;
	}
	w->headers++;
}

static void cut(struct walk *w)
{
	w->p->flags |= NS_PKT_CUT;
	ns_count(w->notes, &ns_note_cut_l4);
}

static void ipv4(struct walk *w)
{
	const uint8_t *h = w->data + w->off;
	struct ip_info ip = {.l3_off = w->off, .ver = 4};

	if (!have(w, w->off, 20)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint32_t hlen = (uint32_t)(h[0] & 15) * 4;
	uint32_t total = be16(h + 2);
	uint16_t frag = be16(h + 6);

	if (hlen < 20 || (total != 0 && total < hlen)) {
		walk_fault(w, &ns_drop_bad_ip_header);
		return;
	}
	/* 0: a sender that leaves segmentation to its NIC, or more than 65535 octets */
	ip.end = total != 0 ? w->off + total : NS_MAX(w->wire_end, w->off + hlen);
	ip.l4_off = w->off + hlen;
	ip.proto = h[9];
	ip.later_frag = (frag & 0x1fff) != 0;
	commit(w, &ip, h + 12, h + 16, 4);
	w->p->ip_octets = ip.end - ip.l3_off;
	w->p->ttl = h[8];
	w->p->tos = h[1];
	if ((frag & 0x3fff) != 0) {
		w->p->flags |= NS_PKT_FRAG;
		w->p->frag_id = be16(h + 4);
		w->p->frag_l3_off = (uint16_t)ip.l3_off;
		w->p->frag_off = (uint16_t)((frag & 0x1fff) * 8);
		if ((frag & 0x2000) != 0)
			w->p->flags |= NS_PKT_MORE_FRAGS;
		if (ip.later_frag)
			w->p->flags |= NS_PKT_LATER_FRAG;
	}
	if (ip.end < w->len)
		w->len = ip.end;
	if (ip.proto == 51 && !ip.later_frag) {
		/* authentication header (RFC 4302): what it protects can be read */
		const uint8_t *ah = w->data + ip.l4_off;
		uint32_t size = have(w, ip.l4_off, 2) ? ((uint32_t)ah[1] + 2) * 4 : 2;

		if (!have(w, ip.l4_off, size)) {
			cut(w);
		} else {
			ip.proto = ah[0];
			ip.l4_off += size;
			w->p->tuple.proto = ip.proto;
			w->p->l4_off = w->p->payload_off = (uint16_t)ip.l4_off;
		}
	}
	walk_l4(w, &ip);
}

/*
 * RFC 8200, 8.1: behind a routing header with segments left the pseudo header holds the final
 * destination; RFC 6275, 11.3.1: behind a home address option it holds the home address.
 */
static bool reroutes(uint8_t type, const uint8_t *h, uint32_t size)
{
	if (type == 43)
		return h[3] != 0;
	if (type != 60)
		return false;
	for (uint32_t i = 2; i + 1 < size; i += h[i] == 0 ? 1 : 2u + h[i + 1]) {
		if (h[i] == 0xc9)
			return true;
	}
	return false;
}

/*
 * Walks the extension headers from ip->l4_off on. Leaves the protocol and offset of the first
 * header that is none of them. Stops where the capture ends: the protocol is then the last one
 * named.
 */
static void extensions(struct walk *w, struct ip_info *ip)
{
	struct ns_packet *p = w->p;

	for (unsigned i = 0; i < MAX_EXTENSIONS; i++) {
		const uint8_t *h = w->data + ip->l4_off;
		uint32_t size;

		switch (ip->proto) {
		case 0: /* hop-by-hop options */
		case 43: /* routing */
		case 60: /* destination options */
		case 139: /* host identity */
		case 140: /* shim6 */
			if (!have(w, ip->l4_off, 2)) {
				cut(w);
				return;
			}
			size = ((uint32_t)h[1] + 1) * 8;
			break;
		case 135: /* mobility: usually the last */
			if (!have(w, ip->l4_off, 2)) {
				cut(w);
				return;
			}
			if (h[0] == 59)
				return;
			size = ((uint32_t)h[1] + 1) * 8;
			break;
		case 51: /* authentication: what it protects can be read */
			if (!have(w, ip->l4_off, 2)) {
				cut(w);
				return;
			}
			size = ((uint32_t)h[1] + 2) * 4;
			break;
		case 44: /* fragment */
			if (!have(w, ip->l4_off, 8)) {
				cut(w);
				return;
			}
			size = 8;
			uint16_t frag = be16(h + 2);

			/* an atomic fragment (RFC 6946) is whole */
			if ((frag & 0xfff9) != 0) {
				p->flags |= NS_PKT_FRAG;
				p->frag_id = be32(h + 4);
				p->frag_l3_off = (uint16_t)ip->l3_off;
				p->frag_off = frag & 0xfff8;
				if ((frag & 1) != 0)
					p->flags |= NS_PKT_MORE_FRAGS;
			}
			if ((frag & 0xfff8) != 0) {
				p->flags |= NS_PKT_LATER_FRAG;
				ip->later_frag = true;
				ip->proto = h[0];
				ip->l4_off += size;
				return;
			}
			break;
		default:
			return;
		}
		if (!have(w, ip->l4_off, size)) {
			cut(w);
			return;
		}
		ip->rerouted |= reroutes(ip->proto, h, size);
		ip->proto = h[0];
		ip->l4_off += size;
	}
}

/*
 * What a payload length of 0 stands for: a jumbogram, whose hop-by-hop option holds the length (RFC
 * 2675), segmentation that the sender left to its NIC, or really nothing.
 */
static uint32_t zero_payload(const struct walk *w, uint8_t next)
{
	uint32_t off = w->off + 40;
	uint32_t left = w->wire_end > off ? w->wire_end - off : 0;

	if (left <= ETHERNET_PADDING)
		return 0;
	if (next == 6 || next == 17)
		return left;
	/* the option stands first, where RFC 2675 needs it for its alignment of 4n + 2 */
	if (next == 0 && have(w, off, 8) && w->data[off + 2] == 0xc2 && w->data[off + 3] == 4) {
		uint32_t size = be32(w->data + off + 4);

		return size <= left ? size : 0;
	}
	return 0;
}

static void ipv6(struct walk *w)
{
	const uint8_t *h = w->data + w->off;
	struct ip_info ip = {.l3_off = w->off, .ver = 6};

	if (!have(w, w->off, 40)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint32_t payload = be16(h + 4);

	ip.end = w->off + 40 + (payload != 0 ? payload : zero_payload(w, h[6]));
	ip.l4_off = w->off + 40;
	ip.proto = h[6];
	commit(w, &ip, h + 8, h + 24, 16);
	if (ip.end < w->len)
		w->len = ip.end;
	extensions(w, &ip);
	w->p->tuple.proto = ip.proto;
	w->p->l4_off = (uint16_t)NS_MIN(ip.l4_off, w->p->caplen);
	w->p->payload_off = w->p->l4_off;
	w->p->ip_octets = ip.end - ip.l3_off;
	w->p->ttl = h[7];
	w->p->tos = (uint8_t)((h[0] << 4 | h[1] >> 4) & 0xff);
	walk_l4(w, &ip);
}

void walk_ip(struct walk *w)
{
	if (!have(w, w->off, 1)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint8_t ver = w->data[w->off] >> 4;

	if (ver == 4)
		ipv4(w);
	else if (ver == 6)
		ipv6(w);
	else
		walk_fault(w, &ns_drop_bad_ip_header);
}
