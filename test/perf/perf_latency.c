/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From RX to end of analysis. Packets arrive by the time stamp counter, at 80 % of the rate that
 * the same table bore throughout just before (as the throughput of RFC 2544, section 26.1: in its
 * slowest 10 ms, not in the mean); the lcore takes what has arrived, up to a burst. The latency of
 * a packet is from its arrival to the end of its burst. While packets are written to the ring time
 * stands still, so what waits goes on waiting.
 *
 *   steady      1 M flows, and an epoch every 200 ms, taken by control on lcore 1
 *   ageing      as many, 1 M new a second and as many end
 *   eviction    more flows than the table has room for: a new one ends another
 *
 * Whoever else has the CPU makes bursts long, too. While another thread has it, as far as the
 * kernel knows, time stands still as well, and how much that was is said; the caches are that
 * thread's then, so nothing is noted until no packet waits any more. What the host of a
 * virtual machine takes may not be known to the kernel: a loop that only reads the counter runs by
 * turns with the others, and shows what no program can help. So does a server of constant work
 * (perf_constant.c), which the same packets arrive at: a machine that stands still for 0.2 ms lets
 * them wait for 1 ms at 80 % load, whoever serves them.
 */
#include "perf_latency.h"

#include "perf_loop.h"

#include <rte_launch.h>
#include <rte_lcore.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOAD 0.8
#define FLOW_OCTETS 128 /* what packets touch of a flow */
#define LONG_NS 200000
#define TURNS 5
#define EPOCH_NS 200000000
#define WINDOW_NS 10e6
#define WARM_S 0.05
#define AGEING_IDLE_S 8
#define AWAY_NS 5000 /* what two clocks of the kernel may be apart */
#define SHORT_NS 20000 /* of a shorter pass the kernel is not asked whose it was */

static uint64_t to_ns(const struct perf_lat *x, uint64_t ticks)
{
	return (uint64_t)((double)ticks * x->l->tsc_ns);
}

static void note(struct perf_stall *s, uint64_t ns)
{
	s->longest = NS_MAX(s->longest, ns);
	s->n += ns > LONG_NS;
}

/* As the engine does between two bursts. */
static bool swap(struct perf_lat *x)
{
	uint64_t opened = ns_snap_opened(x->snap);

	if (ns_likely(opened == x->own->epoch))
		return false;
	ns_tasks_flush(x->tasks->lcore, ns_snap_state(x->own));
	if (!ns_snap_swap(x->own, opened))
		return false;
	ns_flow_epoch(x->bed->table, ++x->bed->epoch);
	x->tasks->state = ns_snap_state(x->own);
	x->swaps += !x->quiet;
	return true;
}

static struct perf_stall *kind(struct perf_lat *x, bool swapped, bool aged)
{
	struct ns_flow_stats s;

	ns_flow_table_stats(x->bed->table, &s);
	bool evicted = s.evicted != x->evicted;

	x->evicted = s.evicted;
	return swapped ? &x->swap : evicted ? &x->evict : aged ? &x->age : &x->other;
}

/* Time that other threads had since it was asked last. */
static uint64_t given_away(struct perf_lat *x)
{
	uint64_t ns = perf_away(&x->look, x->l->tsc_ns);

	if (ns > AWAY_NS)
		x->disturbed = true;
	return ns;
}

/* The same for the server of constant work. */
static uint64_t constant_pass(struct perf_lat *x, uint16_t n, uint64_t begin)
{
	perf_constant_serve(x->machine, n);
	uint64_t end = perf_ticks(), ns = to_ns(x, end - begin), away = 0;

	if (ns_unlikely(ns > SHORT_NS)) {
		away = given_away(x);
		away = NS_MIN(away, ns);
	}
	note(&x->stall_constant, ns - away);
	return end - (uint64_t)((double)away / x->l->tsc_ns);
}

/*
 * One pass of the loop with @p n packets from place @p at on, begun at @p begin. Returns the tick
 * at which it would have ended, had no other had the CPU.
 */
static uint64_t pass(struct perf_lat *x, uint32_t at, uint16_t n, uint64_t begin)
{
	struct perf_stamps s = {0};
	bool aged = ++x->slice % PERF_AGE_EVERY == 0, swapped;
	uint64_t away = 0;
	bool faulted = false;

	if (n > 0) {
		perf_burst(x->l, x->bed, at, n, PERF_ALL & ~PERF_HAS(PERF_AGE), &s);
		ns_snap_used(x->own);
	}
	if (aged)
		ns_flow_age(x->bed->table, x->bed->clock_ns);
	swapped = swap(x);
	uint64_t end = perf_ticks(), ns = to_ns(x, end - begin);

	if (ns_unlikely(ns > SHORT_NS)) {
		away = given_away(x);
		away = NS_MIN(away, ns);
		ns -= away;
		x->away += x->quiet ? 0 : away;
		faulted = perf_faults(&x->faults) && !x->quiet;
	}
	if (!x->quiet && (n > 0 || aged || swapped)) {
		perf_hist_add(&x->passes, ns);
		note(kind(x, swapped, aged), ns);
		if (faulted)
			note(&x->fault, ns);
	}
	return end - (uint64_t)((double)away / x->l->tsc_ns);
}

struct pace {
	double ticks_packet; /* from one arrival to the next; 0: always more than there is time for
			      */
	uint64_t start, now; /* ticks: when time began, and how much has gone by */
	uint64_t taken; /* packets */
	uint64_t window_now, window_taken; /* when the window began */
	double slowest; /* ns a packet, of all windows */
};

static void end_window(struct perf_lat *x, struct pace *t)
{
	double ns = (double)(t->now - t->window_now) * x->l->tsc_ns;

	if (ns < WINDOW_NS)
		return;
	t->slowest = NS_MAX(t->slowest, ns / (double)NS_MAX(t->taken - t->window_taken, 1));
	t->window_now = t->now;
	t->window_taken = t->taken;
}

/* What has arrived, up to a burst. */
static uint64_t arrived(struct perf_lat *x, const struct pace *t, uint64_t begin)
{
	uint64_t n = PERF_BURST;

	if (t->ticks_packet > 0)
		n = (uint64_t)((double)(begin - t->start) / t->ticks_packet) - t->taken;
	if (n < PERF_BURST)
		x->disturbed = false;
	return NS_MIN(n, (uint64_t)PERF_BURST);
}

/* The next @p n packets are done. */
static void leave(struct perf_lat *x, struct pace *t, uint64_t n)
{
	struct perf_hist *h = x->constant ? &x->packets_constant : &x->packets;

	t->taken += n;
	if (t->ticks_packet == 0) {
		end_window(x, t);
		return;
	}
	if (x->disturbed) {
		x->left_out += x->constant ? 0 : n;
		return;
	}
	for (uint64_t i = t->taken - n + 1; i <= t->taken; i++) {
		uint64_t came = (uint64_t)((double)i * t->ticks_packet);

		perf_hist_add(h, t->now > came ? to_ns(x, t->now - came) : 0);
	}
}

/*
 * A packet each @p ns_packet, for so many seconds, in which time stands still as the head of this
 * file says; 0: always more than there is time for, and nothing is noted. Returns ns a
 * packet then, of the slowest window or, of a time too short for one, in the mean.
 */
static double paced(struct perf_lat *x, double seconds, double ns_packet)
{
	/* between two passes the counter is read once: nothing is lost there */
	uint64_t begin = perf_ticks(), end = (uint64_t)(seconds * 1e9 / x->l->tsc_ns);
	struct pace t = {.ticks_packet = ns_packet / x->l->tsc_ns, .start = begin};

	x->disturbed = false;
	while (t.now < end) {
		uint64_t before = begin;

		if (!x->constant)
			perf_fill(x->l, x->bed, PERF_UNIFORM, NULL);
		perf_faults(&x->faults);
		given_away(x);
		perf_look(&x->look);
		begin = x->look.ticks;
		t.start += begin - before;
		for (uint32_t at = 0; at < x->l->ring_n;) {
			uint64_t n = NS_MIN(arrived(x, &t, begin), (uint64_t)(x->l->ring_n - at));
			uint64_t done = x->constant ? constant_pass(x, (uint16_t)n, begin)
						    : pass(x, at, (uint16_t)n, begin);

			t.now = done - t.start;
			leave(x, &t, n);
			at += (uint32_t)n;
			/* nor is writing it down a part of it */
			begin = perf_ticks();
			t.start += begin - done;
		}
	}
	if (t.slowest > 0)
		return t.slowest;
	return (double)t.now * x->l->tsc_ns / (double)NS_MAX(t.taken, 1);
}

static int merge(void *ctx, const void *state)
{
	struct perf_lat *x = ctx;

	return ns_tasks_merge(x->tasks->tasks, x->merged, state);
}

static void reset(void *ctx, void *state)
{
	struct perf_lat *x = ctx;

	ns_tasks_reset(x->tasks->tasks, state);
}

/* Lcore 1 as control: opens epochs, and takes and empties what is handed over. */
static int control_lcore(void *arg)
{
	static const struct timespec nap = {.tv_nsec = 1000000};
	struct perf_lat *x = arg;
	const struct ns_snap_ops ops = {.merge = merge, .reset = reset, .ctx = x};
	uint64_t next = ns_clock_mono() + EPOCH_NS, number = ns_snap_opened(x->snap);

	while (!__atomic_load_n(&x->stop, __ATOMIC_ACQUIRE)) {
		if (ns_clock_mono() >= next && ns_snap_open(x->snap, number + 1)) {
			number++;
			next += EPOCH_NS;
		}
		if (number > 0 && ns_snap_take(x->snap, number - 1, &ops) == 0)
			ns_tasks_reset(x->tasks->tasks, x->merged);
		nanosleep(&nap, NULL);
	}
	return 0;
}

static int phase(struct perf_bench *b, struct perf_lat *x, const char *name,
	const struct perf_bed_conf *c, struct ns_err *e)
{
	unsigned lcore = rte_get_next_lcore(-1, 1, 0);
	double ns[TURNS], sum = 0;

	x->bed = perf_bed_create(c, x->l, 0);
	if (x->bed == NULL)
		return ns_fail(e, errno, "no flow table: %s", strerror(errno));
	perf_warm(x->l, x->bed);
	x->l->tasks = x->tasks;
	x->tasks->state = ns_snap_state(x->own);
	x->stop = false;
	rte_eal_remote_launch(control_lcore, x, lcore);
	for (unsigned i = 0; i < TURNS; i++) {
		x->quiet = true;
		paced(x, WARM_S, 0);
		ns[i] = paced(x, b->o.seconds / TURNS / 4, 0);
		x->quiet = false;
		perf_control(
			x->l, b->o.seconds / TURNS / PERF_LOAD_TO_CONTROL, LONG_NS, &x->control);
		/* the clock's loop has let others into the caches */
		x->quiet = true;
		paced(x, WARM_S, 0);
		x->quiet = false;
		paced(x, b->o.seconds / TURNS, ns[i] / LOAD);
		perf_constant_set(x->machine, x->l->tsc_ns, ns[i]);
		x->constant = true;
		paced(x, b->o.seconds / TURNS / PERF_LOAD_TO_CONTROL, ns[i] / LOAD);
		x->constant = false;
		sum += ns[i];
	}
	__atomic_store_n(&x->stop, true, __ATOMIC_RELEASE);
	rte_eal_wait_lcore(lcore);
	perf_drain(x->l, x->bed, PERF_ALL);
	ns_tasks_flush(x->tasks->lcore, x->tasks->state);
	perf_latency_say(x, name, 1e9 * TURNS / sum * LOAD, c->max != 0);
	x->l->tasks = NULL;
	perf_bed_destroy(x->bed);
	return 0;
}

static void destroy(struct perf_lat *x)
{
	void *first = x->own != NULL ? x->own->slot[0].state : NULL;
	void *second = x->own != NULL ? x->own->slot[1].state : NULL;

	if (x->tasks != NULL) {
		/* the first is the tasks' own */
		x->tasks->state = first != NULL ? first : x->tasks->state;
		ns_tasks_state_destroy(x->tasks->tasks, second);
		ns_tasks_state_destroy(x->tasks->tasks, x->merged);
	}
	perf_tasks_destroy(x->tasks);
	perf_constant_destroy(x->machine);
	ns_snap_destroy(x->snap);
	free(x);
}

/* As lib/engine does: the first packets of an epoch are not to wait for pages. */
static void touch(const struct perf_lat *x, void *state)
{
	volatile uint8_t *at = state;

	for (size_t i = 0; i < ns_tasks_state_size(x->tasks->tasks); i += 4096) {
		uint8_t same = at[i];

		at[i] = same;
	}
}

static struct perf_lat *create(struct perf_bench *b, uint32_t flows, struct ns_err *e)
{
	struct perf_lat *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return ns_errno_null(ENOMEM);
	x->b = b;
	x->l = &b->l;
	x->tasks = perf_tasks_core(e);
	x->snap = ns_snap_create(1);
	x->machine = perf_constant_create((size_t)flows * FLOW_OCTETS);
	if (x->tasks == NULL || x->snap == NULL || x->machine == NULL) {
		destroy(x);
		return ns_errno_null(ENOMEM);
	}
	x->own = ns_snap_lcore(x->snap, 0);
	x->own->slot[0].state = x->tasks->state;
	x->own->slot[1].state = ns_tasks_state_create(x->tasks->tasks);
	x->merged = ns_tasks_state_create(x->tasks->tasks);
	if (x->own->slot[1].state == NULL || x->merged == NULL) {
		destroy(x);
		return ns_errno_null(ENOMEM);
	}
	touch(x, x->own->slot[0].state);
	touch(x, x->own->slot[1].state);
	return x;
}

int perf_latency(struct perf_bench *b, struct ns_err *e)
{
	uint32_t flows = b->o.quick ? 5000 : 1000000;
	const struct perf_bed_conf confs[] = {
		{.flows = flows, .pps = b->o.pps},
		{.flows = flows,
			.rate = b->o.quick ? 5000 : 1000000,
			.pps = b->o.pps,
			.idle = b->o.quick ? 0 : AGEING_IDLE_S},
		{.flows = flows, .pps = b->o.pps, .max = flows / 20 * 19},
	};
	static const char *const names[] = {"steady", "ageing", "eviction"};
	struct perf_traffic *traffic = perf_traffic_create("udp64", e);
	int rc = traffic != NULL ? 0 : -errno;

	b->l.traffic = traffic;
	for (unsigned i = 0; rc == 0 && i < NS_ARRAY_LEN(confs); i++) {
		struct perf_lat *x = create(b, flows, e);

		rc = x != NULL ? phase(b, x, names[i], &confs[i], e)
			       : ns_fail(e, ENOMEM, "no memory");
		if (x != NULL)
			destroy(x);
	}
	perf_traffic_destroy(traffic);
	return rc;
}
