/* SPDX-License-Identifier: BSD-3-Clause */
#include "tag.h"
#include "update.h"
#include "walk.h"

#include <ns_dispatch.h>

#include <rte_malloc.h>

#define INDEX_FIRST 32768 /* flows that the index of a file's table is for at first */

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
	return flow_index_memory(conf->index, capacity_for(conf, shards, shards_all, bound)) +
	       (1u << 20);
}

void ns_flow_times(struct ns_flow_table *t, const struct ns_flow_conf *conf)
{
	t->idle_ns = (uint64_t)conf->idle * NS_SEC_NS;
	t->active_ns = conf->active != 0 ? (uint64_t)conf->active * NS_SEC_NS : UINT64_MAX;
	t->linger_ns = (uint64_t)conf->tcp_linger * NS_SEC_NS;
	t->tcp_end = conf->tcp_end;
	t->idle_ticks = flow_tick(t->idle_ns);
	t->move_ticks = NS_MIN(NS_MAX(flow_tick(t->idle_ns / 8), 1u), MOVE_TICKS_MAX);
	t->linger_ticks = flow_tick(t->linger_ns);
}

struct ns_flow_table *ns_flow_table_create(const struct ns_flow_conf *conf, unsigned id,
	uint32_t shards, uint32_t shards_all, uint64_t bound, bool file,
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
	t->kind = conf->index;
	t->file = file;
	t->id = id;
	t->shards_all = shards_all;
	t->shard_cap = shard_cap(conf, shards_all);
	t->digest_mask = UINT64_MAX;
	ns_flow_times(t, conf);
	uint32_t first = (uint32_t)(file ? NS_MIN(capacity, INDEX_FIRST) : capacity);

	t->shards = rte_malloc("ns_flow_shards", shards_all * sizeof(struct shard), NS_CACHE_LINE);
	if (t->shards == NULL || flow_store_create(&t->store, (uint32_t)capacity, !file) < 0 ||
		flow_index_create(t, first) < 0) {
		ns_flow_table_destroy(t);
		return ns_errno_null(ENOMEM);
	}
	t->grow_at = first < capacity ? first : UINT32_MAX;
	for (uint32_t i = 0; i < shards_all; i++)
		t->shards[i] = (struct shard){{NONE, NONE}, {NONE, NONE}, 0, 0};
	return t;
}

void ns_flow_table_destroy(struct ns_flow_table *t)
{
	if (t == NULL)
		return;
	flow_index_destroy(t);
	flow_store_destroy(&t->store);
	rte_free(t->shards);
	rte_free(t);
}

void flow_list_push(struct ns_flow_table *t, struct list *l, uint32_t pos)
{
	struct warm *w = t->store.warm;

	w[pos].prev = l->last;
	w[pos].next = NONE;
	if (l->last != NONE)
		w[l->last].next = pos;
	else
		l->first = pos;
	l->last = pos;
}

void flow_list_remove(struct ns_flow_table *t, struct list *l, uint32_t pos)
{
	struct warm *w = t->store.warm;

	if (w[pos].prev != NONE)
		w[w[pos].prev].next = w[pos].next;
	else
		l->first = w[pos].next;
	if (w[pos].next != NONE)
		w[w[pos].next].prev = w[pos].prev;
	else
		l->last = w[pos].prev;
}

static void report(struct ns_flow_table *t, uint32_t pos, const struct ns_tuple *u, uint8_t reason)
{
	struct ns_flow_ended ended = {.tuple = u,
		.hot = &t->store.hot[pos],
		.warm = &t->store.warm[pos],
		.big = &t->store.big[pos],
		.cold = &t->store.cold[pos],
		.reason = reason};

	ns_stat_add(&t->stats.ended, 1);
	if (reason == NS_FLOW_END_RESOURCES)
		ns_stat_add(&t->stats.evicted, 1);
	t->hooks.ended(t->hooks.ctx, &ended);
}

void flow_report(struct ns_flow_table *t, uint32_t pos, uint8_t reason)
{
	struct ns_tuple u;

	flow_tuple(t, pos, &u);
	report(t, pos, &u, reason);
}

static void unlist(struct ns_flow_table *t, struct shard *s, uint32_t pos)
{
	bool closed = (t->store.hot[pos].state & FLOW_CLOSED) != 0;

	flow_list_remove(t, closed ? &s->closing : &s->live, pos);
}

void flow_remove(struct ns_flow_table *t, uint32_t pos, uint8_t reason)
{
	struct ns_tuple u;

	flow_tuple(t, pos, &u);
	uint32_t hash = ns_tuple_hash(&u);
	struct shard *s = &t->shards[ns_bucket(hash, t->shards_all)];

	flow_index_prefetch(t, hash);
	report(t, pos, &u, reason);
	bool opened = flow_open(t);

	unlist(t, s, pos);
	s->count--;
	ns_stat_add(&t->stats.flows, UINT64_MAX);
	flow_forget(t, pos, hash);
	flow_position_free(&t->store, pos);
	flow_shut(t, opened);
}

uint32_t flow_insert(struct ns_flow_table *t, struct rte_mbuf *m, const struct key *k)
{
	const struct ns_packet *p = ns_packet(m);
	struct shard *s = &t->shards[ns_bucket(p->hash, t->shards_all)];

	if (ns_unlikely(s->count >= t->shard_cap))
		flow_make_room(t, s, p->clock_ns);
	if (ns_unlikely(t->stats.flows >= t->grow_at))
		flow_index_grow(t);
	uint32_t pos = flow_position(&t->store);

	if (ns_unlikely(pos == NONE))
		return NONE;
	flow_start(t, pos, m, k);
	if (ns_unlikely(!flow_enter(t, pos, p->hash))) {
		flow_position_free(&t->store, pos);
		return NONE;
	}
	s->count++;
	ns_stat_add(&t->stats.flows, 1);
	ns_stat_add(&t->stats.created, 1);
	flow_list_push(t, &s->live, pos);
	return pos;
}

void flow_restart(struct ns_flow_table *t, uint32_t pos, struct rte_mbuf *m, uint8_t reason)
{
	const struct ns_packet *p = ns_packet(m);
	struct shard *s = &t->shards[ns_bucket(p->hash, t->shards_all)];
	struct key k = flow_key(t, &p->tuple);

	report(t, pos, &p->tuple, reason);
	unlist(t, s, pos);
	ns_stat_add(&t->stats.created, 1);
	flow_start(t, pos, m, &k);
	flow_list_push(t, &s->live, pos);
}

bool ns_flow_look(
	const struct ns_flow_table *t, const struct ns_packet *p, struct ns_flow_view *out)
{
	const struct key k = flow_key(t, &p->tuple);
	uint32_t pos = flow_find(t, p->hash, &k, &p->tuple);

	if (pos == NONE)
		return false;
	const struct ns_flow_ended flow = {.tuple = &p->tuple,
		.hot = &t->store.hot[pos],
		.warm = &t->store.warm[pos],
		.big = &t->store.big[pos],
		.cold = &t->store.cold[pos]};

	out->position = pos;
	out->closed = (t->store.hot[pos].state & FLOW_CLOSED) != 0;
	ns_flow_record_draft(&flow, &out->rec);
	return true;
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
