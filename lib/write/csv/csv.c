/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CSV: one file per record kind, a header line and then a line per record (RFC 4180, lines ended
 * by LF alone). A line of one file can hold fields of one kind only, so kinds other than the main
 * one get files of their own beside the target:
 *
 *	-w csv:out.csv	flow -> out.csv		top_sources -> out.top_sources.csv
 *
 * What is no regular file (standard output, a pipe, a device) has no place beside it. It takes the
 * main kind alone: who pipes flows into a program must not lose them, nor meet lines of another
 * shape among them, because tasks are configured as well. What is left out is counted and said.
 */
#include <ns_log.h>
#include <ns_registry.h>
#include <ns_sink.h>
#include <ns_write.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("write.csv");

#define MAIN_KIND "flow" /* the kind that the target itself is for */

/* One record kind and its file. */
struct csv_out {
	struct csv_out *next;
	const struct ns_rec_kind *kind; /* NULL: the target, while nothing has been put there */
	struct ns_sink *sink;
	struct ns_rec_csv *lines; /* of this kind; NULL with it */
	size_t line_max;
};

struct ns_writer {
	const char *target;
	struct csv_out *last; /* where the batch before went */
	struct csv_out main;
	bool main_only; /* there is no place beside the target */
	uint64_t left_out; /* records of other kinds then */
};

/* "a/out.csv" and "alert" make "a/out.alert.csv"; malloc'ed. */
static char *beside(const char *target, const char *kind)
{
	const char *slash = strrchr(target, '/');
	const char *base = slash != NULL ? slash + 1 : target;
	const char *dot = strrchr(base, '.');
	size_t stem, len = strlen(target) + strlen(kind) + 2;
	char *path = malloc(len);

	if (path == NULL)
		return NULL;
	/* the dot of a hidden file begins its name and no extension */
	stem = dot != NULL && dot != base ? (size_t)(dot - target) : strlen(target);
	char *p = mempcpy(path, target, stem);

	*p++ = '.';
	p = mempcpy(p, kind, strlen(kind));
	memcpy(p, target + stem, strlen(target + stem) + 1);
	return path;
}

/* From now on lines of this kind. */
static int lines_of(struct csv_out *o, const struct ns_rec_kind *kind, struct ns_err *e)
{
	struct ns_rec_csv *lines = ns_rec_csv_create(kind);

	if (lines == NULL)
		return ns_fail(e, ENOMEM, "%s: no memory for records of kind \"%s\"", o->sink->name,
			kind->name);
	ns_rec_csv_destroy(o->lines);
	o->lines = lines;
	o->kind = kind;
	return 0;
}

static int begin(struct csv_out *o, const struct ns_rec_kind *kind, struct ns_err *e)
{
	size_t max = ns_rec_line_max(kind);
	char *p = ns_sink_room(o->sink, max, e);

	if (p == NULL || lines_of(o, kind, e) < 0)
		return -errno;
	o->line_max = max;
	ns_sink_took(o->sink, ns_rec_put_csv_head(p, kind));
	return 0;
}

static struct csv_out *another(
	struct ns_writer *w, const struct ns_rec_kind *kind, struct ns_err *e)
{
	struct csv_out *o;
	char *path;

	o = calloc(1, sizeof(*o));
	path = beside(w->target, kind->name);
	if (o == NULL || path == NULL)
		ns_fail(e, ENOMEM, "%s: no memory for records of kind \"%s\"", w->target,
			kind->name);
	else
		o->sink = ns_sink_open(path, e);
	free(path);
	if (o == NULL || o->sink == NULL || begin(o, kind, e) < 0) {
		int err = errno;

		if (o != NULL) {
			ns_sink_close(o->sink, NULL);
			ns_rec_csv_destroy(o->lines);
		}
		free(o);
		return ns_errno_null(err);
	}
	o->next = w->main.next;
	w->main.next = o;
	return o;
}

static bool same_columns(const struct ns_rec_kind *a, const struct ns_rec_kind *b)
{
	for (unsigned i = 0; i < a->fields_n && i < b->fields_n; i++) {
		if (strcmp(a->fields[i].name, b->fields[i].name) != 0)
			return false;
	}
	return a->fields_n == b->fields_n;
}

/*
 * The file of the kind of this name, which kinds of the same name share: to open it once more would
 * cut off what is in it. False, with a message: there are other columns in it, or no memory.
 */
static bool by_name(struct ns_writer *w, const struct ns_rec_kind *kind, struct csv_out **found,
	struct ns_err *e)
{
	struct csv_out *o = &w->main;

	*found = NULL;
	while (o != NULL && (o->kind == NULL || strcmp(o->kind->name, kind->name) != 0))
		o = o->next;
	if (o == NULL)
		return true;
	if (!same_columns(o->kind, kind)) {
		ns_fail(e, EINVAL,
			"%s: two kinds of records are named \"%s\", with different columns",
			o->sink->name, kind->name);
		return false;
	}
	if (lines_of(o, kind, e) < 0)
		return false;
	o->line_max = NS_MAX(o->line_max, ns_rec_line_max(kind));
	*found = o;
	return true;
}

/* Where records of @p kind go, opened with its header when they are the first. */
static struct csv_out *out_of(struct ns_writer *w, const struct ns_rec_kind *kind, struct ns_err *e)
{
	struct csv_out *found;

	for (struct csv_out *o = &w->main; o != NULL; o = o->next) {
		if (o->kind == kind)
			return o;
	}
	if (!by_name(w, kind, &found, e) || found != NULL)
		return found;
	if (w->main.kind == NULL && strcmp(kind->name, MAIN_KIND) == 0)
		return begin(&w->main, kind, e) < 0 ? NULL : &w->main;
	return another(w, kind, e);
}

/* Whether there can be a file beside the target; of a redirected standard output there can't. */
static bool has_beside(const struct ns_writer *w)
{
	static const char *const other_names[] = {"/dev/std", "/dev/fd/", "/proc/"};

	for (unsigned i = 0; i < NS_ARRAY_LEN(other_names); i++) {
		if (strncmp(w->target, other_names[i], strlen(other_names[i])) == 0)
			return false;
	}
	return w->main.sink->regular && !w->main.sink->borrowed;
}

static struct ns_writer *csv_open(const struct ns_writer_args *args, struct ns_err *e)
{
	struct ns_writer *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		ns_fail(e, ENOMEM, "%s: no memory", args->target);
		return NULL;
	}
	w->target = args->target;
	w->last = &w->main;
	w->main.sink = ns_sink_open(args->target, e);
	if (w->main.sink == NULL) {
		int err = errno;

		free(w);
		return ns_errno_null(err);
	}
	w->main_only = !has_beside(w);
	return w;
}

/* Said when it begins: what is piped may go on for days. */
static int leave_out(struct ns_writer *w, const struct ns_batch *b)
{
	if (w->left_out == 0 && b->n > 0)
		NS_LOG(NOTICE,
			"%s takes \"" MAIN_KIND
			"\" records only; \"%s\" and all other kinds are left "
			"out: give csv a file, or use json",
			w->main.sink->name, b->kind->name);
	w->left_out += b->n;
	return 0;
}

static int csv_put(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	if (w->main_only && strcmp(b->kind->name, MAIN_KIND) != 0)
		return leave_out(w, b);
	/* a kind without records has no file */
	if (b->n == 0)
		return 0;
	struct csv_out *o = w->last->kind == b->kind ? w->last : out_of(w, b->kind, e);
	const uint8_t *rec = b->records;

	if (o == NULL)
		return -errno;
	w->last = o;
	for (uint32_t i = 0; i < b->n; i++, rec += b->kind->size) {
		char *p = ns_sink_room(o->sink, o->line_max, e);

		if (p == NULL)
			return -errno;
		ns_sink_took(o->sink, ns_rec_csv_put(o->lines, p, rec));
	}
	return 0;
}

static int csv_flush(struct ns_writer *w, struct ns_err *e)
{
	int rc = 0;

	for (struct csv_out *o = &w->main; o != NULL; o = o->next) {
		/* the first message is the one to keep */
		int r = ns_sink_flush(o->sink, rc == 0 ? e : NULL);

		rc = rc == 0 ? r : rc;
	}
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

/* A run without records leaves a header, so that what reads the file finds its columns. */
static int header_of_nothing(struct ns_writer *w, struct ns_err *e)
{
	const struct ns_rec_kind *kind = ns_rec_find(MAIN_KIND);

	return w->main.kind == NULL && kind != NULL ? begin(&w->main, kind, e) : 0;
}

static int csv_close(struct ns_writer *w, struct ns_err *e)
{
	int rc = header_of_nothing(w, e);

	if (w->left_out > 0)
		NS_LOG(INFO,
			"%s: %" PRIu64 " records of other kinds than \"" MAIN_KIND
			"\" were left out",
			w->main.sink->name, w->left_out);
	for (struct csv_out *o = &w->main, *next; o != NULL; o = next) {
		int r = ns_sink_close(o->sink, rc == 0 ? e : NULL);

		rc = rc == 0 ? r : rc;
		next = o->next;
		ns_rec_csv_destroy(o->lines);
		if (o != &w->main)
			free(o);
	}
	free(w);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

static const struct ns_writer_ops csv_ops = {.wants = NS_WRITER_CUTS,
	.open = csv_open,
	.put = csv_put,
	.flush = csv_flush,
	.close = csv_close,
	.check = ns_sink_check};

static const struct ns_plugin csv = {.kind = NS_WRITER_KIND,
	.name = "csv",
	.summary = "comma-separated values, one file per record kind; - is standard output",
	.abi = NS_PLUGIN_ABI,
	.ops = &csv_ops};

NS_PLUGIN_REGISTER(csv)
