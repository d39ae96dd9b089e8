/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics_priv.h"

#include <ns_test.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define READERS 4
#define PUBLISHED 20000
#define WORDS 64

/* All words of a thing are the same while it may be read. */
struct thing {
	uint64_t words[WORDS];
};

static struct board board;
static unsigned freed, living; /* publisher */

static void free_thing(void *thing)
{
	memset(thing, 0xee, sizeof(struct thing));
	free(thing);
	freed++;
	living--;
}

static struct thing *make(uint64_t n)
{
	struct thing *t = malloc(sizeof(*t));

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (unsigned i = 0; i < WORDS; i++)
		t->words[i] = n;
	living++;
	return t;
}

static uint64_t value(const struct board_place *p)
{
	return ((const struct thing *)p->thing)->words[0];
}

static void nothing_yet(void)
{
	board_init(&board, free_thing);
	CU_ASSERT_PTR_NULL(board_take(&board));
	CU_ASSERT_EQUAL(board_publish(&board, make(1)), 0);

	struct board_place *p = board_take(&board);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(value(p), 1);
	board_give_back(p);
	board_clear(&board);
	CU_ASSERT_PTR_NULL(board_take(&board));
	CU_ASSERT_EQUAL(living, 0);
}

/* What is lent outlives those that come after it, and goes when it is back. */
static void lent_stays(void)
{
	board_init(&board, free_thing);
	freed = 0;
	board_publish(&board, make(1));

	struct board_place *a = board_take(&board), *b = board_take(&board);

	board_publish(&board, make(2));
	struct board_place *c = board_take(&board);

	board_publish(&board, make(3));
	board_publish(&board, make(4));
	CU_ASSERT_EQUAL(value(a), 1);
	CU_ASSERT_EQUAL(value(b), 1);
	CU_ASSERT_EQUAL(value(c), 2);
	CU_ASSERT_EQUAL(freed, 0);
	board_give_back(a);
	board_publish(&board, make(5));
	CU_ASSERT_EQUAL(freed, 1); /* 3; b holds 1, and 4 was the newest until now */
	CU_ASSERT_EQUAL(value(b), 1);
	board_give_back(b);
	board_give_back(c);
	board_publish(&board, make(6));
	CU_ASSERT_EQUAL(freed, 4);
	CU_ASSERT_EQUAL(living, 2); /* 5, taken off only now, and 6 */
	board_clear(&board);
	CU_ASSERT_EQUAL(living, 0);
}

static void all_places_lent(void)
{
	struct board_place *held[BOARD_PLACES];

	board_init(&board, free_thing);
	for (unsigned i = 0; i < BOARD_PLACES; i++) {
		CU_ASSERT_EQUAL(board_publish(&board, make(i)), 0);
		held[i] = board_take(&board);
	}
	struct thing *more = make(99);

	CU_ASSERT_EQUAL(board_publish(&board, more), -EAGAIN);
	for (unsigned i = 0; i < BOARD_PLACES; i++)
		CU_ASSERT_EQUAL(value(held[i]), i);
	board_give_back(held[7]);
	CU_ASSERT_EQUAL(board_publish(&board, more), 0);
	CU_ASSERT_PTR_EQUAL(board_take(&board), held[7]);
	board_give_back(held[7]);
	for (unsigned i = 0; i < BOARD_PLACES; i++) {
		if (i != 7)
			board_give_back(held[i]);
	}
	board_clear(&board);
	CU_ASSERT_EQUAL(living, 0);
}

struct reader {
	pthread_t thread;
	uint64_t reads, torn, backwards;
};
static bool stop; /* atomic */

static void *read_on(void *arg)
{
	struct reader *r = arg;
	uint64_t last = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct board_place *p = board_take(&board);

		if (p == NULL)
			continue;
		const struct thing *t = p->thing;

		for (unsigned i = 1; i < WORDS; i++)
			r->torn += t->words[i] != t->words[0];
		r->backwards += t->words[0] < last;
		last = t->words[0];
		r->reads++;
		if (r->reads % 7 == 0)
			sched_yield(); /* others publish meanwhile */
		board_give_back(p);
	}
	return NULL;
}

static void readers_and_publisher(void)
{
	struct reader r[READERS] = {0};
	uint64_t reads = 0;

	board_init(&board, free_thing);
	freed = 0;
	for (unsigned i = 0; i < READERS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&r[i].thread, NULL, read_on, &r[i]), 0);
	for (uint64_t n = 1; n <= PUBLISHED; n++) {
		CU_ASSERT_EQUAL(board_publish(&board, make(n)), 0);
		if (n % 64 == 0)
			sched_yield();
	}
	board_clear(&board); /* while they go on reading */
	CU_ASSERT_EQUAL(freed, PUBLISHED);
	CU_ASSERT_EQUAL(living, 0);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(r[i].thread, NULL);
		CU_ASSERT_EQUAL(r[i].torn, 0);
		CU_ASSERT_EQUAL(r[i].backwards, 0);
		reads += r[i].reads;
	}
	CU_ASSERT_TRUE(reads > 0);
}

NS_TEST_MAIN({"nothing yet", nothing_yet}, {"what is lent stays", lent_stays},
	{"all places lent", all_places_lent}, {"readers and publisher", readers_and_publisher})
