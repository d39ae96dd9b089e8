/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A state filled by hand: each number is another one. */

#include <ns_engine.h>

static const struct ns_counter_rec test_counters[] = {
	{.name = "ring_full", .drop = 1, .value = 40, .epoch_value = 4},
	{.name = "odd_note", .drop = 0, .value = 7, .epoch_value = 1},
};

static const struct ns_lcore_rec test_lcores[] = {
	{.lcore = 1,
		.cpu = 3,
		.role = "rx",
		.packets = 1000,
		.bursts = 50,
		.full_bursts = 5,
		.empty_polls = 600,
		.epoch_packets = 100,
		.epoch_busy = 0.25,
		.burst_fill = 20.5,
		.longest_ns = 1234567},
	{.lcore = 2,
		.cpu = UINT32_MAX,
		.role = "analysis",
		.packets = 950,
		.bursts = 51,
		.full_bursts = 6,
		.empty_polls = 601,
		.epoch_packets = 95,
		.epoch_busy = 1.0 / 3,
		.burst_fill = 19,
		.longest_ns = 2000000000,
		.ring_used = 8,
		.ring_size = 1023,
		.flows = 11,
		.flows_max = 65536},
};

static const struct ns_writer_rec test_writers[] = {
	{.name = "csv",
		.target = "out \"1\"\\\n\xff.csv",
		.status = "ok",
		.records = 300,
		.octets = 4096,
		.queued = 1,
		.queue_max = 128},
	{.name = "csv#2",
		.target = "/mnt/x",
		.status = "down",
		.records = 200,
		.lost = 100,
		.queued = 128,
		.queue_max = 128,
		.reconnects = 2,
		.message = "No space left on device"},
};

static const struct ns_engine_state test_state = {
	.epoch =
		{
			.epoch = 9,
			.start_ns = UINT64_C(1700000000000000000),
			.end_ns = UINT64_C(1700000001000000001),
			.received = 1000,
			.octets = 64000,
			.analysed = 950,
			.dropped = 40,
			.in_flight = 10,
			.epoch_received = 100,
			.epoch_octets = 6400,
			.epoch_analysed = 95,
			.epoch_dropped = 4,
			.flows = 11,
			.flows_created = 30,
			.flows_ended = 19,
			.flows_evicted = 2,
			.records = 300,
			.records_lost = 100,
			.lag_ns = 54321,
			.merge_ns = 12000000,
			.late = 1,
			.latency_p50_ns = 1000,
			.latency_p99_ns = 20000,
			.latency_p999_ns = 300000,
			.latency_max_ns = 4000000,
			.mbufs_used = 18,
			.mbufs = 16383,
		},
	.counters = test_counters,
	.counters_n = 2,
	.lcores = test_lcores,
	.lcores_n = 2,
	.writers = test_writers,
	.writers_n = 2,
};
