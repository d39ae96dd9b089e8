/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every tunnel that the decoders know, alone and nested. The inner conversation of case n uses
 * the ports 50000 + n and 9000, so each can be found in a table of flows.
 */

#include "gen.h"

#include <string.h>

#define TEB 0x6558 /* Ethernet inside, "transparent Ethernet bridging" */

static struct gen_packet packet;
static struct gen_addr near4, far4, near6, far6;

/* The innermost conversation: a datagram that goes there or comes back. */
static void inner(int n, int v6, int back)
{
	struct gen_addr a = v6 ? gen_ip6(9, 1) : gen_ip4(0xc0a80901);
	struct gen_addr b = v6 ? gen_ip6(9, 2) : gen_ip4(0xc0a80902);
	uint16_t port = (uint16_t)(50000 + n);

	gen_start(&packet, NULL, 40 + (size_t)n);
	if (back)
		gen_udp(&packet, &b, &a, 9000, port);
	else
		gen_udp(&packet, &a, &b, port, 9000);
	gen_ip(&packet, back ? &b : &a, back ? &a : &b, 17);
}

static uint16_t inner_type(void)
{
	return gen_at(&packet)[0] >> 4 == 4 ? 0x0800 : 0x86dd;
}

static void ip4(int back, uint8_t proto)
{
	gen_ip(&packet, back ? &far4 : &near4, back ? &near4 : &far4, proto);
}

static void ip6(int back, uint8_t proto)
{
	gen_ip(&packet, back ? &far6 : &near6, back ? &near6 : &far6, proto);
}

static void udp4(int back, uint16_t port)
{
	gen_udp(&packet, back ? &far4 : &near4, back ? &near4 : &far4, (uint16_t)(49152 + back),
		port);
	ip4(back, 17);
}

/* RFC 7348 */
static void vxlan(int back, uint32_t vni)
{
	uint8_t *h;

	gen_ether(&packet, inner_type());
	h = gen_push(&packet, 8);
	h[0] = 8;
	gen_put32(h + 4, vni << 8);
	udp4(back, 4789);
}

/* RFC 8926, with an option of two words when @p option is set */
static void geneve(int back, uint32_t vni, int option, int ethernet)
{
	uint16_t type = ethernet ? TEB : inner_type();
	uint8_t *h;

	if (ethernet)
		gen_ether(&packet, inner_type());
	if (option) {
		h = gen_push(&packet, 8);
		gen_put16(h, 0xffff); /* for experiments */
		h[2] = 1;
		h[3] = 1; /* one word of data */
		gen_put32(h + 4, 0xcafe);
	}
	h = gen_push(&packet, 8);
	h[0] = option ? 2 : 0;
	gen_put16(h + 2, type);
	gen_put32(h + 4, vni << 8);
	udp4(back, 6081);
}

/* RFC 2784 and 2890: @p flags chooses checksum (0x8000), key (0x2000) and sequence (0x1000) */
static void gre(uint16_t flags, uint16_t type, uint32_t key)
{
	uint32_t sum = 0;
	uint8_t *h;

	if (flags & 0x1000)
		gen_put32(gen_push(&packet, 4), 7);
	if (flags & 0x2000)
		gen_put32(gen_push(&packet, 4), key);
	if (flags & 0x8000)
		gen_push(&packet, 4);
	h = gen_push(&packet, 4);
	gen_put16(h, flags);
	gen_put16(h + 2, type);
	if (!(flags & 0x8000))
		return;
	for (size_t i = 0; i < gen_len(&packet); i++)
		sum += i & 1 ? h[i] : (uint32_t)h[i] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	gen_put16(h + 4, (uint16_t) ~(sum + (sum >> 16)));
}

/* RFC 7637: Ethernet, a key that is a virtual subnet and a flow id, nothing else */
static void nvgre(int back, uint32_t subnet)
{
	gen_ether(&packet, inner_type());
	gre(0x2000, TEB, subnet << 8 | 0x11);
	ip4(back, 47);
}

/* draft-foschiano-erspan, type II: version 1, VLAN, session id; index */
static void erspan2(int back, uint16_t vlan, uint16_t session)
{
	uint8_t *h;

	gen_ether(&packet, inner_type());
	h = gen_push(&packet, 8);
	gen_put16(h, (uint16_t)(1 << 12 | vlan));
	gen_put16(h + 2, session);
	gen_put32(h + 4, 5);
	gre(0x1000, 0x88be, 0);
	ip4(back, 47);
}

/* 3GPP TS 29.281; @p ext adds a sequence number and a PDU session container */
static void gtpu(int back, uint32_t teid, int ext)
{
	size_t len;
	uint8_t *h;

	if (ext) {
		h = gen_push(&packet, 8);
		gen_put16(h, 3); /* sequence */
		h[3] = 0x85; /* PDU session container follows, TS 38.415 */
		h[4] = 1;
		h[5] = back ? 0 : 0x10; /* downlink, uplink */
		h[6] = 9; /* QoS flow */
	}
	len = gen_len(&packet);
	h = gen_push(&packet, 8);
	h[0] = ext ? 0x36 : 0x30;
	h[1] = 255;
	gen_put16(h + 2, (uint16_t)len);
	gen_put32(h + 4, teid);
	udp4(back, 2152);
}

/* Sends with the outer IP header that is there now. */
static void out_it(struct gen_out *out, uint16_t vid)
{
	uint16_t type = inner_type();

	if (vid) {
		gen_tag(&packet, vid, type);
		type = 0x8100;
	}
	gen_ether(&packet, type);
	gen_pad(&packet, 60);
	gen_write(out, gen_at(&packet), gen_len(&packet));
}

/* The single tunnels, then nests. Returns 0 when there is no case @p n. */
static int build(int n, int back)
{
	inner(n, n & 1, back); /* odd cases carry IPv6 */
	switch (n) {
	case 0:
	case 1:
		vxlan(back, 100);
		break;
	case 2:
	case 3:
		geneve(back, 200, 0, 1);
		break;
	case 4:
	case 5:
		geneve(back, 201, 1, n == 4);
		break;
	case 6:
	case 7:
		gre(0, inner_type(), 0);
		ip4(back, 47);
		break;
	case 8:
	case 9:
		gre(0xb000, inner_type(), 300);
		ip4(back, 47);
		break;
	case 10:
	case 11:
		nvgre(back, 400);
		break;
	case 12:
	case 13:
		erspan2(back, 5, 500);
		break;
	case 14:
		ip4(back, 4);
		break;
	case 15:
		ip4(back, 41);
		break;
	case 16:
		ip6(back, 4);
		break;
	case 17:
		ip6(back, 41);
		break;
	case 18:
	case 19:
		gtpu(back, 600, 0);
		break;
	case 20:
	case 21:
		gtpu(back, 601, 1);
		break;
	case 22: /* VXLAN in GRE */
		vxlan(back, 101);
		gre(0x2000, 0x0800, 301);
		ip4(back, 47);
		break;
	case 23: /* IPv6 in IPv4 in GTP-U */
		ip4(back, 41);
		gtpu(back, 602, 0);
		break;
	case 24: /* IPv4 in IPv6 in IPv4 */
		ip6(back, 4);
		ip4(back, 41);
		break;
	case 25: /* GRE in IPv6, VXLAN around it */
		gre(0, inner_type(), 0);
		ip6(back, 47);
		vxlan(back, 102);
		break;
	case 26: /* ERSPAN of a port that carries GENEVE that carries VXLAN */
		vxlan(back, 103);
		geneve(back, 202, 1, 1);
		erspan2(back, 6, 501);
		break;
	default:
		return 0;
	}
	return 1;
}

int gen_tunnels(const char *name)
{
	struct gen_out out;
	int rc = gen_open(&out, name, 1);

	if (rc < 0)
		return rc;
	out.step_us = 1000;
	near4 = gen_ip4(0x0a090001);
	far4 = gen_ip4(0x0a090002);
	near6 = gen_ip6(0x90, 1);
	far6 = gen_ip6(0x90, 2);
	for (int n = 0; build(n, 0); n++) {
		/* There, there and back; every fifth case in a VLAN. */
		for (int i = 0; i < 3; i++) {
			build(n, i == 2);
			out_it(&out, n % 5 == 4 ? 80 : 0);
		}
	}
	return gen_close(&out);
}
