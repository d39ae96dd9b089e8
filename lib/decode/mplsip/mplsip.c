/* SPDX-License-Identifier: BSD-3-Clause */
/* MPLS in IP (RFC 4023): a label stack without a header of its own. */
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

static const int16_t protos[] = {137, -1};

static const struct ns_tunnel_ops ops = {.ip_protos = protos, .decap = decap};

static const struct ns_plugin mplsip = {
	.kind = NS_TUNNEL_KIND,
	.name = "mplsip",
	.summary = "MPLS in IP, RFC 4023, IP protocol 137",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(mplsip)
