/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define ALL(d, frame) ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, sizeof(frame))

static void tcp(void)
{
	static const uint8_t plain[] = {ETH(0x0800), IP4(6, 43), TCP(1000, 443, 0x12), 1, 2, 3};
	static const uint8_t options[] = {
		ETH(0x0800), IP4(6, 46), TCP_WORDS(1000, 443, 6, 0x02), 2, 4, 5, 0xb4, 1, 2};
	/* a header length that TCP does not have counts as the least one */
	static const uint8_t zero[] = {
		ETH(0x0800), IP4(6, 43), TCP_WORDS(1000, 443, 0, 1), 1, 2, 3};
	static const uint8_t beyond[] = {ETH(0x0800), IP4(6, 43), TCP_WORDS(1, 2, 15, 1), 1, 2, 3};
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_view v = ALL(d, plain);

	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT(ns_test_is_outer(&v.p));
	CU_ASSERT((v.p.flags & NS_PKT_TCP) != 0 && (v.p.flags & NS_PKT_PORTS) != 0);
	CU_ASSERT_EQUAL(v.p.sport, 1000);
	CU_ASSERT_EQUAL(v.p.dport, 443);
	CU_ASSERT_EQUAL(v.p.tcp_seq, 0x01020304);
	CU_ASSERT_EQUAL(v.p.tcp_ack, 0x05060708);
	CU_ASSERT_EQUAL(v.p.tcp_flags, 0x12);
	CU_ASSERT_EQUAL(v.p.tcp_window, 0x1000);
	CU_ASSERT_EQUAL(v.p.payload_off, 54);
	CU_ASSERT_EQUAL(v.p.payload_len, 3);
	CU_ASSERT_EQUAL(v.p.l4_len, 3);
	v = ALL(d, options);
	CU_ASSERT_EQUAL(v.p.payload_off, 58);
	CU_ASSERT_EQUAL(v.p.l4_len, 2);
	CU_ASSERT_EQUAL(ALL(d, zero).p.payload_len, 3);
	v = ALL(d, beyond);
	CU_ASSERT_EQUAL(v.p.payload_off, sizeof(beyond));
	CU_ASSERT_EQUAL(v.p.payload_len, 0);
	CU_ASSERT_EQUAL(v.p.l4_len, 0);

	for (uint32_t cut = 34; cut < sizeof(plain); cut++) {
		v = ns_test_decode_cut(d, NS_LINKTYPE_ETHERNET, plain, cut, sizeof(plain));
		CU_ASSERT_PTR_NULL(v.why);
		CU_ASSERT(ns_test_is_outer(&v.p));
		CU_ASSERT_EQUAL((v.p.flags & NS_PKT_PORTS) != 0, cut >= 38);
		CU_ASSERT_EQUAL((v.p.flags & NS_PKT_TCP) != 0, cut >= 48);
		CU_ASSERT_EQUAL((v.p.flags & NS_PKT_CUT) != 0, cut < 48);
		CU_ASSERT_EQUAL(ns_test_note(&v, "cut_l4"), cut < 48);
		CU_ASSERT_EQUAL(v.p.payload_len, cut > 54 ? cut - 54 : 0);
	}
	ns_decoder_destroy(d);
}

/* UDP, UDP-Lite, SCTP and DCCP have their ports in the same place. */
static void ports(void)
{
	static const struct {
		uint8_t proto;
		uint8_t header;
		uint8_t cut_below; /* shorter ones are noted as cut */
	} cases[] = {{17, 8, 8}, {136, 8, 4}, {132, 12, 4}, {33, 12, 4}};
	struct ns_decoder *d = ns_test_decoder(4, false);

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		uint8_t frame[] = {ETH(0x0800), IP4(0, 38), B16(1000), B16(2000), 0, 18, 0, 0, 1, 2,
			3, 4, 5, 6, 7, 8, 9, 10};

		frame[23] = cases[i].proto;
		for (uint32_t cut = 34; cut <= sizeof(frame); cut++) {
			struct ns_test_view v = ns_test_decode_cut(
				d, NS_LINKTYPE_ETHERNET, frame, cut, sizeof(frame));
			uint32_t payload = 34u + cases[i].header;

			CU_ASSERT_PTR_NULL(v.why);
			CU_ASSERT(ns_test_is_outer(&v.p));
			CU_ASSERT_EQUAL(v.p.tuple.proto, cases[i].proto);
			CU_ASSERT_EQUAL(ns_test_note(&v, "cut_l4"), cut < 34u + cases[i].cut_below);
			CU_ASSERT_EQUAL((v.p.flags & NS_PKT_PORTS) != 0, cut >= 38);
			CU_ASSERT_EQUAL(v.p.dport, cut >= 38 ? 2000 : 0);
			CU_ASSERT_EQUAL(v.p.payload_len, cut > payload ? cut - payload : 0);
		}
	}
	ns_decoder_destroy(d);
}

/* A UDP length below that of the IP payload ends the datagram; an impossible one says nothing. */
static void udp_length(void)
{
	static const uint16_t lengths[] = {8, 10, 18, 19, 65535, 7, 0};
	static const uint16_t payload[] = {0, 2, 10, 10, 10, 10, 10};
	struct ns_decoder *d = ns_test_decoder(4, false);

	for (size_t i = 0; i < NS_ARRAY_LEN(lengths); i++) {
		const uint8_t frame[] = {ETH(0x0800), IP4(17, 38), UDP(1000, 2000, lengths[i]), 1,
			2, 3, 4, 5, 6, 7, 8, 9, 10};

		CU_ASSERT_EQUAL(ALL(d, frame).p.payload_len, payload[i]);
		CU_ASSERT_EQUAL(ALL(d, frame).p.l4_len, 10);
	}
	ns_decoder_destroy(d);
}

/* Protocols without ports are flows of addresses. */
static void portless(void)
{
	static const uint8_t protos[] = {2, 50, 59, 88, 89, 103, 112, 255};
	struct ns_decoder *d = ns_test_decoder(4, false);

	for (size_t i = 0; i < NS_ARRAY_LEN(protos); i++) {
		uint8_t frame[] = {ETH(0x0800), IP4(0, 28), 0x16, 0, 0, 0, 224, 0, 0, 251};

		frame[23] = protos[i];
		for (uint32_t cut = 34; cut <= sizeof(frame); cut++) {
			struct ns_test_view v = ns_test_decode_cut(
				d, NS_LINKTYPE_ETHERNET, frame, cut, sizeof(frame));

			CU_ASSERT_PTR_NULL(v.why);
			CU_ASSERT(ns_test_is_outer(&v.p));
			CU_ASSERT_EQUAL(v.p.tuple.proto, protos[i]);
			CU_ASSERT_EQUAL(v.p.flags & (NS_PKT_PORTS | NS_PKT_CUT), 0);
			CU_ASSERT_EQUAL(v.p.tuple.pa | v.p.tuple.pb, 0);
		}
	}
	ns_decoder_destroy(d);
}

/* One packet and its answer: the same tuple and hash, and exactly one of them swapped. */
static void both_ways(uint8_t ver, uint8_t proto, const uint8_t *src, const uint8_t *dst,
	const uint8_t *l4, const uint8_t *l4_back)
{
	uint8_t frame[14 + 40 + 8] = {ETH(0)}, back[sizeof(frame)] = {ETH(0)};
	static const uint8_t head4[] = {IP4_HEAD(0, 28, 0)}, head6[] = {IP6_HEAD(0, 8)};
	size_t n = ver == 4 ? 4 : 16, at = ver == 4 ? 26 : 22;
	uint32_t len = (uint32_t)(at + 2 * n + 8);
	struct ns_decoder *d = ns_test_decoder(4, false);

	frame[12] = back[12] = ver == 4 ? 0x08 : 0x86;
	frame[13] = back[13] = ver == 4 ? 0x00 : 0xdd;
	memcpy(frame + 14, ver == 4 ? head4 : head6, at - 14);
	frame[ver == 4 ? 23 : 20] = proto;
	memcpy(back + 14, frame + 14, at - 14);
	memcpy(frame + at, src, n);
	memcpy(frame + at + n, dst, n);
	memcpy(back + at, dst, n);
	memcpy(back + at + n, src, n);
	memcpy(frame + at + 2 * n, l4, 8);
	memcpy(back + at + 2 * n, l4_back, 8);
	struct ns_test_view v = ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, len);
	struct ns_test_view w = ns_test_decode(d, NS_LINKTYPE_ETHERNET, back, len);

	CU_ASSERT(v.why == NULL && w.why == NULL);
	CU_ASSERT((v.p.flags & NS_PKT_PORTS) != 0);
	CU_ASSERT_EQUAL(memcmp(&v.p.tuple, &w.p.tuple, sizeof(v.p.tuple)), 0);
	CU_ASSERT_EQUAL(v.p.hash, w.p.hash);
	CU_ASSERT_EQUAL((v.p.flags ^ w.p.flags) & NS_PKT_SWAPPED, NS_PKT_SWAPPED);
	CU_ASSERT(memcmp(v.p.tuple.a, v.p.tuple.b, n) <= 0);
	const struct ns_test_view *straight = (v.p.flags & NS_PKT_SWAPPED) == 0 ? &v : &w;

	CU_ASSERT_EQUAL(memcmp(straight->p.tuple.a, straight == &v ? src : dst, n), 0);
	ns_decoder_destroy(d);
}

static void canonical(void)
{
	static const uint8_t a4[] = {A4_DST}, b4[] = {A4_SRC}, a6[] = {A6_DST}, b6[] = {A6_SRC};
	static const uint8_t there[] = {UDP(1000, 2000, 8)}, back[] = {UDP(2000, 1000, 8)};

	both_ways(4, 17, a4, b4, there, back);
	both_ways(4, 17, b4, a4, there, back);
	both_ways(4, 17, a4, a4, there, back); /* equal addresses: by port */
	both_ways(6, 132, a6, b6, there, back);
	both_ways(6, 17, b6, a6, there, back);
	both_ways(6, 17, b6, b6, back, there);
}

/* Ports in canonical order, in network order; equal ones are not swapped. */
static void order(void)
{
	static const uint8_t frame[] = {
		ETH(0x0800), IP4_HEAD(17, 28, 0), A4_DST, A4_SRC, UDP(0x0201, 0x0102, 8)};
	static const uint8_t same[] = {
		ETH(0x0800), IP4_HEAD(17, 28, 0), A4_DST, A4_DST, UDP(7, 7, 8)};
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_view v = ALL(d, frame);

	CU_ASSERT_EQUAL(v.p.flags & NS_PKT_SWAPPED, 0);
	CU_ASSERT_EQUAL(memcmp(&v.p.tuple.pa, "\x02\x01\x01\x02", 4), 0);
	v = ALL(d, same);
	CU_ASSERT_EQUAL(v.p.flags & NS_PKT_SWAPPED, 0);
	ns_decoder_destroy(d);
}

static void icmp_pairs(void)
{
	static const uint8_t a4[] = {A4_DST}, b4[] = {A4_SRC}, a6[] = {A6_DST}, b6[] = {A6_SRC};
	static const uint8_t pairs4[][2] = {{8, 0}, {10, 9}, {13, 14}, {15, 16}, {17, 18}};
	static const uint8_t pairs6[][2] = {
		{128, 129}, {130, 131}, {133, 134}, {135, 136}, {139, 140}, {144, 145}};

	for (size_t i = 0; i < NS_ARRAY_LEN(pairs4); i++) {
		uint8_t ask[8] = {pairs4[i][0]}, answer[8] = {pairs4[i][1]};

		both_ways(4, 1, a4, b4, ask, answer);
		both_ways(4, 1, b4, a4, ask, answer);
		both_ways(4, 1, a4, a4, ask, answer);
	}
	for (size_t i = 0; i < NS_ARRAY_LEN(pairs6); i++) {
		uint8_t ask[8] = {pairs6[i][0]}, answer[8] = {pairs6[i][1]};

		both_ways(6, 58, a6, b6, ask, answer);
		both_ways(6, 58, b6, a6, ask, answer);
	}
}

static void icmp(void)
{
	static const uint8_t unreachable[] = {
		ETH(0x0800), IP4(1, 28 + 28), 3, 1, 0, 0, 0, 0, 0, 0, IP4(17, 28), UDP(1, 2, 8)};
	static const uint8_t too_big[] = {ETH(0x86dd), IP6(58, 8), 2, 0, 0, 0, 0, 0, 5, 0};
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_view v = ALL(d, unreachable);

	CU_ASSERT_EQUAL(v.p.icmp_type, 3);
	CU_ASSERT_EQUAL(v.p.icmp_code, 1);
	CU_ASSERT_EQUAL(v.p.sport, 0);
	CU_ASSERT_EQUAL(v.p.dport, 3 * 256 + 1);
	/* one way: type and code stand for the ports; the quoted header is no flow */
	CU_ASSERT_EQUAL(v.p.tuple.pb, __builtin_bswap16(3));
	CU_ASSERT_EQUAL(v.p.tuple.pa, __builtin_bswap16(1));
	CU_ASSERT_EQUAL(v.p.depth, 0);
	v = ALL(d, too_big);
	CU_ASSERT_EQUAL(v.p.dport, 2 * 256);
	for (uint32_t cut = 54; cut < sizeof(too_big); cut++) {
		v = ns_test_decode_cut(d, NS_LINKTYPE_ETHERNET, too_big, cut, sizeof(too_big));
		CU_ASSERT_PTR_NULL(v.why);
		CU_ASSERT_EQUAL((v.p.flags & NS_PKT_CUT) != 0, cut < 56);
		CU_ASSERT_EQUAL(ns_test_note(&v, "cut_l4"), cut < 56);
	}
	ns_decoder_destroy(d);
}

NS_TEST_MAIN({"TCP", tcp}, {"ports", ports}, {"UDP length", udp_length}, {"portless", portless},
	{"canonical", canonical}, {"order", order}, {"ICMP pairs", icmp_pairs}, {"ICMP", icmp})
