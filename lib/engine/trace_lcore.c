/* SPDX-License-Identifier: BSD-3-Clause */
/* Traced packets as lcores see them; see trace.h. Nothing here allocates or formats. */
#include "trace.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <string.h>

static bool is_traced(const struct rte_mbuf *m)
{
	return (ns_packet((struct rte_mbuf *)(uintptr_t)m)->flags & NS_PKT_TRACED) != 0;
}

static struct trace_slot *slot_of(const struct lcore *l, const struct rte_mbuf *m)
{
	return &l->en->trace
			->slots[ns_packet((struct rte_mbuf *)(uintptr_t)m)->trace % TRACE_PLACES];
}

/* The next step of a place; not there for control until it is put(). */
static struct trace_step *step(
	const struct lcore *l, struct trace_slot *s, enum trace_stage stage, enum trace_result r)
{
	struct trace_step *to = &s->steps[NS_MIN(s->steps_n, TRACE_STEPS - 1u)];

	*to = (struct trace_step){.tsc = rte_rdtsc(),
		.stage = (uint8_t)stage,
		.result = (uint8_t)r,
		.lcore = (uint16_t)l->id};
	return to;
}

static void put(struct trace_slot *s)
{
	__atomic_store_n(
		&s->steps_n, NS_MIN(s->steps_n + 1, (uint32_t)TRACE_STEPS), __ATOMIC_RELEASE);
}

/* The packet's last step: its place is control's from here on. */
static void put_last(struct trace_slot *s, struct rte_mbuf *m)
{
	ns_packet(m)->flags &= (uint16_t)~NS_PKT_TRACED;
	put(s);
}

/* --- RX ------------------------------------------------------------------------------------ */

uint32_t trace_taps(
	struct lcore *l, uint64_t word, unsigned queue, struct rte_mbuf *const *m, uint16_t n)
{
	uint32_t marked = 0;

	if ((word & ~TRACE_WORD) != 0)
		tap_burst(l, word & ~TRACE_WORD, m, n);
	/* the octet as well: it is what control has released, and C11 knows of no part of a word */
	if (!tap_is_on(word, TRACE_PLACE) ||
		(__atomic_load_n(&l->en->tap_word.of[TRACE_PLACE], __ATOMIC_ACQUIRE) & 1) == 0)
		return 0;
	struct trace *t = l->en->trace;

	for (uint16_t i = 0; i < n && i < 32; i++) {
		struct ns_packet *p = ns_packet(m[i]);

		if (__atomic_load_n(&t->taken, __ATOMIC_RELAXED) >= t->wanted)
			break;
		if (!tap_matches(&t->tap, p, ns_packet_data(m[i])))
			continue;
		uint32_t number = __atomic_fetch_add(&t->taken, 1, __ATOMIC_RELAXED);

		if (number >= t->wanted)
			break;
		p->trace = t->order[number];
		marked |= 1u << i;

		struct trace_slot *s = slot_of(l, m[i]);
		struct trace_step *to = step(l, s, TRACE_RX, TRACE_PASSED);

		to->rx.ts_ns = p->ts_ns;
		to->rx.caplen = p->caplen;
		to->rx.wirelen = p->wirelen;
		to->rx.port = p->port;
		to->rx.queue = (uint16_t)queue;
		to->rx.linktype = p->linktype;
		put(s);
	}
	return marked;
}

/* Notes that were counted since. */
static void put_notes(
	struct trace_step *to, const struct ns_counters *before, const struct ns_counters *now)
{
	unsigned n;
	const struct ns_counter *const *all = ns_counters_all(&n);

	for (unsigned i = 0; i < n && to->notes_n < TRACE_NOTES; i++) {
		if (all[i]->kind == NS_COUNTER_NOTE && before->v[i] != now->v[i])
			to->notes[to->notes_n++] = (uint8_t)i;
	}
}

/* False: it is dropped. */
static bool decode_marked(struct lcore *l, struct rte_mbuf *m)
{
	struct ns_packet *p = ns_packet(m);
	struct trace_slot *s = slot_of(l, m);
	uint16_t place = p->trace;
	const struct ns_counters before = l->stats->c;
	const struct ns_counter *why =
		ns_decode_layers(l->en->decoder, m, &l->stats->c, &s->layers);
	struct trace_step *to =
		step(l, s, TRACE_DECODE, why == NULL ? TRACE_PASSED : TRACE_DROPPED);

	p->trace = place;
	put_notes(to, &before, &l->stats->c);
	if (why != NULL) {
		ns_count(&l->stats->c, why);
		to->drop = (uint16_t)why->id;
		put_last(s, m);
		return false;
	}
	p->flags |= NS_PKT_TRACED;
	put(s);
	l->trace.handing = true;
	if ((p->flags & NS_PKT_FRAG_ANY) != 0) {
		l->trace.fragments++;
		return true;
	}
	/* defrag passes it on as it is, whatever else is in the burst */
	to = step(l, s, TRACE_DEFRAG, TRACE_PASSED);
	to->defrag.flags = p->flags;
	put(s);
	return true;
}

uint16_t trace_decode(struct lcore *l, struct rte_mbuf **m, uint16_t n, uint32_t marked)
{
	struct rte_mbuf *bad[NS_BURST];
	uint16_t good = 0, bad_n = 0;

	l->trace.handing = false;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *one = m[i];
		bool passed = (marked >> i & 1) != 0
				      ? decode_marked(l, one)
				      : ns_decode_burst(l->en->decoder, &one, 1, &l->stats->c) == 1;

		if (passed)
			m[good++] = one;
		else
			bad[bad_n++] = one;
	}
	memcpy(m + good, bad, bad_n * sizeof(*bad));
	return good;
}

static void step_defrag(struct lcore *l, struct rte_mbuf *m, enum trace_result r)
{
	const struct ns_packet *p = ns_packet(m);
	struct trace_slot *s = slot_of(l, m);
	struct trace_step *to = step(l, s, TRACE_DEFRAG, r);

	to->defrag.flags = p->flags;
	to->defrag.sport = p->sport;
	to->defrag.dport = p->dport;
	put(s);
}

void trace_defrag(struct lcore *l, struct rte_mbuf *const *held, uint16_t held_n,
	struct rte_mbuf *const *out, uint16_t n)
{
	/* first those: their copies may be among what comes out */
	for (uint16_t i = 0; i < held_n; i++) {
		if (is_traced(held[i]))
			step_defrag(l, held[i], TRACE_HELD);
	}
	l->trace.handing = false;
	for (uint16_t i = 0; i < n; i++) {
		if (!is_traced(out[i]))
			continue;
		l->trace.handing = true;
		if ((ns_packet(out[i])->flags & NS_PKT_FRAG_ANY) == 0)
			continue;
		step_defrag(l, out[i], TRACE_PASSED);
		l->trace.fragments--;
	}
}

uint16_t trace_expire(struct lcore *l, uint64_t clock_ns, struct rte_mbuf **out)
{
	uint16_t n = ns_defrag_expire(l->defrag, clock_ns, out, &l->stats->c);

	if (ns_unlikely(l->trace.fragments != 0))
		trace_defrag(l, NULL, 0, out, n);
	return n;
}

static const struct lcore *analyses(const struct ns_engine *en, unsigned worker)
{
	for (unsigned i = 0; i < en->lcores_n; i++) {
		if (en->lcores[i].role == ROLE_ANALYSIS && en->lcores[i].index == worker)
			return &en->lcores[i];
	}
	return NULL;
}

/* Behind ns_dispatch_burst() the packet, and its place, may be another lcore's already. */
void trace_dispatch(struct lcore *l, struct rte_mbuf *const *m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		if (!is_traced(m[i]))
			continue;
		struct trace_slot *s = slot_of(l, m[i]);
		struct trace_step *to = step(l, s, TRACE_DISPATCH, TRACE_PASSED);

		to->dispatch.hash = ns_packet(m[i])->hash;
		to->dispatch.bucket = ns_bucket(to->dispatch.hash, l->en->dispatch_conf->buckets);
		to->dispatch.worker =
			(uint16_t)ns_dispatch_worker(l->dispatch, to->dispatch.bucket);
		const struct lcore *other = analyses(l->en, to->dispatch.worker);

		if (other != NULL) {
			to->dispatch.lcore = (uint16_t)other->id;
			to->dispatch.waiting = rte_ring_count(other->in[l->index]);
		}
		put(s);
	}
	l->trace.handing = false;
}

void trace_ring_full(struct lcore *l, struct rte_mbuf *const *m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		if (!is_traced(m[i]))
			continue;
		struct trace_slot *s = slot_of(l, m[i]);
		struct trace_step *to = step(l, s, TRACE_DISPATCH, TRACE_DROPPED);

		to->drop = (uint16_t)ns_drop_ring_full.id;
		put_last(s, m[i]);
	}
}

/* --- analysis ------------------------------------------------------------------------------ */

/* One packet through the flow table; whether it was dropped. */
static uint16_t flow_traced(struct lcore *l, struct rte_mbuf *m)
{
	struct trace_slot *s = slot_of(l, m);
	struct ns_flow_stats before, now;
	const struct ns_packet *p = ns_packet(m);

	ns_flow_table_stats(l->flows, &before);
	uint16_t dropped = ns_flow_burst(l->flows, &m, 1, &l->stats->c);

	ns_flow_table_stats(l->flows, &now);
	struct trace_step *to = step(l, s, TRACE_FLOW, dropped > 0 ? TRACE_DROPPED : TRACE_PASSED);

	to->flow.flow = p->flow;
	to->flow.ip = (p->flags & NS_PKT_IP) != 0;
	to->flow.evicted = now.evicted != before.evicted;
	to->flow.ended = now.ended - before.ended > now.evicted - before.evicted;
	if ((p->flow & NS_PKT_FLOW) != 0)
		to->flow.seen = ns_flow_look(l->flows, p, &s->flow);
	if (dropped > 0) {
		to->drop = (uint16_t)ns_drop_flow_table_full.id;
		put_last(s, m);
	} else {
		put(s);
	}
	return dropped;
}

uint16_t trace_flow(struct lcore *l, struct rte_mbuf *const *m, uint16_t n)
{
	uint16_t dropped = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (!is_traced(m[i]))
			continue;
		struct trace_slot *s = slot_of(l, m[i]);

		step(l, s, TRACE_ANALYSIS, TRACE_PASSED)->analysis.burst = n;
		put(s);
	}
	for (uint16_t i = 0; i < n; i++)
		dropped += is_traced(m[i]) ? flow_traced(l, m[i])
					   : ns_flow_burst(l->flows, &m[i], 1, &l->stats->c);
	return dropped;
}

void trace_end(struct lcore *l, struct rte_mbuf *const *m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		if (!is_traced(m[i]))
			continue;
		struct trace_slot *s = slot_of(l, m[i]);
		struct trace_step *to = step(l, s, TRACE_TASKS, TRACE_PASSED);

		to->tasks.plan = l->plan;
		to->tasks.bits = ns_tasks_of_packet(l->plan->tasks, m[i]);
		put(s);
		step(l, s, TRACE_END, TRACE_FREED);
		put_last(s, m[i]);
	}
}
