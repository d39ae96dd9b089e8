/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the last word of a line may become: the next word of any command that begins as the line
 * does, and what the command that is already whole offers as an argument.
 */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

#define OFFERS 256
#define OFFER_MAX 128

struct offers {
	unsigned n;
	char v[OFFERS][OFFER_MAX];
	const char *begin;
};

static void offer(struct offers *o, const char *word, size_t len)
{
	if (len == 0 || len >= OFFER_MAX || strncmp(word, o->begin, strlen(o->begin)) != 0 ||
		o->n == OFFERS)
		return;
	memcpy(o->v[o->n], word, len);
	o->v[o->n][len] = '\0';
	o->n++;
}

static void on_text(void *ctx, const char *text)
{
	offer(ctx, text, strlen(text));
}

static void on_record(void *ctx, const struct ns_rec_kind *kind, const void *rec)
{
	(void)ctx;
	(void)kind;
	(void)rec;
}

/* The words but the last begin the name's: returns the rest of it, from that word on, or NULL. */
static const char *rest_of(const char *name, const char *const *words, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		size_t len = strcspn(name, " "), given = strlen(words[i]);

		if (given == 0 || given > len || strncmp(name, words[i], given) != 0)
			return NULL;
		name += len;
		if (*name == '\0')
			return NULL;
		name++;
	}
	return name;
}

static void arguments(struct offers *o, const struct words *w, struct ns_engine *en)
{
	struct ns_command_out out = {.record = on_record, .text = on_text, .ctx = o};
	unsigned used;
	/* the last word is not yet whole: it is no part of the name */
	const struct ns_command *c = ns_command_find(w->v, w->n - 1, &used, NULL);

	if (c == NULL || c->complete == NULL || w->n - used > NS_COMMAND_ARGS)
		return;
	struct ns_command_call call = {
		.engine = en, .argc = w->n - used, .argv = w->v + used, .out = &out};

	c->complete(&call);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

void complete(struct answer *a, const char *line, struct ns_engine *en)
{
	struct offers *o = calloc(1, sizeof(*o));
	struct ns_err e = {""};
	struct words w;

	if (o == NULL || words_split(line, true, &w, &e) < 0) {
		answer_error(a, o == NULL ? "no memory" : e.text);
		free(o);
		return;
	}
	if (!w.open && w.n < WORDS_MAX)
		w.v[w.n++] = "";
	o->begin = w.v[w.n - 1];
	for (const struct ns_command *c = NULL; (c = ns_command_next(c)) != NULL;) {
		const char *rest = rest_of(c->name, w.v, w.n - 1);

		if (rest != NULL)
			offer(o, rest, strcspn(rest, " "));
	}
	if (w.n > 1)
		arguments(o, &w, en);
	qsort(o->v, o->n, sizeof(o->v[0]), by_text);
	for (unsigned i = 0; i < o->n; i++) {
		if (i == 0 || strcmp(o->v[i], o->v[i - 1]) != 0)
			buf_printf(&a->body, "%s\n", o->v[i]);
	}
	free(o);
}
