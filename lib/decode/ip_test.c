/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define ALL(d, frame) ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, sizeof(frame))
#define CUT(d, frame, wire) ns_test_decode_cut(d, NS_LINKTYPE_ETHERNET, frame, sizeof(frame), wire)
#define DATA4 'd', 'a', 't', 'a'

static struct ns_decoder *d;

static void setup(void)
{
	ns_decoder_destroy(d);
	d = ns_test_decoder(4, false);
}

static void ipv4(void)
{
	static const uint8_t frame[] = {ETH(0x0800), IP4(17, 32), UDP(1000, 2000, 12), DATA4, 0, 0};
	/* 40 octets of header: no-operations up to the end of the list */
	static const uint8_t options[] = {ETH(0x0800), 0x4a, 0x28, B16(52), 0x12, 0x34, 0x40, 0, 64,
		17, 0, 0, A4_SRC, A4_DST, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		0, UDP(1000, 2000, 12), DATA4};

	setup();
	struct ns_test_view v = ALL(d, frame);

	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT(ns_test_is_outer(&v.p));
	CU_ASSERT_EQUAL(v.p.l3_off, 14);
	CU_ASSERT_EQUAL(v.p.l4_off, 34);
	CU_ASSERT_EQUAL(v.p.payload_off, 42);
	CU_ASSERT_EQUAL(v.p.payload_len, 4); /* not the padding */
	CU_ASSERT_EQUAL(v.p.ip_octets, 32);
	CU_ASSERT_EQUAL(v.p.l4_len, 4);
	CU_ASSERT_EQUAL(v.p.ttl, 64);
	CU_ASSERT_EQUAL(v.p.tos, 0x28);
	CU_ASSERT_EQUAL(v.p.tuple.proto, 17);
	CU_ASSERT_EQUAL(v.p.ethertype, 0x0800);

	v = ALL(d, options);
	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT(ns_test_has_inner_ports(&v.p));
	CU_ASSERT_EQUAL(v.p.l4_off, 54);
	CU_ASSERT_EQUAL(v.p.payload_off, 62);
	CU_ASSERT_EQUAL(v.p.ip_octets, 52);
}

/* Impossible headers, each one octet away from a good one. */
static void ipv4_faults(void)
{
	static const struct {
		unsigned at;
		uint8_t value;
		const struct ns_counter *why;
	} cases[] = {
		{0, 0x44, &ns_drop_bad_ip_header}, {0, 0x40, &ns_drop_bad_ip_header},
		{0, 0x55, &ns_drop_bad_ip_header}, {0, 0x05, &ns_drop_bad_ip_header},
		{3, 19, &ns_drop_bad_ip_header}, /* total length below the header's */
		{3, 20, NULL}, {0, 0x48, NULL}, /* header and total length are the same */
		{0, 0x49, &ns_drop_bad_ip_header},
		{0, 0x65, &ns_drop_truncated}, /* not enough for IPv6 */
	};
	uint8_t frame[] = {ETH(0x0800), IP4(17, 32), UDP(1000, 2000, 12), 1, 2, 3};

	setup();
	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		uint8_t saved = frame[14 + cases[i].at];

		frame[14 + cases[i].at] = cases[i].value;
		CU_ASSERT_PTR_EQUAL(ALL(d, frame).why, cases[i].why);
		frame[14 + cases[i].at] = saved;
	}
}

static void ipv4_fragments(void)
{
	static const uint8_t first[] = {
		ETH(0x0800), IP4_FRAG(17, 36, 0x2000), UDP(1000, 2000, 99), DATA4, DATA4};
	static const uint8_t later[] = {ETH(0x0800), IP4_FRAG(17, 28, 0x2002), DATA4, DATA4};
	static const uint8_t last[] = {ETH(0x0800), IP4_FRAG(17, 22, 0x1fff), 1, 2};
	static const uint8_t whole[] = {ETH(0x0800), IP4_FRAG(17, 32, 0x4000), INNER_UDP};

	setup();
	struct ns_test_view v = ALL(d, first);

	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT_EQUAL(v.p.flags & ~(NS_PKT_RSS | NS_PKT_COPY),
		NS_PKT_DECODED | NS_PKT_IP | NS_PKT_FRAG | NS_PKT_MORE_FRAGS | NS_PKT_PORTS |
			NS_PKT_SWAPPED);
	CU_ASSERT_EQUAL(v.p.frag_id, 0x1234);
	CU_ASSERT_EQUAL(v.p.frag_off, 0);
	CU_ASSERT_EQUAL(v.p.frag_l3_off, 14);
	CU_ASSERT_EQUAL(v.p.dport, 2000);

	v = ALL(d, later);
	CU_ASSERT_EQUAL(v.p.flags & ~(NS_PKT_RSS | NS_PKT_COPY),
		NS_PKT_DECODED | NS_PKT_IP | NS_PKT_FRAG | NS_PKT_LATER_FRAG | NS_PKT_MORE_FRAGS |
			NS_PKT_SWAPPED);
	CU_ASSERT_EQUAL(v.p.frag_off, 16);
	CU_ASSERT_EQUAL(v.p.tuple.pa | v.p.tuple.pb | v.p.sport | v.p.dport, 0);

	v = ALL(d, last);
	CU_ASSERT_EQUAL(v.p.flags & (NS_PKT_LATER_FRAG | NS_PKT_MORE_FRAGS), NS_PKT_LATER_FRAG);
	CU_ASSERT_EQUAL(v.p.frag_off, 65528);
	CU_ASSERT_EQUAL(v.p.ip_octets, 22);

	v = ALL(d, whole); /* "don't fragment" is no fragment */
	CU_ASSERT_EQUAL(v.p.flags & NS_PKT_FRAG, 0);
	CU_ASSERT(ns_test_has_inner_ports(&v.p));
}

/* Segmentation left to the NIC: the header says 0, the frame knows. */
static void no_length(void)
{
	static const uint8_t v4[] = {ETH(0x0800), IP4(6, 0), TCP(1000, 2000, 0x18), DATA4};
	static const uint8_t v6[] = {ETH(0x86dd), IP6(6, 0), TCP(1000, 2000, 0x18), DATA4};
	/* a frame of the least size around an IPv6 header alone */
	static const uint8_t padded[] = {ETH(0x86dd), IP6(6, 0), 0, 0, 0, 0, 0, 0};
	/* RFC 2675: the option says 70000 octets; and one that says more than there are */
	static const uint8_t jumbo[] = {
		ETH(0x86dd), IP6(0, 0), 17, 0, 0xc2, 4, B32(70000), UDP(1000, 2000, 0), DATA4};
	static const uint8_t none[] = {ETH(0x86dd), IP6(59, 0), DATA4, DATA4, DATA4, DATA4};

	setup();
	struct ns_test_view v = ALL(d, v4);

	CU_ASSERT_EQUAL(v.p.ip_octets, 44);
	CU_ASSERT_EQUAL(v.p.l4_len, 4);
	v = CUT(d, v4, 70000);
	CU_ASSERT_EQUAL(v.p.ip_octets, 70000 - 14);
	CU_ASSERT_EQUAL(v.p.payload_len, 4);
	CU_ASSERT_EQUAL(v.p.l4_len, UINT16_MAX);
	v = CUT(d, v4, UINT32_MAX);
	CU_ASSERT_EQUAL(v.p.ip_octets, UINT32_MAX - 14);
	v = CUT(d, v4, 0); /* a length on the wire below what was captured */
	CU_ASSERT_EQUAL(v.p.ip_octets, 44);

	v = ALL(d, v6);
	CU_ASSERT_EQUAL(v.p.ip_octets, 64);
	CU_ASSERT_EQUAL(v.p.l4_len, 4);
	CU_ASSERT_EQUAL(v.p.sport, 1000);
	v = CUT(d, v6, 9000);
	CU_ASSERT_EQUAL(v.p.ip_octets, 9000 - 14);

	v = CUT(d, jumbo, 54 + 70000);
	CU_ASSERT_EQUAL(v.p.ip_octets, 40 + 70000);
	CU_ASSERT_EQUAL(v.p.dport, 2000);
	CU_ASSERT_EQUAL(v.p.l4_len, UINT16_MAX);
	v = CUT(d, jumbo, 54 + 69999);
	CU_ASSERT_EQUAL(v.p.ip_octets, 40);

	v = ALL(d, padded);
	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT_EQUAL(v.p.ip_octets, 40);
	CU_ASSERT_EQUAL(v.p.flags & NS_PKT_PORTS, 0);
	v = ALL(d, none);
	CU_ASSERT_EQUAL(v.p.ip_octets, 40);
}

/* What was captured is less than what the header says, or the header says more than was sent. */
static void lengths(void)
{
	static const uint8_t frame[] = {ETH(0x0800), IP4(6, 1500), TCP(1000, 2000, 0x10), DATA4};
	static const uint8_t shorter[] = {ETH(0x0800), IP4(17, 28), UDP(1000, 2000, 8), DATA4};

	setup();
	struct ns_test_view v = CUT(d, frame, 1514);

	CU_ASSERT_EQUAL(v.p.ip_octets, 1500);
	CU_ASSERT_EQUAL(v.p.payload_len, 4);
	CU_ASSERT_EQUAL(v.p.l4_len, 1460);
	v = ALL(d, frame);
	CU_ASSERT_EQUAL(v.p.ip_octets, 1500);
	CU_ASSERT_EQUAL(v.p.payload_len, 4);
	v = ALL(d, shorter);
	CU_ASSERT_EQUAL(v.p.payload_len, 0);
	CU_ASSERT_EQUAL(v.p.payload_off, 42);
}

/* next header, length in 8 octets without the first, then six octets */
#define EXT(next) next, 0, 1, 4, 0, 0, 0, 0
#define LONG_EXT(next) next, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define FRAG6(next, field) next, 0, B16(field), B32(0xdeadbeef)

static void extensions(void)
{
	static const uint8_t kinds[] = {0, 43, 60, 135, 139, 140};

	setup();
	for (size_t i = 0; i < NS_ARRAY_LEN(kinds); i++) {
		uint8_t one[] = {ETH(0x86dd), IP6(0, 8 + 12), EXT(17), INNER_UDP};
		uint8_t two[] = {ETH(0x86dd), IP6(0, 24 + 12), LONG_EXT(0), EXT(17), INNER_UDP};

		one[20] = two[20] = two[54] = kinds[i];
		struct ns_test_view v = ALL(d, one);

		CU_ASSERT_PTR_NULL(v.why);
		CU_ASSERT(ns_test_has_inner_ports(&v.p));
		CU_ASSERT_EQUAL(v.p.l4_off, 62);
		CU_ASSERT_EQUAL(v.p.ip_octets, 60);
		v = ALL(d, two);
		CU_ASSERT(ns_test_has_inner_ports(&v.p));
		CU_ASSERT_EQUAL(v.p.l4_off, 78);
		CU_ASSERT_EQUAL(v.p.tuple.proto, 17);
	}

	/* a mobility message that ends the chain is the protocol itself */
	static const uint8_t mobility[] = {ETH(0x86dd), IP6(135, 8), EXT(59)};
	static const uint8_t esp[] = {ETH(0x86dd), IP6(50, 8), B32(1), B32(2)};

	CU_ASSERT_EQUAL(ALL(d, mobility).p.tuple.proto, 135);
	CU_ASSERT_EQUAL(ALL(d, esp).p.tuple.proto, 50);
}

/* RFC 4302: behind an authentication header goes on what it protects, in either IP. */
static void authentication(void)
{
	/* next header, length in words less 2, reserved; SPI, sequence, three words of check value
	 */
#define AH(next) next, 4, 0, 0, B32(7), B32(1), B32(1), B32(2), B32(3)
	static const uint8_t v4[] = {ETH(0x0800), IP4(51, 20 + 24 + 12), AH(17), INNER_UDP};
	static const uint8_t v6[] = {ETH(0x86dd), IP6(0, 8 + 24 + 12), EXT(51), AH(17), INNER_UDP};
	static const struct {
		const uint8_t *octets;
		uint32_t len;
		uint32_t ah;
	} cases[] = {{v4, sizeof(v4), 34}, {v6, sizeof(v6), 62}};

	setup();
	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		for (uint32_t cut = cases[i].ah; cut <= cases[i].len; cut++) {
			struct ns_test_view v = ns_test_decode_cut(
				d, NS_LINKTYPE_ETHERNET, cases[i].octets, cut, cases[i].len);

			CU_ASSERT_PTR_NULL(v.why);
			CU_ASSERT(ns_test_is_outer(&v.p));
			CU_ASSERT_EQUAL(v.p.tuple.proto, cut < cases[i].ah + 24 ? 51 : 17);
			CU_ASSERT_EQUAL(
				v.p.l4_off, cases[i].ah + (cut < cases[i].ah + 24 ? 0 : 24));
			CU_ASSERT_EQUAL(ns_test_note(&v, "cut_l4"), cut < cases[i].len - 4);
			CU_ASSERT_EQUAL((v.p.flags & NS_PKT_PORTS) != 0, cut >= cases[i].len - 8);
		}
	}
}

/* Every kind in the order of RFC 8200, cut at every length. */
static void chain(void)
{
	static const uint8_t frame[] = {ETH(0x86dd), IP6(0, 64 + 12), EXT(60), EXT(43), EXT(44),
		FRAG6(60, 0), LONG_EXT(139), EXT(140), EXT(17), INNER_UDP};
	struct ns_test_view v;

	setup();
	v = ALL(d, frame);
	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT(ns_test_has_inner_ports(&v.p));
	CU_ASSERT_EQUAL(v.p.l4_off, 54 + 64);
	CU_ASSERT_EQUAL(v.p.flags & NS_PKT_FRAG, 0); /* an atomic fragment is whole */
	for (uint32_t cut = 0; cut < sizeof(frame); cut++) {
		v = ns_test_decode_cut(d, NS_LINKTYPE_ETHERNET, frame, cut, sizeof(frame));
		if (cut < 54) {
			CU_ASSERT_PTR_EQUAL(v.why, &ns_drop_truncated);
			continue;
		}
		CU_ASSERT_PTR_NULL(v.why);
		CU_ASSERT(ns_test_is_outer(&v.p));
		CU_ASSERT_EQUAL(v.p.ip_octets, 40 + 76);
		CU_ASSERT_EQUAL(ns_test_note(&v, "cut_l4"), cut < 54 + 64 + 8);
		CU_ASSERT_EQUAL((v.p.flags & NS_PKT_CUT) != 0, cut < 54 + 64 + 8);
		CU_ASSERT(v.p.l4_off <= cut);
	}
	/* the datagram ends inside the chain, the frame does not */
	uint8_t shorter[sizeof(frame)];

	memcpy(shorter, frame, sizeof(frame));
	shorter[19] = 20;
	v = ALL(d, shorter);
	CU_ASSERT_EQUAL(v.p.ip_octets, 60);
	CU_ASSERT_EQUAL(v.p.tuple.proto, 43);
	CU_ASSERT_EQUAL(ns_test_note(&v, "cut_l4"), 1);
}

/* A chain without end stops, and the packet stays with its addresses. */
static void endless(void)
{
	uint8_t frame[54 + 200 * 8] = {ETH(0x86dd), IP6(60, 200 * 8)};

	setup();
	for (size_t i = 54; i < sizeof(frame); i += 8)
		frame[i] = 60;
	struct ns_test_view v = ALL(d, frame);

	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT(ns_test_is_outer(&v.p));
	CU_ASSERT_EQUAL(v.p.tuple.proto, 60);
}

static void ipv6_fragments(void)
{
	static const uint8_t first[] = {
		ETH(0x86dd), IP6(44, 8 + 16), FRAG6(17, 1), UDP(1000, 2000, 99), DATA4, DATA4};
	static const uint8_t later[] = {ETH(0x86dd), IP6(44, 8 + 8), FRAG6(17, 17), DATA4, DATA4};
	static const uint8_t last[] = {ETH(0x86dd), IP6(44, 8 + 2), FRAG6(17, 0xfff8), 1, 2};
	/* reserved bits say nothing */
	static const uint8_t atomic[] = {ETH(0x86dd), IP6(44, 8 + 12), FRAG6(17, 6), INNER_UDP};
	/* the first fragment ends inside the chain: ports are in the next one */
	static const uint8_t split[] = {
		ETH(0x86dd), IP6(44, 8 + 8), FRAG6(60, 1), 17, 1, 1, 4, B32(0)};

	setup();
	struct ns_test_view v = ALL(d, first);

	CU_ASSERT_EQUAL(v.p.flags & ~(NS_PKT_RSS | NS_PKT_COPY),
		NS_PKT_DECODED | NS_PKT_IP | NS_PKT_FRAG | NS_PKT_MORE_FRAGS | NS_PKT_PORTS |
			NS_PKT_SWAPPED);
	CU_ASSERT_EQUAL(v.p.frag_id, 0xdeadbeef);
	CU_ASSERT_EQUAL(v.p.tuple.proto, 17);
	v = ALL(d, later);
	CU_ASSERT_EQUAL(v.p.flags & ~(NS_PKT_RSS | NS_PKT_COPY),
		NS_PKT_DECODED | NS_PKT_IP | NS_PKT_FRAG | NS_PKT_LATER_FRAG | NS_PKT_MORE_FRAGS |
			NS_PKT_SWAPPED);
	CU_ASSERT_EQUAL(v.p.frag_off, 16);
	CU_ASSERT_EQUAL(v.p.tuple.proto, 17);
	CU_ASSERT_EQUAL(v.p.l4_off, 62);
	v = ALL(d, last);
	CU_ASSERT_EQUAL(v.p.flags & (NS_PKT_LATER_FRAG | NS_PKT_MORE_FRAGS), NS_PKT_LATER_FRAG);
	CU_ASSERT_EQUAL(v.p.frag_off, 65528);
	v = ALL(d, atomic);
	CU_ASSERT_EQUAL(v.p.flags & NS_PKT_FRAG, 0);
	CU_ASSERT(ns_test_has_inner_ports(&v.p));
	v = ALL(d, split);
	CU_ASSERT_EQUAL(
		v.p.flags & (NS_PKT_FRAG | NS_PKT_PORTS | NS_PKT_CUT), NS_PKT_FRAG | NS_PKT_CUT);
	CU_ASSERT_EQUAL(v.p.tuple.proto, 60);
	ns_decoder_destroy(d);
	d = NULL;
}

NS_TEST_MAIN({"IPv4", ipv4}, {"IPv4 faults", ipv4_faults}, {"IPv4 fragments", ipv4_fragments},
	{"no length", no_length}, {"lengths", lengths}, {"extensions", extensions},
	{"authentication", authentication}, {"chain", chain}, {"endless", endless},
	{"IPv6 fragments", ipv6_fragments})
