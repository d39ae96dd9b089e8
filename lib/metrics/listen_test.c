/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics_priv.h"

#include <ns_test.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void good(void)
{
	struct sockaddr_storage sa;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&sa;

	CU_ASSERT_EQUAL(listen_parse("127.0.0.1:9476", &sa, NULL), 0);
	CU_ASSERT_EQUAL(sa.ss_family, AF_INET);
	CU_ASSERT_EQUAL(ntohs(v4->sin_port), 9476);
	CU_ASSERT_EQUAL(ntohl(v4->sin_addr.s_addr), INADDR_LOOPBACK);
	CU_ASSERT_EQUAL(listen_parse("[::1]:65535", &sa, NULL), 0);
	CU_ASSERT_EQUAL(sa.ss_family, AF_INET6);
	CU_ASSERT_EQUAL(ntohs(v6->sin6_port), 65535);
	CU_ASSERT_TRUE(IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr));
}

static void refused(void)
{
	static const char *const bad[] = {"", ":", "9476", ":9476", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 1",
		"127.0.0.1:1 ", "127.0.0.1:000001", "127.0.0:1", "256.0.0.1:1", "localhost:1",
		"::1:9476", "[::1]", "[::1]9476", "[]:1", "[:1", "[127.0.0.1]:1", "[::1%lo]:1",
		"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]:1", "http://127.0.0.1:1"};
	struct sockaddr_storage sa;

	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++) {
		struct ns_err e = {""};

		CU_ASSERT_EQUAL(listen_parse(bad[i], &sa, &e), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "[::1]:9476"));
	}
}

static void opens(const char *text, const char *begins)
{
	char bound[64];
	struct ns_err e = {""};
	int fd = listen_open(text, bound, sizeof(bound), &e);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(strncmp(bound, begins, strlen(begins)), 0);
	CU_ASSERT_STRING_NOT_EQUAL(bound + strlen(begins), "0");

	/* the port is taken now, and the message says which */
	CU_ASSERT_EQUAL(listen_open(bound, bound, sizeof(bound), &e), -EADDRINUSE);
	CU_ASSERT_EQUAL(strncmp(e.text, "metrics.listen ", 15), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "in use"));
	close(fd);
}

static void bound4(void)
{
	opens("127.0.0.1:0", "127.0.0.1:");
}

static void bound6(void)
{
	opens("[::1]:0", "[::1]:");
}

static void not_here(void)
{
	struct ns_err e = {""};
	char bound[64];

	CU_ASSERT_EQUAL(listen_open("192.0.2.1:0", bound, sizeof(bound), &e), -EADDRNOTAVAIL);
	CU_ASSERT_STRING_EQUAL(
		e.text, "metrics.listen 192.0.2.1:0: Cannot assign requested address");
}

NS_TEST_MAIN({"good", good}, {"refused", refused}, {"bound, IPv4", bound4}, {"bound, IPv6", bound6},
	{"not of this host", not_here})
