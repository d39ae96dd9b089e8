/* SPDX-License-Identifier: BSD-3-Clause */
/* Which rows of tasks the report keeps, and that it says what it has not. */
#include "ns_test_alloc.h"
#include "report_tasks_sample.h"

/*
 * There is room for ten rows: intervals leave as new ones come, the one that is too long loses its
 * end, and what was left out is told.
 */
static void bounded(void)
{
	struct ns_test_kind *k = ns_test_kind_create("top");
	struct report *r = report_create();
	struct report_input in = sample_input();

	r->task_rows = 10;
	put_ranks(r, k, 1, 1, 4);
	put_ranks(r, k, 2, 1, 4);
	CU_ASSERT_EQUAL(r->tasks->left_out, 0);
	put_ranks(r, k, 3, 1, 4);
	CU_ASSERT_EQUAL(r->tasks->n, 8);
	CU_ASSERT_EQUAL(r->tasks->left_out, 4);
	CU_ASSERT_EQUAL(r->tasks->intervals, 3);
	CU_ASSERT_EQUAL(report_task_last(r->tasks), 4);
	put_ranks(r, k, 4, 1, 12);
	CU_ASSERT_EQUAL(r->tasks->n, 10);
	CU_ASSERT_EQUAL(r->tasks->left_out, 14);
	CU_ASSERT_EQUAL(report_task_last(r->tasks), 0);
	/* what is kept are the first ones of the last interval */
	for (uint32_t i = 0; i < 10; i++) {
		struct ns_test_row row;

		memcpy(&row, report_task_row(r->tasks, i), sizeof(row));
		CU_ASSERT_EQUAL(row.rank, i + 1);
		CU_ASSERT_EQUAL(row.epoch, 4);
	}
	char *text = printed(r, &in, TEXT);

	has(text, "the last of 4 intervals, 2023-11-14 22:17:20 to 2023-11-14 22:18:20 UTC\n");
	has(text, "\n    14 further rows are not in this report, which keeps 10 of a task\n");
	CU_ASSERT_PTR_NULL(strstr(text, "... and 2 more"));
	free(text);
	text = printed(r, &in, JSON);
	CU_ASSERT(json_ok(text));
	has(text, "      ],\n      \"left_out\": 14\n    }\n  ],");
	free(text);
	/* an interval that comes back late takes nobody's place */
	put_ranks(r, k, 9, 1, 1);
	put_ranks(r, k, 4, 13, 1);
	CU_ASSERT_EQUAL(r->tasks->n, 2);
	CU_ASSERT_EQUAL(report_task_last(r->tasks), 1);
	report_destroy(r);
	free(k);
}

/* Rows that say nothing of intervals are of one. */
static void no_interval(void)
{
	struct ns_test_kind *k = ns_test_kind_create("top");
	struct report *r = report_create();
	struct report_input in = sample_input();

	k->kind.fields += 3;
	k->kind.fields_n -= 3;
	r->task_rows = 12;
	put_ranks(r, k, 1, 1, 6);
	put_ranks(r, k, 2, 7, 7);
	CU_ASSERT_EQUAL(r->tasks->n, 12);
	CU_ASSERT_EQUAL(r->tasks->left_out, 1);
	char *text = printed(r, &in, TEXT);

	CU_ASSERT_PTR_NULL(strstr(text, "the last of"));
	has(text, "    ... and 2 more\n    1 further rows are not");
	free(text);
	report_destroy(r);
	free(k);
}

static void no_memory(void)
{
	struct ns_test_kind *k = ns_test_kind_create("top");
	struct report_input in = sample_input();
	FILE *null = fopen("/dev/null", "w");
	unsigned refused = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(null);
	setvbuf(null, NULL, _IONBF, 0);
	for (unsigned nth = 1; nth < 1000; nth++) {
		struct ns_test_row rows[100];
		struct ns_batch b = {.kind = &k->kind, .n = 100, .records = (uint8_t *)rows};
		int rc = -ENOMEM;

		for (uint32_t i = 0; i < 100; i++)
			rows[i] = ns_test_row(i);
		ns_test_alloc_fail(nth);
		struct report *r = report_create();

		if (r != NULL) {
			report_put(r, &b);
			rc = report_text_as(r, &in, null, true);
			if (rc == 0)
				rc = report_json(r, &in, null);
		}
		report_destroy(r);
		if (ns_test_alloc_done()) {
			CU_ASSERT_EQUAL(rc, 0);
			break;
		}
		CU_ASSERT_EQUAL(rc, -ENOMEM);
		refused++;
	}
	CU_ASSERT(refused > 4 && refused < 900);
	fclose(null);
	free(k);
}

static void sealed(void)
{
	struct ns_err e;

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(&e), 0);
}

NS_TEST_MAIN({"the registry is sealed", sealed}, {"bounded", bounded}, {"no interval", no_interval},
	{"each allocation may fail", no_memory})
