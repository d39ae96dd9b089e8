/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long packets took, and where the lcores' time went: what control makes of what lcores note
 * (meter.h). Each lcore adds to a sketch of its own; control merges them once an epoch.
 */
#include "engine_priv.h"

#include <ns_quantile.h>

#include <rte_cycles.h>

#include <string.h>

static struct ns_quantile *sketch(void)
{
	static const struct ns_quantile_conf conf = {.error = 0.01};

	return ns_quantile_create(&conf);
}

int engine_latency_up(struct ns_engine *en, struct ns_err *e)
{
	bool ok;

	if (!en->live)
		return 0;
	en->latency = sketch();
	en->latency_before = sketch();
	ok = en->latency != NULL && en->latency_before != NULL;
	for (unsigned i = 0; i < en->lcores_n; i++) {
		struct lcore *l = &en->lcores[i];

		l->metered = true;
		if (l->role == ROLE_RX)
			continue;
		l->latency = sketch();
		ok = ok && l->latency != NULL;
	}
	return ok ? 0 : ns_fail(e, ENOMEM, "no memory for latencies");
}

void engine_latency_down(struct ns_engine *en)
{
	for (unsigned i = 0; en->lcores != NULL && i < en->lcores_n; i++)
		ns_quantile_destroy(en->lcores[i].latency);
	ns_quantile_destroy(en->latency);
	ns_quantile_destroy(en->latency_before);
	en->latency = en->latency_before = NULL;
}

static uint64_t to_ns(uint64_t cycles)
{
	uint64_t hz = rte_get_tsc_hz();

	return hz != 0 ? (uint64_t)((unsigned __int128)cycles * NS_SEC_NS / hz) : 0;
}

static void sum_up(const struct ns_quantile *q, struct ns_engine_latency *out)
{
	static const double p[] = {0.5, 0.99, 0.999};
	double v[3];

	ns_quantile_values(q, p, v, 3);
	*out = (struct ns_engine_latency){
		.packets = ns_quantile_count(q),
		.p50_ns = to_ns((uint64_t)v[0]),
		.p99_ns = to_ns((uint64_t)v[1]),
		.p999_ns = to_ns((uint64_t)v[2]),
		.max_ns = to_ns(ns_quantile_max(q)),
	};
}

void engine_latency_look(struct ns_engine *en)
{
	struct ns_quantile *now = en->latency;

	if (now == NULL)
		return;
	ns_quantile_reset(now);
	for (unsigned i = 0; i < en->lcores_n; i++) {
		if (en->lcores[i].latency != NULL)
			ns_quantile_merge_shared(now, en->lcores[i].latency);
	}
	sum_up(now, &en->latency_all);
	ns_quantile_since(en->latency_before, now);
	sum_up(en->latency_before, &en->latency_epoch);
	en->latency = en->latency_before;
	en->latency_before = now;
}

void engine_lcore_stats(const struct ns_engine *en, struct ns_engine_stats *s)
{
	static const enum ns_engine_role roles[] = {[ROLE_RX] = NS_ENGINE_RX,
		[ROLE_ANALYSIS] = NS_ENGINE_ANALYSIS,
		[ROLE_BOTH] = NS_ENGINE_BOTH};

	_Static_assert(LCORES_MAX <= NS_ENGINE_LCORES, "all have a place");
	s->latency = en->latency_all;
	s->latency_epoch = en->latency_epoch;
	s->lcores_n = en->lcores_n;
	if (en->live && en->launched != 0)
		s->run_ns = to_ns(rte_rdtsc() - en->launched);
	for (unsigned i = 0; i < en->lcores_n; i++) {
		const struct lcore *l = &en->lcores[i];
		const struct lcore_stats *st = l->stats;

		s->lcores[i] = (struct ns_engine_lcore){
			.id = l->id,
			.role = roles[l->role],
			.packets = ns_stat_get(
				l->role == ROLE_ANALYSIS ? &st->analysed : &st->received),
			.bursts = ns_stat_get(&st->bursts),
			.full = ns_stat_get(&st->full),
			.empty = ns_stat_get(&st->empty),
			.busy_ns = to_ns(ns_stat_get(&st->busy)),
			.longest_ns = to_ns(ns_stat_get(&st->longest)),
		};
	}
}
