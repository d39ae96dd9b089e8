/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Epochs as lcores see them.
 *
 * Live, control opens them and an lcore changes at its next burst boundary. In file mode the
 * packets' clock does: the lcore that reads numbers the epochs that have packets, notes when each
 * began, and stamps each packet with its number. Every analysis lcore passes through all of them in
 * order, also those in which it had no packet, and ends the flows that are due before it leaves
 * one: so what is in an epoch does not depend on the number of lcores.
 *
 * A number is published before the first packet that bears it is sent on. So an lcore that has seen
 * it and then finds its rings empty has had all packets of the epochs before.
 */
#include "engine_priv.h"

#include <rte_mbuf.h>

#include <sched.h>

uint64_t engine_epoch_start(const struct ns_engine *en, uint64_t number)
{
	return en->log.start[number % EPOCH_LOG];
}

uint64_t engine_epochs_begun(const struct ns_engine *en)
{
	return __atomic_load_n(&en->log.begun, __ATOMIC_ACQUIRE);
}

void engine_epoch_begin(struct ns_engine *en, uint64_t clock_ns)
{
	struct epoch_log *log = &en->log;
	uint64_t start = clock_ns - clock_ns % log->length_ns;
	uint64_t number = log->begun;

	/* whoever is behind still needs to know when the older ones began; control is two behind */
	while (number > EPOCH_LOG / 2 && ns_snap_behind(en->snap) < number - EPOCH_LOG / 2)
		sched_yield();
	log->start[number % EPOCH_LOG] = start;
	log->next_ns = start > UINT64_MAX - log->length_ns ? UINT64_MAX : start + log->length_ns;
	__atomic_store_n(&log->begun, number + 1, __ATOMIC_RELEASE);
}

/*
 * Stamps packets of a file with the number of their epoch. Those before a new one go on before it
 * begins (the head of this file says why). A packet that defrag held belongs to the epoch it is
 * released in.
 */
void engine_epoch_stamp(struct lcore *l, struct rte_mbuf **m, uint16_t n, take_fn *take)
{
	struct ns_engine *en = l->en;
	uint16_t at = 0;

	if (en->log.length_ns == 0) {
		take(l, m, n);
		return;
	}
	for (uint16_t i = 0; i < n; i++) {
		struct ns_packet *p = ns_packet(m[i]);

		if (engine_epoch_due(en, p->clock_ns)) {
			take(l, m + at, i - at);
			at = i;
			if (l->dispatch != NULL)
				ns_dispatch_flush(l->dispatch);
			engine_epoch_begin(en, p->clock_ns);
		}
		p->epoch = (uint32_t)(en->log.begun - 1);
	}
	take(l, m + at, n - at);
}

/* File mode: control must hear of a hand-over at once, as the lcore may be waiting for it. */
static void tell_control(struct ns_engine *en)
{
	engine_wake(en);
}

/*
 * Live: the plan that holds from the next epoch on. A batch has records that were made for one plan
 * and its sinks; it is given away before the hand-over, behind which control may close them.
 */
static struct plan *next_plan(struct lcore *l)
{
	struct plan *p = __atomic_load_n(&l->en->wanted, __ATOMIC_ACQUIRE);

	if (ns_unlikely(p != l->plan))
		engine_producer_flush(l);
	return p;
}

/* Live, in the new epoch: the state that the lcore goes on in is that of its plan. */
static void follow_plan(struct lcore *l, struct plan *p)
{
	unsigned active = l->snap->active;

	if (ns_unlikely(p != l->plan)) {
		l->plan = p;
		l->tasks = p->lcores[l->index].tasks;
		ns_flow_times(l->flows, &p->flow);
	}
	l->snap->slot[active].state = p->lcores[l->index].state[active];
}

static bool change(struct lcore *l, uint64_t next)
{
	bool live = l->en->live;
	struct plan *p = live ? next_plan(l) : l->plan;

	ns_tasks_flush(l->tasks, ns_snap_state(l->snap));
	l->analysed_then = l->stats->analysed;
	if (!ns_snap_swap(l->snap, next))
		return false;
	if (live)
		follow_plan(l, p);
	ns_flow_epoch(l->flows, next);
	return true;
}

void engine_epoch_advance(struct lcore *l, uint64_t to)
{
	struct ns_engine *en = l->en;

	while (l->snap->epoch < to) {
		uint64_t next = l->snap->epoch + 1;

		ns_flow_age_all(l->flows, engine_epoch_start(en, next));
		while (!change(l, next))
			sched_yield();
		tell_control(en);
	}
}

uint16_t engine_epoch_run(struct lcore *l, struct rte_mbuf *const *m, uint16_t n)
{
	uint32_t epoch = ns_packet(m[0])->epoch;
	uint16_t k = 1;

	/* numbers only grow */
	if (ns_likely(ns_packet(m[n - 1])->epoch == epoch))
		k = n;
	while (k < n && ns_packet(m[k])->epoch == epoch)
		k++;
	engine_epoch_advance(l, epoch);
	return k;
}

void engine_epoch_look(struct lcore *l)
{
	uint64_t opened = ns_snap_opened(l->en->snap);

	if (ns_unlikely(opened != l->snap->epoch))
		change(l, opened);
}

void engine_epoch_last(struct lcore *l)
{
	struct ns_engine *en = l->en;
	uint64_t begun = engine_epochs_begun(en);

	if (en->live)
		engine_epoch_look(l);
	else if (begun > 0)
		engine_epoch_advance(l, begun - 1);
}

void engine_epoch_end(struct lcore *l)
{
	ns_tasks_flush(l->tasks, ns_snap_state(l->snap));
	l->analysed_then = l->stats->analysed;
	ns_snap_end(l->snap);
}
