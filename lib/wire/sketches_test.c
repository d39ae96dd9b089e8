/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_wire.h"

#include <ns_test.h>

#include <string.h>

static const struct ns_wire_head head = {"ns/n1/sketch/sources", 7, 1};

/* Octets of a task's sketches, packed and not; rows of tasks are tried apart from them. */
static void sketches(void)
{
	uint8_t octets[5000] = {1, 2, 3};
	const struct ns_wire_sketches from = {"sources", 9, 100, 200, octets, sizeof(octets)};

	for (int level = 0; level <= 1; level++) {
		const struct ns_wire_args args = {
			.node = "n1", .boot = "00ff", .zstd_level = level, .zstd_min = 512};
		struct ns_err e = {""};
		struct ns_wire *w = ns_wire_create(&args, &e);
		struct ns_wire_out o;

		CU_ASSERT_PTR_NOT_NULL_FATAL(w);
		CU_ASSERT_EQUAL_FATAL(ns_wire_sketches(w, &head, &from, &o), 0);
		CU_ASSERT_EQUAL(o.packed, level == 1);
		CU_ASSERT_TRUE(level == 1 ? o.len < 500 : o.len > sizeof(octets));
		struct ns_wire_msg *m = ns_wire_decode(o.data, o.len, &e);

		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT(m->seq == head.seq && m->packed == o.packed && m->version == 1);
		CU_ASSERT_EQUAL(m->body, NS_WIRE_TASK);
		CU_ASSERT_STRING_EQUAL(m->task, "sources");
		CU_ASSERT(m->epoch == 9 && m->start_ns == 100 && m->end_ns == 200);
		CU_ASSERT(m->rows == 0 && m->columns_n == 0 && m->kind == NULL);
		CU_ASSERT_EQUAL_FATAL(m->sketches_len, sizeof(octets));
		CU_ASSERT_EQUAL(memcmp(m->sketches, octets, sizeof(octets)), 0);
		ns_wire_free(m);
		ns_wire_destroy(w);
	}
}

NS_TEST_MAIN({"sketches", sketches})
