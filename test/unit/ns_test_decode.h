/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Packets for tests of decode and of the tunnel plug-ins: headers as lists of octets, and a decode
 * of them from memory of exactly the captured length, so that a sanitizer sees an octet too many.
 *
 *	static const uint8_t frame[] = {ETH(0x0800), IP4(17, 32), UDP(1000, 2000, 12), 1, 2, 3, 4};
 *
 * The outer addresses are 10.0.0.2 and 2001:db8::2 to 10.0.0.1 and 2001:db8::1, the inner ones
 * 192.168.0.2 and 2001:db8:1::2 to 192.168.0.1 and 2001:db8:1::1: sources are always endpoint b.
 */

#include "ns_test.h"

#include <ns_decode.h>
#include <ns_registry.h>

#include <stdlib.h>
#include <string.h>

#define B16(v) (uint8_t)((v) >> 8), (uint8_t)(v)
#define B32(v) B16((v) >> 16), B16((v)&0xffff)
#define MAC2 0x02, 0, 0, 0, 0, 2
#define MAC1 0x02, 0, 0, 0, 0, 1
#define ETH(type) MAC1, MAC2, B16(type)
#define A4_SRC 10, 0, 0, 2
#define A4_DST 10, 0, 0, 1
#define A6_SRC 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define A6_DST 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define I4_SRC 192, 168, 0, 2
#define I4_DST 192, 168, 0, 1
#define I6_SRC 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define I6_DST 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1

/* version and length, TOS, total length, identification, flags and offset, TTL, protocol, checksum
 */
#define IP4_HEAD(proto, total, frag) 0x45, 0x28, B16(total), 0x12, 0x34, B16(frag), 64, proto, 0, 0
#define IP4_FRAG(proto, total, frag) IP4_HEAD(proto, total, frag), A4_SRC, A4_DST
#define IP4(proto, total) IP4_FRAG(proto, total, 0)
/* version, class and label, payload length, next header, hop limit */
#define IP6_HEAD(next, payload) 0x62, 0x80, 0, 7, B16(payload), next, 64
#define IP6(next, payload) IP6_HEAD(next, payload), A6_SRC, A6_DST

#define UDP(sport, dport, len) B16(sport), B16(dport), B16(len), 0, 0
/* sequence, acknowledgement, header length in words and flags, window, checksum, urgent */
#define TCP_WORDS(sport, dport, words, flags)                                          \
	B16(sport), B16(dport), B32(0x01020304), B32(0x05060708), (words) << 4, flags, \
		B16(0x1000), 0, 0, 0, 0
#define TCP(sport, dport, flags) TCP_WORDS(sport, dport, 5, flags)

/* What tunnels carry: 32 octets of IPv4, 52 of IPv6, UDP from port 1000 to 2000 in both. */
#define INNER_UDP UDP(1000, 2000, 12), 'd', 'a', 't', 'a'
#define INNER4_LEN 32
#define INNER4 IP4_HEAD(17, 32, 0), I4_SRC, I4_DST, INNER_UDP
#define INNER6_LEN 52
#define INNER6 IP6_HEAD(17, 12), I6_SRC, I6_DST, INNER_UDP

struct ns_test_mbuf {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
};

/* What became of one packet. */
struct ns_test_view {
	struct ns_counters notes;
	struct ns_packet p;
	const struct ns_counter *why; /* the drop reason, or NULL */
};

/* A decoder with these settings; ends the test when there is none. The caller destroys it. */
static inline struct ns_decoder *ns_test_decoder(uint8_t max_tunnels, bool verify)
{
	struct ns_decode_conf conf = {.max_tunnels = max_tunnels, .verify_checksum = verify};

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	struct ns_decoder *d = ns_decoder_create(&conf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	return d;
}

/* Decodes the first caplen of the octets; the mbuf held another packet before. */
static inline struct ns_test_view ns_test_decode_cut(const struct ns_decoder *d, uint16_t linktype,
	const uint8_t *octets, uint32_t caplen, uint32_t wirelen)
{
	struct ns_test_view v;
	struct ns_test_mbuf b;
	uint8_t *copy = malloc(caplen > 0 ? caplen : 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	memcpy(copy, octets, caplen);
	memset(&v, 0, sizeof(v));
	memset(&b, 0, sizeof(b));
	struct ns_packet *p = ns_packet(&b.m);

	memset(p, 0xff, sizeof(*p));
	p->flags = (uint16_t) ~(NS_PKT_RSS | NS_PKT_COPY);
	p->linktype = linktype;
	p->caplen = caplen;
	p->wirelen = wirelen;
	/* past the end of the copy there is no room at all: what AddressSanitizer watches */
	b.m.buf_addr = caplen > 0 ? copy : copy + 1;
	b.m.priv_size = NS_PACKET_PRIV;
	b.m.data_len = (uint16_t)caplen;
	b.m.pkt_len = caplen;
	v.why = ns_decode(d, &b.m, &v.notes);
	v.p = *p;
	free(copy);
	return v;
}

static inline struct ns_test_view ns_test_decode(
	const struct ns_decoder *d, uint16_t linktype, const uint8_t *octets, uint32_t len)
{
	return ns_test_decode_cut(d, linktype, octets, len, len);
}

/* How often the note of that name was counted. */
static inline uint64_t ns_test_note(const struct ns_test_view *v, const char *name)
{
	const struct ns_counter *c = ns_counter_find(name);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return v->notes.v[c->id];
}

/* True when the endpoints are those octets (4 or 16), b the packet's source. */
static inline bool ns_test_addrs(const struct ns_packet *p, const uint8_t *a, const uint8_t *b)
{
	static const uint8_t zero[12];
	size_t n = p->tuple.ver == 4 ? 4 : 16;

	return memcmp(p->tuple.a, a, n) == 0 && memcmp(p->tuple.b, b, n) == 0 &&
	       memcmp(p->tuple.a + n, zero, 16 - n) == 0 &&
	       memcmp(p->tuple.b + n, zero, 16 - n) == 0 && (p->flags & NS_PKT_SWAPPED) != 0;
}

static inline bool ns_test_is_outer(const struct ns_packet *p)
{
	static const uint8_t a4[] = {A4_DST}, b4[] = {A4_SRC}, a6[] = {A6_DST}, b6[] = {A6_SRC};

	return (p->flags & NS_PKT_IP) != 0 && p->depth == 0 && (p->flags & NS_PKT_TUNNEL) == 0 &&
	       p->tuple.tunnel == 0 && p->tuple.tunnel_id == 0 &&
	       (p->tuple.ver == 4 ? ns_test_addrs(p, a4, b4) : ns_test_addrs(p, a6, b6));
}

/* The flow of INNER4 or INNER6, @p depth IP headers down. */
static inline bool ns_test_is_inner(const struct ns_packet *p, uint8_t depth)
{
	static const uint8_t a4[] = {I4_DST}, b4[] = {I4_SRC}, a6[] = {I6_DST}, b6[] = {I6_SRC};

	return (p->flags & NS_PKT_IP) != 0 && p->depth == depth &&
	       (p->tuple.ver == 4 ? ns_test_addrs(p, a4, b4) : ns_test_addrs(p, a6, b6)) &&
	       p->ip_octets == (p->tuple.ver == 4 ? INNER4_LEN : INNER6_LEN);
}

static inline bool ns_test_has_inner_ports(const struct ns_packet *p)
{
	return (p->flags & NS_PKT_PORTS) != 0 && p->tuple.proto == 17 && p->sport == 1000 &&
	       p->dport == 2000 && p->tuple.pa == __builtin_bswap16(2000) &&
	       p->tuple.pb == __builtin_bswap16(1000) && p->l4_len == 4;
}

/*
 * A frame that ends with INNER4 or INNER6 behind one tunnel header of the plug-in @p name: the
 * inner flow when it is whole, the inner or the outer flow or the drop "truncated" when it is cut
 * at any length, the outer flow and a note when tunnels are not to be opened.
 */
static inline void ns_test_tunnel(
	const char *name, const uint8_t *frame, uint32_t len, uint32_t id, bool directional)
{
	struct ns_decoder *d = ns_test_decoder(1, false);
	struct ns_test_view v = ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, len);

	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT(ns_test_is_inner(&v.p, 1));
	CU_ASSERT(ns_test_has_inner_ports(&v.p));
	CU_ASSERT((v.p.flags & NS_PKT_TUNNEL) != 0);
	CU_ASSERT_STRING_EQUAL(ns_decoder_tunnel_name(v.p.tuple.tunnel), name);
	CU_ASSERT_EQUAL(v.p.tunnel_id, id);
	CU_ASSERT_EQUAL(v.p.tuple.tunnel_id, directional ? 0 : id);
	CU_ASSERT_EQUAL(v.p.outer_l3_off, 14);
	CU_ASSERT_EQUAL(v.p.hash, ns_tuple_hash(&v.p.tuple));
	CU_ASSERT_EQUAL(v.p.payload_off, len - 4);
	CU_ASSERT_EQUAL(v.p.payload_len, 4);
	CU_ASSERT_EQUAL(ns_test_note(&v, "tunnel_undecoded"), 0);

	uint32_t before = (uint32_t)v.p.l3_off + (v.p.tuple.ver == 4 ? 20 : 40);

	for (uint32_t cut = 0; cut < len; cut++) {
		v = ns_test_decode_cut(d, NS_LINKTYPE_ETHERNET, frame, cut, len);
		if (v.why != NULL) {
			CU_ASSERT_PTR_EQUAL(v.why, &ns_drop_truncated);
			CU_ASSERT((v.p.flags & NS_PKT_IP) == 0);
		} else if (cut >= before) {
			CU_ASSERT(ns_test_is_inner(&v.p, 1));
		} else {
			CU_ASSERT(ns_test_is_outer(&v.p));
			CU_ASSERT_EQUAL(
				ns_test_note(&v, "tunnel_undecoded") + ns_test_note(&v, "cut_l4"),
				1);
		}
	}
	ns_decoder_destroy(d);

	d = ns_test_decoder(0, false);
	v = ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, len);
	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT(ns_test_is_outer(&v.p));
	CU_ASSERT_EQUAL(ns_test_note(&v, "nesting_limit"), 1);
	ns_decoder_destroy(d);
}

/* A frame on the tunnel's port or protocol that is none, or carries nothing: the outer flow. */
static inline void ns_test_no_tunnel(const uint8_t *frame, uint32_t len, uint64_t undecoded)
{
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_view v = ns_test_decode(d, NS_LINKTYPE_ETHERNET, frame, len);

	CU_ASSERT_PTR_NULL(v.why);
	CU_ASSERT(ns_test_is_outer(&v.p));
	CU_ASSERT_EQUAL(ns_test_note(&v, "tunnel_undecoded"), undecoded);
	ns_decoder_destroy(d);
}

#define NS_TEST_TUNNEL(name, frame, id, directional) \
	ns_test_tunnel(name, frame, sizeof(frame), id, directional)
#define NS_TEST_NO_TUNNEL(frame, undecoded) ns_test_no_tunnel(frame, sizeof(frame), undecoded)
