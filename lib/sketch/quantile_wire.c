/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The serialised form of a quantile sketch, version 1. The head is ns_sketch.h's; numbers are
 * little-endian.
 *
 *   24  32    40    48        56         64
 *   | k | min | max | sum low | sum high | run | run ...
 *
 * A run is a stretch of counters that are not 0, three kinds of varint:
 *
 *   | counters of 0 before it | counters in it, 1.. | each counter ...
 *
 * A varint is LEB128: seven bits an octet, the lowest first, the top bit set but in the last octet,
 * and as short as can be. All but the first run come after one counter of 0 at least, so that each
 * sketch has one form only. An empty sketch has no run and is zero from 32 on, to 64.
 */
#include "quantile_priv.h"

#include <stdlib.h>

#define VERSION 1
#define FIXED 40 /* octets of the body before the runs */
#define VARINT_MAX 10

static uint8_t *varint_put(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

/* Octets read, or 0: it does not end, is longer than it need be, or above 64 bits. */
static unsigned varint_get(uint64_t *v, const uint8_t *p, size_t len)
{
	*v = 0;
	for (unsigned i = 0; i < NS_MIN(len, (size_t)VARINT_MAX); i++) {
		*v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (p[i] & 0x80)
			continue;
		return (i > 0 && p[i] == 0) || (i == VARINT_MAX - 1 && p[i] > 1) ? 0 : i + 1;
	}
	return 0;
}

/* Writes the runs at p, or measures them alone when p is NULL. */
static size_t runs_put(const struct ns_quantile *q, uint8_t *p)
{
	uint8_t room[VARINT_MAX] = {0};
	size_t size = 0;

	for (uint32_t i = 0, from = 0, to; i < q->buckets; i = from = to) {
		while (i < q->buckets && q->counter[i] == 0)
			i++;
		if (i == q->buckets)
			break;
		for (to = i; to < q->buckets && q->counter[to] != 0; to++)
			;
		for (uint32_t c = 0; c < to - i + 2; c++) {
			uint64_t v = c == 0 ? i - from : c == 1 ? to - i : q->counter[i + c - 2];
			uint8_t *at = p != NULL ? p + size : room;

			size += (size_t)(varint_put(at, v) - at);
		}
	}
	return size;
}

size_t ns_quantile_write_size(const struct ns_quantile *q)
{
	return NS_SKETCH_HEAD + FIXED + runs_put(q, NULL);
}

size_t ns_quantile_write(const struct ns_quantile *q, uint8_t *out)
{
	struct ns_sketch_head h = {.type = NS_SKETCH_QUANTILE, .version = VERSION, .seed = q->seed};
	uint8_t *p;

	h.body = FIXED + runs_put(q, NULL);
	p = ns_sketch_head_put(out, &h);
	p = ns_le_put64(p, q->k);
	p = ns_le_put64(p, ns_quantile_min(q));
	p = ns_le_put64(p, q->max);
	p = ns_le_put64(p, q->sum_low);
	p = ns_le_put64(p, q->sum_high);
	return (size_t)(p - out) + runs_put(q, p);
}

struct reading {
	const uint8_t *in;
	size_t at, len;
	struct ns_err *e;
};

static int bad(const struct reading *r, size_t at, const char *what)
{
	return ns_fail(r->e, EBADMSG, "quantile sketch: octet %zu: %s", at, what);
}

static int number(struct reading *r, uint64_t *v)
{
	unsigned n = varint_get(v, r->in + r->at, r->len - r->at);

	if (n == 0)
		return bad(r, r->at, "no number");
	r->at += n;
	return 0;
}

static int parse_runs(struct reading *r, struct ns_quantile *q)
{
	uint32_t i = 0;
	uint64_t zeros, n;

	while (r->at < r->len) {
		size_t start = r->at;

		if (number(r, &zeros) < 0 || number(r, &n) < 0)
			return -EBADMSG;
		if ((i > 0 && zeros == 0) || zeros >= q->buckets - i || n == 0 ||
			n > q->buckets - i - zeros)
			return bad(r, start, "a run that does not fit");
		for (i += (uint32_t)zeros; n > 0; n--, i++) {
			start = r->at;
			if (number(r, &q->counter[i]) < 0)
				return -EBADMSG;
			if (q->counter[i] == 0 || q->count + q->counter[i] < q->count)
				return bad(r, start, "a counter that can't be");
			q->count += q->counter[i];
		}
	}
	return 0;
}

/* Whether min, max and sum are what values of these counters can have. */
static int check(const struct reading *r, const struct ns_quantile *q)
{
	unsigned __int128 least = 0, most = 0;
	uint32_t first = q->buckets, last = 0;

	for (uint32_t i = 0; i < q->buckets; i++) {
		unsigned shift;
		uint64_t low = bucket_low(i, q->k, &shift);

		if (q->counter[i] == 0)
			continue;
		first = NS_MIN(first, i);
		last = i;
		least += (unsigned __int128)q->counter[i] * low;
		most += (unsigned __int128)q->counter[i] * (low + ((UINT64_C(1) << shift) - 1));
	}
	if (q->count == 0 ? q->min != UINT64_MAX || q->max != 0 || sum_get(q) != 0
			  : bucket_of(q->min, q->k) != first || bucket_of(q->max, q->k) != last ||
				    q->min > q->max)
		return bad(r, NS_SKETCH_HEAD + 8, "least and highest are not in their counters");
	if (q->count == 1 && (q->min != q->max || sum_get(q) != q->min))
		return bad(r, NS_SKETCH_HEAD + 8, "one value is least, highest and sum");
	if (sum_get(q) < least || sum_get(q) > most)
		return bad(r, NS_SKETCH_HEAD + 24, "a sum that the counters can't have");
	return 0;
}

struct ns_quantile *ns_quantile_parse(const uint8_t *in, size_t len, struct ns_err *e)
{
	struct ns_sketch_head h;
	struct reading r = {in, NS_SKETCH_HEAD, len, e};

	if (ns_sketch_head_get(&h, in, len, NS_SKETCH_QUANTILE, VERSION, e) < 0)
		return NULL;
	if (h.body < FIXED) {
		bad(&r, r.at, "a body that is too short");
		return NULL;
	}
	const uint8_t *p = in + NS_SKETCH_HEAD;
	uint64_t k = ns_le_get64(p);

	if (k < K_MIN || k > K_MAX) {
		bad(&r, r.at, "an error that can't be configured");
		return NULL;
	}
	void *mem = ns_sketch_alloc(quantile_size((unsigned)k));

	if (mem == NULL) {
		ns_fail(e, ENOMEM, "quantile sketch: no memory");
		return NULL;
	}
	struct ns_quantile *q = quantile_init(mem, (unsigned)k, h.seed);

	r.at += FIXED;
	if (parse_runs(&r, q) < 0)
		goto fail;
	/* an empty sketch says 0 for the least, and keeps the highest there is */
	if (q->count != 0)
		q->min = ns_le_get64(p + 8);
	else if (ns_le_get64(p + 8) != 0)
		q->min = 0;
	q->max = ns_le_get64(p + 16);
	q->sum_low = ns_le_get64(p + 24);
	q->sum_high = ns_le_get64(p + 32);
	if (check(&r, q) < 0)
		goto fail;
	return q;
fail:
	ns_quantile_destroy(q);
	return ns_errno_null(EBADMSG);
}
