/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fields of packets: what each is, and the loops that bring it into keys and values.
 *
 * An address in a key is 16 octets in network order, IPv4 as ::ffff:a.b.c.d, which no packet on a
 * wire may have (RFC 4291, 2.5.5.2; RFC 6890), so that the families never meet.
 */
#include "task_ops.h"

/* Which endpoint of the tuple: from or to, of the packet or of the flow. */
enum side { SRC, DST, INITIATOR, RESPONDER };

/* 0 for endpoint a of the tuple, 16 for b: how far it is from a. */
static inline unsigned endpoint(const struct ns_packet *p, enum side side)
{
	unsigned b = (p->flags & NS_PKT_SWAPPED) / (NS_PKT_SWAPPED / 16);

	if (side == INITIATOR || side == RESPONDER)
		b ^= (p->flow & NS_PKT_REVERSE) * (16u / NS_PKT_REVERSE);
	return side == DST || side == RESPONDER ? b ^ 16 : b;
}

static inline const uint8_t *addr_of(const struct ns_packet *p, enum side side)
{
	return p->tuple.a + endpoint(p, side);
}

_Static_assert(offsetof(struct ns_tuple, b) - offsetof(struct ns_tuple, a) == 16,
	"the endpoints stand side by side");

static inline const struct ns_packet *view(const void *src, unsigned i)
{
	return ns_packet(((struct rte_mbuf *const *)src)[i]);
}

/* One address, or two side by side; stride and masks are constants for the usual keys. */
static inline __attribute__((always_inline)) void put_addrs(const void *src, unsigned n,
	uint8_t *key, unsigned stride, enum side one, int two, const struct task_mask *m)
{
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++, key += stride) {
		const struct ns_packet *p = view(src, i);
		uint8_t ver = p->tuple.ver;

		task_put_addr(key, addr_of(p, one), ver, m);
		if (two >= 0)
			task_put_addr(key + 16, addr_of(p, (enum side)two), ver, m);
	}
}

#define PUT_ADDR(name, side)                                                          \
	static void put_##name(const struct task_op *op, const void *src, unsigned n, \
		uint8_t *key, unsigned stride)                                        \
	{                                                                             \
		key += op->at;                                                        \
		if (op->mask.on)                                                      \
			put_addrs(src, n, key, stride, side, -1, &op->mask);          \
		else if (stride == 16)                                                \
			put_addrs(src, n, key, 16, side, -1, NULL);                   \
		else                                                                  \
			put_addrs(src, n, key, stride, side, -1, NULL);               \
	}

PUT_ADDR(src_ip, SRC)
PUT_ADDR(dst_ip, DST)
PUT_ADDR(initiator_ip, INITIATOR)
PUT_ADDR(responder_ip, RESPONDER)

#define PUT_PAIR(name, one, two)                                                      \
	static void put_##name(const struct task_op *op, const void *src, unsigned n, \
		uint8_t *key, unsigned stride)                                        \
	{                                                                             \
		if (stride == 32)                                                     \
			put_addrs(src, n, key, 32, one, two, NULL);                   \
		else                                                                  \
			put_addrs(src, n, key + op->at, stride, one, two, NULL);      \
	}

PUT_PAIR(src_dst, SRC, DST)
PUT_PAIR(initiator_responder, INITIATOR, RESPONDER)

static bool alone(const struct task_key *k, task_put_fn put, unsigned len)
{
	return k->ops_n == 1 && k->ops[0].put == put && !k->ops[0].mask.on && k->len == len;
}

struct task_ends task_packet_ends(const struct task_key *const *keys, unsigned n)
{
	struct task_ends e = {.made = 0};
	uint64_t src = 0, dst = 0, pair = 0;

	for (unsigned i = 0; i < n && i < 64; i++) {
		if (alone(keys[i], put_src_ip, 16))
			src = UINT64_C(1) << (e.src = i);
		else if (alone(keys[i], put_dst_ip, 16))
			dst = UINT64_C(1) << (e.dst = i);
		else if (alone(keys[i], put_initiator_responder, 32))
			pair = UINT64_C(1) << (e.pair = i);
	}
	if (src != 0 && dst != 0)
		e.made = src | dst | pair;
	return e;
}

void task_packet_put_ends(const void *packets, unsigned n, uint8_t *src, uint8_t *dst)
{
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++, src += 16, dst += 16) {
		const struct ns_packet *p = view(packets, i);
		unsigned from = endpoint(p, SRC);
		uint8_t ver = p->tuple.ver;

		task_put_addr(src, p->tuple.a + from, ver, NULL);
		task_put_addr(dst, p->tuple.a + (from ^ 16), ver, NULL);
	}
}

void task_packet_put_pair(
	const void *packets, unsigned n, const uint8_t *src, const uint8_t *dst, uint8_t *pair)
{
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++, src += 16, dst += 16, pair += 32) {
		unsigned to = (view(packets, i)->flow & NS_PKT_REVERSE) * (16u / NS_PKT_REVERSE);

		memcpy(pair + to, src, 16);
		memcpy(pair + (to ^ 16), dst, 16);
	}
}

/* A number of the view as it is. */
#define COPY(type)                                                                                 \
	static void put_##type(const struct task_op *op, const void *src, unsigned n,              \
		uint8_t *key, unsigned stride)                                                     \
	{                                                                                          \
		key += op->at;                                                                     \
		for (unsigned i = 0; i < n; i++, key += stride)                                    \
			memcpy(key, (const uint8_t *)view(src, i) + op->offset, sizeof(type));     \
	}                                                                                          \
                                                                                                   \
	static void get_##type(const struct task_op *op, const void *src, unsigned n, uint64_t *v) \
	{                                                                                          \
		for (unsigned i = 0; i < n; i++) {                                                 \
			type x;                                                                    \
                                                                                                   \
			memcpy(&x, (const uint8_t *)view(src, i) + op->offset, sizeof(x));         \
			v[i] = x;                                                                  \
		}                                                                                  \
	}

COPY(uint8_t)
COPY(uint16_t)
COPY(uint32_t)

/* A number that expr makes of the packet p. */
#define MAKE_KEY(name, type, expr)                                                    \
	static void put_##name(const struct task_op *op, const void *src, unsigned n, \
		uint8_t *key, unsigned stride)                                        \
	{                                                                             \
		key += op->at;                                                        \
		for (unsigned i = 0; i < n; i++, key += stride) {                     \
			const struct ns_packet *p = view(src, i);                     \
			type x = (type)(expr);                                        \
                                                                                      \
			memcpy(key, &x, sizeof(x));                                   \
		}                                                                     \
	}

#define MAKE_VALUE(name, expr)                                                                     \
	static void get_##name(const struct task_op *op, const void *src, unsigned n, uint64_t *v) \
	{                                                                                          \
		(void)op;                                                                          \
		for (unsigned i = 0; i < n; i++) {                                                 \
			const struct ns_packet *p = view(src, i);                                  \
                                                                                                   \
			v[i] = (expr);                                                             \
		}                                                                                  \
	}

/* As in the flow's record: the ports of ICMP are 0 and type * 256 + code. */
static inline uint16_t initiator_port(const struct ns_packet *p)
{
	bool icmp = p->tuple.proto == 1 || p->tuple.proto == 58;
	uint16_t port = (p->flow & NS_PKT_REVERSE) != 0 ? p->dport : p->sport;

	return icmp ? 0 : port;
}

/* By the IP header, however little was captured; behind the header of TCP and UDP. */
static inline uint32_t payload_octets(const struct ns_packet *p)
{
	const unsigned udp = NS_PKT_PORTS | NS_PKT_CUT | NS_PKT_LATER_FRAG;
	uint32_t heads = (uint32_t)p->payload_off - p->l3_off;

	if ((p->flags & NS_PKT_TCP) != 0 ||
		(p->tuple.proto == 17 && (p->flags & udp) == NS_PKT_PORTS))
		return p->l4_len;
	return p->ip_octets > heads ? p->ip_octets - heads : 0;
}

static inline uint32_t protocol(const struct ns_packet *p)
{
	return (p->flags & NS_PKT_IP) != 0 ? p->tuple.proto : 65536u + p->ethertype;
}

MAKE_KEY(initiator_port, uint16_t, initiator_port(p))
MAKE_KEY(payload_octets, uint32_t, payload_octets(p))
MAKE_VALUE(payload_octets, payload_octets(p))
MAKE_KEY(protocol, uint32_t, protocol(p))
MAKE_KEY(reverse, uint8_t, (p->flow / NS_PKT_REVERSE) & 1)
MAKE_KEY(flows, uint8_t, (p->flow / NS_PKT_FLOW_NEW) & 1)
MAKE_VALUE(flows, (p->flow / NS_PKT_FLOW_NEW) & 1u)
/* the name is found when there is a row */
MAKE_KEY(
	tunnel, uint64_t, p->tuple.tunnel == 0 ? 0 : p->tuple.tunnel | (uint64_t)p->tunnel_id << 32)

/* The key of services in one store: nearly every list of tasks has it. */
static void put_responder_port_proto(
	const struct task_op *op, const void *src, unsigned n, uint8_t *key, unsigned stride)
{
	(void)op;
	(void)stride;
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++, key += 8) {
		const struct ns_packet *p = view(src, i);
		uint64_t x = p->flow_dport | (uint32_t)p->tuple.proto << 16;

		memcpy(key, &x, sizeof(x));
	}
}

void task_packet_join(struct task_key *k)
{
	const struct task_op *o = k->ops;
	task_put_fn pair = NULL;

	if (k->ops_n == 2 && k->len == 8 && o[0].put == put_uint16_t && o[1].put == put_uint8_t &&
		o[0].offset == offsetof(struct ns_packet, flow_dport) &&
		o[1].offset == offsetof(struct ns_packet, tuple.proto)) {
		k->ops[0].put = put_responder_port_proto;
		k->ops_n = 1;
		return;
	}
	if (k->ops_n < 2 || o[0].mask.on || o[1].mask.on)
		return;
	if (o[0].put == put_src_ip && o[1].put == put_dst_ip)
		pair = put_src_dst;
	else if (o[0].put == put_initiator_ip && o[1].put == put_responder_ip)
		pair = put_initiator_responder;
	if (pair == NULL)
		return;
	k->ops[0].put = pair;
	k->ops_n--;
	memmove(&k->ops[1], &k->ops[2], (k->ops_n - 1) * sizeof(k->ops[0]));
}

#define ADDR(nm, fl, hlp)                                                                       \
	{                                                                                       \
		.name = #nm, .type = NS_REC_IP, .size = sizeof(struct ns_ip), .octets = 16,     \
		.flags = (fl), .code = TASK_CODE_IP, .unit = "", .help = (hlp), .put = put_##nm \
	}
#define PLAIN(nm, typ, c, member, fl, un, hlp, ...)                                        \
	{                                                                                  \
		.name = (nm), .type = (typ), .size = sizeof(c), .octets = sizeof(c),       \
		.offset = offsetof(struct ns_packet, member), .flags = (fl), .unit = (un), \
		.help = (hlp), .put = put_##c, .get = get_##c, ##__VA_ARGS__               \
	}
#define MADE(nm, typ, c, fl, un, hlp, ...)                                                         \
	{                                                                                          \
		.name = #nm, .type = (typ), .size = sizeof(c), .octets = sizeof(c), .flags = (fl), \
		.unit = (un), .help = (hlp), .put = put_##nm, ##__VA_ARGS__                        \
	}
#define SAME TASK_FIELD_SAME
#define ANY TASK_FIELD_ANY
#define VALUE TASK_FIELD_VALUE

_Static_assert(sizeof(((struct ns_tuple *)0)->vlan) == 4, "both VLAN ids are one word");

/*
 * An ICMP message's code is not part of its flow, so dst_port is not the same in all packets; nor
 * are the TEIDs of a tunnel.
 */
const struct task_field task_packet_fields[] = {
	ADDR(src_ip, SAME, "source address of the packet"),
	ADDR(dst_ip, SAME, "destination address of the packet"),
	PLAIN("src_port", NS_REC_U16, uint16_t, sport, SAME, "",
		"source port of the packet; ICMP: 0"),
	PLAIN("dst_port", NS_REC_U16, uint16_t, dport, 0, "",
		"destination port of the packet; ICMP: type * 256 + code"),
	ADDR(initiator_ip, SAME, "address of who sent the flow's first packet"),
	ADDR(responder_ip, SAME, "address of the other end of the flow"),
	MADE(initiator_port, NS_REC_U16, uint16_t, SAME, "", "port of the initiator; ICMP: 0"),
	PLAIN("responder_port", NS_REC_U16, uint16_t, flow_dport, SAME, "",
		"port of the responder; ICMP: type * 256 + code of the flow's first packet"),
	PLAIN("proto", NS_REC_PROTO, uint8_t, tuple.proto, SAME, "", "IP protocol"),
	PLAIN("ip_version", NS_REC_U8, uint8_t, tuple.ver, SAME, "", "4 or 6"),
	{.name = "vlan",
		.type = NS_REC_VLANS,
		.size = sizeof(struct ns_vlans),
		.octets = 4,
		.offset = offsetof(struct ns_packet, tuple.vlan),
		.flags = SAME,
		.code = TASK_CODE_VLAN,
		.unit = "",
		.help = "VLAN ids of the innermost layer 2, outermost first",
		.put = put_uint32_t},
	{.name = "tunnel",
		.type = NS_REC_STR,
		.size = sizeof(((struct ns_flow_rec *)0)->tunnel),
		.octets = 8,
		.code = TASK_CODE_TUNNEL,
		.unit = "",
		.help = "innermost tunnel and its id, as \"vxlan:42\"",
		.put = put_tunnel},
	PLAIN("tunnel_id", NS_REC_U32, uint32_t, tunnel_id, 0, "",
		"id of the innermost tunnel: VNI, key, TEID", .rec_flags = NS_REC_EMPTY_ZERO),
	PLAIN("port", NS_REC_U16, uint16_t, port, ANY, "",
		"input port, or interface of the capture file"),
	MADE(reverse, NS_REC_U8, uint8_t, SAME, "", "1: from responder to initiator"),
	PLAIN("tos", NS_REC_U8, uint8_t, tos, 0, "", "DSCP and ECN"),
	PLAIN("ttl", NS_REC_U8, uint8_t, ttl, VALUE, "", "TTL or hop limit"),
	PLAIN("tcp_flags", NS_REC_TCP_FLAGS, uint8_t, tcp_flags, 0, "",
		"TCP flags; none in other packets"),
	PLAIN("tcp_window", NS_REC_U16, uint16_t, tcp_window, VALUE, "octets",
		"TCP window, not scaled; none in other packets", .rec_flags = NS_REC_EMPTY_ZERO),
	PLAIN("icmp_type", NS_REC_U8, uint8_t, icmp_type, 0, "", "ICMP type; 0 in other packets"),
	PLAIN("icmp_code", NS_REC_U8, uint8_t, icmp_code, 0, "", "ICMP code; 0 in other packets"),
	PLAIN("ethertype", NS_REC_U16, uint16_t, ethertype, ANY, "",
		"EtherType of the last layer 2; 0: none"),
	MADE(protocol, NS_REC_U32, uint32_t, SAME | ANY, "",
		"IP protocol; 65536 + EtherType of what is not IP"),
	PLAIN("l2_octets", NS_REC_U32, uint32_t, wirelen, ANY | VALUE, "octets",
		"octets of the frame as it was on the wire"),
	PLAIN("ip_octets", NS_REC_U32, uint32_t, ip_octets, VALUE, "octets",
		"octets by the innermost IP header"),
	MADE(payload_octets, NS_REC_U32, uint32_t, VALUE, "octets",
		"octets behind the headers of IP, TCP and UDP, by the IP header",
		.get = get_payload_octets),
	MADE(flows, NS_REC_U8, uint8_t, VALUE, "flows", "1 in the first packet of a flow",
		.get = get_flows),
	PLAIN("caplen", NS_REC_U32, uint32_t, caplen, ANY | VALUE, "octets",
		"octets of the frame that were captured"),
};
const unsigned task_packet_fields_n = NS_ARRAY_LEN(task_packet_fields);
