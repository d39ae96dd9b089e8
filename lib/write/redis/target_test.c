/* SPDX-License-Identifier: BSD-3-Clause */
#include "redis_priv.h"

#include <ns_test.h>

#include <string.h>
#include <unistd.h>

static void good(void)
{
	static const struct {
		const char *text, *path, *host;
		uint16_t port;
	} cases[] = {
		{"unix:/run/redis.sock", "/run/redis.sock", "", 0},
		{"unix:/a:b@c d", "/a:b@c d", "", 0},
		{"127.0.0.1:6380", "", "127.0.0.1", 6380},
		{"redis.example:1", "", "redis.example", 1},
		{"redis.example", "", "redis.example", 6379},
		{"[::1]:6379", "", "::1", 6379},
		{"[2001:db8::7]", "", "2001:db8::7", 6379},
		{"[fe80::1%eth0]:65535", "", "fe80::1%eth0", 65535},
	};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		struct redis_target t;

		CU_ASSERT_EQUAL(redis_target_parse(cases[i].text, &t, NULL), 0);
		CU_ASSERT_STRING_EQUAL(t.path, cases[i].path);
		CU_ASSERT_STRING_EQUAL(t.host, cases[i].host);
		CU_ASSERT_EQUAL(t.port, cases[i].port);
	}
}

/* Each is refused with what is allowed, and not one message repeats what may be a password. */
static void bad(void)
{
	static const char *const cases[] = {"", ":6379", "a:", "a:0", "a:65536", "a:-1", "a:1x",
		"a:123456", "::1", "::1:6379", "[::1", "[::1]6379", "[]:1",
		"[::1]:", "unix:", "unix:redis.sock", "//127.0.0.1:6379",
		"//u:secret@127.0.0.1:6379", "u:secret@127.0.0.1:6379", "secret@127.0.0.1:6379",
		":secret@127.0.0.1:6379", "127.0.0.1:6379/0", "a b:1", "a\n:1"};
	char text[400];

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		struct redis_target t;
		struct ns_err e = {""};

		CU_ASSERT_EQUAL(redis_target_parse(cases[i], &t, &e), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "unix:"));
		CU_ASSERT_PTR_NULL(strstr(e.text, "secret"));
	}
	memset(text, 'x', sizeof(text));
	memcpy(text, "unix:/", 6);
	text[5 + 108] = '\0';
	struct redis_target t;
	struct ns_err e;

	CU_ASSERT_EQUAL(redis_target_parse(text, &t, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "107"));
	text[5 + 107] = '\0';
	CU_ASSERT_EQUAL(redis_target_parse(text, &t, &e), 0);
	CU_ASSERT_EQUAL(strlen(t.path), 107);
	memset(text, 'x', sizeof(text) - 1);
	text[256] = '\0';
	CU_ASSERT_EQUAL(redis_target_parse(text, &t, &e), -EINVAL);
	text[255] = '\0';
	CU_ASSERT_EQUAL(redis_target_parse(text, &t, &e), 0);
}

static void resolve(void)
{
	struct redis_target t;
	struct ns_err e;

	CU_ASSERT_EQUAL(redis_target_parse("[::1]:1", &t, &e), 0);
	CU_ASSERT_EQUAL(redis_target_resolve(&t, &e), 0);
	CU_ASSERT_EQUAL_FATAL(t.addresses_n, 1);
	CU_ASSERT_STRING_EQUAL(t.addresses[0], "::1");
	CU_ASSERT_EQUAL(redis_target_parse("localhost", &t, &e), 0);
	CU_ASSERT_EQUAL(redis_target_resolve(&t, &e), 0);
	CU_ASSERT(t.addresses_n >= 1);
	CU_ASSERT_EQUAL(redis_target_parse("unix:/x", &t, &e), 0);
	CU_ASSERT_EQUAL(redis_target_resolve(&t, &e), 0);
	/* RFC 6761: never a name; no question leaves the host */
	CU_ASSERT_EQUAL(redis_target_parse("300.300.300.300", &t, &e), 0);
	CU_ASSERT_EQUAL(redis_target_resolve(&t, &e), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "redis:300.300.300.300: "));
}

static void file_is(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
}

static void secret(void)
{
	char path[] = "/tmp/ns-redis-XXXXXX", got[REDIS_SECRET_MAX];
	struct redis_conf c = redis_conf_defaults;
	struct ns_err e;

	CU_ASSERT_EQUAL(redis_secret(&c, got, &e), 0);
	CU_ASSERT_STRING_EQUAL(got, "");
	c.password = (char *)"";
	c.password_file = (char *)"";
	CU_ASSERT_EQUAL(redis_secret(&c, got, &e), 0);
	CU_ASSERT_STRING_EQUAL(got, "");
	c.password = (char *)"open sesame";
	CU_ASSERT_EQUAL(redis_secret(&c, got, &e), 0);
	CU_ASSERT_STRING_EQUAL(got, "open sesame");
	close(mkstemp(path));
	c.password = NULL;
	c.password_file = path;
	CU_ASSERT_EQUAL(redis_secret(&c, got, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
	file_is(path, "from a file\r\nand no more\n");
	CU_ASSERT_EQUAL(redis_secret(&c, got, &e), 0);
	CU_ASSERT_STRING_EQUAL(got, "from a file");
	file_is(path, "changed");
	CU_ASSERT_EQUAL(redis_secret(&c, got, &e), 0);
	CU_ASSERT_STRING_EQUAL(got, "changed");
	unlink(path);
	CU_ASSERT_EQUAL(redis_secret(&c, got, &e), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
}

NS_TEST_MAIN({"good", good}, {"bad", bad}, {"resolve", resolve}, {"secret", secret})
