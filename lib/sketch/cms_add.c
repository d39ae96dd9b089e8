/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Count-Min: adding. A batch is gone through twice: places are found and fetched ahead, then
 * counted. Conservative update raises only those of a thing's counters that would be below its new
 * estimate.
 */
#include "cms_priv.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define BATCH 32u

const uint8_t ns_cms_sets[NS_CMS_ROWS_MAX + 1] = {0, 8, 28, 56, 70, 56, 28, 8, 1};
const uint8_t ns_cms_set[NS_CMS_ROWS_MAX + 1][70] = {
	{0},
	{0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80},
	{0x03, 0x05, 0x06, 0x09, 0x0a, 0x0c, 0x11, 0x12, 0x14, 0x18, 0x21, 0x22, 0x24, 0x28, 0x30,
		0x41, 0x42, 0x44, 0x48, 0x50, 0x60, 0x81, 0x82, 0x84, 0x88, 0x90, 0xa0, 0xc0},
	{0x07, 0x0b, 0x0d, 0x0e, 0x13, 0x15, 0x16, 0x19, 0x1a, 0x1c, 0x23, 0x25, 0x26, 0x29, 0x2a,
		0x2c, 0x31, 0x32, 0x34, 0x38, 0x43, 0x45, 0x46, 0x49, 0x4a, 0x4c, 0x51, 0x52, 0x54,
		0x58, 0x61, 0x62, 0x64, 0x68, 0x70, 0x83, 0x85, 0x86, 0x89, 0x8a, 0x8c, 0x91, 0x92,
		0x94, 0x98, 0xa1, 0xa2, 0xa4, 0xa8, 0xb0, 0xc1, 0xc2, 0xc4, 0xc8, 0xd0, 0xe0},
	{0x0f, 0x17, 0x1b, 0x1d, 0x1e, 0x27, 0x2b, 0x2d, 0x2e, 0x33, 0x35, 0x36, 0x39, 0x3a, 0x3c,
		0x47, 0x4b, 0x4d, 0x4e, 0x53, 0x55, 0x56, 0x59, 0x5a, 0x5c, 0x63, 0x65, 0x66, 0x69,
		0x6a, 0x6c, 0x71, 0x72, 0x74, 0x78, 0x87, 0x8b, 0x8d, 0x8e, 0x93, 0x95, 0x96, 0x99,
		0x9a, 0x9c, 0xa3, 0xa5, 0xa6, 0xa9, 0xaa, 0xac, 0xb1, 0xb2, 0xb4, 0xb8, 0xc3, 0xc5,
		0xc6, 0xc9, 0xca, 0xcc, 0xd1, 0xd2, 0xd4, 0xd8, 0xe1, 0xe2, 0xe4, 0xe8, 0xf0},
	{0x1f, 0x2f, 0x37, 0x3b, 0x3d, 0x3e, 0x4f, 0x57, 0x5b, 0x5d, 0x5e, 0x67, 0x6b, 0x6d, 0x6e,
		0x73, 0x75, 0x76, 0x79, 0x7a, 0x7c, 0x8f, 0x97, 0x9b, 0x9d, 0x9e, 0xa7, 0xab, 0xad,
		0xae, 0xb3, 0xb5, 0xb6, 0xb9, 0xba, 0xbc, 0xc7, 0xcb, 0xcd, 0xce, 0xd3, 0xd5, 0xd6,
		0xd9, 0xda, 0xdc, 0xe3, 0xe5, 0xe6, 0xe9, 0xea, 0xec, 0xf1, 0xf2, 0xf4, 0xf8},
	{0x3f, 0x5f, 0x6f, 0x77, 0x7b, 0x7d, 0x7e, 0x9f, 0xaf, 0xb7, 0xbb, 0xbd, 0xbe, 0xcf, 0xd7,
		0xdb, 0xdd, 0xde, 0xe7, 0xeb, 0xed, 0xee, 0xf3, 0xf5, 0xf6, 0xf9, 0xfa, 0xfc},
	{0x7f, 0xbf, 0xdf, 0xef, 0xf7, 0xfb, 0xfd, 0xfe},
	{0xff},
};

static inline __attribute__((always_inline)) void raise(
	uint64_t *const *c, unsigned d, uint64_t w, bool plain)
{
	uint64_t v[NS_CMS_ROWS_MAX], least;

	if (plain) {
		for (unsigned r = 0; r < d; r++)
			*c[r] = ns_cms_sum(*c[r], w);
		return;
	}
	for (unsigned r = 0; r < d; r++)
		v[r] = *c[r];
	least = v[0];
	for (unsigned r = 1; r < d; r++)
		least = v[r] < least ? v[r] : least;
	least = ns_cms_sum(least, w);
	for (unsigned r = 0; r < d; r++)
		*c[r] = v[r] < least ? least : v[r];
}

static inline __attribute__((always_inline)) void rows_add(struct ns_cms *s, const uint64_t *hash,
	const uint64_t *weight, unsigned n, unsigned d, bool plain)
{
	uint64_t *at[BATCH][NS_CMS_ROWS_MAX];

	for (unsigned i = 0; i < n; i++) {
		for (unsigned r = 0; r < d; r++) {
			at[i][r] = &s->count[ns_cms_at_row(s, hash[i], r)];
			__builtin_prefetch(at[i][r], 1);
		}
	}
	for (unsigned i = 0; i < n; i++)
		raise(at[i], d, weight != NULL ? weight[i] : 1, plain);
}

static inline __attribute__((always_inline)) void lines_add(struct ns_cms *s, const uint64_t *hash,
	const uint64_t *weight, unsigned n, unsigned d, bool plain)
{
	uint64_t *line[BATCH];

	for (unsigned i = 0; i < n; i++) {
		line[i] = &s->count[ns_cms_at_line(s, hash[i])];
		__builtin_prefetch(line[i], 1);
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned set = ns_cms_at_set(d, hash[i]);
		uint64_t *c[NS_CMS_ROWS_MAX];

		for (unsigned r = 0; r < d; r++, set &= set - 1)
			c[r] = line[i] + __builtin_ctz(set);
		raise(c, d, weight != NULL ? weight[i] : 1, plain);
	}
}

#ifdef __x86_64__
#define AHEAD 16u

/*
 * A whole line in two registers, whatever d is: the least counter of the set is found by folding
 * them to half their width three times. A counter is never above the total, so none can wrap while
 * the total does not.
 */
static inline __attribute__((always_inline, target("avx512f,avx512vl"))) void lines_add_avx512(
	struct ns_cms *s, const uint64_t *hash, const uint64_t *weight, unsigned n)
{
	const __m256i most = _mm256_set1_epi64x(-1);
	const uint8_t *sets = ns_cms_set[s->rows];
	uint64_t *line[BATCH], many = ns_cms_sets[s->rows], width = s->width;

	for (unsigned i = 0; i < n && i < AHEAD; i++) {
		line[i] = &s->count[ns_cms_range(hash[i], width) * NS_CMS_LINE];
		__builtin_prefetch(line[i], 1);
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned set = sets[(hash[i] & UINT32_MAX) * many >> 32];
		__m256i *v = (__m256i *)line[i], a = _mm256_load_si256(v),
			b = _mm256_load_si256(v + 1), y;
		__mmask8 low = (__mmask8)set, high = (__mmask8)(set >> 4);
		__m128i x;

		if (i + AHEAD < n) {
			line[i + AHEAD] =
				&s->count[ns_cms_range(hash[i + AHEAD], width) * NS_CMS_LINE];
			__builtin_prefetch(line[i + AHEAD], 1);
		}
		y = _mm256_mask_mov_epi64(most, low, a);
		y = _mm256_mask_min_epu64(y, high, y, b);
		x = _mm_min_epu64(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1));
		x = _mm_min_epu64(x, _mm_unpackhi_epi64(x, x));
		x = _mm_add_epi64(x, _mm_set1_epi64x(weight != NULL ? (long long)weight[i] : 1));
		y = _mm256_broadcastq_epi64(x);
		_mm256_store_si256(v, _mm256_mask_max_epu64(a, low, a, y));
		_mm256_store_si256(v + 1, _mm256_mask_max_epu64(b, high, b, y));
	}
}

/*
 * The same with AVX2, which compares signed numbers only: so for totals below 2^63. A counter that
 * is not in the set takes part as the largest number there is.
 */
static inline __attribute__((always_inline, target("avx2"))) __m256i least_256(__m256i a, __m256i b)
{
	return _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b));
}

static inline __attribute__((always_inline, target("avx2"))) void lines_add_avx2(
	struct ns_cms *s, const uint64_t *hash, const uint64_t *weight, unsigned n)
{
	const __m256i most = _mm256_set1_epi64x(INT64_MAX);
	const __m256i low = _mm256_set_epi64x(8, 4, 2, 1), high = _mm256_slli_epi64(low, 4);
	const uint8_t *sets = ns_cms_set[s->rows];
	uint64_t *line[BATCH], many = ns_cms_sets[s->rows], width = s->width;

	for (unsigned i = 0; i < n && i < AHEAD; i++) {
		line[i] = &s->count[ns_cms_range(hash[i], width) * NS_CMS_LINE];
		__builtin_prefetch(line[i], 1);
	}
	for (unsigned i = 0; i < n; i++) {
		__m256i set = _mm256_set1_epi64x(sets[(hash[i] & UINT32_MAX) * many >> 32]);
		__m256i *v = (__m256i *)line[i], a = _mm256_load_si256(v),
			b = _mm256_load_si256(v + 1), y;
		__m256i ma = _mm256_cmpeq_epi64(_mm256_and_si256(set, low), low);
		__m256i mb = _mm256_cmpeq_epi64(_mm256_and_si256(set, high), high);

		if (i + AHEAD < n) {
			line[i + AHEAD] =
				&s->count[ns_cms_range(hash[i + AHEAD], width) * NS_CMS_LINE];
			__builtin_prefetch(line[i + AHEAD], 1);
		}
		y = least_256(_mm256_blendv_epi8(most, a, ma), _mm256_blendv_epi8(most, b, mb));
		y = least_256(y, _mm256_permute4x64_epi64(y, 0x4e));
		y = least_256(y, _mm256_shuffle_epi32(y, 0x4e));
		y = _mm256_add_epi64(
			y, _mm256_set1_epi64x(weight != NULL ? (long long)weight[i] : 1));
		ma = _mm256_and_si256(ma, _mm256_cmpgt_epi64(y, a));
		mb = _mm256_and_si256(mb, _mm256_cmpgt_epi64(y, b));
		_mm256_store_si256(v, _mm256_blendv_epi8(a, y, ma));
		_mm256_store_si256(v + 1, _mm256_blendv_epi8(b, y, mb));
	}
}

/* Unweighted ones in code of their own, and whole batches too. */
#define LINES_BY(name, isa, fn)                                                             \
	__attribute__((target(isa))) static void name(                                      \
		struct ns_cms *s, const uint64_t *hash, const uint64_t *weight, unsigned n) \
	{                                                                                   \
		if (weight != NULL)                                                         \
			fn(s, hash, weight, n);                                             \
		else if (n == BATCH)                                                        \
			fn(s, hash, NULL, BATCH);                                           \
		else                                                                        \
			fn(s, hash, NULL, n);                                               \
	}

LINES_BY(lines_by_512, "avx512f,avx512vl", lines_add_avx512)
LINES_BY(lines_by_256, "avx2", lines_add_avx2)

/* Whether a processor with registers that wide has done it. */
static bool lines_wide(struct ns_cms *s, const uint64_t *hash, const uint64_t *weight, unsigned n)
{
	if (s->plain || s->total == UINT64_MAX)
		return false;
	if (__builtin_cpu_supports("avx512vl"))
		lines_by_512(s, hash, weight, n);
	else if (__builtin_cpu_supports("avx2") && s->total <= INT64_MAX)
		lines_by_256(s, hash, weight, n);
	else
		return false;
	return true;
}
#endif

#define EACH(fn, d)                                       \
	case d:                                           \
		if (s->plain)                             \
			fn(s, hash, weight, n, d, true);  \
		else                                      \
			fn(s, hash, weight, n, d, false); \
		break
#define ALL(fn)      \
	EACH(fn, 1); \
	EACH(fn, 2); \
	EACH(fn, 3); \
	EACH(fn, 4); \
	EACH(fn, 5); \
	EACH(fn, 6); \
	EACH(fn, 7); \
	EACH(fn, 8)

/* The loops over a thing's counters are unrolled for each d. */
static void batch_add(struct ns_cms *s, const uint64_t *hash, const uint64_t *weight, unsigned n)
{
	uint64_t total = s->total;

	if (weight == NULL)
		total = ns_cms_sum(total, n);
	for (unsigned i = 0; weight != NULL && i < n; i++)
		total = ns_cms_sum(total, weight[i]);
	s->total = total;
	if (s->layout == NS_CMS_ROWS) {
		switch (s->rows) {
			ALL(rows_add);
		}
		return;
	}
#ifdef __x86_64__
	if (lines_wide(s, hash, weight, n))
		return;
#endif
	switch (s->rows) {
		ALL(lines_add);
	}
}

void ns_cms_add_bulk(struct ns_cms *s, const uint64_t *hash, const uint64_t *weight, unsigned n)
{
	for (unsigned i = 0; i < n; i += BATCH)
		batch_add(s, hash + i, weight != NULL ? weight + i : NULL,
			n - i < BATCH ? n - i : BATCH);
}

void ns_cms_add(struct ns_cms *s, uint64_t hash, uint64_t weight)
{
	batch_add(s, &hash, &weight, 1);
}
