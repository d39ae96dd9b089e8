/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_engine.h>

struct live_args {
	const struct ns_conf *conf; /* borrowed */
	const char *const *targets;
	unsigned targets_n;
	const char *const *writers;
	unsigned writers_n;
	bool quiet; /* no epoch lines */
	bool terminal; /* a console in the program's own terminal; its end is the engine's */
	const char *path; /* of the configuration, to read it again; NULL: none */
	const char *const *overrides;
	unsigned overrides_n;
};

/* Runs the engine live until it is stopped; returns the exit status of the program. Main thread. */
int live_run(const struct live_args *args);
