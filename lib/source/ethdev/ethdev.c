/* SPDX-License-Identifier: BSD-3-Clause */
/* Source "ethdev": packets of DPDK ports. The packet path; see ethdev_priv.h for the picture. */
#include "ethdev_priv.h"

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_prefetch.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A lane is empty at stop when so many polls in a row gave nothing: some drivers need one poll to
 * return what the next one gives. */
#define EMPTY_POLLS 3

/* What a queue reads at most after stop(). More than any port holds back, so nothing that had come
 * is lost; but an end for sources that never run dry. */
#define AFTER_STOP 262144

/* Bursts in a row that the filter may swallow before the caller gets the lcore back. */
#define SWALLOWED 16

#define CLOCK_MIN_NS (NS_SEC_NS / 2)

static void *alloc_cache_aligned(size_t n, size_t size)
{
	size_t len = RTE_ALIGN(NS_MAX(n * size, (size_t)1), (size_t)NS_CACHE_LINE);
	void *p = aligned_alloc(NS_CACHE_LINE, len);

	return p == NULL ? NULL : memset(p, 0, len);
}

void *(*ns_eth_alloc)(size_t n, size_t size) = alloc_cache_aligned;

void eth_note(struct ns_source *s, const char *fmt, ...)
{
	size_t room = sizeof(s->notes) - s->notes_n;
	va_list ap;
	int n;

	if (room < 2)
		return;
	if (s->notes_n > 0) {
		s->notes[s->notes_n++] = '\n';
		room--;
	}
	va_start(ap, fmt);
	n = vsnprintf(s->notes + s->notes_n, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		s->notes_n += NS_MIN((size_t)n, room - 1);
}

/*
 * The room of the view lies in the packet's private area, which only mbufs of our own pool surely
 * have: what a ring brings from elsewhere is copied.
 */
static struct rte_mbuf *own(struct ns_source *s, struct eth_queue *q, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, s->pool, 0, UINT32_MAX);

	rte_pktmbuf_free(m);
	if (copy == NULL)
		ns_stat_add(&q->nombuf, 1);
	return copy;
}

static uint64_t stamp_of(
	const struct ns_source *s, const struct eth_lane *l, const struct rte_mbuf *m, uint64_t now)
{
	uint64_t t;

	if (l->port->stamp == ETH_STAMP_NONE || (m->ol_flags & s->stamp_flag) == 0)
		return now;
	t = *RTE_MBUF_DYNFIELD(m, s->stamp_offset, const rte_mbuf_timestamp_t *);
	switch (l->port->stamp) {
	case ETH_STAMP_US:
		return t * 1000;
	case ETH_STAMP_NS:
		return t;
	default:
		return eth_clock_ns(&l->view.line, t);
	}
}

/* Fills the source's part of the view; leaves out what the filter does. Returns what is kept. */
static uint16_t prepare(struct ns_source *s, struct eth_queue *q, struct eth_lane *l,
	struct rte_mbuf **mb, uint16_t n)
{
	uint64_t now = eth_clock_ns(&q->view.line, rte_rdtsc());
	const struct eth_port *port = l->port;
	const struct ns_filter *filter = __atomic_load_n(&port->filter, __ATOMIC_ACQUIRE);
	uint64_t packets = 0, octets = 0, filtered = 0;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = mb[i];
		struct ns_packet *p;

		if (i + 4 < n)
			rte_mbuf_prefetch_part2(mb[i + 4]);
		if (ns_unlikely(m->pool != s->pool)) {
			m = own(s, q, m);
			if (m == NULL)
				continue;
		}
		/* Not asked for, but a driver may do it: flows without their VLAN would be others.
		 */
		if (ns_unlikely((m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) &&
			rte_vlan_insert(&m) == 0)
			m->ol_flags &= ~(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN);
		/* Too long for one buffer: the first segment is what can be read. */
		if (ns_unlikely(m->nb_segs > 1))
			(void)rte_pktmbuf_linearize(m);
		packets++;
		octets += m->pkt_len;
		if (filter != NULL &&
			!ns_filter_match(filter, ns_packet_data(m), m->data_len, m->pkt_len)) {
			filtered++;
			rte_pktmbuf_free(m);
			continue;
		}
		p = ns_packet(m);
		p->ts_ns = stamp_of(s, l, m, now);
		q->clock_ns = NS_MAX(q->clock_ns, p->ts_ns);
		p->clock_ns = q->clock_ns;
		p->wirelen = m->pkt_len;
		p->caplen = m->data_len;
		p->linktype = port->linktype;
		p->port = port->id;
		p->flags =
			port->rss && (m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0 ? NS_PKT_RSS : 0;
		mb[kept++] = m;
	}
	ns_stat_add(&q->packets, packets);
	ns_stat_add(&q->octets, octets);
	ns_stat_add(&q->filtered, filtered);
	return kept;
}

static void note_drained(struct eth_queue *q)
{
	bool dry = true;

	for (unsigned i = 0; i < q->lanes_n; i++)
		dry = dry && q->lanes[i].empty >= EMPTY_POLLS;
	if (dry || q->after_stop >= AFTER_STOP)
		__atomic_store_n(&q->drained, true, __ATOMIC_RELEASE);
}

static uint16_t poll_lane(struct ns_source *s, struct eth_queue *q, struct eth_lane *l,
	struct rte_mbuf **mb, uint16_t n, bool stopping)
{
	for (unsigned swallowed = 0; swallowed < SWALLOWED; swallowed++) {
		uint16_t k = rte_eth_rx_burst(l->port->id, l->hwq, mb, n);

		if (stopping) {
			l->empty = k > 0 ? 0 : NS_MIN(l->empty + 1, EMPTY_POLLS);
			q->after_stop += k;
		}
		if (k == 0)
			return 0;
		if (l->port->stamp == ETH_STAMP_TICKS)
			eth_clock_look(&l->port->clock, &l->view);
		k = prepare(s, q, l, mb, k);
		if (k > 0)
			return k;
	}
	return 0;
}

static uint16_t ethdev_burst(struct ns_source *s, unsigned queue, struct rte_mbuf **mb, uint16_t n)
{
	struct eth_queue *q = &s->queues[queue];
	bool stopping = __atomic_load_n(&s->stopping, __ATOMIC_ACQUIRE);
	uint16_t k = 0;

	if (ns_unlikely(stopping) && q->drained)
		return 0;
	eth_clock_look(&s->tsc, &q->view);
	for (unsigned i = 0; i < q->lanes_n && k == 0; i++) {
		struct eth_lane *l = &q->lanes[q->next];

		q->next = q->next + 1 == q->lanes_n ? 0 : q->next + 1;
		k = poll_lane(s, q, l, mb, n, stopping);
	}
	if (ns_unlikely(stopping))
		note_drained(q);
	return k;
}

static enum ns_source_status ethdev_status(const struct ns_source *s)
{
	if (!__atomic_load_n(&s->stopping, __ATOMIC_RELAXED))
		return NS_SOURCE_MORE;
	for (unsigned i = 0; i < s->queues_n; i++) {
		if (!__atomic_load_n(&s->queues[i].drained, __ATOMIC_ACQUIRE))
			return NS_SOURCE_MORE;
	}
	return NS_SOURCE_END;
}

static const char *ethdev_message(const struct ns_source *s)
{
	return s->notes;
}

/* A driver may start counting anew when the port starts. */
static uint64_t since(uint64_t now, uint64_t base)
{
	return now >= base ? now - base : now;
}

static void ethdev_stats(struct ns_source *s, struct ns_source_stats *out)
{
	*out = (struct ns_source_stats){0};
	for (unsigned i = 0; i < s->queues_n; i++) {
		const struct eth_queue *q = &s->queues[i];

		out->packets += ns_stat_get(&q->packets);
		out->octets += ns_stat_get(&q->octets);
		out->filtered += ns_stat_get(&q->filtered);
		out->rx_nombuf += ns_stat_get(&q->nombuf);
	}
	for (unsigned i = 0; i < s->ports_n; i++) {
		struct eth_port *p = &s->ports[i];
		struct rte_eth_stats st;

		if (p->stamp == ETH_STAMP_TICKS)
			eth_clock_update(&p->clock, CLOCK_MIN_NS);
		out->imissed += eth_kernel_drops(p);
		if (rte_eth_stats_get(p->id, &st) < 0)
			continue;
		out->imissed += since(st.imissed, p->base.imissed);
		out->ierrors += since(st.ierrors, p->base.ierrors);
		out->rx_nombuf += since(st.rx_nombuf, p->base.rx_nombuf);
	}
	eth_clock_update(&s->tsc, CLOCK_MIN_NS);
}

static unsigned ethdev_queues(const struct ns_source *s)
{
	return s->queues_n;
}

static void ethdev_stop(struct ns_source *s)
{
	__atomic_store_n(&s->stopping, true, __ATOMIC_RELEASE);
}

static void ethdev_close(struct ns_source *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->ports_n; i++)
		eth_port_close(&s->ports[i]);
	ns_profile_destroy(s->profile);
	free(s->queues);
	free(s->lanes);
	free(s->ports);
	free(s);
}

static int deal_lanes(struct ns_source *s, unsigned wanted, struct ns_err *e)
{
	unsigned lanes_n = 0, at = 0;

	for (unsigned i = 0; i < s->ports_n; i++)
		lanes_n += s->ports[i].queues;
	s->queues_n = wanted == 0 ? lanes_n : NS_MIN(wanted, lanes_n);
	s->lanes = ns_eth_alloc(lanes_n, sizeof(*s->lanes));
	s->queues = ns_eth_alloc(s->queues_n, sizeof(*s->queues));
	if (s->lanes == NULL || s->queues == NULL)
		return ns_fail(e, ENOMEM, "no memory for %u queues", s->queues_n);
	for (unsigned q = 0; q < s->queues_n; q++) {
		unsigned lane = 0;

		s->queues[q].lanes = &s->lanes[at];
		for (unsigned i = 0; i < s->ports_n; i++) {
			for (uint16_t h = 0; h < s->ports[i].queues; h++, lane++) {
				if (lane % s->queues_n != q)
					continue;
				s->lanes[at].port = &s->ports[i];
				s->lanes[at++].hwq = h;
				s->queues[q].lanes_n++;
			}
		}
	}
	return 0;
}

static struct ns_profile *ethdev_profile(const struct ns_conf *conf, struct ns_err *e)
{
	const struct eth_conf *c = eth_conf_get(conf);

	if (c->profile == NULL || c->profile[0] == '\0')
		return ns_errno_null(0);
	return ns_profile_load(c->profile, e);
}

static struct ns_source *fail_open(struct ns_source *s)
{
	int err = errno;

	ethdev_close(s);
	return ns_errno_null(err);
}

static struct ns_source *ethdev_open(const struct ns_source_args *args, struct ns_err *e)
{
	const struct eth_conf *conf = eth_conf_get(args->conf);
	struct ns_source *s;

	if (args->targets_n == 0) {
		ns_fail(e, EINVAL, "no port is given");
		return NULL;
	}
	if (args->pool == NULL || rte_pktmbuf_priv_size(args->pool) < sizeof(struct ns_packet)) {
		ns_fail(e, EINVAL, "the pool has no private area for the view of a packet");
		return NULL;
	}
	s = ns_eth_alloc(1, sizeof(*s));
	if (s != NULL)
		s->ports = ns_eth_alloc(args->targets_n, sizeof(*s->ports));
	if (s == NULL || s->ports == NULL) {
		ns_fail(e, ENOMEM, "no memory for %u ports", args->targets_n);
		return fail_open(s);
	}
	s->pool = args->pool;
	s->profile = ethdev_profile(args->conf, e);
	if (s->profile == NULL && errno != 0)
		return fail_open(s);
	if (eth_clock_init(&s->tsc, ETH_CLOCK_TSC) < 0) {
		ns_fail(e, errno, "the CPU's time stamp counter stands still");
		return fail_open(s);
	}
	for (unsigned i = 0; i < args->targets_n; i++) {
		s->ports_n = i + 1;
		if (eth_port_open(s, i, args, conf, e) < 0)
			return fail_open(s);
	}
	if (deal_lanes(s, args->queues, e) < 0)
		return fail_open(s);
	return s;
}

static const struct ns_source_ops ops = {
	.live = true,
	.open = ethdev_open,
	.burst = ethdev_burst,
	.status = ethdev_status,
	.message = ethdev_message,
	.stats = ethdev_stats,
	.queues = ethdev_queues,
	.filter = eth_filter,
	.stop = ethdev_stop,
	.close = ethdev_close,
	.profile = ethdev_profile,
};

static const struct ns_plugin ethdev = {
	.kind = NS_SOURCE_KIND,
	.name = "ethdev",
	.summary = "packets of DPDK ports: NICs, kernel interfaces, rings, files",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(ethdev)
