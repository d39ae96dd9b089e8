/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * For tests: one packet decoded both ways, from memory that ends where the capture ends, into mbufs
 * that held something else before.
 */

#include "decode_priv.h"

#include <stdlib.h>

#define VIEW_DECODED offsetof(struct ns_packet, flags) /* what is before is the source's */
#define VIEW_SHORT offsetof(struct ns_packet, frag_id) /* what the short way writes ends here */

struct view_mbuf {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
};

static inline struct ns_packet *view_prepare(struct view_mbuf *b, uint16_t linktype,
	const uint8_t *octets, uint32_t caplen, uint32_t wirelen, int before)
{
	struct ns_packet *p = ns_packet(&b->m);

	memset(&b->m, 0, sizeof(b->m));
	memset(b->priv, before, sizeof(b->priv));
	b->m.buf_addr = (void *)(uintptr_t)octets;
	b->m.priv_size = NS_PACKET_PRIV;
	p->linktype = linktype;
	p->caplen = caplen;
	p->wirelen = wirelen;
	return p;
}

/* 1: the short way takes it and gives the walk's view; 0: it does not; -1: the two differ. */
static inline int same_view(const struct ns_decoder *d, uint16_t linktype, const uint8_t *octets,
	uint32_t caplen, uint32_t wirelen)
{
	struct ns_counters notes = {{0}};
	static const struct ns_counters none;
	struct view_mbuf a, b;
	struct ns_packet *pa = view_prepare(&a, linktype, octets, caplen, wirelen, 0xff), before;
	struct ns_packet *pb = view_prepare(&b, linktype, octets, caplen, wirelen, 0xff);

	before = *pa;
	if (!decode_fast(d, &a.m))
		return memcmp(&before, pa, sizeof(before)) == 0 ? 0 : -1;
	if (decode_walk(d, &b.m, &notes) != NULL || memcmp(&notes, &none, sizeof(none)) != 0)
		return -1;
	if (memcmp(&before, pa, VIEW_DECODED) != 0 ||
		memcmp((uint8_t *)&before + VIEW_SHORT, (uint8_t *)pa + VIEW_SHORT,
			sizeof(before) - VIEW_SHORT) != 0)
		return -1;
	return memcmp((uint8_t *)pa + VIEW_DECODED, (uint8_t *)pb + VIEW_DECODED,
		       VIEW_SHORT - VIEW_DECODED) == 0
		       ? 1
		       : -1;
}

/* The same from a copy of exactly caplen octets, so that a sanitizer sees one too many. */
static inline int same_view_copy(const struct ns_decoder *d, uint16_t linktype,
	const uint8_t *octets, uint32_t caplen, uint32_t wirelen)
{
	uint8_t *copy = malloc(caplen > 0 ? caplen : 1);

	if (copy == NULL)
		return -1;
	memcpy(copy, octets, caplen);
	int rc = same_view(d, linktype, caplen > 0 ? copy : copy + 1, caplen, wirelen);

	free(copy);
	return rc;
}
