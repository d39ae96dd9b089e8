/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Captures: packets that match a filter, from the lcores that read into a pcapng file.
 *
 *	lcores ── rings (tap.h) ──▶ merge by time, comments ──▶ lib/pcapng ──▶ file
 *	                                   the capture's thread
 *
 * Control starts captures and asks them to end; all between is the capture's thread, which ends by
 * itself when a limit is reached or the file can't be written. Afterwards
 *
 *	matched = packets in the file + missed (no room in a ring) + lost (the file failed)
 *	          + beyond (matched after a limit was reached)
 */

#include "tap_merge.h"

#include <limits.h>

#define CAPTURES 4 /* the first places of the word of taps */
#define CAPTURE_SNAPLEN 65535u

/* What is asked for; 0 and NULL: no limit, no filter, the default. */
struct capture_args {
	const char *path;
	const char *filter;
	uint32_t snaplen;
	uint64_t seconds, packets, octets;
	uint64_t buffer; /* octets of the ring of each lcore; a power of two will do */
	bool force;
};

enum capture_status {
	CAPTURE_RUNNING,
	CAPTURE_ENDING, /* was asked to end, or a limit is reached: the rings are emptied */
	CAPTURE_STOPPED, /* ended as asked for */
	CAPTURE_DONE, /* by a limit */
	CAPTURE_FAILED, /* message says why */
};

struct capture_file; /* capture_file.c */

struct capture {
	struct tap tap;
	struct ns_engine *en;
	unsigned place; /* in the word of taps */
	unsigned rings;
	uint32_t id; /* from 1; 0: never used */
	bool threaded; /* the thread is to be joined */
	pthread_t thread;
	char path[PATH_MAX];
	char *filter;
	uint64_t seconds, packets_max, octets_max;
	uint64_t start_ns, start_mono;
	struct capture_file *file;

	/* writer: control; reader: the thread */
	bool begun LINE; /* atomic: all above is as it stays, lcores know of it */
	bool stop; /* atomic */

	/* writer: the thread; reader: control */
	enum capture_status status
		LINE; /* atomic; err and what is below it behind it, when ended */
	uint64_t packets, octets, lost, beyond; /* relaxed while it runs */
	uint64_t end_mono;
	struct ns_err err;
	struct tap_merge merge; /* its own, as all below */
	bool full; /* the limit of packets or octets is reached */
	bool late; /* the limit of seconds */
} LINE;

struct captures {
	struct capture of[CAPTURES];
	uint32_t last_id;
};

/* Starts one; NULL with errno and a message: EBUSY when CAPTURES run, and of lib/pcapng and filter.
 * Control. */
const struct capture *capture_start(
	struct ns_engine *en, const struct capture_args *args, struct ns_err *e);
/* Asks it to end; it does by itself. */
void capture_stop(struct capture *c);
static inline enum capture_status capture_status(const struct capture *c)
{
	return __atomic_load_n(&c->status, __ATOMIC_ACQUIRE);
}
static inline bool capture_ended(const struct capture *c)
{
	return capture_status(c) >= CAPTURE_STOPPED;
}
/* capture.c: what its thread runs; the argument is the capture. */
void *capture_thread(void *arg);

/* capture_file.c: the file with an interface for each port. linktype: of ports that say nothing. */
struct capture_file *capture_file_create(const struct capture *c, const struct capture_args *args,
	uint16_t linktype, struct ns_err *e);
/* 0 or -errno; -ENOSPC is the disk's, *beyond true when the size asked for does not allow it. */
int capture_file_put(
	struct capture_file *f, const struct tap_rec *r, uint64_t octets_max, bool *beyond);
int capture_file_flush(struct capture_file *f);
void capture_file_sizes(const struct capture_file *f, uint64_t *packets, uint64_t *octets);
/* Statistics from the rings of @p c, then all is written and closed; 0 or -errno with a message. */
int capture_file_end(struct capture_file *f, const struct capture *c, struct ns_err *e);
void capture_file_destroy(struct capture_file *f);
