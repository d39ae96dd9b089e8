/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ROOM_FIRST 64

void table_init(struct table *t, unsigned words, uint32_t bound)
{
	memset(t, 0, sizeof(*t));
	t->words = words;
	t->bound = bound;
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) != (ssize_t)sizeof(t->seed))
		t->seed = ns_clock_mono() ^ (uint64_t)(uintptr_t)t;
}

void table_fini(struct table *t)
{
	free(t->slots);
	free(t->entries);
	memset(t, 0, sizeof(*t));
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint32_t table_hash(const struct table *t, const uint64_t *key)
{
	uint64_t h = t->seed;

	/* the odd constants are the first digits of pi: no multiplication by a small number */
	for (unsigned i = 0; i < t->words; i++)
		h = fold(h ^ key[i] ^ UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707345));
	h = fold(h ^ t->seed, UINT64_C(0xa4093822299f31d1));
	return (uint32_t)(h >> 32);
}

static int grow_entries(struct table *t)
{
	uint32_t room = t->room == 0 ? ROOM_FIRST : t->room * 2;

	room = NS_MIN(room, t->bound);
	struct tally *e = realloc(t->entries, (size_t)room * sizeof(*e));

	if (e == NULL)
		return ns_errno_set(ENOMEM);
	t->entries = e;
	t->room = room;
	return 0;
}

static int grow_slots(struct table *t)
{
	uint32_t n = t->mask == 0 ? ROOM_FIRST * 2 : (t->mask + 1) * 2;
	uint64_t *slots = calloc(n, sizeof(*slots));

	if (slots == NULL)
		return ns_errno_set(ENOMEM);
	for (uint32_t i = 0; t->mask != 0 && i <= t->mask; i++) {
		uint32_t at = (uint32_t)(t->slots[i] >> 32) & (n - 1);

		if (t->slots[i] == 0)
			continue;
		while (slots[at] != 0)
			at = (at + 1) & (n - 1);
		slots[at] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->mask = n - 1;
	return 0;
}

static struct tally *find(const struct table *t, const uint64_t *key, uint32_t hash, uint32_t *at)
{
	*at = hash & t->mask;
	for (; t->slots[*at] != 0; *at = (*at + 1) & t->mask) {
		if (t->slots[*at] >> 32 != hash)
			continue;
		struct tally *e = &t->entries[(uint32_t)t->slots[*at] - 1];

		if (memcmp(e->key, key, t->words * sizeof(*key)) == 0)
			return e;
	}
	return NULL;
}

struct tally *table_get(struct table *t, const uint64_t *key, uint32_t hash)
{
	uint32_t at;

	if (t->mask == 0 && grow_slots(t) < 0)
		return NULL;
	struct tally *e = find(t, key, hash, &at);

	if (e != NULL)
		return e;
	if (t->used == t->bound)
		return &t->other;
	if (t->used == t->room && grow_entries(t) < 0)
		return NULL;
	if (t->used >= (t->mask + 1) / 2) {
		if (grow_slots(t) < 0)
			return NULL;
		find(t, key, hash, &at);
	}
	e = &t->entries[t->used++];
	memset(e, 0, sizeof(*e));
	memcpy(e->key, key, t->words * sizeof(*key));
	t->slots[at] = (uint64_t)hash << 32 | t->used;
	return e;
}

int tally_rank(const struct tally *a, const struct tally *b)
{
	if (a->octets != b->octets)
		return a->octets > b->octets ? -1 : 1;
	if (a->packets != b->packets)
		return a->packets > b->packets ? -1 : 1;
	return memcmp(a->key, b->key, sizeof(a->key));
}

unsigned table_top(const struct table *t, const struct tally **top, unsigned max)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < t->used; i++) {
		const struct tally *e = &t->entries[i];
		unsigned at = n;

		/* nearly always worse than the last one: one look */
		while (at > 0 && tally_rank(e, top[at - 1]) < 0)
			at--;
		if (at == max)
			continue;
		n = NS_MIN(n + 1, max);
		memmove(top + at + 1, top + at, (n - at - 1) * sizeof(*top));
		top[at] = e;
	}
	return n;
}
