/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What users of taps share: a tap's rings, its thread, and its packets in order of time.
 *
 *	ring 1 ──┐
 *	ring 2 ──┴▶ the earliest first, up to a time before which none can come any more
 */

#include "tap.h"

#define TAP_BUFFER_MIN (UINT64_C(1) << 18) /* octets of a ring */

/* The thread's own. */
struct tap_merge {
	struct tap *tap;
	unsigned rings;
	uint64_t newest_ns, newest_mono; /* of all rings, and when it was seen to move */
};

void tap_merge_init(struct tap_merge *m, struct tap *tap, unsigned rings);

/* The record that comes next, and its ring (tap_ring_drop()); NULL: none. */
const struct tap_rec *tap_merge_first(struct tap_merge *m, struct tap_ring **from);

/*
 * Up to which time packets can be taken: another lcore may still bring one that is a little
 * earlier. Nobody waits when there is one lcore, when nothing has come for as long, or when a ring
 * is half full.
 */
uint64_t tap_merge_horizon(struct tap_merge *m, uint64_t now);

/*
 * A ring of at least @p octets (0: the default) for each lcore that reads, of which there are
 * @p rings. 0 or -errno with a message. Control.
 */
int tap_rings_make(
	struct ns_engine *en, struct tap *t, uint64_t octets, unsigned *rings, struct ns_err *e);

/* Starts the thread of a tap; signals stay the main thread's. 0 or -errno with a message. */
int tap_thread(pthread_t *thread, void *(*run)(void *arg), void *arg, struct ns_err *e);

/* Sums over lcores and ports; control. */
void tap_sums(const struct tap *t, unsigned rings, struct tap_count *sum);
