/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet templates. udp64 and imix are one template a kind of flow and size; what makes a packet
 * one of a flow is written into a copy of its head. IMIX is 7 : 4 : 1 packets of 64, 594 and 1518
 * octets with the check sequence; a flow is TCP or UDP, IPv4 or IPv6 for life.
 *
 *   flow number   31          26 25                          2 1  0
 *                 | port's part | host's part of the source   | port|     every number another flow
 *
 * As gen-capture has it: four flows in a row have a source in common, destinations are 4096 and
 * services 512, by a hash of the number.
 */
#include "gen.h"
#include "perf.h"

#include <ns_registry.h>
#include <ns_source.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <stdlib.h>
#include <string.h>

#define CAPTURE_MAX (1u << 18) /* packets */
#define CAPTURE_OCTETS ((size_t)1 << 30)

enum { SIZES = 3, KINDS = 4 }; /* IMIX: templates [kind][size] */

/* IMIX's sizes without the check sequence, by turns. */
static const uint8_t turns[12] = {0, 1, 0, 0, 1, 0, 2, 0, 1, 0, 1, 0};
static const uint16_t sizes[SIZES] = {60, 590, 1514};

static void add_template(struct perf_traffic *t, bool six, bool tcp, uint16_t frame)
{
	static struct gen_packet p;
	struct perf_template *v = &t->v[t->n++];
	struct gen_addr src = six ? gen_ip6(1, 0) : gen_ip4(0x0a000000);
	struct gen_addr dst = six ? gen_ip6(2, 0) : gen_ip4(0xc0a80000);
	struct gen_tcp head = {.sport = 1, .dport = 2, .seq = 1, .ack = 1, .flags = GEN_ACK};
	uint16_t ip = six ? 40 : 20, heads = (uint16_t)(14 + ip + (tcp ? 20 : 8));

	gen_start(&p, NULL, frame > heads ? frame - heads : 0);
	if (tcp)
		gen_tcp(&p, &src, &dst, &head);
	else
		gen_udp(&p, &src, &dst, 1, 2);
	gen_ip(&p, &src, &dst, tcp ? 6 : 17);
	gen_ether(&p, gen_ether_type(&src));
	gen_pad(&p, frame);
	v->len = (uint16_t)gen_len(&p);
	v->wire = v->len;
	v->copy = heads;
	v->src = six ? 14 + 8 + 12 : 14 + 12;
	v->dst = (uint16_t)(v->src + src.size);
	v->ports = (uint16_t)(14 + ip);
	v->linktype = NS_LINKTYPE_ETHERNET;
	v->data = malloc(v->len);
	if (v->data == NULL)
		abort();
	memcpy(v->data, gen_at(&p), v->len);
}

/* Takes what a source has read; it owns its mbufs. */
static int keep(struct perf_traffic *t, struct rte_mbuf *const *m, uint16_t n, size_t *octets)
{
	for (uint16_t i = 0; i < n && t->n < CAPTURE_MAX; i++) {
		const struct ns_packet *p = ns_packet(m[i]);
		struct perf_template *v = &t->v[t->n];
		/* longer ones are cut as by a snap length; nobody looks there */
		uint32_t len = NS_MIN(p->caplen, RTE_MBUF_DEFAULT_DATAROOM);

		if (*octets + len > CAPTURE_OCTETS)
			break;
		v->data = malloc(len + 1);
		if (v->data == NULL)
			return ns_errno_set(ENOMEM);
		memcpy(v->data, ns_packet_data(m[i]), len);
		v->len = v->copy = (uint16_t)len;
		v->wire = (uint16_t)NS_MIN(p->wirelen, UINT16_MAX);
		v->linktype = p->linktype;
		*octets += len;
		t->n++;
	}
	return 0;
}

static int load(struct perf_traffic *t, const char *file, const struct ns_conf *conf,
	struct rte_mempool *pool, struct ns_err *e)
{
	const struct ns_plugin *plugin = ns_plugin_find(NS_SOURCE_KIND, "pcap");
	struct ns_source_args args = {.targets = &file, .targets_n = 1, .conf = conf, .pool = pool};
	struct rte_mbuf *m[PERF_BURST];
	size_t octets = 0;
	int rc = 0;

	if (plugin == NULL)
		return ns_fail(e, ENOENT, "there is no source \"pcap\"");
	const struct ns_source_ops *ops = plugin->ops;
	struct ns_source *s = ops->open(&args, e);

	if (s == NULL)
		return -errno;
	t->v = calloc(CAPTURE_MAX, sizeof(*t->v));
	if (t->v == NULL)
		rc = ns_fail(e, ENOMEM, "no memory");
	for (uint16_t n; rc == 0 && (n = ops->burst(s, 0, m, PERF_BURST)) > 0;) {
		rc = keep(t, m, n, &octets);
		if (ops->release != NULL)
			ops->release(s, m, n);
		else
			rte_pktmbuf_free_bulk(m, n);
		if (t->n == CAPTURE_MAX || octets >= CAPTURE_OCTETS)
			break;
	}
	if (rc < 0)
		ns_fail(e, -rc, "%s: no memory for its packets", file);
	else if (t->n == 0)
		rc = ns_fail(e, ENODATA, "%s: no packets", file);
	ops->close(s);
	return rc;
}

static int capture(struct perf_traffic *t, const char *file, struct ns_err *e)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"perf_load", 4095, 0, NS_PACKET_PRIV, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	struct ns_conf *conf = ns_conf_load(NULL, NULL, 0, e);
	int rc = conf == NULL ? -errno : 0;

	if (pool == NULL)
		rc = ns_fail(e, rte_errno, "no memory for packets");
	if (rc == 0)
		rc = load(t, file, conf, pool, e);
	ns_conf_destroy(conf);
	rte_mempool_free(pool);
	return rc;
}

struct perf_traffic *perf_traffic_create(const char *name, struct ns_err *e)
{
	struct perf_traffic *t = calloc(1, sizeof(*t));
	int rc = 0;

	if (t == NULL)
		return ns_errno_null(ENOMEM);
	t->name = name;
	t->patched = strcmp(name, "udp64") == 0 || strcmp(name, "imix") == 0;
	if (t->patched) {
		t->v = calloc((size_t)KINDS * SIZES, sizeof(*t->v));
		if (t->v == NULL)
			rc = ns_fail(e, ENOMEM, "no memory");
	}
	if (rc == 0 && strcmp(name, "udp64") == 0)
		add_template(t, false, false, 60);
	else if (rc == 0 && t->patched)
		for (unsigned i = 0; i < KINDS * SIZES; i++)
			add_template(
				t, (i / SIZES & 1) != 0, (i / SIZES & 2) != 0, sizes[i % SIZES]);
	else if (rc == 0)
		rc = capture(t, name, e);
	if (rc < 0) {
		perf_traffic_destroy(t);
		return ns_errno_null(-rc);
	}
	return t;
}

void perf_traffic_destroy(struct perf_traffic *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 0; i < t->n; i++)
		free(t->v[i].data);
	free(t->v);
	free(t);
}

const struct perf_template *perf_traffic_write(
	const struct perf_traffic *t, uint64_t i, uint32_t flow, uint8_t *data)
{
	const struct perf_template *v;
	uint64_t luck = gen_mix(flow);

	if (!t->patched) {
		v = &t->v[i % t->n];
		memcpy(data, v->data, v->copy);
		return v;
	}
	if (t->n == 1) {
		v = t->v;
	} else {
		/* 15 of 100 flows are IPv6, 70 TCP */
		unsigned kind = (luck >> 44 & 0xff) < 38 ? 1 : 0;

		kind |= (luck >> 52 & 0xff) < 179 ? 2 : 0;
		v = &t->v[kind * SIZES + turns[i % sizeof(turns)]];
	}
	memcpy(data, v->data, v->copy);
	uint32_t host = 0x0a000000 | (flow / 4 * 0x9e3779u & 0xffffff);
	uint32_t sport = (uint32_t)(luck >> 12 & 0x7f) << 8 | flow >> 26 << 2 | (flow & 3);

	gen_put32(data + v->src, host);
	gen_put16(data + v->dst + 2, (uint16_t)(luck & 0xfff));
	gen_put16(data + v->ports, (uint16_t)(0x8000 | sport));
	gen_put16(data + v->ports + 2, (uint16_t)(0x7000 | (luck >> 32 & 0x1ff)));
	return v;
}
