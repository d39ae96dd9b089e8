/* SPDX-License-Identifier: BSD-3-Clause */
/* Control, the main thread: launches the lcores, waits with a tick an epoch, and stops in order. */
#include "engine_priv.h"

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include <string.h>
#include <time.h>

#define HANDOVER_NS UINT64_C(500000) /* between two looks for states that were handed over */

void ns_engine_stop(struct ns_engine *en)
{
	__atomic_store_n(&en->stop, true, __ATOMIC_RELEASE);
	sem_post(&en->wake);
}

static bool over(const struct ns_engine *en, bool reading)
{
	for (unsigned i = 0; i < en->lcores_n; i++) {
		const struct lcore *l = &en->lcores[i];

		if (reading && l->role == ROLE_ANALYSIS)
			continue;
		if (!__atomic_load_n(&l->done, __ATOMIC_ACQUIRE))
			return false;
		if (!reading && l->producer != NULL &&
			!__atomic_load_n(&l->producer->done, __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

/* Once a stop is asked for, the source gives what it has and then says that it is at its end. */
static void stop_source(struct ns_engine *en)
{
	if (en->source_stopped || !__atomic_load_n(&en->stop, __ATOMIC_ACQUIRE))
		return;
	en->source_stopped = true;
	if (en->sops->stop != NULL)
		en->sops->stop(en->source);
}

/*
 * Waits for the lcores to end (reading, or all), with a tick an epoch. By the monotonic clock:
 * setting the system's makes no epochs and leaves none out.
 */
static void wait_for(struct ns_engine *en, bool reading, ns_engine_tick tick, void *ctx)
{
	uint64_t epoch_ns = en->conf->epoch_ms * UINT64_C(1000000);

	while (!over(en, reading)) {
		uint64_t now = ns_clock_mono();
		/* live lcores can't call: look after them while they change epochs */
		uint64_t wake =
			en->epoch_pending ? NS_MIN(en->due_ns, now + HANDOVER_NS) : en->due_ns;
		struct timespec due = {
			.tv_sec = (time_t)(wake / NS_SEC_NS), .tv_nsec = (long)(wake % NS_SEC_NS)};

		/* a signal that asks for a stop may also cut the waiting short */
		if (sem_clockwait(&en->wake, CLOCK_MONOTONIC, &due) == 0 || errno != ETIMEDOUT)
			stop_source(en);
		engine_collect(en);
		if (ns_clock_mono() < en->due_ns)
			continue;
		en->due_ns += epoch_ns;
		en->epoch++;
		engine_latency_look(en);
		engine_epoch_open(en);
		if (tick != NULL)
			tick(ctx, en, false);
	}
}

static int launch(struct ns_engine *en, struct ns_err *e)
{
	for (unsigned i = 0; i < en->lcores_n; i++) {
		struct lcore *l = &en->lcores[i];
		lcore_function_t *fn = l->role == ROLE_RX         ? engine_rx
				       : l->role == ROLE_ANALYSIS ? engine_analysis
								  : engine_both;

		if (rte_eal_remote_launch(fn, l, l->id) != 0)
			return ns_fail(e, EIO, "lcore %u does not start", l->id);
	}
	return 0;
}

static uint64_t end_clock(const struct ns_engine *en)
{
	uint64_t clock = 0;

	for (unsigned i = 0; i < en->lcores_n; i++)
		clock = NS_MAX(clock, ns_stat_get(&en->lcores[i].stats->clock_ns));
	return clock;
}

static void merge_timelines(struct ns_engine *en)
{
	for (unsigned i = 0; i < en->lcores_n; i++) {
		struct ns_timeline *t = en->lcores[i].timeline;

		if (t == NULL)
			continue;
		if (en->timeline == NULL)
			en->timeline = t;
		else
			ns_timeline_merge(en->timeline, t);
	}
}

int ns_engine_run(struct ns_engine *en, ns_engine_tick tick, void *ctx, struct ns_err *e)
{
	en->launched = rte_rdtsc();
	int rc = launch(en, e);

	en->epoch_start = ns_clock_real();
	en->due_ns = ns_clock_mono() + en->conf->epoch_ms * UINT64_C(1000000);
	if (rc < 0) {
		ns_engine_stop(en);
		stop_source(en);
	} else {
		wait_for(en, true, tick, ctx);
	}
	en->end_clock = end_clock(en);
	__atomic_store_n(&en->drain, true, __ATOMIC_RELEASE);
	if (rc == 0)
		wait_for(en, false, tick, ctx);
	rte_eal_mp_wait_lcore();
	if (rc == 0)
		engine_collect_last(en);
	engine_sinks_down(en);
	engine_keep_source(en);
	merge_timelines(en);
	en->epoch++;
	engine_latency_look(en);
	if (tick != NULL)
		tick(ctx, en, true);
	for (unsigned i = 0; rc == 0 && i < en->sinks_n; i++) {
		if (en->sinks[i].failed)
			rc = ns_fail(
				e, EIO, "writer %s: %s", en->sinks[i].spec, en->sinks[i].err.text);
	}
	if (rc == 0 && en->task_error < 0)
		rc = ns_fail(e, -en->task_error, "tasks: %s", strerror(-en->task_error));
	return rc;
}

enum ns_source_status ns_engine_input_status(const struct ns_engine *en)
{
	return en->source != NULL ? en->sops->status(en->source) : en->input_status;
}

const char *ns_engine_input_message(const struct ns_engine *en)
{
	if (en->source != NULL)
		return en->sops->message(en->source);
	return en->input_message != NULL ? en->input_message : "";
}
