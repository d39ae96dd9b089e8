/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables: every type of field there and back, compared with the records themselves, and columns
 * whose values are all the same.
 */
#include "wire_priv.h"

#include <ns_test.h>
#include <ns_test_kind.h>
#include <ns_test_rec.h>
#include <ns_text.h>

static const struct ns_wire_head head = {"ns/n/flow", 1, 1};

static struct ns_wire *encoder(void)
{
	static const struct ns_wire_args args = {.node = "n", .boot = "b"};
	struct ns_wire *w = ns_wire_create(&args, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	return w;
}

/* The text of a value as rec puts it, whose rules hold for empty ones too. */
static void text_of(char *p, const struct ns_rec_field *f, const void *rec)
{
	*ns_rec_put_text(p, f, rec) = '\0';
}

/* A value of the wire as the same text. */
static void wire_text(char *p, const struct ns_rec_field *f, const struct ns_wire_column *c,
	const struct ns_wire_value *v)
{
	struct ns_ip ip = {.ver = v->len == 4 ? 4 : 6};

	*p = '\0';
	if (c->zero_absent && v->u64 == 0 && v->i64 == 0 && v->f64 == 0 && v->len == 0)
		return;
	switch (c->type) {
	case NS_WIRE_UINT:
	case NS_WIRE_TIME:
		*ns_put_u64(p, v->u64) = '\0';
		break;
	case NS_WIRE_INT:
		*ns_put_i64(p, v->i64) = '\0';
		break;
	case NS_WIRE_PROTOCOL:
		*ns_put_proto(p, (uint8_t)v->u64) = '\0';
		break;
	case NS_WIRE_TCP_FLAGS:
		*ns_put_tcp_flags(p, (uint8_t)v->u64) = '\0';
		break;
	case NS_WIRE_DOUBLE:
		*ns_rec_put_text(
			p, &(struct ns_rec_field){.type = NS_REC_F64, .size = 8}, &v->f64) = '\0';
		break;
	case NS_WIRE_IP:
		if (v->len == 0)
			break;
		memcpy(ip.addr, v->bytes, v->len);
		*ns_put_ip(p, &ip) = '\0';
		break;
	case NS_WIRE_MAC:
	case NS_WIRE_BYTES:
		if (v->len > 0)
			*ns_rec_put_text(p,
				&(struct ns_rec_field){.type = f->type, .size = (uint16_t)v->len},
				v->bytes) = '\0';
		break;
	case NS_WIRE_STRING:
	case NS_WIRE_VLANS:
	case NS_WIRE_PREFIX:
		strcpy(p, (const char *)v->bytes);
		break;
	}
}

/* Encodes, decodes and compares each value of @n records. */
static void there_and_back(
	struct ns_wire *w, const struct ns_rec_kind *k, const void *recs, uint32_t n)
{
	const struct ns_wire_records r = {k, recs, n};
	struct ns_wire_out o;
	struct ns_err e = {{0}};

	CU_ASSERT_EQUAL(ns_wire_flows(w, &head, &r, &o), 0);
	struct ns_wire_msg *m = ns_wire_decode(o.data, o.len, &e);

	CU_ASSERT_STRING_EQUAL(e.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->body, NS_WIRE_FLOWS);
	CU_ASSERT_STRING_EQUAL(m->kind, k->name);
	CU_ASSERT_EQUAL(m->kind_version, k->version);
	CU_ASSERT_EQUAL(m->rows, n);
	CU_ASSERT_EQUAL_FATAL(m->columns_n, k->fields_n);
	for (unsigned i = 0; i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];
		struct ns_wire_column c;

		CU_ASSERT_TRUE_FATAL(ns_wire_column(m, i, &c));
		CU_ASSERT_STRING_EQUAL(c.name, f->name);
		CU_ASSERT_STRING_EQUAL(c.unit, f->unit != NULL ? f->unit : "");
		CU_ASSERT_EQUAL(c.zero_absent, (f->flags & NS_REC_EMPTY_ZERO) != 0);
		for (uint32_t row = 0; row < n; row++) {
			const uint8_t *rec = (const uint8_t *)recs + row * k->size;
			struct ns_wire_value v;
			char want[128], got[128];

			CU_ASSERT_TRUE_FATAL(ns_wire_value(m, i, row, &v));
			text_of(want, f, rec);
			/* a string of other octets than UTF-8 is mended; the rest is as it was */
			if (f->type == NS_REC_STR) {
				char raw[128];

				strcpy(raw, want);
				*ns_put_utf8(want, raw, strlen(raw)) = '\0';
			}
			wire_text(got, f, &c, &v);
			CU_ASSERT_STRING_EQUAL(got, want);
		}
	}
	ns_wire_free(m);
}

static void every_type(void)
{
	struct ns_wire *w = encoder();
	struct ns_test_kind *k = ns_test_kind_create("top");
	struct ns_test_row rows[64];

	/* a record with everything, one with nothing, both, in either order */
	there_and_back(w, &ns_test_flow, &ns_test_recs[0], 1);
	there_and_back(w, &ns_test_flow, &ns_test_recs[1], 1);
	there_and_back(w, &ns_test_flow, ns_test_recs, 2);
	struct ns_test_rec mixed[64];

	for (unsigned i = 0; i < 64; i++)
		mixed[i] = ns_test_recs[i % 3 == 0];
	there_and_back(w, &ns_test_flow, mixed, 64);
	for (uint32_t i = 0; i < 64; i++)
		rows[i] = ns_test_row(i);
	there_and_back(w, &k->kind, rows, 64);
	there_and_back(w, &k->kind, rows, 0);
	free(k);
	ns_wire_destroy(w);
}

static size_t values_of(const struct ns_wire_msg *m, const char *column)
{
	const pb_envelope *pb = m->pb;

	return pb->flows->records->columns[ns_wire_column_of(m, column)]->uints->n_v;
}

/* One value stands for all when all are the same, and only then. */
static void same_values(void)
{
	struct ns_wire *w = encoder();
	struct ns_test_rec recs[5];
	const struct ns_wire_records r = {&ns_test_flow, recs, 5};
	struct ns_wire_out o;
	static const char *const columns[] = {
		"u8", "u16", "u64", "i64", "f64", "time", "ip", "mac", "str", "vlans", "bytes"};

	for (unsigned i = 0; i < 5; i++)
		recs[i] = ns_test_recs[0];
	CU_ASSERT_EQUAL(ns_wire_flows(w, &head, &r, &o), 0);
	size_t small = o.len;
	struct ns_wire_msg *m = ns_wire_decode(o.data, o.len, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	for (unsigned i = 0; i < NS_ARRAY_LEN(columns); i++)
		CU_ASSERT_EQUAL(values_of(m, columns[i]), 1);
	ns_wire_free(m);
	recs[4] = ns_test_recs[1];
	CU_ASSERT_EQUAL(ns_wire_flows(w, &head, &r, &o), 0);
	m = ns_wire_decode(o.data, o.len, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	for (unsigned i = 0; i < NS_ARRAY_LEN(columns); i++)
		CU_ASSERT_EQUAL(values_of(m, columns[i]), 5);
	CU_ASSERT(o.len > small);
	ns_wire_free(m);
	ns_wire_destroy(w);
}

/* Messages of many sizes out of one encoder: its memory grows and is used again. */
static void many(void)
{
	struct ns_wire *w = encoder();
	struct ns_test_kind *k = ns_test_kind_create("top");
	static struct ns_test_row rows[5000];

	for (uint32_t i = 0; i < NS_ARRAY_LEN(rows); i++)
		rows[i] = ns_test_row(i);
	for (uint32_t n = 1; n < 5000; n = n * 3 + 1) {
		there_and_back(w, &k->kind, rows, n);
		there_and_back(w, &k->kind, rows, 1);
	}
	free(k);
	ns_wire_destroy(w);
}

NS_TEST_MAIN({"every type", every_type}, {"same values", same_values}, {"many", many})
