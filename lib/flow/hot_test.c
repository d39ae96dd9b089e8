/* SPDX-License-Identifier: BSD-3-Clause */
/* What the hot line leaves out: counters that overflow, late packets, TTLs, colliding digests. */
#include "flow_priv.h"
#include "flow_test_util.h"

#define THERE .src = 1, .dst = 2, .sport = 50000, .dport = 443, .proto = UDP
#define BACK .src = 2, .dst = 1, .sport = 443, .dport = 50000, .proto = UDP

/* Octets beyond 32 bits, both ways, also in one packet. */
static void overflow(void)
{
	run_t *r = run_usual();
	const uint32_t huge = 0xf0000000u;

	for (unsigned i = 0; i < 20; i++) {
		say(r, (struct say){THERE, .ip_octets = huge, .wirelen = huge + 14});
		say(r, (struct say){BACK, .ip_octets = 100, .wirelen = 114});
	}
	for (unsigned i = 0; i < 3; i++)
		say(r, (struct say){BACK, .ip_octets = huge, .wirelen = UINT32_MAX});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_EQUAL(f.packets, 20);
	CU_ASSERT_EQUAL(f.ip_octets, UINT64_C(20) * huge);
	CU_ASSERT_EQUAL(f.l2_octets, UINT64_C(20) * (huge + 14));
	CU_ASSERT_EQUAL(f.rev_packets, 23);
	CU_ASSERT_EQUAL(f.rev_ip_octets, 2000 + UINT64_C(3) * huge);
	CU_ASSERT_EQUAL(f.rev_l2_octets, 2280 + UINT64_C(3) * UINT32_MAX);
}

/* A position that was a big flow's is no big flow's when it is used again. */
static void overflow_once(void)
{
	run_t *r = run_usual();

	say(r, (struct say){THERE, .ip_octets = UINT32_MAX});
	say(r, (struct say){BACK, .ip_octets = UINT32_MAX});
	say(r, (struct say){THERE, .ms = 20000, .ip_octets = 40});
	say(r, (struct say){THERE, .ms = 20001, .ip_octets = UINT32_MAX});
	run_end(r, 20001);
	CU_ASSERT_EQUAL_FATAL(r->n, 2);
	CU_ASSERT_EQUAL(r->recs[1].packets, 2);
	CU_ASSERT_EQUAL(r->recs[1].rev_packets, 0);
	CU_ASSERT_EQUAL(r->recs[1].ip_octets, UINT64_C(40) + UINT32_MAX);
	CU_ASSERT_EQUAL(r->recs[1].rev_ip_octets, 0);
	run_free(r);
}

/* TOS and flags are of the first packet of a direction, also when its counter has overflowed. */
static void first_once(void)
{
	run_t *r = run_usual();

	say(r, (struct say){THERE, .tos = 8, .ip_octets = UINT32_MAX});
	say(r, (struct say){THERE, .tos = 16, .ip_octets = UINT32_MAX});
	CU_ASSERT_EQUAL(run_one(r, 0).tos, 8);
}

static void ttls(void)
{
	static const uint8_t there[] = {64, 64, 63, 63, 64, 70, 70, 64}, back[] = {1, 255, 30};
	run_t *r = run_usual();

	for (unsigned i = 0; i < sizeof(there); i++)
		say(r, (struct say){THERE, .ttl = there[i]});
	for (unsigned i = 0; i < sizeof(back); i++)
		say(r, (struct say){BACK, .ttl = back[i]});
	struct ns_flow_rec f = run_one(r, 0);

	CU_ASSERT_EQUAL(f.ttl_min, 63);
	CU_ASSERT_EQUAL(f.ttl_max, 70);
	CU_ASSERT_EQUAL(f.rev_ttl_min, 1);
	CU_ASSERT_EQUAL(f.rev_ttl_max, 255);
}

/* Late ones among others: the first packet, one in the middle, all. */
static void late(void)
{
	static const struct {
		int64_t late[4];
		int64_t start, end; /* ms; the clock is at 1000, 2000, 3000, 4000 */
	} of[] = {
		{{0, 0, 0, 0}, 1000, 4000},
		{{500, 0, 0, 0}, 500, 4000},
		{{0, 1500, 0, 0}, 500, 4000},
		{{0, 0, 0, 2500}, 1000, 3000},
		{{0, 0, 0, 500}, 1000, 3500},
		{{900, 1800, 2700, 3600}, 100, 400},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(of); i++) {
		run_t *r = run_usual();

		for (unsigned j = 0; j < 4; j++)
			say(r, (struct say){THERE, .ms = 1000 * (j + 1), .late = of[i].late[j]});
		struct ns_flow_rec f = run_one(r, 4000);

		CU_ASSERT_EQUAL(f.start_ns, T0 + (uint64_t)of[i].start * MS);
		CU_ASSERT_EQUAL(f.end_ns, T0 + (uint64_t)of[i].end * MS);
		CU_ASSERT_EQUAL(f.packets, 4);
	}
}

/* Several ways in: the clock of a flow's packets may step back a little. */
static void clock_steps_back(void)
{
	run_t *r = run_usual();

	say(r, (struct say){THERE, .ms = 1000});
	say(r, (struct say){BACK, .ms = 999});
	struct ns_flow_rec f = run_one(r, 1000);

	CU_ASSERT_EQUAL(f.start_ns, T0 + 999 * MS);
	CU_ASSERT_EQUAL(f.end_ns, T0 + 1000 * MS);
	CU_ASSERT_EQUAL(f.end_reason, NS_FLOW_END_FORCED);
}

/* The digest of all IPv6 addresses is the same: the addresses themselves must tell them apart. */
static void collide(void)
{
	run_t *r = run_new(&(struct ns_flow_conf){4096, 10, 60, true, 2});
	uint64_t packets = 0;

	r->t->digest_mask = 0;
	for (uint32_t i = 0; i < 2000; i++)
		say(r, (struct say){
			       .src = 10 + i % 40, .dst = 2, .proto = UDP, .v6 = true, .ms = i});
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 40);
	/* those that end do not hide the others */
	run_age(r, 11989);
	CU_ASSERT_EQUAL(r->n, 29);
	for (uint32_t i = 0; i < 2000; i++)
		say(r, (struct say){.src = 10 + i % 40,
			       .dst = 2,
			       .proto = UDP,
			       .v6 = true,
			       .ms = 11989});
	CU_ASSERT_EQUAL(r->n, 29);
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 40);
	run_end(r, 11989);
	CU_ASSERT_EQUAL(r->n, 29 + 40);
	for (unsigned i = 0; i < r->n; i++) {
		packets += r->recs[i].packets;
		CU_ASSERT_EQUAL(r->recs[i].src.ver, 6);
	}
	CU_ASSERT_EQUAL(packets, 4000);
	run_free(r);
}

/* More than the bits of a tick hold, in every time-out. */
static void long_times(void)
{
	const uint64_t day = 86400000;
	run_t *r = run_new(&(struct ns_flow_conf){4096, 100000000, 4000000000u, true, 3600});

	for (unsigned i = 0; i < 1000; i++) {
		say(r, (struct say){THERE, .ms = i * day * 40});
		run_age(r, i * day * 40);
	}
	CU_ASSERT_EQUAL(r->n, 0);
	CU_ASSERT_EQUAL(run_one(r, 40000 * day).packets, 1000);
}

FLOW_TEST_MAIN({"counters overflow", overflow}, {"and only once", overflow_once},
	{"the first packet", first_once}, {"TTLs", ttls}, {"late packets", late},
	{"the clock steps back", clock_steps_back}, {"digests collide", collide},
	{"long time-outs", long_times})
