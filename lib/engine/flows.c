/* SPDX-License-Identifier: BSD-3-Clause */
/* The flows that are in the tables now, for control. */
#include "engine_priv.h"

int ns_engine_flows(const struct ns_engine *en, struct ns_engine_flows *at, unsigned max,
	ns_flow_walk_fn *fn, void *ctx)
{
	while (at->lcore < en->lcores_n && en->lcores[at->lcore].flows == NULL)
		at->lcore++;
	if (at->lcore == en->lcores_n)
		return 0;
	int rc = ns_flow_walk(en->lcores[at->lcore].flows, &at->position, max, fn, ctx);

	if (rc != 0)
		return rc;
	at->position = 0;
	return ++at->lcore < en->lcores_n;
}

uint64_t ns_engine_flows_now(const struct ns_engine *en)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < en->lcores_n; i++) {
		struct ns_flow_stats s;

		if (en->lcores[i].flows == NULL)
			continue;
		ns_flow_table_stats(en->lcores[i].flows, &s);
		n += s.flows;
	}
	return n;
}

/*
 * Live the packets' clock stands still while none come, and time does not. A port's clock may be
 * one of its own (net_pcap plays the times of its file): then it is off by more than the idle
 * time-out, since nothing that quiet would still be in a table.
 */
uint64_t ns_engine_clock(const struct ns_engine *en)
{
	uint64_t clock = 0, real = ns_clock_real();

	for (unsigned i = 0; i < en->lcores_n; i++)
		clock = NS_MAX(clock, ns_stat_get(&en->lcores[i].stats->clock_ns));
	if (!en->live || clock == 0 || real < clock)
		return clock;
	return real - clock <= (en->flow_conf->idle + UINT64_C(5)) * NS_SEC_NS ? real : clock;
}
