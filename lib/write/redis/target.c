/* SPDX-License-Identifier: BSD-3-Clause */
/* Where Redis is, and the password. */
#include "redis_priv.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#define REDIS_PORT 6379
#define FORMS "unix:/PATH, HOST:PORT or [ADDRESS]:PORT"

/* "1" to "65535". */
static bool port_of(const char *text, uint16_t *port)
{
	unsigned v = 0;
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 5 || text[n] != '\0')
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (unsigned)(text[i] - '0');
	*port = (uint16_t)v;
	return v > 0 && v <= UINT16_MAX;
}

static int host_of(struct redis_target *t, const char *text, size_t n)
{
	if (n == 0 || n >= sizeof(t->host))
		return -1;
	/* a log-in, a path or a number of a database that a URL would have does not stand here */
	for (size_t i = 0; i < n; i++) {
		if (strchr("@/ []", text[i]) != NULL || (unsigned char)text[i] < ' ')
			return -1;
	}
	memcpy(t->host, text, n);
	t->host[n] = '\0';
	return 0;
}

static int parse_tcp(const char *text, struct redis_target *t)
{
	const char *end, *port = NULL;

	t->port = REDIS_PORT;
	if (text[0] == '[') {
		text++;
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return -1;
		port = end[1] == ':' ? end + 2 : NULL;
	} else {
		end = text + strcspn(text, ":");
		port = *end == ':' ? end + 1 : NULL;
	}
	if (port != NULL && !port_of(port, &t->port))
		return -1;
	return host_of(t, text, (size_t)(end - text));
}

int redis_target_parse(const char *text, struct redis_target *t, struct ns_err *e)
{
	memset(t, 0, sizeof(*t));
	if (strncmp(text, "unix:", 5) == 0) {
		text += 5;
		if (text[0] != '/')
			return ns_fail(e, EINVAL, "redis: unix: wants the whole path of a socket");
		if (strlen(text) >= sizeof(t->path))
			return ns_fail(e, EINVAL,
				"redis: the path of a socket has at most %zu octets",
				sizeof(t->path) - 1);
		strcpy(t->path, text);
		return 0;
	}
	if (parse_tcp(text, t) == 0)
		return 0;
	/* the text is not repeated: who writes a URL may have a password in it */
	return ns_fail(e, EINVAL,
		"redis: say where Redis is as %s; user, password and database stand in the section "
		"\"redis\" of the configuration",
		FORMS);
}

int redis_target_resolve(struct redis_target *t, struct ns_err *e)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *all = NULL;
	int rc;

	t->addresses_n = 0;
	if (t->path[0] != '\0')
		return 0;
	rc = getaddrinfo(t->host, NULL, &hints, &all);
	if (rc != 0)
		return ns_fail(e, ENOENT, "redis:%s: %s", t->host, gai_strerror(rc));
	for (const struct addrinfo *a = all; a != NULL; a = a->ai_next) {
		if (t->addresses_n < REDIS_ADDRESSES &&
			getnameinfo(a->ai_addr, a->ai_addrlen, t->addresses[t->addresses_n],
				sizeof(t->addresses[0]), NULL, 0, NI_NUMERICHOST) == 0)
			t->addresses_n++;
	}
	freeaddrinfo(all);
	if (t->addresses_n == 0)
		return ns_fail(e, ENOENT, "redis:%s: has no address", t->host);
	return 0;
}

int redis_secret(const struct redis_conf *c, char secret[REDIS_SECRET_MAX], struct ns_err *e)
{
	FILE *f;
	bool read;

	secret[0] = '\0';
	if (c->password_file == NULL || c->password_file[0] == '\0') {
		if (c->password != NULL)
			snprintf(secret, REDIS_SECRET_MAX, "%s", c->password);
		return 0;
	}
	f = fopen(c->password_file, "re");
	if (f == NULL)
		return ns_fail(e, errno, "password_file %s: %s", c->password_file, strerror(errno));
	read = fgets(secret, REDIS_SECRET_MAX, f) != NULL;
	fclose(f);
	secret[strcspn(secret, "\r\n")] = '\0';
	if (!read || secret[0] == '\0')
		return ns_fail(
			e, EINVAL, "password_file %s: its first line is empty", c->password_file);
	return 0;
}
