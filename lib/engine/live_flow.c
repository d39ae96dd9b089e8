/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptions of flows for people, made of that of the flow record. */
#include "live_flow.h"

#include <string.h>

#define F(member, ...) \
	NS_REC_FIELD(struct live_flow, member, .name = #member, .type = NS_REC_U64, __VA_ARGS__)

static const struct ns_rec_field more[] = {
	F(total_packets, .unit = "packets", .help = "packets in both directions"),
	F(total_octets, .unit = "octets", .help = "octets by IP in both directions"),
	F(age_ns, .unit = "ns", .help = "since the first packet"),
	F(idle_ns, .unit = "ns", .help = "since the last packet"),
	F(duration_ns, .unit = "ns", .help = "from the first packet to the last"),
};
_Static_assert(offsetof(struct live_flow, flow) == 0, "fields of flows are where they were");

/* What a list shows, if it fits; the field that it is in order by comes besides. */
static const char *const listed[] = {"community_id", "src_ip", "src_port", "dst_ip", "dst_port",
	"proto", "packets", "rev_packets", "ip_octets", "rev_ip_octets", "age_ns", "idle_ns",
	"tcp_rtt_ns"};

/* Words that are no names of fields; those that end in "_ns" may be without it. */
static const struct {
	const char *word, *field;
} words[] = {
	{"packets", "total_packets"},
	{"octets", "total_octets"},
	{"age", "age_ns"},
	{"idle", "idle_ns"},
	{"duration", "duration_ns"},
	{"rtt", "tcp_rtt_ns"},
	{"start", "start_ns"},
	{"end", "end_ns"},
};

static struct ns_rec_field fields[LIVE_FLOW_FIELDS_MAX];
static struct ns_rec_kind kind = {.name = "live_flow",
	.version = 1,
	.size = sizeof(struct live_flow),
	.fields = fields,
	.help = "a flow that goes on",
	.ipfix_family_field = 1};

/* By the field that it is in order by. */
static struct list {
	struct ns_rec_kind kind;
	struct ns_rec_field fields[NS_ARRAY_LEN(listed) + 1];
} lists[LIVE_FLOW_FIELDS_MAX];

const struct ns_rec_kind *live_flow_kind(void)
{
	unsigned n = ns_flow_rec_kind.fields_n;

	if (kind.fields_n > 0)
		return &kind;
	n = NS_MIN(n, LIVE_FLOW_FIELDS_MAX - (unsigned)NS_ARRAY_LEN(more));
	memcpy(fields, ns_flow_rec_kind.fields, n * sizeof(fields[0]));
	memcpy(fields + n, more, sizeof(more));
	kind.fields_n = n + (unsigned)NS_ARRAY_LEN(more);
	return &kind;
}

static const struct ns_rec_field *field(const char *name)
{
	const struct ns_rec_kind *k = live_flow_kind();

	for (unsigned i = 0; i < k->fields_n; i++) {
		if (strcmp(k->fields[i].name, name) == 0)
			return &k->fields[i];
	}
	return NULL;
}

const struct ns_rec_kind *live_flow_list_kind(const struct ns_rec_field *by)
{
	struct list *l = &lists[by - fields];
	unsigned n = NS_ARRAY_LEN(listed);

	if (l->kind.fields_n > 0)
		return &l->kind;
	for (unsigned i = 0; i < NS_ARRAY_LEN(listed); i++) {
		const struct ns_rec_field *f = field(listed[i]);

		l->fields[i] = *f;
		if (f == by)
			by = NULL;
	}
	if (by != NULL)
		l->fields[n++] = *by;
	l->kind = kind;
	l->kind.fields = l->fields;
	l->kind.fields_n = n;
	return &l->kind;
}

static bool is_number(const struct ns_rec_field *f)
{
	return f->type <= NS_REC_TIME && f->type != NS_REC_F64 && f->type != NS_REC_I64;
}

const struct ns_rec_field *live_flow_number(const char *name)
{
	const struct ns_rec_field *f;

	for (unsigned i = 0; i < NS_ARRAY_LEN(words); i++) {
		if (strcmp(words[i].word, name) == 0)
			return field(words[i].field);
	}
	f = field(name);
	return f != NULL && is_number(f) ? f : NULL;
}

const char *live_flow_number_name(unsigned i)
{
	const struct ns_rec_kind *k = live_flow_kind();

	if (i < NS_ARRAY_LEN(words))
		return words[i].word;
	i -= NS_ARRAY_LEN(words);
	for (unsigned j = 0; j < k->fields_n; j++) {
		/* as a word it means both directions */
		if (is_number(&k->fields[j]) && strcmp(k->fields[j].name, "packets") != 0 &&
			i-- == 0)
			return k->fields[j].name;
	}
	return NULL;
}

static uint64_t since(uint64_t then, uint64_t now)
{
	return now > then ? now - then : 0;
}

void live_flow_fill(struct live_flow *l, const struct ns_flow_rec *r, uint64_t now)
{
	l->flow = *r;
	l->total_packets = r->packets + r->rev_packets;
	l->total_octets = r->ip_octets + r->rev_ip_octets;
	l->age_ns = since(r->start_ns, now);
	l->idle_ns = since(r->end_ns, now);
	l->duration_ns = since(r->start_ns, r->end_ns);
}
