/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define OUTER(n) ETH(0x0800), IP4(17, 20 + 8 + (n)), UDP(1701, 1701, 8 + (n))
/* tunnel 0x0102, session 0x0304 */
#define IDS 1, 2, 3, 4
#define PPP4 0xff, 0x03, 0x00, 0x21
#define PPP6 0x00, 0x57

static void frames(void)
{
	static const uint8_t bare[] = {OUTER(6 + 4 + 32), 0x00, 0x02, IDS, PPP4, INNER4};
	static const uint8_t ip6[] = {OUTER(6 + 2 + 52), 0x00, 0x02, IDS, PPP6, INNER6};
	static const uint8_t length[] = {
		OUTER(8 + 4 + 32), 0x40, 0x02, B16(8 + 4 + 32), IDS, PPP4, INNER4};
	static const uint8_t offset[] = {
		OUTER(6 + 2 + 3 + 4 + 32), 0x02, 0x02, IDS, 0, 3, 9, 9, 9, PPP4, INNER4};
	static const uint8_t all[] = {OUTER(8 + 4 + 2 + 1 + 4 + 32), 0x4b, 0x02,
		B16(8 + 4 + 2 + 1 + 4 + 32), IDS, 0, 1, 0, 2, 0, 1, 9, PPP4, INNER4};

	NS_TEST_TUNNEL("l2tp", bare, 0x01020304, true);
	NS_TEST_TUNNEL("l2tp", ip6, 0x01020304, true);
	NS_TEST_TUNNEL("l2tp", length, 0x01020304, true);
	NS_TEST_TUNNEL("l2tp", offset, 0x01020304, true);
	NS_TEST_TUNNEL("l2tp", all, 0x01020304, true);
}

static void others(void)
{
	static const uint8_t control[] = {OUTER(12), 0xc8, 0x02, 0, 12, IDS, 0, 1, 0, 1};
	static const uint8_t version3[] = {OUTER(8 + 32), 0x00, 0x03, 0, 0, IDS, INNER4};
	static const uint8_t lcp[] = {
		OUTER(6 + 8), 0x00, 0x02, IDS, 0xff, 3, 0xc0, 0x21, 9, 1, 0, 4};
	static const uint8_t tiny[] = {OUTER(4), 0x00, 0x02, 0, 1};
	static const uint8_t too_short[] = {OUTER(8 + 4 + 32), 0x40, 0x02, 0, 7, IDS, PPP4, INNER4};
	static const uint8_t too_long[] = {OUTER(8 + 4 + 32), 0x40, 0x02, 9, 9, IDS, PPP4, INNER4};
	static const uint8_t overrun[] = {
		OUTER(8 + 4 + 32), 0x02, 0x02, IDS, 255, 255, PPP4, INNER4};

	NS_TEST_NO_TUNNEL(control, 0);
	NS_TEST_NO_TUNNEL(version3, 0);
	NS_TEST_NO_TUNNEL(lcp, 0);
	NS_TEST_NO_TUNNEL(tiny, 0);
	NS_TEST_NO_TUNNEL(too_short, 0);
	NS_TEST_NO_TUNNEL(too_long, 0);
	NS_TEST_NO_TUNNEL(overrun, 0);
}

NS_TEST_MAIN({"frames", frames}, {"others", others})
