/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticks to nanoseconds since 1970; see struct eth_clock.
 *
 * An anchor is a pair (tick, system time) read as close together as possible: of several tries the
 * one with the shortest time between two readings of the system's clock wins. The speed comes from
 * two anchors: at the start 20 ms apart (some ppm), then a second or more (below 0.1 ppm).
 */

/* rte_eth_read_clock() is the only way to a port's clock and experimental in 22.11. */
#define ALLOW_EXPERIMENTAL_API

#include "ethdev_priv.h"

#include <rte_cycles.h>

#define TRIES 8
#define FIRST_MS 20
#define PPM_MAX 500 /* more than any oscillator is off: then the system's clock was set */

static int read_tick(const struct eth_clock *c, uint64_t *tick)
{
	if (c->port == ETH_CLOCK_TSC) {
		*tick = rte_rdtsc();
		return 0;
	}
	return rte_eth_read_clock((uint16_t)c->port, tick) < 0 ? -ENOTSUP : 0;
}

static int read_pair(const struct eth_clock *c, uint64_t *tick, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t t, before = ns_clock_real();
		int rc = read_tick(c, &t);
		uint64_t after = ns_clock_real();

		if (rc < 0)
			return rc;
		if (after >= before && after - before < best) {
			best = after - before;
			*tick = t;
			*ns = before + best / 2;
		}
	}
	return best == UINT64_MAX ? -EAGAIN : 0;
}

static uint64_t slope(uint64_t ticks, uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ns << 32) / ticks);
}

/* Not one of the three may be seen before the odd number, nor after the even one. */
static void publish(struct eth_clock *c, uint64_t tick, uint64_t ns, uint64_t mult)
{
	__atomic_store_n(&c->seq, c->seq + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&c->line.tick, tick, __ATOMIC_RELEASE);
	__atomic_store_n(&c->line.ns, ns, __ATOMIC_RELEASE);
	__atomic_store_n(&c->line.mult, mult, __ATOMIC_RELEASE);
	__atomic_store_n(&c->seq, c->seq + 1, __ATOMIC_RELEASE);
}

int eth_clock_init(struct eth_clock *c, int port)
{
	uint64_t t0, t1, ns0, ns1;
	int rc;

	*c = (struct eth_clock){.port = port};
	rc = read_pair(c, &t0, &ns0);
	if (rc < 0)
		return ns_errno_set(-rc);
	rte_delay_us_sleep(FIRST_MS * 1000);
	rc = read_pair(c, &t1, &ns1);
	if (rc < 0)
		return ns_errno_set(-rc);
	if (t1 <= t0 || ns1 <= ns0)
		return ns_errno_set(ENOTSUP); /* a clock that stands still */
	c->mult0 = slope(t1 - t0, ns1 - ns0);
	publish(c, t1, ns1, c->mult0);
	return 0;
}

void eth_clock_anchor(struct eth_clock *c, uint64_t tick, uint64_t ns, uint64_t min_ns)
{
	uint64_t mult = c->line.mult;

	if (tick <= c->line.tick)
		return;
	if (eth_clock_ns(&c->line, tick) - c->line.ns < min_ns)
		return;
	if (ns > c->line.ns) {
		uint64_t m = slope(tick - c->line.tick, ns - c->line.ns);
		uint64_t off = m > c->mult0 ? m - c->mult0 : c->mult0 - m;

		if (off <= c->mult0 / 1000000 * PPM_MAX)
			mult = m;
	}
	publish(c, tick, ns, mult);
}

void eth_clock_update(struct eth_clock *c, uint64_t min_ns)
{
	uint64_t tick, ns;

	if (read_pair(c, &tick, &ns) == 0)
		eth_clock_anchor(c, tick, ns, min_ns);
}
