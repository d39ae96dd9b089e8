/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads count, control merges: every count arrives once, in the epoch that it belongs to. */
#include "ns_snap.h"
#include "ns_test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define LCORES 4

struct state {
	uint64_t sum, epoch; /* what was added; the epoch it was added in */
	bool mixed; /* things of two epochs met */
};

struct total {
	uint64_t sum;
	unsigned merges, mixed;
	uint64_t epoch;
};

static int merge(void *ctx, const void *state)
{
	struct total *t = ctx;
	const struct state *s = state;

	t->sum += s->sum;
	t->merges++;
	t->mixed += s->mixed || s->epoch != t->epoch;
	return 0;
}

static void reset(void *ctx, void *state)
{
	(void)ctx;
	memset(state, 0, sizeof(struct state));
}

static int refuse(void *ctx, const void *state)
{
	(void)ctx;
	(void)state;
	return -EINVAL;
}

static void add(struct ns_snap_lcore *l, uint64_t v)
{
	struct state *s = ns_snap_state(l);

	if (s->sum != 0 && s->epoch != l->epoch)
		s->mixed = true;
	s->epoch = l->epoch;
	s->sum += v;
	ns_snap_used(l);
}

static struct ns_snap *make(unsigned lcores, struct state *states)
{
	struct ns_snap *s = ns_snap_create(lcores);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (unsigned i = 0; i < lcores; i++) {
		ns_snap_lcore(s, i)->slot[0].state = &states[2 * i];
		ns_snap_lcore(s, i)->slot[1].state = &states[2 * i + 1];
	}
	return s;
}

static void one_by_one(void)
{
	struct state states[4] = {0};
	struct ns_snap *s = make(2, states);
	struct ns_snap_lcore *a = ns_snap_lcore(s, 0), *b = ns_snap_lcore(s, 1);
	struct total t = {0};
	struct ns_snap_ops ops = {merge, reset, &t};

	add(a, 5);
	CU_ASSERT_EQUAL(ns_snap_take(s, 0, &ops), 2);
	CU_ASSERT_TRUE(ns_snap_swap(a, 1));
	add(a, 7);
	CU_ASSERT_FALSE(ns_snap_swap(a, 2)); /* the first is not back */
	CU_ASSERT_EQUAL(ns_snap_behind(s), 0);
	CU_ASSERT_EQUAL(ns_snap_take(s, 0, &ops), 1);
	CU_ASSERT_EQUAL(t.sum, 5);
	CU_ASSERT_TRUE(ns_snap_swap(b, 1)); /* has nothing: handed over, not merged */
	CU_ASSERT_EQUAL(ns_snap_take(s, 0, &ops), 0);
	CU_ASSERT_EQUAL(t.merges, 1);
	CU_ASSERT_EQUAL(ns_snap_take(s, 0, &ops), 0); /* it is over: asking again does nothing */
	t.epoch = 1;
	ns_snap_end(a);
	CU_ASSERT_EQUAL(ns_snap_behind(s), 1);
	add(b, 1);
	ns_snap_end(b);
	CU_ASSERT_EQUAL(ns_snap_behind(s), NS_SNAP_DONE);
	CU_ASSERT_EQUAL(ns_snap_take(s, 1, &ops), 0);
	CU_ASSERT_EQUAL(t.sum, 13);
	CU_ASSERT_EQUAL(t.mixed, 0);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(states[i].sum, 0);
	ns_snap_destroy(s);
}

static void late(void)
{
	struct state states[2] = {0};
	struct ns_snap *s = make(1, states);
	struct ns_snap_lcore *l = ns_snap_lcore(s, 0);
	struct total t = {0};
	struct ns_snap_ops ops = {merge, reset, &t};
	struct ns_snap_stats st;

	CU_ASSERT_TRUE(ns_snap_open(s, 1));
	CU_ASSERT_EQUAL(ns_snap_opened(s), 1);
	CU_ASSERT_FALSE(ns_snap_open(s, 2)); /* the lcore has not swapped */
	CU_ASSERT_EQUAL(ns_snap_opened(s), 1);
	CU_ASSERT_EQUAL(ns_snap_take(s, 0, &ops), 1);
	CU_ASSERT_FALSE(ns_snap_open(s, 2));
	CU_ASSERT_TRUE(ns_snap_swap(l, 1));
	CU_ASSERT_EQUAL(ns_snap_take(s, 0, &ops), 0);
	CU_ASSERT_TRUE(ns_snap_open(s, 2));
	ns_snap_stats(s, &st);
	CU_ASSERT_EQUAL(st.late, 2);
	CU_ASSERT_EQUAL(st.epochs, 1);
	CU_ASSERT_TRUE(st.lag_ns > 0);

	/* how long the last epoch of all took says nothing about hand-over */
	CU_ASSERT_TRUE(ns_snap_swap(l, 2));
	CU_ASSERT_EQUAL(ns_snap_take(s, 1, &ops), 0);
	ns_snap_stats(s, &st);
	uint64_t lag = st.lag_ns;

	ns_snap_end(l);
	CU_ASSERT_EQUAL(ns_snap_take(s, 2, &ops), 0);
	ns_snap_stats(s, &st);
	CU_ASSERT_EQUAL(st.epochs, 3);
	CU_ASSERT_EQUAL(st.lag_ns, lag);
	ns_snap_destroy(s);
}

/* A merge that fails is told, and the state comes back empty. */
static void merge_fails(void)
{
	struct state states[2] = {0};
	struct ns_snap *s = make(1, states);
	struct ns_snap_lcore *l = ns_snap_lcore(s, 0);
	struct ns_snap_ops ops = {refuse, reset, NULL};

	add(l, 3);
	CU_ASSERT_TRUE(ns_snap_swap(l, 1));
	CU_ASSERT_EQUAL(ns_snap_take(s, 0, &ops), -EINVAL);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(states[0].sum, 0);
	add(l, 4);
	CU_ASSERT_TRUE(ns_snap_swap(l, 2));
	ns_snap_destroy(s);
}

struct job {
	struct ns_snap *s;
	unsigned index;
	uint64_t added;
	bool *stop;
};

/* As a live lcore: looks for an epoch between two "bursts" and never waits. */
static void *run_live(void *arg)
{
	struct job *j = arg;
	struct ns_snap_lcore *l = ns_snap_lcore(j->s, j->index);

	while (!__atomic_load_n(j->stop, __ATOMIC_ACQUIRE)) {
		uint64_t opened = ns_snap_opened(j->s);

		if (opened != l->epoch && !ns_snap_swap(l, opened))
			abort(); /* the promise of the header */
		for (unsigned i = 0; i < 32; i++)
			add(l, 1);
		j->added += 32;
		if ((j->added & 4095) == 0)
			sched_yield();
	}
	ns_snap_end(l);
	return NULL;
}

static void threads_live(void)
{
	struct state states[2 * LCORES] = {0};
	struct ns_snap *s = make(LCORES, states);
	struct total t = {0};
	struct ns_snap_ops ops = {merge, reset, &t};
	struct job jobs[LCORES];
	pthread_t ids[LCORES];
	bool stop = false;
	uint64_t added = 0;

	for (unsigned i = 0; i < LCORES; i++) {
		jobs[i] = (struct job){s, i, 0, &stop};
		CU_ASSERT_EQUAL_FATAL(pthread_create(&ids[i], NULL, run_live, &jobs[i]), 0);
	}
	for (uint64_t e = 1; e <= 200; e++) {
		CU_ASSERT_TRUE_FATAL(ns_snap_open(s, e));
		while (ns_snap_take(s, e - 1, &ops) > 0)
			sched_yield();
		t.epoch = e;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < LCORES; i++) {
		pthread_join(ids[i], NULL);
		added += jobs[i].added;
	}
	CU_ASSERT_EQUAL(ns_snap_take(s, 200, &ops), 0);
	CU_ASSERT_EQUAL(t.sum, added);
	CU_ASSERT_EQUAL(t.mixed, 0);
	ns_snap_destroy(s);
}

#define FILE_EPOCHS 500

/* As a file's lcore: says itself when an epoch ends, at its own pace, and waits for its state. */
static void *run_file(void *arg)
{
	struct job *j = arg;
	struct ns_snap_lcore *l = ns_snap_lcore(j->s, j->index);

	for (uint64_t e = 0; e < FILE_EPOCHS; e++) {
		/* some lcores see nothing of some epochs */
		for (unsigned i = 0; (e + j->index) % 3 != 0 && i < 1 + j->index * 50; i++) {
			add(l, 1);
			j->added++;
		}
		while (e + 1 < FILE_EPOCHS && !ns_snap_swap(l, e + 1))
			sched_yield();
	}
	ns_snap_end(l);
	return NULL;
}

static void threads_file(void)
{
	struct state states[2 * LCORES] = {0};
	struct ns_snap *s = make(LCORES, states);
	struct total t = {0};
	struct ns_snap_ops ops = {merge, reset, &t};
	struct job jobs[LCORES];
	pthread_t ids[LCORES];
	uint64_t added = 0;

	for (unsigned i = 0; i < LCORES; i++) {
		jobs[i] = (struct job){s, i, 0, NULL};
		CU_ASSERT_EQUAL_FATAL(pthread_create(&ids[i], NULL, run_file, &jobs[i]), 0);
	}
	for (uint64_t e = 0; e < FILE_EPOCHS; e++) {
		t.epoch = e;
		while (ns_snap_take(s, e, &ops) > 0)
			sched_yield();
		CU_ASSERT_TRUE(ns_snap_behind(s) > e);
	}
	for (unsigned i = 0; i < LCORES; i++) {
		pthread_join(ids[i], NULL);
		added += jobs[i].added;
	}
	CU_ASSERT_EQUAL(t.sum, added);
	CU_ASSERT_EQUAL(t.mixed, 0);
	ns_snap_destroy(s);
}

NS_TEST_MAIN({"one by one", one_by_one}, {"late", late}, {"merge fails", merge_fails},
	{"threads, live", threads_live}, {"threads, file", threads_file})
