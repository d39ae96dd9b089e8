/* SPDX-License-Identifier: BSD-3-Clause */
#include "sqlite_priv.h"
#include "sqlite_test_util.h"

#include <ns_conf.h>
#include <ns_registry.h>
#include <ns_test.h>
#include <ns_test_alloc.h>
#include <ns_test_rec.h>
#include <ns_write.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void golden(void)
{
	fresh();
	put_and_close(&ns_test_flow, 2);
	CU_ASSERT_TRUE(exists(""));
	CU_ASSERT_FALSE(exists("-wal"));
	CU_ASSERT_FALSE(exists("-shm"));
	sql_is("SELECT * FROM flow",
		"255|65535|4294967295|-1|-9223372036854775808|0.1|1700000000123456789|2001:db8::1|"
		"00:1b:21:ff:ab:09|a,\"\n\xffxyz|tcp|FSA|100.200|dead0001|7\n"
		"0|0|0|0|0|~|~|~|~|~|hopopt||~|~|~\n");
	sql_is("SELECT typeof(u8),typeof(u64),typeof(f64),typeof(time),typeof(ip),typeof(str),"
	       "typeof(proto),typeof(vlans),typeof(bytes) FROM flow LIMIT 1",
		"integer|integer|real|integer|text|text|text|text|text\n");
	/* how the README says to read what is over 2^63 - 1 */
	sql_is("SELECT printf('%llu', u64) FROM flow", "18446744073709551615\n0\n");
	sql_is("SELECT * FROM ns_schema", "flow|3|netspectra " NS_VERSION "\n");
	sql_is("PRAGMA user_version", "1\n");
	sql_is("PRAGMA journal_mode", "wal\n");
	sql_is("SELECT name FROM sqlite_schema WHERE type='index' AND sql NOT NULL ORDER BY name",
		"flow_key\n");
	sql_is("SELECT name FROM pragma_index_info('flow_key')", "u64\nip\n");
	sql_is("PRAGMA integrity_check", "ok\n");
}

static void appends(void)
{
	fresh();
	put_and_close(&ns_test_flow, 2);
	put_and_close(&ns_test_alert, 1);
	put_and_close(&ns_test_flow, 1);
	sql_is("SELECT (SELECT count(*) FROM flow),(SELECT count(*) FROM alert)", "3|1\n");
	sql_is("SELECT kind,version FROM ns_schema ORDER BY kind", "alert|1\nflow|3\n");
}

/* Others see rows after flush, and after each full transaction, not before. */
static void visibility(void)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_batch b = batch(&ns_test_flow, 2);
	struct ns_writer *w = start(ops, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(ops->put(w, &b, NULL), 0);
	sql_is("SELECT count(*) FROM sqlite_schema WHERE name='flow'", "0\n");
	CU_ASSERT_EQUAL(ops->flush(w, NULL), 0);
	CU_ASSERT_EQUAL(ops->flush(w, NULL), 0);
	sql_is("SELECT count(*) FROM flow", "2\n");
	for (uint32_t n = 0; n < sqlite_conf_defaults.batch + 4; n += 2)
		CU_ASSERT_EQUAL(ops->put(w, &b, NULL), 0);
	sql_is("SELECT count(*) FROM flow", "5002\n");
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	sql_is("SELECT count(*) FROM flow", "5006\n");
	CU_ASSERT_FALSE(exists("-wal"));
}

static void nothing_put(void)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_writer *w = start(ops, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	sql_is("SELECT name FROM sqlite_schema WHERE type='table'", "ns_schema\n");
	CU_ASSERT_FALSE(exists("-wal"));
}

/* Each of these databases is refused with its reason. */
static void refuses(void)
{
	static const struct {
		const char *sql, *says;
	} cases[] = {
		{"CREATE TABLE flow(a)", "another program"},
		{"PRAGMA user_version=1", "another program"},
		{"PRAGMA application_id=77", "another program"},
		{"PRAGMA application_id=0x4e535043; PRAGMA user_version=2; CREATE TABLE t(a)",
			"schema version 2, this program writes version 1"},
	};
	struct ns_err e;

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		const struct ns_writer_ops *ops = fresh();

		sql_is(cases[i].sql, "");
		CU_ASSERT_PTR_NULL(start(ops, &e));
		CU_ASSERT_EQUAL(errno, EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i].says));
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
		/* and left as it was */
		sql_is("SELECT count(*) FROM sqlite_schema WHERE name='ns_schema'", "0\n");
		sql_is("PRAGMA journal_mode", "delete\n");
	}
	const struct ns_writer_ops *ops = fresh();

	put_and_close(&ns_test_flow, 1);
	sql_is("CREATE TABLE mine(a)", "");
	CU_ASSERT_PTR_NULL(start(ops, &e));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "\"mine\""));
}

static void other_version_of_a_kind(void)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_batch b = batch(&ns_test_flow, 1);
	struct ns_err e;

	put_and_close(&ns_test_flow, 1);
	sql_is("UPDATE ns_schema SET version=2", "");
	struct ns_writer *w = start(ops, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "\"flow\" has version 2"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "writes version 3"));
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	sql_is("SELECT count(*) FROM flow", "1\n");
}

static void failures(void)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_batch b = batch(&ns_test_flow, 1);
	struct ns_err e;
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (int i = 0; i < 1000; i++)
		fputs("not a database\n", f);
	fclose(f);
	CU_ASSERT_PTR_NULL(start(ops, &e));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "file is not a database"));

	fresh();
	snprintf(path, sizeof(path), "/nowhere/out.db");
	CU_ASSERT_PTR_NULL(start(ops, &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_STRING_EQUAL(
		e.text, "/nowhere/out.db: folder /nowhere: No such file or directory");

	struct ns_writer_args out = {.target = "-"};

	CU_ASSERT_PTR_NULL(ops->open(&out, &e));
	CU_ASSERT_EQUAL(errno, EINVAL);

	/* a disk that takes no more is told, and what was committed before is kept */
	fresh();
	struct ns_writer *w = start(ops, &e);
	struct rlimit large, small;
	int rc;

	getrlimit(RLIMIT_FSIZE, &large);
	small = large;
	small.rlim_cur = 200000;

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &small), 0);
	do {
		rc = ops->put(w, &b, &e);
		rc = rc == 0 ? ops->flush(w, &e) : rc;
	} while (rc == 0);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &large), 0);
	CU_ASSERT_EQUAL(rc, -EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "disk I/O error"));
	ops->close(w, NULL);
	sql_is("SELECT count(*)>0 FROM flow", "1\n");
	sql_is("PRAGMA integrity_check", "ok\n");
}

/* Somebody else holds the write lock: after the timeout, a message. */
static void busy(void)
{
	struct ns_conf *c;
	const char *set[] = {"sqlite.busy_timeout=50"};
	const struct ns_writer_ops *ops = fresh();
	struct ns_batch b = batch(&ns_test_flow, 1);
	struct ns_err e;
	sqlite3 *other;

	put_and_close(&ns_test_flow, 1);
	c = ns_conf_load(NULL, set, 1, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	struct ns_writer_args args = {.target = path, .conf = c};
	struct ns_writer *w = ops->open(&args, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(sqlite3_open(path, &other), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "locked"));
	sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(other);
	/* and it goes on when the other is done */
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	sql_is("SELECT count(*) FROM flow", "2\n");
	ns_conf_destroy(c);
}

static void configuration(void)
{
	static const char *const bad[] = {"sqlite.batch=0", "sqlite.batch=1000001",
		"sqlite.busy_timeout=3600001", "sqlite.busy_timeout=-1"};
	const char *good = "sqlite.batch=7";
	struct ns_err e;

	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++)
		CU_ASSERT_PTR_NULL(ns_conf_load(NULL, &bad[i], 1, &e));
	struct ns_conf *c = ns_conf_load(NULL, &good, 1, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	const struct sqlite_conf *v = ns_conf_get(c, "sqlite");

	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	CU_ASSERT_EQUAL(v->batch, 7);
	CU_ASSERT_EQUAL(v->busy_timeout, sqlite_conf_defaults.busy_timeout);
	ns_conf_destroy(c);
}

/* A new database, and one that has the table already. */
static void no_memory_in(bool grown)
{
	const struct ns_writer_ops *ops = fresh();
	struct ns_batch b = batch(&ns_test_flow, 2);
	unsigned n = 1;

	for (;; n++) {
		struct ns_err e = {{0}};
		int rc = -ENOMEM;

		fresh();
		if (grown)
			put_and_close(&ns_test_flow, 1);
		ns_test_alloc_fail(n);
		struct ns_writer *w = start(ops, &e);
		int err = errno;

		if (w != NULL)
			rc = ops->put(w, &b, &e);
		bool done = ns_test_alloc_done();

		/* SQLite does without some of its memory (caches): that is fine as well */
		if (w == NULL) {
			CU_ASSERT_EQUAL(err, ENOMEM);
			CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
		} else {
			CU_ASSERT(rc == 0 || rc == -ENOMEM);
			ops->close(w, NULL);
			sql_is("PRAGMA integrity_check", "ok\n");
		}
		if (done) {
			CU_ASSERT_EQUAL(rc, 0);
			break;
		}
	}
	CU_ASSERT(n > 20);
}

static void no_memory(void)
{
	no_memory_in(false);
	no_memory_in(true);
	fresh();
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

NS_TEST_MAIN({"golden", golden}, {"appends", appends}, {"visibility", visibility},
	{"nothing put", nothing_put}, {"refuses", refuses},
	{"other version of a kind", other_version_of_a_kind}, {"failures", failures},
	{"busy", busy}, {"configuration", configuration}, {"no memory", no_memory})
