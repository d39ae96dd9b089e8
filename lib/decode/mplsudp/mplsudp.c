/* SPDX-License-Identifier: BSD-3-Clause */
/* MPLS in UDP (RFC 7510): a label stack without a header of its own. */
#include <ns_decode.h>

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	if (len < 4)
		return outer->wire_len < 4 ? 0 : -1;
	out->ethertype = 0x8847;
	out->next = NS_NEXT_ETHERTYPE;
	return 1;
}

static const uint16_t ports[] = {6635, 0};

static const struct ns_tunnel_ops ops = {.udp_ports = ports, .decap = decap};

static const struct ns_plugin mplsudp = {
	.kind = NS_TUNNEL_KIND,
	.name = "mplsudp",
	.summary = "MPLS in UDP, RFC 7510, UDP port 6635",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(mplsudp)
