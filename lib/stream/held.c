/* SPDX-License-Identifier: BSD-3-Clause */
/* Octets that came before their turn: pieces in order of offset, none over another. */
#include "stream_priv.h"

#include <string.h>

/* A new piece before *at with the octets from f->off on, as many as fit; NULL: no room. */
static struct ns_stream_piece *put(struct ns_stream_pool *p, struct ns_stream_half *h,
	struct ns_stream_piece **at, const struct fresh *f, uint64_t end)
{
	struct ns_stream_piece *c = pool_get(p);

	if (c == NULL)
		return NULL;
	uint64_t len = end - f->off;

	if (f->data != NULL)
		len = NS_MIN(len, PIECE_MAX);
	*c = (struct ns_stream_piece){.next = *at,
		.off = f->off,
		.ts_ns = f->ts_ns,
		.clock_ns = f->clock_ns,
		.len = (uint32_t)len,
		.packet = f->packet,
		.hole = f->data == NULL};
	if (f->data != NULL)
		memcpy(c->data, f->data, len);
	*at = c;
	h->held_n += CHUNK;
	return c;
}

static void take_out(
	struct ns_stream_pool *p, struct ns_stream_half *h, struct ns_stream_piece **at)
{
	struct ns_stream_piece *c = *at;

	*at = c->next;
	h->held_n -= CHUNK;
	pool_put(p, c);
}

static void pass(struct fresh *f, uint64_t to)
{
	if (f->data != NULL)
		f->data += to - f->off;
	f->off = to;
}

/*
 * A hole gives way: what of it lies before f->off stays where it is, what lies behind the end of f
 * becomes a piece of its own. Without room for that it is forgotten, and nothing is known of those
 * octets again.
 */
static void split_hole(struct ns_stream_pool *p, struct ns_stream_half *h,
	struct ns_stream_piece **at, const struct fresh *f)
{
	struct ns_stream_piece *c = *at;
	uint64_t end = piece_end(c);
	struct fresh rest = {.off = f->end,
		.end = end,
		.ts_ns = c->ts_ns,
		.clock_ns = c->clock_ns,
		.packet = c->packet};

	if (end > f->end)
		put(p, h, &c->next, &rest, end);
	c->len = (uint32_t)(f->off - c->off);
	if (c->len == 0)
		take_out(p, h, at);
}

/* From f->off on the piece has octets of the same place: up to where both end, one of them stays.
 */
static bool overlap(struct ns_stream_pool *p, struct fresh *f, struct ns_stream_piece *c)
{
	uint64_t to = NS_MIN(f->end, piece_end(c));
	size_t n = to - f->off;
	bool differs = false;

	if (f->data != NULL && !c->hole) {
		uint8_t *have = c->data + c->at + (f->off - c->off);

		differs = memcmp(have, f->data, n) != 0;
		if (fresh_wins(p, f, c))
			memcpy(have, f->data, n);
	}
	ns_stat_add(&p->stats.overlap, n);
	pass(f, to);
	return differs;
}

bool held_insert(struct ns_stream_pool *p, struct ns_stream_half *h, struct fresh f)
{
	struct ns_stream_piece **at = &h->held;
	bool differs = false;

	while (f.off < f.end) {
		struct ns_stream_piece *c;

		while ((c = *at) != NULL && piece_end(c) <= f.off)
			at = &c->next;
		if (c != NULL && c->off <= f.off) {
			if (c->hole && f.data != NULL)
				split_hole(p, h, at, &f);
			else
				differs |= overlap(p, &f, c);
			continue;
		}
		uint64_t end = c != NULL ? NS_MIN(f.end, c->off) : f.end;

		c = put(p, h, at, &f, end);
		if (c == NULL)
			return false;
		pass(&f, piece_end(c));
	}
	ns_stat_add(&p->stats.differs, differs);
	return true;
}

void held_drop(struct ns_stream_pool *p, struct ns_stream_half *h, uint64_t off)
{
	while (h->held != NULL && piece_end(h->held) <= off)
		take_out(p, h, &h->held);
	if (h->held != NULL && h->held->off < off) {
		uint32_t n = (uint32_t)(off - h->held->off);

		h->held->off += n;
		h->held->len -= n;
		h->held->at += n;
	}
}
