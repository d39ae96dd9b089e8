/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flows of a bed. With new flows, number k of those that packets are drawn from is replaced by
 * another, in turn: the old one gets no packet any more and ends when it has been idle long
 * enough. So its number follows from how many have been new so far, and nothing is kept for it.
 *
 * Without new flows none may end, however rarely it is drawn: idle is as long as it can be. With
 * them it is long enough that hardly a flow that packets are drawn from is idle by chance.
 */
#include "ns_test_zipf.h"
#include "perf.h"

#include <rte_common.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define IDLE_NEVER 100000000u
#define DRAWS_PER_IDLE 10 /* packets of a flow while it would have to be idle */
#define SHARDS 512 /* dispatch.buckets */
#define BEGIN_NS UINT64_C(1700000000000000000)
#define HUGE_PAGE ((size_t)2 << 20)

const char *const perf_draw_names[PERF_DRAWS] = {"uniform", "zipf 1.0"};

void *perf_alloc(size_t size)
{
	size = RTE_ALIGN_CEIL(size, HUGE_PAGE);

	/* one page more, so that it begins where a huge page may */
	uint8_t *p = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("ns-perf: memory");
		exit(2);
	}
	size_t before = -(uintptr_t)p & (HUGE_PAGE - 1);

	if (before > 0)
		munmap(p, before);
	if (HUGE_PAGE - before > 0)
		munmap(p + before + size, HUGE_PAGE - before);
	/* without huge pages it is only slower */
	(void)madvise(p + before, size, MADV_HUGEPAGE);
	memset(p + before, 0, size);
	return p + before;
}

void perf_free(void *p, size_t size)
{
	if (p != NULL)
		munmap(p, RTE_ALIGN_CEIL(size, HUGE_PAGE));
}

static uint32_t idle_seconds(const struct perf_bed_conf *c)
{
	if (c->idle != 0)
		return c->idle;
	return c->rate == 0 ? IDLE_NEVER
			    : (uint32_t)NS_MAX(1, ceil(DRAWS_PER_IDLE * c->flows / c->pps));
}

static struct ns_flow_conf flow_conf(const struct perf_bed_conf *c, const struct ns_conf *conf)
{
	struct ns_flow_conf f = *(const struct ns_flow_conf *)ns_conf_get(conf, "flow");
	double live;

	f.idle = idle_seconds(c);
	f.active = 0;
	live = c->flows + (c->rate == 0 ? 0 : (double)c->rate * (f.idle + 0.25));
	if (c->max != 0)
		live = c->max;
	else
		live *= 1.25;
	f.max = (uint32_t)NS_MIN(NS_MAX(live, 4096), 67108863);
	return f;
}

uint64_t perf_bed_memory(const struct perf_bed_conf *c, const struct ns_conf *conf)
{
	struct ns_flow_conf f = flow_conf(c, conf);

	return ns_flow_table_memory(&f, SHARDS, SHARDS, 0);
}

/* As the engine does: the record is made on the lcore. */
static void ended(void *ctx, const struct ns_flow_ended *flow)
{
	struct perf_lcore *l = ctx;

	ns_flow_record(flow, &l->rec);
	l->ended++;
	l->ended_packets += l->rec.packets + l->rec.rev_packets;
	if (l->tasks != NULL && ns_tasks_of_flows(l->tasks->tasks))
		ns_tasks_record(l->tasks->lcore, l->tasks->state, &l->rec);
}

struct perf_bed *perf_bed_create(const struct perf_bed_conf *c, struct perf_lcore *l, unsigned id)
{
	struct ns_flow_conf conf = flow_conf(c, l->conf);
	struct ns_flow_hooks hooks = {ended, l};
	struct perf_bed *b = aligned_alloc(NS_CACHE_LINE, sizeof(*b));

	if (b == NULL)
		return ns_errno_null(ENOMEM);
	*b = (struct perf_bed){.flows = c->flows, .rate = c->rate, .pps = c->pps};
	b->idle = conf.idle;
	b->max = conf.max;
	b->step = (uint64_t)(1e9 / c->pps * 0x1p32);
	b->clock_ns = BEGIN_NS;
	b->random = 1;
	b->memory = ns_flow_table_memory(&conf, SHARDS, SHARDS, 0);
	b->table = ns_flow_table_create(&conf, id, SHARDS, SHARDS, 0, false, &hooks);
	if (b->table == NULL) {
		int err = errno;

		perf_bed_destroy(b);
		return ns_errno_null(err);
	}
	return b;
}

void perf_bed_destroy(struct perf_bed *b)
{
	if (b == NULL)
		return;
	ns_flow_table_destroy(b->table);
	perf_free(b->lines, (size_t)b->flows * 64);
	perf_free(b->zipf, PERF_ZIPF_N * sizeof(*b->zipf));
	free(b);
}

static uint32_t zipf_rank(struct perf_bed *b)
{
	if (b->zipf == NULL) {
		struct ns_zipf z;

		b->zipf = perf_alloc(PERF_ZIPF_N * sizeof(*b->zipf));
		ns_zipf_init(&z, 1.0, b->flows, 1);
		for (uint32_t i = 0; i < PERF_ZIPF_N; i++)
			b->zipf[i] = (uint32_t)ns_zipf_next(&z) - 1;
	}
	return b->zipf[b->zipf_at++ % PERF_ZIPF_N];
}

uint32_t perf_bed_draw(struct perf_bed *b, enum perf_draw draw)
{
	uint32_t k;

	if (b->rate > 0) {
		b->due += (double)b->rate / b->pps;
		if (b->due >= 1) {
			b->due -= 1;
			return (uint32_t)(b->flows + b->fresh++);
		}
	}
	if (draw == PERF_UNIFORM)
		k = (uint32_t)((ns_test_mix(&b->random) >> 32) * b->flows >> 32);
	else
		k = zipf_rank(b);
	if (b->fresh == 0)
		return k;
	return (uint32_t)(k + b->flows * ((b->fresh + b->flows - 1 - k) / b->flows));
}
