/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When flows end. Every decision is a function of the flow and of the packet clock, so that it is
 * the same whether the ager, the next packet, an eviction or the end of input finds it.
 */
#include "flow_priv.h"

#include <rte_prefetch.h>

#define SHARDS_A_SLICE 2
#define ENDS_A_SLICE                                                                 \
	8 /* flows that one slice ends, besides as many as have begun since the last \
	   */
#define ENDS_MOST 40
#define MISSES_A_SHARD \
	2 /* flows that are not due, and that it looks behind: each is a miss of the caches */
#define LOOKS_TO_EVICT 4 /* each is a miss of the caches */

static inline void ask_for(const struct ns_flow_table *t, uint32_t pos)
{
	if (pos == NONE)
		return;
	rte_prefetch0(&t->store.hot[pos]);
	rte_prefetch0(&t->store.warm[pos]);
}

/* When the tick began that was so many before that of the clock. */
static inline uint64_t tick_ns(uint64_t clock_ns, uint32_t before)
{
	uint64_t tick = clock_ns >> TICK_SHIFT;

	return tick > before ? (tick - before) << TICK_SHIFT : 0;
}

/*
 * Ends what is due among the first flows of both lists: of those that are not, at most misses are
 * looked at, and at most *ends end. Idle flows stand in front of the live list: the walk ends at
 * the first that was moved too lately. Returns the clock before which nothing in the shard can be
 * due, if it has seen all that could.
 *
 * A flow is due not later than an eighth of the idle time-out after those that stand behind it
 * could be, so even one that is looked at and not looked behind keeps them no longer than that.
 */
static uint64_t age_shard(struct ns_flow_table *t, struct shard *s, uint64_t clock_ns,
	uint32_t misses, uint32_t *ends)
{
	uint32_t tick = flow_tick(clock_ns);
	uint64_t first = UINT64_MAX;
	uint32_t seen = 0;

	while (s->closing.first != NONE && *ends > 0) {
		ask_for(t, t->store.warm[s->closing.first].next);
		if (flow_due(t, s->closing.first, clock_ns) == 0)
			break;
		flow_remove(t, s->closing.first, NS_FLOW_END_DETECTED);
		(*ends)--;
	}
	for (uint32_t pos = s->live.first; pos != NONE && seen<misses && * ends> 0;) {
		const struct hot *f = &t->store.hot[pos];
		uint32_t next = t->store.warm[pos].next;

		ask_for(t, next);
		/* ticks wrap after 36 years, so the clock is asked first */
		if (clock_ns > f->last_clock && clock_ns - f->last_clock > t->idle_ns) {
			flow_remove(t, pos, flow_due(t, pos, clock_ns));
			(*ends)--;
		} else {
			/* it was not moved before this, nor was any flow behind it */
			seen++;
			uint32_t moved = f->look - t->move_ticks;

			first = NS_MIN(first, f->last_clock);
			if (tick - moved < t->idle_ticks) {
				first = NS_MIN(first, tick_ns(clock_ns, tick - moved));
				break;
			}
		}
		pos = next;
	}
	return first == UINT64_MAX ? clock_ns : first + t->idle_ns;
}

/*
 * Meant to be called once a burst. A table must be able to end as many flows as begin, and no burst
 * should pay for more than a few.
 */
void ns_flow_age(struct ns_flow_table *t, uint64_t clock_ns)
{
	uint64_t begun = t->stats.created - t->aged_created;
	uint32_t ends = (uint32_t)NS_MIN(ENDS_A_SLICE + begun, (uint64_t)ENDS_MOST);

	t->aged_created = t->stats.created;
	for (unsigned i = 0; i < SHARDS_A_SLICE && ends > 0; i++) {
		struct shard *s = &t->shards[t->age_at];

		if (s->count > 0)
			age_shard(t, s, clock_ns, MISSES_A_SHARD, &ends);
		if (++t->age_at == t->shards_all)
			t->age_at = 0;
	}
	for (unsigned i = 0; i < SHARDS_A_SLICE && t->age_at + i < t->shards_all; i++)
		ask_for(t, t->shards[t->age_at + i].live.first);
}

void ns_flow_age_all(struct ns_flow_table *t, uint64_t clock_ns)
{
	for (uint32_t i = 0; i < t->shards_all; i++) {
		uint32_t ends = UINT32_MAX;

		if (t->shards[i].count > 0)
			age_shard(t, &t->shards[i], clock_ns, UINT32_MAX, &ends);
	}
}

static uint64_t weight(const struct ns_flow_table *t, uint32_t pos)
{
	const struct hot *f = &t->store.hot[pos];
	uint64_t n = (uint64_t)f->packets[0] + f->packets[1];

	if ((f->state & FLOW_BIG) != 0)
		n += t->store.big[pos].packets[0] + t->store.big[pos].packets[1];
	return n;
}

/*
 * Of the flows in front of the live list: the first that is due, with its reason; or the one idle
 * longest, and of those the smallest.
 */
static uint32_t least(
	const struct ns_flow_table *t, const struct shard *s, uint64_t clock_ns, uint8_t *reason)
{
	uint32_t best = s->live.first, pos = best;

	for (unsigned i = 0; pos != NONE && i < LOOKS_TO_EVICT; i++) {
		const struct hot *f = &t->store.hot[pos], *b = &t->store.hot[best];

		ask_for(t, t->store.warm[pos].next);
		if (clock_ns > f->last_clock && clock_ns - f->last_clock > t->idle_ns) {
			*reason = flow_due(t, pos, clock_ns);
			return pos;
		}
		if (f->last_clock < b->last_clock ||
			(f->last_clock == b->last_clock && weight(t, pos) < weight(t, best)))
			best = pos;
		pos = t->store.warm[pos].next;
	}
	*reason = NS_FLOW_END_RESOURCES;
	return best;
}

/*
 * A file's table ends all that is due before it evicts, however long that takes, since what it
 * evicts must not depend on when the ager ran; it remembers until when nothing can be due. Live, a
 * few looks must do.
 */
void flow_make_room(struct ns_flow_table *t, struct shard *s, uint64_t clock_ns)
{
	uint32_t ends = UINT32_MAX, pos = s->closing.first;
	uint8_t reason = NS_FLOW_END_DETECTED;

	if (t->file && clock_ns > s->due_ns) {
		s->due_ns = age_shard(t, s, clock_ns, UINT32_MAX, &ends);
		if (s->count < t->shard_cap)
			return;
		pos = s->closing.first;
	}
	if (pos == NONE)
		pos = least(t, s, clock_ns, &reason);
	flow_remove(t, pos, reason);
	ask_for(t, s->live.first);
}

/*
 * In the order of memory, which is nearly that in which the flows began: lists would jump from line
 * to line. Nothing is taken out of the index, as the table has served.
 */
void ns_flow_end_all(struct ns_flow_table *t, uint64_t clock_ns)
{
	for (uint32_t pos = 0; pos < t->store.fresh; pos++) {
		const struct hot *f = &t->store.hot[pos];
		uint8_t due = NS_FLOW_END_DETECTED;

		if (!flow_used(f))
			continue;
		if ((f->state & FLOW_CLOSED) == 0)
			due = flow_due(t, pos, clock_ns);
		flow_report(t, pos, due != 0 ? due : NS_FLOW_END_FORCED);
		ns_stat_add(&t->stats.flows, UINT64_MAX);
	}
	__atomic_store_n(&t->store.fresh, 0, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < t->shards_all; i++)
		t->shards[i] = (struct shard){{NONE, NONE}, {NONE, NONE}, 0, 0};
}
