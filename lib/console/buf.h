/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Text that grows up to a bound; what goes beyond is left out and known. */

#include <ns_base.h>

struct buf {
	char *s; /* malloc'ed; not terminated */
	size_t n, room;
	size_t most; /* octets at most */
	bool cut; /* something did not fit, or there was no memory */
};

/* A place for @n octets behind the text, or NULL; the caller adds what it used to b->n. */
char *buf_room(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *octets, size_t n);
void buf_str(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) NS_PRINTF(2, 3);
void buf_free(struct buf *b);
