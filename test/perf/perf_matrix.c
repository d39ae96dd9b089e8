/* SPDX-License-Identifier: BSD-3-Clause */
/* All wholes and stages, over all flows, draws and rates, by turns. */
#include "perf_bench.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* What runs over a bed. */
struct run {
	const char *name; /* NULL: stages only */
	unsigned what;
	bool stamps;
	struct perf_tasks *tasks;
	unsigned show; /* stages whose cost is shown */
	const char *task_name; /* of the stage tasks */
};

struct plan {
	struct run run[PERF_TASKS_MAX + 8];
	unsigned n;
};

static const char *const stage_names[PERF_STAGES] = {
	[PERF_RX] = "rx",
	[PERF_DECODE] = "decode",
	[PERF_HASH] = "hash",
	[PERF_COUNT] = "count",
	[PERF_FLOW] = "flow",
	[PERF_TASKS] = "tasks",
	[PERF_FREE] = "free",
	[PERF_AGE] = "age",
};

static void add_run(struct plan *p, struct run r)
{
	p->run[p->n++] = r;
}

static void make_plan(const struct perf_bench *b, uint64_t rate, struct plan *p)
{
	unsigned base = PERF_ALL & ~PERF_HAS(PERF_TASKS);

	p->n = 0;
	add_run(p, (struct run){.name = "rtc core", .what = PERF_ALL, .tasks = b->core});
	if (b->o.only_core)
		return;
	add_run(p, (struct run){.name = "rtc tasks", .what = PERF_ALL, .tasks = b->all});
	add_run(p, (struct run){.name = "rtc flows", .what = base});
	if (!b->o.stages)
		return;
	add_run(p, (struct run){.what = PERF_ALL,
			   .stamps = true,
			   .tasks = b->core,
			   .show = PERF_ALL,
			   .task_name = "core"});
	add_run(p, (struct run){.what = PERF_ALL,
			   .stamps = true,
			   .tasks = b->all,
			   .show = PERF_HAS(PERF_TASKS),
			   .task_name = "tasks"});
	if (rate > 0)
		return;
	add_run(p, (struct run){.what = PERF_HAS(PERF_RX) | PERF_HAS(PERF_COUNT) |
					PERF_HAS(PERF_DECODE) | PERF_HAS(PERF_HASH) |
					PERF_HAS(PERF_FREE),
			   .stamps = true,
			   .show = PERF_HAS(PERF_HASH)});
	for (unsigned i = 0; i < b->each_n; i++)
		add_run(p, (struct run){.what = PERF_ALL,
				   .stamps = true,
				   .tasks = b->each[i],
				   .show = PERF_HAS(PERF_TASKS),
				   .task_name = b->each[i]->name});
}

static void measure(
	struct perf_bench *b, struct perf_bed *bed, enum perf_draw draw, const struct run *r)
{
	const char *traffic = b->l.traffic->name;
	struct perf_cost c = {0};

	b->l.tasks = r->tasks;
	perf_run(&b->l, bed, draw, r->what, r->stamps, b->o.packets, &c);
	if (r->name != NULL)
		perf_add(&b->a, traffic, bed, draw, false, r->name, c.all);
	for (unsigned i = 0; i < PERF_STAGES; i++) {
		if (r->show & PERF_HAS(i))
			perf_add(&b->a, traffic, bed, draw, true,
				i == PERF_TASKS ? r->task_name : stage_names[i], c.stage[i]);
	}
}

static void measure_floor(struct perf_bench *b, struct perf_bed *bed, enum perf_draw draw)
{
	const char *traffic = b->l.traffic->name;
	struct perf_floor f;

	b->l.tasks = NULL;
	perf_floor(&b->l, bed, draw, NS_MIN(b->o.packets, 1u << 20), &f);
	perf_add(&b->a, traffic, bed, draw, false, "floor", f.sum);
	for (unsigned i = 0; i < PERF_PARTS; i++) {
		char name[48];

		snprintf(name, sizeof(name), "floor: %s", perf_part_names[i]);
		perf_add(&b->a, traffic, bed, draw, true, name, f.part[i]);
	}
	perf_add(&b->a, traffic, bed, draw, false, "floor in one loop", f.loop);
}

/* Ends all flows: each packet that went into the table must come out in a record. */
static int count_out(struct perf_bench *b, struct perf_bed **bed, unsigned n, struct ns_err *e)
{
	struct perf_lcore *l = &b->l;

	l->tasks = NULL;
	for (unsigned i = 0; i < n; i++)
		ns_flow_end_all(bed[i]->table, bed[i]->clock_ns);
	if (l->ended_packets == l->flowed)
		return 0;
	return ns_fail(e, EPROTO,
		"%" PRIu64 " packets went into flow tables, %" PRIu64 " came out in records",
		l->flowed, l->ended_packets);
}

/* All beds of one traffic and rate take turns, and in each bed all runs. */
static int group(struct perf_bench *b, uint64_t rate, struct ns_err *e)
{
	struct perf_bed *bed[PERF_LIST_MAX] = {0};
	unsigned from = b->a.n, flows_n = b->l.traffic->patched ? b->o.flows_n : 1;
	struct plan p;
	int rc = 0;

	b->l.flowed = b->l.ended_packets = 0;
	make_plan(b, rate, &p);
	for (unsigned i = 0; rc == 0 && i < flows_n; i++) {
		struct perf_bed_conf c = {
			.flows = (uint32_t)b->o.flows[i], .rate = rate, .pps = b->o.pps};

		bed[i] = perf_bed_create(&c, &b->l, i);
		if (bed[i] == NULL)
			rc = ns_fail(e, errno, "no flow table for %" PRIu64 " flows: %s",
				b->o.flows[i], strerror(errno));
		else
			perf_warm(&b->l, bed[i]);
	}
	for (unsigned r = 0; rc == 0 && r < b->o.rounds; r++) {
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%s, %" PRIu64 " new a second: round %u of %u ",
				b->l.traffic->name, rate, r + 1, b->o.rounds);
		for (unsigned i = 0; i < flows_n; i++) {
			for (unsigned d = 0; d < PERF_DRAWS; d++) {
				if (!b->o.draw[d] || (d > 0 && !b->l.traffic->patched))
					continue;
				measure_floor(b, bed[i], d);
				for (unsigned k = 0; k < p.n; k++)
					measure(b, bed[i], d, &p.run[k]);
			}
		}
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (rc == 0 && b->o.quick && b->l.traffic->patched)
		rc = count_out(b, bed, flows_n, e);
	for (unsigned i = 0; i < flows_n; i++)
		perf_bed_destroy(bed[i]);
	if (rc == 0)
		perf_print(&b->a, from, stdout);
	fflush(stdout);
	return rc;
}

int perf_matrix(struct perf_bench *b, struct ns_err *e)
{
	int rc = 0;

	for (unsigned t = 0; rc == 0 && t < b->o.traffic_n; t++) {
		struct perf_traffic *traffic = perf_traffic_create(b->o.traffic[t], e);

		if (traffic == NULL)
			return -errno;
		b->l.traffic = traffic;
		for (unsigned r = 0; rc == 0 && r < (traffic->patched ? b->o.rates_n : 1); r++)
			rc = group(b, traffic->patched ? b->o.rates[r] : 0, e);
		perf_traffic_destroy(traffic);
	}
	return rc;
}
