/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of commands, and finding one by words that may be cut short. */
#include <ns_command.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 16

static struct ns_command *first;

void ns_command_link(struct ns_command *c)
{
	c->next = first;
	first = c;
}

/* Insertion into a sorted list: there are some dozens. */
int ns_command_seal(struct ns_err *e)
{
	struct ns_command *sorted = NULL;

	for (struct ns_command *c = first, *next; c != NULL; c = next) {
		struct ns_command **at = &sorted;

		next = c->next;
		while (*at != NULL && strcmp((*at)->name, c->name) < 0)
			at = &(*at)->next;
		c->next = *at;
		*at = c;
	}
	first = sorted;
	for (const struct ns_command *c = first; c != NULL && c->next != NULL; c = c->next) {
		if (strcmp(c->name, c->next->name) == 0)
			return ns_fail(e, EEXIST, "two commands are named \"%s\"", c->name);
	}
	return 0;
}

const struct ns_command *ns_command_next(const struct ns_command *prev)
{
	return prev == NULL ? first : prev->next;
}

/* How a name compares with words: how many of them, and how many of those whole. */
struct fit {
	unsigned words, whole;
};

static bool fits(const char *name, const char *const *words, unsigned n, struct fit *f)
{
	*f = (struct fit){0, 0};
	while (*name != '\0') {
		size_t len = strcspn(name, " ");
		size_t given = f->words < n ? strlen(words[f->words]) : 0;

		if (given == 0 || given > len || strncmp(name, words[f->words], given) != 0)
			return false;
		f->whole += given == len;
		f->words++;
		name += len + (name[len] == ' ');
	}
	return true;
}

static int unknown(const char *word, struct ns_err *e)
{
	char names[256] = "";
	size_t at = 0;

	for (const struct ns_command *c = first; c != NULL; c = c->next) {
		int n = (int)strcspn(c->name, " ");

		/* the first words, each once; they stand together */
		if (at >= (size_t)n && strncmp(names + at - n, c->name, (size_t)n) == 0)
			continue;
		if (at + (size_t)n + 3 > sizeof(names))
			break;
		at += (size_t)snprintf(
			names + at, sizeof(names) - at, "%s%.*s", at > 0 ? ", " : "", n, c->name);
	}
	return ns_fail(e, ENOENT, "there is no command \"%.60s\"; there are: %s", word, names);
}

/* Commands that begin like the words do, for the message. */
static int several(const char *const *words, unsigned n, struct ns_err *e)
{
	char names[256] = "";
	size_t at = 0;
	unsigned found = 0;

	for (const struct ns_command *c = first; c != NULL && found < NAMES; c = c->next) {
		const char *name = c->name;
		unsigned i = 0;

		for (; i < n && *name != '\0'; i++) {
			size_t len = strcspn(name, " ");

			if (strncmp(name, words[i], NS_MIN(strlen(words[i]), len + 1)) != 0)
				break;
			name += len + (name[len] == ' ');
		}
		if (i < n || at + strlen(c->name) + 3 > sizeof(names))
			continue;
		at += (size_t)snprintf(
			names + at, sizeof(names) - at, "%s%s", at > 0 ? ", " : "", c->name);
		found++;
	}
	if (found == 0)
		return unknown(words[0], e);
	return ns_fail(e, found > 1 ? EINVAL : ENOENT, "\"%.60s%s\" may go on as: %s", words[0],
		n > 1 ? " ..." : "", names);
}

const struct ns_command *ns_command_find(
	const char *const *words, unsigned n, unsigned *used, struct ns_err *e)
{
	const struct ns_command *best = NULL;
	struct fit top = {0, 0};
	bool tie = false;

	*used = 0;
	if (n == 0) {
		ns_fail(e, ENOENT, "no command");
		return NULL;
	}
	for (const struct ns_command *c = first; c != NULL; c = c->next) {
		struct fit f;

		if (!fits(c->name, words, n, &f) || f.words < top.words)
			continue;
		if (c->whole && f.whole < f.words)
			continue;
		if (f.words == top.words && f.whole == top.whole)
			tie = true;
		if (f.words > top.words || f.whole > top.whole) {
			best = c;
			top = f;
			tie = false;
		}
	}
	if (best == NULL || tie) {
		several(words, n, e);
		return NULL;
	}
	*used = top.words;
	return best;
}

void ns_command_text(struct ns_command_call *c, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	c->out->text(c->out->ctx, line);
}
