/* SPDX-License-Identifier: BSD-3-Clause */
/* What users of taps share; see tap_merge.h. */
#include "tap_merge.h"

#include <signal.h>
#include <string.h>

#define WINDOW_NS                                                                      \
	UINT64_C(20000000) /* packets of different lcores are put in order within that \
			    */
#define BUFFER_MAX (UINT64_C(1) << 32)
#define BUFFER_DEFAULT (UINT64_C(1) << 24)

void tap_merge_init(struct tap_merge *m, struct tap *tap, unsigned rings)
{
	*m = (struct tap_merge){.tap = tap, .rings = rings, .newest_mono = ns_clock_mono()};
}

const struct tap_rec *tap_merge_first(struct tap_merge *m, struct tap_ring **from)
{
	const struct tap_rec *best = NULL;

	for (unsigned i = 0; i < m->rings; i++) {
		const struct tap_rec *r = tap_ring_first(&m->tap->rings[i]);

		if (r != NULL && (best == NULL || r->ts_ns < best->ts_ns)) {
			best = r;
			*from = &m->tap->rings[i];
		}
	}
	return best;
}

uint64_t tap_merge_horizon(struct tap_merge *m, uint64_t now)
{
	uint64_t newest = 0;
	bool crowded = m->rings == 1;

	for (unsigned i = 0; i < m->rings; i++) {
		const struct tap_ring *r = &m->tap->rings[i];

		newest = NS_MAX(newest, ns_stat_get(&r->newest_ns));
		crowded = crowded || tap_ring_used(r) > r->size / 2;
	}
	if (newest != m->newest_ns) {
		m->newest_ns = newest;
		m->newest_mono = now;
	}
	if (crowded || now - m->newest_mono > WINDOW_NS)
		return UINT64_MAX;
	return newest > WINDOW_NS ? newest - WINDOW_NS : 0;
}

int tap_rings_make(
	struct ns_engine *en, struct tap *t, uint64_t octets, unsigned *rings, struct ns_err *e)
{
	uint64_t size = TAP_BUFFER_MIN, want = octets == 0 ? BUFFER_DEFAULT : octets;

	if (want > BUFFER_MAX)
		return ns_fail(e, EINVAL, "buffer: %llu octets; at most %llu",
			(unsigned long long)want, (unsigned long long)BUFFER_MAX);
	while (size < want)
		size *= 2;
	*rings = en->rtc ? en->workers : en->rx;
	if (tap_rings_create(t, *rings, size) < 0)
		return ns_fail(e, ENOMEM, "no memory for %u buffers of %llu octets", *rings,
			(unsigned long long)size);
	return 0;
}

int tap_thread(pthread_t *thread, void *(*run)(void *arg), void *arg, struct ns_err *e)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(thread, NULL, run, arg);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? 0 : ns_fail(e, rc, "no thread: %s", strerror(rc));
}

void tap_sums(const struct tap *t, unsigned rings, struct tap_count *sum)
{
	*sum = (struct tap_count){0};
	for (unsigned i = 0; i < rings; i++) {
		for (unsigned p = 0; p < TAP_PORTS; p++) {
			const struct tap_count *n = &t->rings[i].count[p];

			sum->seen += ns_stat_get(&n->seen);
			sum->matched += ns_stat_get(&n->matched);
			sum->missed += ns_stat_get(&n->missed);
		}
	}
}
