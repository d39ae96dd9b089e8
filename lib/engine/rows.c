/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of tasks from control to sinks: a producer like those of the analysis lcores, the last of
 * them, whose batches hold rows of one task for some of the sinks.
 */
#include "engine_priv.h"

#include <sched.h>
#include <string.h>

struct giving {
	struct ns_engine *en;
	struct producer *p;
	uint32_t sinks; /* by index */
};

static void flush(struct giving *g)
{
	struct ns_batch *b = g->p->filling;

	if (b == NULL)
		return;
	g->p->filling = NULL;
	__atomic_store_n(&b->refs, (uint32_t)__builtin_popcount(g->sinks), __ATOMIC_RELAXED);
	/* each ring holds more than there are batches: it can't be full */
	for (unsigned s = 0; s < g->en->sinks_n; s++) {
		if ((g->sinks >> s & 1) != 0)
			rte_ring_sp_enqueue(g->p->to[s], b);
	}
}

/* Control may wait for a writer: packets go on meanwhile, and the next epoch is longer. */
static void begin(struct giving *g, const struct ns_rec_kind *kind)
{
	void *b;

	while (rte_ring_sc_dequeue(g->p->free, &b) != 0)
		sched_yield();
	g->p->filling = b;
	g->p->filling->kind = kind;
	g->p->filling->n = 0;
}

static int row(void *ctx, const struct ns_rec_kind *kind, const void *row)
{
	struct giving *g = ctx;
	struct ns_batch *b = g->p->filling;

	if (b != NULL && (b->kind != kind || b->n == b->max))
		flush(g);
	if (g->p->filling == NULL)
		begin(g, kind);
	b = g->p->filling;
	memcpy(b->records + b->n * kind->size, row, kind->size);
	b->n++;
	return 0;
}

int engine_rows(
	struct ns_engine *en, uint32_t sinks, const void *state, const struct ns_task_span *span)
{
	struct giving g = {en, &en->producers[en->workers], sinks};
	int rc = ns_tasks_result(en->tasks, state, span, row, &g);

	flush(&g);
	return rc;
}
