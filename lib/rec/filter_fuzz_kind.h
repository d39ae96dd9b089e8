/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A field of each type, and names that words stand for; the record is as tight as can be. */

#include <ns_rec.h>

struct fuzz_rec {
	struct ns_ip src_ip, dst_ip;
	struct ns_prefix net;
	char text[5];
	uint8_t mac[6], bytes[3], proto, tcp_flags, u8;
	uint16_t src_port, dst_port;
	struct ns_vlans vlan;
	uint64_t tcp_rtt_ns, start_ns;
	int64_t i64;
	double f64;
	uint32_t packets;
};

#define F(member, t, ...) \
	NS_REC_FIELD(struct fuzz_rec, member, .name = #member, .type = t, ##__VA_ARGS__)
static const struct ns_rec_field fuzz_fields[] = {
	F(src_ip, NS_REC_IP, .flags = NS_REC_KEY),
	F(dst_ip, NS_REC_IP, .flags = NS_REC_KEY),
	F(net, NS_REC_PREFIX),
	F(text, NS_REC_STR),
	F(mac, NS_REC_MAC),
	F(bytes, NS_REC_BYTES),
	F(proto, NS_REC_PROTO),
	F(tcp_flags, NS_REC_TCP_FLAGS),
	F(u8, NS_REC_U8),
	F(src_port, NS_REC_U16),
	F(dst_port, NS_REC_U16),
	F(vlan, NS_REC_VLANS),
	F(tcp_rtt_ns, NS_REC_U64, .unit = "ns", .flags = NS_REC_EMPTY_ZERO),
	F(start_ns, NS_REC_TIME),
	F(i64, NS_REC_I64),
	F(f64, NS_REC_F64),
	F(packets, NS_REC_U32, .unit = "packets"),
};
static const struct ns_rec_kind fuzz_kind = {.name = "fuzz",
	.size = sizeof(struct fuzz_rec),
	.fields = fuzz_fields,
	.fields_n = NS_ARRAY_LEN(fuzz_fields),
	.ipfix_family_field = -1};
