/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments in every order that matters to somebody who gives later fragments the ports of the
 * first: in order, reversed, interleaved, doubled, overlapping, with parts that never come.
 */

#include "gen.h"

#include <string.h>

#define MORE 0x2000
#define PROTO_FRAGMENT 44
#define MAX_PIECES 8

struct piece {
	uint16_t from, len; /* octets of the datagram; from is a multiple of 8 */
	int last;
};

struct datagram {
	struct gen_addr src, dst;
	uint8_t proto;
	uint16_t vid;
	uint32_t id;
	uint8_t data[8192];
	size_t len;
};

static struct gen_packet packet;

/* A datagram: @p size octets of payload with the header of @p proto before them. */
static void make(struct datagram *d, int v6, uint8_t proto, uint32_t id, size_t size)
{
	struct gen_tcp tcp = {41000, 9001, 1000, 2000, GEN_ACK | GEN_PSH};

	d->src = v6 ? gen_ip6(7, 1) : gen_ip4(0x0a070001);
	d->dst = v6 ? gen_ip6(7, 2) : gen_ip4(0x0a070002);
	d->proto = proto;
	d->id = id;
	d->vid = 0;
	gen_start(&packet, NULL, size);
	if (proto == 17)
		gen_udp(&packet, &d->src, &d->dst, (uint16_t)(40000 + id), 9000);
	else if (proto == 6)
		gen_tcp(&packet, &d->src, &d->dst, &tcp);
	else
		gen_echo(&packet, &d->src, &d->dst, 0, (uint16_t)id, 1);
	d->len = gen_len(&packet);
	memcpy(d->data, gen_at(&packet), d->len);
}

static void send_piece(struct gen_out *out, const struct datagram *d, struct piece piece)
{
	struct gen_packet *p = &packet;
	uint16_t type = gen_ether_type(&d->src);
	uint16_t keep = p->ip_id;
	uint8_t *h;

	gen_start(p, d->data + piece.from, piece.len);
	if (d->src.size == 16) {
		h = gen_push(p, 8); /* RFC 8200, 4.5 */
		h[0] = d->proto;
		gen_put16(h + 2, (uint16_t)(piece.from | !piece.last));
		gen_put32(h + 4, d->id);
		gen_ip(p, &d->src, &d->dst, PROTO_FRAGMENT);
	} else {
		p->ip_id = (uint16_t)d->id;
		p->ip_flags = (uint16_t)(piece.from / 8 | (piece.last ? 0 : MORE));
		gen_ip(p, &d->src, &d->dst, d->proto);
		p->ip_flags = 0;
		p->ip_id = keep;
	}
	if (d->vid) {
		gen_tag(p, d->vid, type);
		type = 0x8100;
	}
	gen_ether(p, type);
	gen_pad(p, 60);
	gen_write(out, gen_at(p), gen_len(p));
}

/* Cuts every @p size octets (a multiple of 8). Returns how many pieces there are. */
static int cut(const struct datagram *d, uint16_t size, struct piece *pieces)
{
	int n = 0;

	for (size_t at = 0; at < d->len && n < MAX_PIECES; at += size, n++) {
		size_t left = d->len - at;

		pieces[n].from = (uint16_t)at;
		pieces[n].len = (uint16_t)(left < size ? left : size);
		pieces[n].last = left <= size;
	}
	return n;
}

static void one_version(struct gen_out *out, int v6)
{
	static struct datagram d, e;
	struct piece pieces[MAX_PIECES], other[MAX_PIECES];
	uint32_t id = v6 ? 200 : 100;
	int n;

	make(&d, v6, 17, id++, 4000); /* in order */
	n = cut(&d, 1400, pieces);
	for (int i = 0; i < n; i++)
		send_piece(out, &d, pieces[i]);

	make(&d, v6, 17, id++, 4000); /* last one first */
	for (int i = n - 1; i >= 0; i--)
		send_piece(out, &d, pieces[i]);

	make(&d, v6, 17, id, 2500); /* two with the same id, told apart by their protocol */
	make(&e, v6, 6, id++, 2500);
	n = cut(&d, 1000, pieces);
	cut(&e, 1000, other);
	for (int i = 0; i < n; i++) {
		send_piece(out, &d, pieces[i]);
		send_piece(out, &e, other[i]);
	}

	make(&d, v6, 17, id++, 2500); /* the middle comes twice */
	for (int i = 0; i < n; i++) {
		send_piece(out, &d, pieces[i]);
		if (i == 1)
			send_piece(out, &d, pieces[i]);
	}

	make(&d, v6, 17, id++, 2500); /* the first one is lost */
	for (int i = 1; i < n; i++)
		send_piece(out, &d, pieces[i]);

	make(&d, v6, 17, id++, 2500); /* the last one is lost */
	for (int i = 0; i < n - 1; i++)
		send_piece(out, &d, pieces[i]);

	make(&d, v6, 17, id++, 2500); /* two overlap, with the same octets */
	send_piece(out, &d, (struct piece){0, 1200, 0});
	send_piece(out, &d, (struct piece){1000, 1000, 0});
	send_piece(out, &d, (struct piece){2000, (uint16_t)(d.len - 2000), 1});

	make(&d, v6, v6 ? 58 : 1, id++, 3000); /* an echo request, no ports at all */
	n = cut(&d, 1400, pieces);
	for (int i = 0; i < n; i++)
		send_piece(out, &d, pieces[i]);

	make(&d, v6, 17, id++, 2000); /* in a VLAN */
	d.vid = 70;
	n = cut(&d, 1200, pieces);
	for (int i = 0; i < n; i++)
		send_piece(out, &d, pieces[i]);

	make(&d, v6, 17, id++, 100); /* small ones, padded on Ethernet */
	n = cut(&d, 16, pieces);
	for (int i = 0; i < n; i++)
		send_piece(out, &d, pieces[i]);

	if (v6) { /* "atomic": a fragment header, and all is in it, RFC 6946 */
		make(&d, v6, 17, id++, 100);
		send_piece(out, &d, (struct piece){0, (uint16_t)d.len, 1});
	}
}

int gen_frags(const char *name)
{
	struct gen_out out;
	int rc = gen_open(&out, name, 1);

	if (rc < 0)
		return rc;
	out.step_us = 1000;
	one_version(&out, 0);
	one_version(&out, 1);
	return gen_close(&out);
}
