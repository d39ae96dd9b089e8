/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Idea: a bounded table from (addresses, protocol, identification) to the tuple of the first
 * fragment (RFC 791, RFC 8200). It never reassembles; it only tells later fragments whose they are.
 *
 *   buckets: chains by hash        age: doubly linked, oldest first
 *
 *     [h] ─▶ entry ─▶ entry        oldest ◀─▶ entry ◀─▶ entry ◀─▶ newest
 *              │
 *              ├ known: tuple, depth, ports of the first fragment
 *              └ held:  copies of later fragments in their order (singly linked mbufs)
 *
 *   ready: copies that may go on, first in first out; drained behind the packet that freed them.
 *   A packet earns the right to hand out one copy, and AT_ONCE rights are saved at most: a burst
 *   has room for all that its packets may hand out, and where a burst ends makes no difference.
 *
 * Full table: the oldest datagram leaves (counted), its held copies go on without ports. Writer and
 * reader: the lcore that owns the table.
 */
#include <ns_defrag.h>

#include <rte_malloc.h>
#include <rte_pause.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>

NS_NOTE_REGISTER(ns_note_frag_evicted, "fragment_evicted",
	"datagrams forgotten because defrag.datagrams was reached")
NS_NOTE_REGISTER(ns_note_frag_no_first, "fragment_no_first",
	"later fragments whose first never came: counted by their addresses")
NS_NOTE_REGISTER(ns_note_frag_full, "fragment_not_held",
	"later fragments that could not wait because defrag.held was reached")

#define COPY_ROOM 2048 /* octets of a held fragment that are kept */
#define NONE UINT32_MAX
#define AT_ONCE (NS_DEFRAG_RELEASE / 2)

struct entry {
	uint8_t addr[32]; /* source, destination */
	uint32_t id;
	uint8_t ver, proto;
	bool known;
	uint8_t depth; /* of the first fragment */
	uint16_t flags; /* of the first fragment: NS_PKT_SWAPPED, PORTS, TUNNEL */
	uint16_t sport, dport;
	uint32_t tunnel_id;
	uint32_t hash;
	uint64_t clock; /* when the datagram began: its first packet, or its first fragment again */
	uint32_t next; /* in the bucket */
	uint32_t older, newer;
	struct rte_mbuf *held_first, *held_last;
	struct ns_tuple tuple;
};

struct ns_defrag {
	struct ns_defrag_conf conf;
	uint64_t timeout_ns;
	uint32_t mask;
	uint32_t *buckets;
	struct entry *entries;
	uint32_t free; /* chain of unused entries by next */
	uint32_t oldest, newest;
	uint32_t used;
	uint32_t held; /* in entries and in ready */
	uint32_t credit;
	uint64_t clock; /* of the last packet that passed */
	bool wait;
	struct rte_mbuf *ready_first, *ready_last;
	struct rte_mempool *pool;
};

struct ns_defrag *ns_defrag_create(const struct ns_defrag_conf *conf, unsigned id)
{
	uint32_t n = conf->datagrams, buckets = rte_align32pow2(2 * n);
	struct ns_defrag *d = rte_zmalloc("ns_defrag", sizeof(*d), NS_CACHE_LINE);
	char name[RTE_MEMPOOL_NAMESIZE];

	if (d == NULL)
		return ns_errno_null(ENOMEM);
	d->conf = *conf;
	d->timeout_ns = (uint64_t)conf->timeout * NS_SEC_NS;
	d->mask = buckets - 1;
	d->buckets = rte_malloc("ns_defrag_b", buckets * sizeof(*d->buckets), NS_CACHE_LINE);
	d->entries = rte_zmalloc("ns_defrag_e", n * sizeof(*d->entries), NS_CACHE_LINE);
	snprintf(name, sizeof(name), "ns_defrag_%u", id);
	/* what one burst may have handed out is still away when the next copy is made */
	d->pool = rte_pktmbuf_pool_create(name, conf->held + NS_DEFRAG_RELEASE, 0, NS_PACKET_PRIV,
		COPY_ROOM, (int)rte_socket_id());
	if (d->buckets == NULL || d->entries == NULL || d->pool == NULL) {
		ns_defrag_destroy(d);
		return ns_errno_null(ENOMEM);
	}
	memset(d->buckets, 0xff, buckets * sizeof(*d->buckets));
	for (uint32_t i = 0; i < n; i++)
		d->entries[i].next = i + 1 < n ? i + 1 : NONE;
	d->free = 0;
	d->oldest = d->newest = NONE;
	d->credit = AT_ONCE;
	return d;
}

void ns_defrag_destroy(struct ns_defrag *d)
{
	if (d == NULL)
		return;
	rte_mempool_free(d->pool);
	rte_free(d->entries);
	rte_free(d->buckets);
	rte_free(d);
}

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

/* The identity of a datagram: addresses in the direction of travel, protocol and identification. */
static void identity(struct rte_mbuf *m, struct entry *e)
{
	const struct ns_packet *p = ns_packet(m);
	const uint8_t *h = ns_packet_data(m) + p->frag_l3_off;

	memset(e->addr, 0, sizeof(e->addr));
	e->ver = h[0] >> 4;
	e->id = p->frag_id;
	if (e->ver == 4) {
		memcpy(e->addr, h + 12, 4);
		memcpy(e->addr + 16, h + 16, 4);
		e->proto = h[9];
	} else {
		memcpy(e->addr, h + 8, 32);
		e->proto = 0; /* RFC 8200: the identification is per address pair */
	}
}

static bool same(const struct entry *a, const struct entry *b)
{
	return a->id == b->id && a->ver == b->ver && a->proto == b->proto &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static uint32_t bucket_of(const struct ns_defrag *d, const struct entry *e)
{
	uint64_t w[4], h = e->id * UINT64_C(0x9e3779b97f4a7c15) + e->proto;

	memcpy(w, e->addr, sizeof(w));
	for (unsigned i = 0; i < 4; i++)
		h = (h ^ w[i]) * UINT64_C(0xff51afd7ed558ccd) ^ (h >> 29);
	return (uint32_t)(h >> 32) & d->mask;
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

static void age_push(struct ns_defrag *d, uint32_t i, uint64_t clock)
{
	struct entry *e = &d->entries[i];

	e->clock = clock;
	e->older = d->newest;
	e->newer = NONE;
	if (d->newest != NONE)
		d->entries[d->newest].newer = i;
	else
		d->oldest = i;
	d->newest = i;
}

static void age_remove(struct ns_defrag *d, uint32_t i)
{
	const struct entry *e = &d->entries[i];

	if (e->older != NONE)
		d->entries[e->older].newer = e->newer;
	else
		d->oldest = e->newer;
	if (e->newer != NONE)
		d->entries[e->newer].older = e->older;
	else
		d->newest = e->older;
}

static void forget(struct ns_defrag *d, uint32_t i)
{
	struct entry *e = &d->entries[i];
	uint32_t *link = &d->buckets[bucket_of(d, e)];

	while (*link != i)
		link = &d->entries[*link].next;
	*link = e->next;
	age_remove(d, i);
	e->next = d->free;
	d->free = i;
	d->used--;
}

static void expire(struct ns_defrag *d, uint64_t clock, struct ns_counters *c)
{
	while (d->oldest != NONE) {
		struct entry *e = &d->entries[d->oldest];

		if (clock != UINT64_MAX && clock < e->clock + d->timeout_ns)
			break;
		release(d, e, c);
		forget(d, d->oldest);
	}
}

static struct entry *find_or_add(struct ns_defrag *d, struct rte_mbuf *m, struct ns_counters *c)
{
	struct entry want;
	uint64_t clock = ns_packet(m)->clock_ns;

	identity(m, &want);
	uint32_t b = bucket_of(d, &want);

	for (uint32_t i = d->buckets[b]; i != NONE; i = d->entries[i].next) {
		if (same(&d->entries[i], &want))
			return &d->entries[i];
	}
	if (d->free == NONE) {
		ns_count(c, &ns_note_frag_evicted);
		release(d, &d->entries[d->oldest], c);
		forget(d, d->oldest);
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
	age_push(d, i, clock);
	return e;
}

static void learn(struct ns_defrag *d, struct entry *e, const struct ns_packet *p)
{
	if (e->known) { /* the identification is used again: another datagram begins */
		uint32_t i = (uint32_t)(e - d->entries);

		age_remove(d, i);
		age_push(d, i, p->clock_ns);
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
