/* SPDX-License-Identifier: BSD-3-Clause */
/* What the thread of a replay does; see replay_priv.h. */
#include "replay_priv.h"

#include <ns_decode.h>
#include <ns_engine.h>
#include <ns_log.h>

#include <rte_mbuf.h>
#include <rte_pause.h>

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

NS_LOG_TYPE("replay");

/*
 * A sleeping thread is woken some 60 µs late, on a busy machine more: the last of it is spent
 * looking at the clock.
 */
#define SPIN_NS 60000
#define SLEEP_NS (NS_SEC_NS / 20) /* between two looks at who asks for the end */
#define LOOK_NS (NS_SEC_NS / 5) /* between two looks at the quantiles */

static bool asked_to_stop(const struct replay *r)
{
	return __atomic_load_n(&r->stop, __ATOMIC_ACQUIRE) || ns_engine_stopping(r->en);
}

static void look(struct replay *r, uint64_t now)
{
	static const double p[] = {0.5, 0.99};
	struct ns_send_counts n;
	double v[2];

	ns_send_counts(r->out, &n);
	ns_stat_set(&r->sent.sent, n.sent);
	ns_stat_set(&r->sent.octets, n.octets);
	ns_stat_set(&r->sent.full, n.full);
	ns_quantile_values(r->late, p, v, 2);
	ns_stat_set(&r->late_p50_ns, (uint64_t)v[0]);
	ns_stat_set(&r->late_p99_ns, (uint64_t)v[1]);
	ns_stat_set(&r->late_max_ns, ns_quantile_max(r->late));
	r->looked_ns = now;
}

/* How late packets are is known when they go. */
static void flush(struct replay *r)
{
	uint64_t now = ns_clock_mono();

	for (unsigned i = 0; i < r->due_n && r->pace.how != PACE_MAX; i++)
		ns_quantile_add(r->late, now > r->due[i] ? now - r->due[i] : 0);
	r->due_n = 0;
	ns_send_flush(r->out);
	if (now - r->looked_ns > LOOK_NS)
		look(r, now);
}

/* Until then, or until somebody asks for the end: false. */
static bool wait_until(const struct replay *r, uint64_t due)
{
	for (;;) {
		uint64_t now = ns_clock_mono();

		if (now >= due)
			return true;
		if (asked_to_stop(r))
			return false;
		if (due - now <= SPIN_NS) {
			rte_pause();
			continue;
		}
		uint64_t until = NS_MIN(due - SPIN_NS, now + SLEEP_NS);
		struct timespec t = {.tv_sec = (time_t)(until / NS_SEC_NS),
			.tv_nsec = (long)(until % NS_SEC_NS)};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	}
}

/* Whether the port takes such a packet; if not, it is counted. */
static bool good(struct replay *r, const struct ns_packet *p, const uint8_t *data)
{
	uint64_t *skipped = NULL;

	if (p->linktype != NS_LINKTYPE_ETHERNET)
		skipped = &r->other;
	else if (p->caplen < p->wirelen && !r->cut)
		skipped = &r->skipped_cut;
	else
		switch (ns_send_fits(r->out, data, p->caplen)) {
		case 0:
			return true;
		case -EMSGSIZE:
			skipped = &r->too_long;
			break;
		default:
			skipped = &r->too_short;
		}
	ns_stat_add(skipped, 1);
	return false;
}

/* Sends one when it is due; false: the end was asked for. */
static bool send_one(struct replay *r, struct rte_mbuf *m)
{
	const struct ns_packet *p = ns_packet(m);
	const uint8_t *data = ns_packet_data(m);
	uint64_t due = pace_due(&r->pace, p->ts_ns);

	if (r->due_n == NS_SEND_BURST || (due != PACE_AT_ONCE && due > ns_clock_mono())) {
		flush(r);
		/* who waits for long does not look by the way */
		if (due > r->looked_ns + LOOK_NS)
			look(r, ns_clock_mono());
		if (!wait_until(r, due))
			return false;
	}
	/* a packet that is skipped has its time, too */
	ns_stat_add(&r->packets, 1);
	if (!good(r, p, data))
		return true;
	ns_send_put(r->out, data, p->caplen);
	r->due[r->due_n++] = due;
	return true;
}

/* The packets of a burst are the source's again when the next is asked for. */
static bool send_burst(struct replay *r)
{
	bool goes_on = !asked_to_stop(r);

	for (uint16_t i = 0; goes_on && i < r->burst_n; i++)
		goes_on = send_one(r, r->burst[i]);
	r->ops->release(r->source, r->burst, r->burst_n);
	r->burst_n = 0;
	return goes_on;
}

/* The next packets; false: there are none any more. */
static bool read_burst(struct replay *r)
{
	while (r->burst_n == 0 && r->ops->status(r->source) == NS_SOURCE_MORE)
		r->burst_n = r->ops->burst(r->source, 0, r->burst, NS_BURST);
	return r->burst_n > 0;
}

/* What the source says of a damaged file, in one line, and how far it could be read. */
static int damaged(struct replay *r, struct ns_err *e)
{
	const char *text = r->ops->message(r->source);

	return ns_fail(e, EBADMSG, "%.*s; packet %llu can't be read",
		(int)NS_MIN(strcspn(text, "\n"), 400u), text, (unsigned long long)(r->packets + 1));
}

int replay_open(struct replay *r, struct ns_err *e)
{
	const char *path = r->path;
	struct ns_source_args args = {.targets = &path, .targets_n = 1, .pool = r->pool};

	r->source = r->ops->open(&args, e);
	if (r->source == NULL)
		return -errno;
	if (!read_burst(r))
		return r->ops->status(r->source) == NS_SOURCE_DAMAGED
			       ? damaged(r, e)
			       : ns_fail(e, ENODATA, "%s: has no packets", path);
	unsigned type = ns_packet(r->burst[0])->linktype;
	const char *name = ns_linktype_name((uint16_t)type);

	if (type == NS_LINKTYPE_ETHERNET)
		return 0;
	return ns_fail(e, EPROTONOSUPPORT,
		"%s: its packets are of link type %s (%u); only Ethernet frames can be sent", path,
		name != NULL ? name : "unknown", type);
}

/* One time through the file; false: that was the last. */
static bool once(struct replay *r, enum replay_status *end)
{
	bool goes_on = true;

	while (goes_on && read_burst(r))
		goes_on = send_burst(r);
	if (!goes_on)
		*end = REPLAY_STOPPED;
	else if (r->ops->status(r->source) == NS_SOURCE_DAMAGED) {
		damaged(r, &r->err);
		*end = REPLAY_FAILED;
	} else if (r->loop == r->loops)
		*end = REPLAY_DONE;
	else
		return true;
	return false;
}

static enum replay_status all(struct replay *r)
{
	enum replay_status end = REPLAY_FAILED;

	pace_begin(&r->pace, ns_clock_mono());
	ns_stat_set(&r->start_mono, r->pace.start_ns);
	for (ns_stat_set(&r->loop, 1); once(r, &end); ns_stat_add(&r->loop, 1)) {
		r->ops->close(r->source);
		pace_loop(&r->pace);
		if (replay_open(r, &r->err) < 0)
			return REPLAY_FAILED;
	}
	return end;
}

void *replay_thread(void *arg)
{
	struct replay *r = arg;

	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	enum replay_status end = all(r);

	flush(r);
	ns_stat_set(&r->end_mono, ns_clock_mono());
	look(r, r->end_mono);
	ns_send_close(r->out);
	if (end == REPLAY_FAILED)
		NS_LOG(ERR, "replay %u: %s", r->id, r->err.text);
	NS_LOG(INFO, "replay %u: %llu packets sent to port %s in %.3f s", r->id,
		(unsigned long long)r->sent.sent, r->to,
		(double)(r->end_mono - r->start_mono) / 1e9);
	__atomic_store_n(&r->status, end, __ATOMIC_RELEASE);
	return NULL;
}
