/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two lcores with dispatch and a ring between them.
 *
 *   lcore 1: packets written (not timed) ─▶ rx ─▶ decode ─▶ dispatch ─▶ ring ─▶ flow, tasks, free
 *            └────────────── a ring's round ───────────────────────────┘        (lcore 0)
 *
 * A round begins when lcore 0 has done all of the last one, and ends when it has done all of this
 * one: that is the throughput. Lcore 0 adds up the time in which it has packets. What the hop costs
 * it is that time less what the same stages take it in run to completion, on the same table.
 */
#include "perf_bench.h"
#include "perf_loop.h"

#include <ns_dispatch.h>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <rte_prefetch.h>

#include <stdlib.h>
#include <string.h>

#define RING 4096 /* packets of a round, and dispatch.ring */

struct pipe {
	/* lcore 1 */
	struct perf_lcore rx;
	struct perf_bed *bed;
	struct ns_dispatch *dispatch;
	enum perf_draw draw;
	uint64_t packets;
	uint64_t seen, ticks, rx_ticks, busy_ticks, bursts; /* results */
	/* written by lcore 1, read by lcore 0 */
	uint64_t asked __attribute__((aligned(NS_CACHE_LINE))); /* rounds */
	bool stop;
	/* lcore 0 */
	struct perf_lcore an __attribute__((aligned(NS_CACHE_LINE)));
	uint64_t busy, busy_bursts; /* all ticks with packets, and how many bursts they were */
	bool interrupted;
	/* written by lcore 0, read by lcore 1 */
	uint64_t done __attribute__((aligned(NS_CACHE_LINE))); /* packets */
	uint64_t answered; /* rounds: busy and interrupted hold */
	struct rte_ring *ring __attribute__((aligned(NS_CACHE_LINE)));
};

static inline uint64_t look(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_ACQUIRE);
}

/* Lcore 1: one round; packets sent. */
static uint64_t send_round(struct pipe *p)
{
	uint64_t sent = 0;

	for (uint32_t at = 0; at < p->rx.ring_n; at += PERF_BURST) {
		struct rte_mbuf *m[PERF_BURST], *more[PERF_BURST + NS_DEFRAG_RELEASE], **out;

		perf_rx(&p->rx, p->bed, at, m, PERF_BURST);
		perf_count_received(&p->rx, m, PERF_BURST);
		uint16_t n = perf_decode(&p->rx, m, PERF_BURST, more, &out);

		uint16_t back = ns_dispatch_burst(p->dispatch, out, n, &p->rx.c);

		if (back > 0)
			rte_pktmbuf_free_bulk(out, back);
		sent += (uint64_t)(n - back);
	}
	return sent;
}

static int rx_lcore(void *arg)
{
	struct pipe *p = arg;
	uint64_t sent = look(&p->done), busy = p->busy, bursts = p->busy_bursts;

	for (uint64_t tried = 0; p->seen < p->packets && tried < PERF_TRIES * p->packets;
		tried += p->rx.ring_n) {
		perf_fill(&p->rx, p->bed, p->draw, NULL);
		perf_interrupted();
		uint64_t begin = perf_ticks(), rx_ticks;

		sent += send_round(p);
		rx_ticks = perf_ticks() - begin;
		while (look(&p->done) != sent)
			rte_pause();
		begin = perf_ticks() - begin;
		__atomic_store_n(&p->asked, p->asked + 1, __ATOMIC_RELEASE);
		while (look(&p->answered) != p->asked)
			rte_pause();
		p->rx.rounds++;
		if (perf_interrupted() || p->interrupted) {
			p->rx.interrupted++;
		} else {
			p->seen += p->rx.ring_n;
			p->ticks += begin;
			p->rx_ticks += rx_ticks;
			p->busy_ticks += p->busy - busy;
			p->bursts += p->busy_bursts - bursts;
		}
		busy = p->busy;
		bursts = p->busy_bursts;
	}
	__atomic_store_n(&p->stop, true, __ATOMIC_RELEASE);
	return 0;
}

struct arrival {
	struct rte_mbuf *m[PERF_BURST];
	uint16_t n;
};

/* As the engine does: views set out for here while the burst before is analysed. */
static inline void dequeue(struct pipe *p, struct arrival *a)
{
	a->n = (uint16_t)rte_ring_sc_dequeue_burst(p->ring, (void **)a->m, PERF_BURST, NULL);
	for (uint16_t i = 0; i < a->n; i++) {
		const struct ns_packet *v = ns_packet(a->m[i]);

		rte_prefetch0(v);
		rte_prefetch0(&v->tuple);
	}
}

static void idle(struct pipe *p)
{
	if (look(&p->asked) != p->answered) {
		p->interrupted = perf_interrupted();
		__atomic_store_n(&p->answered, p->asked, __ATOMIC_RELEASE);
	}
	rte_pause();
}

/* Lcore 0, until lcore 1 has had enough. */
static void analysis_lcore(struct pipe *p)
{
	struct arrival two[2] = {{.n = 0}, {.n = 0}};
	struct perf_stamps s = {0};
	unsigned slice = 0, next = 0;

	while (!__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE)) {
		struct arrival *last = &two[next ^ 1];
		uint64_t begin = perf_ticks();

		dequeue(p, &two[next]);
		if (last->n == 0 && two[next].n == 0) {
			idle(p);
			continue;
		}
		if (last->n > 0) {
			uint64_t clock = ns_packet(last->m[last->n - 1])->clock_ns;

			perf_analyse(&p->an, p->bed, last->m, last->n, PERF_ALL, &s);
			if (++slice % PERF_AGE_EVERY == 0)
				ns_flow_age(p->bed->table, clock);
			p->busy_bursts++;
		}
		p->busy += perf_ticks() - begin;
		if (last->n > 0)
			__atomic_store_n(&p->done, p->done + last->n, __ATOMIC_RELEASE);
		last->n = 0;
		next ^= 1;
	}
}

/* What the analysis stages cost in run to completion with the same ring, and all of it. */
static void together(
	struct perf_bench *b, struct pipe *p, enum perf_draw draw, double *all, double *analysis)
{
	static const enum perf_stage parts[] = {
		PERF_COUNT, PERF_FLOW, PERF_TASKS, PERF_FREE, PERF_AGE};
	struct perf_cost c;

	p->rx.tasks = b->core;
	perf_run(&p->rx, p->bed, draw, PERF_ALL, false, b->o.packets, &c);
	*all = c.all;
	perf_run(&p->rx, p->bed, draw, PERF_ALL, true, b->o.packets, &c);
	*analysis = 0;
	for (unsigned i = 0; i < NS_ARRAY_LEN(parts); i++)
		*analysis += c.stage[parts[i]];
	p->rx.tasks = NULL;
}

static void one_round(struct perf_bench *b, struct pipe *p, enum perf_draw draw, unsigned lcore)
{
	const char *traffic = p->rx.traffic->name;
	double all, analysis, n, tick = p->an.tsc_ns;

	together(b, p, draw, &all, &analysis);
	p->an.tasks = b->core;
	ns_flow_epoch(p->bed->table, ++p->bed->epoch);
	ns_tasks_reset(b->core->tasks, b->core->state);
	p->draw = draw;
	p->packets = b->o.packets;
	p->seen = p->ticks = p->rx_ticks = p->busy_ticks = p->bursts = 0;
	p->stop = false;
	perf_interrupted();
	rte_eal_remote_launch(rx_lcore, p, lcore);
	analysis_lcore(p);
	rte_eal_wait_lcore(lcore);
	ns_tasks_flush(b->core->lcore, b->core->state);
	n = (double)NS_MAX(p->seen, 1);
	double busy = ((double)p->busy_ticks * tick - (double)p->bursts * p->an.tsc_cost) / n;

	perf_add(&b->a, traffic, p->bed, draw, false, "pipeline: rtc core", all);
	perf_add(&b->a, traffic, p->bed, draw, false, "pipeline", (double)p->ticks * tick / n);
	perf_add(&b->a, traffic, p->bed, draw, true, "pipeline: rx lcore, busy",
		(double)p->rx_ticks * tick / n);
	perf_add(&b->a, traffic, p->bed, draw, true, "pipeline: analysis lcore, busy", busy);
	perf_add(&b->a, traffic, p->bed, draw, true, "pipeline: analysis in rtc", analysis);
	perf_add(&b->a, traffic, p->bed, draw, true, "pipeline: the hop adds", busy - analysis);
}

static void bars(struct perf_bench *b, const struct perf_line *like, const char *flows)
{
	const struct perf_line *hop = perf_like(&b->a, like, "pipeline: the hop adds");
	const struct perf_line *rtc = perf_like(&b->a, like, "pipeline: rtc core");
	const struct perf_line *all = perf_like(&b->a, like, "pipeline");
	char name[96];

	snprintf(name, sizeof(name), "%s, %s flows: a hop adds to the analysis lcore",
		like->traffic, flows);
	perf_bar(&b->a, name, "ns/packet", perf_median(hop), PERF_AT_MOST, 25);
	snprintf(name, sizeof(name), "%s, %s flows: throughput of rtc's", like->traffic, flows);
	perf_bar(&b->a, name, "", perf_ratio(rtc, all), PERF_AT_LEAST, 0.8);
}

static int beds(struct perf_bench *b, struct pipe *p, unsigned lcore, struct ns_err *e)
{
	for (unsigned i = 0; i < b->o.flows_n; i++) {
		struct perf_bed_conf c = {.flows = (uint32_t)b->o.flows[i], .pps = b->o.pps};
		unsigned from = b->a.n;
		char flows[16];

		p->bed = perf_bed_create(&c, &p->an, 0);
		if (p->bed == NULL)
			return ns_fail(e, errno, "no flow table: %s", strerror(errno));
		perf_warm(&p->rx, p->bed);
		for (unsigned r = 0; r < b->o.rounds; r++)
			one_round(b, p, PERF_UNIFORM, lcore);
		perf_drain(&p->rx, p->bed, PERF_ALL);
		perf_print(&b->a, from, stdout);
		bars(b, &b->a.line[from], ns_fmt_count(flows, sizeof(flows), c.flows));
		perf_bed_destroy(p->bed);
		p->bed = NULL;
	}
	return 0;
}

static int make(struct perf_bench *b, struct pipe *p, struct ns_err *e)
{
	struct ns_dispatch_conf conf =
		*(const struct ns_dispatch_conf *)ns_conf_get(b->conf, "dispatch");
	int rc = perf_lcore_init(&p->rx, 1, b->conf, RING, e);

	if (rc < 0)
		return rc;
	p->an.conf = b->conf;
	p->an.tsc_ns = p->rx.tsc_ns;
	p->an.tsc_cost = p->rx.tsc_cost;
	p->ring = rte_ring_create("perf_ring", conf.ring, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	if (p->ring == NULL)
		return ns_fail(e, rte_errno, "no ring: %s", rte_strerror(rte_errno));
	p->dispatch = ns_dispatch_create(&conf, &p->ring, 1, false);
	return p->dispatch != NULL ? 0 : ns_fail(e, errno, "no dispatch: %s", strerror(errno));
}

int perf_pipeline(struct perf_bench *b, struct ns_err *e)
{
	unsigned lcore = rte_get_next_lcore(-1, 1, 0);
	struct pipe *p;
	int rc;

	if (rte_lcore_to_cpu_id((int)lcore) == rte_lcore_to_cpu_id((int)rte_lcore_id()) &&
		!b->o.quick) {
		printf("\npipeline: left out, as there is one CPU\n");
		return 0;
	}
	p = aligned_alloc(NS_CACHE_LINE, RTE_ALIGN_CEIL(sizeof(*p), NS_CACHE_LINE));
	if (p == NULL)
		return ns_fail(e, ENOMEM, "no memory");
	memset(p, 0, sizeof(*p));
	rc = make(b, p, e);
	for (unsigned t = 0; rc == 0 && t < b->o.traffic_n; t++) {
		struct perf_traffic *traffic = perf_traffic_create(b->o.traffic[t], e);

		if (traffic == NULL) {
			rc = -errno;
			break;
		}
		p->rx.traffic = traffic;
		rc = beds(b, p, lcore, e);
		perf_traffic_destroy(traffic);
	}
	if (rc == 0 && !perf_conserved((const struct perf_lcore *[]){&p->rx, &p->an}, 2, e))
		rc = -EPROTO;
	b->l.rounds += p->rx.rounds;
	b->l.interrupted += p->rx.interrupted;
	b->packets += p->rx.received;
	ns_dispatch_destroy(p->dispatch);
	rte_ring_free(p->ring);
	perf_bed_destroy(p->bed);
	perf_lcore_fini(&p->rx);
	free(p);
	return rc;
}
