/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a request is answered with: runs the command, collects its records and lines, and makes a
 * table or JSON of them. Main thread.
 */

#include "buf.h"
#include "words.h"

#include <ns_command.h>

#define ANSWER_MAX                                                                    \
	(4u << 20) /* octets of an answer, and of the records that wait for its table \
		    */
#define ANSWER_RECORDS 5000 /* records of an answer: more is for a writer */

enum answer_status { ANSWER_OK, ANSWER_ERROR, ANSWER_BYE, ANSWER_PART };

struct answer {
	struct request request; /* its line is there while the first part is made */
	enum answer_status status;
	/* ANSWER_PART: goes on with answer_go_on(), or ends with answer_stop() */
	const struct ns_command *command;
	void *state; /* the command's */
	struct buf body;
	/* records of one kind that wait for the others of their table */
	struct buf records;
	const struct ns_rec_kind *kind;
	size_t records_n; /* of the whole answer */
	size_t left_out;
};

/* Answers a request of one line without its end. What the answer holds is freed by answer_free().
 */
void answer_make(struct answer *a, const char *request_line, struct ns_engine *en);
void answer_free(struct answer *a);
/* The next part of an answer of which the last one said ANSWER_PART; its body may be empty. */
void answer_go_on(struct answer *a, struct ns_engine *en);
/* There will be no next part: nobody wants it. Any answer. */
void answer_stop(struct answer *a, struct ns_engine *en);

/* The answer that is only a message. */
void answer_error(struct answer *a, const char *text);

/* The answer behind what a command is given, or NULL when it is somebody else's. */
struct answer *answer_of(const struct ns_command_out *out);

/* The first line: status, octets that follow; returns its length. */
size_t answer_head(const struct answer *a, char line[40]);

/* Completion: lines of words that the last word of @p line may become. */
void complete(struct answer *a, const char *line, struct ns_engine *en);
