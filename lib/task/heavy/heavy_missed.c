/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The heaviest keys of the exact table that are not among those of the sketch.
 *
 * A heap keeps the heaviest found so far with the lightest of them on top, so that millions of keys
 * need memory for `top` of them only; taking it apart sorts it.
 */
#include "heavy_priv.h"

#include <stdlib.h>
#include <string.h>

struct heap {
	struct heavy_key *key;
	uint32_t n, room;
	uint16_t key_len;
};

/* Does a rank before b? */
static bool before(const struct heavy_key *a, const struct heavy_key *b, uint16_t key_len)
{
	if (a->weight != b->weight)
		return a->weight > b->weight;
	if (a->second != b->second)
		return a->second > b->second;
	int c = memcmp(a->key, b->key, key_len);

	return c != 0 ? c < 0 : a->hash < b->hash;
}

/* Puts k on top of the first n or further down: each stands behind the two under it. */
static void sink(struct heap *h, uint32_t n, struct heavy_key k)
{
	uint32_t i = 0;

	while (2 * (size_t)i + 1 < n) {
		uint32_t c = 2 * i + 1;

		if (c + 1 < n && before(&h->key[c], &h->key[c + 1], h->key_len))
			c++;
		if (!before(&k, &h->key[c], h->key_len))
			break;
		h->key[i] = h->key[c];
		i = c;
	}
	h->key[i] = k;
}

static void rise(struct heap *h, uint32_t i)
{
	struct heavy_key k = h->key[i];

	while (i > 0 && before(&h->key[(i - 1) / 2], &k, h->key_len)) {
		h->key[i] = h->key[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->key[i] = k;
}

static void add(struct heap *h, const struct heavy_key *k)
{
	if (h->n < h->room) {
		h->key[h->n] = *k;
		rise(h, h->n++);
	} else if (before(k, &h->key[0], h->key_len)) {
		sink(h, h->n, *k);
	}
}

/* Heaviest first; it is no heap any more. */
static void sort(struct heap *h)
{
	for (uint32_t left = h->n; left > 1; left--) {
		struct heavy_key last = h->key[left - 1];

		h->key[left - 1] = h->key[0];
		sink(h, left - 1, last);
	}
}

static int by_number(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* Of equal weight what is listed ranks before: to list it and not the other was no mistake. */
static void fill(struct heap *h, const struct ns_sample *s, const uint64_t *listed, uint32_t n)
{
	struct ns_sample_entry e;
	uint32_t at = 0;

	while (ns_sample_next(s, &at, &e)) {
		struct heavy_key k = {.weight = e.values[0], .hash = e.hash, .key = e.key};

		if (h->n == h->room && k.weight < h->key[0].weight)
			continue;
		k.second = bsearch(&k.hash, listed, n, sizeof(k.hash), by_number) != NULL;
		add(h, &k);
	}
	sort(h);
}

int heavy_missed(const struct ns_sample *s, uint16_t key_len, uint32_t top,
	const struct ns_topk_entry *listed, uint32_t n, struct heavy_key **out, uint32_t *missed)
{
	uint64_t *hashes = malloc((n + (size_t)1) * sizeof(*hashes));
	struct heap h = {.key = malloc(top * sizeof(h.key[0])), .room = top, .key_len = key_len};
	/* of a part of the keys the top is not known: only what beats a listed one for sure */
	uint64_t sure = ns_sample_rate(s) < 1 && n == top ? listed[n - 1].count : 0;

	*out = h.key;
	*missed = 0;
	if (hashes == NULL || h.key == NULL) {
		free(hashes);
		free(h.key);
		*out = NULL;
		return ns_errno_set(ENOMEM);
	}
	for (uint32_t i = 0; i < n; i++)
		hashes[i] = listed[i].hash;
	qsort(hashes, n, sizeof(*hashes), by_number);
	fill(&h, s, hashes, n);
	for (uint32_t i = 0; i < h.n; i++) {
		if (h.key[i].second == 0 && h.key[i].weight > sure)
			h.key[(*missed)++] = h.key[i];
	}
	free(hashes);
	return 0;
}
