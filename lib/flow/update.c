/* SPDX-License-Identifier: BSD-3-Clause */
/* What few packets do to their flow, and what every packet does in TCP. */
#include "update.h"

#include <ns_dispatch.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static void keep_outer(struct cold *c, struct rte_mbuf *m)
{
	const struct ns_packet *p = ns_packet(m);

	memset(c, 0, sizeof(*c));
	c->port = p->port;
	if ((p->flags & NS_PKT_TUNNEL) == 0)
		return;
	c->tunnel_id = p->tunnel_id;
	if ((p->flags & NS_PKT_LATER_FRAG) != 0)
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

void flow_start(struct ns_flow_table *t, uint32_t pos, struct rte_mbuf *m, const struct key *k)
{
	const struct ns_packet *p = ns_packet(m);
	struct hot *f = &t->store.hot[pos];
	struct warm *w = &t->store.warm[pos];

	*f = (struct hot){.key = *k,
		.last_clock = p->clock_ns,
		.look = flow_look(t, p->hash, p->ts_ns, p->clock_ns),
		.epoch = t->epoch};
	*w = (struct warm){
		.start_ns = p->ts_ns, .end_ns = p->ts_ns, .ttl_min = {UINT8_MAX, UINT8_MAX}};
	if (p->tuple.ver != 4)
		memcpy(&t->store.wide[pos], &p->tuple, sizeof(struct wide));
	if ((p->flags & NS_PKT_SWAPPED) != 0)
		f->state |= FLOW_SWAPPED;
	if (p->ts_ns != p->clock_ns)
		f->state |= FLOW_LATE;
	if ((p->flags & NS_PKT_PORTS) != 0)
		w->state |= FLOW_PORTS;
	if (flow_is_icmp(p->tuple.proto)) {
		f->state |= FLOW_ICMP;
		w->icmp_type = p->icmp_type;
		w->icmp_code = p->icmp_code;
	}
	if ((p->flags & NS_PKT_TUNNEL) != 0 || p->port != 0) {
		w->state |= FLOW_TUNNEL;
		keep_outer(&t->store.cold[pos], m);
	}
}

void flow_spill(struct ns_flow_table *t, uint32_t pos, unsigned dir, const uint64_t sums[3])
{
	struct hot *f = &t->store.hot[pos];
	struct big *b = &t->store.big[pos];

	if ((f->state & FLOW_BIG) == 0)
		*b = (struct big){0};
	f->state |= FLOW_BIG;
	/* one stays here: 0 says that the direction had none */
	b->packets[dir] += sums[0] - 1;
	b->ip_octets[dir] += sums[1];
	b->l2_octets[dir] += sums[2];
	f->packets[dir] = 1;
	f->ip_octets[dir] = f->l2_octets[dir] = 0;
}

/*
 * Numbers of epochs wrap: a flow that slept for long has not been seen in this one. It has been
 * moved since, so its look has come.
 */
#define SLEPT_NS (256 * NS_SEC_NS)
_Static_assert(((uint64_t)MOVE_TICKS_MAX << TICK_SHIFT) < SLEPT_NS, "a look in between");

static void move(struct ns_flow_table *t, uint32_t pos, const struct ns_packet *p)
{
	struct shard *s = &t->shards[ns_bucket(p->hash, t->shards_all)];

	flow_list_remove(t, &s->live, pos);
	t->store.hot[pos].look = flow_look(t, p->hash, t->store.warm[pos].start_ns, p->clock_ns);
	flow_list_push(t, &s->live, pos);
}

void flow_before(struct ns_flow_table *t, uint32_t pos, const struct ns_packet *p)
{
	struct hot *f = &t->store.hot[pos];
	struct warm *w = &t->store.warm[pos];

	if (p->clock_ns - f->last_clock > SLEPT_NS)
		f->state &= (uint8_t) ~(FLOW_SEEN0 | FLOW_SEEN1);
	/* not the clock's time, or a clock that another way in is ahead of: and all after it */
	if (p->ts_ns < NS_MAX(p->clock_ns, f->last_clock) && (f->state & FLOW_LATE) == 0) {
		w->end_ns = f->last_clock;
		f->state |= FLOW_LATE;
	}
	if ((f->state & FLOW_LATE) != 0) {
		w->end_ns = NS_MAX(w->end_ns, p->ts_ns);
		w->start_ns = NS_MIN(w->start_ns, p->ts_ns);
	}
	if (flow_tick(p->clock_ns) >= f->look && (f->state & FLOW_CLOSED) == 0)
		move(t, pos, p);
}

void flow_icmp(struct ns_flow_table *t, uint32_t pos, struct ns_packet *p)
{
	const struct warm *w = &t->store.warm[pos];

	if ((t->store.hot[pos].state & FLOW_ICMP) != 0)
		p->flow_dport = (uint16_t)(w->icmp_type << 8 | w->icmp_code);
}

/* The first packet of its direction in this epoch, or of all. */
void flow_first(struct ns_flow_table *t, uint32_t pos, struct ns_packet *p, unsigned dir)
{
	struct hot *f = &t->store.hot[pos];
	struct warm *w = &t->store.warm[pos];

	if (f->epoch != t->epoch) {
		f->epoch = t->epoch;
		f->state &= (uint8_t) ~(FLOW_SEEN0 | FLOW_SEEN1);
	}
	if ((f->state & (FLOW_SEEN0 << dir)) != 0)
		return;
	f->state |= (uint8_t)(FLOW_SEEN0 << dir);
	p->flow |= NS_PKT_FLOW_FIRST;
	if (f->packets[dir] != 0)
		return;
	if (f->packets[0] + f->packets[1] == 0)
		p->flow |= NS_PKT_FLOW_NEW;
	f->ttl[dir] = p->ttl;
	w->ttl_min[dir] = w->ttl_max[dir] = p->ttl;
	w->tos[dir] = p->tos;
	if ((p->flags & NS_PKT_TCP) != 0)
		w->first_flags[dir] = p->tcp_flags;
}

void flow_ttl(struct ns_flow_table *t, uint32_t pos, uint8_t ttl, unsigned dir)
{
	struct warm *w = &t->store.warm[pos];

	t->store.hot[pos].ttl[dir] = ttl;
	w->ttl_min[dir] = NS_MIN(w->ttl_min[dir], ttl);
	w->ttl_max[dir] = NS_MAX(w->ttl_max[dir], ttl);
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
static void tcp_sequence(struct warm *f, const struct ns_packet *p, unsigned dir)
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
static void tcp_handshake(struct warm *f, const struct ns_packet *p, unsigned dir)
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
	struct hot *f = &t->store.hot[pos];
	struct warm *w = &t->store.warm[pos];

	if ((p->tcp_flags & FIN) != 0)
		w->state |= dir == 0 ? FLOW_FIN0 : FLOW_FIN1;
	if ((f->state & FLOW_CLOSED) != 0 ||
		((p->tcp_flags & RST) == 0 &&
			(w->state & (FLOW_FIN0 | FLOW_FIN1)) != (FLOW_FIN0 | FLOW_FIN1)))
		return;
	struct shard *s = &t->shards[ns_bucket(p->hash, t->shards_all)];

	flow_list_remove(t, &s->live, pos);
	f->state |= FLOW_CLOSED;
	f->look = flow_tick(p->clock_ns);
	flow_list_push(t, &s->closing, pos);
}

void flow_tcp(struct ns_flow_table *t, uint32_t pos, const struct ns_packet *p, unsigned dir)
{
	struct warm *w = &t->store.warm[pos];

	w->tcp_flags[dir] |= p->tcp_flags;
	tcp_sequence(w, p, dir);
	tcp_handshake(w, p, dir);
	if (t->tcp_end && (p->tcp_flags & (FIN | RST)) != 0)
		tcp_end(t, pos, p, dir);
}
