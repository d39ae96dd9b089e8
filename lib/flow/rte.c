/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rte_hash as index: 24 octets of key, the position as its data. Its readers are lock-free too.
 *
 * The key of an IPv6 flow holds a digest of the addresses. Flows whose keys are equal though their
 * addresses are not, which nobody should ever see, differ by a salt in the octet that hot.state
 * has in the flow.
 */
#include "rte.h"

#include <rte_errno.h>
#include <rte_malloc.h>

#include <stdio.h>

int rte_index_create(struct ns_flow_table *t, struct rte_index *x, uint32_t flows)
{
	char name[RTE_HASH_NAMESIZE];
	struct rte_hash_parameters hp = {
		.name = name,
		.entries = NS_MAX(flows, 8u),
		.key_len = sizeof(struct key),
		.socket_id = (int)rte_socket_id(),
		.extra_flag =
			RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};
	struct rte_hash_rcu_config rc = {.v = t->store.rcu,
		.mode = RTE_HASH_QSBR_MODE_DQ,
		.dq_size = NS_MIN(NS_MAX(flows, 8u), 4096u)};

	*x = (struct rte_index){0};
	snprintf(name, sizeof(name), "ns_flow_%u_%u", t->id, t->generation++);
	x->hash = rte_hash_create(&hp);
	if (x->hash == NULL || rte_hash_rcu_qsbr_add(x->hash, &rc) != 0) {
		rte_index_destroy(x);
		return ns_errno_set(ENOMEM);
	}
	return 0;
}

void rte_index_destroy(struct rte_index *x)
{
	rte_hash_free(x->hash);
	*x = (struct rte_index){0};
}

uint64_t rte_index_memory(uint64_t flows)
{
	uint64_t n = rte_align64pow2(flows + 1);

	/* buckets and extension buckets 64 octets for 8, keys 32, free slots, defer queue; while
	 * an index grows, its half stands beside it */
	return (n + n / 2) * (8 + 8 + 32 + 8 + 16) + (4u << 20);
}

uint32_t rte_index_find(
	const struct ns_flow_table *t, uint32_t sig, const struct key *k, const struct ns_tuple *u)
{
	struct key salted = *k;

	for (unsigned salt = 0; salt <= t->rte.salt_max; salt++) {
		void *data;

		salted.rest = k->rest | (uint64_t)salt << KEY_SALT_SHIFT;
		if (rte_hash_lookup_with_hash_data(t->rte.hash, &salted, sig, &data) < 0)
			continue;
		if (flow_is(t, (uint32_t)(uintptr_t)data, k, u))
			return (uint32_t)(uintptr_t)data;
	}
	return NONE;
}

static struct key key_at(const struct ns_flow_table *t, uint32_t pos)
{
	struct key k = t->store.hot[pos].key;

	k.rest &= ~KEY_STATE;
	return k;
}

bool rte_index_enter(struct ns_flow_table *t, struct rte_index *x, uint32_t sig, uint32_t pos)
{
	struct key k = key_at(t, pos);

	for (unsigned salt = 0; salt < 256; salt++) {
		struct key salted = k;

		salted.rest |= (uint64_t)salt << KEY_SALT_SHIFT;
		if (rte_hash_lookup_with_hash(x->hash, &salted, sig) >= 0)
			continue;
		if (rte_hash_add_key_with_hash_data(
			    x->hash, &salted, sig, (void *)(uintptr_t)pos) != 0)
			return false;
		x->salt_max = NS_MAX(x->salt_max, salt);
		return true;
	}
	return false;
}

void rte_index_forget(struct ns_flow_table *t, uint32_t sig, uint32_t pos)
{
	struct key k = key_at(t, pos);

	for (unsigned salt = 0; salt <= t->rte.salt_max; salt++) {
		struct key salted = k;
		void *data;

		salted.rest |= (uint64_t)salt << KEY_SALT_SHIFT;
		if (rte_hash_lookup_with_hash_data(t->rte.hash, &salted, sig, &data) < 0 ||
			(uint32_t)(uintptr_t)data != pos)
			continue;
		rte_hash_del_key_with_hash(t->rte.hash, &salted, sig);
		return;
	}
}
