/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_test.h"

static struct cap c;
static struct got g;

#define SEC 1700000000u

/* Ten packets of growing size, frac 1000 * i. */
static void ten(unsigned extra)
{
	for (unsigned i = 0; i < 10; i++)
		pcap_record(&c, i, SEC + i, 1000 * i, 20 + 13 * i, 30 + 13 * i, extra);
}

static void check_ten(unsigned unit, uint16_t linktype)
{
	read_cap(&g, &c);
	CU_ASSERT_TRUE(g.opened);
	CU_ASSERT_EQUAL(g.n, 10);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	CU_ASSERT_STRING_EQUAL(g.message, "");
	for (unsigned i = 0; i < 10; i++) {
		CU_ASSERT_EQUAL(g.p[i].id, i);
		CU_ASSERT_EQUAL(g.p[i].ts_ns, (SEC + i) * NS_SEC_NS + 1000 * i * unit);
		CU_ASSERT_EQUAL(g.p[i].clock_ns, g.p[i].ts_ns);
		CU_ASSERT_EQUAL(g.p[i].caplen, 20 + 13 * i);
		CU_ASSERT_EQUAL(g.p[i].wirelen, 30 + 13 * i);
		CU_ASSERT_EQUAL(g.p[i].linktype, linktype);
		CU_ASSERT_EQUAL(g.p[i].port, 0);
	}
}

static void variants(void)
{
	static const struct {
		uint32_t magic;
		unsigned extra, unit;
	} v[] = {
		{0xa1b2c3d4, 0, 1000}, {0xa1b23c4d, 0, 1}, {0xa1b2cd34, 8, 1000},
		{0xa1b2cd34, 12, 1000}, /* SuSE 6.3 */
		{0xa1b2c3d4, 8, 1000}, /* Red Hat 6.1 */
		{0xa1b2c3d4, 4, 1000}, /* Nokia */
	};

	for (size_t i = 0; i < NS_ARRAY_LEN(v); i++) {
		for (int be = 0; be < 2; be++) {
			cap_init(&c, be);
			pcap_head(&c, v[i].magic, 2, 4, 65535, 1);
			ten(v[i].extra);
			check_ten(v[i].unit, 1);
			CU_ASSERT_EQUAL(g.stats.bytes_read, c.n);
			CU_ASSERT_EQUAL(g.stats.bytes_total, c.n);
		}
	}
}

/* Two packets are enough to know the variant by; one is for the usual one. */
static void variant_of_few_packets(void)
{
	for (unsigned extra = 0; extra <= 8; extra += 4) {
		cap_init(&c, false);
		pcap_head(&c, 0xa1b2c3d4, 2, 4, 65535, 1);
		pcap_record(&c, 1, SEC, 5, 60, 60, extra);
		if (extra > 0)
			pcap_record(&c, 2, SEC, 5, 60, 60, extra);
		read_cap(&g, &c);
		CU_ASSERT_EQUAL(g.n, extra > 0 ? 2 : 1);
		CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
		CU_ASSERT_EQUAL(g.p[0].id, 1);
	}
}

static void put_swapped_lengths(unsigned i)
{
	put(&c, SEC + i, 4);
	put(&c, 1000 * i, 4);
	put(&c, 30 + 13 * i, 4);
	put(&c, 20 + 13 * i, 4);
	put_packet(&c, i, 20 + 13 * i);
}

static void old_versions(void)
{
	static const unsigned v[][2] = {{2, 0}, {2, 1}, {2, 2}, {2, 3}, {543, 0}};

	for (size_t k = 0; k < NS_ARRAY_LEN(v); k++) {
		cap_init(&c, k & 1);
		pcap_head(&c, 0xa1b2c3d4, v[k][0], v[k][1], 65535, 1);
		for (unsigned i = 0; i < 10; i++)
			put_swapped_lengths(i);
		check_ten(1000, 1);
	}
	/* 2.3 was written in both orders. */
	cap_init(&c, false);
	pcap_head(&c, 0xa1b2c3d4, 2, 3, 65535, 1);
	ten(0);
	check_ten(1000, 1);
	/* AIX */
	cap_init(&c, true);
	pcap_head(&c, 0xa1b2c3d4, 2, 2, 65535, 6);
	ten(0);
	check_ten(1, 1);
}

static void link_types(void)
{
	static const uint32_t v[][2] = {
		{1, 1},
		{0x14000001, 1},
		{0xf4000071, 113},
		{12, 101},
		{14, 101},
		{101, 101},
		{11, 100},
		{65535, 65535},
	};

	for (size_t i = 0; i < NS_ARRAY_LEN(v); i++) {
		cap_init(&c, false);
		pcap_head(&c, 0xa1b2c3d4, 2, 4, 65535, v[i][0]);
		ten(0);
		check_ten(1000, (uint16_t)v[i][1]);
	}
}

static void refused_headers(void)
{
	cap_init(&c, false);
	pcap_head(&c, 0xa1b2c3d4, 2, 4, 65535, 0x00100001);
	read_cap(&g, &c);
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "octet 20"));
	cap_init(&c, false);
	pcap_head(&c, 0xa1b2c3d4, 3, 0, 65535, 1);
	read_cap(&g, &c);
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "version 3.0"));
}

static void lengths(void)
{
	/* Longer than the snapshot length, and longer than on the wire: taken as they are. */
	cap_init(&c, false);
	pcap_head(&c, 0xa1b2c3d4, 2, 4, 10, 1);
	pcap_record(&c, 1, SEC, 0, 50, 60, 0);
	pcap_record(&c, 2, SEC, 0, 5, 60, 0);
	pcap_record(&c, 3, SEC, 0, 0, 60, 0);
	pcap_record(&c, 4, SEC, 0, 40, 20, 0);
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 4);
	CU_ASSERT_EQUAL(g.p[0].caplen, 50);
	CU_ASSERT_EQUAL(g.p[2].caplen, 0);
	CU_ASSERT_EQUAL(g.p[3].wirelen, 20);
	CU_ASSERT_EQUAL(g.stats.octets, 200);
	/* More than an mbuf can say: the first 65535 octets, and the next packet is found. */
	cap_init(&c, true);
	pcap_head(&c, 0xa1b2c3d4, 2, 4, 262144, 1);
	pcap_record(&c, 1, SEC, 0, 262144, 300000, 0);
	pcap_record(&c, 2, SEC, 0, 65535, 65535, 0);
	pcap_record(&c, 3, SEC, 0, 65536, 65536, 0);
	pcap_record(&c, 4, SEC, 0, 60, 60, 0);
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 4);
	CU_ASSERT_EQUAL(g.p[0].caplen, 65535);
	CU_ASSERT_EQUAL(g.p[0].wirelen, 300000);
	CU_ASSERT_EQUAL(g.p[2].caplen, 65535);
	CU_ASSERT_EQUAL(g.p[3].id, 4);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	/* Absurd: everything before it counts, and the message says where. */
	cap_init(&c, false);
	pcap_head(&c, 0xa1b2c3d4, 2, 4, 65535, 1);
	ten(0);
	put(&c, SEC, 4);
	put(&c, 0, 4);
	put(&c, 262145, 4);
	put(&c, 262145, 4);
	c.n += 300000;
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, 10);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.message, "octet 969: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(g.message, "262145"));
	CU_ASSERT_PTR_NULL(strchr(g.message, '\n'));
}

static void clock_never_goes_back(void)
{
	static const uint32_t frac[] = {5, 3, 9, 1, 9, 10};

	cap_init(&c, false);
	pcap_head(&c, 0xa1b23c4d, 2, 4, 65535, 1);
	for (unsigned i = 0; i < NS_ARRAY_LEN(frac); i++)
		pcap_record(&c, i, SEC, frac[i], 30, 30, 0);
	read_cap(&g, &c);
	CU_ASSERT_EQUAL(g.n, NS_ARRAY_LEN(frac));
	CU_ASSERT_EQUAL(g.p[1].ts_ns - SEC * NS_SEC_NS, 3);
	CU_ASSERT_EQUAL(g.p[1].clock_ns - SEC * NS_SEC_NS, 5);
	CU_ASSERT_EQUAL(g.p[3].clock_ns - SEC * NS_SEC_NS, 9);
	CU_ASSERT_EQUAL(g.p[5].clock_ns - SEC * NS_SEC_NS, 10);
}

static void cut_at_every_octet(void)
{
	static const struct {
		uint32_t magic;
		unsigned extra;
	} v[] = {{0xa1b2c3d4, 0}, {0xa1b2cd34, 8}};
	size_t ends[4];

	for (size_t k = 0; k < NS_ARRAY_LEN(v); k++) {
		cap_init(&c, k);
		pcap_head(&c, v[k].magic, 2, 4, 65535, 1);
		for (unsigned i = 0; i < 3; i++) {
			ends[i] = c.n;
			pcap_record(&c, i, SEC + i, 7, 14 + 9 * i, 70, v[k].extra);
		}
		ends[3] = c.n;
		for (size_t n = 0; n <= ends[3]; n++) {
			unsigned whole = 0;
			char where[32];

			read_octets(&g, c.b, n, NULL);
			CU_ASSERT_EQUAL(g.opened, n >= 4);
			if (!g.opened)
				continue;
			while (whole < 3 && ends[whole + 1] <= n)
				whole++;
			CU_ASSERT_EQUAL(g.n, whole);
			if (n < 24 || ends[whole] != n) {
				CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
				snprintf(where, sizeof(where),
					"octet %zu: ", n < 24 ? 0 : ends[whole]);
				CU_ASSERT_PTR_NOT_NULL(strstr(g.message, where));
			} else {
				CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
				CU_ASSERT_STRING_EQUAL(g.message, "");
			}
		}
	}
}

NS_TEST_MAIN({"byte orders, units, header sizes", variants},
	{"a variant is known by two packets", variant_of_few_packets},
	{"old versions", old_versions}, {"link types", link_types},
	{"headers that are refused", refused_headers}, {"lengths", lengths},
	{"the clock never goes back", clock_never_goes_back},
	{"cut at every octet", cut_at_every_octet})
