/* SPDX-License-Identifier: BSD-3-Clause */
/* The table: its memory, its chains and its order by age. See defrag_priv.h. */
#include "defrag_priv.h"

#include <rte_malloc.h>

#include <stdio.h>
#include <string.h>

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

/* The identity of a datagram: addresses in the direction of travel, protocol and identification. */
void frag_identity(struct rte_mbuf *m, struct entry *e)
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

bool frag_same(const struct entry *a, const struct entry *b)
{
	return a->id == b->id && a->ver == b->ver && a->proto == b->proto &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

uint32_t frag_bucket_of(const struct ns_defrag *d, const struct entry *e)
{
	uint64_t w[4], h = e->id * UINT64_C(0x9e3779b97f4a7c15) + e->proto;

	memcpy(w, e->addr, sizeof(w));
	for (unsigned i = 0; i < 4; i++)
		h = (h ^ w[i]) * UINT64_C(0xff51afd7ed558ccd) ^ (h >> 29);
	return (uint32_t)(h >> 32) & d->mask;
}

void frag_age_push(struct ns_defrag *d, uint32_t i, uint64_t clock)
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

void frag_age_remove(struct ns_defrag *d, uint32_t i)
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

void frag_forget(struct ns_defrag *d, uint32_t i)
{
	struct entry *e = &d->entries[i];
	uint32_t *link = &d->buckets[frag_bucket_of(d, e)];

	while (*link != i)
		link = &d->entries[*link].next;
	*link = e->next;
	frag_age_remove(d, i);
	e->next = d->free;
	d->free = i;
	d->used--;
}
