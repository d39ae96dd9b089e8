/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Mirrors: packets that one port receives and that match a filter go out of another port too.
 *
 *	lcores ── rings (tap.h) ──▶ merge by time ──▶ lib/send ──▶ port
 *	                               the mirror's thread
 *
 * Control starts mirrors and asks them to end; all between is the mirror's thread. When it has
 *ended
 *
 *	matched = sent + missed (no room in a ring) + dropped (the port took none)
 *	          + too_long (for the port, or not all of it was received)
 */

#include "tap_merge.h"

#include <ns_command.h>
#include <ns_port.h>
#include <ns_send.h>

#define MIRRORS 3
#define MIRROR_PLACE 5 /* the first of theirs in the word of taps */
#define MIRROR_FILTER 1024
_Static_assert(MIRROR_PLACE + MIRRORS <= TAPS, "places for mirrors");

/* What is asked for; filter "": all packets. */
struct mirror_args {
	const char *from, *to;
	char filter[MIRROR_FILTER];
	uint64_t buffer; /* octets of the ring of each lcore; 0: the default */
};

enum mirror_status { MIRROR_RUNNING, MIRROR_ENDING, MIRROR_STOPPED };

struct mirror {
	struct tap tap;
	struct ns_engine *en;
	unsigned place; /* in the word of taps */
	unsigned rings;
	uint32_t id; /* from 1; 0: never used */
	bool threaded; /* the thread is to be joined */
	pthread_t thread;
	char from[NS_PORT_NAME], to[NS_PORT_NAME];
	char filter[MIRROR_FILTER];
	uint64_t start_mono;
	struct ns_send *out; /* the thread's, once it runs; it gives it back */
	uint32_t claim; /* of it */
	uint64_t port_errors; /* at the last look; control's */

	/* writer: control; reader: the thread */
	bool begun LINE; /* atomic: all above is as it stays, lcores know of it */
	bool stop; /* atomic */

	/* writer: the thread; reader: control */
	enum mirror_status status LINE; /* atomic; what is below it behind it, when ended */
	struct ns_send_counts sent; /* relaxed while it runs */
	uint64_t too_long;
	uint64_t end_mono;
	struct tap_merge merge; /* its own */
} LINE;

struct mirrors {
	struct mirror of[MIRRORS];
	uint32_t last_id;
} LINE;

/* "PORT [[filter] EXPRESSION] to PORT [buffer N]"; borrows the words. 0 or -errno with a message.
 */
int mirror_parse(const struct ns_command_call *c, struct mirror_args *a, struct ns_err *e);

/* Starts one; NULL with errno and a message: EBUSY when MIRRORS run, and of lib/send and filter.
 * Control. */
const struct mirror *mirror_start(
	struct ns_engine *en, const struct mirror_args *args, struct ns_err *e);
/* Asks it to end; it does by itself. */
void mirror_stop(struct mirror *m);
static inline bool mirror_ended(const struct mirror *m)
{
	return __atomic_load_n(&m->status, __ATOMIC_ACQUIRE) == MIRROR_STOPPED;
}
/* Ends all mirrors, when all lcores have ended, and waits for what they have. Control. */
void engine_mirrors_down(struct ns_engine *en);
/* mirror.c: what its thread runs; the argument is the mirror. */
void *mirror_thread(void *arg);
