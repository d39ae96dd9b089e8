/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The console's side of the socket; lib/console/README.md has the protocol. One thread. */

#include <ns_base.h>

#define SOCKET_PATH 108

struct client {
	char path[SOCKET_PATH];
	char node[64]; /* of the engine that was greeted by */
	int fd; /* -1: not connected */
};

enum status { STATUS_OK, STATUS_ERROR, STATUS_BYE, STATUS_PART };

struct reply {
	enum status status;
	char *body; /* malloc'ed, ends with a zero */
	size_t n;
};

struct ask {
	unsigned columns; /* 0: any width */
	const char *format; /* "text", "json", "words" */
	bool repeat;
};

/* Connects to c->path. 0 or -errno with a message. */
int client_connect(struct client *c, struct ns_err *e);
void client_close(struct client *c);

/*
 * Sends a line and waits for the answer; the caller frees r->body. 0; -EINTR when a signal's
 * handler ran meanwhile, -EPIPE when the engine has ended, -EPROTO when it speaks otherwise, with a
 * message; the connection is closed then.
 */
int client_ask(
	struct client *c, const struct ask *a, const char *line, struct reply *r, struct ns_err *e);

/* The next part of an answer, behind one of STATUS_PART. As client_ask(). */
int client_more(struct client *c, struct reply *r, struct ns_err *e);

/* Whether the engine has closed the connection; closes it then. */
bool client_gone(struct client *c);

/* The socket of the only engine of this machine that can be found; 0 or -errno with a message. */
int client_find(char path[SOCKET_PATH], struct ns_err *e);
