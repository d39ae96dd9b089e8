/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where messages go: a file (RFC 5655: messages one behind the other), a UDP or a TCP collector
 * (RFC 7011 section 10).
 */
#include "ipfix_priv.h"

#include <ns_log.h>
#include <ns_sink.h>

#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

NS_LOG_TYPE("write.ipfix");

/* Splits "HOST[:PORT]", "[HOST]:PORT" into @host and @port; false: neither. */
static bool split(char *s, char **host, char **port)
{
	char *end;

	*port = NULL;
	*host = s;
	if (s[0] == '[') {
		*host = s + 1;
		end = strchr(s, ']');
		if (end == NULL)
			return false;
		*end++ = '\0';
		if (*end == ':')
			*port = end + 1;
		else if (*end != '\0')
			return false;
	} else {
		end = strchr(s, ':');
		if (end != NULL) {
			*end = '\0';
			*port = end + 1;
			if (strchr(*port, ':') != NULL)
				return false; /* an IPv6 address without brackets */
		}
	}
	if ((*host)[0] == '\0')
		return false;
	/* getaddrinfo() takes a number of any size, modulo 65536. */
	return *port == NULL ||
	       ((*port)[0] != '\0' && strspn(*port, "0123456789") < 6 && atoi(*port) <= UINT16_MAX);
}

/* Connects to one address; the fd or -errno. */
static int dial(const struct addrinfo *ai, const struct ipfix_conf *c)
{
	struct timeval tv = {.tv_sec = c->timeout};
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol), err;

	if (fd < 0)
		return -errno;
	/* Also bounds connect() on Linux. */
	if (ai->ai_socktype == SOCK_STREAM &&
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		goto fail;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
fail:
	err = errno == EINPROGRESS ? ETIMEDOUT : errno;
	close(fd);
	return -err;
}

static int open_socket(
	struct ipfix_out *o, const char *rest, const struct ipfix_conf *c, struct ns_err *e)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = o->transport == IPFIX_UDP ? SOCK_DGRAM : SOCK_STREAM};
	struct addrinfo *all = NULL;
	char *copy = strdup(rest), *host, *port, standard[8];
	int rc;

	if (copy == NULL)
		return ns_fail(e, ENOMEM, "ipfix:%s: no memory", o->target);
	if (!split(copy, &host, &port)) {
		free(copy);
		return ns_fail(e, EINVAL,
			"ipfix:%s: the collector is HOST:PORT, an IPv6 address in brackets",
			o->target);
	}
	snprintf(standard, sizeof(standard), "%d", IPFIX_PORT);
	rc = getaddrinfo(host, port != NULL ? port : standard, &hints, &all);
	free(copy);
	if (rc != 0)
		return ns_fail(e, rc == EAI_SYSTEM ? errno : ENOENT, "ipfix:%s: %s", o->target,
			gai_strerror(rc));
	rc = -ENOENT;
	for (const struct addrinfo *ai = all; ai != NULL && rc < 0; ai = ai->ai_next)
		rc = dial(ai, c);
	freeaddrinfo(all);
	if (rc < 0)
		return ns_fail(e, -rc, "ipfix:%s: can not connect: %s", o->target, strerror(-rc));
	o->fd = rc;
	return 0;
}

static int open_file(struct ipfix_out *o, struct ns_err *e)
{
	if (strcmp(o->target, "-") == 0) {
		o->fd = dup(STDOUT_FILENO);
	} else {
		o->fd = open(o->target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	if (o->fd < 0)
		return ns_fail(e, errno, "ipfix:%s: can not open: %s", o->target, strerror(errno));
	return 0;
}

int ipfix_out_check(const char *target, struct ns_err *e)
{
	bool net = strncmp(target, "udp://", 6) == 0 || strncmp(target, "tcp://", 6) == 0;
	char *copy, *host, *port;
	bool good;

	if (!net && strstr(target, "://") == NULL)
		return ns_sink_check(target, e);
	if (!net)
		return ns_fail(
			e, EINVAL, "ipfix:%s: FILE, udp://HOST:PORT or tcp://HOST:PORT", target);
	copy = strdup(target + 6);
	if (copy == NULL)
		return ns_fail(e, ENOMEM, "ipfix:%s: no memory", target);
	good = split(copy, &host, &port);
	free(copy);
	if (!good)
		return ns_fail(e, EINVAL,
			"ipfix:%s: the collector is HOST:PORT, an IPv6 address in brackets",
			target);
	return 0;
}

struct ipfix_out *ipfix_out_open(const char *target, const struct ipfix_conf *c, struct ns_err *e)
{
	struct ipfix_out *o = calloc(1, sizeof(*o) + strlen(target) + 1);
	const char *rest = strstr(target, "://");
	int rc;

	if (o == NULL) {
		ns_fail(e, ENOMEM, "ipfix:%s: no memory", target);
		return NULL;
	}
	strcpy(o->target, target);
	if (strncmp(target, "udp://", 6) == 0) {
		o->transport = IPFIX_UDP;
		rc = open_socket(o, rest + 3, c, e);
	} else if (strncmp(target, "tcp://", 6) == 0) {
		o->transport = IPFIX_TCP;
		rc = open_socket(o, rest + 3, c, e);
	} else if (rest != NULL) {
		rc = ns_fail(
			e, EINVAL, "ipfix:%s: FILE, udp://HOST:PORT or tcp://HOST:PORT", target);
	} else {
		o->transport = IPFIX_FILE;
		rc = open_file(o, e);
	}
	if (rc < 0) {
		free(o);
		return ns_errno_null(-rc);
	}
	return o;
}

static int send_file(struct ipfix_out *o, const uint8_t *msg, size_t len, struct ns_err *e)
{
	while (len > 0) {
		ssize_t n = write(o->fd, msg, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ns_fail(e, errno, "ipfix:%s: can not write: %s", o->target,
				strerror(errno));
		msg += n;
		len -= (size_t)n;
	}
	return 0;
}

static void lose(struct ipfix_out *o, int err)
{
	o->lost++;
	o->lost_errno = err;
}

/*
 * A collector that is not there (yet) makes the kernel refuse a later message with what ICMP said
 * of an earlier one. That is no reason to stop analysing; the one refused is tried once more.
 */
static int send_udp(struct ipfix_out *o, const uint8_t *msg, size_t len, struct ns_err *e)
{
	for (int refused = 0; refused < 3;) {
		if (send(o->fd, msg, len, MSG_NOSIGNAL) >= 0)
			return 0;
		switch (errno) {
		case EINTR:
			continue;
		case ECONNREFUSED:
			lose(o, errno);
			refused++;
			continue;
		case EHOSTUNREACH:
		case ENETUNREACH:
		case EHOSTDOWN:
		case ENETDOWN:
		case ENOBUFS:
			lose(o, errno);
			return 0;
		case EMSGSIZE:
			return ns_fail(e, EMSGSIZE,
				"ipfix:%s: a message of %zu octets is too long for the path; lower "
				"ipfix.mtu",
				o->target, len);
		default:
			return ns_fail(
				e, errno, "ipfix:%s: can not send: %s", o->target, strerror(errno));
		}
	}
	lose(o, ECONNREFUSED);
	return 0;
}

/* A collector says nothing; what can be read is the end of the connection. */
static int tcp_check(struct ipfix_out *o, int wait_ms, struct ns_err *e)
{
	struct pollfd p = {.fd = o->fd, .events = POLLIN};
	uint8_t junk[256];
	ssize_t n;

	while (poll(&p, 1, wait_ms) > 0) {
		n = recv(o->fd, junk, sizeof(junk), MSG_DONTWAIT);
		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		if (n == 0)
			return 1;
		if (errno == EAGAIN)
			return 0;
		return ns_fail(e, errno, "ipfix:%s: the collector broke the connection: %s",
			o->target, strerror(errno));
	}
	return 0;
}

static int send_tcp(struct ipfix_out *o, const uint8_t *msg, size_t len, struct ns_err *e)
{
	int rc = tcp_check(o, 0, e);

	if (rc > 0)
		return ns_fail(
			e, EPIPE, "ipfix:%s: the collector closed the connection", o->target);
	while (rc == 0 && len > 0) {
		ssize_t n = send(o->fd, msg, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return ns_fail(e, ETIMEDOUT,
				"ipfix:%s: the collector took no data within ipfix.timeout",
				o->target);
		if (n < 0)
			return ns_fail(e, errno, "ipfix:%s: the connection is broken: %s",
				o->target, strerror(errno));
		msg += n;
		len -= (size_t)n;
	}
	return rc;
}

int ipfix_out_send(struct ipfix_out *o, const uint8_t *msg, size_t len, struct ns_err *e)
{
	switch (o->transport) {
	case IPFIX_UDP:
		return send_udp(o, msg, len, e);
	case IPFIX_TCP:
		return send_tcp(o, msg, len, e);
	default:
		return send_file(o, msg, len, e);
	}
}

int ipfix_out_close(struct ipfix_out *o, struct ns_err *e)
{
	int rc = 0, err = 0;
	socklen_t len = sizeof(err);

	/* Octets in flight die without a word when the collector is gone; so wait for its end. */
	if (o->transport == IPFIX_TCP && shutdown(o->fd, SHUT_WR) == 0) {
		rc = tcp_check(o, 1000, e);
		rc = NS_MIN(rc, 0);
	}
	if (o->transport == IPFIX_UDP && getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
		err != 0)
		lose(o, err);
	if (o->lost > 0)
		NS_LOG(WARNING, "ipfix:%s: %" PRIu64 " messages were lost, the last: %s", o->target,
			o->lost, strerror(o->lost_errno));
	if (close(o->fd) < 0 && rc == 0)
		rc = ns_fail(e, errno, "ipfix:%s: can not close: %s", o->target, strerror(errno));
	free(o);
	return rc;
}
