/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The heaviest keys of a top-k sketch in order. A heap in the caller's own array keeps the best
 * found so far with the last of them on top; taking it apart sorts it. No memory is needed.
 */
#include "topk_priv.h"

struct order {
	uint64_t less_error; /* all bits: by count - error; none: by count */
	unsigned key_len;
};

static uint64_t rank(const struct ns_topk_entry *e, const struct order *o)
{
	return e->count - (e->error & o->less_error);
}

/* Does a stand before b in the list? */
static bool before(
	const struct ns_topk_entry *a, const struct ns_topk_entry *b, const struct order *o)
{
	uint64_t x = rank(a, o), y = rank(b, o);

	if (x != y)
		return x > y;
	if (a->count != b->count)
		return a->count > b->count;
	int c = memcmp(a->key, b->key, o->key_len);

	return c != 0 ? c < 0 : a->hash < b->hash;
}

/* Puts e at i of a heap of n or below: each entry stands behind the two under it. */
static void sink(struct ns_topk_entry *heap, unsigned n, unsigned i, struct ns_topk_entry e,
	const struct order *o)
{
	while (2 * (size_t)i + 1 < n) {
		unsigned c = 2 * i + 1;

		if (c + 1 < n && before(&heap[c], &heap[c + 1], o))
			c++;
		if (!before(&e, &heap[c], o))
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = e;
}

static void rise(struct ns_topk_entry *heap, unsigned i, const struct order *o)
{
	struct ns_topk_entry e = heap[i];

	while (i > 0 && before(&heap[(i - 1) / 2], &e, o)) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = e;
}

static int list(const struct ns_topk *t, struct ns_topk_entry *out, unsigned max, bool sure)
{
	const struct order o = {sure ? UINT64_MAX : 0, t->key_len};
	unsigned n = 0, limit = NS_MIN(max, (unsigned)INT32_MAX);

	for (uint32_t i = 0; i < t->buckets && limit > 0; i++) {
		const struct bucket *b = bucket_at(t, i);

		for (unsigned p = 0; p < PLACES; p++) {
			/* its rank is no higher than its count: most need no look at the rest */
			if (b->hash[p] == 0 || (n == limit && b->count[p] < rank(&out[0], &o)))
				continue;
			struct ns_topk_entry e = entry_at(t, b, p);

			if (n < limit) {
				out[n] = e;
				rise(out, n++, &o);
			} else if (before(&e, &out[0], &o)) {
				sink(out, n, 0, e, &o);
			}
		}
	}
	for (unsigned left = n; left > 1; left--) {
		struct ns_topk_entry last = out[left - 1];

		out[left - 1] = out[0];
		sink(out, left - 1, 0, last, &o);
	}
	return (int)n;
}

int ns_topk_list(const struct ns_topk *t, struct ns_topk_entry *out, unsigned max)
{
	return list(t, out, max, false);
}

int ns_topk_list_sure(const struct ns_topk *t, struct ns_topk_entry *out, unsigned max)
{
	return list(t, out, max, true);
}
