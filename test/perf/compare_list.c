/* SPDX-License-Identifier: BSD-3-Clause */
/* The list beside the sketches that cannot name their keys; see compare.h. */
#include "compare.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (4 * COMPARE_LIST_KEYS) /* of the index, linear probing */
#define NONE UINT16_MAX

struct entry {
	uint64_t hash, count;
	struct compare_key key;
	uint16_t slot;
};

struct compare_list {
	uint16_t index[SLOTS]; /* slot -> place in the heap */
	struct entry heap[COMPARE_LIST_KEYS];
	unsigned n;
};

size_t compare_list_size(void)
{
	return sizeof(struct compare_list);
}

struct compare_list *compare_list_make(void)
{
	struct compare_list *l = compare_alloc(sizeof(*l));

	memset(l->index, 0xff, sizeof(l->index));
	return l;
}

static unsigned home(uint64_t hash)
{
	return (unsigned)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 52) % SLOTS;
}

int compare_list_find(const struct compare_list *l, uint64_t hash)
{
	for (unsigned s = home(hash); l->index[s] != NONE; s = (s + 1) % SLOTS)
		if (l->heap[l->index[s]].hash == hash)
			return l->index[s];
	return -1;
}

uint64_t compare_list_least(const struct compare_list *l)
{
	return l->n < COMPARE_LIST_KEYS ? 0 : l->heap[0].count;
}

static void place(struct compare_list *l, unsigned at, struct entry e)
{
	l->heap[at] = e;
	l->index[e.slot] = (uint16_t)at;
}

static void sink(struct compare_list *l, unsigned at, struct entry e)
{
	for (unsigned c; (c = 2 * at + 1) < l->n; at = c) {
		if (c + 1 < l->n && l->heap[c + 1].count < l->heap[c].count)
			c++;
		if (l->heap[c].count >= e.count)
			break;
		place(l, at, l->heap[c]);
	}
	place(l, at, e);
}

void compare_list_raise(struct compare_list *l, int at, uint64_t count)
{
	struct entry *e = &l->heap[at];
	unsigned c = 2 * (unsigned)at + 1;

	if (count <= e->count)
		return;
	e->count = count;
	if ((c < l->n && l->heap[c].count < count) ||
		(c + 1 < l->n && l->heap[c + 1].count < count))
		sink(l, (unsigned)at, *e);
}

/* Takes a slot out and moves up those behind it that would not be found any more. */
static void forget(struct compare_list *l, unsigned gap)
{
	for (unsigned s = (gap + 1) % SLOTS; l->index[s] != NONE; s = (s + 1) % SLOTS) {
		unsigned at = l->index[s], from = home(l->heap[at].hash);

		if ((s - from) % SLOTS < (s - gap) % SLOTS)
			continue;
		l->index[gap] = (uint16_t)at;
		l->heap[at].slot = (uint16_t)gap;
		gap = s;
	}
	l->index[gap] = NONE;
}

void compare_list_put(
	struct compare_list *l, uint64_t hash, const struct compare_key *key, uint64_t count)
{
	struct entry e = {.hash = hash, .count = count, .key = *key};
	unsigned at = 0, s = home(hash);

	if (l->n == COMPARE_LIST_KEYS)
		forget(l, l->heap[0].slot);
	else
		at = l->n++;
	for (s = home(hash); l->index[s] != NONE;)
		s = (s + 1) % SLOTS;
	e.slot = (uint16_t)s;
	for (; at > 0 && l->heap[(at - 1) / 2].count > count; at = (at - 1) / 2)
		place(l, at, l->heap[(at - 1) / 2]);
	l->index[s] = (uint16_t)at;
	sink(l, at, e);
}

static int by_count(const void *a, const void *b)
{
	const struct compare_answer *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

unsigned compare_list_get(const struct compare_list *l, struct compare_answer *out, unsigned max)
{
	struct compare_answer *all = compare_alloc(COMPARE_LIST_KEYS * sizeof(*all));
	unsigned n = l->n < max ? l->n : max;

	for (unsigned i = 0; i < l->n; i++)
		all[i] = (struct compare_answer){l->heap[i].key, l->heap[i].count};
	qsort(all, l->n, sizeof(*all), by_count);
	memcpy(out, all, n * sizeof(*all));
	free(all);
	return n;
}
