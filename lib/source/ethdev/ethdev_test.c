/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of packets: net_null makes them, net_ring carries those that the test writes. */
#include "ethdev_test.h"

static void null_port(void)
{
	struct opts o = {.targets = {"net_null0"}, .queues = 1};

	/* Twice: after close the same device can be plugged again. */
	for (unsigned round = 0; round < 2; round++) {
		struct ns_source *s = open_it(&o);
		struct rte_mbuf *m[NS_BURST];
		struct ns_source_stats st;
		unsigned total = 0;
		uint64_t clock = 0;

		if (s == NULL)
			printf("\n%s", err.text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		CU_ASSERT_STRING_EQUAL(ops->message(s), "");
		CU_ASSERT_EQUAL(ops->queues(s), 1);
		for (unsigned i = 0; i < 100; i++) {
			uint16_t n = ops->burst(s, 0, m, NS_BURST);

			CU_ASSERT_EQUAL(n, NS_BURST);
			total += n;
			for (uint16_t k = 0; k < n; k++) {
				const struct ns_packet *p = ns_packet(m[k]);

				CU_ASSERT(p->clock_ns >= clock && p->clock_ns >= p->ts_ns);
				clock = p->clock_ns;
				CU_ASSERT_EQUAL(p->caplen, 64);
				CU_ASSERT_EQUAL(p->wirelen, 64);
				CU_ASSERT_EQUAL(p->linktype, NS_LINKTYPE_ETHERNET);
				CU_ASSERT_EQUAL(p->flags, 0);
			}
			rte_pktmbuf_free_bulk(m, n);
		}
		CU_ASSERT(clock + NS_SEC_NS > ns_clock_real());
		CU_ASSERT(clock < ns_clock_real() + NS_SEC_NS);
		ops->stats(s, &st);
		CU_ASSERT_EQUAL(st.packets, total);
		CU_ASSERT_EQUAL(st.octets, total * 64);
		CU_ASSERT_EQUAL(st.imissed + st.ierrors + st.rx_nombuf + st.filtered, 0);
		/* It never runs dry, and still ends. */
		ops->stop(s);
		CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_MORE);
		total += drain(s, 0, NULL, 0);
		CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_END);
		ops->stats(s, &st);
		CU_ASSERT_EQUAL(st.packets, total);
		close_it(s);
		all_home();
		CU_ASSERT_EQUAL(rte_eth_dev_count_avail(), 0);
	}
}

static void symmetric_key(void)
{
	struct rte_eth_dev_info info = {.hash_key_size = 52,
		.flow_type_rss_offloads = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP,
		.rx_offload_capa = RTE_ETH_RX_OFFLOAD_RSS_HASH};
	struct ns_profile prof = {.rss_key = {1, 2, 3, 4}, .rss_key_len = 4};
	struct eth_conf off = {.rss = ETH_RSS_OFF};
	struct rte_eth_conf rc = {0};
	struct eth_port p = {0};
	uint8_t key[UINT8_MAX];
	bool right = true;

	eth_choose_rss(&p, &info, eth_conf_get(NULL), NULL, &rc, key);
	CU_ASSERT_TRUE(p.rss);
	CU_ASSERT_EQUAL(rc.rxmode.mq_mode, RTE_ETH_MQ_RX_RSS);
	CU_ASSERT_EQUAL(rc.rxmode.offloads, RTE_ETH_RX_OFFLOAD_RSS_HASH);
	CU_ASSERT_EQUAL(rc.rx_adv_conf.rss_conf.rss_hf, info.flow_type_rss_offloads);
	CU_ASSERT_EQUAL(rc.rx_adv_conf.rss_conf.rss_key_len, 52);
	CU_ASSERT_PTR_EQUAL(rc.rx_adv_conf.rss_conf.rss_key, key);
	for (unsigned i = 0; i < 52; i++)
		right = right && key[i] == (i % 2 == 0 ? 0x6d : 0x5a);
	CU_ASSERT_TRUE(right);

	/* A key that is not symmetric is set, but its hash is not handed on. */
	p.rss = false;
	eth_choose_rss(&p, &info, eth_conf_get(NULL), &prof, &rc, key);
	CU_ASSERT_FALSE(p.rss);
	CU_ASSERT_EQUAL(memcmp(key, "\1\2\3\4\1\2\3\4", 8), 0);

	rc = (struct rte_eth_conf){0};
	eth_choose_rss(&p, &info, &off, NULL, &rc, key);
	CU_ASSERT_FALSE(p.rss);
	CU_ASSERT_EQUAL(rc.rxmode.mq_mode, RTE_ETH_MQ_RX_NONE);
	info.hash_key_size = 0;
	eth_choose_rss(&p, &info, eth_conf_get(NULL), NULL, &rc, key);
	CU_ASSERT_FALSE(p.rss);
	CU_ASSERT_EQUAL(rc.rxmode.mq_mode, RTE_ETH_MQ_RX_RSS);
	CU_ASSERT_PTR_NULL(rc.rx_adv_conf.rss_conf.rss_key);
}

static void rss_hash(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	struct rte_mbuf *got[2];

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (unsigned round = 0; round < 2; round++) {
		s->ports[0].rss = round == 1; /* the ring has no RSS of its own */
		for (unsigned i = 0; i < 2; i++) {
			struct rte_mbuf *m = frame(pool, 60, 6, i);

			m->hash.rss = 77;
			if (i == 1)
				m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
			rte_ring_enqueue(rings[0], m);
		}
		CU_ASSERT_EQUAL_FATAL(drain(s, 0, got, 2), 2);
		CU_ASSERT_EQUAL(ns_packet(got[0])->flags, 0);
		CU_ASSERT_EQUAL(ns_packet(got[1])->flags, round == 1 ? NS_PKT_RSS : 0);
		CU_ASSERT_EQUAL(got[1]->hash.rss, 77);
		rte_pktmbuf_free_bulk(got, 2);
	}
	close_it(s);
	all_home();
}

static void ring_in_and_out(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	struct rte_mbuf *got[500];
	struct ns_source_stats st;
	unsigned n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (uint32_t i = 0; i < 500; i++) /* every fifth comes from a pool without private area */
		rte_ring_enqueue(rings[0], frame(i % 5 == 0 ? plain : pool, 60 + i % 100, 17, i));
	n = drain(s, 0, got, 500);
	CU_ASSERT_EQUAL(n, 500);
	for (uint32_t i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(id_of(got[i]), i);
		CU_ASSERT_EQUAL(ns_packet(got[i])->wirelen, 60 + i % 100);
		CU_ASSERT_EQUAL(ns_packet(got[i])->caplen, 60 + i % 100);
		CU_ASSERT_PTR_EQUAL(got[i]->pool, pool);
		CU_ASSERT(ns_packet(got[i])->ts_ns > 1600000000 * NS_SEC_NS);
	}
	rte_pktmbuf_free_bulk(got, n);
	ops->stats(s, &st);
	CU_ASSERT_EQUAL(st.packets, 500);
	CU_ASSERT_EQUAL(st.octets, 500 * 60 + 5 * 4950);
	/* What has come before stop() is still given. */
	for (uint32_t i = 0; i < 100; i++)
		rte_ring_enqueue(rings[0], frame(pool, 60, 6, i));
	ops->stop(s);
	CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_MORE);
	CU_ASSERT_EQUAL(drain(s, 0, NULL, 0), 100);
	CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_END);
	close_it(s);
	all_home();
}

static void foreign_without_memory(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	static struct rte_mbuf *hog[8191];
	struct ns_source_stats st;
	unsigned hogs = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	while (hogs < 8191 && (hog[hogs] = rte_pktmbuf_alloc(pool)) != NULL)
		hogs++;
	for (uint32_t i = 0; i < 10; i++)
		rte_ring_enqueue(rings[0], frame(plain, 60, 6, i));
	CU_ASSERT_EQUAL(drain(s, 0, NULL, 0), 0);
	rte_pktmbuf_free_bulk(hog, hogs);
	ops->stats(s, &st);
	CU_ASSERT_EQUAL(st.packets, 0);
	CU_ASSERT_EQUAL(st.rx_nombuf, 10);
	close_it(s);
	all_home();
}

static void queues_and_ports(void)
{
	static char first[32];
	struct rte_ring *all[3];
	struct ns_source *s;
	struct ns_source_stats st;

	for (unsigned readers = 1; readers <= 4; readers++) {
		struct opts o = {.queues = readers};
		unsigned total = 0;

		strcpy(first, ring_port(2));
		all[0] = rings[0];
		all[1] = rings[1];
		o.targets[0] = first;
		o.targets[1] = ring_port(1);
		all[2] = rings[0];
		s = open_it(&o);
		if (s == NULL)
			printf("\n%s", err.text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		CU_ASSERT_EQUAL(ops->queues(s), NS_MIN(readers, 3u));
		for (unsigned r = 0; r < 3; r++) {
			for (uint32_t i = 0; i < 50 * (r + 1); i++)
				rte_ring_enqueue(all[r], frame(pool, 64, 6, i));
		}
		for (unsigned q = 0; q < ops->queues(s); q++) {
			unsigned n = drain(s, q, NULL, 0);

			if (readers >= 3)
				CU_ASSERT_EQUAL(n, 50 * (q + 1));
			total += n;
		}
		CU_ASSERT_EQUAL(total, 300);
		ops->stats(s, &st);
		CU_ASSERT_EQUAL(st.packets, 300);
		close_it(s);
		all_home();
	}
}

static void filter(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1, .filter = "ip proto 17"};
	struct ns_source *s = open_it(&o);
	struct ns_source_stats st;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (uint32_t i = 0; i < 600; i++) /* long runs that do not match end no reading */
		rte_ring_enqueue(rings[0], frame(pool, 64, i % 200 == 199 ? 17 : 6, i));
	ops->stop(s);
	CU_ASSERT_EQUAL(drain(s, 0, NULL, 0), 3);
	CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_END);
	ops->stats(s, &st);
	CU_ASSERT_EQUAL(st.packets, 600);
	CU_ASSERT_EQUAL(st.filtered, 597);
	close_it(s);
	all_home();

	o.targets[0] = "net_null0";
	o.filter = "tcp prt 80";
	CU_ASSERT_PTR_NULL(open_it(&o));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "tcp prt 80"));
	CU_ASSERT_EQUAL(rte_eth_dev_count_avail(), 0);
}

static struct rte_mbuf *chain(unsigned first, unsigned second)
{
	struct rte_mbuf *a = frame(pool, first, 6, 7);
	struct rte_mbuf *b = rte_pktmbuf_alloc(pool);

	memset(rte_pktmbuf_append(b, (uint16_t)second), 0xbb, second);
	if (rte_pktmbuf_chain(a, b) < 0)
		abort();
	return a;
}

static void segments(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	struct rte_mbuf *got[2];

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	rte_ring_enqueue(rings[0], chain(100, 200));
	rte_ring_enqueue(rings[0], chain(2000, 2000));
	CU_ASSERT_EQUAL_FATAL(drain(s, 0, got, 2), 2);
	CU_ASSERT_EQUAL(got[0]->nb_segs, 1);
	CU_ASSERT_EQUAL(ns_packet(got[0])->wirelen, 300);
	CU_ASSERT_EQUAL(ns_packet(got[0])->caplen, 300);
	CU_ASSERT_EQUAL(ns_packet_data(got[0])[299], 0xbb);
	CU_ASSERT_EQUAL(ns_packet(got[1])->wirelen, 4000);
	CU_ASSERT_EQUAL(ns_packet(got[1])->caplen, 2000);
	rte_pktmbuf_free_bulk(got, 2);
	close_it(s);
	all_home();
}

static void vlan_is_put_back(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	struct rte_mbuf *m = frame(pool, 60, 6, 1);
	struct rte_mbuf *got[1] = {NULL};

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	m->vlan_tci = 5;
	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	rte_ring_enqueue(rings[0], m);
	CU_ASSERT_EQUAL_FATAL(drain(s, 0, got, 1), 1);
	CU_ASSERT_EQUAL(ns_packet(got[0])->wirelen, 64);
	CU_ASSERT_EQUAL(memcmp(ns_packet_data(got[0]) + 12, "\x81\x00\x00\x05\x08\x00", 6), 0);
	rte_pktmbuf_free(got[0]);
	close_it(s);
	all_home();
}

NS_TEST_MAIN({"null port", null_port}, {"symmetric key", symmetric_key}, {"rss hash", rss_hash},
	{"ring in and out", ring_in_and_out}, {"foreign without memory", foreign_without_memory},
	{"queues and ports", queues_and_ports}, {"filter", filter}, {"segments", segments},
	{"vlan is put back", vlan_is_put_back})
