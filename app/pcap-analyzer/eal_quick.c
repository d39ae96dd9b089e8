/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What EAL does at its start that a program which reads files need not wait for. pcap-analyzer is
 * linked with EAL's archive, so that the linker can put functions of ours in the place of EAL's
 * (--wrap, see meson.build); each keeps what EAL's promises. Of 140 ms for a capture of one packet
 * 125 went here:
 *
 *   the rate of the TSC     measured over a tenth of a second; here over 2 ms, by better samples
 *   CPUs and their nodes    looked up in sysfs for 128 CPUs on 32 nodes, some of it ten times (5000
 *                           calls of access()); here for CPUs that there can be
 *   waiting for lcores      spins, on one CPU until the time slice is over; here it yields
 *   memory                  without hugepages is a memfd, so that other processes may map it, which
 *                           nobody does; anonymous memory has cheaper page faults, and may be huge
 *
 * Names that begin with __real and __wrap are the linker's.
 */
#include <ns_base.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define HZ_STEP UINT64_C(10000000) /* EAL rounds the rate to this */
#define TSC_WAIT_NS UINT64_C(2000000)
#define SAMPLES 8

int __real_eal_cpu_detected(unsigned cpu);
int __wrap_eal_cpu_detected(unsigned cpu);
unsigned __real_eal_cpu_socket_id(unsigned cpu);
unsigned __wrap_eal_cpu_socket_id(unsigned cpu);
uint64_t __wrap_get_tsc_freq(void);
void __real_rte_eal_mp_wait_lcore(void);
void __wrap_rte_eal_mp_wait_lcore(void);
int __real_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags);

/*
 * Can there be a CPU of this number? EAL starts in one thread. The set's last CPU, not the count:
 * numbers may have gaps.
 */
static bool possible(unsigned cpu)
{
	static unsigned first_not; /* 0: not looked up yet */

	if (first_not == 0) {
		FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
		unsigned last = CPU_SETSIZE;
		int c;

		while (f != NULL && fscanf(f, "%u", &last) == 1 && (c = getc(f)) != EOF &&
			c != '\n')
			;
		if (f != NULL)
			fclose(f);
		first_not = last + 1;
	}
	return cpu < first_not;
}

int __wrap_eal_cpu_detected(unsigned cpu)
{
	return possible(cpu) ? __real_eal_cpu_detected(cpu) : 0;
}

/* EAL says 0 for a CPU that is on no node. */
unsigned __wrap_eal_cpu_socket_id(unsigned cpu)
{
	return possible(cpu) ? __real_eal_cpu_socket_id(cpu) : 0;
}

struct sample {
	uint64_t tsc, ns;
};

/*
 * Both clocks at once: of some pairs the one whose two readings of the TSC are closest, since a
 * thread may be interrupted between any two lines.
 */
static struct sample sample(void)
{
	struct sample best = {0};
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < SAMPLES; i++) {
		struct timespec t;
		uint64_t before = rte_rdtsc_precise(), after;

		clock_gettime(CLOCK_MONOTONIC_RAW, &t);
		after = rte_rdtsc_precise();
		if (after - before >= least)
			continue;
		least = after - before;
		best.tsc = before + least / 2;
		best.ns = (uint64_t)t.tv_sec * NS_SEC_NS + (uint64_t)t.tv_nsec;
	}
	return best;
}

/* A sample is good to 100 ns or better: of 2 ms that is 0.005 %, the step is 0.3 % of 3 GHz. */
uint64_t __wrap_get_tsc_freq(void)
{
	static const struct timespec wait = {.tv_nsec = TSC_WAIT_NS};
	struct sample a = sample(), b;

	nanosleep(&wait, NULL);
	b = sample();
	if (b.ns <= a.ns)
		return 0; /* EAL then tries by itself */
	unsigned __int128 hz = (unsigned __int128)(b.tsc - a.tsc) * NS_SEC_NS / (b.ns - a.ns);

	return ((uint64_t)hz + HZ_STEP / 2) / HZ_STEP * HZ_STEP;
}

void __wrap_rte_eal_mp_wait_lcore(void)
{
	static const struct timespec nap = {.tv_nsec = 50000};
	unsigned lcore, tries = 0;

	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		while (rte_eal_get_lcore_state(lcore) == RUNNING) {
			if (++tries < 64)
				sched_yield();
			else
				nanosleep(&nap, NULL);
		}
	}
	__real_rte_eal_mp_wait_lcore();
}

int __wrap_memfd_create(const char *name, unsigned flags)
{
	if (strcmp(name, "nohuge") == 0) {
		errno = ENOTSUP;
		return -1;
	}
	return __real_memfd_create(name, flags);
}
