/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What commands make of their words. Main thread. */

#include <ns_command.h>

/**
 * "500", "10k", "2M", "1G" (1000 each), from 1 to @p max. 0, or -EINVAL with a message that begins
 * with @p key; @p text NULL: there is no such word.
 */
int ns_command_number(
	const char *key, const char *text, uint64_t max, uint64_t *v, struct ns_err *e);

/**
 * The words argv[from] to argv[to - 1] with a blank between two: an expression that may be in
 * quotes or not. 0; -EINVAL: there is none; -E2BIG; with a message that begins with @p key.
 */
int ns_command_join(const struct ns_command_call *c, unsigned from, unsigned to, const char *key,
	char *out, size_t len, struct ns_err *e);

/** Completion: offers @p word, if it begins as the last word of the call does. */
void ns_command_offer(struct ns_command_call *c, const char *word);

/** Whether "stop [ID|all]" is about the one of number @p id; @p word NULL: all that run. */
bool ns_command_means(const char *word, uint32_t id, bool runs);
