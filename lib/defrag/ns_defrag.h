/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Only the first fragment of a datagram names ports (and what a tunnel carries). This room gives
 * its tuple to the later ones, so that every fragment counts in its own flow; out of order too:
 * later fragments that come before the first are held, as copies of their headers, until it comes,
 * the table needs the room, or defrag.timeout passes on the packet clock.
 *
 * One table per lcore that reads packets: fragments of one datagram take the same way in. All
 * decisions depend on the sequence of packets alone, never on bursts or on other lcores.
 */

#include <ns_conf.h>
#include <ns_packet.h>

/** Section "defrag". */
struct ns_defrag_conf {
	uint32_t datagrams; /**< datagrams remembered at once */
	uint32_t held; /**< later fragments that wait for their first, at most */
	uint32_t timeout; /**< seconds of packet time that a datagram is remembered */
};

struct ns_defrag;

/** Table and mbufs of the copies; NULL with errno ENOMEM or EINVAL. Main thread, EAL running. */
struct ns_defrag *ns_defrag_create(const struct ns_defrag_conf *conf, unsigned id);
void ns_defrag_destroy(struct ns_defrag *d);

/**
 * Whether a copy that can't be made because all copies are still with other lcores is waited for
 * (file mode; they must be free to go on) or not held. Not, unless this is called. Main thread.
 */
void ns_defrag_wait(struct ns_defrag *d, bool wait);

/** Room that ns_defrag_burst() needs in out beyond n. */
#define NS_DEFRAG_RELEASE 64

/**
 * True when ns_defrag_burst() must see a burst: some packet is a fragment, or some are due. Call it
 * for every burst, once: it also takes note of the packets that pass by.
 */
bool ns_defrag_wanted(struct ns_defrag *d, struct rte_mbuf *const *m, uint16_t n);

/**
 * Passes a burst through. Packets that are no fragments, or whose ports are known, go to @p out
 * (room for n + NS_DEFRAG_RELEASE) with tuple, hash and ports set; held copies follow right behind
 * the fragment that released them, or, when they are many, the packets after it. The order in @p
 * out does not depend on where bursts end as long as @p n <= 32. A packet of which a copy is held
 * now goes to @p held (room for n): it is not analysed yet, and its mbuf may be released. *n_held
 * gets their number. Returns the number in
 * @p out. Copies belong to this room's own mempool: free them with rte_pktmbuf_free (their
 * NS_PKT_COPY flag is set).
 */
uint16_t ns_defrag_burst(struct ns_defrag *d, struct rte_mbuf **m, uint16_t n,
	struct rte_mbuf **out, struct rte_mbuf **held, uint16_t *n_held, struct ns_counters *c);

/**
 * End of input, or idle: hands out up to NS_DEFRAG_RELEASE copies whose first fragment never came.
 * @p clock_ns UINT64_MAX: all of them. Returns their number; call until 0.
 */
uint16_t ns_defrag_expire(
	struct ns_defrag *d, uint64_t clock_ns, struct rte_mbuf **out, struct ns_counters *c);
