/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *	ended                                          then
 *	told to end, or said that it ends              end with its status
 *	with status 0                                  end with 0: its input is over
 *	by itself, before any run was ever ready       end with its status: a wrong call or
 *configuration otherwise                                      again, later and later, up to the
 *limit
 */
#include "policy.h"

#include <sys/wait.h>

int policy_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static struct verdict end(int status, const char *why)
{
	return (struct verdict){.status = status, .why = why};
}

struct verdict policy_decide(struct policy *p, const struct run_end *r)
{
	int status = policy_status(r->status);
	uint64_t delay;

	p->was_ready |= r->ready;
	if (r->asked && !r->killed)
		return end(status, "it was told to end");
	if (r->asked)
		return end(status, "it was told to end and did not");
	if (status == 0)
		return end(0, "it has ended by itself");
	if (!p->was_ready && !r->killed && WIFEXITED(r->status))
		return end(status, "it does not start");
	if (r->ready && r->ready_ns >= p->steady_ns)
		p->failed = 0;
	if (p->failed == p->limit)
		return end(status, "it failed too often");
	delay = p->first_ns;
	for (unsigned i = 0; i < p->failed && delay < p->longest_ns; i++)
		delay *= 2;
	p->failed++;
	return (struct verdict){.again = true, .delay_ns = NS_MIN(delay, p->longest_ns)};
}
