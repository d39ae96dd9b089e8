/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics_priv.h"

#include <ns_test.h>

#include <string.h>

#define S NS_SEC_NS

static const struct health health = {.started_ns = 100 * S, .epoch_ns = S};
static char text[HEALTH_TEXT];

static void epochs_come(void)
{
	struct copy c = {.mono_ns = 200 * S};

	CU_ASSERT_TRUE(health_alive(&health, &c, 203 * S, text));
	CU_ASSERT_STRING_EQUAL(text, "ok\n");
	CU_ASSERT_TRUE(
		health_alive(&health, &c, 199 * S, text)); /* taken before it was published */
}

static void epochs_fail_to_come(void)
{
	struct copy c = {.mono_ns = 200 * S};

	CU_ASSERT_FALSE(health_alive(&health, &c, 203 * S + 1, text));
	CU_ASSERT_STRING_EQUAL(text, "the last complete epoch is 3.0 s old; an epoch is 1.000 s\n");
}

static void no_epoch_yet(void)
{
	CU_ASSERT_TRUE(health_alive(&health, NULL, 103 * S, text));
	CU_ASSERT_FALSE(health_alive(&health, NULL, 105 * S, text));
	CU_ASSERT_STRING_EQUAL(
		text, "no epoch is complete 5.0 s after the start; an epoch is 1.000 s\n");
	CU_ASSERT_FALSE(health_ready(NULL, text));
	CU_ASSERT_STRING_EQUAL(text, "the first epoch is not complete yet\n");
}

static void short_epochs(void)
{
	const struct health fast = {.epoch_ns = S / 100};
	struct copy c = {.mono_ns = 200 * S};

	CU_ASSERT_TRUE(health_alive(&fast, &c, 201 * S, text));
	CU_ASSERT_FALSE(health_alive(&fast, &c, 201 * S + 1, text));
}

static void stopped(void)
{
	struct copy c = {.mono_ns = 200 * S, .st.epoch.last = 1};

	CU_ASSERT_FALSE(health_alive(&health, &c, 200 * S, text));
	CU_ASSERT_STRING_EQUAL(text, "the engine has stopped in order\n");
	CU_ASSERT_FALSE(health_ready(&c, text));
}

static void paused(void)
{
	struct copy c = {.mono_ns = 200 * S, .st.epoch.paused = 1};

	CU_ASSERT_TRUE(health_alive(&health, &c, 200 * S, text));
	CU_ASSERT_FALSE(health_ready(&c, text));
	CU_ASSERT_STRING_EQUAL(text, "ports are not read: somebody has said \"stop\"\n");
}

static void writers(void)
{
	struct ns_writer_rec w[] = {
		{.name = "csv", .target = "flows.csv", .status = "ok"},
		{.name = "redis",
			.target = "localhost",
			.status = "down",
			.message = "Connection refused"},
		{.name = "csv#2", .target = "/full/x.csv", .status = "failed"},
	};
	struct copy c = {.st = {.writers = w, .writers_n = 1}};

	CU_ASSERT_TRUE(health_ready(&c, text));
	CU_ASSERT_STRING_EQUAL(text, "ok\n");
	c.st.writers_n = 3;
	CU_ASSERT_FALSE(health_ready(&c, text));
	CU_ASSERT_STRING_EQUAL(text, "writer redis (localhost) is down: Connection refused\n"
				     "writer csv#2 (/full/x.csv) is failed\n");
}

static uint64_t watch(struct stall *s, uint64_t records, uint64_t queued, unsigned second)
{
	struct ns_writer_rec w[] = {{.records = 5}, {.records = records, .queued = queued}};
	struct ns_engine_state st = {.writers = w, .writers_n = 2};

	return health_stalled(s, &health, &st, 100 * S + second * S);
}

static void standing_still(void)
{
	struct stall s = {0};

	CU_ASSERT_EQUAL(watch(&s, 10, 1, 0), 0);
	CU_ASSERT_EQUAL(watch(&s, 10, 1, 1), 0); /* since now */
	CU_ASSERT_EQUAL(watch(&s, 10, 3, 3), 0);
	CU_ASSERT_EQUAL(watch(&s, 10, 9, 4), 2);
	CU_ASSERT_EQUAL(watch(&s, 11, 9, 5), 0); /* it moves */
	CU_ASSERT_EQUAL(watch(&s, 11, 9, 6), 0);
	CU_ASSERT_EQUAL(watch(&s, 11, 0, 7), 0); /* it has nothing to do */
	CU_ASSERT_EQUAL(watch(&s, 11, 1, 10), 0);
	CU_ASSERT_EQUAL(watch(&s, 11, 1, 13), 2);

	struct ns_writer_rec w[] = {{.status = "ok"},
		{.name = "csv", .target = "/run/pipe", .status = "ok", .queued = 9}};
	struct copy c = {.st = {.writers = w, .writers_n = 2}, .stalled = 2};

	CU_ASSERT_FALSE(health_ready(&c, text));
	CU_ASSERT_STRING_EQUAL(text, "writer csv (/run/pipe) stands still: 9 batches wait\n");
}

/* Sixteen writers with all to say are more than the text holds: it is cut, not overrun. */
static void much_to_say(void)
{
	static struct ns_writer_rec w[40];
	struct copy c = {.st = {.writers = w, .writers_n = 40}};

	for (unsigned i = 0; i < 40; i++) {
		memset(w[i].message, 'm', sizeof(w[i].message) - 1);
		memset(w[i].target, 't', sizeof(w[i].target) - 1);
		strcpy(w[i].status, "down");
	}
	CU_ASSERT_FALSE(health_ready(&c, text));
	CU_ASSERT_EQUAL(strlen(text), HEALTH_TEXT - 1);
}

NS_TEST_MAIN({"epochs come", epochs_come}, {"epochs fail to come", epochs_fail_to_come},
	{"no epoch yet", no_epoch_yet}, {"short epochs", short_epochs}, {"stopped", stopped},
	{"paused", paused}, {"writers", writers}, {"standing still", standing_still},
	{"much to say", much_to_say})
