/* SPDX-License-Identifier: BSD-3-Clause */
/* Adding to a top-k sketch: in plain C, and which way it goes; topk_step.h has the steps. */
#include "topk_step.h"

/*
 * Bits 0 to 3 say which place has the key, 4 to 7 which have the smallest count, so the lowest of
 * all is the key's own, or the first of the smallest when it has none. No branch: compilers make
 * one of a choice between the two.
 */
ALWAYS_INLINE unsigned place_plain(
	struct bucket *b, uint64_t hash, uint64_t weight, uint64_t *least)
{
	unsigned own = 0, low = 0;

	*least = bucket_least(b);
	for (unsigned i = 0; i < PLACES; i++) {
		own |= (unsigned)(b->hash[i] == hash) << i;
		low |= (unsigned)(b->count[i] == *least) << i;
	}
	unsigned at = (unsigned)__builtin_ctz(own | low << PLACES);

	b->hash[at % PLACES] = hash;
	b->count[at % PLACES] += weight;
	return at;
}

void topk_add_full(struct ns_topk *t, const struct topk_burst *in)
{
	for (unsigned i = 0; i < in->n; i++) {
		uint64_t hash = in->hash[i] != 0 ? in->hash[i] : 1, least;
		struct bucket *b = bucket_at(t, bucket_of(hash, t->buckets));
		unsigned at = place_plain(b, hash, 0, &least), p = at % PLACES;
		struct record *r = record_at(t, b, p);

		b->count[p] = add_sat(b->count[p], in->weight[i]);
		if (at >= PLACES) {
			r->error = least;
			r->other = 0;
		}
		r->other = add_sat(r->other, in->other[i]);
		memcpy(r->key, in->keys + (size_t)i * in->stride, t->key_len);
	}
}

ALWAYS_INLINE uint32_t find_plain(struct work *w, unsigned from, unsigned to)
{
	uint32_t none = 0;

	for (unsigned i = from; i < to; i++) {
		const struct bucket *b = (const struct bucket *)(uintptr_t)w->at[i];
		unsigned own = 0;

		for (unsigned p = 0; p < PLACES; p++)
			own |= (unsigned)(b->hash[p] == w->hash[i]) << p;
		w->own[i] = (uint8_t)own;
		none |= (uint32_t)(own == 0) << i;
	}
	return none;
}

ALWAYS_INLINE uint32_t pick_plain(const struct work *w, uint64_t classes)
{
	uint32_t picked = 0;

	for (unsigned i = 0; i < BURST; i++)
		picked |= (uint32_t)(classes >> w->bucket[i] % 64 & 1) << i;
	return picked;
}

void topk_add_plain(struct ns_topk *t, const struct topk_burst *in)
{
	add_burst(t, in, name_plain, find_plain, pick_plain, place_plain);
}

/*
 * Weights are small nearly always; then their sum needs no look at each. Two at a time by hand, as
 * compilers see no gain in it.
 */
static uint64_t sum_sat(uint64_t sum, const uint64_t *v, unsigned n)
{
	pair sums = {0, 0}, any = {0, 0};
	uint64_t plain = 0, bits = 0;
	unsigned done = 0;

	for (; done + 8 <= n; done += 8) {
		const pair *two = (const pair *)(v + done);

		sums += two[0] + two[1] + (two[2] + two[3]);
		any |= two[0] | two[1] | (two[2] | two[3]);
	}
	for (; done < n; done++) {
		plain += v[done];
		bits |= v[done];
	}
	plain += sums[0] + sums[1];
	bits |= any[0] | any[1];
	if (bits <= UINT32_MAX)
		return add_sat(sum, plain);
	for (unsigned i = 0; i < n; i++)
		sum = add_sat(sum, v[i]);
	return sum;
}

void topk_add_with(topk_add_fn add, struct ns_topk *t, const uint64_t *hash, const uint8_t *keys,
	unsigned stride, const uint64_t *weight, const uint64_t *other, unsigned n)
{
	static const uint64_t ones[BURST] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	t->total = weight != NULL ? sum_sat(t->total, weight, n) : add_sat(t->total, n);
	t->total_other =
		other != NULL ? sum_sat(t->total_other, other, n) : add_sat(t->total_other, n);
	if (t->total == UINT64_MAX || t->total_other == UINT64_MAX)
		add = topk_add_full;
	for (unsigned i = 0; i < n; i += BURST) {
		struct topk_burst in = {.hash = hash + i,
			.keys = keys + (size_t)i * stride,
			.weight = weight != NULL ? weight + i : ones,
			.other = other != NULL ? other + i : ones,
			.stride = stride,
			.n = NS_MIN(n - i, (unsigned)BURST)};

		add(t, &in);
	}
}

void ns_topk_add_bulk(struct ns_topk *t, const uint64_t *hash, const uint8_t *keys, unsigned stride,
	const uint64_t *weight, const uint64_t *other, unsigned n)
{
	topk_add_fn add = topk_add_plain;

#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512bw"))
		add = topk_add_avx512;
	else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		add = topk_add_avx2;
#endif
	topk_add_with(add, t, hash, keys, stride, weight, other, n);
}
