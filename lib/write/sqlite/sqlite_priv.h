/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_rec.h>

#include <sqlite3.h>

/** Layout of the database itself (PRAGMA user_version); record kinds have versions of their own. */
#define SQLITE_SCHEMA_VERSION 1

struct sqlite_conf {
	uint32_t busy_timeout; /**< ms */
	uint32_t batch; /**< rows */
};

extern const struct sqlite_conf sqlite_conf_defaults;

/** Prepares a database that is ours or empty; -EINVAL for any other, with the reason. */
int sqlite_schema_open(sqlite3 *db, const char *path, struct ns_err *e);

/**
 * Sees to the table of @p kind and to its row in ns_schema, inside the caller's transaction.
 * -EINVAL when the database holds another version of the kind, or its table has other columns.
 */
int sqlite_schema_kind(
	sqlite3 *db, const char *path, const struct ns_rec_kind *kind, struct ns_err *e);

/** "INSERT INTO kind VALUES(?,...)", malloc'ed by sqlite3_malloc, or NULL. */
char *sqlite_schema_insert(const struct ns_rec_kind *kind);

/** -errno for what the last call on @p db returned, with a message that names @p path. */
int sqlite_failed(sqlite3 *db, const char *path, const char *doing, struct ns_err *e);

/** Runs statements without results; message "path: doing: reason". */
int sqlite_run(sqlite3 *db, const char *path, const char *doing, const char *sql, struct ns_err *e);

#define SQLITE_SOURCE_MAX 64

/**
 * The number of the last record of @p source that the database has, 0 when there is none; makes the
 * table ns_source when it is not there. Inside the caller's transaction, as the next.
 */
int sqlite_source_load(
	sqlite3 *db, const char *path, const char *source, uint64_t *seq, struct ns_err *e);
int sqlite_source_save(
	sqlite3 *db, const char *path, const char *source, uint64_t seq, struct ns_err *e);
