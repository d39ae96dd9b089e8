/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Batches of records, from those that fill them to the sinks that empty them. */

#include "plan.h"

#include <ns_engine.h>

#include <rte_ring.h>

#include <pthread.h>

#define BATCH_RECORDS 64
#define ROW_ROOM ((size_t)4096) /* octets: what rows of tasks that come later may have */
#define BATCHES 64 /* that may wait for a sink, from one lcore */
#define LINE __attribute__((aligned(NS_CACHE_LINE)))

/*
 * A line has one writer. What is written while packets come begins a line in each of these, and all
 * of them fill their last one, so that the next in an array begins another.
 */
#define BEGINS_LINE(type, member)                                            \
	_Static_assert(offsetof(struct type, member) % NS_CACHE_LINE == 0 && \
			       sizeof(struct type) % NS_CACHE_LINE == 0,     \
		#type "." #member " shares a line")

struct chunk;
struct lcore;

/*
 * Record batches of one analysis lcore.
 *
 *   free ◀── (MP/SC) ── sinks that finish last; control, for the batches of a new place
 *     │
 *   fill ── to[0] (SP/SC) ─▶ sink 0
 *        └─ to[1] (SP/SC) ─▶ sink 1
 *
 * Live, at most BATCHES wait for a sink, and there are so many batches that one which hangs holds
 * nothing that another needs: what it can't take is lost for it alone, and counted. A place for a
 * sink, its ring and its share of batches, is made before lcores see the plan that has it, and
 * stays for whoever comes next.
 */
struct producer {
	/* read only from when lcores can see the place */
	struct rte_ring *free;
	struct rte_ring *to[SINKS_MAX];
	struct chunk *chunks; /* control's: batches with their memory */
	size_t record_max; /* octets of a record, at most */

	/* writer: the lcore; reader: control, relaxed */
	struct ns_batch *filling LINE;
	uint64_t records;
	uint64_t clock_filled; /* mono time of the first record in filling; live only */
	uint32_t stuck; /* sinks, by index, that were waited for in vain; the lcore's own */
	uint64_t given[SINKS_MAX]; /* records that were handed to the place */
	uint64_t lost[SINKS_MAX]; /* records that its sink had no room for */
	bool done; /* atomic: set by the lcore when it hands over nothing more */
} LINE;

/*
 * One sink: a writer plug-in, or the program's own consumer, on a thread. A place in the table:
 *
 *   free ── opened ─▶ open ── the plan that had it is left ─▶ leaving ── closed, joined ─▶ free
 *
 * Who leaves has all that it will get when `over` is set. Its thread writes that and closes the
 * writer, which control does not touch any more.
 */
struct sink {
	/* control's, read by the thread */
	struct ns_engine *en;
	unsigned index;
	enum { SINK_FREE, SINK_OPEN, SINK_LEAVING } use;
	pthread_t thread;
	bool started;
	bool configured; /* of engine.writers */
	bool told; /* it has ended, and that was accounted for */
	bool over; /* atomic, once; writer: control */
	const char *spec;
	const struct ns_conf *conf; /* that it was opened with */
	char name[NS_STATE_NAME]; /* "csv", and "csv#2" for the second of them */
	const struct ns_writer_ops *ops;
	struct ns_writer *writer; /* NULL: closed */
	const struct ns_sink_ops *own;
	uint64_t given_before, lost_before; /* by producers, to those that had the place */
	/* writer: the sink's thread; readers: control, relaxed (err when failed says so) */
	bool failed LINE;
	uint64_t records; /* put */
	uint64_t lost;
	struct ns_err err;
	bool ended; /* atomic, once: left, and closed */
	uint64_t octets_then, lost_then; /* the writer's own numbers when it was closed */
} LINE;

/* What was told of sinks that are no more; control's. */
struct gone {
	unsigned n;
	uint64_t records, octets, lost;
	bool failed; /* one of them, and why */
	struct ns_err err;
};

BEGINS_LINE(producer, filling);
BEGINS_LINE(sink, failed);

/* sink.c */
int engine_sinks_up(struct ns_engine *en, struct ns_err *e);
void engine_sinks_down(struct ns_engine *en); /* drains, closes, joins */
/*
 * Opens sink @p i of those that there are to be, in a free place and with this configuration, and
 * starts its thread. Control.
 */
int engine_sink_open(struct ns_engine *en, const struct roster *r, unsigned i,
	const struct ns_conf *conf, struct ns_err *e);
/* One that got nothing yet: as if it had not been opened. */
void engine_sink_undo(struct ns_engine *en, unsigned place);
/* Nothing comes for these any more: they write what they have, close and go. */
void engine_sinks_leave(struct ns_engine *en, uint32_t sinks);
/* Those that have left make room; never waits for any. */
void engine_sinks_reap(struct ns_engine *en);
/* Records that producers handed to its place, and had no room for there, since it was opened. */
void engine_sink_sums(const struct sink *s, uint64_t *given, uint64_t *lost);
/* Octets that a record of control's may have. */
size_t engine_row_max(const struct ns_engine *en);

/* roster.c: the sinks of the start, and those that another configuration asks for. Control. */
int engine_roster_first(struct ns_engine *en, struct roster *r, struct ns_err *e);
int engine_roster_next(struct ns_engine *en, const struct ns_conf *conf, struct roster *r,
	bool *changed, struct ns_err *e);
/* Opens all that are new, or none. */
int engine_roster_open(
	struct ns_engine *en, const struct roster *r, const struct ns_conf *conf, struct ns_err *e);
/* Takes that back. */
void engine_roster_undo(struct ns_engine *en, const struct roster *r);

/* Batches in a ring to a sink, now; any thread. rte_ring_count() reads what others write plainly.
 */
static inline unsigned ring_fill(const struct rte_ring *r)
{
	uint32_t head = __atomic_load_n(&r->prod.tail, __ATOMIC_RELAXED);
	uint32_t n = (head - __atomic_load_n(&r->cons.tail, __ATOMIC_RELAXED)) & r->mask;

	return NS_MIN(n, r->capacity);
}

/* producer.c */
/* For worker @p w, or control; its records have at most @p size octets. */
int engine_producer_create(struct ns_engine *en, unsigned w, size_t size);
/* Room for a sink in this place, if there is none yet; control. 0 or -ENOMEM. */
int engine_producer_place(struct ns_engine *en, unsigned w, unsigned place);
void engine_producer_destroy(struct producer *p);
/* Hooks of the flow table; ctx is the lcore. */
void engine_flow_ended(void *ctx, const struct ns_flow_ended *flow);
/* Hands over a batch that is not full; on the producer's lcore. */
void engine_producer_flush(struct lcore *l);
/* Hands the producer's full batch to these sinks; false: none had room, it is empty again. */
bool engine_producer_give(struct ns_engine *en, struct producer *p, uint32_t sinks);
