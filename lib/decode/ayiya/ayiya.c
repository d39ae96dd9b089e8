/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AYIYA, Anything In Anything (draft-massar-v6ops-ayiya-02):
 *
 *	 0                    1                     2               3             4      8
 *	| log2(id len) | type | sig len / 4 | hash | auth | opcode | next header | time | id | sig |
 */
#include <ns_decode.h>

enum { FORWARD = 1 };

static int decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	if (len < 8)
		return outer->wire_len < 8 ? 0 : -1;
	uint32_t size = 8 + (1u << (data[0] >> 4)) + (uint32_t)(data[1] >> 4) * 4;

	if ((data[2] & 15) != FORWARD || size >= outer->wire_len)
		return 0;
	switch (data[3]) {
	case 4:
	case 41:
		out->next = NS_NEXT_IP;
		break;
	default:
		return 0;
	}
	if (size > len)
		return -1;
	out->consumed = (uint16_t)size;
	return 1;
}

static const uint16_t ports[] = {5072, 0};

static const struct ns_tunnel_ops ops = {.udp_ports = ports, .decap = decap};

static const struct ns_plugin ayiya = {
	.kind = NS_TUNNEL_KIND,
	.name = "ayiya",
	.summary = "AYIYA, draft-massar-v6ops-ayiya-02, UDP port 5072",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(ayiya)
