/* SPDX-License-Identifier: BSD-3-Clause */
/* EAL starts with our functions in it, and knows what it would have found out by its own. */
#include "ns_test.h"

#include <ns_base.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* EAL's own and, under its usual name, what the linker made of it. */
unsigned __real_eal_cpu_socket_id(unsigned cpu);
unsigned eal_cpu_socket_id(unsigned cpu);
int __real_eal_cpu_detected(unsigned cpu);
int eal_cpu_detected(unsigned cpu);
uint64_t get_tsc_freq(void);

static void eal(void)
{
	static char *argv[] = {(char *)"test", (char *)"--no-huge", (char *)"--no-pci",
		(char *)"--no-telemetry", (char *)"--no-shconf", (char *)"-m", (char *)"16",
		(char *)"--lcores", (char *)"0@0,1@0", (char *)"--log-level", (char *)"error",
		NULL};
	static bool done;

	if (!done && rte_eal_init((int)NS_ARRAY_LEN(argv) - 1, argv) < 0)
		abort();
	done = true;
}

static void cpus(void)
{
	for (unsigned cpu = 0; cpu < RTE_MAX_LCORE; cpu++) {
		CU_ASSERT_EQUAL(eal_cpu_detected(cpu), __real_eal_cpu_detected(cpu));
		CU_ASSERT_EQUAL(eal_cpu_socket_id(cpu), __real_eal_cpu_socket_id(cpu));
	}
	CU_ASSERT_EQUAL(eal_cpu_detected(1u << 20), 0);
	CU_ASSERT_EQUAL(eal_cpu_socket_id(1u << 20), 0);
}

/* The rate that EAL keeps, and twenty more, against one that is measured for 200 ms. */
static void rate(void)
{
	static const struct timespec wait = {.tv_nsec = 200000000};
	uint64_t ns, tsc, least = UINT64_MAX, most = 0;

	eal();
	ns = ns_clock_mono();
	tsc = rte_rdtsc();
	nanosleep(&wait, NULL);
	tsc = rte_rdtsc() - tsc;
	ns = ns_clock_mono() - ns;
	double hz = (double)tsc * 1e9 / (double)ns;

	for (int i = 0; i < 20; i++) {
		uint64_t f = i == 0 ? rte_get_tsc_hz() : get_tsc_freq();

		least = NS_MIN(least, f);
		most = NS_MAX(most, f);
	}
	CU_ASSERT(hz > 1e8);
	CU_ASSERT((double)least > hz * 0.99);
	CU_ASSERT((double)most < hz * 1.01);
}

static int nap(void *arg)
{
	static const struct timespec wait = {.tv_nsec = 100000000};

	nanosleep(&wait, NULL);
	*(bool *)arg = true;
	return 0;
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_SEC_NS + (uint64_t)t.tv_nsec;
}

/* It waits for the lcore's end, and does not spin meanwhile. */
static void waiting(void)
{
	bool over = false;
	uint64_t cpu;

	eal();
	CU_ASSERT_EQUAL(rte_eal_remote_launch(nap, &over, 1), 0);
	cpu = thread_cpu_ns();
	rte_eal_mp_wait_lcore();
	cpu = thread_cpu_ns() - cpu;
	CU_ASSERT_TRUE(over);
	CU_ASSERT_EQUAL(rte_eal_get_lcore_state(1), WAIT);
	CU_ASSERT(cpu < 80000000);
}

/* EAL's memory is anonymous; what others ask for they get. */
static void memory(void)
{
	FILE *maps;
	char line[512];
	bool named = false;
	int fd;

	eal();
	maps = fopen("/proc/self/maps", "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(maps);
	while (fgets(line, sizeof(line), maps) != NULL)
		named = named || strstr(line, "nohuge") != NULL;
	fclose(maps);
	CU_ASSERT_FALSE(named);
	fd = memfd_create("another", MFD_CLOEXEC);
	CU_ASSERT(fd >= 0);
	close(fd);
}

NS_TEST_MAIN({"CPUs and nodes", cpus}, {"rate of the TSC", rate}, {"waiting for lcores", waiting},
	{"memory", memory})
