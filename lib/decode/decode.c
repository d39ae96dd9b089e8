/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk, for packets that the short way (fast.c) does not take: a loop over headers. Each step
 * reads one header and says where to go on; the innermost IP header that could be read makes the
 * packet's flow.
 *
 *   link ─▶ ethernet ─▶ ethertype (VLAN, MPLS, PPPoE, LLC) ─▶ ip ─▶ l4 ─▶ end
 *             ▲            ▲                                  ▲      │
 *             └────────────┴────────────── tunnel ◀───────────┴──────┘
 */
#include "decode_priv.h"

#include <ns_decode.h>

#include <stdlib.h>

NS_DROP_REGISTER(ns_drop_truncated, "truncated", "the frame ends inside a link-layer or IP header")
NS_DROP_REGISTER(
	ns_drop_unknown_linktype, "unknown_linktype", "frames of this link type can not be decoded")
NS_DROP_REGISTER(ns_drop_bad_link_header, "bad_link_header",
	"a link-layer header contradicts itself, or there are too many of them")
NS_DROP_REGISTER(
	ns_drop_bad_ip_header, "bad_ip_header", "version or length of the IP header is impossible")
NS_DROP_REGISTER(ns_drop_bad_checksum, "bad_checksum",
	"an IPv4, TCP, UDP, ICMP or ICMPv6 checksum is wrong (decode.verify_checksum)")
NS_NOTE_REGISTER(ns_note_cut_l4, "cut_l4",
	"the frame ends inside the TCP, UDP, SCTP or ICMP header: counted by its addresses")
NS_NOTE_REGISTER(ns_note_nesting_limit, "nesting_limit",
	"more tunnels than decode.max_tunnels, or too many headers: counted at the level reached")
NS_NOTE_REGISTER(ns_note_tunnel_undecoded, "tunnel_undecoded",
	"a tunnel whose inner packet can not be decoded: counted as the outer flow")

static const char *tunnel_names[TUNNELS_MAX];

static const struct cyaml_schema_field decode_fields[] = {
	CYAML_FIELD_UINT("max_tunnels", CYAML_FLAG_OPTIONAL, struct ns_decode_conf, max_tunnels),
	CYAML_FIELD_BOOL(
		"verify_checksum", CYAML_FLAG_OPTIONAL, struct ns_decode_conf, verify_checksum),
	CYAML_FIELD_END};

static const struct ns_decode_conf decode_defaults = {.max_tunnels = 4};

static const struct ns_conf_doc decode_docs[] = {
	{"max_tunnels", "tunnels inside one another that are opened before decoding stops (0-16)"},
	{"verify_checksum", "drop packets with a wrong checksum; captures made on the sending host "
			    "often have wrong ones"},
	{NULL, NULL}};

static int decode_check(const void *values, const char **key, struct ns_err *e)
{
	const struct ns_decode_conf *c = values;

	if (c->max_tunnels > 16) {
		*key = "max_tunnels";
		return ns_fail(
			e, EINVAL, "%u tunnels inside one another; at most 16", c->max_tunnels);
	}
	return 0;
}

static struct ns_conf_section decode_section = {
	.name = "decode",
	.summary = "from octets to packets",
	.fields = decode_fields,
	.size = sizeof(struct ns_decode_conf),
	.defaults = &decode_defaults,
	.docs = decode_docs,
	.check = decode_check,
};
NS_CONF_REGISTER(decode_section)

static bool add_candidate(uint8_t *row, uint8_t index)
{
	for (unsigned i = 0; i + 1 < CANDIDATES_MAX; i++) {
		if (row[i] == 0) {
			row[i] = index;
			return true;
		}
	}
	return false;
}

static bool add_tunnel(struct ns_decoder *d, const struct ns_tunnel_ops *ops, uint8_t index)
{
	for (const int16_t *pr = ops->ip_protos; pr != NULL && *pr >= 0; pr++) {
		if (!add_candidate(d->by_proto[*pr & 255], index))
			return false;
	}
	for (const uint16_t *port = ops->udp_ports; port != NULL && *port != 0; port++) {
		d->port_filter[*port % PORT_FILTER] = 1;
		if (d->by_port_class[*port] == 0) {
			if (d->ports_n + 1 >= TUNNELS_MAX)
				return false;
			d->by_port_class[*port] = ++d->ports_n;
		}
		if (!add_candidate(d->by_port[d->by_port_class[*port]], index))
			return false;
	}
	return true;
}

struct ns_decoder *ns_decoder_create(const struct ns_decode_conf *conf)
{
	struct ns_decoder *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return ns_errno_null(ENOMEM);
	d->conf = *conf;
	/* the short way checks no sums, and knows one order of octets */
	d->fast_linktype = conf->verify_checksum || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
				   ? -1
				   : NS_LINKTYPE_ETHERNET;
	NS_PLUGIN_FOREACH (NS_TUNNEL_KIND, p) {
		if (d->tunnels_n + 1 >= TUNNELS_MAX ||
			!add_tunnel(d, p->ops, (uint8_t)(d->tunnels_n + 1))) {
			free(d);
			return ns_errno_null(ENOSPC);
		}
		d->tunnels_n++;
		d->tunnels[d->tunnels_n] = p->ops;
		tunnel_names[d->tunnels_n] = p->name;
	}
	return d;
}

void ns_decoder_destroy(struct ns_decoder *d)
{
	free(d);
}

const char *ns_decoder_tunnel_name(uint8_t index)
{
	return index < TUNNELS_MAX && tunnel_names[index] != NULL ? tunnel_names[index] : "";
}

uint32_t ns_tuple_hash(const struct ns_tuple *t)
{
	uint64_t w[6];

	memcpy(w, t, sizeof(w));
	return ns_tuple_hash_words(w);
}

const struct ns_counter *decode_walk(
	const struct ns_decoder *d, struct rte_mbuf *m, struct ns_counters *notes)
{
	struct ns_packet *p = ns_packet(m);
	struct walk w = {
		.d = d,
		.data = ns_packet_data(m),
		.len = p->caplen,
		.wire_end = NS_MAX(p->wirelen, p->caplen),
		.next = NS_NEXT_LINK,
		.linktype = p->linktype,
		.p = p,
		.notes = notes,
	};

	/* all that an earlier packet (or an earlier decode) left in this mbuf */
	p->flags &= NS_PKT_RSS | NS_PKT_COPY;
	memset((uint8_t *)p + offsetof(struct ns_packet, l3_off), 0,
		sizeof(*p) - offsetof(struct ns_packet, l3_off));
	for (unsigned steps = 0; w.next != NS_NEXT_END && steps < MAX_STEPS; steps++) {
		switch (w.next) {
		case NS_NEXT_LINK:
			walk_link(&w);
			break;
		case NS_NEXT_ETHERNET:
			walk_ethernet(&w);
			break;
		case NS_NEXT_ETHERTYPE:
			walk_ethertype(&w);
			break;
		case NS_NEXT_PPP:
			walk_ppp(&w);
			break;
		case NS_NEXT_IP:
			walk_ip(&w);
			break;
		case NS_NEXT_END:
			break;
		}
	}
	p->flags |= NS_PKT_DECODED;
	if (w.next != NS_NEXT_END) { /* more headers than any real packet has */
		if ((p->flags & NS_PKT_IP) != 0)
			ns_count(notes, &ns_note_nesting_limit);
		else
			w.fault = &ns_drop_bad_link_header;
	}
	if (w.fault == &ns_drop_bad_checksum)
		return w.fault;
	if ((p->flags & NS_PKT_IP) == 0)
		return w.fault;
	if (w.headers > 0 && w.fault != NULL && w.tunnel != 0)
		ns_count(notes, &ns_note_tunnel_undecoded);
	p->hash = ns_tuple_hash(&p->tuple);
	return NULL;
}
