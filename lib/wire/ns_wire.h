/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Messages of proto/netspectra.proto: records into octets, and octets into values.
 *
 * No record kind is known by name: the columns of a table come from struct ns_rec_kind, and the
 * fields of Epoch, Lcore and Writer from records whose fields have the same names.
 *
 * An encoder and a decoded message are each one thread's at a time.
 */

#include <ns_base.h>
#include <ns_rec.h>

#define NS_WIRE_VERSION 1u

/** Most octets of a body that is unpacked. */
#define NS_WIRE_BODY_MAX (64u << 20)

/** Behind an encoded message these octets make it one with `replayed` set (the last value wins). */
#define NS_WIRE_REPLAYED "\x40\x01"
#define NS_WIRE_REPLAYED_LEN 2u

struct ns_wire_args {
	const char *node, *boot; /**< borrowed until destroy */
	int zstd_level; /**< 1 to 19; 0: bodies are never compressed */
	uint32_t zstd_min; /**< octets of the smallest body that is tried */
};

struct ns_wire_head {
	const char *topic; /**< borrowed for the call */
	uint64_t seq; /**< from 1 */
	uint64_t time_ns; /**< since 1970 */
};

/** Records of one kind, one behind the other; borrowed for the call. */
struct ns_wire_records {
	const struct ns_rec_kind *kind;
	const void *records;
	uint32_t n;
};

struct ns_wire_count {
	const char *name;
	uint64_t value;
};

struct ns_wire_counts {
	const struct ns_wire_count *counts;
	unsigned n;
};

struct ns_wire_task {
	struct ns_wire_records rows; /**< the kind's name is the task's */
	uint64_t epoch, start_ns, end_ns;
	uint32_t part;
	bool more;
};

/** The sketches of a task, serialised; borrowed for the call. */
struct ns_wire_sketches {
	const char *task;
	uint64_t epoch, start_ns, end_ns;
	const uint8_t *octets;
	size_t len;
};

struct ns_wire_epoch {
	const struct ns_rec_kind *kind; /**< fields named as in the message Epoch */
	const void *record;
	struct ns_wire_counts drops, notes, topics;
};

struct ns_wire_health {
	uint64_t epoch;
	struct ns_wire_records lcores, writers;
};

/** An encoded message; belongs to the encoder, valid until its next call. */
struct ns_wire_out {
	const uint8_t *data;
	size_t len;
	bool packed; /**< the body is compressed */
};

struct ns_wire;

/** NULL with errno ENOMEM or EINVAL (level) and a message. */
struct ns_wire *ns_wire_create(const struct ns_wire_args *args, struct ns_err *e);
void ns_wire_destroy(struct ns_wire *w);

/** Each encodes one message: 0, or -ENOMEM and the encoder is as before. */
int ns_wire_flows(struct ns_wire *w, const struct ns_wire_head *h, const struct ns_wire_records *r,
	struct ns_wire_out *out);
int ns_wire_task(struct ns_wire *w, const struct ns_wire_head *h, const struct ns_wire_task *t,
	struct ns_wire_out *out);
int ns_wire_sketches(struct ns_wire *w, const struct ns_wire_head *h,
	const struct ns_wire_sketches *s, struct ns_wire_out *out);
int ns_wire_epoch(struct ns_wire *w, const struct ns_wire_head *h, const struct ns_wire_epoch *from,
	struct ns_wire_out *out);
int ns_wire_health(struct ns_wire *w, const struct ns_wire_head *h,
	const struct ns_wire_health *from, struct ns_wire_out *out);

/* --- decoding ------------------------------------------------------------------------------ */

enum ns_wire_body {
	NS_WIRE_NONE, /**< of a later version, or none */
	NS_WIRE_EPOCH,
	NS_WIRE_FLOWS,
	NS_WIRE_TASK,
	NS_WIRE_HEALTH,
};

/** The numbers of netspectra.v1.Type. */
enum ns_wire_type {
	NS_WIRE_UINT = 1,
	NS_WIRE_INT,
	NS_WIRE_DOUBLE,
	NS_WIRE_TIME,
	NS_WIRE_IP,
	NS_WIRE_MAC,
	NS_WIRE_STRING,
	NS_WIRE_PROTOCOL,
	NS_WIRE_TCP_FLAGS,
	NS_WIRE_VLANS,
	NS_WIRE_BYTES,
	NS_WIRE_PREFIX,
};

/** A message; all pointers are into it. */
struct ns_wire_msg {
	uint32_t version;
	const char *node, *boot, *topic;
	uint64_t seq, time_ns;
	bool replayed, packed;
	enum ns_wire_body body;
	/* NS_WIRE_FLOWS and NS_WIRE_TASK */
	const char *kind;
	uint32_t kind_version, rows;
	unsigned columns_n;
	/* NS_WIRE_TASK */
	const char *task;
	uint64_t epoch, start_ns, end_ns; /**< epoch: of NS_WIRE_EPOCH and _HEALTH as well */
	uint32_t part;
	bool more;
	const uint8_t *sketches; /**< NULL: none */
	size_t sketches_len;
	/* NS_WIRE_HEALTH */
	unsigned lcores_n, writers_n;
	void *pb; /**< Netspectra__V1__Envelope */
};

struct ns_wire_column {
	const char *name, *unit;
	enum ns_wire_type type;
	bool zero_absent;
};

/** A value; which member is in it depends on the column's type. */
struct ns_wire_value {
	uint64_t u64; /**< UINT, TIME, PROTOCOL, TCP_FLAGS */
	int64_t i64; /**< INT */
	double f64; /**< DOUBLE */
	const uint8_t *bytes; /**< IP, MAC, BYTES; STRING, VLANS, PREFIX (zero-terminated) */
	size_t len; /**< of bytes */
};

/**
 * Decodes a message of any origin; borrows nothing. NULL with errno and a message: EBADMSG (no such
 * message, or a table whose columns do not fit), ENOMEM.
 */
struct ns_wire_msg *ns_wire_decode(const void *data, size_t len, struct ns_err *e);
void ns_wire_free(struct ns_wire_msg *m);

/** Column @p i of the table; false when there is none. */
bool ns_wire_column(const struct ns_wire_msg *m, unsigned i, struct ns_wire_column *c);
/** The number of the column of that name, or -ENOENT. */
int ns_wire_column_of(const struct ns_wire_msg *m, const char *name);
/** The value in a column and row; false when there is none. */
bool ns_wire_value(
	const struct ns_wire_msg *m, unsigned column, uint32_t row, struct ns_wire_value *v);

enum ns_wire_part { NS_WIRE_OF_EPOCH, NS_WIRE_OF_LCORE, NS_WIRE_OF_WRITER };

/** A field by its name of the Epoch, or of the lcore or writer @p i; false: no such one. */
bool ns_wire_number(const struct ns_wire_msg *m, enum ns_wire_part part, unsigned i,
	const char *field, uint64_t *v);
bool ns_wire_real(const struct ns_wire_msg *m, enum ns_wire_part part, unsigned i,
	const char *field, double *v);
const char *ns_wire_text(
	const struct ns_wire_msg *m, enum ns_wire_part part, unsigned i, const char *field);

enum ns_wire_map { NS_WIRE_DROPS, NS_WIRE_NOTES, NS_WIRE_TOPICS };

/** Entry @p i of a map of the Epoch; false when there is none. */
bool ns_wire_count(
	const struct ns_wire_msg *m, enum ns_wire_map map, unsigned i, struct ns_wire_count *c);
