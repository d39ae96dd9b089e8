/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test.h"
#include "policy.h"

#include <signal.h>

#define EXITED(n) ((n) << 8)
#define MS (NS_SEC_NS / 1000)

static const struct policy fresh = {
	.limit = 4, .first_ns = 100 * MS, .longest_ns = 500 * MS, .steady_ns = 60 * NS_SEC_NS};

static void ends(struct policy p, struct run_end r, int status)
{
	struct verdict v = policy_decide(&p, &r);

	CU_ASSERT_FALSE(v.again);
	CU_ASSERT_EQUAL(v.status, status);
	CU_ASSERT_PTR_NOT_NULL(v.why);
}

static void ending(void)
{
	ends(fresh, (struct run_end){.status = EXITED(0), .ready = true}, 0);
	ends(fresh, (struct run_end){.status = EXITED(0)}, 0);
	ends(fresh, (struct run_end){.status = EXITED(1)}, 1);
	ends(fresh, (struct run_end){.status = EXITED(3), .ready = true, .asked = true}, 3);
	ends(fresh, (struct run_end){.status = SIGTERM, .asked = true}, 128 + SIGTERM);
	ends(fresh, (struct run_end){.status = SIGKILL, .asked = true, .killed = true},
		128 + SIGKILL);
}

/* What once was ready may fail to start for a while: a port that is not free yet. */
static void again(void)
{
	struct policy p = fresh;
	struct run_end crash = {.status = SIGSEGV, .ready = true};
	struct run_end no_start = {.status = EXITED(1)};
	const uint64_t delays[] = {100 * MS, 200 * MS, 400 * MS, 500 * MS};

	for (unsigned i = 0; i < 4; i++) {
		struct verdict v = policy_decide(&p, i == 0 ? &crash : &no_start);

		CU_ASSERT_TRUE(v.again);
		CU_ASSERT_EQUAL(v.delay_ns, delays[i]);
	}
	ends(p, no_start, 1);
	ends(p, crash, 128 + SIGSEGV);
	/* long enough without a fault: the count begins anew */
	crash.ready_ns = 60 * NS_SEC_NS;
	struct verdict v = policy_decide(&p, &crash);

	CU_ASSERT_TRUE(v.again);
	CU_ASSERT_EQUAL(v.delay_ns, 100 * MS);
}

/* Killed by a signal, or by us, before it was ready: not its configuration's fault for certain. */
static void crash_at_start(void)
{
	struct policy p = fresh, q = fresh;

	CU_ASSERT_TRUE(policy_decide(&p, &(struct run_end){.status = SIGBUS}).again);
	CU_ASSERT_TRUE(
		policy_decide(&q, &(struct run_end){.status = SIGKILL, .killed = true}).again);
	q.limit = 0;
	q.failed = 0;
	ends(q, (struct run_end){.status = SIGKILL, .killed = true}, 128 + SIGKILL);
}

NS_TEST_MAIN({"ending", ending}, {"again", again}, {"crash at start", crash_at_start})
