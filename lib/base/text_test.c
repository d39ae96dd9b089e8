/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_test.h>
#include <ns_text.h>

#include <arpa/inet.h>
#include <inttypes.h>

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* One assertion for a run of many, so that a failure names the value and not the loop. */
static void same(const char *got, const char *want)
{
	if (strcmp(got, want) != 0) {
		fprintf(stderr, "got \"%s\", want \"%s\"\n", got, want);
		CU_FAIL("text differs");
	}
}

static void check_u64(uint64_t v)
{
	char got[32], want[32];

	*ns_put_u64(got, v) = '\0';
	snprintf(want, sizeof(want), "%" PRIu64, v);
	same(got, want);
	*ns_put_i64(got, (int64_t)v) = '\0';
	snprintf(want, sizeof(want), "%" PRId64, (int64_t)v);
	same(got, want);
	/* may write behind its text, but never behind the longest */
	snprintf(want, sizeof(want), "%" PRIu64, v);
	memset(got, 'x', sizeof(got));
	char *end = ns_put_u64_wide(got, v);

	CU_ASSERT_FATAL(got[20] == 'x' && got[31] == 'x');
	*end = '\0';
	same(got, want);
}

static void octets(void)
{
	for (unsigned v = 0; v < 256; v++) {
		char got[8] = "xxxxxxx", want[8];

		snprintf(want, sizeof(want), "%u", v);
		char *end = ns_put_octet_wide(got, (uint8_t)v);

		CU_ASSERT(got[4] == 'x');
		*end = '\0';
		same(got, want);
	}
}

/* Every value of every octet; and no more is written than the longest address has. */
static void dotted_quads(void)
{
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t a[4];
		char got[16], want[16];
		uint32_t v = (uint32_t)rnd();

		memcpy(a, &v, sizeof(a));
		if (i < 1024) {
			memset(a, 255, sizeof(a));
			a[i / 256] = (uint8_t)i;
		}
		memset(got, 'x', sizeof(got));
		char *end = ns_put_ipv4(got, a);

		CU_ASSERT_FATAL(got[15] == 'x');
		*end = '\0';
		snprintf(want, sizeof(want), "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
		same(got, want);
	}
}

/* Groups of every length in every place, against the C library (which agrees but for "::" of 1). */
static void groups(void)
{
	for (unsigned i = 0; i < 200000; i++) {
		struct in6_addr a;
		char got[48], want[INET6_ADDRSTRLEN];

		for (unsigned g = 0; g < 8; g++) {
			unsigned v = (unsigned)(rnd() & 0xffff) >> (rnd() & 15);

			/* glibc writes ::1.2.3.4 for what RFC 5952 has as hexadecimal: keep away */
			v |= g == 0;
			a.s6_addr[2 * g] = (uint8_t)(v >> 8);
			a.s6_addr[2 * g + 1] = (uint8_t)v;
		}
		memset(got, 'x', sizeof(got));
		char *end = ns_put_ipv6(got, a.s6_addr);

		CU_ASSERT_FATAL(got[45] == 'x');
		*end = '\0';
		CU_ASSERT_PTR_NOT_NULL_FATAL(inet_ntop(AF_INET6, &a, want, sizeof(want)));
		same(got, want);
	}
}

static void numbers(void)
{
	uint64_t ten = 1;

	for (uint64_t v = 0; v < 20000; v++)
		check_u64(v);
	for (int i = 0; i < 20; i++, ten *= 10) {
		check_u64(ten);
		check_u64(ten - 1);
		check_u64(ten + 1);
	}
	for (int shift = 0; shift < 64; shift++) {
		check_u64(UINT64_C(1) << shift);
		check_u64((UINT64_C(1) << shift) - 1);
		check_u64(-(UINT64_C(1) << shift));
	}
	check_u64(UINT64_MAX);
	check_u64((uint64_t)INT64_MIN);
	for (int i = 0; i < 100000; i++)
		check_u64(rnd() >> (rnd() & 63));
}

static void hex(void)
{
	char got[520];
	uint8_t all[256];

	for (unsigned i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	CU_ASSERT_PTR_EQUAL(ns_put_hex(got, all, 0), got);
	char *end = ns_put_hex(got, all, sizeof(all));

	*end = '\0';
	CU_ASSERT_EQUAL(end - got, 512);
	for (unsigned i = 0; i < 256; i++) {
		char want[3];

		snprintf(want, sizeof(want), "%02x", i);
		CU_ASSERT(memcmp(got + 2 * i, want, 2) == 0);
	}
}

static void ipv4(void)
{
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t r = i < 65536 ? (uint64_t)i << 16 | (uint64_t)(i ^ 0x5aa5) : rnd();
		uint8_t a[4] = {
			(uint8_t)(r >> 24), (uint8_t)(r >> 16), (uint8_t)(r >> 8), (uint8_t)r};
		char got[32], want[32];

		*ns_put_ipv4(got, a) = '\0';
		same(got, inet_ntop(AF_INET, a, want, sizeof(want)));
	}
}

/*
 * glibc's inet_ntop() follows RFC 5952 but for the "IPv4-compatible" block ::/96, which it writes
 * with a dotted quad; RFC 5952, 5 asks for that only where the prefix says so (::ffff:0:0/96).
 */
static bool is_v4_compatible(const uint8_t a[16])
{
	static const uint8_t zero[12];

	return memcmp(a, zero, sizeof(zero)) == 0;
}

static void check_ipv6(const uint8_t a[16])
{
	char got[64], want[64];
	uint8_t back[16];

	*ns_put_ipv6(got, a) = '\0';
	CU_ASSERT(strlen(got) <= 45);
	CU_ASSERT(inet_pton(AF_INET6, got, back) == 1 && memcmp(a, back, 16) == 0);
	if (!is_v4_compatible(a))
		same(got, inet_ntop(AF_INET6, a, want, sizeof(want)));
}

static void ipv6(void)
{
	/* every pattern of zero and non-zero groups, with groups of one to four digits */
	for (unsigned mask = 0; mask < 256; mask++) {
		for (unsigned v = 0; v < 4; v++) {
			uint8_t a[16] = {0};

			for (unsigned g = 0; g < 8; g++) {
				unsigned x = (mask >> g & 1) ? 0x1234u >> 4 * ((v + g) % 4) : 0;

				a[2 * g] = (uint8_t)(x >> 8);
				a[2 * g + 1] = (uint8_t)x;
			}
			check_ipv6(a);
		}
	}
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t a[16];
		uint64_t keep = rnd(), x = rnd(), y = rnd();

		memcpy(a, &x, 8);
		memcpy(a + 8, &y, 8);
		for (unsigned b = 0; b < 16; b++) {
			if ((keep >> b & 1) == 0)
				a[b] = 0;
		}
		check_ipv6(a);
	}
}

static void rfc5952(void)
{
	/* what goes in, and what section 4 and 5 of the RFC want of it */
	static const char *const cases[][2] = {
		{"2001:0db8::0001", "2001:db8::1"},
		{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:DB8::ABCD", "2001:db8::abcd"},
		{"0:0:0:0:0:0:0:0", "::"},
		{"0:0:0:0:0:0:0:1", "::1"},
		{"1:0:0:0:0:0:0:0", "1::"},
		{"fe80:0:0:0:1:0:0:0", "fe80::1:0:0:0"},
		{"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
		{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
		{"0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
		{"::192.0.2.1", "::c000:201"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		uint8_t a[16];
		char got[64];

		CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, cases[i][0], a), 1);
		*ns_put_ipv6(got, a) = '\0';
		same(got, cases[i][1]);
	}
}

/* RFC 4648, 10. */
static void base64(void)
{
	static const char *const cases[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}, {"\xff\xef\xbe\xff", "/+++/w=="}};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		char got[32];

		*ns_put_base64(got, (const uint8_t *)cases[i][0], strlen(cases[i][0])) = '\0';
		same(got, cases[i][1]);
	}
}

static void json_is(const char *in, size_t n, const char *want)
{
	char got[256];
	char *end = ns_put_json(got, in, n);

	CU_ASSERT((size_t)(end - got) <= 6 * n);
	*end = '\0';
	same(got, want);
}

#define BAD "\xef\xbf\xbd"

static void json(void)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"", ""},
		{"plain /text", "plain /text"},
		{"\"\\", "\\\"\\\\"},
		{"\n\t\x7f", "\\u000a\\u0009\\u007f"},
		{"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
			"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"}, /* U+10FFFF, the last */
		{"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* beyond it */
		{"\xed\x9f\xbf\xee\x80\x80",
			"\xed\x9f\xbf\xee\x80\x80"}, /* around the surrogates */
		{"\xed\xa0\x80", BAD BAD BAD}, /* a surrogate */
		{"\xc0\x80", BAD BAD}, /* overlong zero */
		{"\xc1\xbf", BAD BAD}, /* overlong */
		{"\xe0\x9f\xbf", BAD BAD BAD}, /* overlong */
		{"\xf0\x8f\xbf\xbf", BAD BAD BAD BAD}, /* overlong */
		{"\xe2\x82", BAD BAD}, /* ends too early */
		{"\xe2\x82x", BAD BAD "x"}, /* goes on wrongly */
		{"\x80", BAD}, /* begins in the middle */
		{"\xff\xfe", BAD BAD},
		{"a\xf8\x88\x80\x80\x80z", "a" BAD BAD BAD BAD BAD "z"},
	};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++)
		json_is(cases[i].in, strlen(cases[i].in), cases[i].want);
	json_is("a\0b", 3, "a\\u0000b");
	/* n ends the string, not what lies behind it */
	json_is("\xe2\x82\xac", 2, BAD BAD);
	json_is("ab\"", 2, "ab");
}

static void utf8(void)
{
	static const char
		in[] = "a\xe2\x82\xac\xff\xc3\xe2\x82z\0",
		want[] = "a\xe2\x82\xac\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\0";
	char got[3 * sizeof(in)];
	char *end = ns_put_utf8(got, in, sizeof(in) - 1);

	CU_ASSERT_EQUAL(end - got, (ptrdiff_t)sizeof(want) - 1);
	CU_ASSERT_EQUAL(memcmp(got, want, sizeof(want) - 1), 0);
}

/* The lines that a text becomes, with "|" between them. */
static void lines_are(const char *text, size_t room, const char *want)
{
	char got[200] = "";

	do {
		size_t n = ns_text_fit(text, room);

		CU_ASSERT_FATAL(n <= room && (n > 0 || *text == '\0'));
		strncat(got, text, n);
		text = ns_text_next(text, n);
		strcat(got, *text != '\0' ? "|" : "");
	} while (*text != '\0');
	CU_ASSERT_STRING_EQUAL(got, want);
}

static void fit(void)
{
	lines_are("", 5, "");
	lines_are("abc", 3, "abc");
	lines_are("ab cd ef", 5, "ab cd|ef");
	lines_are("ab cd ef", 4, "ab|cd|ef");
	lines_are("ab   cd", 4, "ab|cd");
	lines_are("abcdefgh ij", 3, "abc|def|gh|ij");
	lines_are("ab cd ", 100, "ab cd ");
	lines_are("ab cd", SIZE_MAX, "ab cd");
}

NS_TEST_MAIN({"numbers", numbers}, {"octets", octets}, {"dotted quads", dotted_quads},
	{"groups", groups}, {"hex", hex}, {"ipv4", ipv4}, {"ipv6", ipv6}, {"rfc 5952", rfc5952},
	{"base64", base64}, {"json", json}, {"utf8", utf8}, {"fit", fit})
