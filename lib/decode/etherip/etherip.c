/* SPDX-License-Identifier: BSD-3-Clause */
/* EtherIP (RFC 3378): version 3 in four bits, twelve reserved bits, an Ethernet frame. */
#include <ns_decode.h>

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	if (len < 2)
		return outer->wire_len < 2 ? 0 : -1;
	if (data[0] >> 4 != 3)
		return 0; /* section 4: another version is to be discarded */
	out->consumed = 2;
	out->next = NS_NEXT_ETHERNET;
	return 1;
}

static const int16_t protos[] = {97, -1};

static const struct ns_tunnel_ops ops = {.ip_protos = protos, .decap = decap};

static const struct ns_plugin etherip = {
	.kind = NS_TUNNEL_KIND,
	.name = "etherip",
	.summary = "EtherIP, RFC 3378, IP protocol 97",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(etherip)
