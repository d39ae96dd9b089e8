/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What systemd or ns-watchdog are told (ns_notify.h): READY=1 as soon as the lcores run, WATCHDOG=1
 * and a line of STATUS with epochs as they are complete, STOPPING=1. Main thread.
 */

#include <ns_control.h>

struct beat {
	uv_timer_t ready;
	uv_signal_t signals[2];
	uint32_t epoch_ms;
	uint64_t told_ns;
};

/** Listens on the loop and to epochs of @p c, when somebody listens to us. 0 or -errno. */
int beat_up(struct beat *b, struct ns_control *c, uint32_t epoch_ms, struct ns_err *e);
