/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The control lcore: a libuv loop on the main thread that steps the engine from epoch to epoch and
 * serves people beside it. It never touches a packet.
 *
 *   libuv loop ─┬─ timer, the engine's descriptor ─▶ ns_engine_step()
 *               ├─ an epoch is complete ───────────▶ hooks: metrics, notify, the console's rows ...
 *               ├─ SIGINT, SIGTERM ────────────────▶ ns_engine_stop()
 *               ├─ SIGHUP ─────────────────────────▶ reload hook
 *               └─ whatever else is on the loop: consoles, watchdogs
 *
 * Everything here is the main thread's, but for ns_control_stop().
 */

#include <ns_engine.h>

#include <uv.h>

struct ns_control;

/**
 * For an engine that was created and not yet started; borrowed until ns_control_destroy(). NULL
 * with errno and a message.
 */
struct ns_control *ns_control_create(struct ns_engine *en, struct ns_err *e);

/** The loop; close all handles on it before ns_control_destroy(). */
uv_loop_t *ns_control_loop(struct ns_control *c);

#define NS_CONTROL_HOOKS 8

/** Called on the main thread after each complete epoch, and after the last one with epoch.last set.
 */
typedef void (*ns_control_epoch_fn)(
	void *ctx, struct ns_engine *en, const struct ns_engine_state *state);
/** At most NS_CONTROL_HOOKS, called in this order. 0 or -ENOSPC. */
int ns_control_on_epoch(struct ns_control *c, ns_control_epoch_fn fn, void *ctx);

/** Called at SIGHUP. NULL: the signal is noted in the log and nothing else. */
typedef void (*ns_control_reload_fn)(void *ctx, struct ns_engine *en);
void ns_control_on_reload(struct ns_control *c, ns_control_reload_fn fn, void *ctx);

/**
 * Starts the engine and runs the loop until the engine has ended; signals are taken meanwhile. Then
 * the engine is finished: as ns_engine_run().
 *
 * The first SIGINT or SIGTERM asks for a stop in order. Those within two seconds are echoes of the
 * same wish (timeout(1) signals the process and its group); one after that ends the program at
 * once.
 */
int ns_control_run(struct ns_control *c, struct ns_err *e);

/** Stops serving; the engine stays. NULL is fine. */
void ns_control_destroy(struct ns_control *c);
