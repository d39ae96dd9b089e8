/* SPDX-License-Identifier: BSD-3-Clause */
/* Time, and how much of it was given to others. */
#include "perf.h"

#include <sys/resource.h>
#include <time.h>

#define SHORT_NS 10000 /* of less the kernel is not asked */
#define LOOK_TICKS 20000 /* more than two readings ever take undisturbed */

bool perf_interrupted(void)
{
	static _Thread_local long before = -1;
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	bool yes = before >= 0 && before != u.ru_nivcsw;

	before = u.ru_nivcsw;
	return yes;
}

uint64_t perf_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_SEC_NS + (uint64_t)t.tv_nsec;
}

void perf_calibrate(struct perf_lcore *l)
{
	uint64_t ticks = perf_ticks(), ns = ns_clock_mono(), least = UINT64_MAX;

	while (ns_clock_mono() - ns < 50000000)
		;
	l->tsc_ns = (double)(ns_clock_mono() - ns) / (double)(perf_ticks() - ticks);
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t t = perf_ticks();

		t = perf_ticks() - t;
		least = NS_MIN(least, t);
	}
	l->tsc_cost = (double)least * l->tsc_ns;
}

bool perf_faults(long *before)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	bool yes = u.ru_minflt != *before;

	*before = u.ru_minflt;
	return yes;
}

void perf_look(struct perf_look *a)
{
	uint64_t before;

	/* both at the same time, with nobody in between */
	do {
		before = perf_ticks();
		a->cpu_ns = perf_cpu_ns();
		a->ticks = perf_ticks();
	} while (a->ticks - before > LOOK_TICKS);
}

uint64_t perf_away(struct perf_look *a, double tsc_ns)
{
	struct perf_look before = *a;

	perf_look(a);
	uint64_t wall = (uint64_t)((double)(a->ticks - before.ticks) * tsc_ns);
	uint64_t cpu = a->cpu_ns - before.cpu_ns;

	return wall > cpu ? wall - cpu : 0;
}

void perf_control(
	const struct perf_lcore *l, double seconds, uint64_t long_ns, struct perf_control *c)
{
	uint64_t end = (uint64_t)(seconds * 1e9 / l->tsc_ns), start = perf_ticks();
	uint64_t last = start;
	struct perf_look a;

	perf_look(&a);
	while (last - start < end) {
		uint64_t now = perf_ticks(), ns = (uint64_t)((double)(now - last) * l->tsc_ns);

		if (ns > SHORT_NS) {
			uint64_t away = perf_away(&a, l->tsc_ns);
			uint64_t own = ns - NS_MIN(ns, away);

			c->longest = NS_MAX(c->longest, ns);
			c->own = NS_MAX(c->own, own);
			c->n += ns > long_ns;
			c->own_n += own > long_ns;
			now = perf_ticks();
		}
		last = now;
	}
}
