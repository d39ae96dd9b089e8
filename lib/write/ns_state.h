/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What an engine says of itself, as records. Control fills them at the end of each epoch and gives
 * them to the writers that want them (NS_WRITER_STATE), to the console and to metrics.
 *
 * Of one epoch a writer gets, in this order: rows of tasks, "counter", "lcore" and "writer"
 * records, and last one "epoch" record: what came before it belongs to it, and it is complete.
 */

#include <ns_rec.h>

/** Kind "epoch". Numbers without "epoch_" are since the start. */
struct ns_epoch_rec {
	uint64_t
		epoch; /**< number, from 0, without a gap; the last one when the engine stops too */
	uint64_t start_ns, end_ns; /**< since 1970 */
	uint64_t received, octets, analysed, dropped;
	/** Received, and neither dropped nor analysed when lcores handed over; 0 in the last one.
	 */
	uint64_t in_flight;
	uint64_t epoch_received, epoch_octets, epoch_analysed, epoch_dropped;
	uint64_t flows, flows_created, flows_ended, flows_evicted;
	uint64_t records; /**< handed to writers */
	uint64_t records_lost;
	uint64_t lag_ns; /**< from opening the epoch to the last lcore's hand-over */
	uint64_t merge_ns;
	uint64_t late; /**< epochs that were due before the one before was complete */
	uint64_t latency_p50_ns, latency_p99_ns, latency_p999_ns,
		latency_max_ns; /**< of the epoch */
	uint64_t mbufs_used, mbufs; /**< packet buffers in use, and all */
	uint8_t last; /**< 1: the engine has stopped in order */
	uint8_t paused; /**< 1: ports are not read: somebody has said "stop" */
};
extern const struct ns_rec_kind ns_epoch_rec_kind;

#define NS_STATE_NAME 48

/** Kind "counter": a drop or note by name, one record for each that is not 0. */
struct ns_counter_rec {
	char name[NS_STATE_NAME];
	uint8_t drop; /**< 1: part of received = analysed + dropped; 0: a note */
	uint64_t value; /**< since the start */
	uint64_t epoch_value; /**< in this epoch */
};
extern const struct ns_rec_kind ns_counter_rec_kind;

/** Kind "lcore". Times and counts are since the start unless they say epoch. */
struct ns_lcore_rec {
	uint32_t lcore; /**< EAL's number */
	uint32_t cpu; /**< that it is pinned to; UINT32_MAX: none */
	char role[16]; /**< "rx", "analysis", "both" */
	uint64_t packets, bursts, full_bursts, empty_polls;
	uint64_t epoch_packets;
	double epoch_busy; /**< part of the epoch in bursts, 0 to 1 */
	double burst_fill; /**< packets a burst, in the epoch */
	uint64_t longest_ns; /**< burst */
	uint64_t ring_used, ring_size; /**< packets waiting in the rings to it, and their room */
	uint64_t flows, flows_max; /**< in its table */
	uint8_t paused; /**< 1: it reads no port until "start" */
};
extern const struct ns_rec_kind ns_lcore_rec_kind;

/** Kind "writer": one for each; "removed": the sums of those that reloads have taken out. */
struct ns_writer_rec {
	char name[NS_STATE_NAME]; /**< "zmq", "csv"; "#2" behind it for the second of them */
	char target[80]; /**< without a password */
	char status[16]; /**< "ok", "down", "failed" */
	uint64_t records, octets; /**< written */
	uint64_t lost; /**< records that it did not get, or could not write */
	uint64_t queued, queue_max; /**< batches that wait for it, and room */
	uint64_t reconnects;
	char message[128]; /**< why it is not ok */
};
extern const struct ns_rec_kind ns_writer_rec_kind;

/** Whether the kind is one of the four. */
bool ns_state_kind(const struct ns_rec_kind *k);
