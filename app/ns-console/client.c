/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BODY_MAX (64u << 20)

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static int lost(struct client *c, int err, struct ns_err *e)
{
	client_close(c);
	if (err == EINTR)
		return ns_fail(e, EINTR, "not waited for");
	if (err == EPROTO)
		return ns_fail(
			e, EPROTO, "what listens at %s is no console of NetSpectra", c->path);
	return ns_fail(e, EPIPE, "the engine at %s has ended or dropped this console", c->path);
}

static int read_some(struct client *c, char *to, size_t n, struct ns_err *e)
{
	ssize_t got = read(c->fd, to, n);

	if (got <= 0)
		return lost(c, got < 0 ? errno : EPIPE, e);
	return (int)NS_MIN(got, (ssize_t)INT32_MAX);
}

/* The first line, octet by octet: it is short, and what follows is not to be taken with it. */
static int read_head(struct client *c, char line[40], struct ns_err *e)
{
	for (size_t n = 0; n < 39; n++) {
		int rc = read_some(c, line + n, 1, e);

		if (rc < 0)
			return rc;
		if (line[n] == '\n') {
			line[n] = '\0';
			return 0;
		}
	}
	return lost(c, EPROTO, e);
}

static int read_reply(struct client *c, struct reply *r, struct ns_err *e)
{
	static const char *const names[] = {[STATUS_OK] = "ok",
		[STATUS_ERROR] = "error",
		[STATUS_BYE] = "bye",
		[STATUS_PART] = "part"};
	char line[40], word[16];
	size_t n = 0;
	int rc = read_head(c, line, e);

	*r = (struct reply){0};
	if (rc < 0)
		return rc;
	if (sscanf(line, "%15s %zu", word, &n) != 2 || n > BODY_MAX)
		return lost(c, EPROTO, e);
	unsigned i = 0;

	while (i < NS_ARRAY_LEN(names) && strcmp(word, names[i]) != 0)
		i++;
	if (i == NS_ARRAY_LEN(names))
		return lost(c, EPROTO, e);
	r->status = (enum status)i;
	r->body = malloc(n + 1);
	if (r->body == NULL)
		return lost(c, ENOMEM, e);
	while (r->n < n) {
		rc = read_some(c, r->body + r->n, n - r->n, e);
		if (rc < 0) {
			free(r->body);
			r->body = NULL;
			return rc;
		}
		r->n += (size_t)rc;
	}
	r->body[n] = '\0';
	return 0;
}

int client_connect(struct client *c, struct ns_err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct reply hello;
	int rc;

	if (strlen(c->path) >= sizeof(addr.sun_path))
		return ns_fail(e, ENAMETOOLONG, "%s is too long for a socket", c->path);
	strcpy(addr.sun_path, c->path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return ns_fail(e, errno, "no socket: %s", strerror(errno));
	if (connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		rc = errno;
		client_close(c);
		return ns_fail(e, rc, "%s: %s%s", c->path, strerror(rc),
			rc == ECONNREFUSED ? ": its engine has ended" : "");
	}
	rc = read_reply(c, &hello, e);
	if (rc < 0)
		return rc;
	if (hello.status != STATUS_OK) {
		ns_fail(e, EBUSY, "%s: %.*s", c->path, (int)strcspn(hello.body, "\n"), hello.body);
		client_close(c);
		free(hello.body);
		return -EBUSY;
	}
	rc = sscanf(hello.body, "netspectra-console 1 %63s", c->node) == 1 ? 0 : -EPROTO;
	free(hello.body);
	return rc == 0 ? 0 : lost(c, EPROTO, e);
}

static int send_all(struct client *c, const char *s, size_t n, struct ns_err *e)
{
	while (n > 0) {
		ssize_t put = send(c->fd, s, n, MSG_NOSIGNAL);

		if (put < 0)
			return lost(c, errno, e);
		s += put;
		n -= (size_t)put;
	}
	return 0;
}

int client_ask(
	struct client *c, const struct ask *a, const char *line, struct reply *r, struct ns_err *e)
{
	char head[80];
	int n = snprintf(head, sizeof(head), "columns=%u format=%s repeat=%d\t",
		NS_MIN(a->columns, 1000u), a->format, a->repeat);
	int rc = c->fd >= 0 ? 0 : client_connect(c, e);

	*r = (struct reply){0};
	if (rc == 0)
		rc = send_all(c, head, (size_t)n, e);
	if (rc == 0)
		rc = send_all(c, line, strlen(line), e);
	if (rc == 0)
		rc = send_all(c, "\n", 1, e);
	return rc < 0 ? rc : read_reply(c, r, e);
}

int client_more(struct client *c, struct reply *r, struct ns_err *e)
{
	return read_reply(c, r, e);
}

bool client_gone(struct client *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};

	/* it says nothing unasked: what can be read is the end */
	if (c->fd >= 0 && poll(&p, 1, 0) == 1)
		client_close(c);
	return c->fd < 0;
}

static int one_of(const glob_t *g, char path[SOCKET_PATH], struct ns_err *e)
{
	char names[300] = "";
	size_t at = 0;

	if (g->gl_pathc == 1) {
		snprintf(path, SOCKET_PATH, "%s", g->gl_pathv[0]);
		return 0;
	}
	for (size_t i = 0; i < g->gl_pathc && at < sizeof(names) - 1; i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, " %s", g->gl_pathv[i]);
	return ns_fail(e, EINVAL, "several engines: choose one with -s:%s", names);
}

int client_find(char path[SOCKET_PATH], struct ns_err *e)
{
	const char *user = getenv("XDG_RUNTIME_DIR");
	char pattern[256];
	glob_t g = {0};
	int rc;

	glob("/run/netspectra/*.sock", 0, NULL, &g);
	if (user != NULL && user[0] != '\0') {
		snprintf(pattern, sizeof(pattern), "%s/netspectra/*.sock", user);
		glob(pattern, g.gl_pathc > 0 ? GLOB_APPEND : 0, NULL, &g);
	}
	if (g.gl_pathc == 0)
		rc = ns_fail(e, ENOENT,
			"no engine found in /run/netspectra%s%s; -s SOCKET says where it listens (console.path)",
			user != NULL ? " and " : "", user != NULL ? user : "");
	else
		rc = one_of(&g, path, e);
	globfree(&g);
	return rc;
}
