/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst through all feeds: select, build the keys and values, feed the tasks. What is selected
 * waits in the columns until there is a whole burst: where few packets of a burst are wanted, tasks
 * are called once for many bursts, and can look ahead.
 *
 * Written and read by one lcore. All memory is taken at create and lies in one block:
 *
 *   ns_task_lcore | cols of each task: keys, values | hashes and keys, values of each feed |
 * records
 */
#include "task_priv.h"

#include <stdlib.h>
#include <string.h>

/* The columns of one feed, and how many things wait in them. */
struct columns {
	unsigned n;
	uint64_t **hash; /* by key of the feed */
	uint8_t **key;
	uint64_t **value;
	struct ns_task_cols *cols; /* by task of the feed */
};

struct ns_task_lcore {
	const struct ns_tasks *ts;
	struct columns *feeds;
	struct rte_mbuf *picked[NS_TASK_BURST];
	unsigned recs_n;
	struct ns_flow_rec *recs;
};

#define TOP (UINT32_C(1) << 31)

_Static_assert(NS_PKT_FLOW == 1, "the bit that all others are shifted out beside");
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
	struct ns_task_cols *cols)
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
	*cols = (struct ns_task_cols){.keys = keys, .values = values};
}

static void carve_feed(struct carver *c, const struct task_feed *f, struct columns *feed)
{
	struct columns none, *to = c->block != NULL ? feed : &none;

	to->hash = carve(c, f->keys_n * sizeof(*to->hash));
	to->key = carve(c, f->keys_n * sizeof(*to->key));
	to->value = carve(c, f->values_n * sizeof(*to->value));
	to->cols = carve(c, f->tasks_n * sizeof(*to->cols));
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
		carve_task(c, f->tasks[i], to, c->block != NULL ? &to->cols[i] : NULL);
}

static struct ns_task_lcore *carve_all(struct carver *c, const struct ns_tasks *ts)
{
	struct ns_task_lcore *l = carve(c, sizeof(*l));
	struct columns *feeds = carve(c, ts->feeds_n * sizeof(*feeds));
	struct ns_flow_rec *recs =
		carve(c, ns_tasks_of_flows(ts) ? NS_TASK_BURST * sizeof(*recs) : 0);

	for (unsigned i = 0; i < ts->feeds_n; i++)
		carve_feed(c, &ts->feeds[i], l != NULL ? &feeds[i] : NULL);
	if (l != NULL) {
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
		const struct ns_task_build *b = f->tasks[i];

		c->cols[i].n = c->n;
		b->ops->feed(b->self, state + b->state_at, &c->cols[i]);
	}
	c->n = 0;
}

/* Puts n things into the columns of a feed, and gives them to its tasks when there is a burst. */
static void add(const struct task_feed *f, struct columns *c, uint8_t *state, uint64_t seed,
	const void *src, unsigned n)
{
	if (c->n + n > NS_TASK_BURST)
		give(f, c, state);
	for (unsigned i = 0; i < f->keys_n; i++)
		task_key_build(f->keys[i], src, n, seed, c->key[i] + c->n * (size_t)f->keys[i]->len,
			c->hash[i] + c->n);
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

/* Bits come in at the top, which needs no shift by a variable. */
static inline struct burst look(struct rte_mbuf *const *m, unsigned n, bool any)
{
	struct burst b = {0, 0, 0};

	for (unsigned i = 0; i < n; i++) {
		uint32_t flow = ns_packet(m[i])->flow;

		b.in_flow = b.in_flow >> 1 | flow * (TOP / NS_PKT_FLOW);
		b.first = b.first >> 1 | ((flow * (TOP / NS_PKT_FLOW_FIRST)) & TOP);
	}
	b.in_flow >>= 32 - n;
	b.first >>= 32 - n;
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
		if (l->feeds[i].n > 0)
			give(&l->ts->feeds[i], &l->feeds[i], state);
	}
}
