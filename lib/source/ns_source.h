/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Ways in. A source hands bursts of mbufs whose struct ns_packet holds "the part given by the
 * source": ts_ns, clock_ns, wirelen, caplen, linktype, port; flags are 0 (or NS_PKT_RSS).
 *
 * One queue of a source is read by exactly one lcore (or ordinary thread registered with EAL).
 */

#include <ns_conf.h>
#include <ns_packet.h>

#define NS_BURST 32

/**
 * Block hold: a source that hands out mbufs which point into its own blocks (no copy) must not use
 * a block again while a packet of it is on its way. Before it leaves block @c slot it calls mark();
 * before it fills that slot again it waits until passed() is true. Both are the engine's, called on
 * the reading lcore; NULL means that every packet of a burst is done when burst() is called next.
 */
struct ns_source_hold {
	void (*mark)(void *ctx, unsigned slot);
	bool (*passed)(void *ctx, unsigned slot);
	void *ctx;
};

#define NS_SOURCE_SLOTS 16 /**< slots that the engine's hold can tell apart */

/** What a source is opened with; borrowed for the call only unless said otherwise. */
struct ns_source_args {
	const char *const
		*targets; /**< files, or port names; targets_n of them; borrowed until close */
	unsigned targets_n;
	const char *filter; /**< BPF expression or NULL */
	const struct ns_conf *conf; /**< borrowed until close */
	/** mbufs with NS_PACKET_PRIV octets of private area; the source's alone until close */
	struct rte_mempool *pool;
	unsigned queues; /**< queues wanted (live sources) */
	struct ns_source_hold hold;
};

/** State of a source for progress and reports; written by the reading lcore(s), relaxed reads. */
struct ns_source_stats {
	uint64_t packets; /**< received = handed to the engine + filtered */
	uint64_t octets; /**< wire octets of them */
	uint64_t filtered; /**< not matched by the filter (drop reason "filtered") */
	uint64_t bytes_read; /**< of bytes_total, file sources; 0 if not known */
	uint64_t bytes_total;
	uint64_t imissed; /**< live: lost by the port, drop reason "port_missed" */
	uint64_t ierrors; /**< live: "port_errors" */
	uint64_t rx_nombuf; /**< live: "port_nombuf" */
};

enum ns_source_status {
	NS_SOURCE_MORE, /**< more may come */
	NS_SOURCE_END, /**< end of input, all read */
	NS_SOURCE_DAMAGED, /**< end of input; something could not be read, see message() */
};

struct ns_source;
struct ns_profile; /* ns_profile.h */

struct ns_source_ops {
	bool live; /**< packets come at their own time: a full ring drops; otherwise the source
		      waits */

	/** Opens all targets; returns state or NULL with errno and a message naming target and
	 * place. */
	struct ns_source *(*open)(const struct ns_source_args *args, struct ns_err *e);

	/** Up to n (<= 256) packets of @p queue; 0: none now (live) or end of input (status). */
	uint16_t (*burst)(struct ns_source *s, unsigned queue, struct rte_mbuf **m, uint16_t n);

	/** Gives packets back that burst() has returned; NULL: rte_pktmbuf_free_bulk(). */
	void (*release)(struct ns_source *s, struct rte_mbuf **m, uint16_t n);

	enum ns_source_status (*status)(const struct ns_source *s);

	/** Damage and warnings, one line each, "" for none; valid until close; control thread. */
	const char *(*message)(const struct ns_source *s);

	void (*stats)(struct ns_source *s, struct ns_source_stats *out);

	/** Queues that can be read at once; NULL: 1. */
	unsigned (*queues)(const struct ns_source *s);

	/**
	 * From now on another filter (NULL: none), for all targets or, with a message, for none. 0
	 * or -errno. Control thread, while lcores read. NULL: it can't change.
	 */
	int (*filter)(struct ns_source *s, const char *expr, struct ns_err *e);

	/** Stops receiving; packets already there can still be read with burst(). NULL: nothing. */
	void (*stop)(struct ns_source *s);

	void (*close)(struct ns_source *s);

	/**
	 * An upper bound of the packets to come (file size over the smallest record), or 0 when not
	 * known. Sizes the flow table in file mode. Called before open. NULL: not known.
	 */
	uint64_t (*packets_bound)(const char *const *targets, unsigned n);

	/**
	 * The driver profile that @p conf names, before EAL is initialised: the engine adds its
	 * eal_args to its own. Owned by the caller, ns_profile_destroy(). NULL with errno 0: no
	 * profile; NULL with errno and a message otherwise. NULL: the source has none.
	 */
	struct ns_profile *(*profile)(const struct ns_conf *conf, struct ns_err *e);
};

#define NS_SOURCE_KIND "source"
