/* SPDX-License-Identifier: BSD-3-Clause */
#include "redis_priv.h"

#include <ns_test.h>
#include <ns_test_alloc.h>

#include <string.h>

static void is(const struct redis_buf *b, const char *want)
{
	CU_ASSERT_EQUAL(b->n, strlen(want));
	CU_ASSERT(b->n == strlen(want) && memcmp(b->p, want, b->n) == 0);
}

static void golden(void)
{
	struct redis_buf b = {0};

	redis_command(&b, (const char *[]){"MULTI"}, 1);
	redis_begin(&b, "SET");
	redis_arg(&b, "a\r\n\0b", 5);
	redis_number(&b, UINT64_MAX);
	redis_end(&b, 3);
	redis_begin(&b, "SET");
	redis_text(&b, "");
	redis_end(&b, 1);
	CU_ASSERT_EQUAL(b.commands, 3);
	CU_ASSERT_FALSE(b.failed);
	char want[] = "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$5\r\na\r\nX"
		      "b\r\n$20\r\n18446744073709551615\r\n*2\r\n$3\r\nSET\r\n$0\r\n\r\n";

	CU_ASSERT_EQUAL_FATAL(b.n, sizeof(want) - 1);
	*strchr(want, 'X') = '\0';
	CU_ASSERT_EQUAL(memcmp(b.p, want, b.n), 0);
	redis_clear(&b);
	CU_ASSERT_EQUAL(b.n + b.commands, 0);
	redis_free(&b);
}

/* A command that has too few words was never begun. */
static void too_few(void)
{
	struct redis_buf b = {0};

	redis_command(&b, (const char *[]){"PING"}, 1);
	redis_begin(&b, "HSET");
	redis_text(&b, "key");
	redis_end(&b, 4);
	CU_ASSERT_EQUAL(b.commands, 1);
	is(&b, "*1\r\n$4\r\nPING\r\n");
	redis_command(&b, (const char *[]){"PING"}, 1);
	is(&b, "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n");
	redis_free(&b);
}

/* Many words and a long one: the head has three digits, the buffer grows. */
static void grows(void)
{
	struct redis_buf b = {0};
	size_t n = 100000;
	char *text = malloc(n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, 'x', n);
	redis_begin(&b, "DEL");
	for (int i = 0; i < 998; i++)
		redis_text(&b, "k");
	redis_arg(&b, text, n);
	redis_end(&b, 2);
	CU_ASSERT_EQUAL(b.n, strlen("*1000\r\n$3\r\nDEL\r\n") + 998 * strlen("$1\r\nk\r\n") +
				     strlen("$100000\r\n\r\n") + n);
	CU_ASSERT_EQUAL(memcmp(b.p, "*1000\r\n$3\r\nDEL\r\n$1\r\nk\r\n", 23), 0);
	CU_ASSERT_EQUAL(memcmp(b.p + b.n - 4, "xx\r\n", 4), 0);
	redis_free(&b);
	free(text);
}

static void no_memory(void)
{
	struct redis_buf b = {0};

	ns_test_alloc_fail(1);
	redis_command(&b, (const char *[]){"SET", "a", "b"}, 3);
	CU_ASSERT_FALSE(ns_test_alloc_done());
	CU_ASSERT(b.failed);
	redis_command(&b, (const char *[]){"SET", "a", "b"}, 3);
	CU_ASSERT(b.failed);
	redis_clear(&b);
	redis_command(&b, (const char *[]){"SET", "a", "b"}, 3);
	is(&b, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n");
	redis_free(&b);
}

NS_TEST_MAIN(
	{"golden", golden}, {"too few words", too_few}, {"grows", grows}, {"no memory", no_memory})
