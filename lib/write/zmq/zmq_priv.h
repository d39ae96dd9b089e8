/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_base.h>
#include <ns_rec.h>
#include <ns_state.h>
#include <ns_wire.h>
#include <ns_write.h>

#include <zmq.h>

/** Section "zmq". */
struct zmq_conf {
	uint32_t hwm; /**< messages that wait for one subscriber at most */
	char **push; /**< endpoints; NULL: none */
	uint32_t push_count;
	char **topics; /**< words of zmq_topic_words; NULL: all */
	uint32_t topics_count;
	char **sketches; /**< names of tasks, or "*"; NULL: none */
	uint32_t sketches_count;
	int compression; /**< enum zmq_compression */
	uint32_t level; /**< of zstd */
	uint32_t compress_min; /**< octets */
	uint32_t linger; /**< milliseconds */
	char *curve_key; /**< file with the secret key, or NULL: no encryption */
	char *curve_allow; /**< file with public keys of clients, or NULL: all */
};

enum zmq_compression { ZMQ_PACK_AUTO, ZMQ_PACK_NEVER, ZMQ_PACK_ALWAYS };

enum zmq_topic { ZMQ_FLOW, ZMQ_TASK, ZMQ_EPOCH, ZMQ_HEALTH, ZMQ_TOPICS };

extern const char *const zmq_topic_words[ZMQ_TOPICS];
extern const struct zmq_conf zmq_conf_defaults;

/** Bits of enum zmq_topic that the configuration wants. */
unsigned zmq_topics(const struct zmq_conf *c);

/* --- keys (zap.c) --------------------------------------------------------------------------- */

#define ZMQ_Z85_KEY 40 /* characters of a key */

/** The secret key of a file: 0, or -errno with a message; refuses what others can read. */
int zmq_secret_key(const char *path, char key[ZMQ_Z85_KEY + 1], struct ns_err *e);

/** Whether the list of keys can be read and says nothing but keys. 0 or -errno with a message. */
int zmq_allow_check(const char *path, struct ns_err *e);

/** Whether the key is in the list; not, when the list can't be read. */
bool zmq_allowed(const char *path, const char key[ZMQ_Z85_KEY + 1]);

/**
 * The handler that libzmq asks who may connect (RFC 27); to be made before any socket of the
 * context that encrypts. NULL with errno and a message.
 */
void *zmq_zap_open(void *ctx, struct ns_err *e);

/** Answers what has been asked; *refused grows by those that were. @p allow NULL: all may. */
void zmq_zap_serve(void *zap, const char *allow, uint64_t *refused);

/* --- sockets (pub.c) ------------------------------------------------------------------------ */

#define PUB_PUSH_MAX 16
#define PUB_PREFIXES 1024

/* What somebody has subscribed to: topics that begin so. */
struct pub_prefix {
	char *text;
	size_t len;
	bool joined; /* since the last replay */
};

struct pub {
	void *ctx;
	void *xpub;
	void *push[PUB_PUSH_MAX];
	unsigned push_n;
	void *zap;
	const char *allow;
	uint64_t refused; /* connections */
	struct pub_prefix *prefixes;
	unsigned prefixes_n;
	unsigned joined_n;
	bool all; /* there were more prefixes than places: everything is sent */
};

/** Whether the target is a list of endpoints: 0, or -errno with a message. */
int pub_check(const char *target, struct ns_err *e);

/** Binds a socket of libzmq; -EADDRINUSE where somebody listens, also at an ipc:// path. */
int pub_bind(void *s, const char *endpoint, struct ns_err *e);

/** Opens and binds all; -errno with a message that names the endpoint. */
int pub_open(struct pub *p, const char *target, const struct zmq_conf *c, struct ns_err *e);
void pub_close(struct pub *p);

/** Whether the topic has any listener. */
bool pub_wanted(const struct pub *p, const char *topic);

/** Takes subscriptions and answers who wants to connect. */
void pub_serve(struct pub *p);

/** Whether somebody who has joined since pub_replayed() wants the topic. */
bool pub_joined(const struct pub *p, const char *topic);
void pub_replayed(struct pub *p);

/**
 * Sends a message of two frames to all that want it, and with @p push to one behind each PUSH
 * socket. Never waits. Returns how many of these sockets have somebody who did not get it.
 */
unsigned pub_send(struct pub *p, const char *topic, const void *data, size_t len, bool push);

/** Octets that may be in the queues of all subscribers together by pub_send_large(). */
#define PUB_LARGE_MAX (UINT64_C(256) << 20)

/**
 * As pub_send() for messages so large that a number of them is no bound: -ENOBUFS, and nobody gets
 * it, while what is in the queues and this one would be more than PUB_LARGE_MAX; -ENOMEM.
 */
int pub_send_large(struct pub *p, const char *topic, const void *data, size_t len, bool push);

/* --- numbers of writers that have closed (past.c) ------------------------------------------- */

/** The last number that the topic had on these endpoints; 0: none. */
uint64_t zmq_past(const char *target, const char *topic);
void zmq_past_keep(const char *target, const char *topic, uint64_t seq);

/* --- messages (zmq.c, epoch.c) -------------------------------------------------------------- */

/* An encoded message that is kept for those who come late. */
struct kept {
	struct kept *next;
	size_t len; /* with NS_WIRE_REPLAYED */
	uint8_t data[];
};

struct topic {
	struct topic *next;
	const char *task; /* in name; NULL: neither a task's nor of its sketches */
	uint64_t seq;
	struct kept *first, **end;
	char name[];
};

/* Records of one kind that are gathered until their message is whole. */
struct gather {
	const struct ns_rec_kind *kind;
	uint8_t *records;
	size_t size; /* octets of memory, whatever the kind */
	uint32_t n;
};

struct rows {
	struct gather g;
	uint64_t epoch, start_ns, end_ns; /* of the rows in it */
	uint32_t part;
};

struct ns_writer {
	const struct zmq_conf *conf;
	const char *target;
	unsigned topics_wanted;
	struct pub pub;
	struct ns_wire *wire;
	struct topic *flow, *epoch, *health;
	struct topic *tasks, *sketches;
	struct rows rows;
	struct gather counters, lcores, writers;
	uint64_t replay_ns; /* when there was the last */
	struct ns_writer_stats stats;
};

/* A message that was encoded goes out; @records of it are lost when somebody did not get it. */
void zmq_publish(struct ns_writer *w, struct topic *t, const struct ns_wire_out *o,
	uint32_t records, bool kept);

/* The head of the next message of the topic, whose number is taken: what fails now is a gap. */
struct ns_wire_head zmq_head(struct topic *t);

/* A message could not be made. */
void zmq_lost(struct ns_writer *w, uint32_t records, const char *why);

void zmq_topic_forget(struct topic *t);

/* The topic of a task, made when it is new; NULL with ENOMEM. */
struct topic *zmq_task_topic(struct ns_writer *w, const struct ns_rec_kind *kind);

/* The topic of a task's sketches; alike. */
struct topic *zmq_sketch_topic(struct ns_writer *w, const char *task);

/* The message is sent again to who comes late, until the topic is forgotten. */
void zmq_keep(struct topic *t, const struct ns_wire_out *o);

/* The sketches of a task (sketch.c). */
void zmq_put_sketches(struct ns_writer *w, const struct ns_batch *b);
const char *const *zmq_sketches(const struct ns_conf *conf, unsigned *n);

/* Rows of a task, and records of the engine's state. */
void zmq_put_rows(struct ns_writer *w, const struct ns_batch *b);
void zmq_put_state(struct ns_writer *w, const struct ns_batch *b);
/* Sends the rows that were gathered. */
void zmq_rows_end(struct ns_writer *w);
