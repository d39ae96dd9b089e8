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
	if (g->p->filling != NULL && g->p->filling->n > 0)
		engine_producer_give(g->en, g->p, g->sinks);
}

/* Of a file control waits for writers; live there is always one (sink.h). */
static void begin(struct giving *g, const struct ns_rec_kind *kind)
{
	void *b;

	if (g->p->filling == NULL) {
		while (rte_ring_sc_dequeue(g->p->free, &b) != 0)
			sched_yield();
		g->p->filling = b;
	}
	g->p->filling->kind = kind;
	g->p->filling->n = 0;
}

static int row(void *ctx, const struct ns_rec_kind *kind, const void *row)
{
	struct giving *g = ctx;
	struct ns_batch *b = g->p->filling;

	if (b != NULL && b->n > 0 && (b->kind != kind || b->n == b->max))
		flush(g);
	if (g->p->filling == NULL || g->p->filling->n == 0)
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
	int rc = ns_tasks_result(en->plan->tasks, state, span, row, &g);

	flush(&g);
	return rc;
}

void engine_rows_put_blob(struct ns_engine *en, uint32_t sinks, const struct ns_blob_rec *rec,
	uint8_t *blob, size_t len)
{
	struct giving g = {en, &en->producers[en->workers], sinks};

	begin(&g, &ns_blob_rec_kind);
	struct ns_batch *b = g.p->filling;

	memcpy(b->records, rec, sizeof(*rec));
	b->n = 1;
	b->blob = blob;
	b->blob_len = len;
	if (!engine_producer_give(en, g.p, sinks))
		engine_blob_free(en, b);
}

void engine_rows_put(struct ns_engine *en, uint32_t sinks, const struct ns_rec_kind *kind,
	const void *records, unsigned n)
{
	struct giving g = {en, &en->producers[en->workers], sinks};

	for (unsigned i = 0; i < n; i++)
		row(&g, kind, (const uint8_t *)records + i * kind->size);
	flush(&g);
}
