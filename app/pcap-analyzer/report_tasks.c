/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Idea: the rows of tasks as they came, by kind, for both reports to read at the end.
 *
 *   report.tasks ─▶ task "top_sources" ─▶ task "spread" ─▶ NULL        in order of arrival
 *                   rows [ interval 1 ....... | interval 2 ... ]
 *
 * Bounded: of a kind that has more rows than there is room for, those of the last interval are what
 * a reader wants, and of one interval the first ones, which have the best ranks. So the oldest
 * interval makes room for a new one, and a single one is cut at its end. What is left out is
 * counted.
 */
#include "report_priv.h"

#include <stdlib.h>
#include <string.h>

/* Fields that tell the intervals of one task apart, the best first. */
static const char *const interval_fields[] = {"epoch", "start_ns", "end_ns"};

const struct ns_rec_field *report_field(const struct ns_rec_kind *k, const char *name)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		if (strcmp(k->fields[i].name, name) == 0)
			return &k->fields[i];
	}
	return NULL;
}

bool report_is_interval(const struct ns_rec_field *f)
{
	for (unsigned i = 0; i < NS_ARRAY_LEN(interval_fields); i++) {
		if (strcmp(f->name, interval_fields[i]) == 0)
			return true;
	}
	return false;
}

static uint64_t interval_of(const struct report_task *t, const uint8_t *row)
{
	uint64_t v = 0;

	if (t->when != NULL)
		ns_rec_get_u64(t->when, row, &v);
	return v;
}

const uint8_t *report_task_row(const struct report_task *t, uint32_t i)
{
	return t->rows + (size_t)i * t->kind->size;
}

uint32_t report_task_last(const struct report_task *t)
{
	uint32_t i = t->n;
	uint64_t last = i > 0 ? interval_of(t, report_task_row(t, i - 1)) : 0;

	while (i > 0 && interval_of(t, report_task_row(t, i - 1)) == last)
		i--;
	return i;
}

static struct report_task *task_of(struct report *r, const struct ns_rec_kind *kind)
{
	struct report_task **at = &r->tasks;

	while (*at != NULL && (*at)->kind != kind)
		at = &(*at)->next;
	if (*at != NULL)
		return *at;
	struct report_task *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->kind = kind;
	for (unsigned i = 0; i < NS_ARRAY_LEN(interval_fields) && t->when == NULL; i++)
		t->when = report_field(kind, interval_fields[i]);
	*at = t;
	return t;
}

/* The rows of the oldest interval make room, unless it is the one that is coming in. */
static void drop_oldest(struct report_task *t)
{
	uint64_t oldest = interval_of(t, t->rows);
	uint32_t n = 0;

	if (oldest == t->interval)
		return;
	while (n < t->n && interval_of(t, report_task_row(t, n)) == oldest)
		n++;
	t->n -= n;
	t->left_out += n;
	memmove(t->rows, report_task_row(t, n), (size_t)t->n * t->kind->size);
}

static int add_row(struct report_task *t, const uint8_t *row, uint32_t max)
{
	uint64_t interval = interval_of(t, row);

	if (t->intervals == 0 || interval != t->interval)
		t->intervals++;
	t->interval = interval;
	if (t->n == max && max > 0)
		drop_oldest(t);
	if (t->n == max) {
		t->left_out++;
		return 0;
	}
	if (t->n == t->room) {
		uint32_t room = NS_MIN(t->room == 0 ? 64 : t->room * 2, max);
		uint8_t *bigger = realloc(t->rows, (size_t)room * t->kind->size);

		if (bigger == NULL)
			return ns_errno_set(ENOMEM);
		t->rows = bigger;
		t->room = room;
	}
	memcpy(t->rows + (size_t)t->n++ * t->kind->size, row, t->kind->size);
	return 0;
}

void report_tasks_put(struct report *r, const struct ns_batch *b)
{
	struct report_task *t = NULL;

	if (b->n == 0 || r->err != 0)
		return;
	t = task_of(r, b->kind);
	if (t == NULL)
		r->err = -ENOMEM;
	for (uint32_t i = 0; i < b->n && r->err == 0; i++)
		r->err = add_row(t, b->records + (size_t)i * b->kind->size, r->task_rows);
}

void report_tasks_fini(struct report *r)
{
	while (r->tasks != NULL) {
		struct report_task *t = r->tasks;

		r->tasks = t->next;
		free(t->rows);
		free(t);
	}
}

static bool is_listed(const struct report_input *in, const struct ns_rec_kind *kind)
{
	for (unsigned i = 0; i < in->kinds_n; i++) {
		if (in->kinds[i] == kind)
			return true;
	}
	return false;
}

void report_tasks_each(const struct report *r, const struct report_input *in,
	void (*fn)(void *ctx, const struct ns_rec_kind *kind, const struct report_task *t),
	void *ctx)
{
	for (unsigned i = 0; i < in->kinds_n; i++) {
		const struct report_task *t = r->tasks;

		while (t != NULL && t->kind != in->kinds[i])
			t = t->next;
		if (in->kinds[i] != &ns_flow_rec_kind)
			fn(ctx, in->kinds[i], t);
	}
	for (const struct report_task *t = r->tasks; t != NULL; t = t->next) {
		if (!is_listed(in, t->kind))
			fn(ctx, t->kind, t);
	}
}
