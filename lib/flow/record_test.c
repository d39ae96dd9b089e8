/* SPDX-License-Identifier: BSD-3-Clause */
/* The description of the flow record, and the section of the configuration. */
#include "flow_test_util.h"

#include <ns_conf.h>

static void csv_begins_with(void)
{
	static const char want[] =
		"community_id,src_ip,src_port,dst_ip,dst_port,proto,vlan,tunnel,packets,ip_octets,"
		"l2_octets,rev_packets,rev_ip_octets,rev_l2_octets,start_ns,end_ns,tcp_flags,"
		"rev_tcp_flags,end_reason,";
	char head[2048];

	*ns_rec_put_csv_head(head, &ns_flow_rec_kind) = '\0';
	CU_ASSERT_EQUAL(strncmp(head, want, sizeof(want) - 1), 0);
	CU_ASSERT_PTR_EQUAL(ns_rec_find("flow"), &ns_flow_rec_kind);
	CU_ASSERT_STRING_EQUAL(
		ns_flow_rec_kind.fields[ns_flow_rec_kind.ipfix_family_field].name, "src_ip");
}

static void line(void)
{
	static const char want[] = ",10.0.0.9,1000,0.0.0.2,80,tcp,100,,1,40,54,0,0,0,"
				   "1700000000005000000,1700000000005000000,S,,4,";
	run_t *r = run_usual();
	char text[2048];

	say(r, (struct say){.src = 0x0a000009,
		       .dst = 2,
		       .sport = 1000,
		       .dport = 80,
		       .proto = TCP,
		       .tcp = SYN,
		       .vlan = 101,
		       .ms = 5});
	struct ns_flow_rec f = run_one(r, 5);

	*ns_rec_put_csv(text, &ns_flow_rec_kind, &f) = '\0';
	CU_ASSERT_EQUAL(strncmp(text, f.community_id, 30), 0);
	CU_ASSERT_EQUAL(strncmp(text + 30, want, sizeof(want) - 1), 0);
	CU_ASSERT_STRING_EQUAL(ns_flow_rec_kind.fields[0].name, "community_id");
	CU_ASSERT_EQUAL(f.community_id[0], '1');
	CU_ASSERT_EQUAL(strlen(f.community_id), 30);
}

/* Both ways, and whatever VLAN or tunnel they are in, two packets have the same Community ID. */
static void same_id(void)
{
	run_t *r = run_usual();

	say(r, (struct say){.src = 1, .dst = 2, .sport = 1000, .dport = 80, .proto = TCP});
	run_end(r, 0);
	char id[31];

	memcpy(id, r->recs[0].community_id, sizeof(id));
	run_free(r);
	r = run_usual();
	say(r, (struct say){
		       .src = 2, .dst = 1, .sport = 80, .dport = 1000, .proto = TCP, .vlan = 5});
	CU_ASSERT_STRING_EQUAL(run_one(r, 0).community_id, id);
}

/* The tunnel's text has room for any id, and a name that is too long is cut. */
static const struct ns_tunnel_ops no_ops;
static const struct ns_plugin long_name = {.kind = NS_TUNNEL_KIND,
	.name = "a-tunnel-with-a-very-long-name",
	.abi = NS_PLUGIN_ABI,
	.ops = &no_ops};
NS_PLUGIN_REGISTER(long_name)

static void long_tunnel(void)
{
	static const struct ns_decode_conf conf = {.max_tunnels = 1};

	ns_test_eal();
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	struct ns_decoder *d = ns_decoder_create(&conf);
	run_t *r = run_usual();

	say(r, (struct say){
		       .src = 1, .dst = 2, .proto = UDP, .tunnel = 1, .tunnel_id = 4294967295u});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_STRING_EQUAL(f.tunnel, "a-tunnel-with-a:4294967295");
	r = run_usual();
	say(r, (struct say){.src = 1, .dst = 2, .proto = UDP, .tunnel = 1});
	f = run_one(r, 0);
	CU_ASSERT_STRING_EQUAL(f.tunnel, "a-tunnel-with-a");
	ns_decoder_destroy(d);
}

static void bad_values(void)
{
	static const char *const bad[] = {"flow.max=4095", "flow.max=67108864", "flow.idle=0",
		"flow.idle=100000001", "flow.tcp_linger=3601", "flow.tcp_end=7", "flow.size=1"};
	static const char *const good[] = {"flow.max=4096", "flow.max=67108863", "flow.idle=1",
		"flow.idle=100000000", "flow.active=0", "flow.active=4294967295",
		"flow.tcp_linger=0", "flow.tcp_end=no"};
	struct ns_err e;

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		CU_ASSERT_PTR_NULL(ns_conf_load(NULL, &bad[i], 1, &e));
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "flow."));
	}
	for (unsigned i = 0; i < NS_ARRAY_LEN(good); i++) {
		struct ns_conf *c = ns_conf_load(NULL, &good[i], 1, &e);

		CU_ASSERT_PTR_NOT_NULL(c);
		ns_conf_destroy(c);
	}
}

FLOW_TEST_MAIN({"the first columns", csv_begins_with}, {"a line", line},
	{"one Community ID for both ways", same_id}, {"a tunnel's name", long_tunnel},
	{"bad values are refused", bad_values})
