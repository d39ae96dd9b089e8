/* SPDX-License-Identifier: BSD-3-Clause */
/* All of the room with DPDK's real telemetry socket, in a runtime directory of its own. */
#include "metrics_priv.h"
#include "metrics_test_state.h"

#include <ns_node.h>
#include <ns_registry.h>
#include <ns_test.h>

#include <rte_eal.h>

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/ns-telemetry-XXXXXX";
static struct ns_conf *conf;
static struct ns_metrics *m;

static void start(void)
{
	static char *argv[] = {(char *)"test", (char *)"--no-huge", (char *)"--no-pci",
		(char *)"--no-shconf", (char *)"-m", (char *)"64", (char *)"--lcores",
		(char *)"0@0", (char *)"--log-level", (char *)"error", NULL};
	struct ns_err e = {""};

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	setenv("RUNTIME_DIRECTORY", dir, 1);
	CU_ASSERT_TRUE_FATAL(rte_eal_init((int)NS_ARRAY_LEN(argv) - 1, argv) >= 0);
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(&e), 0);
	CU_ASSERT_EQUAL_FATAL(ns_node_init("unit", &e), 0);

	const char *off = "metrics.listen=";

	conf = ns_conf_load(NULL, &off, 1, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conf);
	m = ns_metrics_create(conf, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_STRING_EQUAL(ns_metrics_address(m), "");
	CU_ASSERT_PTR_NULL(ns_metrics_create(conf, &e));
	CU_ASSERT_EQUAL(errno, EBUSY);
}

static int dial(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char hello[1024];

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/dpdk/rte/dpdk_telemetry.v2", dir);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	CU_ASSERT_TRUE(recv(fd, hello, sizeof(hello), 0) > 0);
	return fd;
}

/* Also called by threads beside CUnit's, so it asserts nothing. */
static const char *ask(int fd, const char *command)
{
	static __thread char text[32768];
	ssize_t n = -1;

	if (send(fd, command, strlen(command), 0) == (ssize_t)strlen(command))
		n = recv(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void answers(int fd, const char *command, const char *part)
{
	const char *text = ask(fd, command);

	if (strstr(text, part) == NULL) {
		printf("\n%s: %s\nwithout: %s\n", command, text, part);
		CU_FAIL("answer");
	}
}

static void no_epoch_yet(void)
{
	int fd = dial();

	answers(fd, "/netspectra/epoch", "{\"/netspectra/epoch\":null}");
	close(fd);
}

static void commands(void)
{
	int fd = dial();

	ns_metrics_epoch(m, &test_state);
	answers(fd, "/", "\"/netspectra/epoch\"");
	answers(fd, "/netspectra/epoch", "{\"/netspectra/epoch\":{\"epoch\":9,\"start_ns\":");
	answers(fd, "/netspectra/epoch", "\"end_ns\":1700000001000000001,\"received\":1000,");
	answers(fd, "/netspectra/epoch", "\"mbufs\":16383,\"last\":0,\"paused\":0}}");
	answers(fd, "/netspectra/lcores", "{\"/netspectra/lcores\":{\"1\":{\"lcore\":1,\"cpu\":3,");
	answers(fd, "/netspectra/lcores", "\"2\":{\"lcore\":2,");
	answers(fd, "/netspectra/lcores", "\"epoch_busy\":\"0.333\",\"burst_fill\":\"19.000\"");
	answers(fd, "/netspectra/lcores,2", "{\"/netspectra/lcores\":{\"lcore\":2,");
	answers(fd, "/netspectra/lcores,7", "{\"/netspectra/lcores\":null}");
	answers(fd, "/netspectra/drops", "\"ring_full\":40");
	answers(fd, "/netspectra/drops", ":0,");
	answers(fd, "/netspectra/writers", "\"1\":{\"name\":\"csv#2\",\"target\":\"/mnt/x\",");
	answers(fd, "/netspectra/writers", "\"message\":\"No space left on device\"}}}");
	answers(fd, "/netspectra/writers,0", "\"records\":300,");
	answers(fd, "/netspectra/info", "{\"node\":\"unit\",\"boot\":\"");
	close(fd);
}

static bool stop; /* atomic */

struct asker {
	pthread_t thread;
	int fd;
	uint64_t asked, wrong;
};

static void *keep_asking(void *arg)
{
	struct asker *a = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		a->wrong += strstr(ask(a->fd, "/netspectra/epoch"), "\"received\":1000,") == NULL;
		a->asked++;
	}
	return NULL;
}

static void under_load(void)
{
	struct asker t[2] = {0};

	for (unsigned i = 0; i < 2; i++) {
		t[i].fd = dial();
		CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i].thread, NULL, keep_asking, &t[i]), 0);
	}
	for (unsigned i = 0; i < 2000; i++) {
		ns_metrics_epoch(m, &test_state);
		if (i % 50 == 0)
			usleep(1000);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(t[i].thread, NULL);
		close(t[i].fd);
		CU_ASSERT_TRUE(t[i].asked > 0);
		CU_ASSERT_EQUAL(t[i].wrong, 0);
	}
}

/* The commands stay, and have nothing to say. */
static void after_the_end(void)
{
	int fd = dial();

	ns_metrics_destroy(m);
	answers(fd, "/netspectra/epoch", "{\"/netspectra/epoch\":null}");
	m = ns_metrics_create(conf, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	answers(fd, "/netspectra/epoch", "{\"/netspectra/epoch\":null}");
	ns_metrics_epoch(m, &test_state);
	answers(fd, "/netspectra/epoch", "\"epoch\":9");
	ns_metrics_destroy(m);
	ns_metrics_destroy(NULL);
	close(fd);
	ns_conf_destroy(conf);
}

static void cleaned(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/dpdk/rte/dpdk_telemetry.v2", dir);
	CU_ASSERT_EQUAL(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/dpdk/rte", dir);
	CU_ASSERT_EQUAL(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/dpdk", dir);
	CU_ASSERT_EQUAL(rmdir(path), 0);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

NS_TEST_MAIN({"start", start}, {"no epoch yet", no_epoch_yet}, {"commands", commands},
	{"under load", under_load}, {"after the end", after_the_end}, {"cleaned", cleaned})
