/* SPDX-License-Identifier: BSD-3-Clause */
/* The sketches in a task's state, for those who hand them on or say how full they are. */
#include "task_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The set is what others see of it. */
struct ns_task_sketches {
	struct ns_sketch_set set;
	uint32_t room;
	int rc;
};

static struct ns_sketch_part *next_part(struct ns_task_sketches *o)
{
	struct ns_sketch_set *s = &o->set;

	if (s->parts_n == o->room) {
		uint32_t room = o->room > 0 ? 2 * o->room : 4;
		struct ns_sketch_part *more = realloc(s->parts, room * sizeof(*more));

		if (more == NULL)
			return NULL;
		s->parts = more;
		o->room = room;
	}
	return &s->parts[s->parts_n];
}

void ns_task_sketch(struct ns_task_sketches *o, enum ns_sketch_type type, const void *sketch,
	const void *label, size_t len)
{
	struct ns_sketch_part *p = next_part(o);
	uint8_t *copy = len > 0 && p != NULL ? malloc(len) : NULL;

	if (p == NULL || (len > 0 && copy == NULL)) {
		o->rc = -ENOMEM;
		return;
	}
	if (copy != NULL)
		memcpy(copy, label, len);
	*p = (struct ns_sketch_part){.label = copy,
		.label_len = (uint32_t)len,
		.sketch = {.type = (uint8_t)type, .self = (void *)(uintptr_t)sketch}};
	o->set.parts_n++;
}

bool ns_tasks_sketched(const struct ns_tasks *ts, unsigned i)
{
	return ts->tasks[i]->ops->sketches != NULL;
}

const char *ns_tasks_type(const struct ns_tasks *ts, unsigned i)
{
	return ts->tasks[i]->conf->type;
}

/* What is counted, so that other nodes' sketches can be compared: "different src_ip, of packets".
 */
static char *what(const struct ns_task_build *b)
{
	const char *when = b->conf->when;
	char *text;
	int n = asprintf(&text, "%.2000s, of %s%s%.4096s", b->kind.help,
		ns_task_of_words[b->conf->of].str, when != NULL ? ", when " : "",
		when != NULL ? when : "");

	return n >= 0 ? text : NULL;
}

struct ns_sketch_set *ns_tasks_sketches(
	const struct ns_tasks *ts, unsigned i, const void *state, const struct ns_task_span *span)
{
	const struct ns_task_build *b = ts->tasks[i];
	struct ns_task_sketches *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return ns_errno_null(ENOMEM);
	o->set = (struct ns_sketch_set){.task = b->conf->name,
		.type = b->conf->type,
		.what = what(b),
		.seed = b->seed,
		.start_ns = span->start_ns,
		.end_ns = span->end_ns,
		.epoch = span->epoch};
	if (o->set.what == NULL)
		o->rc = -ENOMEM;
	else if (b->ops->sketches != NULL)
		b->ops->sketches(b->self, (const uint8_t *)state + b->state_at, o);
	if (o->rc == 0)
		o->rc = ns_sketch_set_sort(&o->set);
	if (o->rc < 0) {
		int err = -o->rc;

		ns_tasks_sketches_free(&o->set);
		return ns_errno_null(err);
	}
	return &o->set;
}

void ns_tasks_sketches_free(struct ns_sketch_set *s)
{
	/* the set is the first member: this is what ns_tasks_sketches() has made */
	struct ns_task_sketches *o = (struct ns_task_sketches *)(void *)s;

	if (o == NULL)
		return;
	for (uint32_t i = 0; i < s->parts_n; i++)
		free((void *)(uintptr_t)s->parts[i].label);
	free(s->parts);
	free((void *)(uintptr_t)s->what);
	free(o);
}
