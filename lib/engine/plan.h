/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A plan: the tasks of a configuration, and all that lcores need to feed them. There is one from
 * the start; live, another can take its place between two epochs.
 *
 *   control  engine_plan_create() ─▶ planned ──▶ wanted, then opens epoch n + 1
 *   lcore        ... epoch n, old plan │ changes to n + 1, sees wanted: new plan ...
 *   control                            └ takes n of all, frees the old plan's states
 *
 * Control opens no epoch before all lcores are in the last one, so all change plans at the same
 * epoch. A plan's kinds of records stay as long as the engine, since writers know them.
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
};

struct plan {
	/* read only from when lcores can see it */
	struct ns_tasks *tasks;
	bool of_flows;
	struct {
		struct ns_task_lcore *tasks; /* the lcore's own */
		void *state[2]; /* of its pair */
	} lcores[NS_WORKERS_MAX];

	/* control's */
	struct plan *older;
	const struct ns_rec_kind **kinds;
	size_t row_max; /* octets of the largest row */
	struct collector collectors[SINKS_MAX];
	unsigned collectors_n;
	void *merged; /* the epoch that is being taken; the collector's own state if it is one */
	bool merged_used;
};

struct ns_engine;

/*
 * For the tasks of @p conf, which must live as long as the plan. NULL with errno and a message.
 * Main thread.
 */
struct plan *engine_plan_create(struct ns_engine *en, const struct ns_conf *conf, struct ns_err *e);
/* States and what lcores need; the kinds stay. */
void engine_plan_retire(struct ns_engine *en, struct plan *p);
/* All, with the older ones. */
void engine_plan_destroy(struct ns_engine *en, struct plan *p);
