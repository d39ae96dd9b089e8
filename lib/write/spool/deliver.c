/* SPDX-License-Identifier: BSD-3-Clause */
/* The delivery thread: from the spool to the other writer, until that says that it has it. */
#include "spool_writer.h"

#include <ns_log.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

NS_LOG_TYPE("write.spool");

#define FLUSH_RECORDS 5000
#define FLUSH_NS (NS_SEC_NS / 5)
#define NAP_NS (NS_SEC_NS / 500)
#define IDLE_NS (NS_SEC_NS / 100)
#define WAIT_MIN_NS (NS_SEC_NS / 20)
#define WAIT_MAX_NS (5 * NS_SEC_NS)

static bool told_to_stop(const struct ns_writer *w)
{
	return __atomic_load_n(&w->stop, __ATOMIC_ACQUIRE);
}

static void nap(struct ns_writer *w)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
	ns_stat_set(&w->stats.lost, spool_lost(w));
}

uint64_t spool_lost(const struct ns_writer *w)
{
	const struct ns_writer_stats *inner =
		w->inner != NULL && w->ops->stats != NULL ? w->ops->stats(w->inner) : NULL;
	struct ns_spool_decoded d;
	struct ns_spool_stats s;

	ns_spool_stats(w->sp, &s);
	ns_spool_decoded(w->decoder, &d);
	return s.full + s.damaged + s.no_space + s.too_large + d.skipped +
	       ns_stat_get(&w->n_no_layout) + (inner != NULL ? ns_stat_get(&inner->lost) : 0);
}

/* The message first: who sees down reads it. */
static void down(struct ns_writer *w, const struct ns_err *e)
{
	if (w->stats.down != 0)
		return;
	snprintf(w->stats.message, sizeof(w->stats.message), "%.127s", e->text);
	__atomic_store_n(&w->stats.down, 1, __ATOMIC_RELEASE);
	NS_LOG(WARNING, "%s: %s; its records wait in %s", w->name, e->text, w->path);
}

static void up(struct ns_writer *w)
{
	w->wait_ns = 0;
	if (w->stats.down == 0)
		return;
	__atomic_store_n(&w->stats.down, 0, __ATOMIC_RELEASE);
	ns_stat_add(&w->stats.reconnects, 1);
	NS_LOG(NOTICE, "%s: takes records again", w->name);
}

static void fail(struct ns_writer *w, const struct ns_err *e)
{
	w->err = *e;
	down(w, e);
	__atomic_store_n(&w->failed, true, __ATOMIC_RELEASE);
	NS_LOG(ERR, "%s: failed; its records wait in %s for the next start", w->name, w->path);
}

/* All that was given since the last flush will be given again. */
static void trouble(struct ns_writer *w, int rc, const struct ns_err *e)
{
	ns_spool_rewind(w->sp);
	w->given = w->given_ns = 0;
	if (rc != -EAGAIN) {
		fail(w, e);
		return;
	}
	down(w, e);
	w->wait_ns = NS_MIN(NS_MAX(2 * w->wait_ns, WAIT_MIN_NS), WAIT_MAX_NS);
}

int spool_inner_open(struct ns_writer *w, struct ns_err *e)
{
	static const int later[] = {EAGAIN, EBUSY, ENOSPC, EDQUOT, ENOMEM, ECONNREFUSED, ETIMEDOUT,
		EHOSTUNREACH, ENETUNREACH};

	errno = 0;
	w->inner = ns_writer_open(w->args.target, &w->args, &w->ops, e);
	if (w->inner != NULL)
		return 0;
	for (size_t i = 0; i < NS_ARRAY_LEN(later); i++) {
		if (errno == later[i])
			return ns_errno_set(EAGAIN);
	}
	return ns_errno_set(errno != 0 ? errno : EINVAL);
}

static void flush(struct ns_writer *w)
{
	struct ns_err e = {""};
	int rc;

	if (w->given_ns == 0)
		return;
	rc = w->ops->flush(w->inner, &e);
	if (rc < 0) {
		trouble(w, rc, &e);
		return;
	}
	if (ns_spool_commit(w->sp) < 0)
		NS_LOG(WARNING, "%s: how far it is can't be kept: %s", w->path, strerror(errno));
	w->given = w->given_ns = 0;
	w->moved_ns = ns_clock_mono();
	up(w);
}

static void give(struct ns_writer *w, const struct ns_spool_entry *x)
{
	struct ns_err e = {""};
	struct ns_batch b;
	int rc = ns_spool_get(w->decoder, x, &b);

	if (w->given_ns == 0)
		w->given_ns = ns_clock_mono();
	w->given += x->records;
	if (rc < 0) {
		ns_fail(&e, ENOMEM, "no memory for records");
		trouble(w, -EAGAIN, &e);
		return;
	}
	if (rc > 0) {
		rc = w->ops->put(w->inner, &b, &e);
		if (rc < 0) {
			trouble(w, rc, &e);
			return;
		}
	}
	if (w->given >= FLUSH_RECORDS)
		flush(w);
}

static void step(struct ns_writer *w, bool last)
{
	struct ns_spool_entry x;
	struct ns_err e = {""};
	int rc = ns_spool_read(w->sp, &x);

	if (rc < 0) {
		ns_fail(&e, EAGAIN, "%s: %s", w->path, strerror(-rc));
		trouble(w, -EAGAIN, &e);
	} else if (rc > 0) {
		give(w, &x);
	}
	/* trouble leaves nothing given */
	if (w->given_ns != 0 && (ns_clock_mono() - w->given_ns >= FLUSH_NS || (last && rc == 0)))
		flush(w);
	w->drained = rc == 0 && w->given_ns == 0 && w->wait_ns == 0;
	if (rc == 0 && !last)
		nap(w);
}

/* Waits as long as trouble says, but not when there is nothing more to wait for. */
static void wait(struct ns_writer *w)
{
	uint64_t until = ns_clock_mono() + w->wait_ns;
	bool last = told_to_stop(w);

	while (ns_clock_mono() < until && told_to_stop(w) == last)
		nap(w);
}

static void look_after(struct ns_writer *w)
{
	uint64_t now = ns_clock_mono();

	if (w->inner == NULL || w->ops->idle == NULL || now < w->idle_ns)
		return;
	w->idle_ns = now + IDLE_NS;
	w->ops->idle(w->inner);
}

/* One try. */
static void go_on(struct ns_writer *w, bool last)
{
	struct ns_err e = {""};
	int rc = 0;

	w->drained = false;
	if (w->wait_ns > 0)
		wait(w);
	if (w->inner == NULL) {
		rc = spool_inner_open(w, &e);
		if (rc < 0)
			trouble(w, rc, &e);
	}
	if (rc == 0) {
		look_after(w);
		step(w, last);
	}
}

/*
 * Told to stop: a file's records are delivered as long as they are taken; a live engine stops in
 * time, and what is left waits for its next start.
 */
static bool over(const struct ns_writer *w, uint64_t since)
{
	uint64_t now = ns_clock_mono();

	if (w->drained || w->failed)
		return true;
	if (w->args.live)
		return now - since >= w->linger_ns;
	return w->wait_ns > 0 && now - NS_MAX(since, w->moved_ns) >= w->linger_ns;
}

void *spool_deliver(void *arg)
{
	struct ns_writer *w = arg;
	uint64_t since = 0; /* told to stop */
	bool last;

	do {
		last = told_to_stop(w);
		if (last && since == 0)
			since = ns_clock_mono();
		if (w->failed)
			nap(w);
		else
			go_on(w, last);
	} while (!last || !over(w, since));
	if (!w->failed && w->inner != NULL)
		flush(w);
	return NULL;
}
