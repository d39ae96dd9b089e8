/* SPDX-License-Identifier: BSD-3-Clause */
/* The descriptions of the records of ns_state.h. */
#include <ns_state.h>

#define NO_IE .flags = NS_REC_NO_EXPORT
#define KEY_FIELD .flags = NS_REC_NO_EXPORT | NS_REC_KEY
#define ZERO_EMPTY .flags = NS_REC_NO_EXPORT | NS_REC_EMPTY_ZERO

#define F(member, ...) NS_REC_FIELD(struct ns_epoch_rec, member, .name = #member, __VA_ARGS__)
#define U64(member, un, he) F(member, .type = NS_REC_U64, NO_IE, .unit = un, .help = he)

static const struct ns_rec_field epoch_fields[] = {
	F(epoch, .type = NS_REC_U64, KEY_FIELD, .help = "number, from 0, without a gap"),
	F(start_ns, .type = NS_REC_TIME, NO_IE, .unit = "ns", .help = "when it began"),
	F(end_ns, .type = NS_REC_TIME, NO_IE, .unit = "ns", .help = "when it ended"),
	U64(received, "packets", "since the start, with those that the port lost"),
	U64(octets, "octets", "since the start, on the wire"),
	U64(analysed, "packets", "since the start"),
	U64(dropped, "packets", "since the start, all reasons together"),
	U64(in_flight, "packets", "received and neither analysed nor dropped yet"),
	U64(epoch_received, "packets", "received in this epoch"),
	U64(epoch_octets, "octets", "received in this epoch"),
	U64(epoch_analysed, "packets", "analysed in this epoch"),
	U64(epoch_dropped, "packets", "dropped in this epoch"),
	U64(flows, "flows", "in the tables now"),
	U64(flows_created, "flows", "since the start"),
	U64(flows_ended, "flows", "since the start"),
	U64(flows_evicted, "flows", "since the start: ended for lack of room"),
	U64(records, "records", "handed to writers since the start"),
	U64(records_lost, "records", "since the start: that a writer could not take in time"),
	U64(lag_ns, "ns", "from opening the next epoch to the last lcore's hand-over"),
	U64(merge_ns, "ns", "merging the states of all lcores"),
	U64(late, "epochs", "since the start: due before the one before was complete"),
	F(latency_p50_ns, .type = NS_REC_U64, ZERO_EMPTY, .unit = "ns",
		.help = "from RX to the end of analysis, in this epoch: median"),
	F(latency_p99_ns, .type = NS_REC_U64, ZERO_EMPTY, .unit = "ns", .help = "99 %"),
	F(latency_p999_ns, .type = NS_REC_U64, ZERO_EMPTY, .unit = "ns", .help = "99.9 %"),
	F(latency_max_ns, .type = NS_REC_U64, ZERO_EMPTY, .unit = "ns", .help = "the longest"),
	U64(mbufs_used, "packets", "packet buffers in use"),
	U64(mbufs, "packets", "packet buffers that there are"),
	F(last, .type = NS_REC_U8, NO_IE, .help = "1: the engine has stopped in order"),
	F(paused, .type = NS_REC_U8, NO_IE, .help = "1: ports are not read until \"start\""),
};
#undef F

const struct ns_rec_kind ns_epoch_rec_kind = {
	.name = "epoch",
	.version = 1,
	.size = sizeof(struct ns_epoch_rec),
	.fields = epoch_fields,
	.fields_n = NS_ARRAY_LEN(epoch_fields),
	.help = "an epoch of the engine: the account of packets, flows, hand-over, latency",
	.ipfix_family_field = -1,
};
NS_REC_REGISTER(ns_epoch_rec_kind)

#define F(member, ...) NS_REC_FIELD(struct ns_counter_rec, member, .name = #member, __VA_ARGS__)

static const struct ns_rec_field counter_fields[] = {
	F(name, .type = NS_REC_STR, KEY_FIELD, .help = "reason of a drop, or what a note is about"),
	F(drop, .type = NS_REC_U8, NO_IE,
		.help = "1: packets dropped, part of received = analysed + dropped; 0: a note"),
	F(value, .type = NS_REC_U64, NO_IE, .help = "since the start"),
	F(epoch_value, .type = NS_REC_U64, NO_IE, .help = "in this epoch"),
};
#undef F

const struct ns_rec_kind ns_counter_rec_kind = {
	.name = "counter",
	.version = 1,
	.size = sizeof(struct ns_counter_rec),
	.fields = counter_fields,
	.fields_n = NS_ARRAY_LEN(counter_fields),
	.help = "a named drop or note of the engine",
	.ipfix_family_field = -1,
};
NS_REC_REGISTER(ns_counter_rec_kind)

#define F(member, ...) NS_REC_FIELD(struct ns_lcore_rec, member, .name = #member, __VA_ARGS__)
#define U64L(member, un, he) F(member, .type = NS_REC_U64, NO_IE, .unit = un, .help = he)

static const struct ns_rec_field lcore_fields[] = {
	F(lcore, .type = NS_REC_U32, KEY_FIELD, .help = "EAL's number"),
	F(cpu, .type = NS_REC_U32, NO_IE, .help = "CPU that it is pinned to; 4294967295: none"),
	F(role, .type = NS_REC_STR, NO_IE, .help = "rx, analysis, or both (run to completion)"),
	U64L(packets, "packets", "received, or analysed, since the start"),
	U64L(bursts, "bursts", "polls that gave packets, since the start"),
	U64L(full_bursts, "bursts", "of them: as many packets as a burst holds"),
	U64L(empty_polls, "polls", "that gave nothing, since the start"),
	U64L(epoch_packets, "packets", "in this epoch"),
	F(epoch_busy, .type = NS_REC_F64, NO_IE,
		.help = "part of the epoch spent in bursts, 0 to 1"),
	F(burst_fill, .type = NS_REC_F64, NO_IE, .unit = "packets",
		.help = "packets a burst in this epoch"),
	U64L(longest_ns, "ns", "the longest burst since the start"),
	U64L(ring_used, "packets", "waiting in the rings to it"),
	U64L(ring_size, "packets", "that these rings hold"),
	U64L(flows, "flows", "in its table"),
	U64L(flows_max, "flows", "that its table holds"),
	F(paused, .type = NS_REC_U8, NO_IE, .help = "1: it reads no port until \"start\""),
};
#undef F

const struct ns_rec_kind ns_lcore_rec_kind = {
	.name = "lcore",
	.version = 1,
	.size = sizeof(struct ns_lcore_rec),
	.fields = lcore_fields,
	.fields_n = NS_ARRAY_LEN(lcore_fields),
	.help = "what an lcore does",
	.ipfix_family_field = -1,
};
NS_REC_REGISTER(ns_lcore_rec_kind)

#define F(member, ...) NS_REC_FIELD(struct ns_writer_rec, member, .name = #member, __VA_ARGS__)
#define U64W(member, un, he) F(member, .type = NS_REC_U64, NO_IE, .unit = un, .help = he)

static const struct ns_rec_field writer_fields[] = {
	F(name, .type = NS_REC_STR, KEY_FIELD,
		.help = "its plug-in; with #2 behind it, the second"),
	F(target, .type = NS_REC_STR, NO_IE, .help = "where it writes"),
	F(status, .type = NS_REC_STR, NO_IE, .help = "ok, down (tries again), failed (for good)"),
	U64W(records, "records", "written"),
	U64W(octets, "octets", "written, where the writer counts them"),
	U64W(lost, "records", "that it did not get in time or could not write"),
	U64W(queued, "batches", "that wait for it"),
	U64W(queue_max, "batches", "that may wait"),
	U64W(reconnects, "times", "that it has connected again"),
	F(message, .type = NS_REC_STR, NO_IE, .help = "why it is not ok"),
};
#undef F

const struct ns_rec_kind ns_writer_rec_kind = {
	.name = "writer",
	.version = 1,
	.size = sizeof(struct ns_writer_rec),
	.fields = writer_fields,
	.fields_n = NS_ARRAY_LEN(writer_fields),
	.help = "a way out: what was written, what waits, what was lost",
	.ipfix_family_field = -1,
};
NS_REC_REGISTER(ns_writer_rec_kind)

bool ns_state_kind(const struct ns_rec_kind *k)
{
	return k == &ns_epoch_rec_kind || k == &ns_counter_rec_kind || k == &ns_lcore_rec_kind ||
	       k == &ns_writer_rec_kind;
}
