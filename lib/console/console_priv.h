/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "ns_console.h"

#include <ns_rec.h>

#include <sys/stat.h>

/* An octal file mode for the socket from text. 0 or -EINVAL with a message. */
int console_mode(const char *text, unsigned *mode, struct ns_err *e);

/* socket.c: a socket in the file system that is ours as long as we live. */
struct console_socket {
	int fd;
	char path[108];
	dev_t dev;
	ino_t ino;
};

/*
 * Where a node's console is when the configuration does not say, its folder made when it can be.
 * -ENOENT when there is no folder for such files.
 */
int console_default_path(char path[108], struct ns_err *e);

/*
 * Binds @p path; takes the place of a dead one. -EADDRINUSE: something living listens there;
 * -EEXIST: it is no socket; or another -errno, with a message.
 */
int console_socket_bind(struct console_socket *s, const char *path, const struct ns_console_conf *c,
	struct ns_err *e);
/* Removes the file if it is still the one that was made. Does not close the descriptor. */
void console_socket_remove(const struct console_socket *s);

/* rows.c: what the writer has kept. */
struct console_rows {
	uint64_t epoch, start_ns, end_ns;
	const uint8_t *rows; /* kind->size octets each */
	size_t n;
	size_t left_out; /* rows for which there was no room */
};

/*
 * The rows of a task of the last complete epoch, locked until console_rows_release(). False, and
 * not locked, when none was complete yet.
 */
bool console_rows_get(const struct ns_rec_kind *task, struct console_rows *r);
void console_rows_release(void);
