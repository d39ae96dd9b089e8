/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* For the tests of the SQLite writer: a database of its own for each, and looks into it. */

#include <ns_registry.h>
#include <ns_test.h>
#include <ns_test_rec.h>
#include <ns_write.h>

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/ns-sqlite-XXXXXX";
static char path[64];

/* The writer's operations, and a path where there is no file. */
static inline const struct ns_writer_ops *fresh(void)
{
	char side[80];

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	const struct ns_plugin *p = ns_plugin_find(NS_WRITER_KIND, "sqlite");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	if (strcmp(dir + sizeof(dir) - 7, "XXXXXX") == 0)
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/out.db", dir);
	unlink(path);
	snprintf(side, sizeof(side), "%s-wal", path);
	unlink(side);
	snprintf(side, sizeof(side), "%s-shm", path);
	unlink(side);
	return p->ops;
}

static inline struct ns_writer *start(const struct ns_writer_ops *ops, struct ns_err *e)
{
	struct ns_writer_args args = {.target = path};

	if (e != NULL)
		e->text[0] = '\0';
	return ops->open(&args, e);
}

static inline struct ns_batch batch(const struct ns_rec_kind *kind, uint32_t n)
{
	return (struct ns_batch){
		.kind = kind, .n = n, .max = n, .records = (uint8_t *)ns_test_recs};
}

/* Runs SQL on the file; each row as "a|b|c\n" with ~ for NULL; malloc'ed. */
static inline int add_row(void *ctx, int n, char **v, char **names)
{
	for (int i = 0; i < n; i++)
		fprintf(ctx, "%s%s", v[i] != NULL ? v[i] : "~", i + 1 < n ? "|" : "\n");
	return 0;
}

static inline void sql_is(const char *sql, const char *want)
{
	sqlite3 *db;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, sql, add_row, f, NULL), SQLITE_OK);
	sqlite3_close(db);
	fclose(f);
	CU_ASSERT_STRING_EQUAL(text, want);
	free(text);
}

static inline bool exists(const char *suffix)
{
	char side[80];
	struct stat st;

	snprintf(side, sizeof(side), "%s%s", path, suffix);
	return stat(side, &st) == 0;
}

static inline void put_and_close(const struct ns_rec_kind *kind, uint32_t n)
{
	const struct ns_writer_ops *ops = ns_plugin_find(NS_WRITER_KIND, "sqlite")->ops;
	struct ns_batch b = batch(kind, n);
	struct ns_err e;
	struct ns_writer *w = start(ops, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
}
