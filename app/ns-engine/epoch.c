/* SPDX-License-Identifier: BSD-3-Clause */
#include "epoch.h"

#include <inttypes.h>
#include <stdio.h>

static struct ns_engine_stats now; /* large; main thread only */

static const char *nanoseconds(char *buf, size_t len, uint64_t ns)
{
	return ns_fmt_seconds(buf, len, (double)ns / 1e9);
}

/* How long packets took; nothing when none did. */
static void print_latency(const char *before, const struct ns_engine_latency *l, const char *after)
{
	char p50[32], p99[32], p999[32], max[32];

	if (l->packets == 0)
		return;
	printf("%sp50 %s, p99 %s, p99.9 %s, at most %s%s", before,
		nanoseconds(p50, sizeof(p50), l->p50_ns), nanoseconds(p99, sizeof(p99), l->p99_ns),
		nanoseconds(p999, sizeof(p999), l->p999_ns),
		nanoseconds(max, sizeof(max), l->max_ns), after);
}

static void print_lcore(const struct ns_engine_lcore *l, uint64_t run_ns)
{
	static const char *const roles[] = {[NS_ENGINE_RX] = "reads",
		[NS_ENGINE_ANALYSIS] = "analyses",
		[NS_ENGINE_BOTH] = "reads and analyses"};
	double bursts = (double)NS_MAX(l->bursts, 1), run = (double)NS_MAX(run_ns, 1);
	char longest[32];

	printf("lcore %-3u %20" PRIu64 " bursts, %.1f packets each, %.1f %% full, longest %s; "
	       "busy %.1f %% (%s)\n",
		l->id, l->bursts, (double)l->packets / bursts, 100 * (double)l->full / bursts,
		nanoseconds(longest, sizeof(longest), l->longest_ns),
		100 * (double)l->busy_ns / run, roles[l->role]);
}

void epoch_tick(void *ctx, struct ns_engine *en, const struct ns_engine_state *state)
{
	struct epoch *e = ctx;
	const struct ns_epoch_rec *s = &state->epoch;
	char pps[32], bps[32], flows[32], date[40];
	double dt = (double)NS_MAX(s->end_ns - s->start_ns, 1) / 1e9;

	if (e->quiet || s->last)
		return;
	ns_fmt_time(date, sizeof(date), s->end_ns);
	date[19] = '\0'; /* whole seconds */
	printf("%s epoch %" PRIu64 ": %s packets/s, %s bit/s, %s flows, %" PRIu64
	       " records, %" PRIu64 " dropped, %" PRIu64 " packets in all",
		date, s->epoch, ns_fmt_count(pps, sizeof(pps), (double)s->epoch_received / dt),
		ns_fmt_count(bps, sizeof(bps), 8 * (double)s->epoch_octets / dt),
		ns_fmt_count(flows, sizeof(flows), (double)s->flows), s->records - e->records,
		s->epoch_dropped, s->received);
	if (s->latency_max_ns > 0)
		print_latency("; ",
			&(struct ns_engine_latency){.packets = 1,
				.p50_ns = s->latency_p50_ns,
				.p99_ns = s->latency_p99_ns,
				.p999_ns = s->latency_p999_ns,
				.max_ns = s->latency_max_ns},
			"");
	putchar('\n');
	fflush(stdout);
	e->records = s->records;
}

bool epoch_report(struct ns_engine *en)
{
	char lag[32], merge[32];
	const struct ns_counter *const *all;
	unsigned n;

	ns_engine_stats(en, &now);
	bool holds = ns_engine_conserved(&now);

	printf("received  %20" PRIu64 " packets, %" PRIu64 " octets\n"
	       "analysed  %20" PRIu64 "\n",
		now.received, now.octets, now.analysed);
	all = ns_counters_all(&n);
	for (unsigned i = 0; i < n; i++) {
		uint64_t v = now.counters.v[all[i]->id];

		if (v == 0)
			continue;
		printf("%s %19" PRIu64 " %s: %s\n",
			all[i]->kind == NS_COUNTER_DROP ? "dropped  " : "note     ", v,
			all[i]->name, all[i]->help);
	}
	for (unsigned w = 0; w < now.workers; w++) {
		if (now.ring_full[w] > 0)
			printf("ring_full[%u] %16" PRIu64 "\n", w, now.ring_full[w]);
	}
	printf("flows     %20" PRIu64 " created, %" PRIu64 " ended, %" PRIu64
	       " for lack of room, %" PRIu64 " records\n",
		now.flows.created, now.flows.ended, now.flows.evicted, now.records);
	if (now.handover.epochs > 0)
		printf("epochs    %20" PRIu64 " handed over, %" PRIu64
		       " late; hand-over at most %s, merge at most %s\n",
			now.handover.epochs, now.handover.late,
			ns_fmt_seconds(lag, sizeof(lag), (double)now.handover.lag_max_ns / 1e9),
			ns_fmt_seconds(
				merge, sizeof(merge), (double)now.handover.merge_max_ns / 1e9));
	print_latency("latency   ", &now.latency, " from RX to end of analysis\n");
	for (unsigned i = 0; i < now.lcores_n; i++)
		print_lcore(&now.lcores[i], now.run_ns);
	printf("%s: received %s analysed + dropped\n", holds ? "conserved" : "NOT CONSERVED",
		holds ? "=" : "!=");
	fflush(stdout);
	return holds;
}
