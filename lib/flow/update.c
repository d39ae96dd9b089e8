/* SPDX-License-Identifier: BSD-3-Clause */
/* What one packet does to its flow. */
#include "flow_priv.h"

#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

void flow_start(struct ns_flow_table *t, uint32_t pos, struct rte_mbuf *m)
{
	const struct ns_packet *p = ns_packet(m);
	struct flow *f = &t->flows[pos];
	struct cold *c = &t->cold[pos];

	f->start_ns = f->end_ns = p->ts_ns;
	f->last_clock = p->clock_ns;
	f->moved = flow_tick(p->clock_ns);
	f->state = FLOW_USED;
	if ((p->flags & NS_PKT_SWAPPED) != 0)
		f->state |= FLOW_SWAPPED;
	if ((p->flags & NS_PKT_PORTS) != 0)
		f->state |= FLOW_PORTS;
	f->ttl_min[0] = f->ttl_min[1] = UINT8_MAX;
	if (flow_is_icmp(p->tuple.proto)) {
		f->icmp_type = p->icmp_type;
		f->icmp_code = p->icmp_code;
	}
	if ((p->flags & NS_PKT_TUNNEL) == 0 && p->port == 0)
		return;
	memset(c, 0, sizeof(*c));
	f->state |= FLOW_TUNNEL;
	c->port = p->port;
	c->tunnel_id = p->tunnel_id;
	if ((p->flags & NS_PKT_TUNNEL) == 0 || (p->flags & NS_PKT_LATER_FRAG) != 0)
		return;
	const uint8_t *h = ns_packet_data(m) + p->outer_l3_off;

	c->ver = h[0] >> 4;
	if (c->ver == 4) {
		memcpy(c->src, h + 12, 4);
		memcpy(c->dst, h + 16, 4);
	} else {
		memcpy(c->src, h + 8, 16);
		memcpy(c->dst, h + 24, 16);
	}
}

static inline void count_up(uint16_t *v)
{
	if (*v != UINT16_MAX)
		(*v)++;
}

/* A SYN that repeats is close to what came after it; one farther back begins another connection. */
#define SYN_NEAR 65536

/*
 * A segment that begins behind the highest sequence number seen left a gap; one that carries data
 * below it is a retransmission (or came late: a passive observer can't tell). Keep-alives repeat
 * the last octet and are neither (RFC 9293, 3.8.4).
 */
static void tcp_sequence(struct flow *f, const struct ns_packet *p, unsigned dir)
{
	uint16_t known = dir == 0 ? FLOW_SEQ0 : FLOW_SEQ1;
	uint32_t len = p->l4_len + ((p->tcp_flags & SYN) != 0) + ((p->tcp_flags & FIN) != 0);
	uint32_t end = p->tcp_seq + len;
	int32_t ahead = (int32_t)(p->tcp_seq - f->next_seq[dir]);

	if ((p->tcp_flags & RST) != 0)
		return;
	if ((f->state & known) == 0) {
		f->state |= known;
		f->next_seq[dir] = end;
		return;
	}
	if (ahead > 0) {
		if ((p->tcp_flags & SYN) == 0)
			count_up(&f->gaps[dir]);
		f->next_seq[dir] = end;
	} else if (ahead == 0 || ((p->tcp_flags & SYN) != 0 && ahead < -SYN_NEAR)) {
		f->next_seq[dir] = end;
	} else if (len > 0) {
		if (!(ahead == -1 && p->l4_len <= 1 && (p->tcp_flags & (SYN | FIN)) == 0))
			f->retransmits[dir]++;
		if ((int32_t)(end - f->next_seq[dir]) > 0)
			f->next_seq[dir] = end;
	}
}

/* Round trip of the handshake as seen here: the initiator's last SYN to its ACK of the SYN+ACK. */
static void tcp_handshake(struct flow *f, const struct ns_packet *p, unsigned dir)
{
	uint8_t flags = p->tcp_flags & (SYN | ACK | RST | FIN);

	if ((f->state & FLOW_RTT) != 0)
		return;
	if (dir == 0 && flags == SYN) {
		f->state |= FLOW_SYN;
		f->hs_ns = p->ts_ns;
	} else if (dir == 1 && flags == (SYN | ACK) && (f->state & FLOW_SYN) != 0) {
		f->state |= FLOW_SYNACK;
	} else if (dir == 0 && (flags & (SYN | ACK)) == ACK && (f->state & FLOW_SYNACK) != 0) {
		f->state |= FLOW_RTT;
		f->hs_ns = p->ts_ns > f->hs_ns ? p->ts_ns - f->hs_ns : 0;
	}
}

static void tcp_end(struct ns_flow_table *t, uint32_t pos, const struct ns_packet *p, unsigned dir)
{
	struct flow *f = &t->flows[pos];

	if ((p->tcp_flags & FIN) != 0)
		f->state |= dir == 0 ? FLOW_FIN0 : FLOW_FIN1;
	if ((f->state & FLOW_CLOSED) != 0 ||
		((p->tcp_flags & RST) == 0 &&
			(f->state & (FLOW_FIN0 | FLOW_FIN1)) != (FLOW_FIN0 | FLOW_FIN1)))
		return;
	struct shard *s = &t->shards[f->shard];

	flow_list_remove(t, &s->live, pos);
	f->state |= FLOW_CLOSED;
	f->moved = flow_tick(p->clock_ns);
	flow_list_push(t, &s->closing, pos);
}

/* Numbers of epochs wrap: a flow that slept for long has not been seen in this one. */
#define SLEPT_NS (256 * NS_SEC_NS)

/* What the packet is to its flow, for all that comes after the flow table. */
static inline void mark(
	const struct ns_flow_table *t, struct flow *f, struct ns_packet *p, unsigned dir)
{
	uint16_t seen = dir == 0 ? FLOW_SEEN0 : FLOW_SEEN1;
	uint8_t flow = NS_PKT_FLOW;

	if (dir != 0)
		flow |= NS_PKT_REVERSE;
	if (f->packets[0] + f->packets[1] == 0)
		flow |= NS_PKT_FLOW_NEW;
	if (f->epoch != t->epoch || p->clock_ns - f->last_clock > SLEPT_NS) {
		f->epoch = t->epoch;
		f->state &= (uint16_t) ~(FLOW_SEEN0 | FLOW_SEEN1);
	}
	if ((f->state & seen) == 0) {
		f->state |= seen;
		flow |= NS_PKT_FLOW_FIRST;
	}
	p->flow = flow;
	if (ns_unlikely(flow_is_icmp(p->tuple.proto)))
		p->flow_dport = (uint16_t)(f->icmp_type << 8 | f->icmp_code);
	else
		p->flow_dport = dir == 0 ? p->dport : p->sport;
}

void flow_update(struct ns_flow_table *t, uint32_t pos, struct ns_packet *p)
{
	struct flow *f = &t->flows[pos];
	bool swapped = (p->flags & NS_PKT_SWAPPED) != 0;
	unsigned dir = swapped != ((f->state & FLOW_SWAPPED) != 0);

	mark(t, f, p, dir);
	f->packets[dir]++;
	f->ip_octets[dir] += p->ip_octets;
	f->l2_octets[dir] += p->wirelen;
	f->last_clock = p->clock_ns;
	if (p->ts_ns > f->end_ns)
		f->end_ns = p->ts_ns;
	if (p->ts_ns < f->start_ns)
		f->start_ns = p->ts_ns;
	if (p->ttl < f->ttl_min[dir])
		f->ttl_min[dir] = p->ttl;
	if (p->ttl > f->ttl_max[dir])
		f->ttl_max[dir] = p->ttl;
	if (f->packets[dir] == 1) {
		f->tos[dir] = p->tos;
		if ((p->flags & NS_PKT_TCP) != 0)
			f->first_flags[dir] = p->tcp_flags;
	}
	uint32_t tick = flow_tick(p->clock_ns);

	if ((int32_t)(tick - f->moved) >= (int32_t)t->move_ticks && (f->state & FLOW_CLOSED) == 0) {
		struct shard *s = &t->shards[f->shard];

		flow_list_remove(t, &s->live, pos);
		f->moved = tick;
		flow_list_push(t, &s->live, pos);
	}
	if ((p->flags & NS_PKT_TCP) == 0)
		return;
	f->tcp_flags[dir] |= p->tcp_flags;
	tcp_sequence(f, p, dir);
	tcp_handshake(f, p, dir);
	if (t->tcp_end && (p->tcp_flags & (FIN | RST)) != 0)
		tcp_end(t, pos, p, dir);
}
