/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One program at a time is run and listened to. All that happens comes through two descriptors:
 *
 *	signalfd      SIGCHLD: it ended; others are handed on to it
 *	notify        its datagrams (sd_notify(3)); those of any other process are not heard
 */
#include "dog.h"

#include <ns_log.h>

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

NS_LOG_TYPE("watchdog");

struct watch {
	const struct dog *d;
	struct policy policy;
	int signals, notify;
	char name[120]; /* of the socket, as NOTIFY_SOCKET has it */
	sigset_t before;
	int stop; /* signal that asked for the end, or 0 */
	/* of the run */
	pid_t pid; /* 0: none runs */
	struct run_end end;
	bool hangup; /* SIGHUP came before it was ready */
	uint64_t silence_ns; /* allowed; the program may change it */
	uint64_t heard_ns; /* last heartbeat */
	uint64_t ready_ns;
	uint64_t due_ns; /* when patience ends; 0: it has ended */
	char status[160];
};

static double s(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void kill_it(struct watch *w, const char *why, uint64_t after)
{
	NS_LOG(ERR, "process %d %s for %.1f s: killed%s%s", (int)w->pid, why, s(after),
		w->status[0] != '\0' ? "; its last words: " : "", w->status);
	w->end.killed = true;
	kill(w->pid, SIGKILL);
}

static void set_due(struct watch *w, uint64_t now)
{
	if (w->end.asked)
		w->due_ns = now + w->d->stop_ns;
	else if (w->end.ready)
		w->due_ns = w->heard_ns + w->silence_ns;
}

static void check_due(struct watch *w, uint64_t now)
{
	if (w->pid == 0 || w->end.killed || now < w->due_ns)
		return;
	if (w->end.asked)
		kill_it(w, "has been asked to end", w->d->stop_ns);
	else if (w->end.ready)
		kill_it(w, "has been silent", now - w->heard_ns);
	else
		kill_it(w, "has not become ready", w->d->start_ns);
}

static void ready(struct watch *w, uint64_t now)
{
	if (w->end.ready)
		return;
	w->end.ready = true;
	w->ready_ns = w->heard_ns = now;
	NS_LOG(NOTICE, "process %d is ready", (int)w->pid);
	if (w->hangup)
		kill(w->pid, SIGHUP);
	w->hangup = false;
}

static void hear_line(struct watch *w, const char *line, uint64_t now)
{
	bool asked = w->end.asked;

	if (strcmp(line, "READY=1") == 0) {
		ready(w, now);
	} else if (strcmp(line, "WATCHDOG=1") == 0) {
		w->heard_ns = now;
	} else if (strcmp(line, "STOPPING=1") == 0) {
		w->end.asked = true;
	} else if (strncmp(line, "STATUS=", 7) == 0) {
		snprintf(w->status, sizeof(w->status), "%s", line + 7);
	} else if (strncmp(line, "WATCHDOG_USEC=", 14) == 0) {
		unsigned long long us = strtoull(line + 14, NULL, 10);

		if (us > 0 && us < UINT64_MAX / 2000)
			w->silence_ns = us * 1000;
	}
	if (!w->end.asked || !asked)
		set_due(w, now);
}

static void hear(struct watch *w, uint64_t now)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char text[2048], *save, *line;
	struct iovec v = {text, sizeof(text) - 1};
	struct msghdr m = {.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n;

	while ((n = recvmsg(w->notify, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) >= 0) {
		const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		struct ucred who = {0};

		if (c != NULL && c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(c), sizeof(who));
		m.msg_controllen = sizeof(control);
		text[n] = '\0';
		/* anybody in the network namespace can send to the socket */
		if (w->pid == 0 || who.pid != w->pid)
			continue;
		for (line = strtok_r(text, "\n", &save); line != NULL;
			line = strtok_r(NULL, "\n", &save))
			hear_line(w, line, now);
	}
}

static void reap(struct watch *w, uint64_t now)
{
	int status;

	if (w->pid == 0 || waitpid(w->pid, &status, WNOHANG) != w->pid)
		return;
	hear(w, now); /* what it said last */
	w->end.status = status;
	w->end.ready_ns = w->end.ready ? now - w->ready_ns : 0;
	if (WIFSIGNALED(status))
		NS_LOG(NOTICE, "process %d was ended by signal %d (%s)", (int)w->pid,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		NS_LOG(NOTICE, "process %d has ended with status %d", (int)w->pid,
			WEXITSTATUS(status));
	w->pid = 0;
}

static void hand_on(struct watch *w, int sig, uint64_t now)
{
	if (sig == SIGHUP) {
		if (w->end.ready && w->pid != 0)
			kill(w->pid, SIGHUP);
		else
			w->hangup = true;
		return;
	}
	w->stop = sig;
	if (w->pid == 0)
		return;
	kill(w->pid, sig);
	if (!w->end.asked) {
		w->end.asked = true;
		set_due(w, now);
	}
}

/* Waits for whatever comes first, at most until @p until. */
static void wait_for(struct watch *w, uint64_t until)
{
	struct pollfd p[] = {
		{.fd = w->notify, .events = POLLIN}, {.fd = w->signals, .events = POLLIN}};
	struct signalfd_siginfo si;
	uint64_t now = ns_clock_mono();
	uint64_t ms = until > now ? (until - now) / 1000000 + 1 : 0;

	poll(p, NS_ARRAY_LEN(p), (int)NS_MIN(ms, UINT64_C(3600000)));
	now = ns_clock_mono();
	hear(w, now);
	while (read(w->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo != SIGCHLD)
			hand_on(w, (int)si.ssi_signo, now);
	}
	reap(w, now);
	check_due(w, now);
}

/* In the child: never returns. */
static _Noreturn void become(const struct watch *w, pid_t parent)
{
	char text[32];

	/* the program must not outlive who watches it */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	sigprocmask(SIG_SETMASK, &w->before, NULL);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(w->d->silence_ns / 1000));
	setenv("WATCHDOG_USEC", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("WATCHDOG_PID", text, 1);
	setenv("NOTIFY_SOCKET", w->name, 1);
	execvp(w->d->argv[0], w->d->argv);
	fprintf(stderr, "ns-watchdog: %s: %s\n", w->d->argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int start(struct watch *w, struct ns_err *e)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return ns_fail(e, errno, "no process can be started: %s", strerror(errno));
	if (pid == 0)
		become(w, parent);
	w->pid = pid;
	w->end = (struct run_end){0};
	w->silence_ns = w->d->silence_ns;
	w->status[0] = '\0';
	w->due_ns = ns_clock_mono() + w->d->start_ns;
	NS_LOG(NOTICE, "process %d started: %s", (int)pid, w->d->argv[0]);
	return 0;
}

/* The kernel chooses a name in the abstract namespace that nobody has. */
static int listen_up(struct watch *w, struct ns_err *e)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(at);
	int on = 1;

	w->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->notify < 0 || setsockopt(w->notify, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
		bind(w->notify, (struct sockaddr *)&at, offsetof(struct sockaddr_un, sun_path)) <
			0 ||
		getsockname(w->notify, (struct sockaddr *)&at, &len) < 0)
		return ns_fail(e, errno, "no socket to listen on: %s", strerror(errno));
	snprintf(w->name, sizeof(w->name), "@%.*s",
		(int)(len - offsetof(struct sockaddr_un, sun_path) - 1), at.sun_path + 1);
	return 0;
}

static int signals_up(struct watch *w, struct ns_err *e)
{
	static const int which[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP};
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < NS_ARRAY_LEN(which); i++)
		sigaddset(&set, which[i]);
	sigprocmask(SIG_BLOCK, &set, &w->before);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals < 0)
		return ns_fail(e, errno, "signalfd: %s", strerror(errno));
	return 0;
}

/* True: start it again; false: end with *status. */
static bool decide(struct watch *w, int *status)
{
	struct verdict v;
	uint64_t until;

	w->end.asked |= w->stop != 0;
	v = policy_decide(&w->policy, &w->end);
	*status = v.status;
	if (!v.again) {
		NS_LOG(NOTICE, "not started again: %s (%u of %u restarts used)", v.why,
			w->policy.failed, w->policy.limit);
		return false;
	}
	NS_LOG(WARNING, "starting it again in %.1f s, restart %u of at most %u in a row",
		s(v.delay_ns), w->policy.failed, w->policy.limit);
	until = ns_clock_mono() + v.delay_ns;
	while (w->stop == 0 && ns_clock_mono() < until)
		wait_for(w, until);
	*status = 1;
	return w->stop == 0;
}

int dog_run(const struct dog *d, struct ns_err *e)
{
	struct watch w = {.d = d, .policy = d->policy, .signals = -1, .notify = -1};
	int status = 1;

	if (signals_up(&w, e) < 0 || listen_up(&w, e) < 0)
		return -errno;
	do {
		if (start(&w, e) < 0)
			return -errno;
		while (w.pid != 0)
			wait_for(&w, w.end.killed ? UINT64_MAX : w.due_ns);
	} while (decide(&w, &status));
	close(w.notify);
	close(w.signals);
	return status;
}
