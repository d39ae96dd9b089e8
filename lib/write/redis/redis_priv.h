/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The state of this node in Redis.
 *
 *   put() ──▶ state.c   one transaction for each epoch: MULTI, DEL of every key of ours,
 *             rows.c    HSET / ZADD / SADD, PEXPIRE, EXEC, written while records come
 *             flows.c   the largest of the flows that have ended in this epoch
 *               │  complete with the record "epoch"
 *               ▼
 *             redis.c   next (the newest, not sent yet) ──▶ sending (not answered yet)
 *               │
 *               ▼
 *             link.c    connection: connect, AUTH, SELECT, PING; back-off; never waits
 *
 * All of it belongs to the writer's thread; open and close, on the main thread, are before and
 * after it.
 */

#include <ns_state.h>
#include <ns_write.h>

struct redisContext;

/* --- conf.c -------------------------------------------------------------------------------- */

struct redis_conf {
	char *username; /**< "": the default user */
	char *password; /**< "": none */
	char *password_file; /**< "": none */
	char *hosts_from, *flows_from; /**< name of a task; "": see rows.c */
	uint32_t db;
	uint32_t ttl_epochs;
	uint32_t top; /**< members of a sorted set of a task, and of "hosts" */
	uint32_t flows; /**< members of "flows" */
	uint32_t connect_timeout; /**< ms */
	uint32_t timeout; /**< ms */
	uint32_t stream_max; /**< entries of "alerts" */
};

extern const struct redis_conf redis_conf_defaults;

/* --- target.c ------------------------------------------------------------------------------ */

#define REDIS_ADDRESSES 4
#define REDIS_SECRET_MAX 512 /**< octets of a password and a zero */

struct redis_target {
	char path[108]; /**< of a unix socket; "": TCP */
	char host[256]; /**< name or address, as given */
	uint16_t port;
	unsigned addresses_n; /**< of the host, as text; redis_target_resolve() */
	char addresses[REDIS_ADDRESSES][64];
};

/**
 * Reads "unix:/PATH", "HOST:PORT", "HOST" or "[ADDRESS]:PORT". -EINVAL with a message that says
 * what is allowed and never repeats a target that may hold a password. Pure.
 */
int redis_target_parse(const char *text, struct redis_target *t, struct ns_err *e);

/** Looks the host up; may block as long as the resolver does. 0, or -ENOENT with a message. */
int redis_target_resolve(struct redis_target *t, struct ns_err *e);

/** The password of @p c, from its file if it has one; 0 (@p secret "": none), or -errno. */
int redis_secret(const struct redis_conf *c, char secret[REDIS_SECRET_MAX], struct ns_err *e);

/* --- cmd.c --------------------------------------------------------------------------------- */

/** Commands in RESP (redis.io/docs/reference/protocol-spec), one behind the other. */
struct redis_buf {
	char *p;
	size_t n, size;
	size_t at; /**< where the open command began */
	unsigned args; /**< of the open command */
	unsigned commands;
	bool failed; /**< no memory: the content is of no use */
};

/** Begins a command; redis_arg() adds its words; redis_end() keeps it if it has @p least words. */
void redis_begin(struct redis_buf *b, const char *name);
void redis_arg(struct redis_buf *b, const char *s, size_t n);
void redis_text(struct redis_buf *b, const char *s);
void redis_number(struct redis_buf *b, uint64_t v);
void redis_end(struct redis_buf *b, unsigned least);

/** A command of @p n words. */
void redis_command(struct redis_buf *b, const char *const *words, unsigned n);

/** Empty again; the memory stays. */
void redis_clear(struct redis_buf *b);
void redis_free(struct redis_buf *b);

/* --- flows.c ------------------------------------------------------------------------------- */

/** The records with the largest weight; a heap whose root is the least of them. */
struct redis_flows {
	uint32_t n, max;
	size_t size; /**< octets of a record; 0: none seen yet */
	const struct ns_rec_kind *kind;
	const struct ns_rec_field *octets, *rev_octets;
	uint8_t *records; /**< by slot */
	struct redis_flow {
		uint64_t weight;
		uint32_t slot;
	} * heap;
};

int redis_flows_init(struct redis_flows *f, uint32_t max);
void redis_flows_fini(struct redis_flows *f);
void redis_flows_clear(struct redis_flows *f);

/** Offers all records of a batch of kind "flow"; 0 or -ENOMEM. */
int redis_flows_put(struct redis_flows *f, const struct ns_batch *b);

/** Sorts: heap[0] is the least. Nothing may be put until redis_flows_clear(). */
void redis_flows_sort(struct redis_flows *f);

/* --- state.c, rows.c ----------------------------------------------------------------------- */

/** Keys that every epoch has, by their place in redis_state.keys. */
enum redis_fixed {
	REDIS_HEALTH,
	REDIS_EPOCH,
	REDIS_COUNTERS,
	REDIS_COUNTERS_EPOCH,
	REDIS_COUNTERS_DROPS,
	REDIS_WRITERS,
	REDIS_TASKS,
	REDIS_HOSTS,
	REDIS_FLOWS,
	REDIS_FLOWS_ROWS,
	REDIS_FIXED
};

struct redis_key {
	char *name; /**< whole: "ns:{node}:health" */
	bool used; /**< in this epoch */
};

/** What is known of the rows of a task. */
struct redis_task {
	const struct ns_rec_kind *kind; /**< of now: a reload may give the name another one */
	char name[64];
	unsigned meta, top, rows; /**< its keys */
	const struct ns_rec_field *score; /**< NULL: none is a number */
	const struct ns_rec_field *epoch; /**< NULL: none */
	const struct ns_rec_field *rest; /**< 1 there: the row is what found no row of its own */
	bool keyed;
	int host; /**< how well it tells hosts; 0: not at all */
	bool five; /**< its key is a flow's */
	size_t text_max; /**< octets of the JSON of a row, and of its key */
	uint64_t given; /**< rows of this epoch */
	uint64_t kept;
};

struct redis_state {
	const struct redis_conf *conf;
	struct redis_buf buf; /**< the epoch that comes in */
	uint64_t records; /**< in it */
	bool open; /**< MULTI stands in it */
	bool known; /**< epoch is */
	uint64_t epoch;
	uint64_t epoch_ms, ttl_ms;
	uint64_t writes; /**< complete epochs so far */
	struct redis_key *keys;
	unsigned keys_n;
	struct redis_task *tasks;
	unsigned tasks_n;
	unsigned flows_from; /**< place + 1 of the task that "flows" is from; 0: ended flows */
	struct redis_flows flows;
	char *scratch;
	size_t scratch_size;
	uint64_t lost; /**< records of epochs that were never complete */
	const struct ns_writer_stats *stats; /**< of the writer, told in "health" */
};

int redis_state_init(struct redis_state *s, const struct redis_conf *c, uint64_t epoch_ms,
	const struct ns_writer_stats *stats);
void redis_state_fini(struct redis_state *s);

/**
 * Takes a batch; true when an epoch is complete: s->buf is its transaction and s->records what it
 * was made of. The caller takes both and calls redis_state_next().
 */
bool redis_state_put(struct redis_state *s, const struct ns_batch *b);
void redis_state_next(struct redis_state *s);

/** The place of the key "ns:{node}:" + @p suffix, made and cleared when it is new. */
unsigned redis_state_key(struct redis_state *s, const char *suffix);

/** Begins a command on that key, which then lives until the next epoch. */
void redis_on(struct redis_state *s, const char *command, unsigned key);

/** Room for text of @p n octets; NULL: no memory, the epoch is of no use. */
char *redis_scratch(struct redis_state *s, size_t n);

/** Adds the fields of a record that have a value, name and text. */
void redis_fields(struct redis_state *s, const struct ns_rec_kind *k, const void *rec);

/** Adds the record as JSON. */
void redis_json(struct redis_state *s, const struct ns_rec_kind *k, const void *rec);

/** Rows of a task. */
void redis_rows(struct redis_state *s, const struct ns_batch *b);

/** "tasks", "hosts", and of each task what it gave. */
void redis_rows_end(struct redis_state *s);

/** "flows" from flows that have ended, when no task tells them. */
void redis_rows_flows(struct redis_state *s);

/** The task of rows of this kind; NULL: no memory. */
struct redis_task *redis_rows_task(struct redis_state *s, const struct ns_rec_kind *k);

/* --- link.c -------------------------------------------------------------------------------- */

enum redis_link_state {
	REDIS_OFF, /**< waits for retry_ns */
	REDIS_CONNECTING,
	REDIS_GREETING, /**< AUTH, SELECT, PING are sent */
	REDIS_READY,
	REDIS_BUSY, /**< a transaction is sent and not answered */
};

enum redis_link_event { REDIS_NOTHING, REDIS_WRITTEN, REDIS_BROKEN };

struct redis_link {
	const struct redis_conf *conf;
	const struct redis_target *target;
	struct ns_writer_stats *stats;
	const char *name; /**< in messages */
	enum redis_link_state state;
	struct redisContext *c;
	struct redis_buf hello; /**< the greeting; has a password in it */
	const char *out; /**< what is to be sent, borrowed */
	size_t out_n, out_at;
	unsigned due; /**< answers */
	char error[96]; /**< the first of them that is an error */
	bool secret; /**< the next answer is AUTH's */
	bool was_up; /**< has written once */
	uint64_t deadline_ns, retry_ns;
	uint32_t backoff_ms;
	unsigned attempt, seed;
};

void redis_link_init(struct redis_link *l, const struct redis_conf *c, const struct redis_target *t,
	const char *name, struct ns_writer_stats *stats);
void redis_link_fini(struct redis_link *l);

/** Goes on as far as it can without waiting. BROKEN: what was being sent is not known to be there.
 */
enum redis_link_event redis_link_step(struct redis_link *l);

/** Sends a transaction; only when the state is READY. Borrows the buffer until the event. */
void redis_link_send(struct redis_link *l, const struct redis_buf *b);
