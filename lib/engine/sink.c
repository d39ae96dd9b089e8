/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sinks: writers, and the program's own consumer, each on an ordinary thread that takes batches
 * from the rings that producer.c fills. See engine_priv.h.
 */
#include "engine_priv.h"

#include <ns_log.h>

#include <rte_ring.h>

#include <signal.h>
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

static void *sink_main(void *arg)
{
	struct sink *s = arg;
	uint64_t idle_ns = 0, next_ns = 0;
	bool dirty = false;

	for (;;) {
		bool last = __atomic_load_n(&s->en->producers_done, __ATOMIC_ACQUIRE);

		if (take_all(s, &next_ns) > 0) {
			idle_ns = 0;
			dirty = true;
			continue;
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

static int open_sink(struct ns_engine *en, const char *spec, struct ns_err *e)
{
	struct sink *s = &en->sinks[en->sinks_n];
	struct ns_writer_args args = {
		.conf = en->args.conf, .live = en->live, .epoch_ms = en->conf->epoch_ms};

	if (en->sinks_n == SINKS_MAX)
		return ns_fail(e, E2BIG, "more than %u writers", SINKS_MAX);
	*s = (struct sink){.en = en, .index = en->sinks_n, .spec = spec};
	if (spec == NULL) {
		s->own = en->args.sink;
		s->spec = "report";
	} else {
		s->writer = ns_writer_open(spec, &args, &s->ops, e);
		if (s->writer == NULL)
			return ns_errno_set(errno != 0 ? errno : EINVAL);
	}
	if (s->ops == NULL || (s->ops->wants & NS_WRITER_NO_FLOWS) == 0)
		en->flow_sinks |= 1u << en->sinks_n;
	en->sinks_n++;
	return 0;
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
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < en->conf->writers_count; i++)
		rc = open_sink(en, en->conf->writers[i], e);
	for (unsigned i = 0; rc == 0 && i < en->args.writers_n; i++)
		rc = open_sink(en, en->args.writers[i], e);
	if (rc == 0 && en->args.sink != NULL)
		rc = open_sink(en, NULL, e);
	en->row_room = engine_row_max(en);
	for (unsigned w = 0; rc == 0 && w <= en->workers; w++) {
		rc = engine_producer_create(
			en, w, w < en->workers ? ns_flow_rec_kind.size : en->row_room);
		if (rc < 0)
			ns_fail(e, ENOMEM, "no memory for record batches");
	}
	for (unsigned i = 0; rc == 0 && i < en->sinks_n; i++)
		rc = start(&en->sinks[i], e);
	if (rc < 0)
		engine_sinks_down(en);
	return rc;
}

void engine_sinks_down(struct ns_engine *en)
{
	__atomic_store_n(&en->producers_done, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < en->sinks_n; i++) {
		struct sink *s = &en->sinks[i];

		if (s->started)
			pthread_join(s->thread, NULL);
		s->started = false;
		if (s->writer != NULL) {
			struct ns_err err;

			if (s->ops->close(s->writer, &err) < 0 && !s->failed) {
				s->err = err;
				fail(s);
			}
			s->writer = NULL;
		}
		if (s->lost > 0)
			NS_LOG(ERR, "writer %s: %llu records not written", s->spec,
				(unsigned long long)s->lost);
		s->lost = 0; /* said once */
	}
}
