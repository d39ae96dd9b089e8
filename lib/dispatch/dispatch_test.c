/* SPDX-License-Identifier: BSD-3-Clause */
/* Every packet to the worker that owns its bucket, or a drop with a name. */
#include "ns_test.h"
#include "ns_test_eal.h"
#include "ns_test_rte_alloc.h"

#include <ns_dispatch.h>
#include <ns_registry.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define N 256

struct test_packet {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
};

static struct test_packet packets[N];
static struct ns_counters counters;

/* Mixes its argument so that hashes are spread. */
static uint32_t spread(uint32_t i)
{
	uint64_t h = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)((h ^ (h >> 29)) * UINT64_C(0xbf58476d1ce4e5b9) >> 32);
}

static void rings(struct rte_ring **ring, unsigned n, unsigned size)
{
	ns_test_eal();
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	memset(&counters, 0, sizeof(counters));
	for (unsigned w = 0; w < n; w++) {
		char name[32];

		snprintf(name, sizeof(name), "test_%u", w);
		ring[w] = rte_ring_create(name, size, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
		CU_ASSERT_PTR_NOT_NULL_FATAL(ring[w]);
	}
}

static void rings_free(struct rte_ring **ring, unsigned n)
{
	for (unsigned w = 0; w < n; w++)
		rte_ring_free(ring[w]);
}

static void burst_of(struct rte_mbuf **m, uint16_t n, uint32_t first)
{
	for (uint16_t i = 0; i < n; i++) {
		m[i] = &packets[i].m;
		ns_packet(m[i])->hash = spread(first + i);
		ns_packet(m[i])->ts_ns = first + i;
	}
}

/* Packets come out of the ring of their bucket's owner, in the order they went in. */
static void to_their_owner(void)
{
	static const unsigned counts[] = {1, 2, 3, 5, 64};

	for (unsigned k = 0; k < NS_ARRAY_LEN(counts); k++) {
		struct ns_dispatch_conf conf = {.buckets = 512, .ring = 1024};
		struct rte_ring *ring[NS_WORKERS_MAX];
		unsigned workers = counts[k];
		struct rte_mbuf *m[N];
		uint64_t sent = 0;

		rings(ring, workers, 1024);
		struct ns_dispatch *d = ns_dispatch_create(&conf, ring, workers, k & 1);

		CU_ASSERT_PTR_NOT_NULL_FATAL(d);
		for (uint32_t first = 0; first < 20 * N; first += N) {
			burst_of(m, N, first);
			CU_ASSERT_EQUAL(ns_dispatch_burst(d, m, N, &counters), 0);
			ns_dispatch_flush(d);
			unsigned got = 0;

			for (unsigned w = 0; w < workers; w++) {
				uint64_t last = 0;
				void *obj;

				while (rte_ring_sc_dequeue(ring[w], &obj) == 0) {
					const struct ns_packet *p = ns_packet(obj);
					uint32_t b = ns_bucket(p->hash, conf.buckets);

					CU_ASSERT_EQUAL(ns_dispatch_worker(d, b), w);
					CU_ASSERT(last == 0 || p->ts_ns > last);
					last = p->ts_ns;
					got++;
				}
			}
			CU_ASSERT_EQUAL(got, N);
		}
		for (unsigned w = 0; w < workers; w++) {
			sent += ns_dispatch_sent(d, w);
			CU_ASSERT_EQUAL(ns_dispatch_dropped(d, w), 0);
		}
		CU_ASSERT_EQUAL(sent, 20 * N);
		CU_ASSERT_EQUAL(counters.v[ns_drop_ring_full.id], 0);
		ns_dispatch_destroy(d);
		rings_free(ring, workers);
	}
}

static void shares(void)
{
	for (uint32_t buckets = 64; buckets <= 65536; buckets *= 2) {
		for (unsigned workers = 1; workers <= NS_WORKERS_MAX; workers++) {
			struct ns_dispatch_conf conf = {.buckets = buckets, .ring = 64};
			struct rte_ring *ring[NS_WORKERS_MAX] = {NULL};
			uint32_t own[NS_WORKERS_MAX] = {0}, sum = 0, wrong = 0;

			ns_test_eal();
			struct ns_dispatch *d = ns_dispatch_create(&conf, ring, workers, false);

			CU_ASSERT_PTR_NOT_NULL_FATAL(d);
			for (uint32_t b = 0; b < buckets; b++) {
				unsigned w = ns_dispatch_worker(d, b);

				wrong += w >= workers;
				own[w % NS_WORKERS_MAX]++;
			}
			for (unsigned w = 0; w < workers; w++) {
				uint32_t share = ns_dispatch_share(buckets, workers, w);

				wrong += own[w] != share;
				sum += share;
				CU_ASSERT(share >= buckets / workers);
				CU_ASSERT(share <= buckets / workers + 1);
			}
			CU_ASSERT_EQUAL(wrong, 0);
			CU_ASSERT_EQUAL(sum, buckets);
			ns_dispatch_destroy(d);
		}
	}
}

static void buckets(void)
{
	CU_ASSERT_EQUAL(ns_bucket(0, 512), 0);
	CU_ASSERT_EQUAL(ns_bucket(UINT32_MAX, 512), 511);
	CU_ASSERT_EQUAL(ns_bucket(UINT32_MAX, 65536), 65535);
	CU_ASSERT_EQUAL(ns_bucket(1u << 31, 64), 32);
	unsigned got[64] = {0};

	for (uint32_t i = 0; i < 64000; i++)
		got[ns_bucket(spread(i), 64)]++;
	for (unsigned b = 0; b < 64; b++) /* six standard deviations of 31 */
		CU_ASSERT(got[b] > 1000 - 190 && got[b] < 1000 + 190);
}

/* Live: what finds its ring full comes back in front, all of it and nothing else, and is counted.
 */
static void full_rings(void)
{
	struct ns_dispatch_conf conf = {.buckets = 64, .ring = 64};
	struct rte_ring *ring[3];
	struct rte_mbuf *m[N];
	uint8_t met[N] = {0};

	rings(ring, 3, 64);
	struct ns_dispatch *d = ns_dispatch_create(&conf, ring, 3, false);

	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	burst_of(m, N, 0);
	uint16_t back = ns_dispatch_burst(d, m, N, &counters);

	/* a ring of 64 holds 63 */
	CU_ASSERT_EQUAL(back, N - 3 * 63);
	CU_ASSERT_EQUAL(counters.v[ns_drop_ring_full.id], back);
	for (uint16_t i = 0; i < back; i++)
		met[ns_packet(m[i])->ts_ns]++;
	uint64_t sent = 0, dropped = 0;

	for (unsigned w = 0; w < 3; w++) {
		void *obj;

		sent += ns_dispatch_sent(d, w);
		dropped += ns_dispatch_dropped(d, w);
		while (rte_ring_sc_dequeue(ring[w], &obj) == 0)
			met[ns_packet(obj)->ts_ns]++;
	}
	CU_ASSERT_EQUAL(sent, 3 * 63);
	CU_ASSERT_EQUAL(dropped, back);
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_EQUAL(met[i], 1);
	/* and there is room again */
	burst_of(m, 64, 0);
	CU_ASSERT_EQUAL(ns_dispatch_burst(d, m, 64, &counters), 0);
	CU_ASSERT_EQUAL(ns_dispatch_burst(d, m, 0, &counters), 0);
	ns_dispatch_destroy(d);
	rings_free(ring, 3);
}

struct consumer {
	struct rte_ring *ring;
	uint64_t sum, n;
	bool over; /* atomic */
};

static void *consume(void *arg)
{
	struct consumer *c = arg;
	void *obj[16];

	for (;;) {
		bool over = __atomic_load_n(&c->over, __ATOMIC_ACQUIRE);
		unsigned n = rte_ring_sc_dequeue_burst(c->ring, obj, 16, NULL);

		for (unsigned i = 0; i < n; i++)
			c->sum += (uint64_t)(uintptr_t)obj[i];
		c->n += n;
		if (n == 0 && over)
			return NULL;
		if (n == 0)
			sched_yield();
	}
}

/* File mode: a full ring is waited for, whoever empties it. */
static void waits(void)
{
	enum { ALL = 40000, POOL = 512 };
	static struct test_packet pool[POOL] __attribute__((aligned(64)));
	struct ns_dispatch_conf conf = {.buckets = 64, .ring = 64};
	struct rte_ring *ring[2];
	struct consumer c[2] = {0};
	pthread_t thread[2];
	struct rte_mbuf *m[N];
	uint64_t n = 0, want[2] = {0};

	rings(ring, 2, 64);
	struct ns_dispatch *d = ns_dispatch_create(&conf, ring, 2, true);

	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	for (unsigned w = 0; w < 2; w++) {
		c[w].ring = ring[w];
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[w], NULL, consume, &c[w]), 0);
	}
	/* consumers add up the pointers, as the packets are used again at once */
	for (unsigned i = 0; i < POOL; i++)
		ns_packet(&pool[i].m)->hash = spread(i);
	while (n < ALL) {
		for (unsigned i = 0; i < N; i++, n++) {
			m[i] = &pool[n % POOL].m;
			want[ns_dispatch_worker(d, ns_bucket(ns_packet(m[i])->hash, 64))] +=
				(uint64_t)(uintptr_t)m[i];
		}
		CU_ASSERT_EQUAL(ns_dispatch_burst(d, m, N, &counters), 0);
	}
	ns_dispatch_flush(d);
	for (unsigned w = 0; w < 2; w++) {
		__atomic_store_n(&c[w].over, true, __ATOMIC_RELEASE);
		pthread_join(thread[w], NULL);
		CU_ASSERT_EQUAL(c[w].n, ns_dispatch_sent(d, w));
		CU_ASSERT_EQUAL(c[w].sum, want[w]);
	}
	CU_ASSERT_EQUAL(c[0].n + c[1].n, n);
	CU_ASSERT_EQUAL(counters.v[ns_drop_ring_full.id], 0);
	ns_dispatch_destroy(d);
	rings_free(ring, 2);
}

/* Few packets wait for more when rings are waited for, and only then; a flush sends them on. */
static void few_stay_behind(void)
{
	struct ns_dispatch_conf conf = {.buckets = 64, .ring = 1024};
	struct rte_ring *ring[4];
	struct rte_mbuf *m[N];
	unsigned inside = 0;

	rings(ring, 4, 1024);
	struct ns_dispatch *d = ns_dispatch_create(&conf, ring, 4, true);

	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	burst_of(m, 8, 0);
	CU_ASSERT_EQUAL(ns_dispatch_burst(d, m, 8, &counters), 0);
	for (unsigned w = 0; w < 4; w++) {
		CU_ASSERT_EQUAL(rte_ring_count(ring[w]), 0);
		CU_ASSERT_EQUAL(ns_dispatch_sent(d, w), 0);
	}
	for (uint32_t first = 8; first < N; first += 8) {
		burst_of(m, 8, first);
		CU_ASSERT_EQUAL(ns_dispatch_burst(d, m, 8, &counters), 0);
	}
	for (unsigned w = 0; w < 4; w++) {
		CU_ASSERT(rte_ring_count(ring[w]) >= 32);
		CU_ASSERT_EQUAL(ns_dispatch_sent(d, w), rte_ring_count(ring[w]));
	}
	ns_dispatch_flush(d);
	ns_dispatch_flush(d);
	for (unsigned w = 0; w < 4; w++) {
		inside += rte_ring_count(ring[w]);
		CU_ASSERT_EQUAL(ns_dispatch_sent(d, w), rte_ring_count(ring[w]));
	}
	CU_ASSERT_EQUAL(inside, N);
	ns_dispatch_destroy(d);

	d = ns_dispatch_create(&conf, ring, 4, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	burst_of(m, 1, 0);
	CU_ASSERT_EQUAL(ns_dispatch_burst(d, m, 1, &counters), 0);
	inside = 0;
	for (unsigned w = 0; w < 4; w++)
		inside += rte_ring_count(ring[w]);
	CU_ASSERT_EQUAL(inside, N + 1);
	ns_dispatch_flush(d);
	ns_dispatch_destroy(d);
	rings_free(ring, 4);
}

static void refused(void)
{
	static const struct ns_dispatch_conf conf = {.buckets = 512, .ring = 64};
	struct rte_ring *ring[NS_WORKERS_MAX + 1] = {NULL};
	unsigned n;

	ns_test_eal();
	CU_ASSERT_PTR_NULL(ns_dispatch_create(&conf, ring, 0, false));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(ns_dispatch_create(&conf, ring, NS_WORKERS_MAX + 1, false));
	CU_ASSERT_EQUAL(errno, EINVAL);
	ns_dispatch_destroy(NULL);

	size_t before = ns_test_rte_used();

	for (n = 1; n < 20; n++) {
		ns_test_rte_fail(n);
		struct ns_dispatch *d = ns_dispatch_create(&conf, ring, 4, false);

		if (ns_test_rte_done()) {
			ns_dispatch_destroy(d);
			break;
		}
		CU_ASSERT_PTR_NULL(d);
		CU_ASSERT_EQUAL(errno, ENOMEM);
		CU_ASSERT_EQUAL(ns_test_rte_used(), before);
		ns_dispatch_destroy(d);
	}
	CU_ASSERT(n > 2);
	CU_ASSERT_EQUAL(ns_test_rte_used(), before);
}

static void bad_values(void)
{
	static const char *const bad[] = {"dispatch.buckets=63", "dispatch.buckets=32",
		"dispatch.buckets=131072", "dispatch.buckets=100", "dispatch.ring=0",
		"dispatch.ring=1000", "dispatch.ring=2097152"};
	static const char *const good[] = {"dispatch.buckets=64", "dispatch.buckets=65536",
		"dispatch.ring=64", "dispatch.ring=1048576"};
	struct ns_err e;

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++)
		CU_ASSERT_PTR_NULL(ns_conf_load(NULL, &bad[i], 1, &e));
	for (unsigned i = 0; i < NS_ARRAY_LEN(good); i++) {
		struct ns_conf *c = ns_conf_load(NULL, &good[i], 1, &e);

		CU_ASSERT_PTR_NOT_NULL(c);
		ns_conf_destroy(c);
	}
}

NS_TEST_MAIN({"to their owner", to_their_owner}, {"shares", shares}, {"buckets", buckets},
	{"full rings drop", full_rings}, {"full rings are waited for", waits},
	{"few packets stay behind", few_stay_behind}, {"bad arguments and no memory", refused},
	{"bad values are refused", bad_values})
