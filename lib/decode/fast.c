/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way for what nearly all packets are, and the burst. Whatever is not of this shape, down
 * to the last octet of its headers, goes the walk's way (decode.c); the two give the same view.
 *
 *   Ethernet [VLAN [VLAN]] IPv4 without options, no fragment  UDP
 *                          IPv6 without extension headers     TCP
 *
 * Tuple, hash and fields are made in registers and stored as whole words: a load that is wider than
 * the store before it waits until that store has left the core (about 10 cycles each), and a hash
 * over a tuple put together octet by octet does that for each of its words. Versions and protocols
 * have a copy of the code each, so that lengths and offsets are constants in it; the direction,
 * which has no pattern, is a mask and no branch.
 */
#include "decode_priv.h"

#include <ns_decode.h>

#include <rte_prefetch.h>

#include <endian.h>

#define AHEAD 6 /* packets; 4 to 12 are the same where memory is cold */
#define FLAGS_KEPT (NS_PKT_RSS | NS_PKT_COPY)

/* The words below are put together as a little-endian machine stores them. */
#define AT(field, word, shift) \
	_Static_assert(offsetof(struct ns_packet, field) == (word) + (shift) / 8, #field)
AT(flags, 28, 0);
AT(l3_off, 28, 16);
AT(l4_off, 32, 0);
AT(payload_off, 32, 16);
AT(payload_len, 32, 32);
AT(ethertype, 32, 48);
AT(ip_octets, 40, 0);
AT(hash, 40, 32);
AT(sport, 48, 0);
AT(dport, 48, 16);
AT(ttl, 48, 32);
AT(tos, 48, 40);
AT(tcp_flags, 48, 48);
AT(flow, 48, 56);
AT(flow_dport, 56, 0);
AT(l4_len, 56, 16);
AT(epoch, 56, 32);
AT(tuple, 64, 0);
AT(tuple.a, 64, 0);
AT(tuple.b, 80, 0);
AT(tuple.pa, 96, 0);
AT(tuple.pb, 96, 16);
AT(tuple.proto, 96, 32);
AT(tuple.ver, 96, 40);
AT(tuple.vlan[0], 96, 48);
AT(tuple.vlan[1], 104, 0);
AT(tuple.tunnel, 104, 16);
AT(tuple.tunnel_id, 104, 32);
AT(tcp_seq, 112, 0);
AT(tcp_ack, 112, 32);
AT(tcp_window, 120, 0);
AT(icmp_type, 120, 16);
AT(depth, 120, 32);

static inline uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * Volatile, because a compiler that sees two words in general registers stored side by side moves
 * both into a vector register first, which costs more than the store that it saves.
 */
typedef volatile uint64_t __attribute__((may_alias)) word64;
typedef volatile uint32_t __attribute__((may_alias)) word32;
typedef volatile uint16_t __attribute__((may_alias)) word16;

static inline void store16(struct ns_packet *p, size_t at, uint16_t v)
{
	*(word16 *)((uint8_t *)p + at) = v;
}

static inline void store32(struct ns_packet *p, size_t at, uint32_t v)
{
	*(word32 *)((uint8_t *)p + at) = v;
}

static inline void store64(struct ns_packet *p, size_t at, uint64_t v)
{
	*(word64 *)((uint8_t *)p + at) = v;
}

/* What the layers below L4 say; nearly all of it constants where it is used. */
struct below {
	const uint8_t *l3;
	uint32_t l3_off, l4_off;
	uint32_t ver, proto;
	uint32_t ip_octets;
	uint32_t ethertype;
	uint32_t vlan; /* vlan[0] in the lower half, vlan[1] above */
	/* addresses as they stand in memory; of IPv4 in the lower half of *0 */
	uint64_t src0, src1, dst0, dst1;
};

/* All ones when the packet's source is endpoint b: the lower address first, then the lower port. */
static inline uint64_t turn_mask(const struct below *b, uint32_t ports)
{
	bool swapped;

	if (b->ver == 4) {
		uint32_t s = __builtin_bswap32((uint32_t)b->src0);
		uint32_t t = __builtin_bswap32((uint32_t)b->dst0);

		swapped = s > t;
		if (ns_unlikely(s == t))
			swapped = ports >> 16 > (ports & 0xffff);
	} else {
		unsigned __int128 s = (unsigned __int128)__builtin_bswap64(b->src0) << 64 |
				      __builtin_bswap64(b->src1);
		unsigned __int128 t = (unsigned __int128)__builtin_bswap64(b->dst0) << 64 |
				      __builtin_bswap64(b->dst1);

		swapped = s > t;
		if (ns_unlikely(b->src1 == b->dst1) && b->src0 == b->dst0)
			swapped = ports >> 16 > (ports & 0xffff);
	}
	return -(uint64_t)swapped;
}

/* The flow's key: tuple and hash. Returns the flags that it makes. */
static inline __attribute__((always_inline)) uint32_t key(
	struct ns_packet *p, const struct below *b, uint32_t raw, uint32_t ports)
{
	uint64_t turn = turn_mask(b, ports);
	uint64_t x0 = (b->src0 ^ b->dst0) & turn, x1 = (b->src1 ^ b->dst1) & turn;
	uint32_t xp = (raw ^ (raw << 16 | raw >> 16)) & (uint32_t)turn;
	const uint64_t w[6] = {b->src0 ^ x0, b->src1 ^ x1, b->dst0 ^ x0, b->dst1 ^ x1,
		(raw ^ xp) | (uint64_t)(b->proto | b->ver << 8 | b->vlan << 16) << 32,
		b->vlan >> 16};

	for (unsigned i = 0; i < 6; i++)
		store64(p, 64 + i * 8, w[i]);
	store32(p, 44, b->ver == 4 ? ns_tuple_hash_narrow(w) : ns_tuple_hash_words(w));
	return NS_PKT_DECODED | NS_PKT_IP | NS_PKT_PORTS | ((uint32_t)turn & NS_PKT_SWAPPED);
}

/* What both L4 protocols have. len: where the payload ends, in captured octets. */
static inline __attribute__((always_inline)) void common(struct ns_packet *p, const struct below *b,
	uint32_t flags, uint32_t ports, uint32_t payload_off, uint32_t len, uint32_t l4_len)
{
	store32(p, 28, ((p->flags & FLAGS_KEPT) | flags) | b->l3_off << 16);
	store32(p, 32, b->l4_off | payload_off << 16);
	store32(p, 36, (len - payload_off) | b->ethertype << 16);
	store32(p, 40, b->ip_octets);
	store32(p, 48, ports << 16 | ports >> 16);
	p->ttl = b->l3[b->ver == 4 ? 8 : 7];
	p->tos = b->ver == 4 ? b->l3[1] : (uint8_t)(b->l3[0] << 4 | b->l3[1] >> 4);
	store64(p, 56, l4_len << 16);
}

/* As udp() in l4.c: the UDP length may be less than the IP payload. */
static inline __attribute__((always_inline)) bool fast_udp(const struct ns_decoder *d,
	struct ns_packet *p, const struct below *b, const uint8_t *h, uint32_t len)
{
	if (ns_unlikely(b->l4_off + 8 > len))
		return false;
	uint32_t raw = load32(h), ports = __builtin_bswap32(raw);
	uint32_t sport = ports >> 16, dport = ports & 0xffff;

	if (ns_unlikely((d->port_filter[sport % PORT_FILTER] |
				d->port_filter[dport % PORT_FILTER]) != 0) &&
		(d->by_port_class[sport] | d->by_port_class[dport]) != 0)
		return false;
	uint32_t said = be16(h + 4);

	if (ns_likely(said >= 8))
		len = NS_MIN(len, b->l4_off + said);
	common(p, b, key(p, b, raw, ports), ports, b->l4_off + 8, len,
		b->ip_octets - (b->l4_off - b->l3_off) - 8);
	store16(p, 54, 0); /* tcp_flags, flow */
	store64(p, 112, 0);
	store64(p, 120, 0);
	return true;
}

static inline __attribute__((always_inline)) bool fast_tcp(
	struct ns_packet *p, const struct below *b, const uint8_t *h, uint32_t len)
{
	if (ns_unlikely(b->l4_off + 20 > len))
		return false;
	uint32_t raw = load32(h), ports = __builtin_bswap32(raw);
	uint32_t words = (uint32_t)(h[12] >> 4) * 4, size = NS_MAX(words, 20u);
	uint32_t behind = b->ip_octets - (b->l4_off - b->l3_off);

	common(p, b, key(p, b, raw, ports) | NS_PKT_TCP, ports, NS_MIN(b->l4_off + size, len), len,
		behind - NS_MIN(size, behind));
	store16(p, 54, h[13]);
	store32(p, 112, __builtin_bswap32(load32(h + 4)));
	store32(p, 116, __builtin_bswap32(load32(h + 8)));
	store64(p, 120, be16(h + 14));
	return true;
}

static inline __attribute__((always_inline)) bool l4(
	const struct ns_decoder *d, struct ns_packet *p, struct below *b, uint32_t proto)
{
	uint32_t len = NS_MIN(p->caplen, b->l3_off + b->ip_octets);
	const uint8_t *h = b->l3 + (b->l4_off - b->l3_off);

	/* two copies of what follows, each with its constants */
	if (proto == UDP) {
		b->proto = UDP;
		return fast_udp(d, p, b, h, len);
	}
	b->proto = TCP;
	return proto == TCP && fast_tcp(p, b, h, len);
}

static inline __attribute__((always_inline)) bool ipv4(const struct ns_decoder *d,
	const uint8_t *data, struct ns_packet *p, uint32_t l3_off, uint32_t vlan)
{
	const uint8_t *h = data + l3_off;

	/* version 4, 5 words; neither an offset nor more fragments */
	if (ns_unlikely((load64(h) & htole64(UINT64_C(0xff3f0000000000ff))) != htole64(0x45)))
		return false;
	struct below b = {.l3 = h,
		.l3_off = l3_off,
		.l4_off = l3_off + 20,
		.ver = 4,
		.ip_octets = be16(h + 2),
		.ethertype = ETHERTYPE_IPV4,
		.vlan = vlan,
		.src0 = load32(h + 12),
		.dst0 = load32(h + 16)};

	return l4(d, p, &b, h[9]);
}

static inline __attribute__((always_inline)) bool ipv6(const struct ns_decoder *d,
	const uint8_t *data, struct ns_packet *p, uint32_t l3_off, uint32_t vlan)
{
	const uint8_t *h = data + l3_off;

	if (ns_unlikely(p->caplen < l3_off + 40) || ns_unlikely(h[0] >> 4 != 6))
		return false;
	struct below b = {.l3 = h,
		.l3_off = l3_off,
		.l4_off = l3_off + 40,
		.ver = 6,
		.ip_octets = 40u + be16(h + 4),
		.ethertype = ETHERTYPE_IPV6,
		.vlan = vlan,
		.src0 = load64(h + 8),
		.src1 = load64(h + 16),
		.dst0 = load64(h + 24),
		.dst1 = load64(h + 32)};

	return l4(d, p, &b, h[6]);
}

static inline bool is_vlan(uint16_t type)
{
	return type == htobe16(ETHERTYPE_VLAN) || type == htobe16(ETHERTYPE_QINQ) ||
	       type == htobe16(ETHERTYPE_QINQ_OLD);
}

static inline uint32_t vlan(const uint8_t *tag)
{
	return (be16(tag) & 0xfffu) + 1;
}

/* Fills the view and returns true, or touches nothing and returns false. */
static inline __attribute__((always_inline)) bool fast(
	const struct ns_decoder *d, const uint8_t *data, struct ns_packet *p)
{
	/* the first octets of an IP header behind two tags are always there behind this test */
	if (ns_unlikely(p->caplen < 14 + 20 + 8) || ns_unlikely(p->linktype != d->fast_linktype))
		return false;
	uint16_t type = load16(data + 12);

	if (ns_likely(type == htobe16(ETHERTYPE_IPV4)))
		return ipv4(d, data, p, 14, 0);
	if (ns_likely(type == htobe16(ETHERTYPE_IPV6)))
		return ipv6(d, data, p, 14, 0);
	if (!is_vlan(type))
		return false;
	uint32_t l3_off = 18, tags = vlan(data + 14);

	type = load16(data + 16);
	if (is_vlan(type)) {
		type = load16(data + 20);
		tags |= vlan(data + 18) << 16;
		l3_off = 22;
	}
	if (type == htobe16(ETHERTYPE_IPV4))
		return ipv4(d, data, p, l3_off, tags);
	return type == htobe16(ETHERTYPE_IPV6) && ipv6(d, data, p, l3_off, tags);
}

bool decode_fast(const struct ns_decoder *d, struct rte_mbuf *m)
{
	return fast(d, ns_packet_data(m), ns_packet(m));
}

const struct ns_counter *ns_decode(
	const struct ns_decoder *d, struct rte_mbuf *m, struct ns_counters *notes)
{
	return ns_likely(decode_fast(d, m)) ? NULL : decode_walk(d, m, notes);
}

static inline void fetch(const struct rte_mbuf *m)
{
	const uint8_t *view = (const uint8_t *)m + sizeof(*m);

	rte_prefetch0(ns_packet_data(m));
	__builtin_prefetch(view, 1);
	__builtin_prefetch(view + NS_CACHE_LINE, 1);
}

/* Moves the packets whose places in m are named (in rising order) behind the others. */
static uint16_t put_behind(
	struct rte_mbuf **m, uint16_t n, const uint16_t *places, uint16_t places_n)
{
	struct rte_mbuf *bad[NS_DECODE_BURST_MAX];
	uint16_t good = places[0], b = 0;

	for (uint16_t i = good; i < n; i++) {
		if (b < places_n && places[b] == i)
			bad[b++] = m[i];
		else
			m[good++] = m[i];
	}
	memcpy(m + good, bad, b * sizeof(*bad));
	return good;
}

uint16_t ns_decode_burst(
	const struct ns_decoder *d, struct rte_mbuf **m, uint16_t n, struct ns_counters *c)
{
	uint16_t bad[NS_DECODE_BURST_MAX], bad_n = 0;

	for (unsigned i = 0; i < NS_MIN(n, AHEAD); i++)
		fetch(m[i]);
	for (unsigned i = 0; i < n; i++) {
		if (i + AHEAD < n)
			fetch(m[i + AHEAD]);
		if (ns_likely(fast(d, ns_packet_data(m[i]), ns_packet(m[i]))))
			continue;
		const struct ns_counter *why = decode_walk(d, m[i], c);

		if (ns_unlikely(why != NULL)) {
			ns_count(c, why);
			bad[bad_n++] = (uint16_t)i;
		}
	}
	return ns_likely(bad_n == 0) ? n : put_behind(m, n, bad, bad_n);
}
