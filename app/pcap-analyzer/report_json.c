/* SPDX-License-Identifier: BSD-3-Clause */
/* The report for machines: one JSON object, the same keys in the same order always. */
#include "json.h"

#include <ns_text.h>

#include <inttypes.h>
#include <string.h>

/* Nanoseconds as "<name>_ns" and the same as ISO 8601 text. */
static void put_time(struct json *j, const char *name, bool known, uint64_t ns)
{
	char text[40], with[32];

	snprintf(with, sizeof(with), "%s_ns", name);
	json_key(j, with);
	if (!known) {
		rbuf_str(&j->b, "null");
		json_str(j, name, NULL);
		return;
	}
	rbuf_printf(&j->b, "%" PRIu64, ns);
	size_t n = strlen(ns_fmt_time(text, sizeof(text) - 1, ns));

	text[10] = 'T';
	text[n] = 'Z';
	text[n + 1] = '\0';
	json_str(j, name, text);
}

static void put_input(struct json *j, const struct report_input *in)
{
	const char *p = in->faults != NULL ? in->faults : "";

	json_open(j, "input", '{');
	json_open(j, "files", '[');
	for (unsigned i = 0; i < in->files_n; i++)
		json_str(j, NULL, in->files[i]);
	json_close(j, ']');
	json_str(j, "filter", in->filter);
	json_open(j, "faults", '[');
	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		json_text(j, NULL, p, n);
		p += n + (p[n] == '\n');
	}
	json_close(j, ']');
	json_bool(j, "interrupted", in->interrupted);
	json_close(j, '}');
}

static void put_capture(struct json *j, const struct ns_engine_stats *s)
{
	uint64_t packets = report_packets(s);
	double seconds = report_seconds(s);

	json_open(j, "capture", '{');
	put_time(j, "first", packets > 0, s->first_ns);
	put_time(j, "last", packets > 0, s->last_ns);
	json_u64(j, "duration_ns", s->last_ns > s->first_ns ? s->last_ns - s->first_ns : 0);
	json_u64(j, "packets", packets);
	json_u64(j, "octets", s->octets);
	json_u64(j, "captured_octets", s->captured);
	json_double(j, "packets_per_s", seconds > 0, (double)packets / seconds);
	json_double(j, "bits_per_s", seconds > 0, 8.0 * (double)s->octets / seconds);
	json_double(j, "octets_per_packet", packets > 0, (double)s->octets / (double)packets);
	json_close(j, '}');
}

static void put_counters(struct json *j, const char *name, const struct ns_engine_stats *s,
	enum ns_counter_kind kind)
{
	unsigned n;
	const struct ns_counter *const *all = ns_counters_all(&n);

	json_open(j, name, '{');
	for (unsigned i = 0; i < n; i++) {
		if (all[i]->kind == kind)
			json_u64(j, all[i]->name, s->counters.v[all[i]->id]);
	}
	json_close(j, '}');
}

static void put_conservation(struct json *j, const struct ns_engine_stats *s)
{
	char name[32];

	json_open(j, "conservation", '{');
	json_bool(j, "holds", ns_engine_conserved(s));
	json_u64(j, "received", s->received);
	json_u64(j, "analysed", s->analysed);
	json_u64(j, "dropped", s->drops);
	put_counters(j, "drops", s, NS_COUNTER_DROP);
	put_counters(j, "notes", s, NS_COUNTER_NOTE);
	json_open(j, "unknown_linktypes", '[');
	for (unsigned i = 0; i < NS_LINKTYPES; i++) {
		if (s->linktypes_unknown[i] == 0)
			continue;
		json_row(j);
		json_u64(j, "linktype", i);
		json_str(j, "name", report_linktype_name(name, i));
		json_u64(j, "packets", s->linktypes_unknown[i]);
		json_row_end(j);
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void put_protocols(struct json *j, const struct ns_engine_stats *s)
{
	struct proto_row rows[REPORT_PROTOS];
	unsigned n = report_protos(s, rows);
	char name[32];

	json_open(j, "protocols", '[');
	for (unsigned i = 0; i < n; i++) {
		json_row(j);
		json_str(j, "name", report_proto_name(name, &rows[i]));
		json_str(j, "layer", rows[i].ip ? "ip" : "link");
		json_u64(j, "number", rows[i].number);
		json_u64(j, "packets", rows[i].c.packets);
		json_u64(j, "octets", rows[i].c.octets);
		json_row_end(j);
	}
	json_close(j, ']');
}

/* "other" holds what found no place in the full table; see table.h. */
static void put_table(struct json *j, const char *name, const struct table *t,
	void (*row)(struct json *j, const struct tally *t))
{
	const struct tally *top[REPORT_ROWS];
	unsigned n = table_top(t, top, REPORT_ROWS);

	json_open(j, name, '{');
	json_u64(j, "count", t->used);
	json_bool(j, "complete", t->other.flows == 0);
	json_open(j, "top", '[');
	for (unsigned i = 0; i < n; i++) {
		json_row(j);
		row(j, top[i]);
		json_u64(j, "octets", top[i]->octets);
		json_u64(j, "packets", top[i]->packets);
		json_u64(j, "flows", top[i]->flows);
		json_row_end(j);
	}
	json_close(j, ']');
	json_open(j, "other", '{');
	json_u64(j, "octets", t->other.octets);
	json_u64(j, "packets", t->other.packets);
	json_u64(j, "flows", t->other.flows);
	json_close(j, '}');
	json_close(j, '}');
}

static void host_row(struct json *j, const struct tally *t)
{
	char name[64];

	json_str(j, "ip", report_host_name(name, t));
	json_u64(j, "sent_octets", t->sent);
	json_u64(j, "received_octets", t->octets - t->sent);
}

static void service_row(struct json *j, const struct tally *t)
{
	char name[64];

	json_str(j, "service", report_service_name(name, t));
	json_str(j, "name", report_service_known(t));
}

static void tunnel_row(struct json *j, const struct tally *t)
{
	char name[64];

	json_str(j, "tunnel", report_tunnel_name(name, t));
}

static void vlan_row(struct json *j, const struct tally *t)
{
	char name[64];

	json_str(j, "vlan", report_vlan_name(name, t));
}

/* A record with all its fields, by their description. */
static void put_record(struct json *j, const struct ns_rec_kind *k, const void *rec)
{
	json_row(j);
	for (unsigned i = 0; i < k->fields_n; i++) {
		json_key(j, k->fields[i].name);
		char *p = rbuf_room(&j->b, NS_REC_TEXT_MAX + 6 * (size_t)k->fields[i].size + 2);

		if (p != NULL)
			rbuf_took(&j->b, ns_rec_put_json(p, &k->fields[i], rec));
	}
	json_row_end(j);
}

static void put_flows(struct json *j, const struct report *r)
{
	json_open(j, "flows", '{');
	json_u64(j, "count", r->flows);
	json_open(j, "end_reasons", '{');
	for (unsigned i = 0; i < REPORT_ENDS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s", report_end_name((i + 1) % REPORT_ENDS));
		for (char *p = name; *p != '\0'; p++)
			*p = *p == ' ' ? '_' : *p;
		json_u64(j, name, r->ends[(i + 1) % REPORT_ENDS]);
	}
	json_close(j, '}');
	json_open(j, "top", '[');
	for (unsigned i = 0; i < r->top_n; i++)
		put_record(j, &ns_flow_rec_kind, &r->top[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void put_task(void *ctx, const struct ns_rec_kind *kind, const struct report_task *t)
{
	struct json *j = ctx;

	json_open(j, NULL, '{');
	json_str(j, "name", kind->name);
	json_str(j, "help", kind->help);
	json_open(j, "rows", '[');
	for (uint32_t i = 0; t != NULL && i < t->n; i++)
		put_record(j, kind, report_task_row(t, i));
	json_close(j, ']');
	json_u64(j, "left_out", t != NULL ? t->left_out : 0);
	json_close(j, '}');
}

static void put_percentile(struct json *j, const char *name, const struct rtts *r, unsigned percent)
{
	if (r->n == 0)
		json_str(j, name, NULL);
	else
		json_u64(j, name, report_rtt(r, percent));
}

static void put_tcp(struct json *j, const struct report *r)
{
	const struct report_tcp *t = &r->tcp;

	json_open(j, "tcp", '{');
	json_u64(j, "flows", t->flows);
	json_u64(j, "segments", t->packets);
	json_u64(j, "handshakes", t->handshakes);
	json_u64(j, "syn_unanswered", t->unanswered);
	json_u64(j, "reset_flows", t->reset);
	json_u64(j, "retransmitted_segments", t->retransmits);
	json_double(j, "retransmission_rate", t->packets > 0,
		(double)t->retransmits / (double)t->packets);
	json_u64(j, "sequence_gaps", t->gaps);
	json_open(j, "handshake_rtt", '{');
	put_percentile(j, "p50_ns", &r->rtts, 50);
	put_percentile(j, "p90_ns", &r->rtts, 90);
	put_percentile(j, "p99_ns", &r->rtts, 99);
	json_u64(j, "sampled", r->rtts.n);
	json_bool(j, "exact", r->rtts.n == t->handshakes);
	json_close(j, '}');
	json_close(j, '}');
}

static void put_timeline(struct json *j, const struct ns_timeline *t)
{
	uint32_t n = t != NULL && t->width > 0 ? t->used : 0;

	json_open(j, "timeline", '{');
	json_u64(j, "slot_s", t != NULL ? t->width : 0);
	json_open(j, "slots", '[');
	for (uint32_t i = 0; i < n; i++) {
		json_row(j);
		json_u64(j, "start_s", t->base + i * t->width);
		json_u64(j, "packets", t->slots[i].packets);
		json_u64(j, "octets", t->slots[i].octets);
		json_row_end(j);
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void put_run(struct json *j, const struct report_input *in)
{
	double packets = (double)in->stats->received;

	json_open(j, "run", '{');
	json_u64(j, "files", in->files_n);
	json_u64(j, "workers", in->stats->workers);
	json_double(j, "wall_s", true, in->wall_s);
	json_double(j, "cpu_s", true, in->cpu_s);
	json_double(j, "cpu_ns_per_packet", packets > 0, in->cpu_s * 1e9 / packets);
	json_double(j, "packets_per_s", packets > 0 && in->wall_s > 0, packets / in->wall_s);
	json_close(j, '}');
}

int report_json(struct report *r, const struct report_input *in, FILE *out)
{
	struct json j;

	json_begin(&j, r->err);
	json_u64(&j, "version", 1);
	put_input(&j, in);
	put_capture(&j, in->stats);
	put_conservation(&j, in->stats);
	put_protocols(&j, in->stats);
	put_table(&j, "hosts", &r->hosts, host_row);
	put_table(&j, "services", &r->services, service_row);
	put_flows(&j, r);
	put_table(&j, "tunnels", &r->tunnels, tunnel_row);
	put_table(&j, "vlans", &r->vlans, vlan_row);
	json_open(&j, "tasks", '[');
	report_tasks_each(r, in, put_task, &j);
	json_close(&j, ']');
	put_tcp(&j, r);
	put_timeline(&j, in->timeline);
	put_run(&j, in);
	return json_end(&j, out);
}
