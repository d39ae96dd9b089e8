/* SPDX-License-Identifier: BSD-3-Clause */
#include "pace.h"

#include <ns_test.h>

#define T0 UINT64_C(1700000000000000000)
#define M0 UINT64_C(5000000000)

static void as_captured(void)
{
	struct pace p = {.how = PACE_SPEED, .speed = 1};

	pace_begin(&p, M0);
	CU_ASSERT_EQUAL(pace_due(&p, T0), M0);
	CU_ASSERT_EQUAL(pace_due(&p, T0 + 1), M0 + 1);
	CU_ASSERT_EQUAL(pace_due(&p, T0 + 7 * NS_SEC_NS), M0 + 7 * NS_SEC_NS);
	/* a month: to the nanosecond */
	CU_ASSERT_EQUAL(pace_due(&p, T0 + 2592000 * NS_SEC_NS + 3), M0 + 2592000 * NS_SEC_NS + 3);
}

static void faster_and_slower(void)
{
	struct pace p = {.how = PACE_SPEED, .speed = 4};

	pace_begin(&p, M0);
	pace_due(&p, T0);
	CU_ASSERT_EQUAL(pace_due(&p, T0 + 1000), M0 + 250);
	p = (struct pace){.how = PACE_SPEED, .speed = 0.5};
	pace_begin(&p, M0);
	pace_due(&p, T0);
	CU_ASSERT_EQUAL(pace_due(&p, T0 + 1000), M0 + 2000);
	p = (struct pace){.how = PACE_MAX};
	pace_begin(&p, M0);
	CU_ASSERT_EQUAL(pace_due(&p, T0 + NS_SEC_NS), PACE_AT_ONCE);
}

/* Files have packets out of order, and of the time before the first. */
static void never_back(void)
{
	struct pace p = {.how = PACE_SPEED, .speed = 1};

	pace_begin(&p, M0);
	pace_due(&p, T0);
	CU_ASSERT_EQUAL(pace_due(&p, T0 + 500), M0 + 500);
	CU_ASSERT_EQUAL(pace_due(&p, T0 + 400), M0 + 500);
	CU_ASSERT_EQUAL(pace_due(&p, T0 - 400), M0 + 500);
	CU_ASSERT_EQUAL(pace_due(&p, T0 + 600), M0 + 600);
}

/* A third of a nanosecond is no error that adds up: after 3 * 10^9 packets it is 10^9 seconds. */
static void packets_a_second(void)
{
	struct pace p = {.how = PACE_PPS, .pps = 3};

	pace_begin(&p, M0);
	CU_ASSERT_EQUAL(pace_due(&p, 0), M0);
	CU_ASSERT_EQUAL(pace_due(&p, 0), M0 + 333333333);
	CU_ASSERT_EQUAL(pace_due(&p, T0), M0 + 666666666);
	CU_ASSERT_EQUAL(pace_due(&p, 5), M0 + NS_SEC_NS);
	p.n = UINT64_C(3000000000);
	CU_ASSERT_EQUAL(pace_due(&p, 0), M0 + NS_SEC_NS * 1000000000);
	p = (struct pace){.how = PACE_PPS, .pps = 1000000000};
	pace_begin(&p, M0);
	for (unsigned i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(pace_due(&p, 0), M0 + i);
}

static void loops(void)
{
	struct pace p = {.how = PACE_SPEED, .speed = 2};

	pace_begin(&p, M0);
	pace_due(&p, T0);
	pace_due(&p, T0 + 1000);
	pace_loop(&p);
	CU_ASSERT_EQUAL(pace_due(&p, T0), M0 + 500);
	CU_ASSERT_EQUAL(pace_due(&p, T0 + 1000), M0 + 1000);
	p = (struct pace){.how = PACE_PPS, .pps = 10};
	pace_begin(&p, M0);
	pace_due(&p, T0);
	pace_loop(&p);
	CU_ASSERT_EQUAL(pace_due(&p, T0), M0 + NS_SEC_NS / 10);
}

NS_TEST_MAIN({"as captured", as_captured}, {"faster and slower", faster_and_slower},
	{"never back", never_back}, {"packets a second", packets_a_second}, {"loops", loops})
