/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* rte_hash as index, see rte.c. */

#include "flow_priv.h"

int rte_index_create(struct ns_flow_table *t, struct rte_index *x, uint32_t flows);
void rte_index_destroy(struct rte_index *x);
uint64_t rte_index_memory(uint64_t flows);
uint32_t rte_index_find(
	const struct ns_flow_table *t, uint32_t sig, const struct key *k, const struct ns_tuple *u);
bool rte_index_enter(struct ns_flow_table *t, struct rte_index *x, uint32_t sig, uint32_t pos);
void rte_index_forget(struct ns_flow_table *t, uint32_t sig, uint32_t pos);
