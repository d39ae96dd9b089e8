/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lcores count of packets, a burst at a time: sums are made in registers and stored once, and
 * the views are read in the order in which others need them next.
 */
#include "engine_priv.h"

#include <rte_mbuf.h>

/* Packets of one second go into the timeline together. */
static void add_to_timeline(struct ns_timeline *t, struct rte_mbuf *const *m, uint16_t n)
{
	uint64_t begin = ns_packet(m[0])->ts_ns / NS_SEC_NS * NS_SEC_NS;
	uint64_t packets = 0, octets = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct ns_packet *p = ns_packet(m[i]);

		if (ns_unlikely(p->ts_ns - begin >= NS_SEC_NS)) {
			ns_timeline_add_many(t, begin, packets, octets);
			begin = p->ts_ns / NS_SEC_NS * NS_SEC_NS;
			packets = octets = 0;
		}
		packets++;
		octets += p->wirelen;
	}
	ns_timeline_add_many(t, begin, packets, octets);
}

void engine_count_received(struct lcore *l, struct rte_mbuf *const *m, uint16_t n)
{
	struct lcore_stats *s = l->stats;
	uint64_t octets = 0, captured = 0, first = s->first_ns, last = s->last_ns;

	if (s->received == 0)
		first = UINT64_MAX;
	for (uint16_t i = 0; i < n; i++) {
		const struct ns_packet *p = ns_packet(m[i]);

		octets += p->wirelen;
		captured += p->caplen;
		first = NS_MIN(first, p->ts_ns);
		last = NS_MAX(last, p->ts_ns);
	}
	if (l->timeline != NULL)
		add_to_timeline(l->timeline, m, n);
	ns_stat_set(&s->first_ns, first);
	ns_stat_set(&s->last_ns, last);
	ns_stat_set(&s->clock_ns, ns_packet(m[n - 1])->clock_ns);
	ns_stat_add(&s->octets, octets);
	ns_stat_add(&s->captured, captured);
	ns_stat_add(&s->received, n);
}

void engine_count_unknown(struct lcore_stats *s, struct rte_mbuf *const *m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		uint16_t type = ns_packet(m[i])->linktype;

		if (!ns_linktype_decodable(type))
			ns_stat_add(&s->linktypes_unknown[NS_MIN(type, NS_LINKTYPES - 1)], 1);
	}
}

static void count_l2(struct lcore_stats *s, const struct ns_packet *p)
{
	unsigned i = 0;

	while (i < s->l2_n && s->l2_type[i] != p->ethertype)
		i++;
	if (i == s->l2_n) {
		if (i == NS_L2_PROTOS) {
			i--;
		} else {
			s->l2_type[i] = p->ethertype;
			__atomic_store_n(&s->l2_n, (uint16_t)(i + 1), __ATOMIC_RELEASE);
		}
	}
	ns_stat_add(&s->l2[i].packets, 1);
	ns_stat_add(&s->l2[i].octets, p->wirelen);
}

/* No runs of one protocol are looked for: in a mixture that is a branch nobody can predict. */
uint16_t engine_count_protocols(struct lcore_stats *s, struct rte_mbuf *const *m, uint16_t n)
{
	uint16_t flags = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct ns_packet *p = ns_packet(m[i]);

		flags |= p->flags;
		if (ns_likely((p->flags & NS_PKT_IP) != 0)) {
			struct ns_proto_count *c = &s->ip[p->tuple.proto];

			ns_stat_add(&c->packets, 1);
			ns_stat_add(&c->octets, p->wirelen);
		} else {
			count_l2(s, p);
		}
	}
	return flags;
}
