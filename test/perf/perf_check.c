/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What run to completion has to show. Other bars stand where their numbers come from: pipeline,
 * port, latency, churn, memory.
 */
#include "perf_bench.h"

#include <string.h>

static const struct perf_line *line(const struct perf_bench *b, uint32_t flows, const char *name)
{
	const struct perf_line like = {.traffic = "udp64", .flows = flows, .draw = PERF_UNIFORM};

	return perf_like(&b->a, &like, name);
}

static const uint32_t flows[] = {100000, 1000000, 8000000};
static const char *const names[] = {"100 k", "1 M", "8 M"};

static void floors(struct perf_bench *b)
{
	for (unsigned i = 0; i < NS_ARRAY_LEN(flows); i++) {
		const struct perf_line *core = line(b, flows[i], "rtc core");
		const struct perf_line *floor = line(b, flows[i], "floor");
		char name[96];

		if (core == NULL || floor == NULL)
			continue;
		snprintf(name, sizeof(name), "core set, %s flows: times the floor", names[i]);
		perf_bar(&b->a, name, "", perf_ratio(core, floor), PERF_AT_MOST, 3);
	}
}

static void rates(struct perf_bench *b)
{
	static const double least[] = {14.88, 10};

	for (unsigned i = 0; i < NS_ARRAY_LEN(least); i++) {
		const struct perf_line *core = line(b, flows[i], "rtc core");
		char name[96];

		if (core == NULL)
			continue;
		snprintf(name, sizeof(name), "core set, %s flows: packets a second", names[i]);
		perf_bar(&b->a, name, "Mpps", 1e3 / perf_median(core), PERF_AT_LEAST, least[i]);
	}
}

static void growth(struct perf_bench *b)
{
	static const double most[] = {1, 1.7, 2.2};
	const struct perf_line *few = line(b, flows[0], "rtc core");

	for (unsigned i = 1; few != NULL && i < NS_ARRAY_LEN(flows); i++) {
		const struct perf_line *core = line(b, flows[i], "rtc core");
		char name[96];

		if (core == NULL)
			continue;
		snprintf(name, sizeof(name), "core set, %s flows: times the cost at %s", names[i],
			names[0]);
		perf_bar(&b->a, name, "", perf_ratio(core, few), PERF_AT_MOST, most[i]);
	}
}

bool perf_check(struct perf_bench *b)
{
	unsigned missed = 0, bars = 0;

	printf("\nBars\n");
	floors(b);
	rates(b);
	growth(b);
	for (unsigned i = 0; i < b->a.values_n; i++) {
		bars += b->a.value[i].kind != PERF_NO_BAR;
		missed += !perf_met(&b->a.value[i]);
	}
	printf("%u of %u bars are met\n", bars - missed, bars);
	return missed == 0;
}
