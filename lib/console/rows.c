/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of the last complete epoch, kept for people who ask. A writer like others, behind a
 * queue of its own, so that the engine needs to know nothing of it:
 *
 *   its thread   rows ─▶ next ──(a record "epoch")──▶ last     main thread: reads last, locked
 *
 * The lock is between these two threads alone; no lcore knows it.
 */
#include "console_priv.h"

#include <ns_registry.h>
#include <ns_state.h>
#include <ns_write.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TASKS 64
#define ROWS_MOST 65536 /* of a task in an epoch */
#define OCTETS_MOST (16u << 20)
#define ROOM_FIRST 64

struct rows {
	uint8_t *v;
	size_t n, room;
	size_t left_out;
};

struct kept {
	const struct ns_rec_kind *kind;
	struct rows next, last;
};

static struct {
	pthread_mutex_t lock;
	bool open; /* main thread */
	bool any; /* an epoch was complete */
	uint64_t epoch, start_ns, end_ns; /* that one */
	unsigned n;
	struct kept tasks[TASKS];
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct kept *kept_of(const struct ns_rec_kind *k)
{
	for (unsigned i = 0; i < store.n; i++) {
		if (store.tasks[i].kind == k)
			return &store.tasks[i];
	}
	if (store.n == TASKS)
		return NULL;
	store.tasks[store.n] = (struct kept){.kind = k};
	return &store.tasks[store.n++];
}

static bool has_room(struct rows *r, size_t size)
{
	size_t room = r->room == 0 ? ROOM_FIRST : 2 * r->room;

	if (r->n < r->room)
		return true;
	if (r->n >= ROWS_MOST || room * size > OCTETS_MOST)
		return false;
	uint8_t *v = realloc(r->v, room * size);

	if (v == NULL)
		return false;
	r->v = v;
	r->room = room;
	return true;
}

static void add(const struct ns_batch *b)
{
	struct kept *t = kept_of(b->kind);
	struct rows *r = t != NULL ? &t->next : NULL;

	if (r == NULL || b->n == 0)
		return;
	for (uint32_t i = 0; i < b->n; i++) {
		if (!has_room(r, b->kind->size)) {
			r->left_out += b->n - i;
			return;
		}
		memcpy(r->v + r->n * b->kind->size, b->records + i * b->kind->size, b->kind->size);
		r->n++;
	}
}

/*
 * An epoch is complete. Tasks without a row in it are forgotten: they may be those of a
 * configuration that holds no more.
 */
static void turn(const struct ns_epoch_rec *epoch)
{
	store.any = true;
	store.epoch = epoch->epoch;
	store.start_ns = epoch->start_ns;
	store.end_ns = epoch->end_ns;
	for (unsigned i = store.n; i-- > 0;) {
		struct kept *t = &store.tasks[i];
		struct rows old = t->last;

		t->last = t->next;
		t->next = (struct rows){.v = old.v, .room = old.room};
		if (t->last.n > 0)
			continue;
		free(t->last.v);
		free(t->next.v);
		*t = store.tasks[--store.n];
	}
}

static struct ns_writer *rows_open(const struct ns_writer_args *args, struct ns_err *e)
{
	(void)args;
	if (store.open) {
		ns_fail(e, EBUSY, "the console's rows are kept once");
		return NULL;
	}
	store.open = true;
	return (struct ns_writer *)&store;
}

static int rows_put(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	(void)w;
	(void)e;
	if (ns_state_kind(b->kind) && b->kind != &ns_epoch_rec_kind)
		return 0;
	pthread_mutex_lock(&store.lock);
	if (b->kind != &ns_epoch_rec_kind)
		add(b);
	else if (b->n > 0)
		turn((const struct ns_epoch_rec *)(const void *)b->records);
	pthread_mutex_unlock(&store.lock);
	return 0;
}

static int rows_flush(struct ns_writer *w, struct ns_err *e)
{
	(void)w;
	(void)e;
	return 0;
}

static int rows_close(struct ns_writer *w, struct ns_err *e)
{
	(void)w;
	(void)e;
	pthread_mutex_lock(&store.lock);
	for (unsigned i = 0; i < store.n; i++) {
		free(store.tasks[i].next.v);
		free(store.tasks[i].last.v);
		store.tasks[i] = (struct kept){0};
	}
	store.n = 0;
	store.open = store.any = false;
	pthread_mutex_unlock(&store.lock);
	return 0;
}

bool console_rows_get(const struct ns_rec_kind *task, struct console_rows *r)
{
	pthread_mutex_lock(&store.lock);
	*r = (struct console_rows){
		.epoch = store.epoch, .start_ns = store.start_ns, .end_ns = store.end_ns};
	for (unsigned i = 0; i < store.n; i++) {
		const struct rows *last = &store.tasks[i].last;

		if (store.tasks[i].kind != task)
			continue;
		r->rows = last->v;
		r->n = last->n;
		r->left_out = last->left_out;
	}
	if (!store.any)
		pthread_mutex_unlock(&store.lock);
	return store.any;
}

void console_rows_release(void)
{
	pthread_mutex_unlock(&store.lock);
}

static const struct ns_writer_ops ops = {
	.wants = NS_WRITER_STATE | NS_WRITER_EPOCHS | NS_WRITER_NO_FLOWS | NS_WRITER_INTERNAL,
	.open = rows_open,
	.put = rows_put,
	.flush = rows_flush,
	.close = rows_close,
};

static const struct ns_plugin console_rows = {
	.kind = NS_WRITER_KIND,
	.name = "console",
	.summary = "keeps the last epoch's rows for \"show task\"; the console's own",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(console_rows)
