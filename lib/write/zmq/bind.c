/* SPDX-License-Identifier: BSD-3-Clause */
/* A socket takes a place that nobody has. */
#include "zmq_priv.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Whether somebody listens there: libzmq would take the path of a socket from who has it. */
static bool is_taken(const char *endpoint)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (strncmp(endpoint, "ipc:///", 7) != 0 || strlen(endpoint + 6) >= sizeof(a.sun_path))
		return false;
	strcpy(a.sun_path, endpoint + 6);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool taken = fd >= 0 &&
		     (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return taken;
}

int pub_bind(void *s, const char *endpoint, struct ns_err *e)
{
	if (is_taken(endpoint))
		return ns_fail(e, EADDRINUSE, "%s: %s", endpoint, strerror(EADDRINUSE));
	if (zmq_bind(s, endpoint) < 0)
		return ns_fail(e, errno, "%s: %s", endpoint, zmq_strerror(errno));
	return 0;
}
