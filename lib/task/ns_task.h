/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Tasks: what is computed over packets and flow records, chosen in the list `tasks:`.
 *
 *   packets ─▶ filter ─▶ keys, hashes, values (columns of a burst) ─▶ feed() of each task ─▶ state
 *   records ───────────▶                                                           (its lcore)
 *
 *   states of all lcores ─▶ merge() ─▶ result() ─▶ rows ─▶ writers, report            (control)
 *
 * A task type is a plug-in: a folder below lib/task with a struct ns_task_ops (kind "task") and a
 * struct ns_conf_variant of the section "tasks" of the same name. It says at create() which keys
 * and values it wants by the names of fields, and which columns its rows have; it never sees a
 * packet.
 *
 * Keys are compiled at start: tasks that want the same key of the same packets share its columns.
 *
 * "of: packets" is fed with each packet that belongs to a flow, as it comes; src_* and dst_* are
 * the packet's own, initiator_* and responder_* the flow's. "of: flows" is fed with each flow
 * record when the flow ends, by the record's field names.
 */

#include <ns_conf.h>
#include <ns_flow.h>
#include <ns_packet.h>
#include <ns_rec.h>
#include <ns_sketch_set.h>

#define NS_TASK_KIND "task"
#define NS_TASK_BURST 32 /**< most things a feed() gets */
#define NS_TASK_KEY_MAX 128 /**< octets of a key */
#define NS_TASK_NAME_MAX 32

enum ns_task_of { NS_TASK_OF_PACKETS, NS_TASK_OF_FLOWS };

/** What the entries of all types have: the member `task`, first in each type's own struct. */
struct ns_task_conf {
	char *name; /**< [a-z][a-z0-9_]{0,31}: the CSV suffix, JSON kind, SQL table of its rows */
	char *type;
	char *when; /**< filter as in pcap-filter(7), or NULL; of: packets only */
	int of; /**< enum ns_task_of */
	bool verify; /**< compute the exact answer as well */
};

extern const cyaml_strval_t ns_task_of_words[2];

/** The common fields of the struct @p s, whose first member is `struct ns_task_conf task`. */
#define NS_TASK_CONF_FIELDS(s)                                                                    \
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, s, task.name, 1, NS_TASK_NAME_MAX),    \
		CYAML_FIELD_STRING_PTR("type", CYAML_FLAG_POINTER, s, task.type, 1, 64),          \
		CYAML_FIELD_ENUM("of", CYAML_FLAG_DEFAULT, s, task.of, ns_task_of_words, 2),      \
		CYAML_FIELD_STRING_PTR("when", CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL, \
			s, task.when, 0, 4096),                                                   \
		CYAML_FIELD_BOOL("verify", CYAML_FLAG_DEFAULT, s, task.verify)

/** Their documentation, to begin a type's docs with. */
#define NS_TASK_CONF_DOCS                                                                          \
	{"name", "name of the task and of its table: a-z, 0-9 and _, at most 32"},                 \
		{"type", "what it computes"},                                                      \
		{"of", "what it looks at: packets as they come, or flow records when flows end"},  \
		{"when",                                                                           \
			"only packets that match this filter, as in pcap-filter(7); of: packets"}, \
	{                                                                                          \
		"verify", "compute the exact answer as well and show the true error"               \
	}

/**
 * For a type's check(): name, filter, and that @p of and the filter go together. On failure *key is
 * the culprit. 0 or -EINVAL.
 */
int ns_task_check(const struct ns_task_conf *c, const char **key, struct ns_err *e);

/**
 * For a type's check(): that each of @p n @p fields may be part of a key ("src_ip", "src_ip/24",
 * "src_ip/24/48" for IPv4 / IPv6 prefix lengths) and all fit. @p name is the configuration key they
 * stand in; on failure *key is "name[i]". 0 or -EINVAL with what is allowed.
 */
int ns_task_check_key(const struct ns_task_conf *c, const char *name, char *const *fields,
	unsigned n, const char **key, struct ns_err *e);

/** As ns_task_check_key() for one numeric field that ns_task_value() shall give. */
int ns_task_check_value(const struct ns_task_conf *c, const char *name, const char *field,
	const char **key, struct ns_err *e);

/* --- what a type asks for at create() ------------------------------------------------------ */

struct ns_task_build;

/**
 * Wants the key of these fields; returns its number among this task's keys (0, 1, ...), or -errno
 * with a message. A key is 8 to NS_TASK_KEY_MAX octets, a multiple of 8, and is hashed with
 * ns_hash_words() and ns_task_seed().
 */
int ns_task_key(struct ns_task_build *b, char *const *fields, unsigned n, struct ns_err *e);
uint16_t ns_task_key_len(const struct ns_task_build *b, unsigned key);
/**
 * The octets of a key from text: a word for each of its fields in the order in which they were
 * asked for, with blanks between them, each as it stands in a row: "192.0.2.1", "10.0.0.0/24 tcp
 * 443". VLAN ids may be "none", IP protocols and TCP flags numbers; tunnels can't be given.
 * @p octets has room for ns_task_key_len(). 0 or -EINVAL with a message.
 */
int ns_task_key_text(const struct ns_task_build *b, unsigned key, const char *text, uint8_t *octets,
	struct ns_err *e);

/** Wants the number of a field: "l2_octets", "ip_octets", "ttl", ...; its number among the values.
 */
int ns_task_value(struct ns_task_build *b, const char *field, struct ns_err *e);
/** Whether 0 in that field means "not known" (NS_REC_EMPTY_ZERO). */
bool ns_task_value_empty(const struct ns_task_build *b, unsigned value);

/** Adding the same keys twice changes nothing: packets that bring nothing new may be left out. */
void ns_task_idempotent(struct ns_task_build *b);
/** Wants packets that belong to no flow (ARP, ...) too; only fields that they have may be used. */
void ns_task_any_packet(struct ns_task_build *b);

uint64_t ns_task_seed(const struct ns_task_build *b);
/** Whether the exact answer is wanted too, and how many different things to make room for. */
bool ns_task_verify(const struct ns_task_build *b);
uint32_t ns_task_verify_slots(const struct ns_task_build *b);
/** Room for the names of a key's fields. */
#define NS_TASK_FIELDS_MAX 160
/** Puts "src_ip, proto" into @p buf, cut where it is full; returns it. */
const char *ns_task_fields(char buf[NS_TASK_FIELDS_MAX], char *const *fields, unsigned n);
/** One line about the task for people, e.g. "top 100 of src_ip by octets"; copied. */
void ns_task_help(struct ns_task_build *b, const char *fmt, ...) NS_PRINTF(2, 3);

/* Columns of the task's rows, in order; start_ns, end_ns and epoch come before them. */

/** The columns of a key of the task. 0 or -errno with a message (names must be unique). */
int ns_task_col_key(struct ns_task_build *b, unsigned key, struct ns_err *e);
/** Any other column; offset is filled in. Returns the offset in the row, or -errno. */
int ns_task_col(struct ns_task_build *b, const struct ns_rec_field *f, struct ns_err *e);

/**
 * The columns estimate, lower, upper, confidence, and with verify exact and error (relative to the
 * exact value). @p type NS_REC_U64 or NS_REC_F64.
 */
struct ns_task_estimate {
	enum ns_rec_type type;
	int estimate, lower, upper, confidence; /**< offsets in the row */
	int exact, error; /**< -1 without verify */
};
int ns_task_col_estimate(struct ns_task_build *b, enum ns_rec_type type, const char *unit,
	struct ns_task_estimate *c, struct ns_err *e);

/* --- what a type gets ---------------------------------------------------------------------- */

struct ns_task_keys {
	const uint64_t *hash; /**< of key i, never to be changed */
	const uint8_t *key; /**< key i at key + i * len */
	uint16_t len;
};

/** Up to NS_TASK_BURST packets or records as columns. */
struct ns_task_cols {
	unsigned n;
	const struct ns_task_keys *keys; /**< by the numbers of ns_task_key() */
	const uint64_t *const *values; /**< by the numbers of ns_task_value() */
};

struct ns_task_out;
struct ns_task_sketches;

struct ns_task_ops {
	/** @p conf is the type's struct, borrowed until destroy. NULL with errno and message. Main.
	 */
	void *(*create)(struct ns_task_build *b, const void *conf, struct ns_err *e);
	void (*destroy)(void *task); /**< NULL is fine; main */
	/** Octets of a state: one flat block without pointers into itself. */
	size_t (*size)(const void *task);
	/** Makes an empty state of @p state, size() zeroed octets aligned to NS_CACHE_LINE. Main.
	 */
	void (*init)(const void *task, void *state);
	/** The state's lcore; no system call, allocation or log. */
	void (*feed)(const void *task, void *state, const struct ns_task_cols *c);
	/** Adds what @p from has seen to @p into. 0 or -errno. Control. */
	int (*merge)(const void *task, void *into, const void *from);
	/** Empties the state again. Control. */
	void (*reset)(const void *task, void *state);
	/** Gives the rows: ns_task_row(), set columns, ns_task_row_end(). 0 or -errno. Control. */
	int (*result)(const void *task, const void *state, struct ns_task_out *o);
	/**
	 * Names each sketch of the state with ns_task_sketch(), so that what was counted can be
	 * merged with that of other engines; NULL: nothing can. Control.
	 */
	void (*sketches)(const void *task, const void *state, struct ns_task_sketches *o);
};

/**
 * One of the state's sketches, borrowed as long as the state is. @p label (@p len octets, copied)
 * tells it from the task's others, the same in each engine: the text or the key of a value; none
 * for the only one, or for what has no other place.
 */
void ns_task_sketch(struct ns_task_sketches *o, enum ns_sketch_type type, const void *sketch,
	const void *label, size_t len);

/** A new row, all zero but start_ns, end_ns and epoch. */
void *ns_task_row(struct ns_task_out *o);
/** Sets the columns of a key from its octets. */
void ns_task_row_key(struct ns_task_out *o, void *row, unsigned key, const uint8_t *octets);
void ns_task_row_u64(void *row, int offset, uint64_t v);
void ns_task_row_f64(void *row, int offset, double v);
void ns_task_row_estimate(void *row, const struct ns_task_estimate *c, double estimate, double low,
	double high, double confidence);
/** Integers beyond 2^53 stay exact. */
void ns_task_row_estimate_u64(void *row, const struct ns_task_estimate *c, uint64_t estimate,
	uint64_t low, uint64_t high, double confidence);
/** Exact value and true error; after the estimate. Without it both are "not known". */
void ns_task_row_exact(void *row, const struct ns_task_estimate *c, double exact);
void ns_task_row_exact_u64(void *row, const struct ns_task_estimate *c, uint64_t exact);
/** Hands the row on. */
void ns_task_row_end(struct ns_task_out *o);
/** Time that the rows are about, in ns; for rates. At least 1. */
uint64_t ns_task_out_span(const struct ns_task_out *o);

/* --- all tasks of a configuration: the engine's side --------------------------------------- */

struct ns_tasks;
struct ns_task_lcore;

struct ns_tasks_args {
	const struct ns_conf *conf; /**< borrowed until ns_tasks_destroy() */
	bool verify; /**< all tasks verify */
	bool live;
	uint64_t bound; /**< packets that will come at most; 0: not known */
	uint64_t seed;
};

/** Compiles the section "tasks". NULL with errno and a message. Main thread, EAL running. */
struct ns_tasks *ns_tasks_create(const struct ns_tasks_args *args, struct ns_err *e);
void ns_tasks_destroy(struct ns_tasks *ts);
unsigned ns_tasks_n(const struct ns_tasks *ts);
/** The record kind of the rows of task @p i; lives as long as @p ts. */
const struct ns_rec_kind *ns_tasks_kind(const struct ns_tasks *ts, unsigned i);
/**
 * Tasks that had the same name and columns in @p old show their rows as the same kind of record, so
 * that writers go on where they were; @p old must live as long as @p ts. 0, or -EEXIST with a
 * message when a task of the same name has other columns now. Main thread, before rows are made.
 */
int ns_tasks_adopt(struct ns_tasks *ts, const struct ns_tasks *old, struct ns_err *e);
/** Whether any task wants packets, and flow records. */
bool ns_tasks_of_packets(const struct ns_tasks *ts);
bool ns_tasks_of_flows(const struct ns_tasks *ts);

/** The states of all tasks, empty; pages are touched as they are used. NULL with ENOMEM. */
void *ns_tasks_state_create(const struct ns_tasks *ts);
void ns_tasks_state_destroy(const struct ns_tasks *ts, void *state);
size_t ns_tasks_state_size(const struct ns_tasks *ts);
/** Empties; control. */
void ns_tasks_reset(const struct ns_tasks *ts, void *state);
/** Adds @p from to @p into; control. 0 or -errno. */
int ns_tasks_merge(const struct ns_tasks *ts, void *into, const void *from);

/** What an lcore needs to feed: columns and what waits in them. NULL with ENOMEM. */
struct ns_task_lcore *ns_task_lcore_create(const struct ns_tasks *ts);
void ns_task_lcore_destroy(struct ns_task_lcore *l);

/** Feeds @p n <= NS_TASK_BURST packets that ns_flow_burst() has seen. The state's lcore. */
void ns_tasks_packets(struct ns_task_lcore *l, void *state, struct rte_mbuf *const *m, unsigned n);
/**
 * Which tasks ns_tasks_packets() has given this packet to, or would: bit i for task i < 64. For
 * single packets; reads only, any lcore.
 */
uint64_t ns_tasks_of_packet(const struct ns_tasks *ts, const struct rte_mbuf *m);
/** Feeds a record; up to NS_TASK_BURST wait until there is a burst of them. */
void ns_tasks_record(struct ns_task_lcore *l, void *state, const struct ns_flow_rec *r);
/** Feeds what waits; before the state is handed over. */
void ns_tasks_flush(struct ns_task_lcore *l, void *state);

/** What rows are about. */
struct ns_task_span {
	uint64_t start_ns, end_ns; /**< since 1970: begin, and end (not in it) */
	uint64_t epoch; /**< number of the last epoch in it */
};

/** Takes a row, kind->size octets, borrowed for the call. 0 or -errno to stop. */
typedef int (*ns_task_row_fn)(void *ctx, const struct ns_rec_kind *kind, const void *row);

/** Gives the rows of all tasks, task by task. 0 or -errno. Control. */
int ns_tasks_result(const struct ns_tasks *ts, const void *state, const struct ns_task_span *span,
	ns_task_row_fn row, void *ctx);

/** Whether task @p i has sketches; its type ("cardinality"). */
bool ns_tasks_sketched(const struct ns_tasks *ts, unsigned i);
const char *ns_tasks_type(const struct ns_tasks *ts, unsigned i);

/**
 * The sketches of task @p i, which point into @p state, to be written (ns_sketch_set_write()) or
 * looked at; no parts when it has none. For ns_tasks_sketches_free(). NULL with errno. Control.
 */
struct ns_sketch_set *ns_tasks_sketches(
	const struct ns_tasks *ts, unsigned i, const void *state, const struct ns_task_span *span);
void ns_tasks_sketches_free(struct ns_sketch_set *s);
