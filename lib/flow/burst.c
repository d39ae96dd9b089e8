/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst through the table, in three passes, so that the memory of many packets is on its way at
 * once:
 *
 *   1  key and hash of each packet; its bucket is asked for
 *   2  tags are compared; the flow's line is asked for
 *   3  in the packets' order: the key is compared, the flow counts the packet
 *
 * What the second pass found may have ended when the third comes to it, or another flow may stand
 * there: the key in the flow's line says so, and the flow is looked for again.
 */
#include "rte.h"
#include "tag.h"
#include "update.h"
#include "walk.h"

/* True when a SYN without ACK meets a TCP flow that has ended: the ports are used again. */
static inline bool reused(const struct hot *f, const struct ns_packet *p)
{
	return (f->state & FLOW_CLOSED) != 0 && (p->flags & NS_PKT_TCP) != 0 &&
	       (p->tcp_flags & 0x12) == 0x02;
}

struct burst {
	unsigned n;
	struct rte_mbuf *m[FIND_MAX];
	uint32_t sig[FIND_MAX];
	uint32_t pos[FIND_MAX];
};

static inline void want(const struct ns_flow_table *t, uint32_t pos, const struct ns_packet *p)
{
	rte_prefetch0(&t->store.hot[pos]);
	if ((p->flags & NS_PKT_TCP) != 0)
		rte_prefetch0(&t->store.warm[pos]);
	if (p->tuple.ver != 4)
		rte_prefetch0(&t->store.wide[pos]);
}

static inline void find_tags(const struct ns_flow_table *t, struct burst *b)
{
	const struct tag_index *x = &t->tag;
	unsigned again[FIND_MAX], again_n = 0;

	for (unsigned i = 0; i < b->n; i++) {
		const struct tag_bucket *at = tag_home(x, b->sig[i]);
		unsigned match = tag_match(at, tag_of(b->sig[i]));

		b->pos[i] = NONE;
		if (ns_likely(match != 0)) {
			b->pos[i] = at->pos[__builtin_ctz(match)];
			want(t, b->pos[i], ns_packet(b->m[i]));
		} else if (at->next != 0) {
			rte_prefetch0(&x->buckets[at->next]);
			again[again_n++] = i;
		}
	}
	for (unsigned j = 0; j < again_n; j++) {
		unsigned i = again[j];
		const struct tag_bucket *at = &x->buckets[tag_home(x, b->sig[i])->next];
		unsigned match = tag_match(at, tag_of(b->sig[i]));

		if (match == 0)
			continue;
		b->pos[i] = at->pos[__builtin_ctz(match)];
		want(t, b->pos[i], ns_packet(b->m[i]));
	}
}

static inline void find_rte(const struct ns_flow_table *t, struct burst *b)
{
	struct key key[FIND_MAX];
	const void *keys[FIND_MAX];
	void *data[FIND_MAX];
	uint64_t hits = 0;

	for (unsigned i = 0; i < b->n; i++) {
		key[i] = flow_key(t, &ns_packet(b->m[i])->tuple);
		keys[i] = &key[i];
	}
	rte_hash_lookup_with_hash_bulk_data(t->rte.hash, keys, b->sig, b->n, &hits, data);
	for (unsigned i = 0; i < b->n; i++) {
		b->pos[i] = NONE;
		if ((hits >> i & 1) == 0)
			continue;
		b->pos[i] = (uint32_t)(uintptr_t)data[i];
		want(t, b->pos[i], ns_packet(b->m[i]));
	}
}

/* A packet that asks for more than counting: its flow may have ended. */
static __attribute__((noinline)) void count_special(
	struct ns_flow_table *t, uint32_t pos, struct rte_mbuf *m)
{
	struct ns_packet *p = ns_packet(m);
	uint8_t reason = flow_due(t, pos, p->clock_ns);

	if (reason == 0 && reused(&t->store.hot[pos], p))
		reason = NS_FLOW_END_DETECTED;
	if (reason != 0)
		flow_restart(t, pos, m, reason);
	else
		flow_before(t, pos, p);
	flow_update(t, pos, p);
	flow_icmp(t, pos, p);
}

static inline void count_in(struct ns_flow_table *t, uint32_t pos, struct rte_mbuf *m)
{
	if (ns_unlikely(flow_special(&t->store.hot[pos], ns_packet(m))))
		count_special(t, pos, m);
	else
		flow_update(t, pos, ns_packet(m));
}

/* A packet that the second pass found no flow for, or another one's. False: no room. */
static __attribute__((noinline)) bool look_again(
	struct ns_flow_table *t, struct rte_mbuf *m, const struct key *k)
{
	struct ns_packet *p = ns_packet(m);
	uint32_t pos = flow_find(t, p->hash, k, &p->tuple);

	if (pos != NONE) {
		count_in(t, pos, m);
		return true;
	}
	pos = flow_insert(t, m, k);
	if (ns_unlikely(pos == NONE))
		return false;
	flow_update(t, pos, p);
	flow_icmp(t, pos, p);
	return true;
}

void ns_flow_ask(const struct ns_flow_table *t, struct rte_mbuf *const *m, uint16_t n)
{
	if (t->kind != NS_FLOW_INDEX_TAG)
		return;
	/* of a packet without a flow the hash is 0: a bucket like any other */
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(tag_home(&t->tag, flow_signature(ns_packet(m[i])->hash)));
}

uint16_t ns_flow_burst(
	struct ns_flow_table *t, struct rte_mbuf *const *m, uint16_t n, struct ns_counters *c)
{
	const bool tags = t->kind == NS_FLOW_INDEX_TAG;
	struct burst b;
	uint16_t dropped = 0;

	b.n = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct ns_packet *p = ns_packet(m[i]);
		unsigned k = b.n;

		p->flow = 0;
		b.m[k] = m[i];
		b.sig[k] = flow_signature(p->hash);
		if (ns_unlikely((p->flags & NS_PKT_IP) == 0))
			continue;
		if (tags)
			rte_prefetch0(tag_home(&t->tag, b.sig[k]));
		b.n++;
	}
	if (b.n == 0)
		return 0;
	if (tags)
		find_tags(t, &b);
	else
		find_rte(t, &b);
	bool opened = flow_open(t);

	for (unsigned i = 0; i < b.n; i++) {
		const struct ns_packet *p = ns_packet(b.m[i]);
		const struct key key = flow_key(t, &p->tuple);

		if (ns_likely(b.pos[i] != NONE) &&
			ns_likely(flow_is(t, b.pos[i], &key, &p->tuple))) {
			count_in(t, b.pos[i], b.m[i]);
		} else if (ns_unlikely(!look_again(t, b.m[i], &key))) {
			ns_count(c, &ns_drop_flow_table_full);
			dropped++;
		}
	}
	flow_shut(t, opened);
	return dropped;
}
