/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "sink.h"

#include <ns_blob.h>
#include <ns_decode.h>
#include <ns_defrag.h>
#include <ns_dispatch.h>
#include <ns_engine.h>
#include <ns_snap.h>
#include <ns_task.h>

struct ns_profile;
struct ns_quantile;
struct captures;
struct mirrors;
struct tap;
struct trace;

#define RX_MAX 16
#define LCORES_MAX (NS_WORKERS_MAX + RX_MAX)
#define POOL_CACHE 256
#define DEQUEUE NS_TASK_BURST
#define TAPS 8 /* who may look on at once (tap.h) */
#define EPOCH_LOG 1024 /* epochs of a file that lcores may be apart, twice over */

/* Numbers of one lcore; written by it alone, read relaxed by control. */
struct lcore_stats {
	struct ns_counters c;
	uint64_t received, octets, captured;
	uint64_t analysed;
	uint64_t first_ns, last_ns;
	uint64_t clock_ns;
	/* live, in cycles of the time-stamp counter (meter.h) */
	uint64_t busy, longest;
	uint64_t bursts, full, empty; /* polls that gave some, all that a burst holds, nothing */
	struct ns_proto_count ip[256];
	struct ns_proto_count l2[NS_L2_PROTOS];
	uint16_t l2_type[NS_L2_PROTOS];
	uint16_t l2_n;
	uint64_t linktypes_unknown[NS_LINKTYPES];
} __attribute__((aligned(NS_CACHE_LINE)));

enum role { ROLE_RX, ROLE_ANALYSIS, ROLE_BOTH };

/* Lcores read; then those that analyse empty their rings; then they have ended. */
enum engine_phase { PHASE_READING, PHASE_DRAINING, PHASE_ENDED };

/*
 * The first lines are read only while the lcores run; what is written lies behind them, by its
 * writer and reader.
 */
struct lcore {
	struct ns_engine *en;
	enum role role;
	unsigned id; /* EAL lcore id */
	unsigned index; /* among the lcores of its role */
	struct ns_defrag *defrag; /* RX, BOTH */
	struct ns_dispatch *dispatch; /* RX */
	struct ns_flow_table *flows; /* ANALYSIS, BOTH */
	struct rte_ring *in[RX_MAX]; /* ANALYSIS: one from each RX lcore */
	struct producer *producer; /* ANALYSIS, BOTH */
	struct ns_snap_lcore *snap; /* ANALYSIS, BOTH: its pair of states */
	struct ns_timeline *timeline; /* RX, BOTH; NULL: none kept */
	struct lcore_stats *stats;
	struct ns_quantile *latency; /* ANALYSIS, BOTH; live: cycles from RX to end of analysis */
	bool metered; /* live */

	/* writer: the lcore; readers: RX lcores, in file mode */
	uint64_t processed[RX_MAX] LINE; /* ANALYSIS: packets done, by RX */

	/* the lcore's own */
	uint64_t now LINE; /* time-stamp counter at the end of the last burst (meter.h) */
	uint64_t analysed_then; /* at its last change of epoch; control reads it behind the
				   hand-over */
	struct plan *plan; /* ANALYSIS, BOTH: the tasks that it feeds */
	struct ns_task_lcore *tasks; /* of the plan */
	uint64_t age_clock, age_mono; /* live: the packets' clock, and when it was seen to move */
	struct {
		uint32_t fragments; /* traced ones that defrag has, or is about to get */
		bool handing; /* RX: one is among what goes to dispatch next */
	} trace; /* trace.h */

	/* writer: the lcore; readers: threads of taps (tap.h) */
	uint64_t tap_seen; /* atomic: the word of taps that it has seen last */

	/* writer: the lcore; reader: control */
	uint32_t pause_seen; /* atomic: RX, BOTH: the odd value that it has heeded last */

	/* writer: the lcore, once; reader: control */
	bool done; /* atomic: the role is over */
} LINE;

/*
 * Epochs of a file; written by the lcore that reads, at an epoch's begin and begun last (epoch.c);
 * readers: analysis lcores, control.
 */
struct epoch_log {
	uint64_t length_ns; /* 0: the whole input is one; written before the lcores start */
	uint64_t next_ns LINE; /* clock at which the next begins */
	uint64_t begun; /* atomic: how many */
	uint64_t start[EPOCH_LOG]; /* clock at which number i % EPOCH_LOG began */
} LINE;

BEGINS_LINE(lcore_stats, c);
BEGINS_LINE(lcore, processed);
BEGINS_LINE(lcore, now);
_Static_assert(
	offsetof(struct lcore, now) - offsetof(struct lcore, processed) == sizeof(uint64_t[RX_MAX]),
	"what RX lcores read is not beside what the lcore writes for itself");
BEGINS_LINE(epoch_log, next_ns);

struct ns_engine {
	struct ns_engine_args args;
	const struct ns_engine_conf *conf;
	const char *filter;
	const struct ns_source_ops *sops;
	struct ns_source *source;
	enum ns_source_status input_status; /* kept from the source before it is closed */
	char *input_message;
	struct ns_source_stats source_stats; /* at the end */
	struct args *eal_args; /* eal.c */
	struct rte_mempool *pool;
	struct ns_decoder *decoder;
	const struct ns_flow_conf *flow_conf;
	struct ns_flow_conf flow; /* what flow_conf points to: one lcore's part with rtc */
	const struct ns_dispatch_conf *dispatch_conf;
	uint64_t bound;
	unsigned rx, workers, queues;
	bool rtc, live;
	bool source_stopped; /* main thread */
	struct lcore *lcores;
	unsigned lcores_n;
	struct plan *wanted; /* atomic; writer: control, readers: analysis lcores at a new epoch */
	struct ns_snap *snap;
	bool stop; /* atomic, once: asked to stop; writer: any, readers: RX lcores */
	bool drain; /* atomic, once: RX has ended; writer: control, readers: analysis lcores */
	bool producers_done; /* atomic, once: writer: control, readers: sinks */
	uint64_t end_clock; /* written before drain */
	union {
		uint64_t all;
		uint8_t of[TAPS];
	} tap_word; /* atomic; seldom written: when a tap is opened or ends (tap.h) */
	/* atomic; odd: lcores that read leave their ports alone; writer: control (pause.c) */
	uint32_t pause;
	struct tap *taps[TAPS]; /* writer: control, before the octet says that there is one */
	struct trace *trace; /* the same; NULL: none was ever asked for */
	/* up to here nothing is written while packets come */

	/* by their lcores and threads, each on lines of its own */
	struct producer producers[NS_WORKERS_MAX]; /* of workers, and then control's */
	struct epoch_log log;
	struct sink sinks[SINKS_MAX];
	struct {
		/* writer and reader: the RX lcore, when a source leaves a block */
		uint64_t v[NS_SOURCE_SLOTS][NS_WORKERS_MAX] LINE;
	} marks[RX_MAX];

	/* all that follows is control's */
	int wake LINE; /* eventfd: lcores write it when their role ends, and epochs of a file */
	struct ns_timeline *timeline;
	unsigned epoch;
	uint64_t due_ns; /* monotonic time of the next epoch; main thread */
	uint64_t launched; /* time-stamp counter */
	struct ns_quantile *latency, *latency_before; /* NULL: not live */
	struct ns_engine_latency latency_all, latency_epoch;
	struct plan *plan; /* of the epoch that is being taken */
	struct plan *planned; /* takes its place at the next epoch; NULL: none does */
	uint64_t collecting; /* number of the epoch that is being taken */
	bool epoch_pending; /* live: the next was opened, this one is not complete */
	uint64_t epoch_start, epoch_next; /* live: when it and the next began */
	int task_error;
	enum engine_phase phase;
	uint8_t tap_last[TAPS]; /* value of the octet when it was last on; reader: the tap's thread
				 */
	struct captures *captures; /* NULL: none was ever asked for */
	struct mirrors *mirrors; /* the same */
	uint64_t paused_missed; /* pause.c: what ports had lost when reading stopped */
	size_t row_room; /* octets of a record in control's batches */
	uint32_t leaving; /* sinks by index */
	struct gone gone;
	struct engine_state *state; /* NULL: not live */
	struct {
		/* atomic; writers: control and threads of sinks */
		uint64_t octets; /* of blobs that sinks have not finished with */
		bool said; /* that one was not made */
	} blobs;
	struct {
		void *state; /* of the last epoch, given and not yet emptied; NULL: none */
		bool valid; /* the plan's merged state is that of the last epoch */
		struct ns_task_span span; /* its */
	} look;
};

BEGINS_LINE(ns_engine, producers);
BEGINS_LINE(ns_engine, log);
BEGINS_LINE(ns_engine, sinks);
BEGINS_LINE(ns_engine, marks);
BEGINS_LINE(ns_engine, wake);

/* eal.c: starts EAL with one lcore a role; counts on en->rx, workers, rtc, live. */
int engine_eal_up(struct ns_engine *en, const struct ns_profile *profile, struct ns_err *e);
void engine_eal_down(struct ns_engine *en);
/* runtime.c: makes the directory of EAL's sockets; 0, or -errno with a message. */
int engine_runtime_dir(const struct ns_engine *en, struct ns_err *e);

/* pool.c: packet buffers, as configured or as many as can be under way; and the pool of them. */
unsigned engine_mbufs(const struct ns_engine *en);
int engine_pool_up(struct ns_engine *en, struct ns_err *e);
/*
 * Octets that a packet buffer itself has room for. A file source that takes packets back (release)
 * points them at where it has read them; any other source writes into them.
 */
static inline uint16_t engine_data_room(const struct ns_engine *en)
{
	return en->live || en->sops->release == NULL ? RTE_MBUF_DEFAULT_BUF_SIZE : 0;
}
/* engine.c: buckets whose flows may come to worker @p w. */
uint32_t engine_share(const struct ns_engine *en, unsigned w);

/* engine.c: what the source has to say outlives it; main thread. */
void engine_keep_source(struct ns_engine *en);

/* lcore.c: what the lcores run (rte_eal_remote_launch). */
int engine_rx(void *arg);
int engine_analysis(void *arg);
int engine_both(void *arg);

/* count.c: sums over bursts; the lcore. n > 0. */
void engine_count_received(struct lcore *l, struct rte_mbuf *const *m, uint16_t n);
void engine_count_unknown(struct lcore_stats *s, struct rte_mbuf *const *m, uint16_t n);
/* Flags that any of the packets has. */
uint16_t engine_count_protocols(struct lcore_stats *s, struct rte_mbuf *const *m, uint16_t n);

/* latency.c: sketches of lcores, and what control makes of them; main thread. */
int engine_latency_up(struct ns_engine *en, struct ns_err *e);
void engine_latency_down(struct ns_engine *en);
/* An epoch has ended: its numbers, and those since the start. */
void engine_latency_look(struct ns_engine *en);
void engine_lcore_stats(const struct ns_engine *en, struct ns_engine_stats *s);

/* capture.c: ends all captures, when all lcores have ended; waits for their files. Control. */
void engine_captures_down(struct ns_engine *en);

/* hold.c */
void engine_hold(struct lcore *rx, struct ns_source_hold *hold);

/* epoch.c: file mode, the lcore that reads: the epoch of this clock begins; may wait. */
void engine_epoch_begin(struct ns_engine *en, uint64_t clock_ns);
static inline bool engine_epoch_due(const struct ns_engine *en, uint64_t clock_ns)
{
	return clock_ns >= en->log.next_ns || en->log.begun == 0;
}
uint64_t engine_epochs_begun(const struct ns_engine *en);
uint64_t engine_epoch_start(const struct ns_engine *en, uint64_t number);
/* What happens to packets that were read. */
typedef void take_fn(struct lcore *l, struct rte_mbuf **m, uint16_t n);
/* Stamps packets of a file with the number of their epoch and hands them on. */
void engine_epoch_stamp(struct lcore *l, struct rte_mbuf **m, uint16_t n, take_fn *take);
/* File mode, analysis: passes through all epochs up to this one; waits for control. */
void engine_epoch_advance(struct lcore *l, uint64_t to);
/* How many of the first packets are in one epoch, which the lcore then is in. */
uint16_t engine_epoch_run(struct lcore *l, struct rte_mbuf *const *m, uint16_t n);
/* Live, analysis, between bursts: changes when control has opened another; never waits. */
void engine_epoch_look(struct lcore *l);
/* Into the last epoch of all, when no packet comes any more; then, all done, hands it over. */
void engine_epoch_last(struct lcore *l);
void engine_epoch_end(struct lcore *l);

/* collect.c: control. */
int engine_tasks_up(struct ns_engine *en, struct ns_err *e);
void engine_tasks_down(struct ns_engine *en);
void engine_epoch_open(struct ns_engine *en);
void engine_collect(struct ns_engine *en);
void engine_collect_last(struct ns_engine *en); /* when all lcores have ended */

/* run.c: control must hear of something at once. Any thread, also in a signal handler. */
void engine_wake(const struct ns_engine *en);

/* state.c: what the engine says of itself; control. */
int engine_state_up(struct ns_engine *en, struct ns_err *e);
void engine_state_down(struct ns_engine *en);
/* An epoch is complete: notes its numbers and gives them to the sinks that want them. */
void engine_state_epoch(struct ns_engine *en, uint64_t start_ns, uint64_t end_ns, bool last);

/* reload.c: whether two configurations that differ in live keys only differ in this one. */
bool engine_key_differs(const struct ns_conf *a, const struct ns_conf *b, const char *key);

/* rows.c: rows of this state to these sinks; control. 0 or -errno. */
int engine_rows(
	struct ns_engine *en, uint32_t sinks, const void *state, const struct ns_task_span *span);
/* One record with octets to these sinks; takes @p blob, memory of malloc(). Control. */
void engine_rows_put_blob(struct ns_engine *en, uint32_t sinks, const struct ns_blob_rec *rec,
	uint8_t *blob, size_t len);
/* And records of any kind that control has, at least one; then what is left is handed over. */
void engine_rows_put(struct ns_engine *en, uint32_t sinks, const struct ns_rec_kind *kind,
	const void *records, unsigned n);

/*
 * blob.c: the sketches of this state to those of these sinks that want them; control. Then they are
 * freed on the thread that finishes last with their batch.
 */
void engine_blobs(
	struct ns_engine *en, uint32_t sinks, const void *state, const struct ns_task_span *span);
void engine_blob_free(struct ns_engine *en, struct ns_batch *b);
/* Whether the tasks that writers want sketches of are there and have some. 0 or -EINVAL. */
int engine_blobs_check(const struct ns_tasks *ts, const struct ns_conf *conf, struct ns_err *e);

/*
 * look.c: the merged state of the last epoch, for people; control. A state that was given is
 * emptied by _empty(), before anything is merged or the plan changes, and not earlier.
 */
void engine_look_leave(struct ns_engine *en, void *state);
void engine_look_empty(struct ns_engine *en);
/* The epoch is complete; @p used: something was in it. */
void engine_look_epoch(struct ns_engine *en, uint64_t start_ns, uint64_t end_ns, bool used);

extern struct ns_counter ns_drop_filtered;
extern struct ns_counter ns_drop_port_missed;
extern struct ns_counter ns_drop_port_errors;
extern struct ns_counter ns_drop_port_nombuf;
extern struct ns_counter ns_note_records_lost;
