/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns_decode() over any octets as a frame of any link type, with all tunnels linked; and the short
 *way against the walk. The packet ends where its memory ends, so that AddressSanitizer sees an
 *octet too many.
 *
 *	| link type: an index | wirelen beyond caplen: 2 | bit 0: verify; 1-4: max_tunnels | packet
 */
#include "same_view.h"

#include <ns_decode.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct mbuf {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
};

static void need(int ok)
{
	if (!ok)
		abort();
}

static uint16_t linktypes[256];
static unsigned linktypes_n;
static struct ns_decoder *decoders[2][16];

static void prepare(void)
{
	need(ns_registry_seal(NULL) == 0);
	for (uint32_t t = 0; t <= UINT16_MAX && linktypes_n < 256; t++) {
		if (ns_linktype_decodable((uint16_t)t))
			linktypes[linktypes_n++] = (uint16_t)t;
	}
	for (unsigned i = 0; i < 32; i++) {
		struct ns_decode_conf conf = {
			.verify_checksum = i / 16 != 0, .max_tunnels = (uint8_t)(i % 16)};

		decoders[i / 16][i % 16] = ns_decoder_create(&conf);
		need(decoders[i / 16][i % 16] != NULL);
	}
}

/* What every reader of the view relies on. */
static void check(
	const struct ns_packet *p, const struct ns_counter *why, const struct ns_counters *notes)
{
	static const struct ns_tuple none;
	uint64_t noted = 0;

	need((p->flags & NS_PKT_DECODED) != 0);
	for (unsigned i = 0; i < NS_COUNTER_MAX; i++)
		noted += notes->v[i];
	need(noted <= 32);
	if (why != NULL) {
		need(why->kind == NS_COUNTER_DROP);
		return;
	}
	if ((p->flags & NS_PKT_IP) == 0) {
		need(p->flags == NS_PKT_DECODED && memcmp(&p->tuple, &none, sizeof(none)) == 0);
		return;
	}
	need(p->l3_off < p->l4_off && p->l4_off <= p->payload_off);
	need((uint32_t)p->payload_off + p->payload_len <= p->caplen);
	need(p->ip_octets >= 20 && p->hash == ns_tuple_hash(&p->tuple));
	need(p->tuple.ver == 4 || p->tuple.ver == 6);
	int order = memcmp(p->tuple.a, p->tuple.b, sizeof(p->tuple.a));

	need(order < 0 ||
		(order == 0 && __builtin_bswap16(p->tuple.pa) <= __builtin_bswap16(p->tuple.pb)));
	need((p->flags & NS_PKT_TUNNEL) == 0 || (p->depth > 0 && p->outer_l3_off < p->l3_off));
	need(p->depth > 0 || (p->tuple.tunnel == 0 && p->tunnel_id == 0));
	need((p->flags & NS_PKT_LATER_FRAG) == 0 || (p->flags & NS_PKT_PORTS) == 0);
	need((p->flags & NS_PKT_LATER_FRAG) == 0 || (p->flags & NS_PKT_FRAG) != 0);
}

/* Who looks on sees the same view, and headers in the order in which they stand. */
static void check_layers(const struct ns_decoder *d, const struct mbuf *b,
	const struct ns_counter *why, const struct ns_counters *notes)
{
	struct ns_counters again = {{0}};
	struct ns_layers layers;
	struct mbuf c = *b;

	need(ns_decode_layers(d, &c.m, &again, &layers) == why);
	need(memcmp(&again, notes, sizeof(again)) == 0);
	need(memcmp(c.priv, b->priv, sizeof(c.priv)) == 0);
	need(layers.n > 0 && layers.n <= NS_LAYERS_MAX);
	for (unsigned i = 1; i < layers.n; i++)
		need(layers.of[i - 1].off <= layers.of[i].off);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ns_counters notes = {{0}};
	struct mbuf b;

	if (linktypes_n == 0)
		prepare();
	if (size < 4 || size - 4 > UINT16_MAX)
		return 0;
	size_t n = size - 4;
	uint8_t *octets = malloc(n > 0 ? n : 1);

	if (octets == NULL)
		return 0;
	memcpy(octets, data + 4, n);
	memset(&b, 0, sizeof(b));
	b.m.buf_addr = n > 0 ? octets : octets + 1;
	struct ns_packet *p = ns_packet(&b.m);

	p->caplen = (uint32_t)n;
	p->wirelen = p->caplen + (uint32_t)(data[1] << 8 | data[2]);
	p->linktype = linktypes[data[0] % linktypes_n];
	const struct ns_counter *why =
		ns_decode(decoders[data[3] & 1][(data[3] >> 1) & 15], &b.m, &notes);

	check(p, why, &notes);
	check_layers(decoders[data[3] & 1][(data[3] >> 1) & 15], &b, why, &notes);
	need(same_view(decoders[data[3] & 1][(data[3] >> 1) & 15], p->linktype, b.m.buf_addr,
		     p->caplen, p->wirelen) >= 0);
	free(octets);
	return 0;
}
