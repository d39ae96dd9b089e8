/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer "redis". Two epochs at most are kept: the one that is being sent, and the newest of
 * those behind it. One that a newer one overtakes is of no use to a state, and counted as lost.
 */
#include "redis_priv.h"

#include <ns_conf.h>
#include <ns_log.h>
#include <ns_node.h>
#include <ns_registry.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CLOSE_MOST_NS NS_SEC_NS /* for the last epoch */

struct epoch {
	struct redis_buf buf;
	uint64_t records;
	bool full;
};

struct ns_writer {
	const struct redis_conf *conf;
	struct redis_target target;
	struct redis_state state;
	struct redis_link link;
	struct ns_writer_stats stats;
	struct epoch next, sending;
	char name[]; /* "redis:" and the target */
};

static int open_parts(struct ns_writer *w, const struct ns_writer_args *args, struct ns_err *e)
{
	const struct redis_conf *c = args->conf != NULL ? ns_conf_get(args->conf, "redis") : NULL;

	w->conf = c != NULL ? c : &redis_conf_defaults;
	if (redis_target_parse(args->target, &w->target, e) < 0)
		return -errno;
	if (!args->live)
		return ns_fail(e, EINVAL,
			"redis: holds the present state of a live engine; of captures write csv, "
			"json or sqlite");
	if (ns_node()->name[0] == '\0')
		return ns_fail(e, EINVAL, "redis: this node has no name");
	if (redis_target_resolve(&w->target, e) < 0)
		return -errno;
	if (redis_state_init(&w->state, w->conf, args->epoch_ms, &w->stats) < 0)
		return ns_fail(e, ENOMEM, "redis: no memory");
	redis_link_init(&w->link, w->conf, &w->target, w->name, &w->stats);
	return 0;
}

static struct ns_writer *redis_open(const struct ns_writer_args *args, struct ns_err *e)
{
	struct ns_writer *w = calloc(1, sizeof(*w) + strlen(args->target) + 8);

	if (w == NULL) {
		ns_fail(e, ENOMEM, "redis: no memory");
		return NULL;
	}
	sprintf(w->name, "redis:%s", args->target);
	if (open_parts(w, args, e) < 0) {
		int err = errno;

		free(w);
		return ns_errno_null(err);
	}
	return w;
}

static void lose(struct ns_writer *w, struct epoch *ep)
{
	if (ep->full)
		ns_stat_add(&w->stats.lost, ep->records);
	ep->full = false;
}

static void swap_epochs(struct epoch *a, struct epoch *b)
{
	struct epoch t = *a;

	*a = *b;
	*b = t;
}

static void step(struct ns_writer *w)
{
	enum redis_link_event event = redis_link_step(&w->link);

	if (event == REDIS_WRITTEN)
		w->sending.full = false;
	if (event == REDIS_BROKEN) {
		/* it may be there or not; writing it twice is the same as once */
		if (w->next.full)
			lose(w, &w->sending);
		else
			swap_epochs(&w->next, &w->sending);
	}
	if (w->link.state == REDIS_READY && w->next.full) {
		swap_epochs(&w->next, &w->sending);
		redis_link_send(&w->link, &w->sending.buf);
	}
}

static void redis_idle(struct ns_writer *w)
{
	step(w);
}

/* Takes the epoch that is complete; the buffers go round. */
static void take(struct ns_writer *w)
{
	struct redis_buf free_one = w->next.buf;

	lose(w, &w->next);
	w->next = (struct epoch){w->state.buf, w->state.records, true};
	w->state.buf = free_one;
	redis_state_next(&w->state);
}

static int redis_put(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	(void)e;
	bool complete = redis_state_put(&w->state, b);

	if (w->state.lost > 0) {
		ns_stat_add(&w->stats.lost, w->state.lost);
		w->state.lost = 0;
	}
	if (!complete)
		return 0;
	take(w);
	step(w);
	/* once more, so that what became ready is sent without waiting for idle() */
	step(w);
	return 0;
}

/* Epochs become visible as a whole or not at all: there is nothing to hurry. */
static int redis_flush(struct ns_writer *w, struct ns_err *e)
{
	(void)e;
	step(w);
	return 0;
}

static const struct ns_writer_stats *redis_stats(const struct ns_writer *w)
{
	return &w->stats;
}

static bool unsent(const struct ns_writer *w)
{
	return w->sending.full || w->next.full;
}

static int redis_close(struct ns_writer *w, struct ns_err *e)
{
	static const struct timespec nap = {.tv_nsec = 1000000};
	uint64_t until = ns_clock_mono() + CLOSE_MOST_NS;

	(void)e;
	while (unsent(w) && w->stats.down == 0 && ns_clock_mono() < until) {
		step(w);
		if (unsent(w))
			nanosleep(&nap, NULL);
	}
	redis_link_fini(&w->link);
	redis_state_fini(&w->state);
	redis_free(&w->next.buf);
	redis_free(&w->sending.buf);
	free(w);
	return 0;
}

static int redis_check(const char *target, struct ns_err *e)
{
	struct redis_target t;

	return redis_target_parse(target, &t, e);
}

static const struct ns_writer_ops redis_ops = {.wants = NS_WRITER_STATE | NS_WRITER_EPOCHS,
	.section = "redis",
	.open = redis_open,
	.put = redis_put,
	.idle = redis_idle,
	.stats = redis_stats,
	.flush = redis_flush,
	.close = redis_close,
	.check = redis_check};

static const struct ns_plugin redis = {.kind = NS_WRITER_KIND,
	.name = "redis",
	.summary = "the live state of this node in Redis: unix:/PATH, HOST:PORT or [ADDRESS]:PORT",
	.abi = NS_PLUGIN_ABI,
	.ops = &redis_ops};

NS_PLUGIN_REGISTER(redis)
