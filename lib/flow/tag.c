/* SPDX-License-Identifier: BSD-3-Clause */
/* The own index, see tag.h. */
#include "tag.h"

#include <sys/mman.h>

/* Places to go on in; with twice the flows that n buckets are for, 18 % of them do. */
#define EXTRA(n) ((n) / 4 + 16)

/* 6.25 flows a bucket when all are there: 4 % of buckets go on */
int tag_create(struct tag_index *x, uint32_t flows, bool live)
{
	uint32_t n = (uint32_t)((uint64_t)flows * 4 / 25) + 1;

	*x = (struct tag_index){.n = n, .extra = EXTRA(n)};
	x->size = ((size_t)n + x->extra) * sizeof(*x->buckets);
	x->buckets = flow_map(x->size, live);
	return x->buckets != NULL ? 0 : ns_errno_set(ENOMEM);
}

void tag_destroy(struct tag_index *x)
{
	if (x->buckets != NULL)
		munmap(x->buckets, x->size);
	*x = (struct tag_index){0};
}

/* Another bucket for one that is full; 0: there is none. */
static uint32_t more(struct tag_index *x)
{
	uint32_t at = x->extra_free;

	if (at != 0) {
		x->extra_free = x->buckets[at].next;
		__atomic_store_n(&x->buckets[at].next, 0, __ATOMIC_RELAXED);
		return at;
	}
	return x->extra_used < x->extra ? x->n + x->extra_used++ : 0;
}

bool tag_enter(struct tag_index *x, uint32_t sig, uint32_t pos)
{
	struct tag_bucket *b = tag_home(x, sig);
	unsigned free = tag_match(b, 0);

	for (unsigned chain = 0; ns_unlikely(free == 0); chain++) {
		if (b->next == 0) {
			uint32_t at = chain < TAG_CHAIN ? more(x) : 0;

			if (at == 0)
				return false;
			__atomic_store_n(&b->next, at, __ATOMIC_RELEASE);
		}
		b = &x->buckets[b->next];
		free = tag_match(b, 0);
	}
	unsigned i = (unsigned)__builtin_ctz(free);

	__atomic_store_n(&b->pos[i], pos, __ATOMIC_RELAXED);
	__atomic_store_n(&b->tag[i], tag_of(sig), __ATOMIC_RELEASE);
	return true;
}

/*
 * Gives back buckets at the end of a chain that hold nothing. Only there: a reader that still
 * stands in one goes on into some other chain, finds nothing, and has missed nothing of its own.
 */
static void trim(struct tag_index *x, struct tag_bucket *home)
{
	while (home->next != 0) {
		struct tag_bucket *before = home, *last = &x->buckets[home->next];

		for (; last->next != 0; last = &x->buckets[last->next])
			before = last;
		if (tag_match(last, 0) != TAG_MASK)
			return;
		uint32_t at = before->next;

		__atomic_store_n(&before->next, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&last->next, x->extra_free, __ATOMIC_RELAXED);
		x->extra_free = at;
	}
}

void tag_forget(struct tag_index *x, uint32_t sig, uint32_t pos)
{
	struct tag_bucket *home = tag_home(x, sig);

	for (struct tag_bucket *b = home;; b = &x->buckets[b->next]) {
		for (unsigned m = tag_match(b, tag_of(sig)); m != 0; m &= m - 1) {
			unsigned i = (unsigned)__builtin_ctz(m);

			if (b->pos[i] != pos)
				continue;
			__atomic_store_n(&b->tag[i], 0, __ATOMIC_RELEASE);
			if (ns_unlikely(b != home))
				trim(x, home);
			return;
		}
		if (b->next == 0)
			return;
	}
}

uint32_t tag_find(
	const struct ns_flow_table *t, uint32_t sig, const struct key *k, const struct ns_tuple *u)
{
	const struct tag_index *x = &t->tag;

	for (const struct tag_bucket *b = tag_home(x, sig);; b = &x->buckets[b->next]) {
		for (unsigned m = tag_match(b, tag_of(sig)); m != 0; m &= m - 1) {
			uint32_t pos = b->pos[__builtin_ctz(m)];

			if (flow_is(t, pos, k, u))
				return pos;
		}
		if (b->next == 0)
			return NONE;
	}
}
