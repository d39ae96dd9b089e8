/* SPDX-License-Identifier: BSD-3-Clause */

#include "gen.h"

#include <stdlib.h>
#include <string.h>

#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ICMP6 58

struct gen_addr gen_ip4(uint32_t address)
{
	struct gen_addr a = {.size = 4};

	gen_put32(a.octet, address);
	return a;
}

struct gen_addr gen_ip6(uint16_t net, uint32_t host)
{
	struct gen_addr a = {.size = 16};

	gen_put32(a.octet, 0x20010db8);
	gen_put16(a.octet + 4, net);
	gen_put32(a.octet + 12, host);
	return a;
}

uint16_t gen_ether_type(const struct gen_addr *addr)
{
	return addr->size == 4 ? 0x0800 : 0x86dd;
}

void gen_start(struct gen_packet *p, const void *payload, size_t n)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog. ";

	p->start = GEN_ROOM;
	p->end = GEN_ROOM + n;
	p->ttl = 64;
	if (p->end > GEN_BUFFER)
		abort();
	if (payload != NULL) {
		memcpy(gen_at(p), payload, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		gen_at(p)[i] = (uint8_t)text[i % (sizeof(text) - 1)];
}

uint8_t *gen_push(struct gen_packet *p, size_t n)
{
	if (n > p->start)
		abort();
	p->start -= n;
	return memset(gen_at(p), 0, n);
}

void gen_pad(struct gen_packet *p, size_t least)
{
	size_t len = gen_len(p);

	if (len < least) {
		memset(gen_at(p) + len, 0, least - len);
		p->end += least - len;
	}
}

/* Internet checksum, RFC 1071. */
static uint32_t add_up(uint32_t sum, const uint8_t *at, size_t n)
{
	for (; n > 1; n -= 2, at += 2)
		sum += (uint32_t)(at[0] << 8 | at[1]);
	if (n)
		sum += (uint32_t)(at[0] << 8);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Over the whole packet as it stands, with the pseudo-header of RFC 9293 or RFC 8200. */
static uint16_t checksum(
	struct gen_packet *p, const struct gen_addr *src, const struct gen_addr *dst, uint8_t proto)
{
	uint32_t sum = proto + (uint32_t)gen_len(p);

	sum = add_up(sum, src->octet, src->size);
	sum = add_up(sum, dst->octet, dst->size);
	return fold(add_up(sum, gen_at(p), gen_len(p)));
}

void gen_udp(struct gen_packet *p, const struct gen_addr *src, const struct gen_addr *dst,
	uint16_t sport, uint16_t dport)
{
	uint8_t *h = gen_push(p, 8);
	uint16_t sum;

	gen_put16(h, sport);
	gen_put16(h + 2, dport);
	gen_put16(h + 4, (uint16_t)gen_len(p));
	sum = checksum(p, src, dst, PROTO_UDP);
	gen_put16(h + 6, sum ? sum : 0xffff); /* zero means "none", RFC 768 */
}

void gen_tcp(struct gen_packet *p, const struct gen_addr *src, const struct gen_addr *dst,
	const struct gen_tcp *tcp)
{
	/* A SYN says its maximum segment size, as every stack does. */
	size_t options = tcp->flags & GEN_SYN ? 4 : 0;
	uint8_t *h = gen_push(p, 20 + options);

	gen_put16(h, tcp->sport);
	gen_put16(h + 2, tcp->dport);
	gen_put32(h + 4, tcp->seq);
	gen_put32(h + 8, tcp->ack);
	h[12] = (uint8_t)((5 + options / 4) << 4);
	h[13] = tcp->flags;
	gen_put16(h + 14, 0xfaf0);
	if (options)
		gen_put32(h + 20, 0x020405a0);
	gen_put16(h + 16, checksum(p, src, dst, PROTO_TCP));
}

void gen_echo(struct gen_packet *p, const struct gen_addr *src, const struct gen_addr *dst,
	int reply, uint16_t id, uint16_t seq)
{
	uint8_t *h = gen_push(p, 8);

	gen_put16(h + 4, id);
	gen_put16(h + 6, seq);
	if (src->size == 4) {
		h[0] = reply ? 0 : 8;
		gen_put16(h + 2, fold(add_up(0, h, gen_len(p))));
	} else {
		h[0] = reply ? 129 : 128;
		gen_put16(h + 2, checksum(p, src, dst, PROTO_ICMP6));
	}
}

/* CRC32c, reflected, RFC 9260 appendix A. */
static uint32_t crc32c(const uint8_t *at, size_t n)
{
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= *at++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

void gen_sctp(struct gen_packet *p, uint16_t sport, uint16_t dport)
{
	size_t payload = gen_len(p);
	uint32_t crc;
	uint8_t *h;

	gen_pad(p, (payload + 3) & ~3ul);
	h = gen_push(p, 28); /* the common header and one DATA chunk */
	gen_put16(h, sport);
	gen_put16(h + 2, dport);
	gen_put32(h + 4, 0x5c7b0001);
	h[12] = 0;
	h[13] = 3; /* first and last fragment of the message */
	gen_put16(h + 14, (uint16_t)(16 + payload));
	gen_put32(h + 16, 1);
	crc = crc32c(h, gen_len(p));
	for (int i = 0; i < 4; i++)
		h[8 + i] = (uint8_t)(crc >> 8 * i);
}

void gen_ip(
	struct gen_packet *p, const struct gen_addr *src, const struct gen_addr *dst, uint8_t proto)
{
	size_t payload = gen_len(p);
	uint8_t *h;

	if (src->size == 4) {
		h = gen_push(p, 20);
		h[0] = 0x45;
		gen_put16(h + 2, (uint16_t)(20 + payload));
		gen_put16(h + 4, p->ip_id++);
		gen_put16(h + 6, p->ip_flags);
		h[8] = p->ttl;
		h[9] = proto;
		memcpy(h + 12, src->octet, 4);
		memcpy(h + 16, dst->octet, 4);
		gen_put16(h + 10, fold(add_up(0, h, 20)));
	} else {
		h = gen_push(p, 40);
		h[0] = 0x60;
		gen_put16(h + 4, (uint16_t)payload);
		h[6] = proto;
		h[7] = p->ttl;
		memcpy(h + 8, src->octet, 16);
		memcpy(h + 24, dst->octet, 16);
	}
}

void gen_tag(struct gen_packet *p, uint16_t vid, uint16_t type)
{
	uint8_t *h = gen_push(p, 4);

	gen_put16(h, vid);
	gen_put16(h + 2, type);
}

void gen_ether(struct gen_packet *p, uint16_t type)
{
	static const uint8_t stations[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
	uint8_t *h = gen_push(p, 14);

	memcpy(h, stations, sizeof(stations));
	gen_put16(h + 12, type);
}
