/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The exact answer beside a sketch, for types that estimate: with verify a table of all things
 * stands behind the sketch in the state.
 *
 *   state   | sketch | table: ns_sample |
 *                    ^ at, a whole line
 *
 * Without verify there is no table, and all of this does nothing.
 */

#include <ns_sample.h>
#include <ns_task.h>

struct ns_task_exact {
	size_t at;
	struct ns_sample_conf conf; /**< slots 0: no table */
};

/**
 * The table behind @p sketch octets of a state, as the task wants it: keys of @p key_len octets (0:
 * hashes alone) with @p values sums each. Main.
 */
struct ns_task_exact ns_task_exact(
	const struct ns_task_build *b, size_t sketch, uint16_t key_len, uint8_t values);

/** Octets of the whole state. */
size_t ns_task_exact_size(const struct ns_task_exact *x);
/** In zeroed memory. */
void ns_task_exact_init(const struct ns_task_exact *x, void *state);
void ns_task_exact_reset(const struct ns_task_exact *x, void *state);
/** 0 or -errno. */
int ns_task_exact_merge(const struct ns_task_exact *x, void *into, const void *from);

/** The table; NULL: there is none. */
static inline struct ns_sample *ns_task_exact_table(
	const struct ns_task_exact *x, const void *state)
{
	return x->conf.slots > 0 ? (struct ns_sample *)((uintptr_t)state + x->at) : NULL;
}

/** As ns_sample_add_bulk(). The state's lcore. */
static inline void ns_task_exact_add(const struct ns_task_exact *x, void *state,
	const uint64_t *hash, const uint8_t *keys, unsigned stride, const uint64_t *const *values,
	unsigned n)
{
	struct ns_sample *s = ns_task_exact_table(x, state);

	if (s != NULL)
		ns_sample_add_bulk(s, hash, keys, stride, values, n);
}

/** Whether the table has everything, so that what is counted in it is the truth. */
static inline bool ns_task_exact_whole(const struct ns_task_exact *x, const void *state)
{
	const struct ns_sample *s = ns_task_exact_table(x, state);

	return s != NULL && ns_sample_rate(s) >= 1;
}
