/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mix of conversations, both ways, in frames of 64, 594 and 1518 octets (with the check
 * sequence) as 7 : 4 : 1.
 *
 *   flow 0   |--0--1--2-----3--4|           a flow's packets are points in a window of time;
 *   flow 1        |0-1|                     all points sorted give the order of the file, and
 *   flow 2  |-0------1-----2-----3---4-|    each point emits the next step of its flow
 *
 * What a flow is (protocol, addresses, tag) is a function of its number and the seed. Its state
 * is its step and two sequence numbers. A packet that may have any size takes the size class that
 * is furthest behind its share; handshakes, requests and answers have the size they have and count
 * in the class nearest to it.
 */

#include "gen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind { TCP_HTTP, TCP_TLS, TCP_BULK, UDP_TALK, UDP_DNS, ICMP_ECHO };

/* Out of 100 flows, in the order of enum kind, and the fewest packets each needs. */
static const uint8_t share[] = {20, 25, 8, 17, 26, 4};
static const uint8_t fewest[] = {9, 9, 9, 2, 2, 2};

static const uint16_t class_len[3] = {60, 590, 1514};
static const uint8_t class_share[3] = {7, 4, 1};

struct flow {
	uint32_t steps, step;
	uint32_t seq[2]; /* next of the initiator, next of the responder */
};

struct event {
	uint32_t time;
	uint32_t flow;
};

struct imix {
	struct flow *flows;
	struct event *events;
	uint32_t nb_flows, nb_packets;
	uint64_t seed;
	struct gen_rng rng;
	uint64_t nb_class[3];
	struct gen_out out;
	struct gen_packet packet;
	uint8_t text[512];
};

/* Properties of a flow, made again whenever they are needed. */
struct nature {
	enum kind kind;
	uint16_t vid; /* 0: no tag */
	uint16_t port[2];
	struct gen_addr addr[2];
};

static enum kind kind_of(const struct imix *m, uint32_t flow)
{
	uint32_t luck = (uint32_t)(gen_mix(m->seed ^ (uint64_t)flow << 1) % 100);
	int k = 0;

	while (luck >= share[k])
		luck -= share[k++];
	return (enum kind)k;
}

static void nature_of(const struct imix *m, uint32_t flow, struct nature *n)
{
	static const uint16_t service[] = {80, 443, 9000, 65000, 53, 0};
	uint64_t luck = gen_mix(m->seed ^ ((uint64_t)flow << 1 | 1));
	uint32_t server = (uint32_t)(luck >> 32 & 0x7ff);

	n->kind = kind_of(m, flow);
	n->vid = luck % 100 < 20 ? (uint16_t)(100 + luck / 100 % 8) : 0;
	/* Sixteen flows share a client; the port, or the echo id, tells them apart. */
	n->port[0] = (uint16_t)(60000 + flow % 16 * 250 + (luck >> 44) % 250);
	n->port[1] = service[n->kind];
	if (luck / 1000 % 100 < 15) {
		n->addr[0] = gen_ip6(1, flow / 16 + 1);
		n->addr[1] = gen_ip6(2, server + 1);
	} else {
		n->addr[0] = gen_ip4(0x0a000000 | ((flow / 16 + 1) & 0xffffff));
		n->addr[1] = gen_ip4(0xac100000 | (server + 1));
	}
}

static void count_class(struct imix *m, size_t len)
{
	m->nb_class[len < 300 ? 0 : len < 1000 ? 1 : 2]++;
}

/* How much payload makes a frame of the class that is furthest behind. */
static size_t pick_payload(struct imix *m, size_t headers)
{
	int best = 0;

	for (int i = 1; i < 3; i++) {
		if (m->nb_class[i] * class_share[best] < m->nb_class[best] * class_share[i])
			best = i;
	}
	return class_len[best] > headers ? class_len[best] - headers : 1;
}

static void finish(struct imix *m, const struct nature *n, int back, uint8_t proto)
{
	struct gen_packet *p = &m->packet;
	uint16_t type = gen_ether_type(&n->addr[0]);

	gen_ip(p, &n->addr[back], &n->addr[!back], proto);
	if (n->vid) {
		gen_tag(p, n->vid, type);
		type = 0x8100;
	}
	gen_ether(p, type);
	gen_pad(p, 60);
	count_class(m, gen_len(p));
	gen_write(&m->out, gen_at(p), gen_len(p));
}

static size_t link_headers(const struct nature *n)
{
	return 14u + (n->vid ? 4 : 0) + (n->addr[0].size == 4 ? 20 : 40);
}

/* The first request and the first answer; 0 where the protocol has none of its own. */
static size_t opening(struct imix *m, const struct nature *n, uint32_t flow, int back)
{
	if (n->kind == TCP_HTTP)
		return gen_http(m->text, flow, back);
	if (n->kind == TCP_TLS)
		return gen_tls_hello(m->text, flow, back);
	return 0;
}

/* The text of a segment in the middle; inside TLS each segment is one record of data. */
static void tcp_data(struct imix *m, const struct nature *n, size_t len)
{
	struct gen_packet *p = &m->packet;
	uint8_t *h;

	if (n->kind != TCP_TLS) {
		gen_start(p, NULL, len);
		return;
	}
	gen_start(p, NULL, len > 6 ? len - 5 : 1);
	len = gen_len(p);
	h = gen_push(p, 5);
	h[0] = 23;
	gen_put16(h + 1, 0x0303);
	gen_put16(h + 3, (uint16_t)len);
}

/* SYN, SYN/ACK, ACK, request, answer, data with every third an acknowledgement, then FIN,
 * FIN, ACK. */
static void step_tcp(struct imix *m, const struct nature *n, uint32_t number, struct flow *f)
{
	uint32_t left = f->steps - f->step;
	int back = 0, kept = 0;
	uint8_t flags = GEN_ACK;
	struct gen_tcp tcp;
	size_t len = 0;

	gen_start(&m->packet, NULL, 0);
	if (f->step == 0) {
		flags = GEN_SYN;
	} else if (f->step == 1) {
		flags = GEN_SYN | GEN_ACK;
		back = 1;
	} else if (left <= 3) {
		flags |= left > 1 ? GEN_FIN : 0;
		back = left != 2; /* the responder closes first */
	} else if (f->step == 3 || f->step == 4) {
		back = f->step == 4;
		flags |= GEN_PSH;
		len = opening(m, n, number, back);
		kept = len != 0;
	} else if (f->step > 4) {
		back = f->step % 3 != 2;
	}
	if (kept)
		gen_start(&m->packet, m->text, len);
	else if ((f->step == 3 || f->step == 4 || back) && f->step > 2 && left > 3)
		tcp_data(m, n, pick_payload(m, link_headers(n) + 20));
	len = gen_len(&m->packet);

	tcp = (struct gen_tcp){n->port[back], n->port[!back], f->seq[back], f->seq[!back], flags};
	if (f->step == 0)
		tcp.ack = 0;
	f->seq[back] += (uint32_t)len + (flags & (GEN_SYN | GEN_FIN) ? 1 : 0);
	gen_tcp(&m->packet, &n->addr[back], &n->addr[!back], &tcp);
	finish(m, n, back, 6);
}

static void step_other(struct imix *m, const struct nature *n, uint32_t number, struct flow *f)
{
	int back = f->step & 1;
	const struct gen_addr *src = &n->addr[back], *dst = &n->addr[!back];

	if (n->kind == ICMP_ECHO) {
		/* A reply has the payload of its request, so both have one size. */
		gen_start(&m->packet, NULL, 56);
		gen_echo(&m->packet, src, dst, back, n->port[0], (uint16_t)(f->step / 2 + 1));
		finish(m, n, back, src->size == 4 ? 1 : 58);
		return;
	}
	if (n->kind == UDP_DNS)
		gen_start(&m->packet, m->text, gen_dns(m->text, number + f->step / 2, back));
	else
		gen_start(&m->packet, NULL, pick_payload(m, link_headers(n) + 8));
	gen_udp(&m->packet, src, dst, n->port[back], n->port[!back]);
	finish(m, n, back, 17);
}

/* Shares the packets out: what each flow needs, and the rest by Zipf's law to those that can
 * be long. */
static int plan_steps(struct imix *m)
{
	struct gen_zipf zipf;
	uint64_t used = 0;
	int rc;

	for (uint32_t i = 0; i < m->nb_flows; i++) {
		m->flows[i].steps = fewest[kind_of(m, i)];
		m->flows[i].seq[0] = (uint32_t)gen_next(&m->rng);
		m->flows[i].seq[1] = (uint32_t)gen_next(&m->rng);
		used += m->flows[i].steps;
	}
	if (used > m->nb_packets) {
		fprintf(stderr, "gen-capture: %u flows need at least %llu packets\n", m->nb_flows,
			(unsigned long long)used);
		return -ERANGE;
	}
	rc = gen_zipf_init(&zipf, m->nb_flows, 1.0);
	if (rc < 0)
		return rc;
	while (used < m->nb_packets) {
		uint32_t i = gen_zipf_draw(&zipf, &m->rng);
		enum kind kind = kind_of(m, i);

		if (kind == UDP_DNS || (kind == ICMP_ECHO && m->nb_flows > 100))
			i = (i + 1) % m->nb_flows;
		m->flows[i].steps++;
		used++;
	}
	gen_zipf_free(&zipf);
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->flow < y->flow ? -1 : x->flow > y->flow;
}

/* A short flow lives for a fiftieth of the file, a long one for the whole of it. */
static void plan_times(struct imix *m)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < m->nb_flows; i++) {
		uint32_t span = m->flows[i].steps > 200 ? UINT32_MAX : UINT32_MAX / 50;
		uint32_t start = span == UINT32_MAX ? 0 : gen_below(&m->rng, UINT32_MAX - span);

		for (uint32_t k = 0; k < m->flows[i].steps; k++)
			m->events[at++] = (struct event){start + gen_below(&m->rng, span), i};
	}
	qsort(m->events, m->nb_packets, sizeof(*m->events), by_time);
}

static int write_all(struct imix *m, const char *name)
{
	int rc = gen_open(&m->out, name, 1);

	if (rc < 0)
		return rc;
	m->out.step_us = 3;
	for (uint32_t i = 0; i < m->nb_packets; i++) {
		uint32_t number = m->events[i].flow;
		struct flow *f = &m->flows[number];
		struct nature n;

		nature_of(m, number, &n);
		if (n.kind <= TCP_BULK)
			step_tcp(m, &n, number, f);
		else
			step_other(m, &n, number, f);
		f->step++;
	}
	return gen_close(&m->out);
}

int gen_imix(const char *name, uint32_t packets, uint32_t flows, uint64_t seed)
{
	struct imix *m;
	int rc = -ENOMEM;

	if (flows == 0 || packets == 0)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->nb_flows = flows;
	m->nb_packets = packets;
	m->seed = gen_mix(seed);
	gen_seed(&m->rng, seed);
	m->flows = calloc(flows, sizeof(*m->flows));
	m->events = calloc(packets, sizeof(*m->events));
	if (m->flows != NULL && m->events != NULL)
		rc = plan_steps(m);
	if (rc == 0) {
		plan_times(m);
		rc = write_all(m, name);
	}
	free(m->flows);
	free(m->events);
	free(m);
	return rc;
}
