/* SPDX-License-Identifier: BSD-3-Clause */
/* What the table says in a packet about its flow, and ageing all at once. */
#include "flow_priv.h"
#include "flow_test_util.h"

/* One packet through the table; returns what was said of it. */
static struct ns_packet told(run_t *r, struct say s)
{
	struct test_packet b;
	struct rte_mbuf *m = packet_of(&s, &b);

	ns_packet(m)->flow = 0xff; /* whatever an earlier use of the buffer left */
	ns_flow_burst(r->t, &m, 1, &r->c);
	return *ns_packet(m);
}

#define THERE .src = 1, .dst = 2, .sport = 50000, .dport = 443, .proto = UDP
#define BACK .src = 2, .dst = 1, .sport = 443, .dport = 50000, .proto = UDP

enum { F = NS_PKT_FLOW, R = NS_PKT_REVERSE, N = NS_PKT_FLOW_NEW, E = NS_PKT_FLOW_FIRST };

static void directions(void)
{
	run_t *r = run_usual();
	struct ns_packet p = told(r, (struct say){THERE});

	CU_ASSERT_EQUAL(p.flow, F | N | E);
	CU_ASSERT_EQUAL(p.flow_dport, 443);
	p = told(r, (struct say){THERE, .ms = 1});
	CU_ASSERT_EQUAL(p.flow, F);
	p = told(r, (struct say){BACK, .ms = 2});
	CU_ASSERT_EQUAL(p.flow, F | R | E);
	CU_ASSERT_EQUAL(p.flow_dport, 443);
	p = told(r, (struct say){BACK, .ms = 3});
	CU_ASSERT_EQUAL(p.flow, F | R);
	run_free(r);
}

static void epochs(void)
{
	run_t *r = run_usual();

	told(r, (struct say){THERE});
	ns_flow_epoch(r->t, 1);
	CU_ASSERT_EQUAL(told(r, (struct say){BACK, .ms = 1}).flow, F | R | E);
	CU_ASSERT_EQUAL(told(r, (struct say){THERE, .ms = 2}).flow, F | E);
	CU_ASSERT_EQUAL(told(r, (struct say){THERE, .ms = 3}).flow, F);
	ns_flow_epoch(r->t, 2);
	CU_ASSERT_EQUAL(told(r, (struct say){THERE, .ms = 4}).flow, F | E);
	run_free(r);
}

/* The number of the epoch comes back after 65536 of them; the flow has slept all the while. */
static void epochs_wrap(void)
{
	run_t *r = run_new(&(struct ns_flow_conf){4096, 100000, 0, true, 2});

	told(r, (struct say){THERE});
	ns_flow_epoch(r->t, 65536);
	CU_ASSERT_EQUAL(told(r, (struct say){THERE, .ms = 65536000}).flow, F | E);
	run_free(r);
}

static void begins_anew(void)
{
	run_t *r = run_usual();

	told(r, (struct say){THERE});
	CU_ASSERT_EQUAL(told(r, (struct say){BACK, .ms = 11000}).flow, F | N | E);
	CU_ASSERT_EQUAL(told(r, (struct say){BACK, .ms = 11001}).flow_dport, 50000);
	run_free(r);
}

static void icmp(void)
{
	run_t *r = run_usual();
	struct ns_packet p =
		told(r, (struct say){.src = 1, .dst = 2, .proto = ICMP, .icmp_type = 8, .ms = 1});

	CU_ASSERT_EQUAL(p.flow_dport, 8 << 8);
	p = told(r, (struct say){.src = 2, .dst = 1, .proto = ICMP, .icmp_type = 0, .ms = 2});
	CU_ASSERT_EQUAL(p.flow, F | R | E);
	CU_ASSERT_EQUAL(p.flow_dport, 8 << 8);
	run_free(r);
}

static void outside(void)
{
	run_t *r = run_usual();

	CU_ASSERT_EQUAL(told(r, (struct say){.none = true}).flow, 0);
	run_free(r);
}

/* What a packet's flow is, right behind it. */
static void looked_at(void)
{
	run_t *r = run_usual();
	struct ns_flow_view v = {0}, other;
	struct ns_packet p = told(r, (struct say){.src = 1, .dst = 2, .proto = UDP, .ms = 1});

	CU_ASSERT_FATAL(ns_flow_look(r->t, &p, &v));
	CU_ASSERT(v.rec.packets == 1 && v.rec.rev_packets == 0 && v.rec.end_reason == 0);
	CU_ASSERT_FALSE(v.closed);
	p = told(r, (struct say){.src = 2, .dst = 1, .proto = UDP, .ms = 2, .v6 = true});
	CU_ASSERT_FATAL(ns_flow_look(r->t, &p, &other));
	CU_ASSERT(other.rec.src.ver == 6 && other.position != v.position);
	p = told(r, (struct say){.src = 2, .dst = 1, .proto = UDP, .ms = 3});
	CU_ASSERT_FATAL(ns_flow_look(r->t, &p, &other));
	CU_ASSERT(other.position == v.position && other.rec.rev_packets == 1);
	CU_ASSERT(other.rec.src.ver == 4 && other.rec.src.addr[3] == 1);
	p = told(r, (struct say){.src = 5, .dst = 6, .proto = TCP, .tcp = RST, .ms = 4});
	CU_ASSERT(ns_flow_look(r->t, &p, &other) && other.closed);
	run_end(r, 5);
	CU_ASSERT_EQUAL(r->n, 3);
	run_free(r);
}

static void age_all(void)
{
	run_t *r = run_new(&(struct ns_flow_conf){4096, 10, 60, true, 2});

	for (uint32_t i = 0; i < 1000; i++)
		say(r, (struct say){.src = i, .dst = 5000, .proto = UDP, .ms = i});
	ns_flow_age_all(r->t, T0 + 10499 * MS + MS / 2);
	CU_ASSERT_EQUAL(r->n, 500);
	run_end(r, 10500);
	CU_ASSERT_EQUAL(r->n, 1000);
	run_free(r);
}

FLOW_TEST_MAIN({"directions", directions}, {"epochs", epochs}, {"epochs wrap", epochs_wrap},
	{"begins anew", begins_anew}, {"icmp", icmp}, {"outside", outside},
	{"looked at", looked_at}, {"age all", age_all})
