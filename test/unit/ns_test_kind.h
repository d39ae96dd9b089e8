/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Record kinds that are made while a test runs, as those of tasks are made from the configuration:
 * memory of their own, not registered, and for one name as many as wanted.
 */

#include <ns_rec.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The row of a task. */
struct ns_test_row {
	uint64_t start_ns, end_ns, epoch;
	uint32_t rank;
	struct ns_ip src_ip;
	struct ns_prefix dst_net;
	uint64_t octets;
	double estimate, lower, upper, confidence;
};

#define NS_TEST_ROW(member, t, ...) \
	NS_REC_FIELD(struct ns_test_row, member, .name = #member, .type = t, ##__VA_ARGS__)

static const struct ns_rec_field ns_test_row_fields[] = {
	NS_TEST_ROW(start_ns, NS_REC_TIME, .unit = "ns"),
	NS_TEST_ROW(end_ns, NS_REC_TIME, .unit = "ns"),
	NS_TEST_ROW(epoch, NS_REC_U64),
	NS_TEST_ROW(rank, NS_REC_U32),
	NS_TEST_ROW(src_ip, NS_REC_IP, .flags = NS_REC_KEY),
	NS_TEST_ROW(dst_net, NS_REC_PREFIX, .flags = NS_REC_KEY),
	NS_TEST_ROW(octets, NS_REC_U64, .unit = "octets"),
	NS_TEST_ROW(estimate, NS_REC_F64, .flags = NS_REC_EMPTY_NAN, .unit = "packets"),
	NS_TEST_ROW(lower, NS_REC_F64, .flags = NS_REC_EMPTY_NAN, .unit = "packets"),
	NS_TEST_ROW(upper, NS_REC_F64, .flags = NS_REC_EMPTY_NAN, .unit = "packets"),
	NS_TEST_ROW(confidence, NS_REC_F64, .flags = NS_REC_EMPTY_NAN),
};

struct ns_test_kind {
	struct ns_rec_kind kind; /* first: a pointer to it is one to all */
	struct ns_rec_field fields[NS_ARRAY_LEN(ns_test_row_fields)];
	char name[64];
};

/* A kind of rows with all these fields; a place to change them. */
static inline struct ns_test_kind *ns_test_kind_create(const char *name)
{
	struct ns_test_kind *k = calloc(1, sizeof(*k));

	if (k == NULL || strlen(name) >= sizeof(k->name))
		abort();
	strcpy(k->name, name);
	memcpy(k->fields, ns_test_row_fields, sizeof(k->fields));
	k->kind = (struct ns_rec_kind){.name = k->name,
		.version = 1,
		.size = sizeof(struct ns_test_row),
		.fields = k->fields,
		.fields_n = NS_ARRAY_LEN(k->fields),
		.help = "largest senders",
		.ipfix_family_field = -1};
	return k;
}

/* Row of rank @p i, different in everything; the odd ones know neither net nor bounds. */
static inline struct ns_test_row ns_test_row(uint32_t i)
{
	struct ns_test_row r = {.start_ns = UINT64_C(1700000000000000000),
		.end_ns = UINT64_C(1700000060000000000),
		.epoch = 7,
		.rank = i,
		.src_ip = {4, {10, 0, 0, (uint8_t)i}},
		.dst_net = {{6, {0x20, 0x01, 0x0d, 0xb8}}, 32},
		.octets = UINT64_C(5000000000) - i,
		.estimate = 1000.5 - i,
		.lower = 900.25,
		.upper = 1100,
		.confidence = 0.95};

	if (i % 2 == 1) {
		r.dst_net = (struct ns_prefix){{0}, 0};
		r.lower = r.upper = NAN;
	}
	return r;
}
