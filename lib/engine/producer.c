/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records into batches, and batches to sinks: on analysis lcores, and on control for its rows. What
 * sinks do with them is in sink.c; sink.h shows how batches go round.
 */
#include "engine_priv.h"

#include <rte_ring.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Batches that came into being together. */
struct chunk {
	struct chunk *next;
	uint8_t *memory;
	struct ns_batch batches[];
};

/* Those of live lcores lie in memory before a packet has to wait for that. */
static struct chunk *chunk_create(
	const struct ns_engine *en, const struct producer *p, unsigned w, unsigned n)
{
	struct chunk *c = calloc(1, sizeof(*c) + n * sizeof(c->batches[0]));
	size_t size = n * BATCH_RECORDS * p->record_max;

	if (c == NULL)
		return NULL;
	c->memory = malloc(size);
	if (c->memory == NULL) {
		free(c);
		return NULL;
	}
	if (en->live && w < en->workers)
		memset(c->memory, 0, size);
	for (unsigned i = 0; i < n; i++)
		c->batches[i] = (struct ns_batch){.kind = &ns_flow_rec_kind,
			.max = BATCH_RECORDS,
			.owner = (uint16_t)w,
			.records = c->memory + i * BATCH_RECORDS * p->record_max};
	return c;
}

static void add_chunk(struct producer *p, struct chunk *c, unsigned n)
{
	c->next = p->chunks;
	p->chunks = c;
	for (unsigned i = 0; i < n; i++)
		rte_ring_mp_enqueue(p->free, &c->batches[i]);
}

/* Live: for each sink what may wait for it and what it is at, and those that are filled. */
#define LIVE_SHARE (BATCHES + 1u)
#define LIVE_FILLED 2u

int engine_producer_create(struct ns_engine *en, unsigned w, size_t size)
{
	struct producer *p = &en->producers[w];
	unsigned n = en->live ? LIVE_FILLED : BATCHES;
	unsigned most = en->live ? SINKS_MAX * LIVE_SHARE + LIVE_FILLED : BATCHES;
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "ns_batch_%u", w);
	p->record_max = size;
	p->free = rte_ring_create(name, rte_align32pow2(most + 1), SOCKET_ID_ANY, RING_F_SC_DEQ);
	struct chunk *c = chunk_create(en, p, w, n);

	if (c == NULL)
		return ns_errno_set(ENOMEM);
	if (p->free == NULL) {
		free(c->memory);
		free(c);
		return ns_errno_set(ENOMEM);
	}
	add_chunk(p, c, n);
	return 0;
}

/* Not of EAL's memory, which is all given away when it starts. */
static struct rte_ring *ring_create(unsigned w, unsigned place)
{
	size_t size = (size_t)rte_ring_get_memsize(BATCHES * 2);
	struct rte_ring *r = aligned_alloc(NS_CACHE_LINE, size);
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "ns_to_%u_%u", w, place);
	if (r == NULL || rte_ring_init(r, name, BATCHES * 2, RING_F_SC_DEQ | RING_F_SP_ENQ) == 0)
		return r;
	free(r);
	return NULL;
}

int engine_producer_place(struct ns_engine *en, unsigned w, unsigned place)
{
	struct producer *p = &en->producers[w];

	if (p->to[place] != NULL)
		return 0;
	struct rte_ring *ring = ring_create(w, place);
	struct chunk *c = en->live ? chunk_create(en, p, w, LIVE_SHARE) : NULL;

	if (ring == NULL || (en->live && c == NULL)) {
		free(ring);
		if (c != NULL)
			free(c->memory);
		free(c);
		return ns_errno_set(ENOMEM);
	}
	p->to[place] = ring;
	if (c != NULL)
		add_chunk(p, c, LIVE_SHARE);
	return 0;
}

void engine_producer_destroy(struct producer *p)
{
	struct chunk *c;

	for (unsigned s = 0; s < SINKS_MAX; s++)
		free(p->to[s]);
	rte_ring_free(p->free);
	while ((c = p->chunks) != NULL) {
		p->chunks = c->next;
		free(c->memory);
		free(c);
	}
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
	if (ring_fill(p->to[s]) < BATCHES) {
		p->stuck &= ~(1u << s);
		return true;
	}
	if ((p->stuck >> s & 1) != 0 || (!control && !end))
		return false;
	until = ns_clock_mono() + (end ? PATIENCE_END_NS : PATIENCE_ROWS_NS);
	do {
		nanosleep(&wait, NULL);
		if (ring_fill(p->to[s]) < BATCHES)
			return true;
	} while (ns_clock_mono() < until);
	p->stuck |= 1u << s;
	return false;
}

bool engine_producer_give(struct ns_engine *en, struct producer *p, uint32_t sinks)
{
	struct ns_batch *b = p->filling;
	uint32_t to = 0;

	for (; sinks != 0; sinks &= sinks - 1) {
		unsigned s = (unsigned)__builtin_ctz(sinks);
		bool has = has_room(en, p, s);

		ns_stat_add(ns_likely(has) ? &p->given[s] : &p->lost[s], b->n);
		to |= (uint32_t)has << s;
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

	if (engine_producer_give(l->en, p, l->plan->flow_sinks))
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

/* There is always an empty batch (sink.h); if not, nobody gets the record. */
static void lose(struct lcore *l)
{
	for (uint32_t left = l->plan->flow_sinks; left != 0; left &= left - 1)
		ns_stat_add(&l->producer->lost[__builtin_ctz(left)], 1);
}

/* Where the next record goes; NULL when nobody wants it or, counted, no writer can take it. */
static struct ns_flow_rec *room(struct lcore *l)
{
	struct producer *p = l->producer;

	if (l->plan->flow_sinks == 0)
		return NULL;
	if (p->filling == NULL) {
		p->filling = empty_batch(l);
		if (p->filling == NULL) {
			lose(l);
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
