/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The program around it: options, answers, and what there is to do. */

#include "perf.h"

#include <stdio.h>

/* --- answers (perf_out.c) -------------------------------------------------------------------- */

/** One line: medians are of @c n rounds. */
struct perf_line {
	char name[48];
	bool stage; /* a part, as it stands in the whole; otherwise a whole */
	const char *traffic;
	uint32_t flows;
	uint64_t rate;
	enum perf_draw draw;
	double v[PERF_ROUNDS_MAX]; /* ns a packet */
	unsigned n;
	uint64_t in_table; /* flows, afterwards */
};

/** A single number, and what it has to be. */
struct perf_value {
	char name[96];
	const char *unit;
	double value;
	double bar;
	enum { PERF_NO_BAR, PERF_AT_MOST, PERF_AT_LEAST } kind;
};

struct perf_answers {
	struct perf_line *line;
	unsigned n, room;
	struct perf_value *value;
	unsigned values_n, values_room;
};

/** Adds @p ns to the line of that name, which is made if there is none. */
struct perf_line *perf_add(struct perf_answers *a, const char *traffic, const struct perf_bed *b,
	enum perf_draw draw, bool stage, const char *name, double ns);
/** Median and least of a line; 0 when it is NULL. */
double perf_median(const struct perf_line *l);
double perf_least(const struct perf_line *l);
/** The middle one of the rounds' ratios. */
double perf_ratio(const struct perf_line *l, const struct perf_line *to);
/** The line of that name that is about the same packets as @p like, or NULL. */
const struct perf_line *perf_like(
	const struct perf_answers *a, const struct perf_line *like, const char *name);
void perf_print(const struct perf_answers *a, unsigned from, FILE *f);
/** Adds a number; printed at once. */
void perf_value(struct perf_answers *a, const char *name, const char *unit, double value);
/** The same with a bar that it has to meet. */
void perf_bar(struct perf_answers *a, const char *name, const char *unit, double value, int kind,
	double bar);
/** Whether a value meets its bar; true without one. */
bool perf_met(const struct perf_value *v);

/* --- the program (perf_main.c, perf_options.c) ----------------------------------------------- */

#define PERF_LIST_MAX 16
#define PERF_TASKS_MAX 32

struct perf_options {
	const char *traffic[PERF_LIST_MAX];
	unsigned traffic_n;
	uint64_t flows[PERF_LIST_MAX], rates[PERF_LIST_MAX];
	unsigned flows_n, rates_n;
	bool draw[PERF_DRAWS];
	bool matrix, pipeline, port, latency, churn, memory; /* what to do */
	bool stages, only_core, quick, check;
	unsigned rounds;
	uint64_t packets;
	uint32_t ring;
	double pps;
	double seconds; /* of latency and churn */
	uint32_t churn_flows;
	const char *json;
	const char *conf[PERF_LIST_MAX]; /* KEY=VALUE */
	unsigned conf_n;
};

struct perf_bench {
	struct perf_options o;
	struct ns_conf *conf;
	struct perf_lcore l;
	struct perf_answers a;
	struct perf_tasks *core, *all, *each[PERF_TASKS_MAX];
	unsigned each_n;
	uint64_t packets; /* received by other lcores than l */
};

/** Reads the command line; ends the program when it is wrong. */
void perf_options(int argc, char **argv, struct perf_options *o);

/* What there is to do; each 0 or -errno with a message. */
int perf_matrix(struct perf_bench *b, struct ns_err *e);
int perf_pipeline(struct perf_bench *b, struct ns_err *e);
int perf_port(struct perf_bench *b, struct ns_err *e);
int perf_latency(struct perf_bench *b, struct ns_err *e);
int perf_churn(struct perf_bench *b, struct ns_err *e);
int perf_memory(struct perf_bench *b, struct ns_err *e);
int perf_json(const struct perf_bench *b, struct ns_err *e);
/** Prints each bar, and whether it is met; whether all are. */
bool perf_check(struct perf_bench *b);

/* --- what a machine makes packets wait for (perf_constant.c) --------------------------------- */

struct perf_constant;

/** A server with so many octets of memory; NULL with errno. */
struct perf_constant *perf_constant_create(size_t size);
void perf_constant_destroy(struct perf_constant *c);
/** A packet is to take @p ns from now on, undisturbed; takes some milliseconds itself. */
void perf_constant_set(struct perf_constant *c, double tsc_ns, double ns);
/** Serves @p n packets. */
void perf_constant_serve(struct perf_constant *c, uint32_t n);
