/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings of any length of record, and the hand-over, without EAL: an engine of one lcore by hand. */
#include "tap.h"

#include <ns_test.h>

#include <sched.h>
#include <string.h>

#define SIZE 4096
#define BURST 8
#define PACKETS 400000

struct one {
	struct rte_mbuf m;
	uint8_t view[NS_PACKET_PRIV];
	uint8_t data[600];
} LINE;

static struct ns_engine *en;
static struct lcore *l;
static struct tap tap;
static struct one made[BURST];
static struct rte_mbuf *burst[BURST];

static void setup(void)
{
	en = aligned_alloc(NS_CACHE_LINE, sizeof(*en));
	l = aligned_alloc(NS_CACHE_LINE, sizeof(*l));
	CU_ASSERT_FATAL(en != NULL && l != NULL);
	memset(en, 0, sizeof(*en));
	memset(l, 0, sizeof(*l));
	en->lcores = l;
	en->lcores_n = 1;
	l->en = en;
	l->role = ROLE_RX;
	memset(&tap, 0, sizeof(tap));
	tap.snaplen = 500;
	CU_ASSERT_EQUAL_FATAL(tap_rings_create(&tap, 1, SIZE), 0);
	en->taps[3] = &tap;
	memset(made, 0, sizeof(made));
	for (unsigned i = 0; i < BURST; i++) {
		burst[i] = &made[i].m;
		made[i].m.buf_addr = made[i].data;
	}
}

static void teardown(void)
{
	tap_rings_empty(&tap, 1);
	tap_rings_destroy(&tap);
	free(l);
	free(en);
}

/* Packet number i: its length and what is in it follow from that. */
static uint32_t length(uint64_t i)
{
	return (uint32_t)(i * 2654435761u >> 7) % 600;
}

static void fill(uint64_t first)
{
	for (unsigned k = 0; k < BURST; k++) {
		struct ns_packet *p = ns_packet(burst[k]);

		p->ts_ns = first + k;
		p->caplen = length(first + k);
		p->wirelen = p->caplen + 4;
		p->port = (uint16_t)((first + k) % 3);
		p->linktype = 1;
		memset(made[k].data, (int)(first + k) & 255, p->caplen);
	}
}

static void read_burst(uint64_t first)
{
	uint64_t word = tap_look(l);

	fill(first);
	if (word != 0)
		tap_burst(l, word, burst, BURST);
}

/* The record is packet number ts_ns, whole. */
static bool right(const struct tap_rec *r)
{
	uint32_t n = NS_MIN(length(r->ts_ns), 500u);

	if (r->caplen != n || r->wirelen != length(r->ts_ns) + 4 || r->port != r->ts_ns % 3)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (r->data[i] != (uint8_t)r->ts_ns)
			return false;
	}
	return true;
}

static void hand_over(void)
{
	setup();
	read_burst(0);
	CU_ASSERT_EQUAL(l->tap_seen, 0);
	CU_ASSERT_PTR_NULL(tap_ring_first(&tap.rings[0]));
	/* more often than an octet has values */
	for (unsigned i = 0; i < 300; i++) {
		const struct tap_rec *r;
		unsigned n = 0;

		tap_begin(en, 3);
		CU_ASSERT(tap_is_on(en->tap_word.all, 3));
		CU_ASSERT_FALSE(tap_is_on(en->tap_word.all, 2));
		if (i % 2 == 0)
			read_burst(8);
		tap_end(en, 3);
		CU_ASSERT_FALSE(tap_is_on(en->tap_word.all, 3));
		/* the answer to the one before is none */
		CU_ASSERT_FALSE(tap_left(en, 3));
		read_burst(16);
		CU_ASSERT(tap_left(en, 3));
		tap_off(en, 3);
		CU_ASSERT_EQUAL(en->tap_word.all, 0);
		for (; (r = tap_ring_first(&tap.rings[0])) != NULL; n++) {
			CU_ASSERT(right(r) && r->ts_ns == 8 + n);
			tap_ring_drop(&tap.rings[0], r);
		}
		CU_ASSERT_EQUAL(n, i % 2 == 0 ? BURST : 0);
	}
	/* who has ended needs not answer */
	tap_begin(en, 3);
	tap_end(en, 3);
	CU_ASSERT_FALSE(tap_left(en, 3));
	l->done = true;
	CU_ASSERT(tap_left(en, 3));
	teardown();
}

/* Packets of ports 0, 1, 2 in turn, of which the tap wants one. */
static void one_port(void)
{
	const struct tap_rec *r;
	unsigned n = 0;

	setup();
	tap.one_port = true;
	tap.port = 1;
	tap_begin(en, 3);
	read_burst(0);
	for (; (r = tap_ring_first(&tap.rings[0])) != NULL; n++) {
		CU_ASSERT(right(r) && r->ts_ns == 1 + 3 * n);
		tap_ring_drop(&tap.rings[0], r);
	}
	CU_ASSERT_EQUAL(n, 3);
	CU_ASSERT_EQUAL(tap.rings[0].count[1].seen, 3);
	CU_ASSERT_EQUAL(tap.rings[0].count[1].matched, 3);
	CU_ASSERT_EQUAL(tap.rings[0].count[0].seen + tap.rings[0].count[2].seen, 0);
	teardown();
}

static void *reads(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < PACKETS; i += BURST) {
		read_burst(i);
		/* mostly faster than the other, but not always */
		while (i % 4096 == 0 && tap_ring_used(&tap.rings[0]) > SIZE / 2)
			sched_yield();
	}
	__atomic_store_n(&l->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* One writes, one reads: each packet comes whole and in order, or is counted as missed. */
static void two_threads(void)
{
	struct tap_ring *ring;
	uint64_t got = 0, missed = 0, wrong = 0, next = 0, counted = 0, matched = 0;
	const struct tap_rec *r;
	pthread_t thread;
	bool over = false;

	setup();
	ring = &tap.rings[0];
	tap_begin(en, 3);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, reads, NULL), 0);
	while (!over) {
		over = __atomic_load_n(&l->done, __ATOMIC_ACQUIRE);
		while ((r = tap_ring_first(ring)) != NULL) {
			wrong += !right(r) || r->ts_ns < next;
			next = r->ts_ns + 1;
			missed += r->missed;
			got++;
			CU_ASSERT_FATAL(tap_ring_used(ring) <= SIZE);
			tap_ring_drop(ring, r);
			if (got % 1000 == 0)
				sched_yield();
		}
	}
	pthread_join(thread, NULL);
	for (unsigned p = 0; p < 3; p++) {
		matched += ring->count[p].matched;
		counted += ring->count[p].missed;
		missed += ring->count[p].missed_now;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(matched, PACKETS);
	CU_ASSERT_EQUAL(counted, missed);
	CU_ASSERT_EQUAL(got + missed, PACKETS);
	CU_ASSERT(got > 100);
	teardown();
}

NS_TEST_MAIN({"hand over", hand_over}, {"one port", one_port}, {"two threads", two_threads})
