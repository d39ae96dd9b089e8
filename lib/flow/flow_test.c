/* SPDX-License-Identifier: BSD-3-Clause */
/* What makes packets one flow, and what a flow counts. */
#include "flow_test_util.h"

/* A tunnel whose header never comes: names are all that is needed. */
static const struct ns_tunnel_ops no_ops;
static const struct ns_plugin no_tunnel = {
	.kind = NS_TUNNEL_KIND, .name = "vxlan", .abi = NS_PLUGIN_ABI, .ops = &no_ops};
NS_PLUGIN_REGISTER(no_tunnel)

static void both_directions(void)
{
	run_t *r = run_usual();

	/* the initiator is the higher endpoint here: endpoint b of the tuple */
	say(r, (struct say){.src = 9,
		       .dst = 2,
		       .sport = 1000,
		       .dport = 53,
		       .proto = UDP,
		       .ms = 5,
		       .ttl = 64,
		       .tos = 0x28,
		       .ip_octets = 60,
		       .wirelen = 90,
		       .caplen = 64});
	say(r, (struct say){.src = 2,
		       .dst = 9,
		       .sport = 53,
		       .dport = 1000,
		       .proto = UDP,
		       .ms = 7,
		       .ttl = 50,
		       .tos = 0x10,
		       .ip_octets = 500,
		       .wirelen = 514,
		       .caplen = 64});
	say(r, (struct say){.src = 2,
		       .dst = 9,
		       .sport = 53,
		       .dport = 1000,
		       .proto = UDP,
		       .ms = 8,
		       .ttl = 55,
		       .ip_octets = 300,
		       .wirelen = 314});
	say(r, (struct say){.src = 9,
		       .dst = 2,
		       .sport = 1000,
		       .dport = 53,
		       .proto = UDP,
		       .ms = 9,
		       .ttl = 63,
		       .ip_octets = 40,
		       .wirelen = 60});
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 1);
	struct ns_flow_rec f = run_one(r, 9);

	CU_ASSERT_EQUAL(f.src.ver, 4);
	CU_ASSERT_EQUAL(f.src.addr[3], 9);
	CU_ASSERT_EQUAL(f.dst.addr[3], 2);
	CU_ASSERT_EQUAL(f.src_port, 1000);
	CU_ASSERT_EQUAL(f.dst_port, 53);
	CU_ASSERT_EQUAL(f.proto, UDP);
	CU_ASSERT_EQUAL(f.packets, 2);
	CU_ASSERT_EQUAL(f.rev_packets, 2);
	CU_ASSERT_EQUAL(f.ip_octets, 100);
	CU_ASSERT_EQUAL(f.rev_ip_octets, 800);
	CU_ASSERT_EQUAL(f.l2_octets, 150);
	CU_ASSERT_EQUAL(f.rev_l2_octets, 828);
	CU_ASSERT_EQUAL(f.start_ns, T0 + 5 * MS);
	CU_ASSERT_EQUAL(f.end_ns, T0 + 9 * MS);
	CU_ASSERT_EQUAL(f.ttl_min, 63);
	CU_ASSERT_EQUAL(f.ttl_max, 64);
	CU_ASSERT_EQUAL(f.rev_ttl_min, 50);
	CU_ASSERT_EQUAL(f.rev_ttl_max, 55);
	CU_ASSERT_EQUAL(f.tos, 0x28);
	CU_ASSERT_EQUAL(f.rev_tos, 0x10);
	CU_ASSERT_EQUAL(f.end_reason, NS_FLOW_END_FORCED);
	CU_ASSERT_EQUAL(f.tcp_flags | f.rev_tcp_flags, 0);
}

static void one_way(void)
{
	run_t *r = run_usual();

	say(r, (struct say){.src = 1, .dst = 2, .sport = 5, .dport = 6, .proto = UDP, .ttl = 1});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_EQUAL(f.rev_packets, 0);
	CU_ASSERT_EQUAL(f.rev_ttl_min, 0);
	CU_ASSERT_EQUAL(f.rev_ttl_max, 0);
	CU_ASSERT_EQUAL(f.start_ns, f.end_ns);
}

static void counters_are_wide(void)
{
	run_t *r = run_usual();

	for (unsigned i = 0; i < 3; i++)
		say(r, (struct say){.src = 1,
			       .dst = 2,
			       .proto = UDP,
			       .ip_octets = 0xfffffff0,
			       .wirelen = 0xffffffff});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_EQUAL(f.ip_octets, 3 * UINT64_C(0xfffffff0));
	CU_ASSERT_EQUAL(f.l2_octets, 3 * UINT64_C(0xffffffff));
}

/* Each of these differs from the first in one thing that makes another flow. */
static void keys(void)
{
	static const struct say other[] = {
		{.src = 1, .dst = 2, .sport = 3, .dport = 4, .proto = UDP},
		{.src = 1, .dst = 2, .sport = 3, .dport = 5, .proto = UDP},
		{.src = 1, .dst = 2, .sport = 4, .dport = 3, .proto = UDP},
		{.src = 1, .dst = 2, .sport = 3, .dport = 4, .proto = TCP},
		{.src = 1, .dst = 3, .sport = 3, .dport = 4, .proto = UDP},
		{.src = 1, .dst = 2, .sport = 3, .dport = 4, .proto = UDP, .v6 = true},
		{.src = 1, .dst = 2, .sport = 3, .dport = 4, .proto = UDP, .vlan = 1},
		{.src = 1, .dst = 2, .sport = 3, .dport = 4, .proto = UDP, .vlan = 101},
		{.src = 1,
			.dst = 2,
			.sport = 3,
			.dport = 4,
			.proto = UDP,
			.vlan = 101,
			.vlan2 = 201},
		{.src = 1, .dst = 2, .sport = 3, .dport = 4, .proto = UDP, .tunnel = 1},
		{.src = 1,
			.dst = 2,
			.sport = 3,
			.dport = 4,
			.proto = UDP,
			.tunnel = 1,
			.tunnel_id = 42},
		{.src = 1,
			.dst = 2,
			.sport = 3,
			.dport = 4,
			.proto = UDP,
			.tunnel = 1,
			.tunnel_id = 43},
	};
	const unsigned n = NS_ARRAY_LEN(other);
	run_t *r = run_usual();

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < n; i++) {
			struct say s = other[i];

			if (round == 1) { /* and back */
				s.src = other[i].dst;
				s.dst = other[i].src;
				s.sport = other[i].dport;
				s.dport = other[i].sport;
			}
			say(r, s);
		}
	}
	run_end(r, 0);
	CU_ASSERT_EQUAL(r->n, n);
	for (unsigned i = 0; i < r->n; i++) {
		CU_ASSERT_EQUAL(r->recs[i].packets, 2);
		CU_ASSERT_EQUAL(r->recs[i].rev_packets, 1);
		CU_ASSERT_EQUAL(r->recs[i].src.addr[r->recs[i].src.ver == 4 ? 3 : 15], 1);
	}
	CU_ASSERT_EQUAL(run_stat(r, 'c'), n);
	CU_ASSERT_EQUAL(run_stat(r, 'e'), n);
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 0);
	run_free(r);
}

static void same_address_both_ends(void)
{
	run_t *r = run_usual();

	say(r, (struct say){.src = 1, .dst = 1, .sport = 900, .dport = 80, .proto = UDP});
	say(r, (struct say){.src = 1, .dst = 1, .sport = 80, .dport = 900, .proto = UDP});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_EQUAL(f.src_port, 900);
	CU_ASSERT_EQUAL(f.dst_port, 80);
	CU_ASSERT_EQUAL(f.packets, 1);
	CU_ASSERT_EQUAL(f.rev_packets, 1);
}

static struct ns_decoder *names(void)
{
	static const struct ns_decode_conf conf = {.max_tunnels = 1};

	ns_test_eal();
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	struct ns_decoder *d = ns_decoder_create(&conf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	return d;
}

static void tunnels(void)
{
	struct ns_decoder *d = names();
	run_t *r = run_usual();

	say(r, (struct say){.src = 5,
		       .dst = 2,
		       .proto = UDP,
		       .tunnel = 1,
		       .tunnel_id = 4294967295u,
		       .vlan = 1,
		       .vlan2 = 4096});
	say(r, (struct say){.src = 2,
		       .dst = 5,
		       .proto = UDP,
		       .tunnel = 1,
		       .tunnel_id = 4294967295u,
		       .vlan = 1,
		       .vlan2 = 4096});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_STRING_EQUAL(f.tunnel, "vxlan:4294967295");
	CU_ASSERT_EQUAL(f.tunnel_id, 4294967295u);
	CU_ASSERT_EQUAL(f.outer_src.ver, 4);
	CU_ASSERT_EQUAL(f.outer_src.addr[3], 5);
	CU_ASSERT_EQUAL(f.outer_dst.addr[3], 2);
	CU_ASSERT_EQUAL(f.vlan.n, 2);
	CU_ASSERT_EQUAL(f.vlan.id[0], 0);
	CU_ASSERT_EQUAL(f.vlan.id[1], 4095);
	ns_decoder_destroy(d);
}

static void directional_ids(void)
{
	struct ns_decoder *d = names();
	run_t *r = run_usual();

	say(r, (struct say){.src = 5,
		       .dst = 2,
		       .proto = UDP,
		       .tunnel = 1,
		       .tunnel_id = 7,
		       .directional = true});
	say(r, (struct say){.src = 2,
		       .dst = 5,
		       .proto = UDP,
		       .tunnel = 1,
		       .tunnel_id = 8,
		       .directional = true});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_EQUAL(f.rev_packets, 1);
	CU_ASSERT_EQUAL(f.tunnel_id, 7);
	CU_ASSERT_STRING_EQUAL(f.tunnel, "vxlan:7");
	ns_decoder_destroy(d);
}

/* A later fragment has the tunnel of its first, but no outer header to read. */
static void begins_with_fragment(void)
{
	struct ns_decoder *d = names();
	run_t *r = run_usual();

	say(r, (struct say){.src = 5,
		       .dst = 2,
		       .proto = UDP,
		       .tunnel = 1,
		       .tunnel_id = 7,
		       .fragment = true});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_STRING_EQUAL(f.tunnel, "vxlan:7");
	CU_ASSERT_EQUAL(f.outer_src.ver, 0);
	ns_decoder_destroy(d);
}

static void icmp(void)
{
	run_t *r = run_usual();

	say(r, (struct say){.src = 5, .dst = 2, .proto = ICMP, .icmp_type = 8});
	say(r, (struct say){.src = 2, .dst = 5, .proto = ICMP, .icmp_type = 0});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_EQUAL(f.rev_packets, 1);
	CU_ASSERT_EQUAL(f.src_port, 0);
	CU_ASSERT_EQUAL(f.dst_port, 8 * 256);
	CU_ASSERT_EQUAL(f.icmp_type, 8);
	CU_ASSERT_EQUAL(f.icmp_code, 0);

	r = run_usual();
	say(r, (struct say){.src = 5, .dst = 2, .proto = ICMP, .icmp_type = 3, .icmp_code = 13});
	say(r, (struct say){.src = 5, .dst = 2, .proto = ICMP, .icmp_type = 3, .icmp_code = 13});
	f = run_one(r, 0);
	CU_ASSERT_EQUAL(f.packets, 2);
	CU_ASSERT_EQUAL(f.dst_port, 3 * 256 + 13);

	r = run_usual();
	say(r, (struct say){.src = 5, .dst = 2, .proto = ICMPV6, .v6 = true, .icmp_type = 129});
	f = run_one(r, 0);
	CU_ASSERT_EQUAL(f.dst_port, 129 * 256);
	CU_ASSERT_EQUAL(f.src_port, 0);
}

/* New keys that come several times in one burst, between packets that are no IP. */
static void one_burst(void)
{
	enum { N = 64 };
	struct test_packet b[N];
	struct rte_mbuf *m[N];
	run_t *r = run_usual();

	for (unsigned i = 0; i < N; i++) {
		struct say s = {.src = 1 + i % 4, .dst = 99, .proto = UDP, .none = i % 8 == 7};

		m[i] = packet_of(&s, &b[i]);
	}
	CU_ASSERT_EQUAL(ns_flow_burst(r->t, m, N, &r->c), 0);
	CU_ASSERT_EQUAL(ns_flow_burst(r->t, m, 0, &r->c), 0);
	run_end(r, 0);
	CU_ASSERT_EQUAL(r->n, 4);
	uint64_t packets = 0;

	for (unsigned i = 0; i < r->n; i++)
		packets += r->recs[i].packets;
	CU_ASSERT_EQUAL(packets, N - N / 8);
	run_free(r);
}

static void input_port(void)
{
	run_t *r = run_usual();

	say(r, (struct say){.src = 1, .dst = 2, .proto = UDP, .port = 3});
	say(r, (struct say){.src = 1, .dst = 2, .proto = UDP, .port = 4});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_EQUAL(f.port, 3);
	CU_ASSERT_STRING_EQUAL(f.tunnel, "");
}

/* A position that held a tunnelled flow says nothing of it when it is used again. */
static void nothing_left_over(void)
{
	struct ns_decoder *d = names();
	run_t *r = run_new(&(struct ns_flow_conf){64, 1, 0, true, 0});

	for (uint32_t i = 0; i < 1000; i++)
		say(r, (struct say){.src = 1 + i,
			       .dst = 2,
			       .proto = i & 1 ? TCP : UDP,
			       .tcp = SYN,
			       .tunnel = i & 1,
			       .tunnel_id = i,
			       .ms = i});
	run_end(r, 1000);
	CU_ASSERT_EQUAL(r->n, 1000);
	for (unsigned i = 0; i < r->n; i++) {
		const struct ns_flow_rec *f = &r->recs[i];

		CU_ASSERT_EQUAL(f->packets, 1);
		CU_ASSERT_EQUAL(f->tunnel[0] != '\0', f->proto == TCP);
		CU_ASSERT_EQUAL(f->outer_src.ver, f->proto == TCP ? 4 : 0);
		CU_ASSERT_EQUAL(f->tcp_flags, f->proto == TCP ? SYN : 0);
	}
	run_free(r);
	ns_decoder_destroy(d);
}

FLOW_TEST_MAIN({"both directions are one flow", both_directions}, {"one way", one_way},
	{"counters are 64 bits wide", counters_are_wide}, {"what is in the key", keys},
	{"the same address at both ends", same_address_both_ends}, {"tunnels", tunnels},
	{"ids that differ by direction", directional_ids},
	{"a fragment comes first", begins_with_fragment}, {"ICMP", icmp},
	{"new keys several times in a burst", one_burst}, {"input port", input_port},
	{"nothing is left over from the flow before", nothing_left_over})
