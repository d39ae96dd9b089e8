/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define OUTER(n) ETH(0x0800), IP4(103, 20 + (n))
/* version 2 and type, reserved, checksum; border and null-register bits */
#define REGISTER(type, bits) type, 0, 0xde, 0xff, bits, 0, 0, 0

static void frames(void)
{
	static const uint8_t v4[] = {OUTER(8 + 32), REGISTER(0x21, 0), INNER4};
	static const uint8_t border[] = {OUTER(8 + 32), REGISTER(0x21, 0x80), INNER4};
	static const uint8_t v6[] = {ETH(0x86dd), IP6(103, 8 + 52), REGISTER(0x21, 0), INNER6};

	NS_TEST_TUNNEL("pim", v4, 0, false);
	NS_TEST_TUNNEL("pim", border, 0, false);
	NS_TEST_TUNNEL("pim", v6, 0, false);
}

static void others(void)
{
	static const uint8_t null_register[] = {OUTER(8 + 32), REGISTER(0x21, 0x40), INNER4};
	static const uint8_t hello[] = {OUTER(12), 0x20, 0, 0, 0, 0, 1, 0, 2, 0, 105, 0, 0};
	static const uint8_t version1[] = {OUTER(8 + 32), REGISTER(0x11, 0), INNER4};
	static const uint8_t empty[] = {OUTER(8), REGISTER(0x21, 0)};

	NS_TEST_NO_TUNNEL(null_register, 0);
	NS_TEST_NO_TUNNEL(hello, 0);
	NS_TEST_NO_TUNNEL(version1, 0);
	NS_TEST_NO_TUNNEL(empty, 0);
}

NS_TEST_MAIN({"frames", frames}, {"others", others})
