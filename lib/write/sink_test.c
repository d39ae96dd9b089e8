/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_sink.h"

#include <ns_test.h>
#include <ns_test_alloc.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/ns-sink-XXXXXX";

static char *in_dir(const char *name)
{
	static char path[64];

	if (strcmp(dir + sizeof(dir) - 7, "XXXXXX") == 0)
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void many_sizes(void)
{
	char *path = in_dir("sizes");
	struct ns_sink *s = ns_sink_open(path, NULL);
	size_t sum = 0;
	struct stat st;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_TRUE(s->regular);
	/* around the size of the buffer and well beyond it */
	for (size_t n = 1; n < 5 * NS_SINK_BUF; n = n * 3 + 1) {
		char *p = ns_sink_room(s, n, NULL);

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		for (size_t i = 0; i < n; i++)
			p[i] = (char)((sum + i) * 7);
		ns_sink_took(s, p + n);
		sum += n;
	}
	CU_ASSERT_EQUAL(ns_sink_close(s, NULL), 0);

	FILE *f = fopen(path, "rb");
	size_t bad = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(fstat(fileno(f), &st), 0);
	CU_ASSERT_EQUAL((size_t)st.st_size, sum);
	for (size_t i = 0; i < sum; i++)
		bad += getc(f) != (uint8_t)(i * 7);
	CU_ASSERT_EQUAL(bad, 0);
	fclose(f);
	unlink(path);
}

static void truncates(void)
{
	char *path = in_dir("old");
	FILE *f = fopen(path, "w");
	struct stat st;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs("what was there", f);
	fclose(f);
	CU_ASSERT_EQUAL(ns_sink_close(ns_sink_open(path, NULL), NULL), 0);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_size, 0);
	unlink(path);
}

static void no_such_place(void)
{
	struct ns_err e = {{0}};

	CU_ASSERT_PTR_NULL(ns_sink_open("/nowhere/at/all.csv", &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_STRING_EQUAL(e.text, "/nowhere/at/all.csv: No such file or directory");
	CU_ASSERT_PTR_NULL(ns_sink_open("/tmp", &e));
	CU_ASSERT_EQUAL(errno, EISDIR);
}

/* A full disk is told with the file's name, at once and again at close, and nothing follows it. */
static void full_disk(void)
{
	struct ns_err e = {{0}};
	struct ns_sink *s = ns_sink_open("/dev/full", &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_FALSE(s->regular);
	ns_sink_took(s, ns_sink_room(s, 10, &e) + 10);
	CU_ASSERT_EQUAL(ns_sink_flush(s, &e), -ENOSPC);
	CU_ASSERT_EQUAL(errno, ENOSPC);
	CU_ASSERT_STRING_EQUAL(e.text, "/dev/full: write: No space left on device");
	e.text[0] = '\0';
	CU_ASSERT_PTR_NULL(ns_sink_room(s, 10, &e));
	CU_ASSERT_EQUAL(errno, ENOSPC);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/dev/full"));
	CU_ASSERT_EQUAL(ns_sink_close(s, &e), -ENOSPC);
	CU_ASSERT_EQUAL(errno, ENOSPC);
}

/* Standard output without a reader: EPIPE and no signal; it stays open at close. */
static void broken_pipe(void)
{
	struct ns_err e = {{0}};
	int saved = dup(STDOUT_FILENO), fd[2];
	sigset_t before, after;

	fflush(NULL);
	CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
	dup2(fd[1], STDOUT_FILENO);
	close(fd[1]);
	close(fd[0]);
	struct ns_sink *s = ns_sink_open("-", &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	ns_sink_took(s, ns_sink_room(s, 10, &e) + 10);
	CU_ASSERT_EQUAL(ns_sink_close(s, &e), -EPIPE);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	CU_ASSERT_EQUAL(sigismember(&before, SIGPIPE), sigismember(&after, SIGPIPE));
	CU_ASSERT_STRING_EQUAL(e.text, "standard output: write: Broken pipe");
	CU_ASSERT(fcntl(STDOUT_FILENO, F_GETFD) >= 0);
	dup2(saved, STDOUT_FILENO);
	close(saved);
}

static void *drain(void *arg)
{
	char buf[1000];
	size_t sum = 0;

	for (ssize_t n; (n = read(*(int *)arg, buf, sizeof(buf))) > 0;)
		sum += (size_t)n;
	return (void *)(uintptr_t)sum;
}

/* A slow reader behind a non-blocking pipe gets every octet. */
static void slow_reader(void)
{
	int saved = dup(STDOUT_FILENO), fd[2], rc = 0;
	const size_t n = 3 * NS_SINK_BUF;
	pthread_t t;
	void *got;

	fflush(NULL);
	CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
	dup2(fd[1], STDOUT_FILENO);
	close(fd[1]);
	fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
	struct ns_sink *s = ns_sink_open("-", NULL);

	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, drain, &fd[0]), 0);
	for (size_t i = 0; i < n / 1024; i++) {
		char *p = ns_sink_room(s, 1024, NULL);

		memset(p, 'x', 1024);
		ns_sink_took(s, p + 1024);
	}
	rc = ns_sink_close(s, NULL);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	pthread_join(t, &got);
	close(fd[0]);
	CU_ASSERT_EQUAL(rc, 0);
	CU_ASSERT_EQUAL((uintptr_t)got, n);
}

static void no_memory(void)
{
	char *path = in_dir("memory");
	unsigned n = 1;

	for (;; n++) {
		struct ns_err e = {{0}};

		ns_test_alloc_fail(n);
		struct ns_sink *s = ns_sink_open(path, &e);
		char *room = s != NULL ? ns_sink_room(s, 2 * NS_SINK_BUF, &e) : NULL;
		int err = errno;
		bool done = ns_test_alloc_done();

		ns_sink_close(s, NULL);
		if (done) {
			CU_ASSERT_PTR_NOT_NULL(room);
			break;
		}
		CU_ASSERT_PTR_NULL(room);
		CU_ASSERT_EQUAL(err, ENOMEM);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
	}
	CU_ASSERT(n > 2);
	unlink(path);
	rmdir(dir);
}

/* What can be seen without opening; neither makes nor cuts the file. */
static void checked(void)
{
	struct ns_err e = {""};
	char *path = in_dir("checked");
	struct stat st;

	CU_ASSERT_EQUAL(ns_sink_check("-", &e), 0);
	CU_ASSERT_EQUAL(ns_sink_check("/dev/null", &e), 0);
	CU_ASSERT_EQUAL(ns_sink_check("only-a-name", &e), 0);
	CU_ASSERT_EQUAL(ns_sink_check(path, &e), 0);
	CU_ASSERT_EQUAL(stat(path, &st), -1);
	CU_ASSERT_EQUAL(ns_sink_check(in_dir("nowhere/x"), &e), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "nowhere/x: folder /tmp/ns-sink-"));
	CU_ASSERT_EQUAL(ns_sink_check("/proc/sys/x", &e) < 0, true);
	CU_ASSERT_EQUAL(ns_sink_check(dir, &e), -EISDIR);
	CU_ASSERT_EQUAL(ns_sink_check("/dev/null/x", &e), -ENOTDIR);
	CU_ASSERT_STRING_EQUAL(e.text, "/dev/null/x: Not a directory");
}

NS_TEST_MAIN({"many sizes", many_sizes}, {"truncates", truncates}, {"checked", checked},
	{"no such place", no_such_place}, {"full disk", full_disk}, {"broken pipe", broken_pipe},
	{"slow reader", slow_reader}, {"no memory", no_memory})
