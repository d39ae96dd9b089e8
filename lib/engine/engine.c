/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_priv.h"
#include "trace.h"

#include <ns_node.h>
#include <ns_profile.h>
#include <ns_send.h>
#include <ns_stage.h>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What is asked for on the command line goes before what the configuration says. */
static int resolve(struct ns_engine *en, struct ns_err *e)
{
	const struct ns_engine_conf *c = ns_conf_get(en->args.conf, "engine");
	const char *name = c->source != NULL ? c->source : en->args.source;
	const struct ns_plugin *p = name != NULL ? ns_plugin_find(NS_SOURCE_KIND, name) : NULL;
	char known[256];

	if (p == NULL)
		return ns_fail(e, EINVAL, "engine.source: no source is named \"%s\"; there are: %s",
			name != NULL ? name : "",
			ns_plugin_names(NS_SOURCE_KIND, known, sizeof(known)));
	if (ns_node_init(c->node, e) < 0)
		return -errno;
	en->conf = c;
	ns_tuple_seed(c->seed);
	en->sops = p->ops;
	en->live = en->sops->live;
	if (en->args.targets_n == 0) {
		en->args.targets = (const char *const *)c->targets;
		en->args.targets_n = c->targets_count;
	}
	if (en->args.targets_n == 0)
		return ns_fail(e, EINVAL, "nothing to read: engine.targets is empty");
	en->filter = en->args.filter != NULL ? en->args.filter : c->filter;
	if (en->filter != NULL && en->filter[0] == '\0')
		en->filter = NULL;
	en->workers = en->args.workers != 0 ? en->args.workers : c->workers;
	if (en->workers >= NS_WORKERS_MAX)
		return ns_fail(
			e, EINVAL, "%u workers; at most %u", en->workers, NS_WORKERS_MAX - 1);
	en->rtc = c->mode == NS_ENGINE_RTC ||
		  (c->mode == NS_ENGINE_AUTO && !en->live && en->workers == 1);
	if (en->rtc && !en->live && en->workers > 1)
		return ns_fail(e, EINVAL,
			"engine.mode: a file is read by one lcore; rtc allows one worker");
	en->rx = en->live ? c->rx : 1;
	if (en->rtc)
		en->rx = en->workers;
	if (en->rx > RX_MAX && !en->rtc)
		en->rx = RX_MAX;
	en->flow = *(const struct ns_flow_conf *)ns_conf_get(en->args.conf, "flow");
	/* with rtc each lcore has a table for any bucket, but the limit is for all of them */
	if (en->rtc)
		en->flow.max = NS_MAX(en->flow.max / en->workers, 4096u);
	en->flow_conf = &en->flow;
	en->dispatch_conf = ns_conf_get(en->args.conf, "dispatch");
	if (en->sops->packets_bound != NULL)
		en->bound = en->sops->packets_bound(en->args.targets, en->args.targets_n);
	return 0;
}

static int up_pool(void *ctx, struct ns_err *e)
{
	return engine_pool_up(ctx, e);
}

static void down_pool(void *ctx)
{
	struct ns_engine *en = ctx;

	ns_send_fini();
	rte_mempool_free(en->pool);
	en->pool = NULL;
}

/* A source may know EAL arguments of its own (a driver's profile); they must come before it starts.
 */
static int up_eal(void *ctx, struct ns_err *e)
{
	struct ns_engine *en = ctx;
	struct ns_profile *profile = NULL;

	errno = 0;
	if (en->sops->profile != NULL)
		profile = en->sops->profile(en->args.conf, e);
	if (en->sops->profile != NULL && profile == NULL && errno != 0)
		return ns_errno_set(errno);
	int rc = engine_eal_up(en, profile, e);

	ns_profile_destroy(profile);
	return rc;
}

static void down_eal(void *ctx)
{
	engine_eal_down(ctx);
}

static int up_decoder(void *ctx, struct ns_err *e)
{
	struct ns_engine *en = ctx;

	en->decoder = ns_decoder_create(ns_conf_get(en->args.conf, "decode"));
	return en->decoder != NULL ? 0 : ns_fail(e, errno, "decoder: %s", strerror(errno));
}

static void down_decoder(void *ctx)
{
	struct ns_engine *en = ctx;

	ns_decoder_destroy(en->decoder);
	en->decoder = NULL;
}

/* The arrays of lcores exist before the source, whose hold points into them. */
static int make_lcores(struct ns_engine *en, struct ns_err *e)
{
	en->lcores_n = (en->rtc ? 0 : en->rx) + en->workers;
	en->lcores = aligned_alloc(NS_CACHE_LINE, en->lcores_n * sizeof(*en->lcores));
	if (en->lcores == NULL)
		return ns_fail(e, ENOMEM, "no memory for %u lcores", en->lcores_n);
	memset(en->lcores, 0, en->lcores_n * sizeof(*en->lcores));
	for (unsigned i = 0; i < en->lcores_n; i++) {
		struct lcore *l = &en->lcores[i];
		bool rx = !en->rtc && i < en->rx;

		l->en = en;
		l->id = i + 1;
		l->role = en->rtc ? ROLE_BOTH : rx ? ROLE_RX : ROLE_ANALYSIS;
		l->index = rx || en->rtc ? i : i - en->rx;
		l->stats = aligned_alloc(NS_CACHE_LINE, sizeof(*l->stats));
		if (l->stats == NULL)
			return ns_fail(e, ENOMEM, "no memory for counters");
		memset(l->stats, 0, sizeof(*l->stats));
	}
	return 0;
}

static void down_lcores(void *ctx)
{
	struct ns_engine *en = ctx;

	for (unsigned i = 0; en->lcores != NULL && i < en->lcores_n; i++) {
		struct lcore *l = &en->lcores[i];

		ns_defrag_destroy(l->defrag);
		ns_dispatch_destroy(l->dispatch);
		ns_flow_table_destroy(l->flows);
		for (unsigned r = 0; r < RX_MAX; r++)
			rte_ring_free(l->in[r]);
		free(l->stats);
		if (l->timeline != en->timeline)
			free(l->timeline);
	}
	engine_latency_down(en);
	free(en->lcores);
	free(en->timeline);
	en->lcores = NULL;
	en->timeline = NULL;
	en->lcores_n = 0;
}

static int up_lcores(void *ctx, struct ns_err *e)
{
	int rc = make_lcores(ctx, e);

	if (rc < 0)
		down_lcores(ctx);
	return rc;
}

static int up_source(void *ctx, struct ns_err *e)
{
	struct ns_engine *en = ctx;
	struct ns_source_args args = {
		.targets = en->args.targets,
		.targets_n = en->args.targets_n,
		.filter = en->filter,
		.conf = en->args.conf,
		.pool = en->pool,
		.queues = en->rtc ? en->workers : en->rx,
	};

	if (!en->rtc)
		engine_hold(&en->lcores[0], &args.hold);
	en->source = en->sops->open(&args, e);
	if (en->source == NULL)
		return ns_errno_set(errno != 0 ? errno : EIO);
	en->queues = en->sops->queues != NULL ? en->sops->queues(en->source) : 1;
	return 0;
}

/* What the source has to say outlives it. */
void engine_keep_source(struct ns_engine *en)
{
	if (en->source == NULL)
		return;
	en->input_status = en->sops->status(en->source);
	en->sops->stats(en->source, &en->source_stats);
	free(en->input_message);
	en->input_message = strdup(en->sops->message(en->source));
}

static void down_source(void *ctx)
{
	struct ns_engine *en = ctx;

	engine_keep_source(en);
	if (en->source != NULL)
		en->sops->close(en->source);
	en->source = NULL;
}

static int up_rings(struct ns_engine *en, struct ns_err *e)
{
	struct rte_ring *rings[NS_WORKERS_MAX];
	char name[RTE_RING_NAMESIZE];

	for (unsigned r = 0; r < en->rx; r++) {
		for (unsigned w = 0; w < en->workers; w++) {
			snprintf(name, sizeof(name), "ns_rx%u_%u", r, w);
			rings[w] = rte_ring_create(name, en->dispatch_conf->ring, SOCKET_ID_ANY,
				RING_F_SP_ENQ | RING_F_SC_DEQ);
			if (rings[w] == NULL)
				return ns_fail(e, ENOMEM, "no memory for rings of %u packets",
					en->dispatch_conf->ring);
			en->lcores[en->rx + w].in[r] = rings[w];
		}
		en->lcores[r].dispatch =
			ns_dispatch_create(en->dispatch_conf, rings, en->workers, !en->live);
		if (en->lcores[r].dispatch == NULL)
			return ns_fail(e, errno, "dispatch: %s", strerror(errno));
	}
	return 0;
}

/* A port's own spreading knows no buckets: with rtc any shard may come to any lcore. */
uint32_t engine_share(const struct ns_engine *en, unsigned w)
{
	uint32_t buckets = en->dispatch_conf->buckets;

	return en->rtc ? buckets : ns_dispatch_share(buckets, en->workers, w);
}

/* On lines of its own, as each lcore that reads writes one. */
static int make_timeline(struct lcore *l)
{
	size_t size = (sizeof(*l->timeline) + NS_CACHE_LINE - 1) & ~(size_t)(NS_CACHE_LINE - 1);

	l->timeline = aligned_alloc(NS_CACHE_LINE, size);
	if (l->timeline == NULL)
		return -ENOMEM;
	memset(l->timeline, 0, size);
	return 0;
}

static int up_tables(void *ctx, struct ns_err *e)
{
	struct ns_engine *en = ctx;
	uint32_t buckets = en->dispatch_conf->buckets;
	int rc = en->rtc ? 0 : up_rings(en, e);

	if (rc == 0)
		rc = engine_latency_up(en, e);
	for (unsigned i = 0; rc == 0 && i < en->lcores_n; i++) {
		struct lcore *l = &en->lcores[i];

		if (l->role != ROLE_ANALYSIS) {
			l->defrag = ns_defrag_create(ns_conf_get(en->args.conf, "defrag"), i);
			if (l->defrag == NULL)
				return ns_fail(e, ENOMEM, "no memory for the table of fragments");
			ns_defrag_wait(l->defrag, !en->live);
			if (en->args.timeline && make_timeline(l) < 0)
				return ns_fail(e, ENOMEM, "no memory for the timeline");
		}
		if (l->role == ROLE_RX)
			continue;
		struct ns_flow_hooks hooks = {.ended = engine_flow_ended, .ctx = l};
		l->producer = &en->producers[l->index];
		l->snap = ns_snap_lcore(en->snap, l->index);
		l->plan = en->plan;
		l->tasks = en->plan->lcores[l->index].tasks;
		l->flows = ns_flow_table_create(en->flow_conf, i, engine_share(en, l->index),
			buckets, en->bound, !en->live, &hooks);
		if (l->flows == NULL)
			return ns_fail(e, ENOMEM,
				"no memory for a table of %u flows (flow.max, engine.memory)",
				en->flow_conf->max);
	}
	return rc;
}

static int up_tasks(void *ctx, struct ns_err *e)
{
	int rc = engine_tasks_up(ctx, e);

	if (rc < 0)
		engine_tasks_down(ctx);
	return rc;
}

static void down_tasks(void *ctx)
{
	engine_tasks_down(ctx);
}

static void down_sinks(void *ctx)
{
	struct ns_engine *en = ctx;

	engine_sinks_down(en);
	for (unsigned w = 0; w < NS_WORKERS_MAX; w++)
		engine_producer_destroy(&en->producers[w]);
}

static int up_sinks(void *ctx, struct ns_err *e)
{
	int rc = engine_sinks_up(ctx, e);

	if (rc < 0)
		down_sinks(ctx);
	return rc;
}

static int up_state(void *ctx, struct ns_err *e)
{
	return engine_state_up(ctx, e);
}

static void down_state(void *ctx)
{
	engine_state_down(ctx);
}

static const struct ns_stage stages[] = {
	{"eal", up_eal, down_eal},
	{"packet pool", up_pool, down_pool},
	{"decoder", up_decoder, down_decoder},
	{"tasks", up_tasks, down_tasks},
	{"lcores", up_lcores, down_lcores},
	{"source", up_source, down_source},
	{"tables", up_tables, NULL},
	{"writers", up_sinks, down_sinks},
	{"state", up_state, down_state},
};

struct ns_engine *ns_engine_create(const struct ns_engine_args *args, struct ns_err *e)
{
	struct ns_engine *en = aligned_alloc(NS_CACHE_LINE, sizeof(*en));

	if (en == NULL) {
		ns_fail(e, ENOMEM, "no memory");
		return NULL;
	}
	memset(en, 0, sizeof(*en));
	en->args = *args;
	en->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (en->wake < 0) {
		ns_fail(e, errno, "no event descriptor: %s", strerror(errno));
		free(en);
		return NULL;
	}
	if (resolve(en, e) < 0 || ns_stages_up(stages, NS_ARRAY_LEN(stages), en, e) < 0) {
		int err = errno;

		close(en->wake);
		free(en->input_message);
		free(en);
		return ns_errno_null(err);
	}
	return en;
}

void ns_engine_destroy(struct ns_engine *en)
{
	if (en == NULL)
		return;
	engine_trace_down(en);
	ns_stages_down(stages, NS_ARRAY_LEN(stages), en);
	close(en->wake);
	free(en->input_message);
	free(en);
}
