/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Traces: what each stage did with single packets.
 *
 *	control    a filter, N places ──▶ octet TRACE_PLACE of the word of taps (tap.h) is odd
 *	RX lcore   a packet matches: takes the next place, whose number goes with the packet
 *	           (ns_packet.trace, NS_PKT_TRACED); rx, decode, defrag, dispatch
 *	                  │ ring, as always
 *	analysis   ... analysis, flow, tasks, end
 *	control    reads the steps of a place that are there, while it is filled
 *
 *	place      | steps_n | step 0: rx | step 1: decode | ... | the last one: end, or a drop
 *
 * A place is written by the lcore that has the packet, so by one at a time, and goes from one to
 *the next as the packet does. steps_n is released behind each step; after the last one it is
 * control's again. A packet may stay away for longer than anybody waits (defrag holds it): its
 *place is then not given to another until it has come out.
 *
 * Lcores look at packets one by one where a burst has a traced one, so that what a stage says is of
 * that packet alone; what becomes of packets is the same. While nothing is traced it costs an lcore
 * what taps cost.
 *
 * Writers: `taken` lcores that read, by one atomic addition for each packet that matches until all
 * places are taken; a place as above; all else control, while lcores do not know of it.
 */

#include "tap.h"

#define TRACE_PLACE 4 /* in the word of taps */
#define TRACE_WORD (UINT64_C(0xff) << (8 * TRACE_PLACE))
#define TRACE_MAX 1000 /* packets of a trace */
#define TRACE_PLACES 1024 /* the others are of packets that stay away */
#define TRACE_STEPS 10 /* rx decode defrag held, given; dispatch analysis flow tasks end */
#define TRACE_NOTES 3
#define TRACE_SECONDS 10
#define TRACE_SECONDS_MAX 86400

enum trace_stage {
	TRACE_RX,
	TRACE_DECODE,
	TRACE_DEFRAG,
	TRACE_DISPATCH,
	TRACE_ANALYSIS,
	TRACE_FLOW,
	TRACE_TASKS,
	TRACE_END,
};

enum trace_result {
	TRACE_PASSED,
	TRACE_HELD, /* comes back later as a copy of its headers */
	TRACE_DROPPED, /* the last step; `drop` says why */
	TRACE_FREED, /* the last step */
};

struct trace_step {
	uint64_t tsc; /* time-stamp counter when it was done; rx and analysis: when it began */
	uint8_t stage, result;
	uint16_t lcore; /* EAL's number */
	uint16_t drop; /* id of the counter; TRACE_DROPPED */
	uint8_t notes_n;
	uint8_t notes[TRACE_NOTES]; /* ids of counters */
	union {
		struct {
			uint64_t ts_ns;
			uint32_t caplen, wirelen;
			uint16_t port, queue, linktype;
		} rx;
		struct {
			uint16_t flags; /* of the view, as below behind defrag */
			uint16_t sport, dport;
		} defrag;
		struct {
			uint32_t hash, bucket;
			uint32_t waiting; /* packets in the ring before it */
			uint16_t worker, lcore;
		} dispatch;
		struct {
			uint16_t burst; /* packets that are analysed together */
		} analysis;
		struct {
			uint8_t flow; /* enum ns_packet_flow */
			bool ip, seen; /* seen: the place has the flow */
			bool ended, evicted; /* other flows had to end for it */
		} flow;
		struct {
			const struct plan *plan; /* lives as long as the engine */
			uint64_t bits; /* ns_tasks_of_packet() */
		} tasks;
	};
};
_Static_assert(NS_COUNTER_MAX <= 256, "ids of counters fit an octet");

struct trace_slot {
	uint32_t steps_n; /* atomic */
	struct trace_step steps[TRACE_STEPS];
	struct ns_layers layers; /* behind decode */
	struct ns_flow_view flow; /* behind flow */
} LINE;

enum trace_state {
	TRACE_OFF,
	TRACE_TAKING, /* lcores take packets */
	TRACE_LEAVING, /* lcores are to take none; some may not know yet */
	TRACE_WAITING, /* for packets to come out */
	TRACE_OVER,
};

struct trace_args {
	const char *filter; /* NULL: all packets */
	uint32_t packets;
	double seconds;
};

struct trace {
	struct tap tap; /* its filters */
	struct ns_engine *en;
	struct trace_slot *slots; /* TRACE_PLACES of them, as long as the engine */
	uint32_t wanted;
	uint16_t order[TRACE_MAX]; /* number of the place of packet i */

	uint32_t taken LINE; /* atomic; places that were asked for: may be more than there are */

	/* control's */
	enum trace_state state LINE;
	uint32_t id; /* of the last trace, from 1 */
	uint64_t start_mono, limit_mono;
	bool stopped; /* before its time */
	bool told[TRACE_MAX]; /* by packet: somebody has read it */
	bool in_use[TRACE_PLACES];
} LINE;

/* --- control ------------------------------------------------------------------------------- */

/* Begins one; its number is en->trace->id. 0 or -errno with a message: EBUSY when one goes on. */
int trace_start(struct ns_engine *en, const struct trace_args *args, struct ns_err *e);
/* Asks it to end: lcores take no more packets, and none is waited for. */
void trace_stop(struct ns_engine *en);
/* Goes on with what is due; often while somebody waits, and at each step of the engine. */
void trace_look(struct ns_engine *en);
/* Whether anything more can come of it. */
bool trace_is_over(const struct trace *t);
/* Packets that were taken, at most `wanted`. */
uint32_t trace_taken(const struct trace *t);
/* How many steps of a place are there to be read. */
static inline unsigned trace_steps(const struct trace_slot *s)
{
	return __atomic_load_n(&s->steps_n, __ATOMIC_ACQUIRE);
}
/* Whether the last of n steps ends its way. */
static inline bool trace_is_last(const struct trace_slot *s, unsigned n)
{
	return n > 0 && s->steps[n - 1].result >= TRACE_DROPPED;
}
void engine_trace_down(struct ns_engine *en);

/* trace_text.c: stages and results as words; what a step did, cut at len; ns since rx. */
const char *trace_stage_name(uint8_t stage);
const char *trace_result_name(uint8_t result);
size_t trace_what(const struct trace_slot *s, unsigned step, char *buf, size_t len);
/* Where a packet that has not come out is. */
const char *trace_whereabouts(const struct trace_slot *s, unsigned steps);
uint64_t trace_after_ns(const struct trace_slot *s, unsigned step);

struct ns_command_call;
/* trace_rec.c: a record of a step. */
void trace_put_record(
	struct ns_command_call *c, const struct trace_slot *s, uint32_t packet, unsigned step);
/* And of a packet that has not come out after so many of them. */
void trace_put_missing(
	struct ns_command_call *c, const struct trace_slot *s, uint32_t packet, unsigned steps);

/* --- lcores, trace_lcore.c ------------------------------------------------------------------ */

/* Packets as they were read, for all taps of the word; a bit for each of n <= 32 that is traced. */
uint32_t trace_taps(
	struct lcore *l, uint64_t word, unsigned queue, struct rte_mbuf *const *m, uint16_t n);
/* As ns_decode_burst(), with marked packets among them. */
uint16_t trace_decode(struct lcore *l, struct rte_mbuf **m, uint16_t n, uint32_t marked);
/* Behind ns_defrag_burst(), when l->trace.fragments says so. */
void trace_defrag(struct lcore *l, struct rte_mbuf *const *held, uint16_t held_n,
	struct rte_mbuf *const *out, uint16_t n);
/* ns_defrag_expire(). */
uint16_t trace_expire(struct lcore *l, uint64_t clock_ns, struct rte_mbuf **out);
/* Before ns_dispatch_burst(), when l->trace.handing says so; and with what came back. */
void trace_dispatch(struct lcore *l, struct rte_mbuf *const *m, uint16_t n);
void trace_ring_full(struct lcore *l, struct rte_mbuf *const *m, uint16_t n);
/* As ns_flow_burst(), with traced packets among them. */
uint16_t trace_flow(struct lcore *l, struct rte_mbuf *const *m, uint16_t n);
/* Behind all tasks. */
void trace_end(struct lcore *l, struct rte_mbuf *const *m, uint16_t n);
