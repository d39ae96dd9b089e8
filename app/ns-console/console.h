/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "client.h"

/*
 * The console as a program: ns-console's main(), and what ns-engine -i runs in its own terminal.
 * Returns the exit status: 0, or 1 when a command or the connection failed.
 */
int console_main(int argc, char **argv);

/* --- among its files ----------------------------------------------------------------------- */

struct console {
	struct client client;
	bool json;
	bool owner; /* the engine's own terminal: its end is ours */
};

/* Runs a line, prints what it says. 0; 1: it failed, was said; 2: leave. */
int console_line(struct console *k, const char *line);

/* Columns of the terminal on standard output; 0: it is none. Rows too, when asked for. */
unsigned console_columns(unsigned *rows);

/* "watch [-n SECONDS] COMMAND": the command and *ms, or NULL when @line is none such; -1 in *ms: it
 * is one, and wrong. */
const char *watch_parse(const char *line, int *ms);
/* Shows a command's answer again and again until q or Ctrl-C. 0, 1 as console_line(). */
int watch_run(struct console *k, const char *command, int ms);

/* Reads lines from a person until the end. 0 or 1. */
int edit_loop(struct console *k);

/* A signal has asked to stop what is going on; the handlers are console.c's. */
bool console_interrupted(bool forget);
