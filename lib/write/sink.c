/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One buffer in front of one descriptor:
 *
 *	buf  [ gathered .......... | room ............ ]
 *	     0                   used               size
 *
 * A line is made in place, in the room, so no octet is copied before the kernel takes it. After a
 * write fails nothing more is written: a file that ends early is honest, one with a hole is not.
 */
#include "ns_sink.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int failed(const struct ns_sink *s, struct ns_err *e)
{
	return ns_fail(e, s->err, "%s: write: %s", s->name, strerror(s->err));
}

struct ns_sink *ns_sink_open(const char *path, struct ns_err *e)
{
	bool out = strcmp(path, "-") == 0;
	struct ns_sink *s = calloc(1, sizeof(*s));
	struct stat st;
	int err;

	if (s != NULL) {
		s->name = strdup(out ? "standard output" : path);
		s->size = NS_SINK_BUF;
		s->buf = malloc(s->size);
	}
	if (s == NULL || s->name == NULL || s->buf == NULL) {
		err = ENOMEM;
		goto fail;
	}
	s->fd = out ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (s->fd < 0) {
		err = errno;
		goto fail;
	}
	s->borrowed = out;
	s->regular = fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode);
	return s;
fail:
	if (s != NULL) {
		free(s->name);
		free(s->buf);
		free(s);
	}
	ns_fail(e, err, "%s: %s", out ? "standard output" : path, strerror(err));
	return NULL;
}

/* The folder that a path lies in, "." for a bare name; cut to what a path may be. */
static void folder_of(const char *path, char *buf, size_t len)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);

	if (n == 0)
		snprintf(buf, len, ".");
	else
		snprintf(buf, len, "%.*s", (int)n, path);
}

int ns_sink_check(const char *path, struct ns_err *e)
{
	char folder[PATH_MAX];
	struct stat st;

	if (strcmp(path, "-") == 0)
		return 0;
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return ns_fail(e, EISDIR, "%s: %s", path, strerror(EISDIR));
		if (access(path, W_OK) < 0)
			return ns_fail(e, errno, "%s: %s", path, strerror(errno));
		return 0;
	}
	if (errno != ENOENT)
		return ns_fail(e, errno, "%s: %s", path, strerror(errno));
	folder_of(path, folder, sizeof(folder));
	if (stat(folder, &st) < 0 || access(folder, W_OK | X_OK) < 0)
		return ns_fail(e, errno, "%s: folder %s: %s", path, folder, strerror(errno));
	return 0;
}

/* write(2) of all, whatever the descriptor is; 0 or a positive errno. */
static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			/* a terminal or pipe that somebody else made non-blocking */
			struct pollfd pfd = {.fd = fd, .events = POLLOUT};

			poll(&pfd, 1, -1);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

/*
 * A reader that goes away (| head) must end this writer with a message, not the program with a
 * signal: SIGPIPE is blocked for the write and taken back if it is what the write raised.
 */
static int write_quietly(int fd, const char *p, size_t n)
{
	const struct timespec now = {0};
	sigset_t pipe_set, before, pending;
	int err;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
	err = write_all(fd, p, n);
	if (err == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe_set, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

int ns_sink_flush(struct ns_sink *s, struct ns_err *e)
{
	if (s->err == 0 && s->used > 0)
		s->err = write_quietly(s->fd, s->buf, s->used);
	s->used = 0;
	return s->err == 0 ? 0 : failed(s, e);
}

char *ns_sink_make_room(struct ns_sink *s, size_t n, struct ns_err *e)
{
	if (ns_sink_flush(s, e) < 0)
		return NULL;
	if (n > s->size) {
		char *buf = realloc(s->buf, n);

		if (buf == NULL) {
			ns_fail(e, ENOMEM, "%s: no memory for a line of %zu octets", s->name, n);
			return NULL;
		}
		s->buf = buf;
		s->size = n;
	}
	return s->buf;
}

int ns_sink_close(struct ns_sink *s, struct ns_err *e)
{
	int rc;

	if (s == NULL)
		return 0;
	rc = ns_sink_flush(s, e);
	/* a network file system may tell only now that the octets did not arrive */
	if (!s->borrowed && close(s->fd) < 0 && rc == 0)
		rc = ns_fail(e, errno, "%s: close: %s", s->name, strerror(errno));
	free(s->name);
	free(s->buf);
	free(s);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}
