/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The merged state of the last epoch, for people who ask ("show sketch"). It costs nothing: what
 * was given to writers is emptied when the next epoch begins to be merged, not when it was given.
 *
 *   merge ... merge  close ──────── state can be looked at ────────▶ empty, merge ... merge  close
 */
#include "engine_priv.h"

void engine_look_empty(struct ns_engine *en)
{
	en->look.valid = false;
	if (en->look.state != NULL)
		ns_tasks_reset(en->plan->tasks, en->look.state);
	en->look.state = NULL;
}

void engine_look_leave(struct ns_engine *en, void *state)
{
	if (en->live && state == en->plan->merged)
		en->look.state = state;
	else
		ns_tasks_reset(en->plan->tasks, state);
}

/*
 * Of an epoch in which nothing came the state is empty, if it is not that of a longer interval; so
 * what is left of the epoch before goes.
 */
void engine_look_epoch(struct ns_engine *en, uint64_t start_ns, uint64_t end_ns, bool used)
{
	const struct plan *p = en->plan;

	if (!used)
		engine_look_empty(en);
	en->look.span = (struct ns_task_span){start_ns, end_ns, en->collecting};
	en->look.valid = p->merged != NULL &&
			 (used ? en->look.state != NULL
			       : p->merged != p->collectors[0].state || !p->collectors[0].used);
}
