/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a thing counts for: "by: octets". For types that weigh keys, so that the words mean the same
 * in all of them.
 *
 *	by           of: packets   of: flows (both directions together)
 *	packets      1             packets + rev_packets
 *	octets       l2_octets     l2_octets + rev_l2_octets
 *	ip_octets    ip_octets     ip_octets + rev_ip_octets
 *	flows                      1
 */

#include <ns_task.h>

enum ns_task_by {
	NS_TASK_BY_PACKETS,
	NS_TASK_BY_OCTETS,
	NS_TASK_BY_IP_OCTETS,
	NS_TASK_BY_FLOWS,
	NS_TASK_BY_N
};

/** Their words, for CYAML_FIELD_ENUM. */
extern const cyaml_strval_t ns_task_by_words[NS_TASK_BY_N];

/** "packets", "octets" or "flows": unit, and name of a column. */
const char *ns_task_by_unit(int by);

/** For a type's check(): whether @p by goes with what the task looks at. 0 or -EINVAL. */
int ns_task_check_by(
	const struct ns_task_conf *c, const char *name, int by, const char **key, struct ns_err *e);

/** How a task gets the weights of a burst. */
struct ns_task_weight {
	unsigned values_n; /**< numbers that are added up; 0: each thing counts 1 */
	unsigned value[2]; /**< numbers of ns_task_value() */
};

/** Asks for what @p by takes. 0 or -errno with a message. */
int ns_task_weight(struct ns_task_build *b, const struct ns_task_conf *c, int by,
	struct ns_task_weight *w, struct ns_err *e);

/** All ones. */
extern const uint64_t ns_task_ones[NS_TASK_BURST];

/** The weights of a burst: a column of it, ns_task_ones, or sums in @p buf. Any lcore. */
static inline const uint64_t *ns_task_weigh(
	const struct ns_task_weight *w, const struct ns_task_cols *c, uint64_t buf[NS_TASK_BURST])
{
	if (w->values_n == 0)
		return ns_task_ones;
	const uint64_t *a = c->values[w->value[0]];

	if (w->values_n == 1)
		return a;
	const uint64_t *b = c->values[w->value[1]];

	for (unsigned i = 0; i < c->n; i++)
		buf[i] = a[i] + b[i];
	return buf;
}

/** For sketches that take NULL for "1 each" and have a shorter way then. */
static inline const uint64_t *ns_task_or_null(const uint64_t *weights)
{
	return weights != ns_task_ones ? weights : NULL;
}
