/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When flows end. Every decision is a function of the flow and of the packet clock, so that it is
 * the same whether the ager, the next packet, an eviction or the end of input finds it.
 */
#include "flow_priv.h"

#include <rte_prefetch.h>

#define SHARDS_A_SLICE 4
#define FLOWS_A_SHARD 32

/*
 * Ends what is due among the first flows of both lists; at most max of them are looked at. Idle
 * flows stand in front of the live list: the walk ends at the first that was moved too lately.
 */
static void age_shard(struct ns_flow_table *t, struct shard *s, uint64_t clock_ns, uint32_t max)
{
	uint32_t tick = flow_tick(clock_ns);
	uint32_t idle_ticks = (uint32_t)(t->idle_ns >> TICK_SHIFT);
	uint32_t seen = 0;

	while (s->closing.first != NONE && seen++ < max) {
		if (flow_due(t, &t->flows[s->closing.first], clock_ns) == 0)
			break;
		flow_remove(t, s->closing.first, NS_FLOW_END_DETECTED);
	}
	for (uint32_t pos = s->live.first; pos != NONE && seen++ < max;) {
		const struct flow *f = &t->flows[pos];
		uint32_t next = f->next;

		/* ticks wrap after 36 years, so the clock is asked first */
		if (clock_ns > f->last_clock && clock_ns - f->last_clock > t->idle_ns)
			flow_remove(t, pos, flow_due(t, f, clock_ns));
		else if (tick - f->moved < idle_ticks)
			break;
		pos = next;
	}
}

void ns_flow_age(struct ns_flow_table *t, uint64_t clock_ns)
{
	for (unsigned i = 0; i < SHARDS_A_SLICE; i++) {
		struct shard *s = &t->shards[t->age_at];

		if (s->count > 0)
			age_shard(t, s, clock_ns, FLOWS_A_SHARD);
		if (++t->age_at == t->shards_all)
			t->age_at = 0;
	}
}

void ns_flow_age_all(struct ns_flow_table *t, uint64_t clock_ns)
{
	for (uint32_t i = 0; i < t->shards_all; i++) {
		if (t->shards[i].count > 0)
			age_shard(t, &t->shards[i], clock_ns, UINT32_MAX);
	}
}

void flow_make_room(struct ns_flow_table *t, struct shard *s, uint64_t clock_ns)
{
	age_shard(t, s, clock_ns, UINT32_MAX);
	if (s->count < t->shard_cap)
		return;
	uint32_t pos = s->closing.first != NONE ? s->closing.first : s->live.first;

	flow_remove(t, pos,
		(t->flows[pos].state & FLOW_CLOSED) != 0 ? NS_FLOW_END_DETECTED
							 : NS_FLOW_END_RESOURCES);
}

/* Reports a list and leaves it; nothing is taken out of the hash, as the table has served. */
static void end_list(struct ns_flow_table *t, struct shard *s, struct list *l, uint64_t clock_ns)
{
	for (uint32_t pos = l->first; pos != NONE; pos = t->flows[pos].next) {
		const struct flow *f = &t->flows[pos];
		uint8_t due = flow_due(t, f, clock_ns);
		void *key = NULL;

		if (f->next != NONE)
			rte_prefetch0(&t->flows[f->next]);
		if ((f->state & FLOW_CLOSED) != 0)
			due = NS_FLOW_END_DETECTED;
		if (rte_hash_get_key_with_position(t->hash, (int32_t)pos, &key) == 0)
			flow_report(t, pos, key, due != 0 ? due : NS_FLOW_END_FORCED);
		s->count--;
		ns_stat_add(&t->stats.flows, UINT64_MAX);
	}
	*l = (struct list){NONE, NONE};
}

void ns_flow_end_all(struct ns_flow_table *t, uint64_t clock_ns)
{
	for (uint32_t i = 0; i < t->shards_all; i++) {
		struct shard *s = &t->shards[i];

		end_list(t, s, &s->closing, clock_ns);
		end_list(t, s, &s->live, clock_ns);
	}
}
