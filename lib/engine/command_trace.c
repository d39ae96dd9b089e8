/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands "trace" and "trace stop". Main thread. */
#include "trace.h"

#include <ns_command_words.h>
#include <ns_text.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILTER_MAX 1024
#define WHAT_MAX 900
#define AT_ONCE 64 /* packets */
#define INDENT 26 /* where the words of a step begin */
#define WRAP_LEAST 30 /* columns for them; a terminal with less wraps lines itself */

/* A number that is all of the word. */
static bool number(const char *word, double most, double *v)
{
	char *end;

	if (word[0] < '0' || word[0] > '9')
		return false;
	*v = strtod(word, &end);
	return *end == '\0' && *v > 0 && *v <= most;
}

/* The words before N: one in quotes, or several without. "", "all": every packet. */
static int join_filter(
	const struct ns_command_call *c, unsigned n, char out[FILTER_MAX], struct ns_err *e)
{
	out[0] = '\0';
	if (n == 1 && (c->argv[0][0] == '\0' || strcmp(c->argv[0], "all") == 0))
		return 0;
	return ns_command_join(c, 0, n, "filter", out, FILTER_MAX, e);
}

static int parse(const struct ns_command_call *c, struct trace_args *a, char filter[FILTER_MAX],
	struct ns_err *e)
{
	unsigned n = c->argc;
	double v;

	a->seconds = TRACE_SECONDS;
	if (n >= 2 && strcmp(c->argv[n - 2], "seconds") == 0) {
		if (!number(c->argv[n - 1], TRACE_SECONDS_MAX, &a->seconds))
			return ns_fail(e, EINVAL, "seconds: \"%.40s\" is not a number up to %d",
				c->argv[n - 1], TRACE_SECONDS_MAX);
		n -= 2;
	}
	if (n < 2)
		return ns_fail(e, EINVAL,
			"trace FILTER N: a filter (\"\" or all: every packet) and how many "
			"packets");
	if (!number(c->argv[n - 1], TRACE_MAX, &v) || v != (uint32_t)v)
		return ns_fail(e, EINVAL,
			"trace: \"%.40s\" is not a number of packets from 1 to %d", c->argv[n - 1],
			TRACE_MAX);
	a->packets = (uint32_t)v;
	int rc = join_filter(c, n - 1, filter, e);

	a->filter = filter[0] != '\0' ? filter : NULL;
	return rc;
}

/* A line whose words go on below its first word, where the terminal is too narrow. */
static void put_wrapped(struct ns_command_call *c, const char *head, const char *text)
{
	size_t room = c->columns >= INDENT + WRAP_LEAST ? c->columns - INDENT : SIZE_MAX;

	do {
		size_t n = ns_text_fit(text, room);

		ns_command_text(c, "%-*s%.*s", INDENT, head, (int)n, text);
		head = "";
		text = ns_text_next(text, n);
	} while (*text != '\0');
}

static void put_text(struct ns_command_call *c, const struct trace *t, uint32_t packet,
	const struct trace_slot *s, unsigned steps)
{
	char date[40], head[64], what[WHAT_MAX];

	if (steps > 0)
		ns_command_text(c, "packet %u  %s", packet + 1,
			ns_fmt_time(date, sizeof(date), s->steps[0].rx.ts_ns));
	for (unsigned i = 0; i < steps; i++) {
		snprintf(head, sizeof(head), "%11" PRIu64 " ns  %s", trace_after_ns(s, i),
			trace_stage_name(s->steps[i].stage));
		trace_what(s, i, what, sizeof(what));
		put_wrapped(c, head, what);
	}
	if (!trace_is_last(s, steps)) {
		snprintf(what, sizeof(what), "has not come out in %.1f s: %s",
			(double)(ns_clock_mono() - t->start_mono) / 1e9,
			trace_whereabouts(s, steps));
		put_wrapped(c, "", what);
	}
}

static void put(struct ns_command_call *c, const struct trace *t, uint32_t packet, unsigned steps)
{
	struct trace_slot *s = &t->slots[t->order[packet]];

	for (unsigned i = 0; i < steps; i++) {
		/* Community IDs take their time: control's work, of a flow that it owns by now */
		if (s->steps[i].stage == TRACE_FLOW && s->steps[i].flow.seen &&
			s->flow.rec.community_id[0] == '\0')
			ns_flow_record_ids(&s->flow.rec, 1);
		if (c->exact)
			trace_put_record(c, s, packet + 1, i);
	}
	if (!c->exact)
		put_text(c, t, packet, s, steps);
	else if (!trace_is_last(s, steps))
		trace_put_missing(c, s, packet + 1, steps);
}

/*
 * Packets that have come out; or all, when nothing more is waited for. No more at once than an
 * answer has room for; false: there are others.
 */
static bool put_packets(struct ns_command_call *c, struct trace *t, bool all)
{
	unsigned said = 0;

	for (uint32_t i = 0; i < trace_taken(t); i++) {
		unsigned n = trace_steps(&t->slots[t->order[i]]);

		if (t->told[i] || (!all && !trace_is_last(&t->slots[t->order[i]], n)))
			continue;
		if (said++ == AT_ONCE)
			return false;
		t->told[i] = true;
		put(c, t, i, n);
	}
	return true;
}

static void put_end(struct ns_command_call *c, const struct trace *t, uint32_t wanted)
{
	uint32_t n = trace_taken(t);
	double s = (double)(ns_clock_mono() - t->start_mono) / 1e9;

	if (c->exact || n == wanted)
		return;
	ns_command_text(c, "%s after %.1f s: %u of %u packets came",
		t->stopped ? "stopped" : "ended", s, n, wanted);
}

/* What the answer goes by: the number of the trace, and how many packets were asked for. */
static void *keep(uint32_t id, uint32_t packets)
{
	return (void *)((uintptr_t)id << 16 | packets);
}
_Static_assert(sizeof(uintptr_t) >= 8 && TRACE_MAX < 65536, "both fit a pointer");

static int go_on(struct ns_command_call *c)
{
	struct trace *t = c->engine->trace;
	uintptr_t kept = (uintptr_t)c->state;

	trace_look(c->engine);
	if ((uint32_t)(kept >> 16) != t->id)
		return 0; /* gave up, and another has begun since */
	bool over = trace_is_over(t);

	if (!put_packets(c, t, over) || !over)
		return NS_COMMAND_MORE;
	put_end(c, t, kept & 0xffff);
	return 0;
}

static int run(struct ns_command_call *c, struct ns_err *e)
{
	struct trace_args args = {0};
	char filter[FILTER_MAX];
	int rc;

	if (c->engine == NULL)
		return ns_fail(e, ENOTCONN, "no engine runs");
	if (c->state != NULL)
		return go_on(c);
	rc = parse(c, &args, filter, e);
	if (rc == 0)
		rc = trace_start(c->engine, &args, e);
	if (rc < 0)
		return rc;
	c->state = keep(c->engine->trace->id, args.packets);
	return NS_COMMAND_MORE;
}

/* Its client has gone. */
static void end(struct ns_command_call *c)
{
	if (c->engine != NULL && c->engine->trace != NULL &&
		(uint32_t)((uintptr_t)c->state >> 16) == c->engine->trace->id)
		trace_stop(c->engine);
}

static int stop(struct ns_command_call *c, struct ns_err *e)
{
	const struct trace *t = c->engine != NULL ? c->engine->trace : NULL;

	if (t == NULL || t->state == TRACE_OFF || t->state == TRACE_OVER)
		return ns_fail(e, ENOENT, "no trace goes on");
	trace_stop(c->engine);
	ns_command_text(c, "the trace ends; %u packets were taken", trace_taken(t));
	return 0;
}

static void complete(struct ns_command_call *c)
{
	if (c->argc > 2)
		ns_command_offer(c, "seconds");
	else if (c->argc == 1)
		ns_command_offer(c, "all");
}

static struct ns_command trace_command = {
	.name = "trace",
	.args = "FILTER N [seconds S]",
	.help = "what each stage does with the next N packets that match",
	.changes = true,
	.run = run,
	.end = end,
	.complete = complete,
};
NS_COMMAND_REGISTER(trace_command)

static struct ns_command trace_stop_command = {
	.name = "trace stop",
	.help = "end a trace before its time, another console's too",
	.changes = true,
	.run = stop,
};
NS_COMMAND_REGISTER(trace_stop_command)
