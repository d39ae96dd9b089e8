/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer of rows, by its operations, as a sink calls them. */
#include "console_priv.h"

#include <ns_registry.h>
#include <ns_state.h>
#include <ns_test.h>
#include <ns_test_kind.h>
#include <ns_write.h>

#include <string.h>

static const struct ns_writer_ops *ops;
static struct ns_writer *w;

static void put(const struct ns_rec_kind *k, void *records, uint32_t n)
{
	struct ns_batch b = {.kind = k, .n = n, .max = n, .records = records};
	struct ns_err e;

	CU_ASSERT_EQUAL(ops->put(w, &b, &e), 0);
}

/* @p n rows of rank @p first and on. */
static void put_rows(const struct ns_test_kind *k, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct ns_test_row r = ns_test_row(first + i);

		put(&k->kind, &r, 1);
	}
}

static void end_epoch(uint64_t number)
{
	struct ns_epoch_rec r = {.epoch = number};

	put(&ns_epoch_rec_kind, &r, 1);
}

/* How many rows are kept of a task; the first has the rank. */
static size_t kept(const struct ns_test_kind *k, uint32_t rank, uint64_t epoch)
{
	struct console_rows r;

	if (!console_rows_get(&k->kind, &r))
		return SIZE_MAX;
	CU_ASSERT_EQUAL(r.epoch, epoch);
	if (r.n > 0)
		CU_ASSERT_EQUAL(((const struct ns_test_row *)(const void *)r.rows)->rank, rank);
	console_rows_release();
	return r.n;
}

static void start(void)
{
	struct ns_writer_args args = {.live = true};
	struct ns_err e;

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(&e), 0);
	w = ns_writer_open(NS_CONSOLE_WRITER, &args, &ops, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_PTR_NULL(ns_writer_open(NS_CONSOLE_WRITER, &args, &ops, &e));
	CU_ASSERT_EQUAL(errno, EBUSY);
}

static void epochs(void)
{
	struct ns_test_kind *a = ns_test_kind_create("a"), *b = ns_test_kind_create("b");

	put_rows(a, 1, 5);
	CU_ASSERT_EQUAL(kept(a, 0, 0), SIZE_MAX);
	end_epoch(7);
	CU_ASSERT_EQUAL(kept(a, 1, 7), 5);
	CU_ASSERT_EQUAL(kept(b, 0, 7), 0);
	/* what is not complete is not shown */
	put_rows(a, 10, 300);
	put_rows(b, 20, 2);
	CU_ASSERT_EQUAL(kept(a, 1, 7), 5);
	end_epoch(8);
	CU_ASSERT_EQUAL(kept(a, 10, 8), 300);
	CU_ASSERT_EQUAL(kept(b, 20, 8), 2);
	/* tasks come and go, as a new configuration has them do */
	for (uint32_t i = 0; i < 200; i++) {
		struct ns_test_kind *k = i % 3 == 0 ? a : b;

		put_rows(k, i, 1 + i % 70);
		end_epoch(9 + i);
		CU_ASSERT_EQUAL(kept(k, i, 9 + i), 1 + i % 70);
		CU_ASSERT_EQUAL(kept(k == a ? b : a, 0, 9 + i), 0);
	}
	CU_ASSERT_EQUAL(ops->flush(w, NULL), 0);
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	CU_ASSERT_EQUAL(kept(a, 0, 0), SIZE_MAX);
	free(a);
	free(b);
}

static void bounded(void)
{
	struct ns_test_kind *k[70];
	struct ns_writer_args args = {.live = true};
	struct console_rows r;
	struct ns_err e;

	w = ns_writer_open(NS_CONSOLE_WRITER, &args, &ops, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	for (unsigned i = 0; i < NS_ARRAY_LEN(k); i++) {
		k[i] = ns_test_kind_create("many");
		put_rows(k[i], i, 1);
	}
	put_rows(k[0], 1, 140000);
	end_epoch(1);
	CU_ASSERT_EQUAL(kept(k[63], 63, 1), 1);
	CU_ASSERT_EQUAL(kept(k[64], 0, 1), 0);
	CU_ASSERT_TRUE(console_rows_get(&k[0]->kind, &r));
	CU_ASSERT_EQUAL(r.n, 65536);
	CU_ASSERT_EQUAL(r.left_out, 140001 - 65536);
	console_rows_release();
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	for (unsigned i = 0; i < NS_ARRAY_LEN(k); i++)
		free(k[i]);
}

NS_TEST_MAIN({"start", start}, {"epochs", epochs}, {"bounded", bounded})
