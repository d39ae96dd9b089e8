/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbered batches, as a spool gives them: in the database once, however often they come. */
#include "sqlite_priv.h"
#include "sqlite_test_util.h"

#include <ns_test_kind.h>

static struct ns_batch numbered(uint64_t seq)
{
	struct ns_batch b = batch(&ns_test_flow, 2);

	b.seq = seq;
	b.source = "0123456789abcdef0123456789abcdef";
	return b;
}

static int put(const struct ns_writer_ops *ops, struct ns_writer *w, uint64_t seq, struct ns_err *e)
{
	struct ns_batch b = numbered(seq);

	return ops->put(w, &b, e);
}

static void once(void)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_err e = {""};
	struct ns_writer *w = start(ops, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(put(ops, w, 1, &e), 0);
	CU_ASSERT_EQUAL(put(ops, w, 3, &e), 0);
	/* within a transaction, after it, and in another run */
	CU_ASSERT_EQUAL(put(ops, w, 1, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	CU_ASSERT_EQUAL(put(ops, w, 3, &e), 0);
	CU_ASSERT_EQUAL(put(ops, w, 5, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	sql_is("SELECT count(*) FROM flow", "6\n");
	sql_is("SELECT * FROM ns_source", "0123456789abcdef0123456789abcdef|6\n");
	w = start(ops, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(put(ops, w, 3, &e), 0);
	CU_ASSERT_EQUAL(put(ops, w, 5, &e), 0);
	/* numbers may leave some out */
	CU_ASSERT_EQUAL(put(ops, w, 1000000000007, &e), 0);
	/* another spool has numbers of its own */
	struct ns_batch b = numbered(1);

	b.source = "another";
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), 0);
	CU_ASSERT_EQUAL(put(ops, w, 1000000000007, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	sql_is("SELECT count(*) FROM flow", "10\n");
	sql_is("SELECT seq FROM ns_source ORDER BY seq", "2\n1000000000008\n");
}

/* Another process has the database for itself: not now, nothing lost, nothing twice. */
static void locked(void)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_test_kind *top = ns_test_kind_create("top");
	struct ns_test_row row = ns_test_row(1);
	struct ns_batch t = {.kind = &top->kind,
		.n = 1,
		.records = (uint8_t *)&row,
		.seq = 5,
		.source = "0123456789abcdef0123456789abcdef"};
	struct ns_err e;
	struct ns_conf *conf = ns_conf_parse("sqlite: {busy_timeout: 0}", 25, "test", NULL, 0, &e);
	struct ns_writer_args args = {.target = path, .conf = conf};
	struct ns_writer *w = ops->open(&args, &e);
	sqlite3 *other;

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(put(ops, w, 1, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	CU_ASSERT_EQUAL(sqlite3_open(path, &other), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(put(ops, w, 3, &e), -EAGAIN);
		CU_ASSERT_EQUAL(errno, EAGAIN);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "locked"));
	}
	sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	CU_ASSERT_EQUAL(put(ops, w, 3, &e), 0);
	/* a kind whose table was made in a transaction that did not hold */
	CU_ASSERT_EQUAL(ops->put(w, &t, &e), 0);
	CU_ASSERT_EQUAL(put(ops, w, UINT64_MAX - 1, &e), 0);
	struct ns_batch bad = numbered(7);

	bad.source = "a source whose name is longer than any that a spool would ever have had";
	CU_ASSERT_EQUAL(ops->put(w, &bad, &e), -EAGAIN);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "too long"));
	sql_is("SELECT count(*) FROM flow", "2\n");
	/* all since the last flush again */
	CU_ASSERT_EQUAL(put(ops, w, 3, &e), 0);
	CU_ASSERT_EQUAL(ops->put(w, &t, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	CU_ASSERT_EQUAL(sqlite3_close(other), SQLITE_OK);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	sql_is("SELECT count(*) FROM flow", "4\n");
	sql_is("SELECT count(*) FROM top", "1\n");
	ns_conf_destroy(conf);
	free(top);
}

/* Batches without numbers are as they were: an error is for good. */
static void without(void)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_batch b = batch(&ns_test_flow, 2);
	struct ns_err e;
	struct ns_writer *w;
	sqlite3 *other;

	put_and_close(&ns_test_flow, 2);
	sql_is("SELECT count(*) FROM sqlite_schema WHERE name='ns_source'", "0\n");
	struct ns_conf *conf = ns_conf_parse("sqlite: {busy_timeout: 0}", 25, "test", NULL, 0, &e);
	struct ns_writer_args args = {.target = path, .conf = conf};

	w = ops->open(&args, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(sqlite3_open(path, &other), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), -EBUSY);
	CU_ASSERT_EQUAL(sqlite3_close(other), SQLITE_OK);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	ns_conf_destroy(conf);
}

static void last(void)
{
	fresh();
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

NS_TEST_MAIN(
	{"once", once}, {"locked", locked}, {"without numbers", without}, {"nothing is left", last})
