/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a list of tasks to feeds: what several tasks want of the same packets is made once.
 *
 * A task that gains nothing from the same keys twice, and whose keys are the same in all packets of
 * one direction of a flow, needs the first packet of each direction only: the same result for a
 * fraction of the work. Not with a filter, for which not all packets of a flow are alike.
 */
#include "task_priv.h"

#include <stdlib.h>
#include <string.h>

/* What a task needs of a feed; the columns are the feed's. */
static struct task_feed wanted(const struct ns_task_build *b, const struct task_when *when)
{
	struct task_feed f = {.of = (enum ns_task_of)b->conf->of, .when = when};
	const char *name;

	if (f.of != NS_TASK_OF_PACKETS)
		return f;
	f.any = b->any;
	f.once = b->idempotent && when == NULL && !b->any && b->values_n == 0;
	for (unsigned i = 0; i < b->keys_n; i++)
		f.once = f.once && task_key_has(b->keys[i], TASK_FIELD_SAME, &name);
	return f;
}

/* Room for one more pointer at the end of an array of n; -ENOMEM. */
static int grow(void *array, unsigned n)
{
	void **at = array, *more;

	if ((n & (n - 1)) != 0 && n > 0)
		return 0; /* room for the next power of two is there */
	more = realloc(*at, (n == 0 ? 1 : 2 * (size_t)n) * sizeof(void *));
	if (more == NULL)
		return ns_errno_set(ENOMEM);
	*at = more;
	return 0;
}

static struct task_feed *feed_for(struct ns_tasks *ts, const struct task_feed *w)
{
	for (unsigned i = 0; i < ts->feeds_n; i++) {
		struct task_feed *f = &ts->feeds[i];

		if (f->of == w->of && f->once == w->once && f->any == w->any && f->when == w->when)
			return f;
	}
	ts->feeds[ts->feeds_n] = *w;
	ts->any = ts->any || w->any;
	return &ts->feeds[ts->feeds_n++];
}

static int add_key(struct task_feed *f, const struct task_key *k, unsigned *at)
{
	for (*at = 0; *at < f->keys_n; ++*at) {
		if (task_key_same(f->keys[*at], k))
			return 0;
	}
	if (grow(&f->keys, f->keys_n) < 0)
		return -errno;
	f->keys[f->keys_n++] = k;
	return 0;
}

static int add_value(struct task_feed *f, const struct task_value *v, unsigned *at)
{
	for (*at = 0; *at < f->values_n; ++*at) {
		if (strcmp(f->values[*at]->field.name, v->field.name) == 0)
			return 0;
	}
	if (grow(&f->values, f->values_n) < 0)
		return -errno;
	f->values[f->values_n++] = v;
	return 0;
}

static int join_feed(struct ns_tasks *ts, struct ns_task_build *b, const struct task_when *when)
{
	struct task_feed w = wanted(b, when), *f = feed_for(ts, &w);

	b->feed = (unsigned)(f - ts->feeds);
	for (unsigned i = 0; i < b->keys_n; i++) {
		if (add_key(f, b->keys[i], &b->key_at[i]) < 0)
			return -errno;
	}
	for (unsigned i = 0; i < b->values_n; i++) {
		if (add_value(f, &b->values[i], &b->value_at[i]) < 0)
			return -errno;
	}
	if (grow(&f->tasks, f->tasks_n) < 0)
		return -errno;
	f->tasks[f->tasks_n++] = b;
	return 0;
}

/* The filter with that text; NULL with errno and a message. */
static const struct task_when *when_for(struct ns_tasks *ts, const char *text, struct ns_err *e)
{
	for (unsigned i = 0; i < ts->whens_n; i++) {
		if (strcmp(ts->whens[i]->text, text) == 0)
			return ts->whens[i];
	}
	struct task_when *w = task_when_create(text, e);

	if (w != NULL)
		ts->whens[ts->whens_n++] = w;
	return w;
}

static int add_task(struct ns_tasks *ts, const struct ns_conf_item *item,
	const struct ns_tasks_args *args, struct ns_err *e)
{
	const struct task_when *when = NULL;
	struct ns_task_build *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return ns_fail(e, ENOMEM, "tasks: no memory");
	ts->tasks[ts->tasks_n++] = b;
	if (task_build(b, item, args, e) < 0)
		return -errno;
	if (b->conf->when != NULL && b->conf->when[0] != '\0') {
		when = when_for(ts, b->conf->when, e);
		if (when == NULL)
			return -errno;
	}
	if (join_feed(ts, b, when) < 0)
		return ns_fail(e, ENOMEM, "tasks: no memory");
	b->state_at = ts->state_size;
	ts->state_size += task_align(b->state_size, NS_CACHE_LINE);
	return 0;
}

struct ns_tasks *task_plan(const struct ns_conf_item *items, size_t n,
	const struct ns_tasks_args *args, struct ns_err *e)
{
	struct ns_tasks *ts = calloc(1, sizeof(*ts));

	if (ts != NULL) {
		ts->tasks = calloc(n + 1, sizeof(ts->tasks[0]));
		ts->feeds = calloc(n + 1, sizeof(ts->feeds[0]));
		ts->whens = calloc(n + 1, sizeof(ts->whens[0]));
	}
	if (ts == NULL || ts->tasks == NULL || ts->feeds == NULL || ts->whens == NULL) {
		ns_tasks_destroy(ts);
		ns_fail(e, ENOMEM, "tasks: no memory");
		return NULL;
	}
	ts->seed = args->seed;
	for (size_t i = 0; i < n; i++) {
		if (add_task(ts, &items[i], args, e) < 0) {
			int err = errno;

			ns_tasks_destroy(ts);
			errno = err;
			return NULL;
		}
	}
	for (unsigned i = 0; i < ts->feeds_n; i++) {
		struct task_feed *f = &ts->feeds[i];

		if (f->of == NS_TASK_OF_PACKETS)
			f->ends = task_packet_ends(f->keys, f->keys_n);
	}
	return ts;
}

struct ns_tasks *ns_tasks_create(const struct ns_tasks_args *args, struct ns_err *e)
{
	size_t n;
	const struct ns_conf_item *items = ns_conf_items(args->conf, "tasks", &n);

	return task_plan(items, n, args, e);
}

void ns_tasks_destroy(struct ns_tasks *ts)
{
	if (ts == NULL)
		return;
	for (unsigned i = 0; i < ts->tasks_n; i++) {
		task_build_fini(ts->tasks[i]);
		free(ts->tasks[i]);
	}
	for (unsigned i = 0; i < ts->feeds_n; i++) {
		free(ts->feeds[i].keys);
		free(ts->feeds[i].values);
		free(ts->feeds[i].tasks);
	}
	for (unsigned i = 0; i < ts->whens_n; i++)
		task_when_destroy(ts->whens[i]);
	free(ts->tasks);
	free(ts->feeds);
	free(ts->whens);
	free(ts);
}

unsigned ns_tasks_n(const struct ns_tasks *ts)
{
	return ts->tasks_n;
}

const struct ns_rec_kind *ns_tasks_kind(const struct ns_tasks *ts, unsigned i)
{
	return i < ts->tasks_n ? ts->tasks[i]->shown : NULL;
}

static bool same_columns(const struct ns_rec_kind *a, const struct ns_rec_kind *b)
{
	if (a->fields_n != b->fields_n || a->size != b->size)
		return false;
	for (unsigned i = 0; i < a->fields_n; i++) {
		const struct ns_rec_field *x = &a->fields[i], *y = &b->fields[i];

		if (strcmp(x->name, y->name) != 0 || x->type != y->type || x->offset != y->offset ||
			x->size != y->size || x->flags != y->flags)
			return false;
	}
	return true;
}

int ns_tasks_adopt(struct ns_tasks *ts, const struct ns_tasks *old, struct ns_err *e)
{
	for (unsigned i = 0; i < ts->tasks_n; i++) {
		for (unsigned k = 0; k < old->tasks_n; k++) {
			const struct ns_rec_kind *was = old->tasks[k]->shown;

			if (strcmp(ts->tasks[i]->kind.name, was->name) != 0)
				continue;
			if (!same_columns(&ts->tasks[i]->kind, was))
				return ns_fail(e, EEXIST,
					"task \"%s\" would have other columns than before, and writers "
					"know it by its name: give it another one",
					was->name);
			ts->tasks[i]->shown = was;
		}
	}
	return 0;
}

static bool has_feed(const struct ns_tasks *ts, enum ns_task_of of)
{
	for (unsigned i = 0; i < ts->feeds_n; i++) {
		if (ts->feeds[i].of == of)
			return true;
	}
	return false;
}

bool ns_tasks_of_packets(const struct ns_tasks *ts)
{
	return has_feed(ts, NS_TASK_OF_PACKETS);
}

bool ns_tasks_of_flows(const struct ns_tasks *ts)
{
	return has_feed(ts, NS_TASK_OF_FLOWS);
}
