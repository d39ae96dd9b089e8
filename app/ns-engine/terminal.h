/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * ns-engine -i: the console of ns-console in the engine's own terminal, as a process of its own:
 * the line editor blocks, and what it does to the terminal must not depend on how the engine ends.
 */

#include <ns_base.h>

#include <uv.h>

#define TERMINAL_NAME "ns-console" /* argv[0] by which the program knows that it is the console */

struct terminal {
	uv_process_t process;
	bool running;
	void (*ended)(void *ctx);
	void *ctx;
};

/* Starts it on the loop; ended() is called when it ends. 0 or -errno with a message. Main thread.
 */
int terminal_start(struct terminal *t, uv_loop_t *loop, const char *socket,
	void (*ended)(void *ctx), void *ctx, struct ns_err *e);

/* Waits for its end, which that of its connection brings about; runs the loop meanwhile. */
void terminal_end(struct terminal *t);
