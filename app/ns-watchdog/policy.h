/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Whether a program that has ended is started again, and when. Pure: it looks at nothing but its
 * arguments.
 */

#include <ns_base.h>

struct policy {
	unsigned limit; /**< restarts in a row */
	uint64_t first_ns, longest_ns; /**< the delay doubles from the one to the other */
	uint64_t steady_ns; /**< a program that ran this long may fail anew */
	unsigned failed; /**< in a row, so far */
	bool was_ready; /**< any of the runs so far */
};

/** One run of the program. */
struct run_end {
	int status; /**< as waitpid(2) gives it */
	bool ready; /**< it said READY=1 */
	bool asked; /**< it was told to end, by us or by itself (STOPPING=1) */
	bool killed; /**< we killed it: silent, or too slow to start */
	uint64_t ready_ns; /**< how long it ran since READY=1 */
};

struct verdict {
	bool again;
	uint64_t delay_ns; /**< before the next start */
	int status; /**< to end with, when not again */
	const char *why; /**< not again: a few words for the log */
};

struct verdict policy_decide(struct policy *p, const struct run_end *r);

/** The exit status that a shell would give: 128 + number of a signal. */
int policy_status(int wait_status);
