/* SPDX-License-Identifier: BSD-3-Clause */
/* When and why flows end, and what a full table does. */
#include "flow_priv.h"
#include "flow_test_util.h"

static void udp(run_t *r, uint64_t ms, uint32_t src)
{
	say(r, (struct say){.src = src, .dst = 2, .sport = 5, .dport = 6, .proto = UDP, .ms = ms});
}

static void idle(void)
{
	run_t *r = run_usual();

	udp(r, 0, 1);
	udp(r, 9000, 1);
	run_age(r, 19000); /* just 10 s: not longer */
	CU_ASSERT_EQUAL(r->n, 0);
	ns_flow_age(r->t, T0 + 19000 * MS + 1);
	run_age(r, 19001);
	CU_ASSERT_EQUAL_FATAL(r->n, 1);
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_IDLE);
	CU_ASSERT_EQUAL(r->recs[0].end_ns, T0 + 9000 * MS);
	CU_ASSERT_EQUAL(r->recs[0].packets, 2);

	/* the next packet, and the end of the input, find it as well */
	udp(r, 30000, 1);
	udp(r, 40001, 1);
	CU_ASSERT_EQUAL_FATAL(r->n, 2);
	CU_ASSERT_EQUAL(r->recs[1].end_reason, NS_FLOW_END_IDLE);
	CU_ASSERT_EQUAL(r->recs[1].packets, 1);
	run_end(r, 60000);
	CU_ASSERT_EQUAL_FATAL(r->n, 3);
	CU_ASSERT_EQUAL(r->recs[2].end_reason, NS_FLOW_END_IDLE);
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 0);
	CU_ASSERT_EQUAL(run_stat(r, 'c'), 3);
	CU_ASSERT_EQUAL(run_stat(r, 'e'), 3);
	CU_ASSERT_EQUAL(run_stat(r, 'v'), 0);
	run_free(r);
}

static void active(void)
{
	run_t *r = run_usual();

	for (uint64_t ms = 0; ms <= 130000; ms += 5000)
		udp(r, ms, 1);
	run_end(r, 130000);
	CU_ASSERT_EQUAL_FATAL(r->n, 3);
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_ACTIVE);
	CU_ASSERT_EQUAL(r->recs[0].packets, 13); /* 0 to 60 s */
	CU_ASSERT_EQUAL(r->recs[1].end_reason, NS_FLOW_END_ACTIVE);
	CU_ASSERT_EQUAL(r->recs[1].start_ns, T0 + 65000 * MS);
	CU_ASSERT_EQUAL(r->recs[2].end_reason, NS_FLOW_END_FORCED);
	CU_ASSERT_EQUAL(r->recs[0].packets + r->recs[1].packets + r->recs[2].packets, 27);
	run_free(r);
}

/* Other time-outs hold for the flows that are there. */
static void other_times(void)
{
	run_t *r = run_usual();
	struct ns_flow_conf c = {.idle = 2, .active = 7, .tcp_end = true, .tcp_linger = 5};

	udp(r, 0, 1);
	udp(r, 5000, 1);
	run_age(r, 9000);
	CU_ASSERT_EQUAL(r->n, 0);
	ns_flow_times(r->t, &c);
	run_age(r, 9001);
	CU_ASSERT_EQUAL_FATAL(r->n, 1);
	/* at 7 s both were due, and the active one is said only if it came first */
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_IDLE);
	CU_ASSERT_EQUAL(r->recs[0].packets, 2);
	c.idle = 100;
	c.active = 0;
	ns_flow_times(r->t, &c);
	for (uint64_t ms = 10000; ms <= 200000; ms += 50000)
		udp(r, ms, 1);
	CU_ASSERT_EQUAL(r->n, 1);
	run_end(r, 200000);
	CU_ASSERT_EQUAL_FATAL(r->n, 2);
	CU_ASSERT_EQUAL(r->recs[1].packets, 4);
	CU_ASSERT_EQUAL(r->recs[1].end_reason, NS_FLOW_END_FORCED);
	run_free(r);
}

/* The active time-out came before the idle one: whoever finds it, and when, says so. */
static void active_before_idle(void)
{
	for (unsigned how = 0; how < 3; how++) {
		run_t *r = run_usual();

		for (uint64_t ms = 0; ms <= 55000; ms += 5000)
			udp(r, ms, 1);
		if (how == 0)
			run_age(r, 99000);
		else if (how == 1)
			udp(r, 99000, 1);
		else
			run_end(r, 99000);
		CU_ASSERT_EQUAL_FATAL(r->n, 1);
		CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_ACTIVE);
		CU_ASSERT_EQUAL(r->recs[0].packets, 12);
		run_free(r);
	}
}

static void active_never(void)
{
	run_t *r = run_new(&(struct ns_flow_conf){4096, 10, 0, true, 2});

	for (uint64_t s = 0; s <= 100000; s += 9)
		udp(r, s * 1000, 1);
	struct ns_flow_rec f = run_one(r, 100000 * 1000);

	CU_ASSERT_EQUAL(f.end_reason, NS_FLOW_END_FORCED);
	CU_ASSERT_EQUAL(f.packets, 11112);
}

static void out_of_order(void)
{
	run_t *r = run_usual();

	udp(r, 1000, 1);
	say(r, (struct say){.src = 1,
		       .dst = 2,
		       .sport = 5,
		       .dport = 6,
		       .proto = UDP,
		       .ms = 1000,
		       .late = 700});
	udp(r, 2000, 1);
	say(r, (struct say){.src = 1,
		       .dst = 2,
		       .sport = 5,
		       .dport = 6,
		       .proto = UDP,
		       .ms = 2000,
		       .late = 100});
	struct ns_flow_rec f = run_one(r, 2000);

	CU_ASSERT_EQUAL(f.packets, 4);
	CU_ASSERT_EQUAL(f.start_ns, T0 + 300 * MS);
	CU_ASSERT_EQUAL(f.end_ns, T0 + 2000 * MS);
}

/* The time stamps of a capture go back by an hour: new flows are not longer active than they are.
 */
static void step_back(void)
{
	run_t *r = run_usual();
	const int64_t hour = 3600 * 1000;

	udp(r, 1000, 1);
	for (unsigned i = 0; i < 100; i++)
		say(r, (struct say){.src = 9,
			       .dst = 2,
			       .proto = UDP,
			       .ms = 1000,
			       .late = hour - i * 10});
	/* until a stray packet moves the clock on, just a little */
	udp(r, 1001, 1);
	say(r, (struct say){.src = 9, .dst = 2, .proto = UDP, .ms = 1001, .late = hour});
	run_end(r, 1001);
	CU_ASSERT_EQUAL_FATAL(r->n, 2);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(r->recs[i].end_reason, NS_FLOW_END_FORCED);
		CU_ASSERT_EQUAL(r->recs[i].packets, r->recs[i].src.addr[3] == 9 ? 101 : 2);
	}
	run_free(r);
}

/* Times far apart, so that the 32 bits of a tick go around once. */
static void ticks_wrap(void)
{
	const uint64_t around = (UINT64_C(1) << (32 + TICK_SHIFT)) / MS;
	run_t *r = run_usual();

	udp(r, 0, 1);
	say(r, (struct say){.src = 3, .dst = 2, .proto = TCP, .tcp = RST, .ms = 0});
	run_age(r, around + 1);
	CU_ASSERT_EQUAL_FATAL(r->n, 2);
	run_free(r);
}

/* One shard with room for four: who was idle longest goes. */
static void full_shard(void)
{
	run_t *r = run_share(&(struct ns_flow_conf){4, 10, 60, true, 2}, 0, 1, 1, 0, true);

	for (uint32_t i = 1; i <= 4; i++)
		udp(r, i * 100, i);
	CU_ASSERT_EQUAL(r->n, 0);
	udp(r, 3000, 1); /* 1 is younger than 2 now */
	udp(r, 3100, 5);
	CU_ASSERT_EQUAL_FATAL(r->n, 1);
	CU_ASSERT_EQUAL(r->recs[0].src.addr[3], 2);
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_RESOURCES);
	CU_ASSERT_EQUAL(run_stat(r, 'v'), 1);
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 4);

	/* a TCP flow that has ended goes before any that live, for its own reason */
	say(r, (struct say){.src = 6, .dst = 2, .proto = TCP, .tcp = RST, .ms = 3200});
	CU_ASSERT_EQUAL_FATAL(r->n, 2);
	CU_ASSERT_EQUAL(r->recs[1].src.addr[3], 3);
	udp(r, 3300, 7);
	CU_ASSERT_EQUAL_FATAL(r->n, 3);
	CU_ASSERT_EQUAL(r->recs[2].src.addr[3], 6);
	CU_ASSERT_EQUAL(r->recs[2].end_reason, NS_FLOW_END_DETECTED);
	CU_ASSERT_EQUAL(run_stat(r, 'v'), 2);

	/* and what is idle ends as idle, not for lack of room */
	udp(r, 60000, 8);
	CU_ASSERT_EQUAL_FATAL(r->n, 7);
	for (unsigned i = 3; i < 7; i++)
		CU_ASSERT_EQUAL(r->recs[i].end_reason, NS_FLOW_END_IDLE);
	CU_ASSERT_EQUAL(run_stat(r, 'v'), 2);
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 1);
	run_free(r);
}

/* Live, the same in a few looks: what is due ends one by one, and the rest goes by worth. */
static void full_shard_live(void)
{
	run_t *r = run_share(&(struct ns_flow_conf){4, 10, 60, true, 2}, 0, 1, 1, 0, false);

	for (uint32_t i = 1; i <= 4; i++)
		udp(r, 100, i);
	udp(r, 100, 1); /* the others are as old, but smaller */
	udp(r, 200, 5);
	CU_ASSERT_EQUAL_FATAL(r->n, 1);
	CU_ASSERT_EQUAL(r->recs[0].src.addr[3], 2);
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_RESOURCES);
	udp(r, 60000, 6);
	CU_ASSERT_EQUAL_FATAL(r->n, 2);
	CU_ASSERT_EQUAL(r->recs[1].end_reason, NS_FLOW_END_IDLE);
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 4);
	run_end(r, 60000);
	CU_ASSERT_EQUAL(r->n, 6);
	run_free(r);
}

/* In one burst a flow is found, evicted by a new one, and comes again. */
static void evicted_in_its_burst(void)
{
	static const uint32_t order[] = {1, 2, 3, 1, 4, 2, 1, 1, 3, 5, 1};
	enum { N = NS_ARRAY_LEN(order) };
	struct test_packet b[N];
	struct rte_mbuf *m[N];
	run_t *r = run_share(&(struct ns_flow_conf){2, 10, 60, true, 2}, 0, 1, 1, 0, false);
	uint64_t packets = 0;

	udp(r, 0, 1);
	udp(r, 0, 2);
	for (unsigned i = 0; i < N; i++) {
		struct say s = {.src = order[i], .dst = 2, .sport = 5, .dport = 6, .proto = UDP};

		m[i] = packet_of(&s, &b[i]);
	}
	CU_ASSERT_EQUAL(ns_flow_burst(r->t, m, N, &r->c), 0);
	run_end(r, 0);
	for (unsigned i = 0; i < r->n; i++) {
		packets += r->recs[i].packets;
		CU_ASSERT_EQUAL(r->recs[i].rev_packets, 0);
	}
	CU_ASSERT_EQUAL(packets, N + 2);
	CU_ASSERT_EQUAL(run_stat(r, 'c'), r->n);
	run_free(r);
}

/* A full table forever: positions go through RCU's defer queue again and again. */
static void churn(void)
{
	const uint32_t all = 60000, cap = 4096;
	run_t *r = run_share(&(struct ns_flow_conf){cap, 10, 60, true, 2}, 0, 1, 1, 0, false);
	uint64_t packets = 0;

	for (uint32_t i = 0; i < all; i++)
		udp(r, i / 100, i + 1);
	CU_ASSERT_EQUAL(r->c.v[ns_drop_flow_table_full.id], 0);
	CU_ASSERT_EQUAL(run_stat(r, 'v'), all - cap);
	CU_ASSERT_EQUAL(run_stat(r, 'f'), cap);
	run_end(r, all / 100);
	CU_ASSERT_EQUAL(r->n, all);
	for (uint32_t i = 0; i < r->n; i++)
		packets += r->recs[i].packets;
	CU_ASSERT_EQUAL(packets, all);
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 0);
	run_free(r);
}

/* As above while a reader is online and reports only now and then. */
static void churn_with_reader(void)
{
	run_t *r = run_share(&(struct ns_flow_conf){4096, 10, 60, true, 2}, 0, 1, 1, 0, false);
	struct rte_rcu_qsbr *rcu = r->t->store.rcu;

	CU_ASSERT_EQUAL_FATAL(rte_rcu_qsbr_thread_register(rcu, 0), 0);
	rte_rcu_qsbr_thread_online(rcu, 0);
	for (uint32_t i = 0; i < 50000; i++) {
		udp(r, i / 100, i + 1);
		if (i % 16 == 0)
			rte_rcu_qsbr_quiescent(rcu, 0);
	}
	rte_rcu_qsbr_thread_offline(rcu, 0);
	run_end(r, 500);
	/* a position that a reader may still look at is not given to a new flow */
	CU_ASSERT_EQUAL(r->n + r->c.v[ns_drop_flow_table_full.id], 50000);
	CU_ASSERT(r->c.v[ns_drop_flow_table_full.id] < 50000);
	run_free(r);
}

/* A bound that was too low: no room is a drop with a name, and the rest goes on. */
static void no_room(void)
{
	run_t *r = run_share(&(struct ns_flow_conf){4096, 10, 60, true, 2}, 0, 64, 64, 1, false);
	unsigned drops = 0;

	for (uint32_t i = 0; i < 200; i++) {
		struct test_packet b;
		struct say s = {.src = i + 1, .dst = 2, .proto = UDP};
		struct rte_mbuf *m = packet_of(&s, &b);

		drops += ns_flow_burst(r->t, &m, 1, &r->c);
	}
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 65);
	CU_ASSERT_EQUAL(drops, 200 - 65);
	CU_ASSERT_EQUAL(r->c.v[ns_drop_flow_table_full.id], drops);
	say(r, (struct say){
		       .src = 1, .dst = 2, .proto = UDP, .ms = 1}); /* those that are in go on */
	run_end(r, 1);
	uint64_t packets = 0;

	for (unsigned i = 0; i < r->n; i++)
		packets += r->recs[i].packets;
	CU_ASSERT_EQUAL(r->n, 65);
	CU_ASSERT_EQUAL(packets + drops, 200 + 1);
	run_free(r);
}

/* A hot flow is moved each sixteenth to eighth of the idle time-out, and never ends as idle. */
static void hot(void)
{
	run_t *r = run_new(&(struct ns_flow_conf){4096, 1, 0, true, 2});

	for (uint64_t ms = 0; ms < 20000; ms += 50) {
		udp(r, ms, 1);
		run_age(r, ms);
	}
	CU_ASSERT_EQUAL(r->n, 0);
	CU_ASSERT_EQUAL(run_one(r, 20000).packets, 400);
}

FLOW_TEST_MAIN({"idle", idle}, {"other times", other_times}, {"active", active},
	{"active before idle", active_before_idle}, {"active off", active_never},
	{"packets out of order", out_of_order}, {"time stamps go back", step_back},
	{"ticks go around", ticks_wrap}, {"a full shard", full_shard},
	{"a full shard, live", full_shard_live}, {"evicted in its own burst", evicted_in_its_burst},
	{"churn", churn}, {"churn with a reader", churn_with_reader}, {"no room", no_room},
	{"a hot flow", hot})
