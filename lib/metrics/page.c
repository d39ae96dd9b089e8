/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page: tables that say which field of a record of ns_state.h is which metric, and a walk over
 * them. All samples of a family stand together, as the format wants. doc/metrics.md explains each.
 */
#include "metrics_priv.h"
#include "page_write.h"

#include <stdlib.h>
#include <string.h>

enum how { U64, SECONDS, F64 };
enum only { ALWAYS, WITH_RING, WITH_TABLE, PINNED };

struct metric {
	const char *name;
	enum page_type type;
	enum how how;
	size_t at;
	const char *help;
	enum only only; /* lcores */
};

#define E(member) offsetof(struct ns_epoch_rec, member)
static const struct metric epoch_metrics[] = {
	{"received_packets_total", PAGE_COUNTER, U64, E(received),
		"Packets received, with those that ports lost."},
	{"received_bytes_total", PAGE_COUNTER, U64, E(octets),
		"Bytes of received packets on the wire, layer 2."},
	{"analysed_packets_total", PAGE_COUNTER, U64, E(analysed), "Packets analysed."},
	{"dropped_packets_total", PAGE_COUNTER, U64, E(dropped),
		"Packets dropped, all reasons together."},
	{"epoch_received_packets", PAGE_GAUGE, U64, E(epoch_received),
		"Packets received in the last epoch."},
	{"epoch_received_bytes", PAGE_GAUGE, U64, E(epoch_octets),
		"Bytes received in the last epoch."},
	{"epoch_analysed_packets", PAGE_GAUGE, U64, E(epoch_analysed),
		"Packets analysed in the last epoch."},
	{"epoch_dropped_packets", PAGE_GAUGE, U64, E(epoch_dropped),
		"Packets dropped in the last epoch."},
	{"epoch_start_time_seconds", PAGE_GAUGE, SECONDS, E(start_ns),
		"When the last complete epoch began, since 1970."},
	{"epoch_end_time_seconds", PAGE_GAUGE, SECONDS, E(end_ns),
		"When the last complete epoch ended, since 1970."},
	{"epoch_lag_seconds", PAGE_GAUGE, SECONDS, E(lag_ns),
		"From opening the next epoch to the hand-over of the last lcore."},
	{"epoch_merge_seconds", PAGE_GAUGE, SECONDS, E(merge_ns),
		"Merging the states of all lcores of the last epoch."},
	{"epochs_late_total", PAGE_COUNTER, U64, E(late),
		"Epochs that were due before the one before was complete."},
	{"flows", PAGE_GAUGE, U64, E(flows), "Flows in the tables."},
	{"flows_created_total", PAGE_COUNTER, U64, E(flows_created), "Flows begun."},
	{"flows_ended_total", PAGE_COUNTER, U64, E(flows_ended), "Flows ended."},
	{"flows_evicted_total", PAGE_COUNTER, U64, E(flows_evicted),
		"Flows ended for lack of room."},
	{"records_total", PAGE_COUNTER, U64, E(records), "Records handed to writers."},
	{"records_lost_total", PAGE_COUNTER, U64, E(records_lost),
		"Records that a writer could not take in time."},
	{"mbufs_used", PAGE_GAUGE, U64, E(mbufs_used), "Packet buffers in use."},
	{"mbufs", PAGE_GAUGE, U64, E(mbufs), "Packet buffers that there are."},
};
#undef E

#define L(member) offsetof(struct ns_lcore_rec, member)
static const struct metric lcore_metrics[] = {
	{"lcore_packets_total", PAGE_COUNTER, U64, L(packets), "Packets received, or analysed."},
	{"lcore_bursts_total", PAGE_COUNTER, U64, L(bursts), "Polls that gave packets."},
	{"lcore_full_bursts_total", PAGE_COUNTER, U64, L(full_bursts),
		"Polls that gave as many packets as a burst holds."},
	{"lcore_empty_polls_total", PAGE_COUNTER, U64, L(empty_polls), "Polls that gave nothing."},
	{"lcore_epoch_packets", PAGE_GAUGE, U64, L(epoch_packets), "Packets in the last epoch."},
	{"lcore_busy_ratio", PAGE_GAUGE, F64, L(epoch_busy),
		"Part of the last epoch spent in bursts."},
	{"lcore_burst_fill_packets", PAGE_GAUGE, F64, L(burst_fill),
		"Packets a burst in the last epoch."},
	{"lcore_longest_burst_seconds", PAGE_GAUGE, SECONDS, L(longest_ns),
		"The longest burst since the start."},
	{"lcore_ring_used_packets", PAGE_GAUGE, U64, L(ring_used),
		"Packets waiting in the rings to it.", WITH_RING},
	{"lcore_ring_size_packets", PAGE_GAUGE, U64, L(ring_size),
		"Packets that the rings to it hold.", WITH_RING},
	{"lcore_flows", PAGE_GAUGE, U64, L(flows), "Flows in its table.", WITH_TABLE},
	{"lcore_flows_max", PAGE_GAUGE, U64, L(flows_max), "Flows that its table holds.",
		WITH_TABLE},
};
#undef L

#define W(member) offsetof(struct ns_writer_rec, member)
static const struct metric writer_metrics[] = {
	{"writer_records_total", PAGE_COUNTER, U64, W(records), "Records written."},
	{"writer_bytes_total", PAGE_COUNTER, U64, W(octets),
		"Bytes written; 0 where the writer does not count them."},
	{"writer_lost_records_total", PAGE_COUNTER, U64, W(lost),
		"Records that it did not get in time or could not write."},
	{"writer_queued_batches", PAGE_GAUGE, U64, W(queued), "Batches that wait for it."},
	{"writer_queue_size_batches", PAGE_GAUGE, U64, W(queue_max),
		"Batches that may wait for it."},
	{"writer_reconnects_total", PAGE_COUNTER, U64, W(reconnects),
		"Times that it has connected again."},
};
#undef W

#define P(member) offsetof(struct proc, member)
static const struct metric process_metrics[] = {
	{"process_start_time_seconds", PAGE_GAUGE, SECONDS, P(start_ns),
		"When the program started, since 1970."},
	{"process_cpu_seconds_total", PAGE_COUNTER, SECONDS, P(cpu_ns),
		"CPU time of all threads; a lcore that polls uses all of its CPU."},
	{"process_resident_memory_bytes", PAGE_GAUGE, U64, P(resident),
		"Memory in use, without hugepages."},
	{"process_virtual_memory_bytes", PAGE_GAUGE, U64, P(virtual), "Address space in use."},
	{"process_threads", PAGE_GAUGE, U64, P(threads), "Threads."},
	{"process_open_fds", PAGE_GAUGE, U64, P(files), "Open file descriptors."},
};
#undef P

static void put(const struct page *p, const struct metric *m, const void *record)
{
	const uint8_t *at = (const uint8_t *)record + m->at;
	double f;
	uint64_t u;

	if (m->how == F64) {
		memcpy(&f, at, sizeof(f));
		page_f64(p, f);
		return;
	}
	memcpy(&u, at, sizeof(u));
	if (m->how == U64)
		page_u64(p, u);
	else
		page_seconds(p, u);
}

static void one(const struct page *p, const char *name, enum page_type type, const char *help,
	uint64_t value)
{
	page_family(p, name, type, help);
	page_plain(p, name);
	page_u64(p, value);
}

static void singles(const struct page *p, const struct metric *m, size_t n, const void *record)
{
	for (size_t i = 0; i < n; i++) {
		page_family(p, m[i].name, m[i].type, m[i].help);
		page_plain(p, m[i].name);
		put(p, &m[i], record);
	}
}

static void build(const struct page *p, const struct page_args *a)
{
	page_family(p, "build_info", PAGE_GAUGE, "Always 1; the labels say what runs.");
	page_sample(p, "build_info", "version", a->version, "dpdk", a->dpdk);
	page_u64(p, 1);
}

static uint64_t counted(const struct ns_engine_state *st, const char *name)
{
	for (unsigned i = 0; i < st->counters_n; i++) {
		if (strncmp(st->counters[i].name, name, NS_STATE_NAME - 1) == 0)
			return st->counters[i].value;
	}
	return 0;
}

/* One sample for each counter of the kind that there is, so that a series never begins late. */
static uint64_t counters(const struct page *p, const struct page_args *a, uint8_t kind,
	const char *name, const char *label, const char *help)
{
	uint64_t sum = 0;

	page_family(p, name, PAGE_COUNTER, help);
	for (unsigned i = 0; i < a->counters_n; i++) {
		if (a->counters[i]->kind != kind)
			continue;
		uint64_t v = counted(a->st, a->counters[i]->name);

		page_sample(p, name, label, a->counters[i]->name, NULL, NULL);
		page_u64(p, v);
		sum += v;
	}
	return sum;
}

/*
 * received = analysed + the drops by reason + what is in flight; less than nothing can't be in
 * flight, and nothing is when the engine has stopped.
 */
static void conservation(const struct page *p, const struct ns_epoch_rec *e, uint64_t drops)
{
	int64_t flight = (int64_t)e->in_flight;
	int64_t rest = (int64_t)(e->received - e->analysed - drops);

	page_family(p, "in_flight_packets", PAGE_GAUGE,
		"Packets received and neither analysed nor dropped yet.");
	page_plain(p, "in_flight_packets");
	page_i64(p, flight);
	page_family(p, "conservation_packets", PAGE_GAUGE,
		"Received less analysed, dropped by reason and in flight; always 0.");
	page_plain(p, "conservation_packets");
	page_i64(p, rest - (e->last || flight < 0 ? 0 : flight));
}

static void latency(const struct page *p, const struct ns_epoch_rec *e)
{
	static const char name[] = "packet_latency_seconds";
	const struct {
		const char *quantile;
		uint64_t ns;
	} q[] = {{"0.5", e->latency_p50_ns}, {"0.99", e->latency_p99_ns},
		{"0.999", e->latency_p999_ns}, {"1", e->latency_max_ns}};

	page_family(p, name, PAGE_SUMMARY,
		"From reading a packet to the end of its analysis, in the last epoch.");
	for (size_t i = 0; i < NS_ARRAY_LEN(q); i++) {
		page_sample(p, name, "quantile", q[i].quantile, NULL, NULL);
		if (e->latency_max_ns == 0)
			page_nan(p);
		else
			page_seconds(p, q[i].ns);
	}
}

static bool applies(enum only only, const struct ns_lcore_rec *l)
{
	return only == ALWAYS || (only == WITH_RING && l->ring_size > 0) ||
	       (only == WITH_TABLE && l->flows_max > 0) || (only == PINNED && l->cpu != UINT32_MAX);
}

static void lcore_sample(const struct page *p, const char *name, const struct ns_lcore_rec *l)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", l->lcore);
	page_sample(p, name, "lcore", number, "role", l->role);
}

/* Some of a family's samples may not apply; a family without any is left out. */
static bool any(enum only only, const struct ns_engine_state *st)
{
	for (unsigned i = 0; i < st->lcores_n; i++) {
		if (applies(only, &st->lcores[i]))
			return true;
	}
	return false;
}

static void lcores(const struct page *p, const struct page_args *a)
{
	const struct ns_engine_state *st = a->st;
	const struct ns_lcore_rec *l = st->lcores;

	for (size_t m = 0; m < NS_ARRAY_LEN(lcore_metrics); m++) {
		const struct metric *lm = &lcore_metrics[m];

		if (!any(lm->only, st))
			continue;
		page_family(p, lm->name, lm->type, lm->help);
		for (unsigned i = 0; i < st->lcores_n; i++) {
			if (!applies(lm->only, &l[i]))
				continue;
			lcore_sample(p, lm->name, &l[i]);
			put(p, lm, &l[i]);
		}
	}
	if (st->lcores_n > 0)
		page_family(p, "lcore_busy_seconds_total", PAGE_COUNTER, "Time spent in bursts.");
	for (unsigned i = 0; i < st->lcores_n; i++) {
		lcore_sample(p, "lcore_busy_seconds_total", &l[i]);
		page_seconds(p, a->busy_ns[i]);
	}
	if (any(PINNED, st))
		page_family(p, "lcore_cpu", PAGE_GAUGE, "Number of the CPU that it is pinned to.");
	for (unsigned i = 0; i < st->lcores_n; i++) {
		if (applies(PINNED, &l[i])) {
			lcore_sample(p, "lcore_cpu", &l[i]);
			page_u64(p, l[i].cpu);
		}
	}
}

static void writer_status(const struct page *p, const struct page_args *a)
{
	const struct ns_engine_state *st = a->st;
	static const char *const all[] = {"ok", "down", "failed"};

	page_family(p, "writer_status", PAGE_GAUGE,
		"1 for the status that the writer has: down tries again, failed has given up.");
	for (unsigned i = 0; i < st->writers_n; i++) {
		const struct ns_writer_rec *w = &st->writers[i];

		for (size_t s = 0; s < NS_ARRAY_LEN(all); s++) {
			page_sample(p, "writer_status", "writer", w->name, "status", all[s]);
			page_u64(p, strcmp(w->status, all[s]) == 0);
		}
	}
	page_family(p, "writer_stalled", PAGE_GAUGE,
		"1: batches wait for it, and for three epochs it has written nothing.");
	for (unsigned i = 0; i < NS_MIN(st->writers_n, WRITERS_WATCHED); i++) {
		page_sample(p, "writer_stalled", "writer", st->writers[i].name, NULL, NULL);
		page_u64(p, a->stalled >> i & 1);
	}
	page_family(p, "writer_info", PAGE_GAUGE, "Always 1; the labels say where it writes.");
	for (unsigned i = 0; i < st->writers_n; i++) {
		page_sample(p, "writer_info", "writer", st->writers[i].name, "target",
			st->writers[i].target);
		page_u64(p, 1);
	}
}

static void writers(const struct page *p, const struct page_args *a)
{
	const struct ns_engine_state *st = a->st;

	if (st->writers_n == 0)
		return;
	for (size_t m = 0; m < NS_ARRAY_LEN(writer_metrics); m++) {
		const struct metric *wm = &writer_metrics[m];

		page_family(p, wm->name, wm->type, wm->help);
		for (unsigned i = 0; i < st->writers_n; i++) {
			page_sample(p, wm->name, "writer", st->writers[i].name, NULL, NULL);
			put(p, wm, &st->writers[i]);
		}
	}
	writer_status(p, a);
}

static void all_of(const struct page *p, const struct page_args *a)
{
	const struct ns_epoch_rec *e = &a->st->epoch;
	uint64_t drops;

	build(p, a);
	one(p, "epochs_total", PAGE_COUNTER, "Complete epochs.", e->epoch + 1);
	page_family(p, "epoch_interval_seconds", PAGE_GAUGE, "Length of an epoch as configured.");
	page_plain(p, "epoch_interval_seconds");
	page_seconds(p, a->epoch_ns);
	one(p, "stopped", PAGE_GAUGE, "1: the engine has stopped in order.", e->last);
	one(p, "paused", PAGE_GAUGE, "1: ports are not read until the command start.", e->paused);
	singles(p, epoch_metrics, NS_ARRAY_LEN(epoch_metrics), e);
	drops = counters(p, a, NS_COUNTER_DROP, "dropped_packets_by_reason_total", "reason",
		"Packets dropped; their sum is dropped_packets_total.");
	counters(p, a, NS_COUNTER_NOTE, "notes_total", "note",
		"What was noticed of packets, flows and records; no packet is lost by it.");
	conservation(p, e, drops);
	latency(p, e);
	lcores(p, a);
	writers(p, a);
	singles(p, process_metrics, NS_ARRAY_LEN(process_metrics), a->proc);
	one(p, "metrics_skipped_epochs_total", PAGE_COUNTER,
		"Epochs that were not shown because readers held all places.", a->skipped);
}

char *page_make(const struct page_args *a, size_t *len)
{
	char *text = NULL;
	struct page p = {open_memstream(&text, len), a->node};

	if (p.f == NULL)
		return ns_errno_null(ENOMEM);
	all_of(&p, a);
	bool failed = ferror(p.f) != 0;

	if (fclose(p.f) != 0 || failed) {
		free(text);
		return ns_errno_null(ENOMEM);
	}
	return text;
}
