/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * For the tests of the IPFIX writer: a record kind like a biflow, and a reader of IPFIX messages
 * that shares nothing with the writer. It refuses whatever RFC 7011 does not allow.
 */

#include "ns_test.h"

#include <ns_registry.h>
#include <ns_write.h>

#include <arpa/inet.h>
#include <string.h>

#define REV NS_REC_PEN_REVERSE

struct tflow {
	char community_id[32];
	struct ns_ip src_ip;
	uint16_t src_port;
	struct ns_ip dst_ip;
	uint16_t dst_port;
	uint8_t proto;
	struct ns_vlans vlan;
	char tunnel[16];
	uint64_t packets, ip_octets, l2_octets;
	uint64_t rev_packets, rev_ip_octets, rev_l2_octets;
	uint64_t start_ns, end_ns;
	uint8_t tcp_flags, rev_tcp_flags, end_reason, icmp_type;
	struct ns_ip outer_src;
};

#define TF(member, ...) NS_REC_FIELD(struct tflow, member, .name = #member, __VA_ARGS__)

static const struct ns_rec_field tflow_fields[] = {
	TF(community_id, .type = NS_REC_STR, .flags = NS_REC_NO_EXPORT),
	TF(src_ip, .type = NS_REC_IP, .ipfix_ie = 8, .ipfix_ie6 = 27),
	TF(src_port, .type = NS_REC_U16, .ipfix_ie = 7),
	TF(dst_ip, .type = NS_REC_IP, .ipfix_ie = 12, .ipfix_ie6 = 28),
	TF(dst_port, .type = NS_REC_U16, .ipfix_ie = 11),
	TF(proto, .type = NS_REC_PROTO, .ipfix_ie = 4),
	TF(vlan, .type = NS_REC_VLANS, .ipfix_ie = 58, .ipfix_len = 2),
	TF(tunnel, .type = NS_REC_STR, .ipfix_ie = 82, .ipfix_len = 255),
	TF(packets, .type = NS_REC_U64, .ipfix_ie = 2),
	TF(ip_octets, .type = NS_REC_U64, .ipfix_ie = 1),
	TF(l2_octets, .type = NS_REC_U64, .ipfix_ie = 352),
	TF(rev_packets, .type = NS_REC_U64, .ipfix_pen = REV, .ipfix_ie = 2),
	TF(rev_ip_octets, .type = NS_REC_U64, .ipfix_pen = REV, .ipfix_ie = 1),
	TF(rev_l2_octets, .type = NS_REC_U64, .ipfix_pen = REV, .ipfix_ie = 352),
	TF(start_ns, .type = NS_REC_TIME, .ipfix_ie = 156),
	TF(end_ns, .type = NS_REC_TIME, .ipfix_ie = 157),
	TF(tcp_flags, .type = NS_REC_TCP_FLAGS, .ipfix_ie = 6, .ipfix_len = 2),
	TF(rev_tcp_flags, .type = NS_REC_TCP_FLAGS, .ipfix_pen = REV, .ipfix_ie = 6,
		.ipfix_len = 2),
	TF(end_reason, .type = NS_REC_U8, .ipfix_ie = 136),
	TF(icmp_type, .type = NS_REC_U8, .ipfix_ie = 176, .ipfix_ie6 = 178),
	TF(outer_src, .type = NS_REC_IP, .ipfix_ie = 225, .ipfix_ie6 = 281),
};

static const struct ns_rec_kind tflow_kind = {
	.name = "tflow",
	.version = 1,
	.size = sizeof(struct tflow),
	.fields = tflow_fields,
	.fields_n = NS_ARRAY_LEN(tflow_fields),
	.ipfix_family_field = 1,
};

#define T0 UINT64_C(1700000000123456789)

static inline struct ns_ip t_ip(const char *s)
{
	struct ns_ip ip = {.ver = strchr(s, ':') != NULL ? 6 : 4};

	if (inet_pton(ip.ver == 6 ? AF_INET6 : AF_INET, s, ip.addr) != 1)
		abort();
	return ip;
}

/* Record @i: every third is IPv6, every number tells where it comes from. */
static inline struct tflow t_flow(unsigned i)
{
	struct tflow f = {
		.community_id = "1:abc",
		.src_ip = t_ip("10.1.2.3"),
		.src_port = (uint16_t)(10000 + i),
		.dst_ip = t_ip("192.0.2.1"),
		.dst_port = 443,
		.proto = 6,
		.vlan = {.n = 2, .id = {100, 200}},
		.tunnel = "vxlan",
		.packets = 10 + i,
		.ip_octets = 1000 + i,
		.l2_octets = 2000 + i,
		.rev_packets = 20 + i,
		.rev_ip_octets = 30000 + i,
		.rev_l2_octets = 40000 + i,
		.start_ns = T0 + i,
		.end_ns = T0 + 2 * NS_SEC_NS + i,
		.tcp_flags = 0x1b,
		.rev_tcp_flags = 0x12,
		.end_reason = 3,
		.icmp_type = 8,
	};

	if (i % 3 == 2) {
		f.src_ip = t_ip("2001:db8::1");
		f.dst_ip = t_ip("2001:db8::2");
		f.tunnel[0] = '\0';
	}
	return f;
}

static inline int t_put(const struct ns_writer_ops *ops, struct ns_writer *w, unsigned from,
	unsigned n, struct ns_err *e)
{
	struct tflow *f = calloc(n, sizeof(*f));
	struct ns_batch b = {.kind = &tflow_kind, .n = n, .max = n, .records = (uint8_t *)f};
	int rc;

	for (unsigned i = 0; i < n; i++)
		f[i] = t_flow(from + i);
	rc = ops->put(w, &b, e);
	free(f);
	return rc;
}

static inline struct ns_writer *t_open(
	const char *target, const struct ns_conf *conf, const struct ns_writer_ops **ops)
{
	struct ns_err e = {""};
	struct ns_writer_args args = {.target = target, .conf = conf};
	const struct ns_plugin *p;
	struct ns_writer *w;

	ns_registry_seal(&e);
	p = ns_plugin_find(NS_WRITER_KIND, "ipfix");
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	*ops = p->ops;
	w = (*ops)->open(&args, &e);
	if (w == NULL)
		fprintf(stderr, "%s\n", e.text);
	return w;
}

/* What the reader knows of a template. */
struct r_elem {
	uint16_t id, len;
	uint32_t pen;
};

struct r_tmpl {
	unsigned n, scope, seen; /* seen: how often it was sent */
	struct r_elem el[64];
};

struct r_value {
	struct r_elem el;
	const uint8_t *p;
	size_t len;
};

struct reader {
	struct r_tmpl tmpl[1024];
	uint32_t sequence, domain;
	unsigned messages, data_sets, records, option_records, max_len;
	/* Called for each data record. */
	void (*record)(struct reader *r, uint16_t tmpl, const struct r_value *v, unsigned n);
	void *ctx;
};

static inline uint64_t r_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

#define R_NEED(cond)                                                                     \
	do {                                                                             \
		if (!(cond)) {                                                           \
			fprintf(stderr, "IPFIX reader, line %d: %s\n", __LINE__, #cond); \
			return -1;                                                       \
		}                                                                        \
	} while (0)

static inline int r_templates(struct reader *r, bool options, const uint8_t *p, const uint8_t *end)
{
	while (end - p >= 4) {
		uint16_t id = (uint16_t)r_be(p, 2), n = (uint16_t)r_be(p + 2, 2), scope = 0;
		struct r_tmpl *t = &r->tmpl[id % 1024];

		p += 4;
		R_NEED(id >= 256 && id < 1024 && n > 0 && n <= 64);
		if (options) {
			R_NEED(end - p >= 2);
			scope = (uint16_t)r_be(p, 2);
			R_NEED(scope > 0 && scope <= n);
			p += 2;
		}
		for (unsigned i = 0; i < n; i++) {
			struct r_elem el = {0};

			R_NEED(end - p >= 4);
			el.id = (uint16_t)r_be(p, 2);
			el.len = (uint16_t)r_be(p + 2, 2);
			p += 4;
			if ((el.id & 0x8000) != 0) {
				R_NEED(end - p >= 4);
				el.id &= 0x7fff;
				el.pen = (uint32_t)r_be(p, 4);
				p += 4;
			}
			R_NEED(el.id != 0 && el.len != 0);
			if (t->seen > 0)
				R_NEED(memcmp(&t->el[i], &el, sizeof(el)) == 0);
			t->el[i] = el;
		}
		R_NEED(t->seen == 0 || t->n == n);
		t->n = n;
		t->scope = scope;
		t->seen++;
	}
	while (p < end)
		R_NEED(*p++ == 0);
	return 0;
}

static inline int r_data(struct reader *r, uint16_t id, const uint8_t *p, const uint8_t *end)
{
	const struct r_tmpl *t = &r->tmpl[id % 1024];
	size_t min = 0;

	R_NEED(id < 1024 && t->seen > 0);
	for (unsigned i = 0; i < t->n; i++)
		min += t->el[i].len == 65535 ? 1 : t->el[i].len;
	R_NEED((size_t)(end - p) >= min);
	while ((size_t)(end - p) >= min) {
		struct r_value v[64];

		for (unsigned i = 0; i < t->n; i++) {
			size_t len = t->el[i].len;

			if (len == 65535) {
				R_NEED(end - p >= 1);
				len = *p++;
				if (len == 255) {
					R_NEED(end - p >= 2);
					len = r_be(p, 2);
					p += 2;
				}
			}
			R_NEED((size_t)(end - p) >= len);
			v[i] = (struct r_value){t->el[i], p, len};
			p += len;
		}
		r->sequence++;
		if (t->scope > 0) {
			r->option_records++;
		} else {
			r->records++;
		}
		if (r->record != NULL)
			r->record(r, id, v, t->n);
	}
	R_NEED(end - p < 4);
	while (p < end)
		R_NEED(*p++ == 0);
	return 0;
}

/* Reads the message at @p; its length or -1. */
static inline int r_message(struct reader *r, const uint8_t *p, size_t left)
{
	size_t len;

	R_NEED(left >= 16);
	R_NEED(r_be(p, 2) == 10);
	len = r_be(p + 2, 2);
	R_NEED(len >= 20 && len <= left);
	R_NEED(r_be(p + 4, 4) + 60 > ns_clock_real() / NS_SEC_NS);
	R_NEED(r_be(p + 8, 4) == r->sequence);
	R_NEED(r_be(p + 12, 4) == r->domain);
	for (size_t off = 16; off < len;) {
		size_t n;
		uint16_t id;

		R_NEED(len - off >= 4);
		id = (uint16_t)r_be(p + off, 2);
		n = r_be(p + off + 2, 2);
		R_NEED(n > 4 && n <= len - off);
		if (id == 2 || id == 3) {
			R_NEED(r_templates(r, id == 3, p + off + 4, p + off + n) == 0);
		} else {
			r->data_sets++;
			R_NEED(r_data(r, id, p + off + 4, p + off + n) == 0);
		}
		off += n;
	}
	r->messages++;
	r->max_len = NS_MAX(r->max_len, (unsigned)len);
	return (int)len;
}

static inline int r_file(struct reader *r, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n, cap = 64u << 20;
	uint8_t *buf = malloc(cap);
	int rc = 0;

	R_NEED(f != NULL && buf != NULL);
	n = fread(buf, 1, cap, f);
	fclose(f);
	for (size_t off = 0; off < n && rc >= 0; off += (size_t)rc)
		rc = r_message(r, buf + off, n - off);
	free(buf);
	return rc < 0 ? -1 : 0;
}

static inline const struct r_value *r_find(
	const struct r_value *v, unsigned n, uint32_t pen, uint16_t id)
{
	for (unsigned i = 0; i < n; i++) {
		if (v[i].el.pen == pen && v[i].el.id == id)
			return &v[i];
	}
	return NULL;
}

static inline uint64_t r_u64(const struct r_value *v, unsigned n, uint32_t pen, uint16_t id)
{
	const struct r_value *x = r_find(v, n, pen, id);

	return x != NULL ? r_be(x->p, x->len) : UINT64_MAX;
}
