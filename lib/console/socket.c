/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A unix socket's file. Two engines that start at once must not both find it dead and take it:
 * whoever looks holds a lock on the folder. Nobody can connect before its mode is set, as it does
 * not listen yet.
 */
#include "console_priv.h"

#include <ns_node.h>

#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int console_default_path(char path[108], struct ns_err *e)
{
	const char *run = getenv("RUNTIME_DIRECTORY"), *user = getenv("XDG_RUNTIME_DIR");
	char dir[80], host[64] = "";
	const char *node = ns_node()->name;
	int n;

	if (node[0] == '\0' && gethostname(host, sizeof(host) - 1) == 0)
		node = host;
	if (run != NULL && run[0] != '\0')
		n = snprintf(dir, sizeof(dir), "%.*s", (int)strcspn(run, ":"), run);
	else if (geteuid() == 0)
		n = snprintf(dir, sizeof(dir), "/run/netspectra");
	else if (user != NULL && user[0] != '\0')
		n = snprintf(dir, sizeof(dir), "%s/netspectra", user);
	else
		return ns_fail(e, ENOENT, "no folder for a socket: XDG_RUNTIME_DIR is not set");
	if (n >= (int)sizeof(dir))
		return ns_fail(e, ENAMETOOLONG, "the name of the folder for sockets is too long");
	if (mkdir(dir, geteuid() == 0 ? 0755 : 0700) < 0 && errno != EEXIST)
		return ns_fail(e, errno, "%s: %s", dir, strerror(errno));
	if (snprintf(path, 108, "%s/%s.sock", dir, node) >= 108)
		return ns_fail(e, ENAMETOOLONG, "%s/%s.sock is too long for a socket", dir, node);
	return 0;
}

/* Whether something listens at the address; a queue that is full is one that somebody made. */
static bool lives(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive = true;

	if (fd < 0)
		return true;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		alive = errno != ECONNREFUSED && errno != ENOENT;
	close(fd);
	return alive;
}

static int make_way(const struct sockaddr_un *addr, struct ns_err *e)
{
	struct stat st;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT
			       ? 0
			       : ns_fail(e, errno, "%s: %s", addr->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return ns_fail(e, EEXIST, "%s is there and is no socket", addr->sun_path);
	if (lives(addr))
		return ns_fail(e, EADDRINUSE, "%s is the console of another engine, which runs",
			addr->sun_path);
	if (unlink(addr->sun_path) < 0)
		return ns_fail(e, errno, "%s: %s", addr->sun_path, strerror(errno));
	return 0;
}

static int permit(const struct console_socket *s, const struct ns_console_conf *c, struct ns_err *e)
{
	const struct group *g = c->group != NULL ? getgrnam(c->group) : NULL;
	unsigned mode;

	if (console_mode(c->mode, &mode, e) < 0)
		return -EINVAL;
	if (c->group != NULL && g == NULL)
		return ns_fail(e, EINVAL, "there is no group \"%s\"", c->group);
	if (g != NULL && chown(s->path, (uid_t)-1, g->gr_gid) < 0)
		return ns_fail(e, errno, "%s: group %s: %s", s->path, c->group, strerror(errno));
	if (chmod(s->path, mode) < 0)
		return ns_fail(e, errno, "%s: mode %s: %s", s->path, c->mode, strerror(errno));
	return 0;
}

static int bind_locked(struct console_socket *s, const struct ns_console_conf *c, struct ns_err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	int rc;

	strcpy(addr.sun_path, s->path);
	rc = make_way(&addr, e);
	if (rc < 0)
		return rc;
	if (bind(s->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return ns_fail(e, errno, "%s: %s", s->path, strerror(errno));
	if (lstat(s->path, &st) == 0) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
	}
	rc = permit(s, c, e);
	/* before the lock is given back: who looks then must find it alive */
	if (rc == 0 && listen(s->fd, 16) < 0)
		rc = ns_fail(e, errno, "%s: %s", s->path, strerror(errno));
	if (rc < 0)
		console_socket_remove(s);
	return rc;
}

int console_socket_bind(struct console_socket *s, const char *path, const struct ns_console_conf *c,
	struct ns_err *e)
{
	char copy[108];
	int rc;

	*s = (struct console_socket){.fd = -1};
	if (snprintf(s->path, sizeof(s->path), "%s", path) >= (int)sizeof(s->path))
		return ns_fail(e, ENAMETOOLONG, "%s is too long for a socket", path);
	strcpy(copy, s->path);

	int dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return ns_fail(e, errno, "%s: its folder: %s", s->path, strerror(errno));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		rc = ns_fail(e, errno, "%s: no socket: %s", s->path, strerror(errno));
	else if (flock(dir, LOCK_EX) < 0)
		rc = ns_fail(e, errno, "%s: its folder: %s", s->path, strerror(errno));
	else
		rc = bind_locked(s, c, e);
	close(dir);
	if (rc < 0 && s->fd >= 0) {
		close(s->fd);
		s->fd = -1;
	}
	return rc;
}

void console_socket_remove(const struct console_socket *s)
{
	struct stat st;

	if (lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
}
