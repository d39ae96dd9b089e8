/* SPDX-License-Identifier: BSD-3-Clause */
/* Flags, sequence numbers, handshake and end of TCP flows. */
#include "flow_test_util.h"

/* Client 1:1000 (initiator), server 2:80. */
static void c2s(run_t *r, uint64_t ms, uint8_t flags, uint32_t seq, uint16_t len)
{
	say(r, (struct say){.src = 1,
		       .dst = 2,
		       .sport = 1000,
		       .dport = 80,
		       .proto = TCP,
		       .tcp = flags,
		       .seq = seq,
		       .len = len,
		       .ms = ms});
}

static void s2c(run_t *r, uint64_t ms, uint8_t flags, uint32_t seq, uint16_t len)
{
	say(r, (struct say){.src = 2,
		       .dst = 1,
		       .sport = 80,
		       .dport = 1000,
		       .proto = TCP,
		       .tcp = flags,
		       .seq = seq,
		       .len = len,
		       .ms = ms});
}

static void flags(void)
{
	run_t *r = run_usual();

	c2s(r, 0, SYN, 100, 0);
	s2c(r, 10, SYN | ACK, 500, 0);
	c2s(r, 15, ACK, 101, 0);
	c2s(r, 16, PSH | ACK, 101, 10);
	s2c(r, 20, ACK, 501, 0);
	struct ns_flow_rec f = run_one(r, 20);

	CU_ASSERT_EQUAL(f.tcp_flags, SYN | ACK | PSH);
	CU_ASSERT_EQUAL(f.rev_tcp_flags, SYN | ACK);
	CU_ASSERT_EQUAL(f.tcp_first_flags, SYN);
	CU_ASSERT_EQUAL(f.rev_tcp_first_flags, SYN | ACK);
	CU_ASSERT_EQUAL(f.tcp_rtt_ns, 15 * MS);
	CU_ASSERT_EQUAL(f.tcp_gaps + f.rev_tcp_gaps, 0);
	CU_ASSERT_EQUAL(f.tcp_retransmits + f.rev_tcp_retransmits, 0);
}

/* The round trip counts from the last SYN, a repeated SYN is a retransmission. */
static void handshake_again(void)
{
	run_t *r = run_usual();

	c2s(r, 0, SYN, 100, 0);
	c2s(r, 1000, SYN, 100, 0);
	s2c(r, 1010, SYN | ACK, 500, 0);
	s2c(r, 1012, SYN | ACK, 500, 0);
	c2s(r, 1020, ACK, 101, 0);
	c2s(r, 1050, ACK, 101, 0);
	struct ns_flow_rec f = run_one(r, 1050);

	CU_ASSERT_EQUAL(f.tcp_rtt_ns, 20 * MS);
	CU_ASSERT_EQUAL(f.tcp_retransmits, 1);
	CU_ASSERT_EQUAL(f.rev_tcp_retransmits, 1);
	CU_ASSERT_EQUAL(f.tcp_gaps, 0);
}

static void no_handshake(void)
{
	run_t *r = run_usual();

	c2s(r, 0, SYN, 100, 0);
	c2s(r, 5, ACK, 101, 0);
	s2c(r, 9, ACK, 7, 0);
	CU_ASSERT_EQUAL(run_one(r, 9).tcp_rtt_ns, 0);
}

static void gaps(void)
{
	run_t *r = run_usual();

	c2s(r, 0, ACK, 1000, 100);
	c2s(r, 1, ACK, 1200, 100); /* 1100 is missing */
	c2s(r, 2, ACK, 1100, 100); /* and comes late */
	c2s(r, 3, ACK, 1300, 100);
	c2s(r, 4, ACK, 1500, 0); /* an ACK shows that 1400 is missing */
	s2c(r, 5, ACK, 50, 10);
	s2c(r, 6, ACK, 60, 10);
	struct ns_flow_rec f = run_one(r, 6);

	CU_ASSERT_EQUAL(f.tcp_gaps, 2);
	CU_ASSERT_EQUAL(f.tcp_retransmits, 1);
	CU_ASSERT_EQUAL(f.rev_tcp_gaps, 0);
	CU_ASSERT_EQUAL(f.rev_tcp_retransmits, 0);
}

/* A segment that is partly new goes on from its end. */
static void partly_new(void)
{
	run_t *r = run_usual();

	c2s(r, 0, ACK, 1000, 100);
	c2s(r, 1, ACK, 1050, 100);
	c2s(r, 2, ACK, 1150, 100);
	struct ns_flow_rec f = run_one(r, 2);

	CU_ASSERT_EQUAL(f.tcp_retransmits, 1);
	CU_ASSERT_EQUAL(f.tcp_gaps, 0);
}

static void keep_alive(void)
{
	run_t *r = run_usual();

	c2s(r, 0, ACK, 1000, 100);
	for (unsigned i = 1; i <= 5; i++) {
		c2s(r, i, ACK, 1099, i & 1); /* with and without its octet */
		s2c(r, i, ACK, 70, 0);
	}
	c2s(r, 9, ACK, 1100, 100);
	struct ns_flow_rec f = run_one(r, 9);

	CU_ASSERT_EQUAL(f.tcp_gaps + f.tcp_retransmits, 0);
	CU_ASSERT_EQUAL(f.rev_tcp_gaps + f.rev_tcp_retransmits, 0);
}

static void wraps(void)
{
	run_t *r = run_usual();

	c2s(r, 0, ACK, 0xffffff00, 0x80);
	c2s(r, 1, ACK, 0xffffff80, 0x100); /* ends at 0x80 */
	c2s(r, 2, ACK, 0x80, 0x80);
	c2s(r, 3, ACK, 0xffffff80, 0x100); /* again */
	c2s(r, 4, ACK, 0x200, 0x10); /* 0x100 to 0x200 are missing */
	struct ns_flow_rec f = run_one(r, 4);

	CU_ASSERT_EQUAL(f.tcp_gaps, 1);
	CU_ASSERT_EQUAL(f.tcp_retransmits, 1);
}

/* Gaps stop at 65535, they don't begin again. */
static void many_gaps(void)
{
	run_t *r = run_new(&(struct ns_flow_conf){4096, 10, 0, true, 2});

	for (uint32_t i = 0; i < 70000; i++)
		c2s(r, 0, ACK, i * 1000, 10);
	CU_ASSERT_EQUAL(run_one(r, 0).tcp_gaps, 65535);
}

static void new_numbers(void)
{
	run_t *r = run_new(&(struct ns_flow_conf){4096, 10, 60, false, 2});

	c2s(r, 0, SYN, 1000000, 0);
	c2s(r, 1, ACK, 1000001, 100);
	c2s(r, 2, FIN | ACK, 1000101, 0);
	c2s(r, 3, SYN, 5000, 0); /* the ports are used again, farther back */
	c2s(r, 4, ACK, 5001, 100);
	c2s(r, 5, ACK, 5101, 100);
	c2s(r, 6, SYN, 900000000, 0); /* and far ahead */
	c2s(r, 7, ACK, 900000001, 100);
	struct ns_flow_rec f = run_one(r, 7);

	CU_ASSERT_EQUAL(f.tcp_retransmits, 0);
	CU_ASSERT_EQUAL(f.tcp_gaps, 0);
	CU_ASSERT_EQUAL(f.packets, 8);
}

static void fin_both_ways(void)
{
	run_t *r = run_usual();

	c2s(r, 0, FIN | ACK, 100, 0);
	s2c(r, 1, ACK, 500, 0);
	run_age(r, 9000); /* half closed: not at its end */
	CU_ASSERT_EQUAL(r->n, 0);
	s2c(r, 9000, FIN | ACK, 500, 0);
	c2s(r, 9001, ACK, 101, 0);
	run_age(r, 10500);
	CU_ASSERT_EQUAL(r->n, 0);
	c2s(r, 10600, ACK, 101, 0); /* late, but within tcp_linger */
	run_age(r, 11700);
	CU_ASSERT_EQUAL_FATAL(r->n, 1);
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_DETECTED);
	CU_ASSERT_EQUAL(r->recs[0].packets, 3);
	CU_ASSERT_EQUAL(r->recs[0].rev_packets, 2);
	CU_ASSERT_EQUAL(r->recs[0].end_ns, T0 + 10600 * MS);
	CU_ASSERT_EQUAL(run_stat(r, 'f'), 0);
	c2s(r, 11800, ACK, 101, 0); /* too late: another record */
	run_end(r, 11800);
	CU_ASSERT_EQUAL(r->n, 2);
	run_free(r);
}

static void reset(void)
{
	run_t *r = run_usual();

	c2s(r, 0, SYN, 100, 0);
	s2c(r, 1, RST | ACK, 0, 0);
	run_end(r, 1);
	CU_ASSERT_EQUAL_FATAL(r->n, 1);
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_DETECTED);
	CU_ASSERT_EQUAL(r->recs[0].rev_tcp_flags, RST | ACK);
	CU_ASSERT_EQUAL(r->recs[0].tcp_retransmits, 0);
	run_free(r);
}

/* A packet finds its flow ended although no ager ran. */
static void found_by_packet(void)
{
	run_t *r = run_usual();

	c2s(r, 0, RST, 100, 0);
	c2s(r, 5000, ACK, 100, 0);
	CU_ASSERT_EQUAL_FATAL(r->n, 1);
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_DETECTED);
	CU_ASSERT_EQUAL(r->recs[0].packets, 1);
	run_end(r, 5000);
	CU_ASSERT_EQUAL(r->n, 2);
	CU_ASSERT_EQUAL(r->recs[1].end_reason, NS_FLOW_END_FORCED);
	run_free(r);
}

/* A way in that is behind by a few ms does not end the flow before its time. */
static void late_way_in(void)
{
	run_t *r = run_usual();
	uint64_t edge = ((((T0 >> 28) + 10) << 28) - T0) / MS + 1;

	c2s(r, edge, FIN, 100, 0);
	s2c(r, edge, FIN, 500, 0);
	c2s(r, edge - 2, ACK, 101, 0);
	run_end(r, edge);
	CU_ASSERT_EQUAL(r->n, 1);
	run_free(r);
}

static void ports_again(void)
{
	run_t *r = run_usual();

	c2s(r, 0, SYN, 100, 0);
	s2c(r, 1, RST | ACK, 0, 0);
	s2c(r, 2, ACK, 0, 0);
	c2s(r, 10, SYN, 9000, 0); /* a SYN within tcp_linger */
	s2c(r, 11, SYN | ACK, 1, 0);
	run_end(r, 11);
	CU_ASSERT_EQUAL_FATAL(r->n, 2);
	CU_ASSERT_EQUAL(r->recs[0].packets, 1);
	CU_ASSERT_EQUAL(r->recs[0].rev_packets, 2);
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_DETECTED);
	CU_ASSERT_EQUAL(r->recs[1].packets, 1);
	CU_ASSERT_EQUAL(r->recs[1].rev_packets, 1);
	CU_ASSERT_EQUAL(r->recs[1].start_ns, T0 + 10 * MS);
	CU_ASSERT_EQUAL(r->recs[1].tcp_flags, SYN);
	CU_ASSERT_EQUAL(r->recs[1].tcp_retransmits, 0);
	CU_ASSERT_EQUAL(r->recs[1].end_reason, NS_FLOW_END_FORCED);
	run_free(r);
}

static void does_not_end(void)
{
	run_t *r = run_new(&(struct ns_flow_conf){4096, 10, 60, false, 2});

	c2s(r, 0, FIN, 100, 0);
	s2c(r, 1, FIN | RST, 100, 0);
	c2s(r, 9000, SYN, 100, 0);
	run_end(r, 9000);
	CU_ASSERT_EQUAL_FATAL(r->n, 1);
	CU_ASSERT_EQUAL(r->recs[0].end_reason, NS_FLOW_END_FORCED);
	CU_ASSERT_EQUAL(r->recs[0].packets, 2);
	run_free(r);
}

/* An ended flow is not moved, however much still comes. */
static void closing_ends(void)
{
	run_t *r = run_new(&(struct ns_flow_conf){4096, 1, 60, true, 5});

	c2s(r, 0, RST, 100, 0);
	for (unsigned i = 1; i < 48; i++)
		s2c(r, i * 100, ACK, 100, 0);
	CU_ASSERT_EQUAL(r->n, 0);
	run_age(r, 5600);
	CU_ASSERT_EQUAL(r->n, 1);
	CU_ASSERT_EQUAL(r->recs[0].rev_packets, 47);
	run_free(r);
}

FLOW_TEST_MAIN({"flags and handshake", flags}, {"handshake with repeats", handshake_again},
	{"no SYN+ACK, no round trip", no_handshake}, {"gaps", gaps},
	{"a segment that is partly new", partly_new}, {"keep-alive", keep_alive},
	{"sequence numbers wrap", wraps}, {"gaps are counted to 65535", many_gaps},
	{"another connection in the same flow", new_numbers}, {"FIN both ways", fin_both_ways},
	{"RST", reset}, {"a packet finds its flow ended", found_by_packet},
	{"a packet of the tick before", late_way_in}, {"ports are used again", ports_again},
	{"tcp_end off", does_not_end}, {"late packets don't keep it alive", closing_ends})
