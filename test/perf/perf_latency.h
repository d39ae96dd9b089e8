/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What perf_latency.c measures, and perf_latency_say.c says. */

#include "perf_bench.h"

#include <ns_snap.h>

#define PERF_LOAD_TO_CONTROL 2 /* what is to show the machine alone runs half as long */

struct perf_stall {
	uint64_t longest; /* ns, as all others of the thread itself */
	uint64_t n; /* over LONG_NS */
};

struct perf_lat {
	struct perf_bench *b;
	struct perf_lcore *l;
	struct perf_bed *bed;
	struct perf_hist packets, passes;
	struct perf_hist packets_constant;
	struct perf_stall stall_constant;
	bool disturbed; /* another thread had the CPU: what waited for it is not noted */
	uint64_t left_out; /* packets that are not noted for that */
	struct perf_constant *machine;
	bool constant; /* packets go through it, not through the table */
	struct perf_stall age, swap, evict, other;
	struct perf_control control;
	struct perf_look look;
	uint64_t away; /* ns in which others had the CPU */
	long faults; /* pages that the kernel has given this thread so far */
	struct perf_stall fault; /* of passes in which it gave some */
	uint64_t evicted;
	unsigned slice;
	bool quiet; /* nothing is noted: the highest rate is looked for */
	/* epochs, with lcore 1 */
	struct ns_snap *snap;
	struct ns_snap_lcore *own;
	struct perf_tasks *tasks;
	void *merged;
	bool stop; /* written by lcore 0 */
	uint64_t swaps;
};

/** Prints what was measured of a phase; @p rate: packets a second that were offered. */
void perf_latency_say(struct perf_lat *x, const char *name, double rate, bool evicts);
