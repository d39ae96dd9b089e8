/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From RX to end of analysis. Packets arrive by the time stamp counter, at 80 % of the rate that
 * the same table bore just before; the lcore takes what has arrived, up to a burst. The latency of
 * a packet is from its arrival to the end of its burst. While packets are written to the ring time
 * stands still, so what waits goes on waiting.
 *
 *   steady      1 M flows, and an epoch every 200 ms, taken by control on lcore 1
 *   ageing      as many, 1 M new a second and as many end
 *   eviction    more flows than the table has room for: a new one ends another
 *
 * Whoever else has the CPU makes bursts long, too. While another thread has it, as far as the
 * kernel knows, time stands still as well, and how much that was is said. What the host of a
 * virtual machine takes may not be known to the kernel: a loop that only reads the counter runs by
 * turns with the others, and shows what no program can help.
 */
#include "perf_bench.h"
#include "perf_loop.h"

#include <ns_snap.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOAD 0.8
#define LOAD_TO_CONTROL 2 /* the loop that does nothing runs half as long */
#define LONG_NS 200000
#define TURNS 5
#define EPOCH_NS 200000000
#define SHORT_NS 20000 /* of a shorter pass the kernel is not asked whose it was */

struct stall {
	uint64_t longest; /* ns, as all others of the thread itself */
	uint64_t n; /* over LONG_NS */
};

struct lat {
	struct perf_bench *b;
	struct perf_lcore *l;
	struct perf_bed *bed;
	struct perf_hist packets, passes;
	struct stall age, swap, evict, other;
	struct perf_control control;
	struct perf_look look;
	uint64_t away; /* ns in which others had the CPU */
	long faults; /* pages that the kernel has given this thread so far */
	struct stall fault; /* of passes in which it gave some */
	uint64_t evicted;
	unsigned slice;
	bool quiet; /* nothing is noted: the highest rate is looked for */
	/* epochs, with lcore 1 */
	struct ns_snap *snap;
	struct ns_snap_lcore *own;
	struct perf_tasks *tasks;
	void *merged;
	bool stop; /* written by lcore 0 */
	uint64_t swaps;
};

static uint64_t to_ns(const struct lat *x, uint64_t ticks)
{
	return (uint64_t)((double)ticks * x->l->tsc_ns);
}

static void note(struct stall *s, uint64_t ns)
{
	s->longest = NS_MAX(s->longest, ns);
	s->n += ns > LONG_NS;
}

/* As the engine does between two bursts. */
static bool swap(struct lat *x)
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

static struct stall *kind(struct lat *x, bool swapped, bool aged)
{
	struct ns_flow_stats s;

	ns_flow_table_stats(x->bed->table, &s);
	bool evicted = s.evicted != x->evicted;

	x->evicted = s.evicted;
	return swapped ? &x->swap : evicted ? &x->evict : aged ? &x->age : &x->other;
}

/*
 * One pass of the loop with @p n packets from place @p at on, begun at @p begin. Returns the tick
 * at which it would have ended, had no other had the CPU.
 */
static uint64_t pass(struct lat *x, uint32_t at, uint16_t n, uint64_t begin)
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
		away = perf_away(&x->look, x->l->tsc_ns);
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

/*
 * A packet each @p ns_packet, for so many seconds, in which time stands still as the head of this
 * file says; 0: always more than there is time for, and nothing is noted. Returns ns a packet.
 */
static double paced(struct lat *x, double seconds, double ns_packet)
{
	double ticks_packet = ns_packet / x->l->tsc_ns;
	/* between two passes the counter is read once: nothing is lost there */
	uint64_t begin = perf_ticks(), start = begin, taken = 0, now = 0;
	uint64_t end = (uint64_t)(seconds * 1e9 / x->l->tsc_ns);

	while (now < end) {
		uint64_t before = begin;

		perf_fill(x->l, x->bed, PERF_UNIFORM, NULL);
		perf_faults(&x->faults);
		perf_look(&x->look);
		begin = x->look.ticks;
		start += begin - before;
		for (uint32_t at = 0; at < x->l->ring_n;) {
			uint64_t n = PERF_BURST;

			if (ns_packet > 0)
				n = (uint64_t)((double)(begin - start) / ticks_packet) - taken;
			n = NS_MIN(n, (uint64_t)PERF_BURST);
			n = NS_MIN(n, (uint64_t)(x->l->ring_n - at));
			uint64_t done = pass(x, at, (uint16_t)n, begin);

			now = done - start;
			for (uint64_t i = 1; i <= n && ns_packet > 0; i++) {
				uint64_t came = (uint64_t)((double)(taken + i) * ticks_packet);

				perf_hist_add(&x->packets, now > came ? to_ns(x, now - came) : 0);
			}
			taken += n;
			at += (uint32_t)n;
			/* nor is writing it down a part of it */
			begin = perf_ticks();
			start += begin - done;
		}
	}
	return (double)now * x->l->tsc_ns / (double)NS_MAX(taken, 1);
}

static int merge(void *ctx, const void *state)
{
	struct lat *x = ctx;

	return ns_tasks_merge(x->tasks->tasks, x->merged, state);
}

static void reset(void *ctx, void *state)
{
	struct lat *x = ctx;

	ns_tasks_reset(x->tasks->tasks, state);
}

/* Lcore 1 as control: opens epochs, and takes and empties what is handed over. */
static int control_lcore(void *arg)
{
	static const struct timespec nap = {.tv_nsec = 1000000};
	struct lat *x = arg;
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

static void values(struct lat *x, const char *name, double rate, bool evicts)
{
	struct perf_answers *a = &x->b->a;
	uint64_t n = x->age.n + x->swap.n + x->evict.n + x->other.n;
	double known = (double)x->control.own_n * LOAD_TO_CONTROL;
	char text[96];

#define SAY(unit, value, ...) \
	(snprintf(text, sizeof(text), __VA_ARGS__), perf_value(a, text, unit, value))
	printf("\nLatency, %s: %.2f Mpps offered, %.1f s\n", name, rate / 1e6, x->b->o.seconds);
	SAY("us", perf_hist_rank(&x->packets, 0.5) / 1e3, "%s: RX to end of analysis, p50", name);
	snprintf(text, sizeof(text), "%s: RX to end of analysis, p99", name);
	perf_bar(a, text, "us", perf_hist_rank(&x->packets, 0.99) / 1e3, PERF_AT_MOST, 50);
	SAY("us", perf_hist_rank(&x->packets, 0.999) / 1e3, "%s: p99.9", name);
	SAY("us", (double)x->packets.max / 1e3, "%s: longest", name);
	SAY("us", perf_hist_rank(&x->passes, 0.999) / 1e3, "%s: a burst, p99.9", name);
	SAY("us", (double)x->other.longest / 1e3, "%s: longest burst", name);
	SAY("us", (double)x->age.longest / 1e3, "%s: longest with a slice of ageing", name);
	if (evicts)
		SAY("us", (double)x->evict.longest / 1e3, "%s: longest with an eviction", name);
	SAY("us", (double)x->swap.longest / 1e3, "%s: longest of %u with an epoch's swap", name,
		(unsigned)x->swaps);
	SAY("us", (double)x->fault.longest / 1e3,
		"%s: longest in which the kernel gave memory at first touch", name);
	SAY("", (double)x->fault.n, "%s: bursts over 200 us that are those", name);
	SAY("ms", (double)x->away / 1e6, "%s: others had the CPU, which is left out", name);
	SAY("", (double)x->control.n * LOAD_TO_CONTROL,
		"%s: gaps over 200 us of a loop that only reads the clock", name);
	SAY("", known, "%s: such gaps that the kernel knows no reason for", name);
	snprintf(text, sizeof(text), "%s: bursts over 200 us", name);
	perf_bar(a, text, "", (double)n, PERF_AT_MOST, known);
#undef SAY
}

static int phase(struct perf_bench *b, struct lat *x, const char *name,
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
		ns[i] = paced(x, b->o.seconds / TURNS / 4, 0);
		x->quiet = false;
		perf_control(x->l, b->o.seconds / TURNS / LOAD_TO_CONTROL, LONG_NS, &x->control);
		paced(x, b->o.seconds / TURNS, ns[i] / LOAD);
		sum += ns[i];
	}
	__atomic_store_n(&x->stop, true, __ATOMIC_RELEASE);
	rte_eal_wait_lcore(lcore);
	perf_drain(x->l, x->bed, PERF_ALL);
	ns_tasks_flush(x->tasks->lcore, x->tasks->state);
	values(x, name, 1e9 * TURNS / sum * LOAD, c->max != 0);
	x->l->tasks = NULL;
	perf_bed_destroy(x->bed);
	return 0;
}

static void destroy(struct lat *x)
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
	ns_snap_destroy(x->snap);
	free(x);
}

static struct lat *create(struct perf_bench *b, struct ns_err *e)
{
	struct lat *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return ns_errno_null(ENOMEM);
	x->b = b;
	x->l = &b->l;
	x->tasks = perf_tasks_core(e);
	x->snap = ns_snap_create(1);
	if (x->tasks == NULL || x->snap == NULL) {
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
	return x;
}

int perf_latency(struct perf_bench *b, struct ns_err *e)
{
	uint32_t flows = b->o.quick ? 5000 : 1000000;
	const struct perf_bed_conf confs[] = {
		{.flows = flows, .pps = b->o.pps},
		{.flows = flows, .rate = b->o.quick ? 5000 : 1000000, .pps = b->o.pps},
		{.flows = flows, .pps = b->o.pps, .max = flows / 20 * 19},
	};
	static const char *const names[] = {"steady", "ageing", "eviction"};
	struct perf_traffic *traffic = perf_traffic_create("udp64", e);
	int rc = traffic != NULL ? 0 : -errno;

	b->l.traffic = traffic;
	for (unsigned i = 0; rc == 0 && i < NS_ARRAY_LEN(confs); i++) {
		struct lat *x = create(b, e);

		rc = x != NULL ? phase(b, x, names[i], &confs[i], e)
			       : ns_fail(e, ENOMEM, "no memory");
		if (x != NULL)
			destroy(x);
	}
	perf_traffic_destroy(traffic);
	return rc;
}
