/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans: made at start and when tasks change; plan.h tells their life. Control. */
#include "engine_priv.h"

#include <stdlib.h>
#include <string.h>

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

/* Those that stay at an interval go on with what they have seen of it; others begin anew. */
static struct collector *collector_of(struct plan *p, uint64_t interval_ns, struct collector *from)
{
	for (unsigned i = 0; i < p->collectors_n; i++) {
		if (p->collectors[i].interval_ns == interval_ns && p->collectors[i].from == from)
			return &p->collectors[i];
	}
	struct collector *c = &p->collectors[p->collectors_n++];

	*c = (struct collector){.interval_ns = interval_ns, .from = from};
	return c;
}

static struct collector *goes_on(struct plan *old, const struct seat *s, uint64_t interval_ns)
{
	for (unsigned i = 0; s->stays && i < old->collectors_n; i++) {
		struct collector *c = &old->collectors[i];

		if (c->interval_ns == interval_ns && (c->sinks >> s->place & 1) != 0)
			return c;
	}
	return NULL;
}

/* A sink wants rows at the interval that its spec names, or at the usual one. */
static int add_sink(struct ns_engine *en, struct plan *p, const struct seat *s, struct ns_err *e)
{
	uint64_t epoch_ns = en->conf->epoch_ms * UINT64_C(1000000);
	uint64_t interval = UINT64_MAX;

	if (s->spec != NULL && ns_writer_interval(s->spec, &interval, e) < 0)
		return -errno;
	const struct ns_writer_ops *ops = s->spec != NULL ? ns_writer_ops_of(s->spec) : NULL;
	uint32_t wants = ops != NULL ? ops->wants : 0, bit = 1u << s->place;

	if (interval == UINT64_MAX && en->live && s->spec != NULL)
		interval = (wants & NS_WRITER_EPOCHS) != 0
				   ? epoch_ns
				   : NS_MAX(LIVE_INTERVAL_NS / epoch_ns, 1) * epoch_ns;
	if (interval < INTERVAL_LEAST_NS)
		return ns_fail(e, EINVAL, "writer %s: the interval is shorter than 10 ms", s->spec);
	if (interval != UINT64_MAX && en->live && interval % epoch_ns != 0)
		return ns_fail(e, EINVAL,
			"writer %s: the interval is no multiple of an epoch (engine.epoch_ms: %u)",
			s->spec, en->conf->epoch_ms);
	collector_of(p, interval, p->borrows ? goes_on(en->plan, s, interval) : NULL)->sinks |= bit;
	p->sinks |= bit;
	if (en->live && (wants & NS_WRITER_STATE) != 0)
		p->state_sinks |= bit;
	if ((wants & NS_WRITER_NO_FLOWS) == 0)
		p->flow_sinks |= bit;
	return 0;
}

static int intervals(struct ns_engine *en, struct plan *p, const struct roster *r, struct ns_err *e)
{
	uint64_t length = 0;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < r->n; i++)
		rc = add_sink(en, p, &r->of[i], e);
	for (unsigned i = 0; i < p->collectors_n; i++) {
		if (p->collectors[i].interval_ns != UINT64_MAX)
			length = gcd(p->collectors[i].interval_ns, length);
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
static void touch(const struct ns_engine *en, const struct plan *p, void *state)
{
	volatile uint8_t *at = state;
	size_t size = en->live && state != NULL ? ns_tasks_state_size(p->tasks) : 0;

	for (size_t i = 0; i < size; i += 4096) {
		uint8_t same = at[i];

		at[i] = same;
	}
}

static int lcore_states(const struct ns_engine *en, struct plan *p, bool pairs)
{
	for (unsigned w = 0; w < en->workers; w++) {
		for (unsigned i = 0; i < (pairs ? 2u : 1u); i++) {
			void *state = ns_tasks_state_create(p->tasks);

			if (state == NULL)
				return -ENOMEM;
			touch(en, p, state);
			p->lcores[w].state[i] = state;
		}
		p->lcores[w].tasks = ns_task_lcore_create(p->tasks);
		if (p->lcores[w].tasks == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int states(const struct ns_engine *en, struct plan *p)
{
	bool pairs = en->live || en->log.length_ns != 0;

	if (!p->borrows && lcore_states(en, p, pairs) < 0)
		return -ENOMEM;
	if (!pairs)
		return 0;
	for (unsigned i = 0; i < p->collectors_n; i++) {
		p->collectors[i].state = ns_tasks_state_create(p->tasks);
		if (p->collectors[i].state == NULL)
			return -ENOMEM;
	}
	if (p->collectors_n == 1) {
		p->merged = p->collectors[0].state;
		return 0;
	}
	p->merged = ns_tasks_state_create(p->tasks);
	p->merged_own = true;
	return p->merged == NULL ? -ENOMEM : 0;
}

static int make_tasks(
	struct ns_engine *en, struct plan *p, const struct ns_conf *conf, struct ns_err *e)
{
	struct ns_tasks_args args = {.conf = conf,
		.verify = en->args.verify,
		.live = en->live,
		.bound = en->bound,
		.seed = en->conf->seed};

	p->tasks = ns_tasks_create(&args, e);
	if (p->tasks == NULL)
		return -errno;
	for (const struct plan *old = en->plan; old != NULL; old = old->older) {
		if (ns_tasks_adopt(p->tasks, old->tasks, e) < 0)
			return -errno;
	}
	p->kinds = calloc(ns_tasks_n(p->tasks) + 1, sizeof(*p->kinds));
	if (p->kinds == NULL)
		return ns_fail(e, ENOMEM, "no memory for tasks");
	for (unsigned i = 0; i < ns_tasks_n(p->tasks); i++) {
		p->kinds[i] = ns_tasks_kind(p->tasks, i);
		p->row_max = NS_MAX(p->row_max, p->kinds[i]->size);
	}
	return 0;
}

static void borrow_tasks(struct plan *p, const struct plan *old)
{
	p->borrows = true;
	p->tasks = old->tasks;
	p->kinds = old->kinds;
	p->row_max = old->row_max;
	memcpy(p->lcores, old->lcores, sizeof(p->lcores));
}

static int fill(struct ns_engine *en, struct plan *p, const struct ns_conf *conf,
	const struct roster *roster, bool same, struct ns_err *e)
{
	if (same)
		borrow_tasks(p, en->plan);
	else if (make_tasks(en, p, conf, e) < 0)
		return -errno;
	if (engine_blobs_check(p->tasks, conf, e) < 0)
		return -errno;
	p->of_flows = ns_tasks_of_flows(p->tasks);
	p->flow = *(const struct ns_flow_conf *)ns_conf_get(conf, "flow");
	if (intervals(en, p, roster, e) < 0)
		return -errno;
	if (states(en, p) < 0)
		return ns_fail(e, ENOMEM, "no memory for the states of tasks (%zu octets each)",
			ns_tasks_state_size(p->tasks));
	return 0;
}

struct plan *engine_plan_create(struct ns_engine *en, const struct ns_conf *conf,
	const struct roster *roster, bool same, struct ns_err *e)
{
	struct plan *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		ns_fail(e, ENOMEM, "no memory for tasks");
		return NULL;
	}
	if (fill(en, p, conf, roster, same, e) < 0) {
		int err = errno;

		engine_plan_destroy(en, p);
		return ns_errno_null(err);
	}
	return p;
}

static void free_collectors(struct plan *p)
{
	if (p->merged_own)
		ns_tasks_state_destroy(p->tasks, p->merged);
	for (unsigned i = 0; i < p->collectors_n; i++)
		ns_tasks_state_destroy(p->tasks, p->collectors[i].state);
	memset(p->collectors, 0, sizeof(p->collectors));
	p->collectors_n = 0;
	p->merged = NULL;
	p->merged_own = false;
}

/* States and what lcores need; the kinds stay. */
static void retire(const struct ns_engine *en, struct plan *p)
{
	for (unsigned w = 0; !p->borrows && w < en->workers; w++) {
		for (unsigned i = 0; i < 2; i++)
			ns_tasks_state_destroy(p->tasks, p->lcores[w].state[i]);
		ns_task_lcore_destroy(p->lcores[w].tasks);
	}
	memset(p->lcores, 0, sizeof(p->lcores));
	free_collectors(p);
}

void engine_plan_destroy(struct ns_engine *en, struct plan *p)
{
	while (p != NULL) {
		struct plan *older = p->older;

		if (p->tasks != NULL)
			retire(en, p);
		if (!p->borrows) {
			free(p->kinds);
			ns_tasks_destroy(p->tasks);
		}
		free(p);
		p = older;
	}
}

/* Those whose interval begins now, and is the same, go on together. */
static void join(struct plan *p, struct collector *c)
{
	for (unsigned i = 0; !c->used && i < p->collectors_n; i++) {
		struct collector *with = &p->collectors[i];

		if (with == c || with->used || with->interval_ns != c->interval_ns)
			continue;
		with->sinks |= c->sinks;
		ns_tasks_state_destroy(p->tasks, c->state);
		*c = p->collectors[--p->collectors_n];
		return;
	}
}

/* What began in the plan before goes on in this one. */
static void take_over(struct plan *p, struct plan *old)
{
	for (unsigned i = 0; i < p->collectors_n; i++) {
		struct collector *c = &p->collectors[i], *from = c->from;
		void *fresh = c->state;

		if (from == NULL)
			continue;
		c->state = from->state;
		c->window = from->window;
		c->from_ns = from->from_ns;
		c->used = from->used;
		from->state = fresh;
	}
	if (!p->merged_own && p->collectors_n == 1)
		p->merged = p->collectors[0].state;
	for (unsigned i = p->collectors_n; i-- > 0;)
		join(p, &p->collectors[i]);
	for (unsigned i = 0; i < p->collectors_n; i++)
		p->collectors[i].from = NULL;
	p->borrows = false;
	old->borrows = true;
}

void engine_plan_enter(struct ns_engine *en, struct plan *p, uint64_t now_ns)
{
	struct plan *old = en->plan;

	for (unsigned i = 0; i < p->collectors_n; i++)
		p->collectors[i].from_ns = now_ns;
	en->plan = p;
	p->older = old;
	if (!p->borrows) {
		retire(en, old);
		return;
	}
	/* of the old one nothing is left that anybody knows */
	take_over(p, old);
	p->older = old->older;
	old->older = NULL;
	engine_plan_destroy(en, old);
}
