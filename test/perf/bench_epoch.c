/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns-bench-epoch: what control pays for an epoch. The states of several lcores, filled by packets
 * of many flows, are merged into one and emptied, as ns_snap_take() has it done.
 */
#include "bench_packets.h"
#include "ns_test_eal.h"

#include <ns_conf.h>
#include <ns_registry.h>
#include <ns_task.h>

#include <stdio.h>
#include <stdlib.h>

#define LCORES 4
#define ROUNDS 5
#define BURST NS_TASK_BURST

/* Ten tasks of about 8 MiB each, of every kind that has a size. */
static const char tasks[] =
	"tasks=["
	"{name: a, type: heavy, key: [src_ip], memory: 8 MiB},"
	"{name: b, type: heavy, key: [dst_ip], memory: 8 MiB},"
	"{name: c, type: heavy, key: [proto, responder_port], memory: 8 MiB},"
	"{name: d, type: heavy, key: [initiator_ip, responder_ip], memory: 8 MiB},"
	"{name: e, type: spread, key: [initiator_ip], peers: [responder_ip], memory: 8 MiB},"
	"{name: f, type: spread, key: [responder_ip], peers: [initiator_ip], memory: 8 MiB},"
	"{name: g, type: entropy, key: [src_ip], memory: 8 MiB},"
	"{name: h, type: entropy, key: [dst_ip], memory: 8 MiB},"
	"{name: i, type: exact, key: [src_ip], max: 120000},"
	"{name: j, type: exact, key: [src_ip, src_port], max: 120000}]";

static int cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int fill(const struct ns_tasks *ts, void *state, uint32_t flows, uint32_t first)
{
	struct ns_task_lcore *l = ns_task_lcore_create(ts);
	struct rte_mbuf *m[BURST];

	for (unsigned i = 0; i < BURST; i++) {
		m[i] = bench_packet();
		if (m[i] == NULL || l == NULL)
			return -ENOMEM;
	}
	for (uint32_t at = 0; at < flows; at += BURST) {
		for (unsigned i = 0; i < BURST; i++) {
			bench_fill(m[i], first + at + i, NS_SEC_NS);
			ns_packet(m[i])->flow = NS_PKT_FLOW | NS_PKT_FLOW_NEW | NS_PKT_FLOW_FIRST;
			ns_packet(m[i])->flow_dport = ns_packet(m[i])->dport;
		}
		ns_tasks_packets(l, state, m, BURST);
	}
	ns_tasks_flush(l, state);
	for (unsigned i = 0; i < BURST; i++)
		free(m[i]);
	ns_task_lcore_destroy(l);
	return 0;
}

static int run(const struct ns_tasks *ts, uint32_t flows, struct ns_err *e)
{
	double merge[ROUNDS], reset[ROUNDS];
	void *state[LCORES], *into = ns_tasks_state_create(ts);
	int rc = into != NULL ? 0 : -ENOMEM;

	for (unsigned i = 0; i < LCORES; i++) {
		state[i] = ns_tasks_state_create(ts);
		if (state[i] == NULL)
			rc = -ENOMEM;
	}
	for (unsigned r = 0; rc == 0 && r < ROUNDS; r++) {
		merge[r] = reset[r] = 0;
		for (unsigned i = 0; rc == 0 && i < LCORES; i++)
			rc = fill(ts, state[i], flows, i * flows);
		for (unsigned i = 0; rc == 0 && i < LCORES; i++) {
			uint64_t start = ns_clock_cpu(), merged;

			rc = ns_tasks_merge(ts, into, state[i]);
			merged = ns_clock_cpu();
			ns_tasks_reset(ts, state[i]);
			merge[r] += (double)(merged - start) / 1e6;
			reset[r] += (double)(ns_clock_cpu() - merged) / 1e6;
		}
		ns_tasks_reset(ts, into);
	}
	if (rc == 0) {
		qsort(merge, ROUNDS, sizeof(merge[0]), cmp);
		qsort(reset, ROUNDS, sizeof(reset[0]), cmp);
		printf("%u lcores, %u tasks, %.1f MiB of states each lcore, %u flows each, medians of %d\n"
		       "  merge   %7.1f ms an epoch\n"
		       "  empty   %7.1f ms an epoch\n",
			LCORES, ns_tasks_n(ts), (double)ns_tasks_state_size(ts) / 1048576, flows,
			ROUNDS, merge[ROUNDS / 2], reset[ROUNDS / 2]);
	} else {
		ns_fail(e, ENOMEM, "no memory, or states that do not merge");
	}
	for (unsigned i = 0; i < LCORES; i++)
		ns_tasks_state_destroy(ts, state[i]);
	ns_tasks_state_destroy(ts, into);
	return rc;
}

int main(int argc, char **argv)
{
	const char *const overrides[] = {tasks};
	uint32_t flows = 1000000;
	struct ns_err e = {""};
	int rc;

	if (argc > 1 && argv[1][0] == '-' && argv[1][1] == 'h') {
		puts("usage: ns-bench-epoch [FLOWS]\n\n"
		     "Prints the ms that merging and emptying an epoch of 4 lcores with ten tasks of\n"
		     "8 MiB each take; each lcore has seen FLOWS (1000000) flows of its own.");
		return 0;
	}
	if (argc > 1)
		flows = (uint32_t)strtoul(argv[1], NULL, 10);
	ns_test_eal();
	rc = ns_registry_seal(&e);
	if (rc == 0) {
		struct ns_conf *conf = ns_conf_load(NULL, overrides, 1, &e);
		struct ns_tasks_args args = {.conf = conf, .live = true};
		struct ns_tasks *ts = conf != NULL ? ns_tasks_create(&args, &e) : NULL;

		rc = ts != NULL ? run(ts, flows, &e) : -errno;
		ns_tasks_destroy(ts);
		ns_conf_destroy(conf);
	}
	if (rc < 0)
		fprintf(stderr, "ns-bench-epoch: %s\n", e.text);
	return rc < 0 ? 1 : 0;
}
