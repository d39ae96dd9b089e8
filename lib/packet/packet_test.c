/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test.h"
#include "ns_test_eal.h"

#include <ns_packet.h>

#include <rte_mempool.h>

#include <string.h>

/* The key is hashed and compared as octets: no hole that nobody writes may be in it. */
static void tuple_has_no_holes(void)
{
	struct ns_tuple t;
	uint8_t *octets = (uint8_t *)&t;

	memset(&t, 0xff, sizeof(t));
	memset(t.a, 0, sizeof(t.a));
	memset(t.b, 0, sizeof(t.b));
	memset(t.vlan, 0, sizeof(t.vlan));
	t.pa = t.pb = 0;
	t.proto = t.ver = t.tunnel = t.zero = 0;
	t.tunnel_id = 0;
	for (size_t i = 0; i < sizeof(t); i++)
		CU_ASSERT_EQUAL(octets[i], 0);
}

/* The view lies between the mbuf and its data, in each mbuf of a pool made with NS_PACKET_PRIV. */
static void view_in_the_mbuf(void)
{
	enum { MBUFS = 31 };
	struct rte_mbuf *m[MBUFS];

	ns_test_eal();
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"view", MBUFS, 0, NS_PACKET_PRIV, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	CU_ASSERT(NS_PACKET_PRIV >= sizeof(struct ns_packet));
	CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_alloc_bulk(pool, m, MBUFS), 0);
	for (unsigned i = 0; i < MBUFS; i++) {
		uint8_t *view = (uint8_t *)ns_packet(m[i]);

		CU_ASSERT(view >= (uint8_t *)(m[i] + 1));
		CU_ASSERT(view + sizeof(struct ns_packet) <= (uint8_t *)m[i]->buf_addr);
		CU_ASSERT_EQUAL((uintptr_t)view % _Alignof(struct ns_packet), 0);
		memset(view, (int)i + 1, sizeof(struct ns_packet));
		memset(m[i]->buf_addr, 0xee, m[i]->buf_len);
		CU_ASSERT_PTR_EQUAL(
			ns_packet_data(m[i]), (uint8_t *)m[i]->buf_addr + RTE_PKTMBUF_HEADROOM);
	}
	for (unsigned i = 0; i < MBUFS; i++) {
		CU_ASSERT_EQUAL(ns_packet(m[i])->tuple.a[0], i + 1);
		CU_ASSERT_EQUAL(((uint8_t *)ns_packet(m[i]))[0], i + 1);
	}
	rte_pktmbuf_free_bulk(m, MBUFS);
	CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), MBUFS);
	rte_mempool_free(pool);
}

NS_NOTE_REGISTER(note_seen, "seen", "for tests")

static void counting(void)
{
	struct ns_counters set = {{0}};

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	ns_count(&set, &note_seen);
	ns_count(&set, &note_seen);
	for (unsigned i = 0; i < NS_COUNTER_MAX; i++)
		CU_ASSERT_EQUAL(set.v[i], i == note_seen.id ? 2 : 0);
}

NS_TEST_MAIN({"tuple has no holes", tuple_has_no_holes}, {"view in the mbuf", view_in_the_mbuf},
	{"counting", counting})
