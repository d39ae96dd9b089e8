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

#define LIVE_INTERVAL_NS (60 * NS_SEC_NS)
#define INTERVAL_LEAST_NS (NS_SEC_NS / 100)

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

static struct collector *collector_of(struct ns_engine *en, uint64_t interval_ns)
{
	for (unsigned i = 0; i < en->collectors_n; i++) {
		if (en->collectors[i].interval_ns == interval_ns)
			return &en->collectors[i];
	}
	struct collector *c = &en->collectors[en->collectors_n++];

	c->interval_ns = interval_ns;
	return c;
}

/* Sink @p index wants rows at the interval that its spec names, or at the usual one. */
static int add_sink(struct ns_engine *en, unsigned index, const char *spec, struct ns_err *e)
{
	uint64_t epoch_ns = en->conf->epoch_ms * UINT64_C(1000000);
	uint64_t interval = UINT64_MAX;

	if (index >= SINKS_MAX)
		return ns_fail(e, E2BIG, "more than %u writers", SINKS_MAX);
	if (spec != NULL && ns_writer_interval(spec, &interval, e) < 0)
		return -errno;
	const struct ns_writer_ops *ops = spec != NULL ? ns_writer_ops_of(spec) : NULL;
	uint32_t wants = ops != NULL ? ops->wants : 0;

	if (interval == UINT64_MAX && en->live && spec != NULL)
		interval = (wants & NS_WRITER_EPOCHS) != 0
				   ? epoch_ns
				   : NS_MAX(LIVE_INTERVAL_NS / epoch_ns, 1) * epoch_ns;
	if (en->live && (wants & NS_WRITER_STATE) != 0)
		en->state_sinks |= 1u << index;
	if (interval < INTERVAL_LEAST_NS)
		return ns_fail(e, EINVAL, "writer %s: the interval is shorter than 10 ms", spec);
	if (interval != UINT64_MAX && en->live && interval % epoch_ns != 0)
		return ns_fail(e, EINVAL,
			"writer %s: the interval is no multiple of an epoch (engine.epoch_ms: %u)",
			spec, en->conf->epoch_ms);
	collector_of(en, interval)->sinks |= 1u << index;
	return 0;
}

static int intervals(struct ns_engine *en, struct ns_err *e)
{
	unsigned index = 0;
	uint64_t length = 0;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < en->conf->writers_count; i++)
		rc = add_sink(en, index++, en->conf->writers[i], e);
	for (unsigned i = 0; rc == 0 && i < en->args.writers_n; i++)
		rc = add_sink(en, index++, en->args.writers[i], e);
	if (rc == 0 && en->args.sink != NULL)
		rc = add_sink(en, index, NULL, e);
	for (unsigned i = 0; i < en->collectors_n; i++) {
		if (en->collectors[i].interval_ns != UINT64_MAX)
			length = gcd(en->collectors[i].interval_ns, length);
	}
	if (!en->live)
		en->log.length_ns = length;
	return rc;
}

/*
 * Live: every page of a state is there before packets are. Otherwise the lcore that goes on in the
 * other state of its pair has it cleared by the kernel, page by page, where a page of 2 MiB takes
 * longer than a burst may.
 */
static void touch(const struct ns_engine *en, void *state)
{
	volatile uint8_t *p = state;
	size_t size = en->live && state != NULL ? ns_tasks_state_size(en->tasks) : 0;

	for (size_t i = 0; i < size; i += 4096) {
		uint8_t same = p[i];

		p[i] = same;
	}
}

static int states(struct ns_engine *en)
{
	bool pairs = en->live || en->log.length_ns != 0;

	for (unsigned w = 0; w < en->workers; w++) {
		struct ns_snap_lcore *l = ns_snap_lcore(en->snap, w);

		for (unsigned i = 0; i < (pairs ? 2u : 1u); i++) {
			l->slot[i].state = ns_tasks_state_create(en->tasks);
			if (l->slot[i].state == NULL)
				return -ENOMEM;
			touch(en, l->slot[i].state);
		}
	}
	if (!pairs)
		return 0;
	for (unsigned i = 0; i < en->collectors_n; i++) {
		en->collectors[i].state = ns_tasks_state_create(en->tasks);
		if (en->collectors[i].state == NULL)
			return -ENOMEM;
	}
	if (en->collectors_n == 1) {
		en->merged = en->collectors[0].state;
		return 0;
	}
	en->merged = ns_tasks_state_create(en->tasks);
	return en->merged == NULL ? -ENOMEM : 0;
}

int engine_tasks_up(struct ns_engine *en, struct ns_err *e)
{
	struct ns_tasks_args args = {.conf = en->args.conf,
		.verify = en->args.verify,
		.live = en->live,
		.bound = en->bound,
		.seed = en->conf->seed};

	en->tasks = ns_tasks_create(&args, e);
	if (en->tasks == NULL)
		return -errno;
	en->kinds = calloc(ns_tasks_n(en->tasks) + 1, sizeof(*en->kinds));
	en->snap = ns_snap_create(en->workers);
	if (en->snap == NULL || en->kinds == NULL)
		return ns_fail(e, ENOMEM, "no memory for tasks");
	for (unsigned i = 0; i < ns_tasks_n(en->tasks); i++) {
		en->kinds[i] = ns_tasks_kind(en->tasks, i);
		en->row_max = NS_MAX(en->row_max, en->kinds[i]->size);
	}
	if (intervals(en, e) < 0)
		return -errno;
	if (states(en) < 0)
		return ns_fail(e, ENOMEM, "no memory for the states of tasks (%zu octets each)",
			ns_tasks_state_size(en->tasks));
	return 0;
}

void engine_tasks_down(struct ns_engine *en)
{
	if (en->tasks == NULL)
		return;
	for (unsigned w = 0; en->snap != NULL && w < en->workers; w++) {
		for (unsigned i = 0; i < 2; i++)
			ns_tasks_state_destroy(
				en->tasks, ns_snap_lcore(en->snap, w)->slot[i].state);
	}
	if (en->collectors_n != 1)
		ns_tasks_state_destroy(en->tasks, en->merged);
	for (unsigned i = 0; i < en->collectors_n; i++)
		ns_tasks_state_destroy(en->tasks, en->collectors[i].state);
	memset(en->collectors, 0, sizeof(en->collectors));
	en->collectors_n = 0;
	en->merged = NULL;
	ns_snap_destroy(en->snap);
	en->snap = NULL;
	free(en->kinds);
	en->kinds = NULL;
	ns_tasks_destroy(en->tasks);
	en->tasks = NULL;
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

	en->merged_used = true;
	/* nobody may want any rows */
	return en->merged != NULL ? ns_tasks_merge(en->tasks, en->merged, state) : 0;
}

static void reset(void *ctx, void *state)
{
	struct ns_engine *en = ctx;

	ns_tasks_reset(en->tasks, state);
}

static void give(struct ns_engine *en, const struct collector *c, const void *state,
	const struct ns_task_span *span)
{
	int rc = engine_rows(en, c->sinks, state, span);

	if (rc < 0)
		failed(en, "rows", rc);
}

/* A window of the interval is complete. */
static void close_window(struct ns_engine *en, struct collector *c)
{
	struct ns_task_span span = {.epoch = en->collecting};

	if (!c->used)
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
		span.start_ns = c->window * c->interval_ns;
		span.end_ns = span.start_ns + c->interval_ns;
	}
	give(en, c, c->state != NULL ? c->state : ns_snap_lcore(en->snap, 0)->slot[0].state, &span);
	if (c->state != NULL)
		ns_tasks_reset(en->tasks, c->state);
	c->used = false;
}

/* The epoch that began at @p start is complete; the next begins at @p next, if there is one. */
static void close_epoch(struct ns_engine *en, uint64_t start, uint64_t next, bool last)
{
	for (unsigned i = 0; i < en->collectors_n; i++) {
		struct collector *c = &en->collectors[i];
		uint64_t window = c->interval_ns == UINT64_MAX ? 0 : start / c->interval_ns;
		int rc = 0;

		if (en->merged_used) {
			if (c->state != en->merged)
				rc = ns_tasks_merge(en->tasks, c->state, en->merged);
			if (rc < 0)
				failed(en, "merge", rc);
			c->used = true;
			c->window = window;
		}
		if (last || (c->interval_ns != UINT64_MAX && next / c->interval_ns != window))
			close_window(en, c);
	}
	if (en->merged_used && en->collectors_n > 1)
		ns_tasks_reset(en->tasks, en->merged);
	en->merged_used = false;
	if (en->live)
		engine_state_epoch(en, start, last ? ns_clock_real() : next, last);
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
	} else if (en->collectors_n > 0) {
		void *first = ns_snap_lcore(en->snap, 0)->slot[0].state;

		for (unsigned w = 1; w < en->workers; w++) {
			int rc = ns_tasks_merge(
				en->tasks, first, ns_snap_lcore(en->snap, w)->slot[0].state);

			if (rc < 0)
				failed(en, "merge", rc);
		}
		en->collectors[0].used = true;
		close_window(en, &en->collectors[0]);
	}
}

const struct ns_rec_kind *const *ns_engine_task_kinds(const struct ns_engine *en, unsigned *n)
{
	*n = ns_tasks_n(en->tasks);
	return en->kinds;
}
