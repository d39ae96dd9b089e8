/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables read while they are written: every record is whole, and none is missing. */
#include "flow_test_util.h"
#include "walk.h"

#include <ns_text.h>

#include <pthread.h>
#include <stdatomic.h>

static int keep(void *ctx, struct ns_flow_rec *recs, unsigned n)
{
	run_t *r = ctx;

	ns_flow_record_ids(recs, n);
	memcpy(&r->recs[r->n], recs, n * sizeof(*recs));
	r->n += n;
	return 0;
}

/* All records of r's table, at r->recs. */
static void walk(run_t *r, unsigned max)
{
	uint32_t from = 0;
	int rc;

	r->n = 0;
	do
		rc = ns_flow_walk(r->t, &from, max, keep, r);
	while (rc == 1);
	CU_ASSERT_EQUAL(rc, 0);
}

static void same_text(const struct ns_flow_rec *a, const struct ns_flow_rec *b)
{
	char one[4096], two[4096];

	*ns_rec_put_json_line(one, &ns_flow_rec_kind, a) = '\0';
	*ns_rec_put_json_line(two, &ns_flow_rec_kind, b) = '\0';
	CU_ASSERT_STRING_EQUAL(one, two);
}

/* What a walk says of a flow is what its record says when it ends, but for the reason. */
static void as_at_its_end(void)
{
	static const struct say says[] = {
		{.src = 1, .dst = 2, .sport = 50000, .dport = 443, .proto = TCP, .tcp = SYN},
		{.src = 2, .dst = 1, .sport = 443, .dport = 50000, .proto = TCP, .tcp = SYN | ACK},
		{.src = 1, .dst = 2, .sport = 50000, .dport = 443, .proto = TCP, .tcp = ACK},
		{.src = 9, .dst = 3, .sport = 7, .dport = 53, .proto = UDP, .v6 = true, .ttl = 9},
		{.src = 4, .dst = 3, .proto = ICMP, .icmp_type = 8, .vlan = 101, .vlan2 = 8},
		{.src = 4,
			.dst = 5,
			.sport = 1,
			.dport = 2,
			.proto = UDP,
			.tunnel = 1,
			.tunnel_id = 42,
			.port = 3},
		{.src = 6,
			.dst = 5,
			.sport = 1,
			.dport = 2,
			.proto = UDP,
			.ip_octets = 0xf0000000u,
			.wirelen = 0xf0000001u},
		{.src = 6, .dst = 5, .sport = 1, .dport = 2, .proto = UDP, .ms = 50, .late = 20},
	};
	struct ns_flow_rec live[8];
	run_t *r = run_usual();

	for (unsigned i = 0; i < NS_ARRAY_LEN(says); i++)
		say(r, says[i]);
	walk(r, UINT32_MAX);
	CU_ASSERT_EQUAL_FATAL(r->n, 5);
	memcpy(live, r->recs, sizeof(*live) * r->n);
	CU_ASSERT_EQUAL(live[0].rev_packets, 1);
	CU_ASSERT_EQUAL(live[1].src.ver, 6);
	CU_ASSERT_EQUAL(live[3].tunnel_id, 42);
	CU_ASSERT_EQUAL(live[4].ip_octets, UINT64_C(0xf0000000) + 40);
	r->n = 0;
	run_end(r, 60);
	CU_ASSERT_EQUAL_FATAL(r->n, 5);
	for (unsigned i = 0; i < r->n; i++) {
		CU_ASSERT_EQUAL(live[i].end_reason, 0);
		live[i].end_reason = r->recs[i].end_reason;
		same_text(&live[i], &r->recs[i]);
	}
	walk(r, UINT32_MAX); /* all have ended */
	CU_ASSERT_EQUAL(r->n, 0);
	run_free(r);
}

static void fill(run_t *r, unsigned first, unsigned n, uint64_t ms)
{
	for (unsigned i = first; i < first + n; i++)
		say(r, (struct say){.src = i,
			       .dst = 1u << 20,
			       .proto = UDP,
			       .sport = 1,
			       .dport = 2,
			       .ms = ms});
}

/* Whatever the steps, each flow is seen once; those that ended are not, nor what was never used. */
static void steps(void)
{
	static const unsigned max[] = {1, 7, 16, 17, 100, UINT32_MAX};
	run_t *r = run_usual();

	walk(r, 1);
	CU_ASSERT_EQUAL(r->n, 0);
	fill(r, 1, 100, 0);
	fill(r, 101, 100, 9000);
	r->n = 0;
	run_age(r, 11000); /* the first 100 end */
	CU_ASSERT_EQUAL_FATAL(r->n, 100);
	fill(r, 301, 50, 11000);
	for (unsigned m = 0; m < NS_ARRAY_LEN(max); m++) {
		uint8_t seen[351] = {0};

		walk(r, max[m]);
		CU_ASSERT_EQUAL(r->n, 150);
		for (unsigned i = 0; i < r->n; i++)
			seen[(unsigned)r->recs[i].src.addr[2] << 8 | r->recs[i].src.addr[3]]++;
		for (unsigned i = 0; i < NS_ARRAY_LEN(seen); i++)
			CU_ASSERT_EQUAL(seen[i], (i > 100 && i <= 200) || i >= 301);
	}
	run_free(r);
}

static int stop(void *ctx, struct ns_flow_rec *recs, unsigned n)
{
	unsigned *left = ctx;

	return --*left == 0 ? -EINTR : 0;
}

/* The callee ends the walk, which goes on behind what it was given. */
static void stops(void)
{
	run_t *r = run_usual();
	unsigned left = 2;
	uint32_t from = 0;

	fill(r, 1, 100, 0);
	CU_ASSERT_EQUAL(ns_flow_walk(r->t, &from, 1000, stop, &left), -EINTR);
	CU_ASSERT_EQUAL(from, 2 * NS_FLOW_WALK_BATCH);
	r->n = 0;
	CU_ASSERT_EQUAL(ns_flow_walk(r->t, &from, 1000, keep, r), 0);
	CU_ASSERT_EQUAL(r->n, 100 - 2 * NS_FLOW_WALK_BATCH);
	run_free(r);
}

/* An lcore that stays in a burst holds a walk up, but does not stop it for ever. */
static void held_up(void)
{
	run_t *r = run_usual();
	uint32_t from = 0;

	fill(r, 1, 10, 0);
	bool opened = flow_open(r->t);

	CU_ASSERT_TRUE(opened);
	CU_ASSERT_FALSE(flow_open(r->t));
	flow_shut(r->t, false);
	CU_ASSERT_EQUAL(ns_flow_walk(r->t, &from, 1000, keep, r), -EAGAIN);
	CU_ASSERT_EQUAL(from, 0);
	CU_ASSERT_EQUAL(r->n, 0);
	flow_shut(r->t, opened);
	CU_ASSERT_EQUAL(ns_flow_walk(r->t, &from, 1000, keep, r), 0);
	CU_ASSERT_EQUAL(r->n, 10);
	run_free(r);
}

/*
 * The stress: a thread in the lcore's place, which begins, counts and ends flows as fast as it
 * can, and a walk beside it. Everything about a flow follows from its number and the time of its
 * first packet, or of another counter of it that lies in another line:
 *
 *	number     both addresses, both ports, protocol, IPv6 or not, tunnel id, octets a packet
 *	packets    octets by IP and on the wire; TCP: the same segment each time, so retransmissions
 *	start_ns   TOS of the first packet
 */
#define FLOWS 3000u
#define BURST 64u
#define RECORDS_WANTED 4000000u
#define HUGE_OCTETS 0x30000000u /* so that counters of 32 bits soon spill */

static struct say packet_of_flow(uint32_t i, uint64_t ms)
{
	return (struct say){.src = i + 1,
		.dst = i + FLOWS,
		.sport = (uint16_t)(i + 1),
		.dport = (uint16_t)(60000 - i),
		.proto = i % 2 != 0 ? TCP : UDP,
		.tcp = ACK,
		.seq = 1000,
		.len = 10,
		.ms = ms,
		.v6 = i % 3 == 0,
		.tunnel = i % 5 == 0,
		.tunnel_id = i % 5 == 0 ? i + 7 : 0,
		.tos = (uint8_t)(ms % 251),
		.ip_octets = i % 7 == 0 ? HUGE_OCTETS : 100 + i};
}

struct stress {
	run_t *r;
	atomic_bool stop;
	uint64_t bursts, ended;
	/* the walk's */
	uint64_t seen, odd;
	uint64_t begun_again, big;
};

static void *lcore(void *arg)
{
	struct stress *s = arg;
	struct test_packet *b = calloc(BURST, sizeof(*b));
	struct rte_mbuf *m[BURST];
	uint32_t rnd = 1;
	cpu_set_t all;

	/* EAL has bound the thread that made this one to a CPU, which must not be for both */
	memset(&all, 0xff, sizeof(all));
	pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
	for (uint64_t ms = 1; b != NULL && !atomic_load_explicit(&s->stop, memory_order_relaxed);
		ms += 5) {
		/* some flows come often, some at once again, some after they have ended */
		uint32_t first = (rnd = rnd * 1664525 + 1013904223) >> 16;

		for (unsigned i = 0; i < BURST; i++) {
			uint32_t f = (first + (i & 31) * (i & 1 ? 1 : 91)) % FLOWS;
			struct say say = packet_of_flow(f, ms);

			m[i] = packet_of(&say, &b[i]);
		}
		ns_flow_burst(s->r->t, m, BURST, &s->r->c);
		ns_flow_age(s->r->t, T0 + ms * MS);
		s->bursts++;
	}
	free(b);
	return NULL;
}

static void count_ended(void *ctx, const struct ns_flow_ended *flow)
{
	(*(uint64_t *)ctx)++;
}

static uint32_t number_of(const struct ns_ip *ip)
{
	uint32_t n;

	memcpy(&n, ip->addr + (ip->ver == 6 ? 12 : 0), sizeof(n));
	return __builtin_bswap32(n);
}

static bool whole(const struct ns_flow_rec *r)
{
	uint32_t i = number_of(&r->src) - 1;
	struct say p = packet_of_flow(i, (r->start_ns - T0) / MS);

	return i < FLOWS && r->src.ver == (p.v6 ? 6 : 4) && number_of(&r->dst) == p.dst &&
	       r->src_port == p.sport && r->dst_port == p.dport && r->proto == p.proto &&
	       r->packets > 0 && r->ip_octets == r->packets * p.ip_octets &&
	       r->l2_octets == r->packets * (p.ip_octets + 14) && r->rev_packets == 0 &&
	       r->tos == p.tos && r->start_ns <= r->end_ns && r->tunnel_id == p.tunnel_id &&
	       r->outer_src.ver == (p.tunnel != 0 ? 4 : 0) &&
	       r->tcp_retransmits == (p.proto == TCP ? r->packets - 1 : 0) && r->end_reason == 0;
}

static int look_at(void *ctx, struct ns_flow_rec *recs, unsigned n)
{
	struct stress *s = ctx;

	s->seen += n;
	for (unsigned i = 0; i < n; i++) {
		s->odd += !whole(&recs[i]);
		s->big += recs[i].ip_octets > UINT32_MAX;
		s->begun_again += recs[i].start_ns > T0 + 1000 * MS;
	}
	return 0;
}

/* Idle 1 s and active 2 s of its clock: flows begin anew where they were, or elsewhere. */
static void while_written(void)
{
	const struct ns_flow_conf usual = {2048, 1, 2, true, 1};
	const struct ns_flow_conf conf = run_conf(&usual);
	struct stress s = {.r = run_new(&conf)};
	struct ns_flow_hooks hooks = {count_ended, &s.ended};
	struct ns_flow_table *own = s.r->t;
	unsigned stuck = 0;
	uint32_t from = 0;
	pthread_t t;

	s.r->t = ns_flow_table_create(&conf, 1, 64, 64, 0, false, &hooks);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.r->t);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, lcore, &s), 0);
	while (s.seen < RECORDS_WANTED) {
		int rc = ns_flow_walk(s.r->t, &from, 256, look_at, &s);

		if (rc == 0)
			from = 0;
		stuck += rc == -EAGAIN;
	}
	atomic_store(&s.stop, true);
	pthread_join(t, NULL);
	printf("%llu records, %llu ended, %llu bursts, %u times held up ",
		(unsigned long long)s.seen, (unsigned long long)s.ended,
		(unsigned long long)s.bursts, stuck);
	CU_ASSERT_EQUAL(s.odd, 0);
	CU_ASSERT_TRUE(s.ended > 100);
	CU_ASSERT_TRUE(s.begun_again > 0);
	CU_ASSERT_TRUE(s.big > 0);
	ns_flow_table_destroy(s.r->t);
	s.r->t = own;
	run_free(s.r);
}

FLOW_TEST_MAIN({"as at its end", as_at_its_end}, {"steps", steps}, {"stops", stops},
	{"held up", held_up}, {"while written", while_written})
