/* SPDX-License-Identifier: BSD-3-Clause */
/* A trace from its begin to its end, by hand: an engine of two lcores that read, without them. */
#include "trace.h"

#include <ns_registry.h>
#include <ns_test.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define BURST 8
#define READERS 2

struct one {
	struct rte_mbuf m;
	uint8_t view[NS_PACKET_PRIV];
	uint8_t data[64];
} LINE;

static struct ns_engine *en;
static struct lcore *lcores;
static struct lcore_stats *stats;
static struct one made[READERS][BURST];
static struct rte_mbuf *burst[READERS][BURST];
static const struct ns_source_ops sops;
static struct ns_err err;

static void *zeroed(size_t size)
{
	void *p = aligned_alloc(NS_CACHE_LINE, size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	return memset(p, 0, size);
}

/* UDP from port 1000 + k to 53. */
static void setup(void)
{
	static const uint8_t frame[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0,
		0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 3, 0xe8, 0, 53, 0, 26, 0, 0};
	static const struct ns_decode_conf conf = {.max_tunnels = 4};

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	en = zeroed(sizeof(*en));
	lcores = zeroed(READERS * sizeof(*lcores));
	stats = zeroed(READERS * sizeof(*stats));
	en->lcores = lcores;
	en->lcores_n = READERS;
	en->live = true;
	en->sops = &sops;
	en->decoder = ns_decoder_create(&conf);
	CU_ASSERT_PTR_NOT_NULL_FATAL(en->decoder);
	memset(made, 0, sizeof(made));
	for (unsigned i = 0; i < READERS; i++) {
		lcores[i] = (struct lcore){
			.en = en, .id = 5 + i, .index = i, .role = ROLE_RX, .stats = &stats[i]};
		for (unsigned k = 0; k < BURST; k++) {
			struct one *o = &made[i][k];
			struct ns_packet *p = ns_packet(&o->m);

			burst[i][k] = &o->m;
			o->m.buf_addr = o->data;
			memcpy(o->data, frame, sizeof(frame));
			o->data[35] = (uint8_t)(0xe8 + k);
			p->caplen = p->wirelen = 60;
			p->linktype = NS_LINKTYPE_ETHERNET;
		}
	}
}

static void teardown(void)
{
	engine_trace_down(en);
	ns_decoder_destroy(en->decoder);
	free(stats);
	free(lcores);
	free(en);
}

static int start(const char *filter, uint32_t packets, double seconds)
{
	struct trace_args args = {.filter = filter, .packets = packets, .seconds = seconds};

	return trace_start(en, &args, &err);
}

/* A burst of lcore i is read and decoded; how many of it are traced now. */
static unsigned reads(unsigned i)
{
	uint64_t word = tap_look(&lcores[i]);
	uint32_t marked = word != 0 ? trace_taps(&lcores[i], word, 3, burst[i], BURST) : 0;
	uint16_t good = marked != 0 ? trace_decode(&lcores[i], burst[i], BURST, marked) : BURST;

	CU_ASSERT_EQUAL(good, BURST);
	return (unsigned)__builtin_popcount(marked);
}

/* They come out, in the shortest way that there is. */
static void come_out(unsigned i)
{
	trace_ring_full(&lcores[i], burst[i], BURST);
}

static void whole(void)
{
	char what[256];

	setup();
	CU_ASSERT_EQUAL(reads(0), 0);
	CU_ASSERT_EQUAL(start("udp portrange 1002-1004", 4, 10), 0);
	CU_ASSERT(tap_is_on(en->tap_word.all, TRACE_PLACE));
	CU_ASSERT_EQUAL(start(NULL, 1, 10), -EBUSY);
	CU_ASSERT_STRING_EQUAL(err.text, "a trace goes on; \"trace stop\" ends it");
	CU_ASSERT_EQUAL(reads(0), 3);
	/* one place is left, and taken once */
	CU_ASSERT_EQUAL(reads(1), 1);
	CU_ASSERT_EQUAL(reads(1), 0);
	CU_ASSERT_EQUAL(trace_taken(en->trace), 4);
	trace_look(en);
	CU_ASSERT_FALSE(tap_is_on(en->tap_word.all, TRACE_PLACE));
	/* not all lcores have seen it */
	trace_look(en);
	CU_ASSERT_EQUAL(en->trace->state, TRACE_LEAVING);
	tap_look(&lcores[0]);
	tap_look(&lcores[1]);
	trace_look(en);
	CU_ASSERT_EQUAL(en->trace->state, TRACE_WAITING);
	CU_ASSERT_EQUAL(en->tap_word.all, 0);
	CU_ASSERT_FALSE(trace_is_over(en->trace));
	const struct trace_slot *s = &en->trace->slots[en->trace->order[1]];

	CU_ASSERT_EQUAL_FATAL(trace_steps(s), 3);
	CU_ASSERT_FALSE(trace_is_last(s, 3));
	CU_ASSERT(s->steps[0].stage == TRACE_RX && s->steps[0].rx.queue == 3 &&
		  s->steps[0].lcore == 5 && s->steps[0].rx.wirelen == 60);
	trace_what(s, 1, what, sizeof(what));
	CU_ASSERT_STRING_EQUAL(what, "ethernet / ipv4 10.0.0.1 > 10.0.0.2 / udp 1003 > 53");
	CU_ASSERT_STRING_EQUAL(trace_whereabouts(s, 3), "its lcore has it");
	trace_what(s, 1, what, 12);
	CU_ASSERT_STRING_EQUAL(what, "ethernet / ");
	come_out(0);
	trace_look(en);
	CU_ASSERT_EQUAL(en->trace->state, TRACE_WAITING);
	come_out(1);
	trace_look(en);
	CU_ASSERT(trace_is_over(en->trace));
	CU_ASSERT_EQUAL(trace_steps(s), 4);
	CU_ASSERT(trace_is_last(s, 4));
	trace_what(s, 3, what, sizeof(what));
	CU_ASSERT_EQUAL(strncmp(what, "dropped as ring_full: ", 22), 0);
	CU_ASSERT_EQUAL(start("udp", 1, 10), 0);
	CU_ASSERT_EQUAL(en->trace->id, 2);
	teardown();
}

static void refused(void)
{
	setup();
	CU_ASSERT_EQUAL(start("udp porto 3", 1, 1), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "udp porto 3"));
	CU_ASSERT_EQUAL(start(NULL, 0, 1), -EINVAL);
	CU_ASSERT_EQUAL(start(NULL, TRACE_MAX + 1, 1), -EINVAL);
	CU_ASSERT_EQUAL(start(NULL, 1, 0), -EINVAL);
	CU_ASSERT_EQUAL(en->tap_word.all, 0);
	CU_ASSERT_EQUAL(start(NULL, TRACE_MAX, 1), 0);
	trace_stop(en);
	en->live = false;
	CU_ASSERT_EQUAL(start(NULL, 1, 1), -ENOTSUP);
	teardown();
}

/* Lcores that answer when the time is over. */
static void answer(void)
{
	tap_look(&lcores[0]);
	tap_look(&lcores[1]);
	trace_look(en);
}

static void limits(void)
{
	setup();
	CU_ASSERT_EQUAL(start("tcp", 5, 0.02), 0);
	CU_ASSERT_EQUAL(reads(0), 0);
	trace_look(en);
	CU_ASSERT_EQUAL(en->trace->state, TRACE_TAKING);
	usleep(30000);
	trace_look(en);
	CU_ASSERT_EQUAL(en->trace->state, TRACE_LEAVING);
	answer();
	CU_ASSERT(trace_is_over(en->trace) && trace_taken(en->trace) == 0);

	/* a packet that is on its way is waited for a little, and then no longer */
	CU_ASSERT_EQUAL(start("udp port 1000", 5, 0.01), 0);
	CU_ASSERT_EQUAL(reads(0), 1);
	usleep(20000);
	trace_look(en);
	answer();
	CU_ASSERT_FALSE(trace_is_over(en->trace));
	usleep(600000);
	trace_look(en);
	CU_ASSERT_EQUAL(en->trace->state, TRACE_OVER);

	/* asked to end: nothing is waited for; lcores that do not answer hold up the next one */
	CU_ASSERT_EQUAL(start(NULL, 5, 0.01), 0);
	trace_stop(en);
	CU_ASSERT_EQUAL(en->trace->state, TRACE_LEAVING);
	CU_ASSERT_EQUAL(start(NULL, 5, 1), -EBUSY);
	usleep(1020000);
	trace_look(en);
	CU_ASSERT(en->trace->state == TRACE_LEAVING && trace_is_over(en->trace));
	answer();
	CU_ASSERT_EQUAL(en->trace->state, TRACE_OVER);
	CU_ASSERT_EQUAL(start(NULL, 5, 1), 0);
	teardown();
}

/* The place of a packet that defrag holds is nobody else's until it comes out. */
static void held(void)
{
	uint16_t place;

	setup();
	/* a later fragment */
	made[0][0].data[21] = 5;
	CU_ASSERT_EQUAL(start(NULL, 1, 0.01), 0);
	CU_ASSERT_EQUAL(reads(0), 1);
	place = en->trace->order[0];
	CU_ASSERT_EQUAL(lcores[0].trace.fragments, 1);
	trace_defrag(&lcores[0], burst[0], 1, NULL, 0);
	CU_ASSERT_EQUAL(lcores[0].trace.fragments, 1);
	CU_ASSERT_FALSE(lcores[0].trace.handing);
	usleep(20000);
	trace_look(en);
	answer();
	CU_ASSERT_EQUAL(en->trace->state, TRACE_OVER);
	const struct trace_slot *s = &en->trace->slots[place];

	CU_ASSERT_EQUAL(trace_steps(s), 3);
	CU_ASSERT_STRING_EQUAL(trace_whereabouts(s, 3), "defrag waits for its first fragment");
	for (unsigned round = 0; round < 2; round++) {
		unsigned found = 0;

		CU_ASSERT_EQUAL(start("tcp", TRACE_MAX, 10), 0);
		for (unsigned i = 0; i < TRACE_MAX; i++)
			found += en->trace->order[i] == place;
		CU_ASSERT_EQUAL(found, round == 0 ? 0 : 1);
		trace_stop(en);
		answer();
		if (round > 0)
			break;
		/* it comes out, and of its trace nobody is left */
		trace_defrag(&lcores[0], NULL, 0, burst[0], 1);
		CU_ASSERT_EQUAL(lcores[0].trace.fragments, 0);
		CU_ASSERT(lcores[0].trace.handing);
		CU_ASSERT_EQUAL(trace_steps(s), 4);
		trace_ring_full(&lcores[0], burst[0], 1);
	}
	/* so many stay away that there are not enough places */
	for (unsigned i = 0; i < TRACE_PLACES; i++)
		en->trace->in_use[i] = i >= 3;
	memset(en->trace->slots, 0, TRACE_PLACES * sizeof(*en->trace->slots));
	CU_ASSERT_EQUAL(start(NULL, 4, 1), -EBUSY);
	CU_ASSERT_STRING_EQUAL(
		err.text, "1021 packets of earlier traces are still under way: at most 3 now");
	CU_ASSERT_EQUAL(start(NULL, 3, 1), 0);
	teardown();
}

static uint64_t marked[READERS];
static bool over;

static void *reads_on(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		marked[i] += reads(i);
		come_out(i);
		sched_yield();
	}
	__atomic_store_n(&lcores[i].done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Two lcores and control: each packet is taken once, and what control reads is whole. */
static void threads(void)
{
	pthread_t thread[READERS];
	uint64_t taken = 0, wrong = 0;

	setup();
	for (unsigned i = 0; i < READERS; i++)
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&thread[i], NULL, reads_on, (void *)(uintptr_t)i), 0);
	for (unsigned round = 0; round < 300; round++) {
		uint32_t n = 1 + round * 7 % 40;

		CU_ASSERT_EQUAL_FATAL(start("udp", n, 60), 0);
		while (trace_look(en), !trace_is_over(en->trace))
			sched_yield();
		CU_ASSERT_EQUAL(trace_taken(en->trace), n);
		taken += n;
		for (uint32_t i = 0; i < n; i++) {
			const struct trace_slot *s = &en->trace->slots[en->trace->order[i]];
			unsigned k = trace_steps(s);

			wrong += k != 4 || !trace_is_last(s, k) || s->layers.n != 2 ||
				 s->steps[0].stage != TRACE_RX ||
				 s->steps[k - 1].drop != ns_drop_ring_full.id;
		}
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(marked[0] + marked[1], taken);
	teardown();
}

NS_TEST_MAIN({"whole", whole}, {"refused", refused}, {"limits", limits}, {"held", held},
	{"threads", threads})
