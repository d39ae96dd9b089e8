/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens to fragments. The idea and the layout are drawn in defrag_priv.h. */
#include "defrag_priv.h"

#include <rte_pause.h>

#include <sched.h>
#include <string.h>

NS_NOTE_REGISTER(ns_note_frag_evicted, "fragment_evicted",
	"datagrams forgotten because defrag.datagrams was reached")
NS_NOTE_REGISTER(ns_note_frag_no_first, "fragment_no_first",
	"later fragments whose first never came: counted by their addresses")
NS_NOTE_REGISTER(ns_note_frag_full, "fragment_not_held",
	"later fragments that could not wait because defrag.held was reached")

void ns_defrag_wait(struct ns_defrag *d, bool wait)
{
	d->wait = wait;
}

static void pass(struct ns_defrag *d, uint32_t packets)
{
	d->credit = NS_MIN(d->credit + packets, AT_ONCE);
}

bool ns_defrag_wanted(struct ns_defrag *d, struct rte_mbuf *const *m, uint16_t n)
{
	uint16_t flags = 0;

	for (uint16_t i = 0; i < n; i++)
		flags |= ns_packet(m[i])->flags;
	if ((flags & NS_PKT_FRAG_ANY) != 0 || d->ready_first != NULL)
		return true;
	if (n > 0)
		d->clock = NS_MAX(d->clock, ns_packet(m[n - 1])->clock_ns);
	pass(d, n);
	return false;
}

static void ready_push(struct ns_defrag *d, struct rte_mbuf *m)
{
	m->next = NULL;
	if (d->ready_first == NULL)
		d->ready_first = m;
	else
		d->ready_last->next = m;
	d->ready_last = m;
}

static void adopt(const struct entry *e, struct ns_packet *p)
{
	const uint16_t take = NS_PKT_PORTS | NS_PKT_SWAPPED | NS_PKT_TUNNEL;

	p->tuple = e->tuple;
	p->hash = e->hash;
	p->sport = e->sport;
	p->dport = e->dport;
	p->tunnel_id = e->tunnel_id;
	p->flags = (uint16_t)((p->flags & ~take) | (e->flags & take));
	/* the first fragment already counted the whole inner packet's length */
	if (e->depth > p->depth)
		p->ip_octets = 0;
}

/* Held copies go on: with the tuple of the first fragment when it is known, else as they are. */
static void release(struct ns_defrag *d, struct entry *e, struct ns_counters *c)
{
	struct rte_mbuf *m = e->held_first;

	while (m != NULL) {
		struct rte_mbuf *next = m->next;
		struct ns_packet *p = ns_packet(m);

		if (e->known)
			adopt(e, p);
		else
			ns_count(c, &ns_note_frag_no_first);
		ready_push(d, m);
		m = next;
	}
	e->held_first = e->held_last = NULL;
}

static void expire(struct ns_defrag *d, uint64_t clock, struct ns_counters *c)
{
	while (d->oldest != NONE) {
		struct entry *e = &d->entries[d->oldest];

		if (clock != UINT64_MAX && clock < e->clock + d->timeout_ns)
			break;
		release(d, e, c);
		frag_forget(d, d->oldest);
	}
}

static struct entry *find_or_add(struct ns_defrag *d, struct rte_mbuf *m, struct ns_counters *c)
{
	struct entry want;
	uint64_t clock = ns_packet(m)->clock_ns;

	frag_identity(m, &want);
	uint32_t b = frag_bucket_of(d, &want);

	for (uint32_t i = d->buckets[b]; i != NONE; i = d->entries[i].next) {
		if (frag_same(&d->entries[i], &want))
			return &d->entries[i];
	}
	if (d->free == NONE) {
		ns_count(c, &ns_note_frag_evicted);
		release(d, &d->entries[d->oldest], c);
		frag_forget(d, d->oldest);
	}
	uint32_t i = d->free;
	struct entry *e = &d->entries[i];

	d->free = e->next;
	d->used++;
	memset(e, 0, sizeof(*e));
	memcpy(e->addr, want.addr, sizeof(e->addr));
	e->id = want.id;
	e->ver = want.ver;
	e->proto = want.proto;
	e->next = d->buckets[b];
	d->buckets[b] = i;
	frag_age_push(d, i, clock);
	return e;
}

static void learn(struct ns_defrag *d, struct entry *e, const struct ns_packet *p)
{
	if (e->known) { /* the identification is used again: another datagram begins */
		uint32_t i = (uint32_t)(e - d->entries);

		frag_age_remove(d, i);
		frag_age_push(d, i, p->clock_ns);
	}
	e->known = true;
	e->tuple = p->tuple;
	e->hash = p->hash;
	e->sport = p->sport;
	e->dport = p->dport;
	e->tunnel_id = p->tunnel_id;
	e->depth = p->depth;
	e->flags = p->flags;
}

/* A copy that can wait although the source wants its mbuf back; false when there is no room. */
static bool hold(struct ns_defrag *d, struct entry *e, const struct rte_mbuf *m)
{
	if (d->held >= d->conf.held)
		return false;
	struct rte_mbuf *copy = rte_pktmbuf_alloc(d->pool);

	/* other lcores have not freed copies that went on */
	for (unsigned spins = 0; copy == NULL && d->wait; spins++) {
		if (spins > 64)
			sched_yield();
		else
			rte_pause();
		copy = rte_pktmbuf_alloc(d->pool);
	}
	if (copy == NULL)
		return false;
	struct ns_packet *p = ns_packet(copy);

	*p = *(const struct ns_packet *)rte_mbuf_to_priv((struct rte_mbuf *)(uintptr_t)m);
	p->flags |= NS_PKT_COPY;
	copy->data_off = 0;
	copy->data_len = (uint16_t)NS_MIN(p->caplen, COPY_ROOM);
	copy->pkt_len = copy->data_len;
	p->caplen = copy->data_len;
	p->l4_off = (uint16_t)NS_MIN(p->l4_off, p->caplen);
	if (p->payload_off > p->caplen)
		p->payload_off = (uint16_t)p->caplen;
	p->payload_len = (uint16_t)NS_MIN(p->payload_len, p->caplen - p->payload_off);
	memcpy(rte_pktmbuf_mtod(copy, uint8_t *), ns_packet_data(m), copy->data_len);
	copy->next = NULL;
	if (e->held_first == NULL)
		e->held_first = copy;
	else
		e->held_last->next = copy;
	e->held_last = copy;
	d->held++;
	return true;
}

static uint16_t drain(struct ns_defrag *d, struct rte_mbuf **out, uint32_t room)
{
	uint16_t n = 0;

	while (n < room && d->ready_first != NULL) {
		struct rte_mbuf *m = d->ready_first;

		d->ready_first = m->next;
		m->next = NULL;
		d->held--;
		ns_packet(m)->clock_ns = d->clock; /* the flow table's clock never goes back */
		out[n++] = m;
	}
	return n;
}

uint16_t ns_defrag_burst(struct ns_defrag *d, struct rte_mbuf **m, uint16_t n,
	struct rte_mbuf **out, struct rte_mbuf **held, uint16_t *n_held, struct ns_counters *c)
{
	uint32_t room = NS_DEFRAG_RELEASE;
	uint16_t k = 0, h = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct ns_packet *p = ns_packet(m[i]);
		bool kept = false;

		d->clock = NS_MAX(d->clock, p->clock_ns);
		if (ns_unlikely((p->flags & NS_PKT_FRAG_ANY) != 0)) {
			expire(d, p->clock_ns, c);
			struct entry *e = find_or_add(d, m[i], c);

			if ((p->flags & NS_PKT_LATER_FRAG) == 0)
				learn(d, e, p);
			else if (e->known)
				adopt(e, p);
			else if (hold(d, e, m[i]))
				kept = true;
			else
				ns_count(c, &ns_note_frag_full);
			if (e->known)
				release(d, e, c);
		}
		if (kept)
			held[h++] = m[i];
		else
			out[k++] = m[i];
		pass(d, 1);
		uint16_t freed = drain(d, out + k, NS_MIN(d->credit, room));

		k += freed;
		room -= freed;
		d->credit -= freed;
	}
	*n_held = h;
	return k;
}

uint16_t ns_defrag_expire(
	struct ns_defrag *d, uint64_t clock_ns, struct rte_mbuf **out, struct ns_counters *c)
{
	if (clock_ns != UINT64_MAX)
		d->clock = NS_MAX(d->clock, clock_ns);
	expire(d, clock_ns, c);
	return drain(d, out, NS_DEFRAG_RELEASE);
}
