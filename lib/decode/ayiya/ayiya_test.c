/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define OUTER(n) ETH(0x0800), IP4(17, 20 + 8 + (n)), UDP(40000, 5072, 8 + (n))
#define ID16 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define SHA1 ID16, 17, 18, 19, 20
/* 16 octets of id, 5 words of signature, then hash, authentication and opcode, next header, time */
#define AYIYA(opcode, next) 0x41, 0x51, 0x10 | (opcode), next, B32(0x5b5b5b5b), ID16, SHA1
#define AYIYA_LEN (8 + 16 + 20)

static void frames(void)
{
	static const uint8_t v6[] = {OUTER(AYIYA_LEN + 52), AYIYA(1, 41), INNER6};
	static const uint8_t v4[] = {OUTER(AYIYA_LEN + 32), AYIYA(1, 4), INNER4};
	/* an id of one octet, no signature */
	static const uint8_t least[] = {OUTER(9 + 52), 0x01, 0x00, 1, 41, B32(1), 7, INNER6};

	NS_TEST_TUNNEL("ayiya", v6, 0, false);
	NS_TEST_TUNNEL("ayiya", v4, 0, false);
	NS_TEST_TUNNEL("ayiya", least, 0, false);
}

static void others(void)
{
	static const uint8_t heartbeat[] = {OUTER(AYIYA_LEN), AYIYA(0, 59)};
	static const uint8_t echo[] = {OUTER(AYIYA_LEN + 4), AYIYA(2, 41), 1, 2, 3, 4};
	static const uint8_t unknown[] = {OUTER(AYIYA_LEN + 4), AYIYA(1, 50), 1, 2, 3, 4};
	/* an id of 32768 octets */
	static const uint8_t overrun[] = {OUTER(8 + 52), 0xf1, 0xf1, 1, 41, B32(1), INNER6};
	static const uint8_t tiny[] = {OUTER(4), 0x41, 0x51, 0x11, 41};

	NS_TEST_NO_TUNNEL(heartbeat, 0);
	NS_TEST_NO_TUNNEL(echo, 0);
	NS_TEST_NO_TUNNEL(unknown, 0);
	NS_TEST_NO_TUNNEL(overrun, 0);
	NS_TEST_NO_TUNNEL(tiny, 0);
}

NS_TEST_MAIN({"frames", frames}, {"others", others})
