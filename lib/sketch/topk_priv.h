/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Space-Saving in buckets: what its files share.
 *
 * One Space-Saving summary of thousands of counters needs a hash table and a heap beside it, and
 * each packet walks both. Here a key's hash names one bucket of four places and each bucket is a
 * small Space-Saving summary of its own: the hash and the heap become one vector comparison and
 * one vector minimum. The bounds hold per bucket, so they hold.
 *
 *        one line, then four records of whole 16 octets
 *       +-------------------------------------+-------------------------------------+
 *   0   | hash 0   hash 1   hash 2   hash 3   | count 0  count 1  count 2  count 3  |
 *   64  | error 0  other 0  key 0 (key_len octets) | error 1  other 1  key 1      | |
 *   ... | error 2  other 2  key 2                  | error 3  other 3  key 3      | |
 *       +---------------------------------------------------------------------------+
 *                        a hash of 0: empty, and then the count is 0
 *
 * Searching needs hashes and counts alone, and they lie in columns. What changes with a place lies
 * in its record, so that both a hit and a miss write two lines when key_len is at most 16.
 *
 * Four places, as hashes and counts of so many share one line; of eight they are two, and each
 * packet writes three. In the engine, where sketches push each other out of the caches, the
 * default tasks took 42 ns a packet instead of 47 when it was tried. The
 * price is that more buckets have more heavy keys than places: with 64 KiB on zipf 1.0 the recall
 * of the top 100 is .80 instead of .85, by count - error .90 instead of .96; with 512 KiB it is
 * the same there, but .83 instead of .89 by count on reflected SYN+ACK (topk.c has the table).
 *
 * An empty place has count 0, so it is the smallest of its bucket and is taken first; and the
 * smallest count of a bucket that is not full is 0, which is what an unlisted key weighs there.
 * Who lists a key is its whole 64-bit hash; a hash of 0 counts as 1.
 */

#include "ns_topk.h"

#define PLACES 4 /* of a bucket */
#define BURST 32 /* keys whose lines are fetched together */
#define KEY_MAX 128
#define MEMORY_MAX (UINT64_C(1) << 32)

struct record {
	uint64_t error;
	uint64_t other;
	uint8_t key[];
};

struct bucket {
	uint64_t hash[PLACES];
	uint64_t count[PLACES];
	uint8_t records[]; /* PLACES of them */
};

struct ns_topk {
	uint64_t seed;
	uint64_t total;
	uint64_t total_other;
	uint32_t buckets;
	uint16_t key_len;
	uint16_t record_len;
	uint32_t bucket_len;
	uint32_t zero[7];
	uint8_t first[]; /* buckets */
};

_Static_assert(sizeof(struct ns_topk) == NS_CACHE_LINE, "buckets begin at a line");
_Static_assert(sizeof(struct bucket) == NS_CACHE_LINE, "hashes and counts share a line");

/* Whole 16 octets, so that buckets are whole lines: four records of them are. */
static inline uint32_t record_len(unsigned key_len)
{
	return (uint32_t)(sizeof(struct record) + key_len + 15) & ~UINT32_C(15);
}

static inline uint32_t bucket_len(unsigned key_len)
{
	return (uint32_t)(sizeof(struct bucket) + PLACES * record_len(key_len));
}

static inline struct bucket *bucket_at(const struct ns_topk *t, uint64_t i)
{
	return (struct bucket *)(uintptr_t)(t->first + i * t->bucket_len);
}

/*
 * Which bucket: the upper half of the hash as a fraction of 2^32, so any number of them will do.
 * Not all 64 bits, as vectors multiply 32 by 32 only.
 */
static inline uint32_t bucket_of(uint64_t hash, uint32_t buckets)
{
	return (uint32_t)(((hash >> 32) * buckets) >> 32);
}

static inline struct record *record_at(
	const struct ns_topk *t, const struct bucket *b, unsigned place)
{
	return (struct record *)(uintptr_t)(b->records + (size_t)place * t->record_len);
}

static inline struct ns_topk_entry entry_at(
	const struct ns_topk *t, const struct bucket *b, unsigned place)
{
	const struct record *r = record_at(t, b, place);

	return (struct ns_topk_entry){.key = r->key,
		.hash = b->hash[place],
		.count = b->count[place],
		.error = r->error,
		.other = r->other};
}

static inline uint64_t add_sat(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum | -(uint64_t)(sum < a);
}

static inline uint64_t bucket_least(const struct bucket *b)
{
	uint64_t least = b->count[0];

	for (unsigned i = 1; i < PLACES; i++)
		least = NS_MIN(least, b->count[i]);
	return least;
}

/* What to add: at most BURST keys. */
struct topk_burst {
	const uint64_t *hash;
	const uint8_t *keys;
	const uint64_t *weight;
	const uint64_t *other;
	unsigned stride;
	unsigned n;
};

/*
 * Each way leaves the same octets; which one runs is a matter of what the CPU has. Only
 * topk_add_full() looks for sums that wrap: no count is above the total, nor `other` above its own,
 * so it is needed once a total has come to the end of its range.
 */
typedef void (*topk_add_fn)(struct ns_topk *t, const struct topk_burst *in);

void topk_add_plain(struct ns_topk *t, const struct topk_burst *in);
void topk_add_full(struct ns_topk *t, const struct topk_burst *in);
#ifdef __x86_64__
void topk_add_avx2(struct ns_topk *t, const struct topk_burst *in);
void topk_add_avx512(struct ns_topk *t, const struct topk_burst *in);
#endif

/* As ns_topk_add_bulk() in a way of the caller's choice; for it and for tests. */
void topk_add_with(topk_add_fn add, struct ns_topk *t, const uint64_t *hash, const uint8_t *keys,
	unsigned stride, const uint64_t *weight, const uint64_t *other, unsigned n);

/* The memory of a sketch with so many buckets; 0: too much. */
size_t topk_size(uint64_t buckets, unsigned key_len);
struct ns_topk *topk_init_zeroed(void *mem, uint32_t buckets, uint16_t key_len, uint64_t seed);
struct ns_topk *topk_init(void *mem, uint32_t buckets, uint16_t key_len, uint64_t seed);
bool topk_key_len_good(unsigned key_len);
