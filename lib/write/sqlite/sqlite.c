/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SQLite: one table per record kind, rows appended in transactions of a few thousand.
 *
 *	put ── bind, step ──▶ open transaction ── batch full, flush or close ──▶ commit (WAL)
 *
 * WAL lets others read while this writes; with synchronous=NORMAL a crash of the machine may lose
 * the last transactions but never damages the file. A value is SQL NULL when the field is absent.
 *
 * Batches that a spool has numbered come again until they are in the database. How far its numbers
 * are is kept in ns_source, within the transaction that holds the rows: none is lost, none twice.
 */
#include "sqlite_priv.h"

#include <ns_conf.h>
#include <ns_registry.h>
#include <ns_sink.h>
#include <ns_write.h>

#include <stdlib.h>
#include <string.h>

struct sqlite_table {
	struct sqlite_table *next;
	const struct ns_rec_kind *kind;
	sqlite3_stmt *insert;
	char *text; /* room for all texts of one row */
};

struct ns_writer {
	const char *path;
	sqlite3 *db;
	struct sqlite_table *tables;
	struct sqlite_conf conf;
	uint32_t rows; /* in the open transaction */
	char source[SQLITE_SOURCE_MAX]; /* of numbered batches; "": seq is not known */
	uint64_t seq; /* the last that is in the database or the open transaction */
};

static void table_free(struct sqlite_table *t)
{
	sqlite3_finalize(t->insert);
	free(t->text);
	free(t);
}

/* SQLite knows: it ends a transaction by itself when, say, the disk is full. */
static bool in_transaction(const struct ns_writer *w)
{
	return !sqlite3_get_autocommit(w->db);
}

static int begin(struct ns_writer *w, struct ns_err *e)
{
	if (in_transaction(w))
		return 0;
	w->rows = 0;
	return sqlite_run(w->db, w->path, "begin", "BEGIN IMMEDIATE", e);
}

static int commit(struct ns_writer *w, struct ns_err *e)
{
	w->rows = 0;
	if (!in_transaction(w))
		return 0;
	if (w->source[0] != '\0') {
		int rc = sqlite_source_save(w->db, w->path, w->source, w->seq, e);

		if (rc < 0)
			return rc;
	}
	return sqlite_run(w->db, w->path, "commit", "COMMIT", e);
}

static void forget_tables(struct ns_writer *w)
{
	for (struct sqlite_table *t = w->tables, *next; t != NULL; t = next) {
		next = t->next;
		table_free(t);
	}
	w->tables = NULL;
}

/* All since the last commit comes again: as if it had never been, with the tables it had made. */
static int again(struct ns_writer *w)
{
	forget_tables(w);
	if (in_transaction(w))
		sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
	w->rows = 0;
	w->source[0] = '\0';
	return ns_errno_set(EAGAIN);
}

static struct sqlite_table *table_new(
	struct ns_writer *w, const struct ns_rec_kind *kind, struct ns_err *e)
{
	struct sqlite_table *t = calloc(1, sizeof(*t));
	char *sql = sqlite_schema_insert(kind);
	int rc;

	if (t != NULL)
		t->text = malloc(ns_rec_line_max(kind));
	if (t == NULL || t->text == NULL || sql == NULL) {
		ns_fail(e, ENOMEM, "%s: no memory for table \"%s\"", w->path, kind->name);
		rc = -ENOMEM;
	} else {
		t->kind = kind;
		rc = sqlite_schema_kind(w->db, w->path, kind, e);
		if (rc == 0 && sqlite3_prepare_v3(w->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
				       &t->insert, NULL) != SQLITE_OK)
			rc = sqlite_failed(w->db, w->path, kind->name, e);
	}
	sqlite3_free(sql);
	if (rc < 0 || t == NULL) {
		if (t != NULL)
			table_free(t);
		return ns_errno_null(rc < 0 ? -rc : ENOMEM);
	}
	t->next = w->tables;
	w->tables = t;
	return t;
}

static struct sqlite_table *table_of(
	struct ns_writer *w, const struct ns_rec_kind *kind, struct ns_err *e)
{
	for (struct sqlite_table *t = w->tables; t != NULL; t = t->next) {
		if (t->kind == kind)
			return t;
	}
	return table_new(w, kind, e);
}

/* Binds one field; texts are put at *text, which moves on and stays valid until the step. */
static int bind(sqlite3_stmt *st, int i, const struct ns_rec_field *f, const void *rec, char **text)
{
	char *from = *text;
	uint64_t v;
	double d;

	if (ns_rec_is_empty(f, rec))
		return sqlite3_bind_null(st, i);
	if (f->type == NS_REC_F64) {
		memcpy(&d, (const uint8_t *)rec + f->offset, sizeof(d));
		return sqlite3_bind_double(st, i, d);
	}
	if (f->type <= NS_REC_TIME && ns_rec_get_u64(f, rec, &v))
		return sqlite3_bind_int64(st, i, (int64_t)v);
	*text = ns_rec_put_text(from, f, rec);
	return sqlite3_bind_text(st, i, from, (int)(*text - from), SQLITE_STATIC);
}

static int insert(struct ns_writer *w, struct sqlite_table *t, const void *rec, struct ns_err *e)
{
	char *text = t->text;
	int rc = SQLITE_OK;

	for (unsigned i = 0; i < t->kind->fields_n && rc == SQLITE_OK; i++)
		rc = bind(t->insert, (int)i + 1, &t->kind->fields[i], rec, &text);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(t->insert);
	if (rc != SQLITE_DONE)
		rc = sqlite_failed(w->db, w->path, t->kind->name, e);
	else
		rc = 0;
	sqlite3_reset(t->insert);
	return rc;
}

static int insert_all(
	struct ns_writer *w, struct sqlite_table *t, const struct ns_batch *b, struct ns_err *e)
{
	const uint8_t *rec = b->records;
	int rc = 0;

	for (uint32_t i = 0; i < b->n && rc == 0; i++, rec += b->kind->size) {
		rc = begin(w, e);
		if (rc == 0)
			rc = insert(w, t, rec, e);
		/* numbered: all of a batch or nothing */
		if (rc == 0 && ++w->rows >= w->conf.batch && b->seq == 0)
			rc = commit(w, e);
	}
	return rc;
}

static int put_all(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	struct sqlite_table *t = table_of(w, b->kind, e);

	return t != NULL ? insert_all(w, t, b, e) : -errno;
}

/* Sees to it that w->seq is of the source of this batch. In a transaction. */
static int know_source(struct ns_writer *w, const char *source, struct ns_err *e)
{
	int rc = 0;

	if (strcmp(w->source, source) == 0)
		return 0;
	if (strlen(source) >= sizeof(w->source))
		return ns_fail(e, EINVAL, "%s: the source \"%s\" is too long", w->path, source);
	if (w->source[0] != '\0')
		rc = sqlite_source_save(w->db, w->path, w->source, w->seq, e);
	w->source[0] = '\0';
	if (rc == 0)
		rc = sqlite_source_load(w->db, w->path, source, &w->seq, e);
	if (rc == 0)
		strcpy(w->source, source);
	return rc;
}

static int put_numbered(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	uint64_t last = b->seq + b->n - 1;
	int rc = know_source(w, b->source, e);

	if (rc < 0 || last <= w->seq)
		return rc;
	rc = put_all(w, b, e);
	if (rc < 0)
		return rc;
	w->seq = last;
	return w->rows >= w->conf.batch ? commit(w, e) : 0;
}

static int sqlite_put(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	int rc = begin(w, e);

	if (b->seq != 0) {
		if (rc == 0)
			rc = put_numbered(w, b, e);
		return rc < 0 ? again(w) : 0;
	}
	if (rc == 0)
		rc = put_all(w, b, e);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

static int sqlite_flush(struct ns_writer *w, struct ns_err *e)
{
	bool numbered = w->source[0] != '\0';
	int rc = commit(w, e);

	return rc < 0 && numbered ? again(w) : rc;
}

/* Moves the log into the database and leaves one file; others that read keep theirs. */
static int close_db(struct ns_writer *w, struct ns_err *e)
{
	int log = 0, rc;

	rc = sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &log, NULL);
	if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		rc = 0; /* a reader holds the log: all is safe there, the last to close cleans up */
	else
		rc = sqlite_failed(w->db, w->path, "checkpoint", e);
	if (sqlite3_close(w->db) != SQLITE_OK) {
		rc = rc < 0 ? rc : sqlite_failed(w->db, w->path, "close", e);
		sqlite3_close_v2(w->db);
	}
	return rc;
}

static int sqlite_close(struct ns_writer *w, struct ns_err *e)
{
	int rc = commit(w, e);

	forget_tables(w);
	int r = close_db(w, rc == 0 ? e : NULL);

	free(w);
	rc = rc == 0 ? r : rc;
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

static int start(struct ns_writer *w, struct ns_err *e)
{
	int rc;

	if (sqlite3_open_v2(w->path, &w->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_EXRESCODE,
		    NULL) != SQLITE_OK)
		return sqlite_failed(w->db, w->path, "open", e);
	sqlite3_busy_timeout(w->db, (int)w->conf.busy_timeout);
	/* whose it is comes first: a refused database must stay as it was */
	rc = sqlite_schema_open(w->db, w->path, e);
	if (rc == 0)
		rc = sqlite_run(w->db, w->path, "open",
			"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", e);
	return rc;
}

static int sqlite_target(const char *target, struct ns_err *e)
{
	if (strcmp(target, "-") == 0)
		return ns_fail(
			e, EINVAL, "sqlite: a database can't be standard output; give a file");
	return ns_sink_check(target, e);
}

static struct ns_writer *sqlite_open(const struct ns_writer_args *args, struct ns_err *e)
{
	const struct sqlite_conf *conf =
		args->conf != NULL ? ns_conf_get(args->conf, "sqlite") : NULL;
	struct ns_writer *w;
	int rc;

	if (sqlite_target(args->target, e) < 0)
		return NULL;
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		ns_fail(e, ENOMEM, "%s: no memory", args->target);
		return NULL;
	}
	w->path = args->target;
	w->conf = conf != NULL ? *conf : sqlite_conf_defaults;
	rc = start(w, e);
	if (rc < 0) {
		sqlite3_close(w->db);
		free(w);
		return ns_errno_null(-rc);
	}
	return w;
}

static const struct ns_writer_ops sqlite_ops = {.section = "sqlite",
	.open = sqlite_open,
	.put = sqlite_put,
	.flush = sqlite_flush,
	.close = sqlite_close,
	.check = sqlite_target};

static const struct ns_plugin sqlite = {.kind = NS_WRITER_KIND,
	.name = "sqlite",
	.summary = "SQLite database, one table per record kind; rows are appended",
	.abi = NS_PLUGIN_ABI,
	.ops = &sqlite_ops};

NS_PLUGIN_REGISTER(sqlite)
