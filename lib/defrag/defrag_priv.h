/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Idea: a bounded table from (addresses, protocol, identification) to the tuple of the first
 * fragment (RFC 791, RFC 8200). It never reassembles; it only tells later fragments whose they are.
 *
 *   buckets: chains by hash        age: doubly linked, oldest first
 *
 *     [h] ─▶ entry ─▶ entry        oldest ◀─▶ entry ◀─▶ entry ◀─▶ newest
 *              │
 *              ├ known: tuple, depth, ports of the first fragment
 *              └ held:  copies of later fragments in their order (singly linked mbufs)
 *
 *   ready: copies that may go on, first in first out; drained behind the packet that freed them.
 *   A packet earns the right to hand out one copy, and AT_ONCE rights are saved at most: a burst
 *   has room for all that its packets may hand out, and where a burst ends makes no difference.
 *
 * Full table: the oldest datagram leaves (counted), its held copies go on without ports. Writer and
 * reader: the lcore that owns the table.
 */

#include <ns_defrag.h>

#define COPY_ROOM 2048 /* octets of a held fragment that are kept */
#define NONE UINT32_MAX
#define AT_ONCE (NS_DEFRAG_RELEASE / 2)

struct entry {
	uint8_t addr[32]; /* source, destination */
	uint32_t id;
	uint8_t ver, proto;
	bool known;
	uint8_t depth; /* of the first fragment */
	uint16_t flags; /* of the first fragment: NS_PKT_SWAPPED, PORTS, TUNNEL */
	uint16_t sport, dport;
	uint32_t tunnel_id;
	uint32_t hash;
	uint64_t clock; /* when the datagram began: its first packet, or its first fragment again */
	uint32_t next; /* in the bucket */
	uint32_t older, newer;
	struct rte_mbuf *held_first, *held_last;
	struct ns_tuple tuple;
};

struct ns_defrag {
	struct ns_defrag_conf conf;
	uint64_t timeout_ns;
	uint32_t mask;
	uint32_t *buckets;
	struct entry *entries;
	uint32_t free; /* chain of unused entries by next */
	uint32_t oldest, newest;
	uint32_t used;
	uint32_t held; /* in entries and in ready */
	uint32_t credit;
	uint64_t clock; /* of the last packet that passed */
	bool wait;
	struct rte_mbuf *ready_first, *ready_last;
	struct rte_mempool *pool;
};

/* Who a fragment belongs to: fills addresses, protocol and identification of e. */
void frag_identity(struct rte_mbuf *m, struct entry *e);
bool frag_same(const struct entry *a, const struct entry *b);
uint32_t frag_bucket_of(const struct ns_defrag *d, const struct entry *e);

/* The list by age, and the way out of the table. */
void frag_age_push(struct ns_defrag *d, uint32_t i, uint64_t clock);
void frag_age_remove(struct ns_defrag *d, uint32_t i);
void frag_forget(struct ns_defrag *d, uint32_t i);
