/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * L2TP version 2 (RFC 2661) over UDP: data messages carry PPP. Tunnel and session id are those of
 * the receiver, so they differ by direction. Optional fields in [ ], when their bit is set:
 *
 *	| T L x x S x O P x x x x | version | [length] | tunnel | session | [Ns | Nr] |
 *	| [offset size | offset pad] | PPP, often without address and control
 */
#include <ns_decode.h>

enum { CONTROL = 0x8000, LENGTH = 0x4000, SEQUENCE = 0x0800, OFFSET = 0x0200, VERSION = 0x000f };

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	uint32_t off = 2;

	if (len < 2)
		return outer->wire_len < 6 ? 0 : -1;
	uint32_t flags = be16(data);

	/* control messages have no flow inside; version 3 does not say what it carries */
	if ((flags & CONTROL) != 0 || (flags & VERSION) != 2)
		return 0;
	uint32_t size = 6 + ((flags & LENGTH) != 0 ? 2 : 0) + ((flags & SEQUENCE) != 0 ? 4 : 0);

	if (len < size + ((flags & OFFSET) != 0 ? 2 : 0))
		return outer->wire_len < size ? 0 : -1;
	if ((flags & LENGTH) != 0) {
		uint32_t said = be16(data + off);

		if (said < size || said > outer->wire_len)
			return 0;
		off += 2;
	}
	out->id = be16(data + off) << 16 | be16(data + off + 2);
	out->directional = true;
	if ((flags & OFFSET) != 0)
		size += 2 + be16(data + size);
	if (size > len)
		return size > outer->wire_len ? 0 : -1;
	out->consumed = (uint16_t)size;
	out->next = NS_NEXT_PPP;
	return 1;
}

static const uint16_t ports[] = {1701, 0};

static const struct ns_tunnel_ops ops = {.udp_ports = ports, .decap = decap};

static const struct ns_plugin l2tp = {
	.kind = NS_TUNNEL_KIND,
	.name = "l2tp",
	.summary = "L2TP version 2 data messages, RFC 2661, UDP port 1701",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(l2tp)
