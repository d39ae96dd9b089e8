/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Which analysis lcore gets a packet: hash of the tuple → bucket → lcore, then a burst enqueue on
 * that lcore's ring. Both directions of a flow, and all its fragments, meet on one lcore.
 *
 * One struct ns_dispatch per RX lcore; rings are single producer, single consumer.
 */

#include <ns_conf.h>
#include <ns_packet.h>

#include <rte_ring.h>

#define NS_WORKERS_MAX 64

/** Section "dispatch". */
struct ns_dispatch_conf {
	uint32_t buckets; /**< power of two */
	uint32_t ring; /**< packets that wait for one analysis lcore; power of two */
};

/** Bucket of a packet; also the flow table's shard, so that a shard never spreads over lcores. */
static inline uint32_t ns_bucket(uint32_t hash, uint32_t buckets)
{
	return (uint32_t)(((uint64_t)hash * buckets) >> 32);
}

struct ns_dispatch;

/**
 * @p rings: one per worker, borrowed. @p wait: a full ring is waited for (file mode) or drops.
 * NULL with errno ENOMEM, EINVAL. Main thread.
 */
struct ns_dispatch *ns_dispatch_create(const struct ns_dispatch_conf *conf,
	struct rte_ring *const *rings, unsigned workers, bool wait);
void ns_dispatch_destroy(struct ns_dispatch *d);

/**
 * Sends a burst of decoded packets on their way. Packets that found their ring full are moved to
 * the front of @p m and counted as the drop ring_full; the caller releases them. Returns their
 * number. @p n <= 256.
 *
 * When it waits it returns 0, and some packets may stay behind until more have come for the same
 * lcore: ns_dispatch_flush() sends them on.
 */
uint16_t ns_dispatch_burst(
	struct ns_dispatch *d, struct rte_mbuf **m, uint16_t n, struct ns_counters *c);

/** Sends on all that stayed behind, and waits for room. Nothing to do when it drops. RX lcore. */
void ns_dispatch_flush(struct ns_dispatch *d);

/** Packets handed to worker @p w so far, and dropped because its ring was full. Any thread. */
uint64_t ns_dispatch_sent(const struct ns_dispatch *d, unsigned w);
uint64_t ns_dispatch_dropped(const struct ns_dispatch *d, unsigned w);

/** Worker that owns @p bucket. */
unsigned ns_dispatch_worker(const struct ns_dispatch *d, uint32_t bucket);

/** Buckets that worker @p w of @p workers owns when @p buckets are dealt out. */
uint32_t ns_dispatch_share(uint32_t buckets, unsigned workers, unsigned w);

extern struct ns_counter ns_drop_ring_full;
