/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys from text: what a row says of a key, read again, is the key. */
#include "task_test_util.h"

#include <stdlib.h>

static struct ns_task_build *trial(int of, const char *fields)
{
	static struct ns_task_conf conf = {.name = (char *)"t"};
	struct ns_task_build *b = calloc(1, sizeof(*b));
	char *names[TASK_PARTS_MAX], *copy = strdup(fields), *more = NULL;
	struct ns_err e = {""};
	unsigned n = 0;

	CU_ASSERT_FATAL(b != NULL && copy != NULL);
	conf.of = of;
	b->conf = &conf;
	b->kind = (struct ns_rec_kind){.name = "t", .fields = b->cols};
	b->shown = &b->kind;
	for (char *s = strtok_r(copy, " ", &more); s != NULL; s = strtok_r(NULL, " ", &more))
		names[n++] = s;
	CU_ASSERT_EQUAL_FATAL(ns_task_key(b, names, n, &e), 0);
	free(copy);
	return b;
}

static void trial_free(struct ns_task_build *b)
{
	task_build_fini(b);
	free(b);
}

/* Text of the fields of a key, as a row has it. */
static void text_of(struct rte_mbuf *m, char *text)
{
	const struct ns_packet *p = ns_packet(m);
	struct ns_ip ip[2] = {{.ver = p->tuple.ver}, {.ver = p->tuple.ver}};
	bool swapped = (p->flags & NS_PKT_SWAPPED) != 0;
	unsigned octets = p->tuple.ver == 4 ? 4 : 16;
	struct ns_vlans v = {0};
	char *s = text;

	memcpy(ip[0].addr, swapped ? p->tuple.b : p->tuple.a, octets);
	memcpy(ip[1].addr, swapped ? p->tuple.a : p->tuple.b, octets);
	s = ns_put_ip(s, &ip[0]);
	*s++ = ' ';
	/* with blanks before and behind */
	*s++ = ' ';
	s = ns_put_proto(s, p->tuple.proto);
	*s++ = ' ';
	s = ns_put_ip(s, &ip[1]);
	*s++ = ' ';
	s = ns_put_u64(s, p->dport);
	*s++ = ' ';
	for (unsigned i = 0; i < 2 && p->tuple.vlan[i] != 0; i++)
		v.id[v.n++] = (uint16_t)(p->tuple.vlan[i] - 1);
	if (v.n == 0)
		s = ns_put_str(s, "none");
	for (unsigned i = 0; i < v.n; i++) {
		if (i > 0)
			*s++ = '.';
		s = ns_put_u64(s, v.id[i]);
	}
	*s++ = ' ';
	if (p->tcp_flags == 0)
		*s++ = '0';
	s = ns_put_tcp_flags(s, p->tcp_flags);
	*s++ = ' ';
	*s = '\0';
}

static void as_packets(void)
{
	struct ns_task_build *b =
		trial(NS_TASK_OF_PACKETS, "src_ip proto dst_ip dst_port vlan tcp_flags");
	struct task_packet buf;

	for (unsigned i = 0; i < 2000; i++) {
		uint8_t want[NS_TASK_KEY_MAX] = {0}, got[NS_TASK_KEY_MAX];
		struct test_flow f;
		struct ns_err e = {""};
		uint64_t hash;
		char text[256];

		test_flow_make(&f);
		struct rte_mbuf *m = test_packet_make(&buf, &f);

		task_key_build(b->keys[0], &m, 1, 0, want, &hash);
		text_of(m, text);
		memset(got, 0xff, sizeof(got));
		CU_ASSERT_EQUAL(ns_task_key_text(b, 0, text, got, &e), 0);
		if (e.text[0] != '\0')
			fprintf(stderr, "\"%s\": %s\n", text, e.text);
		CU_ASSERT_EQUAL_FATAL(memcmp(want, got, b->keys[0]->len), 0);
	}
	trial_free(b);
}

static void as_records(void)
{
	struct ns_task_build *b = trial(NS_TASK_OF_FLOWS,
		"community_id src_ip/24/48 end_reason packets tcp_gaps dst_ip start_ns");
	struct ns_flow_rec r = {.community_id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
		.src = {4, {192, 0, 2, 77}},
		.dst = {6, {0x20, 1, 0xd, 0xb8, [15] = 1}},
		.end_reason = 3,
		.packets = UINT64_C(1) << 40,
		.tcp_gaps = 70000,
		.start_ns = UINT64_MAX};
	uint8_t want[NS_TASK_KEY_MAX] = {0}, got[NS_TASK_KEY_MAX];
	uint64_t hash;

	task_key_build(b->keys[0], &r, 1, 0, want, &hash);
	CU_ASSERT_EQUAL(ns_task_key_text(b, 0,
				"1:LQU9qZlK+B5F3KDmev6m5PMibrg= 192.0.2.0/24 3 1099511627776 70000 "
				"2001:db8::1 18446744073709551615",
				got, NULL),
		0);
	CU_ASSERT_EQUAL(memcmp(want, got, b->keys[0]->len), 0);
	/* the length may be left out */
	CU_ASSERT_EQUAL(ns_task_key_text(b, 0,
				"1:LQU9qZlK+B5F3KDmev6m5PMibrg= 192.0.2.0 3 1099511627776 70000 "
				"2001:db8::1 18446744073709551615",
				got, NULL),
		0);
	CU_ASSERT_EQUAL(memcmp(want, got, b->keys[0]->len), 0);
	trial_free(b);
}

static void refused(void)
{
	static const struct {
		const char *fields, *text, *words;
	} cases[] = {
		{"src_ip", "", "nothing for src_ip"},
		{"src_ip", "  ", "nothing for src_ip"},
		{"src_ip", "10.0.0.1 80", "\"80\" is too much"},
		{"src_ip dst_port", "10.0.0.1", "nothing for dst_port"},
		{"src_ip", "10.0.0.256", "no address"},
		{"src_ip", "10.0.0.1/32", "without a prefix length"},
		{"src_ip", "::ffff:10.0.0.1", "write IPv4 as IPv4"},
		{"src_ip", "11111111111111111111111111111111111111111111111111111111",
			"no address"},
		{"src_ip", "1111111111111111111111111111111111111111111111111111111111111111111111",
			"too much text for src_ip"},
		{"src_ip/24", "10.0.0.1", "bits set behind the first 24"},
		{"src_ip/24/48", "2001:db8:0:1::", "bits set behind the first 48"},
		{"src_ip/24", "10.0.0.0/25", "prefix length of src_ip is 24"},
		{"src_ip/24", "10.0.0.0/", "prefix length of src_ip is 24"},
		{"src_ip/24", "10.0.0.0/24x", "prefix length of src_ip is 24"},
		{"dst_port", "65536", "up to 65535"},
		{"dst_port", "-1", "up to 65535"},
		{"dst_port", "99999999999999999999999", "up to 65535"},
		{"dst_port", "80a", "up to 65535"},
		{"proto", "udpx", "no IP protocol"},
		{"proto", "256", "up to 255"},
		{"tcp_flags", "Z", "FSRPAUEC"},
		{"vlan", "4096", "100.200"},
		{"vlan", "1.", "100.200"},
		{"vlan", "1.2.3", "100.200"},
		{"tunnel", "vxlan:1", "can't be asked for"},
	};
	uint8_t key[NS_TASK_KEY_MAX];

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++) {
		struct ns_task_build *b = trial(NS_TASK_OF_PACKETS, cases[i].fields);
		struct ns_err e = {""};

		CU_ASSERT_EQUAL(ns_task_key_text(b, 0, cases[i].text, key, &e), -EINVAL);
		if (strstr(e.text, cases[i].words) == NULL)
			fprintf(stderr, "\"%s\": %s\n", cases[i].text, e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i].words));
		CU_ASSERT_EQUAL(ns_task_key_text(b, 1, cases[i].text, key, &e), -EINVAL);
		trial_free(b);
	}
}

NS_TEST_MAIN({"as packets", as_packets}, {"as records", as_records}, {"refused", refused})
