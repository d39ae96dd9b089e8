/* SPDX-License-Identifier: BSD-3-Clause */
/* ns-perf: EAL and tasks up, what there is to do, down. See perf.h. */
#include "perf_bench.h"

#include <ns_registry.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* What the tables of the largest group of beds take, at most. */
static uint64_t tables(const struct perf_bench *b)
{
	const struct perf_options *o = &b->o;
	struct perf_bed_conf c = {.pps = o->pps};
	uint64_t most = 0;

	for (unsigned r = 0; r < o->rates_n; r++) {
		uint64_t sum = 0;

		for (unsigned i = 0; i < o->flows_n; i++) {
			c.flows = (uint32_t)o->flows[i];
			c.rate = o->rates[r];
			sum += perf_bed_memory(&c, b->conf);
		}
		most = NS_MAX(most, sum);
	}
	c = (struct perf_bed_conf){.flows = 1000000, .rate = 1000000, .pps = PERF_PPS};
	most = NS_MAX(most, perf_bed_memory(&c, b->conf));
	c = (struct perf_bed_conf){.pps = PERF_PPS, .max = o->churn ? o->churn_flows * 5 / 4 : 0};
	return NS_MAX(most, perf_bed_memory(&c, b->conf));
}

/*
 * Lcore 0, which is this thread, sits on the last CPU that the process may use, as interrupts like
 * the first; lcore 1 on the first.
 */
static int eal_up(const struct perf_bench *b, struct ns_err *e)
{
	static char mib[16], lcores[64];
	static char *argv[] = {(char *)"ns-perf", (char *)"--no-huge", (char *)"--no-shconf",
		(char *)"--no-pci", (char *)"--no-telemetry", (char *)"-m", mib, (char *)"--lcores",
		lcores, (char *)"--log-level", (char *)"*:error", NULL};
	uint64_t memory = tables(b);
	cpu_set_t set;
	int first = -1, last = 0;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return ns_fail(e, errno, "can not tell which CPUs may be used");
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &set)) {
			first = first < 0 ? i : first;
			last = i;
		}
	}
	memory += memory / 4 + ((uint64_t)512 << 20) + (uint64_t)b->o.ring * 64;
	snprintf(mib, sizeof(mib), "%" PRIu64, memory >> 20);
	snprintf(lcores, sizeof(lcores), "0@%d,1@%d", last, first);
	if (rte_eal_init((int)NS_ARRAY_LEN(argv) - 1, argv) < 0)
		return ns_fail(e, rte_errno, "DPDK's environment does not start: %s",
			rte_strerror(rte_errno));
	return 0;
}

static int up(struct perf_bench *b, struct ns_err *e)
{
	int n, rc = ns_registry_seal(e);

	if (rc < 0)
		return rc;
	b->conf = ns_conf_load(NULL, b->o.conf, b->o.conf_n, e);
	if (b->conf == NULL)
		return -errno;
	rc = eal_up(b, e);
	if (rc < 0)
		return rc;
	b->core = perf_tasks_core(e);
	b->all = b->core != NULL ? perf_tasks_create("tasks", "", e) : NULL;
	if (b->all == NULL)
		return -errno;
	n = perf_tasks_each(b->each, PERF_TASKS_MAX, e);
	if (n < 0)
		return n;
	b->each_n = (unsigned)n;
	return perf_lcore_init(&b->l, 0, b->conf, b->o.ring, e);
}

static void down(struct perf_bench *b)
{
	for (unsigned i = 0; i < b->each_n; i++)
		perf_tasks_destroy(b->each[i]);
	perf_tasks_destroy(b->all);
	perf_tasks_destroy(b->core);
	perf_lcore_fini(&b->l);
	ns_conf_destroy(b->conf);
	free(b->a.line);
	free(b->a.value);
}

static int work(struct perf_bench *b, struct ns_err *e)
{
	const struct perf_lcore *l = &b->l;
	int rc = 0;

	printf("ns-perf: %u rounds of %" PRIu64 " packets, ring of %u, clock of %.0f packets/s\n",
		b->o.rounds, b->o.packets, b->o.ring, b->o.pps);
	/* memory first: what others leave behind would be counted as there before */
	rc = b->o.memory ? perf_memory(b, e) : 0;
	rc = rc == 0 && b->o.matrix ? perf_matrix(b, e) : rc;
	rc = rc == 0 && b->o.pipeline ? perf_pipeline(b, e) : rc;
	rc = rc == 0 && b->o.port ? perf_port(b, e) : rc;
	rc = rc == 0 && b->o.latency ? perf_latency(b, e) : rc;
	rc = rc == 0 && b->o.churn ? perf_churn(b, e) : rc;
	if (rc == 0 && !perf_conserved(&l, 1, e))
		rc = -EPROTO;
	if (rc < 0)
		return rc;
	printf("\n%" PRIu64 " of %" PRIu64 " readings of a ring left out: another thread ran\n"
	       "%" PRIu64 " packets, all accounted for; %" PRIu64 " flows have ended\n",
		l->interrupted, l->rounds, l->received + b->packets, l->ended);
	return b->o.json != NULL ? perf_json(b, e) : 0;
}

int main(int argc, char **argv)
{
	static struct perf_bench b = {
		.o = {.traffic = {"udp64", "imix"},
			.traffic_n = 2,
			.flows = {1000, 100000, 1000000, 8000000},
			.flows_n = 4,
			.rates = {0, 10000, 1000000},
			.rates_n = 3,
			.draw = {true, true},
			.stages = true,
			.rounds = 5,
			.packets = 4000000,
			.ring = 1024,
			.pps = PERF_PPS,
			.seconds = 10,
			.churn_flows = 10000000},
	};
	struct ns_err e = {""};
	bool met = true;
	int rc;

	perf_options(argc, argv, &b.o);
	rc = up(&b, &e);
	rc = rc < 0 ? rc : work(&b, &e);
	if (rc < 0)
		fprintf(stderr, "ns-perf: %s\n", e.text);
	else if (b.o.check)
		met = perf_check(&b);
	down(&b);
	return rc < 0 || !met ? 1 : 0;
}
