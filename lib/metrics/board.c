/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One publisher, many readers, no lock (metrics_priv.h draws it). The idea is that of split
 * reference counts (A. Williams, C++ Concurrency in Action, 7.2.4): one count beside the pointer,
 * for those who take, one in the thing, for those who are done. Neither can be confused with
 * another thing's, as both are looked at only when no more can be lent.
 */
#include "metrics_priv.h"

#include <string.h>
#include <time.h>

#define NONE 0xffu
#define ONE (UINT64_C(1) << 8)
_Static_assert(BOARD_PLACES < NONE, "a place's number is an octet");

void board_init(struct board *b, void (*free_thing)(void *thing))
{
	memset(b, 0, sizeof(*b));
	b->free = free_thing;
	__atomic_store_n(&b->word, NONE, __ATOMIC_RELEASE);
}

/* Whether nobody reads what was taken off; acquires what its readers did. */
static bool is_back(const struct board_place *p)
{
	return __atomic_load_n(&p->back, __ATOMIC_ACQUIRE) == p->lent;
}

/* Frees all that is back, but for place @newest; how many are not. */
static unsigned reclaim(struct board *b, unsigned newest)
{
	unsigned lent = 0;

	for (unsigned i = 0; i < BOARD_PLACES; i++) {
		struct board_place *p = &b->places[i];

		if (i == newest || p->thing == NULL)
			continue;
		if (!is_back(p)) {
			lent++;
			continue;
		}
		b->free((void *)(uintptr_t)p->thing);
		p->thing = NULL;
	}
	return lent;
}

static unsigned newest_place(const struct board *b)
{
	return __atomic_load_n(&b->word, __ATOMIC_RELAXED) & NONE;
}

/* Hangs up place @i, or NONE, and closes the account of the one before. */
static void hang_up(struct board *b, unsigned i)
{
	uint64_t old = __atomic_exchange_n(&b->word, i, __ATOMIC_ACQ_REL);

	if ((old & NONE) != NONE)
		b->places[old & NONE].lent = old / ONE;
}

int board_publish(struct board *b, void *thing)
{
	unsigned i = 0;

	reclaim(b, newest_place(b));
	while (i < BOARD_PLACES && b->places[i].thing != NULL)
		i++;
	if (i == BOARD_PLACES)
		return ns_errno_set(EAGAIN);
	b->places[i].thing = thing;
	b->places[i].lent = 0;
	__atomic_store_n(&b->places[i].back, 0, __ATOMIC_RELAXED);
	hang_up(b, i);
	return 0;
}

struct board_place *board_take(struct board *b)
{
	unsigned i = __atomic_fetch_add(&b->word, ONE, __ATOMIC_ACQUIRE) & NONE;

	return i == NONE ? NULL : &b->places[i];
}

void board_give_back(struct board_place *p)
{
	__atomic_fetch_add(&p->back, 1, __ATOMIC_RELEASE);
}

void board_clear(struct board *b)
{
	const struct timespec ms = {.tv_nsec = 1000000};

	hang_up(b, NONE);
	while (reclaim(b, NONE) > 0)
		nanosleep(&ms, NULL);
}
