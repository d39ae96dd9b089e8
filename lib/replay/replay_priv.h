/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Replays. Control opens the file, so that what is wrong with it is in the answer, claims the port
 * and starts a thread, which reads, waits, sends and ends by itself. Afterwards
 *
 *	packets of the file = sent + full (the port took none) + cut + too_long + too_short + other
 */

#include "ns_replay.h"
#include "pace.h"

#include <ns_command.h>
#include <ns_packet.h>
#include <ns_port.h>
#include <ns_quantile.h>
#include <ns_send.h>
#include <ns_source.h>

#include <limits.h>
#include <pthread.h>

#define REPLAYS 4
#define LINE __attribute__((aligned(NS_CACHE_LINE)))

/* What is asked for. */
struct replay_args {
	const char *path, *to;
	enum pace_how how;
	double speed;
	uint64_t pps;
	uint64_t loops;
	bool cut; /* send what there is of packets that the capture has cut */
};

/* "FILE to PORT [speed X|max] [pps N] [loop N] [cut]"; borrows the words. 0 or -errno, a message.
 */
int replay_parse(const struct ns_command_call *c, struct replay_args *a, struct ns_err *e);

enum replay_status {
	REPLAY_RUNNING,
	REPLAY_DONE, /* all of the file */
	REPLAY_STOPPED, /* as asked for */
	REPLAY_FAILED, /* the file is damaged: err says where */
};

struct replay {
	uint32_t id; /* from 1; 0: never used */
	bool threaded; /* the thread is to be joined */
	pthread_t thread;
	struct ns_engine *en;
	char path[PATH_MAX], to[NS_PORT_NAME];
	uint64_t loops;
	bool cut;
	struct rte_mempool *pool; /* what the source puts around packets */
	const struct ns_source_ops *ops;
	struct ns_send *out; /* the thread's, once it runs; it gives it back */
	uint32_t claim; /* of it */
	uint64_t port_errors; /* at the last look; control's */

	/* writer: control; reader: the thread */
	bool stop LINE; /* atomic */

	/* writer: the thread; reader: control; relaxed while it runs */
	enum replay_status status LINE; /* atomic; all behind it, when ended */
	struct ns_send_counts sent;
	uint64_t packets; /* read from the file */
	uint64_t skipped_cut, too_long, too_short, other; /* other: of another link type */
	uint64_t loop; /* that runs or was the last */
	uint64_t start_mono, end_mono;
	uint64_t late_p50_ns, late_p99_ns, late_max_ns; /* behind the time that it was due */
	struct ns_err err;
	/* its own */
	struct ns_source *source;
	struct pace pace;
	struct ns_quantile *late;
	uint64_t looked_ns; /* when it last looked at its numbers */
	uint64_t due[NS_SEND_BURST]; /* of what waits for a flush */
	unsigned due_n;
	struct rte_mbuf *burst[NS_BURST];
	uint16_t burst_n;
} LINE;

/* start.c; all control's. NULL with errno and a message. */
const struct replay *replay_start(
	struct ns_engine *en, const struct replay_args *args, struct ns_err *e);
void replay_stop(struct replay *r);
/* In the order in which they were started: the one behind that number, or NULL. */
struct replay *replay_next(uint32_t after);
static inline bool replay_ended(const struct replay *r)
{
	return __atomic_load_n(&r->status, __ATOMIC_ACQUIRE) != REPLAY_RUNNING;
}

/* replay.c */
/* Opens the file and reads its first packets. 0 or -errno with a message; control, and each loop.
 */
int replay_open(struct replay *r, struct ns_err *e);
void *replay_thread(void *arg);
