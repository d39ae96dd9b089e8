/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_conf.h"

#include <ns_test.h>

#include <stdlib.h>
#include <string.h>

static void masks(void)
{
	static const char *const cases[][2] = {{"redis:\n  password: abc def\n  path: x\n",
						       "redis:\n  password: ***\n  path: x\n"},
		{"a: {auth_token: \"x, }\", b: 1}\n", "a: {auth_token: ***, b: 1}\n"},
		{"a: {secret: 'it''s', b: 1}\n", "a: {secret: ***, b: 1}\n"},
		{"- {my-password: p, b: [1, 2]}\n", "- {my-password: ***, b: [1, 2]}\n"},
		{"password: \"a\\\"b\"\nkey: [src_ip]\n", "password: ***\nkey: [src_ip]\n"},
		{"password: null\n", "password: null\n"}, {"password: \"\"\n", "password: \"\"\n"},
		{"curve_secret_key: 1\n", "curve_secret_key: ***\n"},
		{"w: [\"redis://u:p@w@host:1/0\", csv:x]\n",
			"w: [\"redis://u:***@host:1/0\", csv:x]\n"},
		{"w: redis://:p@h\n", "w: redis://:***@h\n"},
		{"w: udp://[::1]:4739\nm: a@b\n", "w: udp://[::1]:4739\nm: a@b\n"},
		{"password: x", "password: ***"}, {"password:\n  x: 1\n", "password:\n  x: 1\n"},
		{"", ""}, {"password: \"", "password: ***"}, {"://", "://"}};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		char *got = ns_conf_mask(cases[i][0]);

		CU_ASSERT_STRING_EQUAL(got, cases[i][1]);
		if (strcmp(got, cases[i][1]) != 0)
			fprintf(stderr, "%s -> %s\n", cases[i][0], got);
		free(got);
	}
}

NS_TEST_MAIN({"masks", masks})
