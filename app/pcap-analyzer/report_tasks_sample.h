/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* For tests of task results in the report: rows of kinds that are made while the test runs. */

#include "ns_test_kind.h"
#include "report_sample.h"

static inline void put_rows(
	struct report *r, const struct ns_rec_kind *k, const void *rows, uint32_t n)
{
	struct ns_batch b = {.kind = k, .n = n, .max = n};
	uint8_t *copy = malloc(n * k->size + 1);

	if (copy == NULL)
		abort();
	memcpy(copy, rows, n * k->size);
	b.records = copy;
	report_put(r, &b);
	/* the report must have copied them */
	memset(copy, 0xee, n * k->size);
	free(copy);
}

/* Rows of rank from .. from + n - 1 of one interval, a minute each. */
static inline void put_ranks(struct report *r, const struct ns_test_kind *k, uint64_t interval,
	uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++) {
		struct ns_test_row row = ns_test_row(i);

		row.epoch = interval;
		row.start_ns += interval * 60 * NS_SEC_NS;
		row.end_ns += interval * 60 * NS_SEC_NS;
		put_rows(r, &k->kind, &row, 1);
	}
}
