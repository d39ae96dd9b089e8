/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A writer before another one:
 *
 *	engine's thread ── put ─▶ spool on disk ── delivery thread ─▶ put, flush of the other one
 *	                                                 │
 *	                              flushed: committed │ -EAGAIN: rewound, again after a while
 */

#include <ns_spool_batch.h>
#include <ns_write.h>

#include <pthread.h>

struct spool_conf {
	char *directory;
	char *max;
	char *segment;
	char *linger;
	int sync; /* enum ns_spool_sync */
};
extern const struct spool_conf spool_conf_defaults;

struct ns_writer {
	/* read only after open */
	struct ns_writer_args args; /* of the other writer, whose spec is the target */
	char name[40]; /* of the other writer */
	char *path;
	uint64_t max; /* octets */
	uint64_t linger_ns;
	struct ns_spool *sp;
	struct ns_spool_encoder *encoder; /* the engine's thread's */
	struct ns_spool_decoder *decoder; /* the delivery thread's */
	pthread_t thread;
	bool stop; /* atomic, once; writer: close; reader: the delivery thread */
	struct ns_writer *next; /* main thread: of those that are open */

	/* writer: the engine's thread; readers: any */
	uint64_t n_no_layout __attribute__((aligned(NS_CACHE_LINE)));

	/* the delivery thread's; main's before it begins and after it has ended */
	const struct ns_writer_ops *ops __attribute__((aligned(NS_CACHE_LINE)));
	struct ns_writer *inner; /* NULL: could not be opened yet */
	uint64_t given; /* records that were put since the last flush */
	uint64_t given_ns; /* when the first of them was */
	uint64_t moved_ns; /* when the other writer last took something for good */
	uint64_t wait_ns; /* until it is tried again */
	uint64_t idle_ns;
	bool drained; /* nothing is left */
	bool failed; /* atomic: for good; readers: any */
	struct ns_err err;
	struct ns_writer_stats stats;
};

/* Runs until told to stop and nothing is left, or time is up. */
void *spool_deliver(void *arg);

/* Opens the other writer: 0, -EAGAIN when it may work later, or -errno. */
int spool_inner_open(struct ns_writer *w, struct ns_err *e);

/* Records lost for any reason; any thread. */
uint64_t spool_lost(const struct ns_writer *w);

/* show.c: main thread. */
void spool_shown(struct ns_writer *w);
void spool_hidden(struct ns_writer *w);
