/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

/* n octets behind the 8 octets of the mandatory header; GTP counts what follows those */
#define OUTER(n) ETH(0x0800), IP4(17, 20 + 8 + 8 + (n)), UDP(2152, 2152, 8 + 8 + (n))
#define GTP(flags, type, n) flags, type, B16(n), B32(0x0a0b0c0d)

static void frames(void)
{
	static const uint8_t bare[] = {OUTER(32), GTP(0x30, 255, 32), INNER4};
	static const uint8_t ip6[] = {OUTER(52), GTP(0x30, 255, 52), INNER6};
	/* sequence number: the four optional octets are there, the last says "no extension" */
	static const uint8_t seq[] = {OUTER(4 + 32), GTP(0x32, 255, 36), 0, 1, 0, 0, INNER4};
	/* the octet of the next extension counts only with the E flag */
	static const uint8_t stale[] = {OUTER(4 + 32), GTP(0x32, 255, 36), 0, 1, 0, 0x85, INNER4};
	static const uint8_t ext[] = {OUTER(4 + 4 + 8 + 32), GTP(0x34, 255, 48), 0, 0, 0, 0x85,
		/* PDU session container, then one of two words */
		1, 0, 9, 0xc0, 2, 1, 2, 3, 4, 5, 6, 0, INNER4};
	static const uint8_t ppp[] = {
		OUTER(4 + 32), GTP(0x30, 255, 36), 0xff, 0x03, 0x00, 0x21, INNER4};

	NS_TEST_TUNNEL("gtpu", bare, 0x0a0b0c0d, true);
	NS_TEST_TUNNEL("gtpu", ip6, 0x0a0b0c0d, true);
	NS_TEST_TUNNEL("gtpu", seq, 0x0a0b0c0d, true);
	NS_TEST_TUNNEL("gtpu", stale, 0x0a0b0c0d, true);
	NS_TEST_TUNNEL("gtpu", ext, 0x0a0b0c0d, true);
	NS_TEST_TUNNEL("gtpu", ppp, 0x0a0b0c0d, true);
}

/* 3GPP TS 09.60: 20 octets, the tunnel identifier last */
static void version0(void)
{
#define OUTER0(n) ETH(0x0800), IP4(17, 20 + 8 + 20 + (n)), UDP(3386, 3386, 8 + 20 + (n))
#define GTP0(type) 0x1e, type, 0, 32, 0, 1, 0, 2, 0, 0xff, 0xff, 0xff, B32(1), B32(0x0a0b0c0d)
	static const uint8_t data[] = {OUTER0(32), GTP0(255), INNER4};
	static const uint8_t echo[] = {OUTER0(2), GTP0(1), 14, 0};

	NS_TEST_TUNNEL("gtpu", data, 0x0a0b0c0d, false);
	NS_TEST_NO_TUNNEL(echo, 0);
}

static void others(void)
{
	static const uint8_t echo[] = {OUTER(4), GTP(0x32, 1, 4), 0, 1, 0, 0};
	static const uint8_t version2[] = {OUTER(32), GTP(0x50, 255, 32), INNER4};
	static const uint8_t prime[] = {OUTER(32), GTP(0x20, 255, 32), INNER4};
	static const uint8_t empty[] = {OUTER(0), GTP(0x30, 255, 0)};
	static const uint8_t zero[] = {
		OUTER(4 + 4 + 32), GTP(0x34, 255, 40), 0, 0, 0, 0x85, 0, 0, 0, 0, INNER4};
	static const uint8_t overrun[] = {
		OUTER(4 + 4), GTP(0x34, 255, 8), 0, 0, 0, 0x85, 200, 0, 0, 0};

	NS_TEST_NO_TUNNEL(echo, 0);
	NS_TEST_NO_TUNNEL(version2, 0);
	NS_TEST_NO_TUNNEL(prime, 0);
	NS_TEST_NO_TUNNEL(empty, 0);
	NS_TEST_NO_TUNNEL(zero, 0);
	NS_TEST_NO_TUNNEL(overrun, 1);
}

NS_TEST_MAIN({"frames", frames}, {"version 0", version0}, {"others", others})
