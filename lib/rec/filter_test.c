/* SPDX-License-Identifier: BSD-3-Clause */
/* What expressions mean, by type of field; what is refused, and where; what is offered. */
#include "ns_test.h"
#include "ns_test_rec.h"

#include <ns_rec_filter.h>

/* A kind like flows. */
struct flow {
	struct ns_ip src_ip, dst_ip, outer;
	uint16_t src_port, dst_port, port;
	uint8_t proto, tcp_flags, rev_tcp_flags;
	uint64_t packets, tcp_rtt_ns;
	struct ns_prefix net6;
};

#define F(member, t, ...) \
	NS_REC_FIELD(struct flow, member, .name = #member, .type = t, ##__VA_ARGS__)
static const struct ns_rec_field flow_fields[] = {
	F(src_ip, NS_REC_IP, .flags = NS_REC_KEY),
	F(dst_ip, NS_REC_IP, .flags = NS_REC_KEY),
	F(outer, NS_REC_IP),
	F(src_port, NS_REC_U16),
	F(dst_port, NS_REC_U16),
	F(port, NS_REC_U16),
	F(proto, NS_REC_PROTO),
	F(tcp_flags, NS_REC_TCP_FLAGS),
	F(rev_tcp_flags, NS_REC_TCP_FLAGS),
	F(packets, NS_REC_U64, .unit = "packets"),
	F(tcp_rtt_ns, NS_REC_U64, .unit = "ns", .flags = NS_REC_EMPTY_ZERO),
	F(net6, NS_REC_PREFIX),
};
static const struct ns_rec_kind flow_kind = {.name = "flowlike",
	.size = sizeof(struct flow),
	.fields = flow_fields,
	.fields_n = NS_ARRAY_LEN(flow_fields),
	.ipfix_family_field = -1};

static const struct flow web = {
	.src_ip = {4, {10, 1, 2, 3}},
	.dst_ip = {4, {192, 0, 2, 80}},
	.outer = {4, {172, 16, 0, 1}},
	.src_port = 50000,
	.dst_port = 443,
	.port = 7,
	.proto = 6,
	.tcp_flags = 0x1a,
	.rev_tcp_flags = 0x12,
	.packets = 1500,
	.tcp_rtt_ns = 20000000,
	.net6 = {{6, {0x20, 0x01, 0x0d, 0xb8, 0x12}}, 40},
};

/* 1, 0, or -1 where it is refused. */
static int asks(const struct ns_rec_kind *k, const void *rec, const char *text)
{
	struct ns_err e = {""};
	struct ns_rec_filter *f = ns_rec_filter_create(k, text, &e);
	int rc;

	if (f == NULL) {
		printf("%s: %s ", text, e.text);
		return -1;
	}
	rc = ns_rec_filter_match(f, rec);
	ns_rec_filter_destroy(f);
	return rc;
}

struct says {
	const char *text;
	int means;
};

static void all(const struct ns_rec_kind *k, const void *rec, const struct says *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = asks(k, rec, s[i].text);

		if (rc != s[i].means)
			printf("\n\"%s\" is %d ", s[i].text, rc);
		CU_ASSERT_EQUAL(rc, s[i].means);
	}
}

static void of_flows(void)
{
	static const struct says says[] = {
		{"src 10.0.0.0/8 and dst_port 443 and packets > 100", 1},
		{"src 10.0.0.0/8 and dst_port 443 and packets > 1500", 0},
		{"src_ip=10.1.2.3&&dst_ip==192.0.2.80", 1},
		{"src_ip != 10.1.2.3", 0},
		{"dst 10.0.0.0/8", 0},
		{"host 10.1.2.3", 1},
		{"host 192.0.2.80", 1},
		{"host 172.16.0.1", 0}, /* no part of the key */
		{"outer 172.16.0.0/12", 1},
		{"net 192.0.2.64/26", 1},
		{"net 192.0.2.0/26", 0},
		{"host != 192.0.2.80", 0},
		{"not net 2001:db8::/32", 1},
		{"host 0.0.0.0/0", 1},
		{"host ::/0", 0},
		{"port 443", 1},
		{"port 50000", 1},
		{"port 7", 0},
		{"input 7", 1},
		{"src port 443", 0},
		{"dst port 443", 1},
		{"src host 10.1.2.3 and dst net 192.0.2.0/24", 1},
		{"src net 10.1.2.0/24 or dst port > 500", 1},
		{"tcp", 1},
		{"udp or proto 6", 1},
		{"proto tcp", 1},
		{"proto = udp", 0},
		{"proto != udp", 1},
		{"rtt >= 20ms and rtt < 21ms", 1},
		{"tcp_rtt = 20000us", 1},
		{"tcp_rtt_ns > 1s", 0},
		{"flags S", 0},
		{"flags SA", 1},
		{"flags ~ S and tcp_flags ~ P", 1},
		{"rev_tcp_flags ~ P", 0},
		{"packets >= 1k and packets <= 0x5dc and packets < 2Ki", 1},
		{"net6 2001:db8::/32", 1},
		{"net6 2001:db8:1200::/40", 1},
		{"net6 2001:db8:1200::/41", 0},
		{"net6 2001:db8:1200::1", 0},
	};

	all(&flow_kind, &web, says, NS_ARRAY_LEN(says));
}

static void precedence(void)
{
	static const struct says says[] = {
		{"tcp or tcp and udp", 1},
		{"(tcp or tcp) and udp", 0},
		{"not udp and tcp", 1},
		{"not (udp and tcp)", 1},
		{"not (tcp or udp)", 0},
		{"not not tcp", 1},
		{"! ! ! tcp", 0},
		{"!(udp||icmp)&&((tcp))", 1},
		{"udp and tcp or icmp or not udp and tcp", 1},
		{"udp and (tcp or icmp or not udp) and tcp", 0},
		{"\ttcp\n", 1},
	};

	all(&flow_kind, &web, says, NS_ARRAY_LEN(says));
}

/* A record with a value of each type. */
static void of_types(void)
{
	static const struct ns_test_rec rec = {.u8 = 200,
		.u16 = 60000,
		.u32 = 4000000000,
		.u64 = UINT64_MAX,
		.i64 = -5,
		.f64 = 0.25,
		.time = UINT64_C(1769860800) * 1000000000, /* 2026-01-31T12:00:00 */
		.ip = {6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},
		.mac = {0, 0x11, 0x22, 0xaa, 0xbb, 0xcc},
		.str = {'a', ' ', 'b', '.', 'c', 'o', 'm', '!'}, /* full */
		.proto = 17,
		.flags = 0x12,
		.vlans = {2, {100, 200}},
		.bytes = {0xde, 0xad, 0xbe, 0xef}};
	static const struct says says[] = {
		{"u8 200 and u16 60k and u32 4G and u64 18446744073709551615", 1},
		{"u64 > 18446744073709551614 and u32 > 3999999999", 1},
		{"i64 -5 and i64 < 0 and i64 > -6 and i64 <= 9223372036854775807", 1},
		{"i64 > -5", 0},
		{"f64 0.25 and f64 < 2.6e-1 and f64 >= 25e-2", 1},
		{"f64 > .25", 0},
		{"time 2026-01-31T12:00:00", 1},
		{"time > 2026-01-31 and time < 2026-01-31T12:00:01Z", 1},
		{"time >= 1769860800000000000", 1},
		{"ip 2001:db8::1 and ip 2001:0DB8::/127 and host 2001:db8::0/126", 1},
		{"ip != 2001:db8::1", 0},
		{"mac 00:11:22:AA:bb:cc", 1},
		{"mac != 00:11:22:AA:bb:cd", 1},
		{"str 'a b.com!'", 1},
		{"str = \"a b.com\"", 0},
		{"str ~ b.co and str ~ \" \" and str ~ 'm!' and str ~ ''", 1},
		{"str ~ bb", 0},
		{"proto udp and proto 17 and udp", 1},
		{"flags SA and flags 18 and flags ~ A and flags ~ SA", 1},
		{"flags A or flags ~ SAF", 0},
		{"vlans 100 and vlans 200 and vlans 100.200", 1},
		{"vlans 300 or vlans 200.100", 0},
		{"bytes DEADbeef", 1},
		{"bytes deadbeee", 0},
		{"maybe", 0},
		{"maybe = 0 or maybe < 5 or maybe >= 0", 0}, /* not known: neither */
		{"maybe != 3", 1},
		{"u8 and i64 and f64 and ip and mac and str and vlans and bytes and time", 1},
	};

	all(&ns_test_flow, &rec, says, NS_ARRAY_LEN(says));
}

static void absent(void)
{
	static const struct ns_test_rec rec = {.f64 = NAN};
	static const struct says says[] = {
		{"u8 or ip or mac or str or vlans or bytes or time or f64 or flags", 0},
		{"u8 = 0 and u8 < 1", 1},
		{"ip 0.0.0.0/0 or ip ::/0 or mac 00:00:00:00:00:00 or vlans 0 or time < 5", 0},
		{"f64 < 1 or f64 >= 1 or f64 = 0", 0},
		{"f64 != 1 and ip != 1.2.3.4 and str != x", 1},
		{"str ''", 1},
	};

	all(&ns_test_flow, &rec, says, NS_ARRAY_LEN(says));
	CU_ASSERT_EQUAL(asks(&ns_test_flow, &ns_test_recs[1], "maybe or not maybe"), 1);
}

static void refused(void)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "column 1, where the filter ends: here the name of a field is to be"},
		{"tcp and", "column 8, where the filter ends: here the name"},
		{"packest > 5",
			"column 1, \"packest\": no such field; there are host, net, src, dst, "
			"input, rtt, flags, src_ip,"},
		{"tcp and (udp or icmp",
			"column 21, where the filter ends: here \"and\", \"or\" or"},
		{"tcp)", "column 4, \")\": here \"and\" or \"or\" is to be"},
		{"dst_port 70000", "column 10, \"70000\": dst_port is a whole number up to 65535"},
		{"dst_port =", "column 11, where the filter ends: here a value is to be"},
		{"packets > > 5", "column 11, \">\": here a value is to be"},
		{"packets 5 6", "column 11, \"6\": here \"and\" or \"or\" is to be"},
		{"src < 10.0.0.1", "column 5, \"<\": src_ip is an address, which this does not"},
		{"src 10.0.0.1/33", "src_ip is an address or prefix"},
		{"src 10.0.0.1/", "src_ip is an address or prefix"},
		{"src 10.0.0", "src_ip is an address or prefix"},
		{"src /8", "src_ip is an address or prefix"},
		{"rtt > 5 minutes", "column 9, \"minutes\": here \"and\""},
		{"rtt > 5x", "column 7, \"5x\": tcp_rtt_ns is a duration, as 10ms"},
		{"packets > 5ms", "packets is a whole number, as 10, 0x1f"},
		{"packets > -5", "packets is a whole number"},
		{"packets 99999999999999999999", "packets is a whole number"},
		{"packets 99999999999999T", "packets is a whole number"},
		{"packets ~ 5",
			"column 9, \"~\": packets is a number, which this does not compare"},
		{"proto http", "proto is a protocol"},
		{"tcp & udp", "column 5, \"&\": here \"and\""},
		{"flags SX", "letters of FSRPAUEC"},
		{"'tcp'", "column 1, \"tcp\": here the name of a field"},
		{"packets '5", "column 9, \"'5\": here \"and\" or \"or\""},
		{"'tcp", "the quote is not closed"},
		{"not", "column 4, where the filter ends"},
		{"src host", "column 9, where"},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		struct ns_err e = {""};
		struct ns_rec_filter *f = ns_rec_filter_create(&flow_kind, bad[i].text, &e);

		if (i == NS_ARRAY_LEN(bad) - 1) { /* "src host" alone: there is an address */
			CU_ASSERT_PTR_NOT_NULL(f);
			ns_rec_filter_destroy(f);
			continue;
		}
		CU_ASSERT_PTR_NULL(f);
		CU_ASSERT_EQUAL(errno, EINVAL);
		if (strstr(e.text, bad[i].why) == NULL)
			printf("\n\"%s\": %s ", bad[i].text, e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].why));
		ns_rec_filter_destroy(f);
	}
}

static void refused_types(void)
{
	static const char *const bad[] = {"mac 00:11:22:aa:bb", "mac 00-11-22-aa-bb-cc",
		"mac 00:11:22:aa:bb:cg", "bytes dead", "bytes deadbeeg", "vlans 5000",
		"vlans 1.2.3", "vlans 1.", "time 2026-02-30", "time 2026-1-30",
		"time 2026-01-31T25:00:00", "f64 inf", "f64 0x10", "f64 1e999",
		"i64 9223372036854775808", "i64 -9223372036854775809", "u8 256", "u8 08x",
		"u32 4294967296", "i64 --5", "str > a", "u8 0x", "f64 ''", "u8 ''"};

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		struct ns_err e = {""};
		struct ns_rec_filter *f = ns_rec_filter_create(&ns_test_flow, bad[i], &e);

		if (f != NULL)
			printf("\n\"%s\" is taken ", bad[i]);
		CU_ASSERT_PTR_NULL(f);
		ns_rec_filter_destroy(f);
	}
}

/* n times this, and then that. */
static char *many(const char *one, unsigned n, const char *last)
{
	char *text = calloc(n + 1, strlen(one) + strlen(last) + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (unsigned i = 0; i < n; i++)
		strcat(text, one);
	return strcat(text, last);
}

static void bounds(void)
{
	static const struct {
		const char *one, *last;
		unsigned most;
	} at[] = {{"(", "tcp", NS_REC_FILTER_DEPTH}, {"not ", "tcp", NS_REC_FILTER_DEPTH},
		{"tcp and ", "tcp", NS_REC_FILTER_TESTS - 1},
		{"not tcp or ", "tcp", NS_REC_FILTER_TESTS - 1},
		{"port 443 and ", "tcp", (NS_REC_FILTER_TESTS - 1) / 2}};

	for (unsigned i = 0; i < NS_ARRAY_LEN(at); i++) {
		char *much = many(at[i].one, at[i].most + 1, at[i].last);
		char *fits = many(at[i].one, at[i].most, at[i].last);
		struct ns_err e = {""};

		CU_ASSERT_PTR_NULL(ns_rec_filter_create(&flow_kind, much, &e));
		CU_ASSERT_EQUAL(errno, E2BIG);
		CU_ASSERT_NOT_EQUAL(strlen(e.text), 0);
		if (i > 0)
			CU_ASSERT_EQUAL(asks(&flow_kind, &web, fits), 1);
		free(much);
		free(fits);
	}
}

static void reads(void)
{
	struct ns_rec_filter *f = ns_rec_filter_create(&flow_kind, "tcp and port 4", NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(ns_rec_filter_reads(f, "proto"));
	CU_ASSERT_TRUE(ns_rec_filter_reads(f, "src_port"));
	CU_ASSERT_TRUE(ns_rec_filter_reads(f, "dst_port"));
	CU_ASSERT_FALSE(ns_rec_filter_reads(f, "port"));
	ns_rec_filter_destroy(f);
	ns_rec_filter_destroy(NULL);
}

static void put(void *ctx, const char *word)
{
	strcat(strcat(ctx, word), " ");
}

static const char *offered(const char *a, const char *b, const char *c, const char *d)
{
	static char said[1024];
	const char *words[] = {a, b, c, d};
	unsigned n = 1;

	while (n < 4 && words[n] != NULL)
		n++;
	said[0] = '\0';
	ns_rec_filter_offer(&flow_kind, words, n, put, said);
	return said;
}

static void offers(void)
{
	CU_ASSERT_STRING_EQUAL(offered("pa", NULL, NULL, NULL), "packets ");
	CU_ASSERT_STRING_EQUAL(offered("src", NULL, NULL, NULL), "src src_ip src_port ");
	CU_ASSERT_STRING_EQUAL(offered("((n", NULL, NULL, NULL), "((net ((net6 ((not ");
	CU_ASSERT_STRING_EQUAL(offered("packets", "", NULL, NULL), "= != < <= > >= and or ");
	CU_ASSERT_STRING_EQUAL(offered("packets", ">", "", NULL), "");
	CU_ASSERT_STRING_EQUAL(offered("packets", ">", "5", ""), "and or ");
	CU_ASSERT_STRING_EQUAL(offered("(packets", ">", "5", ""), "and or ) ");
	CU_ASSERT_STRING_EQUAL(offered("proto", "=", "u", NULL), "udp ");
	CU_ASSERT_STRING_EQUAL(offered("proto", "t", NULL, NULL), "tcp ");
	CU_ASSERT_STRING_EQUAL(offered("src", "", NULL, NULL), "= != host net port and or ");
	CU_ASSERT_STRING_EQUAL(offered("src", "port", "", NULL), "= != host net port and or ");
	CU_ASSERT_STRING_EQUAL(offered("tcp", "an", NULL, NULL), "and ");
	CU_ASSERT_STRING_EQUAL(offered("tcp", "and", "dst_", NULL), "dst_ip dst_port ");
	CU_ASSERT_STRING_EQUAL(offered("host", "1.2.3.4", "or", "tc"), "tcp_flags tcp_rtt_ns tcp ");
	CU_ASSERT_STRING_EQUAL(offered("=", "", NULL, NULL), "");
	CU_ASSERT_STRING_EQUAL(offered("nonsense", "foo", "", NULL), "and or ");
}

NS_TEST_MAIN({"of flows", of_flows}, {"precedence", precedence}, {"of types", of_types},
	{"absent", absent}, {"refused", refused}, {"refused, by type", refused_types},
	{"bounds", bounds}, {"reads", reads}, {"offers", offers})
