/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control's part of epochs: takes what lcores hand over, adds it up for each interval that a writer
 * asked for, and gives the rows of each interval that is complete to its writers.
 *
 *   lcores' states ─ merge ─▶ one epoch ─ merge ─▶ collector of 10 s ─ rows ─▶ writers of 10 s
 *                                       └────────▶ collector of the whole ───▶ report
 *
 * With one collector the states go straight into it. A file of which only the whole is asked for
 * has no epochs: when all lcores have ended, the first one's state takes in the others.
 */
#include "engine_priv.h"

#include <ns_log.h>

#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("engine");

int engine_tasks_up(struct ns_engine *en, struct ns_err *e)
{
	en->snap = ns_snap_create(en->workers);
	if (en->snap == NULL)
		return ns_fail(e, ENOMEM, "no memory for tasks");
	struct roster roster;

	if (engine_roster_first(en, &roster, e) < 0)
		return -errno;
	en->plan = engine_plan_create(en, en->args.conf, &roster, false, e);
	if (en->plan == NULL)
		return -errno;
	en->wanted = en->plan;
	for (unsigned w = 0; w < en->workers; w++) {
		for (unsigned i = 0; i < 2; i++)
			ns_snap_lcore(en->snap, w)->slot[i].state = en->plan->lcores[w].state[i];
	}
	return 0;
}

void engine_tasks_down(struct ns_engine *en)
{
	if (en->wanted != en->plan)
		engine_plan_destroy(en, en->wanted);
	else
		engine_plan_destroy(en, en->planned);
	engine_plan_destroy(en, en->plan);
	en->plan = en->planned = en->wanted = NULL;
	ns_snap_destroy(en->snap);
	en->snap = NULL;
}

/* The first failure of the kind is said; the run ends with it. */
static void failed(struct ns_engine *en, const char *what, int rc)
{
	if (en->task_error != 0)
		return;
	en->task_error = rc;
	NS_LOG(ERR, "tasks: %s: %s", what, strerror(-rc));
}

static int merge(void *ctx, const void *state)
{
	struct ns_engine *en = ctx;

	engine_look_empty(en);
	en->plan->merged_used = true;
	/* nobody may want any rows */
	return en->plan->merged != NULL ? ns_tasks_merge(en->plan->tasks, en->plan->merged, state)
					: 0;
}

static void reset(void *ctx, void *state)
{
	struct ns_engine *en = ctx;

	ns_tasks_reset(en->plan->tasks, state);
}

static void give(
	struct ns_engine *en, uint32_t sinks, const void *state, const struct ns_task_span *span)
{
	int rc = engine_rows(en, sinks, state, span);

	engine_blobs(en, sinks, state, span);
	if (rc < 0)
		failed(en, "rows", rc);
}

/* Rows of what there is of the interval, up to @until, to some of those that want them. */
static void give_window(
	struct ns_engine *en, const struct collector *c, uint32_t sinks, uint64_t until)
{
	struct ns_task_span span = {.epoch = en->collecting};

	if (!c->used || sinks == 0)
		return;
	if (c->interval_ns == UINT64_MAX) {
		struct ns_engine_stats *s = malloc(sizeof(*s));

		if (s == NULL) {
			failed(en, "rows", -ENOMEM);
			return;
		}
		ns_engine_stats(en, s);
		span.start_ns = s->first_ns;
		span.end_ns = s->last_ns + 1;
		free(s);
	} else {
		span.start_ns = NS_MAX(c->window * c->interval_ns, c->from_ns);
		span.end_ns = NS_MIN((c->window + 1) * c->interval_ns, until);
	}
	give(en, sinks, c->state != NULL ? c->state : ns_snap_lcore(en->snap, 0)->slot[0].state,
		&span);
}

/* A window of the interval is complete, or must be by @until. */
static void close_window(struct ns_engine *en, struct collector *c, uint64_t until)
{
	give_window(en, c, c->sinks, until);
	if (c->used && c->state != NULL)
		engine_look_leave(en, c->state);
	c->used = false;
}

/* Of the sinks that go by this collector, those that go on with it in the plan to come. */
static uint32_t staying(const struct ns_engine *en, const struct collector *c)
{
	const struct plan *next = en->wanted;

	for (unsigned i = 0; next->borrows && i < next->collectors_n; i++) {
		if (next->collectors[i].from == c)
			return c->sinks & next->collectors[i].sinks;
	}
	return 0;
}

/* The last epoch of its plan: windows end too, for those whose sinks do not go on with them. */
static void leave_window(struct ns_engine *en, struct collector *c, uint64_t next)
{
	uint32_t stay = staying(en, c);

	if (stay == 0)
		close_window(en, c, next);
	else
		give_window(en, c, c->sinks & ~stay, next);
}

/* The epoch that began at @p start is complete; the next begins at @p next, if there is one. */
static void close_epoch(struct ns_engine *en, uint64_t start, uint64_t next, bool last)
{
	struct plan *p = en->plan;
	bool leaves = en->wanted != p;

	for (unsigned i = 0; i < p->collectors_n; i++) {
		struct collector *c = &p->collectors[i];
		uint64_t window = c->interval_ns == UINT64_MAX ? 0 : start / c->interval_ns;
		int rc = 0;

		if (p->merged_used) {
			if (c->state != p->merged)
				rc = ns_tasks_merge(p->tasks, c->state, p->merged);
			if (rc < 0)
				failed(en, "merge", rc);
			c->used = true;
			c->window = window;
		}
		if (last || (c->interval_ns != UINT64_MAX && next / c->interval_ns != window))
			close_window(en, c, leaves ? next : UINT64_MAX);
		else if (leaves)
			leave_window(en, c, next);
	}
	if (p->merged_used && p->merged_own)
		engine_look_leave(en, p->merged);
	engine_look_epoch(en, start, last ? ns_clock_real() : next, p->merged_used);
	p->merged_used = false;
	if (en->live)
		engine_state_epoch(en, start, last ? ns_clock_real() : next, last);
}

/* The next epoch is of another plan: no lcore feeds this one any more, nor gives to its sinks. */
static void change_plan(struct ns_engine *en)
{
	struct plan *p = en->wanted;
	uint32_t before = en->plan->sinks;

	if (p == en->plan)
		return;
	engine_look_empty(en);
	engine_plan_enter(en, p, en->epoch_next);
	en->planned = NULL;
	engine_sinks_leave(en, before & ~p->sinks);
}

/* Takes what there is of the epoch that control waits for; true when it was complete. */
static bool take(struct ns_engine *en)
{
	struct ns_snap_ops ops = {merge, reset, en};
	int rc = ns_snap_take(en->snap, en->collecting, &ops);

	if (rc > 0)
		return false;
	if (rc < 0)
		failed(en, "merge", rc);
	return true;
}

/* File mode; an epoch is left when the next has begun, so that its start is known. */
static void collect_file(struct ns_engine *en, bool ended)
{
	uint64_t begun;

	if (en->log.length_ns == 0)
		return;
	for (;;) {
		begun = engine_epochs_begun(en);
		bool last = ended && en->collecting + 1 == begun;

		if ((en->collecting + 1 >= begun && !last) || !take(en))
			return;

		close_epoch(en, engine_epoch_start(en, en->collecting),
			last ? 0 : engine_epoch_start(en, en->collecting + 1), last);
		en->collecting++;
	}
}

void engine_collect(struct ns_engine *en)
{
	if (!en->live) {
		collect_file(en, false);
	} else if (en->epoch_pending && take(en)) {
		close_epoch(en, en->epoch_start, en->epoch_next, false);
		change_plan(en);
		en->epoch_start = en->epoch_next;
		en->epoch_pending = false;
		en->collecting++;
	}
}

/* Live: not once it stops, so that lcores that end agree on the last epoch. */
void engine_epoch_open(struct ns_engine *en)
{
	if (!en->live || __atomic_load_n(&en->drain, __ATOMIC_RELAXED))
		return;
	/* all lcores are in this epoch: all change at the next */
	if (en->planned != NULL && !en->epoch_pending)
		__atomic_store_n(&en->wanted, en->planned, __ATOMIC_RELEASE);
	/* counts that it is late, when the last one is not taken yet */
	if (!ns_snap_open(en->snap, en->collecting + 1))
		return;
	en->epoch_next = ns_clock_real();
	en->epoch_pending = true;
}

void engine_collect_last(struct ns_engine *en)
{
	if (en->live) {
		engine_collect(en);
		if (take(en))
			close_epoch(en, en->epoch_start, 0, true);
	} else if (en->log.length_ns != 0) {
		collect_file(en, true);
	} else if (en->plan->collectors_n > 0) {
		void *first = ns_snap_lcore(en->snap, 0)->slot[0].state;

		for (unsigned w = 1; w < en->workers; w++) {
			int rc = ns_tasks_merge(
				en->plan->tasks, first, ns_snap_lcore(en->snap, w)->slot[0].state);

			if (rc < 0)
				failed(en, "merge", rc);
		}
		en->plan->collectors[0].used = true;
		close_window(en, &en->plan->collectors[0], UINT64_MAX);
	}
}

const struct ns_rec_kind *const *ns_engine_task_kinds(const struct ns_engine *en, unsigned *n)
{
	*n = ns_tasks_n(en->plan->tasks);
	return en->plan->kinds;
}
