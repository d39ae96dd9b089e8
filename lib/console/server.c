/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients of the console on control's loop. Nothing here waits for a client:
 *
 *   read ─▶ line whole ─▶ reading stops ─▶ answer ─▶ write ─▶ all written ─▶ next line, or read
 *
 * so a client has at most one answer on its way, which is bounded. One that does not take it within
 * STALL_MS is dropped. An answer that comes bit by bit is asked for its next part every AGAIN_MS;
 * meanwhile reading goes on, so that a client that goes is seen.
 */
#include "answer.h"
#include "console_priv.h"

#include <ns_conf.h>
#include <ns_log.h>
#include <ns_node.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

NS_LOG_TYPE("console");

#define CLIENTS 32
#define AGAIN_MS 20
#define STALL_MS 10000 /* without an octet taken of an answer */

struct client {
	struct client *next;
	struct ns_console *console;
	uv_pipe_t pipe;
	uv_timer_t stall, again;
	unsigned open; /* handles that are not closed yet */
	bool closing, writing, last; /* last: nothing is read after this answer */
	size_t left; /* octets of the answer not taken at the last look */
	pid_t pid; /* who it is; 0: not known */
	uid_t uid;
	uv_write_t write;
	struct answer answer;
	char head[40];
	size_t n; /* octets of the request so far */
	char in[REQUEST_MAX];
};

struct ns_console {
	struct ns_console_args args;
	struct console_socket socket;
	uv_loop_t *loop;
	uv_pipe_t pipe;
	struct client *clients;
	unsigned clients_n;
	bool closing, listening; /* listening: its handle is not closed yet */
};

/* What is left when the last handle has closed. */
static void forget(struct ns_console *c)
{
	if (c->closing && !c->listening && c->clients == NULL)
		free(c);
}

static void on_client_closed(uv_handle_t *h)
{
	struct client *cl = h->data;
	struct ns_console *c = cl->console;

	if (--cl->open > 0)
		return;
	for (struct client **at = &c->clients; *at != NULL; at = &(*at)->next) {
		if (*at == cl) {
			*at = cl->next;
			break;
		}
	}
	c->clients_n--;
	answer_free(&cl->answer);
	free(cl);
	forget(c);
}

static struct ns_engine *engine(const struct client *cl)
{
	const struct ns_console_args *args = &cl->console->args;

	return args->engine != NULL ? args->engine(args->ctx) : NULL;
}

static void drop(struct client *cl)
{
	if (cl->closing)
		return;
	cl->closing = true;
	NS_LOG(INFO, "process %d has left", (int)cl->pid);
	answer_stop(&cl->answer, engine(cl));
	uv_close((uv_handle_t *)&cl->pipe, on_client_closed);
	uv_close((uv_handle_t *)&cl->stall, on_client_closed);
	uv_close((uv_handle_t *)&cl->again, on_client_closed);
}

static void next_request(struct client *cl);
static void wait_for_more(struct client *cl);

static void on_written(uv_write_t *w, int status)
{
	struct client *cl = w->data;

	cl->writing = false;
	uv_timer_stop(&cl->stall);
	answer_free(&cl->answer);
	if (status < 0 || cl->last)
		drop(cl);
	else if (!cl->closing && cl->answer.command != NULL)
		wait_for_more(cl);
	else if (!cl->closing)
		next_request(cl);
}

/* It may be slow as long as it takes something. */
static void on_stall(uv_timer_t *t)
{
	struct client *cl = t->data;
	size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&cl->pipe);

	if (left < cl->left) {
		cl->left = left;
		return;
	}
	NS_LOG(WARNING, "process %d has not taken its answer for %d s: dropped", (int)cl->pid,
		STALL_MS / 1000);
	drop(cl);
}

static void send_answer(struct client *cl)
{
	uv_buf_t bufs[2] = {
		uv_buf_init(cl->head, (unsigned)answer_head(&cl->answer, cl->head)),
		uv_buf_init(cl->answer.body.s, (unsigned)cl->answer.body.n),
	};

	cl->writing = true;
	cl->write.data = cl;
	uv_read_stop((uv_stream_t *)&cl->pipe);
	if (uv_write(&cl->write, (uv_stream_t *)&cl->pipe, bufs, cl->answer.body.n > 0 ? 2 : 1,
		    on_written) < 0) {
		drop(cl);
		return;
	}
	cl->left = uv_stream_get_write_queue_size((uv_stream_t *)&cl->pipe);
	uv_timer_start(&cl->stall, on_stall, STALL_MS, STALL_MS);
}

static void refuse(struct client *cl, const char *text)
{
	cl->answer = (struct answer){.body.most = ANSWER_MAX};
	answer_error(&cl->answer, text);
	cl->last = true;
	send_answer(cl);
}

static void take(struct client *cl, char *line)
{
	size_t n = strlen(line);

	if (n > 0 && line[n - 1] == '\r')
		line[n - 1] = '\0';
	answer_make(&cl->answer, line, engine(cl));
	cl->last = cl->answer.status == ANSWER_BYE;
	if (cl->answer.status == ANSWER_PART && cl->answer.body.n == 0)
		wait_for_more(cl);
	else
		send_answer(cl);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct client *cl = h->data;

	(void)suggested;
	*buf = uv_buf_init(cl->in + cl->n, (unsigned)(sizeof(cl->in) - cl->n));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct client *cl = s->data;

	(void)buf;
	if (n < 0) {
		drop(cl);
		return;
	}
	cl->n += (size_t)n;
	if (n > 0 && cl->answer.command == NULL)
		next_request(cl);
	else if (cl->n == sizeof(cl->in))
		uv_read_stop(s);
}

static void on_again(uv_timer_t *t)
{
	struct client *cl = t->data;

	answer_go_on(&cl->answer, engine(cl));
	if (cl->answer.status == ANSWER_PART && cl->answer.body.n == 0)
		wait_for_more(cl);
	else
		send_answer(cl);
}

static void wait_for_more(struct client *cl)
{
	uv_timer_start(&cl->again, on_again, AGAIN_MS, 0);
	if (cl->n < sizeof(cl->in))
		uv_read_start((uv_stream_t *)&cl->pipe, on_alloc, on_read);
}

/* Answers the next line that is there, or reads on. */
static void next_request(struct client *cl)
{
	char line[REQUEST_MAX];
	const char *end = memchr(cl->in, '\n', cl->n);

	if (cl->writing)
		return;
	if (end == NULL && cl->n == sizeof(cl->in)) {
		refuse(cl, "the request is too long");
		return;
	}
	if (end == NULL) {
		uv_read_start((uv_stream_t *)&cl->pipe, on_alloc, on_read);
		return;
	}
	size_t len = (size_t)(end - cl->in);

	memcpy(line, cl->in, len);
	line[len] = '\0';
	cl->n -= len + 1;
	memmove(cl->in, end + 1, cl->n);
	if (strlen(line) != len)
		refuse(cl, "the request has a zero in it");
	else
		take(cl, line);
}

static void who(struct client *cl)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)&cl->pipe, &fd) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return;
	cl->pid = cred.pid;
	cl->uid = cred.uid;
	NS_LOG(INFO, "process %d of user %u has come", (int)cred.pid, (unsigned)cred.uid);
}

static void on_connection(uv_stream_t *server, int status)
{
	struct ns_console *c = server->data;
	struct client *cl = status == 0 ? calloc(1, sizeof(*cl)) : NULL;

	if (cl == NULL)
		return;
	cl->console = c;
	uv_pipe_init(c->loop, &cl->pipe, 0);
	uv_timer_init(c->loop, &cl->stall);
	uv_timer_init(c->loop, &cl->again);
	cl->pipe.data = cl->stall.data = cl->again.data = cl;
	cl->open = 3;
	cl->next = c->clients;
	c->clients = cl;
	c->clients_n++;
	if (uv_accept(server, (uv_stream_t *)&cl->pipe) < 0) {
		drop(cl);
		return;
	}
	who(cl);
	if (c->clients_n > CLIENTS) {
		NS_LOG(WARNING, "process %d refused: there are %d clients", (int)cl->pid, CLIENTS);
		refuse(cl, "there are too many consoles");
		return;
	}
	/* the greeting: what speaks here */
	cl->answer = (struct answer){.body.most = ANSWER_MAX};
	buf_printf(&cl->answer.body, "netspectra-console 1 %s %s %d\n", ns_node()->name, NS_VERSION,
		(int)getpid());
	send_answer(cl);
}

static int listen_here(struct ns_console *c, const char *path, const struct ns_console_conf *conf,
	struct ns_err *e)
{
	int rc = console_socket_bind(&c->socket, path, conf, e);

	if (rc < 0)
		return rc;
	uv_pipe_init(c->loop, &c->pipe, 0); /* can't fail */
	c->pipe.data = c;
	c->listening = true;
	rc = uv_pipe_open(&c->pipe, c->socket.fd);
	if (rc < 0)
		close(c->socket.fd);
	else
		rc = uv_listen((uv_stream_t *)&c->pipe, 16, on_connection);
	if (rc < 0) {
		console_socket_remove(&c->socket);
		return ns_fail(e, -rc, "console at %s: %s", path, uv_strerror(rc));
	}
	NS_LOG(INFO, "listens at %s", path);
	return 0;
}

static struct ns_console *open_at(uv_loop_t *loop, const struct ns_console_args *args,
	const char *path, const struct ns_console_conf *conf, struct ns_err *e)
{
	struct ns_console *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		ns_fail(e, ENOMEM, "no memory for the console");
		return NULL;
	}
	c->args = *args;
	c->loop = loop;
	int rc = listen_here(c, path, conf, e);

	if (rc < 0) {
		if (c->listening)
			ns_console_close(c);
		else
			free(c);
		return ns_errno_null(-rc);
	}
	return c;
}

struct ns_console *ns_console_open(
	uv_loop_t *loop, const struct ns_console_args *args, struct ns_err *e)
{
	const struct ns_console_conf *conf = ns_conf_get(args->conf, "console");
	char path[108];

	if (!conf->enabled)
		return ns_errno_null(0);
	if (conf->path != NULL)
		return open_at(loop, args, conf->path, conf, e);
	if (console_default_path(path, e) == 0) {
		struct ns_console *c = open_at(loop, args, path, conf, e);

		if (c != NULL)
			return c;
	}
	/* nobody has asked for it by name: an engine beside another is no fault */
	NS_LOG(WARNING, "no console (console.path gives it another place): %s", e->text);
	return ns_errno_null(0);
}

const char *ns_console_path(const struct ns_console *c)
{
	return c->socket.path;
}

static void on_closed(uv_handle_t *h)
{
	struct ns_console *c = h->data;

	c->listening = false;
	forget(c);
}

void ns_console_close(struct ns_console *c)
{
	if (c == NULL)
		return;
	c->closing = true;
	console_socket_remove(&c->socket);
	for (struct client *cl = c->clients; cl != NULL; cl = cl->next)
		drop(cl);
	uv_close((uv_handle_t *)&c->pipe, on_closed);
}
