/* SPDX-License-Identifier: BSD-3-Clause */
/* GENEVE (RFC 8926): version, options length, protocol type, VNI, options. */
#include <ns_decode.h>

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	if (len < 8)
		return outer->wire_len < 8 ? 0 : -1;
	if (data[0] >> 6 != 0)
		return 0; /* another version */
	out->consumed = (uint16_t)(8 + (data[0] & 0x3f) * 4);
	out->ethertype = (uint16_t)(data[2] << 8 | data[3]);
	out->id = (uint32_t)data[4] << 16 | (uint32_t)data[5] << 8 | data[6];
	out->next = NS_NEXT_ETHERTYPE;
	return 1;
}

static const uint16_t ports[] = {6081, 0};

static const struct ns_tunnel_ops ops = {.udp_ports = ports, .decap = decap};

static const struct ns_plugin geneve = {
	.kind = NS_TUNNEL_KIND,
	.name = "geneve",
	.summary = "GENEVE, RFC 8926, UDP port 6081",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(geneve)
