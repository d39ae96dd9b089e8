/* SPDX-License-Identifier: BSD-3-Clause */
/* VXLAN (RFC 7348) and its generic protocol extension (draft-ietf-nvo3-vxlan-gpe). */
#include <ns_decode.h>

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	if (len < 8)
		return outer->wire_len < 8 ? 0 : -1;
	out->consumed = 8;
	out->id = (uint32_t)data[4] << 16 | (uint32_t)data[5] << 8 | data[6];
	out->next = NS_NEXT_ETHERNET;
	if (outer->dport != 4790 && outer->sport != 4790)
		return 1;
	/* GPE: the fourth octet names the next protocol; some senders forget the P bit that says so
	 */
	switch (data[3]) {
	case 0:
	case 3:
		return 1;
	case 1:
	case 2:
		out->next = NS_NEXT_IP;
		return 1;
	case 4:
		out->next = NS_NEXT_ETHERTYPE;
		out->ethertype = 0x894f;
		return 1;
	default:
		return 0;
	}
}

static const uint16_t ports[] = {4789, 8472, 4790, 0};

static const struct ns_tunnel_ops ops = {.udp_ports = ports, .decap = decap};

static const struct ns_plugin vxlan = {
	.kind = NS_TUNNEL_KIND,
	.name = "vxlan",
	.summary = "VXLAN, RFC 7348, UDP ports 4789 and 8472 (4790: GPE)",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(vxlan)
