/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of an older layout as records of today's, field by field, by name. Nothing is made up: a
 * field that the old records do not have is empty, and without one that is part of what a record is
 * (NS_REC_KEY) there is no conversion; neither is there one that would cut a value.
 */
#include "spool_batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool whole(enum ns_rec_type t)
{
	return t == NS_REC_U8 || t == NS_REC_U16 || t == NS_REC_U32 || t == NS_REC_U64;
}

/* Octets can be copied to the front of the new field: all of them little-endian, or text. */
static bool fits(const struct ns_rec_field *from, const struct ns_rec_field *to)
{
	if (from->type != to->type && !(whole(from->type) && whole(to->type)))
		return false;
	return from->size <= to->size;
}

static int field_of(const struct ns_rec_kind *k, const char *name)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		if (strcmp(k->fields[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static bool plan(struct convert *c, unsigned i, struct ns_err *why)
{
	const struct ns_rec_field *to = &c->to->fields[i];
	int at = field_of(c->from, to->name);

	c->source[i] = at;
	if (at < 0 && (to->flags & NS_REC_KEY) != 0) {
		ns_fail(why, EINVAL, "they have no \"%s\"", to->name);
		return false;
	}
	if (at >= 0 && !fits(&c->from->fields[at], to)) {
		ns_fail(why, EINVAL, "their \"%s\" is of another type", to->name);
		return false;
	}
	return true;
}

struct convert *convert_create(
	const struct ns_rec_kind *from, const struct ns_rec_kind *to, struct ns_err *why)
{
	struct convert *c;

	if (from->version != to->version) {
		ns_fail(why, EINVAL, "they have version %u, this program's have version %u",
			from->version, to->version);
		return NULL;
	}
	c = calloc(1, sizeof(*c) + to->fields_n * sizeof(c->source[0]));
	if (c == NULL)
		return ns_errno_null(ENOMEM);
	c->from = from;
	c->to = to;
	for (unsigned i = 0; i < to->fields_n; i++) {
		if (!plan(c, i, why)) {
			free(c);
			return ns_errno_null(EINVAL);
		}
	}
	return c;
}

void convert_row(const struct convert *c, const uint8_t *from, uint8_t *to)
{
	const double nan_value = (double)NAN;

	memset(to, 0, c->to->size);
	for (unsigned i = 0; i < c->to->fields_n; i++) {
		const struct ns_rec_field *f = &c->to->fields[i];
		int s = c->source[i];

		if (s >= 0)
			memcpy(to + f->offset, from + c->from->fields[s].offset,
				c->from->fields[s].size);
		else if (f->type == NS_REC_F64 && (f->flags & NS_REC_EMPTY_NAN) != 0)
			memcpy(to + f->offset, &nan_value, sizeof(nan_value));
	}
}
