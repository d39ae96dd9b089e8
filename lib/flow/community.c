/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Community ID v1: SHA-1 over seed, addresses, protocol and ports in canonical order, base64.
 * https://github.com/corelight/community-id-spec
 *
 * What is hashed takes 12 to 40 octets and so one block of SHA-1 (RFC 3174), and flows end in
 * crowds. Eight of them are computed side by side, one in each 32-bit lane of a vector:
 *
 *	           lane 0   1   2   3   4   5   6   7
 *	word  0  [  A0    B0  C0  D0  E0  F0  G0  H0 ]     A: seed, addresses, protocol, ports of
 *	word  1  [  A1    B1  ...                    ]        the first flow, and SHA-1's padding
 *	 ...                                               B: of the second
 *	word 15  [  A15   B15 ...                    ]
 *
 * Base64 is made in the lanes too: the 160 bits of a digest are seven groups of 24, a group
 * becomes four characters. Nothing here depends on a secret or is one: no library of cryptography
 *is asked, whose calls would cost more than the hashes, allocate and keep contexts.
 */
#include "community_priv.h"

#include <ns_flow.h>

#include <string.h>

#define LANES COMMUNITY_LANES
#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef community_lanes lanes;
typedef int8_t chars __attribute__((vector_size(sizeof(lanes))));

_Static_assert(
	__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first character is the lowest octet");

#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))

#define STEP(f, a, b, c, d, e)                          \
	do {                                            \
		e += ROL(a, 5) + f(b, c, d) + k + *w++; \
		b = ROL(b, 30);                         \
	} while (0)

/* Twenty steps; every five the letters are where they were. */
#define ROUND(f, constant)                                  \
	do {                                                \
		const lanes k = (constant) - (lanes){0};    \
                                                            \
		for (const lanes *end = w + 20; w < end;) { \
			STEP(f, a, b, c, d, e);             \
			STEP(f, e, a, b, c, d);             \
			STEP(f, d, e, a, b, c);             \
			STEP(f, c, d, e, a, b);             \
			STEP(f, b, c, d, e, a);             \
		}                                           \
	} while (0)

#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define PARITY(x, y, z) ((x) ^ (y) ^ (z))
#define MAJORITY(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))

ALWAYS_INLINE void digest(const lanes *block, lanes h[5])
{
	static const uint32_t start[5] = {
		0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	lanes words[80], *w = words;

	for (unsigned t = 0; t < 16; t++)
		words[t] = block[t];
	for (unsigned t = 16; t < 80; t++) {
		lanes x = words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16];

		words[t] = ROL(x, 1);
	}
	for (unsigned i = 0; i < 5; i++)
		h[i] = start[i] - (lanes){0};
	lanes a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	ROUND(CHOOSE, 0x5a827999);
	ROUND(PARITY, 0x6ed9eba1);
	ROUND(MAJORITY, 0x8f1bbcdc);
	ROUND(PARITY, 0xca62c1d6);
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/* Four characters from 24 bits, the first from the highest six. */
ALWAYS_INLINE void base64(const lanes *bits, lanes *text)
{
	lanes v = *bits;
	chars six = (chars)((v >> 18 & 63) | (v >> 4 & 63 << 8) | (v << 10 & 63 << 16) |
			    (v << 24 & 63 << 24));

	/* A-Z a-z 0-9 + /: each range begins so much above or below the one before */
	*text = (lanes)(six + 'A' + ((six > 25) & 6) - ((six > 51) & 75) - ((six > 61) & 15) +
			((six > 62) & 3));
}

ALWAYS_INLINE void ids(const union community_block *block, union community_text *text)
{
	lanes h[5];

	digest(block->v, h);
	const lanes groups[7] = {h[0] >> 8, h[0] << 16 | h[1] >> 16, h[1] << 8 | h[2] >> 24, h[2],
		h[3] >> 8, h[3] << 16 | h[4] >> 16, h[4] << 8};

	for (unsigned i = 0; i < NS_ARRAY_LEN(groups); i++)
		base64(&groups[i], &text->v[i]);
}

void community_plain(const union community_block *block, union community_text *text)
{
	ids(block, text);
}

static community_fn best = community_plain;

#ifdef __x86_64__
__attribute__((target("avx2"))) void community_avx2(
	const union community_block *block, union community_text *text)
{
	ids(block, text);
}

/* 256 bits still: what counts is that it can rotate, and compute any function of three at once. */
__attribute__((target("avx512f,avx512vl"))) void community_avx512(
	const union community_block *block, union community_text *text)
{
	ids(block, text);
}

__attribute__((constructor)) static void choose(void)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512vl"))
		best = community_avx512;
	else if (__builtin_cpu_supports("avx2"))
		best = community_avx2;
}
#endif

static inline uint32_t be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

/* Puts what identifies a flow into a lane that is all zero. */
static inline void put(union community_block *block, unsigned lane, uint8_t ver, const uint8_t *src,
	const uint8_t *dst, uint16_t sport, uint16_t dport, uint8_t proto, bool ports)
{
	uint32_t(*w)[LANES] = block->word;
	unsigned alen = ver == 4 ? 4 : 16, n = 0;
	int order =
		ver == 4 ? (be32(src) > be32(dst)) - (be32(src) < be32(dst)) : memcmp(src, dst, 16);
	bool swap = order > 0 || (order == 0 && ports && sport > dport);
	const uint8_t *from = swap ? dst : src, *to = swap ? src : dst;
	uint32_t pair = swap ? (uint32_t)dport << 16 | sport : (uint32_t)sport << 16 | dport;
	uint32_t before = 0; /* two octets of seed shift the addresses by half a word */

	for (unsigned i = 0; i < alen; i += 4, n++) {
		uint32_t x = be32(from + i);

		w[n][lane] = before << 16 | x >> 16;
		before = x;
	}
	for (unsigned i = 0; i < alen; i += 4, n++) {
		uint32_t x = be32(to + i);

		w[n][lane] = before << 16 | x >> 16;
		before = x;
	}
	w[n++][lane] = before << 16 | (uint32_t)proto << 8;
	if (ports)
		w[n++][lane] = pair;
	w[n][lane] = UINT32_C(1) << 31;
	w[15][lane] = 32 * n; /* bits */
}

static inline void get(char out[31], const union community_text *text, unsigned lane)
{
	out[0] = '1';
	out[1] = ':';
	for (unsigned i = 0; i < 7; i++)
		memcpy(out + 2 + 4 * (size_t)i, &text->quad[i][lane], 4);
	out[29] = '=';
	out[30] = '\0';
}

void ns_community_id(char out[31], uint8_t ver, const uint8_t *src, const uint8_t *dst,
	uint16_t sport, uint16_t dport, uint8_t proto, bool ports)
{
	union community_block block = {0};
	union community_text text;

	put(&block, 0, ver, src, dst, sport, dport, proto, ports);
	best(&block, &text);
	get(out, &text, 0);
}

/* Where an ID will stand, what it is made of waits: the ports of ICMP are nowhere else. */
struct later {
	uint8_t none; /* '\0': an empty text */
	bool ports;
	uint16_t sport, dport;
};

_Static_assert(sizeof(struct later) <= sizeof(((struct ns_flow_rec *)0)->community_id), "it fits");

void ns_community_id_later(char out[31], uint16_t sport, uint16_t dport, bool ports)
{
	struct later l = {.ports = ports, .sport = sport, .dport = dport};

	memcpy(out, &l, sizeof(l));
}

void ns_flow_record_ids(struct ns_flow_rec *r, uint32_t n)
{
	union community_text text;

	for (uint32_t i = 0; i < n; i += LANES, r += LANES) {
		unsigned some = NS_MIN(n - i, (uint32_t)LANES);
		union community_block block = {0};

		for (unsigned j = 0; j < some; j++) {
			struct later l;

			memcpy(&l, r[j].community_id, sizeof(l));
			put(&block, j, r[j].src.ver, r[j].src.addr, r[j].dst.addr, l.sport, l.dport,
				r[j].proto, l.ports);
		}
		best(&block, &text);
		for (unsigned j = 0; j < some; j++)
			get(r[j].community_id, &text, j);
	}
}
