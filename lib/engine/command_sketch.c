/* SPDX-License-Identifier: BSD-3-Clause */
/* show sketch: what tasks count with, how full it is and how good. Main thread. */
#include "engine_priv.h"

#include <ns_command.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PARTS_SHOWN 100
#define PATIENCE_NS (NS_SEC_NS / 20)

struct sketch_rec {
	char task[48], label[64], type[16], sketch[16];
	char what[160], parameters[96], hash[16];
	uint64_t seed;
	uint64_t parts;
	uint64_t octets, octets_lcore, octets_all;
	char cell[16];
	uint64_t used, cells, saturated;
	double fill;
	char bound[96], of[24];
	double estimate, lower, upper, confidence;
	uint64_t epoch, start_ns, end_ns;
};

#define F(m, ...) NS_REC_FIELD(struct sketch_rec, m, .name = #m, __VA_ARGS__)
#define NO_IE .flags = NS_REC_NO_EXPORT
#define NOT_KNOWN .flags = NS_REC_NO_EXPORT | NS_REC_EMPTY_NAN

static const struct ns_rec_field fields[] = {
	F(task, .type = NS_REC_STR, .flags = NS_REC_KEY | NS_REC_NO_EXPORT, .help = "its name"),
	F(label, .type = NS_REC_STR, .flags = NS_REC_KEY | NS_REC_NO_EXPORT,
		.help = "which of its sketches: a prefix, or the octets of a value; empty: the only "
			"one, or the rest"),
	F(type, .type = NS_REC_STR, NO_IE, .help = "the task's type"),
	F(sketch, .type = NS_REC_STR, NO_IE, .help = "the sketch's"),
	F(what, .type = NS_REC_STR, NO_IE, .help = "what is counted"),
	F(parameters, .type = NS_REC_STR, NO_IE, .help = "must be alike in sketches that merge"),
	F(hash, .type = NS_REC_STR, NO_IE, .help = "of keys"),
	F(seed, .type = NS_REC_U64, NO_IE, .help = "of the hash"),
	F(parts, .type = NS_REC_U64, NO_IE, .unit = "sketches", .help = "that this is about"),
	F(octets, .type = NS_REC_U64, NO_IE, .unit = "octets", .help = "of memory"),
	F(octets_lcore, .type = NS_REC_U64, NO_IE, .unit = "octets",
		.help = "with its pair: what an analysis lcore has"),
	F(octets_all, .type = NS_REC_U64, NO_IE, .unit = "octets",
		.help = "of all lcores, and of control, which merges them"),
	F(cell, .type = NS_REC_STR, NO_IE, .help = "what fills it"),
	F(used, .type = NS_REC_U64, NO_IE, .help = "of them not empty"),
	F(cells, .type = NS_REC_U64, NO_IE, .help = "all of them"),
	F(saturated, .type = NS_REC_U64, NO_IE, .help = "of them at the highest value there is"),
	F(fill, .type = NS_REC_F64, NO_IE, .unit = "%", .help = "used of cells"),
	F(bound, .type = NS_REC_STR, NO_IE, .help = "the stated error"),
	F(of, .type = NS_REC_STR, NO_IE, .help = "what the estimate is about"),
	F(estimate, .type = NS_REC_F64, NOT_KNOWN, .help = "of the last complete epoch"),
	F(lower, .type = NS_REC_F64, NOT_KNOWN, .help = "bound"),
	F(upper, .type = NS_REC_F64, NOT_KNOWN, .help = "bound"),
	F(confidence, .type = NS_REC_F64, NOT_KNOWN,
		.help = "with which the truth is between the bounds; 1: certain"),
	F(epoch, .type = NS_REC_U64, NO_IE, .help = "its number"),
	F(start_ns, .type = NS_REC_TIME, NO_IE, .unit = "ns", .help = "when it began"),
	F(end_ns, .type = NS_REC_TIME, NO_IE, .unit = "ns", .help = "when it ended"),
};

static const struct ns_rec_kind sketch_kind = {
	.name = "sketch",
	.version = 1,
	.size = sizeof(struct sketch_rec),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "a sketch of a task, as it was at the end of the last epoch",
	.ipfix_family_field = -1,
};

/* Lcores that are handing over are waited for, so that there is a last epoch to look at. */
static int look(struct ns_command_call *c, struct ns_err *e)
{
	static const struct timespec wait = {.tv_nsec = 1000000};
	struct ns_engine *en = c->engine;

	if (en == NULL)
		return ns_fail(e, ENOENT, "no engine runs");
	if (c->argc > 1)
		return ns_fail(e, EINVAL, "one task, not \"%.60s\" too", c->argv[1]);
	for (uint64_t until = ns_clock_mono() + PATIENCE_NS;
		!en->look.valid && en->epoch_pending && en->phase == PHASE_READING &&
		ns_clock_mono() < until;
		nanosleep(&wait, NULL))
		engine_collect(en);
	if (!en->look.valid)
		return ns_fail(e, EAGAIN, "no epoch of these tasks is complete yet");
	return 0;
}

static void put_label(char *to, size_t len, const struct ns_sketch_part *p)
{
	size_t at = 0;
	bool text = true;

	for (uint32_t i = 0; i < p->label_len; i++)
		text = text && p->label[i] > ' ' && p->label[i] < 0x7f;
	for (uint32_t i = 0; i < p->label_len && at + 3 < len; i++)
		at += (size_t)snprintf(to + at, len - at, text ? "%c" : "%02x", p->label[i]);
}

static void put_parameters(char *to, size_t len, const struct ns_sketch *s)
{
	struct ns_sketch_param param[NS_SKETCH_PARAMS];
	unsigned n = ns_sketch_params(s, param);
	size_t at = 0;

	/* the first is the seed, which has a column */
	for (unsigned i = 1; i < n && at < len; i++)
		at += (size_t)snprintf(to + at, len - at, "%s%s %" PRIu64, i > 1 ? ", " : "",
			param[i].name, param[i].value);
}

static void put_memory(const struct ns_engine *en, struct sketch_rec *r)
{
	const struct plan *p = en->plan;
	unsigned merged = p->collectors_n + (p->merged != p->collectors[0].state);

	r->octets_lcore = 2 * r->octets;
	r->octets_all = (2 * (uint64_t)en->workers + merged) * r->octets;
}

static struct sketch_rec record_of(const struct ns_engine *en, const struct ns_sketch_set *set)
{
	struct sketch_rec r = {.seed = set->seed,
		.epoch = en->look.span.epoch,
		.start_ns = en->look.span.start_ns,
		.end_ns = en->look.span.end_ns};

	snprintf(r.task, sizeof(r.task), "%s", set->task);
	snprintf(r.type, sizeof(r.type), "%s", set->type);
	snprintf(r.what, sizeof(r.what), "%.*s", (int)sizeof(r.what) - 1, set->what);
	snprintf(r.hash, sizeof(r.hash), "fold64");
	return r;
}

static void add_part(struct sketch_rec *r, const struct ns_sketch_part *p)
{
	struct ns_sketch_facts f;

	ns_sketch_facts(&p->sketch, &f);
	if (r->parts++ == 0) {
		snprintf(r->sketch, sizeof(r->sketch), "%s", ns_sketch_name(p->sketch.type));
		put_parameters(r->parameters, sizeof(r->parameters), &p->sketch);
		snprintf(r->bound, sizeof(r->bound), "%s", f.bound);
		snprintf(r->of, sizeof(r->of), "%s", f.of);
		snprintf(r->cell, sizeof(r->cell), "%s", f.cell);
		r->estimate = f.estimate;
		r->lower = f.low;
		r->upper = f.high;
		r->confidence = f.confidence;
	} else {
		/* of several there is no one estimate */
		r->bound[0] = r->of[0] = '\0';
		r->estimate = r->lower = r->upper = r->confidence = __builtin_nan("");
		if (strcmp(r->cell, f.cell) != 0)
			snprintf(r->cell, sizeof(r->cell), "mixed");
	}
	r->octets += f.octets;
	r->used += f.used;
	r->cells += f.cells;
	r->saturated += f.saturated;
	r->fill = r->cells > 0 ? 100 * (double)r->used / (double)r->cells : 0;
}

/* One record for all of its sketches. */
static void whole(struct ns_command_call *c, const struct ns_sketch_set *set)
{
	struct sketch_rec r = record_of(c->engine, set);

	for (uint32_t i = 0; i < set->parts_n; i++)
		add_part(&r, &set->parts[i]);
	put_memory(c->engine, &r);
	ns_command_record(c, &sketch_kind, &r);
}

static void each(struct ns_command_call *c, const struct ns_sketch_set *set)
{
	for (uint32_t i = 0; i < NS_MIN(set->parts_n, (uint32_t)PARTS_SHOWN); i++) {
		struct sketch_rec r = record_of(c->engine, set);

		put_label(r.label, sizeof(r.label), &set->parts[i]);
		add_part(&r, &set->parts[i]);
		put_memory(c->engine, &r);
		ns_command_record(c, &sketch_kind, &r);
	}
	if (set->parts_n > PARTS_SHOWN)
		ns_command_text(c, "%" PRIu32 " sketches in all", set->parts_n);
}

static int show_one(struct ns_command_call *c, unsigned i, bool all, struct ns_err *e)
{
	const struct plan *p = c->engine->plan;
	struct ns_sketch_set *set =
		ns_tasks_sketches(p->tasks, i, p->merged, &c->engine->look.span);

	if (set == NULL)
		return ns_fail(e, errno, "no memory");
	if (all)
		each(c, set);
	else
		whole(c, set);
	ns_tasks_sketches_free(set);
	return 0;
}

static int show_named(struct ns_command_call *c, struct ns_err *e)
{
	const struct ns_tasks *ts = c->engine->plan->tasks;

	for (unsigned i = 0; i < ns_tasks_n(ts); i++) {
		if (strcmp(ns_tasks_kind(ts, i)->name, c->argv[0]) != 0)
			continue;
		if (!ns_tasks_sketched(ts, i))
			return ns_fail(e, ENOENT,
				"task \"%.60s\" of type %s has no sketch: its rows can be added",
				c->argv[0], ns_tasks_type(ts, i));
		return show_one(c, i, true, e);
	}
	return ns_fail(
		e, ENOENT, "there is no task \"%.60s\"; \"show sketch\" lists them", c->argv[0]);
}

static int show_sketch(struct ns_command_call *c, struct ns_err *e)
{
	unsigned shown = 0;

	if (look(c, e) < 0)
		return -errno;
	if (c->argc == 1)
		return show_named(c, e);
	const struct ns_tasks *ts = c->engine->plan->tasks;

	for (unsigned i = 0; i < ns_tasks_n(ts); i++) {
		if (!ns_tasks_sketched(ts, i))
			continue;
		if (show_one(c, i, false, e) < 0)
			return -errno;
		shown++;
	}
	if (shown == 0)
		ns_command_text(c, "no task has sketches");
	return 0;
}

static void complete(struct ns_command_call *c)
{
	const struct ns_tasks *ts = c->engine != NULL ? c->engine->plan->tasks : NULL;

	for (unsigned i = 0; ts != NULL && c->argc == 1 && i < ns_tasks_n(ts); i++) {
		if (ns_tasks_sketched(ts, i))
			ns_command_text(c, "%s", ns_tasks_kind(ts, i)->name);
	}
}

static struct ns_command sketch = {.name = "show sketch",
	.args = "[NAME]",
	.help = "sketches of a task: parameters, memory, how full, stated error, last estimate",
	.run = show_sketch,
	.complete = complete};
NS_COMMAND_REGISTER(sketch)
