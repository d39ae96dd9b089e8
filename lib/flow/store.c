/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of a flow table. A live table takes all of it at start. A table in file mode, where
 * the source waits, begins small and doubles: most captures hold far fewer flows than they could,
 * and memory that is never touched costs nothing, but rte_hash clears all of its own.
 */
#include "flow_priv.h"

#include <ns_decode.h>

#include <rte_errno.h>
#include <rte_malloc.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

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

/* rte_hash hands out positions up to its number of entries */
static size_t flows_size(uint32_t capacity)
{
	return ((size_t)capacity + 1) * sizeof(struct flow);
}

static size_t cold_size(uint32_t capacity)
{
	return ((size_t)capacity + 1) * sizeof(struct cold);
}

static uint32_t hash_signature(const void *key, uint32_t len, uint32_t seed)
{
	(void)len;
	(void)seed;
	return flow_signature(ns_tuple_hash(key));
}

static int create_hash(struct store *s, unsigned id, unsigned generation)
{
	char name[RTE_HASH_NAMESIZE];
	struct rte_hash_parameters hp = {
		.name = name,
		.entries = s->capacity,
		.key_len = sizeof(struct ns_tuple),
		.hash_func = hash_signature,
		.socket_id = (int)rte_socket_id(),
		.extra_flag =
			RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};

	snprintf(name, sizeof(name), "ns_flow_%u_%u", id, generation);
	s->hash = rte_hash_create(&hp);
	if (s->hash == NULL)
		return ns_errno_set(ENOMEM);
	s->rcu = rte_zmalloc("ns_flow_rcu", rte_rcu_qsbr_get_memsize(READERS), NS_CACHE_LINE);
	if (s->rcu == NULL)
		return ns_errno_set(ENOMEM);
	rte_rcu_qsbr_init(s->rcu, READERS);
	struct rte_hash_rcu_config rc = {
		.v = s->rcu, .mode = RTE_HASH_QSBR_MODE_DQ, .dq_size = NS_MIN(s->capacity, 4096)};

	return rte_hash_rcu_qsbr_add(s->hash, &rc) == 0 ? 0 : ns_errno_set(ENOMEM);
}

int flow_store_create(struct store *s, uint32_t capacity, unsigned id, unsigned generation)
{
	*s = (struct store){.capacity = capacity};
	s->flows = map(flows_size(capacity));
	s->cold = map(cold_size(capacity));
	if (s->flows == NULL || s->cold == NULL || create_hash(s, id, generation) < 0) {
		flow_store_destroy(s);
		return ns_errno_set(ENOMEM);
	}
	return 0;
}

void flow_store_destroy(struct store *s)
{
	rte_hash_free(s->hash);
	rte_free(s->rcu);
	if (s->flows != NULL)
		munmap(s->flows, flows_size(s->capacity));
	if (s->cold != NULL)
		munmap(s->cold, cold_size(s->capacity));
	*s = (struct store){0};
}

/* Moves a list in its order, so that who is oldest stays so. */
static bool move_list(struct ns_flow_table *t, const struct store *old, struct list *l)
{
	struct list from = *l;

	*l = (struct list){NONE, NONE};
	for (uint32_t pos = from.first; pos != NONE; pos = old->flows[pos].next) {
		void *key = NULL;

		rte_hash_get_key_with_position(old->hash, (int32_t)pos, &key);
		int32_t at = rte_hash_add_key_with_hash(
			t->hash, key, flow_signature(ns_tuple_hash(key)));

		if (at < 0)
			return false;
		t->flows[at] = old->flows[pos];
		if ((old->flows[pos].state & FLOW_TUNNEL) != 0)
			t->cold[at] = old->cold[pos];
		flow_list_push(t, l, (uint32_t)at);
	}
	return true;
}

void flow_grow(struct ns_flow_table *t)
{
	struct store old = t->store;
	uint32_t capacity = t->max / 2 < old.capacity ? t->max : old.capacity * 2;

	t->grow_at = UINT32_MAX;
	if (flow_store_create(&t->store, capacity, t->id, ++t->generation) < 0) {
		t->store = old;
		return;
	}
	t->hash = t->store.hash;
	t->flows = t->store.flows;
	t->cold = t->store.cold;
	for (uint32_t i = 0; i < t->shards_all; i++) {
		/* an empty table of twice the size takes them all */
		if (!move_list(t, &old, &t->shards[i].live) ||
			!move_list(t, &old, &t->shards[i].closing))
			break;
	}
	flow_store_destroy(&old);
	if (capacity < t->max)
		t->grow_at = capacity - capacity / 8;
	t->changed = true;
}
