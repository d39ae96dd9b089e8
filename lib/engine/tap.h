/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Taps: copies of packets for whoever looks on, taken by the lcores that read, as they come from
 *the port. While nobody looks on it costs an lcore one load and one branch a burst.
 *
 *	word      | octet 0 | octet 1 | ... one for each tap: 0 off, odd on, even ending
 *	              │ one load by each lcore between bursts
 *	lcore 1   packets that match ──▶ ring 1 ──┐
 *	lcore 2   packets that match ──▶ ring 2 ──┴▶ the tap's thread, in order of time
 *
 * Hand-over. A tap is all there before its octet becomes odd. Its thread ends it: the octet becomes
 * even, each lcore that sees that repeats the word in `tap_seen`, behind all that it did before;
 *when all have, or have ended, nobody touches the rings any more, and the octet becomes 0. Each use
 *of an octet takes the next pair of values, so that no lcore's old answer is taken for a new one.
 *
 * Writers: an octet control, when it starts a tap, and from then on the tap's thread; tap_seen its
 * lcore; a ring the lcore and, its tail, the thread. Readers: lcores the octets; the thread all.
 */

#include "engine_priv.h"

#include <ns_filter.h>

#define TAP_PORTS RTE_MAX_ETHPORTS
#define TAP_GAP UINT32_MAX

/* A packet in a ring; begins at a multiple of 8. */
struct tap_rec {
	uint32_t size; /* octets to the next one */
	uint32_t
		caplen; /* TAP_GAP: no packet, the ring goes on at its begin; size alone is valid */
	uint64_t ts_ns;
	uint64_t missed; /* packets of this port and lcore that found no room since the last one */
	uint32_t wirelen;
	uint16_t port;
	uint16_t linktype;
	uint8_t data[];
};
_Static_assert(sizeof(struct tap_rec) % 8 == 0, "records follow one another");

/* Of one port, by one lcore. matched - missed packets went into the ring. */
struct tap_count {
	uint64_t seen, matched, missed;
	uint64_t missed_now; /* since the last that found room; the lcore's own */
};

/* Single producer, single consumer; records of any length, none is cut in two by the end. */
struct tap_ring {
	uint8_t *room; /* read only while lcores know it */
	uint64_t size; /* a power of two */

	/* writer: the lcore */
	uint64_t head LINE; /* atomic */
	uint64_t at; /* behind the last record of a burst that is not handed over yet; its own */
	uint64_t tail_seen; /* its own */
	uint64_t newest_ns; /* the latest time so far; relaxed, before head */
	struct tap_count count[TAP_PORTS];

	/* writer: the thread */
	uint64_t tail LINE; /* atomic */
	uint64_t head_seen; /* its own */
} LINE;

#define TAP_FILTERS 2

/* What lcores know of a tap; read only while they do. */
struct tap {
	struct {
		struct ns_filter *filter;
		uint16_t linktype;
	} filters[TAP_FILTERS];
	unsigned filters_n; /* 0: all packets */
	bool one_port; /* packets of that port only */
	uint16_t port;
	uint32_t snaplen;
	struct tap_ring *rings; /* by index of the lcore that reads */
};

/* tap_filter.c: link type of ports that say nothing about it. 0 or -errno with a message. Control.
 */
int tap_linktype(const struct ns_engine *en, uint16_t *linktype, struct ns_err *e);
/*
 * The filters of a tap for @p expr (NULL: all packets), for ports of @p linktype and of Ethernet. 0
 * or -errno with a message. Control; lcores must not know of the tap.
 */
int tap_filters_create(struct tap *t, const char *expr, uint16_t linktype, struct ns_err *e);
void tap_filters_destroy(struct tap *t);
/* Whether a tap wants this packet; any lcore. */
bool tap_matches(const struct tap *t, const struct ns_packet *p, const uint8_t *data);

/* Room for @p rings rings of @p size octets; memory that is there. 0 or -errno. Control. */
int tap_rings_create(struct tap *t, unsigned rings, uint64_t size);
/* Gives the rooms back, but not the counts: those go with tap_rings_destroy(). */
void tap_rings_empty(struct tap *t, unsigned rings);
void tap_rings_destroy(struct tap *t);

/* The oldest record of a ring, NULL: none; and its end. The tap's thread. */
const struct tap_rec *tap_ring_first(struct tap_ring *r);
void tap_ring_drop(struct tap_ring *r, const struct tap_rec *rec);
/* Octets in use; any thread. */
uint64_t tap_ring_used(const struct tap_ring *r);

/* From now on lcores use what en->taps[i] says. Control. */
void tap_begin(struct ns_engine *en, unsigned i);
/* No lcore begins to use it any more; then, whether all have left it. The tap's thread. */
void tap_end(struct ns_engine *en, unsigned i);
bool tap_left(const struct ns_engine *en, unsigned i);
/* All have left it: its place is free. The tap's thread. */
void tap_off(struct ns_engine *en, unsigned i);

/* Packets as they were read, for all taps of the word that are on. The lcore that reads. */
void tap_burst(struct lcore *l, uint64_t word, struct rte_mbuf *const *m, uint16_t n);

static inline bool tap_is_on(uint64_t word, unsigned i)
{
	return (word >> (8 * i) & 1) != 0;
}

/* Between bursts of an lcore that reads: the taps that are on, and that it uses no other. */
static inline uint64_t tap_look(struct lcore *l)
{
	uint64_t word = __atomic_load_n(&l->en->tap_word.all, __ATOMIC_ACQUIRE);

	if (ns_unlikely(word != 0))
		__atomic_store_n(&l->tap_seen, word, __ATOMIC_RELEASE);
	return word;
}
