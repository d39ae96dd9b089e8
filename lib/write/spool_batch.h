/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * An entry of records:
 *
 *	| format 4 | version 4 | layout 8 | rows 4 | octets of a row 4 | length of name 4 | name |
 *rows | up to a multiple of 8
 */

#include "ns_spool_batch.h"

#define BATCH_FORMAT 1u
#define BATCH_NAME_MAX 128u

struct batch_head {
	uint32_t format;
	uint32_t version;
	uint64_t layout;
	uint32_t rows;
	uint32_t row;
	uint32_t name_len;
	uint32_t zero;
};
_Static_assert(sizeof(struct batch_head) == 32, "head of an entry of records");

/* A kind that was read from a layout; kind.name and fields point into it. */
struct layout_kind {
	struct ns_rec_kind kind;
	char name[BATCH_NAME_MAX];
	struct ns_rec_field *fields;
	char (*names)[64]; /* of fields, and units behind them */
};

/* Of all that a reader of the octets must know; the same for the same kind in every program. */
uint64_t layout_hash(const struct ns_rec_kind *k);

/* Writes the layout down, unless it is there; 0 or -errno. */
int layout_save(int directory, const struct ns_rec_kind *k, uint64_t hash);

/* NULL with errno: ENOENT, EBADMSG (damaged), ENOMEM. */
struct layout_kind *layout_load(int directory, uint64_t hash);

/* From octets, of anywhere: NULL with EBADMSG or ENOMEM. */
struct layout_kind *layout_parse(const uint8_t *p, size_t n);
void layout_free(struct layout_kind *k);

/*
 * Where each field of a kind comes from in records of another layout; NULL with errno: EINVAL when
 * there is no honest way, and *why says which field.
 */
struct convert {
	const struct ns_rec_kind *from, *to;
	int source[]; /* for each field of to: of from, or -1 */
};
struct convert *convert_create(
	const struct ns_rec_kind *from, const struct ns_rec_kind *to, struct ns_err *why);
void convert_row(const struct convert *c, const uint8_t *from, uint8_t *to);
