/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

static void frames(void)
{
	static const uint8_t v4in4[] = {ETH(0x0800), IP4(4, 20 + 32), INNER4};
	static const uint8_t ipip94[] = {ETH(0x0800), IP4(94, 20 + 32), INNER4};
	static const uint8_t v6in4[] = {ETH(0x0800), IP4(41, 20 + 52), INNER6};
	static const uint8_t v4in6[] = {ETH(0x86dd), IP6(4, 32), INNER4};
	/* RFC 2473: a destination option with the encapsulation limit before it */
	static const uint8_t v6in6[] = {
		ETH(0x86dd), IP6(60, 8 + 52), 41, 0, 4, 1, 4, 1, 0, 0, INNER6};

	NS_TEST_TUNNEL("ipip", v4in4, 0, false);
	NS_TEST_TUNNEL("ipip", ipip94, 0, false);
	NS_TEST_TUNNEL("ipip", v6in4, 0, false);
	NS_TEST_TUNNEL("ipip", v4in6, 0, false);
	NS_TEST_TUNNEL("ipip", v6in6, 0, false);
}

static void others(void)
{
	static const uint8_t wrong[] = {ETH(0x0800), IP4(41, 20 + 32), INNER4};
	static const uint8_t empty[] = {ETH(0x0800), IP4(4, 20)};
	/* a first fragment opens, a later one can't */
	static const uint8_t later[] = {ETH(0x0800), IP4_FRAG(4, 20 + 32, 4), INNER4};

	NS_TEST_NO_TUNNEL(wrong, 0);
	NS_TEST_NO_TUNNEL(empty, 0);
	NS_TEST_NO_TUNNEL(later, 0);
}

NS_TEST_MAIN({"frames", frames}, {"others", others})
