/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heaviest keys by Space-Saving in buckets: life, merging, questions. The layout is drawn in
 * topk_priv.h, adding is in topk_step.h.
 *
 * Merging (Agarwal, Cormode, Huang, Phillips, Wei, Yi: "Mergeable Summaries", PODS 2012), for each
 * pair of buckets A and B: a key of both has the sums of counts and errors. A key of A alone may
 * have weighed as much as the smallest count of B there (0 when B has a place free), which goes to
 * both its count and its error. The four highest counts stay. Each sum is at least min A + min B,
 * and what is dropped is no higher than what stays, so a key that is not listed weighs at most the
 * new smallest count.
 *
 * Why this and not HeavyKeeper (ATC 2018) or Count-Min with a list: `ns-compare-topk` says, 10 M
 * things, keys of 16 octets. Recall of the true top 100, then the mean relative error in % of their
 * counts (one that is not found counts as 100). "sure" is this sketch read by ns_topk_list_sure(),
 * its estimate count - error. Last: ns of CPU time an add of ours, HeavyKeeper's, Count-Min's. The
 * two rows of SYN floods and the last one are source addresses of captures.
 *
 *                     KiB  by count    sure        HeavyKeeper  Count-Min CU  ns/add
 * zipf 0.8            512  1.00   .00  1.00   .00  1.00   .00   1.00   .00     6 22 10
 *                      64   .35    54   .52    71   .99   1.4    .61   .10     6 18 27
 * zipf 1.0            512  1.00   .00  1.00   .00  1.00   .00   1.00   .00     6 20 14
 *                      64   .80   3.6   .90    10  1.00   .04    .65   .00     6 18 13
 * zipf 1.2            512  1.00   .00  1.00   .00  1.00   .00   1.00   .00     6 12 11
 *                      64   .99   .09   .99   1.0   .99   1.0    .78   .00     6 12 11
 * zipf 1.4            512  1.00   .00  1.00   .00  1.00   .00   1.00   .00     7  8  9
 *                      64  1.00   .00  1.00   .00  1.00   .01    .85   .00     6  9  9
 * uniform             512   .00   100   .00   100   .01    99    .00   100     6 14  9
 *                      64   .00   100   .00   100   .00   100    .00   100     6 12 35
 * 1.0, heaviest last  512   .91   4.2  1.00   .00  1.00   .01    .99   .48     6 20  9
 *                      64   .34   134   .27    73   .77    25    .27    35     6 19 32
 * reflected SYN+ACK   512   .83   3.5  1.00   2.7  1.00   .33    .99   .00     5 16 10
 *                      64   .27   132  1.00    66  1.00    25    .56    83     5 19 33
 * spoofed SYN flood   512   .01   102   .17    95   .99   4.0    .13    12     5 21  7
 *                      64   .04   236   .02    94   .97    18    .02   112     5 12 34
 * few sources         512  1.00   .00  1.00   .00  1.00   .00   1.00   .00     7  7  9
 *
 * With 512 KiB all are as good on skewed streams, and ours takes less time: a third of that of
 * HeavyKeeper at zipf 1.0, four fifths at 1.4. HeavyKeeper finds more where memory is short for the
 * stream (64 KiB, zipf 1.0 and below) and in a flood of sources seen once or twice, and is as fast
 * where a few keys are all there is, as each of ours waits for the one before it in its bucket.
 * Ours has bounds that always hold, on both sides, and survive merging; HeavyKeeper has neither.
 */
#include "topk_priv.h"

#include <stdlib.h>

bool topk_key_len_good(unsigned key_len)
{
	return key_len >= 8 && key_len <= KEY_MAX && key_len % 8 == 0;
}

size_t topk_size(uint64_t buckets, unsigned key_len)
{
	uint64_t most = (MEMORY_MAX - sizeof(struct ns_topk)) / bucket_len(key_len);

	return buckets > most ? 0 : sizeof(struct ns_topk) + buckets * bucket_len(key_len);
}

static uint64_t buckets_for(const struct ns_topk_conf *c)
{
	uint64_t room = c->memory > sizeof(struct ns_topk) ? c->memory - sizeof(struct ns_topk) : 0;

	return NS_MAX(room / bucket_len(c->key_len), 1);
}

size_t ns_topk_size(const struct ns_topk_conf *c)
{
	size_t size = topk_key_len_good(c->key_len) ? topk_size(buckets_for(c), c->key_len) : 0;

	if (size == 0)
		errno = EINVAL;
	return size;
}

struct ns_topk *topk_init_zeroed(void *mem, uint32_t buckets, uint16_t key_len, uint64_t seed)
{
	struct ns_topk *t = mem;

	*t = (struct ns_topk){.seed = seed,
		.buckets = buckets,
		.key_len = key_len,
		.record_len = (uint16_t)record_len(key_len),
		.bucket_len = bucket_len(key_len)};
	return t;
}

struct ns_topk *topk_init(void *mem, uint32_t buckets, uint16_t key_len, uint64_t seed)
{
	memset(mem, 0, topk_size(buckets, key_len));
	return topk_init_zeroed(mem, buckets, key_len, seed);
}

struct ns_topk *ns_topk_init_zeroed(void *mem, const struct ns_topk_conf *c)
{
	if (ns_topk_size(c) == 0)
		return NULL;
	return topk_init_zeroed(mem, (uint32_t)buckets_for(c), c->key_len, c->seed);
}

struct ns_topk *ns_topk_init(void *mem, const struct ns_topk_conf *c)
{
	if (ns_topk_size(c) == 0)
		return NULL;
	return topk_init(mem, (uint32_t)buckets_for(c), c->key_len, c->seed);
}

struct ns_topk *ns_topk_create(const struct ns_topk_conf *c)
{
	size_t size = ns_topk_size(c);
	void *mem = size != 0 ? ns_sketch_alloc(size) : NULL;

	return mem != NULL ? ns_topk_init(mem, c) : NULL;
}

void ns_topk_destroy(struct ns_topk *t)
{
	free(t);
}

void ns_topk_reset(struct ns_topk *t)
{
	t->total = t->total_other = 0;
	memset(t->first, 0, (size_t)t->buckets * t->bucket_len);
}

static bool empty(const struct bucket *b)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < PLACES; i++)
		any |= b->hash[i];
	return any == 0;
}

static unsigned find(const struct bucket *b, uint64_t hash)
{
	unsigned place = PLACES;

	for (unsigned i = PLACES; i-- > 0;)
		place = b->hash[i] == hash ? i : place;
	return place;
}

/* The places of one bucket and the new keys of another. */
struct candidates {
	uint64_t count[2 * PLACES];
	uint64_t hash[2 * PLACES];
	unsigned n;
};

/* Which of all weigh so much that fewer than PLACES stand before them: one bit each. */
static unsigned heaviest(const struct candidates *all)
{
	unsigned stay = 0;

	for (unsigned i = 0; i < all->n; i++) {
		uint64_t count = all->count[i], hash = all->hash[i];
		unsigned before = 0;

		for (unsigned j = 0; j < all->n; j++)
			before += (all->count[j] > count) |
				  ((all->count[j] == count) &
					  ((all->hash[j] < hash) |
						  ((all->hash[j] == hash) & (j < i))));
		stay |= (unsigned)(before < PLACES) << i;
	}
	return stay;
}

static void merge_bucket(
	struct ns_topk *into, struct bucket *a, const struct ns_topk *from, const struct bucket *b)
{
	uint64_t least_a = bucket_least(a), least_b = bucket_least(b);
	unsigned new_place[PLACES], news = 0, in_both = 0;
	struct candidates all = {.n = PLACES};

	for (unsigned i = 0; i < PLACES; i++) {
		unsigned at = b->hash[i] != 0 ? find(a, b->hash[i]) : PLACES;

		if (b->hash[i] == 0)
			continue;
		if (at == PLACES) {
			new_place[news++] = i;
			continue;
		}
		struct record *ra = record_at(into, a, at);
		const struct record *rb = record_at(from, b, i);

		a->count[at] = add_sat(a->count[at], b->count[i]);
		ra->error = add_sat(ra->error, rb->error);
		ra->other = add_sat(ra->other, rb->other);
		in_both |= 1u << at;
	}
	for (unsigned i = 0; i < PLACES; i++) {
		if (a->hash[i] != 0 && !(in_both >> i & 1)) {
			struct record *ra = record_at(into, a, i);

			a->count[i] = add_sat(a->count[i], least_b);
			ra->error = add_sat(ra->error, least_b);
		}
		all.count[i] = a->count[i];
		/* an empty place goes before any other */
		all.hash[i] = a->hash[i] != 0 ? a->hash[i] : UINT64_MAX;
	}
	for (unsigned i = 0; i < news; i++) {
		all.count[all.n] = add_sat(b->count[new_place[i]], least_a);
		all.hash[all.n++] = b->hash[new_place[i]];
	}
	unsigned stay = heaviest(&all), place = 0;

	for (unsigned i = 0; i < news; i++) {
		if (!(stay >> (PLACES + i) & 1))
			continue;
		while (stay >> place & 1)
			place++;
		struct record *ra = record_at(into, a, place);
		const struct record *rb = record_at(from, b, new_place[i]);

		a->hash[place] = b->hash[new_place[i]];
		a->count[place] = all.count[PLACES + i];
		memcpy(ra, rb, into->record_len);
		ra->error = add_sat(rb->error, least_a);
		place++;
	}
}

int ns_topk_merge(struct ns_topk *into, const struct ns_topk *from)
{
	if (into->buckets != from->buckets || into->key_len != from->key_len ||
		into->seed != from->seed)
		return ns_errno_set(EINVAL);
	for (uint32_t i = 0; i < into->buckets; i++) {
		struct bucket *a = bucket_at(into, i);
		const struct bucket *b = bucket_at(from, i);

		if (empty(b))
			continue;
		if (empty(a))
			memcpy(a, b, into->bucket_len);
		else
			merge_bucket(into, a, from, b);
	}
	into->total = add_sat(into->total, from->total);
	into->total_other = add_sat(into->total_other, from->total_other);
	return 0;
}

uint64_t ns_topk_total(const struct ns_topk *t)
{
	return t->total;
}

uint64_t ns_topk_total_other(const struct ns_topk *t)
{
	return t->total_other;
}

uint32_t ns_topk_capacity(const struct ns_topk *t)
{
	return t->buckets * PLACES;
}

uint32_t ns_topk_places(const struct ns_topk_conf *c)
{
	return ns_topk_size(c) != 0 ? (uint32_t)buckets_for(c) * PLACES : 0;
}

bool ns_topk_query(const struct ns_topk *t, uint64_t hash, struct ns_topk_entry *e)
{
	uint64_t id = hash != 0 ? hash : 1;
	const struct bucket *b = bucket_at(t, bucket_of(id, t->buckets));
	unsigned place = find(b, id);

	if (place == PLACES) {
		uint64_t least = bucket_least(b);

		*e = (struct ns_topk_entry){.hash = id, .count = least, .error = least};
		return false;
	}
	*e = entry_at(t, b, place);
	return true;
}

uint64_t ns_topk_unlisted(const struct ns_topk *t)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < t->buckets; i++)
		most = NS_MAX(most, bucket_least(bucket_at(t, i)));
	return most;
}
