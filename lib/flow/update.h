/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What one packet does to its flow. */

#include "flow_priv.h"

/* update.c: begins the entry with the packet that made it; flow_update() counts that packet. */
void flow_start(struct ns_flow_table *t, uint32_t pos, struct rte_mbuf *m, const struct key *k);

/* update.c: what few packets need. */
void flow_spill(struct ns_flow_table *t, uint32_t pos, unsigned dir, const uint64_t sums[3]);
void flow_first(struct ns_flow_table *t, uint32_t pos, struct ns_packet *p, unsigned dir);
void flow_ttl(struct ns_flow_table *t, uint32_t pos, uint8_t ttl, unsigned dir);
void flow_tcp(struct ns_flow_table *t, uint32_t pos, const struct ns_packet *p, unsigned dir);

/* update.c: the packet's flow has not ended; what flow_update() leaves out of a special packet. */
void flow_before(struct ns_flow_table *t, uint32_t pos, const struct ns_packet *p);
void flow_icmp(struct ns_flow_table *t, uint32_t pos, struct ns_packet *p);

/* What asks for more than counting, bits of hot.state. */
#define FLOW_SPECIAL (FLOW_CLOSED | FLOW_LATE | FLOW_ICMP)

/* 0: from initiator to responder. */
static inline unsigned flow_dir(const struct hot *f, const struct ns_packet *p)
{
	return ((p->flags / NS_PKT_SWAPPED) ^ f->state) & FLOW_SWAPPED;
}
_Static_assert(FLOW_SWAPPED == 1, "the direction is a bit");

/* True: count_special() must see the packet before it is counted. */
static inline bool flow_special(const struct hot *f, const struct ns_packet *p)
{
	return ((p->ts_ns != p->clock_ns) | (p->clock_ns < f->last_clock) |
		       (flow_tick(p->clock_ns) >= f->look) | ((f->state & FLOW_SPECIAL) != 0)) != 0;
}

/* Counts a packet in, and says in it what it is to its flow. */
static inline __attribute__((always_inline)) void flow_update(
	struct ns_flow_table *t, uint32_t pos, struct ns_packet *p)
{
	struct hot *f = &t->store.hot[pos];
	unsigned dir = flow_dir(f, p);
	uint64_t packets = (uint64_t)f->packets[dir] + 1;
	uint64_t ip = (uint64_t)f->ip_octets[dir] + p->ip_octets;
	uint64_t l2 = (uint64_t)f->l2_octets[dir] + p->wirelen;

	p->flow = (uint8_t)(NS_PKT_FLOW | dir * NS_PKT_REVERSE);
	p->flow_dport = dir != 0 ? p->sport : p->dport;
	if (ns_unlikely(f->epoch != t->epoch || (f->state & (FLOW_SEEN0 << dir)) == 0))
		flow_first(t, pos, p, dir);
	if (ns_unlikely(f->ttl[dir] != p->ttl))
		flow_ttl(t, pos, p->ttl, dir);
	if (ns_likely(((packets | ip | l2) >> 31) == 0)) {
		f->packets[dir] = (uint32_t)packets;
		f->ip_octets[dir] = (uint32_t)ip;
		f->l2_octets[dir] = (uint32_t)l2;
	} else {
		flow_spill(t, pos, dir, (const uint64_t[3]){packets, ip, l2});
	}
	f->last_clock = p->clock_ns;
	if ((p->flags & NS_PKT_TCP) != 0)
		flow_tcp(t, pos, p, dir);
}
