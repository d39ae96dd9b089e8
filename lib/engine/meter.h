/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Where a live lcore's time goes, at one reading of the time-stamp counter a burst:
 *
 *   ┌─ poll, nothing ─┐┌─ poll, burst, its analysis, a slice of ageing ─┐┌─ poll, nothing ─┐
 *   now               now                                               now
 *                         busy += now - the one before; longest
 *
 * So a burst answers for all that kept it waiting: ageing and changes of epochs before it too. With
 * rtc this is also what its packets waited. In a pipeline the RX lcore stamps packets with its
 * `now` in units of 2^RX_TIME_SHIFT cycles (32 bits: 100 s and more), which the analysis lcore
 * finds in the line that it reads anyway; the oldest packet of a burst speaks for all of the burst.
 *
 * A file has no time that its packets came at: nothing is measured there, and no counter read.
 */
#include "engine_priv.h"

#include <ns_quantile.h>

#include <rte_cycles.h>

#define RX_TIME_SHIFT 6

static inline uint32_t meter_rx_time(const struct lcore *l)
{
	return (uint32_t)(l->now >> RX_TIME_SHIFT);
}

/* The lcore begins, or has polled for nothing and rested. */
static inline void meter_idle(struct lcore *l)
{
	if (!l->metered)
		return;
	l->now = rte_rdtsc();
	ns_stat_add(&l->stats->empty, 1);
}

/* A burst of n is done; it was received rx_time ago, or with this poll when the role is both. */
static inline void meter_burst(struct lcore *l, uint16_t n, uint32_t rx_time)
{
	struct lcore_stats *s = l->stats;

	if (!l->metered)
		return;
	uint64_t now = rte_rdtsc(), took = now - l->now;

	l->now = now;
	ns_stat_add(&s->busy, took);
	ns_stat_add(&s->bursts, 1);
	ns_stat_add(&s->full, n == NS_BURST);
	if (took > s->longest)
		ns_stat_set(&s->longest, took);
	if (l->latency == NULL)
		return;
	if (l->role == ROLE_ANALYSIS) {
		/* counters of two CPUs may differ by a little */
		int32_t waited = (int32_t)(meter_rx_time(l) - rx_time);

		took = waited > 0 ? (uint64_t)waited << RX_TIME_SHIFT : 0;
	}
	ns_quantile_add_shared(l->latency, took, n);
}
