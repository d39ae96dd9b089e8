/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A request, and the words of a command line.
 *
 *	columns=120 format=text\tshow task "busy hosts" 10
 *	options, each once          words: blanks part them, quotes and backslashes keep them
 *
 * Pure functions over octets that come from outside.
 */

#include <ns_base.h>

#define REQUEST_MAX 4096 /* octets of a request, its line end counted */
#define WORDS_MAX 72
#define COLUMNS_MAX 1000

enum request_format {
	FORMAT_TEXT, /* tables */
	FORMAT_JSON, /* an object a line */
	FORMAT_WORDS, /* words that the last one may become */
};

struct request {
	unsigned columns; /* of the terminal; 0: as wide as it gets */
	enum request_format format;
	bool repeat; /* by itself: only what changes nothing */
	const char *line; /* inside the text that was parsed */
};

/*
 * Reads a request, without its line end, from @p text, which ends with a zero. 0, or -EINVAL with a
 * message that says what is wrong.
 */
int request_parse(const char *text, struct request *r, struct ns_err *e);

struct words {
	unsigned n;
	const char *v[WORDS_MAX]; /* in text */
	bool open; /* the line ends in a word, not in blanks behind one */
	char text[REQUEST_MAX + WORDS_MAX];
};

/*
 * Splits a line into words. Blanks part words; '...' keeps all as it is, "..." all but \" and \\,
 * and a backslash elsewhere the octet behind it. With @p partial a quote may lack its end. 0, or
 * -EINVAL (a quote without end, control characters), -E2BIG, with a message.
 */
int words_split(const char *line, bool partial, struct words *w, struct ns_err *e);
