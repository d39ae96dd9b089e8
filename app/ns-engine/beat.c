/* SPDX-License-Identifier: BSD-3-Clause */
#include "beat.h"

#include <ns_log.h>
#include <ns_notify.h>

#include <inttypes.h>
#include <signal.h>
#include <string.h>

NS_LOG_TYPE("notify");

/* Epochs may be much shorter than anybody's patience. */
#define BETWEEN_NS (NS_SEC_NS / 5)

static void on_signal(uv_signal_t *s, int sig)
{
	ns_notify("STOPPING=1\nSTATUS=stopping in order");
}

/* A heartbeat comes with each epoch: who watches must wait longer than one. */
static void ask_for_patience(const struct beat *b)
{
	uint64_t need = 3 * b->epoch_ms * UINT64_C(1000000), has = ns_notify_patience();

	if (has == 0 || has >= need)
		return;
	NS_LOG(NOTICE, "epochs of %u ms: the watchdog is asked to wait for %" PRIu64 " ms",
		b->epoch_ms, need / 1000000);
	ns_notify("WATCHDOG_USEC=%" PRIu64, need / 1000);
}

/* The first turn of the loop: the lcores were started before it. */
static void on_ready(uv_timer_t *t)
{
	static const int taken[] = {SIGINT, SIGTERM};
	struct beat *b = t->data;

	for (unsigned i = 0; i < NS_ARRAY_LEN(taken); i++)
		uv_signal_start(&b->signals[i], on_signal, taken[i]);
	ask_for_patience(b);
	if (ns_notify("READY=1\nWATCHDOG=1\nSTATUS=capturing") < 0)
		NS_LOG(WARNING, "who started us can't be told: %s", strerror(errno));
}

static void on_epoch(void *ctx, struct ns_engine *en, const struct ns_engine_state *state)
{
	const struct ns_epoch_rec *r = &state->epoch;
	uint64_t now = ns_clock_mono();
	struct beat *b = ctx;

	if (r->last) {
		ns_notify("STOPPING=1\nSTATUS=stopped after %" PRIu64 " packets", r->received);
		return;
	}
	if (now - b->told_ns < BETWEEN_NS)
		return;
	b->told_ns = now;
	ns_notify("WATCHDOG=1\nSTATUS=%sepoch %" PRIu64 ": %.0f packets/s, %" PRIu64
		  " dropped, %" PRIu64 " flows; %" PRIu64 " packets in all",
		r->paused != 0 ? "ports are not read (stop); " : "", r->epoch,
		r->end_ns > r->start_ns
			? (double)r->epoch_received * 1e9 / (double)(r->end_ns - r->start_ns)
			: 0.0,
		r->epoch_dropped, r->flows, r->received);
}

int beat_up(struct beat *b, struct ns_control *c, uint32_t epoch_ms, struct ns_err *e)
{
	uv_loop_t *loop = ns_control_loop(c);

	*b = (struct beat){.epoch_ms = epoch_ms};
	if (ns_notify_init() < 0)
		NS_LOG(WARNING, "NOTIFY_SOCKET can't be used: %s", strerror(errno));
	if (!ns_notify_wanted())
		return 0;
	for (unsigned i = 0; i < NS_ARRAY_LEN(b->signals); i++)
		uv_signal_init(loop, &b->signals[i]);
	uv_timer_init(loop, &b->ready);
	b->ready.data = b;
	uv_timer_start(&b->ready, on_ready, 0, 0);
	if (ns_control_on_epoch(c, on_epoch, b) < 0)
		return ns_fail(e, errno, "too many listen to epochs");
	return 0;
}
