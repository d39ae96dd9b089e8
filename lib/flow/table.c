/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow_priv.h"

#include <ns_decode.h>
#include <ns_dispatch.h>

#include <rte_malloc.h>
#include <rte_prefetch.h>

#include <string.h>

#define GROW_FIRST 32768 /* flows that a growing table begins with */

NS_DROP_REGISTER(ns_drop_flow_table_full, "flow_table_full",
	"no room for a new flow although the oldest was ended")

static uint32_t shard_cap(const struct ns_flow_conf *conf, uint32_t shards_all)
{
	return NS_MAX(conf->max / shards_all, 1);
}

static uint64_t capacity_for(
	const struct ns_flow_conf *conf, uint32_t shards, uint32_t shards_all, uint64_t bound)
{
	uint64_t cap = (uint64_t)shard_cap(conf, shards_all) * shards;

	/* a packet more than the bound never comes: small captures get small tables */
	if (bound != 0 && bound + 64 < cap)
		cap = bound + 64;
	return NS_MAX(cap, 64);
}

uint64_t ns_flow_table_memory(
	const struct ns_flow_conf *conf, uint32_t shards, uint32_t shards_all, uint64_t bound)
{
	uint64_t n = rte_align64pow2(capacity_for(conf, shards, shards_all, bound) + 1);

	/* buckets and extension buckets 64 octets for 8, keys 56, free slots, defer queue */
	/* while a table grows, its half stands beside it */
	return (n + n / 2) * (8 + 8 + 64 + 8 + 16) + (4u << 20);
}

struct ns_flow_table *ns_flow_table_create(const struct ns_flow_conf *conf, unsigned id,
	uint32_t shards, uint32_t shards_all, uint64_t bound, bool grow,
	const struct ns_flow_hooks *hooks)
{
	if (shards == 0 || shards > shards_all || shards_all > UINT16_MAX + 1u)
		return ns_errno_null(EINVAL);
	uint64_t capacity = capacity_for(conf, shards, shards_all, bound);

	if (capacity > CAPACITY_MAX)
		return ns_errno_null(EINVAL);
	struct ns_flow_table *t = rte_zmalloc("ns_flow_table", sizeof(*t), NS_CACHE_LINE);

	if (t == NULL)
		return ns_errno_null(ENOMEM);
	t->hooks = *hooks;
	t->shards_all = shards_all;
	t->shard_cap = shard_cap(conf, shards_all);
	t->max = (uint32_t)capacity;
	t->id = id;
	t->idle_ns = (uint64_t)conf->idle * NS_SEC_NS;
	t->active_ns = conf->active != 0 ? (uint64_t)conf->active * NS_SEC_NS : UINT64_MAX;
	t->linger_ns = (uint64_t)conf->tcp_linger * NS_SEC_NS;
	t->move_ticks = NS_MAX((uint32_t)((t->idle_ns / 8) >> TICK_SHIFT), 1);
	t->linger_ticks = (uint32_t)(t->linger_ns >> TICK_SHIFT);
	t->tcp_end = conf->tcp_end;
	t->shards = rte_malloc("ns_flow_shards", shards_all * sizeof(struct shard), NS_CACHE_LINE);
	uint32_t first = grow ? NS_MIN(t->max, GROW_FIRST) : t->max;

	if (t->shards == NULL || flow_store_create(&t->store, first, id, 0) < 0) {
		ns_flow_table_destroy(t);
		return ns_errno_null(ENOMEM);
	}
	t->hash = t->store.hash;
	t->flows = t->store.flows;
	t->cold = t->store.cold;
	t->grow_at = first < t->max ? first - first / 8 : UINT32_MAX;
	for (uint32_t i = 0; i < shards_all; i++)
		t->shards[i] = (struct shard){{NONE, NONE}, {NONE, NONE}, 0};
	return t;
}

void ns_flow_table_destroy(struct ns_flow_table *t)
{
	if (t == NULL)
		return;
	flow_store_destroy(&t->store);
	rte_free(t->shards);
	rte_free(t);
}

void flow_list_push(struct ns_flow_table *t, struct list *l, uint32_t pos)
{
	struct flow *f = &t->flows[pos];

	f->prev = l->last;
	f->next = NONE;
	if (l->last != NONE)
		t->flows[l->last].next = pos;
	else
		l->first = pos;
	l->last = pos;
}

void flow_list_remove(struct ns_flow_table *t, struct list *l, uint32_t pos)
{
	struct flow *f = &t->flows[pos];

	if (f->prev != NONE)
		t->flows[f->prev].next = f->next;
	else
		l->first = f->next;
	if (f->next != NONE)
		t->flows[f->next].prev = f->prev;
	else
		l->last = f->prev;
}

void flow_report(
	struct ns_flow_table *t, uint32_t pos, const struct ns_tuple *tuple, uint8_t reason)
{
	struct ns_flow_ended ended = {
		.tuple = tuple, .flow = &t->flows[pos], .cold = &t->cold[pos], .reason = reason};

	ns_stat_add(&t->stats.ended, 1);
	if (reason == NS_FLOW_END_RESOURCES)
		ns_stat_add(&t->stats.evicted, 1);
	t->hooks.ended(t->hooks.ctx, &ended);
}

void flow_remove(struct ns_flow_table *t, uint32_t pos, uint8_t reason)
{
	struct flow *f = &t->flows[pos];
	struct shard *s = &t->shards[f->shard];
	void *key = NULL;

	if (rte_hash_get_key_with_position(t->hash, (int32_t)pos, &key) != 0)
		return;
	flow_report(t, pos, key, reason);
	flow_list_remove(t, (f->state & FLOW_CLOSED) != 0 ? &s->closing : &s->live, pos);
	f->state = 0;
	s->count--;
	ns_stat_add(&t->stats.flows, UINT64_MAX);
	t->changed = true;
	rte_hash_del_key_with_hash(t->hash, key, flow_signature(ns_tuple_hash(key)));
}

/* A new entry for the packet's tuple, or a negative number when there is no room. */
static int32_t insert(struct ns_flow_table *t, struct rte_mbuf *m)
{
	const struct ns_packet *p = ns_packet(m);
	uint32_t shard = ns_bucket(p->hash, t->shards_all);
	struct shard *s = &t->shards[shard];

	if (s->count >= t->shard_cap)
		flow_make_room(t, s, p->clock_ns);
	if (ns_unlikely(t->stats.flows >= t->grow_at))
		flow_grow(t);
	int32_t pos = rte_hash_add_key_with_hash(t->hash, &p->tuple, flow_signature(p->hash));

	if (ns_unlikely(pos < 0))
		return pos;
	struct flow *f = &t->flows[pos];

	memset(f, 0, sizeof(*f));
	f->shard = (uint16_t)shard;
	s->count++;
	ns_stat_add(&t->stats.flows, 1);
	ns_stat_add(&t->stats.created, 1);
	flow_start(t, (uint32_t)pos, m);
	flow_list_push(t, &s->live, (uint32_t)pos);
	return pos;
}

/* The old record ends and the same tuple begins a new one in the same place. */
static void restart(struct ns_flow_table *t, uint32_t pos, struct rte_mbuf *m, uint8_t reason)
{
	struct flow *f = &t->flows[pos];
	struct shard *s = &t->shards[f->shard];
	uint16_t shard = f->shard;

	flow_report(t, pos, &ns_packet(m)->tuple, reason);
	flow_list_remove(t, (f->state & FLOW_CLOSED) != 0 ? &s->closing : &s->live, pos);
	memset(f, 0, sizeof(*f));
	f->shard = shard;
	ns_stat_add(&t->stats.created, 1);
	flow_start(t, pos, m);
	flow_list_push(t, &s->live, pos);
}

/* True when a SYN without ACK meets a TCP flow that has ended: the ports are used again. */
static inline bool reused(const struct flow *f, const struct ns_packet *p)
{
	return (f->state & FLOW_CLOSED) != 0 && (p->flags & NS_PKT_TCP) != 0 &&
	       (p->tcp_flags & 0x12) == 0x02;
}

uint16_t ns_flow_burst(
	struct ns_flow_table *t, struct rte_mbuf *const *m, uint16_t n, struct ns_counters *c)
{
	const void *keys[RTE_HASH_LOOKUP_BULK_MAX];
	hash_sig_t sigs[RTE_HASH_LOOKUP_BULK_MAX];
	int32_t pos[RTE_HASH_LOOKUP_BULK_MAX];
	struct rte_mbuf *ip[RTE_HASH_LOOKUP_BULK_MAX];
	uint16_t k = 0, dropped = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct ns_packet *p = ns_packet(m[i]);

		p->flow = 0;
		if ((p->flags & NS_PKT_IP) == 0)
			continue;
		keys[k] = &p->tuple;
		sigs[k] = flow_signature(p->hash);
		ip[k++] = m[i];
	}
	if (k == 0)
		return 0;
	rte_hash_lookup_with_hash_bulk(t->hash, keys, sigs, k, pos);
	for (uint16_t i = 0; i < k; i++) {
		if (pos[i] >= 0) {
			rte_prefetch0(&t->flows[pos[i]]);
			rte_prefetch0((const uint8_t *)&t->flows[pos[i]] + NS_CACHE_LINE);
		}
	}
	t->changed = false;
	for (uint16_t i = 0; i < k; i++) {
		struct ns_packet *p = ns_packet(ip[i]);
		int32_t at = pos[i];

		/* positions found above are stale once one was freed; new ones may have come */
		if (at < 0 || t->changed)
			at = rte_hash_lookup_with_hash(t->hash, keys[i], sigs[i]);
		if (at < 0) {
			at = insert(t, ip[i]);
			if (ns_unlikely(at < 0)) {
				ns_count(c, &ns_drop_flow_table_full);
				dropped++;
				continue;
			}
		} else {
			const struct flow *f = &t->flows[at];
			uint8_t reason = flow_due(t, f, p->clock_ns);

			if (reason == 0 && reused(f, p))
				reason = NS_FLOW_END_DETECTED;
			if (ns_unlikely(reason != 0))
				restart(t, (uint32_t)at, ip[i], reason);
		}
		flow_update(t, (uint32_t)at, p);
	}
	return dropped;
}

void ns_flow_epoch(struct ns_flow_table *t, uint64_t number)
{
	t->epoch = (uint16_t)number;
}

void ns_flow_table_stats(const struct ns_flow_table *t, struct ns_flow_stats *s)
{
	s->flows = ns_stat_get(&t->stats.flows);
	s->created = ns_stat_get(&t->stats.created);
	s->ended = ns_stat_get(&t->stats.ended);
	s->evicted = ns_stat_get(&t->stats.evicted);
}
