/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperLogLog: union of two sketches. */
#include "hll_priv.h"

#ifdef __SSSE3__
#include <immintrin.h>
#endif

/*
 * Sixteen registers in a dozen instructions. Of two registers the larger octet has the larger u;
 * what the smaller one adds to the two lower bits depends on its own two and on how far apart the
 * ranks are, 0 to 2, or 3 for more: a table of sixteen.
 */
static void registers_merge(uint8_t *into, const uint8_t *from, size_t n)
{
	size_t i = 0;

#ifdef __SSSE3__
	const __m128i adds = _mm_setr_epi8(0, 1, 2, 3, 2, 2, 3, 3, 1, 1, 1, 1, 0, 0, 0, 0);
	const __m128i rank = _mm_set1_epi8(63), low = _mm_set1_epi8(3);

	for (; i + 16 <= n; i += 16) {
		__m128i a = _mm_load_si128((const __m128i *)(into + i));
		__m128i b = _mm_load_si128((const __m128i *)(from + i));
		__m128i more = _mm_max_epu8(a, b), less = _mm_min_epu8(a, b);
		__m128i apart = _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16(more, 2), rank),
			_mm_and_si128(_mm_srli_epi16(less, 2), rank));
		__m128i key;

		/* No bit of an octet reaches its neighbour: 3 << 2 is 12. */
		key = _mm_or_si128(
			_mm_slli_epi16(_mm_min_epu8(apart, low), 2), _mm_and_si128(less, low));
		key = _mm_andnot_si128(
			_mm_cmpeq_epi8(less, _mm_setzero_si128()), _mm_shuffle_epi8(adds, key));
		_mm_store_si128((__m128i *)(into + i), _mm_or_si128(more, key));
	}
#endif
	for (; i < n; i++) {
		uint64_t set = ns_hll_open(into[i]) | ns_hll_open(from[i]);

		if (set != 0)
			into[i] = ns_hll_close(set);
	}
}

int ns_hll_merge(struct ns_hll *into, const struct ns_hll *from)
{
	uint64_t hash[NS_HLL_KEEP_MAX];
	uint32_t n;

	if (into->p != from->p || into->seed != from->seed)
		return ns_errno_set(EINVAL);
	if (into == from)
		return 0;
	if (!from->dense) {
		n = ns_hll_hashes(from, hash);
		ns_hll_add_bulk(into, hash, n);
		return 0;
	}
	if (!into->dense)
		ns_hll_densify(into);
	registers_merge(into->area, from->area, (size_t)1 << into->p);
	return 0;
}
