/* SPDX-License-Identifier: BSD-3-Clause */
/* Which index a table has, and how it grows. The lookup of bursts is in burst.c. */
#include "rte.h"
#include "tag.h"

#include <rte_prefetch.h>

static int create(struct ns_flow_table *t, uint32_t flows)
{
	return t->kind == NS_FLOW_INDEX_TAG ? tag_create(&t->tag, flows, !t->file)
					    : rte_index_create(t, &t->rte, flows);
}

int flow_index_create(struct ns_flow_table *t, uint32_t flows)
{
	return create(t, flows);
}

void flow_index_destroy(struct ns_flow_table *t)
{
	tag_destroy(&t->tag);
	rte_index_destroy(&t->rte);
}

uint64_t flow_index_memory(enum ns_flow_index kind, uint64_t flows)
{
	return kind == NS_FLOW_INDEX_TAG ? 0 : rte_index_memory(flows);
}

uint32_t flow_find(
	const struct ns_flow_table *t, uint32_t hash, const struct key *k, const struct ns_tuple *u)
{
	uint32_t sig = flow_signature(hash);

	return t->kind == NS_FLOW_INDEX_TAG ? tag_find(t, sig, k, u) : rte_index_find(t, sig, k, u);
}

void flow_index_prefetch(const struct ns_flow_table *t, uint32_t hash)
{
	if (t->kind == NS_FLOW_INDEX_TAG)
		rte_prefetch0(tag_home(&t->tag, flow_signature(hash)));
}

bool flow_enter(struct ns_flow_table *t, uint32_t pos, uint32_t hash)
{
	uint32_t sig = flow_signature(hash);

	return t->kind == NS_FLOW_INDEX_TAG ? tag_enter(&t->tag, sig, pos)
					    : rte_index_enter(t, &t->rte, sig, pos);
}

void flow_forget(struct ns_flow_table *t, uint32_t pos, uint32_t hash)
{
	uint32_t sig = flow_signature(hash);

	if (t->kind == NS_FLOW_INDEX_TAG)
		tag_forget(&t->tag, sig, pos);
	else
		rte_index_forget(t, sig, pos);
}

#define TOGETHER 32u

/* All flows into an empty index, in the order of memory; buckets are asked for ahead. */
static bool enter_all(struct ns_flow_table *t)
{
	uint32_t pos[TOGETHER], hash[TOGETHER];

	for (uint32_t at = 0; at < t->store.fresh;) {
		unsigned n = 0;

		for (; at < t->store.fresh && n < TOGETHER; at++) {
			struct ns_tuple u;

			if (!flow_used(&t->store.hot[at]))
				continue;
			flow_tuple(t, at, &u);
			pos[n] = at;
			hash[n] = ns_tuple_hash(&u);
			flow_index_prefetch(t, hash[n++]);
		}
		for (unsigned i = 0; i < n; i++) {
			if (!flow_enter(t, pos[i], hash[i]))
				return false;
		}
	}
	return true;
}

void flow_index_grow(struct ns_flow_table *t)
{
	uint64_t now = t->stats.flows, max = t->store.max;
	struct tag_index tag = t->tag;
	struct rte_index rte = t->rte;

	t->grow_at = UINT32_MAX;
	if (create(t, (uint32_t)NS_MIN(now * 2, max)) < 0) {
		t->tag = tag;
		t->rte = rte;
		return;
	}
	if (!enter_all(t)) { /* no room in twice the room: the old one stays as it is */
		flow_index_destroy(t);
		t->tag = tag;
		t->rte = rte;
		return;
	}
	tag_destroy(&tag);
	rte_index_destroy(&rte);
	if (now * 2 < max)
		t->grow_at = (uint32_t)(now * 2 - now / 4);
}
