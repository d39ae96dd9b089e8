/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer over UDP and TCP against sockets of this test, and its output against collectors that
 * others wrote: tshark and nfcapd with nfdump.
 */
#include "ipfix_priv.h"
#include "ipfix_test_util.h"

#include <ns_conf.h>

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A socket on a free port of the loopback; the port goes to @port. */
static int bind_any(int family, int type, uint16_t *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
	struct timeval tv = {.tv_sec = 5};
	int fd = socket(family, type | SOCK_CLOEXEC, 0), buf = 8 << 20;

	if (fd < 0 || bind(fd, sa, len) < 0 || getsockname(fd, sa, &len) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buf, sizeof(buf));
	*port = ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
	return fd;
}

static struct ns_conf *conf_of(const char *const *over, size_t n)
{
	struct ns_err e = {""};
	struct ns_conf *c = ns_conf_load(NULL, over, n, &e);

	if (c == NULL)
		fprintf(stderr, "%s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

/* Reads messages until none has come for a moment. */
static void drain(struct reader *r, int fd)
{
	struct timeval tv = {.tv_usec = 200000};
	uint8_t buf[IPFIX_MSG_MAX];
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		CU_ASSERT_EQUAL(r_message(r, buf, (size_t)n), n);
}

static void udp_family(int family)
{
	static const char *const over[] = {
		"ipfix.mtu=700", "ipfix.observation_domain=77", "ipfix.template_messages=10"};
	struct ns_conf *c = conf_of(over, NS_ARRAY_LEN(over));
	const struct ns_writer_ops *ops;
	struct reader *r = calloc(1, sizeof(*r));
	struct ns_err e = {""};
	struct ns_writer *w;
	uint16_t port = 0;
	char target[64];
	int fd = bind_any(family, SOCK_DGRAM, &port);

	if (fd < 0) {
		fprintf(stderr, "SKIPPED: no loopback of family %d\n", family);
		goto out;
	}
	snprintf(target, sizeof(target), "udp://%s:%u", family == AF_INET ? "127.0.0.1" : "[::1]",
		port);
	w = t_open(target, c, &ops);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(t_put(ops, w, 0, 300, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	r->domain = 77;
	drain(r, fd);
	CU_ASSERT_EQUAL(r->records, 300);
	CU_ASSERT(r->max_len <= 700 && r->max_len > 500);
	/* Templates once at the start and again every ten messages. */
	CU_ASSERT(r->tmpl[257].seen >= r->messages / 14 && r->tmpl[257].seen <= r->messages / 8);
	CU_ASSERT(r->tmpl[257].seen > 3);
	close(fd);
out:
	free(r);
	ns_conf_destroy(c);
}

static void udp(void)
{
	udp_family(AF_INET);
	udp_family(AF_INET6);
}

/* Templates are due by time, also when there is nothing to send. */
static void udp_refresh(void)
{
	static const char *const over[] = {"ipfix.template_refresh=1"};
	struct ns_conf *c = conf_of(over, NS_ARRAY_LEN(over));
	const struct ns_writer_ops *ops;
	struct reader *r = calloc(1, sizeof(*r));
	struct ns_err e = {""};
	struct ns_writer *w;
	uint16_t port = 0;
	char target[64];
	int fd = bind_any(AF_INET, SOCK_DGRAM, &port);

	snprintf(target, sizeof(target), "udp://127.0.0.1:%u", port);
	w = t_open(target, c, &ops);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(t_put(ops, w, 0, 3, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	drain(r, fd);
	CU_ASSERT_EQUAL(r->tmpl[257].seen, 1);
	usleep(1100000);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	drain(r, fd);
	CU_ASSERT_EQUAL(r->tmpl[257].seen, 2);
	CU_ASSERT_EQUAL(r->tmpl[258].seen, 2);
	CU_ASSERT_EQUAL(r->option_records, 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	drain(r, fd);
	CU_ASSERT_EQUAL(r->option_records, 1);
	close(fd);
	free(r);
	ns_conf_destroy(c);
}

/* No collector: no error, only a warning at the end. */
static void udp_refused(void)
{
	const struct ns_writer_ops *ops;
	struct ns_err e = {""};
	struct ns_writer *w;
	uint16_t port = 0;
	char target[64];

	close(bind_any(AF_INET, SOCK_DGRAM, &port));
	snprintf(target, sizeof(target), "udp://127.0.0.1:%u", port);
	w = t_open(target, NULL, &ops);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(t_put(ops, w, 0, 1000, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
}

static void tcp(void)
{
	const struct ns_writer_ops *ops;
	struct reader *r = calloc(1, sizeof(*r));
	struct ns_err e = {""};
	struct ns_writer *w;
	uint16_t port = 0;
	char target[64];
	int fd = bind_any(AF_INET, SOCK_STREAM, &port), con, status = -1;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
	snprintf(target, sizeof(target), "tcp://127.0.0.1:%u", port);
	pid = fork();
	if (pid == 0) { /* the collector */
		static uint8_t buf[1 << 20];
		size_t have = 0, off = 0;
		ssize_t n;
		int len = 1;

		con = accept(fd, NULL, NULL);
		while ((n = read(con, buf + have, sizeof(buf) - have)) > 0)
			have += (size_t)n;
		for (; off < have && len > 0; off += (size_t)len)
			len = r_message(r, buf + off, have - off);
		_exit(off == have && r->records == 2000 && r->tmpl[257].seen == 1 ? 0 : 1);
	}
	w = t_open(target, NULL, &ops);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(t_put(ops, w, 0, 2000, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);

	/* A collector that goes away in between. */
	w = t_open(target, NULL, &ops);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	con = accept(fd, NULL, NULL);
	CU_ASSERT_EQUAL(t_put(ops, w, 0, 10, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	close(con);
	CU_ASSERT_EQUAL(t_put(ops, w, 0, 10, &e), 0);
	CU_ASSERT(ops->flush(w, &e) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, target));
	CU_ASSERT(t_put(ops, w, 0, 10, &e) < 0);
	ops->close(w, &e);
	close(fd);
	free(r);
}

/* Runs a command with its output in @out; its process. */
static pid_t spawn(const char *const *argv, const char *out)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		alarm(60); /* outlives exec: nothing hangs for ever */
		dup2(fd, 1);
		dup2(fd, 2);
		setenv("TZ", "UTC", 1);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	return pid;
}

/* Exit status of a command; its output in @buf. */
static int run(const char *const *argv, char *buf, size_t len)
{
	char out[] = "/tmp/ns_ipfix_out_XXXXXX";
	int fd = mkstemp(out), status = -1;
	pid_t pid = spawn(argv, out);
	ssize_t n = 0;

	waitpid(pid, &status, 0);
	if (fd >= 0) {
		n = read(fd, buf, len - 1);
		close(fd);
		unlink(out);
	}
	buf[NS_MAX(n, 0)] = '\0';
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool have(const char *tool)
{
	char cmd[64], buf[4096];
	const char *argv[] = {"sh", "-c", cmd, NULL};

	snprintf(cmd, sizeof(cmd), "command -v %s", tool);
	if (run(argv, buf, sizeof(buf)) == 0)
		return true;
	fprintf(stderr, "\n*** SKIPPED: there is no %s here ***\n", tool);
	return false;
}

/* Flows 0..n-1 to @target, in messages of some hundred octets where there is a limit. */
static void write_flows(const char *target, unsigned n, const char *const *over, size_t over_n)
{
	struct ns_conf *c = conf_of(over, over_n);
	const struct ns_writer_ops *ops;
	struct ns_err e = {""};
	struct ns_writer *w = t_open(target, c, &ops);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(t_put(ops, w, 0, n / 2, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	CU_ASSERT_EQUAL(t_put(ops, w, n / 2, n - n / 2, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	ns_conf_destroy(c);
}

static bool contains(const char *text, const char *fmt, ...)
{
	char want[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	if (strstr(text, want) != NULL)
		return true;
	fprintf(stderr, "missing: %s\n", want);
	return false;
}

enum { TEXT_MAX = 4 << 20 };

static void tshark(void)
{
	enum { N = 60 };
	char path[] = "/tmp/ns_ipfix_XXXXXX", *buf;
	const char *const argv[] = {"tshark", "-n", "-r", path, "-V", NULL};
	int fd;

	if (!have("tshark"))
		return;
	fd = mkstemp(path);
	buf = malloc(TEXT_MAX);
	close(fd);
	write_flows(path, N, NULL, 0);
	CU_ASSERT_EQUAL(run(argv, buf, TEXT_MAX), 0);
	for (unsigned i = 0; i < N; i++) {
		CU_ASSERT(contains(buf, "SrcPort: %u\n", 10000 + i));
		CU_ASSERT(contains(buf, " Packets: %u\n", 10 + i));
		CU_ASSERT(contains(buf, " Octets: %u\n", 1000 + i));
		CU_ASSERT(contains(buf, "Layer2 Octet Delta Count: %u\n", 2000 + i));
		CU_ASSERT(contains(buf, "Packets: %u (Reverse Type 2 PKTS)\n", 20 + i));
		CU_ASSERT(contains(buf, "Octets: %u (Reverse Type 1 BYTES)\n", 30000 + i));
		CU_ASSERT(contains(buf, "Count: %u (Reverse Type 352 ", 40000 + i));
		CU_ASSERT(
			contains(buf, "StartTime: Nov 14, 2023 22:13:20.%09u UTC", 123456789 + i));
		CU_ASSERT(contains(buf, "EndTime: Nov 14, 2023 22:13:22.%09u UTC", 123456789 + i));
	}
	CU_ASSERT(contains(buf, "TCP Flags: 0x001b, ACK, PSH, SYN, FIN\n"));
	CU_ASSERT(contains(buf, "TCP Flags: 0x0012, ACK, SYN (Reverse Type 6 TCP_FLAGS)\n"));
	CU_ASSERT(contains(buf, "FlowsExp: %u\n", N));
	CU_ASSERT_PTR_NULL(strstr(buf, "alformed"));
	CU_ASSERT_PTR_NULL(strstr(buf, "emplate not found"));
	CU_ASSERT_PTR_NULL(strstr(buf, "xpected"));
	free(buf);
	unlink(path);
}

/* Waits until a process has bound the UDP port. */
static bool is_bound(uint16_t port)
{
	char line[256], want[16];
	bool found = false;

	snprintf(want, sizeof(want), ":%04X ", port);
	for (unsigned i = 0; i < 100 && !found; i++) {
		FILE *f = fopen("/proc/net/udp", "r");

		while (f != NULL && fgets(line, sizeof(line), f) != NULL)
			found |= strstr(line, want) != NULL;
		if (f != NULL)
			fclose(f);
		usleep(50000);
	}
	return found;
}

static void squeeze(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (*s != ' ' || s[1] != ' ')
			*to++ = *s;
	}
	*to = '\0';
}

static void nfcapd(void)
{
	enum { N = 120 };
	static const char *const over[] = {"ipfix.template_messages=4"};
	char dir[] = "/tmp/ns_ipfix_nf_XXXXXX", port[8], target[64], log[64], *buf;
	const char *const collect[] = {
		"nfcapd", "-w", dir, "-b", "127.0.0.1", "-p", port, "-t", "3600", NULL};
	const char *const dump[] = {"nfdump", "-R", dir, "-q", "-o",
		"fmt:%ts %td %pr %sap %dap %flg %ipkt %ibyt %opkt %obyt %svln", NULL};
	const char *const show[] = {"cat", log, NULL}, *const clean[] = {
							       "rm", "-r", dir, log, NULL};
	uint16_t p = 0;
	pid_t pid;

	if (!have("nfcapd") || !have("nfdump"))
		return;
	buf = malloc(TEXT_MAX);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	close(bind_any(AF_INET, SOCK_DGRAM, &p));
	snprintf(port, sizeof(port), "%u", p);
	snprintf(target, sizeof(target), "udp://127.0.0.1:%u", p);
	snprintf(log, sizeof(log), "%s.log", dir);
	pid = spawn(collect, log);
	CU_ASSERT(is_bound(p));
	write_flows(target, N, over, NS_ARRAY_LEN(over));
	sleep(1); /* it ends at once on SIGTERM, whatever still waits in the socket */
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	run(show, buf, TEXT_MAX);
	CU_ASSERT(contains(buf, "Flows: %u,", N));
	CU_ASSERT(contains(buf, "Sequence Errors: 0, Bad Packets: 0"));
	CU_ASSERT_EQUAL(run(dump, buf, TEXT_MAX), 0);
	squeeze(buf);
	for (unsigned i = 0; i < N; i++) {
		CU_ASSERT(contains(buf,
			"2023-11-14 22:13:20.123 00:00:02.000 TCP %s%u %s443 ...AP.SF "
			"%u %u %u %u 100",
			i % 3 == 2 ? "2001:db8::1." : "10.1.2.3:", 10000 + i,
			i % 3 == 2 ? "2001:db8::2." : "192.0.2.1:", 10 + i, 1000 + i, 20 + i,
			30000 + i));
	}
	run(clean, buf, TEXT_MAX);
	free(buf);
}

NS_TEST_MAIN({"UDP", udp}, {"UDP templates by time", udp_refresh}, {"UDP refused", udp_refused},
	{"TCP", tcp}, {"tshark", tshark}, {"nfcapd", nfcapd})
