/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adding to a top-k sketch, the part that every packet pays.
 *
 * Keys of a burst take three steps together, so that no step waits for memory:
 *
 *   1. name the buckets, fetch their hashes and counts
 *   2. find the place: the key's own, or the one with the smallest count. Either way the hash is
 *      written there and the weight added to the count. Fetch the record
 *   3. bring the records up to date, in order
 *
 * A hit and a miss run the same instructions, as no branch predictor knows which of them is next:
 * in traffic by Zipf's law a third of the packets miss. A hit writes its own key once more. The
 * line is stored whole where vectors allow, so that the next key of the same bucket can read
 * it out of the store buffer.
 */
#include "topk_priv.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* What step 2 leaves for step 3. */
struct due {
	struct record *record;
	uint64_t error; /* of a miss */
	uint64_t miss; /* all bits, or none */
};

/* Puts hash on its place, adds the weight; says which place, and the former count on a miss. */
typedef unsigned (*place_fn)(struct bucket *b, uint64_t hash, uint64_t weight, struct due *due);

#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef uint64_t pair __attribute__((vector_size(16), may_alias));

_Static_assert(offsetof(struct record, other) == offsetof(struct record, error) + 8 &&
		       sizeof(struct record) == sizeof(pair),
	"error and other change together");

/* Step 3; a known key_len makes the copy a load and a store. */
ALWAYS_INLINE void settle(const struct due *due, const struct topk_burst *in, unsigned key_len)
{
	const uint8_t *key = in->keys;

	for (unsigned i = 0; i < in->n; i++, key += in->stride) {
		struct record *r = due[i].record;
		uint64_t miss = due[i].miss;
		pair *sums = (pair *)r, off = {miss, miss};
		pair fresh = {due[i].error, 0}, more = {0, in->other[i]};

		*sums = ((*sums & ~off) | (fresh & off)) + more;
		if (key_len <= 32)
			memcpy(r->key, key, key_len);
		else
			for (unsigned k = 0; k < key_len; k += 8)
				memcpy(r->key + k, key + k, 8);
	}
}

ALWAYS_INLINE void add_burst(struct ns_topk *t, const struct topk_burst *in, place_fn place)
{
	uint64_t at[BURST], hash[BURST];
	struct due due[BURST];
	uint32_t buckets = t->buckets, len = t->bucket_len, record_len = t->record_len;
	unsigned n = in->n;

	for (unsigned i = 0; i < n; i++) {
		uint64_t h = in->hash[i];

		hash[i] = h != 0 ? h : 1;
		at[i] = (uintptr_t)t->first + (uint64_t)bucket_of(h, buckets) * len;
	}
	for (unsigned i = 0; i < n; i++) {
		struct bucket *b = (struct bucket *)(uintptr_t)at[i];

		__builtin_prefetch(b, 1);
	}
	for (unsigned i = 0; i < n; i++) {
		struct bucket *b = (struct bucket *)(uintptr_t)at[i];
		unsigned p = place(b, hash[i], in->weight[i], &due[i]);

		due[i].record = (struct record *)(b->records + (size_t)p * record_len);
		__builtin_prefetch(due[i].record, 1);
	}
	switch (t->key_len) {
	case 8:
		settle(due, in, 8);
		break;
	case 16:
		settle(due, in, 16);
		break;
	case 32:
		settle(due, in, 32);
		break;
	default:
		settle(due, in, t->key_len);
	}
}

/*
 * Which of the places: bits 0 to 3 say which has the key, 4 to 7 which have the smallest count, so
 * the lowest of all is the key's own, or the first of the smallest when it has none. No branch:
 * compilers make one of a choice between the two.
 */
ALWAYS_INLINE unsigned lowest(unsigned own_low, struct due *due)
{
	unsigned bit = (unsigned)__builtin_ctz(own_low);

	due->miss = -(uint64_t)(bit / PLACES);
	return bit % PLACES;
}

ALWAYS_INLINE unsigned place_plain(
	struct bucket *b, uint64_t hash, uint64_t weight, struct due *due)
{
	uint64_t least = bucket_least(b);
	unsigned own = 0, low = 0;

	for (unsigned i = 0; i < PLACES; i++) {
		own |= (unsigned)(b->hash[i] == hash) << i;
		low |= (unsigned)(b->count[i] == least) << i;
	}
	unsigned at = lowest(own | low << PLACES, due);

	due->error = least;
	b->hash[at] = hash;
	b->count[at] += weight;
	return at;
}

void topk_add_plain(struct ns_topk *t, const struct topk_burst *in)
{
	add_burst(t, in, place_plain);
}

void topk_add_full(struct ns_topk *t, const struct topk_burst *in)
{
	for (unsigned i = 0; i < in->n; i++) {
		uint64_t hash = in->hash[i] != 0 ? in->hash[i] : 1;
		struct bucket *b = bucket_at(t, bucket_of(hash, t->buckets));
		struct due due;
		unsigned at = place_plain(b, hash, 0, &due);
		struct record *r = record_at(t, b, at);

		b->count[at] = add_sat(b->count[at], in->weight[i]);
		if (due.miss != 0) {
			r->error = due.error;
			r->other = 0;
		}
		r->other = add_sat(r->other, in->other[i]);
		memcpy(r->key, in->keys + (size_t)i * in->stride, t->key_len);
	}
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2,bmi,bmi2")))
#define AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,bmi,bmi2")))

/*
 * The bucket as one vector, hashes below counts: what was asked for is compared with all of it at
 * once, and so the mask is what lowest() wants. What each place would become is ready by then.
 */
AVX512 static inline unsigned place_avx512(
	struct bucket *b, uint64_t hash, uint64_t weight, struct due *due)
{
	const __mmask8 of_counts = 0xf0;
	const __m512i h = _mm512_set1_epi64((long long)hash),
		      w = _mm512_set1_epi64((long long)weight);
	__m512i line = _mm512_load_si512(b);
	__m128i two = _mm_min_epu64(_mm_load_si128((const __m128i *)b->count),
		_mm_load_si128((const __m128i *)(b->count + 2)));
	__m128i least = _mm_min_epu64(two, _mm_unpackhi_epi64(two, two));
	__m512i added = _mm512_mask_add_epi64(h, of_counts, line, w);
	unsigned at = lowest(
		_mm512_cmpeq_epi64_mask(line, _mm512_mask_broadcastq_epi64(h, of_counts, least)),
		due);

	due->error = (uint64_t)_mm_cvtsi128_si64(least);
	_mm512_store_si512(b, _mm512_mask_mov_epi64(line, (__mmask8)(0x11u << at), added));
	return at;
}

AVX512 void topk_add_avx512(struct ns_topk *t, const struct topk_burst *in)
{
	add_burst(t, in, place_avx512);
}

/* AVX2 compares signed numbers only, so counts are compared with the sign bit turned over. */
AVX2 static inline __m256i lower(__m256i a, __m256i b)
{
	return _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b));
}

AVX2 static inline unsigned equal4(__m256i a, __m256i v)
{
	return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(a, v)));
}

AVX2 static inline unsigned place_avx2(
	struct bucket *b, uint64_t hash, uint64_t weight, struct due *due)
{
	const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
	const __m256i h = _mm256_set1_epi64x((long long)hash);
	const __m256i w = _mm256_set1_epi64x((long long)weight);
	__m256i counts = _mm256_load_si256((const __m256i *)b->count);
	__m256i hashes = _mm256_load_si256((const __m256i *)b->hash);
	__m256i turned = _mm256_xor_si256(counts, sign), least;

	least = lower(turned, _mm256_permute4x64_epi64(turned, 0x4e));
	least = lower(least, _mm256_permute4x64_epi64(least, 0xb1));
	unsigned at = lowest(equal4(hashes, h) | equal4(turned, least) << PLACES, due);
	__m256i bit = _mm256_cmpeq_epi64(_mm256_set1_epi64x(at), _mm256_setr_epi64x(0, 1, 2, 3));

	due->error =
		(uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(least)) ^ (UINT64_C(1) << 63);
	_mm256_store_si256((__m256i *)b->hash, _mm256_blendv_epi8(hashes, h, bit));
	_mm256_store_si256((__m256i *)b->count, _mm256_add_epi64(counts, _mm256_and_si256(w, bit)));
	return at;
}

AVX2 void topk_add_avx2(struct ns_topk *t, const struct topk_burst *in)
{
	add_burst(t, in, place_avx2);
}
#endif

/* Weights are small nearly always; then their sum needs no look at each. */
static uint64_t sum_sat(uint64_t sum, const uint64_t *v, unsigned n)
{
	uint64_t plain = 0, bits = 0;

	for (unsigned i = 0; i < n; i++) {
		plain += v[i];
		bits |= v[i];
	}
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
