/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool of packet buffers: how many, and how they lie in memory. */
#include "engine_priv.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

unsigned engine_mbufs(const struct ns_engine *en)
{
	unsigned readers = en->rtc ? en->workers : en->rx;
	unsigned n = en->conf->mbufs;

	if (n != 0)
		return n;
	n = readers * 1024 + (en->workers + readers + 1) * (POOL_CACHE * 3 / 2);
	if (!en->rtc)
		n += en->workers * readers * (en->dispatch_conf->ring + DEQUEUE);
	if (en->live)
		n += readers * 8192 + en->args.targets_n * 8192;
	return n;
}

/*
 * rte_pktmbuf_pool_create() keeps every buffer within one page, for cards that want physical
 * addresses. With pages of 4 kB that wastes a third, and net_af_xdp hands the kernel an area that
 * is as long as the buffers without the gaps: those behind its end are lost, and after some
 * thousand packets nothing is received any more. Where addresses are virtual the gaps have no use.
 */
static struct rte_mempool *make(unsigned n, unsigned cache, uint16_t room)
{
	bool gaps = rte_eal_has_hugepages() && rte_eal_iova_mode() != RTE_IOVA_VA;
	struct rte_pktmbuf_pool_private priv = {
		.mbuf_data_room_size = room, .mbuf_priv_size = NS_PACKET_PRIV};
	struct rte_mempool *mp = rte_mempool_create_empty("ns_packets", n,
		(unsigned)sizeof(struct rte_mbuf) + NS_PACKET_PRIV + room, cache, sizeof(priv),
		SOCKET_ID_ANY, gaps ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (mp == NULL)
		return NULL;
	int rc = rte_mempool_set_ops_byname(mp, rte_mbuf_best_mempool_ops(), NULL);

	if (rc == 0) {
		rte_pktmbuf_pool_init(mp, &priv);
		rc = rte_mempool_populate_default(mp);
	}
	if (rc < 0) {
		rte_mempool_free(mp);
		rte_errno = -rc;
		return NULL;
	}
	rte_mempool_obj_iter(mp, rte_pktmbuf_init, NULL);
	return mp;
}

int engine_pool_up(struct ns_engine *en, struct ns_err *e)
{
	unsigned lcores = en->workers + (en->rtc ? 0 : en->rx) + 1;
	unsigned n = engine_mbufs(en);
	unsigned least = lcores * 2 * NS_BURST;

	if (n < least)
		return ns_fail(e, EINVAL,
			"engine.mbufs: %u are fewer than the %u that %u lcores need", n, least,
			lcores);
	/* What lcores keep in their caches (up to 1.5 times the size) must not be all there is: the
	 * one that reads would wait for ever for buffers that nobody gives back. */
	unsigned cache = NS_MIN(POOL_CACHE, n / (lcores * 2));

	en->pool = make(n, cache, engine_data_room(en));
	if (en->pool == NULL)
		return ns_fail(e, rte_errno != 0 ? rte_errno : ENOMEM,
			"no memory for %u packet buffers (engine.mbufs, engine.memory)", n);
	return 0;
}
