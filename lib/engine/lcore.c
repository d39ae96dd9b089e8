/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the lcores run. Nothing here allocates, logs or formats; in file mode the source reads, and
 * idle lcores back off as configured.
 */
#include "engine_priv.h"
#include "meter.h"
#include "pause.h"
#include "trace.h"

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_prefetch.h>

#include <sched.h>
#include <time.h>

#define OUT_MAX (NS_BURST + NS_DEFRAG_RELEASE)
#define FLUSH_NS (NS_SEC_NS / 2)

static inline bool flag(const bool *f)
{
	return __atomic_load_n(f, __ATOMIC_ACQUIRE);
}

static inline void raise_flag(bool *f)
{
	__atomic_store_n(f, true, __ATOMIC_RELEASE);
}

static void back_off(const struct ns_engine *en, unsigned *empty)
{
	static const struct timespec nap = {.tv_nsec = 50000};

	(*empty)++;
	if (en->conf->idle == NS_ENGINE_IDLE_POLL)
		return;
	if (en->conf->idle == NS_ENGINE_IDLE_PAUSE || *empty < 32)
		rte_pause();
	else if (*empty < 64)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

/* Back to the source that they came from. */
static void release(struct lcore *l, struct rte_mbuf **m, uint16_t n)
{
	if (n == 0)
		return;
	if (l->en->sops->release != NULL)
		l->en->sops->release(l->en->source, m, n);
	else
		rte_pktmbuf_free_bulk(m, n);
}

/* Copies that defrag held go to its own mempool; all others back to the source. */
static void release_mixed(struct lcore *l, struct rte_mbuf **m, uint16_t n)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (ns_unlikely((ns_packet(m[i])->flags & NS_PKT_COPY) != 0))
			rte_pktmbuf_free(m[i]);
		else
			m[k++] = m[i];
	}
	release(l, m, k);
}

/* Packets that dispatch has kept go on. */
static void flush_stage(struct lcore *l)
{
	if (l->dispatch != NULL)
		ns_dispatch_flush(l->dispatch);
}

/* What an lcore reads: as it comes, and with what defrag takes and gives. */
struct reading {
	struct rte_mbuf *m[NS_BURST], *out[OUT_MAX];
	struct rte_mbuf **at; /* one of them */
	uint16_t received;
};

/* One burst from a queue, decoded and with the ports of later fragments; lies at r->at. */
static uint16_t read_burst(struct lcore *l, unsigned queue, struct reading *r)
{
	struct rte_mbuf *held[NS_BURST];
	struct ns_engine *en = l->en;
	uint16_t n = en->sops->burst(en->source, queue, r->m, NS_BURST), held_n;

	r->at = r->m;
	r->received = n;
	if (n == 0)
		return 0;
	/* behind the burst: what comes after a tap is open is in it */
	uint64_t taps = tap_look(l);
	uint32_t traced = ns_likely(taps == 0) ? 0 : trace_taps(l, taps, queue, r->m, n);

	engine_count_received(l, r->m, n);
	uint16_t good = ns_likely(traced == 0) ? ns_decode_burst(en->decoder, r->m, n, &l->stats->c)
					       : trace_decode(l, r->m, n, traced);

	if (ns_unlikely(good < n)) {
		engine_count_unknown(l->stats, r->m + good, n - good);
		release(l, r->m + good, n - good);
	}
	if (ns_likely(!ns_defrag_wanted(l->defrag, r->m, good)))
		return good;
	/* in file mode it may wait for copies to come back */
	flush_stage(l);
	good = ns_defrag_burst(l->defrag, r->m, good, r->out, held, &held_n, &l->stats->c);
	if (ns_unlikely(l->trace.fragments != 0))
		trace_defrag(l, held, held_n, r->out, good);
	release(l, held, held_n);
	r->at = r->out;
	return good;
}

/* The analysis of decoded packets; takes them. */
static void analyse(struct lcore *l, struct rte_mbuf **m, uint16_t n)
{
	struct lcore_stats *s = l->stats;

	for (uint16_t at = 0, k; at < n; at = (uint16_t)(at + k)) {
		k = (uint16_t)NS_MIN(n - at, DEQUEUE);
		if (l->en->log.length_ns != 0)
			k = engine_epoch_run(l, m + at, k);
		ns_flow_ask(l->flows, m + at, k);

		uint16_t flags = engine_count_protocols(s, m + at, k);
		uint16_t dropped = ns_likely((flags & NS_PKT_TRACED) == 0)
					   ? ns_flow_burst(l->flows, m + at, k, &s->c)
					   : trace_flow(l, m + at, k);

		ns_tasks_packets(l->tasks, ns_snap_state(l->snap), m + at, k);
		ns_snap_used(l->snap);
		ns_stat_add(&s->analysed, k - dropped);
		if (l->role == ROLE_ANALYSIS)
			ns_stat_set(&s->clock_ns,
				NS_MAX(s->clock_ns, ns_packet(m[at + k - 1])->clock_ns));
		if (ns_likely((flags & (NS_PKT_COPY | NS_PKT_TRACED)) == 0)) {
			release(l, m + at, k);
			continue;
		}
		trace_end(l, m + at, k);
		release_mixed(l, m + at, k);
	}
}

/*
 * Time is the packets' clock. A live lcore that gets none lets it run on by the monotonic clock, so
 * that quiet flows end; the system's clock would be wrong for a port that gives times of its own.
 */
static void age(struct lcore *l, bool quiet)
{
	uint64_t clock = l->stats->clock_ns;

	if (quiet && l->en->live && clock != 0) {
		uint64_t mono = ns_clock_mono();

		if (clock != l->age_clock) {
			l->age_clock = clock;
			l->age_mono = mono;
		}
		clock += mono - l->age_mono;
	}
	ns_flow_age(l->flows, clock);
}

/* A quiet live lcore must not keep the last records of a busy time. */
static void flush_old(struct lcore *l)
{
	struct producer *p = l->producer;

	if (p->filling == NULL || p->filling->n == 0)
		return;
	if (ns_clock_mono() - p->clock_filled > FLUSH_NS)
		engine_producer_flush(l);
}

static void finish_flows(struct lcore *l)
{
	engine_epoch_last(l);
	ns_flow_end_all(l->flows, l->en->end_clock);
	engine_epoch_end(l);
	engine_producer_flush(l);
}

static void dispatch(struct lcore *l, struct rte_mbuf **m, uint16_t n)
{
	uint16_t back = n == 0 ? 0 : ns_dispatch_burst(l->dispatch, m, n, &l->stats->c);

	if (ns_unlikely(back > 0))
		release_mixed(l, m, back);
}

static void dispatch_traced(struct lcore *l, struct rte_mbuf **m, uint16_t n)
{
	trace_dispatch(l, m, n);
	uint16_t back = ns_dispatch_burst(l->dispatch, m, n, &l->stats->c);

	trace_ring_full(l, m, back);
	release_mixed(l, m, back);
}

/* Packets go on with what the lcore that analyses them has to know: their epoch, or their time. */
static void hand_on(struct lcore *l, struct rte_mbuf **m, uint16_t n, take_fn *take)
{
	if (l->metered && l->role == ROLE_RX) {
		uint32_t now = meter_rx_time(l);

		for (uint16_t i = 0; i < n; i++)
			ns_packet(m[i])->rx_time = now;
		if (ns_unlikely(l->trace.handing))
			take = dispatch_traced;
	}
	engine_epoch_stamp(l, m, n, take);
}

static bool read_queue(struct lcore *l, unsigned queue, struct reading *r, take_fn *take)
{
	uint16_t n = read_burst(l, queue, r);

	if (n > 0)
		hand_on(l, r->at, n, take);
	if (r->received > 0)
		meter_burst(l, r->received, 0);
	return r->received > 0;
}

/* Between bursts of a lcore that reads and found nothing; false: the input has ended. */
static bool read_nothing(struct lcore *l, struct reading *r, take_fn *take)
{
	struct ns_engine *en = l->en;

	flush_stage(l);
	(void)tap_look(l);
	if (en->sops->status(en->source) != NS_SOURCE_MORE)
		return false;
	if (en->live) {
		/* a quiet port brings no fragment that would let the old ones go */
		uint16_t n = trace_expire(l, ns_clock_real(), r->out);

		if (n > 0)
			hand_on(l, r->out, n, take);
		if (l->flows != NULL)
			flush_old(l);
	}
	return true;
}

/* Reads all queues of an lcore in turn until the input ends or a stop is asked for. */
static void read_all(struct lcore *l, take_fn *take)
{
	struct ns_engine *en = l->en;
	unsigned readers = en->rtc ? en->workers : en->rx;
	unsigned empty = 0;
	struct reading r;

	meter_idle(l);
	for (;;) {
		bool any = false;
		/* none while control has ports left alone */
		unsigned queues = ns_unlikely(engine_pause_look(l)) ? 0 : en->queues;

		for (unsigned q = l->index; q < queues; q += readers)
			any |= read_queue(l, q, &r, take);
		if (l->flows != NULL)
			age(l, !any);
		if (l->role == ROLE_BOTH && en->live)
			engine_epoch_look(l);
		/* a file is left where it is; a port, once stopped, says when it has given all */
		if (!en->live && flag(&en->stop))
			break;
		if (any) {
			empty = 0;
			continue;
		}
		if (!read_nothing(l, &r, take))
			break;
		back_off(en, &empty);
		meter_idle(l);
	}
	for (uint16_t n; (n = trace_expire(l, UINT64_MAX, r.out)) > 0;)
		hand_on(l, r.out, n, take);
	flush_stage(l);
}

/* The flag and then the wake-up are the last that an lcore touches: control may free all else. */
static void tell(struct lcore *l, bool *f)
{
	struct ns_engine *en = l->en;

	raise_flag(f);
	engine_wake(en);
}

int engine_rx(void *arg)
{
	struct lcore *l = arg;

	read_all(l, dispatch);
	tell(l, &l->done);
	return 0;
}

/* A burst from RX lcore rx. */
struct arrival {
	struct rte_mbuf *m[DEQUEUE];
	uint16_t n;
	unsigned rx;
};

/*
 * Views come cold from another CPU: their lines set out for here while the burst before is
 * analysed. The mbufs are left alone, only their release needs them.
 */
static void dequeue(struct lcore *l, unsigned rx, struct arrival *a)
{
	a->rx = rx;
	a->n = (uint16_t)rte_ring_sc_dequeue_burst(l->in[rx], (void **)a->m, DEQUEUE, NULL);
	for (uint16_t i = 0; i < a->n; i++) {
		const struct ns_packet *p = ns_packet(a->m[i]);

		rte_prefetch0(p);
		rte_prefetch0(&p->tuple);
	}
}

static void analyse_arrival(struct lcore *l, struct arrival *a)
{
	uint32_t rx_time = ns_packet(a->m[0])->rx_time;

	analyse(l, a->m, a->n);
	__atomic_store_n(&l->processed[a->rx], l->processed[a->rx] + a->n, __ATOMIC_RELEASE);
	meter_burst(l, a->n, rx_time);
}

int engine_analysis(void *arg)
{
	struct lcore *l = arg;
	struct ns_engine *en = l->en;
	struct arrival two[2] = {{.n = 0}, {.n = 0}};
	unsigned empty = 0, next = 0;

	meter_idle(l);
	for (;;) {
		bool drain = flag(&en->drain);
		uint64_t begun = engine_epochs_begun(en);
		bool any = false;

		for (unsigned r = 0; r < en->rx; r++) {
			struct arrival *last = &two[next ^ 1];

			dequeue(l, r, &two[next]);
			if (last->n > 0)
				analyse_arrival(l, last);
			any = any || last->n > 0 || two[next].n > 0;
			last->n = 0;
			next ^= 1;
		}
		age(l, !any);
		if (en->live)
			engine_epoch_look(l);
		if (any) {
			empty = 0;
			continue;
		}
		/* what was published before the rings were empty is all that there was before it */
		if (begun > 0)
			engine_epoch_advance(l, begun - 1);
		if (drain)
			break;
		if (en->live)
			flush_old(l);
		back_off(en, &empty);
		meter_idle(l);
	}
	finish_flows(l);
	raise_flag(&l->producer->done);
	tell(l, &l->done);
	return 0;
}

int engine_both(void *arg)
{
	struct lcore *l = arg;
	unsigned empty = 0;

	read_all(l, analyse);
	tell(l, &l->done);
	while (!flag(&l->en->drain))
		back_off(l->en, &empty);
	finish_flows(l);
	tell(l, &l->producer->done);
	return 0;
}
