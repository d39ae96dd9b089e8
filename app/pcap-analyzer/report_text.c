/* SPDX-License-Identifier: BSD-3-Clause */
/* The report for people: as plain as it can be read at 100 columns. */
#include "report_priv.h"

#include <ns_text.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>

#define WIDTH 100     /* columns that a table may take before long addresses get lines of their own */
#define SPARK_WIDTH 60

/*
 * A table: the first row is the head, its first cell names the table; the first @c left columns are
 * flush left, the others right. Columns are as wide as their widest cell.
 */
#define GRID_COLS 8
#define GRID_CELL 80
struct grid {
	unsigned cols, left, rows;
	char cell[REPORT_ROWS + 2][GRID_COLS][GRID_CELL];
};

static void grid_print(struct rbuf *b, const struct grid *g)
{
	size_t width[GRID_COLS] = {0};

	for (unsigned r = 0; r < g->rows; r++) {
		for (unsigned c = 0; c < g->cols; c++)
			width[c] = NS_MAX(width[c], strlen(g->cell[r][c]));
	}
	rbuf_str(b, "\n");
	for (unsigned r = 0; r < g->rows; r++) {
		rbuf_str(b, r == 0 ? "" : "  ");
		for (unsigned c = 0; c < g->cols; c++) {
			size_t w = width[c] + (r == 0 && c == 0 ? 2 : 0);
			int pad = c < g->left ? -(int)w : (int)w;

			rbuf_printf(b, "%s%*s", c == 0 ? "" : "  ", pad, g->cell[r][c]);
		}
		while (b->n > 0 && b->text[b->n - 1] == ' ')
			b->n--;
		rbuf_str(b, "\n");
	}
}

__attribute__((format(printf, 3, 4))) static void cell(struct grid *g, unsigned col,
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(g->cell[g->rows][col], GRID_CELL, fmt, args);
	va_end(args);
}

static void cell_octets(struct grid *g, unsigned col, uint64_t octets)
{
	ns_fmt_octets(g->cell[g->rows][col], GRID_CELL, (double)octets);
}

static void cell_share(struct grid *g, unsigned col, uint64_t part, uint64_t all)
{
	cell(g, col, "%.1f %%", all == 0 ? 0 : 100.0 * (double)part / (double)all);
}

static void head(struct grid *g, unsigned left, const char *const *names, unsigned n)
{
	g->cols = n;
	g->left = left;
	g->rows = 0;
	for (unsigned i = 0; i < n; i++)
		cell(g, i, "%s", names[i]);
	g->rows = 1;
}

/* What comes from outside must not drive a terminal. */
static void put_plain(struct rbuf *b, const char *s, size_t n)
{
	char *p = rbuf_room(b, n);

	for (size_t i = 0; p != NULL && i < n; i++)
		*p++ = (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i];
	if (p != NULL)
		rbuf_took(b, p);
}

static void put_label(struct rbuf *b, const char *label)
{
	rbuf_printf(b, "  %-15s ", label);
}

/* "1234567 (1.23 M)": exact, and for the eye once it is long. */
static void put_count(struct rbuf *b, uint64_t n)
{
	char text[32];

	rbuf_printf(b, "%llu", (unsigned long long)n);
	if (n >= 10000)
		rbuf_printf(b, " (%s)", ns_fmt_count(text, sizeof(text), (double)n));
}

/* A unit that takes the prefix: "12.30 Mbit/s", "30 bit/s". */
static void put_rate(struct rbuf *b, double rate, const char *unit)
{
	char text[32];
	size_t n = strlen(ns_fmt_count(text, sizeof(text), rate));

	rbuf_printf(b, "%s%s%s", text, n > 0 && text[n - 1] > '9' ? "" : " ", unit);
}

static void put_faults(struct rbuf *b, const struct report_input *in)
{
	const char *p = in->faults != NULL ? in->faults : "";

	if (in->interrupted)
		rbuf_str(b, "\nINTERRUPTED before the end of the input: "
			    "this report is about what was read until then.\n");
	if (*p != '\0')
		rbuf_str(b, "\nTHE INPUT IS DAMAGED: "
			    "this report is about all that could be read.\n");
	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		rbuf_str(b, "  ");
		put_plain(b, p, n);
		rbuf_str(b, "\n");
		p += n + (p[n] == '\n');
	}
}

static void put_files(struct rbuf *b, const struct report_input *in)
{
	for (unsigned i = 0; i < in->files_n; i++) {
		bool std = strcmp(in->files[i], "-") == 0;
		const char *name = std ? "standard input" : in->files[i];

		if (i == REPORT_ROWS && in->files_n > REPORT_ROWS + 1) {
			put_label(b, "");
			rbuf_printf(b, "and %u more\n", in->files_n - i);
			break;
		}
		put_label(b, i > 0 ? "" : in->files_n > 1 ? "Files" : "File");
		put_plain(b, name, strlen(name));
		rbuf_str(b, "\n");
	}
	if (in->filter == NULL)
		return;
	put_label(b, "Filter");
	put_plain(b, in->filter, strlen(in->filter));
	rbuf_str(b, "\n");
}

static void put_times(struct rbuf *b, const struct ns_engine_stats *s)
{
	char text[40];

	put_label(b, "First packet");
	rbuf_printf(b, "%s UTC\n", ns_fmt_time(text, sizeof(text), s->first_ns));
	put_label(b, "Last packet");
	rbuf_printf(b, "%s UTC\n", ns_fmt_time(text, sizeof(text), s->last_ns));
	put_label(b, "Duration");
	rbuf_printf(b, "%s\n", ns_fmt_seconds(text, sizeof(text), report_seconds(s)));
}

static void put_rates(struct rbuf *b, const struct ns_engine_stats *s, uint64_t packets)
{
	double seconds = report_seconds(s);
	char text[32];

	put_label(b, "Octets");
	put_count(b, s->octets);
	rbuf_str(b, " on the wire, ");
	if (s->captured == s->octets)
		rbuf_str(b, "all captured\n");
	else
		rbuf_printf(b, "%llu captured (%.1f %%)\n", (unsigned long long)s->captured,
			s->octets == 0 ? 0 : 100.0 * (double)s->captured / (double)s->octets);
	put_label(b, "Mean rate");
	if (seconds > 0) {
		rbuf_printf(b, "%s packets/s, ",
			ns_fmt_count(text, sizeof(text), (double)packets / seconds));
		put_rate(b, (double)s->octets * 8 / seconds, "bit/s");
		rbuf_str(b, "\n");
	} else {
		rbuf_str(b, "none: all packets have the same time\n");
	}
	put_label(b, "Mean size");
	rbuf_printf(b, "%.1f octets a packet\n", (double)s->octets / (double)packets);
}

static void put_capture(struct rbuf *b, const struct report_input *in)
{
	const struct ns_engine_stats *s = in->stats;
	uint64_t packets = report_packets(s);

	rbuf_str(b, "\nCapture\n");
	put_files(b, in);
	if (packets > 0)
		put_times(b, s);
	put_label(b, "Packets");
	if (s->received == 0) {
		rbuf_str(b, "none\n");
		return;
	}
	put_count(b, s->received);
	if (packets != s->received)
		rbuf_printf(b, ", %llu passed the filter: all that follows is about these",
			(unsigned long long)packets);
	rbuf_str(b, "\n");
	if (packets > 0)
		put_rates(b, s, packets);
}

static void put_counters(struct rbuf *b, const struct ns_engine_stats *s, enum ns_counter_kind kind)
{
	const struct ns_counter *const *all;
	size_t width = 13;
	unsigned n;

	all = ns_counters_all(&n);
	for (unsigned i = 0; i < n; i++) {
		if (all[i]->kind == kind && s->counters.v[all[i]->id] != 0)
			width = NS_MAX(width, strlen(all[i]->name));
	}
	for (unsigned i = 0; i < n; i++) {
		uint64_t v = s->counters.v[all[i]->id];

		if (all[i]->kind == kind && v != 0)
			rbuf_printf(b, "    %-*s %10llu  %s\n", (int)width, all[i]->name,
				(unsigned long long)v, all[i]->help);
	}
}

static void put_linktypes(struct rbuf *b, const struct ns_engine_stats *s)
{
	char name[32];

	for (unsigned i = 0; i < 256; i++) {
		if (s->linktypes_unknown[i] != 0)
			rbuf_printf(b, "    link type %s: %llu packets\n",
				report_linktype_name(name, i),
				(unsigned long long)s->linktypes_unknown[i]);
	}
}

static void put_conservation(struct rbuf *b, const struct ns_engine_stats *s)
{
	const struct ns_counter *const *all;
	bool notes = false;
	unsigned n;

	rbuf_str(b, "\nConservation\n");
	if (ns_engine_conserved(s))
		rbuf_printf(b, "  holds: received %llu = analysed %llu + dropped %llu\n",
			(unsigned long long)s->received, (unsigned long long)s->analysed,
			(unsigned long long)s->drops);
	else
		rbuf_printf(b,
			"  DOES NOT HOLD: received %llu, but analysed %llu + dropped %llu = %llu.\n"
			"  Packets are not accounted for; do not trust this report.\n",
			(unsigned long long)s->received, (unsigned long long)s->analysed,
			(unsigned long long)s->drops, (unsigned long long)(s->analysed + s->drops));
	put_counters(b, s, NS_COUNTER_DROP);
	put_linktypes(b, s);
	all = ns_counters_all(&n);
	for (unsigned i = 0; i < n; i++)
		notes |= all[i]->kind == NS_COUNTER_NOTE && s->counters.v[all[i]->id] != 0;
	if (notes) {
		rbuf_str(b, "  notes, of packets that were analysed all the same:\n");
		put_counters(b, s, NS_COUNTER_NOTE);
	}
}

static void put_protocols(struct rbuf *b, const struct ns_engine_stats *s)
{
	static const char *const names[] = {"Protocols", "packets", "", "octets", ""};
	struct proto_row rows[REPORT_PROTOS];
	uint64_t packets = report_packets(s);
	unsigned n = report_protos(s, rows);
	struct proto_row rest = {0};
	struct grid g;

	if (n == 0)
		return;
	head(&g, 1, names, NS_ARRAY_LEN(names));
	for (unsigned i = REPORT_ROWS; i < n; i++) {
		rest.c.packets += rows[i].c.packets;
		rest.c.octets += rows[i].c.octets;
	}
	for (unsigned i = 0; i < n && i <= REPORT_ROWS; i++) {
		const struct proto_row *p = i == REPORT_ROWS ? &rest : &rows[i];

		if (p == &rest)
			cell(&g, 0, "%u others", n - i);
		else
			report_proto_name(g.cell[g.rows][0], p);
		cell(&g, 1, "%llu", (unsigned long long)p->c.packets);
		cell_share(&g, 2, p->c.packets, packets);
		cell_octets(&g, 3, p->c.octets);
		cell_share(&g, 4, p->c.octets, s->octets);
		g.rows++;
	}
	grid_print(b, &g);
}

/* The shared columns of tallies, from column @p col on. */
static void tally_row(struct grid *g, unsigned col, const struct tally *t, uint64_t octets)
{
	cell_octets(g, col, t->octets);
	cell_share(g, col + 1, t->octets, octets);
	cell(g, col + 2, "%llu", (unsigned long long)t->packets);
	cell(g, col + 3, "%llu", (unsigned long long)t->flows);
}

static void put_more(struct rbuf *b, const struct table *t, unsigned shown, const char *what)
{
	if (t->other.flows != 0)
		rbuf_printf(b,
			"  The table is full at %u %s: a further %llu flows are not in it, and which\n"
			"  these are depends on the order of the flows.\n",
			t->used, what, (unsigned long long)t->other.flows);
	else if (t->used > shown)
		rbuf_printf(b, "  ... of %u %s\n", t->used, what);
}

static void put_hosts(struct rbuf *b, const struct report *r, uint64_t octets)
{
	static const char *const names[] = {
		"Top talkers", "octets", "", "packets", "flows", "sent", "received"};
	const struct tally *top[REPORT_ROWS + 1];
	unsigned n = table_top(&r->hosts, top, REPORT_ROWS);
	struct grid g;

	if (n == 0)
		return;
	head(&g, 1, names, NS_ARRAY_LEN(names));
	for (unsigned i = 0; i < n; i++) {
		report_host_name(g.cell[g.rows][0], top[i]);
		tally_row(&g, 1, top[i], octets);
		cell_octets(&g, 5, top[i]->sent);
		cell_octets(&g, 6, top[i]->received);
		g.rows++;
	}
	grid_print(b, &g);
	put_more(b, &r->hosts, n, "hosts");
}

static void service_text(char *text, const struct tally *t)
{
	const char *known = report_service_known(t);
	char name[64];

	report_service_name(name, t);
	if (known != NULL)
		snprintf(text, GRID_CELL, "%s (%s)", name, known);
	else
		snprintf(text, GRID_CELL, "%s", name);
}

static void tunnel_text(char *text, const struct tally *t)
{
	char name[64];
	size_t n = strlen(report_tunnel_name(name, t));

	snprintf(text, GRID_CELL, "%.*s", (int)n, name);
}

static void vlan_text(char *text, const struct tally *t)
{
	report_vlan_name(text, t);
}

static void put_tallies(struct rbuf *b, const struct table *t, const char *title, const char *what,
	void (*text)(char *text, const struct tally *t), uint64_t octets)
{
	const char *const names[] = {title, "octets", "", "packets", "flows"};
	const struct tally *top[REPORT_ROWS + 1];
	unsigned n = table_top(t, top, REPORT_ROWS);
	struct grid g;

	if (n == 0)
		return;
	head(&g, 1, names, NS_ARRAY_LEN(names));
	for (unsigned i = 0; i < n; i++) {
		text(g.cell[g.rows][0], top[i]);
		tally_row(&g, 1, top[i], octets);
		g.rows++;
	}
	grid_print(b, &g);
	put_more(b, t, n, what);
}
