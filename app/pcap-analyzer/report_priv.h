/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What the records sum up to, and the small tools that both reports share.
 *
 *   records ─▶ report_put() ─▶ tables of hosts, services, tunnels, VLANs │ ten largest flows │
 *                              TCP sums │ sample of round trips           ─▶ text or JSON
 *   rows of tasks ─▶             copies, bounded
 *
 * Nothing depends on the order of records (but see table.h for full tables): sums commute, ranks
 * are total orders, and the sample is chosen by the record itself.
 *
 * Writer: the sink's thread; after it has ended, the main thread.
 */

#include "report.h"
#include "table.h"

#include <ns_rec.h>

#define REPORT_ROWS 10 /* of each table */
#define REPORT_KEYS_MAX (UINT32_C(1) << 20) /* of each table of tallies */
#define REPORT_RTTS_MAX (UINT32_C(1) << 20)
#define REPORT_TASK_ROWS 4096 /* kept of each task */
#define REPORT_ENDS 6

/*
 * Round trips of handshakes: all of them while they fit; then those whose record hashes below a
 * limit, which halves each time that there are too many. What is kept in the end is a uniform
 * sample of all, the same one for any order.
 */
struct rtts {
	struct rtt {
		uint64_t hash;
		uint64_t ns;
	} * v;
	uint32_t n, room, max;
	unsigned level; /* kept: hash < 2^64 >> level */
};

struct report_tcp {
	uint64_t flows;
	uint64_t packets;
	uint64_t handshakes; /* with a round trip */
	uint64_t unanswered; /* SYN, and nothing came back */
	uint64_t reset; /* flows with RST */
	uint64_t retransmits;
	uint64_t gaps;
};

/* The rows of one kind that is not flows; report_tasks.c. */
struct report_task {
	struct report_task *next;
	const struct ns_rec_kind *kind;
	const struct ns_rec_field *when; /* tells intervals apart; NULL: there is one */
	uint64_t intervals; /* that rows came from */
	uint64_t interval; /* of the last row */
	uint8_t *rows; /* kind->size octets each, in order of arrival */
	uint32_t n, room;
	uint64_t left_out; /* rows that came and are not among these */
};

struct report {
	int err; /* 0 or -ENOMEM */
	struct table hosts, services, tunnels, vlans;
	struct ns_flow_rec top[REPORT_ROWS];
	unsigned top_n;
	uint64_t flows;
	uint64_t ends[REPORT_ENDS]; /* by reason; 0: any other */
	struct report_tcp tcp;
	struct rtts rtts;
	struct report_task *tasks; /* in order of arrival */
	uint32_t task_rows; /* most rows of one */
};

/* Text that grows; a failed allocation stays in err and is met once, at the end. */
struct rbuf {
	char *text;
	size_t n, size;
	int err;
};

/* With other bounds; for tests. */
struct report *report_create_bounded(uint32_t keys, uint32_t rtts);
int report_text_as(struct report *r, const struct report_input *in, FILE *out, bool utf8);

/* Rows of any other kind; they are copied. Writer: the sink's thread. */
void report_tasks_put(struct report *r, const struct ns_batch *b);
void report_tasks_fini(struct report *r);
/* Calls @c fn for each kind in the order of the report; without rows @c t is NULL. */
void report_tasks_each(const struct report *r, const struct report_input *in,
	void (*fn)(void *ctx, const struct ns_rec_kind *kind, const struct report_task *t),
	void *ctx);
const uint8_t *report_task_row(const struct report_task *t, uint32_t i);
/* The first row of the last interval. */
uint32_t report_task_last(const struct report_task *t);
/* The field of that name, or NULL. */
const struct ns_rec_field *report_field(const struct ns_rec_kind *k, const char *name);
/* Whether it says which interval a row is of, the same for all rows of one. */
bool report_is_interval(const struct ns_rec_field *f);
void report_text_tasks(struct rbuf *b, const struct report *r, const struct report_input *in);

void report_text_tables(struct rbuf *b, const struct report *r, const struct ns_engine_stats *s);

/* Where at most n octets can be put, or NULL; then tell rbuf_took(). */
char *rbuf_room(struct rbuf *b, size_t n);
void rbuf_took(struct rbuf *b, const char *end);
void rbuf_printf(struct rbuf *b, const char *fmt, ...) NS_PRINTF(2, 3);
void rbuf_str(struct rbuf *b, const char *s);
/* What comes from outside must not drive a terminal: no C0 controls, and none of C1 in UTF-8. */
void rbuf_plain(struct rbuf *b, const char *s, size_t n);
/* Writes all to out and frees it; 0 or -errno. */
int rbuf_end(struct rbuf *b, FILE *out);

/* One row of the table of protocols. */
struct proto_row {
	struct ns_proto_count c;
	uint16_t number; /* IP protocol or EtherType */
	bool ip;
	bool rest; /* EtherTypes that have no row of their own */
};
#define REPORT_PROTOS (256 + NS_L2_PROTOS)

/* All protocols with packets, most octets first; returns how many. */
unsigned report_protos(const struct ns_engine_stats *s, struct proto_row rows[REPORT_PROTOS]);
/* Names into buf (>= 32), which they return. */
char *report_proto_name(char *buf, const struct proto_row *p);
char *report_linktype_name(char *buf, unsigned linktype);

/* Names of keys into buf (>= 64), which they return. */
char *report_host_name(char *buf, const struct tally *t);
char *report_service_name(char *buf, const struct tally *t); /* "tcp/443" */
const char *report_service_known(const struct tally *t); /* "https" or NULL */
char *report_tunnel_name(char *buf, const struct tally *t);
char *report_vlan_name(char *buf, const struct tally *t);
const char *report_end_name(unsigned reason);

/* The p-th percentile (1..100) by nearest rank; 0 when there is none. */
uint64_t report_rtt(const struct rtts *r, unsigned percent);

/* Packets that the lcores saw: those that the filter refused are in no octets and no rates. */
uint64_t report_packets(const struct ns_engine_stats *s);
double report_seconds(const struct ns_engine_stats *s);
