/* SPDX-License-Identifier: BSD-3-Clause */
/* The address of the pages: read strictly, bound at once, so that the message can name what is
 * wrong with it. */
#include "metrics_priv.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 16

static int refuse(const char *text, struct ns_err *e)
{
	return ns_fail(e, EINVAL,
		"\"%s\" is not an address and a port, as 127.0.0.1:9476, 0.0.0.0:9476 or "
		"[::1]:9476",
		text);
}

/* A whole number up to 65535, nothing before or behind it; -1 otherwise. */
static int port_of(const char *text)
{
	int port = 0;

	if (text[0] == '\0' || strlen(text) > 5)
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		port = 10 * port + *text - '0';
	}
	return port <= UINT16_MAX ? port : -1;
}

int listen_parse(const char *text, struct sockaddr_storage *sa, struct ns_err *e)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	int port = colon != NULL ? port_of(colon + 1) : -1;

	memset(sa, 0, sizeof(*sa));
	if (port < 0 || (size_t)(colon - text) >= sizeof(host))
		return refuse(text, e);
	size_t n = (size_t)(colon - text);

	memcpy(host, text, n);
	host[n] = '\0';
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 ? 0 : refuse(text, e);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? 0 : refuse(text, e);
}

static socklen_t size_of(const struct sockaddr_storage *sa)
{
	return sa->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void tell_bound(int fd, char *bound, size_t len)
{
	struct sockaddr_storage sa = {0};
	socklen_t n = sizeof(sa);
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";

	(void)getsockname(fd, (struct sockaddr *)&sa, &n);
	(void)getnameinfo((struct sockaddr *)&sa, n, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(bound, len, sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

int listen_open(const char *text, char *bound, size_t len, struct ns_err *e)
{
	struct sockaddr_storage sa;
	const int on = 1, off = 0;

	if (listen_parse(text, &sa, e) < 0)
		return -EINVAL;
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return ns_fail(e, errno, "metrics.listen %s: %s", text, strerror(errno));
	/* a restart must not wait for connections of the one before to be forgotten */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sa.ss_family == AF_INET6) /* [::] is all addresses, whatever the host's default */
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&sa, size_of(&sa)) < 0 || listen(fd, BACKLOG) < 0) {
		int err = errno;

		close(fd);
		return ns_fail(e, err, "metrics.listen %s: %s", text, strerror(err));
	}
	tell_bound(fd, bound, len);
	return fd;
}
