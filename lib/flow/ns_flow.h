/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Flows: both directions of a conversation in one entry, one table per analysis lcore.
 *
 * A record ends and counts the same whatever moment the ager runs: all time-outs run on the
 * source's clock (ns_packet.clock_ns), are decided by the packets of the same shard alone, and a
 * flow that is found too late still ends for the reason and with the counters it had at its time.
 */

#include <ns_conf.h>
#include <ns_packet.h>
#include <ns_rec.h>

/** How a table finds its flows. Same records either way; doc/performance.md compares them. */
enum ns_flow_index {
	NS_FLOW_INDEX_TAG, /**< own buckets of tags, one cache line each */
	NS_FLOW_INDEX_RTE_HASH, /**< DPDK's rte_hash */
};

/** Section "flow". */
struct ns_flow_conf {
	uint32_t max; /**< flows in all tables together */
	uint32_t idle; /**< seconds without a packet; ends with reason 1 */
	uint32_t active; /**< seconds since the first packet; ends with reason 2; 0: never */
	bool tcp_end; /**< FIN both ways or RST ends a TCP flow with reason 3 */
	uint32_t tcp_linger; /**< seconds that an ended TCP flow still takes late packets */
	enum ns_flow_index index;
};

/** flowEndReason, IPFIX information element 136. */
enum ns_flow_end {
	NS_FLOW_END_IDLE = 1,
	NS_FLOW_END_ACTIVE = 2,
	NS_FLOW_END_DETECTED = 3,
	NS_FLOW_END_FORCED = 4,
	NS_FLOW_END_RESOURCES = 5,
};

/** The record of an ended flow; "rev_" is from responder to initiator. See doc/records.md. */
struct ns_flow_rec {
	char community_id[31];
	uint8_t proto;
	struct ns_ip src, dst;
	uint16_t src_port, dst_port; /**< host order; ICMP: 0 and type * 256 + code */
	struct ns_vlans vlan;
	char tunnel[28]; /**< "vxlan:42", "ipip", or "" */
	uint64_t packets, ip_octets, l2_octets;
	uint64_t rev_packets, rev_ip_octets, rev_l2_octets;
	uint64_t start_ns, end_ns;
	uint8_t tcp_flags, rev_tcp_flags;
	uint8_t tcp_first_flags, rev_tcp_first_flags;
	uint8_t end_reason;
	uint8_t ttl_min, ttl_max, rev_ttl_min, rev_ttl_max;
	uint8_t tos, rev_tos;
	uint8_t icmp_type, icmp_code; /**< of the first packet */
	uint32_t tcp_gaps, rev_tcp_gaps;
	uint32_t tcp_retransmits, rev_tcp_retransmits;
	uint64_t tcp_rtt_ns; /**< SYN to the ACK of SYN+ACK; 0: not seen */
	uint32_t tunnel_id;
	struct ns_ip outer_src, outer_dst;
	uint16_t port; /**< input port or file interface of the first packet */
};

extern const struct ns_rec_kind ns_flow_rec_kind;

struct ns_flow_table;
struct ns_flow_ended; /* opaque view of an ended flow, valid during the hook */

/** What the room hands up. Called on the table's lcore. */
struct ns_flow_hooks {
	void (*ended)(void *ctx, const struct ns_flow_ended *flow);
	void *ctx;
};

/**
 * A table for worker @p id that owns @p shards of all @p shards_all shards and will never see more
 * than @p bound packets (0: not known).
 *
 * Live, all memory is taken and touched here, and a full shard looks at a few flows to find one
 * that can go. In @p file mode, where the source waits, memory is touched as flows come, the index
 * begins small and doubles on its lcore, and what a full shard ends does not depend on when the
 * ager ran. NULL with errno ENOMEM, EINVAL. Main thread, EAL running.
 */
struct ns_flow_table *ns_flow_table_create(const struct ns_flow_conf *conf, unsigned id,
	uint32_t shards, uint32_t shards_all, uint64_t bound, bool file,
	const struct ns_flow_hooks *hooks);
void ns_flow_table_destroy(struct ns_flow_table *t);

/**
 * From now on goes by the time-outs of @p conf (idle, active, tcp_end, tcp_linger) and by nothing
 * else of it. What is due by a shorter one may be found later than usual, by an eighth of the old
 * idle time-out at most. The table's lcore.
 */
void ns_flow_times(struct ns_flow_table *t, const struct ns_flow_conf *conf);

/** EAL memory in octets that ns_flow_table_create() will take; to size EAL before it starts. */
uint64_t ns_flow_table_memory(
	const struct ns_flow_conf *conf, uint32_t shards, uint32_t shards_all, uint64_t bound);

/**
 * Asks for the memory that ns_flow_burst() will look these packets up in. Whoever has something
 * else to do with a burst calls this before it. Any packets that were decoded; the table's lcore.
 */
void ns_flow_ask(const struct ns_flow_table *t, struct rte_mbuf *const *m, uint16_t n);

/**
 * Puts a burst of decoded IP packets into the table; others are passed over. @p n <= 64. Returns
 * how many found no room (counted as the drop flow_table_full). Fills ns_packet.flow of all, and
 * flow_dport of those in a flow.
 */
uint16_t ns_flow_burst(
	struct ns_flow_table *t, struct rte_mbuf *const *m, uint16_t n, struct ns_counters *c);

/** The flow of one packet as it is now. */
struct ns_flow_view {
	uint32_t position; /**< in the table */
	bool closed; /**< a TCP flow that has ended and waits for late packets */
	struct ns_flow_rec rec; /**< as ns_flow_record_draft() leaves it; end_reason 0 */
};

/**
 * The flow of a packet that ns_flow_burst() has seen (NS_PKT_FLOW); false: it is in the table no
 * more. Only reads; for single packets. The table's lcore.
 */
bool ns_flow_look(
	const struct ns_flow_table *t, const struct ns_packet *p, struct ns_flow_view *out);

/**
 * From here on packets belong to epoch @p number: NS_PKT_FLOW_FIRST marks the first packet of each
 * direction of a flow in it. The table's lcore.
 */
void ns_flow_epoch(struct ns_flow_table *t, uint64_t number);

/** Ends all that is idle at @p clock_ns, at once; the table's lcore. */
void ns_flow_age_all(struct ns_flow_table *t, uint64_t clock_ns);

/**
 * A slice of ageing, meant for each burst: looks at some shards and ends a few flows of what is
 * idle at @p clock_ns, more when many begin.
 */
void ns_flow_age(struct ns_flow_table *t, uint64_t clock_ns);

/**
 * Ends all flows; @p clock_ns is the last time of the whole input. The table takes no more packets
 * afterwards and is only good to be destroyed.
 */
void ns_flow_end_all(struct ns_flow_table *t, uint64_t clock_ns);

/** Fills the record @p r of the ended flow @p e; its lcore, during the hook. */
void ns_flow_record(const struct ns_flow_ended *e, struct ns_flow_rec *r);

/**
 * As ns_flow_record(), but leaves the Community ID to ns_flow_record_ids(); until then it reads as
 * an empty text. Its lcore, during the hook.
 */
void ns_flow_record_draft(const struct ns_flow_ended *e, struct ns_flow_rec *r);

/**
 * Computes the Community IDs of @p n records that ns_flow_record_draft() filled: eight at a time
 * cost little more than one. The records' writer, any time after the hook.
 */
void ns_flow_record_ids(struct ns_flow_rec *r, uint32_t n);

/** Most records that a walk hands over at once. */
#define NS_FLOW_WALK_BATCH 16

/**
 * Takes @p n records of a walk, drafts as ns_flow_record_draft() leaves them: whoever wants their
 * Community IDs calls ns_flow_record_ids(). They are the callee's to change and good during the
 * call. 0, or what ns_flow_walk() shall end with.
 */
typedef int ns_flow_walk_fn(void *ctx, struct ns_flow_rec *r, unsigned n);

/**
 * Walks over the flows that are in the table now, while its lcore goes on: a record each, with its
 * counters as they are, end_reason 0. Looks at no more than @p max positions from *from (0 at
 * first), which it moves on. Each record is of one moment and whole; all of them together are not:
 * a flow that ends or begins meanwhile may be among them or not, and a conversation that ends and
 * begins anew in another place may be there twice.
 *
 * 1: there is more; 0: that was all; what @p fn said, if not 0, the batch then is behind *from;
 * -EAGAIN: the lcore was kept from finishing what it had begun, the walk may go on from there.
 * One thread or several, any but the table's lcore; takes no lock, writes nothing, allocates
 * nothing. Costs the reader some 30 ns a flow (test/perf/bench_walk.c) and the lcore its lines of
 * cache. The table must not be destroyed meanwhile.
 */
int ns_flow_walk(const struct ns_flow_table *t, uint32_t *from, unsigned max, ns_flow_walk_fn *fn,
	void *ctx);

/** Numbers of a table; written by its lcore, relaxed reads by any thread. */
struct ns_flow_stats {
	uint64_t flows; /**< in the table now */
	uint64_t created;
	uint64_t ended;
	uint64_t evicted; /**< ended for lack of room */
};
void ns_flow_table_stats(const struct ns_flow_table *t, struct ns_flow_stats *s);

/**
 * Community ID v1 (github.com/corelight/community-id-spec), seed 0: "1:" and base64 of SHA-1.
 * Writes 30 characters and a zero. @p sport and @p dport in host order; @p ports false: none. For
 * ICMP they are the types as the tuple holds them. Any lcore.
 */
void ns_community_id(char out[31], uint8_t ver, const uint8_t *src, const uint8_t *dst,
	uint16_t sport, uint16_t dport, uint8_t proto, bool ports);

/** Keeps in @p out, which reads as empty, what ns_flow_record_ids() needs beside the record. */
void ns_community_id_later(char out[31], uint16_t sport, uint16_t dport, bool ports);

extern struct ns_counter ns_drop_flow_table_full;
