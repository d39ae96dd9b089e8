/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_engine.h>

/*
 * Reading the configuration again: at SIGHUP, by "reload", and with one more key by "set". Main
 * thread; one in a process.
 */
struct reload_args {
	const char *path; /* of the file; NULL: none */
	const char *const *overrides; /* "key=value"; borrowed */
	unsigned overrides_n;
};

/* 0 or -ENOMEM with a message. */
int reload_init(const struct reload_args *args, struct ns_err *e);
/* Frees the configurations that were read; the engine must be gone. */
void reload_fini(void);
/* An ns_control_reload_fn: says what came of it in the log. */
void reload_at_signal(void *ctx, struct ns_engine *en);
