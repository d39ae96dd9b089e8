/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

/* label 100, last of the stack or not, TTL 64 */
#define LAST 0x00, 0x06, 0x41, 64
#define LABEL 0x00, 0x06, 0x40, 64
#define OUTER(n) ETH(0x0800), IP4(17, 20 + 8 + (n)), UDP(50000, 6635, 8 + (n))

static void frames(void)
{
	static const uint8_t one[] = {OUTER(4 + 32), LAST, INNER4};
	static const uint8_t two[] = {OUTER(8 + 52), LABEL, LAST, INNER6};
	/* a pseudowire with its control word */
	static const uint8_t wire[] = {
		OUTER(4 + 4 + 14 + 32), LAST, 0, 0, 0, 0, ETH(0x0800), INNER4};

	NS_TEST_TUNNEL("mplsudp", one, 0, false);
	NS_TEST_TUNNEL("mplsudp", two, 0, false);
	NS_TEST_TUNNEL("mplsudp", wire, 0, false);
}

static void others(void)
{
	static const uint8_t tiny[] = {OUTER(2), 0, 6};
	static const uint8_t channel[] = {OUTER(4 + 4), LAST, 0x10, 0, 0, 7};
	/* a stack without a last label */
	static const uint8_t endless[] = {OUTER(8), LABEL, LABEL};

	NS_TEST_NO_TUNNEL(tiny, 0);
	NS_TEST_NO_TUNNEL(channel, 0);
	NS_TEST_NO_TUNNEL(endless, 1);
}

NS_TEST_MAIN({"frames", frames}, {"others", others})
