/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tasks a packet goes to: for one packet what run.c decides for a burst. */
#include "task_priv.h"

static bool wants(const struct task_feed *f, const struct rte_mbuf *m)
{
	const struct ns_packet *p = ns_packet((struct rte_mbuf *)(uintptr_t)m);
	bool in_flow = (p->flow & NS_PKT_FLOW) != 0;

	if (f->of != NS_TASK_OF_PACKETS)
		return false;
	if (f->once ? (p->flow & NS_PKT_FLOW_FIRST) == 0
		    : !in_flow && (!f->any || (p->flags & NS_PKT_IP) != 0))
		return false;
	return f->when == NULL || task_when_match(f->when, m);
}

static uint64_t bit_of(const struct ns_tasks *ts, const struct ns_task_build *task)
{
	for (unsigned i = 0; i < NS_MIN(ts->tasks_n, 64u); i++) {
		if (ts->tasks[i] == task)
			return UINT64_C(1) << i;
	}
	return 0;
}

uint64_t ns_tasks_of_packet(const struct ns_tasks *ts, const struct rte_mbuf *m)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < ts->feeds_n; i++) {
		const struct task_feed *f = &ts->feeds[i];

		for (unsigned k = 0; wants(f, m) && k < f->tasks_n; k++)
			bits |= bit_of(ts, f->tasks[k]);
	}
	return bits;
}
