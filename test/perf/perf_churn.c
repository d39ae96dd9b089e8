/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table whose flows come and go: every second packet is a flow of its own, which ends when it has
 * been idle. The packets' clock runs as fast as the lcore can, faster than 1 M new flows a second
 * of wall time when the engine is any good. Each burst and each slice of ageing is timed alone.
 */
#include "perf_bench.h"
#include "perf_loop.h"

#include <stdlib.h>
#include <string.h>

#define RATE 1000000u /* new flows a second of the clock */
#define ACTIVE 100000u /* flows that the other packets are drawn from */
#define BAR_NS 50000
#define SHORT_NS 20000 /* of a shorter one the kernel is not asked whose it was */

struct churn {
	struct perf_hist bursts, slices;
	uint64_t longest_burst, longest_slice; /* own time, ns */
	uint64_t over; /* BAR_NS, by their own time */
	struct perf_control control;
	uint64_t ticks, packets;
};

/* A stall that may be another thread's is looked into at once. */
static void note(struct perf_lcore *l, struct churn *c, struct perf_hist *h, uint64_t *longest,
	uint64_t ticks, struct perf_look *look)
{
	uint64_t ns = (uint64_t)((double)ticks * l->tsc_ns);

	perf_hist_add(h, ns);
	if (ns_unlikely(ns > SHORT_NS)) {
		uint64_t away = perf_away(look, l->tsc_ns);

		ns -= NS_MIN(away, ns);
	}
	*longest = NS_MAX(*longest, ns);
	c->over += ns > BAR_NS;
}

static void one_round(struct perf_lcore *l, struct perf_bed *b, struct churn *c)
{
	struct perf_stamps s = {0};
	struct perf_look look;
	uint64_t last;

	perf_fill(l, b, PERF_UNIFORM, NULL);
	perf_look(&look);
	last = perf_ticks();
	for (uint32_t at = 0; at < l->ring_n; at += PERF_BURST) {
		uint64_t took;

		perf_burst(l, b, at, PERF_BURST, PERF_ALL & ~PERF_HAS(PERF_AGE), &s);
		took = perf_ticks() - last;
		c->ticks += took;
		note(l, c, &c->bursts, &c->longest_burst, took, &look);
		last = perf_ticks();
		if (at / PERF_BURST % PERF_AGE_EVERY != 0)
			continue;
		ns_flow_age(b->table, b->clock_ns);
		took = perf_ticks() - last;
		c->ticks += took;
		note(l, c, &c->slices, &c->longest_slice, took, &look);
		last = perf_ticks();
	}
	c->packets += l->ring_n;
}

static void values(
	struct perf_bench *b, const struct churn *c, uint64_t created, uint64_t ended, double flows)
{
	double seconds = (double)c->ticks * b->l.tsc_ns / 1e9;
	struct perf_answers *a = &b->a;
	double stall = (double)NS_MAX(c->longest_burst, c->longest_slice) / 1e3;

	printf("\nChurn: every second packet a new flow, %.1f s\n", seconds);
	perf_value(a, "churn: flows in the table", "M", flows / 1e6);
	perf_bar(a, "churn: flows created a second of wall time", "M",
		(double)created / seconds / 1e6, b->o.quick ? PERF_NO_BAR : PERF_AT_LEAST, 1);
	perf_value(a, "churn: flows ended a second", "M", (double)ended / seconds / 1e6);
	perf_value(a, "churn: packet", "ns", seconds * 1e9 / (double)c->packets);
	perf_value(a, "churn: burst, p99.9", "us", perf_hist_rank(&c->bursts, 0.999) / 1e3);
	perf_value(a, "churn: longest burst", "us", (double)c->bursts.max / 1e3);
	perf_value(a, "churn: longest burst, own time", "us", (double)c->longest_burst / 1e3);
	perf_value(
		a, "churn: slice of ageing, p99.9", "us", perf_hist_rank(&c->slices, 0.999) / 1e3);
	perf_value(a, "churn: longest slice of ageing", "us", (double)c->slices.max / 1e3);
	perf_value(a, "churn: longest slice of ageing, own time", "us",
		(double)c->longest_slice / 1e3);
	perf_bar(a, "churn: longest stall, own time", "us", stall,
		b->o.quick ? PERF_NO_BAR : PERF_AT_MOST, BAR_NS / 1e3);
	perf_value(a, "churn: stalls over 50 us by their own time", "", (double)c->over);
	perf_value(a, "churn: such gaps of a loop that only reads the clock, in half the time", "",
		(double)c->control.own_n);
	perf_value(a, "churn: longest of them", "us", (double)c->control.own / 1e3);
}

static int run(struct perf_bench *b, struct ns_err *e)
{
	uint32_t flows = b->o.churn_flows;
	struct perf_bed_conf conf = {
		.flows = NS_MIN(ACTIVE, flows / 4), .rate = RATE, .pps = 2.0 * RATE};
	struct ns_flow_stats before, after;
	struct churn *c = calloc(1, sizeof(*c));
	struct perf_bed *bed;

	if (c == NULL)
		return ns_fail(e, ENOMEM, "no memory");
	if (b->o.quick) {
		conf.rate = flows;
		conf.pps = 2.0 * flows;
	}
	conf.idle = (uint32_t)NS_MAX(flows / conf.rate, 1);
	conf.max = flows / 4 * 5 + conf.flows;
	bed = perf_bed_create(&conf, &b->l, 0);
	if (bed == NULL) {
		free(c);
		return ns_fail(e, errno, "no flow table: %s", strerror(errno));
	}
	perf_warm(&b->l, bed);
	b->l.tasks = b->core;
	ns_tasks_reset(b->core->tasks, b->core->state);
	ns_flow_table_stats(bed->table, &before);
	for (uint64_t end = (uint64_t)(b->o.seconds * 1e9 / b->l.tsc_ns); c->ticks < end;)
		one_round(&b->l, bed, c);
	perf_control(&b->l, b->o.seconds / 2, BAR_NS, &c->control);
	ns_flow_table_stats(bed->table, &after);
	b->l.tasks = NULL;
	values(b, c, after.created - before.created, after.ended - before.ended,
		(double)after.flows);
	perf_bed_destroy(bed);
	free(c);
	return 0;
}

int perf_churn(struct perf_bench *b, struct ns_err *e)
{
	struct perf_traffic *traffic = perf_traffic_create("udp64", e);
	int rc;

	if (traffic == NULL)
		return -errno;
	b->l.traffic = traffic;
	rc = run(b, e);
	perf_traffic_destroy(traffic);
	return rc;
}
