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

#define KEY_A UINT64_C(0x2d358dccaa6c78a5)
#define KEY_B UINT64_C(0x8bb84b93962eacc9)
#define KEY_C UINT64_C(0x4b33a62ed433d4a3)

struct ns_tuple_key ns_tuple_key = {KEY_A, KEY_B, KEY_C,
	(uint64_t)((__uint128_t)KEY_A *KEY_B) ^ (uint64_t)((__uint128_t)KEY_A *KEY_B >> 64)};

/* A number for each seed and place (splitmix64, Steele and others 2014). */
static uint64_t spread(uint64_t seed, uint64_t place)
{
	uint64_t z = seed + place * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void ns_tuple_seed(uint64_t seed)
{
	ns_tuple_key = (struct ns_tuple_key){.a = KEY_A, .b = KEY_B, .c = KEY_C};
	if (seed != 0) {
		ns_tuple_key.a ^= spread(seed, 1);
		ns_tuple_key.b ^= spread(seed, 2);
		ns_tuple_key.c ^= spread(seed, 3);
	}
	ns_tuple_key.narrow = ns_tuple_mix(0, 0);
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
	struct walk w = walk_begin(d, m, notes);

	for (unsigned steps = 0; w.next != NS_NEXT_END && steps < MAX_STEPS; steps++)
		walk_step(&w);
	return walk_end(&w);
}
