/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define SNAP(type) 0xaa, 0xaa, 0x03, 0, 0, 0, B16(type)
#define LAST 0x00, 0x06, 0x41, 64
#define LABEL 0x00, 0x06, 0x40, 64
#define ALL(d, frame) ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, sizeof(frame))

/* The frame carries the inner flow behind these VLANs (ids, -1 for none). */
static void carries(const uint8_t *frame, uint32_t len, int vlan0, int vlan1)
{
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_view v = ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, len);

	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT(ns_test_is_inner(&v.p, 0));
	CU_ASSERT(ns_test_has_inner_ports(&v.p));
	CU_ASSERT_EQUAL(v.p.tuple.vlan[0], vlan0 + 1);
	CU_ASSERT_EQUAL(v.p.tuple.vlan[1], vlan1 + 1);
	CU_ASSERT_EQUAL(v.p.payload_len, 4);

	uint32_t need = v.p.l3_off + (v.p.tuple.ver == 4 ? 20u : 40u);

	for (uint32_t cut = 0; cut < len; cut++) {
		v = ns_test_decode_cut(d, NS_LINKTYPE_ETHERNET, frame, cut, len);
		if (cut >= need)
			CU_ASSERT(v.why == NULL && ns_test_is_inner(&v.p, 0));
		if (cut < need)
			CU_ASSERT(v.why == &ns_drop_truncated || (v.p.flags & NS_PKT_IP) == 0);
	}
	ns_decoder_destroy(d);
}

#define CARRIES(frame, vlan0, vlan1) carries(frame, sizeof(frame), vlan0, vlan1)

static void vlans(void)
{
	static const uint8_t none[] = {ETH(0x0800), INNER4};
	static const uint8_t one[] = {ETH(0x8100), 0xe0, 0x05, 0x08, 0x00, INNER4};
	static const uint8_t qinq[] = {
		ETH(0x88a8), 0x00, 0x64, 0x81, 0x00, 0x0f, 0xff, 0x86, 0xdd, INNER6};
	static const uint8_t old[] = {
		ETH(0x9100), 0x00, 0x64, 0x81, 0x00, 0x00, 0x00, 0x08, 0x00, INNER4};
	static const uint8_t three[] = {
		ETH(0x88a8), 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0, INNER4};
	/* a length behind the tag */
	static const uint8_t llc[] = {ETH(0x8100), 0, 5, 0, 40, SNAP(0x0800), INNER4, 0, 0};

	CARRIES(none, -1, -1);
	CARRIES(one, 5, -1);
	CARRIES(qinq, 100, 4095);
	CARRIES(old, 100, 0);
	CARRIES(three, 1, 2);
	CARRIES(llc, 5, -1);
}

static void mpls(void)
{
	static const uint8_t ip4[] = {ETH(0x8847), LAST, INNER4};
	static const uint8_t ip6[] = {ETH(0x8848), LABEL, LABEL, LAST, INNER6};
	static const uint8_t control_word[] = {
		ETH(0x8847), LAST, 0, 0, 0, 9, ETH(0x8100), 0, 7, 0x08, 0x00, INNER4};
	static const uint8_t no_control_word[] = {ETH(0x8847), LAST, ETH(0x0800), INNER4};
	static const uint8_t oam[] = {ETH(0x8847), LAST, 0x10, 0, 0, 0x21, 1, 2, 3, 4};
	static const uint8_t empty[] = {ETH(0x8847), LAST};
	struct ns_decoder *d = ns_test_decoder(4, false);

	CARRIES(ip4, -1, -1);
	CARRIES(ip6, -1, -1);
	CARRIES(control_word, 7, -1);
	/* its first octet 0x02 looks like a control word: such a wire needs one (RFC 4385) */
	CU_ASSERT((ALL(d, no_control_word).p.flags & NS_PKT_IP) == 0);
	uint8_t other[sizeof(no_control_word)];

	memcpy(other, no_control_word, sizeof(other));
	other[18] = 0x52;
	CARRIES(other, -1, -1);
	CU_ASSERT_PTR_NULL(ALL(d, oam).why);
	CU_ASSERT_EQUAL(ALL(d, oam).p.ethertype, 0x8847);
	CU_ASSERT_PTR_NULL(ALL(d, empty).why);
	ns_decoder_destroy(d);
}

static void pppoe(void)
{
	static const uint8_t ip4[] = {ETH(0x8864), 0x11, 0, 0, 1, B16(34), 0x00, 0x21, INNER4};
	static const uint8_t ip6[] = {
		ETH(0x8864), 0x11, 0, 0, 1, B16(54), 0x00, 0x57, INNER6, 0, 0};
	static const uint8_t bridged[] = {
		ETH(0x8864), 0x11, 0, 0, 1, B16(50), 0x00, 0x31, 0x00, 0x01, ETH(0x0800), INNER4};
	static const uint8_t lcp[] = {ETH(0x8864), 0x11, 0, 0, 1, B16(6), 0xc0, 0x21, 9, 1, 0, 4};
	static const uint8_t discovery[] = {ETH(0x8863), 0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0};
	struct ns_decoder *d = ns_test_decoder(4, false);

	CARRIES(ip4, -1, -1);
	CARRIES(ip6, -1, -1);
	CARRIES(bridged, -1, -1);
	CU_ASSERT_PTR_NULL(ALL(d, lcp).why);
	CU_ASSERT_STRING_EQUAL(ns_ethertype_name(ALL(d, lcp).p.ethertype), "ppp");
	CU_ASSERT_PTR_NULL(ALL(d, discovery).why);
	CU_ASSERT_EQUAL(ALL(d, discovery).p.ethertype, 0x8863);
	ns_decoder_destroy(d);
}

static void llc(void)
{
	static const uint8_t snap[] = {ETH(40), SNAP(0x0800), INNER4, 0, 0, 0};
	static const uint8_t ip[] = {ETH(35), 0x06, 0x06, 0x03, INNER4, 0, 0, 0};
	static const uint8_t bridge_tunnel[] = {
		ETH(60), 0xaa, 0xaa, 0x03, 0, 0, 0xf8, 0x86, 0xdd, INNER6};
	static const uint8_t stp[] = {ETH(38), 0x42, 0x42, 0x03, 0, 0, 0, 0, 0};
	static const uint8_t novell[] = {ETH(30), 0xff, 0xff, 0, 30, 0, 17};
	static const uint8_t cdp[] = {ETH(20), 0xaa, 0xaa, 0x03, 0, 0, 0x0c, 0x20, 0, 2, 180};
	struct ns_decoder *d = ns_test_decoder(4, false);

	CARRIES(snap, -1, -1);
	CARRIES(ip, -1, -1);
	CARRIES(bridge_tunnel, -1, -1);
	CU_ASSERT_PTR_NULL(ALL(d, stp).why);
	CU_ASSERT_STRING_EQUAL(ns_ethertype_name(ALL(d, stp).p.ethertype), "llc");
	CU_ASSERT_PTR_NULL(ALL(d, novell).why);
	CU_ASSERT_PTR_NULL(ALL(d, cdp).why);
	ns_decoder_destroy(d);
}

static void tags(void)
{
	/* RFC 8300: two words, metadata type 2, next IPv4, IPv6 and Ethernet; service path */
	static const uint8_t nsh4[] = {ETH(0x894f), 0x0f, 0xc2, 2, 1, 0, 0, 1, 255, INNER4};
	static const uint8_t nsh6[] = {
		ETH(0x894f), 0x0f, 0xc3, 2, 2, 0, 0, 1, 255, 9, 9, 9, 9, INNER6};
	static const uint8_t nshe[] = {
		ETH(0x894f), 0x0f, 0xc2, 2, 3, 0, 0, 1, 255, ETH(0x0800), INNER4};
	static const uint8_t itag[] = {ETH(0x88e7), 0, 0, 0, 9, ETH(0x8100), 0, 3, 8, 0, INNER4};
	static const uint8_t vntag[] = {ETH(0x8926), 0, 1, 0, 2, 0x81, 0x00, 0, 3, 8, 0, INNER4};
	static const uint8_t metadata[] = {ETH(0x8909), 1, 1, 0, 1, 0, 9, 0x86, 0xdd, INNER6};
	static const uint8_t bad_nsh[] = {ETH(0x894f), 0x0f, 0xc1, 2, 1, 0, 0, 1, 255, INNER4};
	static const uint8_t other_nsh[] = {
		ETH(0x894f), 0x0f, 0xc2, 2, 5, 0, 0, 1, 255, 1, 2, 3, 4};
	struct ns_decoder *d = ns_test_decoder(4, false);

	/* Cisco metadata whose EtherType stands in front, as in GRE */
	static const uint8_t metadata_gre[] = {ETH(0x8909), 0x08, 0x00, 1, 1, 0, 1, 0, 9, INNER4};
	static const uint8_t fabricpath[] = {ETH(0x8903), 0, 1, ETH(0x0800), INNER4};
	/* Arista: subtype, version, time in 8 and in 6 octets */
	static const uint8_t arista64[] = {
		ETH(0xd28b), 0, 1, 0, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 0x00, INNER4};
	static const uint8_t arista48[] = {
		ETH(0xd28b), 0, 1, 0, 0x20, 1, 2, 3, 4, 5, 6, 0x08, 0x00, INNER4};
	static const uint8_t arista_other[] = {ETH(0xd28b), 0, 2, 0, 0x20, 1, 2, 3, 4, 5, 6, 8, 0};
	/* MACsec: TCI, short length, packet number, secure channel; the check value is left alone
	 */
	static const uint8_t macsec_clear[] = {ETH(0x88e5), 0x00, 0, B32(1), 0x08, 0x00, INNER4};
	static const uint8_t macsec_channel[] = {
		ETH(0x88e5), 0x20, 0, B32(1), MAC1, 0, 1, 0x86, 0xdd, INNER6};
	static const uint8_t macsec_secret[] = {ETH(0x88e5), 0x0c, 0, B32(1), 0x08, 0x00, INNER4};

	CARRIES(metadata_gre, -1, -1);
	CARRIES(fabricpath, -1, -1);
	CARRIES(arista64, -1, -1);
	CARRIES(arista48, -1, -1);
	CARRIES(macsec_clear, -1, -1);
	CARRIES(macsec_channel, -1, -1);
	CU_ASSERT((ALL(d, arista_other).p.flags & NS_PKT_IP) == 0);
	CU_ASSERT((ALL(d, macsec_secret).p.flags & NS_PKT_IP) == 0);
	CARRIES(nsh4, -1, -1);
	CARRIES(nsh6, -1, -1);
	CARRIES(nshe, -1, -1);
	CARRIES(itag, 3, -1);
	CARRIES(vntag, 3, -1);
	CARRIES(metadata, -1, -1);
	CU_ASSERT_PTR_EQUAL(ALL(d, bad_nsh).why, &ns_drop_bad_link_header);
	CU_ASSERT_PTR_NULL(ALL(d, other_nsh).why);
	ns_decoder_destroy(d);
}

static void arp(void)
{
	static const uint8_t frame[] = {
		ETH(0x0806), 0, 1, 8, 0, 6, 4, 0, 1, MAC2, A4_SRC, 0, 0, 0, 0, 0, 0, A4_DST};
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_view v = ALL(d, frame);

	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT_EQUAL(v.p.flags & ~(NS_PKT_RSS | NS_PKT_COPY), NS_PKT_DECODED);
	CU_ASSERT_EQUAL(v.p.ethertype, 0x0806);
	ns_decoder_destroy(d);
}

/* More tags than any frame has: dropped by name, not taken for a frame without IP. */
static void endless(void)
{
	uint8_t frame[14 + 300 * 4 + 32] = {ETH(0x8100)};
	static const uint8_t ip[] = {INNER4};
	struct ns_decoder *d = ns_test_decoder(4, false);

	for (unsigned i = 0; i < 300; i++) {
		frame[14 + i * 4 + 2] = i == 299 ? 0x08 : 0x81;
		frame[14 + i * 4 + 1] = (uint8_t)i;
	}
	memcpy(frame + 14 + 300 * 4, ip, sizeof(ip));
	CU_ASSERT_PTR_EQUAL(ALL(d, frame).why, &ns_drop_bad_link_header);
	ns_decoder_destroy(d);
}

NS_TEST_MAIN({"VLANs", vlans}, {"MPLS", mpls}, {"PPPoE", pppoe}, {"LLC", llc}, {"tags", tags},
	{"ARP", arp}, {"endless", endless})
