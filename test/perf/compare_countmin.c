/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Count-Min with conservative update (Cormode, Muthukrishnan 2005; Estan, Varghese 2002), three
 * rows of 32-bit counters, and a list of the highest estimates beside it.
 */
#include "compare.h"

#include <stdlib.h>

#define ROWS 3

struct state {
	struct compare_list *list;
	uint32_t *counter;
	size_t width;
};

static void *make(size_t memory)
{
	struct state *s = compare_alloc(sizeof(*s));

	s->list = compare_list_make();
	s->width = (memory - compare_list_size()) / sizeof(*s->counter) / ROWS;
	s->counter = compare_alloc(ROWS * s->width * sizeof(*s->counter));
	return s;
}

static void drop(void *state)
{
	struct state *s = state;

	free(s->list);
	free(s->counter);
	free(s);
}

static uint32_t *counter_of(const struct state *s, uint64_t hash, unsigned row)
{
	static const uint64_t odd[ROWS] = {UINT64_C(0x9e3779b97f4a7c15),
		UINT64_C(0xc2b2ae3d27d4eb4f), UINT64_C(0x165667b19e3779f9)};

	return &s->counter[row * s->width + ((hash * odd[row] >> 32) * s->width >> 32)];
}

static void add_one(struct state *s, uint64_t hash, const struct compare_key *key)
{
	uint32_t *c[ROWS], least = UINT32_MAX;

	for (unsigned row = 0; row < ROWS; row++) {
		c[row] = counter_of(s, hash, row);
		least = *c[row] < least ? *c[row] : least;
	}
	least++;
	for (unsigned row = 0; row < ROWS; row++)
		*c[row] = *c[row] < least ? least : *c[row];
	/* what is not above the lowest that is listed is not listed, and needs no looking up */
	if (least > compare_list_least(s->list)) {
		int at = compare_list_find(s->list, hash);

		if (at >= 0)
			compare_list_raise(s->list, at, least);
		else
			compare_list_put(s->list, hash, key, least);
	}
}

static void add(void *state, const uint64_t *hash, const struct compare_key *key, unsigned n)
{
	struct state *s = state;

	for (unsigned i = 0; i < n; i++)
		for (unsigned row = 0; row < ROWS; row++)
			__builtin_prefetch(counter_of(s, hash[i], row), 1);
	for (unsigned i = 0; i < n; i++)
		add_one(s, hash[i], &key[i]);
}

static unsigned list(void *state, struct compare_answer *out, unsigned max)
{
	return compare_list_get(((struct state *)state)->list, out, max);
}

const struct contender compare_countmin = {"Count-Min CU", make, drop, add, list};
