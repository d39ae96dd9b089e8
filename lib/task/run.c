/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst through all feeds: select, build the keys and values, feed the tasks. What is selected
 * waits in the columns until there is a whole burst: where few packets of a burst are wanted, tasks
 * are called once for many bursts, and can look ahead.
 *
 * First packets of the directions of flows are few in each burst: their views wait, so that keys
 * are built for a whole burst of them too.
 *
 * Written and read by one lcore. All memory is taken at create and lies in one block:
 *
 *   ns_task_lcore | cols of each task: keys, values | hashes and keys, values of each feed |
 * records | views
 */
#include "task_priv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <stdlib.h>
#include <string.h>

/* How a task of a feed is fed: what a burst needs of it, side by side. */
struct call {
	void (*feed)(const void *task, void *state, const struct ns_task_cols *c);
	const void *task;
	size_t state_at;
	struct ns_task_cols cols;
};

/* The columns of one feed, and how many things wait in them. */
struct columns {
	unsigned n;
	uint64_t **hash; /* by key of the feed */
	uint8_t **key;
	uint64_t **value;
	struct call *calls; /* by task of the feed */
};

/* A packet that waits: what an mbuf has in front of its view stays untouched. */
struct view {
	struct rte_mbuf m;
	uint8_t packet[NS_PACKET_PRIV];
};

/* What fields that are the same in all packets of a direction of a flow are read from. */
#define VIEW_LEN offsetof(struct ns_packet, frag_id)

struct ns_task_lcore {
	const struct ns_tasks *ts;
	struct columns *feeds;
	struct rte_mbuf *picked[NS_TASK_BURST];
	unsigned first_n;
	struct rte_mbuf *first[NS_TASK_BURST]; /* of views */
	unsigned recs_n;
	struct ns_flow_rec *recs;
};

_Static_assert(NS_TASK_BURST == 32, "a bit of a word for each packet of a burst");

/* Hands out memory of a block; without a block it only counts. */
struct carver {
	uint8_t *block;
	size_t used;
};

static void *carve(struct carver *c, size_t size)
{
	void *p = c->block != NULL ? c->block + c->used : NULL;

	c->used += task_align(size, NS_CACHE_LINE);
	return p;
}

static void carve_task(struct carver *c, const struct ns_task_build *b, const struct columns *feed,
	struct call *call)
{
	struct ns_task_keys *keys = carve(c, b->keys_n * sizeof(*keys));
	const uint64_t **values = carve(c, b->values_n * sizeof(*values));

	if (c->block == NULL)
		return;
	for (unsigned i = 0; i < b->keys_n; i++)
		keys[i] = (struct ns_task_keys){.hash = feed->hash[b->key_at[i]],
			.key = feed->key[b->key_at[i]],
			.len = b->keys[i]->len};
	for (unsigned i = 0; i < b->values_n; i++)
		values[i] = feed->value[b->value_at[i]];
	*call = (struct call){.feed = b->ops->feed,
		.task = b->self,
		.state_at = b->state_at,
		.cols = {.keys = keys, .values = values}};
}

static void carve_feed(struct carver *c, const struct task_feed *f, struct columns *feed)
{
	struct columns none, *to = c->block != NULL ? feed : &none;

	to->hash = carve(c, f->keys_n * sizeof(*to->hash));
	to->key = carve(c, f->keys_n * sizeof(*to->key));
	to->value = carve(c, f->values_n * sizeof(*to->value));
	to->calls = carve(c, f->tasks_n * sizeof(*to->calls));
	for (unsigned i = 0; i < f->keys_n; i++) {
		uint64_t *hash = carve(c, NS_TASK_BURST * sizeof(*hash));
		uint8_t *key = carve(c, NS_TASK_BURST * (size_t)f->keys[i]->len);

		if (c->block == NULL)
			continue;
		to->hash[i] = hash;
		to->key[i] = key;
	}
	for (unsigned i = 0; i < f->values_n; i++) {
		uint64_t *value = carve(c, NS_TASK_BURST * sizeof(*value));

		if (c->block != NULL)
			to->value[i] = value;
	}
	for (unsigned i = 0; i < f->tasks_n; i++)
		carve_task(c, f->tasks[i], to, c->block != NULL ? &to->calls[i] : NULL);
}

static bool has_once(const struct ns_tasks *ts)
{
	for (unsigned i = 0; i < ts->feeds_n; i++) {
		if (ts->feeds[i].once)
			return true;
	}
	return false;
}

static struct ns_task_lcore *carve_all(struct carver *c, const struct ns_tasks *ts)
{
	struct ns_task_lcore *l = carve(c, sizeof(*l));
	struct columns *feeds = carve(c, ts->feeds_n * sizeof(*feeds));
	struct ns_flow_rec *recs =
		carve(c, ns_tasks_of_flows(ts) ? NS_TASK_BURST * sizeof(*recs) : 0);
	struct view *views = carve(c, has_once(ts) ? NS_TASK_BURST * sizeof(*views) : 0);

	for (unsigned i = 0; i < ts->feeds_n; i++)
		carve_feed(c, &ts->feeds[i], l != NULL ? &feeds[i] : NULL);
	if (l != NULL) {
		for (unsigned i = 0; i < NS_TASK_BURST; i++)
			l->first[i] = &views[i].m;
		l->ts = ts;
		l->feeds = feeds;
		l->recs = ns_tasks_of_flows(ts) ? recs : NULL;
	}
	return l;
}

struct ns_task_lcore *ns_task_lcore_create(const struct ns_tasks *ts)
{
	struct carver c = {NULL, 0};

	carve_all(&c, ts);
	c.block = aligned_alloc(NS_CACHE_LINE, c.used);
	if (c.block == NULL)
		return ns_errno_null(ENOMEM);
	/* keys have gaps that no one writes */
	memset(c.block, 0, c.used);
	c.used = 0;
	return carve_all(&c, ts);
}

void ns_task_lcore_destroy(struct ns_task_lcore *l)
{
	free(l);
}

static inline uint32_t ones(unsigned n)
{
	return n == 32 ? UINT32_MAX : (1u << n) - 1;
}

/* Gives the tasks of a feed what waits in its columns. */
static void give(const struct task_feed *f, struct columns *c, uint8_t *state)
{
	for (unsigned i = 0; i < f->tasks_n; i++) {
		struct call *to = &c->calls[i];

		to->cols.n = c->n;
		to->feed(to->task, state + to->state_at, &to->cols);
	}
	c->n = 0;
}

/* Where key number i of the next thing goes. */
static inline uint8_t *key_at(const struct task_feed *f, const struct columns *c, unsigned i)
{
	return c->key[i] + c->n * (size_t)f->keys[i]->len;
}

static void add_keys(const struct task_feed *f, const struct columns *c, uint64_t seed,
	const void *src, unsigned n)
{
	const struct task_ends *e = &f->ends;

	if (e->made != 0) {
		uint8_t *one = key_at(f, c, e->src), *other = key_at(f, c, e->dst);

		task_packet_put_ends(src, n, one, other);
		if (e->made >> e->pair & 1 && e->pair != e->src && e->pair != e->dst)
			task_packet_put_pair(src, n, one, other, key_at(f, c, e->pair));
	}
	for (unsigned i = 0; i < f->keys_n; i++) {
		uint8_t *key = key_at(f, c, i);

		if (i < 64 && e->made >> i & 1)
			task_key_hash(f->keys[i], n, seed, key, c->hash[i] + c->n);
		else
			task_key_build(f->keys[i], src, n, seed, key, c->hash[i] + c->n);
	}
}

/* Puts n things into the columns of a feed, and gives them to its tasks when there is a burst. */
static void add(const struct task_feed *f, struct columns *c, uint8_t *state, uint64_t seed,
	const void *src, unsigned n)
{
	if (c->n + n > NS_TASK_BURST)
		give(f, c, state);
	add_keys(f, c, seed, src, n);
	for (unsigned i = 0; i < f->values_n; i++)
		f->values[i]->op.get(&f->values[i]->op, src, n, c->value[i] + c->n);
	c->n += n;
	if (c->n == NS_TASK_BURST)
		give(f, c, state);
}

/* What the packets of a burst are, a bit for each. */
struct burst {
	uint32_t in_flow;
	uint32_t first; /* of its direction in a flow */
	uint32_t any; /* in a flow, or without one */
};

/* A bit for each of n octets that has this one set. */
static inline uint32_t bits_of(const uint8_t octet[NS_TASK_BURST], unsigned bit, unsigned n)
{
#ifdef __SSE2__
	/* no octet gets the bits of another where it is looked at, the highest */
	__m128i a = _mm_slli_epi16(_mm_load_si128((const __m128i *)octet), (int)(7 - bit));
	__m128i b = _mm_slli_epi16(_mm_load_si128((const __m128i *)(octet + 16)), (int)(7 - bit));
	uint32_t bits = (uint32_t)_mm_movemask_epi8(a) | (uint32_t)_mm_movemask_epi8(b) << 16;

	return bits & ones(n);
#else
	uint32_t bits = 0;

	for (unsigned i = 0; i < n; i++)
		bits |= (uint32_t)(octet[i] >> bit & 1) << i;
	return bits;
#endif
}

static inline struct burst look(struct rte_mbuf *const *m, unsigned n, bool any)
{
	uint8_t flow[NS_TASK_BURST] __attribute__((aligned(16)));
	struct burst b;

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		flow[i] = ns_packet(m[i])->flow;
	b.in_flow = bits_of(flow, (unsigned)__builtin_ctz(NS_PKT_FLOW), n);
	b.first = bits_of(flow, (unsigned)__builtin_ctz(NS_PKT_FLOW_FIRST), n);
	b.any = b.in_flow;
	/* those with an IP header and no flow found no room: they are drops */
	for (unsigned i = 0; any && i < n; i++)
		b.any |= (ns_packet(m[i])->flags & NS_PKT_IP) == 0 ? 1u << i : 0;
	return b;
}

static uint32_t filter(const struct task_when *w, struct rte_mbuf *const *m, uint32_t of)
{
	uint32_t left = of;

	for (; of != 0; of &= of - 1) {
		unsigned i = (unsigned)__builtin_ctz(of);

		if (!task_when_match(w, m[i]))
			left &= ~(1u << i);
	}
	return left;
}

/* Keeps these packets' views until there is a burst of them. */
static void keep(struct ns_task_lcore *l, const struct task_feed *f, struct columns *c, void *state,
	struct rte_mbuf *const *m, uint32_t of)
{
	for (; of != 0; of &= of - 1) {
		const struct ns_packet *p = ns_packet(m[__builtin_ctz(of)]);

		memcpy(ns_packet(l->first[l->first_n++]), p, VIEW_LEN);
		if (l->first_n < NS_TASK_BURST)
			continue;
		add(f, c, state, l->ts->seed, l->first, NS_TASK_BURST);
		l->first_n = 0;
	}
}

void ns_tasks_packets(struct ns_task_lcore *l, void *state, struct rte_mbuf *const *m, unsigned n)
{
	const struct ns_tasks *ts = l->ts;
	struct burst b;

	if (n == 0)
		return;
	b = look(m, n, ts->any);
	for (unsigned i = 0; i < ts->feeds_n; i++) {
		const struct task_feed *f = &ts->feeds[i];
		uint32_t of = f->once ? b.first : f->any ? b.any : b.in_flow;
		unsigned picked = 0;

		if (f->of != NS_TASK_OF_PACKETS)
			continue;
		if (f->when != NULL)
			of = filter(f->when, m, of);
		if (of == 0)
			continue;
		if (f->once) {
			keep(l, f, &l->feeds[i], state, m, of);
			continue;
		}
		if (of == ones(n)) {
			add(f, &l->feeds[i], state, ts->seed, m, n);
			continue;
		}
		for (; of != 0; of &= of - 1)
			l->picked[picked++] = m[__builtin_ctz(of)];
		add(f, &l->feeds[i], state, ts->seed, l->picked, picked);
	}
}

static void add_records(struct ns_task_lcore *l, void *state)
{
	const struct ns_tasks *ts = l->ts;

	for (unsigned i = 0; i < ts->feeds_n; i++) {
		if (ts->feeds[i].of == NS_TASK_OF_FLOWS)
			add(&ts->feeds[i], &l->feeds[i], state, ts->seed, l->recs, l->recs_n);
	}
	l->recs_n = 0;
}

void ns_tasks_record(struct ns_task_lcore *l, void *state, const struct ns_flow_rec *r)
{
	if (l->recs == NULL)
		return;
	l->recs[l->recs_n++] = *r;
	if (l->recs_n == NS_TASK_BURST)
		add_records(l, state);
}

void ns_tasks_flush(struct ns_task_lcore *l, void *state)
{
	if (l->recs_n > 0)
		add_records(l, state);
	for (unsigned i = 0; i < l->ts->feeds_n; i++) {
		const struct task_feed *f = &l->ts->feeds[i];

		if (f->once && l->first_n > 0) {
			add(f, &l->feeds[i], state, l->ts->seed, l->first, l->first_n);
			l->first_n = 0;
		}
		if (l->feeds[i].n > 0)
			give(f, &l->feeds[i], state);
	}
}
