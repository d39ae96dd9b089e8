/* SPDX-License-Identifier: BSD-3-Clause */
/* Which headers were read, and that the view is the one that ns_decode() makes. */
#include "ns_test_decode.h"

/* A tunnel for these tests on IP protocol 253: four octets, the last two its id, then IP. */
static int shim_decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	if (len < 4)
		return -1;
	out->consumed = 4;
	out->next = NS_NEXT_IP;
	out->id = (uint32_t)data[2] << 8 | data[3];
	return 1;
}

static const int16_t protos[] = {253, -1};
static const struct ns_tunnel_ops ops = {.ip_protos = protos, .decap = shim_decap};
static const struct ns_plugin shim = {NS_TUNNEL_KIND, "shim", "for tests", NS_PLUGIN_ABI, &ops};
NS_PLUGIN_REGISTER(shim)

static struct ns_layers seen;

/* Decodes both ways; the reason of the drop, or NULL. */
static const struct ns_counter *decode(const uint8_t *octets, uint32_t n)
{
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_mbuf a, b;
	struct ns_counters notes[2] = {{{0}}, {{0}}};
	struct ns_test_mbuf *both[] = {&a, &b};

	for (unsigned i = 0; i < 2; i++) {
		memset(both[i], 0, sizeof(a));
		both[i]->m.buf_addr = (void *)(uintptr_t)octets;
		both[i]->m.priv_size = NS_PACKET_PRIV;
		ns_packet(&both[i]->m)->linktype = NS_LINKTYPE_ETHERNET;
		ns_packet(&both[i]->m)->caplen = n;
		ns_packet(&both[i]->m)->wirelen = n;
	}
	const struct ns_counter *why = ns_decode(d, &a.m, &notes[0]);

	CU_ASSERT_PTR_EQUAL(ns_decode_layers(d, &b.m, &notes[1], &seen), why);
	CU_ASSERT_EQUAL(memcmp(a.priv, b.priv, sizeof(a.priv)), 0);
	CU_ASSERT_EQUAL(memcmp(&notes[0], &notes[1], sizeof(notes[0])), 0);
	ns_decoder_destroy(d);
	return why;
}

static void is(unsigned i, enum ns_layer_kind kind, unsigned type, unsigned off, unsigned id)
{
	CU_ASSERT_FATAL(i < seen.n);
	CU_ASSERT_EQUAL(seen.of[i].kind, kind);
	CU_ASSERT_EQUAL(seen.of[i].type, type);
	CU_ASSERT_EQUAL(seen.of[i].off, off);
	CU_ASSERT_EQUAL(seen.of[i].id, id);
}

static void plain(void)
{
	static const uint8_t udp[] = {ETH(0x0800), IP4(17, 32), UDP(1000, 2000, 12), 1, 2, 3, 4};
	static const uint8_t src[] = {A4_SRC}, dst[] = {A4_DST};

	CU_ASSERT_PTR_NULL(decode(udp, sizeof(udp)));
	CU_ASSERT_EQUAL(seen.n, 2);
	CU_ASSERT_FALSE(seen.more);
	is(0, NS_LAYER_LINK, 1, 0, 0);
	is(1, NS_LAYER_IP, 0, 14, 0);
	const struct ns_layer *y = &seen.of[1];

	CU_ASSERT(y->ver == 4 && y->proto == 17 && y->sport == 1000 && y->dport == 2000);
	CU_ASSERT_EQUAL(y->flags, NS_PKT_PORTS);
	CU_ASSERT_EQUAL(memcmp(y->src, src, 4), 0);
	CU_ASSERT_EQUAL(memcmp(y->dst, dst, 4), 0);
}

static void tags_and_tunnel(void)
{
	static const uint8_t frame[] = {ETH(0x88a8), B16(100), B16(0x8100), B16(200), B16(0x0800),
		IP4(253, 20 + 4 + INNER4_LEN), 0, 0, B16(777), INNER4};
	static const uint8_t src[] = {I4_SRC};

	CU_ASSERT_PTR_NULL(decode(frame, sizeof(frame)));
	CU_ASSERT_EQUAL(seen.n, 6);
	is(1, NS_LAYER_ETHERTYPE, 0x88a8, 14, 100);
	is(2, NS_LAYER_ETHERTYPE, 0x8100, 18, 200);
	is(3, NS_LAYER_IP, 0, 22, 0);
	CU_ASSERT_EQUAL(seen.of[3].proto, 253);
	is(4, NS_LAYER_TUNNEL, 1, 42, 777);
	CU_ASSERT_STRING_EQUAL(ns_decoder_tunnel_name((uint8_t)seen.of[4].type), "shim");
	is(5, NS_LAYER_IP, 0, 46, 0);
	CU_ASSERT_EQUAL(memcmp(seen.of[5].src, src, 4), 0);
	CU_ASSERT_EQUAL(seen.of[5].dport, 2000);
}

static void fragments_and_others(void)
{
	static const uint8_t later[] = {ETH(0x0800), IP4_FRAG(17, 24, 0x2000 | 185), 1, 2, 3, 4};
	static const uint8_t tcp[] = {ETH(0x86dd), IP6(6, 20), TCP(1000, 80, 0x12)};
	static const uint8_t arp[] = {ETH(0x0806), 0, 1, 8, 0, 6, 4, 0, 1};

	CU_ASSERT_PTR_NULL(decode(later, sizeof(later)));
	is(1, NS_LAYER_IP, 0, 14, 0x1234);
	CU_ASSERT_EQUAL(seen.of[1].flags, NS_PKT_FRAG | NS_PKT_LATER_FRAG | NS_PKT_MORE_FRAGS);
	CU_ASSERT_EQUAL(seen.of[1].frag_off, 1480);
	CU_ASSERT_PTR_NULL(decode(tcp, sizeof(tcp)));
	CU_ASSERT_EQUAL(seen.of[1].flags, NS_PKT_PORTS | NS_PKT_TCP);
	CU_ASSERT(seen.of[1].ver == 6 && seen.of[1].tcp_flags == 0x12);
	CU_ASSERT_PTR_NULL(decode(arp, sizeof(arp)));
	CU_ASSERT_EQUAL(seen.n, 2);
	is(1, NS_LAYER_ETHERTYPE, 0x0806, 14, 0);
}

static void faults(void)
{
	static const uint8_t cut[] = {ETH(0x0800), 0x45, 0, 0};
	static const uint8_t bad[] = {ETH(0x0800), 0x15, 0, 0};
	static uint8_t many[14 + 4 * 40 + 20];
	static const uint8_t eth[] = {ETH(0x8100)}, tag[] = {B16(5), B16(0x8100)};

	CU_ASSERT_PTR_EQUAL(decode(cut, sizeof(cut)), &ns_drop_truncated);
	is(1, NS_LAYER_IP, 0, 14, 0);
	CU_ASSERT_EQUAL(seen.of[1].ver, 0);
	CU_ASSERT_PTR_EQUAL(decode(bad, sizeof(bad)), &ns_drop_bad_ip_header);
	memcpy(many, eth, sizeof(eth));
	for (unsigned i = 0; i < 40; i++)
		memcpy(many + 14 + 4 * i, tag, sizeof(tag));
	decode(many, sizeof(many));
	CU_ASSERT_EQUAL(seen.n, NS_LAYERS_MAX);
	CU_ASSERT(seen.more);
}

NS_TEST_MAIN({"plain", plain}, {"tags and tunnel", tags_and_tunnel},
	{"fragments and others", fragments_and_others}, {"faults", faults})
