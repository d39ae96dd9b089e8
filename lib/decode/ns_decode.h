/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * From octets to struct ns_packet: link layer, VLANs, MPLS, PPPoE, IPv4, IPv6, L4, and through
 * tunnels down to the innermost IP header that can be read.
 *
 * Pure functions over one mbuf; run on the lcore that dispatches (or analyses). Nothing is copied
 * and nothing beyond caplen is read. An IP header that was read stays the packet's flow even when
 * what it carries can't be decoded; a packet without any is non-IP or dropped by a named reason.
 */

#include <ns_conf.h>
#include <ns_packet.h>

/** Where a walk goes on. */
enum ns_next {
	NS_NEXT_END, /**< nothing more to decode */
	NS_NEXT_ETHERNET, /**< an Ethernet header */
	NS_NEXT_ETHERTYPE, /**< behind an EtherType, see ns_decap.ethertype */
	NS_NEXT_IP, /**< IPv4 or IPv6 by its version nibble */
	NS_NEXT_PPP, /**< a PPP protocol field, address and control octets optional */
	NS_NEXT_LINK, /**< a frame of link type ns_decap.linktype */
};

/** What a tunnel header says. */
struct ns_decap {
	uint16_t consumed; /**< octets of headers up to the inner packet */
	uint16_t ethertype; /**< NS_NEXT_ETHERTYPE, host order */
	uint16_t linktype; /**< NS_NEXT_LINK */
	enum ns_next next;
	uint32_t id; /**< VNI, key, TEID; 0 when it has none */
	bool directional; /**< the id differs by direction, so it can't be part of a flow's key */
};

/** The packet around a tunnel header, for decap() to choose by. */
struct ns_tunnel_outer {
	uint8_t proto; /**< IP protocol that carries the tunnel */
	uint16_t sport; /**< host order; 0 without UDP */
	uint16_t dport;
	uint16_t wire_len; /**< octets of the payload by the outer header; >= len */
};

/** Plug-ins of kind "tunnel". */
struct ns_tunnel_ops {
	/** IP protocols that may carry it, ends with -1; NULL: none. */
	const int16_t *ip_protos;
	/** UDP ports (either end) that may carry it, ends with 0; NULL: none. */
	const uint16_t *udp_ports;
	/**
	 * Reads the tunnel header at @p data (the payload of UDP or of the IP protocol) of which
	 * @p len octets are captured. Returns 1 and fills @p out; 0 when this is not such a tunnel
	 * or carries nothing to decode; -1 when it is one but cut short. Any lcore; keeps no state.
	 */
	int (*decap)(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
		struct ns_decap *out);
};

#define NS_TUNNEL_KIND "tunnel"

/** Section "decode". */
struct ns_decode_conf {
	uint8_t max_tunnels; /**< IP headers that are looked through before decoding stops */
	bool verify_checksum; /**< drop packets whose IPv4, TCP, UDP or ICMP checksum is wrong */
};

/** Most packets that ns_decode_burst() takes at once. */
#define NS_DECODE_BURST_MAX 256

/** Tables made from the registered tunnels; read-only after creation, shared by all lcores. */
struct ns_decoder;

/** Returns a decoder owned by the caller, or NULL with errno ENOMEM. Main thread, after sealing. */
struct ns_decoder *ns_decoder_create(const struct ns_decode_conf *conf);
void ns_decoder_destroy(struct ns_decoder *d);

/**
 * Decodes one packet. Returns NULL, or the drop reason when it is to be dropped (not counted yet).
 * Notes are counted in @p notes, which the calling lcore owns.
 */
const struct ns_counter *ns_decode(
	const struct ns_decoder *d, struct rte_mbuf *m, struct ns_counters *notes);

/** What a header is that was read. */
enum ns_layer_kind {
	NS_LAYER_LINK, /**< of link type `type` */
	NS_LAYER_ETHERTYPE, /**< behind EtherType `type`; a VLAN tag has its id in `id` */
	NS_LAYER_PPP,
	NS_LAYER_IP, /**< with what it carries; ver 0: it can't be read */
	NS_LAYER_TUNNEL, /**< of plug-in number `type`, see ns_decoder_tunnel_name() */
};

/** A header, for who follows one packet. What its kind does not name is 0. */
struct ns_layer {
	uint16_t off; /**< where it begins */
	uint16_t type;
	uint32_t id; /**< VLAN id, id of the tunnel, identification of a fragment */
	uint8_t kind; /**< enum ns_layer_kind */
	uint8_t ver, proto, tcp_flags; /**< NS_LAYER_IP, as all below */
	uint16_t flags; /**< NS_PKT_FRAG, _LATER_FRAG, _MORE_FRAGS, _PORTS, _TCP, _CUT */
	uint16_t sport, dport; /**< host order; ICMP: dport is type * 256 + code */
	uint16_t frag_off; /**< octets */
	uint8_t src[16], dst[16]; /**< IPv4 in the first four */
};

#define NS_LAYERS_MAX 16

struct ns_layers {
	uint8_t n;
	bool more; /**< there were others behind them */
	struct ns_layer of[NS_LAYERS_MAX];
};

/**
 * As ns_decode(), and says which headers were read. Several times as slow: for single packets. Any
 * lcore.
 */
const struct ns_counter *ns_decode_layers(const struct ns_decoder *d, struct rte_mbuf *m,
	struct ns_counters *notes, struct ns_layers *out);

/**
 * Decodes a burst with prefetch; keeps the good ones in front of @p m and moves the dropped ones
 * behind them, each drop counted in @p c. Returns the number of good ones.
 */
uint16_t ns_decode_burst(
	const struct ns_decoder *d, struct rte_mbuf **m, uint16_t n, struct ns_counters *c);

/** Name of the tunnel whose index is in ns_tuple.tunnel (1...), or "" for 0. */
const char *ns_decoder_tunnel_name(uint8_t index);

/** Symmetric hash of a tuple: both directions of a flow have the same. */
uint32_t ns_tuple_hash(const struct ns_tuple *t);

/**
 * What the hash of a tuple is keyed with, so that nobody who does not know the seed can send flows
 * that have the same hash. Writer: ns_tuple_seed(); read by all lcores.
 */
struct ns_tuple_key {
	uint64_t a, b, c;
	uint64_t narrow; /**< what the upper halves of IPv4 addresses come to */
} __attribute__((aligned(NS_CACHE_LINE)));
extern struct ns_tuple_key ns_tuple_key;

/** The key from now on; 0: the usual one. Main thread, while no lcore and no table knows a hash. */
void ns_tuple_seed(uint64_t seed);

static inline uint64_t ns_tuple_mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)(a ^ ns_tuple_key.a) * (b ^ ns_tuple_key.b);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint32_t ns_tuple_finish(uint64_t h)
{
	h = ns_tuple_mix(h, ns_tuple_key.c);
	return (uint32_t)(h ^ (h >> 32));
}

/**
 * ns_tuple_hash() of a tuple in six words, as they stand in memory, for who has them in registers;
 * and of one whose w[1] and w[3] are 0, as they are for IPv4.
 */
static inline uint32_t ns_tuple_hash_words(const uint64_t w[6])
{
	return ns_tuple_finish(
		ns_tuple_mix(w[0] ^ ns_tuple_mix(w[1], w[3]), w[2]) ^ ns_tuple_mix(w[4], w[5]));
}

static inline uint32_t ns_tuple_hash_narrow(const uint64_t w[6])
{
	return ns_tuple_finish(
		ns_tuple_mix(w[0] ^ ns_tuple_key.narrow, w[2]) ^ ns_tuple_mix(w[4], w[5]));
}

/** Name of a LINKTYPE_* value, or NULL when it is not known here. */
const char *ns_linktype_name(uint16_t linktype);

/** True when frames of this link type can be decoded. */
bool ns_linktype_decodable(uint16_t linktype);

/** Name of an EtherType in lower case ("arp"), or NULL. */
const char *ns_ethertype_name(uint16_t ethertype);

extern struct ns_counter ns_drop_truncated;
extern struct ns_counter ns_drop_unknown_linktype;
extern struct ns_counter ns_drop_bad_link_header;
extern struct ns_counter ns_drop_bad_ip_header;
extern struct ns_counter ns_drop_bad_checksum;
