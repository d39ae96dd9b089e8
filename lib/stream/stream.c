/* SPDX-License-Identifier: BSD-3-Clause */
/* What one segment does to its connection. */
#include "stream_priv.h"

#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

#define NEVER UINT64_MAX
/* Where the first octet stands of a direction whose begin is not known: others may come before it.
 */
#define BIAS (UINT64_C(1) << 30)
#define OUTSIDE_MAX 8 /* segments ahead of the window, one after the other: we have lost more */

/* A call's direction. */
struct way {
	struct ns_stream_pool *p;
	struct ns_stream *s;
	struct ns_stream_half *h;
	unsigned dir;
	void *ctx;
};

static void close_half(struct way *w)
{
	held_drop(w->p, w->h, NEVER);
	w->h->state = HALF_OVER;
}

static void finish(struct way *w, enum ns_stream_end how)
{
	uint64_t off = w->h->next - w->h->base;

	close_half(w);
	w->p->ops.end(w->ctx, w->dir, off, how);
}

static void give_gap(struct way *w, uint64_t to)
{
	struct ns_stream_half *h = w->h;
	uint64_t from = h->next;

	h->next = to;
	ns_stat_add(&w->p->stats.gaps, 1);
	ns_stat_add(&w->p->stats.gap_octets, to - from);
	if (!w->p->ops.gap(w->ctx, w->dir, from - h->base, to - from))
		close_half(w);
}

static void give_data(struct way *w, const uint8_t *data, uint64_t len, uint64_t ts_ns)
{
	struct ns_stream_half *h = w->h;
	struct ns_stream_data d = {
		.data = data, .len = (uint32_t)len, .off = h->next - h->base, .ts_ns = ts_ns};

	h->next += len;
	ns_stat_add(&w->p->stats.octets, len);
	if (!w->p->ops.data(w->ctx, w->dir, &d))
		close_half(w);
}

/* The first held piece, whose turn it is. */
static void give_held(struct way *w)
{
	const struct ns_stream_piece *c = w->h->held;
	uint64_t end = piece_end(c);

	if (c->hole)
		give_gap(w, end);
	else
		give_data(w, c->data + c->at, c->len, c->ts_ns);
	held_drop(w->p, w->h, end);
}

/* What of the segment is due, up to @p end. */
static void give_fresh(struct way *w, struct fresh *f, uint64_t end)
{
	if (f->data == NULL) {
		give_gap(w, end);
	} else {
		give_data(w, f->data, end - f->off, f->ts_ns);
		f->data += end - f->off;
	}
	f->off = end;
}

static bool wanted(const struct way *w)
{
	return w->h->state != HALF_OVER;
}

static void drain(struct way *w)
{
	struct ns_stream_half *h = w->h;

	while (wanted(w) && h->held != NULL && h->held->off <= h->next)
		give_held(w);
	if (wanted(w) && h->next >= h->fin)
		finish(w, NS_STREAM_FIN);
}

/* The segment and the first held piece both have the octets that are due. */
static void give_one_of(struct way *w, struct fresh *f)
{
	const struct ns_stream_piece *c = w->h->held;
	uint64_t end = NS_MIN(f->end, piece_end(c)), n = end - f->off;

	ns_stat_add(&w->p->stats.overlap, n);
	if (f->data != NULL && !c->hole && memcmp(c->data + c->at, f->data, n) != 0)
		ns_stat_add(&w->p->stats.differs, 1);
	if (fresh_wins(w->p, f, c)) {
		give_fresh(w, f, end);
		held_drop(w->p, w->h, end);
	} else {
		give_held(w);
		if (f->data != NULL)
			f->data += n;
		f->off = end;
	}
}

/* A segment that begins with or before the octet that is due. */
static void in_order(struct way *w, struct fresh f)
{
	const struct ns_stream_half *h = w->h;

	while (wanted(w) && f.off < f.end) {
		const struct ns_stream_piece *c = h->held;

		if (c != NULL && c->off <= f.off)
			give_one_of(w, &f);
		else
			give_fresh(w, &f, c != NULL ? NS_MIN(f.end, c->off) : f.end);
	}
	drain(w);
}

/* Nobody waits any longer for what is missing before the first held piece. */
static void skip(struct way *w)
{
	struct ns_stream_half *h = w->h;

	if (h->state == HALF_LATE) {
		h->base = h->next = h->held->off;
		h->state = HALF_OPEN;
	} else {
		give_gap(w, h->held->off);
	}
	drain(w);
}

/* Is what is missing before the first held piece not to be waited for? */
static bool is_gap(const struct way *w, uint64_t clock_ns)
{
	const struct ns_stream_half *h = w->h, *other = &w->s->half[w->dir ^ 1];
	const struct ns_stream_conf *conf = &w->p->conf;
	const struct ns_stream_piece *c = h->held;

	if (h->held_n > conf->held)
		return true;
	if (w->s->packets - c->packet < conf->packets &&
		(clock_ns < c->clock_ns ||
			clock_ns - c->clock_ns < conf->wait_ms * UINT64_C(1000000)))
		return false;
	if (h->state == HALF_LATE || !other->has_acked)
		return true;
	return (int32_t)(other->acked - (h->seq0 + (uint32_t)h->next)) > 0;
}

static void look(struct ns_stream_pool *p, struct ns_stream *s, uint64_t clock_ns, void *ctx)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		struct way w = {p, s, &s->half[dir], dir, ctx};

		while (ns_unlikely(w.h->held != NULL) && is_gap(&w, clock_ns))
			skip(&w);
	}
}

/* Holds it; if the pool is full, what this direction holds already makes room. */
static void hold(struct way *w, struct fresh f)
{
	ns_stat_add(&w->p->stats.held, 1);
	while (!held_insert(w->p, w->h, f)) {
		if (w->h->held == NULL) {
			ns_stat_add(&w->p->stats.shed, 1);
			return;
		}
		skip(w);
		if (!wanted(w) || f.end <= w->h->next)
			return;
		if (f.off > w->h->next)
			continue;
		if (f.data != NULL)
			f.data += w->h->next - f.off;
		f.off = w->h->next;
		in_order(w, f);
		return;
	}
}

/* Octets from @p off on, of which there are f.data or none; cuts off what came before. */
static void bring(struct way *w, struct fresh f)
{
	struct ns_stream_half *h = w->h;

	if (!wanted(w) || f.off >= f.end)
		return;
	if (h->state == HALF_LATE || f.off > h->next) {
		hold(w, f);
		return;
	}
	uint64_t old = NS_MIN(f.end, h->next) - f.off;

	ns_stat_add(&w->p->stats.old, old);
	if (f.end <= h->next)
		return;
	if (f.data != NULL)
		f.data += old;
	f.off += old;
	in_order(w, f);
}

static void begin(struct way *w, uint32_t seq, bool syn)
{
	struct ns_stream_half *h = w->h;

	h->fin = NEVER;
	h->seq0 = syn ? seq : seq - (uint32_t)BIAS;
	h->state = syn ? HALF_OPEN : HALF_LATE;
}

/* The SYN of a direction whose data came first. */
static void late_syn(struct way *w, int64_t off)
{
	struct ns_stream_half *h = w->h;

	if (off < 0)
		return;
	h->base = h->next = (uint64_t)off;
	h->state = HALF_OPEN;
	if (h->held != NULL && h->held->off < h->next)
		ns_stat_add(&w->p->stats.early, 1);
	held_drop(w->p, h, h->next);
	drain(w);
}

/* Where the octet with this sequence number stands; below 0: before all that has a place. */
static int64_t place(const struct ns_stream_half *h, uint32_t seq)
{
	uint64_t near = h->state == HALF_LATE ? BIAS : h->next;

	return (int64_t)near + (int32_t)(seq - (h->seq0 + (uint32_t)near));
}

/* Whether a segment that ends at @p end and begins at @p off can be a part of the stream. */
static bool inside(struct way *w, int64_t off, int64_t end)
{
	struct ns_stream_half *h = w->h;
	int64_t window = w->p->conf.window;
	int64_t near = (int64_t)(h->state == HALF_LATE ? BIAS : h->next);

	if (end < (int64_t)h->base || (h->state == HALF_LATE && off < near - window)) {
		ns_stat_add(&w->p->stats.early, 1);
		return false;
	}
	if (off <= near + window) {
		h->outside = 0;
		return true;
	}
	ns_stat_add(&w->p->stats.outside, 1);
	if (h->state == HALF_LATE || ++h->outside < OUTSIDE_MAX)
		return false;
	/* more was lost than a window: it goes on here */
	h->outside = 0;
	while (wanted(w) && h->held != NULL)
		skip(w);
	if (wanted(w) && off > (int64_t)h->next)
		give_gap(w, (uint64_t)off);
	return wanted(w);
}

static void note_fin(struct way *w, uint64_t end)
{
	struct ns_stream_half *h = w->h;

	if (h->fin == NEVER && end >= h->next)
		h->fin = end;
}

static void take(struct way *w, const struct ns_stream_segment *g, uint32_t seq)
{
	struct ns_stream_half *h = w->h;
	int64_t off = place(h, seq), end = off + g->len;
	uint32_t caplen = NS_MIN(g->caplen, g->len), before = 0;

	if (!inside(w, off, end))
		return;
	if (off < 0) {
		before = (uint32_t)NS_MIN(-off, (int64_t)caplen);
		off = 0;
	}
	if ((uint64_t)end > h->fin) {
		ns_stat_add(&w->p->stats.outside, 1);
		end = (int64_t)h->fin;
	}
	uint64_t cut = (uint64_t)NS_MIN(end, off + (int64_t)(caplen - before));
	struct fresh f = {.data = g->data + before,
		.off = (uint64_t)off,
		.end = cut,
		.ts_ns = g->ts_ns,
		.clock_ns = g->clock_ns,
		.packet = w->s->packets};

	if ((g->flags & FIN) != 0)
		note_fin(w, (uint64_t)end);
	bring(w, f);
	f.data = NULL;
	f.off = cut;
	f.end = (uint64_t)NS_MAX(end, (int64_t)cut);
	bring(w, f);
	if (h->state == HALF_OPEN)
		drain(w);
}

void ns_stream_segment(
	struct ns_stream_pool *p, struct ns_stream *s, const struct ns_stream_segment *g, void *ctx)
{
	struct way w = {p, s, &s->half[g->dir], g->dir, ctx};
	struct ns_stream_half *h = w.h;
	bool syn = (g->flags & SYN) != 0;
	uint32_t seq = g->seq + syn;

	s->packets++;
	if ((g->flags & ACK) != 0 && (!h->has_acked || (int32_t)(g->ack - h->acked) > 0)) {
		h->has_acked = true;
		h->acked = g->ack;
	}
	if ((g->flags & RST) != 0)
		s->reset = true;
	if (h->state != HALF_OVER && (syn || g->len > 0 || (g->flags & FIN) != 0) &&
		(g->flags & RST) == 0) {
		ns_stat_add(&p->stats.segments, 1);
		if (h->state == HALF_NEW)
			begin(&w, seq, syn);
		else if (syn && h->state == HALF_LATE)
			late_syn(&w, place(h, seq));
		if (wanted(&w) && (g->len > 0 || (g->flags & FIN) != 0))
			take(&w, g, seq);
	}
	look(p, s, g->clock_ns, ctx);
}

static void cut_half(struct way *w)
{
	struct ns_stream_half *h = w->h;

	while (wanted(w) && h->held != NULL)
		skip(w);
	if (!wanted(w))
		return;
	if (h->state == HALF_LATE) {
		/* a FIN alone */
		h->base = h->next = h->fin;
		h->state = HALF_OPEN;
	}
	if (h->fin != NEVER && h->fin > h->next)
		give_gap(w, h->fin);
	if (wanted(w))
		finish(w, h->fin != NEVER ? NS_STREAM_FIN
			  : w->s->reset   ? NS_STREAM_RESET
					  : NS_STREAM_CUT);
}

void ns_stream_cut(struct ns_stream_pool *p, struct ns_stream *s, void *ctx)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		struct way w = {p, s, &s->half[dir], dir, ctx};

		if (w.h->state != HALF_NEW)
			cut_half(&w);
	}
	memset(s, 0, sizeof(*s));
}

bool ns_stream_over(const struct ns_stream *s)
{
	return s->half[0].state == HALF_OVER && s->half[1].state == HALF_OVER;
}
