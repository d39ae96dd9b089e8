/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which numbered records the database has: one row for each source, which is a spool of a node.
 *
 *	ns_source(source, seq)		seq: of the last record, in the transaction of its rows
 */
#include "sqlite_priv.h"

int sqlite_source_load(
	sqlite3 *db, const char *path, const char *source, uint64_t *seq, struct ns_err *e)
{
	sqlite3_stmt *st = NULL;
	int code, rc = sqlite_run(db, path, "ns_source",
			  "CREATE TABLE IF NOT EXISTS ns_source(source TEXT PRIMARY KEY NOT NULL,"
			  " seq INTEGER NOT NULL)",
			  e);

	*seq = 0;
	if (rc < 0)
		return rc;
	code = sqlite3_prepare_v2(db, "SELECT seq FROM ns_source WHERE source=?", -1, &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(st, 1, source, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*seq = (uint64_t)sqlite3_column_int64(st, 0);
	else if (code != SQLITE_DONE)
		rc = sqlite_failed(db, path, "ns_source", e);
	sqlite3_finalize(st);
	return rc;
}

int sqlite_source_save(
	sqlite3 *db, const char *path, const char *source, uint64_t seq, struct ns_err *e)
{
	char *sql = sqlite3_mprintf("INSERT INTO ns_source VALUES(%Q,%lld)"
				    " ON CONFLICT(source) DO UPDATE SET seq=excluded.seq",
		source, (long long)seq);
	int rc = sqlite_run(db, path, "ns_source", sql, e);

	sqlite3_free(sql);
	return rc;
}
