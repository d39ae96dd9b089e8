/* SPDX-License-Identifier: BSD-3-Clause */
/* What the thread of a mirror does; see mirror.h. */
#include "mirror.h"

#include <ns_log.h>

#include <time.h>

NS_LOG_TYPE("engine");

#define NAP_NS 1000000
#define AT_ONCE 1024 /* packets between two looks at the time and at who asks for a stop */

static void set_status(struct mirror *m, enum mirror_status s)
{
	__atomic_store_n(&m->status, s, __ATOMIC_RELEASE);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

static void note_sent(struct mirror *m)
{
	struct ns_send_counts n;

	ns_send_counts(m->out, &n);
	ns_stat_set(&m->sent.sent, n.sent);
	ns_stat_set(&m->sent.octets, n.octets);
	ns_stat_set(&m->sent.full, n.full);
}

/* Sends what has come up to that time, not for ever; how many packets it took from the rings. */
static unsigned take(struct mirror *m, uint64_t until)
{
	const struct tap_rec *r;
	struct tap_ring *from = NULL;
	unsigned n = 0;

	while (n < AT_ONCE && (r = tap_merge_first(&m->merge, &from)) != NULL &&
		r->ts_ns <= until) {
		if (r->caplen < r->wirelen || ns_send_fits(m->out, r->data, r->caplen) < 0)
			ns_stat_add(&m->too_long, 1);
		else
			ns_send_put(m->out, r->data, r->caplen);
		tap_ring_drop(from, r);
		n++;
	}
	if (n > 0) {
		ns_send_flush(m->out);
		note_sent(m);
	}
	return n;
}

static void finish(struct mirror *m)
{
	tap_end(m->en, m->place);
	while (!tap_left(m->en, m->place))
		nap();
	while (take(m, UINT64_MAX) > 0)
		;
	tap_rings_empty(&m->tap, m->rings);
	note_sent(m);
	ns_send_close(m->out);
	m->end_mono = ns_clock_mono();
	tap_off(m->en, m->place);
	set_status(m, MIRROR_STOPPED);
}

void *mirror_thread(void *arg)
{
	struct mirror *m = arg;

	while (!__atomic_load_n(&m->begun, __ATOMIC_ACQUIRE))
		nap();
	while (!__atomic_load_n(&m->stop, __ATOMIC_ACQUIRE)) {
		if (take(m, tap_merge_horizon(&m->merge, ns_clock_mono())) == 0)
			nap();
	}
	set_status(m, MIRROR_ENDING);
	finish(m);
	NS_LOG(INFO, "mirror %u: %llu packets of port %s sent to port %s", m->id,
		(unsigned long long)m->sent.sent, m->from, m->to);
	return NULL;
}
