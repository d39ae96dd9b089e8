/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages by HTTP: libmicrohttpd on one thread with epoll. It reads what the board lends and
 * nothing else of the engine, so the slowest client holds up a page and not an epoch. A response
 * borrows its page until the last octet is sent or the client is closed.
 */
#include "metrics_priv.h"

#include <ns_log.h>

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

NS_LOG_TYPE("metrics");

#define REQUEST_MEMORY 16384 /* of a connection: request line, headers, and those of the answer */
#define PLAIN "text/plain; charset=utf-8"

struct http {
	struct MHD_Daemon *daemon;
	struct board *board;
	const struct health *health;
	char address[64];
};

static const char index_page[] =
	"NetSpectra\n"
	"/metrics  numbers for Prometheus\n"
	"/healthz  200 while epochs come, 503 and the reason otherwise\n"
	"/readyz   200 when an epoch is complete and every writer is up, 503 and what is not\n";

/* Hands the response over; @r may be NULL: no memory, the connection is closed. */
static enum MHD_Result send_response(
	struct MHD_Connection *c, unsigned status, struct MHD_Response *r, const char *type)
{
	if (r == NULL)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");

	enum MHD_Result rc = MHD_queue_response(c, status, r);

	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result send_text(struct MHD_Connection *c, unsigned status, const char *text)
{
	return send_response(c, status,
		MHD_create_response_from_buffer(
			strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY),
		PLAIN);
}

static void sent(void *place)
{
	board_give_back(place);
}

static enum MHD_Result send_metrics(const struct http *h, struct MHD_Connection *c)
{
	struct board_place *p = board_take(h->board);
	const struct copy *copy = p != NULL ? p->thing : NULL;
	struct MHD_Response *r;

	if (copy == NULL)
		return send_text(
			c, MHD_HTTP_SERVICE_UNAVAILABLE, "the first epoch is not complete yet\n");
	r = MHD_create_response_from_buffer_with_free_callback_cls(
		copy->page_len, copy->page, sent, p);
	if (r == NULL)
		board_give_back(p);
	return send_response(c, MHD_HTTP_OK, r, "text/plain; version=0.0.4; charset=utf-8");
}

static enum MHD_Result send_health(const struct http *h, struct MHD_Connection *c, bool ready)
{
	struct board_place *p = board_take(h->board);
	const struct copy *copy = p != NULL ? p->thing : NULL;
	char text[HEALTH_TEXT];
	bool well = ready ? health_ready(copy, text)
			  : health_alive(h->health, copy, ns_clock_mono(), text);

	if (p != NULL)
		board_give_back(p);
	return send_text(c, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, text);
}

/* MHD_AccessHandlerCallback; answers at the first call, before a body, if any, is read. */
static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *body, size_t *body_n, void **request)
{
	const struct http *h = ctx;

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (strcmp(url, "/metrics") == 0)
		return send_metrics(h, c);
	if (strcmp(url, "/healthz") == 0)
		return send_health(h, c, false);
	if (strcmp(url, "/readyz") == 0)
		return send_health(h, c, true);
	if (strcmp(url, "/") == 0)
		return send_text(c, MHD_HTTP_OK, index_page);
	return send_text(c, MHD_HTTP_NOT_FOUND, "no such page; / lists those that there are\n");
}

/* Clients that go away are no news to the operator. */
static void log_line(void *ctx, const char *fmt, va_list ap)
{
	char text[256];

	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	NS_LOG(DEBUG, "http: %s", text);
}

/* Signals are control's: the thread starts with all of them blocked. */
static struct MHD_Daemon *start_blocked(const struct metrics_conf *c, struct http *h, int fd)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG,
		0, NULL, NULL, answer, h, MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->connections,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)c->timeout,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY, MHD_OPTION_END);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return d;
}

struct http *http_start(const struct metrics_conf *c, struct board *b, const struct health *health,
	struct ns_err *e)
{
	struct http *h = calloc(1, sizeof(*h));
	int fd;

	if (h == NULL) {
		ns_fail(e, ENOMEM, "no memory");
		return NULL;
	}
	h->board = b;
	h->health = health;
	fd = listen_open(c->listen, h->address, sizeof(h->address), e);
	if (fd < 0) {
		free(h);
		return ns_errno_null(-fd);
	}
	errno = 0;
	h->daemon = start_blocked(c, h, fd);
	if (h->daemon == NULL) {
		int err = errno != 0 ? errno : EIO;

		ns_fail(e, err, "metrics.listen %s: the HTTP server does not start: %s", c->listen,
			strerror(err));
		close(fd);
		free(h);
		return ns_errno_null(err);
	}
	return h;
}

const char *http_address(const struct http *h)
{
	return h->address;
}

void http_stop(struct http *h)
{
	if (h == NULL)
		return;
	MHD_stop_daemon(h->daemon); /* closes the socket, frees all responses */
	free(h);
}
