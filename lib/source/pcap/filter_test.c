/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_test.h"

static struct cap c;
static struct got g;

/* A frame with IPv4 and UDP to @p port, Ethernet in front when @p ether. */
static void put_udp(bool ether, uint16_t port)
{
	static const uint8_t eth[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
	uint8_t ip[28] = {0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 4,
		0, (uint8_t)(port >> 8), (uint8_t)port, 0, 8};

	if (ether) {
		memcpy(c.b + c.n, eth, sizeof(eth));
		c.n += sizeof(eth);
	}
	memcpy(c.b + c.n, ip, sizeof(ip));
	c.n += sizeof(ip);
}

static void ng_udp(uint32_t iface, bool ether, uint16_t port, uint32_t wirelen)
{
	size_t at = ng_begin(&c, 6);

	put(&c, iface, 4);
	put(&c, 0, 8);
	put(&c, ether ? 42 : 28, 4);
	put(&c, wirelen, 4);
	put_udp(ether, port);
	ng_end(&c, at);
}

static void read_with(const char *filter)
{
	any_octets = true;
	read_octets(&g, c.b, c.n, filter);
	any_octets = false;
}

/* Ethernet and raw IP in one file: the expression is compiled for each. */
static void two_link_types(void)
{
	cap_init(&c, false);
	ng_section(&c, false, 0);
	ng_interface(&c, 1, 0, -1, 0);
	ng_interface(&c, 12, 0, -1, 0);
	for (unsigned i = 0; i < 50; i++)
		ng_udp(i & 1, !(i & 1), i % 5 == 0 ? 53 : 99, 100 + i);
	read_with("udp port 53");
	CU_ASSERT_EQUAL(g.n, 10);
	CU_ASSERT_EQUAL(g.stats.packets, 50);
	CU_ASSERT_EQUAL(g.stats.filtered, 40);
	CU_ASSERT_EQUAL(g.stats.octets, 50 * 100 + 49 * 25);
	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(g.p[i].wirelen, 100 + 5 * i);
	read_with("udp port 7");
	CU_ASSERT_EQUAL(g.n, 0);
	CU_ASSERT_EQUAL(g.stats.filtered, 50);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	/* The length on the wire, not the captured one. */
	read_with("greater 140");
	CU_ASSERT_EQUAL(g.n, 10);
	read_with("");
	CU_ASSERT_EQUAL(g.n, 50);
	CU_ASSERT_EQUAL(g.stats.filtered, 0);
}

static void does_not_fit_later_interface(void)
{
	const char *line;

	/* At open, when the interfaces stand at the beginning ... */
	cap_init(&c, false);
	ng_section(&c, false, 0);
	ng_interface(&c, 1, 0, -1, 0);
	ng_interface(&c, 101, 0, -1, 0);
	for (unsigned i = 0; i < 20; i++)
		ng_udp(i & 1, !(i & 1), 53, 100);
	read_with("ether src 02:00:00:00:00:02");
	CU_ASSERT_TRUE(g.opened);
	CU_ASSERT_EQUAL(g.n, 10);
	CU_ASSERT_EQUAL(g.stats.filtered, 10);
	line = strstr(g.message, "link type 101");
	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	CU_ASSERT_PTR_NULL(strstr(line + 1, "link type 101"));
	/* ... and later, far behind what open() looks at, twice. */
	cap_init(&c, false);
	ng_section(&c, false, 0);
	ng_interface(&c, 1, 0, -1, 0);
	for (unsigned i = 0; i < 500; i++)
		ng_udp(0, true, 53, 100);
	ng_interface(&c, 101, 0, -1, 0);
	ng_interface(&c, 101, 0, -1, 0);
	ng_udp(1, false, 53, 100);
	ng_udp(2, false, 53, 100);
	ng_udp(0, true, 53, 100);
	read_with("ether src 02:00:00:00:00:02");
	CU_ASSERT_EQUAL(g.n, 501);
	CU_ASSERT_EQUAL(g.stats.filtered, 2);
	line = strstr(g.message, "link type 101");
	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	CU_ASSERT_PTR_NULL(strstr(line + 1, "link type 101"));
}

static void bad_expression(void)
{
	cap_init(&c, false);
	pcap_head(&c, 0xa1b2c3d4, 2, 4, 65535, 1);
	pcap_record(&c, 1, 1, 1, 30, 30, 0);
	read_octets(&g, c.b, c.n, "udp porridge");
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "syntax error"));
	/* Without a single interface it is compiled all the same. */
	cap_init(&c, false);
	ng_section(&c, false, 0);
	read_octets(&g, c.b, c.n, "udp porridge");
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "syntax error"));
	read_octets(&g, c.b, c.n, "udp port 53");
	CU_ASSERT_TRUE(g.opened);
	/* Right, but not for the only link type that there is. */
	cap_init(&c, false);
	pcap_head(&c, 0xa1b2c3d4, 2, 4, 65535, 101);
	read_octets(&g, c.b, c.n, "ether src 02:00:00:00:00:02");
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "link type 101"));
}

NS_TEST_MAIN({"two link types", two_link_types},
	{"does not fit a later interface", does_not_fit_later_interface},
	{"bad expression", bad_expression})
