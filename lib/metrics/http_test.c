/* SPDX-License-Identifier: BSD-3-Clause */
/* The real server on a port of its own, asked through sockets. */
#include "metrics_priv.h"
#include "metrics_test_state.h"

#include <ns_test.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE_LARGE (8u << 20) /* more than sockets buffer */

static struct board board;
static struct health health = {.epoch_ns = NS_SEC_NS};
static const struct metrics_conf conf = {
	.listen = (char *)"127.0.0.1:0", .connections = 4, .timeout = 5};
static struct http *http;

static void copy_free(void *thing)
{
	struct copy *c = thing;

	free(c->page);
	free(c);
}

/* Also called by a thread beside CUnit's, so it asserts nothing. */
static bool try_publish(char first, size_t len, unsigned writers)
{
	struct copy *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->st = test_state;
	c->st.writers_n = writers;
	c->page = malloc(len);
	if (c->page == NULL)
		abort();
	memset(c->page, first, len);
	c->page_len = len;
	c->mono_ns = ns_clock_mono();
	return board_publish(&board, c) == 0;
}

static void publish(char first, size_t len, unsigned writers)
{
	CU_ASSERT_TRUE(try_publish(first, len, writers));
}

static void begin(void)
{
	struct ns_err e = {""};

	board_init(&board, copy_free);
	health.started_ns = ns_clock_mono();
	http = http_start(&conf, &board, &health, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(http);
}

static void end(void)
{
	http_stop(http);
	board_clear(&board);
}

static int dial(void)
{
	struct sockaddr_storage sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(listen_parse(http_address(http), &sa, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, sizeof(struct sockaddr_in)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All that comes until the server closes. */
static const char *hear(int fd)
{
	static char text[4096];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(text) - 1 && (got = recv(fd, text + n, sizeof(text) - 1 - n, 0)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
	return text;
}

static const char *ask(const char *request)
{
	int fd = dial();

	say(fd, request);
	return hear(fd);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void pages(void)
{
	const char *text;

	begin();
	CU_ASSERT_TRUE(begins(ask(GET("/metrics")), "HTTP/1.1 503 "));
	CU_ASSERT_TRUE(begins(ask(GET("/healthz")), "HTTP/1.1 200 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(ask(GET("/readyz")), "the first epoch is not complete"));
	publish('p', 10, 1);
	text = ask(GET("/metrics"));
	CU_ASSERT_TRUE(begins(text, "HTTP/1.1 200 "));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\n\r\npppppppppp"));
	CU_ASSERT_TRUE(begins(ask(GET("/readyz")), "HTTP/1.1 200 "));
	publish('q', 10, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(ask(GET("/metrics")), "\r\n\r\nqqqqqqqqqq"));
	text = ask(GET("/readyz"));
	CU_ASSERT_TRUE(begins(text, "HTTP/1.1 503 "));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "writer csv#2 (/mnt/x) is down: No space left on device\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(ask(GET("/")), "/healthz"));
	end();
}

static void refused(void)
{
	const char *text;

	begin();
	CU_ASSERT_TRUE(begins(ask(GET("/metrics/x")), "HTTP/1.1 404 "));
	CU_ASSERT_TRUE(begins(ask(GET("/../etc/passwd")), "HTTP/1.1 404 "));
	text = ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
	CU_ASSERT_TRUE(begins(text, "HTTP/1.1 405 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Allow: GET, HEAD\r\n"));
	publish('p', 10, 1);
	text = ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	CU_ASSERT_TRUE(begins(text, "HTTP/1.1 200 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Content-Length: 10\r\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "pp"));
	/* no HTTP at all: an error or an end, not an answer */
	text = ask("\x16\x03\x01\r\n\r\n");
	CU_ASSERT_PTR_NULL(strstr(text, " 200 "));
	end();
}

/* A client that has asked for a large page and reads nothing keeps that page; others get newer. */
static void slow_client(void)
{
	char some[65536];
	size_t n = 0, wrong = 0;
	ssize_t got;

	begin();
	publish('1', PAGE_LARGE, 1);
	int slow = dial();

	say(slow, GET("/metrics"));
	CU_ASSERT_TRUE(recv(slow, some, 1, MSG_PEEK) == 1); /* it has begun to send */
	for (unsigned i = 0; i < 3 * BOARD_PLACES; i++)
		publish('2', 100, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(ask(GET("/metrics")), "\r\n\r\n2222"));
	while ((got = recv(slow, some, sizeof(some), 0)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			wrong += some[i] == '2' && n > 1000;
		n += (size_t)got;
	}
	close(slow);
	CU_ASSERT_TRUE(n > PAGE_LARGE);
	CU_ASSERT_EQUAL(wrong, 0);
	end();
}

/* With a client in the middle of a page the server stops at once, and nothing is left. */
static void stops_under_a_client(void)
{
	char c;

	begin();
	publish('1', PAGE_LARGE, 1);
	int slow = dial();

	say(slow, GET("/metrics"));
	CU_ASSERT_TRUE(recv(slow, &c, 1, MSG_PEEK) == 1);
	end();
	close(slow);
}

/* More than may be at once wait until one goes. */
static void too_many(void)
{
	int idle[4];

	begin();
	publish('p', 10, 1);
	for (unsigned i = 0; i < 4; i++)
		idle[i] = dial();
	int fifth = dial();
	struct pollfd p = {.fd = fifth, .events = POLLIN};

	say(fifth, GET("/metrics"));
	CU_ASSERT_EQUAL(poll(&p, 1, 200), 0);
	close(idle[2]);
	CU_ASSERT_TRUE(begins(hear(fifth), "HTTP/1.1 200 "));
	close(idle[0]);
	close(idle[1]);
	close(idle[3]);
	end();
}

static bool stop; /* atomic */

static void *keep_publishing(void *arg)
{
	for (char c = 'a'; !__atomic_load_n(&stop, __ATOMIC_RELAXED); c = c == 'z' ? 'a' : c + 1)
		if (!try_publish(c, 3000, 1))
			abort();
	return NULL;
}

static void pages_are_whole(void)
{
	pthread_t publisher;
	unsigned asked = 0;

	begin();
	publish('a', 3000, 1);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&publisher, NULL, keep_publishing, NULL), 0);
	for (unsigned i = 0; i < 200; i++) {
		const char *body = strstr(ask(GET("/metrics")), "\r\n\r\n");
		size_t n = 4;

		CU_ASSERT_PTR_NOT_NULL_FATAL(body);
		while (body[n] != '\0' && body[n] == body[4])
			n++;
		CU_ASSERT_EQUAL(n, 3004);
		asked++;
	}
	CU_ASSERT_EQUAL(asked, 200);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(publisher, NULL);
	end();
}

static void taken_port(void)
{
	struct metrics_conf other = conf;
	struct ns_err e = {""};
	char where[64];

	begin();
	snprintf(where, sizeof(where), "%s", http_address(http));
	other.listen = where;
	CU_ASSERT_PTR_NULL(http_start(&other, &board, &health, &e));
	CU_ASSERT_EQUAL(errno, EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, where));
	end();
}

NS_TEST_MAIN({"pages", pages}, {"refused", refused}, {"slow client", slow_client},
	{"stops under a client", stops_under_a_client}, {"too many clients", too_many},
	{"pages are whole", pages_are_whole}, {"port is taken", taken_port})
