/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* That a task says so when memory ends. Include in one file of a test program: ns_test_alloc.h. */

#include "ns_test_alloc.h"
#include "ns_test_task.h"

static inline int ns_test_no_row(void *ctx, const struct ns_rec_kind *kind, const void *row)
{
	(void)ctx;
	(void)kind;
	(void)row;
	return 0;
}

/*
 * The tasks of that list are made, their states too, and give the rows of what @p t has seen
 * (tasks of the same list), with every allocation failing once.
 */
static inline void ns_test_tasks_no_memory(const char *list, struct ns_test_tasks *t)
{
	static const struct ns_task_span span = {0, 1, 0};
	struct ns_err e = {""};
	struct ns_conf *conf = ns_test_tasks_conf(list, &e);
	struct ns_tasks_args args = {.conf = conf, .verify = true, .bound = 1000};
	bool done = false;
	unsigned n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(conf);
	for (n = 1; !done; n++) {
		int rc = -ENOMEM;

		errno = 0;
		ns_test_alloc_fail(n);
		struct ns_tasks *ts = ns_tasks_create(&args, &e);
		int err = errno;

		if (ts != NULL)
			rc = ns_tasks_result(ts, t->lane[0].state, &span, ns_test_no_row, NULL);
		done = ns_test_alloc_done();
		CU_ASSERT_TRUE(ts != NULL || err == ENOMEM);
		CU_ASSERT_EQUAL(rc, done ? 0 : -ENOMEM);
		ns_tasks_destroy(ts);
	}
	CU_ASSERT_TRUE(n > 5);
	ns_conf_destroy(conf);
}
