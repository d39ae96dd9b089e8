/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the sketch has missed, by the exact table.
 *
 * A heap keeps the heaviest keys of the table with the lightest of them on top, so that a table of
 * millions needs memory for `top` of them only. Which keys are listed is known by their hashes,
 * sorted.
 */
#include "heavy_priv.h"

#include <stdlib.h>
#include <string.h>

/* Does a belong to the top before b? Of equal weight what is listed does: it is no miss. */
static bool before(const struct heavy_truth *a, const struct heavy_truth *b, uint16_t key_len)
{
	if (a->weight != b->weight)
		return a->weight > b->weight;
	if (a->listed != b->listed)
		return a->listed;
	int c = memcmp(a->key, b->key, key_len);

	return c != 0 ? c < 0 : a->hash < b->hash;
}

/* Puts t at i of a heap of n or below: each stands behind the two under it. */
static void sink(
	struct heavy_truth *heap, uint32_t n, uint32_t i, struct heavy_truth t, uint16_t key_len)
{
	while (2 * (size_t)i + 1 < n) {
		uint32_t c = 2 * i + 1;

		if (c + 1 < n && before(&heap[c], &heap[c + 1], key_len))
			c++;
		if (!before(&t, &heap[c], key_len))
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = t;
}

static void rise(struct heavy_truth *heap, uint32_t i, uint16_t key_len)
{
	struct heavy_truth t = heap[i];

	while (i > 0 && before(&heap[(i - 1) / 2], &t, key_len)) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = t;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* The room heaviest of the table, heaviest first; returns how many. */
static uint32_t heaviest(const struct ns_sample *s, uint16_t key_len, const uint64_t *listed,
	uint32_t listed_n, struct heavy_truth *heap, uint32_t room)
{
	struct ns_sample_entry entry;
	uint32_t at = 0, n = 0;

	while (ns_sample_next(s, &at, &entry)) {
		struct heavy_truth t = {
			.hash = entry.hash, .key = entry.key, .weight = entry.values[0]};

		if (n == room && t.weight < heap[0].weight)
			continue;
		t.listed = bsearch(&t.hash, listed, listed_n, sizeof(t.hash), by_number) != NULL;
		if (n < room) {
			heap[n] = t;
			rise(heap, n++, key_len);
		} else if (before(&t, &heap[0], key_len)) {
			sink(heap, n, 0, t, key_len);
		}
	}
	for (uint32_t left = n; left > 1; left--) {
		struct heavy_truth last = heap[left - 1];

		heap[left - 1] = heap[0];
		sink(heap, left - 1, 0, last, key_len);
	}
	return n;
}

int heavy_missed(const struct ns_sample *s, uint16_t key_len, uint32_t top,
	const struct ns_topk_entry *listed, uint32_t n, struct heavy_truth **out, uint32_t *missed)
{
	uint32_t found;
	uint64_t *hashes = malloc((n + (size_t)1) * sizeof(*hashes));
	struct heavy_truth *heap = malloc(top * sizeof(*heap));

	/* of a part of the keys the top is not known: only what beats a listed one for sure */
	uint64_t sure = ns_sample_rate(s) < 1 && n == top ? listed[n - 1].count : 0;

	*out = heap;
	*missed = 0;
	if (hashes == NULL || heap == NULL) {
		free(hashes);
		free(heap);
		*out = NULL;
		return ns_errno_set(ENOMEM);
	}
	for (uint32_t i = 0; i < n; i++)
		hashes[i] = listed[i].hash;
	qsort(hashes, n, sizeof(*hashes), by_number);
	found = heaviest(s, key_len, hashes, n, heap, top);
	for (uint32_t i = 0; i < found; i++) {
		if (!heap[i].listed && heap[i].weight > sure)
			heap[(*missed)++] = heap[i];
	}
	free(hashes);
	return 0;
}
