/* SPDX-License-Identifier: BSD-3-Clause */
/* Adding to a top-k sketch with the vectors of x86; topk_step.h has the steps. */
#include "topk_step.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2")))
#define AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,bmi,bmi2")))

/*
 * The bucket as one vector, hashes below counts: what was asked for is compared with all of it at
 * once, and so the mask has the bits in that order. What each place would become is ready by then.
 */
AVX512 static inline unsigned place_avx512(
	struct bucket *b, uint64_t hash, uint64_t weight, uint64_t *least_was)
{
	const __mmask8 of_counts = 0xf0;
	const __m512i h = _mm512_set1_epi64((long long)hash),
		      w = _mm512_set1_epi64((long long)weight);
	__m512i line = _mm512_load_si512(b);
	__m128i two = _mm_min_epu64(_mm_load_si128((const __m128i *)b->count),
		_mm_load_si128((const __m128i *)(b->count + 2)));
	__m128i least = _mm_min_epu64(two, _mm_unpackhi_epi64(two, two));
	__m512i added = _mm512_mask_add_epi64(h, of_counts, line, w);
	unsigned at = (unsigned)__builtin_ctz(
		_mm512_cmpeq_epi64_mask(line, _mm512_mask_broadcastq_epi64(h, of_counts, least)));

	*least_was = (uint64_t)_mm_cvtsi128_si64(least);
	_mm512_store_si512(b, _mm512_mask_mov_epi64(line, (__mmask8)(0x11u << at % PLACES), added));
	return at;
}

/* A whole burst; no product has more than 32 bits on either side. */
AVX2 static inline void name_avx2(
	const struct ns_topk *t, const struct topk_burst *in, struct work *w)
{
	const __m256i buckets = _mm256_set1_epi64x(t->buckets),
		      len = _mm256_set1_epi64x(t->bucket_len),
		      first = _mm256_set1_epi64x((long long)(uintptr_t)t->first);

	for (unsigned i = 0; i < BURST; i += 4) {
		__m256i h = _mm256_loadu_si256((const __m256i *)(in->hash + i));
		__m256i zero = _mm256_cmpeq_epi64(h, _mm256_setzero_si256());
		__m256i at =
			_mm256_srli_epi64(_mm256_mul_epu32(_mm256_srli_epi64(h, 32), buckets), 32);

		_mm256_store_si256((__m256i *)(w->hash + i), _mm256_sub_epi64(h, zero));
		_mm256_store_si256((__m256i *)(w->bucket + i), at);
		_mm256_store_si256(
			(__m256i *)(w->at + i), _mm256_add_epi64(first, _mm256_mul_epu32(at, len)));
	}
}

/* A bit for each octet of own that is 0. */
AVX2 static inline uint32_t none_of(const struct work *w, unsigned from, unsigned to)
{
	__m256i own = _mm256_load_si256((const __m256i *)w->own);
	__m256i none = _mm256_cmpeq_epi8(own, _mm256_setzero_si256());

	return (uint32_t)_mm256_movemask_epi8(none) &
	       (uint32_t)((UINT64_C(1) << to) - (UINT64_C(1) << from));
}

AVX2 static inline uint32_t pick_avx2(const struct work *w, uint64_t classes)
{
	const __m256i all = _mm256_set1_epi64x((long long)classes), last = _mm256_set1_epi64x(63);
	uint32_t picked = 0;

	/* the bit of its class becomes the sign */
	for (unsigned i = 0; i < BURST; i += 4) {
		__m256i up = _mm256_andnot_si256(
			_mm256_load_si256((const __m256i *)(w->bucket + i)), last);
		__m256i bit = _mm256_sllv_epi64(all, up);

		picked |= (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(bit)) << i;
	}
	return picked;
}

AVX512 static inline uint32_t find_avx512(struct work *w, unsigned from, unsigned to)
{
#pragma GCC unroll 4
	for (unsigned i = from; i < to; i++) {
		const struct bucket *b = (const struct bucket *)(uintptr_t)w->at[i];

		w->own[i] = _mm256_cmpeq_epi64_mask(_mm256_load_si256((const __m256i *)b->hash),
			_mm256_set1_epi64x((long long)w->hash[i]));
	}
	return none_of(w, from, to);
}

AVX512 void topk_add_avx512(struct ns_topk *t, const struct topk_burst *in)
{
	add_burst(t, in, name_avx2, find_avx512, pick_avx2, place_avx512);
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
	struct bucket *b, uint64_t hash, uint64_t weight, uint64_t *least_was)
{
	const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
	const __m256i h = _mm256_set1_epi64x((long long)hash);
	const __m256i w = _mm256_set1_epi64x((long long)weight);
	__m256i counts = _mm256_load_si256((const __m256i *)b->count);
	__m256i hashes = _mm256_load_si256((const __m256i *)b->hash);
	__m256i turned = _mm256_xor_si256(counts, sign), least;

	least = lower(turned, _mm256_permute4x64_epi64(turned, 0x4e));
	least = lower(least, _mm256_permute4x64_epi64(least, 0xb1));
	unsigned at = (unsigned)__builtin_ctz(equal4(hashes, h) | equal4(turned, least) << PLACES);
	__m256i bit =
		_mm256_cmpeq_epi64(_mm256_set1_epi64x(at % PLACES), _mm256_setr_epi64x(0, 1, 2, 3));

	*least_was =
		(uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(least)) ^ (UINT64_C(1) << 63);
	_mm256_store_si256((__m256i *)b->hash, _mm256_blendv_epi8(hashes, h, bit));
	_mm256_store_si256((__m256i *)b->count, _mm256_add_epi64(counts, _mm256_and_si256(w, bit)));
	return at;
}

AVX2 static inline uint32_t find_avx2(struct work *w, unsigned from, unsigned to)
{
#pragma GCC unroll 4
	for (unsigned i = from; i < to; i++) {
		const struct bucket *b = (const struct bucket *)(uintptr_t)w->at[i];

		w->own[i] = (uint8_t)equal4(_mm256_load_si256((const __m256i *)b->hash),
			_mm256_set1_epi64x((long long)w->hash[i]));
	}
	return none_of(w, from, to);
}

AVX2 void topk_add_avx2(struct ns_topk *t, const struct topk_burst *in)
{
	add_burst(t, in, name_avx2, find_avx2, pick_avx2, place_avx2);
}
#endif
