/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Idea: an index says where a flow stands, and what a packet touches there is one cache line.
 *
 *   index        key ─▶ position: tag.h (own, tagged buckets) or rte.h (rte_hash)
 *   hot[pos]     64 octets: key, counters, clock: all that a UDP packet reads and writes
 *   warm[pos]    64 octets: TCP, list links, what is set once or seldom
 *   wide[pos]    IPv6 addresses; only their flows touch its pages
 *   big[pos]     what counters of 32 bits could not hold; flows of more than 2 GiB touch it
 *   cold[pos]    tunnel and outer addresses; tunnelled flows touch it
 *
 * The key in the hot line is exact for IPv4. For IPv6 it holds a digest of both addresses, and
 * wide[] is compared too.
 *
 * Shards bound the table and decide who must go: a shard is a dispatch bucket, so the packets that
 * it sees do not depend on the number of lcores, and neither does what it evicts.
 *
 *   shard.live     oldest ◀─▶ ... ◀─▶ newest   by the tick of the last move
 *   shard.closing  ended TCP flows, by the tick at which they ended
 *
 * A packet moves its flow to the end of the live list only when the last move is a sixteenth to an
 * eighth of the idle time-out ago, as the flow's hash says: a hot flow touches its neighbours a few
 * times a minute, and every idle flow is still found in front.
 *
 * Writer: the analysis lcore that owns the table. Readers of the index and of the arrays: threads
 * registered with the RCU variable; a position that was freed is not used again before all of them
 * have said that they are quiescent. Numbers are read relaxed. Who copies entries without looking
 * for them (walk.c) goes by ns_flow_table.changes instead and registers with nothing.
 */

#include <ns_decode.h>
#include <ns_flow.h>

#include <rte_hash.h>
#include <rte_rcu_qsbr.h>

#include <string.h>

#define NONE UINT32_MAX
#define TICK_SHIFT 28 /* 268 ms of packet time; 32 bits go around in 36 years */
#define MOVE_TICKS_MAX 900 /* 4 minutes; see flow_look() */
#define READERS 8 /* threads that may look into a table */
#define FIND_MAX 64 /* packets of a burst */

/* rte_hash multiplies positions and its octets for a key in 32 bits */
#define CAPACITY_MAX (UINT32_MAX / 64)

/* hot.state: what every packet must know */
enum flow_hot {
	FLOW_SWAPPED = 1u << 0, /* the initiator is endpoint b of the tuple */
	FLOW_CLOSED = 1u << 1, /* in shard.closing */
	/* one after the other: SEEN0 << direction */
	FLOW_SEEN0 = 1u << 2, /* a packet of this direction came in the epoch of `epoch` */
	FLOW_SEEN1 = 1u << 3,
	FLOW_LATE = 1u << 4, /* had a packet whose time was not the clock's: warm.end_ns counts */
	FLOW_ICMP = 1u << 5,
	FLOW_BIG = 1u << 6, /* big[] is set */
};

/* warm.state */
enum flow_warm {
	FLOW_SYN = 1u << 0, /* hs_ns is the time of the initiator's SYN */
	FLOW_SYNACK = 1u << 1,
	FLOW_RTT = 1u << 2, /* hs_ns is the handshake's round trip */
	FLOW_FIN0 = 1u << 3,
	FLOW_FIN1 = 1u << 4,
	FLOW_SEQ0 = 1u << 5, /* next_seq[0] is set */
	FLOW_SEQ1 = 1u << 6,
	FLOW_TUNNEL = 1u << 7, /* cold[] is set */
	FLOW_PORTS = 1u << 8,
};

/*
 * The key of a flow, three words of the tuple; the octet that is zero in the tuple holds
 * hot.state.
 *
 *   0         4         8    10   12    13   14      16      18       19      20       24
 *   | addr a  | addr b  | pa | pb |proto| ver | vlan0 | vlan1 | tunnel | state | id     |
 *   | digest of both: 6 |
 */
struct key {
	uint64_t addrs, ports, rest;
};
#define KEY_STATE UINT64_C(0x00000000ff000000)
#define KEY_SALT_SHIFT 24

/* Index 0: initiator to responder, 1: back. */
struct hot {
	union {
		struct key key;
		struct {
			uint8_t before[19];
			uint8_t state; /* enum flow_hot */
			uint32_t tunnel_id;
		};
	};
	uint32_t packets[2]; /* first 0, then never again: see big */
	uint32_t ip_octets[2];
	uint32_t l2_octets[2];
	uint64_t last_clock; /* ns, of the source's clock */
	uint32_t look; /* tick from which on flow_look() is asked; closed: when it did */
	uint16_t epoch; /* low bits of the epoch that FLOW_SEEN* are about */
	uint8_t ttl[2]; /* of the last packet */
} __attribute__((aligned(NS_CACHE_LINE)));
_Static_assert(offsetof(struct hot, state) == 19, "where the tuple has its zero");
_Static_assert(sizeof(struct hot) == NS_CACHE_LINE, "one line a packet");

struct warm {
	uint64_t start_ns; /* smallest packet time */
	uint64_t end_ns; /* largest packet time; FLOW_LATE only, otherwise hot.last_clock */
	uint64_t hs_ns;
	uint32_t next_seq[2];
	uint32_t retransmits[2];
	uint32_t prev, next; /* of its list; next: of the free positions */
	uint16_t gaps[2];
	uint16_t state; /* enum flow_warm */
	uint8_t tcp_flags[2];
	union {
		uint8_t first_flags[2]; /* TCP */
		struct {
			uint8_t icmp_type, icmp_code; /* of the first packet; ICMP */
		};
	};
	uint8_t ttl_min[2], ttl_max[2];
	uint8_t tos[2];
} __attribute__((aligned(NS_CACHE_LINE)));
_Static_assert(sizeof(struct warm) == NS_CACHE_LINE, "one more for TCP");

struct wide {
	uint64_t a[2], b[2];
};

struct big {
	uint64_t packets[2], ip_octets[2], l2_octets[2];
};

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
	uint64_t due_ns; /* nothing in it is due before this clock; only what is full keeps it */
};

/* Positions that were freed, linked by warm.next. */
struct chain {
	uint32_t first, last;
};

/* An index: one of both is used. */
struct tag_bucket;
struct tag_index {
	struct tag_bucket *buckets; /* and behind them those that full ones are continued in */
	uint32_t n, extra, extra_used, extra_free;
	size_t size; /* octets */
};

struct rte_index {
	struct rte_hash *hash;
	unsigned salt_max; /* of all keys in it: how many have the same key but other addresses */
};

/* What holds the flows. */
struct store {
	struct hot *hot;
	struct warm *warm;
	struct wide *wide;
	struct big *big;
	struct cold *cold;
	uint32_t max; /* positions */
	uint32_t fresh; /* those behind were never used; read relaxed by walk.c */
	struct chain unused, waiting, freed; /* see store.c */
	uint64_t token;
	struct rte_rcu_qsbr *rcu;
};

struct ns_flow_table {
	struct store store;
	enum ns_flow_index kind;
	struct tag_index tag;
	struct rte_index rte;
	uint64_t idle_ns, linger_ns;
	uint64_t active_ns; /* UINT64_MAX: never */
	uint64_t digest_mask; /* all ones; a test makes IPv6 addresses collide with it */
	uint32_t move_ticks, idle_ticks, linger_ticks;
	bool tcp_end;
	bool file; /* exact eviction, and the index grows: who feeds the table waits */
	uint16_t epoch; /* low bits of the number that ns_flow_epoch() gave */
	uint32_t shards_all;
	uint32_t shard_cap;
	uint32_t grow_at; /* flows at which the index grows; UINT32_MAX: never */
	uint32_t age_at; /* shard that the next slice of ageing begins with */
	uint64_t aged_created; /* stats.created at the last slice */
	unsigned id, generation; /* for the names of its parts */
	struct shard *shards; /* all of them; those of other workers stay empty */
	struct ns_flow_hooks hooks;
	struct ns_flow_stats stats; /* writer: owner; readers: any, relaxed */
	/* odd: entries are being changed (walk.h); writer: owner; readers: any walk */
	uint64_t changes __attribute__((aligned(NS_CACHE_LINE)));
};

struct ns_flow_ended {
	const struct ns_tuple *tuple;
	const struct hot *hot;
	const struct warm *warm;
	const struct big *big;
	const struct cold *cold;
	uint8_t reason;
};

static inline uint32_t flow_tick(uint64_t clock_ns)
{
	return (uint32_t)(clock_ns >> TICK_SHIFT);
}

/* The bits that choose a bucket are the same for all flows of a lcore: spread them again. */
static inline uint32_t flow_signature(uint32_t hash)
{
	uint64_t h = (uint64_t)hash * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 29);
}

static inline uint64_t flow_word(const struct ns_tuple *t, unsigned i)
{
	uint64_t w;

	memcpy(&w, (const uint8_t *)t + i * sizeof(w), sizeof(w));
	return w;
}

static inline uint64_t flow_digest(const struct ns_tuple *t)
{
	__uint128_t a = (__uint128_t)(flow_word(t, 0) ^ UINT64_C(0x9e3779b97f4a7c15)) *
			(flow_word(t, 1) ^ UINT64_C(0xd6e8feb86659fd93));
	__uint128_t b = (__uint128_t)(flow_word(t, 2) ^ UINT64_C(0xa0761d6478bd642f)) *
			(flow_word(t, 3) ^ UINT64_C(0xe7037ed1a0b428db));
	uint64_t x = (uint64_t)a ^ (uint64_t)(a >> 64), y = (uint64_t)b ^ (uint64_t)(b >> 64);

	return x * UINT64_C(0xff51afd7ed558ccd) + y;
}

static inline struct key flow_key(const struct ns_flow_table *t, const struct ns_tuple *u)
{
	return (struct key){
		.addrs = ns_likely(u->ver == 4) ? flow_word(u, 0) | flow_word(u, 2) << 32
						: flow_digest(u) & t->digest_mask,
		.ports = flow_word(u, 4),
		.rest = flow_word(u, 5),
	};
}

/* Is this tuple's flow at pos? */
static inline bool flow_is(
	const struct ns_flow_table *t, uint32_t pos, const struct key *k, const struct ns_tuple *u)
{
	const struct key *have = &t->store.hot[pos].key;

	if (((have->addrs ^ k->addrs) | (have->ports ^ k->ports) |
		    ((have->rest ^ k->rest) & ~KEY_STATE)) != 0)
		return false;
	return ns_likely(u->ver == 4) || memcmp(&t->store.wide[pos], u, sizeof(struct wide)) == 0;
}

/* Does a flow stand at this position? Those behind store.fresh were never used. */
static inline bool flow_used(const struct hot *f)
{
	return f->key.ports != 0; /* no IP version is 0 */
}

/* The tuple of a flow with this key; its addresses are looked at when it is an IPv6 flow. */
static inline void flow_key_tuple(const struct key *k, const struct wide *addrs, struct ns_tuple *u)
{
	uint64_t word[6] = {
		(uint32_t)k->addrs, 0, k->addrs >> 32, 0, k->ports, k->rest & ~KEY_STATE};

	memcpy(u, word, sizeof(*u));
	if (u->ver != 4)
		memcpy(u, addrs, sizeof(*addrs));
}

/* The tuple of the flow at pos. */
static inline void flow_tuple(const struct ns_flow_table *t, uint32_t pos, struct ns_tuple *u)
{
	flow_key_tuple(&t->store.hot[pos].key, &t->store.wide[pos], u);
}

/* store.c: memory for max flows; 0 or -ENOMEM with nothing kept. live: all of it at once. */
int flow_store_create(struct store *s, uint32_t max, bool live);
void flow_store_destroy(struct store *s);
/* A position for a new flow, or NONE; and back. */
uint32_t flow_position(struct store *s);
void flow_position_free(struct store *s, uint32_t pos);
/* Zeroed memory of the process, in large pages where there is much of it; NULL with errno ENOMEM.
 */
void *flow_map(size_t size, bool live);

/* index.c: for up to so many flows; 0 or -ENOMEM with nothing kept. */
int flow_index_create(struct ns_flow_table *t, uint32_t flows);
void flow_index_destroy(struct ns_flow_table *t);
/* EAL memory in octets that it takes. */
uint64_t flow_index_memory(enum ns_flow_index kind, uint64_t flows);
/* Where the tuple's flow is, or NONE. */
uint32_t flow_find(const struct ns_flow_table *t, uint32_t hash, const struct key *k,
	const struct ns_tuple *u);
/* What flow_forget() will touch is on its way. */
void flow_index_prefetch(const struct ns_flow_table *t, uint32_t hash);
/* Enters the flow at pos, whose key is not in it. False: no room. */
bool flow_enter(struct ns_flow_table *t, uint32_t pos, uint32_t hash);
void flow_forget(struct ns_flow_table *t, uint32_t pos, uint32_t hash);
/* Twice the room; when there is no memory the index stays as it is. */
void flow_index_grow(struct ns_flow_table *t);

void flow_list_push(struct ns_flow_table *t, struct list *l, uint32_t pos);
void flow_list_remove(struct ns_flow_table *t, struct list *l, uint32_t pos);

static inline bool flow_is_icmp(uint8_t proto)
{
	return proto == 1 || proto == 58;
}

/* table.c: a new entry for the packet, whose flow is not there; NONE: no room. */
uint32_t flow_insert(struct ns_flow_table *t, struct rte_mbuf *m, const struct key *k);
/* The old record ends and the same tuple begins a new one in the same place. */
void flow_restart(struct ns_flow_table *t, uint32_t pos, struct rte_mbuf *m, uint8_t reason);

/* Time of the last packet. */
static inline uint64_t flow_end_ns(const struct hot *f, const struct warm *w)
{
	return (f->state & FLOW_LATE) != 0 ? w->end_ns : f->last_clock;
}

/*
 * The reason for which the flow has ended by clock, or 0 while it lives.
 *
 * The active time-out counts what the flow has seen and then the time that passed since its last
 * packet, not the difference of clock and start: after a step back in a capture's time stamps the
 * clock, which never goes back, is far ahead of all flows that begin.
 */
static inline uint8_t flow_due(const struct ns_flow_table *t, uint32_t pos, uint64_t clock_ns)
{
	const struct hot *f = &t->store.hot[pos];
	const struct warm *w = &t->store.warm[pos];
	uint64_t since = clock_ns > f->last_clock ? clock_ns - f->last_clock : 0;

	if (ns_unlikely((f->state & FLOW_CLOSED) != 0)) {
		/* several ways in may be apart by a little: a packet of the tick before is no end
		 */
		int32_t ticks = (int32_t)(flow_tick(clock_ns) - f->look);

		return ticks > (int32_t)t->linger_ticks || since > t->linger_ns
			       ? NS_FLOW_END_DETECTED
			       : 0;
	}
	uint64_t span = flow_end_ns(f, w) - w->start_ns;
	uint64_t left = span < t->active_ns ? t->active_ns - span : 0;

	if (ns_likely(since <= t->idle_ns && since <= left))
		return 0;
	return left < t->idle_ns ? NS_FLOW_END_ACTIVE : NS_FLOW_END_IDLE;
}

/*
 * When a flow that is moved to the end of its list now must be looked at again: to be moved once
 * more, and not later than when the active time-out may have come (of a flow all of whose packets
 * had the clock's time; the others are looked at with each packet). Whatever happens in so short
 * a time needs no look: neither the idle time-out nor the numbers of epochs going around.
 */
static inline uint32_t flow_look(
	const struct ns_flow_table *t, uint32_t hash, uint64_t start_ns, uint64_t clock_ns)
{
	/* flows that began together part: all at once they would hold up a burst */
	uint32_t part = t->move_ticks / 2 + 1;
	uint32_t early = (uint32_t)((uint64_t)flow_signature(hash) * part >> 32);
	uint32_t look = flow_tick(clock_ns) + t->move_ticks - early;

	if (t->active_ns > UINT64_MAX - start_ns)
		return look;
	return NS_MIN(look, flow_tick(start_ns + t->active_ns));
}

/* Reports the flow and leaves the entry for the same tuple to begin anew. */
void flow_report(struct ns_flow_table *t, uint32_t pos, uint8_t reason);
/* Reports and removes. */
void flow_remove(struct ns_flow_table *t, uint32_t pos, uint8_t reason);
/* Ends what is due in a shard; then, if it is still full, the flow that is worth least. */
void flow_make_room(struct ns_flow_table *t, struct shard *s, uint64_t clock_ns);
