/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sinks: writers, and the program's own consumer, each on an ordinary thread that takes batches
 * from the rings that producer.c fills. See sink.h.
 */
#include "engine_priv.h"

#include <ns_log.h>

#include <rte_ring.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

NS_LOG_TYPE("engine");

static void fail(struct sink *s)
{
	__atomic_store_n(&s->failed, true, __ATOMIC_RELEASE);
	NS_LOG(ERR, "writer %s: %s", s->spec, s->err.text);
}

static void put(struct sink *s, struct ns_batch *b)
{
	if (s->own != NULL) {
		s->own->put(s->own->ctx, b);
		ns_stat_add(&s->records, b->n);
	} else if (s->failed) {
		ns_stat_add(&s->lost, b->n);
	} else if (s->ops->put(s->writer, b, &s->err) < 0) {
		ns_stat_add(&s->lost, b->n);
		fail(s);
	} else {
		ns_stat_add(&s->records, b->n);
	}
	if (__atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		engine_blob_free(s->en, b);
		rte_ring_mp_enqueue(s->en->producers[b->owner].free, b);
	}
}

#define IDLE_NS 10000000

/* What a writer does by the clock, busy or not. */
static void look_after(struct sink *s, uint64_t *next_ns)
{
	uint64_t now;

	if (s->own != NULL || s->failed || s->ops->idle == NULL)
		return;
	now = ns_clock_mono();
	if (now < *next_ns)
		return;
	*next_ns = now + IDLE_NS;
	s->ops->idle(s->writer);
}

static unsigned take_all(struct sink *s, uint64_t *next_ns)
{
	unsigned n = 0;

	for (unsigned w = 0; w <= s->en->workers; w++) {
		void *b;

		while (rte_ring_sc_dequeue(s->en->producers[w].to[s->index], &b) == 0) {
			put(s, b);
			n++;
			look_after(s, next_ns);
		}
	}
	return n;
}

#define NAP_NS 200000
#define NAP_LONG_NS 1600000
#define IDLE_FLUSH_NS 500000000

/*
 * Live, a nap must be over before the batches are full: what comes then is lost. Of a file nothing
 * is lost, and who finds nothing to write for long need not look so often.
 */
static void nap(const struct sink *s, uint64_t *idle_ns)
{
	uint64_t ns = NAP_NS;

	if (!s->en->live)
		ns = NS_MIN(NS_MAX(*idle_ns, ns), (uint64_t)NAP_LONG_NS);
	nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
	*idle_ns += ns;
}

/* Closes the writer; its numbers go with it. */
static void finish(struct sink *s)
{
	const struct ns_writer_stats *w;
	struct ns_err err;

	if (s->writer == NULL)
		return;
	w = s->ops->stats != NULL ? s->ops->stats(s->writer) : NULL;
	s->octets_then = w != NULL ? ns_stat_get(&w->octets) : 0;
	s->lost_then = w != NULL ? ns_stat_get(&w->lost) : 0;
	if (s->ops->close(s->writer, &err) < 0 && !s->failed) {
		s->err = err;
		fail(s);
	}
	s->writer = NULL;
}

static void *sink_main(void *arg)
{
	struct sink *s = arg;
	uint64_t idle_ns = 0, next_ns = 0;
	bool dirty = false;

	for (;;) {
		bool over = __atomic_load_n(&s->over, __ATOMIC_ACQUIRE);
		bool last = over || __atomic_load_n(&s->en->producers_done, __ATOMIC_ACQUIRE);

		if (take_all(s, &next_ns) > 0) {
			idle_ns = 0;
			dirty = true;
			continue;
		}
		if (over) {
			finish(s);
			__atomic_store_n(&s->ended, true, __ATOMIC_RELEASE);
			engine_wake(s->en);
		}
		if (last)
			break;
		nap(s, &idle_ns);
		look_after(s, &next_ns);
		if (idle_ns < IDLE_FLUSH_NS || !dirty || s->own != NULL || s->failed)
			continue;
		dirty = false;
		if (s->ops->flush(s->writer, &s->err) < 0)
			fail(s);
	}
	return NULL;
}

static int start(struct sink *s, struct ns_err *e)
{
	sigset_t all, old;

	/* signals are the main thread's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&s->thread, NULL, sink_main, s);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return ns_fail(e, rc, "no thread for writer %s: %s", s->spec, strerror(rc));
	s->started = true;
	return 0;
}

void engine_sink_sums(const struct sink *s, uint64_t *given, uint64_t *lost)
{
	uint64_t to = 0, not_to = 0;

	for (unsigned w = 0; w <= s->en->workers; w++) {
		to += ns_stat_get(&s->en->producers[w].given[s->index]);
		not_to += ns_stat_get(&s->en->producers[w].lost[s->index]);
	}
	*given = to - s->given_before;
	*lost = not_to - s->lost_before;
}

/* Whether one of those that there will be has that name. */
static bool is_taken(const struct ns_engine *en, const struct roster *r, const char *name)
{
	for (unsigned i = 0; i < r->n; i++) {
		const struct sink *s = &en->sinks[r->of[i].place];

		if (s->use == SINK_OPEN && strcmp(s->name, name) == 0)
			return true;
	}
	return false;
}

static void name(const struct ns_engine *en, const struct roster *r, struct sink *s)
{
	int len = (int)NS_MIN(strcspn(s->spec, "@:"), sizeof(s->name) - 16);

	snprintf(s->name, sizeof(s->name), "%.*s", len, s->spec);
	for (unsigned n = 2; is_taken(en, r, s->name); n++)
		snprintf(s->name, sizeof(s->name), "%.*s#%u", len, s->spec, n);
}

static int open_writer(
	struct ns_engine *en, struct sink *s, const struct ns_conf *conf, struct ns_err *e)
{
	struct ns_writer_args args = {
		.conf = conf, .live = en->live, .epoch_ms = en->conf->epoch_ms};

	s->writer = ns_writer_open(s->spec, &args, &s->ops, e);
	return s->writer != NULL ? 0 : ns_errno_set(errno != 0 ? errno : EINVAL);
}

int engine_sink_open(struct ns_engine *en, const struct roster *r, unsigned i,
	const struct ns_conf *conf, struct ns_err *e)
{
	const struct seat *seat = &r->of[i];
	struct sink *s = &en->sinks[seat->place];
	int rc = 0;

	for (unsigned w = 0; rc == 0 && w <= en->workers; w++)
		rc = engine_producer_place(en, w, seat->place);
	if (rc < 0)
		return ns_fail(e, ENOMEM, "no memory for record batches");
	*s = (struct sink){.en = en, .index = seat->place, .configured = seat->configured};
	s->spec = seat->spec != NULL ? seat->spec : "report";
	s->conf = conf;
	if (seat->spec != NULL)
		rc = open_writer(en, s, conf, e);
	else
		s->own = en->args.sink;
	engine_sink_sums(s, &s->given_before, &s->lost_before);
	name(en, r, s);
	if (rc == 0)
		rc = start(s, e);
	if (rc == 0)
		s->use = SINK_OPEN;
	else
		finish(s);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

/* Octets of the largest record that control has, or may have when tasks change. */
size_t engine_row_max(const struct ns_engine *en)
{
	size_t most = NS_MAX(sizeof(struct ns_epoch_rec), sizeof(struct ns_writer_rec));

	most = NS_MAX(most, sizeof(struct ns_lcore_rec));
	most = NS_MAX(most, sizeof(struct ns_counter_rec));
	return NS_MAX(NS_MAX(most, en->plan->row_max), ROW_ROOM);
}

int engine_sinks_up(struct ns_engine *en, struct ns_err *e)
{
	struct roster r;
	int rc = engine_roster_first(en, &r, e);

	en->row_room = engine_row_max(en);
	for (unsigned w = 0; rc == 0 && w <= en->workers && (r.n > 0 || en->live); w++) {
		rc = engine_producer_create(
			en, w, w < en->workers ? ns_flow_rec_kind.size : en->row_room);
		if (rc < 0)
			ns_fail(e, ENOMEM, "no memory for record batches");
	}
	for (unsigned i = 0; rc == 0 && i < r.n; i++)
		rc = engine_sink_open(en, &r, i, en->args.conf, e);
	return rc;
}

/* It is closed, and all that was given to it must be written or lost. */
static void account(struct sink *s)
{
	uint64_t given, lost;

	s->told = true;
	engine_sink_sums(s, &given, &lost);
	if (given != s->records + s->lost && !s->failed) {
		ns_fail(&s->err, EIO, "%" PRIu64 " records were handed to it, %" PRIu64 " written",
			given, s->records);
		fail(s);
	}
	if (s->lost > 0)
		NS_LOG(ERR, "writer %s: %" PRIu64 " records not written", s->spec, s->lost);
}

static void join(struct sink *s)
{
	if (s->started)
		pthread_join(s->thread, NULL);
	s->started = false;
	finish(s);
}

void engine_sink_undo(struct ns_engine *en, unsigned place)
{
	struct sink *s = &en->sinks[place];

	if (s->use != SINK_OPEN)
		return;
	__atomic_store_n(&s->over, true, __ATOMIC_RELEASE);
	join(s);
	s->use = SINK_FREE;
}

void engine_sinks_leave(struct ns_engine *en, uint32_t sinks)
{
	for (; sinks != 0; sinks &= sinks - 1) {
		struct sink *s = &en->sinks[__builtin_ctz(sinks)];

		s->use = SINK_LEAVING;
		en->leaving |= 1u << s->index;
		__atomic_store_n(&s->over, true, __ATOMIC_RELEASE);
	}
}

/* What it has done stays in the sums. */
static void bury(struct ns_engine *en, struct sink *s)
{
	uint64_t given, lost;

	join(s);
	account(s);
	engine_sink_sums(s, &given, &lost);
	lost += s->lost + s->lost_then;
	NS_LOG(NOTICE, "writer %s: closed; %" PRIu64 " records written, %" PRIu64 " lost", s->spec,
		s->records, lost);
	en->gone.n++;
	en->gone.records += s->records;
	en->gone.octets += s->octets_then;
	en->gone.lost += lost;
	if (s->failed && !en->gone.failed) {
		en->gone.failed = true;
		ns_fail(&en->gone.err, EIO, "writer %s: %.400s", s->spec, s->err.text);
	}
	s->use = SINK_FREE;
}

void engine_sinks_reap(struct ns_engine *en)
{
	for (uint32_t left = en->leaving; left != 0; left &= left - 1) {
		struct sink *s = &en->sinks[__builtin_ctz(left)];

		if (!__atomic_load_n(&s->ended, __ATOMIC_ACQUIRE))
			continue;
		en->leaving &= ~(1u << s->index);
		bury(en, s);
	}
}

void engine_sinks_down(struct ns_engine *en)
{
	__atomic_store_n(&en->producers_done, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < SINKS_MAX; i++) {
		struct sink *s = &en->sinks[i];

		if (s->use == SINK_LEAVING) {
			bury(en, s);
		} else if (s->use == SINK_OPEN && !s->told) {
			join(s);
			account(s);
		}
	}
	en->leaving = 0;
}
