/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Streams whose hooks write down what came, octet by octet. */

#include "ns_test.h"

#include <ns_stream.h>

#include <string.h>

#define KEPT 4096
#define MISSING (-1)
#define MS UINT64_C(1000000)

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct kept {
	int16_t octet[KEPT]; /* MISSING: in a gap */
	uint64_t n;
	unsigned calls, gaps, ends;
	enum ns_stream_end how;
	uint64_t most; /* octets wanted, 0: all */
};

struct seen {
	struct kept dir[2];
	bool wrong; /* a hook was called for what cannot be */
};

static inline bool keep_data(void *ctx, unsigned dir, const struct ns_stream_data *d)
{
	struct seen *x = ctx;
	struct kept *k = &x->dir[dir];

	x->wrong |= d->off != k->n || d->len == 0 || k->ends > 0 || k->n + d->len > KEPT;
	for (uint32_t i = 0; i < d->len && k->n < KEPT; i++)
		k->octet[k->n++] = d->data[i];
	k->calls++;
	return k->most == 0 || k->n < k->most;
}

static inline bool keep_gap(void *ctx, unsigned dir, uint64_t off, uint64_t len)
{
	struct seen *x = ctx;
	struct kept *k = &x->dir[dir];

	x->wrong |= off != k->n || len == 0 || k->ends > 0;
	for (uint64_t i = 0; i < len && k->n < KEPT; i++)
		k->octet[k->n++] = MISSING;
	k->gaps++;
	return true;
}

static inline void keep_end(void *ctx, unsigned dir, uint64_t off, enum ns_stream_end how)
{
	struct seen *x = ctx;
	struct kept *k = &x->dir[dir];

	x->wrong |= k->ends > 0 || (off != k->n && k->n < KEPT);
	k->how = how;
	k->ends++;
}

static const struct ns_stream_ops keep_ops = {keep_data, keep_gap, keep_end};
