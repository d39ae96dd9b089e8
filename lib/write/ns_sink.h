/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Where a writer of text or octets puts its output: a file or standard output ("-") behind one big
 * buffer, written with write(2) when it is full.
 *
 * Used by one thread at a time, the writer's; all functions may block.
 */

#include <ns_base.h>

#define NS_SINK_BUF (256u << 10) /**< octets gathered before a write */

struct ns_sink {
	char *name; /**< as in messages */
	int fd;
	int err; /**< first failure, positive errno: nothing is written after it */
	bool borrowed; /**< standard output: left open at close */
	bool regular; /**< a regular file, not a pipe, terminal or device */
	size_t used;
	size_t size;
	char *buf;
};

/**
 * Opens and truncates @p path ("-": standard output, which stays open at close). Returns what
 * ns_sink_close() frees, or NULL with errno and a message that names the path.
 */
struct ns_sink *ns_sink_open(const char *path, struct ns_err *e);

/**
 * Whether ns_sink_open() would succeed, without making or cutting the file: 0, or -errno with a
 * message that names the path. Fit for the check() of a writer of files.
 */
int ns_sink_check(const char *path, struct ns_err *e);

/** The slow way of ns_sink_room(): writes what is gathered, and grows for a large @p n. */
char *ns_sink_make_room(struct ns_sink *s, size_t n, struct ns_err *e);

/**
 * Where to put up to @p n octets next, or NULL with errno and a message when writing earlier ones
 * failed (ENOSPC, EPIPE, EIO, ...) or memory ends. Tell ns_sink_took() what was put.
 */
static inline char *ns_sink_room(struct ns_sink *s, size_t n, struct ns_err *e)
{
	if (ns_likely(s->size - s->used >= n && s->err == 0))
		return s->buf + s->used;
	return ns_sink_make_room(s, n, e);
}

/** Keeps what was put from ns_sink_room()'s place up to @p end. */
static inline void ns_sink_took(struct ns_sink *s, const char *end)
{
	s->used = (size_t)(end - s->buf);
}

/** Writes all that is gathered. 0, or -errno with a message; the first failure stays for good. */
int ns_sink_flush(struct ns_sink *s, struct ns_err *e);

/** Flushes, closes and frees, even when it returns an error; NULL is fine. */
int ns_sink_close(struct ns_sink *s, struct ns_err *e);
