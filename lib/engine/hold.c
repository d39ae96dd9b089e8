/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a source may use a block again: every packet that was sent to an analysis lcore before the
 * block was left has been counted as processed there. On the reading lcore.
 */
#include "engine_priv.h"

static void hold_mark(void *ctx, unsigned slot)
{
	struct lcore *l = ctx;

	/* so that the mark is passed whether or not more packets come */
	if (l->dispatch != NULL)
		ns_dispatch_flush(l->dispatch);
	for (unsigned w = 0; w < l->en->workers; w++)
		l->en->marks[l->index].v[slot][w] = ns_dispatch_sent(l->dispatch, w);
}

static bool hold_passed(void *ctx, unsigned slot)
{
	struct lcore *l = ctx;
	const struct ns_engine *en = l->en;
	const struct lcore *workers = en->lcores + en->rx;

	for (unsigned w = 0; w < en->workers; w++) {
		if (__atomic_load_n(&workers[w].processed[l->index], __ATOMIC_ACQUIRE) <
			en->marks[l->index].v[slot][w])
			return false;
	}
	return true;
}

void engine_hold(struct lcore *rx, struct ns_source_hold *hold)
{
	*hold = (struct ns_source_hold){.mark = hold_mark, .passed = hold_passed, .ctx = rx};
}
