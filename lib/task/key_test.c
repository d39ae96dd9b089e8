/* SPDX-License-Identifier: BSD-3-Clause */
/* Which keys and values are refused, and where the fields of a key stand. */
#include "task_test_util.h"

static int parse(struct task_key *k, int of, unsigned n, const char *const *fields, unsigned *bad,
	struct ns_err *e)
{
	return task_key_parse(k, of, (char *const *)(uintptr_t)fields, n, bad, e);
}

static void refused(void)
{
	static const struct {
		const char *fields[10];
		unsigned bad;
		const char *why;
	} cases[] = {
		{{"src"}, 0, "\"src\" is no field of packets; there are: src_ip, dst_ip"},
		{{"src_ip", "packets"}, 1, "\"packets\" is no field of packets"},
		{{""}, 0, "\"\" is no field"},
		{{"proto", "src_ip", "src_ip/24"}, 2, "\"src_ip\" is in the key twice"},
		{{"proto/8"}, 0, "\"proto\" is no address and has no prefix length"},
		{{"src_ip/"}, 0, "\"src_ip/24\" or \"src_ip/24/48\""},
		{{"src_ip/33"}, 0, "(0-32)"},
		{{"src_ip/24/129"}, 0, "(0-128)"},
		{{"src_ip/24/48/1"}, 0, "\"src_ip/24/48/1\": the prefix lengths"},
		{{"src_ip/24/"}, 0, "the prefix lengths"},
		{{"src_ip//48"}, 0, "the prefix lengths"},
		{{"src_ip/0024"}, 0, "the prefix lengths"},
		{{"src_ip/-1"}, 0, "the prefix lengths"},
		{{"src_ip/ 24"}, 0, "the prefix lengths"},
		{{"src_ip/4294967320"}, 0, "the prefix lengths"},
	};
	struct ns_err e;
	struct task_key k;
	unsigned bad;

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++) {
		unsigned n = 0;

		while (cases[i].fields[n] != NULL)
			n++;
		e.text[0] = '\0';
		CU_ASSERT_EQUAL(
			parse(&k, NS_TASK_OF_PACKETS, n, cases[i].fields, &bad, &e), -EINVAL);
		CU_ASSERT_EQUAL(bad, cases[i].bad);
		if (strstr(e.text, cases[i].why) == NULL) {
			fprintf(stderr, "%s\n", e.text);
			CU_FAIL("another message");
		}
	}
	CU_ASSERT_EQUAL(parse(&k, NS_TASK_OF_PACKETS, 0, NULL, &bad, &e), -EINVAL);
	/* 6 * 16 + 2 * 32 octets; the one that does not fit is named */
	static const char *const large[] = {"src_ip", "dst_ip", "outer_src", "outer_dst",
		"community_id", "tunnel", "l2_octets"};

	CU_ASSERT_EQUAL(parse(&k, NS_TASK_OF_FLOWS, 7, large, &bad, &e), -EINVAL);
	CU_ASSERT_EQUAL(bad, 6);
	CU_ASSERT_STRING_EQUAL(
		e.text, "with \"l2_octets\" the key takes 136 octets, of at most 128");
	CU_ASSERT_EQUAL(parse(&k, NS_TASK_OF_FLOWS, 6, large, &bad, &e), 0);
	CU_ASSERT_EQUAL(k.len, 128);
}

static void values_refused(void)
{
	struct task_value v;
	struct ns_err e;

	CU_ASSERT_EQUAL(task_value_parse(&v, NS_TASK_OF_PACKETS, "src_ip", &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "\"src_ip\" is no number of packets; there are: ttl, "
				       "tcp_window, l2_octets, ip_octets, payload_octets, flows, "
				       "caplen");
	CU_ASSERT_EQUAL(task_value_parse(&v, NS_TASK_OF_FLOWS, "proto", &e), -EINVAL);
	CU_ASSERT_EQUAL(task_value_parse(&v, NS_TASK_OF_FLOWS, "start_ns", &e), -EINVAL);
	CU_ASSERT_EQUAL(task_value_parse(&v, NS_TASK_OF_FLOWS, "duration_ns", &e), 0);
	CU_ASSERT_EQUAL(task_value_parse(&v, NS_TASK_OF_FLOWS, "tcp_rtt_ns", &e), 0);
	CU_ASSERT((v.field.rec_flags & NS_REC_EMPTY_ZERO) != 0);
}

/* The largest field first, whatever the order that was asked for; zeros at the end. */
static void layout(void)
{
	static const char *const fields[] = {"proto", "responder_port", "src_ip/24", "l2_octets"};
	struct task_key k;
	unsigned bad;

	CU_ASSERT_EQUAL_FATAL(parse(&k, NS_TASK_OF_PACKETS, 4, fields, &bad, NULL), 0);
	CU_ASSERT_EQUAL(k.len, 24);
	CU_ASSERT_EQUAL(k.parts[2].at, 0);
	CU_ASSERT_EQUAL(k.parts[3].at, 16);
	CU_ASSERT_EQUAL(k.parts[1].at, 20);
	CU_ASSERT_EQUAL(k.parts[0].at, 22);
	CU_ASSERT_EQUAL(k.parts[2].mask.len4, 24);
	CU_ASSERT_EQUAL(k.parts[2].mask.len6, 128);
	CU_ASSERT_EQUAL(k.ops_n, 4);

	/* what is built in one loop */
	static const char *const pair[] = {"initiator_ip", "responder_ip", "proto"};
	static const char *const service[] = {"proto", "responder_port"};

	CU_ASSERT_EQUAL_FATAL(parse(&k, NS_TASK_OF_PACKETS, 3, pair, &bad, NULL), 0);
	CU_ASSERT_EQUAL(k.ops_n, 2);
	CU_ASSERT_EQUAL(k.ops[1].at, 32);
	CU_ASSERT_EQUAL_FATAL(parse(&k, NS_TASK_OF_PACKETS, 2, service, &bad, NULL), 0);
	CU_ASSERT_EQUAL(k.ops_n, 1);
	CU_ASSERT_EQUAL(k.len, 8);
}

NS_TEST_MAIN({"bad keys are refused", refused}, {"bad values are refused", values_refused},
	{"layout of keys", layout})
