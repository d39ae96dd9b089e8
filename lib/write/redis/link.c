/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection to Redis. Nothing here waits: a step goes on as far as the socket lets it, and a
 * time limit that has run out ends the connection.
 *
 *	OFF ──retry──▶ CONNECTING ──▶ GREETING ──▶ READY ◀──▶ BUSY
 *	 ▲                 │             │           │         │
 *	 └── back-off ─────┴─────────────┴───────────┴─────────┘
 *
 * hiredis 0.14 connects and reads answers; we send ourselves, as its write() would raise SIGPIPE.
 */
#include "redis_priv.h"

#include <ns_log.h>

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

NS_LOG_TYPE("write.redis");

#define MS_NS UINT64_C(1000000)
#define BACKOFF_LEAST 100
#define BACKOFF_MOST 4000 /* and up to a fourth of it by chance: 5 s */
#define SEND_MOST (4u << 20) /* octets in a step */
#define READS_MOST 64 /* in a step */

void redis_link_init(struct redis_link *l, const struct redis_conf *c, const struct redis_target *t,
	const char *name, struct ns_writer_stats *stats)
{
	*l = (struct redis_link){.conf = c,
		.target = t,
		.stats = stats,
		.name = name,
		.backoff_ms = BACKOFF_LEAST,
		.seed = (unsigned)ns_clock_mono()};
}

static void disconnect(struct redis_link *l)
{
	if (l->c != NULL)
		redisFree(l->c);
	l->c = NULL;
	if (l->hello.p != NULL)
		explicit_bzero(l->hello.p, l->hello.size);
	redis_clear(&l->hello);
	l->state = REDIS_OFF;
	l->out = NULL;
	l->due = 0;
}

void redis_link_fini(struct redis_link *l)
{
	disconnect(l);
	redis_free(&l->hello);
}

/* The text may be read as long as "down" is 1: it is taken back while it changes. */
static void say_down(struct redis_link *l, const char *text)
{
	struct ns_writer_stats *st = l->stats;

	if (__atomic_load_n(&st->down, __ATOMIC_RELAXED) != 0 && strcmp(st->message, text) == 0)
		return;
	__atomic_store_n(&st->down, 0, __ATOMIC_RELEASE);
	snprintf(st->message, sizeof(st->message), "%s", text);
	__atomic_store_n(&st->down, 1, __ATOMIC_RELEASE);
	NS_LOG(WARNING, "%s: %s; trying again", l->name, text);
}

static void say_up(struct redis_link *l)
{
	if (__atomic_load_n(&l->stats->down, __ATOMIC_RELAXED) != 0)
		NS_LOG(NOTICE, "%s: the state is written again", l->name);
	__atomic_store_n(&l->stats->down, 0, __ATOMIC_RELEASE);
	l->was_up = true;
	l->backoff_ms = BACKOFF_LEAST;
}

static void NS_PRINTF(2, 3) fail(struct redis_link *l, const char *fmt, ...)
{
	char text[sizeof(l->stats->message)];
	uint32_t ms = l->backoff_ms;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	disconnect(l);
	/* nodes that lost the same Redis do not come back all at once */
	ms += (uint32_t)rand_r(&l->seed) % (ms / 4 + 1);
	l->retry_ns = ns_clock_mono() + ms * MS_NS;
	l->backoff_ms = NS_MIN(l->backoff_ms * 2, (uint32_t)BACKOFF_MOST);
	say_down(l, text);
}

static void limit(struct redis_link *l, uint32_t ms)
{
	l->deadline_ns = ns_clock_mono() + ms * MS_NS;
}

static void dial(struct redis_link *l)
{
	const struct redis_target *t = l->target;

	if (t->path[0] != '\0')
		l->c = redisConnectUnixNonBlock(t->path);
	else
		l->c = redisConnectNonBlock(t->addresses[l->attempt++ % t->addresses_n], t->port);
	if (l->c == NULL) {
		fail(l, "no memory");
		return;
	}
	if (l->c->err != 0) {
		fail(l, "can not connect: %s", l->c->errstr);
		return;
	}
	fcntl(l->c->fd, F_SETFD, FD_CLOEXEC);
	l->state = REDIS_CONNECTING;
	limit(l, l->conf->connect_timeout);
}

static void send_out(struct redis_link *l, const struct redis_buf *b, enum redis_link_state state)
{
	l->out = b->p;
	l->out_n = b->n;
	l->out_at = 0;
	l->due = b->commands;
	l->error[0] = '\0';
	l->state = state;
}

static void greet(struct redis_link *l)
{
	char secret[REDIS_SECRET_MAX];
	struct redis_buf *b = &l->hello;
	const char *user = l->conf->username;
	struct ns_err e;

	if (redis_secret(l->conf, secret, &e) < 0) {
		fail(l, "%s", e.text);
		return;
	}
	redis_clear(b);
	l->secret = secret[0] != '\0';
	if (l->secret) {
		redis_begin(b, "AUTH");
		if (user != NULL && user[0] != '\0')
			redis_text(b, user);
		redis_text(b, secret);
		redis_end(b, 2);
	}
	explicit_bzero(secret, sizeof(secret));
	if (l->conf->db > 0) {
		redis_begin(b, "SELECT");
		redis_number(b, l->conf->db);
		redis_end(b, 2);
	}
	redis_command(b, (const char *[]){"PING"}, 1);
	if (b->failed) {
		fail(l, "no memory");
		return;
	}
	send_out(l, b, REDIS_GREETING);
	limit(l, l->conf->connect_timeout);
}

static void connected(struct redis_link *l)
{
	struct pollfd p = {.fd = l->c->fd, .events = POLLOUT};
	int err = 0;
	socklen_t n = sizeof(err);

	if (poll(&p, 1, 0) <= 0)
		return;
	if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		err = errno;
	if (err != 0)
		fail(l, "can not connect: %s", strerror(err));
	else
		greet(l);
}

static void push(struct redis_link *l)
{
	size_t sent = 0;

	while (l->out_at < l->out_n && sent < SEND_MOST) {
		ssize_t n = send(l->c->fd, l->out + l->out_at, l->out_n - l->out_at,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			fail(l, "the connection broke: %s", strerror(errno));
			return;
		}
		l->out_at += (size_t)n;
		sent += (size_t)n;
	}
	if (sent > 0) {
		ns_stat_add(&l->stats->octets, sent);
		limit(l, l->state == REDIS_BUSY ? l->conf->timeout : l->conf->connect_timeout);
	}
}

/* Keeps the first error, in words of our own where Redis's would not help or say too much. */
static void note_error(struct redis_link *l, const char *text, bool auth)
{
	int word = (int)strcspn(text, " ");

	if (l->error[0] != '\0')
		return;
	if (auth && strstr(text, "without any password") != NULL)
		snprintf(l->error, sizeof(l->error), "a password is given, but it wants none");
	else if (auth)
		snprintf(l->error, sizeof(l->error), "user or password refused (%.*s)",
			NS_MIN(word, 24), text);
	else if (strncmp(text, "NOAUTH", 6) == 0)
		snprintf(l->error, sizeof(l->error),
			"wants a password: give redis.password_file (NOAUTH)");
	else
		snprintf(l->error, sizeof(l->error), "refused: %.80s", text);
}

static void note_reply(struct redis_link *l, const redisReply *r)
{
	bool auth = l->secret;
	/* who may not say PING may still write */
	bool ping = l->state == REDIS_GREETING && l->due == 1;

	l->secret = false;
	if (r->type == REDIS_REPLY_ERROR && !(ping && strncmp(r->str, "NOPERM", 6) == 0))
		note_error(l, r->str, auth);
	for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++) {
		if (r->element[i]->type == REDIS_REPLY_ERROR)
			note_error(l, r->element[i]->str, false);
	}
}

/* All answers are there. */
static void answered(struct redis_link *l)
{
	if (l->error[0] != '\0') {
		fail(l, "%s", l->error);
	} else if (l->state == REDIS_BUSY) {
		l->state = REDIS_READY;
		say_up(l);
	} else {
		if (l->hello.p != NULL)
			explicit_bzero(l->hello.p, l->hello.size);
		l->state = REDIS_READY;
		if (l->was_up)
			ns_stat_add(&l->stats->reconnects, 1);
	}
}

static void take_replies(struct redis_link *l)
{
	while (l->state != REDIS_OFF) {
		void *reply = NULL;

		if (redisReaderGetReply(l->c->reader, &reply) != REDIS_OK) {
			fail(l, "does not speak as Redis does: %.80s", l->c->reader->errstr);
			return;
		}
		if (reply == NULL)
			return;
		if (l->due > 0)
			note_reply(l, reply);
		freeReplyObject(reply);
		if (l->due == 0) {
			fail(l, "an answer to nothing");
			return;
		}
		if (--l->due == 0)
			answered(l);
	}
}

static void pull(struct redis_link *l)
{
	char buf[16384];

	for (int i = 0; i < READS_MOST && l->state != REDIS_OFF; i++) {
		ssize_t n = recv(l->c->fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			fail(l, "the connection broke: %s", strerror(errno));
		} else if (n == 0) {
			fail(l, "closed the connection");
		} else if (redisReaderFeed(l->c->reader, buf, (size_t)n) != REDIS_OK) {
			fail(l, "no memory");
		} else {
			if (l->state == REDIS_BUSY)
				limit(l, l->conf->timeout);
			take_replies(l);
		}
	}
}

static void check_limit(struct redis_link *l)
{
	if (l->state == REDIS_OFF || l->state == REDIS_READY || ns_clock_mono() < l->deadline_ns)
		return;
	if (l->state == REDIS_CONNECTING)
		fail(l, "no connection within %u ms", l->conf->connect_timeout);
	else if (l->state == REDIS_GREETING)
		fail(l, "no answer within %u ms", l->conf->connect_timeout);
	else
		fail(l, "no answer within %u ms", l->conf->timeout);
}

enum redis_link_event redis_link_step(struct redis_link *l)
{
	bool busy = l->state == REDIS_BUSY;

	if (l->state == REDIS_OFF) {
		if (ns_clock_mono() < l->retry_ns)
			return REDIS_NOTHING;
		dial(l);
	}
	if (l->state == REDIS_CONNECTING)
		connected(l);
	if (l->state == REDIS_GREETING || l->state == REDIS_BUSY)
		push(l);
	if (l->state > REDIS_CONNECTING)
		pull(l);
	check_limit(l);
	if (!busy || l->state == REDIS_BUSY)
		return REDIS_NOTHING;
	return l->state == REDIS_READY ? REDIS_WRITTEN : REDIS_BROKEN;
}

void redis_link_send(struct redis_link *l, const struct redis_buf *b)
{
	send_out(l, b, REDIS_BUSY);
	limit(l, l->conf->timeout);
}
