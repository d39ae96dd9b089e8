/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The physical floor: the memory that any engine of this kind has to touch, touched with the same
 * prefetching, and next to nothing computed. Its parts are read one by one over a ring of packets
 * whose turn it is; their sum is the floor. In one loop they overlap, which is read too.
 */
#include "perf.h"

#include <ns_sketch.h>

#include <rte_mbuf.h>

#include <string.h>

#define HLL_REGISTERS (1u << 14)
#define CMS_LINES (1u << 14) /* of 64 octets: 1 MiB */

const char *const perf_part_names[PERF_PARTS] = {"rx, free", "key, hash", "line", "sketches"};

struct key {
	uint64_t a, b;
};

struct floor {
	uint8_t *lines; /* n lines */
	uint64_t n;
	uint8_t *hll;
	uint32_t *cms;
	uint64_t over; /* top-k: above the threshold */
};

/* Addresses and ports of Ethernet with IPv4 or IPv6, in canonical order. */
static inline struct key key_of(const uint8_t *p)
{
	uint64_t src, dst, proto;
	uint16_t sport, dport;

	if (ns_likely(p[12] == 0x08)) {
		uint32_t s, d;

		memcpy(&s, p + 26, 4);
		memcpy(&d, p + 30, 4);
		memcpy(&sport, p + 34, 2);
		memcpy(&dport, p + 36, 2);
		src = s, dst = d, proto = p[23];
	} else {
		uint64_t s[2], d[2];

		memcpy(s, p + 22, 16);
		memcpy(d, p + 38, 16);
		memcpy(&sport, p + 54, 2);
		memcpy(&dport, p + 56, 2);
		src = ns_hash_fold(s[0] ^ NS_HASH_P0, s[1] ^ NS_HASH_P1) & 0xffffffff;
		dst = ns_hash_fold(d[0] ^ NS_HASH_P0, d[1] ^ NS_HASH_P1) & 0xffffffff;
		proto = p[20];
	}
	src = src << 16 | sport;
	dst = dst << 16 | dport;
	uint64_t lo = NS_MIN(src, dst), hi = NS_MAX(src, dst);

	return (struct key){lo | hi << 48, hi >> 16 | proto << 32};
}

static inline void keys(struct rte_mbuf *const *m, struct key *k, uint64_t *hash)
{
	for (unsigned i = 0; i < PERF_BURST; i++) {
		k[i] = key_of(ns_packet_data(m[i]));
		hash[i] = ns_hash_words(&k[i], 2, 0);
	}
}

static inline uint64_t *line_of(const struct floor *f, uint64_t hash)
{
	return (uint64_t *)(f->lines + (size_t)((unsigned __int128)hash * f->n >> 64) * 64);
}

static inline void lines(const struct floor *f, const uint64_t *hash, uint64_t clock)
{
	uint64_t *at[PERF_BURST];

	for (unsigned i = 0; i < PERF_BURST; i++) {
		at[i] = line_of(f, hash[i]);
		__builtin_prefetch(at[i], 1);
	}
	for (unsigned i = 0; i < PERF_BURST; i++) {
		at[i][0] += 1;
		at[i][1] += 64;
		at[i][2] = clock;
		at[i][7] |= hash[i];
	}
}

static inline void sketches(struct floor *f, const uint64_t *hash)
{
	for (unsigned i = 0; i < PERF_BURST; i++) {
		uint64_t x = hash[i] * UINT64_C(0x9fb21c651e98df25);
		uint8_t rank = (uint8_t)(__builtin_clzll(x << 14 | 1u << 13) + 1);
		uint8_t *r = &f->hll[x >> 50];
		uint32_t *line = f->cms + (hash[i] >> 32 & (CMS_LINES - 1)) * 16,
			 least = UINT32_MAX;

		if (*r < rank)
			*r = rank;
		for (unsigned row = 0; row < 4; row++) {
			uint32_t *c = line + row * 4 + (hash[i] >> 2 * row & 3);

			*c += 1;
			least = NS_MIN(least, *c);
		}
		f->over += least == UINT32_MAX;
	}
}

/* A ring's round of packets, as arrays for the parts that need no packets. */
static void look_ahead(struct perf_lcore *l, uint64_t *hash)
{
	for (uint32_t at = 0; at < l->ring_n; at += PERF_BURST) {
		struct key k[PERF_BURST];

		keys(l->ring + at, k, hash + at);
	}
}

static uint64_t round_of(struct perf_lcore *l, struct perf_bed *b, struct floor *f, unsigned parts,
	const uint64_t *ahead)
{
	uint64_t begin = perf_ticks();

	for (uint32_t at = 0; at < l->ring_n; at += PERF_BURST) {
		struct rte_mbuf *own[PERF_BURST], **m = l->ring + at;
		struct key k[PERF_BURST];
		uint64_t h[PERF_BURST];
		const uint64_t *hash = h;

		if (parts & PERF_HAS(PERF_PART_RX)) {
			perf_rx(l, b, at, own, PERF_BURST);
			m = own;
		}
		if (parts & PERF_HAS(PERF_PART_KEY)) {
			keys(m, k, h);
			/* the key is wanted, not only its hash */
			__asm__ volatile("" : : "r"(k), "r"(h) : "memory");
		} else {
			hash = ahead + at;
		}
		if (parts & PERF_HAS(PERF_PART_LINE))
			lines(f, hash, b->clock_ns);
		if (parts & PERF_HAS(PERF_PART_SKETCH))
			sketches(f, hash);
		if (parts & PERF_HAS(PERF_PART_RX))
			rte_pktmbuf_free_bulk(m, PERF_BURST);
	}
	return perf_ticks() - begin;
}

static double cost(struct perf_lcore *l, struct perf_bed *b, enum perf_draw draw, struct floor *f,
	unsigned parts, uint64_t packets, uint64_t *ahead)
{
	uint64_t ticks = 0, seen = 0;

	for (uint64_t tried = 0; seen < packets && tried < PERF_TRIES * packets;
		tried += l->ring_n) {
		perf_fill(l, b, draw, NULL);
		look_ahead(l, ahead);
		perf_interrupted();
		uint64_t t = round_of(l, b, f, parts, ahead);

		l->rounds++;
		if (perf_interrupted()) {
			l->interrupted++;
			continue;
		}
		ticks += t;
		seen += l->ring_n;
	}
	return (double)ticks * l->tsc_ns / (double)NS_MAX(seen, 1);
}

void perf_floor(struct perf_lcore *l, struct perf_bed *b, enum perf_draw draw, uint64_t packets,
	struct perf_floor *out)
{
	size_t ahead_size = l->ring_n * sizeof(uint64_t);
	uint64_t *ahead = perf_alloc(ahead_size);
	struct floor f = {.n = b->flows};
	struct perf_pause pause;

	if (b->lines == NULL)
		b->lines = perf_alloc((size_t)b->flows * 64);
	f.lines = b->lines;
	perf_pause(b, &pause);
	f.hll = perf_alloc(HLL_REGISTERS);
	f.cms = perf_alloc((size_t)CMS_LINES * 64);
	out->sum = 0;
	for (unsigned i = 0; i < PERF_PARTS; i++) {
		out->part[i] = cost(l, b, draw, &f, PERF_HAS(i), packets, ahead);
		out->sum += out->part[i];
	}
	out->loop = cost(l, b, draw, &f, PERF_HAS(PERF_PARTS) - 1, packets, ahead);
	perf_resume(b, &pause);
	perf_free(f.hll, HLL_REGISTERS);
	perf_free(f.cms, (size_t)CMS_LINES * 64);
	perf_free(ahead, ahead_size);
}
