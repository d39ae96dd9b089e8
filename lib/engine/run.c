/* SPDX-License-Identifier: BSD-3-Clause */
/* Control, the main thread: launches the lcores, steps from epoch to epoch, and stops in order. */
#include "engine_priv.h"
#include "mirror.h"
#include "pause.h"
#include "trace.h"

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HANDOVER_NS UINT64_C(500000) /* between two looks for states that were handed over */

void engine_wake(const struct ns_engine *en)
{
	uint64_t one = 1;
	int saved = errno;

	/* it can only fail when 2^64 wake-ups wait, of which one is enough */
	if (write(en->wake, &one, sizeof(one)) < 0)
		errno = saved;
}

void ns_engine_stop(struct ns_engine *en)
{
	__atomic_store_n(&en->stop, true, __ATOMIC_RELEASE);
	engine_wake(en);
}

bool ns_engine_stopping(const struct ns_engine *en)
{
	return __atomic_load_n(&en->stop, __ATOMIC_ACQUIRE);
}

int ns_engine_fd(const struct ns_engine *en)
{
	return en->wake;
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
	if (en->source_stopped || !ns_engine_stopping(en))
		return;
	en->source_stopped = true;
	engine_pause_over(en);
	if (en->sops->stop != NULL)
		en->sops->stop(en->source);
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

int ns_engine_start(struct ns_engine *en, struct ns_err *e)
{
	en->launched = rte_rdtsc();
	int rc = launch(en, e);

	en->epoch_start = ns_clock_real();
	en->due_ns = ns_clock_mono() + en->conf->epoch_ms * UINT64_C(1000000);
	if (rc < 0) {
		/* those that do run must come to an end */
		ns_engine_stop(en);
		stop_source(en);
		en->end_clock = end_clock(en);
		__atomic_store_n(&en->drain, true, __ATOMIC_RELEASE);
		en->phase = PHASE_ENDED;
	}
	return rc;
}

static void look_for_end(struct ns_engine *en)
{
	if (en->phase == PHASE_READING && over(en, true)) {
		en->end_clock = end_clock(en);
		__atomic_store_n(&en->drain, true, __ATOMIC_RELEASE);
		en->phase = PHASE_DRAINING;
	}
	if (en->phase == PHASE_DRAINING && over(en, false))
		en->phase = PHASE_ENDED;
}

/* By the monotonic clock: setting the system's makes no epochs and leaves none out. */
enum ns_engine_step ns_engine_step(struct ns_engine *en, uint64_t *wake_ns)
{
	enum ns_engine_step did = NS_ENGINE_GOES_ON;
	uint64_t woken;

	if (read(en->wake, &woken, sizeof(woken)) < 0)
		woken = 0; /* by the clock */
	stop_source(en);
	look_for_end(en);
	if (en->phase == PHASE_ENDED)
		return NS_ENGINE_ENDED;
	engine_collect(en);
	if (en->leaving != 0)
		engine_sinks_reap(en);
	trace_look(en);

	uint64_t now = ns_clock_mono();

	if (now >= en->due_ns) {
		en->due_ns += en->conf->epoch_ms * UINT64_C(1000000);
		en->epoch++;
		engine_latency_look(en);
		engine_epoch_open(en);
		did = NS_ENGINE_TICKED;
	}
	/* live lcores can't call: look after them while they change epochs */
	*wake_ns = en->epoch_pending ? NS_MIN(en->due_ns, now + HANDOVER_NS) : en->due_ns;
	return did;
}

int ns_engine_finish(struct ns_engine *en, struct ns_err *e)
{
	int rc = 0;

	rte_eal_mp_wait_lcore();
	engine_captures_down(en);
	engine_mirrors_down(en);
	engine_latency_look(en);
	engine_collect_last(en);
	engine_sinks_down(en);
	engine_keep_source(en);
	merge_timelines(en);
	en->epoch++;
	if (en->gone.failed)
		rc = ns_fail(e, EIO, "%s", en->gone.err.text);
	for (unsigned i = 0; rc == 0 && i < SINKS_MAX; i++) {
		if (en->sinks[i].use != SINK_FREE && en->sinks[i].failed)
			rc = ns_fail(
				e, EIO, "writer %s: %s", en->sinks[i].spec, en->sinks[i].err.text);
	}
	if (rc == 0 && en->task_error < 0)
		rc = ns_fail(e, -en->task_error, "tasks: %s", strerror(-en->task_error));
	return rc;
}

/* Until the time that a step asked for, or something happens. */
static void wait_until(const struct ns_engine *en, uint64_t wake_ns)
{
	uint64_t now = ns_clock_mono(), ns = wake_ns > now ? wake_ns - now : 0;
	struct timespec t = {.tv_sec = (time_t)(ns / NS_SEC_NS), .tv_nsec = (long)(ns % NS_SEC_NS)};
	struct pollfd fd = {.fd = en->wake, .events = POLLIN};

	/* a signal that asks for a stop cuts the waiting short */
	ppoll(&fd, 1, &t, NULL);
}

int ns_engine_run(struct ns_engine *en, ns_engine_tick tick, void *ctx, struct ns_err *e)
{
	enum ns_engine_step did;
	uint64_t wake_ns = 0;
	struct ns_err late;
	int rc = ns_engine_start(en, e);

	while (rc == 0 && (did = ns_engine_step(en, &wake_ns)) != NS_ENGINE_ENDED) {
		if (did == NS_ENGINE_TICKED && tick != NULL)
			tick(ctx, en, false);
		wait_until(en, wake_ns);
	}
	int end = ns_engine_finish(en, rc == 0 ? e : &late);

	if (tick != NULL)
		tick(ctx, en, true);
	return rc < 0 ? ns_errno_set(-rc) : end;
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
