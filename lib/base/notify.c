/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sd_notify(3) without libsystemd: the protocol is stable and is a datagram. A name that begins
 * with '/' is a file, one with '@' lies in the abstract namespace. Writer and reader: the main
 * thread.
 */
#include <ns_notify.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fd = -1;
static bool known; /* the environment was looked at */

static int address(const char *name, struct sockaddr_un *to, socklen_t *len)
{
	size_t n = strlen(name);

	/* a name in the abstract namespace has no end mark, a path needs its own */
	if (n < 2 || n + (name[0] == '/') > sizeof(to->sun_path) ||
		(name[0] != '/' && name[0] != '@'))
		return -EINVAL;
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	memcpy(to->sun_path, name, n);
	if (name[0] == '@')
		to->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] == '/'));
	return 0;
}

int ns_notify_init(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to;
	socklen_t len;

	known = true;
	if (fd >= 0)
		close(fd);
	fd = -1;
	if (name == NULL || name[0] == '\0')
		return 0;
	if (address(name, &to, &len) < 0)
		return ns_errno_set(EINVAL);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, len) < 0) {
		int err = errno;

		close(fd);
		fd = -1;
		return ns_errno_set(err);
	}
	return 0;
}

bool ns_notify_wanted(void)
{
	if (!known)
		ns_notify_init();
	return fd >= 0;
}

int ns_notify(const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	if (!ns_notify_wanted())
		return 0;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n <= 0)
		return ns_errno_set(EINVAL);
	return send(fd, text, NS_MIN((size_t)n, sizeof(text) - 1), MSG_NOSIGNAL) < 0 ? -errno : 1;
}

static bool number(const char *name, unsigned long long *v)
{
	const char *text = getenv(name);
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*v = strtoull(text, &end, 10);
	return *end == '\0' && errno == 0;
}

uint64_t ns_notify_patience(void)
{
	unsigned long long us, pid;

	if (!ns_notify_wanted() || !number("WATCHDOG_USEC", &us) || us > UINT64_MAX / 1000)
		return 0;
	if (getenv("WATCHDOG_PID") != NULL &&
		(!number("WATCHDOG_PID", &pid) || pid != (unsigned long long)getpid()))
		return 0;
	return us * 1000;
}
