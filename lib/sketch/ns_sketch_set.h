/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The sketches of one task over some time, as octets that leave the process: what a node counted,
 * so that somebody else can merge it with what other nodes counted.
 *
 * A task may have one sketch, or one for each value of a dimension; a label, any octets, tells them
 * apart. set_wire.c draws the serialised form, doc/wire.md tells it to readers in any language.
 *
 * What is merged must mean the same: type, parameters and hash, but also which keys of which
 * packets were added. `what` says that in words, and sets whose words differ do not merge.
 */

#include <ns_sketch_any.h>

#define NS_SKETCH_SET_VERSION 1
#define NS_SKETCH_SET_HASH 1 /**< ns_hash_words() and ns_hash64() */
#define NS_SKETCH_SET_NAME_MAX 64 /**< octets of task and type */
#define NS_SKETCH_SET_WHAT_MAX 8192
#define NS_SKETCH_SET_LABEL_MAX 1024
#define NS_SKETCH_SET_PARTS_MAX 8192

struct ns_sketch_part {
	const uint8_t *label; /**< NULL when it has no octets */
	uint32_t label_len;
	struct ns_sketch sketch;
};

struct ns_sketch_set {
	const char *task, *type; /**< names: of the task, and "cardinality", ... */
	const char *what; /**< what was added, for people and to be compared */
	uint64_t seed;
	uint64_t start_ns, end_ns; /**< since 1970: begin, and end (not in it) */
	uint64_t epoch; /**< number of the last epoch in it */
	uint32_t parts_n;
	struct ns_sketch_part *parts; /**< ascending by label (memcmp, then the shorter one) */
};

/** Brings the parts into order; -EEXIST when two have the same label. */
int ns_sketch_set_sort(struct ns_sketch_set *s);

/** Octets that ns_sketch_set_write() puts now. */
size_t ns_sketch_set_write_size(const struct ns_sketch_set *s);
/** Serialises a set in order. Octets put, or 0 with ENOMEM. */
size_t ns_sketch_set_write(const struct ns_sketch_set *s, uint8_t *out);

/**
 * A set of its own out of octets of any origin; it writes itself again to the same octets. NULL
 * with errno EBADMSG or ENOMEM and a message that names the octet.
 */
struct ns_sketch_set *ns_sketch_set_parse(const uint8_t *in, size_t len, struct ns_err *e);
/** Of a parsed set only. NULL is fine. */
void ns_sketch_set_destroy(struct ns_sketch_set *s);

/**
 * Adds parsed set @p from to the parsed set @p into and takes out of it the parts whose labels
 * @p into lacks; what is left is for ns_sketch_set_destroy(). The time is that of both. -EINVAL
 * with a message that says in what they differ, -ENOMEM: nothing has changed; -EOVERFLOW: @p into
 * is of no use any more.
 */
int ns_sketch_set_merge(struct ns_sketch_set *into, struct ns_sketch_set *from, struct ns_err *e);

/** Compares labels: below, equal to or above 0. */
int ns_sketch_part_order(const struct ns_sketch_part *a, const struct ns_sketch_part *b);
