/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "netspectra.pb-c.h"
#include "ns_wire.h"

#include <stdlib.h>
#include <string.h>

typedef Netspectra__V1__Envelope pb_envelope;
typedef Netspectra__V1__Table pb_table;
typedef Netspectra__V1__Column pb_column;

/*
 * What protobuf-c asks for while one message is encoded: thousands of little things that all go at
 * once. A block that was too small is replaced by one that holds it all when the message is done.
 */
struct wire_arena {
	struct wire_block *blocks; /* the newest first */
	size_t wanted; /* octets of this message so far */
};

void *wire_alloc(struct wire_arena *a, size_t n); /* zeroed; NULL with ENOMEM */
void wire_arena_reset(struct wire_arena *a);
void wire_arena_destroy(struct wire_arena *a);

/*
 * How often compressing is tried: less and less while it does not pay. One for each body, and one
 * for sketches, of which some shrink and some do not, whatever rows do.
 */
struct wire_try {
	unsigned skip; /* messages that are not tried before the next one that is */
	unsigned back_off;
};

enum { WIRE_TRY_SKETCHES = NS_WIRE_HEALTH + 1, WIRE_TRIES };

struct ns_wire {
	struct ns_wire_args args;
	struct wire_arena arena;
	size_t bound; /* octets that the body takes at most */
	uint8_t *body, *out;
	size_t body_size, out_size;
	struct wire_try tries[WIRE_TRIES];
	void *zstd; /* ZSTD_CCtx */
};

/* The table of records, in the arena; adds to w->bound. NULL with ENOMEM. */
pb_table *wire_table(struct ns_wire *w, const struct ns_wire_records *r);

/*
 * Fills a message's fields from those of the same name of a record; strings are in the arena.
 * 0 or -ENOMEM.
 */
int wire_fill(struct wire_arena *a, ProtobufCMessage *m, const struct ns_rec_kind *kind,
	const void *record);

/* A string as UTF-8 with a zero behind it: the record's own, or a copy. NULL with ENOMEM. */
char *wire_string(struct wire_arena *a, const struct ns_rec_field *f, const void *rec);
