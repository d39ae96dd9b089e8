/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_cell.h>
#include <ns_test.h>

#include <math.h>
#include <string.h>

static void is(const struct ns_rec_field *f, const void *rec, const char *want)
{
	char text[NS_CELL];

	memset(text, 'x', sizeof(text));
	ns_cell_value(text, f, rec);
	CU_ASSERT_STRING_EQUAL(text, want);
	if (strcmp(text, want) != 0)
		fprintf(stderr, "got %s, want %s\n", text, want);
}

static void doubles(void)
{
	static const struct {
		double v;
		const char *unit, *want;
	} cases[] = {{0, "", "0"}, {-0.0, "", "0"}, {NAN, "", "-"}, {INFINITY, "octets", "-"},
		{0.95, "", "0.95"}, {0.003713444, "", "0.003713"}, {1.0 / 3, "packets", "0.3333"},
		{12.3456, "", "12.35"}, {999.96, "", "1000"}, {1234.5678, "", "1235"},
		{12345.6, "packets", "12346"}, {999999.4, "", "999999"}, {999999.5, "", "1.00 M"},
		{12345678, "", "12.35 M"}, {-12.3456, "", "-12.35"}, {-5e9, "", "-5.00 G"},
		{1e300, "", "1e+300"}, {1e300, "octets", "1e+300"}, {-1e300, "ns", "-1e+300"},
		{1e-9, "", "1e-09"}, {1440.4, "octets", "1.44 kB"}, {17.6, "octets", "18 B"},
		{1e8, "ns", "100.00 ms"}, {0, "ns", "0 s"}, {2.5, "s", "2.50 s"}};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		struct ns_rec_field f = {
			.name = "x", .type = NS_REC_F64, .size = 8, .unit = cases[i].unit};

		is(&f, &cases[i].v, cases[i].want);
	}
}

static void integers(void)
{
	static const struct {
		uint64_t v;
		const char *unit;
		uint32_t flags;
		const char *want;
	} cases[] = {{0, "packets", 0, "0"}, {999999, "packets", 0, "999999"},
		{1000000, "packets", 0, "1.00 M"}, {UINT64_MAX, "packets", 0, "18.45 E"},
		{UINT64_MAX, "", 0, "18446744073709551615"}, {16777216, NULL, 0, "16777216"},
		{16777216, "packets", NS_REC_KEY, "16777216"},
		{123456789, "octets", 0, "123.46 MB"}, {0, "octets", 0, "0 B"},
		{0, "octets", NS_REC_EMPTY_ZERO, "-"}, {1500, "ns", 0, "1.5 us"}};
	int64_t minus = -1234567;
	struct ns_rec_field i64 = {.name = "x", .type = NS_REC_I64, .size = 8, .unit = "packets"};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		struct ns_rec_field f = {.name = "x",
			.type = NS_REC_U64,
			.size = 8,
			.unit = cases[i].unit,
			.flags = cases[i].flags};

		is(&f, &cases[i].v, cases[i].want);
	}
	is(&i64, &minus, "-1.23 M");
	i64.unit = "";
	is(&i64, &minus, "-1234567");
}

static void texts(void)
{
	struct ns_ip ip = {4, {192, 0, 2, 1}}, none = {0};
	struct ns_prefix net = {{6, {0x20, 0x01, 0x0d, 0xb8}}, 32};
	uint64_t time = UINT64_C(1700000000123456789);
	uint8_t tcp = 6, flags = 0x12, no_flags = 0, octets[200] = {0xab, 0xcd};
	char str[200] = "a\033[2J\xc3\xa9";
	struct ns_rec_field f = {.name = "x", .type = NS_REC_IP, .size = sizeof(ip)};

	is(&f, &ip, "192.0.2.1");
	is(&f, &none, "-");
	f = (struct ns_rec_field){.type = NS_REC_PREFIX, .size = sizeof(net)};
	is(&f, &net, "2001:db8::/32");
	f = (struct ns_rec_field){.type = NS_REC_TIME, .size = 8};
	is(&f, &time, "2023-11-14 22:13:20.123456789");
	f = (struct ns_rec_field){.type = NS_REC_PROTO, .size = 1};
	is(&f, &tcp, "tcp");
	f = (struct ns_rec_field){.type = NS_REC_TCP_FLAGS, .size = 1};
	is(&f, &flags, "SA");
	is(&f, &no_flags, "-");
	f = (struct ns_rec_field){.type = NS_REC_STR, .size = sizeof(str)};
	is(&f, str, "a?[2J??");
	memset(str, 'y', sizeof(str));
	is(&f, str, "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy..");
	str[46] = '\0';
	is(&f, str, "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
	f = (struct ns_rec_field){.type = NS_REC_BYTES, .size = 2};
	is(&f, octets, "abcd");
	f.size = sizeof(octets);
	is(&f, octets, "abcd0000000000000000000000000000000000000000..");
}

static void units(void)
{
	static const struct {
		struct ns_rec_field f;
		const char *unit;
	} cases[] = {
		{{.name = "estimate", .type = NS_REC_F64, .unit = "packets"}, "packets"},
		{{.name = "packets", .type = NS_REC_U64, .unit = "packets"}, NULL},
		{{.name = "rev_packets", .type = NS_REC_U64, .unit = "packets"}, NULL},
		{{.name = "estimate", .type = NS_REC_U64, .unit = "octets"}, NULL},
		{{.name = "size", .type = NS_REC_U64, .unit = "octets", .flags = NS_REC_KEY},
			"octets"},
		{{.name = "rtt", .type = NS_REC_F64, .unit = "ns"}, NULL},
		{{.name = "share", .type = NS_REC_F64, .unit = "%"}, "%"},
		{{.name = "packets_per_s", .type = NS_REC_F64, .unit = "packets/s"}, NULL},
		{{.name = "bits_per_s", .type = NS_REC_F64, .unit = "bit/s"}, NULL},
		{{.name = "bits_per_h", .type = NS_REC_F64, .unit = "bit/s"}, "bit/s"},
		{{.name = "flows_per_s", .type = NS_REC_F64, .unit = "bit/s"}, "bit/s"},
		{{.name = "rate", .type = NS_REC_F64, .unit = "bit/s"}, "bit/s"},
		{{.name = "rank", .type = NS_REC_U32, .unit = ""}, NULL},
		{{.name = "rank", .type = NS_REC_U32}, NULL},
		{{.name = "when", .type = NS_REC_TIME, .unit = "ns"}, NULL},
	};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		const char *unit = ns_cell_unit(&cases[i].f);

		CU_ASSERT((unit == NULL) == (cases[i].unit == NULL));
		CU_ASSERT(unit == NULL || strcmp(unit, cases[i].unit) == 0);
	}
}

NS_TEST_MAIN({"doubles", doubles}, {"integers", integers}, {"texts", texts}, {"units", units})
