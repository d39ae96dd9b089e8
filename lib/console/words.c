/* SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"

#include <string.h>

static int columns_of(const char *text, size_t len, struct request *r, struct ns_err *e)
{
	unsigned v = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || v > COLUMNS_MAX)
			return ns_fail(e, EINVAL, "columns: \"%.*s\" is no number from 0 to %d",
				(int)NS_MIN(len, 40u), text, COLUMNS_MAX);
		v = 10 * v + (unsigned)(text[i] - '0');
	}
	if (len == 0 || v > COLUMNS_MAX)
		return ns_fail(e, EINVAL, "columns: a number from 0 to %d is wanted", COLUMNS_MAX);
	r->columns = v;
	return 0;
}

static bool is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

static int format_of(const char *text, size_t len, struct request *r, struct ns_err *e)
{
	static const char *const names[] = {
		[FORMAT_TEXT] = "text", [FORMAT_JSON] = "json", [FORMAT_WORDS] = "words"};

	for (unsigned i = 0; i < NS_ARRAY_LEN(names); i++) {
		if (is(text, len, names[i])) {
			r->format = (enum request_format)i;
			return 0;
		}
	}
	return ns_fail(e, EINVAL, "format: \"%.*s\" is none of text, json, words",
		(int)NS_MIN(len, 40u), text);
}

static int option(const char *text, size_t len, struct request *r, struct ns_err *e)
{
	const char *sign = memchr(text, '=', len);
	size_t name = sign != NULL ? (size_t)(sign - text) : len;
	const char *value = text + name + (sign != NULL);
	size_t value_len = len - name - (sign != NULL);

	if (is(text, name, "columns"))
		return columns_of(value, value_len, r, e);
	if (is(text, name, "format"))
		return format_of(value, value_len, r, e);
	if (is(text, name, "repeat") && (is(value, value_len, "0") || is(value, value_len, "1"))) {
		r->repeat = value[0] == '1';
		return 0;
	}
	return ns_fail(e, EINVAL, "option \"%.*s\" is none of columns=N, format=F, repeat=0 or 1",
		(int)NS_MIN(len, 40u), text);
}

int request_parse(const char *text, struct request *r, struct ns_err *e)
{
	size_t head = strcspn(text, "\t");

	*r = (struct request){0};
	if (text[head] == '\0')
		return ns_fail(e, EINVAL, "a request is OPTIONS, a tabulator, and a command");
	r->line = text + head + 1;
	for (size_t at = 0; at < head;) {
		size_t len = strcspn(text + at, " \t");

		if (len > 0 && option(text + at, len, r, e) < 0)
			return -EINVAL;
		at += len + 1;
	}
	return 0;
}

/* The state of a split. */
struct split {
	const char *p;
	char *out;
	char quote; /* ' or ", or 0 */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes one octet of a word, with what quotes and escapes mean; false at the word's end. */
static bool take(struct split *s)
{
	char c = *s->p;

	if (c == '\0' || (s->quote == 0 && is_blank(c)))
		return false;
	s->p++;
	if (s->quote != 0 && c == s->quote) {
		s->quote = 0;
	} else if (s->quote == 0 && (c == '"' || c == '\'')) {
		s->quote = c;
	} else if (c == '\\' && s->quote != '\'' && *s->p != '\0' &&
		   (s->quote == 0 || *s->p == '"' || *s->p == '\\')) {
		*s->out++ = *s->p++;
	} else {
		*s->out++ = c;
	}
	return true;
}

int words_split(const char *line, bool partial, struct words *w, struct ns_err *e)
{
	struct split s = {.p = line, .out = w->text};

	w->n = 0;
	w->open = false;
	if (strlen(line) >= REQUEST_MAX)
		return ns_fail(e, E2BIG, "the line has more than %d octets", REQUEST_MAX - 1);
	for (const char *p = line; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 && *p != '\t')
			return ns_fail(e, EINVAL, "a control character in column %zu",
				(size_t)(p - line) + 1);
	}
	for (;;) {
		s.p += strspn(s.p, " \t");
		if (*s.p == '\0')
			break;
		const char *begin = s.p;

		if (w->n == WORDS_MAX)
			return ns_fail(e, E2BIG, "more than %d words", WORDS_MAX);
		w->v[w->n++] = s.out;
		while (take(&s))
			continue;
		*s.out++ = '\0';
		if (s.quote != 0 && !partial)
			return ns_fail(e, EINVAL, "the quote of the word in column %zu has no end",
				(size_t)(begin - line) + 1);
		w->open = *s.p == '\0';
	}
	return 0;
}
