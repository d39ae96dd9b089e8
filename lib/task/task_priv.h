/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * How the list of tasks is laid out once it is compiled.
 *
 *   ns_tasks
 *     feeds[]   who is looked at: (of, when, once, any); the selection of a burst is made once
 *       keys[]    distinct keys: built and hashed once per burst, however many tasks use them
 *       values[]  distinct numbers
 *       tasks[]   who gets these columns
 *     tasks[]   ns_task_build: what a task asked for; the layout of its rows; where its state is
 *
 *   a state      | task 0 ...   | task 1 ...          | task 2 ... |    one mapping per state,
 *                ^ 0            ^ state_at, aligned to a cache line       states of one task alike
 *
 * A key is a row of fields, the largest first so that none needs padding before it; the end is
 * filled up with zeros to a multiple of 8:
 *
 *   [proto, responder_ip]    | responder_ip 16                | proto | 0 0 0 0 0 0 0 |
 *
 * Each field has a function that writes its octets of all keys of a burst, so that there is one
 * indirect call per field and burst.
 */

#include "ns_task.h"

#include <ns_filter.h>

enum {
	TASK_PARTS_MAX = 16, /* fields of a key */
	TASK_KEYS_MAX = 8, /* of a task */
	TASK_VALUES_MAX = 8, /* of a task */
	TASK_COLS_MAX = 64, /* of a row */
	TASK_COLS_HEAD = 3, /* start_ns, end_ns, epoch */
	TASK_LINKTYPES = 512, /* link types beyond have no filter */
};

/* How the octets of a field in a key become a column again. */
enum task_code {
	TASK_CODE_RAW, /* as in a row */
	TASK_CODE_IP, /* 16 octets, see fields.c */
	TASK_CODE_VLAN, /* two times id + 1 */
	TASK_CODE_TUNNEL, /* number of the plug-in and id */
};

enum task_field_flags {
	TASK_FIELD_SAME = 1u << 0, /* the same in all packets of one direction of a flow */
	TASK_FIELD_ANY = 1u << 1, /* packets that are not IP have it too */
	TASK_FIELD_VALUE = 1u << 2, /* a number that ns_task_value() gives */
};

/* What is asked of an address, as it stands in a key. */
struct task_mask {
	bool on;
	uint8_t len4, len6;
	uint8_t bits[2][16]; /* IPv4, IPv6 */
};

struct task_op;

/*
 * Writes the octets of one field into n keys, which are stride octets apart; the field's place in
 * the key is op->at. src: struct rte_mbuf *const[] or struct ns_flow_rec[].
 */
typedef void (*task_put_fn)(
	const struct task_op *op, const void *src, unsigned n, uint8_t *key, unsigned stride);
/* Writes a number of n things. */
typedef void (*task_get_fn)(const struct task_op *op, const void *src, unsigned n, uint64_t *v);

struct task_op {
	union {
		task_put_fn put;
		task_get_fn get;
	};
	uint16_t at; /* in the key */
	uint16_t offset; /* in the record or the view of the packet */
	uint16_t size; /* octets to copy */
	struct task_mask mask;
};

struct task_field {
	const char *name;
	enum ns_rec_type type;
	uint16_t size; /* in a row */
	uint16_t octets; /* in a key: 1, 2, 4 or a multiple of 8 */
	uint16_t offset; /* where the number is, for those that are copied */
	uint32_t rec_flags; /* NS_REC_EMPTY_ZERO */
	uint8_t flags; /* enum task_field_flags */
	enum task_code code;
	const char *unit;
	const char *help;
	task_put_fn put;
	task_get_fn get;
};

struct task_part {
	struct task_field field;
	struct task_mask mask;
	uint16_t at; /* in the key */
};

/* Hashes n keys that stand one behind the other. */
typedef void (*task_hash_fn)(
	const uint8_t *key, unsigned n, unsigned words, uint64_t seed, uint64_t *hash);

struct task_key {
	unsigned parts_n; /* as they were asked for */
	struct task_part parts[TASK_PARTS_MAX];
	uint16_t len; /* octets, multiple of 8 */
	unsigned ops_n;
	struct task_op ops[TASK_PARTS_MAX];
	task_hash_fn hash;
};

struct task_value {
	struct task_field field;
	struct task_op op;
};

/* One task. The plug-in sees it as the thing that it asks. */
struct ns_task_build {
	const struct ns_task_conf *conf;
	const struct ns_task_ops *ops;
	void *self; /* the plug-in's */
	uint64_t seed;
	uint32_t verify_slots;
	bool verify, idempotent, any;

	unsigned keys_n, values_n;
	struct task_key *keys[TASK_KEYS_MAX];
	struct task_value values[TASK_VALUES_MAX];
	/* where they are among those of the feed */
	unsigned feed, key_at[TASK_KEYS_MAX], value_at[TASK_VALUES_MAX];

	/* rows */
	struct ns_rec_kind kind;
	const struct ns_rec_kind *shown; /* the kind of its rows: this one, or an older task's */
	struct ns_rec_field cols[TASK_COLS_MAX];
	/* offset of the column of a part, 0 for none: start_ns is at 0 */
	uint16_t part_at[TASK_KEYS_MAX][TASK_PARTS_MAX];
	char *help;

	size_t state_at, state_size;
};

/* A filter for each link type that can have it. */
struct task_when {
	const char *text; /* the configuration's */
	uint8_t by_linktype[TASK_LINKTYPES]; /* index + 1 in filters, 0: none, nothing matches */
	unsigned filters_n;
	struct ns_filter **filters;
};

/*
 * Keys of packets that are made of each other, as numbers of a feed's keys: the two addresses are
 * read together, and pairs of initiator and responder are put together from them.
 */
struct task_ends {
	uint64_t made; /* a bit for each key of them; none: nothing to share */
	unsigned src, dst, pair;
};

struct task_feed {
	enum ns_task_of of;
	bool once; /* only the first packet of each direction of a flow */
	bool any; /* packets without a flow too */
	const struct task_when *when; /* NULL: all */
	unsigned keys_n, values_n, tasks_n;
	const struct task_key **keys;
	const struct task_value **values;
	struct ns_task_build **tasks;
	struct task_ends ends;
};

struct ns_tasks {
	unsigned tasks_n, feeds_n, whens_n;
	struct ns_task_build **tasks;
	struct task_feed *feeds;
	struct task_when **whens;
	size_t state_size;
	uint64_t seed; /* of all hashes */
	bool any; /* a feed wants packets without a flow */
};

/* fields.c: the field of that name (len octets of it), or -ENOENT. */
int task_field_find(int of, const char *name, size_t len, struct task_field *f);
/* Puts the names of all fields with these flags, separated by ", ", as far as there is room. */
void task_field_names(int of, unsigned flags, char *buf, size_t len);
/* ops_packet.c, ops_record.c: tables that fields.c reads. */
extern const struct task_field task_packet_fields[];
extern const unsigned task_packet_fields_n;
/* Completes what is generic about a field of a record by its type; false: can't be used. */
bool task_record_field(const struct ns_rec_field *r, struct task_field *f);
extern const struct task_field task_record_duration;
/* Which keys of a feed of packets can be made of each other. */
struct task_ends task_packet_ends(const struct task_key *const *keys, unsigned n);
/* Writes keys of 16 octets each: all of src_ip and all of dst_ip; from them those of the pair. */
void task_packet_put_ends(const void *packets, unsigned n, uint8_t *src, uint8_t *dst);
void task_packet_put_pair(
	const void *packets, unsigned n, const uint8_t *src, const uint8_t *dst, uint8_t *pair);

/* key.c */
int task_key_parse(struct task_key *k, int of, char *const *fields, unsigned n, unsigned *bad,
	struct ns_err *e);
bool task_key_same(const struct task_key *a, const struct task_key *b);
/* Whether all its fields have these flags; *which is one that has not. */
bool task_key_has(const struct task_key *k, unsigned flags, const char **which);
void task_key_build(const struct task_key *k, const void *src, unsigned n, uint64_t seed,
	uint8_t *key, uint64_t *hash);
void task_key_hash(
	const struct task_key *k, unsigned n, uint64_t seed, const uint8_t *key, uint64_t *hash);
int task_value_parse(struct task_value *v, int of, const char *field, struct ns_err *e);

/* build.c: asks the plug-in of item what it wants, and lays out its rows; b is zeroed. */
int task_build(struct ns_task_build *b, const struct ns_conf_item *item,
	const struct ns_tasks_args *args, struct ns_err *e);
void task_build_fini(struct ns_task_build *b);
/* plan.c */
struct ns_tasks *task_plan(const struct ns_conf_item *items, size_t n,
	const struct ns_tasks_args *args, struct ns_err *e);

/* when.c: the filter for every link type; NULL with errno and a message. */
struct task_when *task_when_create(const char *text, struct ns_err *e);
void task_when_destroy(struct task_when *w);
bool task_when_match(const struct task_when *w, const struct rte_mbuf *m);

static inline size_t task_align(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}
