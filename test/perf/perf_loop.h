/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Stages of a burst, in the order and with the counting of lib/engine. */

#include "perf.h"

#include <ns_defrag.h>

#include <rte_mbuf.h>

#define PERF_AGE_EVERY 1 /* bursts */

static inline void perf_count_received(struct perf_lcore *l, struct rte_mbuf *const *m, uint32_t n)
{
	uint64_t octets = 0, captured = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct ns_packet *p = ns_packet(m[i]);

		octets += p->wirelen;
		captured += p->caplen;
		l->first_ns = NS_MIN(l->first_ns, p->ts_ns);
		l->last_ns = NS_MAX(l->last_ns, p->ts_ns);
	}
	ns_stat_add(&l->octets, octets);
	ns_stat_add(&l->captured, captured);
	ns_stat_add(&l->received, n);
}

static inline void perf_count_protocols(struct perf_lcore *l, struct rte_mbuf *const *m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		const struct ns_packet *p = ns_packet(m[i]);
		struct perf_proto *to = &l->other;

		if (ns_likely((p->flags & NS_PKT_IP) != 0))
			to = &l->ip[p->tuple.proto];
		ns_stat_add(&to->packets, 1);
		ns_stat_add(&to->octets, p->wirelen);
	}
}

/* Copies that defrag held may be among them. */
static inline uint16_t perf_defrag(
	struct perf_lcore *l, struct rte_mbuf **m, uint16_t n, struct rte_mbuf **out)
{
	struct rte_mbuf *held[PERF_BURST];
	uint16_t held_n;

	n = ns_defrag_burst(l->defrag, m, n, out, held, &held_n, &l->c);
	if (held_n > 0)
		rte_pktmbuf_free_bulk(held, held_n);
	return n;
}

static inline void perf_hash(struct perf_lcore *l, struct rte_mbuf *const *m, uint16_t n)
{
	uint32_t all = 0;

	for (uint16_t i = 0; i < n; i++)
		all += ns_tuple_hash(&ns_packet(m[i])->tuple);
	l->hashed += all;
}

struct perf_stamps {
	bool on;
	uint64_t last;
	uint64_t sum[PERF_STAGES];
};

static inline void perf_stamp(struct perf_stamps *s, enum perf_stage stage)
{
	if (s->on) {
		uint64_t now = perf_ticks();

		s->sum[stage] += now - s->last;
		s->last = now;
	}
}

static inline void perf_analyse(struct perf_lcore *l, struct perf_bed *b, struct rte_mbuf **m,
	uint16_t n, unsigned what, struct perf_stamps *s)
{
	if (what & PERF_HAS(PERF_FLOW))
		ns_flow_ask(b->table, m, n);
	if (what & PERF_HAS(PERF_COUNT))
		perf_count_protocols(l, m, n);
	perf_stamp(s, PERF_COUNT);
	uint16_t dropped = 0;

	if (what & PERF_HAS(PERF_FLOW))
		dropped = ns_flow_burst(b->table, m, n, &l->c);
	perf_stamp(s, PERF_FLOW);
	if (what & PERF_HAS(PERF_TASKS) && l->tasks != NULL)
		ns_tasks_packets(l->tasks->lcore, l->tasks->state, m, n);
	perf_stamp(s, PERF_TASKS);
	l->full += dropped;
	if (what & PERF_HAS(PERF_FLOW))
		l->flowed += (uint64_t)(n - dropped);
	if (what & PERF_HAS(PERF_COUNT))
		ns_stat_add(&l->analysed, n - dropped);
	rte_pktmbuf_free_bulk(m, n);
	perf_stamp(s, PERF_FREE);
}

/* A burst that was received, decoded and with the ports of later fragments; out has room. */
static inline uint16_t perf_decode(struct perf_lcore *l, struct rte_mbuf **m, uint16_t n,
	struct rte_mbuf **more, struct rte_mbuf ***out)
{
	uint16_t good = ns_decode_burst(l->decoder, m, n, &l->c);

	*out = m;
	if (ns_unlikely(good < n))
		rte_pktmbuf_free_bulk(m + good, n - good);
	if (ns_unlikely(ns_defrag_wanted(l->defrag, m, good))) {
		good = perf_defrag(l, m, good, more);
		*out = more;
	}
	return good;
}

static inline void perf_burst(struct perf_lcore *l, struct perf_bed *b, uint32_t at, uint16_t n,
	unsigned what, struct perf_stamps *s)
{
	struct rte_mbuf *m[PERF_BURST], *more[PERF_BURST + NS_DEFRAG_RELEASE], **out = m;

	if (s->on)
		s->last = perf_ticks();
	perf_rx(l, b, at, m, n);
	if (what & PERF_HAS(PERF_COUNT))
		perf_count_received(l, m, n);
	perf_stamp(s, PERF_RX);
	if (what & PERF_HAS(PERF_DECODE))
		n = perf_decode(l, m, n, more, &out);
	perf_stamp(s, PERF_DECODE);
	if (what & PERF_HAS(PERF_HASH))
		perf_hash(l, out, n);
	perf_stamp(s, PERF_HASH);
	for (uint16_t i = 0, k; i < n; i = (uint16_t)(i + k)) {
		k = (uint16_t)NS_MIN(n - i, (int)NS_TASK_BURST);
		perf_analyse(l, b, out + i, k, what, s);
	}
	if (what & PERF_HAS(PERF_AGE) && ++l->slice % PERF_AGE_EVERY == 0)
		ns_flow_age(b->table, b->clock_ns);
	perf_stamp(s, PERF_AGE);
}
