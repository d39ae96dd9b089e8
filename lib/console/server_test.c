/* SPDX-License-Identifier: BSD-3-Clause */
/* The server on a real loop and a real socket; clients are this thread's own, between its rounds.
 */
#include "answer.h"
#include "console_priv.h"

#include <ns_conf.h>
#include <ns_test.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static uv_loop_t loop;
static char folder[] = "/tmp/ns-console-test-XXXXXX";
static char path[64];

static int many(struct ns_command_call *c, struct ns_err *e)
{
	(void)e;
	for (int i = 0; i < 40000; i++)
		ns_command_text(c, "line %d of an answer that no socket takes at once", i);
	return 0;
}

static int fails(struct ns_command_call *c, struct ns_err *e)
{
	ns_command_text(c, "half an answer");
	return ns_fail(e, EINVAL, "\"%s\" is wrong", c->argc > 0 ? c->argv[0] : "");
}

static void offers(struct ns_command_call *c)
{
	static const char *const words[] = {"alpha", "alpine", "beta"};

	for (unsigned i = 0; c->argc == 1 && i < NS_ARRAY_LEN(words); i++)
		ns_command_text(c, "%s", words[i]);
}

static unsigned slow_left, slow_ended;

/* Answers with a line at every second call. */
static int slow(struct ns_command_call *c, struct ns_err *e)
{
	if (c->state == NULL && c->argc == 1 && strcmp(c->argv[0], "fails") == 0)
		slow_left = 100;
	else if (c->state == NULL)
		slow_left = 6;
	else
		CU_ASSERT_EQUAL(c->argc, 0);
	if (c->state != NULL && slow_left == 99)
		return ns_fail(e, EIO, "half way");
	c->state = &slow_left;
	if (slow_left % 2 == 0)
		ns_command_text(c, "%u left, %u columns, %d", slow_left, c->columns, c->exact);
	return --slow_left > 0 ? NS_COMMAND_MORE : 0;
}

static void slow_end(struct ns_command_call *c)
{
	CU_ASSERT_PTR_EQUAL(c->state, &slow_left);
	slow_ended++;
}

static struct ns_command test_slow = {.name = "test slow",
	.help = "",
	.args = "[fails]",
	.changes = true,
	.run = slow,
	.end = slow_end};
NS_COMMAND_REGISTER(test_slow)
static struct ns_command test_many = {.name = "test many", .help = "", .run = many};
static struct ns_command test_fails = {.name = "test fails",
	.help = "",
	.args = "WORD",
	.changes = true,
	.run = fails,
	.complete = offers};
NS_COMMAND_REGISTER(test_many)
NS_COMMAND_REGISTER(test_fails)

static struct ns_conf *configuration(const char *more)
{
	char yaml[256];
	struct ns_err e;
	struct ns_conf *c;

	snprintf(yaml, sizeof(yaml), "console: {path: %s%s}", path, more);
	c = ns_conf_parse(yaml, strlen(yaml), "test", NULL, 0, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

static int client(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(a.sun_path, path);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* Lets the loop run and reads until @p n octets have come, or the end, or nothing more does. */
static size_t take(int fd, char *to, size_t n)
{
	size_t got = 0;

	for (int idle = 0; got < n && idle < 50;) {
		uv_run(&loop, UV_RUN_NOWAIT);
		ssize_t r = read(fd, to + got, n - got);

		if (r == 0)
			break;
		if (r < 0) {
			idle++;
			usleep(1000);
			continue;
		}
		idle = 0;
		got += (size_t)r;
	}
	to[got] = '\0';
	return got;
}

/* One answer: "ok: body". */
static const char *answer(int fd)
{
	static char text[8192];
	char head[64], status[16];
	size_t n = 0, len;

	while (n < sizeof(head) - 1 && take(fd, head + n, 1) == 1 && head[n] != '\n')
		n++;
	if (sscanf(head, "%15s %zu", status, &len) != 2 || len > sizeof(text) - 32)
		return "no answer";
	n = (size_t)snprintf(text, sizeof(text), "%s: ", status);
	take(fd, text + n, len);
	return text;
}

static const char *ask(int fd, const char *request)
{
	if (write(fd, request, strlen(request)) < 0)
		return "not sent";
	return answer(fd);
}

static void is(const char *got, const char *want)
{
	CU_ASSERT_STRING_EQUAL(got, want);
	if (strcmp(got, want) != 0)
		fprintf(stderr, "got  %s\nwant %s\n", got, want);
}

static struct ns_console *open_console(const struct ns_conf *conf, struct ns_err *e)
{
	struct ns_console_args args = {.conf = conf};

	return ns_console_open(&loop, &args, e);
}

static void end(struct ns_console *c, struct ns_conf *conf)
{
	ns_console_close(c);
	uv_run(&loop, UV_RUN_DEFAULT);
	CU_ASSERT_FALSE(uv_loop_alive(&loop));
	ns_conf_destroy(conf);
}

static void start(void)
{
	struct ns_err e;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/sock", folder);
	CU_ASSERT_EQUAL_FATAL(ns_command_seal(&e), 0);
	CU_ASSERT_EQUAL_FATAL(uv_loop_init(&loop), 0);
}

static void answers(void)
{
	struct ns_conf *conf = configuration("");
	struct ns_err e;
	struct ns_console *c = open_console(conf, &e);
	struct stat st;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	is(ns_console_path(c), path);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	int a = client(), b = client();

	CU_ASSERT_EQUAL(strncmp(answer(a), "ok: netspectra-console 1 ", 25), 0);
	CU_ASSERT_EQUAL(strncmp(answer(b), "ok: netspectra-console 1 ", 25), 0);
	is(ask(a, "\ttest fails x\n"), "error: \"x\" is wrong\n");
	is(ask(b, "format=words\ttest fails al\n"), "ok: alpha\nalpine\n");
	is(ask(b, "format=words\tte\n"), "ok: test\n");
	is(ask(b, "format=words\ttest \n"), "ok: fails\nmany\nslow\n");
	is(ask(b, "format=words\twat\n"), "ok: watch\n");
	is(ask(b, "format=words\tshow con\n"), "ok: config\n");
	is(ask(b, "format=words\thelp show con\n"), "ok: config\n");
	is(ask(a, "repeat=1\ttest fails\n"),
		"error: \"test fails\" does something: it is not repeated by itself\n");
	is(ask(a, "\ttest many 1\n"),
		"error: \"test many\" takes no argument, so \"1\" is one too many\n");
	is(ask(a, "test\n"), "error: a request is OPTIONS, a tabulator, and a command\n");
	is(ask(a, "\t\r\n"), "ok: ");
	is(ask(a, "\tshow config\n"), "error: no engine runs\n");
	is(ask(a, "format=json\thelp quit\n"),
		"ok: {\"kind\":\"text\",\"text\":\"quit\"}\n"
		"{\"kind\":\"text\",\"text\":\"    leave the console; with ns-engine -i, end the engine "
		"too\"}\n"
		"{\"kind\":\"text\",\"text\":\"    It does something: \\\"watch\\\" does not repeat "
		"it.\"}\n");
	/* two at once */
	is(ask(a, "\ttest fails 1\n\ttest fails 2\n"), "error: \"1\" is wrong\n");
	is(answer(a), "error: \"2\" is wrong\n");
	is(ask(a, "\tquit\n"), "bye: ");
	CU_ASSERT_EQUAL(read(a, e.text, 1), 0);
	close(a);
	close(b);
	end(c, conf);
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
}

static void bounds(void)
{
	struct ns_conf *conf = configuration(", mode: \"0660\"");
	struct ns_err e;
	struct ns_console *c = open_console(conf, &e);
	static char big[8 << 20];
	struct stat st;
	int fd, more[40];

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0660);
	fd = client();
	answer(fd);
	memset(big, 'x', REQUEST_MAX + 10);
	big[REQUEST_MAX + 10] = '\0';
	is(ask(fd, big), "error: the request is too long\n");
	CU_ASSERT_EQUAL(take(fd, big, 1), 0);
	close(fd);

	/* an answer that nobody reads keeps nobody from theirs, and comes whole in the end */
	fd = client();
	answer(fd);
	CU_ASSERT_EQUAL(write(fd, "\ttest many\n\ttest fails z\n", 25), 25);
	for (int i = 0; i < 20; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	int other = client();

	answer(other);
	is(ask(other, "\ttest fails y\n"), "error: \"y\" is wrong\n");
	close(other);
	size_t n = take(fd, big, sizeof(big) - 1), len;

	CU_ASSERT_EQUAL(sscanf(big, "ok %zu", &len), 1);
	CU_ASSERT_TRUE(len > 2000000 && len <= ANSWER_MAX + 1024);
	CU_ASSERT_TRUE(n > len);
	CU_ASSERT_PTR_NOT_NULL(strstr(big, "line 39999 of"));
	is(big + n - strlen("\"z\" is wrong\n"), "\"z\" is wrong\n");
	close(fd);

	for (unsigned i = 0; i < NS_ARRAY_LEN(more); i++) {
		more[i] = client();
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	is(answer(more[39]), "error: there are too many consoles\n");
	is(ask(more[0], "\ttest fails y\n") != NULL ? answer(more[0]) : "",
		"error: \"y\" is wrong\n");
	for (unsigned i = 0; i < NS_ARRAY_LEN(more); i++)
		close(more[i]);
	end(c, conf);
}

/* Answers that come in parts; meanwhile others are served, and who goes is seen. */
static void in_parts(void)
{
	struct ns_conf *conf = configuration("");
	struct ns_err e;
	struct ns_console *c = open_console(conf, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	int a = client(), b = client();
	char big[REQUEST_MAX];

	answer(a);
	answer(b);
	is(ask(a, "columns=70\ttest slow\n\ttest fails 1\n"), "part: 6 left, 70 columns, 0\n");
	is(ask(b, "\ttest fails y\n"), "error: \"y\" is wrong\n");
	is(answer(a), "part: 4 left, 70 columns, 0\n");
	is(answer(a), "part: 2 left, 70 columns, 0\n");
	is(answer(a), "ok: ");
	/* what was sent meanwhile */
	is(answer(a), "error: \"1\" is wrong\n");
	is(ask(a, "format=json\ttest slow fails\n"),
		"part: {\"kind\":\"text\",\"text\":\"100 left, 0 columns, 1\"}\n");
	is(answer(a), "error: half way\n");
	is(ask(a, "repeat=1\ttest slow\n"),
		"error: \"test slow\" does something: it is not repeated by itself\n");
	CU_ASSERT_EQUAL(slow_ended, 0);
	is(ask(a, "\ttest slow\n"), "part: 6 left, 0 columns, 0\n");
	close(a);
	for (int i = 0; i < 500 && slow_ended == 0; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	CU_ASSERT_EQUAL(slow_ended, 1);
	/* and when the console closes; one that is full of requests too */
	is(ask(b, "\ttest slow\n"), "part: 6 left, 0 columns, 0\n");
	memset(big, 'x', sizeof(big));
	CU_ASSERT_EQUAL(write(b, big, sizeof(big)), sizeof(big));
	is(answer(b), "part: 4 left, 0 columns, 0\n");
	end(c, conf);
	CU_ASSERT_EQUAL(slow_ended, 2);
	close(b);
}

static void takes_over(void)
{
	struct ns_conf *conf = configuration("");
	struct ns_err e;
	struct ns_console *c = open_console(conf, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_PTR_NULL(open_console(conf, &e));
	CU_ASSERT_EQUAL(errno, EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "is the console of another engine"));
	ns_console_close(c);
	uv_run(&loop, UV_RUN_DEFAULT);

	/* one that died left its file */
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int dead = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, path);
	CU_ASSERT_EQUAL(bind(dead, (struct sockaddr *)&a, sizeof(a)), 0);
	close(dead);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	c = open_console(conf, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	/* what another has put in its place is left alone */
	unlink(path);
	FILE *f = fopen(path, "w");

	fclose(f);
	ns_console_close(c);
	uv_run(&loop, UV_RUN_DEFAULT);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	CU_ASSERT_PTR_NULL(open_console(conf, &e));
	CU_ASSERT_EQUAL(errno, EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "is no socket"));
	unlink(path);
	ns_conf_destroy(conf);

	conf = configuration(", enabled: false");
	errno = 1;
	CU_ASSERT_PTR_NULL(open_console(conf, &e));
	CU_ASSERT_EQUAL(errno, 0);
	ns_conf_destroy(conf);
}

static void stop(void)
{
	CU_ASSERT_EQUAL(uv_loop_close(&loop), 0);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

NS_TEST_MAIN({"start", start}, {"answers", answers}, {"bounds", bounds}, {"in parts", in_parts},
	{"takes over", takes_over}, {"stop", stop})
