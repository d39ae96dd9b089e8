/* SPDX-License-Identifier: BSD-3-Clause */
/* A trace as control sees it: its begin, its end, and who gets which place; see trace.h. */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#define GRACE_NS (NS_SEC_NS / 2) /* for packets that are on their way when the time is over */
#define GIVE_UP_NS NS_SEC_NS /* and for lcores that do not answer */

/* What lcores have given back. */
static void free_places(struct trace *t)
{
	for (unsigned i = 0; i < TRACE_PLACES; i++) {
		const struct trace_slot *s = &t->slots[i];

		if (t->in_use[i] && trace_is_last(s, trace_steps(s)))
			t->in_use[i] = false;
	}
}

uint32_t trace_taken(const struct trace *t)
{
	return NS_MIN(__atomic_load_n(&t->taken, __ATOMIC_RELAXED), t->wanted);
}

/* No lcore takes one any more: those that were not taken are free at once. */
static void free_untaken(struct trace *t)
{
	for (uint32_t i = trace_taken(t); i < t->wanted; i++)
		t->in_use[t->order[i]] = false;
	t->wanted = trace_taken(t);
}

/* Place for each packet, cleared and so in memory: an lcore must not wait for a page. */
static int give_places(struct trace *t, uint32_t n, struct ns_err *e)
{
	uint32_t k = 0;

	for (unsigned i = 0; i < TRACE_PLACES && k < n; i++) {
		if (!t->in_use[i])
			t->order[k++] = (uint16_t)i;
	}
	if (k < n)
		return ns_fail(e, EBUSY,
			"%u packets of earlier traces are still under way: at most %u now",
			TRACE_PLACES - k, k);
	for (uint32_t i = 0; i < n; i++) {
		memset(&t->slots[t->order[i]], 0, sizeof(t->slots[0]));
		t->in_use[t->order[i]] = true;
	}
	memset(t->told, 0, sizeof(t->told));
	return 0;
}

static struct trace *create(struct ns_engine *en)
{
	struct trace *t = aligned_alloc(NS_CACHE_LINE, sizeof(*t));

	if (t == NULL)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->en = en;
	t->slots = aligned_alloc(NS_CACHE_LINE, TRACE_PLACES * sizeof(*t->slots));
	if (t->slots == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

static int ready(struct ns_engine *en, struct ns_err *e)
{
	if (!en->live || en->phase == PHASE_ENDED)
		return ns_fail(
			e, ENOTSUP, "only packets of a running engine's ports can be traced");
	if (en->trace == NULL)
		en->trace = create(en);
	if (en->trace == NULL)
		return ns_fail(e, ENOMEM, "no memory for a trace");
	trace_look(en);
	if (en->trace->state != TRACE_OFF && en->trace->state != TRACE_OVER)
		return ns_fail(e, EBUSY, "a trace goes on; \"trace stop\" ends it");
	return 0;
}

int trace_start(struct ns_engine *en, const struct trace_args *args, struct ns_err *e)
{
	uint16_t linktype;
	int rc = ready(en, e);
	struct trace *t = en->trace;

	if (rc < 0)
		return rc;
	if (args->packets < 1 || args->packets > TRACE_MAX)
		return ns_fail(e, EINVAL, "a trace has from 1 to %d packets", TRACE_MAX);
	if (!(args->seconds > 0 && args->seconds <= TRACE_SECONDS_MAX))
		return ns_fail(e, EINVAL, "a trace lasts for at most %d s", TRACE_SECONDS_MAX);
	free_places(t);
	rc = tap_linktype(en, &linktype, e);
	if (rc == 0)
		rc = tap_filters_create(&t->tap, args->filter, linktype, e);
	if (rc < 0)
		return rc;
	rc = give_places(t, args->packets, e);
	if (rc < 0) {
		tap_filters_destroy(&t->tap);
		return ns_errno_set(-rc);
	}
	t->wanted = args->packets;
	__atomic_store_n(&t->taken, 0, __ATOMIC_RELAXED);
	t->id++;
	t->stopped = false;
	t->start_mono = ns_clock_mono();
	t->limit_mono = t->start_mono + (uint64_t)(args->seconds * 1e9);
	t->state = TRACE_TAKING;
	tap_begin(en, TRACE_PLACE);
	return 0;
}

void trace_stop(struct ns_engine *en)
{
	struct trace *t = en->trace;

	if (t == NULL || t->state == TRACE_OFF || t->state == TRACE_OVER)
		return;
	t->stopped = true;
	trace_look(en);
}

/* Whether all that were taken have come out, or with @p but_held all that can. */
static bool all_out(const struct trace *t, bool but_held)
{
	for (uint32_t i = 0; i < trace_taken(t); i++) {
		const struct trace_slot *s = &t->slots[t->order[i]];
		unsigned n = trace_steps(s);

		if (trace_is_last(s, n))
			continue;
		if (!but_held || n == 0 || s->steps[n - 1].result != TRACE_HELD)
			return false;
	}
	return true;
}

static void look(struct ns_engine *en, struct trace *t, uint64_t now)
{
	bool late = now >= t->limit_mono || t->stopped;

	if (t->state == TRACE_TAKING && (late || trace_taken(t) == t->wanted)) {
		tap_end(en, TRACE_PLACE);
		t->state = TRACE_LEAVING;
	}
	if (t->state == TRACE_LEAVING && tap_left(en, TRACE_PLACE)) {
		tap_off(en, TRACE_PLACE);
		tap_filters_destroy(&t->tap);
		free_untaken(t);
		t->state = TRACE_WAITING;
	}
	if (t->state == TRACE_WAITING &&
		(all_out(t, late) || t->stopped || now >= t->limit_mono + GRACE_NS))
		t->state = TRACE_OVER;
}

void trace_look(struct ns_engine *en)
{
	if (en->trace != NULL && en->trace->state != TRACE_OFF && en->trace->state != TRACE_OVER)
		look(en, en->trace, ns_clock_mono());
}

bool trace_is_over(const struct trace *t)
{
	return t->state == TRACE_OFF || t->state == TRACE_OVER ||
	       ns_clock_mono() >= t->limit_mono + GIVE_UP_NS;
}

void engine_trace_down(struct ns_engine *en)
{
	if (en->trace == NULL)
		return;
	tap_filters_destroy(&en->trace->tap);
	free(en->trace->slots);
	free(en->trace);
	en->trace = NULL;
}
