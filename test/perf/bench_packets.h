/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Packets as decode leaves them, made from the number of a flow: as gen-capture udp64 makes them,
 * four flows a source, 4096 destinations, 512 services.
 */

#include "gen.h"

#include <ns_decode.h>
#include <ns_packet.h>

#include <stdlib.h>
#include <string.h>

static inline void bench_fill(struct rte_mbuf *m, uint32_t flow, uint64_t clock_ns)
{
	struct ns_packet *p = ns_packet(m);
	uint64_t luck = gen_mix(flow);
	uint32_t host = __builtin_bswap32(0x0a000000 | (flow / 4 * 0x9e3779u & 0xffffff));
	uint32_t dst = __builtin_bswap32(0xc0a80000 | (uint32_t)(luck & 0xfff));

	p->sport = (uint16_t)(60000 + (luck >> 12 & 0x3fff) % 1000 * 4 + flow % 4);
	p->dport = (uint16_t)(65000 + (luck >> 32 & 0x1ff));
	p->flags = NS_PKT_DECODED | NS_PKT_IP | NS_PKT_PORTS;
	p->clock_ns = p->ts_ns = clock_ns;
	p->wirelen = p->caplen = 60;
	p->ip_octets = 46;
	memset(&p->tuple, 0, sizeof(p->tuple));
	/* 10/8 is below 192.168/16: the source is endpoint a */
	memcpy(p->tuple.a, &host, 4);
	memcpy(p->tuple.b, &dst, 4);
	p->tuple.pa = __builtin_bswap16(p->sport);
	p->tuple.pb = __builtin_bswap16(p->dport);
	p->tuple.proto = 17;
	p->tuple.ver = 4;
	p->hash = ns_tuple_hash(&p->tuple);
}

/* NULL when there is no memory; free() it. */
static inline struct rte_mbuf *bench_packet(void)
{
	return calloc(1, sizeof(struct rte_mbuf) + NS_PACKET_PRIV + 64);
}
