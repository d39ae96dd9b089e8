/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Held octets lie in chunks of one size, so that nothing is ever searched for or moved. */

#include "ns_stream.h"

#define CHUNK 1024

struct ns_stream_piece {
	struct ns_stream_piece *next;
	uint64_t off; /* with base */
	uint64_t ts_ns, clock_ns;
	uint32_t len;
	uint32_t packet; /* ns_stream.packets when it came */
	uint32_t at; /* of the first octet in data */
	bool hole; /* no octets: they were cut off when the packet was captured */
	uint8_t data[];
};
#define PIECE_MAX (CHUNK - sizeof(struct ns_stream_piece))

struct ns_stream_pool {
	struct ns_stream_conf conf;
	struct ns_stream_ops ops;
	struct ns_stream_piece *unused;
	uint8_t *memory;
	uint64_t fresh; /* chunks behind were never used */
	struct ns_stream_stats stats; /* writer: the lcore; readers: any, relaxed */
};

enum half_state {
	HALF_NEW, /* nothing came */
	HALF_LATE, /* data came and no SYN: where it begins is not known yet */
	HALF_OPEN,
	HALF_OVER, /* ended, or wanted by nobody */
};

/* What a segment brings: octets [off, off + len), of which there are `data`, or none. */
struct fresh {
	const uint8_t *data; /* NULL: a hole */
	uint64_t off, end;
	uint64_t ts_ns, clock_ns;
	uint32_t packet;
};

/* A chunk, or NULL; and back. */
struct ns_stream_piece *pool_get(struct ns_stream_pool *p);
void pool_put(struct ns_stream_pool *p, struct ns_stream_piece *c);

/* held.c: puts it among what is held; false: not all, the pool is full. */
bool held_insert(struct ns_stream_pool *p, struct ns_stream_half *h, struct fresh f);
/* Forgets what lies before @p off. */
void held_drop(struct ns_stream_pool *p, struct ns_stream_half *h, uint64_t off);
static inline uint64_t piece_end(const struct ns_stream_piece *c)
{
	return c->off + c->len;
}
/* Whether octets of the segment replace those of the piece. */
static inline bool fresh_wins(
	const struct ns_stream_pool *p, const struct fresh *f, const struct ns_stream_piece *c)
{
	return f->data != NULL && (c->hole || p->conf.overlap == NS_STREAM_LAST_WINS);
}
