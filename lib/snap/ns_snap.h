/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Epochs and hand-over: lcores write, control reads what is complete, and neither waits for the
 * other on the way of a packet.
 *
 * Each lcore has a pair of states. It writes one; at the end of an epoch it hands that one over and
 * goes on in the other, which control has given back empty:
 *
 *   lcore     write A ──┐ write B ──┐ write A
 *                   handed       handed            slot.owner: LCORE ─▶ CONTROL ─▶ LCORE
 *   control             └ take A, merge, clear, give back │
 *
 * Live, control opens an epoch (a number that lcores look at between two bursts) and opens no other
 * before it has taken all states of the last one, so a swap always finds the other state free. In
 * file mode the packets' clock says when an epoch ends; there an lcore may be ahead and waits.
 *
 * Shared fields: ns_snap.opened is written by control and read by lcores; slot.owner passes the
 * slot and all that the state holds from one to the other (release, acquire); lcore.epoch is
 * written by its lcore and read by control. All else belongs to one side at a time.
 *
 * By lines: each slot has its own, so that the one which control holds takes nothing from the one
 * that the lcore writes; no two lcores share any; ns_snap.opened, which lcores look at between any
 * two bursts, is not beside what control writes.
 */

#include <ns_base.h>

#define NS_SNAP_DONE UINT64_MAX /**< epoch of an lcore that has handed over its last */

enum { NS_SNAP_LCORE, NS_SNAP_CONTROL };

struct ns_snap_slot {
	void *state; /**< the caller's; NULL for a pair of one */
	uint64_t epoch; /**< number of the epoch that the state is about */
	uint64_t swapped_ns; /**< monotonic time of the hand-over */
	uint32_t owner; /**< atomic: NS_SNAP_LCORE or NS_SNAP_CONTROL */
	bool used; /**< something was written; an unused state needs no merging */
} __attribute__((aligned(NS_CACHE_LINE)));
_Static_assert(sizeof(struct ns_snap_slot) == NS_CACHE_LINE, "a line each");

struct ns_snap_lcore {
	struct ns_snap_slot slot[2];
	uint32_t active; /**< the slot that is written; the lcore's */
	uint64_t epoch; /**< atomic: number of the epoch that the lcore is in */
} __attribute__((aligned(NS_CACHE_LINE)));
_Static_assert(sizeof(struct ns_snap_lcore) == 3 * NS_CACHE_LINE, "shared with no other lcore");

/** What hand-over costs; control's, read after or by control. */
struct ns_snap_stats {
	uint64_t epochs; /**< that were taken from all lcores */
	uint64_t late; /**< times that an epoch was due and the last one was not yet taken */
	uint64_t lag_ns, lag_max_ns; /**< from opening to the last lcore's swap; live */
	uint64_t merge_ns, merge_max_ns; /**< merging and clearing one epoch of all lcores */
};

struct ns_snap;

/** For @p lcores pairs. NULL with ENOMEM. Main thread. */
struct ns_snap *ns_snap_create(unsigned lcores);
/** Frees the pairs, not the states. NULL is fine. */
void ns_snap_destroy(struct ns_snap *s);

/** Pair @p i; set its slots' states before the lcore runs. */
struct ns_snap_lcore *ns_snap_lcore(struct ns_snap *s, unsigned i);

/* --- the lcore's side ---------------------------------------------------------------------- */

/** The number of the epoch that control has opened last. */
uint64_t ns_snap_opened(const struct ns_snap *s);

/** The state to write. Whoever writes says so with ns_snap_used(). */
static inline void *ns_snap_state(const struct ns_snap_lcore *l)
{
	return l->slot[l->active].state;
}

static inline void ns_snap_used(struct ns_snap_lcore *l)
{
	struct ns_snap_slot *slot = &l->slot[l->active];

	if (!slot->used)
		slot->used = true;
}

/**
 * Hands over what was written and goes on in the other state, in epoch @p next. False when that
 * one has not come back: nothing has changed then.
 */
bool ns_snap_swap(struct ns_snap_lcore *l, uint64_t next);

/** Hands over the last; the lcore writes no more. */
void ns_snap_end(struct ns_snap_lcore *l);

/* --- control's side ------------------------------------------------------------------------ */

/**
 * Opens epoch @p number, when all of the last one was taken; otherwise counts that it is late and
 * returns false.
 */
bool ns_snap_open(struct ns_snap *s, uint64_t number);

/** What control does with states; each 0 or -errno. */
struct ns_snap_ops {
	int (*merge)(void *ctx, const void *state); /**< of one lcore */
	void (*reset)(void *ctx, void *state); /**< empties it */
	void *ctx;
};

/**
 * Takes all states of epoch @p number that lcores have handed over since the last call, merges
 * and empties them and gives them back. Returns how many lcores it still waits for, or -errno
 * (states are given back all the same).
 */
int ns_snap_take(struct ns_snap *s, uint64_t number, const struct ns_snap_ops *ops);

/** The smallest epoch that an lcore is in; NS_SNAP_DONE when all are done. Any thread. */
uint64_t ns_snap_behind(const struct ns_snap *s);

void ns_snap_stats(const struct ns_snap *s, struct ns_snap_stats *out);
