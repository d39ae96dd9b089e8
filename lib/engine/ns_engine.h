/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The one loop that strings the rooms together, and the lcores that run it.
 *
 *   file mode     the source waits for the lcores; time is the packets' clock
 *   live          packets come at their own time; a full ring drops, by name
 *
 *   epochs               live: each engine.epoch_ms, by control; file: by the packets' clock, as
 *                        long as the intervals at which writers want the rows of tasks
 *
 *   pipeline             RX lcore(s) ─▶ rings ─▶ analysis lcores ─▶ batches ─▶ sinks (threads)
 *   run to completion    each lcore reads, analyses and frees; one worker in file mode
 *
 * The main thread is control: it starts the lcores, waits, reads numbers, and stops in order.
 */

#include <ns_conf.h>
#include <ns_dispatch.h>
#include <ns_flow.h>
#include <ns_snap.h>
#include <ns_source.h>
#include <ns_state.h>
#include <ns_timeline.h>
#include <ns_write.h>

/** Section "engine". */
struct ns_engine_conf {
	char *node; /**< name in all that leaves the process; NULL: the host's */
	char *source; /**< name of the source plug-in; NULL: the program's own */
	char **targets; /**< files, ports or vdevs */
	uint32_t targets_count;
	char *filter; /**< BPF expression, or NULL */
	uint32_t workers; /**< analysis lcores */
	uint32_t rx; /**< RX lcores (live pipeline) */
	int mode; /**< enum ns_engine_mode */
	int idle; /**< enum ns_engine_idle */
	uint32_t epoch_ms; /**< milliseconds between epochs */
	uint32_t mbufs; /**< 0: by rings and bursts */
	uint32_t memory; /**< MiB of EAL memory, 0: as needed */
	int hugepages; /**< enum ns_engine_huge */
	int telemetry; /**< enum ns_engine_telemetry: DPDK's socket */
	char **cpus; /**< CPUs to pin lcores to, in order */
	uint32_t cpus_count;
	char **writers; /**< "NAME:TARGET" */
	uint32_t writers_count;
	uint64_t seed; /**< of the hashes of all sketches */
	char **eal; /**< more EAL arguments */
	uint32_t eal_count;
};

enum ns_engine_mode { NS_ENGINE_AUTO, NS_ENGINE_PIPELINE, NS_ENGINE_RTC };
enum ns_engine_idle { NS_ENGINE_IDLE_SLEEP, NS_ENGINE_IDLE_PAUSE, NS_ENGINE_IDLE_POLL };
enum ns_engine_huge { NS_ENGINE_HUGE_AUTO, NS_ENGINE_HUGE_NO, NS_ENGINE_HUGE_YES };
enum ns_engine_telemetry {
	NS_ENGINE_TELEMETRY_AUTO,
	NS_ENGINE_TELEMETRY_NO,
	NS_ENGINE_TELEMETRY_YES
};

/** A consumer of record batches on a thread of its own, besides the writers; the program's. */
struct ns_sink_ops {
	void (*put)(void *ctx, const struct ns_batch *b);
	void *ctx;
};

struct ns_engine_args {
	const struct ns_conf *conf; /**< borrowed until ns_engine_destroy() */
	const char *source; /**< taken when engine.source is not set */
	const char *const *targets; /**< overrides engine.targets when targets_n > 0; borrowed */
	unsigned targets_n;
	const char *filter; /**< overrides engine.filter; borrowed */
	unsigned workers; /**< overrides engine.workers when not 0 */
	const char *const *writers; /**< besides engine.writers; borrowed */
	unsigned writers_n;
	const struct ns_sink_ops *sink; /**< NULL: none; borrowed */
	bool timeline; /**< keep a timeline */
	bool verify; /**< all tasks compute the exact answer as well */
};

struct ns_engine;

/**
 * Starts EAL, opens source and writers, takes all memory and starts the lcores, which wait for
 * ns_engine_run(). NULL with errno and a message; everything begun is undone. Main thread, once
 * a process (EAL starts once).
 */
struct ns_engine *ns_engine_create(const struct ns_engine_args *args, struct ns_err *e);

/** Called by ns_engine_run() at each epoch and once more at the end, on the main thread. */
typedef void (*ns_engine_tick)(void *ctx, struct ns_engine *en, bool last);

/**
 * Runs until the input ends or ns_engine_stop() is called, then stops in order: source, rings,
 * flows, writers. Returns 0, or -EIO when a writer failed (message in @p e). Main thread.
 */
int ns_engine_run(struct ns_engine *en, ns_engine_tick tick, void *ctx, struct ns_err *e);

/*
 * The same for a program with a loop of its own: start, then step whenever *wake_ns (monotonic) has
 * come or ns_engine_fd() can be read, until it says that all has ended, then finish.
 */
enum ns_engine_step {
	NS_ENGINE_GOES_ON,
	NS_ENGINE_TICKED, /**< it goes on, and has opened an epoch */
	NS_ENGINE_ENDED,
};

/** Launches the lcores; 0 or -errno with a message, then ns_engine_finish() is due. Main thread. */
int ns_engine_start(struct ns_engine *en, struct ns_err *e);
/** Does what is due; never blocks for long. *wake_ns: when it wants to be called next. */
enum ns_engine_step ns_engine_step(struct ns_engine *en, uint64_t *wake_ns);
/** Waits for lcores and writers, gives the last epoch; as ns_engine_run(). */
int ns_engine_finish(struct ns_engine *en, struct ns_err *e);
/** Readable when a step is due before its time; owned by the engine. */
int ns_engine_fd(const struct ns_engine *en);

/** What the engine said of itself at the end of an epoch; live. */
struct ns_engine_state {
	struct ns_epoch_rec epoch;
	const struct ns_counter_rec *counters;
	unsigned counters_n;
	const struct ns_lcore_rec *lcores;
	unsigned lcores_n;
	const struct ns_writer_rec *writers;
	unsigned writers_n;
};

/**
 * The state at the end of the last complete epoch; NULL before the first one and for files. Valid
 * until the next step. Main thread.
 */
const struct ns_engine_state *ns_engine_state(const struct ns_engine *en);

/**
 * From the next epoch on goes by another configuration, which may differ in the keys of
 * ns_conf_live(); all of it or, with a message, nothing: -EINVAL, -ENOTSUP, -EBUSY, -E2BIG, -ENOMEM
 * or what opening a writer says. No packet and no epoch is lost; where tasks change, intervals of
 * writers that are not over end with the epoch. May block while writers are opened. The old
 * configuration and the new must live as long as the engine. Main thread.
 */
int ns_engine_reload(struct ns_engine *en, const struct ns_conf *conf, struct ns_err *e);
/** The configuration that holds. Main thread. */
const struct ns_conf *ns_engine_conf(const struct ns_engine *en);

/** Asks for an orderly stop; async-signal-safe, any thread. */
void ns_engine_stop(struct ns_engine *en);
/** Whether somebody has asked; any thread. */
bool ns_engine_stopping(const struct ns_engine *en);

/**
 * Live: lcores leave their ports alone until ns_engine_resume(); what comes meanwhile stays with
 * the ports, which count what they have no room for. All that was read is analysed; flows age,
 * epochs and writers go on. An orderly stop ends it, and reads what the ports still hold.
 *
 * 0, with *@p reading: lcores that had not yet heeded it after @p wait_ms; -EALREADY: they are told
 * so already; -ENOTSUP: no ports, or the engine is ending; with a message. Main thread.
 */
int ns_engine_pause(struct ns_engine *en, unsigned wait_ms, unsigned *reading, struct ns_err *e);
/**
 * They read again. 0, with *@p missed: packets that ports have lost since ns_engine_pause(), in
 * their own count; -EALREADY with a message: they do already. Main thread.
 */
int ns_engine_resume(struct ns_engine *en, uint64_t *missed, struct ns_err *e);
/** Whether the engine is paused; main thread. */
bool ns_engine_paused(const struct ns_engine *en);

/** What the input said: NS_SOURCE_DAMAGED, and one line for each fault ("" for none). */
enum ns_source_status ns_engine_input_status(const struct ns_engine *en);
const char *ns_engine_input_message(const struct ns_engine *en);

void ns_engine_destroy(struct ns_engine *en);

/** One protocol's share. */
struct ns_proto_count {
	uint64_t packets;
	uint64_t octets; /**< on the wire, layer 2 */
};

/**
 * Live: from the poll that found a packet, or the end of the one before, to the end of the analysis
 * of its burst. Each within 1 %, the greatest exactly when since the start.
 */
struct ns_engine_latency {
	uint64_t packets; /**< 0: not known (files) */
	uint64_t p50_ns, p99_ns, p999_ns, max_ns;
};

enum ns_engine_role { NS_ENGINE_RX, NS_ENGINE_ANALYSIS, NS_ENGINE_BOTH };

/** Live: what an lcore did since the start; all 0 for files. */
struct ns_engine_lcore {
	unsigned id; /**< EAL lcore */
	enum ns_engine_role role;
	uint64_t packets; /**< received, or analysed */
	uint64_t bursts; /**< polls that gave packets; packets / bursts is the fill */
	uint64_t full; /**< of them: as many as a burst holds */
	uint64_t empty; /**< polls that gave nothing */
	uint64_t busy_ns; /**< of run_ns: in polls that gave packets */
	uint64_t longest_ns; /**< the longest of them, with ageing or an epoch's change before it */
};

#define NS_ENGINE_LCORES 80
#define NS_L2_PROTOS 64
#define NS_LINKTYPES 512 /**< LINKTYPE_* numbers end below */

/**
 * The sums over all lcores. While the lcores run each number is read relaxed and the law of
 * conservation holds up to packets in flight; after ns_engine_run() it holds exactly:
 * received = analysed + sum of drops.
 */
struct ns_engine_stats {
	uint64_t received;
	uint64_t octets;
	uint64_t captured; /**< octets that were captured of them */
	uint64_t analysed;
	uint64_t drops; /**< sum of all counters of kind NS_COUNTER_DROP */
	uint64_t first_ns, last_ns;
	uint64_t last_clock_ns;
	struct ns_counters counters;
	struct ns_flow_stats flows;
	uint64_t records; /**< handed to sinks */
	uint64_t bytes_read, bytes_total; /**< of input files */
	struct ns_proto_count ip[256];
	struct ns_proto_count l2[NS_L2_PROTOS];
	uint16_t l2_type[NS_L2_PROTOS];
	unsigned l2_n; /**< the last one stands for all others when NS_L2_PROTOS are used */
	/** packets by link type that can not be decoded; the last stands for all behind it */
	uint64_t linktypes_unknown[NS_LINKTYPES];
	unsigned workers;
	uint64_t ring_full[NS_WORKERS_MAX];
	unsigned epoch;
	struct ns_snap_stats handover; /**< by the main thread only */
	struct ns_engine_latency latency; /**< since the start; at the last epoch */
	struct ns_engine_latency latency_epoch; /**< of the last epoch */
	uint64_t run_ns; /**< live: since the lcores were started */
	unsigned lcores_n;
	struct ns_engine_lcore lcores[NS_ENGINE_LCORES];
};

void ns_engine_stats(const struct ns_engine *en, struct ns_engine_stats *s);

/** Where a walk over the flows of an engine stands; all zero: at the first. */
struct ns_engine_flows {
	unsigned lcore;
	uint32_t position;
};

/**
 * ns_flow_walk() over the tables of all lcores, one after the other: 1: there is more, 0: that was
 * all, what @p fn said, -EAGAIN. Looks at no more than @p max positions. Any thread, while the
 * engine is there.
 */
int ns_engine_flows(const struct ns_engine *en, struct ns_engine_flows *at, unsigned max,
	ns_flow_walk_fn *fn, void *ctx);

/** Flows that are in the tables now; any thread. */
uint64_t ns_engine_flows_now(const struct ns_engine *en);

/** The time that flows are as old as, ns since 1970; 0: no packet came. Any thread. */
uint64_t ns_engine_clock(const struct ns_engine *en);

/**
 * The record kinds of the tasks' rows in the order of the configuration; they live as long as the
 * engine.
 */
const struct ns_rec_kind *const *ns_engine_task_kinds(const struct ns_engine *en, unsigned *n);

/** Timeline of all packets; after ns_engine_run(). */
const struct ns_timeline *ns_engine_timeline(const struct ns_engine *en);

/** The law: received = analysed + drops. */
static inline bool ns_engine_conserved(const struct ns_engine_stats *s)
{
	return s->received == s->analysed + s->drops;
}
