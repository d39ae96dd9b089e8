/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* For tests of the report: made-up records and numbers of an engine, and looks at what is printed.
 */

#include "ns_test.h"
#include "report_priv.h"

#include <ns_registry.h>

#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

#define T0 UINT64_C(1700000000123456789)
#define MS UINT64_C(1000000)

static inline struct ns_ip ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct ns_ip){4, {a, b, c, d}};
}

static inline struct ns_ip ip6(uint8_t last)
{
	return (struct ns_ip){6, {0x20, 0x01, 0x0d, 0xb8, 0x85, 0xa3, 0x11, 0x11, 0x22, 0x22, 0x33,
					 0x33, 0x44, 0x44, 0x55, last}};
}

/* A tenth of a second of HTTPS, one packet more each way for each n. */
static inline struct ns_flow_rec web(uint8_t n)
{
	return (struct ns_flow_rec){.community_id = "1:aaaaaaaaaaaaaaaaaaaaaaaaaaa=",
		.proto = 6,
		.src = ip4(10, 0, 0, n),
		.dst = ip4(192, 0, 2, 1),
		.src_port = (uint16_t)(40000 + n),
		.dst_port = 443,
		.packets = 10 + n,
		.ip_octets = 1000,
		.l2_octets = 1140 + n,
		.rev_packets = 12 + n,
		.rev_ip_octets = 15000,
		.rev_l2_octets = 15200 + n,
		.start_ns = T0,
		.end_ns = T0 + 100 * MS,
		.tcp_flags = SYN | ACK | PSH | FIN,
		.rev_tcp_flags = SYN | ACK | PSH | FIN,
		.tcp_first_flags = SYN,
		.rev_tcp_first_flags = SYN | ACK,
		.end_reason = 3,
		.tcp_retransmits = 1,
		.rev_tcp_gaps = 2,
		.tcp_rtt_ns = n * MS};
}

static inline struct ns_flow_rec dns(uint8_t n)
{
	return (struct ns_flow_rec){.proto = 17,
		.src = ip6(n),
		.dst = ip6(0x53),
		.src_port = (uint16_t)(50000 + n),
		.dst_port = 53,
		.vlan = {2, {100, 200}},
		.tunnel = "vxlan:42",
		.tunnel_id = 42,
		.packets = 1,
		.l2_octets = 90,
		.rev_packets = 1,
		.rev_l2_octets = 210,
		.start_ns = T0 + 5 * MS,
		.end_ns = T0 + 25 * MS,
		.end_reason = 1};
}

static inline struct ns_flow_rec ping(void)
{
	return (struct ns_flow_rec){.proto = 1,
		.src = ip4(10, 0, 0, 1),
		.dst = ip4(192, 0, 2, 9),
		.dst_port = 0x800,
		.icmp_type = 8,
		.packets = 3,
		.l2_octets = 294,
		.start_ns = T0,
		.end_ns = T0 + 2000 * MS,
		.end_reason = 4};
}

static inline void put(struct report *r, const struct ns_flow_rec *f, uint32_t n)
{
	struct ns_batch b = {.kind = &ns_flow_rec_kind, .n = n, .max = n};
	struct ns_flow_rec *copy = malloc((n + 1) * sizeof(*f));

	if (copy == NULL)
		abort();
	/* exactly as large as it is said to be */
	memcpy(copy, f, n * sizeof(*f));
	b.records = (uint8_t *)copy;
	report_put(r, &b);
	free(copy);
}

/* The rooms' own counters come and go; these stay. */
NS_DROP_REGISTER(zz_drop, "zz_drop", "what the test has dropped")
NS_DROP_REGISTER(zz_other_drop, "zz_other_drop", "of a link type that nobody knows")
NS_NOTE_REGISTER(zz_note, "zz_note", "what the test has noted")

static struct ns_engine_stats stats;
static struct ns_timeline timeline;
static const char *const files[] = {"a.pcap", "b\033[2J\xc2\x9bm\xff\"\\.pcap"};

static inline void set_counter(const char *name, uint64_t v)
{
	const struct ns_counter *c = ns_counter_find(name);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	stats.counters.v[c->id] = v;
}

/* What an engine would say of the records of sample(). */
static inline struct report_input sample_input(void)
{
	memset(&stats, 0, sizeof(stats));
	memset(&timeline, 0, sizeof(timeline));
	stats.received = 123456;
	stats.octets = 98765432;
	stats.captured = 90000000;
	stats.analysed = 123400;
	stats.drops = 56;
	set_counter("zz_drop", 50);
	set_counter("zz_other_drop", 6);
	set_counter("zz_note", 7);
	stats.linktypes_unknown[147] = 4;
	stats.linktypes_unknown[NS_LINKTYPES - 1] = 2;
	stats.first_ns = T0;
	stats.last_ns = T0 + 123456 * MS;
	stats.ip[6] = (struct ns_proto_count){120000, 98000000};
	stats.ip[17] = (struct ns_proto_count){3000, 700000};
	stats.ip[253] = (struct ns_proto_count){100, 6000};
	stats.l2_n = 2;
	stats.l2_type[0] = 0x0806;
	stats.l2[0] = (struct ns_proto_count){200, 12000};
	stats.l2_type[1] = 0x8899;
	stats.l2[1] = (struct ns_proto_count){100, 6000};
	stats.workers = 2;
	for (uint64_t i = 0; i < 124; i++) {
		for (uint64_t n = i % 20 == 7 ? 0 : 1 + i % 30; n > 0; n--)
			ns_timeline_add(&timeline, T0 + i * 1000 * MS, 800);
	}
	return (struct report_input){.stats = &stats,
		.timeline = &timeline,
		.files = files,
		.files_n = 2,
		.filter = NULL,
		.faults = "",
		.wall_s = 0.5,
		.cpu_s = 0.25};
}

static inline void sample(struct report *r)
{
	struct ns_flow_rec f[16];
	unsigned n = 0;

	for (uint8_t i = 1; i <= 11; i++)
		f[n++] = web(i);
	f[n++] = dns(1);
	f[n++] = dns(2);
	f[n++] = ping();
	/* the middle of a conversation, and the server spoke first */
	f[n] = web(20);
	f[n].src_port = 443;
	f[n].dst_port = 40020;
	f[n].tcp_first_flags = ACK;
	f[n].tcp_rtt_ns = 0;
	f[n++].tcp_flags = ACK | RST;
	/* nobody is there */
	f[n] = web(30);
	f[n].dst_port = 2;
	f[n].rev_packets = f[n].rev_l2_octets = 0;
	f[n].tcp_rtt_ns = 0;
	f[n++].tcp_flags = SYN;
	put(r, f, n);
}

enum form { TEXT, ASCII, JSON };

/* The report as malloc'ed text, and *rc. Inlined, gcc 12 sees a dangling pointer in it. */
__attribute__((noinline)) static char *print(
	struct report *r, const struct report_input *in, enum form form, int *rc)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (out == NULL)
		abort();
	*rc = form == JSON ? report_json(r, in, out) : report_text_as(r, in, out, form == TEXT);
	fclose(out);
	return text;
}

static inline char *printed(struct report *r, const struct report_input *in, enum form form)
{
	int rc;
	char *text = print(r, in, form, &rc);

	CU_ASSERT_EQUAL(rc, 0);
	return text;
}

/* A reader of JSON as strict as RFC 8259: the place after the value at p, or NULL. */
static inline const char *json_value(const char *p);

static inline const char *json_space(const char *p)
{
	return p + strspn(p, " \n");
}

static inline const char *json_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\' && strchr("\"\\/bfnrtu", *++p) == NULL)
			return NULL;
	}
	return p + 1;
}

static inline const char *json_list(const char *p, bool object)
{
	char end = object ? '}' : ']';

	p = json_space(p + 1);
	if (*p == end)
		return p + 1;
	for (;;) {
		if (object) {
			p = json_string(json_space(p));
			if (p == NULL || *p != ':')
				return NULL;
			p++;
		}
		p = json_value(json_space(p));
		if (p == NULL)
			return NULL;
		p = json_space(p);
		if (*p == end)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

static inline const char *json_value(const char *p)
{
	static const char *const words[] = {"true", "false", "null"};
	char *end;

	if (*p == '{' || *p == '[')
		return json_list(p, *p == '{');
	if (*p == '"')
		return json_string(p);
	for (unsigned i = 0; i < NS_ARRAY_LEN(words); i++) {
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return p + strlen(words[i]);
	}
	if (*p != '-' && (*p < '0' || *p > '9'))
		return NULL; /* "nan" and "inf" are numbers to strtod() */
	(void)!strtod(p, &end);
	return end;
}

static inline bool json_ok(const char *text)
{
	const char *end = json_value(text);

	return end != NULL && strcmp(end, "\n") == 0;
}

/* Compares, and shows both when they differ: a long text's difference is not seen otherwise. */
static inline void same(const char *got, const char *want)
{
	bool equal = strcmp(got, want) == 0;

	CU_ASSERT(equal);
	if (!equal)
		fprintf(stderr, "--- got\n%s\n--- want\n%s\n", got, want);
}

static inline void has(const char *text, const char *part)
{
	bool found = strstr(text, part) != NULL;

	CU_ASSERT(found);
	if (!found)
		fprintf(stderr, "--- not found: %s\n--- in\n%s\n", part, text);
}
