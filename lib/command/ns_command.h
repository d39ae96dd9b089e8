/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Commands that people and scripts give to a running engine. The room that knows the answer
 * registers the command; the console only finds it, completes it and prints what it says.
 *
 *	static int show(struct ns_command_call *c, struct ns_err *e) { ... }
 *	static struct ns_command lcores = {.name = "show lcores",
 *		.help = "what each lcore does", .run = show};
 *	NS_COMMAND_REGISTER(lcores)
 *
 * An answer is records, which become a table for people and JSON for scripts, or lines of text. One
 * that comes bit by bit says NS_COMMAND_MORE and is asked again until it is complete:
 *
 *	run() NS_COMMAND_MORE ─▶ run() NS_COMMAND_MORE ─▶ ... ─▶ run() 0 or -errno
 *	                      └▶ end(): nobody waits any more
 *
 * Registration links static structs before main(); all else is the main thread's, which is
 * control's.
 */

#include <ns_base.h>
#include <ns_rec.h>

struct ns_engine;

/** Where an answer goes; the console's. Any of them may be called any number of times. */
struct ns_command_out {
	void (*record)(void *ctx, const struct ns_rec_kind *kind, const void *rec);
	void (*text)(void *ctx, const char *text); /**< one line, without its end */
	void *ctx;
};

/** One call; borrowed by run() until it returns. */
struct ns_command_call {
	struct ns_engine *engine; /**< NULL: none runs */
	unsigned argc; /**< words behind the command's name */
	const char *const *argv;
	const struct ns_command_out *out;
	unsigned columns; /**< of the terminal that the answer is for; 0: any width */
	bool exact; /**< for a program: records where people are better served by lines */
	void *state; /**< the command's own between calls for one answer; NULL at the first */
};

/** What run() returns when there is more to come: it is called again within 20 ms or so. */
#define NS_COMMAND_MORE 1

#define NS_COMMAND_ARGS 64

struct ns_command {
	struct ns_command *next;
	const char *name; /**< words with one blank between: "show lcores"; unique */
	const char *args; /**< "[top N] [by FIELD]"; NULL: none, and none are taken */
	const char *help; /**< one line */
	bool whole; /**< its words are never taken when cut short: it can't be undone */
	bool changes; /**< does something, rather than show it: no console repeats it by itself */
	/**
	 * Answers through ns_command_record() and ns_command_text(); 0, or -errno with a message
	 * that names the word. Does not block for longer than a tenth of a second: what takes
	 * longer returns NS_COMMAND_MORE and keeps what it needs in c->state. argc is 0 at all
	 * calls but the first. Only a command that `changes` may do so.
	 */
	int (*run)(struct ns_command_call *c, struct ns_err *e);
	/**
	 * Nobody waits for the rest of an answer that said NS_COMMAND_MORE: c has engine and state
	 * alone. NULL: there is nothing to tidy up.
	 */
	void (*end)(struct ns_command_call *c);
	/**
	 * Offers words that may follow argv[0..argc-2] and begin with argv[argc-1], each as a line
	 * of text; NULL: none.
	 */
	void (*complete)(struct ns_command_call *c);
};

void ns_command_link(struct ns_command *c);

#define NS_COMMAND_REGISTER(ident)                                         \
	__attribute__((constructor)) static void ns_register_##ident(void) \
	{                                                                  \
		ns_command_link(&(ident));                                 \
	}

/** Sorts by name and refuses doubles: 0 or -EEXIST with a message. Main thread, at start. */
int ns_command_seal(struct ns_err *e);

/** The command after @p prev in order of name (NULL: the first); NULL at the end. */
const struct ns_command *ns_command_next(const struct ns_command *prev);

/**
 * The command whose name are the first words of @p words, the longest one; *used gets how many. A
 * word may be cut short where only one command begins so ("sh lc"). NULL with -ENOENT's errno and a
 * message that says what there is instead; -EINVAL when several begin so.
 */
const struct ns_command *ns_command_find(
	const char *const *words, unsigned n, unsigned *used, struct ns_err *e);

/** Hands a record on. */
static inline void ns_command_record(
	struct ns_command_call *c, const struct ns_rec_kind *kind, const void *rec)
{
	c->out->record(c->out->ctx, kind, rec);
}

/** Hands a line of text on, at most 1023 octets. */
void ns_command_text(struct ns_command_call *c, const char *fmt, ...) NS_PRINTF(2, 3);
