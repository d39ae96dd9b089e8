/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * TCP streams (RFC 9293): the octets of both directions of a connection, each once and in order,
 * with gaps of exact size where the capture has none.
 *
 *	segments ─▶ ns_stream_segment() ─┬─ the next octets ─────────────▶ data()   not copied
 *	                                 ├─ later ones ─▶ held, copied ──▶ data()   when their turn
 *comes └─ nobody has them any more ────▶ gap()
 *
 * Offsets count octets of a direction from 0, without end: sequence numbers wrap, offsets do not.
 *
 * What is missing is waited for as long as it may still come: packets can be out of order, and a
 * sender repeats what was lost on its way to the receiver, though not what was lost on the way to
 * us. So a hole becomes a gap when the other end has acknowledged what was in it (or is never
 *heard) and `packets` more packets of the connection came, or `wait_ms` have gone by; when more is
 *held behind it than `held` or the pool have room for; and at the end. All of that is decided by
 *the connection's own packets, and so is the same on any number of lcores, but for a pool that is
 *full.
 *
 * A connection whose SYN was not seen begins with the lowest sequence number that came until a hole
 * would have become a gap.
 *
 * A FIN ends its direction when all before it came. A RST ends both when ns_stream_cut() is called:
 * octets that it has overtaken still count.
 *
 * One lcore, its pool and its streams; no function allocates but ns_stream_pool_create().
 */

#include <ns_base.h>

/** Whose octets count where two segments hold the same place, and the first is not given away yet.
 */
enum ns_stream_overlap { NS_STREAM_FIRST_WINS, NS_STREAM_LAST_WINS };

struct ns_stream_conf {
	uint64_t memory; /**< octets for all that is held on an lcore */
	uint32_t held; /**< octets that one direction may hold */
	uint32_t window; /**< octets ahead of the stream that are taken for a part of it */
	uint32_t packets; /**< packets of a connection until a hole is a gap */
	uint32_t wait_ms; /**< milliseconds of the packets' clock */
	enum ns_stream_overlap overlap;
};

/** What most connections are fine with. */
extern const struct ns_stream_conf ns_stream_defaults;

enum ns_stream_end {
	NS_STREAM_FIN, /**< the sender has said so, and all before it came or is a gap */
	NS_STREAM_RESET, /**< one of both ends has reset the connection */
	NS_STREAM_CUT, /**< the connection was not seen to its end */
};

/** Octets in order. */
struct ns_stream_data {
	const uint8_t *data; /**< borrowed until the call returns */
	uint32_t len; /**< never 0 */
	uint64_t off; /**< of the first octet */
	uint64_t ts_ns; /**< of the packet that brought them */
};

/** What becomes of a stream; no hook may call a function of this room for the same stream. */
struct ns_stream_ops {
	/** False: nobody wants more of this direction; no other hook is called for it. */
	bool (*data)(void *ctx, unsigned dir, const struct ns_stream_data *d);
	/** Octets that will not come; false as above. */
	bool (*gap)(void *ctx, unsigned dir, uint64_t off, uint64_t len);
	/** The last of a direction, at offset @p off. */
	void (*end)(void *ctx, unsigned dir, uint64_t off, enum ns_stream_end how);
};

/** What a pool's streams came across; each a number of segments unless said. Any thread, relaxed.
 */
struct ns_stream_stats {
	uint64_t segments; /**< with data, SYN, FIN or RST */
	uint64_t octets; /**< given to data() */
	uint64_t gaps, gap_octets; /**< given to gap() */
	uint64_t held; /**< copied, as something before them was missing */
	uint64_t old; /**< octets that had been given away or skipped before */
	uint64_t overlap; /**< octets that were held already */
	uint64_t differs; /**< segments that overlap what is held with other octets */
	uint64_t outside; /**< beyond the window, or behind a FIN */
	uint64_t early; /**< before the begin of a connection that was taken up in its midst */
	uint64_t shed; /**< the pool was full */
	uint64_t chunks, chunks_used; /**< of the pool */
};

/** A TCP segment; host order. */
struct ns_stream_segment {
	const uint8_t *data; /**< borrowed */
	uint32_t caplen; /**< octets at data */
	uint32_t len; /**< octets of payload by the IP header; more than caplen: the rest was cut
			 off */
	uint32_t seq, ack;
	uint8_t flags; /**< as in the header */
	uint8_t dir; /**< 0 or 1 */
	uint64_t ts_ns; /**< when it was seen */
	uint64_t clock_ns; /**< of the source; never goes back */
};

struct ns_stream_pool;
struct ns_stream_piece;

/** One direction. The room's own, here for its size. */
struct ns_stream_half {
	struct ns_stream_piece *held; /* in order of offset, none overlaps another */
	uint64_t next; /* offset + base of the octet that is due */
	uint64_t base; /* what offset 0 is */
	uint64_t fin; /* where it ends; UINT64_MAX: not known */
	uint32_t seq0; /* sequence number of offset + base 0 */
	uint32_t acked; /* highest acknowledgement that this end has sent */
	uint32_t held_n; /* octets */
	uint8_t state;
	uint8_t outside; /* segments beyond the window, one after the other */
	bool has_acked;
};

/** A connection; zeroed: a new one. Owned by the caller; ns_stream_cut() gives back what it holds.
 */
struct ns_stream {
	struct ns_stream_half half[2];
	uint32_t packets;
	bool reset; /* one of them said RST */
};

/**
 * Memory for what the streams of an lcore hold; @p live: all of it is touched at once. NULL with
 * errno: EINVAL, ENOMEM. @p conf and @p ops are copied.
 */
struct ns_stream_pool *ns_stream_pool_create(
	const struct ns_stream_conf *conf, const struct ns_stream_ops *ops, bool live);
void ns_stream_pool_destroy(struct ns_stream_pool *p);
void ns_stream_pool_stats(const struct ns_stream_pool *p, struct ns_stream_stats *s);

/** The next packet of the connection, also one without data; @p ctx goes to the hooks. */
void ns_stream_segment(struct ns_stream_pool *p, struct ns_stream *s,
	const struct ns_stream_segment *g, void *ctx);

/** The connection has ended: what is held is given away, with gaps; then it is as a new one. */
void ns_stream_cut(struct ns_stream_pool *p, struct ns_stream *s, void *ctx);

/** Whether both directions have ended or are wanted by nobody: no segment matters any more. */
bool ns_stream_over(const struct ns_stream *s);
