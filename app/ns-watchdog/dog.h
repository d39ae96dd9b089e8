/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "policy.h"

struct dog {
	char *const *argv; /**< the program and its arguments, ends with NULL */
	uint64_t silence_ns; /**< between two WATCHDOG=1 */
	uint64_t start_ns; /**< until READY=1 */
	uint64_t stop_ns; /**< from the wish to stop to the end */
	struct policy policy;
};

/** Runs the program until it is not to be started again; the exit status. Main thread. */
int dog_run(const struct dog *d, struct ns_err *e);
