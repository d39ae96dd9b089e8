/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which values of a dimension have a sketch of their own.
 *
 * Those with the smallest hashes among all that were seen, as many as there is room for. A value
 * that is among them in the end was from the start, so its sketch has seen all of it; and which
 * ones they are depends on no order, no repeats and no grouping of parts that are merged. A value
 * that loses its slot to a smaller hash never comes back: the slot's sketch goes into that of the
 * rest, where union makes them one (the caller does that).
 *
 *	| head | hash of slots 1..max | keys of slots 1..max | index: slot by hash, 0 none |
 *
 * The index is twice as long at least as there are slots; it is made anew when a slot changes
 * hands, which happens max * ln(values / max) times for values in random order.
 */
#include "cardinality_priv.h"

#include <string.h>

struct card_slots {
	uint32_t n, max;
	uint32_t mask; /* of the index */
	uint16_t key_len;
	uint16_t zero;
	uint32_t last; /* slot with the largest hash, when all are taken */
	uint32_t pad;
	uint64_t hash[]; /* of slot i at i - 1, and so on */
};

static uint32_t index_len(uint32_t max)
{
	uint32_t n = 4;

	while (n < 2 * max)
		n *= 2;
	return n;
}

size_t card_slots_size(const struct card_slots_conf *c)
{
	return sizeof(struct card_slots) + (size_t)c->max * (8 + c->key_len) +
	       index_len(c->max) * sizeof(uint16_t);
}

static uint8_t *keys_of(const struct card_slots *s)
{
	return (uint8_t *)(uintptr_t)(s->hash + s->max);
}

static uint16_t *index_of(const struct card_slots *s)
{
	return (uint16_t *)(uintptr_t)(keys_of(s) + (size_t)s->max * s->key_len);
}

void card_slots_init(struct card_slots *s, const struct card_slots_conf *c)
{
	*s = (struct card_slots){
		.max = c->max, .mask = index_len(c->max) - 1, .key_len = c->key_len};
}

void card_slots_reset(struct card_slots *s)
{
	if (s->n > 0)
		memset(index_of(s), 0, (s->mask + (size_t)1) * sizeof(uint16_t));
	s->n = 0;
}

uint32_t card_slots_n(const struct card_slots *s)
{
	return s->n;
}

uint64_t card_slots_hash(const struct card_slots *s, uint32_t slot)
{
	return s->hash[slot - 1];
}

const uint8_t *card_slots_key(const struct card_slots *s, uint32_t slot)
{
	return keys_of(s) + (size_t)(slot - 1) * s->key_len;
}

/* The place in the index where a hash is or would be. */
static inline uint32_t place_of(const struct card_slots *s, const uint16_t *index, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & s->mask;

	while (index[at] != 0 && s->hash[index[at] - 1] != hash)
		at = (at + 1) & s->mask;
	return at;
}

uint32_t card_slots_find(const struct card_slots *s, uint64_t hash)
{
	const uint16_t *index = index_of(s);

	return index[place_of(s, index, hash)];
}

static void find_last(struct card_slots *s)
{
	s->last = 1;
	for (uint32_t i = 2; i <= s->max; i++) {
		if (s->hash[i - 1] > s->hash[s->last - 1])
			s->last = i;
	}
}

static void index_all(struct card_slots *s)
{
	uint16_t *index = index_of(s);

	memset(index, 0, (s->mask + (size_t)1) * sizeof(*index));
	for (uint32_t i = 1; i <= s->n; i++)
		index[place_of(s, index, s->hash[i - 1])] = (uint16_t)i;
}

static void set(struct card_slots *s, uint32_t slot, uint64_t hash, const uint8_t *key)
{
	s->hash[slot - 1] = hash;
	memcpy(keys_of(s) + (size_t)(slot - 1) * s->key_len, key, s->key_len);
}

uint32_t card_slots_put(struct card_slots *s, uint64_t hash, const uint8_t *key, uint32_t *evicted)
{
	uint16_t *index = index_of(s);
	uint32_t at = place_of(s, index, hash);

	*evicted = 0;
	if (ns_likely(index[at] != 0))
		return index[at];
	if (s->n < s->max) {
		index[at] = (uint16_t)++s->n;
		set(s, s->n, hash, key);
		if (s->n == s->max)
			find_last(s);
		return s->n;
	}
	if (hash > s->hash[s->last - 1])
		return 0;
	uint32_t slot = *evicted = s->last;

	set(s, slot, hash, key);
	index_all(s);
	find_last(s);
	return slot;
}
