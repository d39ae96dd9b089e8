/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_metrics.h>
#include <ns_packet.h>

/** Section "metrics". */
struct metrics_conf {
	char *listen; /* "127.0.0.1:9476", "[::1]:9476"; "": off */
	uint32_t connections; /* at once */
	uint32_t timeout; /* seconds without a sign from a client */
};
#define CONNECTIONS_MAX 48
#define TELEMETRY_CONNECTIONS 10 /* DPDK's limit */

/*
 * ---- board.c: things that one thread publishes and many read
 *
 * The newest thing hangs at the word, which tells its place and how often it was lent; one atomic
 * addition lends it and says to whom at once. A thing that was taken off is freed by the publisher,
 * at a later publish, when as many have come back as were lent.
 *
 *   word  [ lent : 56 | place : 8 ] ──▶ places[3]  thing, back        taken from by readers
 *                                       places[0]  thing, lent, back   taken off, still read
 *                                       places[1]  free
 *
 * Writer of word: the publisher by exchange, readers by addition. Writer of back: readers, by
 * addition. All else belongs to the publisher.
 */
#define BOARD_PLACES 64
_Static_assert(
	BOARD_PLACES > CONNECTIONS_MAX + TELEMETRY_CONNECTIONS + 2, "a place for each reader");

struct board_place {
	const void *thing; /* read by those whom it was lent to */
	uint64_t lent; /* publisher; known when it was taken off */
	uint64_t back; /* atomic */
};

struct board {
	void (*free)(void *thing);
	uint64_t word; /* atomic */
	struct board_place places[BOARD_PLACES];
};

void board_init(struct board *b, void (*free_thing)(void *thing));
/* Takes @thing; -EAGAIN, and not taken, when every place is lent out. Publisher. */
int board_publish(struct board *b, void *thing);
/* The newest thing's place, or NULL; any thread. The thing stays until it is given back. */
struct board_place *board_take(struct board *b);
void board_give_back(struct board_place *p);
/* Takes the thing off and waits until all are back; publisher. board_take() gives NULL then. */
void board_clear(struct board *b);

/* ---- what is published: a copy of the state after an epoch; read only from then on */
struct copy {
	struct ns_engine_state st; /* points into this allocation */
	uint64_t mono_ns; /* when it was published, CLOCK_MONOTONIC */
	uint64_t stalled; /* bit of each writer that stands still */
	char *page; /* for Prometheus; NULL: none */
	size_t page_len;
};

/* ---- proc.c: this process as the kernel sees it */
struct proc {
	uint64_t start_ns; /* since 1970 */
	uint64_t cpu_ns;
	uint64_t resident, virtual; /* octets */
	uint64_t threads, files;
};
void proc_read(struct proc *p);

/* ---- page.c: the text for Prometheus */
struct page_args {
	const struct ns_engine_state *st;
	const char *node, *version, *dpdk;
	const struct ns_counter *const *counters; /* all that there are, those at 0 too */
	unsigned counters_n;
	const uint64_t *busy_ns; /* of each of st->lcores, since the start */
	uint64_t epoch_ns; /* configured length */
	uint64_t stalled; /* as in struct copy */
	uint64_t skipped; /* epochs that were not published */
	const struct proc *proc;
};
/* The whole page, malloc'ed and zero-terminated, or NULL with errno. */
char *page_make(const struct page_args *a, size_t *len);

/* ---- health.c: what /healthz and /readyz say; @c may be NULL: no epoch yet */
struct health {
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	uint64_t epoch_ns;
};

/* What writers did up to the epoch before; main thread. */
#define WRITERS_WATCHED 64
struct stall {
	struct {
		uint64_t records, since_ns; /* 0: it moves, or has nothing to do */
	} writers[WRITERS_WATCHED];
};
/*
 * Which writers stand still: batches wait for them, and for three epochs they have written nothing.
 * A writer can't say so of itself. Called for each epoch.
 */
uint64_t health_stalled(
	struct stall *s, const struct health *h, const struct ns_engine_state *st, uint64_t now_ns);

#define HEALTH_TEXT 4096
/* True: all is well. Text, of at most HEALTH_TEXT octets, says so or why not, a line each. */
bool health_alive(const struct health *h, const struct copy *c, uint64_t now_ns, char *text);
bool health_ready(const struct copy *c, char *text);

/* ---- listen.c */
struct sockaddr_storage;
/* "127.0.0.1:9476" or "[::1]:9476"; 0, or -EINVAL with a message. */
int listen_parse(const char *text, struct sockaddr_storage *sa, struct ns_err *e);
/* A listening socket, and what it was bound to as text; or -errno with a message. */
int listen_open(const char *text, char *bound, size_t len, struct ns_err *e);

/* ---- http.c: owns its thread; borrows board and health until http_stop() */
struct http;
struct http *http_start(
	const struct metrics_conf *c, struct board *b, const struct health *h, struct ns_err *e);
const char *http_address(const struct http *h);
void http_stop(struct http *h);

/* ---- telemetry.c: registers /netspectra/...; @b must live as long as the process */
struct rte_tel_data;
int telemetry_register(struct board *b, struct ns_err *e);
/* The fields of a record as a dictionary. */
int telemetry_record(struct rte_tel_data *d, const struct ns_rec_kind *k, const void *rec);
