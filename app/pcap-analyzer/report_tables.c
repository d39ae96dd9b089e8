/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of the text report. */
#include "grid.h"

#include <ns_text.h>

#include <string.h>

#define WIDTH 100 /* columns that a table may take before long addresses get lines of their own */

static void put_protocols(struct rbuf *b, const struct ns_engine_stats *s)
{
	static const char *const names[] = {"Protocols", "packets", "share", "octets", "share"};
	struct proto_row rows[REPORT_PROTOS];
	uint64_t packets = report_packets(s);
	unsigned n = report_protos(s, rows);
	struct proto_row rest = {0};
	struct grid g;

	if (n == 0)
		return;
	grid_head(&g, 1, names, NS_ARRAY_LEN(names));
	for (unsigned i = REPORT_ROWS; i < n; i++) {
		rest.c.packets += rows[i].c.packets;
		rest.c.octets += rows[i].c.octets;
	}
	for (unsigned i = 0; i < n && i <= REPORT_ROWS; i++) {
		const struct proto_row *p = i == REPORT_ROWS ? &rest : &rows[i];

		if (p == &rest)
			grid_cell(&g, 0, "%u others", n - i);
		else
			report_proto_name(g.cell[g.rows][0], p);
		grid_cell(&g, 1, "%llu", (unsigned long long)p->c.packets);
		grid_share(&g, 2, p->c.packets, packets);
		grid_octets(&g, 3, p->c.octets);
		grid_share(&g, 4, p->c.octets, s->octets);
		g.rows++;
	}
	grid_print(b, &g);
}

/* The shared columns of tallies, from column @p col on. */
static void tally_row(struct grid *g, unsigned col, const struct tally *t, uint64_t octets)
{
	grid_octets(g, col, t->octets);
	grid_share(g, col + 1, t->octets, octets);
	grid_cell(g, col + 2, "%llu", (unsigned long long)t->packets);
	grid_cell(g, col + 3, "%llu", (unsigned long long)t->flows);
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
		"Top talkers", "octets", "share", "packets", "flows", "sent", "received"};
	const struct tally *top[REPORT_ROWS];
	unsigned n = table_top(&r->hosts, top, REPORT_ROWS);
	struct grid g;

	if (n == 0)
		return;
	grid_head(&g, 1, names, NS_ARRAY_LEN(names));
	for (unsigned i = 0; i < n; i++) {
		report_host_name(g.cell[g.rows][0], top[i]);
		tally_row(&g, 1, top[i], octets);
		grid_octets(&g, 5, top[i]->sent);
		grid_octets(&g, 6, top[i]->octets - top[i]->sent);
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
	const char *const names[] = {title, "octets", "share", "packets", "flows"};
	const struct tally *top[REPORT_ROWS];
	unsigned n = table_top(t, top, REPORT_ROWS);
	struct grid g;

	if (n == 0)
		return;
	grid_head(&g, 1, names, NS_ARRAY_LEN(names));
	for (unsigned i = 0; i < n; i++) {
		text(g.cell[g.rows][0], top[i]);
		tally_row(&g, 1, top[i], octets);
		g.rows++;
	}
	grid_print(b, &g);
	put_more(b, t, n, what);
}

static void endpoint(char *text, const struct ns_ip *ip, const struct ns_flow_rec *f, uint16_t port)
{
	bool ports = f->src_port != 0 || f->dst_port != 0;
	bool icmp = f->proto == 1 || f->proto == 58;
	char *p = text;

	if (ports && !icmp && ip->ver == 6)
		*p++ = '[';
	p = ns_put_ip(p, ip);
	if (ports && !icmp) {
		if (ip->ver == 6)
			*p++ = ']';
		*p++ = ':';
		p = ns_put_u64(p, port);
	}
	*p = '\0';
}

/* "tcp", "icmp 8/0": with type and code. */
static char *put_kind(char *p, const struct ns_flow_rec *f)
{
	p = ns_put_proto(p, f->proto);
	if (f->proto == 1 || f->proto == 58) {
		*p++ = ' ';
		p = ns_put_u64(p, f->icmp_type);
		*p++ = '/';
		p = ns_put_u64(p, f->icmp_code);
	}
	*p = '\0';
	return p;
}

/* "vxlan:42 vlan 100.200", or nothing. */
static void put_layers(char *text, const struct ns_flow_rec *f)
{
	size_t n = strnlen(f->tunnel, sizeof(f->tunnel));
	char *p = text;

	memcpy(p, f->tunnel, n);
	p += n;
	if (f->vlan.n > 0) {
		p = ns_put_str(p, n > 0 ? " vlan " : "vlan ");
		p = ns_put_u64(p, f->vlan.id[0]);
	}
	if (f->vlan.n > 1) {
		*p++ = '.';
		p = ns_put_u64(p, f->vlan.id[1]);
	}
	*p = '\0';
}

/* In one line, or in two: the second has the layers around and the responder. */
static void flow_row(struct grid *g, const struct ns_flow_rec *f, uint64_t octets, bool two)
{
	uint64_t all = f->l2_octets + f->rev_l2_octets;
	char *kind = put_kind(g->cell[g->rows][0], f);
	char layers[GRID_CELL];

	put_layers(layers, f);
	endpoint(g->cell[g->rows][1], &f->src, f, f->src_port);
	grid_octets(g, 3, all);
	grid_share(g, 4, all, octets);
	grid_cell(g, 5, "%llu", (unsigned long long)(f->packets + f->rev_packets));
	ns_cell_duration(g->cell[g->rows][6], GRID_CELL, (double)(f->end_ns - f->start_ns) / 1e9);
	if (two) {
		g->rows++;
		grid_cell(g, 0, "%s", layers);
		endpoint(g->cell[g->rows][1], &f->dst, f, f->dst_port);
	} else {
		if (layers[0] != '\0')
			*kind++ = ' ';
		ns_put_str(kind, layers);
		endpoint(g->cell[g->rows][2], &f->dst, f, f->dst_port);
	}
	g->rows++;
}

static void flow_grid(struct grid *g, const struct report *r, uint64_t octets, bool two)
{
	static const char *const flat[] = {"Largest flows", "initiator", "responder", "octets",
		"share", "packets", "duration"};
	static const char *const tall[] = {"Largest flows", "initiator, responder", "", "octets",
		"share", "packets", "duration"};

	grid_head(g, 3, two ? tall : flat, NS_ARRAY_LEN(flat));
	for (unsigned i = 0; i < r->top_n; i++)
		flow_row(g, &r->top[i], octets, two);
}

static void put_flows(struct rbuf *b, const struct report *r, uint64_t octets)
{
	struct grid g;

	if (r->top_n == 0)
		return;
	flow_grid(&g, r, octets, false);
	if (grid_width(&g) > WIDTH)
		flow_grid(&g, r, octets, true);
	grid_print(b, &g);
	if (r->flows > r->top_n)
		rbuf_printf(b, "  ... of %llu flows\n", (unsigned long long)r->flows);
}

void report_text_tables(struct rbuf *b, const struct report *r, const struct ns_engine_stats *s)
{
	put_protocols(b, s);
	put_hosts(b, r, s->octets);
	put_tallies(b, &r->services, "Services", "services", service_text, s->octets);
	put_flows(b, r, s->octets);
	put_tallies(b, &r->tunnels, "Tunnels", "tunnels", tunnel_text, s->octets);
	put_tallies(b, &r->vlans, "VLANs", "VLANs", vlan_text, s->octets);
}
