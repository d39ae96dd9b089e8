/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The layout of the database and the question whether it is ours.
 *
 *	PRAGMA application_id = "NSPC"		user_version = SQLITE_SCHEMA_VERSION
 *	ns_schema(kind, version, created_by)	one row per record kind that has a table
 *	ns_source(source, seq)			how far the numbers of a spool are (source.c)
 *	<kind>(one column per field)		index <kind>_key over its NS_REC_KEY fields
 *
 * A database is taken only if it is empty or ours, of this layout, with no tables but those that
 * ns_schema lists: rows of another layout under the same names would lie to whoever asks. The same
 * goes for a table: kinds come from the configuration too, and a task that keeps its name and
 * changes its key has other columns in the same version.
 */
#include "sqlite_priv.h"

#include <stdlib.h>
#include <string.h>

#define APPLICATION_ID 0x4e535043 /* "NSPC" */

int sqlite_failed(sqlite3 *db, const char *path, const char *doing, struct ns_err *e)
{
	int code = db != NULL ? sqlite3_errcode(db) : SQLITE_NOMEM;
	int sys = db != NULL ? sqlite3_system_errno(db) : 0;
	int err;

	switch (code & 0xff) {
	case SQLITE_NOMEM:
		err = ENOMEM;
		break;
	case SQLITE_FULL:
		err = ENOSPC;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err = EBUSY;
		break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		err = EINVAL;
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		err = EACCES;
		break;
	case SQLITE_CANTOPEN:
		err = sys > 0 ? sys : EACCES;
		break;
	default:
		err = (code & 0xff) == SQLITE_IOERR && sys > 0 ? sys : EIO;
		break;
	}
	/* "unable to open database file" and "disk I/O error" are not the reason */
	if (err == sys)
		return ns_fail(e, err, "%s: %s: %s", path, doing, strerror(sys));
	return ns_fail(e, err, "%s: %s: %s", path, doing,
		db != NULL && code != SQLITE_NOMEM ? sqlite3_errmsg(db) : "out of memory");
}

int sqlite_run(sqlite3 *db, const char *path, const char *doing, const char *sql, struct ns_err *e)
{
	/* an allocation that failed while formatting the statement arrives here as NULL */
	if (sql == NULL)
		return sqlite_failed(NULL, path, doing, e);
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : sqlite_failed(db, path, doing, e);
}

/* Runs and frees a statement that sqlite3_mprintf() or sqlite3_str_finish() made. */
static int run_free(sqlite3 *db, const char *path, const char *doing, char *sql, struct ns_err *e)
{
	int rc = sqlite_run(db, path, doing, sql, e);

	sqlite3_free(sql);
	return rc;
}

/*
 * The first row's integer (and text, when wanted) of a query; *found tells whether there is one.
 */
static int ask(sqlite3 *db, const char *path, const char *sql, const char *arg, bool *found,
	int64_t *v, char **text, struct ns_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	*found = false;
	if (rc == SQLITE_OK && arg != NULL)
		rc = sqlite3_bind_text(st, 1, arg, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*found = true;
		*v = sqlite3_column_int64(st, 0);
		if (text != NULL) {
			*text = sqlite3_mprintf("%s", sqlite3_column_text(st, 1));
			rc = *text != NULL ? rc : SQLITE_NOMEM;
		}
	}
	int ret = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0
		  : rc == SQLITE_NOMEM                  ? sqlite_failed(NULL, path, "open", e)
							: sqlite_failed(db, path, "open", e);

	sqlite3_finalize(st);
	return ret;
}

static int number(sqlite3 *db, const char *path, const char *sql, int64_t *v, struct ns_err *e)
{
	bool found;

	*v = 0;
	return ask(db, path, sql, NULL, &found, v, NULL, e);
}

static int create(sqlite3 *db, const char *path, struct ns_err *e)
{
	return run_free(db, path, "create",
		sqlite3_mprintf("CREATE TABLE ns_schema(kind TEXT PRIMARY KEY NOT NULL,"
				" version INTEGER NOT NULL, created_by TEXT NOT NULL);"
				"PRAGMA application_id=%d; PRAGMA user_version=%d;",
			APPLICATION_ID, SQLITE_SCHEMA_VERSION),
		e);
}

/* A table that is neither SQLite's nor listed in ns_schema belongs to somebody else. */
static int no_strangers(sqlite3 *db, const char *path, struct ns_err *e)
{
	bool found;
	int64_t v;
	char *name = NULL;
	int rc = ask(db, path,
		"SELECT 1, name FROM sqlite_schema WHERE type IN ('table','view')"
		" AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT IN ('ns_schema','ns_source')"
		" AND name NOT IN (SELECT kind FROM ns_schema) ORDER BY name LIMIT 1",
		NULL, &found, &v, &name, e);

	if (rc == 0 && found)
		rc = ns_fail(e, EINVAL,
			"%s: holds a table \"%s\" that is not ours; give a database of its own",
			path, name);
	sqlite3_free(name);
	return rc;
}

static int take(sqlite3 *db, const char *path, struct ns_err *e)
{
	int64_t id = 0, version = 0, objects = 0;
	int rc = number(db, path, "PRAGMA application_id", &id, e);

	if (rc == 0)
		rc = number(db, path, "PRAGMA user_version", &version, e);
	if (rc == 0)
		rc = number(db, path, "SELECT count(*) FROM sqlite_schema", &objects, e);
	if (rc < 0)
		return rc;
	if (id == 0 && version == 0 && objects == 0)
		return create(db, path, e);
	if (id != APPLICATION_ID)
		return ns_fail(e, EINVAL,
			"%s: is a database of another program; give one of its own", path);
	if (version != SQLITE_SCHEMA_VERSION)
		return ns_fail(e, EINVAL,
			"%s: has schema version %lld, this program writes version %d; "
			"give a new database",
			path, (long long)version, SQLITE_SCHEMA_VERSION);
	return no_strangers(db, path, e);
}

int sqlite_schema_open(sqlite3 *db, const char *path, struct ns_err *e)
{
	/* looking and creating in one transaction: two programs may start at the same moment */
	int rc = sqlite_run(db, path, "open", "BEGIN IMMEDIATE", e);

	if (rc < 0)
		return rc;
	rc = take(db, path, e);
	if (rc == 0)
		rc = sqlite_run(db, path, "create", "COMMIT", e);
	if (rc < 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

static const char *column_type(enum ns_rec_type t)
{
	if (t == NS_REC_F64)
		return "REAL";
	return t <= NS_REC_TIME ? "INTEGER" : "TEXT";
}

static char *create_table(const struct ns_rec_kind *k)
{
	sqlite3_str *s = sqlite3_str_new(NULL);
	unsigned keys = 0;

	sqlite3_str_appendf(s, "CREATE TABLE \"%w\"(", k->name);
	for (unsigned i = 0; i < k->fields_n; i++)
		sqlite3_str_appendf(s, "%s\"%w\" %s", i > 0 ? "," : "", k->fields[i].name,
			column_type(k->fields[i].type));
	sqlite3_str_appendall(s, ");");
	/* one index over all: with one for each key a flow's row costs 2.5 times as much */
	for (unsigned i = 0; i < k->fields_n; i++) {
		if ((k->fields[i].flags & NS_REC_KEY) == 0)
			continue;
		if (keys++ == 0)
			sqlite3_str_appendf(
				s, "CREATE INDEX \"%w_key\" ON \"%w\"(", k->name, k->name);
		sqlite3_str_appendf(s, "%s\"%w\"", keys > 1 ? "," : "", k->fields[i].name);
	}
	if (keys > 0)
		sqlite3_str_appendall(s, ");");
	sqlite3_str_appendf(s, "INSERT INTO ns_schema VALUES(%Q,%u,%Q);", k->name, k->version,
		"netspectra " NS_VERSION);
	return sqlite3_str_finish(s);
}

static unsigned field_of(const struct ns_rec_kind *k, const char *column)
{
	unsigned i = 0;

	while (i < k->fields_n && strcmp(k->fields[i].name, column) != 0)
		i++;
	return i;
}

/* One column of the table of @p k that stands in the row of @p st: marks the field that it is. */
static int check_column(const char *path, const struct ns_rec_kind *k, const char *by,
	sqlite3_stmt *st, bool *has, struct ns_err *e)
{
	const char *name = (const char *)sqlite3_column_text(st, 0);
	const char *type = (const char *)sqlite3_column_text(st, 1);

	if (name == NULL || type == NULL)
		return sqlite_failed(NULL, path, "read columns", e);
	unsigned i = field_of(k, name);

	if (i == k->fields_n)
		return ns_fail(e, EINVAL,
			"%s: table \"%s\" (by %s) has a column \"%s\" that the records to write do "
			"not have; give a new database or rename the task",
			path, k->name, by, name);
	if (strcmp(type, column_type(k->fields[i].type)) != 0)
		return ns_fail(e, EINVAL,
			"%s: table \"%s\" (by %s): column \"%s\" is %s, but the records to write "
			"have %s; give a new database or rename the task",
			path, k->name, by, name, type, column_type(k->fields[i].type));
	has[i] = true;
	return 0;
}

static int has_all(const char *path, const struct ns_rec_kind *k, const char *by, const bool *has,
	struct ns_err *e)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		if (!has[i])
			return ns_fail(e, EINVAL,
				"%s: table \"%s\" (by %s) has no column \"%s\", which the records to "
				"write have; give a new database or rename the task",
				path, k->name, by, k->fields[i].name);
	}
	return 0;
}

/* The table has the columns of the kind, in whatever order. */
static int check_columns(sqlite3 *db, const char *path, const struct ns_rec_kind *k, const char *by,
	struct ns_err *e)
{
	bool *has = calloc(k->fields_n + 1, sizeof(*has)), any = false;
	sqlite3_stmt *st = NULL;
	int code, rc = 0;

	if (has == NULL)
		return sqlite_failed(NULL, path, "read columns", e);
	code = sqlite3_prepare_v2(db, "SELECT name, type FROM pragma_table_info(?)", -1, &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(st, 1, k->name, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	while (code == SQLITE_ROW && rc == 0) {
		any = true;
		rc = check_column(path, k, by, st, has, e);
		if (rc == 0)
			code = sqlite3_step(st);
	}
	if (rc == 0 && code != SQLITE_DONE)
		rc = sqlite_failed(db, path, "read columns", e);
	/* somebody dropped the table: what is to be inserted says so */
	if (rc == 0 && any)
		rc = has_all(path, k, by, has, e);
	sqlite3_finalize(st);
	free(has);
	return rc;
}

int sqlite_schema_kind(
	sqlite3 *db, const char *path, const struct ns_rec_kind *kind, struct ns_err *e)
{
	bool found;
	int64_t version;
	char *by = NULL;
	int rc = ask(db, path, "SELECT version, created_by FROM ns_schema WHERE kind=?", kind->name,
		&found, &version, &by, e);

	if (rc == 0 && !found)
		rc = run_free(db, path, "create table", create_table(kind), e);
	else if (rc == 0 && version != kind->version)
		rc = ns_fail(e, EINVAL,
			"%s: table \"%s\" has version %lld (by %s), this program writes version "
			"%u; give a new database",
			path, kind->name, (long long)version, by, kind->version);
	else if (rc == 0)
		rc = check_columns(db, path, kind, by, e);
	sqlite3_free(by);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

char *sqlite_schema_insert(const struct ns_rec_kind *kind)
{
	sqlite3_str *s = sqlite3_str_new(NULL);

	sqlite3_str_appendf(s, "INSERT INTO \"%w\"(", kind->name);
	for (unsigned i = 0; i < kind->fields_n; i++)
		sqlite3_str_appendf(s, "%s\"%w\"", i > 0 ? "," : "", kind->fields[i].name);
	sqlite3_str_appendall(s, ") VALUES(");
	for (unsigned i = 0; i < kind->fields_n; i++)
		sqlite3_str_appendall(s, i > 0 ? ",?" : "?");
	sqlite3_str_appendall(s, ")");
	return sqlite3_str_finish(s);
}
