/* SPDX-License-Identifier: BSD-3-Clause */
/* See pause.h. Main thread. */
#include "pause.h"

#include <time.h>

bool engine_paused(const struct lcore *l)
{
	uint32_t pause = l->en->pause;

	return (pause & 1) != 0 && __atomic_load_n(&l->pause_seen, __ATOMIC_ACQUIRE) == pause;
}

static unsigned still_reading(const struct ns_engine *en)
{
	unsigned n = 0;

	for (unsigned i = 0; i < en->lcores_n; i++) {
		const struct lcore *l = &en->lcores[i];

		n += l->role != ROLE_ANALYSIS && !__atomic_load_n(&l->done, __ATOMIC_ACQUIRE) &&
		     !engine_paused(l);
	}
	return n;
}

static uint64_t ports_missed(const struct ns_engine *en)
{
	struct ns_source_stats s = {0};

	en->sops->stats(en->source, &s);
	return s.imissed + s.rx_nombuf;
}

bool ns_engine_paused(const struct ns_engine *en)
{
	return (en->pause & 1) != 0;
}

int ns_engine_pause(struct ns_engine *en, unsigned wait_ms, unsigned *reading, struct ns_err *e)
{
	if (!en->live || en->phase != PHASE_READING || ns_engine_stopping(en))
		return ns_fail(e, ENOTSUP, "the engine reads no ports");
	if (ns_engine_paused(en))
		return ns_fail(e, EALREADY, "ports are not read already (\"start\" reads them)");
	__atomic_store_n(&en->pause, en->pause + 1, __ATOMIC_RELEASE);
	for (; (*reading = still_reading(en)) > 0 && wait_ms > 0; wait_ms--)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	en->paused_missed = ports_missed(en);
	return 0;
}

int ns_engine_resume(struct ns_engine *en, uint64_t *missed, struct ns_err *e)
{
	if (!ns_engine_paused(en))
		return ns_fail(e, EALREADY, "ports are read already");
	*missed = ports_missed(en) - en->paused_missed;
	engine_pause_over(en);
	return 0;
}

void engine_pause_over(struct ns_engine *en)
{
	if (ns_engine_paused(en))
		__atomic_store_n(&en->pause, en->pause + 1, __ATOMIC_RELEASE);
}
