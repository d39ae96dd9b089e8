/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the lcore says to those who read its table: walk.c tells how they go by it. */

#include "flow_priv.h"

#include <rte_atomic.h>

/*
 * Whoever is about to change entries says so first, and says when it is done: walk.c takes what it
 * copied only when nothing was changed meanwhile. Two stores a burst, not one a packet. What is
 * open already stays so; true: it is for the caller to shut.
 */
static inline bool flow_open(struct ns_flow_table *t)
{
	uint64_t n = t->changes;

	if ((n & 1) != 0)
		return false;
	__atomic_store_n(&t->changes, n + 1, __ATOMIC_RELAXED);
	rte_smp_wmb(); /* before what is changed; x86: for the compiler only */
	return true;
}

static inline void flow_shut(struct ns_flow_table *t, bool opened)
{
	if (opened)
		__atomic_store_n(&t->changes, t->changes + 1, __ATOMIC_RELEASE);
}
