/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a live engine says of itself at the end of each epoch: the records of ns_state.h, for the
 * writers that want them, the console and metrics.
 *
 * The account of an epoch: analysed packets are those that each lcore had counted when it handed
 * its states over, so they are those that the tasks of the epoch saw. Drops are read before what
 * was received, so that what is in flight is never less than none.
 */
#include "engine_priv.h"
#include "pause.h"

#include <ns_log.h>

#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("engine");

/* Control's alone. */
struct engine_state {
	struct ns_engine_state said;
	bool any;
	struct ns_engine_stats now, drops; /* drops: a moment earlier */
	/* at the end of the epoch before */
	struct {
		uint64_t received, octets, analysed, dropped, run_ns;
		uint64_t counters[NS_COUNTER_MAX];
		struct {
			uint64_t packets, bursts, busy_ns;
		} lcores[NS_ENGINE_LCORES];
	} before;
	struct ns_counter_rec counters[NS_COUNTER_MAX];
	struct ns_lcore_rec lcores[NS_ENGINE_LCORES];
	struct ns_writer_rec writers[SINKS_MAX + 1];
};

int engine_state_up(struct ns_engine *en, struct ns_err *e)
{
	if (!en->live)
		return 0;
	en->state = calloc(1, sizeof(*en->state));
	if (en->state == NULL)
		return ns_fail(e, ENOMEM, "no memory for the state of the engine");
	en->state->said.counters = en->state->counters;
	en->state->said.lcores = en->state->lcores;
	en->state->said.writers = en->state->writers;
	return 0;
}

void engine_state_down(struct ns_engine *en)
{
	free(en->state);
	en->state = NULL;
}

/* What was analysed up to the end of the epoch; at the last one that is all. */
static uint64_t analysed(const struct ns_engine *en)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < en->lcores_n; i++)
		n += en->lcores[i].analysed_then;
	return n;
}

static void account(struct ns_engine *en, struct ns_epoch_rec *r)
{
	struct engine_state *st = en->state;

	r->analysed = analysed(en);
	ns_engine_stats(en, &st->drops);
	ns_engine_stats(en, &st->now);
	r->received = st->now.received;
	r->octets = st->now.octets;
	r->dropped = st->drops.drops;
	r->in_flight = r->received - r->analysed - r->dropped;
	r->epoch_received = r->received - st->before.received;
	r->epoch_octets = r->octets - st->before.octets;
	r->epoch_analysed = r->analysed - st->before.analysed;
	r->epoch_dropped = r->dropped - st->before.dropped;
	st->before.received = r->received;
	st->before.octets = r->octets;
	st->before.analysed = r->analysed;
	st->before.dropped = r->dropped;
}

static void epoch(struct ns_engine *en, struct ns_epoch_rec *r)
{
	const struct ns_engine_stats *s = &en->state->now;

	r->flows = s->flows.flows;
	r->flows_created = s->flows.created;
	r->flows_ended = s->flows.ended;
	r->flows_evicted = s->flows.evicted;
	r->records = s->records;
	r->records_lost = s->counters.v[ns_note_records_lost.id];
	r->lag_ns = s->handover.lag_ns;
	r->merge_ns = s->handover.merge_ns;
	r->late = s->handover.late;
	r->latency_p50_ns = s->latency_epoch.p50_ns;
	r->latency_p99_ns = s->latency_epoch.p99_ns;
	r->latency_p999_ns = s->latency_epoch.p999_ns;
	r->latency_max_ns = s->latency_epoch.max_ns;
	r->mbufs = en->pool->size;
	r->mbufs_used = rte_mempool_in_use_count(en->pool);
}

static void counters(struct ns_engine *en)
{
	struct engine_state *st = en->state;
	const struct ns_counter *const *all;
	unsigned n, k = 0;

	all = ns_counters_all(&n);
	for (unsigned i = 0; i < n; i++) {
		/* drops as in the account above */
		bool drop = all[i]->kind == NS_COUNTER_DROP;
		unsigned id = all[i]->id;
		uint64_t v = (drop ? &st->drops : &st->now)->counters.v[id];
		struct ns_counter_rec *r = &st->counters[k];

		if (v == 0)
			continue;
		*r = (struct ns_counter_rec){
			.drop = drop, .value = v, .epoch_value = v - st->before.counters[id]};
		snprintf(r->name, sizeof(r->name), "%s", all[i]->name);
		st->before.counters[id] = v;
		k++;
	}
	st->said.counters_n = k;
}

static void lcore(struct ns_engine *en, unsigned i, uint64_t span_ns)
{
	static const char *const roles[] = {[NS_ENGINE_RX] = "rx",
		[NS_ENGINE_ANALYSIS] = "analysis",
		[NS_ENGINE_BOTH] = "both"};
	struct engine_state *st = en->state;
	const struct ns_engine_lcore *s = &st->now.lcores[i];
	const struct lcore *l = &en->lcores[i];
	int cpu = rte_lcore_to_cpu_id((int)l->id);
	uint64_t bursts = s->bursts - st->before.lcores[i].bursts;
	uint64_t busy = s->busy_ns - st->before.lcores[i].busy_ns;
	struct ns_lcore_rec *r = &st->lcores[i];

	*r = (struct ns_lcore_rec){.lcore = l->id,
		.cpu = cpu >= 0 ? (uint32_t)cpu : UINT32_MAX,
		.packets = s->packets,
		.bursts = s->bursts,
		.full_bursts = s->full,
		.empty_polls = s->empty,
		.epoch_packets = s->packets - st->before.lcores[i].packets,
		.longest_ns = s->longest_ns,
		.paused = l->role != ROLE_ANALYSIS && engine_paused(l)};
	snprintf(r->role, sizeof(r->role), "%s", roles[s->role]);
	r->epoch_busy = NS_MIN((double)busy / (double)NS_MAX(span_ns, 1), 1);
	r->burst_fill = (double)r->epoch_packets / (double)NS_MAX(bursts, 1);
	for (unsigned x = 0; x < RX_MAX && l->in[x] != NULL; x++) {
		r->ring_used += ring_fill(l->in[x]);
		r->ring_size += rte_ring_get_capacity(l->in[x]);
	}
	if (l->flows != NULL) {
		struct ns_flow_stats f;

		ns_flow_table_stats(l->flows, &f);
		r->flows = f.flows;
		r->flows_max = en->rtc ? en->flow.max : en->flow.max / en->workers;
	}
	st->before.lcores[i].packets = s->packets;
	st->before.lcores[i].bursts = s->bursts;
	st->before.lcores[i].busy_ns = s->busy_ns;
}

/* What stands behind the ':', without a password. */
static void target(const char *spec, struct ns_writer_rec *r)
{
	const char *target = strchr(spec, ':');
	const char *at = target != NULL ? strrchr(target, '@') : NULL;
	const char *scheme = target != NULL ? strstr(target, "//") : NULL;

	if (target == NULL)
		return;
	target++;
	if (at != NULL && scheme != NULL && at > scheme)
		snprintf(r->target, sizeof(r->target), "%.*s...%.60s",
			NS_MIN((int)(scheme + 2 - target), 16), target, at);
	else
		snprintf(r->target, sizeof(r->target), "%s", target);
}

static void writer(struct ns_engine *en, unsigned i, struct ns_writer_rec *r)
{
	const struct sink *s = &en->sinks[i];
	const struct ns_writer_stats *w =
		s->ops != NULL && s->ops->stats != NULL && s->writer != NULL
			? s->ops->stats(s->writer)
			: NULL;
	bool failed = __atomic_load_n(&s->failed, __ATOMIC_ACQUIRE);
	uint64_t given;

	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", s->name);
	target(s->spec, r);
	strcpy(r->status, "ok");
	engine_sink_sums(s, &given, &r->lost);
	r->records = ns_stat_get(&s->records);
	r->lost += ns_stat_get(&s->lost);
	for (unsigned p = 0; p <= en->workers; p++)
		r->queued += ring_fill(en->producers[p].to[i]);
	r->queue_max = (en->workers + 1) * BATCHES;
	if (failed) {
		strcpy(r->status, "failed");
		snprintf(r->message, sizeof(r->message), "%.127s", s->err.text);
	} else if (w != NULL) {
		r->octets = ns_stat_get(&w->octets);
		r->lost += ns_stat_get(&w->lost);
		r->reconnects = ns_stat_get(&w->reconnects);
		if (__atomic_load_n(&w->down, __ATOMIC_ACQUIRE) != 0) {
			strcpy(r->status, "down");
			snprintf(r->message, sizeof(r->message), "%s", w->message);
		}
	}
}

/* All that reloads have taken out, those that still close too: sums over writers never shrink. */
static void removed(const struct ns_engine *en, struct ns_writer_rec *r)
{
	uint64_t given, lost;

	*r = (struct ns_writer_rec){.name = "removed",
		.status = "ok",
		.records = en->gone.records,
		.octets = en->gone.octets,
		.lost = en->gone.lost};
	for (uint32_t left = en->leaving; left != 0; left &= left - 1) {
		const struct sink *s = &en->sinks[__builtin_ctz(left)];

		engine_sink_sums(s, &given, &lost);
		r->records += ns_stat_get(&s->records);
		r->lost += lost + ns_stat_get(&s->lost);
	}
	snprintf(r->target, sizeof(r->target), "%u closed, %d closing", en->gone.n,
		__builtin_popcount(en->leaving));
}

static void writers(struct ns_engine *en)
{
	struct engine_state *st = en->state;
	unsigned n = 0;

	for (uint32_t left = en->plan->sinks; left != 0; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		const struct ns_writer_ops *ops = en->sinks[i].ops;

		if (ops == NULL || (ops->wants & NS_WRITER_INTERNAL) == 0)
			writer(en, i, &st->writers[n++]);
	}
	if (en->gone.n > 0 || en->leaving != 0)
		removed(en, &st->writers[n++]);
	st->said.writers_n = n;
}

static void give(
	struct ns_engine *en, const struct ns_rec_kind *kind, const void *records, unsigned n)
{
	if (en->plan->state_sinks != 0 && n > 0)
		engine_rows_put(en, en->plan->state_sinks, kind, records, n);
}

void engine_state_epoch(struct ns_engine *en, uint64_t start_ns, uint64_t end_ns, bool last)
{
	struct engine_state *st = en->state;
	struct ns_engine_state *said = &st->said;

	said->epoch = (struct ns_epoch_rec){.epoch = en->collecting,
		.start_ns = start_ns,
		.end_ns = end_ns,
		.last = last,
		.paused = ns_engine_paused(en)};
	account(en, &said->epoch);
	epoch(en, &said->epoch);
	counters(en);
	said->lcores_n = st->now.lcores_n;
	for (unsigned i = 0; i < said->lcores_n; i++)
		lcore(en, i, st->now.run_ns - st->before.run_ns);
	st->before.run_ns = st->now.run_ns;
	writers(en);
	st->any = true;
	give(en, &ns_counter_rec_kind, st->counters, said->counters_n);
	give(en, &ns_lcore_rec_kind, st->lcores, said->lcores_n);
	give(en, &ns_writer_rec_kind, st->writers, said->writers_n);
	give(en, &ns_epoch_rec_kind, &said->epoch, 1);
	if (last && said->epoch.in_flight != 0)
		NS_LOG(ERR, "%llu packets are neither analysed nor dropped",
			(unsigned long long)said->epoch.in_flight);
}

const struct ns_engine_state *ns_engine_state(const struct ns_engine *en)
{
	return en->state != NULL && en->state->any ? &en->state->said : NULL;
}
