/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How decode opens tunnels, with two plug-ins of this test: "shim" on IP protocol 253 and UDP port
 * 1021 (for experiments, RFC 3692 and 4727), "second" on UDP port 1022 and, after "shim", on 1021.
 *
 *	| what: 1 | how: 1 | id: 2 |    what: see enum; how: 1 = the id differs by direction
 */
#include "ns_test_decode.h"

enum { NOT_MINE, IP, ETHERNET, ETHERTYPE_ARP, PPP, LINK_NULL, LINK_BAD, CUT_SHORT, LIES, SECOND };

static struct ns_tunnel_outer seen;

static int shim_decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	static const enum ns_next next[] = {[IP] = NS_NEXT_IP,
		[ETHERNET] = NS_NEXT_ETHERNET,
		[ETHERTYPE_ARP] = NS_NEXT_ETHERTYPE,
		[PPP] = NS_NEXT_PPP,
		[LINK_NULL] = NS_NEXT_LINK,
		[LINK_BAD] = NS_NEXT_LINK,
		[LIES] = NS_NEXT_IP};

	seen = *outer;
	if (len < 4)
		return -1;
	if (data[0] == NOT_MINE || data[0] >= SECOND)
		return 0;
	if (data[0] == CUT_SHORT)
		return -1;
	out->consumed = data[0] == LIES ? UINT16_MAX : 4;
	out->next = next[data[0]];
	out->ethertype = 0x0806;
	out->linktype = data[0] == LINK_BAD ? 65000 : 0;
	out->directional = data[1] == 1;
	out->id = (uint32_t)data[2] << 8 | data[3];
	return 1;
}

static int second_decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	if (len < 4 || data[0] != SECOND)
		return 0;
	out->consumed = 4;
	out->next = NS_NEXT_IP;
	return 1;
}

static const int16_t protos[] = {253, -1};
static const uint16_t ports[] = {1021, 0}, second_ports[] = {1022, 1021, 0};
static const struct ns_tunnel_ops ops = {
	.ip_protos = protos, .udp_ports = ports, .decap = shim_decap};
static const struct ns_tunnel_ops second_ops = {.udp_ports = second_ports, .decap = second_decap};
static const struct ns_plugin shim = {NS_TUNNEL_KIND, "a_shim", "for tests", NS_PLUGIN_ABI, &ops};
static const struct ns_plugin second = {
	NS_TUNNEL_KIND, "b_second", "for tests", NS_PLUGIN_ABI, &second_ops};
NS_PLUGIN_REGISTER(second)
NS_PLUGIN_REGISTER(shim)

#define SHIM(what, how) what, how, 0x03, 0xe9
#define IP_SHIM(n) ETH(0x0800), IP4(253, 20 + 4 + (n))
#define UDP_SHIM(sport, dport, n) \
	ETH(0x0800), IP4(17, 20 + 8 + 4 + (n)), UDP(sport, dport, 8 + 4 + (n))

static void ways_on(void)
{
	static const uint8_t ip[] = {IP_SHIM(32), SHIM(IP, 0), INNER4};
	static const uint8_t directional[] = {IP_SHIM(32), SHIM(IP, 1), INNER4};
	static const uint8_t ethernet[] = {
		IP_SHIM(14 + 52), SHIM(ETHERNET, 0), ETH(0x86dd), INNER6};
	static const uint8_t ppp[] = {IP_SHIM(2 + 32), SHIM(PPP, 0), 0x00, 0x21, INNER4};
	static const uint8_t link[] = {IP_SHIM(4 + 32), SHIM(LINK_NULL, 0), 2, 0, 0, 0, INNER4};
	static const uint8_t udp[] = {UDP_SHIM(5000, 1021, 32), SHIM(IP, 0), INNER4};
	static const uint8_t back[] = {UDP_SHIM(1021, 5000, 32), SHIM(IP, 0), INNER4};

	NS_TEST_TUNNEL("a_shim", ip, 1001, false);
	NS_TEST_TUNNEL("a_shim", directional, 1001, true);
	NS_TEST_TUNNEL("a_shim", ethernet, 1001, false);
	NS_TEST_TUNNEL("a_shim", ppp, 1001, false);
	NS_TEST_TUNNEL("a_shim", link, 1001, false);
	NS_TEST_TUNNEL("a_shim", udp, 1001, false);
	NS_TEST_TUNNEL("a_shim", back, 1001, false);
}

static void outer_flow_stays(void)
{
	static const uint8_t not_mine[] = {IP_SHIM(32), SHIM(NOT_MINE, 0), INNER4};
	static const uint8_t arp[] = {IP_SHIM(4), SHIM(ETHERTYPE_ARP, 0), 0, 1, 8, 0};
	static const uint8_t bad_link[] = {IP_SHIM(32), SHIM(LINK_BAD, 0), INNER4};
	static const uint8_t cut_short[] = {IP_SHIM(32), SHIM(CUT_SHORT, 0), INNER4};
	static const uint8_t lies[] = {IP_SHIM(32), SHIM(LIES, 0), INNER4};
	static const uint8_t bad_ip[] = {IP_SHIM(4), SHIM(IP, 0), 0x51, 2, 3, 4};
	static const uint8_t later[] = {ETH(0x0800), IP4_FRAG(253, 56, 9), SHIM(IP, 0), INNER4};

	NS_TEST_NO_TUNNEL(not_mine, 0);
	NS_TEST_NO_TUNNEL(arp, 0);
	NS_TEST_NO_TUNNEL(bad_link, 1);
	NS_TEST_NO_TUNNEL(cut_short, 1);
	NS_TEST_NO_TUNNEL(lies, 1);
	NS_TEST_NO_TUNNEL(bad_ip, 1);
	NS_TEST_NO_TUNNEL(later, 0);
}

/* Every candidate of the destination port, then those of the source port. */
static void candidates(void)
{
	static const uint8_t same_port[] = {UDP_SHIM(5000, 1021, 32), SHIM(SECOND, 0), INNER4};
	static const uint8_t both_ports[] = {UDP_SHIM(1021, 1022, 32), SHIM(IP, 0), INNER4};
	static const uint8_t destination[] = {UDP_SHIM(1022, 1021, 32), SHIM(SECOND, 0), INNER4};
	static const uint8_t nobody[] = {UDP_SHIM(1022, 1021, 32), SHIM(99, 0), INNER4};

	NS_TEST_TUNNEL("b_second", same_port, 0, false);
	NS_TEST_TUNNEL("a_shim", both_ports, 1001, false);
	NS_TEST_TUNNEL("b_second", destination, 0, false);
	NS_TEST_NO_TUNNEL(nobody, 0);
}

static void what_decap_sees(void)
{
	static const uint8_t frame[] = {UDP_SHIM(5000, 1021, 32), SHIM(IP, 0), INNER4, 0, 0, 0};
	struct ns_decoder *d = ns_test_decoder(4, false);

	ns_test_decode_cut(d, NS_LINKTYPE_ETHERNET, frame, 50, sizeof(frame));
	CU_ASSERT_EQUAL(seen.proto, 17);
	CU_ASSERT_EQUAL(seen.sport, 5000);
	CU_ASSERT_EQUAL(seen.dport, 1021);
	CU_ASSERT_EQUAL(seen.wire_len, 36);
	ns_decoder_destroy(d);
}

/* Five tunnels inside one another: as many are opened as the configuration says. */
static void nesting(void)
{
	enum { LEVELS = 5, LEVEL = 24 };
	uint8_t frame[14 + LEVELS * LEVEL + 32] = {ETH(0x0800)};
	static const uint8_t inner[] = {INNER4};

	for (unsigned i = 0; i < LEVELS; i++) {
		const uint8_t head[] = {IP4_HEAD(253, (LEVELS - i) * LEVEL + 32, 0), 10, 0, i, 2,
			10, 0, i, 1, IP, 0, 0, i};

		memcpy(frame + 14 + i * LEVEL, head, sizeof(head));
	}
	memcpy(frame + 14 + LEVELS * LEVEL, inner, sizeof(inner));
	for (uint8_t max = 0; max <= LEVELS + 1; max++) {
		struct ns_decoder *d = ns_test_decoder(max, false);
		struct ns_test_view v =
			ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, sizeof(frame));

		CU_ASSERT_PTR_NULL(v.why);
		CU_ASSERT_EQUAL(v.p.depth, NS_MIN(max, LEVELS));
		CU_ASSERT_EQUAL(ns_test_note(&v, "nesting_limit"), max < LEVELS);
		CU_ASSERT_EQUAL(v.p.l3_off, 14 + LEVEL * v.p.depth);
		CU_ASSERT_EQUAL(v.p.outer_l3_off, v.p.depth > 0 ? v.p.l3_off - LEVEL : 0);
		CU_ASSERT_EQUAL(v.p.tunnel_id, v.p.depth > 0 ? v.p.depth - 1u : 0u);
		if (max < LEVELS)
			CU_ASSERT_EQUAL(v.p.tuple.a[2], max);
		if (max >= LEVELS)
			CU_ASSERT(ns_test_is_inner(&v.p, LEVELS) && ns_test_has_inner_ports(&v.p));
		ns_decoder_destroy(d);
	}
}

/* VLANs, fragments and lengths of the outer packet do not colour the inner one. */
static void levels_apart(void)
{
	static const uint8_t vlan_in[] = {ETH(0x8100), 0, 7, 0x08, 0x00, IP4(253, 20 + 4 + 18 + 32),
		SHIM(ETHERNET, 0), ETH(0x8100), 0, 9, 0x08, 0x00, INNER4};
	static const uint8_t vlan_out[] = {
		ETH(0x8100), 0, 7, 0x08, 0x00, IP4(253, 20 + 4 + 32), SHIM(IP, 0), INNER4};
	static const uint8_t fragment[] = {
		ETH(0x0800), IP4_FRAG(253, 56, 0x2000), SHIM(IP, 0), INNER4};
	/* UDP around ICMP: no ports, flags or lengths are left over */
	static const uint8_t icmp[] = {UDP_SHIM(5000, 1021, 28), SHIM(IP, 0), IP4_HEAD(1, 28, 0),
		I4_SRC, I4_DST, 3, 1, 0, 0, 0, 0, 0, 0};
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_view v = ns_test_decode(d, 1, vlan_in, sizeof(vlan_in));

	CU_ASSERT(ns_test_is_inner(&v.p, 1));
	CU_ASSERT_EQUAL(v.p.tuple.vlan[0], 10);
	CU_ASSERT_EQUAL(v.p.tuple.vlan[1], 0);
	v = ns_test_decode(d, 1, vlan_out, sizeof(vlan_out));
	CU_ASSERT(ns_test_is_inner(&v.p, 1));
	CU_ASSERT_EQUAL(v.p.tuple.vlan[0], 0);
	v = ns_test_decode(d, 1, fragment, sizeof(fragment));
	CU_ASSERT(ns_test_is_inner(&v.p, 1) && ns_test_has_inner_ports(&v.p));
	CU_ASSERT_EQUAL(v.p.flags & (NS_PKT_FRAG | NS_PKT_MORE_FRAGS | NS_PKT_OUTER_FRAG),
		NS_PKT_OUTER_FRAG);
	CU_ASSERT_EQUAL(v.p.frag_l3_off, 14);
	CU_ASSERT_EQUAL(v.p.frag_id, 0x1234);
	v = ns_test_decode(d, 1, icmp, sizeof(icmp));
	CU_ASSERT_EQUAL(v.p.depth, 1);
	CU_ASSERT_EQUAL(v.p.dport, 3 * 256 + 1);
	CU_ASSERT_EQUAL(v.p.sport, 0);
	CU_ASSERT_EQUAL(v.p.l4_len, 0);
	ns_decoder_destroy(d);
	CU_ASSERT_STRING_EQUAL(ns_decoder_tunnel_name(0), "");
	CU_ASSERT_STRING_EQUAL(ns_decoder_tunnel_name(1), "a_shim");
	CU_ASSERT_STRING_EQUAL(ns_decoder_tunnel_name(2), "b_second");
	CU_ASSERT_STRING_EQUAL(ns_decoder_tunnel_name(255), "");
}

NS_TEST_MAIN({"ways on", ways_on}, {"outer flow stays", outer_flow_stays},
	{"candidates", candidates}, {"what decap sees", what_decap_sees}, {"nesting", nesting},
	{"levels apart", levels_apart})
