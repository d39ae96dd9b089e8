/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_rec.h"

#include <ns_test.h>

#include <math.h>
#include <string.h>

/* A kind that has every type. */
struct sample {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int64_t i64;
	double f64;
	uint64_t time;
	struct ns_ip ip;
	uint8_t mac[6];
	char str[8];
	uint8_t proto;
	uint8_t flags;
	struct ns_vlans vlans;
	uint8_t bytes[4];
	uint32_t maybe;
	struct ns_prefix prefix;
	double known;
};

#define F(member, t, ...) \
	NS_REC_FIELD(struct sample, member, .name = #member, .type = t, ##__VA_ARGS__)

static const struct ns_rec_field fields[] = {
	F(u8, NS_REC_U8),
	F(u16, NS_REC_U16),
	F(u32, NS_REC_U32),
	F(u64, NS_REC_U64),
	F(i64, NS_REC_I64),
	F(f64, NS_REC_F64),
	F(time, NS_REC_TIME, .flags = NS_REC_EMPTY_ZERO),
	F(ip, NS_REC_IP),
	F(mac, NS_REC_MAC, .flags = NS_REC_EMPTY_ZERO),
	F(str, NS_REC_STR),
	F(proto, NS_REC_PROTO),
	F(flags, NS_REC_TCP_FLAGS),
	F(vlans, NS_REC_VLANS),
	F(bytes, NS_REC_BYTES, .flags = NS_REC_EMPTY_ZERO),
	F(maybe, NS_REC_U32, .flags = NS_REC_EMPTY_ZERO),
	F(prefix, NS_REC_PREFIX),
	F(known, NS_REC_F64, .flags = NS_REC_EMPTY_NAN),
};

static const struct ns_rec_kind sample = {.name = "sample",
	.version = 1,
	.size = sizeof(struct sample),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "every type",
	.ipfix_family_field = -1};
static const struct ns_rec_kind alpha = {.name = "alpha", .version = 1, .size = 1};
static const struct ns_rec_kind zulu = {.name = "zulu", .version = 1, .size = 1};

NS_REC_REGISTER(zulu)
NS_REC_REGISTER(sample)
NS_REC_REGISTER(alpha)

static const struct sample full = {.u8 = 255,
	.u16 = 65535,
	.u32 = 4294967295u,
	.u64 = UINT64_MAX,
	.i64 = INT64_MIN,
	.f64 = 0.1,
	.time = UINT64_C(1700000000123456789),
	.ip = {6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},
	.mac = {0, 0x1b, 0x21, 0xff, 0xab, 0x09},
	.str = {'a', ',', '"', '\n', '\xff', 'x', 'y', 'z'}, /* full: no zero at the end */
	.proto = 6,
	.flags = 0x13,
	.vlans = {2, {100, 200}},
	.bytes = {0xde, 0xad, 0, 1},
	.maybe = 7,
	.prefix = {{6, {0x20, 0x01, 0x0d, 0xb8}}, 32},
	.known = 1234.5};

static const struct sample empty = {.f64 = NAN, .known = NAN};

static char *text(const struct ns_rec_field *f, const void *rec)
{
	static char buf[256];

	*ns_rec_put_text(buf, f, rec) = '\0';
	return buf;
}

static void kinds(void)
{
	CU_ASSERT_PTR_EQUAL(ns_rec_next(NULL), &alpha);
	CU_ASSERT_PTR_EQUAL(ns_rec_next(&alpha), &sample);
	CU_ASSERT_PTR_EQUAL(ns_rec_next(&sample), &zulu);
	CU_ASSERT_PTR_NULL(ns_rec_next(&zulu));
	CU_ASSERT_PTR_EQUAL(ns_rec_find("zulu"), &zulu);
	CU_ASSERT_PTR_NULL(ns_rec_find("sampl"));
}

static void csv(void)
{
	char buf[2048];
	char *end = ns_rec_put_csv_head(buf, &sample);

	end = ns_rec_put_csv(end, &sample, &full);
	end = ns_rec_put_csv(end, &sample, &empty);
	*end = '\0';
	CU_ASSERT_STRING_EQUAL(buf,
		"u8,u16,u32,u64,i64,f64,time,ip,mac,str,proto,flags,vlans,bytes,maybe,"
		"prefix,known\n"
		"255,65535,4294967295,18446744073709551615,-9223372036854775808,0.1,"
		"1700000000123456789,2001:db8::1,00:1b:21:ff:ab:09,\"a,\"\"\n\xffxyz\",tcp,FSA,"
		"100.200,dead0001,7,2001:db8::/32,1234.5\n"
		"0,0,0,0,0,,,,,,hopopt,,,,,,\n");
}

static void json(void)
{
	char buf[2048];
	char *end = ns_rec_put_json_line(buf, &sample, &full);

	end = ns_rec_put_json_line(end, &sample, &empty);
	*end = '\0';
	CU_ASSERT_STRING_EQUAL(buf,
		"{\"kind\":\"sample\",\"u8\":255,\"u16\":65535,\"u32\":4294967295,"
		"\"u64\":18446744073709551615,\"i64\":-9223372036854775808,\"f64\":0.1,"
		"\"time\":1700000000123456789,\"ip\":\"2001:db8::1\",\"mac\":\"00:1b:21:ff:ab:09\","
		"\"str\":\"a,\\\"\\u000a\xef\xbf\xbdxyz\",\"proto\":\"tcp\",\"flags\":\"FSA\","
		"\"vlans\":\"100.200\",\"bytes\":\"dead0001\",\"maybe\":7,"
		"\"prefix\":\"2001:db8::/32\",\"known\":1234.5}\n"
		"{\"kind\":\"sample\",\"u8\":0,\"u16\":0,\"u32\":0,\"u64\":0,\"i64\":0,"
		"\"f64\":null,\"time\":null,\"ip\":null,\"mac\":null,\"str\":null,"
		"\"proto\":\"hopopt\",\"flags\":\"\",\"vlans\":null,\"bytes\":null,\"maybe\":null,"
		"\"prefix\":null,\"known\":null}\n");
}

static void absent(void)
{
	for (unsigned i = 0; i < sample.fields_n; i++) {
		const struct ns_rec_field *f = &fields[i];
		bool never = f->type <= NS_REC_I64 || f->type == NS_REC_PROTO ||
			     f->type == NS_REC_TCP_FLAGS;

		CU_ASSERT_FALSE(ns_rec_is_empty(f, &full));
		CU_ASSERT_EQUAL(
			ns_rec_is_empty(f, &empty), !never || (f->flags & NS_REC_EMPTY_ZERO) != 0);
	}
	struct sample s = empty;

	s.f64 = INFINITY;
	CU_ASSERT_TRUE(ns_rec_is_empty(&fields[5], &s));
	s.f64 = 0;
	CU_ASSERT_FALSE(ns_rec_is_empty(&fields[5], &s));
	s.ip.ver = 5;
	CU_ASSERT_TRUE(ns_rec_is_empty(&fields[7], &s));
	CU_ASSERT_STRING_EQUAL(text(&fields[7], &s), "");
}

static void integers(void)
{
	static const char *const want[] = {
		"u8", "u16", "u32", "u64", "i64", "time", "proto", "flags", "maybe"};
	static const uint64_t value[] = {255, 65535, 4294967295u, UINT64_MAX, (uint64_t)INT64_MIN,
		UINT64_C(1700000000123456789), 6, 0x13, 7};
	size_t n = 0;

	for (unsigned i = 0; i < sample.fields_n; i++) {
		uint64_t v = 1;

		if (!ns_rec_get_u64(&fields[i], &full, &v))
			continue;
		CU_ASSERT_FATAL(n < NS_ARRAY_LEN(want));
		CU_ASSERT_STRING_EQUAL(fields[i].name, want[n]);
		CU_ASSERT_EQUAL(v, value[n]);
		n++;
	}
	CU_ASSERT_EQUAL(n, NS_ARRAY_LEN(want));
}

static void flags(void)
{
	struct sample s = empty;

	s.flags = 0xff;
	CU_ASSERT_STRING_EQUAL(text(&fields[11], &s), "FSRPAUEC");
	for (unsigned i = 0; i < 8; i++) {
		char want[2] = {"FSRPAUEC"[i], '\0'};

		s.flags = (uint8_t)(1u << i);
		CU_ASSERT_STRING_EQUAL(text(&fields[11], &s), want);
	}
}

static void vlans(void)
{
	struct sample s = empty;

	s.vlans = (struct ns_vlans){1, {4095, 7}};
	CU_ASSERT_STRING_EQUAL(text(&fields[12], &s), "4095");
	s.vlans = (struct ns_vlans){2, {0, 0}};
	CU_ASSERT_STRING_EQUAL(text(&fields[12], &s), "0.0");
	/* a count that can't be is cut, not believed */
	s.vlans = (struct ns_vlans){999, {1, 2}};
	CU_ASSERT_STRING_EQUAL(text(&fields[12], &s), "1.2");
}

static void addresses(void)
{
	struct sample s = empty;

	s.ip = (struct ns_ip){4, {192, 0, 2, 1}};
	CU_ASSERT_STRING_EQUAL(text(&fields[7], &s), "192.0.2.1");
	s.ip = (struct ns_ip){4, {0}};
	CU_ASSERT_STRING_EQUAL(text(&fields[7], &s), "0.0.0.0");
	CU_ASSERT_FALSE(ns_rec_is_empty(&fields[7], &s));
	s.ip = (struct ns_ip){6, {0}};
	CU_ASSERT_STRING_EQUAL(text(&fields[7], &s), "::");
}

static void prefixes(void)
{
	static const struct {
		struct ns_prefix v;
		const char *want;
	} cases[] = {{{{4, {10, 1, 2, 0}}, 24}, "10.1.2.0/24"}, {{{4, {0}}, 0}, "0.0.0.0/0"},
		{{{4, {192, 0, 2, 1}}, 32}, "192.0.2.1/32"}, {{{6, {0}}, 0}, "::/0"},
		{{{6, {0x20, 0x01, 0x0d, 0xb8}}, 48}, "2001:db8::/48"},
		/* a length that can't be is cut, not believed */
		{{{4, {10}}, 200}, "10.0.0.0/32"}, {{{6, {0xfe, 0x80}}, 255}, "fe80::/128"},
		{{{0, {10}}, 8}, ""}, {{{5, {10}}, 8}, ""}};
	struct sample s = empty;

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		char buf[64];

		s.prefix = cases[i].v;
		CU_ASSERT_STRING_EQUAL(text(&fields[15], &s), cases[i].want);
		CU_ASSERT_EQUAL(ns_rec_is_empty(&fields[15], &s), cases[i].want[0] == '\0');
		*ns_put_prefix(buf, &cases[i].v) = '\0';
		CU_ASSERT_STRING_EQUAL(buf, cases[i].want);
	}
}

/* A double that is not finite has no text anywhere, whether its field expects it or not. */
static void not_finite(void)
{
	static const double bad[] = {NAN, -NAN, INFINITY, -INFINITY};
	struct sample s = full;

	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++) {
		static const unsigned reals[] = {5, 16};

		s.f64 = s.known = bad[i];
		for (size_t k = 0; k < NS_ARRAY_LEN(reals); k++) {
			char buf[64];

			CU_ASSERT_TRUE(ns_rec_is_empty(&fields[reals[k]], &s));
			CU_ASSERT_STRING_EQUAL(text(&fields[reals[k]], &s), "");
			*ns_rec_put_json(buf, &fields[reals[k]], &s) = '\0';
			CU_ASSERT_STRING_EQUAL(buf, "null");
		}
	}
	/* nothing but the NaN is absent: zero is a value */
	s.known = 0;
	CU_ASSERT_FALSE(ns_rec_is_empty(&fields[16], &s));
	CU_ASSERT_STRING_EQUAL(text(&fields[16], &s), "0");
}

static void reals(void)
{
	static const struct {
		double v;
		const char *want;
	} cases[] = {{0, "0"}, {-0.0, "0"}, {1, "1"}, {-2.5, "-2.5"}, {1e-300, "1e-300"},
		{1.0 / 3, "0.3333333333333333"}, {1e22, "1e+22"},
		{123456789012.5, "123456789012.5"},
		{1.7976931348623157e308, "1.7976931348623157e+308"}, {5e-324, "5e-324"},
		{1e-310, "1e-310"}, {2.2250738585072014e-308, "2.2250738585072014e-308"},
		{0.3, "0.3"}, {0.1 + 0.2, "0.30000000000000004"}};
	struct sample s = empty;

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		s.f64 = cases[i].v;
		CU_ASSERT_STRING_EQUAL(text(&fields[5], &s), cases[i].want);
		CU_ASSERT_EQUAL(strtod(text(&fields[5], &s), NULL), cases[i].v);
	}
	uint64_t x = 88172645463325252u;

	for (int i = 0; i < 100000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(&s.f64, &x, sizeof(x));
		if (isfinite(s.f64) && strtod(text(&fields[5], &s), NULL) != s.f64)
			CU_FAIL("a double does not read back");
	}
}

static void quoting(void)
{
	static const char *const cases[][2] = {{"", ""}, {"plain", "plain"}, {" sp ", " sp "},
		{"a,b", "\"a,b\""}, {"\"", "\"\"\"\""}, {"a\rb", "\"a\rb\""}, {"\n", "\"\n\""},
		{"\"\"\"\"\"\"\"\"", "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""}};
	static const struct ns_rec_kind one = {
		.name = "one", .size = sizeof(struct sample), .fields = &fields[9], .fields_n = 1};
	struct sample s = empty;

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		char buf[64], want[64];

		memset(s.str, 0, sizeof(s.str));
		memcpy(s.str, cases[i][0], strlen(cases[i][0]));
		*ns_rec_put_csv(buf, &one, &s) = '\0';
		snprintf(want, sizeof(want), "%s\n", cases[i][1]);
		CU_ASSERT_STRING_EQUAL(buf, want);
	}
}

/* The longest that each output can get stays within ns_rec_line_max(). */
static void bound(void)
{
	size_t max = ns_rec_line_max(&sample);
	struct sample s = full;
	char *exact = malloc(max);

	CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
	memset(s.str, 1, sizeof(s.str)); /* six octets each as JSON */
	s.f64 = -2.2250738585072014e-308;
	s.ip = (struct ns_ip){6, {0x1f, 0xff, 0x2f, 0xff, 0x3f, 0xff, 0x4f, 0xff, 0x5f, 0xff, 0x6f,
					 0xff, 0x7f, 0xff, 0x8f, 0xff}};
	s.proto = 134;
	s.flags = 0xff;
	s.vlans = (struct ns_vlans){2, {65535, 65535}};
	s.prefix = (struct ns_prefix){s.ip, 128};
	s.known = s.f64;
	CU_ASSERT((size_t)(ns_rec_put_json_line(exact, &sample, &s) - exact) <= max);
	memset(s.str, '"', sizeof(s.str));
	CU_ASSERT((size_t)(ns_rec_put_csv(exact, &sample, &s) - exact) <= max);
	CU_ASSERT((size_t)(ns_rec_put_csv_head(exact, &sample) - exact) <= max);
	free(exact);
}

/* A batch is an array of octets: records need not be aligned. */
static void unaligned(void)
{
	uint8_t raw[sizeof(struct sample) + 1];
	char a[1024], b[1024];

	memcpy(raw + 1, &full, sizeof(full));
	*ns_rec_put_json_line(a, &sample, &full) = '\0';
	*ns_rec_put_json_line(b, &sample, raw + 1) = '\0';
	CU_ASSERT_STRING_EQUAL(a, b);
}

NS_TEST_MAIN({"kinds in order of name", kinds}, {"csv", csv}, {"json", json}, {"absent", absent},
	{"integers", integers}, {"tcp flags", flags}, {"vlans", vlans}, {"addresses", addresses},
	{"prefixes", prefixes}, {"not finite", not_finite}, {"reals", reals}, {"quoting", quoting},
	{"bound", bound}, {"unaligned", unaligned})
