/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Packets and octets over time in a fixed number of slots: begins with a slot a second and folds
 * neighbours together when the input outgrows them, so any capture fits.
 *
 *   base ─▶ [slot 0][slot 1] ... [slot n-1]    each width seconds; base is a multiple of width
 *
 * Writer: the lcore that reads packets; others read after it has ended.
 */

#include <ns_base.h>

#define NS_TIMELINE_SLOTS 1024

struct ns_timeline_slot {
	uint64_t packets;
	uint64_t octets;
};

struct ns_timeline {
	uint64_t base; /**< seconds since 1970 of slot 0 */
	uint64_t width; /**< seconds a slot, a power of two; 0: nothing yet */
	uint32_t used; /**< slots up to the last one that holds packets */
	struct ns_timeline_slot slots[NS_TIMELINE_SLOTS];
};

/** Counts a packet at @p ts_ns; earlier than all before it moves the base. */
void ns_timeline_add(struct ns_timeline *t, uint64_t ts_ns, uint64_t octets);
/** As ns_timeline_add() for packets of one second that have @p octets together. */
void ns_timeline_add_many(struct ns_timeline *t, uint64_t ts_ns, uint64_t packets, uint64_t octets);

/** Adds @p from to @p into, slot by slot; the wider width wins. */
void ns_timeline_merge(struct ns_timeline *into, const struct ns_timeline *from);
