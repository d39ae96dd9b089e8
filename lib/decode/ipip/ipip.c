/* SPDX-License-Identifier: BSD-3-Clause */
/* IP in IP (RFC 2003), 6in4 (RFC 4213), 4in6 and 6in6 (RFC 2473): no header of their own. */
#include <ns_decode.h>

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	if (len < 1)
		return outer->wire_len == 0 ? 0 : -1;
	if (data[0] >> 4 != (outer->proto == 41 ? 6 : 4))
		return 0;
	out->next = NS_NEXT_IP;
	return 1;
}

static const int16_t protos[] = {4, 41, 94, -1};

static const struct ns_tunnel_ops ops = {.ip_protos = protos, .decap = decap};

static const struct ns_plugin ipip = {
	.kind = NS_TUNNEL_KIND,
	.name = "ipip",
	.summary = "IP in IP, 6in4, 4in6, 6in6 (IP protocols 4, 41, 94)",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(ipip)
