/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns-bench-walk: what reading a flow table costs control, and what it costs the lcore that writes
 * it. The first is told in wall time of a table that nobody writes; for the second a thread in the
 * lcore's place puts packets of all flows through the table while another walks, and then alone,
 * in turns.
 */
#include "bench_packets.h"
#include "ns_test_eal.h"

#include <ns_flow.h>
#include <ns_rec_filter.h>
#include <ns_registry.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define BURST 64u
#define ROUNDS 7
#define PACKETS 4000000u
#define SLICE 2048

static void ended(void *ctx, const struct ns_flow_ended *flow)
{
}

static void put(struct ns_flow_table *t, struct rte_mbuf **m, uint32_t first, uint32_t flows)
{
	struct ns_counters c = {0};

	for (unsigned i = 0; i < BURST; i++)
		bench_fill(m[i], (first + i) % flows, NS_SEC_NS);
	ns_flow_burst(t, m, BURST, &c);
}

struct reader {
	const struct ns_flow_table *t;
	const struct ns_rec_filter *filter;
	bool ids;
	uint64_t seen, matched, stuck;
};

static int look(void *ctx, struct ns_flow_rec *recs, unsigned n)
{
	struct reader *r = ctx;

	if (r->ids)
		ns_flow_record_ids(recs, n);
	for (unsigned i = 0; r->filter != NULL && i < n; i++)
		r->matched += ns_rec_filter_match(r->filter, &recs[i]);
	r->seen += n;
	return 0;
}

static void walk(struct reader *r)
{
	uint32_t from = 0;

	for (int rc = 1; rc != 0;) {
		rc = ns_flow_walk(r->t, &from, SLICE, look, r);
		r->stuck += rc == -EAGAIN;
	}
}

static int cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), cmp);
	return v[ROUNDS / 2];
}

static double walk_ns(const struct reader *how)
{
	double ns[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct reader r = *how;
		uint64_t start = ns_clock_mono();

		walk(&r);
		ns[i] = (double)(ns_clock_mono() - start) / (double)r.seen;
	}
	return median(ns);
}

static void reading(const struct ns_flow_table *t)
{
	static const char text[] =
		"src 10.0.0.0/9 and (dst_port 65001 or packets > 100) and not tcp";
	struct reader plain = {.t = t}, ids = {.t = t, .ids = true}, filter = {.t = t};
	struct ns_rec_filter *f = ns_rec_filter_create(&ns_flow_rec_kind, text, NULL);

	if (f == NULL)
		exit(1);
	filter.filter = f;
	printf("  walk                     %6.1f ns a flow\n", walk_ns(&plain));
	printf("  walk, Community IDs      %6.1f ns a flow\n", walk_ns(&ids));
	printf("  walk, a filter of 4      %6.1f ns a flow\n", walk_ns(&filter));
	ns_rec_filter_destroy(f);
}

static struct reader beside;
static bool stop;

static void *read_all(void *ctx)
{
	cpu_set_t all;

	/* EAL has bound the main thread to a CPU; this one goes elsewhere */
	memset(&all, 0xff, sizeof(all));
	CPU_CLR(0, &all);
	pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		walk(&beside);
	return NULL;
}

/* ns a packet, of filling it in too. */
static double write_ns(struct ns_flow_table *t, struct rte_mbuf **m, uint32_t flows)
{
	uint64_t start = ns_clock_mono();

	for (uint32_t i = 0; i < PACKETS; i += BURST)
		put(t, m, i, flows);
	return (double)(ns_clock_mono() - start) / PACKETS;
}

static void writing(struct ns_flow_table *t, struct rte_mbuf **m, uint32_t flows)
{
	double alone[ROUNDS], with[ROUNDS];
	uint64_t seen = 0, start, ns = 0;

	beside = (struct reader){.t = t};
	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_t p;

		alone[i] = write_ns(t, m, flows);
		__atomic_store_n(&stop, false, __ATOMIC_RELAXED);
		start = ns_clock_mono();
		if (pthread_create(&p, NULL, read_all, NULL) != 0)
			exit(1);
		with[i] = write_ns(t, m, flows);
		__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
		pthread_join(p, NULL);
		ns += ns_clock_mono() - start;
		seen = beside.seen;
	}
	printf("  walk beside the lcore    %6.1f ns a flow, held up %llu times\n",
		(double)ns / (double)seen, (unsigned long long)beside.stuck);
	printf("  packets, alone           %6.1f ns a packet\n", median(alone));
	printf("  packets, walked beside   %6.1f ns a packet\n", median(with));
}

int main(int argc, char **argv)
{
	struct ns_flow_conf conf = {.idle = 600, .active = 0};
	const struct ns_flow_hooks hooks = {ended, NULL};
	uint32_t flows = 4000000;
	struct rte_mbuf *m[BURST];
	struct ns_flow_table *t;
	struct ns_err e = {""};

	if (argc > 1 && argv[1][0] == '-' && argv[1][1] == 'h') {
		puts("usage: ns-bench-walk [FLOWS]\n\n"
		     "Prints the ns that a walk over a table of FLOWS (4000000) flows takes for each,\n"
		     "and what a packet costs its lcore alone and while another thread walks.");
		return 0;
	}
	if (argc > 1)
		flows = (uint32_t)strtoul(argv[1], NULL, 10);
	conf.max = flows + flows / 4 + 4096;
	ns_test_eal_with("512");
	if (ns_registry_seal(&e) < 0 ||
		(t = ns_flow_table_create(&conf, 0, 64, 64, 0, false, &hooks)) == NULL) {
		fprintf(stderr, "ns-bench-walk: no memory for a table %s\n", e.text);
		return 1;
	}
	for (unsigned i = 0; i < BURST; i++) {
		m[i] = bench_packet();
		if (m[i] == NULL)
			exit(1);
	}
	for (uint32_t i = 0; i < flows; i += BURST)
		put(t, m, i, flows);
	struct ns_flow_stats s;

	ns_flow_table_stats(t, &s);
	printf("%llu flows, medians of %d\n", (unsigned long long)s.flows, ROUNDS);
	reading(t);
	writing(t, m, flows);
	for (unsigned i = 0; i < BURST; i++)
		free(m[i]);
	ns_flow_table_destroy(t);
	return 0;
}
