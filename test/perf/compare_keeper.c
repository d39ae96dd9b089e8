/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HeavyKeeper (Gong, Yang, Zhang, Li, Uhlig, Chen, Uden, Li: "HeavyKeeper: An Accurate Algorithm
 * for Finding Top-k Elephant Flows", USENIX ATC 2018): two rows of cells with a 16-bit fingerprint
 * and a counter. A key that meets another's cell lowers its counter with probability b^-counter and
 * takes it at 0. With the paper's two optimisations: a key that is not listed does not raise a
 * counter above the lowest that is listed, and enters the list at just one above that.
 */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 2
#define BASE 1.08
#define CHANCES 512 /* from here on a counter is never lowered: 1.08^-512 < 2^-56 */

struct cell {
	uint16_t print;
	uint32_t count;
} __attribute__((packed));

struct state {
	struct compare_list *list;
	struct cell *cell;
	size_t width;
	uint64_t random;
	uint64_t chance[CHANCES]; /* of 2^64 */
};

static void *make(size_t memory)
{
	struct state *s = compare_alloc(sizeof(*s));

	s->list = compare_list_make();
	s->width = (memory - compare_list_size()) / sizeof(struct cell) / ROWS;
	s->cell = compare_alloc(ROWS * s->width * sizeof(struct cell));
	s->random = 1;
	for (unsigned i = 1; i < CHANCES; i++)
		s->chance[i] = (uint64_t)(pow(BASE, -(double)i) * 0x1p64);
	return s;
}

static void drop(void *state)
{
	struct state *s = state;

	free(s->list);
	free(s->cell);
	free(s);
}

static uint64_t draw(struct state *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	return s->random ^= s->random << 17;
}

static struct cell *cell_of(const struct state *s, uint64_t hash, unsigned row)
{
	uint64_t place = row == 0 ? hash >> 32 : (hash & UINT32_MAX);

	return &s->cell[row * s->width + (place * s->width >> 32)];
}

static void add_one(struct state *s, uint64_t hash, const struct compare_key *key)
{
	uint16_t print = (uint16_t)((hash * UINT64_C(0xe7037ed1a0b428db)) >> 48);
	int at = compare_list_find(s->list, hash);
	uint64_t least = compare_list_least(s->list);
	uint32_t most = 0;

	for (unsigned row = 0; row < ROWS; row++) {
		struct cell *c = cell_of(s, hash, row);

		if (c->print == print && c->count > 0) {
			if (at >= 0 || c->count <= least)
				c->count++;
			if (c->count > most)
				most = c->count;
		} else if (c->count == 0 || (c->count < CHANCES && draw(s) < s->chance[c->count] &&
						    --c->count == 0)) {
			*c = (struct cell){print, 1};
			most = most > 1 ? most : 1;
		}
	}
	if (at >= 0)
		compare_list_raise(s->list, at, most);
	else if (least == 0 ? most > 0 : most == least + 1)
		compare_list_put(s->list, hash, key, most);
}

static void add(void *state, const uint64_t *hash, const struct compare_key *key, unsigned n)
{
	struct state *s = state;

	for (unsigned i = 0; i < n; i++)
		for (unsigned row = 0; row < ROWS; row++)
			__builtin_prefetch(cell_of(s, hash[i], row), 1);
	for (unsigned i = 0; i < n; i++)
		add_one(s, hash[i], &key[i]);
}

static unsigned list(void *state, struct compare_answer *out, unsigned max)
{
	return compare_list_get(((struct state *)state)->list, out, max);
}

const struct contender compare_keeper = {"HeavyKeeper", make, drop, add, list};
