/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A real port: net_pcap gives the packets of a file again and again. Receiving and freeing alone,
 * as testpmd does with rxonly, stands beside the core set through the source "ethdev", on the same
 * port and CPU, by turns. And receiving alone from net_null, which is the least a port can cost.
 */
#include "gen.h"
#include "perf_bench.h"
#include "perf_loop.h"

#include <ns_source.h>

#include <rte_errno.h>
#include <rte_ethdev.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLOWS 50000u /* one packet each */

struct port {
	struct perf_lcore *l;
	struct perf_bed *bed;
	const struct ns_source_ops *ops;
	struct ns_source *source;
	uint16_t id;
};

enum what { RX_ONLY, SOURCE, CORE, KINDS };
static const char *const what_names[KINDS] = {
	"port rxonly", "port through the source", "port rtc core"};

static void burst(struct port *p, enum what what)
{
	struct rte_mbuf *m[PERF_BURST], *more[PERF_BURST + NS_DEFRAG_RELEASE], **out;
	struct perf_stamps s = {0};
	struct perf_lcore *l = p->l;
	uint16_t n;

	if (what == RX_ONLY) {
		n = rte_eth_rx_burst(p->id, 0, m, PERF_BURST);
		rte_pktmbuf_free_bulk(m, n);
		return;
	}
	n = p->ops->burst(p->source, 0, m, PERF_BURST);
	if (what == SOURCE || n == 0) {
		rte_pktmbuf_free_bulk(m, n);
		return;
	}
	p->bed->clock_ns = ns_packet(m[n - 1])->clock_ns;
	perf_count_received(l, m, n);
	n = perf_decode(l, m, n, more, &out);
	for (uint16_t i = 0, k; i < n; i = (uint16_t)(i + k)) {
		k = (uint16_t)NS_MIN(n - i, (int)NS_TASK_BURST);
		perf_analyse(l, p->bed, out + i, k, PERF_ALL, &s);
	}
}

static double cost(struct port *p, enum what what, uint64_t packets)
{
	uint64_t ticks = 0, seen = 0, step = 1024;

	if (what == CORE) {
		ns_flow_epoch(p->bed->table, ++p->bed->epoch);
		ns_tasks_reset(p->l->tasks->tasks, p->l->tasks->state);
	}
	for (uint64_t tried = 0; seen < packets && tried < PERF_TRIES * packets; tried += step) {
		perf_interrupted();
		uint64_t t = perf_ticks();

		for (uint64_t i = 0; i < step; i += PERF_BURST) {
			burst(p, what);
			if (what == CORE && i / PERF_BURST % PERF_AGE_EVERY == 0)
				ns_flow_age(p->bed->table, p->bed->clock_ns);
		}
		t = perf_ticks() - t;
		p->l->rounds++;
		if (perf_interrupted()) {
			p->l->interrupted++;
			continue;
		}
		ticks += t;
		seen += step;
	}
	if (what == CORE)
		ns_tasks_flush(p->l->tasks->lcore, p->l->tasks->state);
	return (double)ticks * p->l->tsc_ns / (double)NS_MAX(seen, 1);
}

static int open_port(struct port *p, const char *target, const char *device,
	struct rte_mempool *pool, struct ns_err *e)
{
	const struct ns_plugin *plugin = ns_plugin_find(NS_SOURCE_KIND, "ethdev");
	struct ns_source_args args = {
		.targets = &target, .targets_n = 1, .conf = p->l->conf, .pool = pool, .queues = 1};

	if (plugin == NULL)
		return ns_fail(e, ENOENT, "there is no source \"ethdev\"");
	p->ops = plugin->ops;
	p->source = p->ops->open(&args, e);
	if (p->source == NULL)
		return -errno;
	if (rte_eth_dev_get_port_by_name(device, &p->id) != 0)
		return ns_fail(e, ENODEV, "%s: no such port", device);
	return 0;
}

static void close_port(struct port *p)
{
	if (p->source == NULL)
		return;
	if (p->ops->stop != NULL)
		p->ops->stop(p->source);
	p->ops->close(p->source);
	p->source = NULL;
}

static void rounds(struct perf_bench *b, struct port *p)
{
	unsigned from = b->a.n;
	const struct perf_line *line[KINDS];

	cost(p, CORE, 4 * FLOWS);
	for (unsigned r = 0; r < b->o.rounds; r++) {
		for (unsigned w = 0; w < KINDS; w++)
			perf_add(&b->a, "net_pcap", p->bed, PERF_UNIFORM, false, what_names[w],
				cost(p, w, b->o.packets));
	}
	perf_print(&b->a, from, stdout);
	for (unsigned w = 0; w < KINDS; w++)
		line[w] = perf_like(&b->a, &b->a.line[from], what_names[w]);
	perf_bar(&b->a, "core set of what rxonly receives on the same port", "",
		1 / perf_ratio(line[CORE], line[RX_ONLY]), PERF_AT_LEAST, 1.0 / 3);
}

static int with_pcap(
	struct perf_bench *b, struct port *p, struct rte_mempool *pool, struct ns_err *e)
{
	char file[] = "/tmp/ns-perf-XXXXXX", target[128];
	int fd = mkstemp(file), rc;

	if (fd < 0)
		return ns_fail(e, errno, "%s: %s", file, strerror(errno));
	close(fd);
	rc = gen_udp64(file, FLOWS, FLOWS, 1.0, 1);
	if (rc < 0)
		ns_fail(e, -rc, "%s: %s", file, strerror(-rc));
	snprintf(target, sizeof(target), "net_pcap0,rx_pcap=%s,infinite_rx=1", file);
	rc = rc < 0 ? rc : open_port(p, target, "net_pcap0", pool, e);
	unlink(file);
	if (rc == 0)
		rounds(b, p);
	close_port(p);
	return rc;
}

static int with_null(
	struct perf_bench *b, struct port *p, struct rte_mempool *pool, struct ns_err *e)
{
	int rc = open_port(p, "net_null0,size=60,copy=1", "net_null0", pool, e);

	for (unsigned r = 0; rc == 0 && r < b->o.rounds; r++)
		perf_add(&b->a, "net_null", p->bed, PERF_UNIFORM, false, what_names[RX_ONLY],
			cost(p, RX_ONLY, b->o.packets));
	if (rc == 0)
		perf_print(&b->a, b->a.n - 1, stdout);
	close_port(p);
	return rc;
}

int perf_port(struct perf_bench *b, struct ns_err *e)
{
	struct perf_bed_conf c = {.flows = FLOWS, .pps = b->o.pps};
	struct port p = {.l = &b->l};
	uint8_t *memory = NULL;
	size_t size = 0;
	/* net_pcap keeps all packets, and a ring's worth of them is under way */
	struct rte_mempool *pool = perf_pool("perf_port", FLOWS + 8192, &memory, &size);
	int rc = pool != NULL ? 0 : ns_fail(e, rte_errno, "no memory for packets");

	if (rc == 0) {
		p.bed = perf_bed_create(&c, &b->l, 0);
		rc = p.bed != NULL ? 0 : ns_fail(e, errno, "no flow table: %s", strerror(errno));
	}
	b->l.tasks = b->core;
	rc = rc < 0 ? rc : with_pcap(b, &p, pool, e);
	rc = rc < 0 ? rc : with_null(b, &p, pool, e);
	b->l.tasks = NULL;
	perf_bed_destroy(p.bed);
	rte_mempool_free(pool);
	perf_free(memory, size);
	return rc;
}
