/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The sketches of a task on their way to a writer that asked for them (ns_writer_ops.sketches). A
 * batch of this kind has one record, and the octets that it is about in ns_batch.blob: a set of
 * sketches as lib/sketch writes it. It comes behind the rows of all tasks of the same time and
 * before the "epoch" record that closes it.
 *
 * The octets belong to the batch: a writer borrows them during put(), and whoever finishes last
 * with the batch frees them.
 */

#include <ns_rec.h>

/** Kind "sketches". */
struct ns_blob_rec {
	char task[48];
	char type[16];
	uint64_t start_ns, end_ns; /**< since 1970: begin, and end (not in it) */
	uint64_t epoch; /**< number of the last epoch in it */
	uint64_t octets;
};
extern const struct ns_rec_kind ns_blob_rec_kind;
