/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The heaviest keys of a top-k sketch in order. A heap in the caller's own array keeps the best
 * found so far with the last of them on top; taking it apart sorts it. No memory is needed.
 */
#include "topk_priv.h"

/* Does a stand before b in the list? */
static bool before(const struct ns_topk_entry *a, const struct ns_topk_entry *b, unsigned key_len)
{
	if (a->count != b->count)
		return a->count > b->count;
	int c = memcmp(a->key, b->key, key_len);

	return c != 0 ? c < 0 : a->hash < b->hash;
}

/* Puts e at i of a heap of n or below: each entry stands behind the two under it. */
static void sink(struct ns_topk_entry *heap, unsigned n, unsigned i, struct ns_topk_entry e,
	unsigned key_len)
{
	while (2 * (size_t)i + 1 < n) {
		unsigned c = 2 * i + 1;

		if (c + 1 < n && before(&heap[c], &heap[c + 1], key_len))
			c++;
		if (!before(&e, &heap[c], key_len))
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = e;
}

static void rise(struct ns_topk_entry *heap, unsigned i, unsigned key_len)
{
	struct ns_topk_entry e = heap[i];

	while (i > 0 && before(&heap[(i - 1) / 2], &e, key_len)) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = e;
}

int ns_topk_list(const struct ns_topk *t, struct ns_topk_entry *out, unsigned max)
{
	unsigned n = 0, limit = NS_MIN(max, (unsigned)INT32_MAX);

	for (uint32_t i = 0; i < t->buckets && limit > 0; i++) {
		const struct bucket *b = bucket_at(t, i);

		for (unsigned p = 0; p < PLACES; p++) {
			if (b->hash[p] == 0 || (n == limit && b->count[p] < out[0].count))
				continue;
			const struct record *r = record_at(t, b, p);
			struct ns_topk_entry e = {
				r->key, b->hash[p], b->count[p], r->error, r->other};

			if (n < limit) {
				out[n] = e;
				rise(out, n++, t->key_len);
			} else if (before(&e, &out[0], t->key_len)) {
				sink(out, n, 0, e, t->key_len);
			}
		}
	}
	for (unsigned left = n; left > 1; left--) {
		struct ns_topk_entry last = out[left - 1];

		out[left - 1] = out[0];
		sink(out, left - 1, 0, last, t->key_len);
	}
	return (int)n;
}
