/* SPDX-License-Identifier: BSD-3-Clause */
#include "console_priv.h"

#include <ns_test.h>

#include <string.h>

static void modes(void)
{
	static const char *const bad[] = {
		"", "0", "0400", "1600", "99999999", "0x1f", "rw", "07777"};
	struct ns_err e;
	unsigned mode;

	CU_ASSERT_EQUAL(console_mode("0600", &mode, &e), 0);
	CU_ASSERT_EQUAL(mode, 0600);
	CU_ASSERT_EQUAL(console_mode("660", &mode, &e), 0);
	CU_ASSERT_EQUAL(mode, 0660);
	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++)
		CU_ASSERT_EQUAL(console_mode(bad[i], &mode, &e), -EINVAL);
}

NS_TEST_MAIN({"modes", modes})
