/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Batches of records as entries of a spool, and back.
 *
 * An entry says which kind its records are of, in which version and in which layout. The layout
 * itself lies beside the segments, once: records that an older program left are read by what it
 * wrote down, not by what this program believes. A registered kind ("flow") whose layout is
 * another one now is converted by the names of its fields; what can't be is skipped and counted.
 */

#include <ns_spool.h>
#include <ns_write.h>

/** The writer's side; used by one thread at a time. */
struct ns_spool_encoder;

/** Borrows @p sp until it is destroyed. NULL with ENOMEM. */
struct ns_spool_encoder *ns_spool_encoder_create(struct ns_spool *sp);
void ns_spool_encoder_destroy(struct ns_spool_encoder *c);

/**
 * Appends a batch as one entry. 0, or -errno as ns_spool_append(), which counts; when the layout
 * can't be written down nothing is appended, and *uncounted grows by the records.
 */
int ns_spool_put(struct ns_spool_encoder *c, const struct ns_batch *b, uint64_t *uncounted);

/** Octets of the entry of that batch. */
size_t ns_spool_put_size(const struct ns_batch *b);

/** The reader's side; used by one thread at a time. */
struct ns_spool_decoder;

struct ns_spool_decoded {
	uint64_t converted; /**< records */
	uint64_t skipped; /**< records of a layout that can't be converted, or is not known */
};

/**
 * @p directory: of the spool, for the layouts; @p source: as ns_spool_source(), borrowed. NULL with
 * ENOMEM. Kinds that it makes live as long as it does.
 */
struct ns_spool_decoder *ns_spool_decoder_create(int directory, const char *source);
void ns_spool_decoder_destroy(struct ns_spool_decoder *d);

/**
 * The batch of an entry, valid until the next call or the next ns_spool_read(). 1, 0 when it is
 * skipped (counted, and said once for each layout), or -ENOMEM.
 */
int ns_spool_get(struct ns_spool_decoder *d, const struct ns_spool_entry *x, struct ns_batch *b);

/** Atomic; any thread. */
void ns_spool_decoded(const struct ns_spool_decoder *d, struct ns_spool_decoded *s);
