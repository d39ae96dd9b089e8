/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns-bench-tasks: what tasks cost a packet. Packets as decode leaves them go through the flow
 * table, with and without tasks behind it, in turns; the difference is the price. A part of it is
 * paid by the flow table, whose memory tasks push out of the caches; the time stamp counter says
 * what the tasks themselves take.
 */
#include "bench_packets.h"
#include "ns_test_eal.h"

#include <ns_conf.h>
#include <ns_flow.h>
#include <ns_registry.h>
#include <ns_task.h>

#include <rte_cycles.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 11
#define BURST NS_TASK_BURST
#define CHUNK 64 /* bursts that are timed together: so few that hardly any is interrupted */

struct bench {
	uint32_t flows, packets;
	uint32_t *order; /* flow of each packet */
	struct ns_flow_table *table;
	struct ns_tasks *tasks;
	struct ns_task_lcore *lcore;
	void *state;
	struct ns_counters counters;
	uint64_t clock_ns, epoch;
	uint64_t inside; /* cycles in the tasks */
	double *chunk; /* the same of each chunk, a burst */
	size_t chunks;
	struct rte_mbuf *m[BURST];
};

static void ended(void *ctx, const struct ns_flow_ended *flow)
{
	(void)ctx;
	(void)flow;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ns a packet; one round is one epoch. */
static double run(struct bench *b, bool tasks)
{
	double start = cpu_ns(), ns;

	ns_flow_epoch(b->table, ++b->epoch);
	b->inside = 0;
	for (uint32_t at = 0, bursts = 0; at + BURST <= b->packets; at += BURST) {
		for (unsigned i = 0; i < BURST; i++)
			bench_fill(b->m[i], b->order[at + i], b->clock_ns += 67);
		ns_flow_burst(b->table, b->m, BURST, &b->counters);
		if (tasks) {
			uint64_t before = rte_rdtsc();

			ns_tasks_packets(b->lcore, b->state, b->m, BURST);
			b->inside += rte_rdtsc() - before;
			if (++bursts % CHUNK != 0)
				continue;
			b->chunk[b->chunks++] = (double)b->inside / CHUNK;
			b->inside = 0;
		}
	}
	if (tasks)
		ns_tasks_flush(b->lcore, b->state);
	ns = (cpu_ns() - start) / b->packets;
	if (tasks)
		ns_tasks_reset(b->tasks, b->state);
	return ns;
}

static int cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int make_order(struct bench *b, double alpha)
{
	struct gen_zipf z;
	struct gen_rng rng;

	b->order = malloc(b->packets * sizeof(*b->order));
	if (b->order == NULL || (alpha > 0 && gen_zipf_init(&z, b->flows, alpha) < 0))
		return -ENOMEM;
	gen_seed(&rng, 1);
	for (uint32_t i = 0; i < b->packets; i++)
		b->order[i] = alpha > 0 ? gen_zipf_draw(&z, &rng) : gen_below(&rng, b->flows);
	if (alpha > 0)
		gen_zipf_free(&z);
	return 0;
}

static int make(struct bench *b, const struct ns_conf *conf, struct ns_err *e)
{
	struct ns_tasks_args args = {.conf = conf, .live = true};
	struct ns_flow_conf flow = {.max = b->flows * 2, .idle = 3600, .tcp_end = true};
	struct ns_flow_hooks hooks = {ended, NULL};

	b->table = ns_flow_table_create(&flow, 0, 512, 512, 0, true, &hooks);
	b->tasks = ns_tasks_create(&args, e);
	if (b->tasks == NULL)
		return -errno;
	b->lcore = ns_task_lcore_create(b->tasks);
	b->state = ns_tasks_state_create(b->tasks);
	for (unsigned i = 0; i < BURST; i++) {
		b->m[i] = bench_packet();
		if (b->m[i] == NULL)
			return ns_fail(e, ENOMEM, "no memory");
	}
	if (b->table == NULL || b->lcore == NULL || b->state == NULL)
		return ns_fail(e, ENOMEM, "no memory");
	return 0;
}

static void destroy(struct bench *b)
{
	for (unsigned i = 0; i < BURST; i++)
		free(b->m[i]);
	if (b->tasks != NULL)
		ns_tasks_state_destroy(b->tasks, b->state);
	ns_task_lcore_destroy(b->lcore);
	ns_tasks_destroy(b->tasks);
	ns_flow_table_destroy(b->table);
	free(b->order);
	free(b->chunk);
}

int main(int argc, char **argv)
{
	double with[ROUNDS], without[ROUNDS], alpha = 1.0;
	struct bench b = {.flows = 100000, .packets = 2000000, .clock_ns = NS_SEC_NS};
	struct ns_err e;
	int n = 1, rc;

	if (argc > 1 && argv[1][0] == '-' && argv[1][1] == 'h') {
		puts("usage: ns-bench-tasks [FLOWS [PACKETS [ALPHA [KEY=VALUE]...]]]\n\n"
		     "Prints the ns that the tasks of the configuration cost a packet: FLOWS (100000)\n"
		     "by Zipf's law with exponent ALPHA (1.0; 0: uniform), PACKETS (2000000) an epoch.\n"
		     "KEY=VALUE is a key of the configuration, as 'tasks=[{name: x, type: ...}]'.");
		return 0;
	}
	if (argc > n)
		b.flows = (uint32_t)strtoul(argv[n++], NULL, 10);
	if (argc > n)
		b.packets = (uint32_t)strtoul(argv[n++], NULL, 10);
	if (argc > n)
		alpha = strtod(argv[n++], NULL);
	if (b.flows == 0 || b.packets < BURST * CHUNK) {
		fputs("ns-bench-tasks: too few flows or packets\n", stderr);
		return 1;
	}
	ns_test_eal_with("2048");
	if (ns_registry_seal(&e) < 0) {
		fprintf(stderr, "ns-bench-tasks: %s\n", e.text);
		return 1;
	}
	struct ns_conf *conf =
		ns_conf_load(NULL, (const char *const *)argv + n, (size_t)(argc - n), &e);

	rc = conf == NULL ? -errno : make_order(&b, alpha);
	if (rc == 0)
		rc = make(&b, conf, &e);
	if (rc < 0) {
		fprintf(stderr, "ns-bench-tasks: %s\n", e.text);
		return 1;
	}
	b.chunk = malloc((b.packets / BURST / CHUNK + 1) * (ROUNDS + 1) * sizeof(*b.chunk));
	if (b.chunk == NULL)
		return 1;
	run(&b, true);
	b.chunks = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		without[i] = run(&b, false);
		with[i] = run(&b, true) - without[i];
	}
	qsort(with, ROUNDS, sizeof(with[0]), cmp);
	qsort(without, ROUNDS, sizeof(without[0]), cmp);
	qsort(b.chunk, b.chunks, sizeof(b.chunk[0]), cmp);
	printf("%u flows, %u packets an epoch, zipf %.1f, %u tasks, medians of %d rounds\n",
		b.flows, b.packets, alpha, ns_tasks_n(b.tasks), ROUNDS);
	printf("  packets made, flow table   %6.1f ns/packet\n", without[ROUNDS / 2]);
	printf("  tasks                      %6.1f ns/packet   least %.1f\n", with[ROUNDS / 2],
		with[0]);
	printf("  of these in the tasks      %6.1f ns/packet   a tenth is below %.1f\n",
		b.chunk[b.chunks / 2] * 1e9 / (double)rte_get_tsc_hz() / BURST,
		b.chunk[b.chunks / 10] * 1e9 / (double)rte_get_tsc_hz() / BURST);
	destroy(&b);
	ns_conf_destroy(conf);
	return 0;
}
