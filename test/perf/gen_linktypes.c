/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One small capture per link type, named NUMBER-name.pcap: the same conversation in each link
 * layer that can carry it, and where a link layer has several shapes, a packet in each.
 * Numbers are those of https://www.tcpdump.org/linktypes.html.
 */

#include "gen.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static struct gen_packet packet;
static unsigned shape; /* which of its shapes a link layer takes, 0 to 3 */

static int v6(void)
{
	return gen_at(&packet)[0] >> 4 == 6;
}

static uint16_t type(void)
{
	return v6() ? 0x86dd : 0x0800;
}

static void raw(void)
{
}

static void ethernet(void)
{
	uint16_t t = type();

	if (shape & 1) {
		gen_tag(&packet, 90, t);
		t = 0x8100;
	}
	gen_ether(&packet, t);
	gen_pad(&packet, 60);
}

static void sll(void)
{
	uint8_t *h;
	uint16_t t = type();

	h = gen_push(&packet, 16);
	gen_put16(h, shape & 1 ? 4 : 0); /* sent by us, or to us */
	gen_put16(h + 2, 1); /* ARPHRD_ETHER */
	gen_put16(h + 4, 6);
	h[6] = 2;
	gen_put16(h + 14, t);
}

static void sll2(void)
{
	uint16_t t = type();
	uint8_t *h = gen_push(&packet, 20);

	gen_put16(h, t);
	gen_put32(h + 4, 3); /* interface index */
	gen_put16(h + 8, 1); /* ARPHRD_ETHER */
	h[10] = shape & 1 ? 4 : 0;
	h[11] = 6;
	h[12] = 2;
}

/* The family's number for IPv6 differs: NetBSD and OpenBSD 24, FreeBSD 28, macOS 30. */
static uint8_t family(void)
{
	static const uint8_t inet6[] = {24, 28, 30, 30};

	return v6() ? inet6[shape] : 2;
}

static void null(void)
{
	uint8_t f = family();
	uint8_t *h = gen_push(&packet, 4);

	h[shape & 1 && f == 2 ? 3 : 0] = f; /* the order of the host that captured: both happen */
}

static void loop(void)
{
	uint8_t f = family();

	gen_push(&packet, 4)[3] = f;
}

static void ppp_protocol(void)
{
	uint16_t protocol = v6() ? 0x0057 : 0x0021;

	gen_put16(gen_push(&packet, 2), protocol);
}

static void ppp(void)
{
	ppp_protocol();
	if (!(shape & 1)) /* address and control may be left out, RFC 1661 6.6 */
		gen_put16(gen_push(&packet, 2), 0xff03);
}

static void ppp_serial(void)
{
	ppp_protocol();
	gen_put16(gen_push(&packet, 2), 0xff03);
}

static void pppoe(void)
{
	size_t len;
	uint8_t *h;

	ppp_protocol();
	len = gen_len(&packet);
	h = gen_push(&packet, 6); /* RFC 2516 */
	h[0] = 0x11;
	gen_put16(h + 2, 0x0bad);
	gen_put16(h + 4, (uint16_t)len);
}

static void chdlc(void)
{
	uint16_t t = type();
	uint8_t *h = gen_push(&packet, 4);

	h[0] = shape & 1 ? 0x8f : 0x0f; /* multicast, unicast */
	gen_put16(h + 2, t);
}

static void frame_relay(void)
{
	int is6 = v6();
	uint8_t *h;

	if (shape & 1) { /* SNAP, RFC 2427 */
		uint16_t t = type();

		h = gen_push(&packet, 7);
		h[1] = 0x80;
		gen_put16(h + 5, t);
	} else {
		gen_push(&packet, 1)[0] = is6 ? 0x8e : 0xcc;
	}
	h = gen_push(&packet, 3);
	gen_put16(h, 0x1841); /* DLCI 100 */
	h[2] = 3; /* unnumbered information */
}

/* Data, QoS data, both from and to the distribution system, and four addresses. */
static void wlan(void)
{
	static const uint8_t control[4][2] = {{0x08, 1}, {0x08, 2}, {0x88, 1}, {0x88, 3}};
	uint16_t t = type();
	uint8_t *h = gen_push(&packet, 8);

	gen_put16(h, 0xaaaa);
	h[2] = 3;
	gen_put16(h + 6, t);
	h = gen_push(&packet, shape == 3 ? 32 : shape == 2 ? 26 : 24);
	h[0] = control[shape][0];
	h[1] = control[shape][1];
	for (int i = 0; i < 3; i++) {
		h[4 + 6 * i] = 2;
		h[9 + 6 * i] = (uint8_t)(i + 1);
	}
	if (shape == 3) {
		h[24] = 2;
		h[29] = 4;
	}
}

/* IEEE 802.3 check sequence. */
static void add_fcs(void)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < gen_len(&packet); i++) {
		crc ^= gen_at(&packet)[i];
		for (int b = 0; b < 8; b++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	for (int b = 0; b < 4; b++)
		packet.data[packet.end++] = (uint8_t)(~crc >> 8 * b);
}

/* Radiotap is little endian; flags (bit 1) tell of a check sequence at the end. */
static void radiotap(void)
{
	uint8_t *h;

	wlan();
	if (shape & 1) {
		add_fcs();
		h = gen_push(&packet, 9);
		h[2] = 9;
		h[4] = 1 << 1;
		h[8] = 0x10;
	} else {
		h = gen_push(&packet, 8);
		h[2] = 8;
	}
}

static void ppi(void)
{
	uint8_t link = 105;
	uint8_t *h;

	if (shape & 1) {
		link = 1;
		gen_ether(&packet, type());
		gen_pad(&packet, 60);
	} else {
		wlan();
	}
	h = gen_push(&packet, 8);
	h[2] = 8;
	h[4] = link;
}

static void mpls(void)
{
	gen_put32(gen_push(&packet, 4), 1000u << 12 | 1 << 8 | 64);
	if (shape & 1)
		gen_put32(gen_push(&packet, 4), 2000u << 12 | 64);
}

/* Netfilter's log: family, version, group, then attributes in the host's order. */
static void nflog(void)
{
	uint8_t af = v6() ? 10 : 2;
	size_t len = gen_len(&packet) + 4;
	uint8_t *h;

	gen_pad(&packet, ((len + 3) & ~3ul) - 4);
	h = gen_push(&packet, 4); /* NFULA_PAYLOAD */
	h[0] = (uint8_t)len;
	h[1] = (uint8_t)(len >> 8);
	h[2] = 9;
	h = gen_push(&packet, 12); /* NFULA_PREFIX */
	h[0] = 9;
	h[2] = 10;
	memcpy(h + 4, "drop", 5);
	h = gen_push(&packet, 4);
	h[0] = af;
	h[3] = 7; /* group */
}

/* A link type for private use: nobody can say what is in it. */
static void unknown(void)
{
	memset(gen_push(&packet, 5), 0xee, 5);
}

static const struct {
	uint16_t number;
	const char *name;
	void (*wrap)(void);
	int versions; /* 4, 6, or 46 for both */
} links[] = {
	{0, "null", null, 46},
	{1, "ethernet", ethernet, 46},
	{9, "ppp", ppp, 46},
	{50, "ppp-serial", ppp_serial, 46},
	{51, "pppoe", pppoe, 46},
	{101, "raw", raw, 46},
	{104, "c-hdlc", chdlc, 46},
	{105, "ieee802-11", wlan, 46},
	{107, "frame-relay", frame_relay, 46},
	{108, "loop", loop, 46},
	{113, "linux-sll", sll, 46},
	{127, "radiotap", radiotap, 46},
	{147, "user0", unknown, 46},
	{192, "ppi", ppi, 46},
	{219, "mpls", mpls, 46},
	{228, "ipv4", raw, 4},
	{229, "ipv6", raw, 6},
	{239, "nflog", nflog, 46},
	{276, "linux-sll2", sll2, 46},
};

static void conversation(struct gen_out *out, int six, uint16_t link, void (*wrap)(void))
{
	struct gen_addr end[2];

	end[0] = six ? gen_ip6(8, 1) : gen_ip4(0x0a080001);
	end[1] = six ? gen_ip6(8, 2) : gen_ip4(0x0a080002);
	for (shape = 0; shape < 4; shape++) {
		const struct gen_addr *src = &end[shape & 1], *dst = &end[!(shape & 1)];
		struct gen_tcp tcp = {51000, 9001, 1, 0, GEN_SYN};

		if (shape == 2) {
			gen_start(&packet, NULL, 0);
			gen_tcp(&packet, src, dst, &tcp);
			gen_ip(&packet, src, dst, 6);
		} else if (shape == 3) {
			gen_start(&packet, NULL, 22);
			gen_sctp(&packet, 9002, 51000);
			gen_ip(&packet, src, dst, 132);
		} else {
			gen_start(&packet, NULL, 31);
			gen_udp(&packet, src, dst, shape ? 9000 : (uint16_t)(51000 + link),
				shape ? (uint16_t)(51000 + link) : 9000);
			gen_ip(&packet, src, dst, 17);
		}
		wrap();
		gen_write(out, gen_at(&packet), gen_len(&packet));
	}
}

int gen_linktypes(const char *dir)
{
	char path[4096];
	struct gen_out out;
	int rc = 0;

	if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "gen-capture: %s: %s\n", dir, strerror(errno));
		return -EIO;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]) && rc == 0; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%u-%s.pcap", dir, links[i].number,
			    links[i].name) >= sizeof(path)) {
			fprintf(stderr, "gen-capture: %s: the name is too long\n", dir);
			return -ERANGE;
		}
		rc = gen_open(&out, path, links[i].number);
		if (rc < 0)
			return rc;
		out.step_us = 1000;
		if (links[i].versions != 6)
			conversation(&out, 0, links[i].number, links[i].wrap);
		if (links[i].versions != 4)
			conversation(&out, 1, links[i].number, links[i].wrap);
		rc = gen_close(&out);
	}
	return rc;
}
