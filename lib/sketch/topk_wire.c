/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The serialised form of a top-k sketch, version 1. Little-endian; the head is ns_sketch.h's.
 *
 *   24        28          32      40            48
 *   | key_len | buckets   | total | total_other | bucket | bucket ...
 *
 * A bucket is one octet whose bit i says that place i is taken (bits 4 to 7: 0), and for each that
 * is, in order,
 *
 *   | hash 8 | count 8 | error 8 | other 8 | key, key_len octets |
 *
 * Places keep their order, so the sketch that is read is the one that was written, to the bit.
 */
#include "topk_priv.h"

#define VERSION 1
#define FIXED 24 /* octets of the body before the buckets */
#define PLACE_FIXED 32 /* octets of a place without its key */

static unsigned taken(const struct bucket *b)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < PLACES; i++)
		mask |= (unsigned)(b->hash[i] != 0) << i;
	return mask;
}

size_t ns_topk_write_size(const struct ns_topk *t)
{
	size_t places = 0;

	for (uint32_t i = 0; i < t->buckets; i++)
		places += (size_t)__builtin_popcount(taken(bucket_at(t, i)));
	return NS_SKETCH_HEAD + FIXED + t->buckets + places * (PLACE_FIXED + t->key_len);
}

size_t ns_topk_write(const struct ns_topk *t, uint8_t *out)
{
	struct ns_sketch_head h = {.type = NS_SKETCH_TOPK, .version = VERSION, .seed = t->seed};
	uint8_t *p;

	h.body = ns_topk_write_size(t) - NS_SKETCH_HEAD;
	p = ns_sketch_head_put(out, &h);
	p = ns_le_put32(p, t->key_len);
	p = ns_le_put32(p, t->buckets);
	p = ns_le_put64(p, t->total);
	p = ns_le_put64(p, t->total_other);
	for (uint32_t i = 0; i < t->buckets; i++) {
		const struct bucket *b = bucket_at(t, i);
		unsigned mask = taken(b);

		*p++ = (uint8_t)mask;
		for (; mask != 0; mask &= mask - 1) {
			unsigned place = (unsigned)__builtin_ctz(mask);
			const struct record *r = record_at(t, b, place);

			p = ns_le_put64(p, b->hash[place]);
			p = ns_le_put64(p, b->count[place]);
			p = ns_le_put64(p, r->error);
			p = ns_le_put64(p, r->other);
			memcpy(p, r->key, t->key_len);
			p += t->key_len;
		}
	}
	return (size_t)(p - out);
}

struct reading {
	const uint8_t *in;
	size_t at, len;
	uint64_t sure, other; /* sums of what has been read */
};

static int bad(const struct reading *r, size_t back, struct ns_err *e, const char *what)
{
	return ns_fail(e, EBADMSG, "top-k sketch: octet %zu: %s", r->at - back, what);
}

static int parse_place(
	struct reading *r, struct ns_topk *t, uint32_t i, unsigned place, struct ns_err *e)
{
	struct bucket *b = bucket_at(t, i);
	struct record *rec = record_at(t, b, place);
	const uint8_t *p = r->in + r->at;
	uint64_t hash, count;

	if (r->len - r->at < PLACE_FIXED + (size_t)t->key_len)
		return bad(r, 0, e, "a place without an end");
	hash = ns_le_get64(p);
	count = ns_le_get64(p + 8);
	rec->error = ns_le_get64(p + 16);
	rec->other = ns_le_get64(p + 24);
	if (hash == 0 || bucket_of(hash, t->buckets) != i)
		return bad(r, 0, e, "a hash that does not belong into its bucket");
	for (unsigned k = 0; k < place; k++)
		if (b->hash[k] == hash)
			return bad(r, 0, e, "a hash that is there twice");
	if (rec->error > count || count > t->total || rec->other > t->total_other)
		return bad(r, 0, e, "a count below its error or above the total");
	r->sure = add_sat(r->sure, count - rec->error);
	r->other = add_sat(r->other, rec->other);
	b->hash[place] = hash;
	b->count[place] = count;
	memcpy(rec->key, p + PLACE_FIXED, t->key_len);
	r->at += PLACE_FIXED + (size_t)t->key_len;
	return 0;
}

static int parse_buckets(struct reading *r, struct ns_topk *t, struct ns_err *e)
{
	for (uint32_t i = 0; i < t->buckets; i++) {
		if (r->at == r->len)
			return bad(r, 0, e, "a bucket is missing");
		unsigned mask = r->in[r->at++];

		if (mask >> PLACES != 0)
			return bad(r, 1, e, "a place that no bucket has");
		for (; mask != 0; mask &= mask - 1)
			if (parse_place(r, t, i, (unsigned)__builtin_ctz(mask), e) < 0)
				return -EBADMSG;
	}
	if (r->at != r->len)
		return bad(r, 0, e, "more than the buckets");
	/* what is surely there is no more than what was added */
	if (r->sure > t->total || r->other > t->total_other)
		return ns_fail(e, EBADMSG, "top-k sketch: octet %d: totals below their parts",
			NS_SKETCH_HEAD + 8);
	return 0;
}

struct ns_topk *ns_topk_parse(const uint8_t *in, size_t len, struct ns_err *e)
{
	struct ns_sketch_head h;
	struct reading r = {.in = in, .at = NS_SKETCH_HEAD, .len = len};

	if (ns_sketch_head_get(&h, in, len, NS_SKETCH_TOPK, VERSION, e) < 0)
		return NULL;
	if (h.body < FIXED) {
		bad(&r, 0, e, "a body that is too short");
		return NULL;
	}
	const uint8_t *p = in + NS_SKETCH_HEAD;
	uint32_t key_len = ns_le_get32(p), buckets = ns_le_get32(p + 4);

	if (!topk_key_len_good(key_len)) {
		bad(&r, 0, e, "key length is no multiple of 8 from 8 to 128");
		return NULL;
	}
	/* each bucket has an octet at least */
	if (buckets == 0 || buckets > h.body - FIXED || topk_size(buckets, key_len) == 0) {
		r.at += 4;
		bad(&r, 0, e, "a number of buckets that can't be");
		return NULL;
	}
	void *mem = ns_sketch_alloc(topk_size(buckets, key_len));

	if (mem == NULL) {
		ns_fail(e, ENOMEM, "top-k sketch: no memory for %u buckets", buckets);
		return NULL;
	}
	struct ns_topk *t = topk_init(mem, buckets, (uint16_t)key_len, h.seed);

	t->total = ns_le_get64(p + 8);
	t->total_other = ns_le_get64(p + 16);
	r.at += FIXED;
	if (parse_buckets(&r, t, e) < 0) {
		ns_topk_destroy(t);
		return ns_errno_null(EBADMSG);
	}
	return t;
}
