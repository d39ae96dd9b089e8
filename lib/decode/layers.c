/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk (decode.c) with somebody who looks on: before and after each step, the two states of the
 * walk tell which header was read. Headers that only lead to the next one, without octets of their
 * own, are none.
 */
#include "decode_priv.h"

#include <ns_decode.h>

static struct ns_layer *add(struct ns_layers *out, enum ns_layer_kind kind, uint32_t off)
{
	if (out->n == NS_LAYERS_MAX) {
		out->more = true;
		return NULL;
	}
	struct ns_layer *l = &out->of[out->n++];

	*l = (struct ns_layer){.kind = (uint8_t)kind, .off = (uint16_t)NS_MIN(off, UINT16_MAX)};
	return l;
}

static void add_ethertype(struct ns_layers *out, const struct walk *was, const struct walk *w)
{
	if (w->off == was->off && w->next != NS_NEXT_END)
		return;
	struct ns_layer *l = add(out, NS_LAYER_ETHERTYPE, was->off);

	if (l == NULL)
		return;
	l->type = was->ethertype;
	if ((l->type == ETHERTYPE_VLAN || l->type == ETHERTYPE_QINQ ||
		    l->type == ETHERTYPE_QINQ_OLD) &&
		have(was, was->off, 2))
		l->id = be16(was->data + was->off) & 0xfff;
}

/* The tuple is that of this header until the next one takes its place. */
static void add_ip(struct ns_layers *out, const struct walk *was, const struct walk *w)
{
	const struct ns_packet *p = w->p;
	const struct ns_tuple *t = &p->tuple;
	bool swapped = (p->flags & NS_PKT_SWAPPED) != 0;
	struct ns_layer *l = add(out, NS_LAYER_IP, was->off);

	if (l == NULL || w->headers == was->headers)
		return;
	l->ver = t->ver;
	l->proto = t->proto;
	l->flags = p->flags & (NS_PKT_FRAG | NS_PKT_LATER_FRAG | NS_PKT_MORE_FRAGS | NS_PKT_PORTS |
				      NS_PKT_TCP | NS_PKT_CUT);
	l->sport = p->sport;
	l->dport = p->dport;
	l->tcp_flags = p->tcp_flags;
	memcpy(l->src, swapped ? t->b : t->a, sizeof(l->src));
	memcpy(l->dst, swapped ? t->a : t->b, sizeof(l->dst));
	if ((p->flags & NS_PKT_FRAG) != 0) {
		l->id = p->frag_id;
		l->frag_off = p->frag_off;
	}
	if (w->next == NS_NEXT_END)
		return;
	l = add(out, NS_LAYER_TUNNEL, p->payload_off);
	if (l != NULL) {
		l->type = w->tunnel;
		l->id = w->tunnel_id;
	}
}

static void look(struct ns_layers *out, const struct walk *was, const struct walk *w)
{
	struct ns_layer *l;

	switch (was->next) {
	case NS_NEXT_LINK:
	case NS_NEXT_ETHERNET:
		l = add(out, NS_LAYER_LINK, was->off);
		if (l != NULL)
			l->type = was->next == NS_NEXT_LINK ? was->linktype : NS_LINKTYPE_ETHERNET;
		break;
	case NS_NEXT_ETHERTYPE:
		add_ethertype(out, was, w);
		break;
	case NS_NEXT_PPP:
		add(out, NS_LAYER_PPP, was->off);
		break;
	case NS_NEXT_IP:
		add_ip(out, was, w);
		break;
	case NS_NEXT_END:
		break;
	}
}

const struct ns_counter *ns_decode_layers(const struct ns_decoder *d, struct rte_mbuf *m,
	struct ns_counters *notes, struct ns_layers *out)
{
	struct walk w = walk_begin(d, m, notes);

	out->n = 0;
	out->more = false;
	for (unsigned steps = 0; w.next != NS_NEXT_END && steps < MAX_STEPS; steps++) {
		const struct walk was = w;

		walk_step(&w);
		look(out, &was, &w);
	}
	return walk_end(&w);
}
