/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define OUTER(n) ETH(0x0800), IP4(17, 20 + 8 + (n)), UDP(40000, 3544, 8 + (n))
/* RFC 4380, 5.1.1: id and value of two and three octets, nonce, confirmation */
#define AUTH_LEN (4 + 2 + 3 + 8 + 1)
#define AUTH 0, 1, 2, 3, 'i', 'd', 1, 2, 3, B32(1), B32(2), 0
#define ORIGIN 0, 0, 0x12, 0x34, 0xf5, 0xff, 0xff, 0xfe

static void frames(void)
{
	static const uint8_t bare[] = {OUTER(52), INNER6};
	static const uint8_t auth[] = {OUTER(AUTH_LEN + 52), AUTH, INNER6};
	static const uint8_t origin[] = {OUTER(8 + 52), ORIGIN, INNER6};
	static const uint8_t both[] = {OUTER(AUTH_LEN + 8 + 52), AUTH, ORIGIN, INNER6};
	/* the server answers from its port */
	static const uint8_t answer[] = {
		ETH(0x0800), IP4(17, 20 + 8 + 52), UDP(3544, 40000, 60), INNER6};

	NS_TEST_TUNNEL("teredo", bare, 0, false);
	NS_TEST_TUNNEL("teredo", auth, 0, false);
	NS_TEST_TUNNEL("teredo", origin, 0, false);
	NS_TEST_TUNNEL("teredo", both, 0, false);
	NS_TEST_TUNNEL("teredo", answer, 0, false);
}

static void bubble(void)
{
	static const uint8_t a[] = {I6_DST}, b[] = {I6_SRC};
	static const uint8_t frame[] = {OUTER(40), IP6_HEAD(59, 0), I6_SRC, I6_DST};
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_view v = ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, sizeof(frame));

	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT_EQUAL(v.p.depth, 1);
	CU_ASSERT_EQUAL(v.p.tuple.proto, 59);
	CU_ASSERT_EQUAL(v.p.ip_octets, 40);
	CU_ASSERT(ns_test_addrs(&v.p, a, b));
	ns_decoder_destroy(d);
}

static void others(void)
{
	static const uint8_t v4[] = {OUTER(52), INNER4, INNER4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t tiny[] = {OUTER(1), 0x60};
	static const uint8_t overrun[] = {OUTER(44), 0, 1, 255, 255, INNER6};
	/* an IPv6 header that says more than the datagram holds */
	static const uint8_t longer[] = {OUTER(44), IP6_HEAD(17, 5), I6_SRC, I6_DST, 0, 0, 0, 0};

	NS_TEST_NO_TUNNEL(v4, 0);
	NS_TEST_NO_TUNNEL(tiny, 0);
	NS_TEST_NO_TUNNEL(overrun, 0);
	NS_TEST_NO_TUNNEL(longer, 0);
}

NS_TEST_MAIN({"frames", frames}, {"bubble", bubble}, {"others", others})
