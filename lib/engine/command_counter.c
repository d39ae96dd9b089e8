/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * show drops, show counters, clear. Clearing keeps what the numbers were, for columns
 * "since_clear"; the counters themselves belong to their lcores and only ever grow. Main thread.
 */
#include "command_priv.h"

#include <ns_registry.h>

#include <stdio.h>
#include <string.h>

#define ZEROS_MAX (NS_COUNTER_MAX + 64)

/* What there was when somebody cleared; the program's one engine. */
static struct {
	uint64_t ns; /* the end of that epoch since 1970; 0: never */
	struct ns_epoch_rec epoch;
	unsigned n;
	struct {
		char name[NS_STATE_NAME];
		uint64_t value;
	} v[ZEROS_MAX];
} zero;

struct since_rec {
	uint64_t cleared_ns, span_ns;
	uint64_t received, octets, analysed, dropped;
	double packets_per_s, bits_per_s;
};

#define NO_IE .flags = NS_REC_NO_EXPORT
#define F(m, ...) NS_REC_FIELD(struct since_rec, m, .name = #m, __VA_ARGS__)

static const struct ns_rec_field since_fields[] = {
	F(cleared_ns, .type = NS_REC_TIME, NO_IE, .unit = "ns", .help = "when \"clear\" was given"),
	F(span_ns, .type = NS_REC_U64, NO_IE, .unit = "ns", .help = "how long ago"),
	F(received, .type = NS_REC_U64, NO_IE, .unit = "packets", .help = "since then"),
	F(octets, .type = NS_REC_U64, NO_IE, .unit = "octets", .help = "since then"),
	F(analysed, .type = NS_REC_U64, NO_IE, .unit = "packets", .help = "since then"),
	F(dropped, .type = NS_REC_U64, NO_IE, .unit = "packets", .help = "since then"),
	F(packets_per_s, .type = NS_REC_F64, NO_IE, .unit = "packets/s", .help = "mean since then"),
	F(bits_per_s, .type = NS_REC_F64, NO_IE, .unit = "bit/s", .help = "mean since then"),
};
#undef F

static const struct ns_rec_kind since_kind = {
	.name = "since_clear",
	.version = 1,
	.size = sizeof(struct since_rec),
	.fields = since_fields,
	.fields_n = NS_ARRAY_LEN(since_fields),
	.help = "packets since \"clear\"",
	.ipfix_family_field = -1,
};

void engine_command_since_clear(struct ns_command_call *c, const struct ns_engine_state *s)
{
	const struct ns_epoch_rec *a = &zero.epoch, *b = &s->epoch;
	struct since_rec r = {.cleared_ns = zero.ns};

	if (zero.ns == 0 || b->end_ns <= zero.ns)
		return;
	r.span_ns = b->end_ns - zero.ns;
	r.received = b->received - a->received;
	r.octets = b->octets - a->octets;
	r.analysed = b->analysed - a->analysed;
	r.dropped = b->dropped - a->dropped;
	r.packets_per_s = (double)r.received / ((double)r.span_ns / 1e9);
	r.bits_per_s = 8 * (double)r.octets / ((double)r.span_ns / 1e9);
	ns_command_record(c, &since_kind, &r);
}

struct count_rec {
	char name[NS_STATE_NAME];
	char what[8];
	uint64_t value, since_clear, epoch_value;
	double share;
	char help[128];
};

#define F(m, ...) NS_REC_FIELD(struct count_rec, m, .name = #m, __VA_ARGS__)

static const struct ns_rec_field count_fields[] = {
	F(name, .type = NS_REC_STR, .flags = NS_REC_KEY | NS_REC_NO_EXPORT,
		.help = "reason of a drop, or what a note is about"),
	F(what, .type = NS_REC_STR, NO_IE, .help = "drop, or note: seen, and not dropped"),
	F(value, .type = NS_REC_U64, NO_IE, .unit = "packets", .help = "since the start"),
	F(since_clear, .type = NS_REC_U64, NO_IE, .unit = "packets",
		.help = "since \"clear\", or since the start"),
	F(epoch_value, .type = NS_REC_U64, NO_IE, .unit = "packets", .help = "in the last epoch"),
	F(share, .type = NS_REC_F64, .flags = NS_REC_NO_EXPORT | NS_REC_EMPTY_NAN, .unit = "%",
		.help = "of the packets received since the start"),
	F(help, .type = NS_REC_STR, NO_IE, .help = "what it means"),
};

static const struct ns_rec_kind count_kind = {
	.name = "count",
	.version = 1,
	.size = sizeof(struct count_rec),
	.fields = count_fields,
	.fields_n = NS_ARRAY_LEN(count_fields),
	.help = "a named drop or note, for people",
	.ipfix_family_field = -1,
};

static uint64_t zero_of(const char *name)
{
	for (unsigned i = 0; i < zero.n; i++) {
		if (strcmp(zero.v[i].name, name) == 0)
			return zero.v[i].value;
	}
	return 0;
}

static void put_count(struct ns_command_call *c, const struct ns_counter_rec *k, const char *help,
	uint64_t received)
{
	struct count_rec r = {.value = k->value,
		.since_clear = k->value - zero_of(k->name),
		.epoch_value = k->epoch_value,
		.share = received > 0 ? 100 * (double)k->value / (double)received : 0};

	memcpy(r.name, k->name, sizeof(r.name));
	snprintf(r.what, sizeof(r.what), "%s", k->drop ? "drop" : "note");
	snprintf(r.help, sizeof(r.help), "%s", help);
	ns_command_record(c, &count_kind, &r);
}

static const struct ns_counter_rec *find(const struct ns_engine_state *s, const char *name)
{
	for (unsigned i = 0; i < s->counters_n; i++) {
		if (strcmp(s->counters[i].name, name) == 0)
			return &s->counters[i];
	}
	return NULL;
}

/* Those that are not 0, or with "all" every one that there is. */
static int show(struct ns_command_call *c, bool notes, struct ns_err *e)
{
	const struct ns_engine_state *s;
	const struct ns_counter *const *all;
	bool every = c->argc > 0, any = false;
	unsigned n;

	if (c->argc > 1 || (c->argc == 1 && strcmp(c->argv[0], "all") != 0))
		return ns_fail(
			e, EINVAL, "\"%.60s\": only \"all\" may stand here", c->argv[c->argc - 1]);
	s = engine_command_state(c, e);
	if (s == NULL)
		return -errno;
	all = ns_counters_all(&n);
	for (unsigned i = 0; i < n; i++) {
		const struct ns_counter_rec *k = find(s, all[i]->name);
		struct ns_counter_rec none = {.drop = all[i]->kind == NS_COUNTER_DROP};

		if ((k == NULL && !every) || (!notes && !none.drop))
			continue;
		snprintf(none.name, sizeof(none.name), "%s", all[i]->name);
		put_count(c, k != NULL ? k : &none, all[i]->help, s->epoch.received);
		any = true;
	}
	if (!any)
		ns_command_text(c, notes ? "nothing was dropped or noted so far"
					 : "nothing was dropped so far");
	return 0;
}

static int show_drops(struct ns_command_call *c, struct ns_err *e)
{
	return show(c, false, e);
}

static int show_counters(struct ns_command_call *c, struct ns_err *e)
{
	return show(c, true, e);
}

static void complete(struct ns_command_call *c)
{
	if (c->argc == 1)
		ns_command_text(c, "all");
}

static struct ns_command drops = {.name = "show drops",
	.args = "[all]",
	.help = "packets dropped by reason; all: those with 0 too",
	.run = show_drops,
	.complete = complete};
NS_COMMAND_REGISTER(drops)

static struct ns_command counters = {.name = "show counters",
	.args = "[all]",
	.help = "drops and notes by name; all: those with 0 too",
	.run = show_counters,
	.complete = complete};
NS_COMMAND_REGISTER(counters)

static int clear(struct ns_command_call *c, struct ns_err *e)
{
	const struct ns_engine_state *s = engine_command_state(c, e);

	if (s == NULL)
		return -errno;
	zero.ns = s->epoch.end_ns;
	zero.epoch = s->epoch;
	zero.n = 0;
	for (unsigned i = 0; i < s->counters_n && i < ZEROS_MAX; i++) {
		memcpy(zero.v[i].name, s->counters[i].name, sizeof(zero.v[i].name));
		zero.v[i].value = s->counters[i].value;
		zero.n++;
	}
	ns_command_text(c, "columns \"since_clear\" count from the end of epoch %llu on",
		(unsigned long long)s->epoch.epoch);
	return 0;
}

static struct ns_command clear_command = {.name = "clear",
	.help = "let columns \"since_clear\" count from now; nothing else is set back",
	.changes = true,
	.run = clear};
NS_COMMAND_REGISTER(clear_command)
