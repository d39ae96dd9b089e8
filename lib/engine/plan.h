/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A plan: what lcores go by and a reload may change: the tasks of a configuration and all that they
 * need to feed them, the sinks that flow records are for, the time-outs of flows. There is one from
 * the start; live, another can take its place between two epochs.
 *
 *   control  engine_plan_create() ─▶ planned ──▶ wanted, then opens epoch n + 1
 *   lcore        ... epoch n, old plan │ changes to n + 1, sees wanted: new plan ...
 *   control                            └ takes n of all, frees the old plan's states
 *
 * Control opens no epoch before all lcores are in the last one, so all change plans at the same
 * epoch; before an lcore hands over the last of a plan it gives away the batch that it fills. So
 * the sinks that are in the new plan alone get what is of epoch n + 1 and later, and those that
 * are in the old one alone all before it. Kinds of records stay as long as the engine, since
 * writers know them.
 *
 * A plan with the same tasks as the one before (only writers change, or time-outs) borrows them
 * and the lcores' states until it takes its place, and then they are its own, as are the intervals
 * that have begun: nothing of them ends for who stays.
 */

#include <ns_engine.h>
#include <ns_task.h>

#define SINKS_MAX 16

/* What was seen since the interval began, for the sinks that want rows at this interval. */
struct collector {
	uint64_t interval_ns; /* UINT64_MAX: the whole run */
	uint64_t window; /* number of the interval since 1970 */
	uint64_t
		from_ns; /* live: when the plan began, if that is later than the interval's begin */
	uint32_t sinks; /* by index */
	bool used;
	void *state; /* NULL: the first lcore's, at the end */
	struct collector
		*from; /* of the plan before: what began there goes on here; NULL: nothing */
};

/* A sink that a plan is to have: the writer of a spec, or (NULL) the program's own consumer. */
struct seat {
	const char *spec;
	unsigned place; /* in en->sinks */
	bool stays; /* it is there, and goes on untouched but for the interval */
	bool configured; /* of engine.writers, which may change */
};

struct roster {
	struct seat of[SINKS_MAX];
	unsigned n;
};

struct plan {
	/* read only from when lcores can see it */
	struct ns_tasks *tasks;
	bool of_flows;
	uint32_t flow_sinks; /* by index: those that want flow records */
	struct ns_flow_conf flow; /* the time-outs of it */
	struct {
		struct ns_task_lcore *tasks; /* the lcore's own */
		void *state[2]; /* of its pair */
	} lcores[NS_WORKERS_MAX];

	/* control's */
	struct plan *older;
	bool borrows; /* tasks, kinds and what lcores have are those of the plan before */
	uint32_t sinks; /* by index: all that it has */
	uint32_t state_sinks; /* by index: those that want the engine's state */
	const struct ns_rec_kind **kinds;
	size_t row_max; /* octets of the largest row */
	struct collector collectors[SINKS_MAX];
	unsigned collectors_n;
	void *merged; /* the epoch that is being taken; the collector's own state if it is one */
	bool merged_own; /* it is not */
	bool merged_used;
};

struct ns_engine;

/*
 * For the tasks of @p conf, which must live as long as the plan, and the sinks of @p roster; with
 * @p same tasks as the plan that holds. NULL with errno and a message. Main thread.
 */
struct plan *engine_plan_create(struct ns_engine *en, const struct ns_conf *conf,
	const struct roster *roster, bool same, struct ns_err *e);
/* No lcore is in the plan before @p p any more: it takes its place, from this time on. */
void engine_plan_enter(struct ns_engine *en, struct plan *p, uint64_t now_ns);
/* All, with the older ones. */
void engine_plan_destroy(struct ns_engine *en, struct plan *p);
