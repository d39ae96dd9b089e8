/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Ways out. A writer gets batches of records of any kind and puts them somewhere. It runs on its
 * own ordinary thread behind bounded rings, so it may block, allocate and make system calls.
 *
 * Batches go round: a producer (analysis lcore or control) takes an empty one from its pool, fills
 * it, and hands it to every writer; the writer that finishes last gives it back.
 */

#include <ns_conf.h>
#include <ns_rec.h>

/** Records of one kind, one behind the other; kind->size octets each. */
struct ns_batch {
	const struct ns_rec_kind *kind;
	uint32_t n;
	uint32_t max;
	uint32_t refs; /**< writers that have not finished; atomic, writers and producer */
	uint16_t owner; /**< pool to return to */
	uint8_t *records;
	/**
	 * From a spool: the number of the first record, the others follow; each greater than those
	 * of the batch before, and the same whenever the batch comes again. 0: not numbered.
	 */
	uint64_t seq;
	const char *source; /**< whose numbers these are; unique in the world; NULL with seq 0 */
	/** Of kind ns_blob_rec_kind alone: the octets that its one record is about. Else NULL. */
	uint8_t *blob;
	size_t blob_len;
};

struct ns_writer;

struct ns_writer_args {
	const char *target; /**< what stands after "NAME[@INTERVAL]:" in -w; borrowed until close */
	bool live; /**< packets come at their own time: losing is better than waiting */
	uint32_t epoch_ms; /**< live: milliseconds between epochs */
	const struct ns_conf *conf; /**< borrowed until close */
};

/** Numbers of a writer; written by its thread, read relaxed by any. */
struct ns_writer_stats {
	uint64_t octets; /**< written to where it writes; 0: not counted */
	uint64_t lost; /**< records that put() took and could not write */
	uint64_t reconnects;
	uint32_t down; /**< 1: no connection; it tries again */
	char message[128]; /**< why; changed only while down is 0, before it becomes 1 */
};

enum {
	/** Wants the records of ns_state.h, each epoch (live only). */
	NS_WRITER_STATE = 1u << 0,
	/** Wants rows of tasks each epoch when -w gives no interval (live; a file: the whole). */
	NS_WRITER_EPOCHS = 1u << 1,
	/** Wants no flow records: they are not made for it, nor handed to it. */
	NS_WRITER_NO_FLOWS = 1u << 2,
	/** Stands before another writer, as "spool+csv:FILE": its target is "csv:FILE". */
	NS_WRITER_WRAPS = 1u << 3,
	/** The program's own: not among the writers that it shows to people. */
	NS_WRITER_INTERNAL = 1u << 4,
	/**
	 * Its target is a file, or may be, that opening cuts: never opened while another writer
	 * has it. Others must say themselves when a target can't be opened twice.
	 */
	NS_WRITER_CUTS = 1u << 5,
};

struct ns_writer_ops {
	uint32_t wants; /**< NS_WRITER_STATE ... */
	/** The section of the configuration that it goes by, whole; NULL: none. */
	const char *section;

	/** Opens the target; NULL with errno and a message that names it. */
	struct ns_writer *(*open)(const struct ns_writer_args *args, struct ns_err *e);

	/**
	 * Writes all records of the batch; 0 or -errno with a message. Borrows the batch.
	 *
	 * -EAGAIN, only for batches with a seq, from put() and flush(): not now. Nothing is lost:
	 * all batches since the last flush() that returned 0 come again, in order, with the same
	 * seq, until they are taken. Who forgets nothing of them when that happens, or had written
	 * some before a crash, knows them by source and seq. Any other error is for good.
	 */
	int (*put)(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e);

	/**
	 * Called on its thread about each 10 ms, busy or not, for what does not come from batches:
	 * time-outs, new subscribers. Must return soon. NULL: nothing.
	 */
	void (*idle)(struct ns_writer *w);

	/** Its numbers, borrowed, valid from open to close. NULL: it keeps none. Any thread. */
	const struct ns_writer_stats *(*stats)(const struct ns_writer *w);

	/** Makes what was put so far visible to readers of the target; also called when idle. */
	int (*flush)(struct ns_writer *w, struct ns_err *e);

	/** Flushes, closes and frees, even when it returns an error. */
	int (*close)(struct ns_writer *w, struct ns_err *e);

	/**
	 * Whether @p target could be opened, as far as that can be seen without touching it: its
	 * form, and of a file that its folder is there and may be written. 0 or -errno with a
	 * message that names it. NULL: anything is fine until open.
	 */
	int (*check)(const char *target, struct ns_err *e);

	/**
	 * The names of the tasks whose sketches it wants beside their rows (ns_blob.h), by this
	 * configuration; "*": of all that have some. *n of them, 0: none. NULL: it does not know
	 * batches of that kind and never gets one. Main thread.
	 */
	const char *const *(*sketches)(const struct ns_conf *conf, unsigned *n);
};

#define NS_WRITER_KIND "writer"

/**
 * Opens the writer that @p spec names, with all of @p args but its target ("csv:FILE",
 * "csv@5m:FILE"); the message lists the known ones. The interval is checked and means nothing to
 * the writer: it takes the batches it gets.
 */
struct ns_writer *ns_writer_open(const char *spec, const struct ns_writer_args *args,
	const struct ns_writer_ops **ops, struct ns_err *e);

/**
 * What ns_writer_open() would refuse of @p spec without opening it: an unknown writer, a wrong
 * interval, no target or one that its check() refuses. 0, or -errno with the same message.
 */
int ns_writer_check(const char *spec, struct ns_err *e);
/** The same of @p n of them: the first that is wrong. */
int ns_writers_check(const char *const *specs, unsigned n, struct ns_err *e);

/** The operations of the writer that @p spec names, or NULL. Any thread. */
const struct ns_writer_ops *ns_writer_ops_of(const char *spec);

/** The spec behind one that stands before another: "csv:FILE" of "spool+csv:FILE"; or NULL. */
const char *ns_writer_behind(const char *spec);

/** Whether two specs name the same writers and target; intervals may be others. */
bool ns_writer_same(const char *a, const char *b);

/**
 * How often the writer of @p spec gets task results, in ns: the INTERVAL of "NAME@INTERVAL:TARGET"
 * as ns_conf_duration() reads it ("10", "10s", "5m", "1h", "500ms"), more than 0; UINT64_MAX when
 * none is given. 0, or -EINVAL with a message that says what is allowed. Does not look whether
 * there is such a writer. Any thread.
 */
int ns_writer_interval(const char *spec, uint64_t *interval_ns, struct ns_err *e);
