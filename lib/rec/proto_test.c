/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_rec.h"

#include <ns_test.h>

#include <ctype.h>
#include <string.h>

static void put(uint8_t proto, const char *want)
{
	char buf[32];
	char *end = ns_put_proto(buf, proto);

	*end = '\0';
	CU_ASSERT_STRING_EQUAL(buf, want);
}

static void keywords(void)
{
	put(0, "hopopt");
	put(1, "icmp");
	put(2, "igmp");
	put(4, "ipv4");
	put(6, "tcp");
	put(13, "argus");
	put(17, "udp");
	put(39, "tp++");
	put(41, "ipv6");
	put(47, "gre");
	put(58, "ipv6-icmp");
	put(59, "ipv6-nonxt");
	put(62, "cftp");
	put(89, "ospfigp");
	put(93, "ax.25");
	put(94, "ipip");
	put(103, "pim");
	put(107, "a/n");
	put(124, "isis over ipv4");
	put(132, "sctp");
	put(135, "mobility header");
	put(136, "udplite");
	put(142, "rohc");
	put(145, "nsh");
	put(146, "homa");
}

static void numbers(void)
{
	static const uint8_t none[] = {61, 63, 68, 99, 114, 147, 200, 252, 253, 254, 255};

	for (size_t i = 0; i < sizeof(none); i++) {
		char want[8];

		CU_ASSERT_PTR_NULL(ns_proto_name(none[i]));
		snprintf(want, sizeof(want), "%u", none[i]);
		put(none[i], want);
	}
}

/* The table as a whole: how many there are, that all are lower case, short and different. */
static void table(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 256; i++) {
		const char *a = ns_proto_name((uint8_t)i);

		if (a == NULL)
			continue;
		n++;
		CU_ASSERT(strlen(a) > 0 && strlen(a) <= 24);
		for (const char *c = a; *c != '\0'; c++)
			CU_ASSERT(!isupper((unsigned char)*c) && *c != ',' && *c != '"');
		for (unsigned j = 0; j < i; j++) {
			const char *b = ns_proto_name((uint8_t)j);

			CU_ASSERT(b == NULL || strcmp(a, b) != 0);
		}
	}
	CU_ASSERT_EQUAL(n, 147 - 5);
}

NS_TEST_MAIN({"keywords", keywords}, {"numbers", numbers}, {"table", table})
