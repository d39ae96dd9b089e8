/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of ports, and packets out of ports that are there without a NIC: null and ring. */
#include "ns_port.h"
#include "ns_send.h"

#include <ns_test.h>
#include <ns_test_eal.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <string.h>

static struct ns_err err;
static struct rte_mempool *pool;

/* A port that is open: one queue each way, started. */
static uint16_t open_port(const char *device)
{
	const struct rte_eth_conf conf = {0};
	uint16_t port = RTE_MAX_ETHPORTS;

	CU_ASSERT_EQUAL_FATAL(rte_dev_probe(device), 0);
	CU_ASSERT_EQUAL_FATAL(rte_eth_dev_get_port_by_name(device, &port), 0);
	CU_ASSERT_EQUAL_FATAL(rte_eth_dev_configure(port, 1, 1, &conf), 0);
	CU_ASSERT_EQUAL_FATAL(rte_eth_rx_queue_setup(port, 0, 512, 0, NULL, pool), 0);
	CU_ASSERT_EQUAL_FATAL(rte_eth_tx_queue_setup(port, 0, NS_SEND_DESCRIPTORS, 0, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(rte_eth_dev_start(port), 0);
	return port;
}

static uint16_t null_port, ring_port, shut_port;

static void setup(void)
{
	ns_test_eal();
	if (pool != NULL)
		return;
	pool = rte_pktmbuf_pool_create("own", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	null_port = open_port("net_null0");
	ring_port = open_port("net_ring0");
	CU_ASSERT_EQUAL_FATAL(rte_dev_probe("net_null1"), 0);
	CU_ASSERT_EQUAL_FATAL(rte_eth_dev_get_port_by_name("net_null1", &shut_port), 0);
}

static void count_names(void *ctx, const char *name)
{
	unsigned *n = ctx;

	*n += strncmp(name, "net_", 4) == 0;
}

static void names(void)
{
	char name[NS_PORT_NAME], device[NS_PORT_NAME];
	uint16_t port = 99;
	unsigned n = 0;

	setup();
	CU_ASSERT_EQUAL(ns_port_find("net_ring0", &port, &err), 0);
	CU_ASSERT_EQUAL(port, ring_port);
	CU_ASSERT_EQUAL(ns_port_find("0", &port, &err), 0);
	CU_ASSERT_EQUAL(port, 0);
	CU_ASSERT_EQUAL(ns_port_find("00", &port, &err), -ENODEV);
	CU_ASSERT_EQUAL(ns_port_find("", &port, &err), -ENODEV);
	CU_ASSERT_EQUAL(ns_port_find("net_nul", &port, &err), -ENODEV);
	CU_ASSERT_STRING_EQUAL(err.text,
		"there is no port \"net_nul\"; there are: 0 net_null0, 1 net_ring0, 2 net_null1");
	ns_port_names(ring_port, name, device);
	CU_ASSERT_STRING_EQUAL(name, "net_ring0");
	CU_ASSERT_STRING_EQUAL(device, "net_ring0");
	ns_port_names(30, name, device);
	CU_ASSERT_STRING_EQUAL(name, "port 30");
	ns_port_each_name(count_names, &n);
	CU_ASSERT_EQUAL(n, 3);
}

static void one_sender(void)
{
	setup();
	struct ns_send *s = ns_send_open(null_port, "mirror 1", &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_PTR_NULL(ns_send_open(null_port, "replay 2", &err));
	CU_ASSERT_EQUAL(errno, EBUSY);
	CU_ASSERT_STRING_EQUAL(err.text, "port \"net_null0\" is sent to by mirror 1 already");
	ns_send_close(s);
	s = ns_send_open(null_port, "replay 2", &err);
	CU_ASSERT_PTR_NOT_NULL(s);
	ns_send_close(s);
	CU_ASSERT_PTR_NULL(ns_send_open(shut_port, "replay 3", &err));
	CU_ASSERT_EQUAL(errno, ENOTSUP);
	CU_ASSERT_STRING_EQUAL(
		err.text, "port \"net_null1\" is not open: it is none of engine.targets");
	CU_ASSERT_PTR_NULL(ns_send_open(31, "replay 4", &err));
	CU_ASSERT_EQUAL(errno, ENODEV);
	ns_send_close(NULL);
}

static void what_fits(void)
{
	uint8_t frame[2000] = {0};

	setup();
	struct ns_send *s = ns_send_open(null_port, "x", &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(ns_send_fits(s, frame, 13), -EINVAL);
	CU_ASSERT_EQUAL(ns_send_fits(s, frame, 14), 0);
	CU_ASSERT_EQUAL(ns_send_fits(s, frame, 1514), 0);
	CU_ASSERT_EQUAL(ns_send_fits(s, frame, 1515), -EMSGSIZE);
	frame[12] = 0x81;
	CU_ASSERT_EQUAL(ns_send_fits(s, frame, 1518), 0);
	CU_ASSERT_EQUAL(ns_send_fits(s, frame, 1519), -EMSGSIZE);
	CU_ASSERT_EQUAL(ns_send_frame_max(s), 1518);
	ns_send_close(s);
}

static uint32_t length(unsigned i)
{
	return 14 + i * 7 % 1400;
}

/* What was sent into a ring comes out of it as it was; returns how many. */
static unsigned receive(unsigned from)
{
	struct rte_mbuf *m[64];
	unsigned n = 0, wrong = 0;
	uint16_t k;

	while ((k = rte_eth_rx_burst(ring_port, 0, m, 64)) > 0) {
		for (uint16_t i = 0; i < k; i++, n++) {
			const uint8_t *p = rte_pktmbuf_mtod(m[i], const uint8_t *);

			wrong += m[i]->pkt_len != length(from + n) || m[i]->nb_segs != 1;
			for (uint32_t o = 0; o < m[i]->data_len; o++)
				wrong += p[o] != (uint8_t)(from + n);
			rte_pktmbuf_free(m[i]);
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
	return n;
}

static void put(struct ns_send *s, unsigned i)
{
	uint8_t frame[1500];

	memset(frame, (int)i, sizeof(frame));
	ns_send_put(s, frame, length(i));
}

static void octets_and_counts(void)
{
	struct ns_send_counts n;
	uint64_t octets = 0;

	setup();
	struct ns_send *s = ns_send_open(ring_port, "x", &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (unsigned i = 0; i < 100; i++) {
		put(s, i);
		octets += length(i);
	}
	/* those of the last burst wait */
	CU_ASSERT_EQUAL(receive(0), 96);
	ns_send_flush(s);
	ns_send_flush(s);
	CU_ASSERT_EQUAL(receive(96), 4);
	ns_send_counts(s, &n);
	CU_ASSERT_EQUAL(n.sent, 100);
	CU_ASSERT_EQUAL(n.octets, octets);
	CU_ASSERT_EQUAL(n.full, 0);
	ns_send_close(s);
}

/* The ring takes 1023, there are as many buffers: the rest is counted, none waits for ever. */
static void a_full_port(void)
{
	struct ns_send_counts n;

	setup();
	struct ns_send *s = ns_send_open(ring_port, "x", &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (unsigned i = 0; i < 3000; i++)
		put(s, i);
	ns_send_flush(s);
	ns_send_counts(s, &n);
	CU_ASSERT_EQUAL(n.sent + n.full, 3000);
	CU_ASSERT_EQUAL(n.sent, 1023);
	CU_ASSERT_EQUAL(receive(0), 1023);
	/* it takes some again */
	for (unsigned i = 0; i < 64; i++)
		put(s, i);
	ns_send_flush(s);
	ns_send_counts(s, &n);
	CU_ASSERT_EQUAL(n.sent, 1023 + 64);
	CU_ASSERT_EQUAL(receive(0), 64);
	put(s, 0);
	ns_send_close(s);
	CU_ASSERT_EQUAL(receive(0), 1);
}

static void the_end(void)
{
	setup();
	for (uint16_t p = 0; p < 2; p++) {
		CU_ASSERT_EQUAL(rte_eth_dev_stop(p), 0);
		CU_ASSERT_EQUAL(rte_eth_dev_close(p), 0);
	}
	CU_ASSERT_PTR_NOT_NULL(rte_mempool_lookup("ns_send0"));
	ns_send_fini();
	CU_ASSERT_PTR_NULL(rte_mempool_lookup("ns_send0"));
	ns_send_fini();
}

NS_TEST_MAIN({"names", names}, {"one sender", one_sender}, {"what fits", what_fits},
	{"octets and counts", octets_and_counts}, {"a full port", a_full_port},
	{"the end", the_end})
