/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Octets of a flow, index included: by how much the process grows when a table is made and filled
 * to the last place, and what ns_flow_table_memory() says that it takes of EAL's memory. Tables
 * stay until all are measured, so that none is made of what another has left.
 */
#include "perf_bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR 192

/* Octets in memory of this process. */
static double resident(void)
{
	unsigned long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f != NULL && fscanf(f, "%lu %lu", &size, &pages) != 2)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static int one(struct perf_bench *b, uint32_t flows, unsigned id, struct perf_bed **bed)
{
	struct perf_bed_conf c = {.flows = flows, .pps = b->o.pps, .max = flows};
	struct ns_flow_stats s;
	double before = resident(), grown;
	char name[96], count[16];

	*bed = perf_bed_create(&c, &b->l, id);
	if (*bed == NULL)
		return -errno;
	perf_warm(&b->l, *bed);
	ns_flow_table_stats((*bed)->table, &s);
	grown = resident() - before;
	ns_fmt_count(count, sizeof(count), (double)s.flows);
	snprintf(name, sizeof(name), "octets a flow in a table of %s flows, measured", count);
	/* of few flows the least that a table has is all there is to see */
	perf_bar(&b->a, name, "octets", grown / (double)s.flows,
		flows >= 1000000 ? PERF_AT_MOST : PERF_NO_BAR, BAR);
	snprintf(name, sizeof(name), "of these EAL's, in a table of %s flows, by its own account",
		count);
	perf_value(&b->a, name, "octets", (double)(*bed)->memory / (double)s.flows);
	return 0;
}

int perf_memory(struct perf_bench *b, struct ns_err *e)
{
	struct perf_traffic *traffic = perf_traffic_create("udp64", e);
	struct perf_bed *bed[PERF_LIST_MAX] = {0};
	int rc = traffic != NULL ? 0 : -errno;

	if (rc == 0)
		printf("\nMemory\n");
	b->l.traffic = traffic;
	for (unsigned i = 0; rc == 0 && i < b->o.flows_n; i++) {
		if (b->o.flows[i] < 100000 && !b->o.quick)
			continue;
		rc = one(b, (uint32_t)b->o.flows[i], i, &bed[i]);
		if (rc < 0)
			ns_fail(e, -rc, "no flow table: %s", strerror(-rc));
	}
	for (unsigned i = 0; i < b->o.flows_n; i++)
		perf_bed_destroy(bed[i]);
	perf_traffic_destroy(traffic);
	return rc;
}
