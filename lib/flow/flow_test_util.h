/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Packets and tables for tests of the flow table: a packet is what decode would have said of it,
 *and every ended flow becomes a record in a list. Time is in milliseconds since T0.
 *
 *	run_t r = run_new(&(struct ns_flow_conf){...});
 *	say(&r, (struct say){.src = 1, .dst = 2, .proto = 17, .sport = 7, .dport = 9, .ms = 10});
 *	run_end(&r, 10);
 *	CU_ASSERT_EQUAL(r.n, 1);
 */

#include "ns_test.h"
#include "ns_test_eal.h"

#include <ns_decode.h>
#include <ns_dispatch.h>
#include <ns_flow.h>
#include <ns_registry.h>

#include <string.h>

/*
 * Every test runs with both indexes; FLOW_TEST_MAIN takes the place of NS_TEST_MAIN, and run_conf()
 * brings the index into a configuration.
 */
static enum ns_flow_index test_index;

static inline int flow_test_main(const char *name, const struct ns_test_case *cases, size_t n)
{
	int rc;

	test_index = NS_FLOW_INDEX_TAG;
	rc = ns_test_run(name, cases, n);
	test_index = NS_FLOW_INDEX_RTE_HASH;
	return ns_test_run(name, cases, n) | rc;
}

#define FLOW_TEST_MAIN(...)                                                               \
	int main(void)                                                                    \
	{                                                                                 \
		static const struct ns_test_case cases[] = {__VA_ARGS__};                 \
                                                                                          \
		return flow_test_main(__FILE__, cases, sizeof(cases) / sizeof(cases[0])); \
	}

static inline struct ns_flow_conf run_conf(const struct ns_flow_conf *conf)
{
	struct ns_flow_conf c = *conf;

	c.index = test_index;
	return c;
}

#define T0 UINT64_C(1700000000000000000)
#define MS UINT64_C(1000000)
#define RECS 65536

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58 };

struct say {
	uint32_t src, dst; /* last octets of the addresses */
	uint16_t sport, dport;
	uint8_t proto, tcp; /* tcp: flags */
	uint32_t seq;
	uint16_t len; /* of the TCP data */
	uint64_t ms; /* the clock */
	int64_t late; /* the packet is that many ms older than the clock */
	uint8_t ttl, tos, icmp_type, icmp_code;
	uint16_t vlan, vlan2; /* id + 1 */
	uint8_t tunnel;
	uint32_t tunnel_id;
	bool directional, v6, fragment, none; /* none: no IP */
	uint32_t ip_octets, wirelen, caplen;
	uint16_t port;
};

struct test_packet {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
	uint8_t data[64];
};

typedef struct {
	struct ns_flow_table *t;
	struct ns_counters c;
	struct ns_flow_rec *recs;
	unsigned n;
} run_t;

static inline void run_ended(void *ctx, const struct ns_flow_ended *flow)
{
	run_t *r = ctx;

	if (r->n == RECS)
		abort();
	ns_flow_record(flow, &r->recs[r->n++]);
}

static inline void tuple_of(const struct say *s, struct ns_packet *p)
{
	uint8_t a[16] = {0}, b[16] = {0};
	unsigned last = s->v6 ? 12 : 0, alen = s->v6 ? 16 : 4;
	uint32_t src = __builtin_bswap32(s->src), dst = __builtin_bswap32(s->dst);
	uint16_t sport = s->sport, dport = s->dport;

	if (s->v6)
		a[0] = b[0] = 0xfd;
	memcpy(a + last, &src, 4);
	memcpy(b + last, &dst, 4);
	if (s->proto == ICMP || s->proto == ICMPV6) {
		static const uint8_t echo[2][2] = {{8, 0}, {128, 129}};
		const uint8_t *e = echo[s->proto == ICMPV6];

		sport = s->icmp_type;
		dport = sport == e[0] ? e[1] : sport == e[1] ? e[0] : s->icmp_code;
	}
	int order = memcmp(a, b, alen);
	bool swapped = order > 0 || (order == 0 && sport > dport);

	memcpy(p->tuple.a, swapped ? b : a, 16);
	memcpy(p->tuple.b, swapped ? a : b, 16);
	p->tuple.pa = __builtin_bswap16(swapped ? dport : sport);
	p->tuple.pb = __builtin_bswap16(swapped ? sport : dport);
	p->tuple.proto = s->proto;
	p->tuple.ver = s->v6 ? 6 : 4;
	p->tuple.vlan[0] = s->vlan;
	p->tuple.vlan[1] = s->vlan2;
	p->tuple.tunnel = s->tunnel;
	p->tuple.tunnel_id = s->directional ? 0 : s->tunnel_id;
	p->hash = ns_tuple_hash(&p->tuple);
	p->flags |= NS_PKT_IP | NS_PKT_PORTS | (swapped ? NS_PKT_SWAPPED : 0);
}

/* The outer header of a tunnelled packet is 10.0.0.<src> to 10.0.0.<dst>. */
static inline struct rte_mbuf *packet_of(const struct say *s, struct test_packet *b)
{
	memset(b, 0, sizeof(*b));
	struct ns_packet *p = ns_packet(&b->m);

	b->m.buf_addr = b->data;
	b->data[0] = 0x45;
	b->data[12] = b->data[16] = 10;
	b->data[15] = (uint8_t)s->src;
	b->data[19] = (uint8_t)s->dst;
	p->flags = NS_PKT_DECODED;
	p->clock_ns = T0 + s->ms * MS;
	p->ts_ns = p->clock_ns - (uint64_t)s->late * MS;
	p->ip_octets = s->ip_octets != 0 ? s->ip_octets : 40u + s->len;
	p->wirelen = s->wirelen != 0 ? s->wirelen : p->ip_octets + 14;
	p->caplen = s->caplen != 0 ? s->caplen : sizeof(b->data);
	p->port = s->port;
	if (s->none)
		return &b->m;
	tuple_of(s, p);
	if (s->proto == TCP)
		p->flags |= NS_PKT_TCP;
	if (s->tunnel != 0)
		p->flags |= NS_PKT_TUNNEL;
	if (s->fragment)
		p->flags |= NS_PKT_FRAG | NS_PKT_LATER_FRAG;
	p->tunnel_id = s->tunnel_id;
	p->tcp_flags = s->tcp;
	p->tcp_seq = s->seq;
	p->l4_len = s->len;
	p->ttl = s->ttl != 0 ? s->ttl : 64;
	p->tos = s->tos;
	p->icmp_type = s->icmp_type;
	p->icmp_code = s->icmp_code;
	if (s->proto == ICMP || s->proto == ICMPV6) {
		p->dport = (uint16_t)(s->icmp_type << 8 | s->icmp_code);
	} else {
		p->sport = s->sport;
		p->dport = s->dport;
	}
	return &b->m;
}

static inline run_t *run_share(const struct ns_flow_conf *conf, unsigned id, uint32_t shards,
	uint32_t all, uint64_t bound, bool file)
{
	const struct ns_flow_conf c = run_conf(conf);

	ns_test_eal();
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	run_t *r = calloc(1, sizeof(*r));
	struct ns_flow_hooks hooks = {run_ended, r};

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	r->recs = malloc(RECS * sizeof(*r->recs));
	CU_ASSERT_PTR_NOT_NULL_FATAL(r->recs);
	r->t = ns_flow_table_create(&c, id, shards, all, bound, file, &hooks);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r->t);
	return r;
}

static inline run_t *run_new(const struct ns_flow_conf *conf)
{
	return run_share(conf, 0, 64, 64, 0, false);
}

/* idle 10 s, active 60 s, TCP ends, lingers 2 s */
static inline run_t *run_usual(void)
{
	return run_new(&(struct ns_flow_conf){4096, 10, 60, true, 2});
}

static inline void run_free(run_t *r)
{
	ns_flow_table_destroy(r->t);
	free(r->recs);
	free(r);
}

static inline void say(run_t *r, struct say s)
{
	struct test_packet b;
	struct rte_mbuf *m = packet_of(&s, &b);

	ns_flow_burst(r->t, &m, 1, &r->c);
}

/* The ager all around the table. */
static inline void run_age(run_t *r, uint64_t ms)
{
	for (unsigned i = 0; i < 64; i++)
		ns_flow_age(r->t, T0 + ms * MS);
}

static inline void run_end(run_t *r, uint64_t ms)
{
	ns_flow_end_all(r->t, T0 + ms * MS);
}

/* The only record of the run, which ends here. */
static inline struct ns_flow_rec run_one(run_t *r, uint64_t ms)
{
	run_end(r, ms);
	CU_ASSERT_EQUAL_FATAL(r->n, 1);
	struct ns_flow_rec rec = r->recs[0];

	run_free(r);
	return rec;
}

static inline uint64_t run_stat(const run_t *r, char what)
{
	struct ns_flow_stats s;

	ns_flow_table_stats(r->t, &s);
	return what == 'f' ? s.flows : what == 'c' ? s.created : what == 'e' ? s.ended : s.evicted;
}
