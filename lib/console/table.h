/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Records of one kind as a table that fits a terminal. What no record has is left out. A table that
 * is too wide gives up what is missed least, one thing after the other:
 *
 *   units in the head  ─▶  what is the same in all rows stands in a line above  ─▶  texts are cut
 *   ─▶  the last columns that are no key are left out and named  ─▶  each record by itself, a line
 *   a field
 *
 * Pure; any thread.
 */

#include "buf.h"

#include <ns_rec.h>

/* Puts @p n records, kind->size octets each, one behind the other; @p columns 0: any width. */
void table_put(struct buf *b, const struct ns_rec_kind *k, const uint8_t *records, size_t n,
	unsigned columns);
