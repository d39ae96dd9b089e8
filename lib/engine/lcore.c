/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the lcores run. Nothing here allocates, logs or formats; in file mode the source reads, and
 * idle lcores back off as configured.
 */
#include "engine_priv.h"

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_pause.h>

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

/* Copies that defrag held go to its own mempool; all others back to the source. */
static void release(struct lcore *l, struct rte_mbuf **m, uint16_t n)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (ns_unlikely((ns_packet(m[i])->flags & NS_PKT_COPY) != 0))
			rte_pktmbuf_free(m[i]);
		else
			m[k++] = m[i];
	}
	if (k == 0)
		return;
	if (l->en->sops->release != NULL)
		l->en->sops->release(l->en->source, m, k);
	else
		rte_pktmbuf_free_bulk(m, k);
}

static void count_received(struct lcore *l, struct rte_mbuf *const *m, uint16_t n)
{
	struct lcore_stats *s = l->stats;
	uint64_t octets = 0, captured = 0, first = s->first_ns, last = s->last_ns;

	if (s->received == 0)
		first = UINT64_MAX;
	for (uint16_t i = 0; i < n; i++) {
		const struct ns_packet *p = ns_packet(m[i]);

		octets += p->wirelen;
		captured += p->caplen;
		first = NS_MIN(first, p->ts_ns);
		last = NS_MAX(last, p->ts_ns);
		if (l->timeline != NULL)
			ns_timeline_add(l->timeline, p->ts_ns, p->wirelen);
	}
	ns_stat_add(&s->first_ns, first - s->first_ns);
	ns_stat_add(&s->last_ns, last - s->last_ns);
	ns_stat_add(&s->clock_ns, ns_packet(m[n - 1])->clock_ns - s->clock_ns);
	ns_stat_add(&s->octets, octets);
	ns_stat_add(&s->captured, captured);
	ns_stat_add(&s->received, n);
}

static void count_unknown(struct lcore_stats *s, struct rte_mbuf *const *m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		uint16_t type = ns_packet(m[i])->linktype;

		if (!ns_linktype_decodable(type))
			ns_stat_add(&s->linktypes_unknown[NS_MIN(type, NS_LINKTYPES - 1)], 1);
	}
}

/* One burst from a queue, decoded and with the ports of later fragments; out has OUT_MAX places. */
static uint16_t read_burst(struct lcore *l, unsigned queue, struct rte_mbuf **out, bool *any)
{
	struct rte_mbuf *m[NS_BURST], *held[NS_BURST];
	struct ns_engine *en = l->en;
	uint16_t n = en->sops->burst(en->source, queue, m, NS_BURST), held_n;

	*any = n > 0;
	if (n == 0)
		return 0;
	count_received(l, m, n);
	uint16_t good = ns_decode_burst(en->decoder, m, n, &l->stats->c);

	if (ns_unlikely(good < n)) {
		count_unknown(l->stats, m + good, n - good);
		release(l, m + good, n - good);
	}
	if (ns_likely(!ns_defrag_wanted(l->defrag, m, good))) {
		for (uint16_t i = 0; i < good; i++)
			out[i] = m[i];
		return good;
	}
	good = ns_defrag_burst(l->defrag, m, good, out, held, &held_n, &l->stats->c);
	if (held_n > 0)
		release(l, held, held_n);
	return good;
}

static void count_l2(struct lcore_stats *s, const struct ns_packet *p)
{
	unsigned i = 0;

	while (i < s->l2_n && s->l2_type[i] != p->ethertype)
		i++;
	if (i == s->l2_n) {
		if (i == NS_L2_PROTOS) {
			i--;
		} else {
			s->l2_type[i] = p->ethertype;
			__atomic_store_n(&s->l2_n, (uint16_t)(i + 1), __ATOMIC_RELEASE);
		}
	}
	ns_stat_add(&s->l2[i].packets, 1);
	ns_stat_add(&s->l2[i].octets, p->wirelen);
}

/* The analysis of decoded packets; takes them. */
static void analyse(struct lcore *l, struct rte_mbuf **m, uint16_t n)
{
	struct lcore_stats *s = l->stats;

	for (uint16_t at = 0, k; at < n; at = (uint16_t)(at + k)) {
		k = (uint16_t)NS_MIN(n - at, DEQUEUE);
		if (l->en->log.length_ns != 0)
			k = engine_epoch_run(l, m + at, k);
		for (uint16_t i = 0; i < k; i++) {
			const struct ns_packet *p = ns_packet(m[at + i]);

			if (ns_likely((p->flags & NS_PKT_IP) != 0)) {
				ns_stat_add(&s->ip[p->tuple.proto].packets, 1);
				ns_stat_add(&s->ip[p->tuple.proto].octets, p->wirelen);
			} else {
				count_l2(s, p);
			}
		}
		uint16_t dropped = ns_flow_burst(l->flows, m + at, k, &s->c);

		ns_tasks_packets(l->tasks, ns_snap_state(l->snap), m + at, k);
		ns_snap_used(l->snap);
		ns_stat_add(&s->analysed, k - dropped);
		if (l->role == ROLE_ANALYSIS)
			ns_stat_add(&s->clock_ns,
				NS_MAX(s->clock_ns, ns_packet(m[at + k - 1])->clock_ns) -
					s->clock_ns);
		release(l, m + at, k);
	}
}

/*
 * Time is the packets' clock. A live lcore that gets none lets it run on by the monotonic clock, so
 * that quiet flows end; the system's clock would be wrong for a port that gives times of its own.
 */
static void age(struct lcore *l)
{
	uint64_t clock = l->stats->clock_ns;

	if (l->en->live && clock != 0) {
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

/* Reads all queues of an lcore in turn until the input ends or a stop is asked for. */
static void read_all(struct lcore *l, take_fn *take)
{
	struct ns_engine *en = l->en;
	unsigned readers = en->rtc ? en->workers : en->rx;
	struct rte_mbuf *out[OUT_MAX];
	unsigned empty = 0, slice = 0;

	for (;;) {
		bool any = false;

		for (unsigned q = l->index; q < en->queues; q += readers) {
			bool got;
			uint16_t n = read_burst(l, q, out, &got);

			any = any || got;
			if (n > 0)
				engine_epoch_stamp(l, out, n, take);
		}
		if (l->flows != NULL && (++slice & 3) == 0)
			age(l);
		if (l->role == ROLE_BOTH && en->live)
			engine_epoch_look(l);
		/* a file is left where it is; a port, once stopped, says when it has given all */
		if (!en->live && flag(&en->stop))
			break;
		if (any) {
			empty = 0;
			continue;
		}
		if (en->sops->status(en->source) != NS_SOURCE_MORE)
			break;
		if (en->live) {
			/* a quiet port brings no fragment that would let the old ones go */
			uint16_t n =
				ns_defrag_expire(l->defrag, ns_clock_real(), out, &l->stats->c);

			if (n > 0)
				take(l, out, n);
			if (l->flows != NULL)
				flush_old(l);
		}
		back_off(en, &empty);
	}
	for (uint16_t n; (n = ns_defrag_expire(l->defrag, UINT64_MAX, out, &l->stats->c)) > 0;)
		engine_epoch_stamp(l, out, n, take);
}

static void dispatch(struct lcore *l, struct rte_mbuf **m, uint16_t n)
{
	uint16_t back = n == 0 ? 0 : ns_dispatch_burst(l->dispatch, m, n, &l->stats->c);

	if (back > 0)
		release(l, m, back);
}

/* The flag and then the wake-up are the last that an lcore touches: control may free all else. */
static void tell(struct lcore *l, bool *f)
{
	sem_t *wake = &l->en->wake;

	raise_flag(f);
	sem_post(wake);
}

int engine_rx(void *arg)
{
	struct lcore *l = arg;

	read_all(l, dispatch);
	tell(l, &l->done);
	return 0;
}

/*
 * The digest's context belongs to a thread and is made at its first use; that shall be now, and not
 * when the first flow ends (law 3).
 */
static void warm_up(void)
{
	static const uint8_t none[16];
	char id[31];

	ns_community_id(id, 4, none, none, 0, 0, 0, false);
}

int engine_analysis(void *arg)
{
	struct lcore *l = arg;
	struct ns_engine *en = l->en;
	struct rte_mbuf *m[DEQUEUE];
	unsigned empty = 0, slice = 0;

	warm_up();
	for (;;) {
		bool drain = flag(&en->drain);
		uint64_t begun = engine_epochs_begun(en);
		bool any = false;

		for (unsigned r = 0; r < en->rx; r++) {
			uint16_t n = (uint16_t)rte_ring_sc_dequeue_burst(
				l->in[r], (void **)m, DEQUEUE, NULL);

			if (n == 0)
				continue;
			any = true;
			analyse(l, m, n);
			__atomic_store_n(&l->processed[r], l->processed[r] + n, __ATOMIC_RELEASE);
		}
		if ((++slice & 3) == 0)
			age(l);
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

	warm_up();
	read_all(l, analyse);
	tell(l, &l->done);
	while (!flag(&l->en->drain))
		back_off(l->en, &empty);
	finish_flows(l);
	tell(l, &l->producer->done);
	return 0;
}

static void hold_mark(void *ctx, unsigned slot)
{
	struct lcore *l = ctx;

	for (unsigned w = 0; w < l->en->workers; w++)
		l->en->marks[l->index][slot][w] = ns_dispatch_sent(l->dispatch, w);
}

static bool hold_passed(void *ctx, unsigned slot)
{
	struct lcore *l = ctx;
	const struct ns_engine *en = l->en;
	const struct lcore *workers = en->lcores + en->rx;

	for (unsigned w = 0; w < en->workers; w++) {
		if (__atomic_load_n(&workers[w].processed[l->index], __ATOMIC_ACQUIRE) <
			en->marks[l->index][slot][w])
			return false;
	}
	return true;
}

void engine_hold(struct lcore *rx, struct ns_source_hold *hold)
{
	*hold = (struct ns_source_hold){.mark = hold_mark, .passed = hold_passed, .ctx = rx};
}
