/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer to a file, read back by the reader of ipfix_test_util.h. */
#include "ipfix_priv.h"
#include "ipfix_test_util.h"

#include <ns_conf.h>

#include <unistd.h>

static char path[64];

static const char *tmp_file(void)
{
	int fd;

	strcpy(path, "/tmp/ns_ipfix_XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	close(fd);
	return path;
}

/* Back from NTP format, rounding down as collectors do. */
static uint64_t from_ntp(uint64_t v)
{
	return ((v >> 32) - UINT64_C(2208988800)) * NS_SEC_NS +
	       (((v & UINT32_MAX) * NS_SEC_NS) >> 32);
}

static void check_flow(struct reader *r, uint16_t tmpl, const struct r_value *v, unsigned n)
{
	struct ns_ip zero = {0};
	const struct r_value *x;
	unsigned i;

	if (r->tmpl[tmpl].scope > 0)
		return;
	i = (unsigned)r_u64(v, n, 0, 7) - 10000;
	struct tflow f = t_flow(i);
	bool v6 = f.src_ip.ver == 6;
	((uint8_t *)r->ctx)[i]++;
	x = r_find(v, n, 0, v6 ? 27 : 8);
	CU_ASSERT_FATAL(x != NULL && x->len == (v6 ? 16 : 4));
	CU_ASSERT_EQUAL(memcmp(x->p, f.src_ip.addr, x->len), 0);
	CU_ASSERT_PTR_NULL(r_find(v, n, 0, v6 ? 8 : 27));
	x = r_find(v, n, 0, v6 ? 28 : 12);
	CU_ASSERT_FATAL(x != NULL && x->len == (v6 ? 16 : 4));
	CU_ASSERT_EQUAL(memcmp(x->p, f.dst_ip.addr, x->len), 0);
	x = r_find(v, n, 0, v6 ? 281 : 225);
	CU_ASSERT_FATAL(x != NULL && x->len == (v6 ? 16 : 4));
	CU_ASSERT_EQUAL(memcmp(x->p, zero.addr, x->len), 0);
	x = r_find(v, n, 0, 82);
	CU_ASSERT_FATAL(x != NULL && x->el.len == 65535 && x->len == strlen(f.tunnel));
	CU_ASSERT_EQUAL(memcmp(x->p, f.tunnel, x->len), 0);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 11), 443);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 4), 6);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 58), 100);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 2), f.packets);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 1), f.ip_octets);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 352), f.l2_octets);
	CU_ASSERT_EQUAL(r_u64(v, n, REV, 2), f.rev_packets);
	CU_ASSERT_EQUAL(r_u64(v, n, REV, 1), f.rev_ip_octets);
	CU_ASSERT_EQUAL(r_u64(v, n, REV, 352), f.rev_l2_octets);
	CU_ASSERT_EQUAL(from_ntp(r_u64(v, n, 0, 156)), f.start_ns);
	CU_ASSERT_EQUAL(from_ntp(r_u64(v, n, 0, 157)), f.end_ns);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 152), f.start_ns / 1000000);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 153), f.end_ns / 1000000);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 6), 0x1b);
	CU_ASSERT_EQUAL(r_find(v, n, 0, 6)->len, 2);
	CU_ASSERT_EQUAL(r_u64(v, n, REV, 6), 0x12);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 136), 3);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, v6 ? 178 : 176), 8);
}

static void both_families(void)
{
	enum { N = 5000 };
	const struct ns_writer_ops *ops;
	struct ns_err e = {""};
	struct reader *r = calloc(1, sizeof(*r));
	uint8_t *seen = calloc(N, 1);
	struct ns_writer *w = t_open(tmp_file(), NULL, &ops);
	unsigned bad = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	for (unsigned i = 0; i < N; i += 50)
		CU_ASSERT_EQUAL(t_put(ops, w, i, 50, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	r->record = check_flow;
	r->ctx = seen;
	CU_ASSERT_EQUAL(r_file(r, path), 0); /* complete after a flush, not only after close */
	CU_ASSERT_EQUAL(r->records, N);
	CU_ASSERT_EQUAL(r->option_records, 0);
	for (unsigned i = 0; i < N; i++)
		bad += seen[i] != 1;
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);

	memset(r, 0, sizeof(*r));
	CU_ASSERT_EQUAL(r_file(r, path), 0);
	CU_ASSERT_EQUAL(r->records, N);
	CU_ASSERT_EQUAL(r->option_records, 1);
	CU_ASSERT_EQUAL(r->tmpl[257].seen, 1);
	CU_ASSERT_EQUAL(r->tmpl[258].seen, 1);
	CU_ASSERT_EQUAL(r->tmpl[259].seen, 0);
	CU_ASSERT(r->max_len > 65000);
	/* Two sets in each message of data, one for each family. */
	CU_ASSERT(r->data_sets <= 2 * r->messages);
	free(r);
	free(seen);
	unlink(path);
}

static void on_mixed(struct reader *r, uint16_t tmpl, const struct r_value *v, unsigned n)
{
	const struct r_value *outer = r_find(v, n, 0, 225);
	unsigned *count = r->ctx;

	if (r->tmpl[tmpl].scope > 0)
		return;
	if (outer == NULL)
		outer = r_find(v, n, 0, 281);
	CU_ASSERT_PTR_NOT_NULL_FATAL(outer);
	count[(r_find(v, n, 0, 27) != NULL ? 1 : 0) + (outer->el.id == 281 ? 2 : 0)]++;
	CU_ASSERT_EQUAL(outer->p[0], outer->el.id == 281 ? 0xfe : 172);
}

/* An outer address of the other family has a template with its own element. */
static void mixed_families(void)
{
	const struct ns_writer_ops *ops;
	struct ns_err e = {""};
	struct reader *r = calloc(1, sizeof(*r));
	struct ns_writer *w = t_open(tmp_file(), NULL, &ops);
	unsigned count[4] = {0};
	struct tflow f[4];
	struct ns_batch b = {.kind = &tflow_kind, .n = 4, .max = 4, .records = (uint8_t *)f};

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	for (unsigned i = 0; i < 4; i++) {
		f[i] = t_flow(i & 1 ? 2 : 0);
		f[i].outer_src = t_ip(i & 2 ? "fe80::1" : "172.16.0.1");
	}
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	r->record = on_mixed;
	r->ctx = count;
	CU_ASSERT_EQUAL(r_file(r, path), 0);
	CU_ASSERT(count[0] == 1 && count[1] == 1 && count[2] == 1 && count[3] == 1);
	free(r);
	unlink(path);
}

/* One record kind with every type and unusual lengths; no family decides. */
struct tall {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int64_t i64;
	double f64;
	struct ns_ip ip;
	uint8_t mac[6];
	char str[600];
	uint8_t bytes[5];
	struct ns_vlans vlans;
	uint64_t t;
};

#define TA(m, ...) NS_REC_FIELD(struct tall, m, .name = #m, .ipfix_pen = 4242, __VA_ARGS__)

static const struct ns_rec_field tall_fields[] = {
	TA(u8, .type = NS_REC_U8, .ipfix_ie = 1, .ipfix_len = 4),
	TA(u16, .type = NS_REC_U16, .ipfix_ie = 2),
	TA(u32, .type = NS_REC_U32, .ipfix_ie = 3),
	TA(u64, .type = NS_REC_U64, .ipfix_ie = 4, .ipfix_len = 4),
	TA(i64, .type = NS_REC_I64, .ipfix_ie = 5, .ipfix_len = 2),
	TA(i64, .type = NS_REC_I64, .ipfix_ie = 6),
	TA(f64, .type = NS_REC_F64, .ipfix_ie = 7),
	TA(f64, .type = NS_REC_F64, .ipfix_ie = 8, .ipfix_len = 4),
	TA(ip, .type = NS_REC_IP, .ipfix_ie = 9, .ipfix_ie6 = 10),
	TA(mac, .type = NS_REC_MAC, .ipfix_ie = 11),
	TA(str, .type = NS_REC_STR, .ipfix_ie = 12, .ipfix_len = 255),
	TA(str, .type = NS_REC_STR, .ipfix_ie = 13, .ipfix_len = 4),
	TA(bytes, .type = NS_REC_BYTES, .ipfix_ie = 14),
	TA(bytes, .type = NS_REC_BYTES, .ipfix_ie = 15, .ipfix_len = 255),
	TA(vlans, .type = NS_REC_VLANS, .ipfix_ie = 16),
	NS_REC_FIELD(struct tall, t, .name = "t", .type = NS_REC_TIME, .ipfix_ie = 150),
	NS_REC_FIELD(struct tall, t, .name = "t", .type = NS_REC_TIME, .ipfix_ie = 154),
	TA(t, .type = NS_REC_TIME, .ipfix_ie = 17),
};

static const struct ns_rec_kind tall_kind = {
	.name = "tall",
	.size = sizeof(struct tall),
	.fields = tall_fields,
	.fields_n = NS_ARRAY_LEN(tall_fields),
	.ipfix_family_field = -1,
};

static void on_tall(struct reader *r, uint16_t tmpl, const struct r_value *v, unsigned n)
{
	const struct tall *t = r->ctx;
	const struct r_value *x;
	uint64_t bits;
	uint32_t bits32;
	double d;
	float f;

	if (r->tmpl[tmpl].scope > 0)
		return;
	CU_ASSERT_EQUAL(r_u64(v, n, 4242, 1), 200);
	CU_ASSERT_EQUAL(r_find(v, n, 4242, 1)->len, 4);
	CU_ASSERT_EQUAL(r_u64(v, n, 4242, 2), 65000);
	CU_ASSERT_EQUAL(r_u64(v, n, 4242, 3), 4000000000);
	CU_ASSERT_EQUAL(r_u64(v, n, 4242, 4), UINT32_MAX); /* too great: the greatest */
	CU_ASSERT_EQUAL(r_u64(v, n, 4242, 5), 0x8000);
	CU_ASSERT_EQUAL((int64_t)r_u64(v, n, 4242, 6), -100000);
	bits = r_u64(v, n, 4242, 7);
	memcpy(&d, &bits, 8);
	CU_ASSERT_EQUAL(d, 0.1);
	bits32 = (uint32_t)r_u64(v, n, 4242, 8);
	memcpy(&f, &bits32, 4);
	CU_ASSERT_EQUAL(f, 0.1f);
	CU_ASSERT_EQUAL(r_u64(v, n, 4242, 9), 0x0a000001);
	x = r_find(v, n, 4242, 10);
	CU_ASSERT(x != NULL && x->len == 16 && x->p[0] == 0 && x->p[15] == 0);
	CU_ASSERT_EQUAL(memcmp(r_find(v, n, 4242, 11)->p, "\1\2\3\4\5\6", 6), 0);
	x = r_find(v, n, 4242, 12);
	CU_ASSERT_EQUAL(x->len, strnlen(t->str, sizeof(t->str)));
	CU_ASSERT_EQUAL(memcmp(x->p, t->str, x->len), 0);
	x = r_find(v, n, 4242, 13);
	CU_ASSERT_EQUAL(x->len, 4);
	CU_ASSERT_EQUAL(strncmp((const char *)x->p, t->str, 4), 0);
	x = r_find(v, n, 4242, 14);
	CU_ASSERT(x->len == 5 && memcmp(x->p, "\xff\0\1\2\3", 5) == 0);
	x = r_find(v, n, 4242, 15);
	CU_ASSERT(x->len == 5 && memcmp(x->p, "\xff\0\1\2\3", 5) == 0);
	CU_ASSERT_EQUAL(r_u64(v, n, 4242, 16), 0);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 150), T0 / NS_SEC_NS);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 154) & 0x7ff, 0);
	CU_ASSERT((int64_t)(t->t - from_ntp(r_u64(v, n, 0, 154))) < 1000);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 152), T0 / 1000000);
	CU_ASSERT_EQUAL(from_ntp(r_u64(v, n, 4242, 17)), T0);
}

static void all_types(void)
{
	static const unsigned lens[] = {0, 3, 254, 255, 256, 600};
	struct tall t = {.u8 = 200,
		.u16 = 65000,
		.u32 = 4000000000,
		.u64 = UINT64_C(1) << 40,
		.i64 = -100000,
		.f64 = 0.1,
		.ip = t_ip("10.0.0.1"),
		.mac = {1, 2, 3, 4, 5, 6},
		.bytes = {255, 0, 1, 2, 3},
		.t = T0};
	struct ns_batch b = {.kind = &tall_kind, .n = 1, .max = 1, .records = (uint8_t *)&t};
	struct reader *r = calloc(1, sizeof(*r));

	for (unsigned i = 0; i < NS_ARRAY_LEN(lens); i++) {
		const struct ns_writer_ops *ops;
		struct ns_err e = {""};
		struct ns_writer *w = t_open(tmp_file(), NULL, &ops);

		CU_ASSERT_PTR_NOT_NULL_FATAL(w);
		memset(t.str, 0, sizeof(t.str));
		memset(t.str, 'x', lens[i]);
		CU_ASSERT_EQUAL(ops->put(w, &b, &e), 0);
		CU_ASSERT_EQUAL(ops->close(w, &e), 0);
		memset(r, 0, sizeof(*r));
		r->record = on_tall;
		r->ctx = &t;
		CU_ASSERT_EQUAL(r_file(r, path), 0);
		CU_ASSERT_EQUAL(r->records, 1);
		unlink(path);
	}
	free(r);
}

/* Records of one octet: three octets of padding would read as three more records. */
static void padding(void)
{
	static const struct ns_rec_field field = {
		.name = "x", .type = NS_REC_U8, .size = 1, .ipfix_ie = 4};
	static const struct ns_rec_kind kind = {.name = "tiny",
		.size = 1,
		.fields = &field,
		.fields_n = 1,
		.ipfix_family_field = -1};
	static const struct ns_rec_field hidden = {
		.name = "x", .type = NS_REC_U8, .size = 1, .flags = NS_REC_NO_EXPORT};
	static const struct ns_rec_kind none = {.name = "none",
		.size = 1,
		.fields = &hidden,
		.fields_n = 1,
		.ipfix_family_field = -1};
	uint8_t *recs = calloc(1, 200000);
	struct reader *r = calloc(1, sizeof(*r));

	for (unsigned n = 1; n <= 200000; n = n < 9 ? n + 1 : n + 66663) {
		struct ns_batch b = {.kind = &kind, .n = n, .max = n, .records = recs};
		struct ns_batch nothing = {.kind = &none, .n = 3, .max = 3, .records = recs};
		const struct ns_writer_ops *ops;
		struct ns_err e = {""};
		struct ns_writer *w = t_open(tmp_file(), NULL, &ops);

		CU_ASSERT_EQUAL(ops->put(w, &b, &e), 0);
		CU_ASSERT_EQUAL(ops->put(w, &nothing, &e), 0); /* no element: says nothing */
		CU_ASSERT_EQUAL(ops->close(w, &e), 0);
		memset(r, 0, sizeof(*r));
		CU_ASSERT_EQUAL(r_file(r, path), 0);
		CU_ASSERT_EQUAL(r->records, n);
		unlink(path);
	}
	free(r);
	free(recs);
}

static void utf8(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"abc", "abc"},
		{"h\xc3\xa9", "h\xc3\xa9"},
		{"\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"a\xff"
		 "b",
			"a?b"},
		{"\xc3", "?"}, /* cut */
		{"\xe2\x82", "??"},
		{"\xc0\x80", "??"}, /* overlong */
		{"\xe0\x80\x80", "???"},
		{"\xed\xa0\x80", "???"}, /* surrogate */
		{"\xf4\x90\x80\x80", "????"}, /* over U+10FFFF */
		{"\xf0\x8f\xbf\xbf", "????"},
		{"\x80", "?"},
	};
	uint8_t out[16];

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		size_t n = strlen(cases[i].in);

		ipfix_copy_utf8(out, (const uint8_t *)cases[i].in, n);
		CU_ASSERT_EQUAL(memcmp(out, cases[i].out, n), 0);
	}
}

static void refuses(void)
{
	static const char *const bad[] = {"udp://", "udp://[::1", "udp://::1:4739",
		"udp://host:", "sctp://h:1", "tcp://[::1]x", "tcp://127.0.0.1:1",
		"/nonexistent/dir/file", "udp://127.0.0.1:99999999"};
	/* one field has an element, so that the other was forgotten */
	static const struct ns_rec_field forgotten[] = {
		{.name = "proto", .type = NS_REC_U8, .size = 1, .ipfix_ie = 4},
		{.name = "nameless", .type = NS_REC_U8, .size = 1}};
	static const struct ns_rec_field time = {
		.name = "when", .type = NS_REC_TIME, .size = 8, .ipfix_ie = 22};
	struct ns_rec_kind kind = {.name = "bad",
		.size = 8,
		.fields = forgotten,
		.fields_n = 2,
		.ipfix_family_field = -1};
	uint8_t rec[8] = {0};
	struct ns_batch b = {.kind = &kind, .n = 1, .max = 1, .records = rec};
	const struct ns_writer_ops *ops;
	struct ns_writer *w = t_open("/dev/full", NULL, &ops);
	struct ns_err e;

	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++) {
		struct ns_writer_args args = {.target = bad[i]};

		e.text[0] = '\0';
		errno = 0;
		CU_ASSERT_PTR_NULL(ops->open(&args, &e));
		CU_ASSERT_NOT_EQUAL(errno, 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i]));
	}
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "nameless"));
	kind.fields_n = 1;
	kind.fields = &time; /* flowStartSysUpTime has no fixed format that a time of day fits */
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "when"));
	/* A full disk is told once, and close still frees. */
	CU_ASSERT_EQUAL(t_put(ops, w, 0, 1, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), -ENOSPC);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/dev/full"));
	CU_ASSERT_EQUAL(t_put(ops, w, 0, 1, &e), -ENOSPC);
	ops->close(w, &e);
}

NS_TEST_MAIN({"both families in one batch", both_families}, {"outer address", mixed_families},
	{"all types", all_types}, {"padding", padding}, {"UTF-8", utf8}, {"refuses", refuses})
