/* SPDX-License-Identifier: BSD-3-Clause */
/* What a stage did with a packet, in words. Control. */
#include "trace.h"

#include <ns_text.h>

#include <rte_cycles.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text of a bounded length, ended with a zero; what does not fit is left out. */
struct line {
	char *s;
	size_t n, len;
};

static void NS_PRINTF(2, 3) add(struct line *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(l->s + l->n, l->len - l->n, fmt, ap);

	va_end(ap);
	if (n > 0)
		l->n = NS_MIN(l->n + (size_t)n, l->len - 1);
}

const char *trace_stage_name(uint8_t stage)
{
	static const char *const names[] = {[TRACE_RX] = "rx",
		[TRACE_DECODE] = "decode",
		[TRACE_DEFRAG] = "defrag",
		[TRACE_DISPATCH] = "dispatch",
		[TRACE_ANALYSIS] = "analysis",
		[TRACE_FLOW] = "flow",
		[TRACE_TASKS] = "tasks",
		[TRACE_END] = "end"};

	return stage < NS_ARRAY_LEN(names) ? names[stage] : "";
}

const char *trace_result_name(uint8_t result)
{
	static const char *const names[] = {[TRACE_PASSED] = "passed",
		[TRACE_HELD] = "held",
		[TRACE_DROPPED] = "dropped",
		[TRACE_FREED] = "freed"};

	return result < NS_ARRAY_LEN(names) ? names[result] : "";
}

uint64_t trace_after_ns(const struct trace_slot *s, unsigned step)
{
	uint64_t from = s->steps[0].tsc, to = s->steps[step].tsc;

	/* counters of two CPUs may differ by a little */
	return to <= from || rte_get_tsc_hz() == 0
		       ? 0
		       : (uint64_t)((double)(to - from) * 1e9 / (double)rte_get_tsc_hz());
}

static void add_time(struct line *l, double ns)
{
	char text[32];

	add(l, "%s", ns_fmt_seconds(text, sizeof(text), ns / 1e9));
}

static void add_addr(struct line *l, uint8_t ver, const uint8_t *addr)
{
	struct ns_ip ip = {.ver = ver};
	char text[64];

	memcpy(ip.addr, addr, sizeof(ip.addr));
	*ns_put_ip(text, &ip) = '\0';
	add(l, "%s", text);
}

static void add_rx(struct line *l, const struct trace_step *t)
{
	const char *link = ns_linktype_name(t->rx.linktype);

	add(l, "lcore %u, port %u, queue %u; %u octets", t->lcore, t->rx.port, t->rx.queue,
		t->rx.wirelen);
	if (t->rx.caplen != t->rx.wirelen)
		add(l, ", %u of them captured", t->rx.caplen);
	if (link != NULL)
		add(l, ", %s", link);
	else
		add(l, ", link type %u", t->rx.linktype);
}

static void add_proto(struct line *l, const struct ns_layer *y)
{
	char text[32];

	*ns_put_proto(text, y->proto) = '\0';
	add(l, " / %s", text);
	if ((y->flags & NS_PKT_PORTS) != 0 && (y->proto == 1 || y->proto == 58))
		add(l, " type %u code %u", y->dport >> 8, y->dport & 255);
	else if ((y->flags & NS_PKT_PORTS) != 0)
		add(l, " %u > %u", y->sport, y->dport);
	if ((y->flags & NS_PKT_TCP) != 0) {
		*ns_put_tcp_flags(text, y->tcp_flags) = '\0';
		add(l, " [%s]", text);
	}
	if ((y->flags & NS_PKT_CUT) != 0)
		add(l, " (cut short)");
}

static void add_ip(struct line *l, const struct ns_layer *y)
{
	if (y->ver == 0) {
		add(l, "ip, which can't be read");
		return;
	}
	add(l, "ipv%u ", y->ver);
	add_addr(l, y->ver, y->src);
	add(l, " > ");
	add_addr(l, y->ver, y->dst);
	if ((y->flags & NS_PKT_FRAG) != 0)
		add(l, " (%s fragment of %u, at octet %u)",
			(y->flags & NS_PKT_LATER_FRAG) == 0   ? "first"
			: (y->flags & NS_PKT_MORE_FRAGS) == 0 ? "last"
							      : "later",
			y->id, y->frag_off);
	add_proto(l, y);
}

static void add_ethertype(struct line *l, uint16_t type, uint32_t id)
{
	const char *name = ns_ethertype_name(type);

	if (type == 0x8100 || type == 0x88a8 || type == 0x9100)
		add(l, "vlan %u", id);
	else if (name != NULL)
		add(l, "%s", name);
	else
		add(l, "ethertype 0x%04x", type);
}

static void add_layer(struct line *l, const struct ns_layer *y)
{
	const char *name;

	switch (y->kind) {
	case NS_LAYER_LINK:
		name = ns_linktype_name(y->type);
		if (name != NULL)
			add(l, "%s", name);
		else
			add(l, "link type %u", y->type);
		break;
	case NS_LAYER_ETHERTYPE:
		add_ethertype(l, y->type, y->id);
		break;
	case NS_LAYER_PPP:
		add(l, "ppp");
		break;
	case NS_LAYER_IP:
		add_ip(l, y);
		break;
	case NS_LAYER_TUNNEL:
		add(l, "%s", ns_decoder_tunnel_name((uint8_t)y->type));
		if (y->id != 0)
			add(l, " %u", y->id);
		break;
	}
}

static void add_decode(struct line *l, const struct trace_slot *s)
{
	for (unsigned i = 0; i < s->layers.n; i++) {
		if (i > 0)
			add(l, " / ");
		add_layer(l, &s->layers.of[i]);
	}
	if (s->layers.more)
		add(l, " / ...");
}

static void add_defrag(struct line *l, const struct trace_slot *s, unsigned step)
{
	const struct trace_step *t = &s->steps[step];
	uint16_t flags = t->defrag.flags;

	if ((flags & NS_PKT_FRAG_ANY) == 0) {
		add(l, "not a fragment");
		return;
	}
	if (t->result == TRACE_HELD) {
		add(l, "held until its datagram's first fragment comes");
		return;
	}
	if ((flags & NS_PKT_COPY) != 0) {
		add(l, "let go after ");
		add_time(l, (double)(trace_after_ns(s, step) - trace_after_ns(s, step - 1)));
		add(l, ": ");
	}
	if ((flags & NS_PKT_LATER_FRAG) == 0)
		add(l, "first fragment: the others of its datagram get its ports");
	else if ((flags & (NS_PKT_PORTS | NS_PKT_TUNNEL)) != 0)
		add(l, "has the ports of its first fragment, %u > %u", t->defrag.sport,
			t->defrag.dport);
	else if ((flags & NS_PKT_COPY) != 0)
		add(l, "its first fragment has not come (fragment_no_first)");
	else
		add(l, "goes on without ports");
}

static void add_dispatch(struct line *l, const struct trace_step *t)
{
	add(l, "hash 0x%08x, bucket %u: worker %u, lcore %u; %u wait in its ring", t->dispatch.hash,
		t->dispatch.bucket, t->dispatch.worker, t->dispatch.lcore, t->dispatch.waiting);
}

static void add_analysis(struct line *l, const struct trace_slot *s, unsigned step)
{
	const struct trace_step *t = &s->steps[step];

	add(l, "lcore %u", t->lcore);
	if (step > 0 && s->steps[step - 1].stage == TRACE_DISPATCH) {
		add(l, ", ");
		add_time(l, (double)(trace_after_ns(s, step) - trace_after_ns(s, step - 1)));
		add(l, " in the ring");
	}
	add(l, ", in a burst of %u", t->analysis.burst);
}

static const char *state(const struct ns_flow_view *v)
{
	const struct ns_flow_rec *r = &v->rec;
	uint8_t both = r->tcp_flags | r->rev_tcp_flags;

	if (v->closed)
		return "closed";
	if (r->proto != 6)
		return r->rev_packets > 0 ? "both ways" : "one way";
	if ((both & 0x05) != 0)
		return "closing";
	if (r->rev_packets == 0)
		return (r->tcp_flags & 0x02) != 0 ? "syn sent" : "one way";
	return (r->tcp_flags & r->rev_tcp_flags & 0x10) != 0 ? "established" : "opening";
}

static void add_flow(struct line *l, const struct trace_slot *s, const struct trace_step *t)
{
	const struct ns_flow_rec *r = &s->flow.rec;

	if (!t->flow.ip) {
		add(l, "none: no IP header");
		return;
	}
	if ((t->flow.flow & NS_PKT_FLOW) == 0) {
		add(l, "none");
		return;
	}
	add(l, "%s", (t->flow.flow & NS_PKT_FLOW_NEW) != 0 ? "new" : "known");
	if (t->flow.seen)
		add(l, ", %s, %s, packets %llu there and %llu back, %s, position %u",
			r->community_id,
			(t->flow.flow & NS_PKT_REVERSE) != 0 ? "from responder to initiator"
							     : "from initiator to responder",
			(unsigned long long)r->packets, (unsigned long long)r->rev_packets,
			state(&s->flow), s->flow.position);
	if (t->flow.ended)
		add(l, "; the flow that was there has ended");
	if (t->flow.evicted)
		add(l, "; another flow had to leave the full table");
}

static void add_tasks(struct line *l, const struct trace_step *t)
{
	unsigned n = t->tasks.plan != NULL ? ns_tasks_n(t->tasks.plan->tasks) : 0, shown = 0;

	for (unsigned i = 0; i < n && i < 64; i++) {
		if ((t->tasks.bits >> i & 1) != 0)
			add(l, "%s%s", shown++ > 0 ? ", " : "",
				ns_tasks_kind(t->tasks.plan->tasks, i)->name);
	}
	if (shown == 0)
		add(l, "none of %u wants it", n);
}

static void add_counters(struct line *l, const struct trace_step *t)
{
	unsigned n;
	const struct ns_counter *const *all = ns_counters_all(&n);

	for (unsigned i = 0; i < t->notes_n; i++)
		add(l, "; %s: %s", all[t->notes[i]]->name, all[t->notes[i]]->help);
	if (t->result == TRACE_DROPPED)
		add(l, "%sdropped as %s: %s", l->n > 0 ? "; " : "", all[t->drop]->name,
			all[t->drop]->help);
}

size_t trace_what(const struct trace_slot *s, unsigned step, char *buf, size_t len)
{
	const struct trace_step *t = &s->steps[step];
	struct line l = {.s = buf, .len = len};

	buf[0] = '\0';
	switch (t->stage) {
	case TRACE_RX:
		add_rx(&l, t);
		break;
	case TRACE_DECODE:
		add_decode(&l, s);
		break;
	case TRACE_DEFRAG:
		add_defrag(&l, s, step);
		break;
	case TRACE_DISPATCH:
		if (t->result != TRACE_DROPPED)
			add_dispatch(&l, t);
		break;
	case TRACE_ANALYSIS:
		add_analysis(&l, s, step);
		break;
	case TRACE_FLOW:
		add_flow(&l, s, t);
		break;
	case TRACE_TASKS:
		add_tasks(&l, t);
		break;
	case TRACE_END:
		add(&l, "analysed and freed");
		break;
	}
	add_counters(&l, t);
	return l.n;
}

const char *trace_whereabouts(const struct trace_slot *s, unsigned steps)
{
	const struct trace_step *t = steps > 0 ? &s->steps[steps - 1] : NULL;

	if (t == NULL)
		return "an lcore has just read it";
	if (t->result == TRACE_HELD)
		return "defrag waits for its first fragment";
	if (t->stage == TRACE_DISPATCH)
		return "it waits for its analysis lcore";
	return "its lcore has it";
}
