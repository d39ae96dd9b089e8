/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * For the tests of this folder: builds captures in memory, gives them to the source as files that
 * have no name on disk, and reads them back with every octet checked.
 *
 * Packet number i of a test is filled with a pattern of i, so that an mbuf that points to the wrong
 * place, or whose block was filled again too early, is found out.
 */

#include "ns_test.h"
#include "ns_test_eal.h"
#include "pcap_priv.h"

#include <rte_mbuf.h>

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct cap {
	uint8_t b[1 << 20];
	size_t n;
	bool be; /* written in big-endian order */
};

static inline void cap_init(struct cap *c, bool be)
{
	c->n = 0;
	c->be = be;
}

static inline void put(struct cap *c, uint64_t v, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		c->b[c->n + i] = (uint8_t)(v >> 8 * (c->be ? octets - 1 - i : i));
	c->n += octets;
}

static inline uint8_t pattern(unsigned id, size_t at)
{
	return (uint8_t)(at == 0 ? id : id * 31 + at * 7);
}

static inline void put_packet(struct cap *c, unsigned id, size_t len)
{
	for (size_t i = 0; i < len; i++)
		c->b[c->n++] = pattern(id, i);
}

static inline void pcap_head(struct cap *c, uint32_t magic, unsigned major, unsigned minor,
	uint32_t snaplen, uint32_t link)
{
	put(c, magic, 4);
	put(c, major, 2);
	put(c, minor, 2);
	put(c, 0, 8);
	put(c, snaplen, 4);
	put(c, link, 4);
}

/* A record with @p extra octets behind the usual header. */
static inline void pcap_record(struct cap *c, unsigned id, uint32_t sec, uint32_t frac,
	uint32_t caplen, uint32_t len, unsigned extra)
{
	put(c, sec, 4);
	put(c, frac, 4);
	put(c, caplen, 4);
	put(c, len, 4);
	for (unsigned i = 0; i < extra; i++)
		put(c, 0xe0 + i, 1);
	put_packet(c, id, caplen);
}

/* Blocks of pcapng: begin returns where the block begins, end pads it and writes both lengths. */
static inline size_t ng_begin(struct cap *c, uint32_t type)
{
	size_t at = c->n;

	put(c, type, 4);
	put(c, 0, 4);
	return at;
}

static inline void ng_end(struct cap *c, size_t at)
{
	size_t end;

	while (c->n % 4 != 0)
		put(c, 0, 1);
	end = c->n;
	c->n = at + 4;
	put(c, end + 4 - at, 4);
	c->n = end;
	put(c, end + 4 - at, 4);
}

static inline void ng_section(struct cap *c, bool be, unsigned minor)
{
	size_t at;

	c->be = be;
	at = ng_begin(c, 0x0a0d0d0a);
	put(c, 0x1a2b3c4d, 4);
	put(c, 1, 2);
	put(c, minor, 2);
	put(c, UINT64_MAX, 8);
	ng_end(c, at);
}

/* tsresol < 0: none; offset 0: none. */
static inline void ng_interface(
	struct cap *c, unsigned link, uint32_t snaplen, int tsresol, int64_t offset)
{
	size_t at = ng_begin(c, 1);

	put(c, link, 2);
	put(c, 0, 2);
	put(c, snaplen, 4);
	put(c, 2, 2); /* if_name */
	put(c, 5, 2);
	put_packet(c, 1, 8);
	if (tsresol >= 0) {
		put(c, 9, 2);
		put(c, 1, 2);
		put(c, (unsigned)tsresol, 1);
		c->n += 3;
	}
	if (offset != 0) {
		put(c, 14, 2);
		put(c, 8, 2);
		put(c, (uint64_t)offset, 8);
	}
	put(c, 0, 4);
	ng_end(c, at);
}

static inline void ng_enhanced(
	struct cap *c, unsigned id, uint32_t iface, uint64_t ts, uint32_t caplen, uint32_t len)
{
	size_t at = ng_begin(c, 6);

	put(c, iface, 4);
	put(c, ts >> 32, 4);
	put(c, ts & UINT32_MAX, 4);
	put(c, caplen, 4);
	put(c, len, 4);
	put_packet(c, id, caplen);
	ng_end(c, at);
}

/* A file without a name; path() of it can be opened. */
static inline int cap_fd(const void *octets, size_t n)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	if (fd < 0 || write(fd, octets, n) != (ssize_t)n)
		abort();
	return fd;
}

struct got_packet {
	uint64_t ts_ns;
	uint64_t clock_ns;
	uint32_t wirelen;
	uint32_t caplen;
	uint16_t linktype;
	uint16_t port;
	uint32_t id; /* as wide as it must be to leave no padding: packets are compared by memcmp */
};

struct got {
	bool opened;
	unsigned n;
	struct got_packet p[4096];
	enum ns_source_status status;
	struct ns_source_stats stats;
	char message[8192];
	struct ns_err err;
};

/* How a capture is read; the result must not depend on it. */
struct how {
	size_t block;
	uint16_t burst;
	bool hold;
	unsigned stubborn; /* passed() says no this often before anything moves */
	bool blocks; /* no mapping, however large the file is */
};

#define FLIGHT 96
static struct {
	struct rte_mbuf *m[FLIGHT]; /* given out, not yet released */
	uint64_t first, last; /* sequence numbers of them */
	uint64_t mark[NS_SOURCE_SLOTS];
	bool set[NS_SOURCE_SLOTS];
	bool bad; /* the contract was broken */
	unsigned stubborn;
	struct ns_source *s;
	const struct ns_source_ops *ops;
} flight;
static bool any_octets; /* packets have no pattern */

static inline const struct ns_source_ops *pcap_ops(void)
{
	struct ns_err e;
	const struct ns_plugin *p;

	ns_test_eal();
	if (ns_registry_seal(&e) < 0)
		abort();
	p = ns_plugin_find(NS_SOURCE_KIND, "pcap");
	if (p == NULL)
		abort();
	return p->ops;
}

static inline struct rte_mempool *pool(void)
{
	static struct rte_mempool *mp;

	ns_test_eal();
	if (mp == NULL)
		mp = rte_pktmbuf_pool_create("pool", 511, 0, NS_PACKET_PRIV, 128, 0);
	return mp;
}

static inline void flight_land(void)
{
	struct rte_mbuf *m = flight.m[flight.first++ % FLIGHT];
	const struct ns_packet *p = ns_packet(m);
	const uint8_t *d = ns_packet_data(m);

	if (m->data_len != p->caplen || m->pkt_len != p->caplen || m->nb_segs != 1 ||
		m->next != NULL || rte_mbuf_refcnt_read(m) != 1 || m->ol_flags != 0 ||
		p->flags != 0)
		flight.bad = true;
	for (uint32_t i = 0; i < p->caplen && !any_octets; i++)
		if (d[i] != pattern(d[0], i))
			flight.bad = true;
	flight.ops->release(flight.s, &m, 1);
}

/* What any other user of the pool may count on: mbufs that are their own. */
static inline void whole(struct rte_mempool *mp, void *ctx, void *obj, unsigned i)
{
	struct rte_mbuf *m = obj;

	if (m->buf_addr != rte_mbuf_buf_addr(m, mp) || m->buf_len != 128 ||
		m->data_off != NS_MIN(RTE_PKTMBUF_HEADROOM, 128) || rte_mbuf_refcnt_read(m) != 1 ||
		m->nb_segs != 1 || m->next != NULL)
		*(bool *)ctx = false;
}

static inline bool pool_is_whole(void)
{
	bool all = rte_mempool_avail_count(pool()) == 511;

	rte_mempool_obj_iter(pool(), whole, &all);
	return all;
}

static inline void hold_mark(void *ctx, unsigned slot)
{
	if (slot >= NS_SOURCE_SLOTS || flight.set[slot])
		flight.bad = true;
	flight.set[slot] = true;
	flight.mark[slot] = flight.last;
}

static inline bool hold_passed(void *ctx, unsigned slot)
{
	if (slot >= NS_SOURCE_SLOTS || !flight.set[slot])
		flight.bad = true;
	if (flight.stubborn > 0) {
		flight.stubborn--;
		return false;
	}
	if (flight.first < flight.last && flight.first < flight.mark[slot])
		flight_land();
	if (flight.first < flight.mark[slot])
		return false;
	flight.set[slot] = false;
	return true;
}

/* Reads @p n targets once. */
static inline void read_paths(struct got *g, const char *const *paths, unsigned n,
	const char *filter, const struct how *how)
{
	struct ns_source_args a = {
		.targets = paths, .targets_n = n, .filter = filter, .pool = pool(), .queues = 1};
	const struct ns_source_ops *ops = pcap_ops();
	size_t usual = ns_pcap_block_octets;
	unsigned idle = 0;
	struct ns_source *s;

	memset(g, 0, sizeof(*g));
	memset(&flight, 0, sizeof(flight));
	flight.stubborn = how->stubborn;
	if (how->hold)
		a.hold = (struct ns_source_hold){.mark = hold_mark, .passed = hold_passed};
	if (how->block != 0)
		ns_pcap_block_octets = how->block;
	ns_pcap_mapping = !how->blocks;
	s = ops->open(&a, &g->err);
	g->opened = s != NULL;
	flight.s = s;
	flight.ops = ops;
	while (s != NULL) {
		struct rte_mbuf *m[256];
		uint16_t room = how->hold ? (uint16_t)NS_MIN((uint64_t)how->burst,
						    FLIGHT - (flight.last - flight.first))
					  : NS_MIN(how->burst, FLIGHT);
		uint16_t k;

		if (room == 0) {
			flight_land();
			continue;
		}
		k = ops->burst(s, 0, m, room);
		if (k == 0 && ops->status(s) != NS_SOURCE_MORE)
			break;
		if (k == 0 && ++idle > 100000) {
			CU_FAIL("the source makes no progress");
			break;
		}
		for (uint16_t i = 0; i < k; i++) {
			const struct ns_packet *p = ns_packet(m[i]);

			if (g->n < NS_ARRAY_LEN(g->p))
				g->p[g->n] = (struct got_packet){.ts_ns = p->ts_ns,
					.clock_ns = p->clock_ns,
					.wirelen = p->wirelen,
					.caplen = p->caplen,
					.linktype = p->linktype,
					.port = p->port,
					.id = p->caplen > 0 ? *ns_packet_data(m[i]) : 0};
			g->n++;
			flight.m[flight.last++ % FLIGHT] = m[i];
		}
		/* Without a hold all of a burst is done before the next one. */
		while (!how->hold && flight.first < flight.last)
			flight_land();
	}
	while (flight.first < flight.last)
		flight_land();
	if (s != NULL) {
		g->status = ops->status(s);
		ops->stats(s, &g->stats);
		snprintf(g->message, sizeof(g->message), "%s", ops->message(s));
		ops->close(s);
		CU_ASSERT_EQUAL(g->stats.packets, g->n + g->stats.filtered);
	}
	CU_ASSERT_FALSE(flight.bad);
	CU_ASSERT_TRUE(pool_is_whole());
	ns_pcap_block_octets = usual;
	ns_pcap_mapping = true;
}

/* Reads files in many ways, which all must give the same. */
static inline void read_fds(struct got *g, const int *fds, unsigned n, const char *filter)
{
	static const struct how hows[] = {
		{.block = 0, .burst = 32, .hold = false},
		{.block = 0, .burst = 1, .hold = true},
		{.block = 64, .burst = 7, .hold = false},
		{.block = 64, .burst = 32, .hold = true},
		{.block = 64, .burst = 7, .hold = false, .blocks = true},
		{.block = 64, .burst = 32, .hold = true, .blocks = true},
		{.block = 1000, .burst = 256, .hold = true, .stubborn = 10000},
		{.block = 1000, .burst = 256, .hold = true, .stubborn = 10000, .blocks = true},
		{.block = 333, .burst = 256, .hold = false, .blocks = true},
	};
	static struct got other;
	const char *paths[256];
	char names[256][32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "/proc/self/fd/%d", fds[i]);
		paths[i] = names[i];
	}
	read_paths(g, paths, n, filter, &hows[0]);
	for (size_t i = 1; i < NS_ARRAY_LEN(hows); i++) {
		read_paths(&other, paths, n, filter, &hows[i]);
		CU_ASSERT_EQUAL(other.opened, g->opened);
		CU_ASSERT_EQUAL(other.n, g->n);
		CU_ASSERT_EQUAL(memcmp(other.p, g->p, sizeof(g->p)), 0);
		CU_ASSERT_EQUAL(other.status, g->status);
		CU_ASSERT_STRING_EQUAL(other.message, g->message);
		CU_ASSERT_STRING_EQUAL(other.err.text, g->err.text);
		/* What was read behind the damage depends on the size of blocks. */
		if (g->status == NS_SOURCE_DAMAGED)
			other.stats.bytes_read = g->stats.bytes_read;
		CU_ASSERT_EQUAL(memcmp(&other.stats, &g->stats, sizeof(g->stats)), 0);
	}
}

static inline void read_octets(struct got *g, const void *octets, size_t n, const char *filter)
{
	int fd = cap_fd(octets, n);

	read_fds(g, &fd, 1, filter);
	close(fd);
}

static inline void read_cap(struct got *g, const struct cap *c)
{
	read_octets(g, c->b, c->n, NULL);
}
