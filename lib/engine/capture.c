/* SPDX-License-Identifier: BSD-3-Clause */
/* What the thread of a capture does; see capture.h. */
#include "capture.h"

#include <ns_log.h>

#include <string.h>
#include <time.h>

NS_LOG_TYPE("engine");

#define NAP_NS 1000000
#define AT_ONCE 1024 /* packets between two looks at the time and at who asks for a stop */
#define FLUSH_NS (NS_SEC_NS / 2)

static bool asked_to_stop(const struct capture *c)
{
	return __atomic_load_n(&c->stop, __ATOMIC_ACQUIRE);
}

static void set_status(struct capture *c, enum capture_status s)
{
	__atomic_store_n(&c->status, s, __ATOMIC_RELEASE);
}

/* Writes the record, if no limit keeps it out; 0 or -errno. */
static int put(struct capture *c, const struct tap_rec *r)
{
	uint64_t packets, octets;
	int rc = capture_file_put(c->file, r, c->octets_max, &c->full);

	if (rc < 0 || c->full)
		return rc;
	capture_file_sizes(c->file, &packets, &octets);
	ns_stat_set(&c->packets, packets);
	ns_stat_set(&c->octets, octets);
	c->full = c->packets_max > 0 && packets >= c->packets_max;
	return 0;
}

/* Writes what has come up to that time, not for ever; how many packets. *rc: 0 or -errno. */
static unsigned take(struct capture *c, uint64_t until, int *rc)
{
	const struct tap_rec *r;
	struct tap_ring *from = NULL;
	unsigned n = 0;

	while (n < AT_ONCE && !c->full && (r = tap_merge_first(&c->merge, &from)) != NULL &&
		r->ts_ns <= until) {
		uint64_t before = c->packets;

		*rc = put(c, r);
		if (*rc < 0 || c->packets == before)
			break; /* it stays, and is counted by drain() */
		tap_ring_drop(from, r);
		n++;
	}
	return n;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

/* Until it is asked to end, or a limit is reached; 0, or -errno of the file. */
static int run(struct capture *c)
{
	uint64_t flushed = c->start_mono;
	int rc = 0;

	while (rc == 0 && !asked_to_stop(c) && !c->full) {
		uint64_t now = ns_clock_mono();

		if (c->seconds > 0 && now - c->start_mono >= c->seconds * NS_SEC_NS) {
			c->late = true;
			break;
		}
		bool any = take(c, tap_merge_horizon(&c->merge, now), &rc) > 0;

		if (rc == 0 && now - flushed > FLUSH_NS) {
			rc = capture_file_flush(c->file);
			flushed = now;
		}
		if (!any)
			nap();
	}
	return rc;
}

/* Nobody copies any more; what was copied in time is written, the rest counted. 0 or -errno. */
static int drain(struct capture *c, int rc)
{
	const struct tap_rec *r;
	struct tap_ring *from = NULL;

	tap_end(c->en, c->place);
	while (!tap_left(c->en, c->place))
		nap();
	while (rc == 0 && take(c, UINT64_MAX, &rc) > 0)
		;
	while ((r = tap_merge_first(&c->merge, &from)) != NULL) {
		ns_stat_add(rc < 0 ? &c->lost : &c->beyond, 1);
		tap_ring_drop(from, r);
	}
	tap_rings_empty(&c->tap, c->rings);
	return rc;
}

static void finish(struct capture *c)
{
	uint64_t before = c->packets, packets, octets;
	int end = capture_file_end(c->file, c, &c->err);

	capture_file_sizes(c->file, &packets, &octets);
	/* counted when they went into its buffer, but the file did not take them */
	ns_stat_add(&c->lost, before - packets);
	ns_stat_set(&c->packets, packets);
	ns_stat_set(&c->octets, octets);
	capture_file_destroy(c->file);
	c->file = NULL;
	c->end_mono = ns_clock_mono();
	tap_off(c->en, c->place);
	if (end < 0)
		NS_LOG(ERR, "capture %u: %s", c->id, c->err.text);
	set_status(c, end < 0              ? CAPTURE_FAILED
		      : c->full || c->late ? CAPTURE_DONE
					   : CAPTURE_STOPPED);
}

void *capture_thread(void *arg)
{
	struct capture *c = arg;

	while (!__atomic_load_n(&c->begun, __ATOMIC_ACQUIRE))
		nap();
	int rc = run(c);

	set_status(c, CAPTURE_ENDING);
	drain(c, rc);
	finish(c);
	return NULL;
}
