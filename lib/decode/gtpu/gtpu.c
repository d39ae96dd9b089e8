/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GTP-U version 1 (3GPP TS 29.281): G-PDU messages carry an IP packet (or PPP) behind the header
 * and its extension headers. The TEID is the receiver's, so it differs by direction.
 */
#include <ns_decode.h>

enum { G_PDU = 255 };

static int inner(const struct ns_tunnel_outer *outer, uint32_t off, const uint8_t *data,
	uint32_t len, struct ns_decap *out)
{
	if (off >= len)
		return off < outer->wire_len ? -1 : 0;
	out->consumed = (uint16_t)off;
	uint8_t nibble = data[off] >> 4;

	if (nibble == 4 || nibble == 6)
		out->next = NS_NEXT_IP;
	else if (data[off] == 0xff)
		out->next = NS_NEXT_PPP;
	else
		return 0;
	return 1;
}

/* GTP version 0 (3GPP TS 09.60): 20 octets, the tunnel identifier in the last 8. */
static int version0(const struct ns_tunnel_outer *outer, const uint8_t *data, uint32_t len,
	struct ns_decap *out)
{
	if ((data[0] & 0x10) == 0 || data[1] != G_PDU)
		return 0;
	if (len < 20)
		return -1;
	out->id = (uint32_t)data[16] << 24 | (uint32_t)data[17] << 16 | (uint32_t)data[18] << 8 |
		  data[19];
	return inner(outer, 20, data, len, out);
}

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	uint32_t off = 8;

	if (len < 8)
		return outer->wire_len < 8 ? 0 : -1;
	if (data[0] >> 5 == 0)
		return version0(outer, data, len, out);
	/* version 1, protocol type GTP (not GTP'), and a message that carries user data */
	if (data[0] >> 5 != 1 || (data[0] & 0x10) == 0 || data[1] != G_PDU)
		return 0;
	out->id = (uint32_t)data[4] << 24 | (uint32_t)data[5] << 16 | (uint32_t)data[6] << 8 |
		  data[7];
	out->directional = true;
	if ((data[0] & 7) != 0) { /* sequence number, N-PDU number, next extension */
		off = 12;
		if (len < off)
			return -1;
		uint8_t next = (data[0] & 4) != 0 ? data[11] : 0;

		while (next != 0) {
			if (off >= len)
				return -1;
			uint32_t size = (uint32_t)data[off] * 4;

			if (size == 0)
				return 0;
			if (off + size > len)
				return -1;
			off += size;
			next = data[off - 1];
		}
	}
	return inner(outer, off, data, len, out);
}

static const uint16_t ports[] = {2152, 3386, 0};

static const struct ns_tunnel_ops ops = {.udp_ports = ports, .decap = decap};

static const struct ns_plugin gtpu = {
	.kind = NS_TUNNEL_KIND,
	.name = "gtpu",
	.summary = "GTP-U version 1, 3GPP TS 29.281, UDP port 2152, and version 0, port 3386",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(gtpu)
