/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets. An XPUB socket has a queue for each subscriber, of `hwm` messages.
 *
 * What libzmq does when one of them is full: by default the message is left out for this one in
 * silence, and the queue is left alone until half of it has been read. With ZMQ_XPUB_NODROP the
 * message is refused with EAGAIN, for all of its subscribers: one that has stopped reading would
 * stop all. So each message is tried with NODROP, and after EAGAIN, which is counted, once more
 * without: those that keep up get it, the slow one does not. While its queue rests libzmq does not
 * say what is left out of it, so the count is how often a queue was found full; the subscriber
 * itself sees from the sequence numbers exactly what it lacks.
 */
#include "zmq_priv.h"

#include <stdlib.h>
#include <string.h>

/* A peer that answers nothing for so long is disconnected, and its queue is freed. */
#define HEARTBEAT_MS 5000
#define HEARTBEAT_TIMEOUT_MS 30000

#define ENDPOINT_MAX 256
#define DOMAIN "ns"

static int set_int(void *s, int option, int v)
{
	return zmq_setsockopt(s, option, &v, sizeof(v));
}

static int common(void *s, const struct zmq_conf *c)
{
	if (set_int(s, ZMQ_SNDHWM, (int)c->hwm) < 0 || set_int(s, ZMQ_LINGER, (int)c->linger) < 0 ||
		set_int(s, ZMQ_IPV6, 1) < 0 || set_int(s, ZMQ_TCP_KEEPALIVE, 1) < 0 ||
		set_int(s, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) < 0 ||
		set_int(s, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS) < 0)
		return -1;
	return 0;
}

/* With a domain libzmq asks the handler of the context about each connection. */
static int encrypt(void *s, const char *secret)
{
	if (set_int(s, ZMQ_CURVE_SERVER, 1) < 0)
		return -1;
	/* the length of a key in text is with its zero */
	if (zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, secret, ZMQ_Z85_KEY + 1) < 0)
		return -1;
	return zmq_setsockopt(s, ZMQ_ZAP_DOMAIN, DOMAIN, strlen(DOMAIN));
}

/* A socket with all of its options; NULL with errno. @secret NULL: not encrypted. */
static void *open_socket(struct pub *p, int type, const struct zmq_conf *c, const char *secret)
{
	void *s = zmq_socket(p->ctx, type);
	bool ok = s != NULL && common(s, c) == 0 && (secret == NULL || encrypt(s, secret) == 0);

	if (ok && type == ZMQ_XPUB)
		ok = set_int(s, ZMQ_XPUB_VERBOSE, 1) == 0 && set_int(s, ZMQ_XPUB_NODROP, 1) == 0;
	if (ok)
		return s;
	int err = errno;

	if (s != NULL)
		zmq_close(s);
	return ns_errno_null(err);
}

/*
 * The next of the endpoints that have commas between them, from *at on: 1, or 0 when there is none,
 * or -errno with a message.
 */
static int next_endpoint(const char **at, char one[ENDPOINT_MAX], struct ns_err *e)
{
	size_t n = strcspn(*at, ",");

	if (n == 0)
		return 0;
	if (n >= ENDPOINT_MAX)
		return ns_fail(e, ENAMETOOLONG, "%s: endpoint is too long", *at);
	memcpy(one, *at, n);
	one[n] = '\0';
	*at += n + ((*at)[n] == ',');
	if (strncmp(one, "tcp://", 6) != 0 && strncmp(one, "ipc://", 6) != 0)
		return ns_fail(
			e, EINVAL, "%s: no endpoint like tcp://127.0.0.1:5556 or ipc:///PATH", one);
	return 1;
}

int pub_check(const char *target, struct ns_err *e)
{
	char one[ENDPOINT_MAX];
	int rc;

	if (*target == '\0')
		return ns_fail(e, EINVAL, "zmq: needs an endpoint: zmq:tcp://127.0.0.1:5556");
	do {
		rc = next_endpoint(&target, one, e);
	} while (rc > 0);
	return rc;
}

static int bind_all(void *s, const char *target, struct ns_err *e)
{
	char one[ENDPOINT_MAX];
	int rc;

	while ((rc = next_endpoint(&target, one, e)) > 0) {
		rc = pub_bind(s, one, e);
		if (rc < 0)
			break;
	}
	return rc;
}

static int open_push(struct pub *p, const char *endpoint, const struct zmq_conf *c,
	const char *secret, struct ns_err *e)
{
	bool binds = endpoint[0] == '@';
	void *s = open_socket(p, ZMQ_PUSH, c, binds ? secret : NULL);

	if (s == NULL)
		return ns_fail(e, errno, "%s: %s", endpoint, zmq_strerror(errno));
	p->push[p->push_n++] = s;
	endpoint += binds;
	if (binds)
		return pub_bind(s, endpoint, e);
	if (zmq_connect(s, endpoint) < 0)
		return ns_fail(e, errno, "%s: %s", endpoint, zmq_strerror(errno));
	return 0;
}

static int open_all(struct pub *p, const char *target, const struct zmq_conf *c, const char *secret,
	struct ns_err *e)
{
	int rc = 0;

	if (secret != NULL) {
		p->zap = zmq_zap_open(p->ctx, e);
		if (p->zap == NULL)
			return -errno;
	}
	p->xpub = open_socket(p, ZMQ_XPUB, c, secret);
	if (p->xpub == NULL)
		return ns_fail(e, errno, "%s: %s", target, zmq_strerror(errno));
	rc = bind_all(p->xpub, target, e);
	for (uint32_t i = 0; rc == 0 && i < c->push_count; i++)
		rc = open_push(p, c->push[i], c, secret, e);
	return rc;
}

int pub_open(struct pub *p, const char *target, const struct zmq_conf *c, struct ns_err *e)
{
	char secret[ZMQ_Z85_KEY + 1];
	bool keys = c->curve_key != NULL && *c->curve_key != '\0';
	int rc = pub_check(target, e);

	memset(p, 0, sizeof(*p));
	if (rc == 0 && keys)
		rc = zmq_secret_key(c->curve_key, secret, e);
	if (rc == 0 && keys && c->curve_allow != NULL) {
		p->allow = c->curve_allow;
		rc = zmq_allow_check(p->allow, e);
	}
	if (rc < 0)
		return rc;
	p->prefixes = calloc(PUB_PREFIXES, sizeof(*p->prefixes));
	p->ctx = p->prefixes != NULL ? zmq_ctx_new() : NULL;
	rc = p->ctx != NULL ? open_all(p, target, c, keys ? secret : NULL, e)
			    : ns_fail(e, ENOMEM, "%s: no memory", target);
	explicit_bzero(secret, sizeof(secret));
	if (rc < 0)
		pub_close(p);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

void pub_close(struct pub *p)
{
	if (p->xpub != NULL)
		zmq_close(p->xpub);
	for (unsigned i = 0; i < p->push_n; i++)
		zmq_close(p->push[i]);
	if (p->zap != NULL)
		zmq_close(p->zap);
	/* waits for what lingers */
	if (p->ctx != NULL)
		zmq_ctx_term(p->ctx);
	for (unsigned i = 0; p->prefixes != NULL && i < p->prefixes_n; i++)
		free(p->prefixes[i].text);
	free(p->prefixes);
	memset(p, 0, sizeof(*p));
}

static bool begins(const char *topic, const struct pub_prefix *p)
{
	return strncmp(topic, p->text, p->len) == 0;
}

bool pub_wanted(const struct pub *p, const char *topic)
{
	if (p->push_n > 0 || p->all)
		return true;
	for (unsigned i = 0; i < p->prefixes_n; i++) {
		if (begins(topic, &p->prefixes[i]))
			return true;
	}
	return false;
}

bool pub_joined(const struct pub *p, const char *topic)
{
	if (p->joined_n > 0 && p->all)
		return true;
	for (unsigned i = 0; p->joined_n > 0 && i < p->prefixes_n; i++) {
		if (p->prefixes[i].joined && begins(topic, &p->prefixes[i]))
			return true;
	}
	return false;
}

void pub_replayed(struct pub *p)
{
	for (unsigned i = 0; i < p->prefixes_n; i++)
		p->prefixes[i].joined = false;
	p->joined_n = 0;
}

static struct pub_prefix *find(struct pub *p, const char *text, size_t len)
{
	for (unsigned i = 0; i < p->prefixes_n; i++) {
		if (p->prefixes[i].len == len && memcmp(p->prefixes[i].text, text, len) == 0)
			return &p->prefixes[i];
	}
	return NULL;
}

static void join(struct pub *p, const char *text, size_t len)
{
	struct pub_prefix *x = find(p, text, len);

	p->joined_n++;
	if (x == NULL && !p->all) {
		char *copy = p->prefixes_n < PUB_PREFIXES ? malloc(len + 1) : NULL;

		/* more than can be remembered, from here on: everything is sent, libzmq chooses */
		if (copy == NULL) {
			p->all = true;
			return;
		}
		memcpy(copy, text, len);
		copy[len] = '\0';
		x = &p->prefixes[p->prefixes_n++];
		*x = (struct pub_prefix){.text = copy, .len = len};
	}
	if (x != NULL)
		x->joined = true;
}

/* libzmq tells of it when the last subscriber of this prefix has gone. */
static void leave(struct pub *p, const char *text, size_t len)
{
	struct pub_prefix *x = find(p, text, len);

	if (x == NULL)
		return;
	free(x->text);
	*x = p->prefixes[--p->prefixes_n];
}

/* Subscribing is a message of one frame: 1 or 0, and the prefix. Others are nobody's business. */
static void take_subscriptions(struct pub *p)
{
	zmq_msg_t m;

	zmq_msg_init(&m);
	while (zmq_msg_recv(&m, p->xpub, ZMQ_DONTWAIT) >= 0) {
		const char *data = zmq_msg_data(&m);
		size_t n = zmq_msg_size(&m);

		if (n > 0 && data[0] == 1)
			join(p, data + 1, n - 1);
		else if (n > 0 && data[0] == 0)
			leave(p, data + 1, n - 1);
	}
	zmq_msg_close(&m);
}

void pub_serve(struct pub *p)
{
	if (p->zap != NULL)
		zmq_zap_serve(p->zap, p->allow, &p->refused);
	take_subscriptions(p);
}

/* Both frames, or none of them; the octets of the second are shared by all who get it. */
static bool send_to(void *s, const char *topic, zmq_msg_t *body)
{
	zmq_msg_t m;

	zmq_msg_init(&m);
	if (zmq_msg_copy(&m, body) == 0 &&
		zmq_send(s, topic, strlen(topic), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
		zmq_msg_send(&m, s, ZMQ_DONTWAIT) >= 0)
		return true;
	zmq_msg_close(&m);
	return false;
}

/*
 * libzmq looks only each millisecond for what its I/O thread has read from the queues, but at once
 * when it is asked for events: a queue that seems to be full may not be.
 */
static bool send_again(void *s, const char *topic, zmq_msg_t *body)
{
	int events;
	size_t size = sizeof(events);

	return zmq_getsockopt(s, ZMQ_EVENTS, &events, &size) == 0 && send_to(s, topic, body);
}

/* Closes the message. */
static unsigned send_all(struct pub *p, const char *topic, zmq_msg_t *body, bool push)
{
	unsigned missed = 0;

	if (!send_to(p->xpub, topic, body) && !send_again(p->xpub, topic, body)) {
		missed++;
		set_int(p->xpub, ZMQ_XPUB_NODROP, 0);
		send_to(p->xpub, topic, body);
		set_int(p->xpub, ZMQ_XPUB_NODROP, 1);
	}
	for (unsigned i = 0; push && i < p->push_n; i++)
		missed += !send_to(p->push[i], topic, body);
	zmq_msg_close(body);
	return missed;
}

unsigned pub_send(struct pub *p, const char *topic, const void *data, size_t len, bool push)
{
	zmq_msg_t body;

	if (zmq_msg_init_size(&body, len) < 0)
		return 1;
	memcpy(zmq_msg_data(&body), data, len);
	return send_all(p, topic, &body, push);
}

/*
 * Octets of large messages that are in queues, of all writers of the process: libzmq may free the
 * last of them when their socket is gone. Atomic.
 */
static uint64_t large;

/* By a thread of libzmq's, when no queue has the message any more. */
static void release(void *data, void *hint)
{
	free(data);
	__atomic_fetch_sub(&large, (uint64_t)(uintptr_t)hint, __ATOMIC_RELEASE);
}

int pub_send_large(struct pub *p, const char *topic, const void *data, size_t len, bool push)
{
	zmq_msg_t body;

	if (__atomic_load_n(&large, __ATOMIC_ACQUIRE) + len > PUB_LARGE_MAX)
		return -ENOBUFS;
	void *copy = malloc(len);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, data, len);
	if (zmq_msg_init_data(&body, copy, len, release, (void *)(uintptr_t)len) < 0) {
		free(copy);
		return -ENOMEM;
	}
	__atomic_fetch_add(&large, len, __ATOMIC_RELAXED);
	return (int)send_all(p, topic, &body, push);
}
