/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define OUTER(n) ETH(0x0800), IP4(17, 20 + 8 + (n)), UDP(40000, 6081, 8 + (n))

static void frames(void)
{
	static const uint8_t eth[] = {OUTER(8 + 14 + 32),
		/* version 0, no options; flags; protocol; VNI; reserved */
		0x00, 0, 0x65, 0x58, 0, 1, 2, 0, ETH(0x0800), INNER4};
	static const uint8_t ip6[] = {OUTER(8 + 52), 0x00, 0, 0x86, 0xdd, 0, 1, 2, 0, INNER6};
	static const uint8_t options[] = {OUTER(8 + 8 + 32),
		/* two words of options: class, type, length 1 word, data */
		0x02, 0x40, 0x08, 0x00, 0, 1, 2, 0, 0x01, 0x08, 1, 1, 9, 9, 9, 9, INNER4};

	NS_TEST_TUNNEL("geneve", eth, 0x000102, false);
	NS_TEST_TUNNEL("geneve", ip6, 0x000102, false);
	NS_TEST_TUNNEL("geneve", options, 0x000102, false);
}

static void others(void)
{
	static const uint8_t version[] = {OUTER(8 + 32), 0x40, 0, 0x08, 0, 0, 1, 2, 0, INNER4};
	static const uint8_t protocol[] = {OUTER(8 + 32), 0, 0, 0x12, 0x34, 0, 1, 2, 0, INNER4};
	static const uint8_t tiny[] = {OUTER(4), 0, 0, 8, 0};
	/* options longer than the datagram */
	static const uint8_t overrun[] = {OUTER(8 + 32), 0x3f, 0, 0x08, 0, 0, 1, 2, 0, INNER4};

	NS_TEST_NO_TUNNEL(version, 0);
	NS_TEST_NO_TUNNEL(protocol, 0);
	NS_TEST_NO_TUNNEL(tiny, 0);
	NS_TEST_NO_TUNNEL(overrun, 1);
}

NS_TEST_MAIN({"frames", frames}, {"others", others})
