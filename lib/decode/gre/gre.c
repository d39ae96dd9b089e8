/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GRE (RFC 2784, 2890; source routes of RFC 1701 are walked), what rides on it, and GRE in UDP
 * (RFC 8086):
 *
 *   PPTP      version 1 (RFC 2637): the key holds payload length and call id, which differs by
 *             direction; PPP follows
 *   NVGRE     RFC 7637: protocol 0x6558, the key holds the 24-bit VSID and 8 bits of flow id
 *   ERSPAN    type I: protocol 0x88be without sequence number, no header of its own;
 *             type II: with sequence number, 8 octets; type III: 0x22eb, 12 octets, 20 with the
 *             platform sub-header (draft-foschiano-erspan)
 */
#include <ns_decode.h>

/* RFC 7637, 3.2: virtual subnets 0 to 0xfff are reserved. */
#define NVGRE_FIRST UINT32_C(0x1000)

enum {
	HAS_CSUM = 0x8000,
	HAS_ROUTE = 0x4000,
	HAS_KEY = 0x2000,
	HAS_SEQ = 0x1000,
	HAS_ACK = 0x0080
};

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/* Source route entries: family, offset, length, then the route; ends with family and length 0. */
static int skip_routes(const uint8_t *data, uint32_t len, uint32_t *off)
{
	for (;;) {
		if (*off + 4 > len)
			return -1;
		uint8_t size = data[*off + 3];
		bool last = be16(data + *off) == 0 && size == 0;

		*off += 4 + (uint32_t)size;
		if (*off > len)
			return -1;
		if (last)
			return 0;
	}
}

static int erspan(
	const uint8_t *data, uint32_t len, uint32_t off, bool type3, bool seq, struct ns_decap *out)
{
	uint32_t size = 0;

	if (type3 || seq) {
		size = type3 ? 12 : 8;
		if (off + size > len)
			return -1;
		out->id = be16(data + off + 2) & 0x3ff; /* session */
		if (type3 && (data[off + 11] & 1) != 0)
			size += 8;
	}
	out->consumed = (uint16_t)(off + size);
	out->next = NS_NEXT_ETHERNET;
	return 1;
}

static int pptp(const uint8_t *data, uint32_t len, uint16_t flags, struct ns_decap *out)
{
	uint32_t off = 8;

	if ((flags & HAS_KEY) == 0)
		return 0;
	if (len < 8)
		return -1;
	out->id = be16(data + 6); /* call id of the receiver */
	out->directional = true;
	if (be16(data + 4) == 0)
		return 0; /* an acknowledgement alone */
	if ((flags & HAS_SEQ) != 0)
		off += 4;
	if ((flags & HAS_ACK) != 0)
		off += 4;
	out->consumed = (uint16_t)off;
	out->next = NS_NEXT_PPP;
	return 1;
}

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	uint32_t off = 4;

	if (len < 4)
		return outer->wire_len < 4 ? 0 : -1;
	uint16_t flags = be16(data), proto = be16(data + 2);

	if ((flags & 7) == 1)
		return proto == 0x880b ? pptp(data, len, flags, out) : 0;
	if ((flags & 7) != 0)
		return 0;
	if ((flags & (HAS_CSUM | HAS_ROUTE)) != 0)
		off += 4;
	if ((flags & HAS_KEY) != 0) {
		if (off + 4 > len)
			return -1;
		out->id = be32(data + off);
		/* NVGRE: the low octet is the flow id. Its subnets begin at 4096, so a key that is
		 * smaller than the first of them is a plain one of Ethernet over GRE. */
		if (proto == 0x6558 && out->id >= NVGRE_FIRST << 8)
			out->id >>= 8;
		off += 4;
	}
	if ((flags & HAS_SEQ) != 0)
		off += 4;
	if ((flags & HAS_ROUTE) != 0 && skip_routes(data, len, &off) < 0)
		return -1;
	if (off > len)
		return -1;
	if (proto == 0x88be || proto == 0x22eb)
		return erspan(data, len, off, proto == 0x22eb, (flags & HAS_SEQ) != 0, out);
	/* WCCP v2 puts a 4-octet redirect header before the packet */
	if (proto == 0x883e) {
		if (off + 1 > len)
			return -1;
		if (data[off] >> 4 != 4)
			off += 4;
		out->consumed = (uint16_t)off;
		out->next = NS_NEXT_IP;
		return 1;
	}
	/* Aruba access points put the radio frame, by access class, into GRE */
	if ((proto & 0xff0f) == 0x8200) {
		out->consumed = (uint16_t)off;
		out->linktype = 105;
		out->next = NS_NEXT_LINK;
		return 1;
	}
	out->consumed = (uint16_t)off;
	out->ethertype = proto;
	out->next = NS_NEXT_ETHERTYPE;
	return 1;
}

static const int16_t protos[] = {47, -1};
static const uint16_t ports[] = {4754, 0};

static const struct ns_tunnel_ops ops = {.ip_protos = protos, .udp_ports = ports, .decap = decap};

static const struct ns_plugin gre = {
	.kind = NS_TUNNEL_KIND,
	.name = "gre",
	.summary = "GRE (RFC 2784, 2890, 8086) with NVGRE, ERSPAN I-III, PPTP and WCCP",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(gre)
