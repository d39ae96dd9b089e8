/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Idea: a bounded table from (addresses, protocol, identification) to the tuple of the first fragment
 * (RFC 791, RFC 8200). It never reassembles; it only tells later fragments whose they are.
 *
 *   buckets: chains by hash        age: doubly linked, oldest first
 *
 *     [h] ─▶ entry ─▶ entry        oldest ◀─▶ entry ◀─▶ entry ◀─▶ newest
 *              │
 *              ├ known: tuple, depth, ports of the first fragment
 *              └ held:  copies of later fragments in their order (singly linked mbufs)
 *
 *   ready: copies that may go on, first in first out; drained behind the packet that freed them
 *
 * Full table: the oldest datagram leaves (counted), its held copies go on without ports. Writer and
 * reader: the lcore that owns the table.
 */
#include <ns_defrag.h>

#include <rte_malloc.h>
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

struct entry {
	uint8_t addr[32]; /* source, destination */
	uint32_t id;
	uint8_t ver, proto;
	bool known;
	uint8_t depth;      /* of the first fragment */
	uint8_t frag_depth; /* of the header that was fragmented */
	uint16_t flags;     /* of the first fragment: NS_PKT_SWAPPED, PORTS, TUNNEL */
	uint16_t sport, dport;
	uint32_t tunnel_id;
	uint32_t hash;
	uint64_t clock; /* when the first packet of the datagram came */
	uint32_t next;  /* in the bucket */
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
	uint32_t held;
	struct rte_mbuf *ready_first, *ready_last;
	uint32_t ready;
	struct rte_mempool *pool;
};

static const struct cyaml_schema_field defrag_fields[] = {
	CYAML_FIELD_UINT("datagrams", CYAML_FLAG_OPTIONAL, struct ns_defrag_conf, datagrams),
	CYAML_FIELD_UINT("held", CYAML_FLAG_OPTIONAL, struct ns_defrag_conf, held),
	CYAML_FIELD_UINT("timeout", CYAML_FLAG_OPTIONAL, struct ns_defrag_conf, timeout),
	CYAML_FIELD_END};

static const struct ns_defrag_conf defrag_defaults = {
	.datagrams = 4096, .held = 1023, .timeout = 30};

static const struct ns_conf_doc defrag_docs[] = {
	{"datagrams", "fragmented datagrams remembered at once (16-1048576)"},
	{"held", "later fragments that wait for their first, at most (1-65535)"},
	{"timeout", "seconds of packet time that a fragmented datagram is remembered"},
	{NULL, NULL}};

static int defrag_check(const void *values, const char **key, struct ns_err *e)
{
	const struct ns_defrag_conf *c = values;

	if (c->datagrams < 16 || c->datagrams > 1048576) {
		*key = "datagrams";
		return ns_fail(e, EINVAL, "%u is not between 16 and 1048576", c->datagrams);
	}
	if (c->held < 1 || c->held > 65535) {
		*key = "held";
		return ns_fail(e, EINVAL, "%u is not between 1 and 65535", c->held);
	}
	if (c->timeout < 1 || c->timeout > 86400) {
		*key = "timeout";
		return ns_fail(e, EINVAL, "%u is not between 1 and 86400 seconds", c->timeout);
	}
	return 0;
}

static struct ns_conf_section defrag_section = {
	.name = "defrag",
	.summary = "ports for later fragments",
	.fields = defrag_fields,
	.size = sizeof(struct ns_defrag_conf),
	.defaults = &defrag_defaults,
	.docs = defrag_docs,
	.check = defrag_check,
};
NS_CONF_REGISTER(defrag_section)

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
	d->pool = rte_pktmbuf_pool_create(
		name, conf->held, 0, NS_PACKET_PRIV, COPY_ROOM, (int)rte_socket_id());
	if (d->buckets == NULL || d->entries == NULL || d->pool == NULL) {
		ns_defrag_destroy(d);
		return ns_errno_null(ENOMEM);
	}
	memset(d->buckets, 0xff, buckets * sizeof(*d->buckets));
	for (uint32_t i = 0; i < n; i++)
		d->entries[i].next = i + 1 < n ? i + 1 : NONE;
	d->free = 0;
	d->oldest = d->newest = NONE;
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

bool ns_defrag_wanted(const struct ns_defrag *d, struct rte_mbuf *const *m, uint16_t n)
{
	uint16_t flags = 0;

	for (uint16_t i = 0; i < n; i++)
		flags |= ns_packet(m[i])->flags;
	return (flags & NS_PKT_FRAG_ANY) != 0 || d->ready > 0;
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
	d->ready++;
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
static void release(struct ns_defrag *d, struct entry *e, uint64_t clock, struct ns_counters *c)
{
	struct rte_mbuf *m = e->held_first;

	while (m != NULL) {
		struct rte_mbuf *next = m->next;
		struct ns_packet *p = ns_packet(m);

		if (e->known)
			adopt(e, p);
		else
			ns_count(c, &ns_note_frag_no_first);
		p->clock_ns = clock;
		ready_push(d, m);
		d->held--;
		m = next;
	}
	e->held_first = e->held_last = NULL;
}

static void forget(struct ns_defrag *d, uint32_t i)
{
	struct entry *e = &d->entries[i];
	uint32_t *link = &d->buckets[bucket_of(d, e)];

	while (*link != i)
		link = &d->entries[*link].next;
	*link = e->next;
	if (e->older != NONE)
		d->entries[e->older].newer = e->newer;
	else
		d->oldest = e->newer;
	if (e->newer != NONE)
		d->entries[e->newer].older = e->older;
	else
		d->newest = e->older;
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
		release(d, e, clock == UINT64_MAX ? e->clock : clock, c);
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
		release(d, &d->entries[d->oldest], clock, c);
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
	e->clock = clock;
	e->next = d->buckets[b];
	d->buckets[b] = i;
	e->older = d->newest;
	e->newer = NONE;
	if (d->newest != NONE)
		d->entries[d->newest].newer = i;
	else
		d->oldest = i;
	d->newest = i;
	return e;
}

static void learn(struct entry *e, const struct ns_packet *p)
{
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
	struct rte_mbuf *copy = rte_pktmbuf_alloc(d->pool);

	if (copy == NULL)
		return false;
	struct ns_packet *p = ns_packet(copy);

	*p = *(const struct ns_packet *)rte_mbuf_to_priv((struct rte_mbuf *)(uintptr_t)m);
	p->flags |= NS_PKT_COPY;
	copy->data_off = 0;
	copy->data_len = (uint16_t)NS_MIN(p->caplen, COPY_ROOM);
	copy->pkt_len = copy->data_len;
	p->caplen = copy->data_len;
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

static uint16_t drain(struct ns_defrag *d, struct rte_mbuf **out, uint16_t room)
{
	uint16_t n = 0;

	while (n < room && d->ready_first != NULL) {
		struct rte_mbuf *m = d->ready_first;

		d->ready_first = m->next;
		m->next = NULL;
		d->ready--;
		out[n++] = m;
	}
	return n;
}

uint16_t ns_defrag_burst(struct ns_defrag *d, struct rte_mbuf **m, uint16_t n, struct rte_mbuf **out,
	struct rte_mbuf **held, uint16_t *n_held, struct ns_counters *c)
{
	uint16_t room = NS_DEFRAG_RELEASE, k = 0, h = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct ns_packet *p = ns_packet(m[i]);

		if ((p->flags & NS_PKT_FRAG_ANY) == 0) {
			out[k++] = m[i];
			continue;
		}
		expire(d, p->clock_ns, c);
		struct entry *e = find_or_add(d, m[i], c);
		bool later = (p->flags & NS_PKT_LATER_FRAG) != 0;
		bool kept = false;

		if (!later) {
			learn(e, p);
		} else if (e->known) {
			adopt(e, p);
		} else if (hold(d, e, m[i])) {
			held[h++] = m[i];
			kept = true;
		} else {
			ns_count(c, &ns_note_frag_full);
		}
		if (!kept)
			out[k++] = m[i];
		if (e->known)
			release(d, e, p->clock_ns, c);
		uint16_t freed = drain(d, out + k, room);

		k += freed;
		room -= freed;
	}
	*n_held = h;
	return (uint16_t)(k + drain(d, out + k, room));
}

uint16_t ns_defrag_expire(struct ns_defrag *d, uint64_t clock_ns, struct rte_mbuf **out,
	struct ns_counters *c)
{
	expire(d, clock_ns, c);
	return drain(d, out, NS_DEFRAG_RELEASE);
}
