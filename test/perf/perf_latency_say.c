/* SPDX-License-Identifier: BSD-3-Clause */
/* Latency in words and numbers. */
#include "perf_latency.h"

#include <stdio.h>

void perf_latency_say(struct perf_lat *x, const char *name, double rate, bool evicts)
{
	struct perf_answers *a = &x->b->a;
	uint64_t n = x->age.n + x->swap.n + x->evict.n + x->other.n;
	double known = (double)NS_MAX(x->control.own_n, x->stall_constant.n) * PERF_LOAD_TO_CONTROL;
	const double constant[] = {perf_hist_rank(&x->packets_constant, 0.5),
		perf_hist_rank(&x->packets_constant, 0.99),
		perf_hist_rank(&x->packets_constant, 0.999)};
	char text[96];

#define SAY(unit, value, ...) \
	(snprintf(text, sizeof(text), __VA_ARGS__), perf_value(a, text, unit, value))
	printf("\nLatency, %s: %.2f Mpps offered, %.1f s\n", name, rate / 1e6, x->b->o.seconds);
	SAY("us", perf_hist_rank(&x->packets, 0.5) / 1e3, "%s: RX to end of analysis, p50", name);
	SAY("us", constant[0] / 1e3, "%s: p50 of a server of constant work", name);
	SAY("us", constant[1] / 1e3, "%s: p99 of a server of constant work", name);
	SAY("us", constant[2] / 1e3, "%s: p99.9 of a server of constant work", name);
	snprintf(text, sizeof(text), "%s: RX to end of analysis, p99", name);
	perf_bar(a, text, "us", perf_hist_rank(&x->packets, 0.99) / 1e3, PERF_AT_MOST,
		NS_MAX(50, constant[1] / 1e3));
	SAY("us", perf_hist_rank(&x->packets, 0.999) / 1e3, "%s: p99.9", name);
	SAY("us", (double)x->packets.max / 1e3, "%s: longest", name);
	SAY("us", perf_hist_rank(&x->passes, 0.999) / 1e3, "%s: a burst, p99.9", name);
	SAY("us", (double)x->other.longest / 1e3, "%s: longest burst", name);
	SAY("us", (double)x->age.longest / 1e3, "%s: longest with a slice of ageing", name);
	if (evicts)
		SAY("us", (double)x->evict.longest / 1e3, "%s: longest with an eviction", name);
	SAY("us", (double)x->swap.longest / 1e3, "%s: longest of %u with an epoch's swap", name,
		(unsigned)x->swaps);
	SAY("us", (double)x->fault.longest / 1e3,
		"%s: longest in which the kernel gave memory at first touch", name);
	SAY("", (double)x->fault.n, "%s: bursts over 200 us that are those", name);
	SAY("M", (double)x->left_out / 1e6,
		"%s: packets that waited for others, which are left out", name);
	SAY("ms", (double)x->away / 1e6, "%s: others had the CPU, which is left out", name);
	SAY("", (double)x->control.n * PERF_LOAD_TO_CONTROL,
		"%s: gaps over 200 us of a loop that only reads the clock", name);
	SAY("", (double)x->control.own_n * PERF_LOAD_TO_CONTROL,
		"%s: such gaps that the kernel knows no reason for", name);
	SAY("", (double)x->stall_constant.n * PERF_LOAD_TO_CONTROL,
		"%s: bursts over 200 us of the server of constant work", name);
	snprintf(text, sizeof(text), "%s: bursts over 200 us", name);
	perf_bar(a, text, "", (double)n, PERF_AT_MOST, known);
#undef SAY
}
