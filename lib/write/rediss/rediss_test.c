/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_registry.h>
#include <ns_test.h>
#include <ns_write.h>

#include <string.h>

static void says_why(const struct ns_err *e)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(e->text, "TLS"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e->text, "redis:unix:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e->text, "stunnel"));
}

static void refused(void)
{
	const struct ns_writer_args args = {.live = true, .epoch_ms = 1000};
	const struct ns_writer_ops *ops;
	struct ns_err e = {""};

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	CU_ASSERT_PTR_NULL(ns_writer_open("rediss:localhost:6379", &args, &ops, &e));
	CU_ASSERT_EQUAL(errno, EPROTONOSUPPORT);
	says_why(&e);
	e.text[0] = '\0';
	CU_ASSERT_EQUAL(ns_writer_check("rediss://user:secret@host", &e), -EPROTONOSUPPORT);
	says_why(&e);
	CU_ASSERT_PTR_NULL(strstr(e.text, "secret"));
}

NS_TEST_MAIN({"refused", refused})
