/* SPDX-License-Identifier: BSD-3-Clause */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 4096

char *buf_room(struct buf *b, size_t n)
{
	size_t room = b->room;

	if (n > b->most - b->n) {
		b->cut = true;
		return NULL;
	}
	while (room - b->n < n)
		room = room == 0 ? NS_MAX(FIRST, n) : NS_MIN(2 * room, b->most);
	if (room != b->room) {
		char *s = realloc(b->s, room);

		if (s == NULL) {
			b->cut = true;
			return NULL;
		}
		b->s = s;
		b->room = room;
	}
	return b->s + b->n;
}

void buf_add(struct buf *b, const void *octets, size_t n)
{
	char *p = buf_room(b, n);

	if (p == NULL)
		return;
	memcpy(p, octets, n);
	b->n += n;
}

void buf_str(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);

	va_end(ap);
	if (n > 0)
		buf_add(b, line, NS_MIN((size_t)n, sizeof(line) - 1));
}

void buf_free(struct buf *b)
{
	free(b->s);
	b->s = NULL;
	b->n = b->room = 0;
}
