/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Teredo (RFC 4380, section 5.1.1): an IPv6 packet, with an authentication and an origin indication
 * in front of it when there are any, in this order:
 *
 *	| 0 1 | id length | auth length | client id | auth value | nonce: 8 | confirmation |
 *	| 0 0 | port: 2 | address: 4 |
 *	| IPv6 packet, trailers (RFC 6081) may follow
 */
#include <ns_decode.h>

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	uint32_t off = 0;

	if (len < 2)
		return outer->wire_len < 40 ? 0 : -1;
	if (data[0] == 0 && data[1] == 1) {
		if (len < 4)
			return -1;
		off = 4u + data[2] + data[3] + 9;
	}
	if (off + 2 > len)
		return off + 2 > outer->wire_len ? 0 : -1;
	if (data[off] == 0 && data[off + 1] == 0)
		off += 8;
	/* no room for an IPv6 header: something else on this port */
	if (off + 40 > outer->wire_len)
		return 0;
	if (off + 40 > len)
		return off < len && data[off] >> 4 != 6 ? 0 : -1;
	uint32_t payload = (uint32_t)data[off + 4] << 8 | data[off + 5];

	if (data[off] >> 4 != 6 || off + 40 + payload > outer->wire_len)
		return 0;
	out->consumed = (uint16_t)off;
	out->next = NS_NEXT_IP;
	return 1;
}

static const uint16_t ports[] = {3544, 0};

static const struct ns_tunnel_ops ops = {.udp_ports = ports, .decap = decap};

static const struct ns_plugin teredo = {
	.kind = NS_TUNNEL_KIND,
	.name = "teredo",
	.summary = "Teredo, RFC 4380, UDP port 3544",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(teredo)
