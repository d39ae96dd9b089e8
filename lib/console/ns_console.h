/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The console: commands for a running engine over a unix socket. See README.md for the protocol.
 *
 *   ns-console ─ unix socket ─▶ control's loop ─▶ command of the room that owns it ─▶ table or JSON
 *
 * All functions belong to the thread of the loop, which is the main one.
 */

#include <ns_base.h>

#include <uv.h>

struct ns_conf;
struct ns_console;
struct ns_engine;

/** Section "console". */
struct ns_console_conf {
	bool enabled;
	char *path; /**< NULL: NODE.sock in the folder for run-time files */
	char *group; /**< of the socket; NULL: the process's */
	char *mode; /**< of the socket, octal */
};

struct ns_console_args {
	const struct ns_conf *conf; /**< borrowed for the call */
	struct ns_engine *(*engine)(void *ctx); /**< the engine, or NULL while none runs */
	void *ctx;
};

/**
 * Binds and listens; the commands are sealed (ns_command_seal()). NULL with errno and a message:
 * EADDRINUSE when a living engine has the socket, EEXIST when something else lies there. NULL with
 * errno 0 when the configuration wants none, or, with a message in the log, when it names no path
 * and the default one can't be had.
 */
struct ns_console *ns_console_open(
	uv_loop_t *loop, const struct ns_console_args *args, struct ns_err *e);

/** Where it listens. */
const char *ns_console_path(const struct ns_console *c);

/**
 * Removes the socket and closes all clients. Memory is given back by the loop's next rounds: run it
 * once more, until uv_loop_alive() is false. NULL is fine.
 */
void ns_console_close(struct ns_console *c);

/**
 * The writer that "show task" has its rows from, for ns_engine_args.writers: keeps the rows of the
 * last complete epoch. One a process.
 */
#define NS_CONSOLE_WRITER "console:rows"
