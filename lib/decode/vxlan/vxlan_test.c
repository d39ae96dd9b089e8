/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

/* the VXLAN header: flags (I), reserved, VNI 0x123456, reserved */
#define VXLAN 0x08, 0, 0, 0, 0x12, 0x34, 0x56, 0
/* outer headers around n octets of VXLAN payload */
#define OUTER(dport, n) ETH(0x0800), IP4(17, 20 + 8 + 8 + (n)), UDP(40000, dport, 8 + 8 + (n))

static void frames(void)
{
	static const uint8_t v4[] = {OUTER(4789, 14 + 32), VXLAN, ETH(0x0800), INNER4};
	static const uint8_t v6[] = {OUTER(8472, 14 + 52), VXLAN, ETH(0x86dd), INNER6};
	/* group policy extension: G flag and policy id */
	static const uint8_t gbp[] = {
		OUTER(4789, 14 + 32), 0x88, 0, 0, 9, 0x12, 0x34, 0x56, 0, ETH(0x0800), INNER4};
	static const uint8_t over6[] = {ETH(0x86dd), IP6(17, 8 + 8 + 14 + 32),
		UDP(40000, 4789, 8 + 8 + 14 + 32), VXLAN, ETH(0x0800), INNER4};

	NS_TEST_TUNNEL("vxlan", v4, 0x123456, false);
	NS_TEST_TUNNEL("vxlan", v6, 0x123456, false);
	NS_TEST_TUNNEL("vxlan", gbp, 0x123456, false);
	NS_TEST_TUNNEL("vxlan", over6, 0x123456, false);
}

/* draft-ietf-nvo3-vxlan-gpe: the P flag, and the next protocol in the fourth octet */
static void gpe(void)
{
	static const uint8_t ip4[] = {OUTER(4790, 32), 0x0c, 0, 0, 1, 0, 0, 7, 0, INNER4};
	static const uint8_t ip6[] = {OUTER(4790, 52), 0x0c, 0, 0, 2, 0, 0, 7, 0, INNER6};
	static const uint8_t eth[] = {
		OUTER(4790, 14 + 32), 0x0c, 0, 0, 3, 0, 0, 7, 0, ETH(0x0800), INNER4};
	static const uint8_t nsh[] = {OUTER(4790, 8 + 32), 0x0c, 0, 0, 4, 0, 0, 7, 0,
		/* NSH: two words, metadata type 2, next protocol IPv4, service path */
		0x0f, 0xc2, 2, 1, 0, 0, 1, 255, INNER4};
	/* some senders forget the P flag */
	static const uint8_t flagless[] = {OUTER(4790, 32), 0x08, 0, 0, 1, 0, 0, 7, 0, INNER4};
	static const uint8_t plain[] = {
		OUTER(4790, 14 + 32), 0x08, 0, 0, 0, 0, 0, 7, 0, ETH(0x0800), INNER4};
	static const uint8_t unknown[] = {OUTER(4790, 32), 0x0c, 0, 0, 99, 0, 0, 7, 0, INNER4};

	NS_TEST_TUNNEL("vxlan", ip4, 7, false);
	NS_TEST_TUNNEL("vxlan", ip6, 7, false);
	NS_TEST_TUNNEL("vxlan", eth, 7, false);
	NS_TEST_TUNNEL("vxlan", nsh, 7, false);
	NS_TEST_TUNNEL("vxlan", flagless, 7, false);
	NS_TEST_TUNNEL("vxlan", plain, 7, false);
	NS_TEST_NO_TUNNEL(unknown, 0);
}

static void nothing_inside(void)
{
	static const uint8_t arp[] = {OUTER(4789, 14 + 28), VXLAN, ETH(0x0806), 0, 1, 8, 0, 6, 4, 0,
		1, MAC2, I4_SRC, 0, 0, 0, 0, 0, 0, I4_DST};
	static const uint8_t tiny[] = {
		ETH(0x0800), IP4(17, 20 + 8 + 4), UDP(40000, 4789, 12), 8, 0, 0, 0};
	static const uint8_t bad_ip[] = {OUTER(4789, 14 + 4), VXLAN, ETH(0x0800), 0x51, 0, 0, 0};

	NS_TEST_NO_TUNNEL(arp, 0);
	NS_TEST_NO_TUNNEL(tiny, 0);
	NS_TEST_NO_TUNNEL(bad_ip, 1);
}

NS_TEST_MAIN(
	{"frames", frames}, {"generic protocol extension", gpe}, {"nothing inside", nothing_inside})
