/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev_priv.h"
#include "ns_test.h"
#include "ns_test_eal.h"

#include <rte_cycles.h>

#include <pthread.h>

#define HZ UINT64_C(2900000000)
#define T0 UINT64_C(1700000000000000000)

static uint64_t ticks(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * HZ / NS_SEC_NS);
}

static uint64_t diff(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* A clock of HZ ticks a second that stood at 5000 ticks at T0. */
static struct eth_clock make(void)
{
	struct eth_clock c = {.port = ETH_CLOCK_TSC, .seq = 2};

	c.mult0 = (uint64_t)(((unsigned __int128)NS_SEC_NS << 32) / HZ);
	c.line = (struct eth_clock_line){.tick = 5000, .ns = T0, .mult = c.mult0};
	return c;
}

static void line(void)
{
	struct eth_clock c = make();

	CU_ASSERT_EQUAL(eth_clock_ns(&c.line, 5000), T0);
	/* A day from the anchor: below a part in 10^9. */
	CU_ASSERT(diff(eth_clock_ns(&c.line, 5000 + ticks(86400 * NS_SEC_NS)),
			  T0 + 86400 * NS_SEC_NS) < 86400);
	/* Before the anchor: a burst read the counter just before the anchor moved. */
	CU_ASSERT(diff(eth_clock_ns(&c.line, 5000 - 2900), T0 - 1000) <= 1);
}

static void follows_the_system(void)
{
	struct eth_clock c = make();
	struct eth_clock_view v = {0};
	uint64_t tick = 5000, ns = T0;

	/* The system's second is 100 ppm shorter than the counter's first estimate. */
	for (unsigned i = 0; i < 10; i++) {
		tick += HZ;
		ns += NS_SEC_NS - 100000;
		eth_clock_anchor(&c, tick, ns, NS_SEC_NS / 2);
	}
	eth_clock_look(&c, &v);
	CU_ASSERT_EQUAL(v.seq, c.seq);
	CU_ASSERT(diff(eth_clock_ns(&v.line, tick + HZ), ns + NS_SEC_NS - 100000) < 10);
}

static void a_set_clock_is_no_speed(void)
{
	struct eth_clock c = make();
	uint64_t jump = T0 + NS_SEC_NS + 3600 * NS_SEC_NS;

	eth_clock_anchor(&c, 5000 + HZ, jump, NS_SEC_NS / 2);
	CU_ASSERT_EQUAL(c.line.ns, jump);
	CU_ASSERT_EQUAL(c.line.mult, c.mult0);
	eth_clock_anchor(&c, 5000 + 2 * HZ, T0, NS_SEC_NS / 2);
	CU_ASSERT_EQUAL(c.line.ns, T0);
	CU_ASSERT_EQUAL(c.line.mult, c.mult0);
}

static void too_soon_changes_nothing(void)
{
	struct eth_clock c = make();

	eth_clock_anchor(&c, 5000 + HZ / 4, T0 + 1, NS_SEC_NS / 2);
	CU_ASSERT_EQUAL(c.seq, 2);
	eth_clock_anchor(&c, 4000, T0 + 1, 0);
	CU_ASSERT_EQUAL(c.seq, 2);
}

static void half_written_is_left_alone(void)
{
	struct eth_clock c = make();
	struct eth_clock_view v = {.seq = 2, .line = c.line};

	c.seq = 3;
	c.line.ns = 1;
	eth_clock_look(&c, &v);
	CU_ASSERT_EQUAL(v.line.ns, T0);
	c.seq = 4;
	eth_clock_look(&c, &v);
	CU_ASSERT_EQUAL(v.line.ns, 1);
}

static bool writing;

static void *write_pairs(void *arg)
{
	struct eth_clock *c = arg;

	for (uint64_t i = 1; i <= 200000; i++)
		eth_clock_anchor(c, 5000 + i * HZ, T0 + i * NS_SEC_NS, 0);
	__atomic_store_n(&writing, false, __ATOMIC_RELEASE);
	return NULL;
}

/* All anchors lie on one line: a view made of two halves would not. */
static void readers_see_whole_anchors(void)
{
	struct eth_clock c = make();
	struct eth_clock_view v = {0};
	uint64_t worst = 0;
	pthread_t t;

	eth_clock_look(&c, &v);
	writing = true;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, write_pairs, &c), 0);
	while (__atomic_load_n(&writing, __ATOMIC_ACQUIRE)) {
		uint64_t i;

		eth_clock_look(&c, &v);
		i = (v.line.ns - T0) / NS_SEC_NS;
		worst = NS_MAX(worst, diff(v.line.tick, 5000 + i * HZ));
	}
	pthread_join(t, NULL);
	CU_ASSERT_EQUAL(worst, 0);
}

static void real_counter(void)
{
	struct eth_clock c;
	struct eth_clock_view v = {0};
	uint64_t last = 0;
	bool back = false;

	ns_test_eal();
	CU_ASSERT_EQUAL_FATAL(eth_clock_init(&c, ETH_CLOCK_TSC), 0);
	eth_clock_look(&c, &v);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t now = eth_clock_ns(&v.line, rte_rdtsc());

		back = back || now < last;
		last = now;
	}
	CU_ASSERT_FALSE(back);
	CU_ASSERT(diff(last, ns_clock_real()) < NS_SEC_NS);
	CU_ASSERT_EQUAL(eth_clock_init(&c, RTE_MAX_ETHPORTS - 1), -ENOTSUP);
}

NS_TEST_MAIN({"line", line}, {"follows the system", follows_the_system},
	{"a set clock is no speed", a_set_clock_is_no_speed},
	{"too soon changes nothing", too_soon_changes_nothing},
	{"half written is left alone", half_written_is_left_alone},
	{"readers see whole anchors", readers_see_whole_anchors}, {"real counter", real_counter})
