/* SPDX-License-Identifier: BSD-3-Clause */
/* Kinds that are made at start, and tables that an earlier run left. */
#include "sqlite_test_util.h"

#include <ns_test_kind.h>

static int put_row(const struct ns_writer_ops *ops, struct ns_writer *w,
	const struct ns_test_kind *k, uint32_t i, struct ns_err *e)
{
	struct ns_test_row r = ns_test_row(i);
	struct ns_batch b = {.kind = &k->kind, .n = 1, .max = 1, .records = (uint8_t *)&r};

	return ops->put(w, &b, e);
}

/*
 * Kinds that are made at start, among flows, one under a name that SQL must quote; each run makes
 * them anew, and the tables grow.
 */
static void made_kinds(void)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_batch f = batch(&ns_test_flow, 2);
	struct ns_err e;

	for (int run = 0; run < 3; run++) {
		struct ns_test_kind *top = ns_test_kind_create("top"), *again,
				    *odd = ns_test_kind_create("se\"lect");
		struct ns_writer *w = start(ops, &e);

		again = ns_test_kind_create("top");
		CU_ASSERT_PTR_NOT_NULL_FATAL(w);
		CU_ASSERT_EQUAL(put_row(ops, w, top, 1, &e), 0);
		CU_ASSERT_EQUAL(ops->put(w, &f, &e), 0);
		CU_ASSERT_EQUAL(put_row(ops, w, odd, 1, &e), 0);
		CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
		CU_ASSERT_EQUAL(put_row(ops, w, top, 2, &e), 0);
		CU_ASSERT_EQUAL(ops->put(w, &f, &e), 0);
		/* a second kind of the name within one run goes to the same table */
		CU_ASSERT_EQUAL(put_row(ops, w, again, 3, &e), 0);
		CU_ASSERT_EQUAL(ops->close(w, &e), 0);
		CU_ASSERT_STRING_EQUAL(e.text, "");
		free(top);
		free(again);
		free(odd);
	}
	sql_is("SELECT count(*) FROM flow", "12\n");
	sql_is("SELECT count(*), count(DISTINCT rank) FROM top", "9|3\n");
	sql_is("SELECT count(*) FROM \"se\"\"lect\"", "3\n");
	sql_is("SELECT * FROM top LIMIT 2",
		"1700000000000000000|1700000060000000000|7|1|10.0.0.1|~|4999999999|999.5|~|~|0.95\n"
		"1700000000000000000|1700000060000000000|7|2|10.0.0.2|2001:db8::/32|4999999998|998.5|"
		"900.25|1100.0|0.95\n");
	sql_is("SELECT typeof(rank), typeof(dst_net), typeof(estimate), typeof(lower) FROM top"
	       " WHERE rank = 2 LIMIT 1",
		"integer|text|real|real\n");
	sql_is("SELECT kind, version FROM ns_schema ORDER BY kind", "flow|3\nse\"lect|1\ntop|1\n");
	sql_is("SELECT name FROM pragma_index_info('top_key')", "src_ip\ndst_net\n");
}

/* Writes a row of "top" with its fields changed; the message must say each of these words. */
static void refused(const struct ns_test_kind *k, const char *one, const char *two)
{
	const struct ns_writer_ops *ops = ns_plugin_find(NS_WRITER_KIND, "sqlite")->ops;
	struct ns_err e;
	struct ns_writer *w = start(ops, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(put_row(ops, w, k, 2, &e), -EINVAL);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "table \"top\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, one));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, two));
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	sql_is("SELECT count(*) FROM top", "1\n");
}

static void other_columns(void)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_test_kind *k = ns_test_kind_create("top");
	const struct ns_rec_field rank = k->fields[3];
	struct ns_err e;
	struct ns_writer *w = start(ops, &e);

	CU_ASSERT_EQUAL(put_row(ops, w, k, 1, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	k->fields[3].name = "place";
	refused(k, "a column \"rank\"", "do not have");
	k->fields[3] = rank;
	k->fields[3].type = NS_REC_TCP_FLAGS;
	refused(k, "column \"rank\" is INTEGER", "have TEXT");
	k->fields[3] = rank;
	k->kind.fields_n--;
	refused(k, "a column \"confidence\"", "do not have");
	k->kind.fields_n++;
	sql_is("ALTER TABLE top DROP COLUMN upper", "");
	refused(k, "no column \"upper\"", "which the records to write have");
	/* in another order it is the same table */
	sql_is("ALTER TABLE top ADD COLUMN upper REAL", "");
	w = start(ops, &e);
	CU_ASSERT_EQUAL(put_row(ops, w, k, 2, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	sql_is("SELECT upper, confidence FROM top WHERE rank = 2", "1100.0|0.95\n");
	/* a table that somebody dropped is not made in silence */
	sql_is("DROP TABLE top", "");
	w = start(ops, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT(put_row(ops, w, k, 2, &e) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "no such table: top"));
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	free(k);
}

static void last(void)
{
	fresh();
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

NS_TEST_MAIN({"kinds made at start", made_kinds}, {"other columns", other_columns},
	{"nothing is left", last})
