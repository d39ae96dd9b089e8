/* SPDX-License-Identifier: BSD-3-Clause */
/* Batches from analysis lcores to writers, each on an ordinary thread. See engine_priv.h. */
#include "engine_priv.h"

#include <ns_log.h>

#include <rte_errno.h>
#include <rte_ring.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

NS_LOG_TYPE("engine");

int engine_producer_create(struct ns_engine *en, unsigned w, size_t size)
{
	struct producer *p = &en->producers[w];
	char name[RTE_RING_NAMESIZE];

	/* live: for each sink what may wait for it and what it is at, and those that are filled */
	unsigned n = en->live ? en->sinks_n * (BATCHES + 1) + 2 : BATCHES;

	if (en->sinks_n == 0)
		return 0;
	snprintf(name, sizeof(name), "ns_batch_%u", w);
	p->free = rte_ring_create(name, rte_align32pow2(n + 1), SOCKET_ID_ANY, RING_F_SC_DEQ);
	p->batches = calloc(n, sizeof(*p->batches));
	p->memory = malloc(n * BATCH_RECORDS * size);
	if (p->free == NULL || p->batches == NULL || p->memory == NULL)
		return ns_errno_set(ENOMEM);
	for (unsigned i = 0; i < n; i++) {
		p->batches[i] = (struct ns_batch){.kind = &ns_flow_rec_kind,
			.max = BATCH_RECORDS,
			.owner = (uint16_t)w,
			.records = p->memory + i * BATCH_RECORDS * size};
		rte_ring_enqueue(p->free, &p->batches[i]);
	}
	for (unsigned s = 0; s < en->sinks_n; s++) {
		snprintf(name, sizeof(name), "ns_to_%u_%u", w, s);
		p->to[s] = rte_ring_create(
			name, BATCHES * 2, SOCKET_ID_ANY, RING_F_SC_DEQ | RING_F_SP_ENQ);
		if (p->to[s] == NULL)
			return ns_errno_set(ENOMEM);
	}
	return 0;
}

void engine_producer_destroy(struct producer *p)
{
	for (unsigned s = 0; s < SINKS_MAX; s++)
		rte_ring_free(p->to[s]);
	rte_ring_free(p->free);
	free(p->batches);
	free(p->memory);
	memset(p, 0, sizeof(*p));
}

#define PATIENCE_ROWS_NS (NS_SEC_NS / 10)
#define PATIENCE_END_NS (5 * NS_SEC_NS)

/*
 * Whether a sink can take one more. Of a file there are no more batches than fit. Live, lcores
 * never wait; control does for a moment, as rows come many at a time, and all do at the end, when
 * nothing else is waiting. Who was waited for in vain is not waited for again before it moves.
 */
static bool has_room(struct ns_engine *en, struct producer *p, unsigned s)
{
	static const struct timespec wait = {.tv_nsec = 200000};
	bool control = p == &en->producers[en->workers];
	bool end = __atomic_load_n(&en->drain, __ATOMIC_ACQUIRE);
	uint64_t until;

	if (!en->live)
		return true;
	if (rte_ring_count(p->to[s]) < BATCHES) {
		p->stuck &= ~(1u << s);
		return true;
	}
	if ((p->stuck >> s & 1) != 0 || (!control && !end))
		return false;
	until = ns_clock_mono() + (end ? PATIENCE_END_NS : PATIENCE_ROWS_NS);
	do {
		nanosleep(&wait, NULL);
		if (rte_ring_count(p->to[s]) < BATCHES)
			return true;
	} while (ns_clock_mono() < until);
	p->stuck |= 1u << s;
	return false;
}

bool engine_producer_give(struct ns_engine *en, struct producer *p, uint32_t sinks)
{
	struct ns_batch *b = p->filling;
	uint32_t to = 0;

	for (unsigned s = 0; s < en->sinks_n; s++) {
		if ((sinks >> s & 1) == 0)
			continue;
		if (ns_likely(has_room(en, p, s)))
			to |= 1u << s;
		else
			ns_stat_add(&p->lost[s], b->n);
	}
	if (to == 0) {
		b->n = 0;
		return false;
	}
	p->filling = NULL;
	__atomic_store_n(&b->refs, (uint32_t)__builtin_popcount(to), __ATOMIC_RELAXED);
	for (; to != 0; to &= to - 1)
		rte_ring_sp_enqueue(p->to[__builtin_ctz(to)], b);
	return true;
}

void engine_producer_flush(struct lcore *l)
{
	struct producer *p = l->producer;
	struct ns_batch *b = p->filling;

	if (b == NULL || b->n == 0)
		return;
	if (!l->plan->of_flows)
		ns_flow_record_ids((struct ns_flow_rec *)(void *)b->records, b->n);
	uint32_t n = b->n;

	if (engine_producer_give(l->en, p, l->en->flow_sinks))
		ns_stat_add(&p->records, n);
}

/* An empty batch; in file mode the writers are waited for, live the record is lost and counted. */
static struct ns_batch *empty_batch(struct lcore *l)
{
	static const struct timespec wait = {.tv_nsec = 50000};
	void *b = NULL;

	for (unsigned i = 0; rte_ring_sc_dequeue(l->producer->free, &b) != 0; i++) {
		if (l->en->live && !__atomic_load_n(&l->en->drain, __ATOMIC_ACQUIRE))
			return NULL;
		/* a database is much slower than this: the CPU is for whom it may be waiting for */
		if (i < 64)
			sched_yield();
		else
			nanosleep(&wait, NULL);
	}
	return b;
}

/* Where the next record goes; NULL when nobody wants it or, counted, no writer can take it. */
static struct ns_flow_rec *room(struct lcore *l)
{
	struct producer *p = l->producer;

	if (l->en->flow_sinks == 0)
		return NULL;
	if (p->filling == NULL) {
		p->filling = empty_batch(l);
		if (p->filling == NULL) {
			ns_stat_add(&p->lost[0], 1);
			return NULL;
		}
		p->filling->n = 0;
		if (l->en->live)
			p->clock_filled = ns_clock_mono();
	}
	struct ns_batch *b = p->filling;

	return (struct ns_flow_rec *)(void *)(b->records + b->n * b->kind->size);
}

void engine_flow_ended(void *ctx, const struct ns_flow_ended *flow)
{
	struct lcore *l = ctx;
	struct ns_flow_rec *r = room(l), own;

	if (l->plan->of_flows) {
		struct ns_flow_rec *whole = r != NULL ? r : &own;

		/* a task may ask for any field */
		ns_flow_record(flow, whole);
		ns_tasks_record(l->tasks, ns_snap_state(l->snap), whole);
		ns_snap_used(l->snap);
	} else if (r != NULL) {
		ns_flow_record_draft(flow, r);
	}
	if (r != NULL && ++l->producer->filling->n == BATCH_RECORDS)
		engine_producer_flush(l);
}

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
	if (__atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0)
		rte_ring_mp_enqueue(s->en->producers[b->owner].free, b);
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
