/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Lcores that leave their ports alone for a while, as testpmd's "stop" and "start" have it.
 *
 *	control   pause: odd ──────────────▶ pause_seen of all that read? ──▶ the answer is true
 *	lcore     between bursts: odd? ─▶ pause_seen = pause, no poll; all else goes on
 *
 * Each pause has a value of its own, so that an old answer is taken for no new one.
 */

#include "engine_priv.h"

/* Whether ports are left alone; an lcore that reads, between bursts. */
static inline bool engine_pause_look(struct lcore *l)
{
	uint32_t pause = __atomic_load_n(&l->en->pause, __ATOMIC_ACQUIRE);

	if (ns_likely((pause & 1) == 0))
		return false;
	__atomic_store_n(&l->pause_seen, pause, __ATOMIC_RELEASE);
	return true;
}

/* pause.c: whether it heeds that; control. */
bool engine_paused(const struct lcore *l);

/* pause.c: lcores read again, whatever they were told; control. */
void engine_pause_over(struct ns_engine *en);
