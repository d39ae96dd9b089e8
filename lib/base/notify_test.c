/* SPDX-License-Identifier: BSD-3-Clause */
/* Real datagram sockets, as systemd opens them: a file and a name in the abstract namespace. */
#include "ns_test.h"

#include <ns_notify.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char name[96];

/* A listener under @p name, which the environment gets too; its descriptor. */
static int listen_as(const char *at)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = strlen(at);
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(to.sun_path, at, n);
	if (at[0] == '@')
		to.sun_path[0] = '\0';
	unlink(at);
	CU_ASSERT_EQUAL_FATAL(
		bind(s, (struct sockaddr *)&to,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (at[0] == '/'))),
		0);
	setenv("NOTIFY_SOCKET", at, 1);
	return s;
}

static const char *heard(int s)
{
	static char text[2048];
	ssize_t n = recv(s, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void say(int s)
{
	char line[2000];

	CU_ASSERT_EQUAL(ns_notify_init(), 0);
	CU_ASSERT_TRUE(ns_notify_wanted());
	CU_ASSERT_EQUAL(ns_notify("READY=1\nSTATUS=%s", "running"), 1);
	CU_ASSERT_STRING_EQUAL(heard(s), "READY=1\nSTATUS=running");
	CU_ASSERT_EQUAL(ns_notify("WATCHDOG=1"), 1);
	CU_ASSERT_EQUAL(ns_notify("STOPPING=1"), 1);
	CU_ASSERT_STRING_EQUAL(heard(s), "WATCHDOG=1");
	CU_ASSERT_STRING_EQUAL(heard(s), "STOPPING=1");
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	CU_ASSERT_EQUAL(ns_notify("STATUS=%s", line), 1);
	CU_ASSERT_EQUAL(strlen(heard(s)), 1023);
	close(s);
}

static void file(void)
{
	snprintf(name, sizeof(name), "/tmp/ns-notify-test.%d", (int)getpid());
	say(listen_as(name));
	/* the listener is gone: said, and nothing else happens */
	CU_ASSERT_EQUAL(ns_notify("WATCHDOG=1"), -ECONNREFUSED);
	unlink(name);
}

static void abstract(void)
{
	snprintf(name, sizeof(name), "@ns-notify-test.%d", (int)getpid());
	say(listen_as(name));
}

/* A listener that does not read must not hold up the main thread. */
static void full(void)
{
	snprintf(name, sizeof(name), "@ns-notify-full.%d", (int)getpid());
	int s = listen_as(name), sent = 0, rc;

	CU_ASSERT_EQUAL(ns_notify_init(), 0);
	while ((rc = ns_notify("WATCHDOG=1")) == 1 && sent < 1000000)
		sent++;
	CU_ASSERT_EQUAL(rc, -EAGAIN);
	CU_ASSERT(sent > 0);
	CU_ASSERT_STRING_EQUAL(heard(s), "WATCHDOG=1");
	CU_ASSERT_EQUAL(ns_notify("WATCHDOG=1"), 1);
	close(s);
}

static void nobody(void)
{
	unsetenv("NOTIFY_SOCKET");
	CU_ASSERT_EQUAL(ns_notify_init(), 0);
	CU_ASSERT_FALSE(ns_notify_wanted());
	CU_ASSERT_EQUAL(ns_notify("READY=1"), 0);
	setenv("WATCHDOG_USEC", "5000000", 1);
	CU_ASSERT_EQUAL(ns_notify_patience(), 0);
}

static void wrong(void)
{
	char text[128];
	const char *const names[] = {"relative", "@", "/", text, "/nowhere/to/be/found"};

	memset(text, '/', sizeof(text) - 1);
	text[109] = '\0';
	for (unsigned i = 0; i < NS_ARRAY_LEN(names); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		CU_ASSERT_EQUAL(ns_notify_init(), i < 4 ? -EINVAL : -ENOENT);
		CU_ASSERT_FALSE(ns_notify_wanted());
		CU_ASSERT_EQUAL(ns_notify("READY=1"), 0);
	}
}

static void patience(void)
{
	char pid[24];

	snprintf(name, sizeof(name), "@ns-notify-test.%d", (int)getpid());
	int s = listen_as(name);

	CU_ASSERT_EQUAL(ns_notify_init(), 0);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	CU_ASSERT_EQUAL(ns_notify_patience(), 0);
	setenv("WATCHDOG_USEC", "5000000", 1);
	CU_ASSERT_EQUAL(ns_notify_patience(), 5 * NS_SEC_NS);
	setenv("WATCHDOG_PID", "1", 1);
	CU_ASSERT_EQUAL(ns_notify_patience(), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	CU_ASSERT_EQUAL(ns_notify_patience(), 5 * NS_SEC_NS);
	setenv("WATCHDOG_USEC", "5s", 1);
	CU_ASSERT_EQUAL(ns_notify_patience(), 0);
	setenv("WATCHDOG_USEC", "-5", 1);
	CU_ASSERT_EQUAL(ns_notify_patience(), 0);
	close(s);
}

NS_TEST_MAIN({"file", file}, {"abstract", abstract}, {"full", full}, {"nobody", nobody},
	{"wrong", wrong}, {"patience", patience})
