/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow_priv.h"

#include <ns_decode.h>
#include <ns_dispatch.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

NS_DROP_REGISTER(ns_drop_flow_table_full, "flow_table_full",
	"no room for a new flow although the oldest was ended")

/* The bits that choose a bucket are the same for all flows of a lcore: spread them again. */
static inline uint32_t signature(uint32_t hash)
{
	uint64_t h = (uint64_t)hash * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 29);
}

static uint32_t hash_signature(const void *key, uint32_t len, uint32_t seed)
{
	(void)len;
	(void)seed;
	return signature(ns_tuple_hash(key));
}

static uint32_t capacity_for(const struct ns_flow_conf *conf, uint32_t shards, uint32_t shards_all,
	uint64_t bound)
{
	uint64_t cap = (uint64_t)(conf->max / shards_all) * shards;

	/* a packet more than the bound never comes: small captures get small tables */
	if (bound != 0 && bound + 64 < cap)
		cap = bound + 64;
	return (uint32_t)NS_MAX(cap, 64);
}

uint64_t ns_flow_table_memory(const struct ns_flow_conf *conf, uint32_t shards, uint32_t shards_all,
	uint64_t bound)
{
	uint64_t n = rte_align32pow2(capacity_for(conf, shards, shards_all, bound) + 1);

	/* buckets and extension buckets 64 octets for 8, keys 56, free slots, defer queue */
	return n * (8 + 8 + 64 + 8 + 16) + (4u << 20);
}

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (size >= (size_t)4 << 20)
		madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static int create_hash(struct ns_flow_table *t, unsigned id)
{
	char name[RTE_HASH_NAMESIZE];
	struct rte_hash_parameters hp = {
		.name = name,
		.entries = t->capacity,
		.key_len = sizeof(struct ns_tuple),
		.hash_func = hash_signature,
		.socket_id = (int)rte_socket_id(),
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF |
			RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};
	size_t rcu_size = rte_rcu_qsbr_get_memsize(READERS);

	snprintf(name, sizeof(name), "ns_flow_%u", id);
	t->hash = rte_hash_create(&hp);
	if (t->hash == NULL)
		return ns_errno_set(rte_errno != 0 ? rte_errno : ENOMEM);
	t->rcu = rte_zmalloc("ns_flow_rcu", rcu_size, NS_CACHE_LINE);
	if (t->rcu == NULL)
		return ns_errno_set(ENOMEM);
	rte_rcu_qsbr_init(t->rcu, READERS);
	struct rte_hash_rcu_config rc = {
		.v = t->rcu, .mode = RTE_HASH_QSBR_MODE_DQ, .dq_size = NS_MIN(t->capacity, 4096)};

	if (rte_hash_rcu_qsbr_add(t->hash, &rc) != 0)
		return ns_errno_set(ENOMEM);
	return 0;
}

struct ns_flow_table *ns_flow_table_create(const struct ns_flow_conf *conf, unsigned id,
	uint32_t shards, uint32_t shards_all, uint64_t bound, const struct ns_flow_hooks *hooks)
{
	if (shards == 0 || shards > shards_all || shards_all > UINT16_MAX + 1u)
		return ns_errno_null(EINVAL);
	struct ns_flow_table *t = rte_zmalloc("ns_flow_table", sizeof(*t), NS_CACHE_LINE);

	if (t == NULL)
		return ns_errno_null(ENOMEM);
	t->hooks = *hooks;
	t->shards_all = shards_all;
	t->shard_cap = NS_MAX(conf->max / shards_all, 1);
	t->capacity = capacity_for(conf, shards, shards_all, bound);
	t->idle_ns = (uint64_t)conf->idle * NS_SEC_NS;
	t->active_ns = (uint64_t)conf->active * NS_SEC_NS;
	t->move_ticks = NS_MAX((uint32_t)((t->idle_ns / 8) >> TICK_SHIFT), 1);
	t->linger_ticks = (uint32_t)(((uint64_t)conf->tcp_linger * NS_SEC_NS) >> TICK_SHIFT);
	t->tcp_end = conf->tcp_end;
	t->shards = rte_malloc("ns_flow_shards", shards_all * sizeof(struct shard), NS_CACHE_LINE);
	/* rte_hash hands out positions up to its number of entries */
	t->flows_size = ((size_t)t->capacity + 1) * sizeof(struct flow);
	t->cold_size = ((size_t)t->capacity + 1) * sizeof(struct cold);
	t->flows = map(t->flows_size);
	t->cold = map(t->cold_size);
	if (t->shards == NULL || t->flows == NULL || t->cold == NULL || create_hash(t, id) < 0) {
		ns_flow_table_destroy(t);
		return ns_errno_null(ENOMEM);
	}
	for (uint32_t i = 0; i < shards_all; i++)
		t->shards[i] = (struct shard){{NONE, NONE}, {NONE, NONE}, 0};
	return t;
}

void ns_flow_table_destroy(struct ns_flow_table *t)
{
	if (t == NULL)
		return;
	rte_hash_free(t->hash);
	rte_free(t->rcu);
	if (t->flows != NULL)
		munmap(t->flows, t->flows_size);
	if (t->cold != NULL)
		munmap(t->cold, t->cold_size);
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

void flow_report(struct ns_flow_table *t, uint32_t pos, const struct ns_tuple *tuple, uint8_t reason)
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
	rte_hash_del_key_with_hash(t->hash, key, signature(ns_tuple_hash(key)));
}

/* A new entry for the packet's tuple, or a negative number when there is no room. */
static int32_t insert(struct ns_flow_table *t, struct rte_mbuf *m)
{
	const struct ns_packet *p = ns_packet(m);
	uint32_t shard = ns_bucket(p->hash, t->shards_all);
	struct shard *s = &t->shards[shard];

	if (s->count >= t->shard_cap)
		flow_make_room(t, s, p->clock_ns);
	int32_t pos = rte_hash_add_key_with_hash(t->hash, &p->tuple, signature(p->hash));

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

uint16_t ns_flow_burst(struct ns_flow_table *t, struct rte_mbuf *const *m, uint16_t n,
	struct ns_counters *c)
{
	const void *keys[RTE_HASH_LOOKUP_BULK_MAX];
	hash_sig_t sigs[RTE_HASH_LOOKUP_BULK_MAX];
	int32_t pos[RTE_HASH_LOOKUP_BULK_MAX];
	struct rte_mbuf *ip[RTE_HASH_LOOKUP_BULK_MAX];
	uint16_t k = 0, dropped = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct ns_packet *p = ns_packet(m[i]);

		if ((p->flags & NS_PKT_IP) == 0)
			continue;
		keys[k] = &p->tuple;
		sigs[k] = signature(p->hash);
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
		const struct ns_packet *p = ns_packet(ip[i]);
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

void ns_flow_table_stats(const struct ns_flow_table *t, struct ns_flow_stats *s)
{
	s->flows = ns_stat_get(&t->stats.flows);
	s->created = ns_stat_get(&t->stats.created);
	s->ended = ns_stat_get(&t->stats.ended);
	s->evicted = ns_stat_get(&t->stats.evicted);
}
