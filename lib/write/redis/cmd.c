/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands as Redis reads them:
 *
 *	*3\r\n $4\r\nHSET\r\n $3\r\nkey\r\n ...
 *
 * How many words a command has is known when its last one is there: room for the head is left
 * before them, and closed at the end. Redis takes no zeros before a number.
 */
#include "redis_priv.h"

#include <ns_text.h>

#include <stdlib.h>
#include <string.h>

#define HEAD 16 /* "*" digits "\r\n" */
#define WORD 24 /* "$" digits "\r\n" and the "\r\n" behind the word */

static bool room(struct redis_buf *b, size_t n)
{
	size_t size = b->size > 0 ? b->size : 16384;
	char *p;

	if (b->failed)
		return false;
	if (b->size - b->n >= n)
		return true;
	while (size - b->n < n)
		size *= 2;
	p = realloc(b->p, size);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->size = size;
	return true;
}

void redis_arg(struct redis_buf *b, const char *s, size_t n)
{
	char *p;

	if (!room(b, n + WORD))
		return;
	p = b->p + b->n;
	*p++ = '$';
	p = ns_put_u64(p, n);
	*p++ = '\r';
	*p++ = '\n';
	memcpy(p, s, n);
	p += n;
	*p++ = '\r';
	*p++ = '\n';
	b->n = (size_t)(p - b->p);
	b->args++;
}

void redis_text(struct redis_buf *b, const char *s)
{
	redis_arg(b, s, strlen(s));
}

void redis_number(struct redis_buf *b, uint64_t v)
{
	char text[24];

	redis_arg(b, text, (size_t)(ns_put_u64(text, v) - text));
}

void redis_begin(struct redis_buf *b, const char *name)
{
	b->at = b->n;
	b->args = 0;
	if (!room(b, HEAD))
		return;
	b->n += HEAD;
	redis_text(b, name);
}

void redis_end(struct redis_buf *b, unsigned least)
{
	char head[HEAD + 8], *p = head;
	size_t n, words;

	if (b->failed)
		return;
	if (b->args < least) {
		b->n = b->at;
		return;
	}
	*p++ = '*';
	p = ns_put_u64(p, b->args);
	*p++ = '\r';
	*p++ = '\n';
	n = (size_t)(p - head);
	words = b->n - b->at - HEAD;
	memcpy(b->p + b->at, head, n);
	memmove(b->p + b->at + n, b->p + b->at + HEAD, words);
	b->n = b->at + n + words;
	b->commands++;
}

void redis_command(struct redis_buf *b, const char *const *words, unsigned n)
{
	redis_begin(b, words[0]);
	for (unsigned i = 1; i < n; i++)
		redis_text(b, words[i]);
	redis_end(b, n);
}

void redis_clear(struct redis_buf *b)
{
	b->n = b->at = 0;
	b->args = b->commands = 0;
	b->failed = false;
}

void redis_free(struct redis_buf *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}
