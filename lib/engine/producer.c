/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records into batches, and batches to sinks: on analysis lcores, and on control for its rows. What
 * sinks do with them is in sink.c; engine_priv.h shows how batches go round.
 */
#include "engine_priv.h"

#include <rte_errno.h>
#include <rte_ring.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int engine_producer_create(struct ns_engine *en, unsigned w, size_t size)
{
	struct producer *p = &en->producers[w];
	char name[RTE_RING_NAMESIZE];

	/* live: for each sink what may wait for it and what it is at, and those that are filled */
	unsigned n = en->live ? en->sinks_n * (BATCHES + 1) + 2 : BATCHES;

	if (en->sinks_n == 0)
		return 0;
	snprintf(name, sizeof(name), "ns_batch_%u", w);
	p->free = rte_ring_create(name, rte_align32pow2(n + 1), SOCKET_ID_ANY, RING_F_SC_DEQ);
	p->batches = calloc(n, sizeof(*p->batches));
	p->memory = malloc(n * BATCH_RECORDS * size);
	if (p->free == NULL || p->batches == NULL || p->memory == NULL)
		return ns_errno_set(ENOMEM);
	for (unsigned i = 0; i < n; i++) {
		p->batches[i] = (struct ns_batch){.kind = &ns_flow_rec_kind,
			.max = BATCH_RECORDS,
			.owner = (uint16_t)w,
			.records = p->memory + i * BATCH_RECORDS * size};
		rte_ring_enqueue(p->free, &p->batches[i]);
	}
	for (unsigned s = 0; s < en->sinks_n; s++) {
		snprintf(name, sizeof(name), "ns_to_%u_%u", w, s);
		p->to[s] = rte_ring_create(
			name, BATCHES * 2, SOCKET_ID_ANY, RING_F_SC_DEQ | RING_F_SP_ENQ);
		if (p->to[s] == NULL)
			return ns_errno_set(ENOMEM);
	}
	return 0;
}

void engine_producer_destroy(struct producer *p)
{
	for (unsigned s = 0; s < SINKS_MAX; s++)
		rte_ring_free(p->to[s]);
	rte_ring_free(p->free);
	free(p->batches);
	free(p->memory);
	memset(p, 0, sizeof(*p));
}

#define PATIENCE_ROWS_NS (NS_SEC_NS / 10)
#define PATIENCE_END_NS (5 * NS_SEC_NS)

/*
 * Whether a sink can take one more. Of a file there are no more batches than fit. Live, lcores
 * never wait; control does for a moment, as rows come many at a time, and all do at the end, when
 * nothing else is waiting. Who was waited for in vain is not waited for again before it moves.
 */
static bool has_room(struct ns_engine *en, struct producer *p, unsigned s)
{
	static const struct timespec wait = {.tv_nsec = 200000};
	bool control = p == &en->producers[en->workers];
	bool end = __atomic_load_n(&en->drain, __ATOMIC_ACQUIRE);
	uint64_t until;

	if (!en->live)
		return true;
	if (rte_ring_count(p->to[s]) < BATCHES) {
		p->stuck &= ~(1u << s);
		return true;
	}
	if ((p->stuck >> s & 1) != 0 || (!control && !end))
		return false;
	until = ns_clock_mono() + (end ? PATIENCE_END_NS : PATIENCE_ROWS_NS);
	do {
		nanosleep(&wait, NULL);
		if (rte_ring_count(p->to[s]) < BATCHES)
			return true;
	} while (ns_clock_mono() < until);
	p->stuck |= 1u << s;
	return false;
}

bool engine_producer_give(struct ns_engine *en, struct producer *p, uint32_t sinks)
{
	struct ns_batch *b = p->filling;
	uint32_t to = 0;

	for (unsigned s = 0; s < en->sinks_n; s++) {
		if ((sinks >> s & 1) == 0)
			continue;
		if (ns_likely(has_room(en, p, s)))
			to |= 1u << s;
		else
			ns_stat_add(&p->lost[s], b->n);
	}
	if (to == 0) {
		b->n = 0;
		return false;
	}
	p->filling = NULL;
	__atomic_store_n(&b->refs, (uint32_t)__builtin_popcount(to), __ATOMIC_RELAXED);
	for (; to != 0; to &= to - 1)
		rte_ring_sp_enqueue(p->to[__builtin_ctz(to)], b);
	return true;
}

void engine_producer_flush(struct lcore *l)
{
	struct producer *p = l->producer;
	struct ns_batch *b = p->filling;

	if (b == NULL || b->n == 0)
		return;
	if (!l->plan->of_flows)
		ns_flow_record_ids((struct ns_flow_rec *)(void *)b->records, b->n);
	uint32_t n = b->n;

	if (engine_producer_give(l->en, p, l->en->flow_sinks))
		ns_stat_add(&p->records, n);
}

/* An empty batch; in file mode the writers are waited for, live the record is lost and counted. */
static struct ns_batch *empty_batch(struct lcore *l)
{
	static const struct timespec wait = {.tv_nsec = 50000};
	void *b = NULL;

	for (unsigned i = 0; rte_ring_sc_dequeue(l->producer->free, &b) != 0; i++) {
		if (l->en->live && !__atomic_load_n(&l->en->drain, __ATOMIC_ACQUIRE))
			return NULL;
		/* a database is much slower than this: the CPU is for whom it may be waiting for */
		if (i < 64)
			sched_yield();
		else
			nanosleep(&wait, NULL);
	}
	return b;
}

/* Where the next record goes; NULL when nobody wants it or, counted, no writer can take it. */
static struct ns_flow_rec *room(struct lcore *l)
{
	struct producer *p = l->producer;

	if (l->en->flow_sinks == 0)
		return NULL;
	if (p->filling == NULL) {
		p->filling = empty_batch(l);
		if (p->filling == NULL) {
			ns_stat_add(&p->lost[0], 1);
			return NULL;
		}
		p->filling->n = 0;
		if (l->en->live)
			p->clock_filled = ns_clock_mono();
	}
	struct ns_batch *b = p->filling;

	return (struct ns_flow_rec *)(void *)(b->records + b->n * b->kind->size);
}

void engine_flow_ended(void *ctx, const struct ns_flow_ended *flow)
{
	struct lcore *l = ctx;
	struct ns_flow_rec *r = room(l), own;

	if (l->plan->of_flows) {
		struct ns_flow_rec *whole = r != NULL ? r : &own;

		/* a task may ask for any field */
		ns_flow_record(flow, whole);
		ns_tasks_record(l->tasks, ns_snap_state(l->snap), whole);
		ns_snap_used(l->snap);
	} else if (r != NULL) {
		ns_flow_record_draft(flow, r);
	}
	if (r != NULL && ++l->producer->filling->n == BATCH_RECORDS)
		engine_producer_flush(l);
}
