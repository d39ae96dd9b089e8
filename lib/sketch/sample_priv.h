/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One flat block, places for things in linear probing order:
 *
 *   | head | map: a bit for 8 places | hot: hash, values[] each place | keys: key_len each place |
 *
 * A hash of 0 is a free place. Known things are counted in the hot part alone; a key is touched
 * when its thing comes, goes or moves. The map says which groups of 8 places were written since
 * the last reset, so that walking and emptying cost what is in the table.
 *
 * The home of a thing mixes all bits of its hash with a number that depends on the table's size:
 * the limit cuts on the high bits, and feeding a table from another one's walk must not fill it
 * from one end.
 *
 * The limit stands on a grid of eighths of octaves: level(h) is the place of the highest bit of h
 * and the three bits below it. The limit is always the highest level L at which the number of
 * things with level(h) <= L is at most `slots`. Adding can only raise that number, so the limit
 * and what is kept depend on the set of things added and on nothing else.
 */

#include "ns_sample.h"

#define SAMPLE_LEVELS 512 /* 64 octaves of 8 */
#define SAMPLE_TOP (SAMPLE_LEVELS - 1)
#define SAMPLE_CHUNK 32

struct ns_sample {
	struct ns_sample_conf conf;
	uint64_t mapped; /**< octets to unmap; 0: free() */
	uint64_t max; /**< the limit: the highest hash that is kept */
	uint64_t mult;
	uint64_t map, hot, keys; /**< offsets in the block */
	uint32_t places;
	uint32_t stride; /**< words of a place in the hot part */
	uint32_t level; /**< the limit as a level */
	uint32_t kept;
	uint32_t used; /**< places that are not free: kept things and forgotten ones */
	uint32_t sweep_at; /**< place to look at next */
	uint32_t sweep_left; /**< places until none holds a forgotten thing; 0: so it is */
	uint32_t spare;
	uint64_t total[NS_SAMPLE_VALUES_MAX];
	uint32_t count[SAMPLE_LEVELS]; /**< kept things of each level */
};

static inline uint64_t *sample_map(const struct ns_sample *s)
{
	return (uint64_t *)((uintptr_t)s + s->map);
}

static inline uint64_t *sample_hot(const struct ns_sample *s, uint32_t place)
{
	return (uint64_t *)((uintptr_t)s + s->hot) + (size_t)place * s->stride;
}

static inline uint8_t *sample_key(const struct ns_sample *s, uint32_t place)
{
	return (uint8_t *)((uintptr_t)s + s->keys) + (size_t)place * s->conf.key_len;
}

static inline uint32_t sample_level(uint64_t h)
{
	unsigned top = 63 - (unsigned)__builtin_clzll(h);

	return top * 8 + (unsigned)((top >= 3 ? h >> (top - 3) : h << (3 - top)) & 7);
}

/** The highest hash of a level. */
static inline uint64_t sample_level_max(uint32_t level)
{
	unsigned top = (level + 1) / 8, eighths = 8 + (level + 1) % 8;

	if (level >= SAMPLE_TOP)
		return UINT64_MAX;
	return (top >= 3 ? (uint64_t)eighths << (top - 3) : ((eighths << top) + 7) >> 3) - 1;
}

static inline uint64_t sample_sum(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/** Makes places equal to those of a fresh block. */
static inline void sample_clear(struct ns_sample *s, uint32_t place, uint32_t n)
{
	memset(sample_hot(s, place), 0, (size_t)n * s->stride * 8);
	if (s->conf.key_len > 0)
		memset(sample_key(s, place), 0, (size_t)n * s->conf.key_len);
}

bool sample_conf_ok(const struct ns_sample_conf *c);

/** Zeroed memory, large blocks straight from the kernel and untouched. *mapped: for the release. */
void *sample_block(size_t size, uint64_t *mapped);
void sample_block_free(void *block, uint64_t mapped);

/** The place of thing @p h, which is made with @p key when it is not there. */
uint64_t *sample_put(struct ns_sample *s, uint64_t h, const uint8_t *key);

/** Brings the limit down to @p level and forgets what is above it. */
void sample_lower(struct ns_sample *s, uint32_t level);

/** Sweeps all that is forgotten out of the table. */
void sample_sweep_all(struct ns_sample *s);

/** What the front of a serialised sample says. */
struct sample_wire {
	struct ns_sample_conf conf;
	uint32_t level, kept;
	const uint8_t *totals, *things;
};

/** ns_sample_write() with the type of another sketch in the head. */
size_t sample_wire_put(const struct ns_sample *s, uint8_t type, uint8_t *out);

/** Reads and checks the front; then the things, into an empty sample of that configuration. */
int sample_wire_get(
	struct sample_wire *w, const uint8_t *in, size_t len, uint8_t type, struct ns_err *e);
int sample_wire_fill(struct ns_sample *s, const struct sample_wire *w, struct ns_err *e);

struct ns_spread;

/** The sample in a spread sketch, which lies one line behind its begin (spread.c). */
const struct ns_sample *spread_sample(const struct ns_spread *s);
