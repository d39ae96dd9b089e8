/* SPDX-License-Identifier: BSD-3-Clause */
/* Later fragments get the ports of their first; nothing is lost, and bursts make no difference. */
#include "ns_test.h"
#include "ns_test_eal.h"
#include "ns_test_rte_alloc.h"

#include <ns_defrag.h>
#include <ns_registry.h>

#include <rte_mempool.h>

#include <string.h>

#define T0 UINT64_C(1700000000000000000)
#define MS UINT64_C(1000000)
#define BURST 32
#define PACKETS 20000
#define OUT (PACKETS * 2)

enum frag { WHOLE, FIRST, LATER, OUTER_FIRST };

struct test_packet {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
	uint8_t data[64];
};

/* A packet of host to 10.0.0.1; what: its part of the datagram; ports are those of the first. */
struct say {
	uint32_t host;
	uint32_t id;
	enum frag what;
	uint16_t sport;
	uint64_t ms;
	bool v6;
};

/* What came out of a run, in order. */
struct seen {
	uint32_t mark; /* number of the packet that went in */
	uint16_t sport;
	bool copy, ports, tunnel, swapped;
	uint64_t clock;
	uint32_t ip_octets;
};

typedef struct {
	struct ns_defrag *d;
	struct ns_counters c;
	struct seen *out;
	unsigned n, held, in;
} run_t;

static run_t run_new(uint32_t datagrams, uint32_t held, uint32_t timeout)
{
	struct ns_defrag_conf conf = {datagrams, held, timeout};
	run_t r = {0};

	ns_test_eal();
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	r.d = ns_defrag_create(&conf, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r.d);
	r.out = calloc(OUT, sizeof(*r.out));
	CU_ASSERT_PTR_NOT_NULL_FATAL(r.out);
	return r;
}

static uint64_t note(const run_t *r, const char *name)
{
	return r->c.v[ns_counter_find(name)->id];
}

static struct rte_mbuf *packet_of(const struct say *s, uint32_t mark, struct test_packet *b)
{
	memset(b, 0, sizeof(*b));
	struct ns_packet *p = ns_packet(&b->m);
	uint8_t *h = b->data + 14;
	uint32_t host = __builtin_bswap32(s->host), id = s->id;

	b->m.buf_addr = b->data;
	h[0] = s->v6 ? 0x60 : 0x45;
	h[9] = s->v6 ? 0 : 17;
	memcpy(h + (s->v6 ? 20 : 12), &host, 4);
	memcpy(b->data + 60, &mark, sizeof(mark));
	p->ts_ns = p->clock_ns = T0 + s->ms * MS;
	p->wirelen = p->caplen = sizeof(b->data);
	p->l3_off = p->frag_l3_off = 14;
	p->l4_off = p->payload_off = 34;
	p->payload_len = 30;
	p->ip_octets = 50;
	p->flags = NS_PKT_DECODED | NS_PKT_IP;
	p->tuple.ver = s->v6 ? 6 : 4;
	memcpy(p->tuple.a, &host, 4);
	p->tuple.proto = 17;
	p->frag_id = id;
	p->hash = s->host * 7;
	if (s->what == FIRST)
		p->flags |= NS_PKT_FRAG | NS_PKT_MORE_FRAGS;
	if (s->what == LATER)
		p->flags |= NS_PKT_FRAG | NS_PKT_LATER_FRAG;
	if (s->what == OUTER_FIRST) {
		p->flags |= NS_PKT_OUTER_FRAG | NS_PKT_TUNNEL | NS_PKT_SWAPPED;
		p->depth = 1;
		p->tunnel_id = 42;
		p->tuple.tunnel = 3;
		p->tuple.tunnel_id = 42;
		p->ip_octets = 1400;
	}
	if (s->what != LATER) {
		p->flags |= NS_PKT_PORTS;
		p->sport = s->sport;
		p->tuple.pa = s->sport;
		p->hash = s->host * 7 + s->sport;
	}
	return &b->m;
}

static void take(run_t *r, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct ns_packet *p = ns_packet(m[i]);
		struct seen *s = &r->out[r->n++];

		memcpy(&s->mark, ns_packet_data(m[i]) + 60, sizeof(s->mark));
		s->copy = (p->flags & NS_PKT_COPY) != 0;
		s->ports = (p->flags & NS_PKT_PORTS) != 0;
		s->tunnel = (p->flags & NS_PKT_TUNNEL) != 0;
		s->swapped = (p->flags & NS_PKT_SWAPPED) != 0;
		s->sport = p->sport;
		s->clock = p->clock_ns;
		s->ip_octets = p->ip_octets;
		if (s->ports) {
			CU_ASSERT_EQUAL(p->tuple.pa, p->sport);
			if (p->tuple.tunnel == 0)
				CU_ASSERT_EQUAL(p->hash % 7, p->sport % 7);
		}
		if (s->copy) {
			CU_ASSERT(p->payload_off + p->payload_len <= p->caplen);
			CU_ASSERT_EQUAL(p->wirelen, 64);
			CU_ASSERT_EQUAL(m[i]->nb_segs, 1);
			CU_ASSERT_PTR_NULL(m[i]->next);
			rte_pktmbuf_free(m[i]);
		}
	}
}

/* The packets in bursts of at most size; law of conservation after each of them. */
static void feed(run_t *r, const struct say *s, unsigned n, unsigned size)
{
	static struct test_packet b[BURST];
	struct rte_mbuf *m[BURST], *held[BURST], *out[BURST + NS_DEFRAG_RELEASE];

	for (unsigned at = 0; at < n;) {
		uint16_t k = (uint16_t)NS_MIN(n - at, size), held_n = 0, got = k;

		for (uint16_t i = 0; i < k; i++)
			m[i] = packet_of(&s[at + i], r->in + i, &b[i]);
		if (ns_defrag_wanted(r->d, m, k)) {
			got = ns_defrag_burst(r->d, m, k, out, held, &held_n, &r->c);
			take(r, out, got);
		} else {
			take(r, m, k);
		}
		r->held += held_n;
		/* what was held is overwritten: its copy must not need it */
		memset(b, 0xee, sizeof(b));
		at += k;
		r->in += k;
	}
}

static void finish(run_t *r)
{
	struct rte_mbuf *out[NS_DEFRAG_RELEASE];
	unsigned copies = 0;

	for (uint16_t n; (n = ns_defrag_expire(r->d, UINT64_MAX, out, &r->c)) > 0;)
		take(r, out, n);
	CU_ASSERT_EQUAL(r->n, r->in); /* all, and each once */
	uint8_t *met = calloc(r->in + 1, 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(met);
	for (unsigned i = 0; i < r->n; i++) {
		CU_ASSERT_FATAL(r->out[i].mark < r->in);
		met[r->out[i].mark]++;
		copies += r->out[i].copy;
		CU_ASSERT(i == 0 || r->out[i].clock >= r->out[i - 1].clock);
	}
	for (unsigned i = 0; i < r->in; i++)
		CU_ASSERT_EQUAL(met[i], 1);
	CU_ASSERT_EQUAL(copies, r->held);
	free(met);
	struct rte_mempool *pool = rte_mempool_lookup("ns_defrag_0");

	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
	ns_defrag_destroy(r->d);
	free(r->out);
}

#define FEED(r, ...)                               \
	feed(r, (const struct say[]){__VA_ARGS__}, \
		sizeof((const struct say[]){__VA_ARGS__}) / sizeof(struct say), 1)

static bool came(const run_t *r, unsigned i, uint32_t mark, uint16_t sport)
{
	return i < r->n && r->out[i].mark == mark && r->out[i].sport == sport &&
	       r->out[i].ports == (sport != 0);
}

static void in_order(void)
{
	run_t r = run_new(16, 16, 30);

	FEED(&r, {1, 7, FIRST, 100, 0}, {1, 7, LATER, 0, 1}, {1, 7, LATER, 0, 2},
		{1, 8, WHOLE, 200, 3});
	CU_ASSERT_EQUAL(r.held, 0);
	CU_ASSERT(came(&r, 0, 0, 100) && came(&r, 1, 1, 100) && came(&r, 2, 2, 100) &&
		  came(&r, 3, 3, 200));
	CU_ASSERT_EQUAL(r.out[1].ip_octets, 50);
	finish(&r);
}

static void out_of_order(void)
{
	run_t r = run_new(16, 16, 30);

	FEED(&r, {1, 7, LATER, 0, 0}, {1, 7, LATER, 0, 1}, {2, 9, WHOLE, 5, 2},
		{1, 7, FIRST, 100, 3}, {1, 7, LATER, 0, 4});
	CU_ASSERT_EQUAL(r.held, 2);
	/* the whole one, then the first and right behind it those that waited */
	CU_ASSERT(came(&r, 0, 2, 5) && came(&r, 1, 3, 100) && came(&r, 2, 0, 100) &&
		  came(&r, 3, 1, 100) && came(&r, 4, 4, 100));
	CU_ASSERT(r.out[2].copy && r.out[3].copy && !r.out[4].copy);
	CU_ASSERT_EQUAL(r.out[2].clock, T0 + 3 * MS);
	finish(&r);
}

/* Other hosts, identifications and versions are other datagrams. */
static void interleaved(void)
{
	run_t r = run_new(16, 16, 30);

	FEED(&r, {1, 7, LATER, 0, 0}, {2, 7, LATER, 0, 0}, {1, 8, LATER, 0, 0},
		{1, 7, LATER, 0, 0, true}, {1, 8, FIRST, 108, 1}, {2, 7, FIRST, 207, 1},
		{1, 7, FIRST, 607, 1, true}, {1, 7, FIRST, 107, 1}, {2, 7, LATER, 0, 1});
	CU_ASSERT_EQUAL(r.held, 4);
	CU_ASSERT(came(&r, 0, 4, 108) && came(&r, 1, 2, 108) && came(&r, 2, 5, 207) &&
		  came(&r, 3, 1, 207) && came(&r, 4, 6, 607) && came(&r, 5, 3, 607) &&
		  came(&r, 6, 7, 107) && came(&r, 7, 0, 107) && came(&r, 8, 8, 207));
	finish(&r);
}

static void id_again(void)
{
	run_t r = run_new(16, 16, 30);

	FEED(&r, {1, 7, FIRST, 100, 0}, {1, 7, LATER, 0, 1}, {1, 7, FIRST, 101, 29000},
		{1, 7, LATER, 0, 29001}, /* more than 30 s after the first datagram of this id */
		{1, 7, LATER, 0, 31000});
	CU_ASSERT(came(&r, 1, 1, 100) && came(&r, 3, 3, 101) && came(&r, 4, 4, 101));
	CU_ASSERT_EQUAL(r.held, 0);
	finish(&r);
}

static void too_late(void)
{
	run_t r = run_new(16, 16, 30);

	FEED(&r, {1, 7, LATER, 0, 0}, {2, 1, WHOLE, 9, 40000});
	CU_ASSERT_EQUAL(r.n, 1); /* who is no fragment asks for nothing */
	FEED(&r, {1, 8, FIRST, 108, 40001}, {1, 7, FIRST, 107, 40002});
	CU_ASSERT(came(&r, 1, 2, 108) && came(&r, 2, 0, 0) && came(&r, 3, 3, 107));
	CU_ASSERT_EQUAL(r.out[2].clock, T0 + 40001 * MS);
	CU_ASSERT_EQUAL(note(&r, "fragment_no_first"), 1);

	/* and a first one that is forgotten */
	FEED(&r, {1, 7, LATER, 0, 80000});
	CU_ASSERT_EQUAL(r.held, 2);
	finish(&r);
}

static void never(void)
{
	run_t r = run_new(16, 16, 30);

	FEED(&r, {1, 7, LATER, 0, 0}, {1, 8, LATER, 0, 0}, {5, 5, WHOLE, 5, 900});
	struct rte_mbuf *out[NS_DEFRAG_RELEASE];

	CU_ASSERT_EQUAL(ns_defrag_expire(r.d, T0 + 29000 * MS, out, &r.c), 0);
	CU_ASSERT_EQUAL(note(&r, "fragment_no_first"), 0);
	finish(&r);
	CU_ASSERT_EQUAL(note(&r, "fragment_no_first"), 2);
}

static void full_table(void)
{
	run_t r = run_new(16, 16, 30);

	FEED(&r, {1, 7, LATER, 0, 0});
	for (uint32_t i = 0; i < 15; i++)
		FEED(&r, {2, i, FIRST, 50, 1});
	CU_ASSERT_EQUAL(note(&r, "fragment_evicted"), 0);
	FEED(&r, {3, 1, FIRST, 51, 2}); /* the oldest goes, and what it held goes on */
	CU_ASSERT_EQUAL(note(&r, "fragment_evicted"), 1);
	CU_ASSERT_EQUAL(note(&r, "fragment_no_first"), 1);
	CU_ASSERT(came(&r, 15, 16, 51) && came(&r, 16, 0, 0));
	FEED(&r, {2, 3, LATER, 0, 3});
	CU_ASSERT(came(&r, 17, 17, 50));
	for (uint32_t i = 0; i < 1000; i++)
		FEED(&r, {4, i, i & 1 ? FIRST : LATER, 52, 4});
	CU_ASSERT_EQUAL(note(&r, "fragment_evicted"), 1001);
	finish(&r);
}

static void all_held(void)
{
	run_t r = run_new(64, 5, 30);

	for (uint32_t i = 0; i < 7; i++)
		FEED(&r, {1, 7, LATER, 0, i});
	CU_ASSERT_EQUAL(r.held, 5);
	CU_ASSERT_EQUAL(note(&r, "fragment_not_held"), 2);
	CU_ASSERT(came(&r, 0, 5, 0) && came(&r, 1, 6, 0));
	FEED(&r, {1, 7, FIRST, 9, 10});
	CU_ASSERT_EQUAL(r.n, 8);
	for (uint32_t i = 0; i < 5; i++)
		FEED(&r, {1, 8, LATER, 0, 20}); /* there is room again */
	CU_ASSERT_EQUAL(r.held, 10);
	CU_ASSERT_EQUAL(note(&r, "fragment_not_held"), 2);
	finish(&r);
}

/* Fragments outside a tunnel: the first shows the inner flow and counts its whole length. */
static void outer(void)
{
	run_t r = run_new(16, 16, 30);

	FEED(&r, {1, 7, LATER, 0, 0}, {1, 7, OUTER_FIRST, 77, 1}, {1, 7, LATER, 0, 2});
	CU_ASSERT_EQUAL(r.n, 3);
	for (unsigned i = 0; i < r.n; i++) {
		CU_ASSERT_EQUAL(r.out[i].sport, 77);
		CU_ASSERT(r.out[i].tunnel && r.out[i].swapped && r.out[i].ports);
		CU_ASSERT_EQUAL(r.out[i].ip_octets, i == 0 ? 1400 : 0);
	}
	finish(&r);
}

/* More copies than a burst has room for: they follow the packets after it, and none is lost. */
static void many(void)
{
	run_t r = run_new(16, 1000, 30);

	for (unsigned i = 0; i < 200; i++)
		FEED(&r, {1, 7, LATER, 0, 0});
	CU_ASSERT_EQUAL(r.n, 0);
	FEED(&r, {1, 7, FIRST, 9, 1});
	CU_ASSERT(r.n > 1 && r.n <= 1 + NS_DEFRAG_RELEASE);
	CU_ASSERT(came(&r, 0, 200, 9) && came(&r, 1, 0, 9) && came(&r, 2, 1, 9));
	unsigned n = r.n;

	FEED(&r, {2, 1, WHOLE, 3, 2}, {2, 1, WHOLE, 3, 3});
	CU_ASSERT(r.n > n + 2);
	finish(&r);
}

static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* Whatever the bursts: the same packets come out in the same order with the same ports and clock.
 */
static void any_bursts(void)
{
	static struct say s[PACKETS];

	for (unsigned round = 0; round < 3; round++) {
		const unsigned sizes[] = {1, 32, 7, 31, 2};
		uint64_t ms = 0;
		run_t want;

		seed = 88172645463325252u + round;
		for (unsigned i = 0; i < PACKETS; i++) {
			ms += rnd(300) == 0 ? rnd(40000) : rnd(3);
			s[i] = (struct say){rnd(round == 1 ? 3 : 40), rnd(round == 1 ? 3 : 9),
				(enum frag)rnd(10), (uint16_t)(1 + rnd(999)), ms, rnd(2) == 0};
			if (s[i].what > OUTER_FIRST)
				s[i].what = round == 2 && i % 2000 < 1000 ? WHOLE : LATER;
		}
		for (unsigned k = 0; k < NS_ARRAY_LEN(sizes); k++) {
			run_t r = run_new(round == 0 ? 64 : 1024, round == 0 ? 50 : 500, 30);

			feed(&r, s, PACKETS, sizes[k]);
			if (k == 0) {
				want = r;
				want.out = malloc(OUT * sizeof(*r.out));
				CU_ASSERT_PTR_NOT_NULL_FATAL(want.out);
				memcpy(want.out, r.out, OUT * sizeof(*r.out));
				CU_ASSERT(note(&r, "fragment_no_first") > 0);
			} else {
				CU_ASSERT_EQUAL(r.n, want.n);
				CU_ASSERT_EQUAL(r.held, want.held);
				CU_ASSERT_EQUAL(
					memcmp(r.out, want.out, want.n * sizeof(*r.out)), 0);
				CU_ASSERT_EQUAL(memcmp(&r.c, &want.c, sizeof(r.c)), 0);
			}
			finish(&r);
		}
		free(want.out);
	}
}

/* A frame longer than a copy. */
static void long_frame(void)
{
	static uint8_t data[9000];
	struct test_packet b;
	struct say s = {1, 7, LATER, 0, 0};
	struct rte_mbuf *m = packet_of(&s, 0, &b), *out[1 + NS_DEFRAG_RELEASE], *held[1];
	uint16_t held_n;
	run_t r = run_new(16, 16, 30);

	memcpy(data, b.data, sizeof(b.data));
	m->buf_addr = data;
	ns_packet(m)->caplen = ns_packet(m)->wirelen = sizeof(data);
	ns_packet(m)->payload_len = sizeof(data) - 34;
	CU_ASSERT_EQUAL(ns_defrag_burst(r.d, &m, 1, out, held, &held_n, &r.c), 0);
	CU_ASSERT_EQUAL(held_n, 1);
	CU_ASSERT_EQUAL_FATAL(ns_defrag_expire(r.d, UINT64_MAX, out, &r.c), 1);
	const struct ns_packet *p = ns_packet(out[0]);

	CU_ASSERT_EQUAL(p->wirelen, 9000);
	CU_ASSERT_EQUAL(p->caplen, out[0]->data_len);
	CU_ASSERT(p->payload_off + p->payload_len <= p->caplen);
	CU_ASSERT(rte_pktmbuf_tailroom(out[0]) == 0);
	rte_pktmbuf_free(out[0]);
	finish(&r);
}

static void nth(void)
{
	static const struct ns_defrag_conf conf = {64, 100, 30};
	unsigned n, came_through = 0;

	ns_test_eal();
	ns_defrag_destroy(NULL);
	ns_defrag_destroy(ns_defrag_create(&conf, 0));
	size_t before = ns_test_rte_used();

	for (n = 1; n < 100; n++) {
		ns_test_rte_fail(n);
		struct ns_defrag *d = ns_defrag_create(&conf, 0);

		if (ns_test_rte_done()) {
			CU_ASSERT_PTR_NOT_NULL(d);
			ns_defrag_destroy(d);
			break;
		}
		/* a mempool tries again with less at once, and may well come through */
		if (d != NULL)
			came_through++;
		else
			CU_ASSERT_EQUAL(errno, ENOMEM);
		ns_defrag_destroy(d);
		CU_ASSERT_EQUAL(ns_test_rte_used(), before);
	}
	CU_ASSERT(n > 4 && came_through < n / 2);
	CU_ASSERT_EQUAL(ns_test_rte_used(), before);
}

static void bad_values(void)
{
	static const char *const bad[] = {"defrag.datagrams=15", "defrag.datagrams=1048577",
		"defrag.held=0", "defrag.held=65536", "defrag.timeout=0", "defrag.timeout=86401"};
	static const char *const good[] = {
		"defrag.datagrams=16", "defrag.held=65535", "defrag.timeout=86400"};
	struct ns_err e;

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++)
		CU_ASSERT_PTR_NULL(ns_conf_load(NULL, &bad[i], 1, &e));
	for (unsigned i = 0; i < NS_ARRAY_LEN(good); i++) {
		struct ns_conf *c = ns_conf_load(NULL, &good[i], 1, &e);

		CU_ASSERT_PTR_NOT_NULL(c);
		ns_conf_destroy(c);
	}
}

NS_TEST_MAIN({"in order", in_order}, {"out of order", out_of_order}, {"interleaved", interleaved},
	{"an identification again", id_again}, {"too late", too_late}, {"never", never},
	{"a full table", full_table}, {"all are held", all_held},
	{"fragments outside a tunnel", outer}, {"many at once", many},
	{"bursts make no difference", any_bursts}, {"a long frame", long_frame},
	{"the Nth allocation fails", nth}, {"bad values are refused", bad_values})
