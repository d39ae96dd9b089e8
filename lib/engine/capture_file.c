/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file of a capture: an interface for each port, by the name that the system has for it, and
 * with each packet the Community ID of its flow. That is found here, on the capture's thread, by
 * decoding the copy once more: the lcores that read know no flows, and have better things to do.
 */
#include "capture.h"

#include <ns_pcapng.h>
#include <ns_port.h>

#include <rte_ethdev.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IFACES_MAX (2 * TAP_PORTS)
#define IDS 1024 /* remembered; a power of two */

struct iface {
	uint16_t port, linktype;
};

/* Flows come in runs: SHA-1 once for each of them will do. */
struct id {
	struct ns_tuple tuple;
	uint16_t flags;
	char text[48];
};

struct capture_file {
	struct ns_pcapng *out;
	const struct ns_decoder *decoder;
	const char *filter;
	uint32_t snaplen;
	struct iface ifaces[IFACES_MAX];
	unsigned ifaces_n;
	/* the copy as a packet; its data lies in the ring */
	struct {
		struct rte_mbuf m;
		uint8_t view[NS_PACKET_PRIV];
	} shadow LINE;
	struct ns_counters notes; /* nobody's */
	struct id ids[IDS];
};

static int add_iface(struct capture_file *f, uint16_t port, uint16_t linktype)
{
	char name[NS_PORT_NAME], device[NS_PORT_NAME];
	unsigned id;

	if (f->ifaces_n == IFACES_MAX)
		return ns_errno_set(E2BIG);
	ns_port_names(port, name, device);

	struct ns_pcapng_if iface = {.name = name,
		.description = strcmp(name, device) == 0 ? NULL : device,
		.filter = f->filter,
		.linktype = linktype,
		.snaplen = f->snaplen};
	int rc = ns_pcapng_interface(f->out, &iface, &id);

	if (rc < 0)
		return rc;
	f->ifaces[f->ifaces_n++] = (struct iface){.port = port, .linktype = linktype};
	return 0;
}

struct capture_file *capture_file_create(const struct capture *c, const struct capture_args *args,
	uint16_t linktype, struct ns_err *e)
{
	struct capture_file *f = aligned_alloc(NS_CACHE_LINE, sizeof(*f));
	uint16_t port;

	if (f == NULL) {
		ns_fail(e, ENOMEM, "no memory for a capture");
		return NULL;
	}
	memset(f, 0, sizeof(*f));
	f->decoder = c->en->decoder;
	f->filter = c->filter;
	f->snaplen = c->tap.snaplen;
	f->out = ns_pcapng_create(c->path, "NetSpectra ns-engine", args->force, e);
	if (f->out == NULL) {
		int err = errno;

		free(f);
		return ns_errno_null(err);
	}
	/* so that a file without packets says what it watched; the buffer has room for them */
	RTE_ETH_FOREACH_DEV(port)
	(void)add_iface(f, port, linktype);
	return f;
}

void capture_file_destroy(struct capture_file *f)
{
	if (f == NULL)
		return;
	ns_pcapng_close(f->out);
	free(f);
}

static int find_iface(struct capture_file *f, const struct tap_rec *r, unsigned *id)
{
	for (unsigned i = 0; i < f->ifaces_n; i++) {
		if (f->ifaces[i].port == r->port && f->ifaces[i].linktype == r->linktype) {
			*id = i;
			return 0;
		}
	}
	*id = f->ifaces_n;
	return add_iface(f, r->port, r->linktype);
}

static void make_id(struct id *id, const struct ns_packet *p)
{
	const struct ns_tuple *t = &p->tuple;
	bool swapped = (p->flags & NS_PKT_SWAPPED) != 0;
	char text[31];

	id->tuple = *t;
	id->flags = p->flags & (NS_PKT_SWAPPED | NS_PKT_PORTS);
	ns_community_id(text, t->ver, swapped ? t->b : t->a, swapped ? t->a : t->b,
		rte_be_to_cpu_16(swapped ? t->pb : t->pa),
		rte_be_to_cpu_16(swapped ? t->pa : t->pb), t->proto,
		(p->flags & NS_PKT_PORTS) != 0);
	snprintf(id->text, sizeof(id->text), "community_id=%s", text);
}

/* The Community ID of the packet's flow as a comment, or NULL: it has none, or was cut too short.
 */
static const char *flow_of(struct capture_file *f, const struct tap_rec *r)
{
	struct rte_mbuf *m = &f->shadow.m;
	struct ns_packet *p = ns_packet(m);

	m->buf_addr = (void *)(uintptr_t)r->data;
	m->data_len = (uint16_t)r->caplen;
	m->pkt_len = r->caplen;
	m->nb_segs = 1;
	memset(p, 0, sizeof(*p));
	p->caplen = r->caplen;
	p->wirelen = r->wirelen;
	p->linktype = r->linktype;
	if (ns_decode(f->decoder, m, &f->notes) != NULL || (p->flags & NS_PKT_IP) == 0 ||
		(p->flags & (NS_PKT_LATER_FRAG | NS_PKT_CUT)) != 0)
		return NULL;

	struct id *id = &f->ids[ns_tuple_hash(&p->tuple) & (IDS - 1)];

	if (id->text[0] == '\0' || id->flags != (p->flags & (NS_PKT_SWAPPED | NS_PKT_PORTS)) ||
		memcmp(&id->tuple, &p->tuple, sizeof(p->tuple)) != 0)
		make_id(id, p);
	return id->text;
}

int capture_file_put(
	struct capture_file *f, const struct tap_rec *r, uint64_t octets_max, bool *beyond)
{
	struct ns_pcapng_packet k = {.ts_ns = r->ts_ns,
		.data = r->data,
		.caplen = r->caplen,
		.wirelen = r->wirelen,
		.dropped = r->missed,
		.comment = flow_of(f, r)};
	int rc = find_iface(f, r, &k.iface);

	if (rc < 0)
		return rc;
	*beyond = octets_max > 0 && ns_pcapng_octets(f->out) + ns_pcapng_packet_size(&k) +
						    ns_pcapng_stats_size(f->ifaces_n) >
					    octets_max;
	if (*beyond)
		return 0;
	return ns_pcapng_packet(f->out, &k);
}

int capture_file_flush(struct capture_file *f)
{
	return ns_pcapng_flush(f->out);
}

void capture_file_sizes(const struct capture_file *f, uint64_t *packets, uint64_t *octets)
{
	*packets = ns_pcapng_packets(f->out);
	*octets = ns_pcapng_octets(f->out);
}

static void add_counts(struct ns_pcapng_stats *s, const struct capture *c, uint16_t port)
{
	for (unsigned i = 0; i < c->rings; i++) {
		const struct tap_count *n = &c->tap.rings[i].count[port % TAP_PORTS];

		s->received += ns_stat_get(&n->seen);
		s->accepted += ns_stat_get(&n->matched);
		s->dropped += ns_stat_get(&n->missed);
	}
}

int capture_file_end(struct capture_file *f, const struct capture *c, struct ns_err *e)
{
	struct ns_pcapng_stats stats[IFACES_MAX] = {{0}};
	uint32_t ports = 0;

	_Static_assert(TAP_PORTS <= 32, "a bit for each port");
	for (unsigned i = 0; i < f->ifaces_n; i++) {
		uint32_t bit = UINT32_C(1) << f->ifaces[i].port % TAP_PORTS;

		/* a port with two link types counts for its first interface */
		if ((ports & bit) == 0)
			add_counts(&stats[i], c, f->ifaces[i].port);
		ports |= bit;
	}
	return ns_pcapng_end(f->out, stats, f->ifaces_n, c->start_ns, ns_clock_real(), e);
}
