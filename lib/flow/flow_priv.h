/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Idea: rte_hash (48-octet tuple → position) with lock-free readers and RCU; the position indexes
 * two parallel arrays of our own.
 *
 *   rte_hash      [tuple 48] ─▶ position
 *   flows[pos]    two cache lines: counters and clocks | TCP state and list links
 *   cold[pos]     tunnel and outer addresses; its pages are touched by tunnelled flows only
 *
 * Shards bound the table and decide who must go: a shard is a dispatch bucket, so the packets that
 * it sees do not depend on the number of lcores, and neither does what it evicts.
 *
 *   shard.live     oldest ◀─▶ ... ◀─▶ newest   by the tick of the last move
 *   shard.closing  ended TCP flows, by the tick at which they ended
 *
 * A packet moves its flow to the end of the live list only when the last move is an eighth of the
 * idle time-out ago: a hot flow touches its neighbours a few times a minute, and every idle flow
 * is still found in front.
 *
 * Writer: the analysis lcore that owns the table. Readers of rte_hash and of the hot line: threads
 * registered with the RCU variable; numbers are read relaxed.
 */

#include <ns_flow.h>

#include <rte_hash.h>
#include <rte_rcu_qsbr.h>

#define NONE UINT32_MAX
#define TICK_SHIFT 28 /* 268 ms of packet time */
#define READERS 8 /* threads that may look into a table */

/* rte_hash multiplies positions and its 64 octets for a key in 32 bits */
#define CAPACITY_MAX (UINT32_MAX / 64)

enum flow_state {
	FLOW_SYN = 1u << 0, /* hs_ns is the time of the initiator's SYN */
	FLOW_SYNACK = 1u << 1,
	FLOW_RTT = 1u << 2, /* hs_ns is the handshake's round trip */
	FLOW_FIN0 = 1u << 3,
	FLOW_FIN1 = 1u << 4,
	FLOW_CLOSED = 1u << 5, /* in shard.closing */
	FLOW_SEQ0 = 1u << 6, /* next_seq[0] is set */
	FLOW_SEQ1 = 1u << 7,
	FLOW_SWAPPED = 1u << 8, /* the initiator is endpoint b of the tuple */
	FLOW_TUNNEL = 1u << 9, /* cold[] is set */
	FLOW_PORTS = 1u << 10,
	FLOW_USED = 1u << 11,
	FLOW_SEEN0 = 1u << 12, /* a packet of this direction came in the epoch of `epoch` */
	FLOW_SEEN1 = 1u << 13,
};

/* Index 0: initiator to responder, 1: back. */
struct flow {
	uint64_t packets[2];
	uint64_t ip_octets[2];
	uint64_t l2_octets[2];
	uint64_t last_clock; /* ns, of the source's clock */
	uint64_t end_ns; /* largest packet time */
	/* --- second line --- */
	uint64_t start_ns; /* smallest packet time */
	uint64_t hs_ns;
	uint32_t next_seq[2];
	uint16_t gaps[2];
	uint32_t retransmits[2];
	uint32_t prev, next;
	uint32_t moved; /* tick */
	uint16_t state; /* enum flow_state */
	uint16_t shard;
	uint8_t tcp_flags[2];
	union {
		uint8_t first_flags[2]; /* TCP */
		struct {
			uint8_t icmp_type, icmp_code; /* of the first packet; ICMP */
		};
	};
	uint8_t ttl_min[2], ttl_max[2];
	uint8_t tos[2];
	uint16_t epoch; /* low bits of the epoch that FLOW_SEEN* are about */
} __attribute__((aligned(NS_CACHE_LINE)));

_Static_assert(offsetof(struct flow, start_ns) == 64, "counters and clocks fill the first line");
_Static_assert(sizeof(struct flow) == 128, "two cache lines a flow");

struct cold {
	uint32_t tunnel_id;
	uint16_t port;
	uint8_t ver;
	uint8_t src[16], dst[16];
};

struct list {
	uint32_t first, last;
};

struct shard {
	struct list live, closing;
	uint32_t count;
};

/* What holds the flows; a table that grows makes a larger one and moves all over. */
struct store {
	struct rte_hash *hash;
	struct rte_rcu_qsbr *rcu;
	struct flow *flows;
	struct cold *cold;
	uint32_t capacity;
};

struct ns_flow_table {
	struct rte_hash *hash; /* these three as in store */
	struct flow *flows;
	struct cold *cold;
	struct store store;
	struct shard *shards; /* all of them; those of other workers stay empty */
	uint32_t shards_all;
	uint32_t shard_cap;
	uint32_t max; /* flows that the table may grow to */
	uint32_t grow_at; /* flows at which it grows; UINT32_MAX: never */
	unsigned id, generation; /* for the names of its parts */
	uint64_t idle_ns, linger_ns;
	uint64_t active_ns; /* UINT64_MAX: never */
	uint32_t move_ticks, linger_ticks;
	bool tcp_end;
	bool changed; /* a position was freed during this burst */
	uint16_t epoch; /* low bits of the number that ns_flow_epoch() gave */
	uint32_t age_at;
	struct ns_flow_hooks hooks;
	struct ns_flow_stats stats; /* writer: owner; readers: any, relaxed */
};

struct ns_flow_ended {
	const struct ns_tuple *tuple;
	const struct flow *flow;
	const struct cold *cold;
	uint8_t reason;
};

static inline uint32_t flow_tick(uint64_t clock_ns)
{
	return (uint32_t)(clock_ns >> TICK_SHIFT);
}

/* store.c: memory for capacity flows; 0 or -ENOMEM with nothing kept. */
int flow_store_create(struct store *s, uint32_t capacity, unsigned id, unsigned generation);
void flow_store_destroy(struct store *s);

/* Twice the room, or all that is allowed; when there is no memory the table stays as it is. */
void flow_grow(struct ns_flow_table *t);

/* The bits that choose a bucket are the same for all flows of a lcore: spread them again. */
static inline uint32_t flow_signature(uint32_t hash)
{
	uint64_t h = (uint64_t)hash * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 29);
}

void flow_list_push(struct ns_flow_table *t, struct list *l, uint32_t pos);
void flow_list_remove(struct ns_flow_table *t, struct list *l, uint32_t pos);

static inline bool flow_is_icmp(uint8_t proto)
{
	return proto == 1 || proto == 58;
}

/* Begins an entry with the packet that made it. */
void flow_start(struct ns_flow_table *t, uint32_t pos, struct rte_mbuf *m);
/* Counts a packet in, and says in it what it is to its flow. */
void flow_update(struct ns_flow_table *t, uint32_t pos, struct ns_packet *p);

/*
 * The reason for which the flow has ended by clock, or 0 while it lives.
 *
 * The active time-out counts what the flow has seen and then the time that passed since its last
 * packet, not the difference of clock and start: after a step back in a capture's time stamps the
 * clock, which never goes back, is far ahead of all flows that begin.
 */
static inline uint8_t flow_due(
	const struct ns_flow_table *t, const struct flow *f, uint64_t clock_ns)
{
	uint64_t since = clock_ns > f->last_clock ? clock_ns - f->last_clock : 0;

	if (ns_unlikely((f->state & FLOW_CLOSED) != 0)) {
		/* several ways in may be apart by a little: a packet of the tick before is no end
		 */
		int32_t ticks = (int32_t)(flow_tick(clock_ns) - f->moved);

		return ticks > (int32_t)t->linger_ticks || since > t->linger_ns
			       ? NS_FLOW_END_DETECTED
			       : 0;
	}
	uint64_t span = f->end_ns - f->start_ns;
	uint64_t left = span < t->active_ns ? t->active_ns - span : 0;

	if (ns_likely(since <= t->idle_ns && since <= left))
		return 0;
	return left < t->idle_ns ? NS_FLOW_END_ACTIVE : NS_FLOW_END_IDLE;
}

/* Reports the flow and leaves the entry for the same tuple to begin anew. */
void flow_report(
	struct ns_flow_table *t, uint32_t pos, const struct ns_tuple *tuple, uint8_t reason);
/* Reports and removes. */
void flow_remove(struct ns_flow_table *t, uint32_t pos, uint8_t reason);
/* Ends what is due in a shard; then, if it is still full, the flow idle longest. */
void flow_make_room(struct ns_flow_table *t, struct shard *s, uint64_t clock_ns);
