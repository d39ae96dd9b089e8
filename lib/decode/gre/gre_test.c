/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define OUTER(n) ETH(0x0800), IP4(47, 20 + (n))

/* flags and version, protocol, then the fields that the flags ask for */
static void plain(void)
{
	static const uint8_t bare[] = {OUTER(4 + 32), 0, 0, 0x08, 0x00, INNER4};
	static const uint8_t ip6[] = {OUTER(4 + 52), 0, 0, 0x86, 0xdd, INNER6};
	static const uint8_t all[] = {
		OUTER(16 + 32), 0xb0, 0, 0x08, 0x00, 0x11, 0x22, 0, 0, B32(77), B32(1), INNER4};
	static const uint8_t routed[] = {OUTER(8 + 12 + 32), 0x40, 0, 0x08, 0x00, 0, 0, 0, 0,
		/* address family, offset, length, route; the end of the list */
		0x08, 0x00, 0, 4, 10, 9, 9, 9, 0, 0, 0, 0, INNER4};
	static const uint8_t mpls[] = {
		OUTER(4 + 4 + 32), 0, 0, 0x88, 0x47, 0x00, 0x06, 0x41, 64, INNER4};
	static const uint8_t udp[] = {ETH(0x0800), IP4(17, 20 + 8 + 4 + 32),
		UDP(50000, 4754, 8 + 4 + 32), 0, 0, 0x08, 0x00, INNER4};

	NS_TEST_TUNNEL("gre", bare, 0, false);
	NS_TEST_TUNNEL("gre", ip6, 0, false);
	NS_TEST_TUNNEL("gre", all, 77, false);
	NS_TEST_TUNNEL("gre", routed, 0, false);
	NS_TEST_TUNNEL("gre", mpls, 0, false);
	NS_TEST_TUNNEL("gre", udp, 0, false);
}

static void ethernet(void)
{
	static const uint8_t teb[] = {OUTER(4 + 14 + 32), 0, 0, 0x65, 0x58, ETH(0x0800), INNER4};
	static const uint8_t nvgre[] = {OUTER(8 + 14 + 32), 0x20, 0, 0x65, 0x58, 0x12, 0x34, 0x56,
		0xee, ETH(0x0800), INNER4};

	/* Aruba: a radio frame: frame control, duration, addresses, sequence; LLC and SNAP */
	static const uint8_t aruba[] = {OUTER(4 + 24 + 8 + 32), 0, 0, 0x82, 0x10, 0x08, 0, 0, 0,
		MAC1, MAC2, MAC1, 0x10, 0, 0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00, INNER4};

	NS_TEST_TUNNEL("gre", aruba, 0, false);
	NS_TEST_TUNNEL("gre", teb, 0, false);
	NS_TEST_TUNNEL("gre", nvgre, 0x123456, false);
}

static void erspan(void)
{
	static const uint8_t type1[] = {OUTER(4 + 14 + 32), 0, 0, 0x88, 0xbe, ETH(0x0800), INNER4};
	static const uint8_t type2[] = {OUTER(8 + 8 + 14 + 32), 0x10, 0, 0x88, 0xbe, B32(1),
		/* version 1 and VLAN 10, session 0x101, index */
		0x10, 10, 0x19, 0x01, B32(5), ETH(0x0800), INNER4};
	static const uint8_t type3[] = {OUTER(8 + 12 + 14 + 32), 0x10, 0, 0x22, 0xeb, B32(1),
		/* version 2, session, timestamp, SGT, flags without O */
		0x20, 10, 0x01, 0x01, B32(99), 0, 0, 0, 0, ETH(0x0800), INNER4};
	static const uint8_t sub[] = {OUTER(8 + 20 + 14 + 32), 0x10, 0, 0x22, 0xeb, B32(1), 0x20,
		10, 0x01, 0x01, B32(99), 0, 0, 0, 1, 0x0c, 1, 2, 3, 4, 5, 6, 7, ETH(0x0800),
		INNER4};

	NS_TEST_TUNNEL("gre", type1, 0, false);
	NS_TEST_TUNNEL("gre", type2, 0x101, false);
	NS_TEST_TUNNEL("gre", type3, 0x101, false);
	NS_TEST_TUNNEL("gre", sub, 0x101, false);
}

static void pptp(void)
{
	static const uint8_t data[] = {OUTER(16 + 4 + 32), 0x30, 0x81, 0x88, 0x0b,
		/* payload length, call id, sequence, acknowledgement; PPP */
		B16(36), B16(513), B32(1), B32(2), 0xff, 0x03, 0x00, 0x21, INNER4};
	static const uint8_t compressed[] = {OUTER(12 + 1 + 52), 0x30, 0x01, 0x88, 0x0b, B16(53),
		B16(513), B32(1), 0x57, INNER6};
	static const uint8_t ack[] = {OUTER(12), 0x20, 0x81, 0x88, 0x0b, 0, 0, B16(513), B32(2)};
	static const uint8_t keyless[] = {
		OUTER(8 + 32), 0x00, 0x01, 0x88, 0x0b, 0, 32, 0, 0, INNER4};

	NS_TEST_TUNNEL("gre", data, 513, true);
	NS_TEST_TUNNEL("gre", compressed, 513, true);
	NS_TEST_NO_TUNNEL(ack, 0);
	NS_TEST_NO_TUNNEL(keyless, 0);
}

static void wccp(void)
{
	static const uint8_t v1[] = {OUTER(4 + 32), 0, 0, 0x88, 0x3e, INNER4};
	static const uint8_t v2[] = {OUTER(8 + 32), 0, 0, 0x88, 0x3e, 0x00, 0x05, 1, 2, INNER4};

	NS_TEST_TUNNEL("gre", v1, 0, false);
	NS_TEST_TUNNEL("gre", v2, 0, false);
}

static void others(void)
{
	static const uint8_t keepalive[] = {OUTER(4), 0, 0, 0, 0};
	static const uint8_t version2[] = {OUTER(4 + 32), 0, 2, 0x08, 0x00, INNER4};
	static const uint8_t tiny[] = {OUTER(2), 0, 0};
	/* a route entry that runs past the end */
	static const uint8_t routes[] = {OUTER(12), 0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 200};
	static const uint8_t key[] = {OUTER(4), 0x20, 0, 8, 0};

	NS_TEST_NO_TUNNEL(keepalive, 0);
	NS_TEST_NO_TUNNEL(version2, 0);
	NS_TEST_NO_TUNNEL(tiny, 0);
	NS_TEST_NO_TUNNEL(routes, 1);
	NS_TEST_NO_TUNNEL(key, 1);
}

NS_TEST_MAIN({"plain", plain}, {"ethernet", ethernet}, {"ERSPAN", erspan}, {"PPTP", pptp},
	{"WCCP", wccp}, {"others", others})
