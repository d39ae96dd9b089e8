/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Inside the source "pcap". Three layers, each blind to the one above it:
 *
 *   stream      octets in (plain, gzip, zstd, standard input); large plain files are mapped (map.c)
 *   reader      one file: a window of whole records in a block, and the format that cuts it up into
 *               struct ns_pcap_rec; nothing is copied but the record that two blocks share
 *   source      filters, merges readers by time, puts mbufs around the records
 *
 * A reader's window, and what happens when the record at pos is not all there (a mapped file's just
 * becomes longer):
 *
 *   block k     | handed out ............ |pos: half a record|end
 *                                          '---- copied -----.
 *   block k+1                              |pos: half a record, then new octets ........|end
 *
 * All of it is run by the one lcore that calls burst() (open and close: the control thread, before
 * and after); only release() may run elsewhere, and it touches the pool alone. Into a mapping any
 * lcore's SIGBUS may write (map.c).
 */

#include "stream.h"

#include <ns_source.h>

#include <pcap/pcap.h>
#include <string.h>

#define NS_PCAP_QUEUE 64 /* records cut ahead per reader */
#define NS_PCAP_AHEAD 2048 /* octets prefetched ahead of the record that is cut */
#define NS_PCAP_CAPLEN_MAX 262144u /* of a record; what libpcap and Wireshark take for sane */
#define NS_PCAP_CAPLEN_HUGE                                                   \
	(128u << 20) /* for the link types that have such frames (USB, D-Bus) \
		      */
#define NS_PCAP_IFACES_MAX 65536u /* interfaces of one file */

/* The filter for one link type; see filter.c. */
struct ns_pcap_prog;

/* Where packets were captured: one per pcap file, one per interface block of pcapng. */
struct ns_pcap_iface {
	struct ns_pcap_prog *prog; /* NULL: no filter */
	uint16_t linktype;
	uint16_t port;
	bool numbered; /* port is final */
	uint32_t snaplen; /* 0: no limit */
	/* ns = units * mul / div; pow2: ns = units * 10^9 >> shift */
	uint64_t mul;
	uint64_t div;
	uint64_t units_max; /* units * mul does not overflow up to here */
	bool pow2;
	uint8_t shift;
	int64_t offset_s;
};

/* One packet, its octets still in the block. */
struct ns_pcap_rec {
	uint64_t ts_ns;
	const uint8_t *data;
	struct ns_pcap_iface *iface;
	uint32_t wirelen;
	uint32_t caplen;
};

enum ns_pcap_state {
	NS_PCAP_READY, /* parse() may find records in the window */
	NS_PCAP_STARVED, /* the record at pos needs `need` octets, the window has fewer */
	NS_PCAP_ENDED,
};

struct ns_pcap_reader;

struct ns_pcap_format {
	/*
	 * Cuts at most n records out of the window. Fewer than n: the state says why. Never moves
	 * what the window holds.
	 */
	unsigned (*parse)(struct ns_pcap_reader *r, struct ns_pcap_rec *recs, unsigned n);
	/*
	 * The same, straight into mbufs: for a reader without filter whose packets are given out in
	 * the order of the file. NULL: by parse().
	 */
	unsigned (*wrap)(struct ns_pcap_reader *r, struct rte_mbuf **m, unsigned n);
	/* Brings octets after NS_PCAP_STARVED: 0, -EAGAIN, or ends the reader. NULL: from the
	 * stream. */
	int (*refill)(struct ns_pcap_reader *r);
	void (*close)(struct ns_pcap_reader *r);
};

struct ns_pcap_block {
	uint8_t *base;
	size_t cap;
	bool marked; /* hold.mark() was called and passed() not yet seen */
};

/* A file in memory, drawn in map.c. Offsets are those of the file. */
struct ns_pcap_map {
	uint8_t *base; /* NULL: not mapped */
	size_t page;
	size_t size; /* of the file */
	size_t room; /* of the mapping, guard included */
	size_t end; /* made present so far */
	size_t dropped; /* given back so far */
	size_t window;
	size_t lag; /* is kept behind pos */
	size_t lost; /* atomic: zeros from here on; SIZE_MAX: none; writer: any lcore's signal */
	struct ns_pcap_map *next;
};

struct ns_pcap_pcap {
	uint32_t hdrlen; /* of a record: 16, or more in the modified variants */
	uint32_t caplen_max;
	uint32_t unit_ns; /* of the fraction of a second: 1000 or 1 */
	bool swapped;
	int8_t lens_swapped; /* caplen and len stand in the other order: 0 no, 1 yes, -1 when it
				shows */
};

struct ns_pcap_ng {
	bool swapped; /* of the section being read */
	uint32_t first; /* index in ifaces of the section's first interface */
	uint64_t last_ts; /* what simple packets, which carry no time, are given */
};

struct ns_pcap_reader {
	const uint8_t *pos; /* window */
	const uint8_t *end;
	const uint8_t
		*ahead; /* mapped: asked for by prefetch so far; otherwise behind any address */
	size_t need;
	enum ns_pcap_state state;
	bool damaged;
	const struct ns_pcap_format *format;
	struct ns_source *s;
	const char *name;
	unsigned index; /* among the targets: order of equal times */
	uint64_t off_end; /* octets (uncompressed) brought in so far: offset of `end` */
	struct ns_pcap_stream st;
	struct ns_pcap_map map;
	struct ns_pcap_block own; /* the block of a reader that does not use the source's slots */

	struct ns_pcap_iface **ifaces;
	uint32_t ifaces_n;
	uint32_t ifaces_cap;

	struct ns_pcap_pcap pcap;
	struct ns_pcap_ng ng;
	void *fallback; /* fallback.c */

	unsigned head; /* recs[head .. count) are cut and wait */
	unsigned count;
	struct ns_pcap_rec recs[NS_PCAP_QUEUE];
};

struct ns_source {
	struct ns_source_stats stats;
	struct rte_mempool *pool;
	uint64_t clock_ns;
	uint64_t octets; /* wire octets of the burst that is being made */
	struct rte_mbuf **hand; /* without a hold: the same mbufs for every burst; hand_n of them */
	unsigned hand_n;
	bool merge; /* more than one file */
	bool slots_used; /* one reader works directly in the slots */
	bool arena; /* merged packets are copied to the slots */
	struct ns_source_hold hold;
	size_t block; /* usual size of a block */
	struct ns_pcap_block slots[NS_SOURCE_SLOTS];
	unsigned slot;
	size_t arena_used;

	const char *filter;
	struct ns_pcap_prog *progs;
	bool filter_ok; /* it has compiled for at least one link type */
	bool opened;
	char filter_err[600];

	struct ns_pcap_reader **readers;
	unsigned readers_n;
	struct ns_pcap_reader **heap; /* readers that have packets, earliest first */
	unsigned heap_n;
	unsigned ports; /* interface numbers given out */
	enum ns_source_status status;
	bool stop; /* atomic; writer: control, reader: the reading lcore, in its streams */

	size_t text_len;
	char text[8192];
};

/* Octets of a block; tests make it small so that records straddle blocks. */
extern size_t ns_pcap_block_octets;
/* Map files; tests read them by blocks, too. */
extern bool ns_pcap_mapping;

/* --- burst.c --- */

/* Prepares the pool's mbufs, which are the source's until mbufs_back(): 0 or -ENOMEM. */
int ns_pcap_mbufs_take(struct ns_source *s);
void ns_pcap_mbufs_back(struct ns_source *s);

uint16_t ns_pcap_burst(struct ns_source *s, unsigned queue, struct rte_mbuf **m, uint16_t n);
void ns_pcap_release(struct ns_source *s, struct rte_mbuf **m, uint16_t n);

/* Makes a heap of the readers that have a packet. */
void ns_pcap_heap_make(struct ns_source *s);

/* What a packet's linktype, port, flags (none) and l3_off (decode's) are, in one store. */
static inline uint64_t ns_pcap_where(const struct ns_pcap_iface *f)
{
	return f->linktype | (uint64_t)f->port << 16;
}

_Static_assert(
	offsetof(struct rte_mbuf, data_len) == offsetof(struct rte_mbuf, pkt_len) + 4 &&
		offsetof(struct ns_packet, caplen) == offsetof(struct ns_packet, wirelen) + 4 &&
		offsetof(struct ns_packet, port) == offsetof(struct ns_packet, linktype) + 2 &&
		offsetof(struct ns_packet, flags) == offsetof(struct ns_packet, linktype) + 4,
	"what is stored together lies together");

/*
 * An mbuf around a packet, by as few and as wide stores as there can be; all else was set by
 * ns_pcap_mbufs_take(). Nobody changes it: packets are read, not written.
 */
static inline __attribute__((always_inline)) void ns_pcap_wrap(struct rte_mbuf *m,
	const uint8_t *data, uint64_t ts_ns, uint64_t clock_ns, uint32_t wirelen, uint32_t caplen,
	uint64_t where)
{
	struct ns_packet *p = (struct ns_packet *)(void *)(m + 1);
	uint64_t lens = wirelen | (uint64_t)caplen << 32;
	uint64_t both = caplen | (uint64_t)caplen << 32;

	m->buf_addr = (void *)(uintptr_t)data;
	memcpy(&m->pkt_len, &both, sizeof(both)); /* and data_len, vlan_tci: 0 */
	p->ts_ns = ts_ns;
	p->clock_ns = clock_ns;
	memcpy(&p->wirelen, &lens, sizeof(lens)); /* and caplen */
	memcpy(&p->linktype, &where, sizeof(where));
}

/* --- map.c --- */

/* Goes on in a mapping of the file, if it is one that can be mapped and goes on at all. */
void ns_pcap_map_switch(struct ns_pcap_reader *r);

/* Makes the window n octets long, or as long as the file is. */
void ns_pcap_map_more(struct ns_pcap_reader *r, size_t n);

/* Does a packet lie in the mapping, and not in the block that the file began in? */
static inline bool ns_pcap_mapped(const struct ns_pcap_reader *r, const uint8_t *data)
{
	return r->map.base != NULL && (uintptr_t)data - (uintptr_t)r->map.base <= r->map.size;
}

/* Is a part of what was cut up no more what the file holds? */
static inline bool ns_pcap_map_lost(const struct ns_pcap_reader *r)
{
	return r->map.base != NULL &&
	       ns_unlikely(__atomic_load_n(&r->map.lost, __ATOMIC_ACQUIRE) != SIZE_MAX);
}

/* Is @p at still within the file? If not, it is lost from its new end on. */
bool ns_pcap_map_is_there(struct ns_pcap_reader *r, const uint8_t *at);

/* Are these octets of the file still what it holds? */
bool ns_pcap_map_good(const struct ns_pcap_reader *r, const uint8_t *data, size_t len);

/* Ends the reader where its file was lost. */
void ns_pcap_map_end(struct ns_pcap_reader *r);

void ns_pcap_map_close(struct ns_pcap_reader *r);

/* The hardware does not see where records lie: asks for all lines a little before they are read. */
static inline __attribute__((always_inline)) const uint8_t *ns_pcap_ahead(
	const uint8_t *ahead, const uint8_t *pos)
{
	if (ns_unlikely(ahead < pos))
		ahead = pos; /* a huge packet's octets need not all be asked for */
	while (ahead < pos + NS_PCAP_AHEAD) {
		__builtin_prefetch(ahead);
		ahead += NS_CACHE_LINE;
	}
	return ahead;
}

/* --- block.c --- */

/*
 * Makes room for @p size octets behind the unread rest of the window, which is kept: in the next
 * slot, or in place. 0; -EAGAIN when the next slot is still in use; -ENOMEM.
 */
int ns_pcap_block_turn(struct ns_pcap_reader *r, size_t size, uint8_t **base, size_t *cap);

/* Room for @p len octets in the merge arena; NULL with errno EAGAIN (none in this slot), ENOMEM. */
uint8_t *ns_pcap_arena_get(struct ns_source *s, size_t len);

/* Moves the arena to the next slot, which takes at least @p len octets: 0, -EAGAIN, -ENOMEM. */
int ns_pcap_arena_turn(struct ns_source *s, size_t len);

void ns_pcap_blocks_free(struct ns_source *s);

/* --- reader.c --- */

/* Takes @p st (also on failure). NULL + errno with a message when it is no capture. */
struct ns_pcap_reader *ns_pcap_reader_create(struct ns_source *s, struct ns_pcap_stream *st,
	const char *name, unsigned index, struct ns_err *e);
void ns_pcap_reader_destroy(struct ns_pcap_reader *r);

/* Brings n octets into the window, or all that there are: 0, -EAGAIN, -ENOMEM. */
int ns_pcap_reader_more(struct ns_pcap_reader *r, size_t n);

/* Brings r->need octets; 0, -EAGAIN, or -1: there are not so many, the reader ends, is damaged. */
int ns_pcap_reader_fill(struct ns_pcap_reader *r);

/* Cuts the next records into r->recs, filter applied; 0: look at r->state. */
unsigned ns_pcap_reader_cut(struct ns_pcap_reader *r);

/* The same, and brings octets when they are needed. 0: ended, or -EAGAIN (state starved). */
unsigned ns_pcap_reader_next(struct ns_pcap_reader *r);

/* Ends a reader because the record at @p at (in the window) is no good; the message goes out. */
void ns_pcap_reader_damage(struct ns_pcap_reader *r, const uint8_t *at, const char *fmt, ...)
	NS_PRINTF(3, 4);

/* A new interface of the file, with its filter; NULL when there are too many or no memory. */
struct ns_pcap_iface *ns_pcap_iface_add(
	struct ns_pcap_reader *r, uint16_t linktype, uint32_t snaplen);

/* Gives an interface the next number. */
static inline void ns_pcap_iface_number(struct ns_source *s, struct ns_pcap_iface *f)
{
	f->port = (uint16_t)NS_MIN(s->ports, UINT16_MAX);
	f->numbered = true;
	s->ports++;
}

/* Appends one line to the source's messages. */
void ns_pcap_note(struct ns_source *s, const char *fmt, ...) NS_PRINTF(2, 3);

/* The largest sane captured length of a link type. */
uint32_t ns_pcap_caplen_max(uint16_t linktype);

/* LINKTYPE_* that stands in a file header -> the one that decoders know (raw IP has many). */
uint16_t ns_pcap_linktype_canon(uint16_t linktype);

static inline uint16_t ns_pcap_u16(const uint8_t *p, bool swapped)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t ns_pcap_u32(const uint8_t *p, bool swapped)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swapped ? __builtin_bswap32(v) : v;
}

/* --- formats: 1 taken, 0 not this format, -errno with a message --- */

int ns_pcap_file_open(struct ns_pcap_reader *r, struct ns_err *e);
int ns_pcap_ng_open(struct ns_pcap_reader *r, struct ns_err *e);
int ns_pcap_fallback_open(struct ns_pcap_reader *r, struct ns_err *e);

/* --- filter.c --- */

/* The program for packets of @p linktype, compiled when first asked for; NULL: no filter. */
struct ns_pcap_prog *ns_pcap_filter_get(struct ns_source *s, uint16_t linktype);

/* After all files are open: fails when the expression has compiled for nothing. */
int ns_pcap_filter_opened(struct ns_source *s, struct ns_err *e);

/* Keeps the records that match, in order; returns how many. */
unsigned ns_pcap_filter_run(struct ns_source *s, struct ns_pcap_rec *recs, unsigned n);

void ns_pcap_filter_free(struct ns_source *s);

/* The number that a capture file would hold for a DLT_* of libpcap on this system. */
uint16_t ns_pcap_dlt_to_linktype(int dlt);

/* Counts packets and wire octets that were received; the reading lcore. */
static inline void ns_pcap_account(struct ns_source *s, unsigned packets, uint64_t octets)
{
	__atomic_store_n(&s->stats.packets, s->stats.packets + packets, __ATOMIC_RELAXED);
	__atomic_store_n(&s->stats.octets, s->stats.octets + octets, __ATOMIC_RELAXED);
}
