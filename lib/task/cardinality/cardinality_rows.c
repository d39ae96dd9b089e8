/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of results, with the exact numbers beside them when they are wanted. */
#include "cardinality_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONFIDENCE 0.95

/* Exact numbers by sketch. */
struct truth {
	uint64_t *keys; /* NULL: not known */
};

static int in_order(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static uint32_t sketch_of(const struct card *t, const void *state, uint64_t dimension)
{
	return t->per.max > 0 ? card_slots_find(card_slots(t, state), dimension)
			      : (uint32_t)dimension;
}

/* One key may have come with several values that share the rest: there it counts once. */
static uint64_t different(uint64_t *hash, uint32_t n)
{
	uint64_t keys = n > 0;

	qsort(hash, n, sizeof(*hash), in_order);
	for (uint32_t i = 1; i < n; i++)
		keys += hash[i] != hash[i - 1];
	return keys;
}

/* -ENOMEM, or 0 with memory to free in any case. */
static int count(const struct card *t, const void *state, struct truth *x)
{
	const struct ns_sample *s = ns_task_exact_table(&t->exact, state);
	struct ns_sample_entry entry;
	uint32_t at = 0, kept, rest_n = 0;
	uint64_t *rest;

	*x = (struct truth){NULL};
	/* the table must have forgotten nothing */
	if (!ns_task_exact_whole(&t->exact, state))
		return 0;
	kept = ns_sample_kept(s);
	x->keys = calloc(t->sketches, sizeof(x->keys[0]));
	rest = malloc((kept + (size_t)1) * sizeof(*rest));
	if (x->keys == NULL || rest == NULL) {
		free(x->keys);
		free(rest);
		return ns_errno_set(ENOMEM);
	}
	if (t->sketches == 1)
		x->keys[0] = kept;
	while (t->sketches > 1 && ns_sample_next(s, &at, &entry)) {
		uint64_t both[2];

		memcpy(both, entry.key, sizeof(both));
		uint32_t i = sketch_of(t, state, both[0]);

		if (i == 0)
			rest[rest_n++] = both[1];
		else
			x->keys[i]++;
	}
	if (t->sketches > 1)
		x->keys[0] = different(rest, rest_n);
	free(rest);
	return 0;
}

static void put_row(const struct card *t, const void *state, const struct truth *x, uint32_t i,
	struct ns_task_out *o)
{
	const struct ns_hll *h = card_sketch(t, state, i);
	void *row = ns_task_row(o);
	double low, high, keys = ns_hll_interval(h, CONFIDENCE, &low, &high);

	if (t->prefix >= 0 && i > 0)
		memcpy((uint8_t *)row + t->prefix, &t->prefixes[i - 1], sizeof(struct ns_prefix));
	if (t->other >= 0 && i > 0)
		ns_task_row_key(o, row, CARD_PER, card_slots_key(card_slots(t, state), i));
	if (t->other >= 0 && i == 0)
		((uint8_t *)row)[t->other] = 1;
	/* while the sketch keeps all hashes there is nothing to guess */
	ns_task_row_estimate(
		row, &t->est, keys, floor(low), ceil(high), ns_hll_error(h) == 0 ? 1 : CONFIDENCE);
	if (x->keys != NULL)
		ns_task_row_exact_u64(row, &t->est, x->keys[i]);
	ns_task_row_end(o);
}

struct order {
	const struct card_slots *slots;
	size_t key_len;
};

/* Numbers lie in keys with their low octet first. */
static int by_value(const void *a, const void *b, void *arg)
{
	const struct order *order = arg;
	const uint8_t *x, *y;
	uint32_t i, j;

	memcpy(&i, a, sizeof(i));
	memcpy(&j, b, sizeof(j));
	x = card_slots_key(order->slots, i);
	y = card_slots_key(order->slots, j);
	if (order->key_len > 8)
		return memcmp(x, y, order->key_len);
	return in_order(x, y);
}

static int put_values(
	const struct card *t, const void *state, const struct truth *x, struct ns_task_out *o)
{
	struct order order = {card_slots(t, state), t->per.key_len};
	uint32_t n = card_slots_n(order.slots), *slot = malloc((n + (size_t)1) * sizeof(*slot));

	if (slot == NULL)
		return ns_errno_set(ENOMEM);
	for (uint32_t i = 0; i < n; i++)
		slot[i] = i + 1;
	qsort_r(slot, n, sizeof(*slot), by_value, &order);
	for (uint32_t i = 0; i < n; i++)
		put_row(t, state, x, slot[i], o);
	free(slot);
	if (ns_hll_estimate(card_sketch(t, state, 0)) > 0)
		put_row(t, state, x, 0, o);
	return 0;
}

int card_result(const struct card *t, const void *state, struct ns_task_out *o)
{
	struct truth x;
	int rc = count(t, state, &x);

	if (rc < 0)
		return rc;
	if (t->per.max > 0) {
		rc = put_values(t, state, &x, o);
	} else {
		for (uint32_t i = 1; i < t->sketches; i++)
			put_row(t, state, &x, i, o);
		put_row(t, state, &x, 0, o);
	}
	free(x.keys);
	return rc;
}

/* The rest has no label; a prefix has its text, a value the octets of its key. */
void card_sketches(const struct card *t, const void *state, struct ns_task_sketches *o)
{
	uint32_t n = t->per.max > 0 ? 1 + card_slots_n(card_slots(t, state)) : t->sketches;

	ns_task_sketch(o, NS_SKETCH_HLL, card_sketch(t, state, 0), NULL, 0);
	for (uint32_t i = 1; i < n; i++) {
		char text[NS_REC_TEXT_MAX];
		const void *label = text;
		size_t len = t->per.key_len;

		if (t->per.max > 0)
			label = card_slots_key(card_slots(t, state), i);
		else
			len = (size_t)(ns_put_prefix(text, &t->prefixes[i - 1]) - text);
		ns_task_sketch(o, NS_SKETCH_HLL, card_sketch(t, state, i), label, len);
	}
}
