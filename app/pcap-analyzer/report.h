/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The report of pcap-analyzer: what the records and the engine's numbers say about a capture.
 *
 * report_put() runs on the sink's thread while the engine runs; the rest on the main thread after
 * ns_engine_run(), when that thread has ended.
 */

#include <ns_engine.h>

#include <stdio.h>

struct report;

/** What the report needs besides records. Borrowed for the call. */
struct report_input {
	const struct ns_engine_stats *stats;
	const struct ns_timeline *timeline;
	const char *const *files;
	unsigned files_n;
	const char *filter; /* or NULL */
	const char *faults; /* one line for each fault of the input, "" for none */
	bool interrupted; /* stopped before the end of the input */
	double wall_s, cpu_s; /* of the whole run */
	/* kinds of the tasks' results in the order of the report; others come behind them */
	const struct ns_rec_kind *const *kinds;
	unsigned kinds_n;
};

/** NULL with errno ENOMEM. */
struct report *report_create(void);
void report_destroy(struct report *r);

/** Sink: takes flow records and the rows of tasks; their kinds must live as long as the report. */
void report_put(void *report, const struct ns_batch *b);

/** 0, or -errno when @p out can not be written or there was no memory while records came. */
int report_text(struct report *r, const struct report_input *in, FILE *out);
int report_json(struct report *r, const struct report_input *in, FILE *out);
