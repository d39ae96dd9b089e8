/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define OUTER(n) ETH(0x0800), IP4(97, 20 + (n))

static void frames(void)
{
	static const uint8_t v4[] = {OUTER(2 + 14 + 32), 0x30, 0, ETH(0x0800), INNER4};
	static const uint8_t tagged[] = {
		OUTER(2 + 18 + 52), 0x30, 0, ETH(0x8100), 0, 5, 0x86, 0xdd, INNER6};

	NS_TEST_TUNNEL("etherip", v4, 0, false);
	NS_TEST_TUNNEL("etherip", tagged, 0, false);
}

static void others(void)
{
	static const uint8_t version[] = {OUTER(2 + 14 + 32), 0x20, 0, ETH(0x0800), INNER4};
	static const uint8_t tiny[] = {OUTER(1), 0x30};

	NS_TEST_NO_TUNNEL(version, 0);
	NS_TEST_NO_TUNNEL(tiny, 0);
}

NS_TEST_MAIN({"frames", frames}, {"others", others})
