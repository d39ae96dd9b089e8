/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_test.h"

static struct cap c;
static struct got g;

static void two_sections(void)
{
	/* Big-endian, then little-endian; interfaces of both count through. */
	cap_init(&c, true);
	ng_section(&c, true, 0);
	ng_interface(&c, 1, 100, -1, 0);
	ng_interface(&c, 101, 0, 9, 0);
	ng_enhanced(&c, 1, 0, 1000001, 33, 90);
	ng_enhanced(&c, 2, 1, 2000000002, 34, 34);
	ng_section(&c, false, 2);
	ng_interface(&c, 12, 100, 9, 0);
	ng_enhanced(&c, 3, 0, 3000000003, 35, 35);
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 3);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	CU_ASSERT_STRING_EQUAL(g.message, "");
	CU_ASSERT_EQUAL(g.p[0].ts_ns, 1000001000);
	CU_ASSERT_EQUAL(g.p[0].linktype, 1);
	CU_ASSERT_EQUAL(g.p[0].port, 0);
	CU_ASSERT_EQUAL(g.p[0].caplen, 33);
	CU_ASSERT_EQUAL(g.p[0].wirelen, 90);
	CU_ASSERT_EQUAL(g.p[0].id, 1);
	CU_ASSERT_EQUAL(g.p[1].ts_ns, 2000000002);
	CU_ASSERT_EQUAL(g.p[1].linktype, 101);
	CU_ASSERT_EQUAL(g.p[1].port, 1);
	CU_ASSERT_EQUAL(g.p[2].ts_ns, 3000000003);
	CU_ASSERT_EQUAL(g.p[2].linktype, 101);
	CU_ASSERT_EQUAL(g.p[2].port, 2);
	CU_ASSERT_EQUAL(g.p[2].id, 3);
}

static void time_units(void)
{
	static const struct {
		int tsresol;
		int64_t offset;
		uint64_t units, ns;
	} v[] = {
		{-1, 0, 1700000000123456, 1700000000123456000},
		{6, 0, 1700000000123456, 1700000000123456000},
		{0, 0, 1700000000, 1700000000000000000},
		{3, 0, 1700000000123, 1700000000123000000},
		{9, 0, 1700000000123456789, 1700000000123456789},
		{12, 0, 1700000000123456, 1700000000123},
		{19, 0, UINT64_C(17000000001234567890), 1700000000},
		{28, 0, UINT64_MAX, 1},
		{127, 0, UINT64_MAX, 1},
		{0x80, 0, 1700000000, 1700000000000000000},
		{0x80 | 10, 0, (1700000000ull << 10) + 512, 1700000000500000000},
		{0x80 | 32, 0, (1700000000ull << 32) + (1u << 30), 1700000000250000000},
		{0x80 | 63, 0, 1ull << 63, 1000000000},
		{0x80 | 127, 0, UINT64_MAX, 0},
		{6, 1600000000, 100000000123456, 1700000000123456000},
		{6, -100, 1700000000123456, 1699999900123456000},
		/* What does not fit stays at the end of the scale and does not wrap around. */
		{6, -2000000000, 1700000000123456, 0},
		{6, INT64_MIN, 5, 0},
		{6, INT64_MAX, 5, UINT64_MAX},
		{6, 0, UINT64_MAX, UINT64_MAX},
		{0x80, 0, UINT64_MAX, UINT64_MAX},
	};

	for (size_t i = 0; i < NS_ARRAY_LEN(v); i++) {
		cap_init(&c, false);
		ng_section(&c, i & 1, 0);
		ng_interface(&c, 1, 0, v[i].tsresol, v[i].offset);
		ng_enhanced(&c, 1, 0, v[i].units, 20, 20);
		read_cap(&g, &c);
		CU_ASSERT_EQUAL(g.n, 1);
		CU_ASSERT_EQUAL(g.p[0].ts_ns, v[i].ns);
	}
}

static void simple_and_old_packets(void)
{
	size_t at;

	cap_init(&c, false);
	ng_section(&c, true, 0);
	ng_interface(&c, 1, 40, -1, 0);
	ng_interface(&c, 147, 0, -1, 0);
	at = ng_begin(&c, 2); /* obsolete packet block */
	put(&c, 1, 2);
	put(&c, 0xffff, 2);
	put(&c, 0, 4);
	put(&c, 77, 4);
	put(&c, 21, 4);
	put(&c, 25, 4);
	put_packet(&c, 5, 21);
	ng_end(&c, at);
	at = ng_begin(&c, 3); /* simple, cut by the snapshot length */
	put(&c, 99, 4);
	put_packet(&c, 6, 40);
	ng_end(&c, at);
	at = ng_begin(&c, 3);
	put(&c, 39, 4);
	put_packet(&c, 7, 39);
	ng_end(&c, at);
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 3);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	CU_ASSERT_EQUAL(g.p[0].ts_ns, 77000);
	CU_ASSERT_EQUAL(g.p[0].linktype, 147);
	CU_ASSERT_EQUAL(g.p[0].port, 1);
	CU_ASSERT_EQUAL(g.p[0].caplen, 21);
	CU_ASSERT_EQUAL(g.p[0].wirelen, 25);
	CU_ASSERT_EQUAL(g.p[1].caplen, 40);
	CU_ASSERT_EQUAL(g.p[1].wirelen, 99);
	CU_ASSERT_EQUAL(g.p[1].id, 6);
	CU_ASSERT_EQUAL(g.p[1].ts_ns, 77000); /* has no time of its own */
	CU_ASSERT_EQUAL(g.p[2].caplen, 39);
}

static void other_blocks(void)
{
	/* Name resolution, statistics, journal, secrets, custom (both kinds), unknown. */
	static const uint32_t types[] = {4, 5, 9, 10, 0xbad, 0x40000bad, 0x12345678};

	cap_init(&c, false);
	ng_section(&c, false, 0);
	for (size_t i = 0; i < NS_ARRAY_LEN(types); i++) {
		size_t at = ng_begin(&c, types[i]);

		put_packet(&c, 9, i == 6 ? 70001 : 4 * i);
		ng_end(&c, at);
		if (i == 2)
			ng_interface(&c, 1, 0, -1, 0);
		if (i > 2)
			ng_enhanced(&c, (unsigned)i, 0, i, 20, 20);
	}
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 4);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	CU_ASSERT_EQUAL(g.p[3].id, 6);
}

static void odd_options(void)
{
	size_t at;

	/* Options that run out of their block, or are of a wrong size, change nothing. */
	cap_init(&c, false);
	ng_section(&c, false, 0);
	at = ng_begin(&c, 1);
	put(&c, 1, 2);
	put(&c, 0, 2);
	put(&c, 0, 4);
	put(&c, 14, 2);
	put(&c, 4, 2);
	put(&c, 1, 4);
	put(&c, 9, 2);
	put(&c, 0, 2);
	put(&c, 9, 2);
	put(&c, 600, 2);
	put(&c, 9, 4);
	ng_end(&c, at);
	ng_enhanced(&c, 1, 0, 5, 20, 20);
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 1);
	CU_ASSERT_EQUAL(g.p[0].ts_ns, 5000);
}

/* One good packet, then a block that ends the file; the message names offset and cause. */
static void damaged(const char *cause)
{
	char where[32];
	unsigned n = g.n;

	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 1);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.message, cause));
	snprintf(where, sizeof(where), "octet %u: ", n);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.message, where));
}

static size_t one_good(void)
{
	cap_init(&c, false);
	ng_section(&c, false, 0);
	ng_interface(&c, 1, 0, -1, 0);
	ng_enhanced(&c, 1, 0, 5, 20, 20);
	g.n = (unsigned)c.n;
	return c.n;
}

static void damaged_blocks(void)
{
	static const uint32_t lens[] = {0, 4, 11, 13, 0x7ffffffc, UINT32_MAX, 0x20000001};
	size_t at;

	for (size_t i = 0; i < NS_ARRAY_LEN(lens); i++) {
		one_good();
		put(&c, 6, 4);
		put(&c, lens[i], 4);
		c.n += 64;
		damaged("with length");
	}
	at = one_good();
	ng_enhanced(&c, 2, 0, 5, 20, 20);
	c.b[c.n - 4]++;
	damaged("in front and");
	at = one_good();
	ng_enhanced(&c, 2, 1, 5, 20, 20);
	damaged("packet of interface 1, the section has 1");
	at = one_good();
	ng_enhanced(&c, 2, 0, 5, 20, 20);
	c.b[at + 20] = 21;
	damaged("packet of 21 octets in a block of 52");
	at = one_good();
	at = ng_begin(&c, 6);
	put(&c, 0, 8);
	ng_end(&c, at);
	damaged("too short");
	one_good();
	at = ng_begin(&c, 1);
	ng_end(&c, at);
	damaged("interface block of 12");
	at = one_good();
	ng_section(&c, false, 0);
	c.b[at + 8] = 0;
	damaged("byte-order");
	one_good();
	ng_section(&c, false, 1);
	damaged("version 1.1");
	one_good();
	ng_enhanced(&c, 2, 0, 5, 262145, 262145);
	damaged("262145 captured octets");
	/* A new section has no interfaces yet. */
	one_good();
	ng_section(&c, false, 0);
	g.n = (unsigned)c.n;
	at = ng_begin(&c, 3);
	put(&c, 0, 4);
	ng_end(&c, at);
	damaged("the section has 0");
}

/* A writer that does not count the padding in the length. */
static void length_without_padding(void)
{
	size_t at;

	one_good();
	at = c.n;
	ng_enhanced(&c, 2, 0, 5, 18, 18);
	c.b[at + 4] -= 2;
	c.b[c.n - 4] -= 2;
	ng_enhanced(&c, 3, 0, 5, 20, 20);
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 3);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	CU_ASSERT_EQUAL(g.p[1].caplen, 18);
	CU_ASSERT_EQUAL(g.p[2].id, 3);
}

static void large_frames(void)
{
	/* A link type with large frames may exceed what others may not. */
	cap_init(&c, false);
	ng_section(&c, false, 0);
	ng_interface(&c, 249, 0, -1, 0);
	ng_enhanced(&c, 2, 0, 5, 300000, 300000);
	ng_enhanced(&c, 3, 0, 5, 30, 30);
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 2);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	CU_ASSERT_EQUAL(g.p[0].caplen, 65535);
	CU_ASSERT_EQUAL(g.p[0].wirelen, 300000);
}

static void refused(void)
{
	cap_init(&c, false);
	ng_section(&c, true, 1);
	read_cap(&g, &c);
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "octet 12: pcapng version 1.1"));
	/* Line ends, no pcapng. */
	read_octets(&g, "\n\r\r\n, said the text", 20, NULL);
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "0a 0d 0d 0a"));
}

static void cut_at_every_octet(void)
{
	size_t ends[8], all;
	unsigned blocks = 0;

	cap_init(&c, false);
	ends[blocks++] = 0;
	ng_section(&c, true, 0);
	ends[blocks++] = c.n;
	ng_interface(&c, 1, 0, 9, 0);
	ends[blocks++] = c.n;
	ng_enhanced(&c, 1, 0, 5, 17, 20);
	ends[blocks++] = c.n;
	ng_enhanced(&c, 2, 0, 5, 22, 22);
	ends[blocks++] = c.n;
	all = c.n;
	for (size_t n = 0; n <= all; n++) {
		unsigned whole = 0;
		char where[32];

		read_octets(&g, c.b, n, NULL);
		CU_ASSERT_EQUAL(g.opened, n >= 4);
		if (!g.opened)
			continue;
		while (whole + 1 < blocks && ends[whole + 1] <= n)
			whole++;
		CU_ASSERT_EQUAL(g.n, whole > 2 ? whole - 2 : 0);
		if (ends[whole] == n) {
			CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
			continue;
		}
		CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
		snprintf(where, sizeof(where), "octet %zu: ", ends[whole]);
		CU_ASSERT_PTR_NOT_NULL(strstr(g.message, where));
	}
}

NS_TEST_MAIN({"two sections", two_sections}, {"time units", time_units},
	{"simple and obsolete packets", simple_and_old_packets}, {"other blocks", other_blocks},
	{"odd options", odd_options}, {"damaged blocks", damaged_blocks},
	{"length without padding", length_without_padding}, {"large frames", large_frames},
	{"refused", refused}, {"cut at every octet", cut_at_every_octet})
