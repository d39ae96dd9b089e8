/* SPDX-License-Identifier: BSD-3-Clause */
/* The sums over lcores, and what the source alone knows of. */
#include "engine_priv.h"

#include <string.h>

NS_DROP_REGISTER(ns_drop_filtered, "filtered", "not matched by the BPF filter")
NS_DROP_REGISTER(ns_drop_port_missed, "port_missed",
	"lost by the port for lack of receive descriptors (imissed)")
NS_DROP_REGISTER(ns_drop_port_errors, "port_errors", "received with errors by the port (ierrors)")
NS_DROP_REGISTER(ns_drop_port_nombuf, "port_nombuf",
	"lost by the port for lack of packet buffers (rx_nombuf)")
NS_NOTE_REGISTER(ns_note_records_lost, "records_lost",
	"records that a writer could not take in time, counted once for each writer (live only)")

static void add_l2(struct ns_engine_stats *s, uint16_t type, const struct ns_proto_count *c)
{
	unsigned i = 0;

	while (i < s->l2_n && s->l2_type[i] != type)
		i++;
	if (i == s->l2_n) {
		if (s->l2_n == NS_L2_PROTOS)
			i = NS_L2_PROTOS - 1;
		else
			s->l2_type[s->l2_n++] = type;
	}
	s->l2[i].packets += ns_stat_get(&c->packets);
	s->l2[i].octets += ns_stat_get(&c->octets);
}

static void add_lcore(struct ns_engine_stats *s, const struct lcore_stats *l)
{
	uint64_t first = ns_stat_get(&l->first_ns), last = ns_stat_get(&l->last_ns);

	s->received += ns_stat_get(&l->received);
	s->octets += ns_stat_get(&l->octets);
	s->captured += ns_stat_get(&l->captured);
	s->analysed += ns_stat_get(&l->analysed);
	if (ns_stat_get(&l->received) > 0) {
		s->first_ns = NS_MIN(s->first_ns, first);
		s->last_ns = NS_MAX(s->last_ns, last);
	}
	s->last_clock_ns = NS_MAX(s->last_clock_ns, ns_stat_get(&l->clock_ns));
	for (unsigned i = 0; i < NS_COUNTER_MAX; i++)
		s->counters.v[i] += ns_stat_get(&l->c.v[i]);
	for (unsigned i = 0; i < 256; i++) {
		s->ip[i].packets += ns_stat_get(&l->ip[i].packets);
		s->ip[i].octets += ns_stat_get(&l->ip[i].octets);
	}
	for (unsigned i = 0; i < NS_LINKTYPES; i++)
		s->linktypes_unknown[i] += ns_stat_get(&l->linktypes_unknown[i]);
	for (unsigned i = 0; i < __atomic_load_n(&l->l2_n, __ATOMIC_ACQUIRE); i++)
		add_l2(s, l->l2_type[i], &l->l2[i]);
}

static void add_source(struct ns_engine_stats *s, const struct ns_source_stats *src)
{
	s->counters.v[ns_drop_filtered.id] += src->filtered;
	s->counters.v[ns_drop_port_missed.id] += src->imissed;
	s->counters.v[ns_drop_port_errors.id] += src->ierrors;
	s->counters.v[ns_drop_port_nombuf.id] += src->rx_nombuf;
	/* the lcores count what they were given; these never came so far */
	s->received += src->filtered + src->imissed + src->ierrors + src->rx_nombuf;
	s->bytes_read = src->bytes_read;
	s->bytes_total = src->bytes_total;
}

void ns_engine_stats(const struct ns_engine *en, struct ns_engine_stats *s)
{
	const struct ns_counter *const *all;
	struct ns_source_stats src = en->source_stats;
	unsigned n;

	memset(s, 0, sizeof(*s));
	s->first_ns = UINT64_MAX;
	s->workers = en->workers;
	s->epoch = en->epoch;
	for (unsigned i = 0; i < en->lcores_n; i++) {
		const struct lcore *l = &en->lcores[i];

		add_lcore(s, l->stats);
		if (l->flows != NULL) {
			struct ns_flow_stats f;

			ns_flow_table_stats(l->flows, &f);
			s->flows.flows += f.flows;
			s->flows.created += f.created;
			s->flows.ended += f.ended;
			s->flows.evicted += f.evicted;
		}
		if (l->producer != NULL)
			s->records += ns_stat_get(&l->producer->records);
		for (unsigned w = 0; l->dispatch != NULL && w < en->workers; w++)
			s->ring_full[w] += ns_dispatch_dropped(l->dispatch, w);
	}
	for (unsigned w = 0; w <= en->workers; w++) {
		for (unsigned i = 0; i < SINKS_MAX; i++)
			s->counters.v[ns_note_records_lost.id] +=
				ns_stat_get(&en->producers[w].lost[i]);
	}
	engine_lcore_stats(en, s);
	if (en->snap != NULL)
		ns_snap_stats(en->snap, &s->handover);
	if (s->first_ns == UINT64_MAX)
		s->first_ns = 0;
	if (en->source != NULL)
		en->sops->stats(en->source, &src);
	add_source(s, &src);
	all = ns_counters_all(&n);
	for (unsigned i = 0; i < n; i++) {
		if (all[i]->kind == NS_COUNTER_DROP)
			s->drops += s->counters.v[i];
	}
}

const struct ns_timeline *ns_engine_timeline(const struct ns_engine *en)
{
	return en->timeline;
}
