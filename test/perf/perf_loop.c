/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One lcore that reads, analyses and frees, in the order and with the counting of lib/engine.
 * Stages that a run leaves out cost nothing; those that need an earlier one that is left out are
 * not asked for.
 */
#include "perf_loop.h"

#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_pause.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* In memory of ours: EAL's has no huge pages here. */
struct rte_mempool *perf_pool(const char *name, uint32_t n, uint8_t **memory, size_t *size)
{
	uint32_t room = RTE_MBUF_DEFAULT_BUF_SIZE;
	uint32_t each = (uint32_t)sizeof(struct rte_mbuf) + NS_PACKET_PRIV + room;
	struct rte_pktmbuf_pool_private priv = {
		.mbuf_data_room_size = (uint16_t)room, .mbuf_priv_size = NS_PACKET_PRIV};
	struct rte_mempool *mp = rte_mempool_create_empty(name, n, each, PERF_CACHE, sizeof(priv),
		SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (mp == NULL)
		return NULL;
	if (rte_mempool_set_ops_byname(mp, rte_mbuf_best_mempool_ops(), NULL) < 0) {
		rte_mempool_free(mp);
		return NULL;
	}
	rte_pktmbuf_pool_init(mp, &priv);
	*size = (size_t)n * (mp->header_size + mp->elt_size + mp->trailer_size) + (4 << 20);
	*memory = perf_alloc(*size);
	if (rte_mempool_populate_iova(mp, (char *)*memory, RTE_BAD_IOVA, *size, NULL, NULL) <
		(int)n) {
		rte_mempool_free(mp);
		perf_free(*memory, *size);
		*memory = NULL;
		return NULL;
	}
	rte_mempool_obj_iter(mp, rte_pktmbuf_init, NULL);
	return mp;
}

int perf_lcore_init(struct perf_lcore *l, unsigned id, const struct ns_conf *conf, uint32_t ring_n,
	struct ns_err *e)
{
	/* a ring of dispatch's may be full of them besides */
	uint32_t n = ring_n + 4096 + 4 * PERF_CACHE + 4 * PERF_BURST;
	char name[32];

	snprintf(name, sizeof(name), "perf_packets_%u", id);
	l->ring_n = ring_n;
	l->conf = conf;
	l->first_ns = UINT64_MAX;
	l->pool = perf_pool(name, n, &l->memory, &l->memory_size);
	l->ring = calloc(ring_n, sizeof(*l->ring));
	l->from = calloc(ring_n, sizeof(*l->from));
	l->decoder = ns_decoder_create(ns_conf_get(l->conf, "decode"));
	l->defrag = ns_defrag_create(ns_conf_get(l->conf, "defrag"), id);
	if (l->pool == NULL || l->ring == NULL || l->from == NULL || l->decoder == NULL ||
		l->defrag == NULL || rte_pktmbuf_alloc_bulk(l->pool, l->ring, ring_n) != 0)
		return ns_fail(e, ENOMEM, "no memory for %u packets", ring_n);
	perf_calibrate(l);
	return 0;
}

void perf_lcore_fini(struct perf_lcore *l)
{
	if (l->pool != NULL && l->ring != NULL && l->ring_n > 0 && l->ring[0] != NULL)
		rte_pktmbuf_free_bulk(l->ring, l->ring_n);
	ns_defrag_destroy(l->defrag);
	ns_decoder_destroy(l->decoder);
	rte_mempool_free(l->pool);
	perf_free(l->memory, l->memory_size);
	free(l->ring);
	free(l->from);
}

void perf_fill(struct perf_lcore *l, struct perf_bed *b, enum perf_draw draw, const uint32_t *flow)
{
	for (uint32_t i = 0; i < l->ring_n; i++) {
		uint32_t f = 0;

		if (flow != NULL)
			f = flow[i];
		else if (l->traffic->patched)
			f = perf_bed_draw(b, draw);
		l->from[i] = perf_traffic_write(
			l->traffic, b->packets++, f, rte_pktmbuf_mtod(l->ring[i], uint8_t *));
	}
}

void perf_rx(struct perf_lcore *l, struct perf_bed *b, uint32_t at, struct rte_mbuf **m, uint32_t n)
{
	uint64_t clock = b->clock_ns, part = b->part_ns, step = b->step;

	for (uint32_t i = 0; i < n; i++)
		m[i] = l->ring[at + i];
	/* the pool has enough: what was taken out of the ring comes back */
	while (ns_unlikely(rte_mempool_get_bulk(l->pool, (void **)&l->ring[at], n) != 0))
		rte_pause();
	for (uint32_t i = 0; i < n; i++) {
		const struct perf_template *t = l->from[at + i];
		struct ns_packet *p = ns_packet(m[i]);

		m[i]->data_off = RTE_PKTMBUF_HEADROOM;
		m[i]->nb_segs = 1;
		m[i]->port = 0;
		m[i]->ol_flags = 0;
		m[i]->pkt_len = t->len;
		m[i]->data_len = t->len;
		part += step;
		clock += part >> 32;
		part &= UINT32_MAX;
		p->ts_ns = clock;
		p->clock_ns = clock;
		p->wirelen = t->wire;
		p->caplen = t->len;
		p->linktype = t->linktype;
		p->port = 0;
		p->flags = 0;
	}
	b->clock_ns = clock;
	b->part_ns = (uint32_t)part;
}

void perf_drain(struct perf_lcore *l, struct perf_bed *b, unsigned what)
{
	struct rte_mbuf *m[NS_DEFRAG_RELEASE];
	struct perf_stamps s = {0};

	if (!(what & PERF_HAS(PERF_DECODE)))
		return;
	for (uint16_t n; (n = ns_defrag_expire(l->defrag, UINT64_MAX, m, &l->c)) > 0;) {
		for (uint16_t i = 0, k; i < n; i = (uint16_t)(i + k)) {
			k = (uint16_t)NS_MIN(n - i, (int)NS_TASK_BURST);
			perf_analyse(l, b, m + i, k, what, &s);
		}
	}
}

void perf_run(struct perf_lcore *l, struct perf_bed *b, enum perf_draw draw, unsigned what,
	bool stamps, uint64_t packets, struct perf_cost *cost)
{
	uint64_t ticks = 0, seen = 0, bursts = 0;
	struct perf_stamps s = {.on = stamps}, sum = {0};
	struct perf_pause pause = {0};

	if (!(what & PERF_HAS(PERF_FLOW)))
		perf_pause(b, &pause);
	if (what & PERF_HAS(PERF_FLOW))
		ns_flow_epoch(b->table, ++b->epoch);
	if (l->tasks != NULL)
		ns_tasks_reset(l->tasks->tasks, l->tasks->state);
	for (uint64_t tried = 0; seen < packets && tried < PERF_TRIES * packets;
		tried += l->ring_n) {
		memset(s.sum, 0, sizeof(s.sum));
		perf_fill(l, b, draw, NULL);
		perf_interrupted();
		uint64_t begin = perf_ticks();

		for (uint32_t at = 0; at < l->ring_n; at += PERF_BURST)
			perf_burst(l, b, at, PERF_BURST, what, &s);
		begin = perf_ticks() - begin;
		l->rounds++;
		if (perf_interrupted()) {
			l->interrupted++;
			continue;
		}
		ticks += begin;
		seen += l->ring_n;
		bursts += l->ring_n / PERF_BURST;
		for (unsigned i = 0; i < PERF_STAGES; i++)
			sum.sum[i] += s.sum[i];
	}
	perf_drain(l, b, what);
	if (l->tasks != NULL)
		ns_tasks_flush(l->tasks->lcore, l->tasks->state);
	if (!(what & PERF_HAS(PERF_FLOW)))
		perf_resume(b, &pause);
	if (cost == NULL)
		return;
	double n = (double)NS_MAX(seen, 1);

	cost->all = (double)ticks * l->tsc_ns / n;
	for (unsigned i = 0; i < PERF_STAGES && stamps; i++) {
		cost->stage[i] =
			((double)sum.sum[i] * l->tsc_ns - (double)bursts * l->tsc_cost) / n;
		cost->stage[i] = NS_MAX(cost->stage[i], 0);
	}
}

void perf_warm(struct perf_lcore *l, struct perf_bed *b)
{
	struct perf_tasks *tasks = l->tasks;
	uint32_t *flow = malloc(l->ring_n * sizeof(*flow));
	struct perf_stamps s = {0};

	if (flow == NULL)
		abort();
	l->tasks = NULL;
	for (uint32_t first = 0; first < b->flows; first += l->ring_n) {
		for (uint32_t i = 0; i < l->ring_n; i++)
			flow[i] = (first + i) % b->flows;
		perf_fill(l, b, PERF_UNIFORM, flow);
		for (uint32_t at = 0; at < l->ring_n; at += PERF_BURST)
			perf_burst(l, b, at, PERF_BURST, PERF_ALL, &s);
	}
	free(flow);
	if (b->rate > 0)
		perf_run(l, b, PERF_UNIFORM, PERF_ALL, false, (uint64_t)((b->idle + 0.25) * b->pps),
			NULL);
	l->tasks = tasks;
}

bool perf_conserved(const struct perf_lcore *const *l, unsigned n, struct ns_err *e)
{
	unsigned counters;
	const struct ns_counter *const *c = ns_counters_all(&counters);
	uint64_t received = 0, analysed = 0, drops = 0;

	for (unsigned k = 0; k < n; k++) {
		received += l[k]->received;
		analysed += l[k]->analysed;
		for (unsigned i = 0; i < counters; i++)
			drops += c[i]->kind == NS_COUNTER_DROP ? l[k]->c.v[c[i]->id] : 0;
	}
	if (received == analysed + drops)
		return true;
	ns_fail(e, EPROTO,
		"%" PRIu64 " packets received, %" PRIu64 " analysed, %" PRIu64 " dropped", received,
		analysed, drops);
	return false;
}
