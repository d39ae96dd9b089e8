/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One source, some ports, each with some hardware queues. A hardware queue is a lane; lanes are
 * dealt out to the queues of the source, each of which one lcore reads:
 *
 *	port 0: lane 0   lane 1        port 1: lane 2   lane 3
 *	             \      |                  /       /
 *	queues:       0 ◀───┼──── lanes 0, 2 ─┘       /
 *	              1 ◀───┴──── lanes 1, 3 ────────┘
 *
 * Writers: struct eth_queue and its lanes belong to the lcore that reads the queue; the control
 * thread reads the counters (relaxed) and `drained`. struct eth_clock belongs to the control thread
 * and is read by lcores. All else is written by open() and close() only.
 */

#include <ns_filter.h>
#include <ns_profile.h>
#include <ns_source.h>

#include <rte_ethdev.h>

enum eth_rss { ETH_RSS_AUTO, ETH_RSS_OFF };

struct eth_conf {
	uint32_t rx_queues;
	uint32_t rx_descriptors;
	uint32_t mtu;
	bool promiscuous;
	enum eth_rss rss;
	enum ns_profile_stamps timestamps;
	char *profile;
};

/** The configuration of the section; the defaults when @p c is NULL. */
const struct eth_conf *eth_conf_get(const struct ns_conf *c);

/*
 * A clock that counts ticks, as nanoseconds since 1970: ns + ((t - tick) * mult >> 32). Always
 * counted from the anchor, so no error adds up from packet to packet. The control thread moves the
 * anchor once a second, which follows NTP; readers keep a copy and never wait.
 */
struct eth_clock_line {
	uint64_t tick;
	uint64_t ns;
	uint64_t mult; /* nanoseconds per tick, 32 bits of fraction */
};

struct eth_clock {
	uint32_t seq; /* odd while the line is being written */
	struct eth_clock_line line;
	int port; /* -1: TSC */
	uint64_t mult0; /* as measured at the start: a jump of the system's clock is no new speed */
};

struct eth_clock_view {
	uint32_t seq;
	struct eth_clock_line line;
};

#define ETH_CLOCK_TSC -1

/** Measures the clock (20 ms) and sets the first anchor; -ENOTSUP when it can't be read. */
int eth_clock_init(struct eth_clock *c, int port);

/** Moves the anchor when the last is older than @p min_ns; control thread. */
void eth_clock_update(struct eth_clock *c, uint64_t min_ns);

/** As eth_clock_update() with the pair of readings given (tests). */
void eth_clock_anchor(struct eth_clock *c, uint64_t tick, uint64_t ns, uint64_t min_ns);

/** Takes over a new anchor if there is one; the reading lcore, once per burst. */
static inline void eth_clock_look(const struct eth_clock *c, struct eth_clock_view *v)
{
	uint32_t seq = __atomic_load_n(&c->seq, __ATOMIC_ACQUIRE);
	struct eth_clock_line line;

	if (ns_likely(seq == v->seq) || (seq & 1) != 0)
		return;
	line.tick = __atomic_load_n(&c->line.tick, __ATOMIC_ACQUIRE);
	line.ns = __atomic_load_n(&c->line.ns, __ATOMIC_ACQUIRE);
	line.mult = __atomic_load_n(&c->line.mult, __ATOMIC_ACQUIRE);
	if (__atomic_load_n(&c->seq, __ATOMIC_RELAXED) != seq)
		return; /* being written: the copy is as good for another burst */
	v->line = line;
	v->seq = seq;
}

static inline uint64_t eth_clock_ns(const struct eth_clock_line *l, uint64_t tick)
{
	__int128 d = (__int128)(int64_t)(tick - l->tick) * l->mult;

	return l->ns + (uint64_t)(int64_t)(d >> 32);
}

#define ETH_SOCKETS 64

enum eth_stamp { ETH_STAMP_NONE, ETH_STAMP_TICKS, ETH_STAMP_US, ETH_STAMP_NS };

struct eth_port {
	uint16_t id;
	uint16_t queues;
	uint16_t descriptors;
	uint16_t linktype;
	bool open; /* id is ours */
	bool plugged; /* made by us from a device: goes away at close */
	bool promiscuous; /* switched on by us */
	bool rss; /* hash.rss is symmetric */
	enum eth_stamp stamp;
	struct eth_clock clock; /* ETH_STAMP_TICKS */
	struct ns_filter *filter; /* atomic; writer: control, readers: lcores that read */
	struct eth_old_filter *old_filters; /* those before it: an lcore may be in one; control's */
	struct rte_eth_stats base;
	/* net_af_packet: its sockets, and what the kernel has dropped at them; control thread */
	int sockets[ETH_SOCKETS];
	unsigned sockets_n;
	uint64_t kernel_drops;
	char name[RTE_ETH_NAME_MAX_LEN];
};

struct eth_lane {
	struct eth_port *port;
	uint16_t hwq;
	uint16_t empty; /* polls in a row that gave nothing */
	struct eth_clock_view view;
};

struct eth_queue {
	struct eth_lane *lanes;
	unsigned lanes_n;
	unsigned next; /* lane to poll first */
	uint64_t clock_ns; /* the largest time so far */
	uint64_t after_stop; /* packets read since stop() was seen */
	struct eth_clock_view view;
	/* Read by the control thread. */
	uint64_t packets, octets, filtered, nombuf;
	bool drained;
} __attribute__((aligned(NS_CACHE_LINE)));

struct ns_source {
	struct eth_port *ports;
	unsigned ports_n;
	struct eth_lane *lanes; /* sorted by queue */
	struct eth_queue *queues;
	unsigned queues_n;
	struct rte_mempool *pool;
	struct eth_clock tsc;
	int stamp_offset;
	uint64_t stamp_flag;
	bool stopping; /* written by the control thread */
	struct ns_profile *profile;
	size_t notes_n;
	char notes[2048];
};

/* All memory of this plug-in comes from here (zeroed, on a cache line; free() it), so that a test
 * can make the Nth allocation fail. */
extern void *(*ns_eth_alloc)(size_t n, size_t size);

/** Adds a line to message(). */
void eth_note(struct ns_source *s, const char *fmt, ...) NS_PRINTF(2, 3);

/** Finds or plugs the port of target @p i, sets it up and starts it; 0 or -errno with a message. */
int eth_port_open(struct ns_source *s, unsigned i, const struct ns_source_args *args,
	const struct eth_conf *conf, struct ns_err *e);
void eth_port_close(struct eth_port *p);

/* filter.c: ns_source_ops.filter; and all filters of a port, when no lcore reads any more. */
int eth_filter(struct ns_source *s, const char *expr, struct ns_err *e);
void eth_filters_close(struct eth_port *p);

/** Finds the sockets of a port of net_af_packet; call before it starts. */
void eth_kernel_find(struct eth_port *p, const struct rte_eth_dev_info *info);

/** Packets that the kernel has dropped at the port's sockets since then; control thread. */
uint64_t eth_kernel_drops(struct eth_port *p);

/** The message for a device that rte_dev_probe() has refused with @p rc; returns -errno. */
int eth_explain(const char *target, const char *device, int rc, struct ns_err *e);

/** What to ask the port for, into @p rc; @p key has UINT8_MAX octets. Sets p->rss. */
void eth_choose_rss(struct eth_port *p, const struct rte_eth_dev_info *info,
	const struct eth_conf *conf, const struct ns_profile *prof, struct rte_eth_conf *rc,
	uint8_t *key);
