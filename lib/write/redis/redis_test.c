/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer against sockets that are no Redis: nobody listens, nobody answers, nonsense comes.
 * With a real Redis it is test/live/redis_test.py.
 */
#include "redis_priv.h"
#include "redis_test_util.h"

#include <ns_log.h>
#include <ns_registry.h>
#include <ns_test_alloc.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/ns-redis-XXXXXX";
static char target[128];

static const struct ns_writer_ops *ops_of(const char *name)
{
	ns_log_set_level(NS_LOG_ERR);
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	CU_ASSERT_EQUAL_FATAL(ns_node_init("n1", NULL), 0);
	const struct ns_plugin *p = ns_plugin_find(NS_WRITER_KIND, name);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	if (strcmp(dir + sizeof(dir) - 7, "XXXXXX") == 0)
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(target, sizeof(target), "unix:%s/sock", dir);
	return p->ops;
}

static struct ns_writer *start(const struct ns_writer_ops *ops, struct ns_err *e)
{
	return ops->open(
		&(struct ns_writer_args){.target = target, .live = true, .epoch_ms = 100}, e);
}

static void refused(void)
{
	struct ns_writer_args args = {.target = "127.0.0.1:1", .live = false, .epoch_ms = 1000};
	const struct ns_writer_ops *ops = ops_of("redis");
	struct ns_err e;

	CU_ASSERT_PTR_NULL(ops->open(&args, &e));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "live engine"));
	args.live = true;
	args.target = "//user:secret@host:1";
	CU_ASSERT_PTR_NULL(ops->open(&args, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "HOST:PORT"));
	CU_ASSERT_PTR_NULL(strstr(e.text, "secret"));
	CU_ASSERT_EQUAL(ns_writer_check("redis:localhost:0", &e), -EINVAL);
	CU_ASSERT_EQUAL(ns_writer_check("redis:localhost:1", &e), 0);
}

/* The longest of the calls that put an epoch, ns. */
static uint64_t put_epoch(const struct ns_writer_ops *ops, struct ns_writer *w, uint64_t number)
{
	struct ns_epoch_rec r = redis_test_epoch(number);
	struct ns_batch b = redis_test_batch(&ns_epoch_rec_kind, &r, 1);
	uint64_t start = ns_clock_mono();

	CU_ASSERT_EQUAL(ops->put(w, &b, NULL), 0);
	return ns_clock_mono() - start;
}

/* Epochs and idle calls for @p ms; the longest put. */
static uint64_t live(const struct ns_writer_ops *ops, struct ns_writer *w, unsigned ms)
{
	static uint64_t number;
	uint64_t longest = 0;

	for (unsigned i = 0; i < ms / 10; i++) {
		uint64_t took = i % 5 == 0 ? put_epoch(ops, w, number++) : 0;

		longest = NS_MAX(longest, took);
		ops->idle(w);
		usleep(10000);
	}
	return longest;
}

static void nobody(void)
{
	const struct ns_writer_ops *ops = ops_of("redis");
	struct ns_writer *w = start(ops, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	const struct ns_writer_stats *st = ops->stats(w);

	CU_ASSERT_EQUAL(st->down, 0);
	CU_ASSERT(live(ops, w, 300) < 50 * UINT64_C(1000000));
	CU_ASSERT_EQUAL(st->down, 1);
	CU_ASSERT_STRING_EQUAL(st->message, "can not connect: No such file or directory");
	/* each epoch but the newest is lost */
	CU_ASSERT_EQUAL(st->lost, 5);
	CU_ASSERT_EQUAL(st->octets + st->reconnects, 0);
	uint64_t start_ns = ns_clock_mono();

	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	/* who is known to be away is not waited for */
	CU_ASSERT(ns_clock_mono() - start_ns < NS_SEC_NS / 2);
}

static int listener(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/sock", dir);
	CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 64), 0);
	return fd;
}

static void unlisten(int fd)
{
	close(fd);
	unlink(strchr(target, '/'));
}

/* The kernel takes the connection, and nothing comes: as with a process that was stopped. */
static void no_answer(void)
{
	const struct ns_writer_ops *ops = ops_of("redis");
	int fd = listener();
	struct ns_writer *w = start(ops, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT(live(ops, w, 1300) < 50 * UINT64_C(1000000));
	CU_ASSERT_EQUAL(ops->stats(w)->down, 1);
	CU_ASSERT_STRING_EQUAL(ops->stats(w)->message, "no answer within 1000 ms");
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	unlisten(fd);
}

/* Answers each connection with these octets, then closes it; what the writer makes of it. */
static void answer_is(const char *answer, const char *message)
{
	const struct ns_writer_ops *ops = ops_of("redis");
	int fd = listener();
	struct ns_writer *w = start(ops, NULL);
	char buf[512];

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	put_epoch(ops, w, 0);
	int peer = accept(fd, NULL, NULL);

	CU_ASSERT_FATAL(peer >= 0 && recv(peer, buf, sizeof(buf), 0) > 0);
	CU_ASSERT_EQUAL(strncmp(buf, "*1\r\n$4\r\nPING\r\n", 14), 0);
	CU_ASSERT_EQUAL(send(peer, answer, strlen(answer), MSG_NOSIGNAL), (ssize_t)strlen(answer));
	close(peer);
	for (int i = 0; i < 50 && ops->stats(w)->down == 0; i++) {
		ops->idle(w);
		usleep(1000);
	}
	CU_ASSERT_STRING_EQUAL(ops->stats(w)->message, message);
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	unlisten(fd);
}

static void answers(void)
{
	answer_is("", "closed the connection");
	answer_is("HTTP/1.1 400 Bad Request\r\n\r\n",
		"does not speak as Redis does: Protocol error, got \"H\" as reply type byte");
	answer_is("-NOAUTH Authentication required.\r\n",
		"wants a password: give redis.password_file (NOAUTH)");
	answer_is("-LOADING Redis is loading the dataset in memory\r\n",
		"refused: LOADING Redis is loading the dataset in memory");
	/* who may not say PING may write; then the connection ends */
	answer_is("-NOPERM this user has no permissions to run the 'ping' command\r\n",
		"closed the connection");
	answer_is("+PONG\r\n+OK\r\n", "an answer to nothing");
}

static void no_memory(void)
{
	const struct ns_writer_ops *ops = ops_of("redis");
	unsigned n = 1;

	for (;; n++) {
		struct ns_err e = {""};

		ns_test_alloc_fail(n);
		struct ns_writer *w = start(ops, &e);
		int err = errno;

		if (ns_test_alloc_done()) {
			CU_ASSERT_PTR_NOT_NULL_FATAL(w);
			ops->close(w, NULL);
			break;
		}
		CU_ASSERT_PTR_NULL(w);
		CU_ASSERT_EQUAL(err, ENOMEM);
		CU_ASSERT_STRING_EQUAL(e.text, "redis: no memory");
	}
	CU_ASSERT(n > 5);
}

static void last(void)
{
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

NS_TEST_MAIN({"refused", refused}, {"nobody listens", nobody}, {"no answer", no_answer},
	{"answers that are none", answers}, {"no memory", no_memory}, {"nothing is left", last})
