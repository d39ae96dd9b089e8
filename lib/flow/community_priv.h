/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_base.h>

#define COMMUNITY_LANES 8

typedef uint32_t community_lanes __attribute__((vector_size(4 * COMMUNITY_LANES)));

/* One block of SHA-1 a lane, and what becomes of it. See community.c. */
union community_block {
	community_lanes v[16];
	uint32_t word[16][COMMUNITY_LANES];
};

union community_text {
	community_lanes v[7];
	uint32_t quad[7][COMMUNITY_LANES];
};

/* SHA-1 of padded blocks, and its base64 four characters a quad; the last has one for a '='. */
typedef void (*community_fn)(const union community_block *block, union community_text *text);

void community_plain(const union community_block *block, union community_text *text);
#ifdef __x86_64__
void community_avx2(const union community_block *block, union community_text *text);
void community_avx512(const union community_block *block, union community_text *text);
#endif
