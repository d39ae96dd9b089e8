/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_H
#define GEN_H

/**
 * Deterministic captures: the same arguments give the same octets.
 *
 * A packet is built from the inside out in a buffer with room in front, the way a stack does it:
 * payload first, then each header is pushed before what is there. Lengths and checksums are thus
 * known when a header is written, however deep the tunnels nest.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- random numbers (gen_file.c) ---- */

/** State of the generator xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift
 * generators, scrambled"); seed it with gen_seed(). */
struct gen_rng {
	uint64_t state;
};

void gen_seed(struct gen_rng *rng, uint64_t seed);
uint64_t gen_next(struct gen_rng *rng);
/** Uniform in [0, n), n > 0. */
uint32_t gen_below(struct gen_rng *rng, uint32_t n);
/** A fixed mixing of 64 bits (the finalizer of MurmurHash3), for properties of flow number x. */
uint64_t gen_mix(uint64_t x);

/** Ranks drawn with probability proportional to 1 / (rank + 1) ^ alpha. */
struct gen_zipf {
	double *sum;
	uint32_t n;
};

/** Returns 0 or -ENOMEM; free with gen_zipf_free(). */
int gen_zipf_init(struct gen_zipf *z, uint32_t n, double alpha);
uint32_t gen_zipf_draw(const struct gen_zipf *z, struct gen_rng *rng);
void gen_zipf_free(struct gen_zipf *z);

/* ---- capture files (gen_file.c) ---- */

struct gen_out {
	FILE *file;
	const char *name;
	uint64_t time_us; /* of the next packet */
	uint32_t step_us; /* between packets */
};

/** Opens a pcap file in microseconds. Returns 0 or -errno, with a message on stderr. */
int gen_open(struct gen_out *out, const char *name, uint32_t linktype);
void gen_write(struct gen_out *out, const void *data, size_t len);
/** Returns 0 or -errno if anything could not be written, with a message on stderr. */
int gen_close(struct gen_out *out);

/* ---- packets (gen_packet.c) ---- */

#define GEN_BUFFER 16384
#define GEN_ROOM 1024 /* for headers */

struct gen_packet {
	size_t start;
	size_t end;
	uint16_t ip_id;
	uint16_t ip_flags; /* of IPv4, with the fragment offset */
	uint8_t ttl;
	uint8_t data[GEN_BUFFER];
};

/** An IP address, four octets or sixteen. */
struct gen_addr {
	uint8_t size;
	uint8_t octet[16];
};

struct gen_addr gen_ip4(uint32_t address);
/** 2001:db8:NET::HOST */
struct gen_addr gen_ip6(uint16_t net, uint32_t host);

enum { GEN_FIN = 1, GEN_SYN = 2, GEN_RST = 4, GEN_PSH = 8, GEN_ACK = 16 };

struct gen_tcp {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
};

static inline uint8_t *gen_at(struct gen_packet *p)
{
	return p->data + p->start;
}

static inline size_t gen_len(const struct gen_packet *p)
{
	return p->end - p->start;
}

static inline void gen_put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static inline void gen_put32(uint8_t *at, uint32_t v)
{
	gen_put16(at, (uint16_t)(v >> 16));
	gen_put16(at + 2, (uint16_t)v);
}

/** Starts a packet with a copy of @p n octets, or with plain text when @p payload is NULL. */
void gen_start(struct gen_packet *p, const void *payload, size_t n);
/** Room for a header of @p n zero octets before what is there. */
uint8_t *gen_push(struct gen_packet *p, size_t n);
/** Zeros after the frame up to @p least octets, as Ethernet pads. */
void gen_pad(struct gen_packet *p, size_t least);

void gen_udp(struct gen_packet *p, const struct gen_addr *src, const struct gen_addr *dst,
	uint16_t sport, uint16_t dport);
void gen_tcp(struct gen_packet *p, const struct gen_addr *src, const struct gen_addr *dst,
	const struct gen_tcp *tcp);
/** An echo message, ICMP or ICMPv6 by the size of the addresses. */
void gen_echo(struct gen_packet *p, const struct gen_addr *src, const struct gen_addr *dst,
	int reply, uint16_t id, uint16_t seq);
void gen_sctp(struct gen_packet *p, uint16_t sport, uint16_t dport);
/** IPv4 or IPv6 by the size of the addresses; IPv4 takes its id and both their TTL from @p p. */
void gen_ip(struct gen_packet *p, const struct gen_addr *src, const struct gen_addr *dst,
	uint8_t proto);
/** Tag control information and the type of what follows; the tag's own type comes before it. */
void gen_tag(struct gen_packet *p, uint16_t vid, uint16_t type);
void gen_ether(struct gen_packet *p, uint16_t type);
/** 0x0800 or 0x86dd. */
uint16_t gen_ether_type(const struct gen_addr *addr);

/* ---- workloads; each returns 0 or -errno ---- */

int gen_udp64(const char *name, uint32_t packets, uint32_t flows, double alpha, uint64_t seed);
int gen_imix(const char *name, uint32_t packets, uint32_t flows, uint64_t seed);
int gen_frags(const char *name);
int gen_tunnels(const char *name);
int gen_linktypes(const char *dir);

/* What imix sessions say (gen_payload.c): each returns the number of octets put in @p to. */
size_t gen_dns(uint8_t *to, uint32_t number, int response);
size_t gen_http(uint8_t *to, uint32_t number, int response);
size_t gen_tls_hello(uint8_t *to, uint32_t number, int server);

#endif
