/* SPDX-License-Identifier: BSD-3-Clause */
/* Sizes and durations: what is read, and what is refused with which words. */
#include "ns_conf.h"
#include "ns_test.h"

#include <stdio.h>
#include <string.h>

struct good {
	const char *text;
	uint64_t value;
};

typedef int (*read_fn)(const char *text, uint64_t *v, struct ns_err *e);

static void accepts(read_fn fn, const struct good *g, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ns_err e = {0};
		uint64_t v = 1;

		if (fn(g[i].text, &v, &e) != 0 || v != g[i].value)
			printf("\n  \"%s\": %llu, %s\n", g[i].text, (unsigned long long)v, e.text);
		CU_ASSERT_EQUAL(fn(g[i].text, &v, NULL), 0);
		CU_ASSERT_EQUAL(v, g[i].value);
	}
}

static void refuses(read_fn fn, const char *text, const char *want)
{
	struct ns_err e = {0};
	uint64_t v = 99;

	errno = 0;
	CU_ASSERT_EQUAL(fn(text, &v, &e), -EINVAL);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(v, 99);
	if (strcmp(e.text, want) != 0)
		printf("\n  got:    %s\n  wanted: %s\n", e.text, want);
	CU_ASSERT_STRING_EQUAL(e.text, want);
	CU_ASSERT_EQUAL(fn(text, &v, NULL), -EINVAL);
}

static void sizes(void)
{
	static const struct good good[] = {{"0", 0}, {"1", 1}, {"65536", 65536},
		{"512 KiB", 524288}, {"4MiB", 4194304}, {"1 GiB", 1073741824}, {"2 kib", 2048},
		{" 3\tMIB ", 3145728}, {"0 GiB", 0}, {"18446744073709551615", UINT64_MAX},
		{"17179869183 GiB", UINT64_C(17179869183) << 30}};
	static const char *const bad[] = {"x", "KiB", "-1", "+1", "1 KB", "1 K", "1.5 MiB",
		"1 MiBx", "1 MiB 2", "0x10", "010", "1 TiB", "12 34", "1 M iB"};

	accepts(ns_conf_size, good, NS_ARRAY_LEN(good));
#define ALLOWED "expected a whole number of octets, KiB, MiB or GiB, as in 65536 or 512 KiB, not "
	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++) {
		char want[200];

		snprintf(want, sizeof(want), ALLOWED "\"%s\"", bad[i]);
		refuses(ns_conf_size, bad[i], want);
	}
	refuses(ns_conf_size, "", ALLOWED "nothing");
	refuses(ns_conf_size, " ", ALLOWED "nothing");
	refuses(ns_conf_size, NULL, ALLOWED "nothing");
#undef ALLOWED
	refuses(ns_conf_size, "18446744073709551616",
		"\"18446744073709551616\" is more than 18446744073709551615 octets");
	refuses(ns_conf_size, "17179869184 GiB",
		"\"17179869184 GiB\" is more than 18446744073709551615 octets");
}

static void durations(void)
{
	static const struct good good[] = {{"0", 0}, {"10", 10 * NS_SEC_NS},
		{"10s", 10 * NS_SEC_NS}, {"5m", 300 * NS_SEC_NS}, {"1h", 3600 * NS_SEC_NS},
		{"500ms", NS_SEC_NS / 2}, {" 1 ms ", 1000000}, {"0h", 0},
		{"18446744073", UINT64_C(18446744073) * NS_SEC_NS}};
	static const char *const bad[] = {
		"x", "s", "-1s", "1.5s", "1S", "1M", "1 min", "1d", "1us", "1h 5m", "08", "1mss"};

	accepts(ns_conf_duration, good, NS_ARRAY_LEN(good));
#define ALLOWED \
	"expected a whole number of seconds, or with ms, s, m or h, as in 10, 500ms or 5m, not "
	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++) {
		char want[200];

		snprintf(want, sizeof(want), ALLOWED "\"%s\"", bad[i]);
		refuses(ns_conf_duration, bad[i], want);
	}
	refuses(ns_conf_duration, "", ALLOWED "nothing");
	refuses(ns_conf_duration, NULL, ALLOWED "nothing");
#undef ALLOWED
	refuses(ns_conf_duration, "18446744074",
		"\"18446744074\" is more than 18446744073 seconds");
	refuses(ns_conf_duration, "99999999999999999999h",
		"\"99999999999999999999h\" is more than 18446744073 seconds");
}

NS_TEST_MAIN({"sizes", sizes}, {"durations", durations})
