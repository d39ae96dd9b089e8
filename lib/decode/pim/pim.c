/* SPDX-License-Identifier: BSD-3-Clause */
/* PIM Register (RFC 7761, 4.9.3): a multicast packet on its way to the rendezvous point. */
#include <ns_decode.h>

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	/* version 2, type 1; a Null-Register carries a header without a packet */
	if ((len > 0 && data[0] != 0x21) || (len > 4 && (data[4] & 0x40) != 0))
		return 0;
	if (len < 9)
		return outer->wire_len < 9 ? 0 : -1;
	out->consumed = 8;
	out->next = NS_NEXT_IP;
	return 1;
}

static const int16_t protos[] = {103, -1};

static const struct ns_tunnel_ops ops = {.ip_protos = protos, .decap = decap};

static const struct ns_plugin pim = {
	.kind = NS_TUNNEL_KIND,
	.name = "pim",
	.summary = "PIM Register, RFC 7761, IP protocol 103",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(pim)
