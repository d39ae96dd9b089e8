/* SPDX-License-Identifier: BSD-3-Clause */
#include "answer.h"

#include "table.h"

#include <ns_text.h>

#include <stdio.h>
#include <string.h>

/* The records so far become a table, or have become JSON. */
static void end_table(struct answer *a)
{
	if (a->kind != NULL && a->records.n > 0) {
		if (a->body.n > 0)
			buf_str(&a->body, "\n");
		table_put(&a->body, a->kind, (const uint8_t *)a->records.s,
			a->records.n / a->kind->size, a->request.columns);
	}
	a->records.n = 0;
	a->kind = NULL;
}

static void on_record(void *ctx, const struct ns_rec_kind *kind, const void *rec)
{
	struct answer *a = ctx;
	bool json = a->request.format == FORMAT_JSON;
	size_t most = json ? ns_rec_line_max(kind) : kind->size;

	if (!json && a->kind != kind) {
		end_table(a);
		a->kind = kind;
	}
	char *p = a->records_n < ANSWER_RECORDS ? buf_room(json ? &a->body : &a->records, most)
						: NULL;

	if (p == NULL) {
		a->left_out++;
		return;
	}
	a->records_n++;
	if (json) {
		a->body.n += (size_t)(ns_rec_put_json_line(p, kind, rec) - p);
	} else {
		memcpy(p, rec, kind->size);
		a->records.n += kind->size;
	}
}

static void put_json_text(struct buf *b, const char *text)
{
	size_t n = strlen(text);
	char *p = buf_room(b, 6 * n + 32);

	if (p == NULL)
		return;
	char *end = ns_put_str(p, "{\"kind\":\"text\",\"text\":\"");

	end = ns_put_json(end, text, n);
	end = ns_put_str(end, "\"}\n");
	b->n += (size_t)(end - p);
}

static void on_text(void *ctx, const char *text)
{
	struct answer *a = ctx;

	if (a->request.format == FORMAT_JSON) {
		put_json_text(&a->body, text);
		return;
	}
	end_table(a);
	for (const char *p = text; *p != '\0'; p++) {
		/* what comes from the wire must not steer the terminal */
		char c = (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p;

		buf_add(&a->body, &c, 1);
	}
	buf_str(&a->body, "\n");
}

void answer_error(struct answer *a, const char *text)
{
	size_t columns = a->request.columns > 0 ? a->request.columns : SIZE_MAX;

	buf_free(&a->body);
	a->records.n = 0;
	a->kind = NULL;
	a->status = ANSWER_ERROR;
	do {
		size_t n = ns_text_fit(text, columns);

		buf_printf(&a->body, "%.*s\n", (int)n, text);
		text = ns_text_next(text, n);
	} while (*text != '\0');
}

struct answer *answer_of(const struct ns_command_out *out)
{
	return out->record == on_record ? out->ctx : NULL;
}

static int check_call(const struct request *r, const struct ns_command *c, const struct words *w,
	unsigned used, struct ns_err *e)
{
	if (r->repeat && c->changes)
		return ns_fail(
			e, EPERM, "\"%s\" does something: it is not repeated by itself", c->name);
	if (c->args == NULL && w->n > used)
		return ns_fail(e, EINVAL, "\"%s\" takes no argument, so \"%.60s\" is one too many",
			c->name, w->v[used]);
	if (w->n - used > NS_COMMAND_ARGS)
		return ns_fail(e, E2BIG, "more than %d arguments", NS_COMMAND_ARGS);
	return 0;
}

/* What is left out is said; more is not. */
static void end_part(struct answer *a)
{
	end_table(a);
	if (a->left_out > 0 || a->body.cut) {
		char line[100];

		snprintf(line, sizeof(line), "%zu records and more are left out: ask for less",
			a->left_out);
		a->body.most += 1024;
		on_text(a, line);
	}
}

static void call(struct answer *a, const struct ns_command *c, struct ns_command_call call)
{
	struct ns_command_out out = {.record = on_record, .text = on_text, .ctx = a};
	struct ns_err e = {""};

	call.out = &out;
	call.columns = a->request.columns;
	call.exact = a->request.format == FORMAT_JSON;
	int rc = c->run(&call, &e);

	a->command = NULL;
	if (rc < 0) {
		answer_error(a, e.text[0] != '\0' ? e.text : strerror(errno));
		return;
	}
	end_part(a);
	if (rc == NS_COMMAND_MORE) {
		a->status = ANSWER_PART;
		a->command = c;
		a->state = call.state;
	}
}

static void run(struct answer *a, struct ns_engine *en)
{
	struct ns_err e = {""};
	struct words w;
	unsigned used;

	if (words_split(a->request.line, false, &w, &e) < 0) {
		answer_error(a, e.text);
		return;
	}
	if (w.n == 0)
		return;
	const struct ns_command *c = ns_command_find(w.v, w.n, &used, &e);

	if (c == NULL || check_call(&a->request, c, &w, used, &e) < 0) {
		answer_error(a, e.text);
		return;
	}
	call(a, c, (struct ns_command_call){.engine = en, .argc = w.n - used, .argv = w.v + used});
}

void answer_make(struct answer *a, const char *request_line, struct ns_engine *en)
{
	struct ns_err e = {""};

	*a = (struct answer){.body.most = ANSWER_MAX, .records.most = ANSWER_MAX};
	if (request_parse(request_line, &a->request, &e) < 0)
		answer_error(a, e.text);
	else if (a->request.format == FORMAT_WORDS)
		complete(a, a->request.line, en);
	else
		run(a, en);
	a->request.line = NULL;
}

void answer_go_on(struct answer *a, struct ns_engine *en)
{
	answer_free(a);
	*a = (struct answer){.request = a->request,
		.command = a->command,
		.state = a->state,
		.body.most = ANSWER_MAX,
		.records.most = ANSWER_MAX};
	call(a, a->command, (struct ns_command_call){.engine = en, .state = a->state});
}

void answer_stop(struct answer *a, struct ns_engine *en)
{
	struct ns_command_call call = {.engine = en, .state = a->state};

	if (a->command != NULL && a->command->end != NULL)
		a->command->end(&call);
	a->command = NULL;
}

size_t answer_head(const struct answer *a, char line[40])
{
	static const char *const names[] = {[ANSWER_OK] = "ok",
		[ANSWER_ERROR] = "error",
		[ANSWER_BYE] = "bye",
		[ANSWER_PART] = "part"};

	return (size_t)snprintf(line, 40, "%s %zu\n", names[a->status], a->body.n);
}

void answer_free(struct answer *a)
{
	buf_free(&a->body);
	buf_free(&a->records);
}
