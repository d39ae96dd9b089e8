/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Idea: what hosts, services, tunnels and VLANs sum up to, by key. Open addressing over 64-bit
 * slots; the tallies lie dense beside them, in order of arrival.
 *
 *   slots      [hash 32 | place + 1 32] ...   0: free; linear probing, at most half full
 *   entries    [key 32 | packets | octets | sent | flows] ...
 *
 * A probe reads an entry only when 32 bits of the hash agree, and growing never reads one: slots
 * move by the hash they hold. The hash is seeded anew in each run, so that no capture can be made
 * to collide; nothing that is printed depends on it.
 *
 * Bounded: when @c bound keys are there, all others share one tally. Which keys these are depends
 * on the order of records, the one thing that does; the report says so when it happens.
 *
 * One writer, no readers beside it.
 */

#include <ns_base.h>

#define TABLE_KEY_WORDS 4

struct tally {
	uint64_t key[TABLE_KEY_WORDS]; /* octets, compared in memory order; unused ones zero */
	uint64_t packets, octets; /* both directions */
	uint64_t sent, received; /* octets; hosts only */
	uint64_t flows;
};

struct table {
	uint64_t *slots;
	struct tally *entries;
	uint64_t seed;
	uint32_t mask; /* slots - 1, 0 before the first */
	uint32_t used, room;
	uint32_t bound;
	unsigned words; /* of the key that are used */
	struct tally other;
};

/* Takes no memory yet. bound <= 2^30. */
void table_init(struct table *t, unsigned words, uint32_t bound);
void table_fini(struct table *t);

uint32_t table_hash(const struct table *t, const uint64_t *key);

/*
 * Look-ups that miss the cache one after the other are what this costs: fetch the slots of several
 * keys, then the entries that they name, then get them.
 */
static inline void table_fetch_slot(const struct table *t, uint32_t hash)
{
	if (t->mask != 0)
		__builtin_prefetch(&t->slots[hash & t->mask]);
}

static inline void table_fetch_entry(const struct table *t, uint32_t hash)
{
	uint64_t slot = t->mask != 0 ? t->slots[hash & t->mask] : 0;

	if (slot == 0 || slot >> 32 != hash)
		return;
	const char *e = (const char *)&t->entries[(uint32_t)slot - 1];

	__builtin_prefetch(e);
	__builtin_prefetch(e + sizeof(struct tally) - 1);
}

/*
 * The tally of a key, made when it is new; the one for all others when the table is full; NULL with
 * errno ENOMEM. Valid until the next call.
 */
struct tally *table_get(struct table *t, const uint64_t *key, uint32_t hash);

/* More octets first, then more packets, then the lower key. */
int tally_rank(const struct tally *a, const struct tally *b);

/* The first max tallies by rank into top; returns how many. */
unsigned table_top(const struct table *t, const struct tally **top, unsigned max);
