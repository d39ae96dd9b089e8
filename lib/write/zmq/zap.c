/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may connect: keys of CurveZMQ (RFC 26) in files, and the handler of ZAP (RFC 27) that libzmq
 * asks about each connection. The list is read at each question, so that a key that was taken out
 * is refused at once; connections that exist stay.
 */
#include "zmq_priv.h"

#include <ns_log.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

NS_LOG_TYPE("write.zmq");

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define LINE_MAX_OCTETS 512
#define KEY_OCTETS 32

/* Whether @n characters are a key in Z85 (RFC 32). */
static bool is_key(const char *s, size_t n)
{
	char copy[ZMQ_Z85_KEY + 1];
	uint8_t key[KEY_OCTETS];

	if (n != ZMQ_Z85_KEY)
		return false;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return zmq_z85_decode(key, copy) != NULL;
}

/* The first word of a line; its length. */
static size_t word(const char *line, const char **at)
{
	*at = line + strspn(line, " \t\r\n");
	return strcspn(*at, " \t\r\n");
}

/*
 * The key of a line that is nothing but a key, or  secret-key = "..."  as in the certificates that
 * zmq.auth.create_certificates() and czmq write.
 */
static bool secret_of(const char *line, char key[ZMQ_Z85_KEY + 1])
{
	const char *at;
	size_t n = word(line, &at);

	if (strncmp(at, "secret-key", 10) == 0) {
		at = strchr(at, '"');
		at = at != NULL ? at + 1 : "";
		n = strcspn(at, "\"");
	}
	if (!is_key(at, n))
		return false;
	memcpy(key, at, n);
	key[n] = '\0';
	return true;
}

static bool others_read(FILE *f)
{
	struct stat st;

	return fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0007) != 0;
}

int zmq_secret_key(const char *path, char key[ZMQ_Z85_KEY + 1], struct ns_err *e)
{
	FILE *f = fopen(path, "re");
	char line[LINE_MAX_OCTETS];
	bool found = false;

	if (f == NULL)
		return ns_fail(e, errno, "%s: %s", path, strerror(errno));
	bool open_to_all = others_read(f);

	while (!open_to_all && !found && fgets(line, sizeof(line), f) != NULL)
		found = secret_of(line, key);
	explicit_bzero(line, sizeof(line));
	fclose(f);
	if (open_to_all)
		return ns_fail(
			e, EACCES, "%s: others may read this secret key: chmod o= %s", path, path);
	return found ? 0
		     : ns_fail(e, EINVAL, "%s: no line is a secret key of %d characters", path,
			       ZMQ_Z85_KEY);
}

/* A key, a comment or nothing. '#' may begin a key: a line with a key in front is one. */
enum line { LINE_KEY, LINE_NOTHING, LINE_BAD };

static enum line line_of(const char *text, const char **key)
{
	size_t n = word(text, key);

	if (is_key(*key, n))
		return LINE_KEY;
	return n == 0 || **key == '#' ? LINE_NOTHING : LINE_BAD;
}

int zmq_allow_check(const char *path, struct ns_err *e)
{
	FILE *f = fopen(path, "re");
	char text[LINE_MAX_OCTETS];
	const char *key;
	unsigned line = 0;
	bool good = true;

	if (f == NULL)
		return ns_fail(e, errno, "%s: %s", path, strerror(errno));
	while (good && fgets(text, sizeof(text), f) != NULL) {
		line++;
		good = line_of(text, &key) != LINE_BAD;
	}
	fclose(f);
	return good ? 0
		    : ns_fail(e, EINVAL, "%s:%u: no public key of %d characters", path, line,
			      ZMQ_Z85_KEY);
}

bool zmq_allowed(const char *path, const char key[ZMQ_Z85_KEY + 1])
{
	FILE *f = fopen(path, "re");
	char text[LINE_MAX_OCTETS];
	const char *at;
	bool found = false;

	if (f == NULL) {
		NS_LOG(ERR, "%s: %s: nobody may connect", path, strerror(errno));
		return false;
	}
	while (!found && fgets(text, sizeof(text), f) != NULL)
		found = line_of(text, &at) == LINE_KEY && memcmp(at, key, ZMQ_Z85_KEY) == 0;
	fclose(f);
	return found;
}

void *zmq_zap_open(void *ctx, struct ns_err *e)
{
	void *s = zmq_socket(ctx, ZMQ_REP);

	if (s == NULL || zmq_setsockopt(s, ZMQ_LINGER, &(int){0}, sizeof(int)) < 0 ||
		zmq_bind(s, ZAP_ENDPOINT) < 0) {
		ns_fail(e, errno, "handler of keys: %s", zmq_strerror(errno));
		if (s != NULL)
			zmq_close(s);
		return NULL;
	}
	return s;
}

/* Frames of a request: version, id, domain, address, identity, mechanism, credentials. */
enum { ZAP_VERSION, ZAP_ID, ZAP_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_KEY };

#define ZAP_FRAMES 7
#define ZAP_TEXT 256

struct request {
	char frame[ZAP_FRAMES][ZAP_TEXT];
	size_t len[ZAP_FRAMES];
	unsigned n;
};

/* False: there is none now. Frames that are too many or too long make it one to refuse. */
static bool receive(void *zap, struct request *r)
{
	int more = 1;
	size_t size = sizeof(more);

	r->n = 0;
	while (more != 0) {
		char rest[ZAP_TEXT];
		char *to = r->n < ZAP_FRAMES ? r->frame[r->n] : rest;
		int got = zmq_recv(zap, to, ZAP_TEXT - 1, ZMQ_DONTWAIT);

		if (got < 0)
			return false;
		if (r->n < ZAP_FRAMES) {
			r->len[r->n] = NS_MIN((size_t)got, (size_t)ZAP_TEXT - 1);
			to[r->len[r->n]] = '\0';
		}
		r->n++;
		if (zmq_getsockopt(zap, ZMQ_RCVMORE, &more, &size) < 0)
			return false;
	}
	return true;
}

static bool may(const struct request *r, const char *allow, char key[ZMQ_Z85_KEY + 1])
{
	if (r->n != ZAP_FRAMES || strcmp(r->frame[ZAP_VERSION], "1.0") != 0 ||
		strcmp(r->frame[ZAP_MECHANISM], "CURVE") != 0 || r->len[ZAP_KEY] != KEY_OCTETS)
		return false;
	zmq_z85_encode(key, (const uint8_t *)r->frame[ZAP_KEY], KEY_OCTETS);
	return allow == NULL || zmq_allowed(allow, key);
}

static void answer(void *zap, const struct request *r, bool yes)
{
	const char *code = yes ? "200" : "400", *why = yes ? "OK" : "key not allowed";

	zmq_send(zap, "1.0", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap, r->frame[ZAP_ID], r->n > ZAP_ID ? r->len[ZAP_ID] : 0,
		ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap, code, 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap, why, strlen(why), ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap, "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap, "", 0, ZMQ_DONTWAIT);
}

void zmq_zap_serve(void *zap, const char *allow, uint64_t *refused)
{
	struct request r;

	while (receive(zap, &r)) {
		char key[ZMQ_Z85_KEY + 1] = "?";
		bool yes = may(&r, allow, key);

		answer(zap, &r, yes);
		*refused += !yes;
		/* somebody may try again and again: not a line each time */
		if (!yes && (*refused & (*refused - 1)) == 0)
			NS_LOG(WARNING, "refused %s with key %s (%" PRIu64 " so far)",
				r.n > ZAP_ADDRESS ? r.frame[ZAP_ADDRESS] : "?", key, *refused);
	}
}
