/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sketches of tasks to the writers that asked for them: control serialises each once, behind the
 * rows of the same time, and hands it to all of them as one batch with octets of its own.
 *
 *   merged state ─ write ─▶ malloc()ed octets ─ a batch ─▶ sinks ─ the last frees them
 *
 * What is under way is bounded: live, a sketch that would be more than that is lost, counted for
 * each writer that wanted it; of a file the writers are waited for.
 */
#include "engine_priv.h"

#include <ns_log.h>
#include <ns_registry.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("engine");

#define BLOB_MOST ((size_t)32 << 20) /* octets of one */
#define BLOBS_MOST ((size_t)64 << 20) /* of all that are under way */

static bool names(const char *const *list, unsigned n, const char *task)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(list[i], "*") == 0 || strcmp(list[i], task) == 0)
			return true;
	}
	return false;
}

/* Those of the sinks that want the sketches of the task. */
static uint32_t wanting(const struct ns_engine *en, uint32_t sinks, const char *task)
{
	uint32_t to = 0;

	for (; sinks != 0; sinks &= sinks - 1) {
		unsigned s = (unsigned)__builtin_ctz(sinks), n = 0;
		const struct ns_writer_ops *ops = en->sinks[s].ops;

		if (ops == NULL || ops->sketches == NULL)
			continue;
		const char *const *list = ops->sketches(en->sinks[s].conf, &n);

		if (names(list, n, task))
			to |= 1u << s;
	}
	return to;
}

static int check_name(
	const struct ns_tasks *ts, const char *writer, const char *name, struct ns_err *e)
{
	if (strcmp(name, "*") == 0)
		return 0;
	for (unsigned i = 0; i < ns_tasks_n(ts); i++) {
		if (strcmp(ns_tasks_kind(ts, i)->name, name) != 0)
			continue;
		if (ns_tasks_sketched(ts, i))
			return 0;
		return ns_fail(e, EINVAL,
			"%s.sketches: task \"%s\" of type %s has none: its rows can be added",
			writer, name, ns_tasks_type(ts, i));
	}
	return ns_fail(e, EINVAL, "%s.sketches: there is no task \"%s\"", writer, name);
}

int engine_blobs_check(const struct ns_tasks *ts, const struct ns_conf *conf, struct ns_err *e)
{
	NS_PLUGIN_FOREACH (NS_WRITER_KIND, p) {
		const struct ns_writer_ops *ops = p->ops;
		unsigned n = 0;
		const char *const *list = ops->sketches != NULL ? ops->sketches(conf, &n) : NULL;

		for (unsigned i = 0; i < n; i++) {
			if (check_name(ts, p->name, list[i], e) < 0)
				return -errno;
		}
	}
	return 0;
}

void engine_blob_free(struct ns_engine *en, struct ns_batch *b)
{
	if (ns_likely(b->blob == NULL))
		return;
	__atomic_fetch_sub(&en->blobs.octets, b->blob_len, __ATOMIC_RELEASE);
	free(b->blob);
	b->blob = NULL;
	b->blob_len = 0;
}

static void lost(struct ns_engine *en, uint32_t sinks, const char *task, const char *why)
{
	if (!en->blobs.said)
		NS_LOG(WARNING, "sketches of %s are lost: %s; from here on it is only counted",
			task, why);
	en->blobs.said = true;
	for (; sinks != 0; sinks &= sinks - 1)
		ns_stat_add(&en->producers[en->workers].lost[__builtin_ctz(sinks)], 1);
}

/* Whether so many octets more may be under way; of a file, when they may. */
static bool room(const struct ns_engine *en, size_t octets)
{
	while (__atomic_load_n(&en->blobs.octets, __ATOMIC_ACQUIRE) + octets > BLOBS_MOST) {
		if (en->live)
			return false;
		sched_yield();
	}
	return true;
}

/* Why the set is not sent; NULL: it is on its way. */
static const char *send_set(struct ns_engine *en, uint32_t sinks, const struct ns_sketch_set *set)
{
	struct ns_blob_rec rec = {.start_ns = set->start_ns,
		.end_ns = set->end_ns,
		.epoch = set->epoch,
		.octets = ns_sketch_set_write_size(set)};

	if (rec.octets > BLOB_MOST || set->parts_n > NS_SKETCH_SET_PARTS_MAX)
		return "too large";
	if (!room(en, rec.octets))
		return "a writer does not keep up";
	uint8_t *blob = malloc(rec.octets);

	if (blob == NULL || ns_sketch_set_write(set, blob) != rec.octets) {
		free(blob);
		return "no memory";
	}
	snprintf(rec.task, sizeof(rec.task), "%s", set->task);
	snprintf(rec.type, sizeof(rec.type), "%s", set->type);
	__atomic_fetch_add(&en->blobs.octets, rec.octets, __ATOMIC_RELAXED);
	engine_rows_put_blob(en, sinks, &rec, blob, rec.octets);
	return NULL;
}

void engine_blobs(
	struct ns_engine *en, uint32_t sinks, const void *state, const struct ns_task_span *span)
{
	const struct ns_tasks *ts = en->plan->tasks;

	for (unsigned i = 0; i < ns_tasks_n(ts); i++) {
		const char *task = ns_tasks_kind(ts, i)->name;
		uint32_t to = ns_tasks_sketched(ts, i) ? wanting(en, sinks, task) : 0;

		if (to == 0)
			continue;
		struct ns_sketch_set *set = ns_tasks_sketches(ts, i, state, span);
		const char *why = set != NULL ? send_set(en, to, set) : "no memory";

		if (why != NULL)
			lost(en, to, task, why);
		ns_tasks_sketches_free(set);
	}
}
