/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Made-up record kinds for tests of writers: "flow" has a field of every type, "alert" is another
 * kind in the same run. Include in one file of a test program.
 */

#include <ns_rec.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ns_test_rec {
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
};

#define NS_TEST_F(member, t, ...) \
	NS_REC_FIELD(struct ns_test_rec, member, .name = #member, .type = t, ##__VA_ARGS__)

static const struct ns_rec_field ns_test_fields[] = {
	NS_TEST_F(u8, NS_REC_U8),
	NS_TEST_F(u16, NS_REC_U16),
	NS_TEST_F(u32, NS_REC_U32),
	NS_TEST_F(u64, NS_REC_U64, .flags = NS_REC_KEY),
	NS_TEST_F(i64, NS_REC_I64),
	NS_TEST_F(f64, NS_REC_F64),
	NS_TEST_F(time, NS_REC_TIME, .flags = NS_REC_EMPTY_ZERO),
	NS_TEST_F(ip, NS_REC_IP, .flags = NS_REC_KEY),
	NS_TEST_F(mac, NS_REC_MAC, .flags = NS_REC_EMPTY_ZERO),
	NS_TEST_F(str, NS_REC_STR),
	NS_TEST_F(proto, NS_REC_PROTO),
	NS_TEST_F(flags, NS_REC_TCP_FLAGS),
	NS_TEST_F(vlans, NS_REC_VLANS),
	NS_TEST_F(bytes, NS_REC_BYTES, .flags = NS_REC_EMPTY_ZERO),
	NS_TEST_F(maybe, NS_REC_U32, .flags = NS_REC_EMPTY_ZERO),
};

static const struct ns_rec_kind ns_test_flow = {.name = "flow",
	.version = 3,
	.size = sizeof(struct ns_test_rec),
	.fields = ns_test_fields,
	.fields_n = NS_ARRAY_LEN(ns_test_fields),
	.help = "every type",
	.ipfix_family_field = -1};
NS_REC_REGISTER(ns_test_flow)

static const struct ns_rec_kind ns_test_alert = {.name = "alert",
	.version = 1,
	.size = sizeof(struct ns_test_rec),
	.fields = &ns_test_fields[9],
	.fields_n = 2,
	.help = "a second kind",
	.ipfix_family_field = -1};
NS_REC_REGISTER(ns_test_alert)

/* Two records: every field at its most awkward, and every field that can be absent absent. */
static struct ns_test_rec ns_test_recs[2] = {
	{.u8 = 255,
		.u16 = 65535,
		.u32 = 4294967295u,
		.u64 = UINT64_MAX,
		.i64 = INT64_MIN,
		.f64 = 0.1,
		.time = UINT64_C(1700000000123456789),
		.ip = {6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},
		.mac = {0, 0x1b, 0x21, 0xff, 0xab, 0x09},
		.str = {'a', ',', '"', '\n', '\xff', 'x', 'y', 'z'},
		.proto = 6,
		.flags = 0x13,
		.vlans = {2, {100, 200}},
		.bytes = {0xde, 0xad, 0, 1},
		.maybe = 7},
	{.f64 = NAN},
};

#define NS_TEST_REC_CSV_HEAD \
	"u8,u16,u32,u64,i64,f64,time,ip,mac,str,proto,flags,vlans,bytes,maybe\n"
#define NS_TEST_REC_CSV                                                       \
	"255,65535,4294967295,18446744073709551615,-9223372036854775808,0.1," \
	"1700000000123456789,2001:db8::1,00:1b:21:ff:ab:09,\"a,\"\"\n\xff"    \
	"xyz\",tcp,FSA,100.200,dead0001,7\n"                                  \
	"0,0,0,0,0,,,,,,hopopt,,,,\n"
#define NS_TEST_REC_JSON                                                                     \
	"{\"kind\":\"flow\",\"u8\":255,\"u16\":65535,\"u32\":4294967295,"                    \
	"\"u64\":18446744073709551615,\"i64\":-9223372036854775808,\"f64\":0.1,"             \
	"\"time\":1700000000123456789,\"ip\":\"2001:db8::1\",\"mac\":\"00:1b:21:ff:ab:09\"," \
	"\"str\":\"a,\\\"\\u000a\xef\xbf\xbdxyz\",\"proto\":\"tcp\",\"flags\":\"FSA\","      \
	"\"vlans\":\"100.200\",\"bytes\":\"dead0001\",\"maybe\":7}\n"                        \
	"{\"kind\":\"flow\",\"u8\":0,\"u16\":0,\"u32\":0,\"u64\":0,\"i64\":0,"               \
	"\"f64\":null,\"time\":null,\"ip\":null,\"mac\":null,\"str\":null,"                  \
	"\"proto\":\"hopopt\",\"flags\":\"\",\"vlans\":null,\"bytes\":null,\"maybe\":null}\n"

/** The whole file as text (malloc'ed, zero-terminated), or NULL. */
static inline char *ns_test_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t n = 0;

	if (f == NULL)
		return NULL;
	FILE *mem = open_memstream(&text, &n);

	for (int c = getc(f); mem != NULL && c != EOF; c = getc(f))
		putc(c, mem);
	fclose(f);
	if (mem != NULL)
		fclose(mem);
	return text;
}
