/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps of traced packets as records, for programs. Control. */
#include "trace.h"

#include <ns_command.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

struct trace_rec {
	uint32_t packet;
	char stage[12], result[12];
	uint64_t after_ns;
	double lcore;
	char reason[32];
	char what[1024];
	uint64_t time_ns;
	double port, queue;
	uint32_t caplen, wirelen;
	char linktype[32];
	struct ns_ip src, dst;
	uint16_t src_port, dst_port;
	uint8_t proto, tcp_flags;
	struct ns_vlans vlan;
	char tunnel[28];
	char fragment[8];
	double hash, bucket, worker, worker_lcore, waiting;
	double wait_ns;
	char flow[8], community_id[31];
	uint64_t flow_packets, flow_rev_packets;
	double position;
	char tasks[512];
	char notes[100];
};

#define F(member, ty, ...) \
	NS_REC_FIELD(struct trace_rec, member, .name = #member, .type = NS_REC_##ty, __VA_ARGS__)
#define NO_IE .flags = NS_REC_NO_EXPORT
#define NO_ZERO .flags = NS_REC_NO_EXPORT | NS_REC_EMPTY_ZERO
#define NO_NAN .flags = NS_REC_NO_EXPORT | NS_REC_EMPTY_NAN

static const struct ns_rec_field fields[] = {
	F(packet, U32, .flags = NS_REC_NO_EXPORT | NS_REC_KEY, .help = "its number, from 1"),
	F(stage, STR, .flags = NS_REC_NO_EXPORT | NS_REC_KEY,
		.help = "rx, decode, defrag, dispatch, analysis, flow, tasks, end"),
	F(result, STR, NO_IE, .help = "passed, held, dropped, freed, missing"),
	F(after_ns, U64, NO_IE, .unit = "ns", .help = "since rx"),
	F(lcore, F64, NO_NAN, .help = "who did it"),
	F(reason, STR, NO_IE, .help = "dropped: name of the counter"),
	F(what, STR, NO_IE, .help = "the same as all below, in words"),
	F(time_ns, TIME, NO_ZERO, .unit = "ns", .help = "rx: the packet's time"),
	F(port, F64, NO_NAN, .help = "rx"),
	F(queue, F64, NO_NAN, .help = "rx"),
	F(caplen, U32, NO_ZERO, .unit = "octets", .help = "rx: octets that were captured"),
	F(wirelen, U32, NO_ZERO, .unit = "octets", .help = "rx: octets on the wire"),
	F(linktype, STR, NO_IE, .help = "rx"),
	NS_REC_FIELD(struct trace_rec, src, .name = "src_ip", .type = NS_REC_IP, NO_IE,
		.help = "decode: of the innermost IP header"),
	NS_REC_FIELD(struct trace_rec, dst, .name = "dst_ip", .type = NS_REC_IP, NO_IE,
		.help = "decode"),
	F(src_port, U16, NO_ZERO, .help = "decode; defrag: of the first fragment"),
	F(dst_port, U16, NO_ZERO, .help = "decode; defrag; ICMP: type * 256 + code"),
	F(proto, PROTO, NO_ZERO, .help = "decode"),
	F(tcp_flags, TCP_FLAGS, NO_ZERO, .help = "decode"),
	F(vlan, VLANS, NO_IE, .help = "decode: before the innermost IP header, two at most"),
	F(tunnel, STR, NO_IE, .help = "decode: the innermost one"),
	F(fragment, STR, NO_IE, .help = "decode: first, later, last"),
	F(hash, F64, NO_NAN, .help = "dispatch"),
	F(bucket, F64, NO_NAN, .help = "dispatch"),
	F(worker, F64, NO_NAN, .help = "dispatch: number among the analysis lcores"),
	F(worker_lcore, F64, NO_NAN, .help = "dispatch"),
	F(waiting, F64, NO_NAN, .unit = "packets", .help = "dispatch: in the ring before it"),
	F(wait_ns, F64, NO_NAN, .unit = "ns", .help = "analysis: in the ring"),
	F(flow, STR, NO_IE, .help = "flow: new, known, none"),
	F(community_id, STR, NO_IE, .help = "flow"),
	F(flow_packets, U64, NO_ZERO, .unit = "packets", .help = "flow: from its initiator"),
	F(flow_rev_packets, U64, NO_ZERO, .unit = "packets", .help = "flow: from its responder"),
	F(position, F64, NO_NAN, .help = "flow: in the lcore's table"),
	F(tasks, STR, NO_IE, .help = "tasks: names of those that took it"),
	F(notes, STR, NO_IE, .help = "counters of notes"),
};

static const struct ns_rec_kind trace_kind = {
	.name = "trace",
	.version = 1,
	.size = sizeof(struct trace_rec),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "what a stage did with a packet (command trace)",
	.ipfix_family_field = -1,
};
NS_REC_REGISTER(trace_kind)

static void fill_layer(struct trace_rec *r, const struct ns_layer *y)
{
	switch (y->kind) {
	case NS_LAYER_ETHERTYPE:
		if (y->id != 0 && r->vlan.n < NS_ARRAY_LEN(r->vlan.id))
			r->vlan.id[r->vlan.n++] = (uint16_t)y->id;
		break;
	case NS_LAYER_TUNNEL:
		r->vlan.n = 0;
		snprintf(r->tunnel, sizeof(r->tunnel), "%.14s:%u",
			ns_decoder_tunnel_name((uint8_t)y->type), y->id);
		break;
	case NS_LAYER_IP:
		r->src.ver = r->dst.ver = y->ver;
		memcpy(r->src.addr, y->src, sizeof(r->src.addr));
		memcpy(r->dst.addr, y->dst, sizeof(r->dst.addr));
		r->proto = y->proto;
		r->src_port = y->sport;
		r->dst_port = y->dport;
		r->tcp_flags = y->tcp_flags;
		snprintf(r->fragment, sizeof(r->fragment), "%s",
			(y->flags & NS_PKT_FRAG) == 0         ? ""
			: (y->flags & NS_PKT_LATER_FRAG) == 0 ? "first"
			: (y->flags & NS_PKT_MORE_FRAGS) == 0 ? "last"
							      : "later");
		break;
	default:
		break;
	}
}

static void fill_flow(struct trace_rec *r, const struct trace_slot *s, const struct trace_step *t)
{
	bool in = (t->flow.flow & NS_PKT_FLOW) != 0;

	snprintf(r->flow, sizeof(r->flow), "%s",
		!in                                     ? "none"
		: (t->flow.flow & NS_PKT_FLOW_NEW) != 0 ? "new"
							: "known");
	if (!t->flow.seen)
		return;
	snprintf(r->community_id, sizeof(r->community_id), "%s", s->flow.rec.community_id);
	r->flow_packets = s->flow.rec.packets;
	r->flow_rev_packets = s->flow.rec.rev_packets;
	r->position = s->flow.position;
}

static void fill_stage(struct trace_rec *r, const struct trace_slot *s, unsigned step)
{
	const struct trace_step *t = &s->steps[step];
	const char *link;

	switch (t->stage) {
	case TRACE_RX:
		link = ns_linktype_name(t->rx.linktype);
		snprintf(r->linktype, sizeof(r->linktype), "%s", link != NULL ? link : "");
		r->time_ns = t->rx.ts_ns;
		r->port = t->rx.port;
		r->queue = t->rx.queue;
		r->caplen = t->rx.caplen;
		r->wirelen = t->rx.wirelen;
		break;
	case TRACE_DECODE:
		for (unsigned i = 0; i < s->layers.n; i++)
			fill_layer(r, &s->layers.of[i]);
		break;
	case TRACE_DEFRAG:
		r->src_port = t->defrag.sport;
		r->dst_port = t->defrag.dport;
		break;
	case TRACE_DISPATCH:
		if (t->result == TRACE_DROPPED)
			break;
		r->hash = t->dispatch.hash;
		r->bucket = t->dispatch.bucket;
		r->worker = t->dispatch.worker;
		r->worker_lcore = t->dispatch.lcore;
		r->waiting = t->dispatch.waiting;
		break;
	case TRACE_ANALYSIS:
		if (step > 0 && s->steps[step - 1].stage == TRACE_DISPATCH)
			r->wait_ns =
				(double)(trace_after_ns(s, step) - trace_after_ns(s, step - 1));
		break;
	case TRACE_FLOW:
		fill_flow(r, s, t);
		break;
	case TRACE_TASKS:
		trace_what(s, step, r->tasks, sizeof(r->tasks));
		if (t->tasks.bits == 0)
			r->tasks[0] = '\0';
		break;
	default:
		break;
	}
}

static void fill_counters(struct trace_rec *r, const struct trace_step *t)
{
	unsigned n;
	const struct ns_counter *const *all = ns_counters_all(&n);
	size_t at = 0;

	for (unsigned i = 0; i < t->notes_n && at < sizeof(r->notes) - 1; i++)
		at += (size_t)snprintf(r->notes + at, sizeof(r->notes) - at, "%s%s",
			i > 0 ? " " : "", all[t->notes[i]]->name);
	if (t->result == TRACE_DROPPED)
		snprintf(r->reason, sizeof(r->reason), "%s", all[t->drop]->name);
}

static void empty(struct trace_rec *r, uint32_t packet)
{
	*r = (struct trace_rec){.packet = packet,
		.lcore = NAN,
		.port = NAN,
		.queue = NAN,
		.hash = NAN,
		.bucket = NAN,
		.worker = NAN,
		.worker_lcore = NAN,
		.waiting = NAN,
		.wait_ns = NAN,
		.position = NAN};
}

void trace_put_record(
	struct ns_command_call *c, const struct trace_slot *s, uint32_t packet, unsigned step)
{
	const struct trace_step *t = &s->steps[step];
	struct trace_rec r;

	empty(&r, packet);
	r.after_ns = trace_after_ns(s, step);
	r.lcore = t->lcore;
	snprintf(r.stage, sizeof(r.stage), "%s", trace_stage_name(t->stage));
	snprintf(r.result, sizeof(r.result), "%s", trace_result_name(t->result));
	trace_what(s, step, r.what, sizeof(r.what));
	fill_stage(&r, s, step);
	fill_counters(&r, t);
	ns_command_record(c, &trace_kind, &r);
}

void trace_put_missing(
	struct ns_command_call *c, const struct trace_slot *s, uint32_t packet, unsigned steps)
{
	struct trace_rec r;

	empty(&r, packet);
	snprintf(r.stage, sizeof(r.stage), "end");
	snprintf(r.result, sizeof(r.result), "missing");
	snprintf(r.what, sizeof(r.what), "has not come out: %s", trace_whereabouts(s, steps));
	ns_command_record(c, &trace_kind, &r);
}
