/* SPDX-License-Identifier: BSD-3-Clause */
/* The block of a sample: its layout and size, where its memory comes from, making it empty. */
#include "sample_priv.h"

#include <stdlib.h>
#include <sys/mman.h>

#define SLOTS_MIN 16u
#define SLOTS_MAX (1u << 28)
#define KEY_MAX 128
#define MAP_FROM (1u << 20) /* blocks of this size come from the kernel, zero and untouched */

static size_t line_up(size_t n)
{
	return (n + NS_CACHE_LINE - 1) & ~(size_t)(NS_CACHE_LINE - 1);
}

bool sample_conf_ok(const struct ns_sample_conf *c)
{
	return c->slots >= SLOTS_MIN && c->slots <= SLOTS_MAX && c->key_len <= KEY_MAX &&
	       c->key_len % 8 == 0 && c->values <= NS_SAMPLE_VALUES_MAX;
}

/* Places and offsets; returns the size of the block. */
static size_t lay_out(struct ns_sample *s, const struct ns_sample_conf *c)
{
	s->places = (c->slots + c->slots / 3 + 64 + 8) & ~7u;
	s->stride = 1u + c->values;
	s->map = line_up(sizeof(*s));
	s->hot = s->map + line_up((size_t)(s->places + 511) / 512 * 8);
	s->keys = s->hot + line_up((size_t)s->places * s->stride * 8);
	return s->keys + line_up((size_t)s->places * c->key_len);
}

size_t ns_sample_size(const struct ns_sample_conf *c)
{
	struct ns_sample s;

	if (!sample_conf_ok(c)) {
		errno = EINVAL;
		return 0;
	}
	return lay_out(&s, c);
}

uint32_t ns_sample_slots(size_t memory, uint16_t key_len, uint8_t values)
{
	struct ns_sample_conf c = {.key_len = key_len, .values = values};
	uint32_t low = SLOTS_MIN, high = SLOTS_MAX;
	struct ns_sample s;

	while (low < high) {
		c.slots = low + (high - low + 1) / 2;
		if (lay_out(&s, &c) <= memory)
			low = c.slots;
		else
			high = c.slots - 1;
	}
	return low;
}

struct ns_sample *ns_sample_init_zeroed(void *mem, const struct ns_sample_conf *c)
{
	struct ns_sample *s = mem;

	if (!sample_conf_ok(c))
		return ns_errno_null(EINVAL);
	s->conf.slots = c->slots;
	s->conf.key_len = c->key_len;
	s->conf.values = c->values;
	s->conf.seed = c->seed;
	lay_out(s, c);
	s->mult = (NS_HASH_P0 ^ ((uint64_t)s->places << 32 | s->places)) | 1;
	s->max = UINT64_MAX;
	s->level = SAMPLE_TOP;
	return s;
}

struct ns_sample *ns_sample_init(void *mem, const struct ns_sample_conf *c)
{
	size_t size = ns_sample_size(c);

	if (size == 0)
		return NULL;
	memset(mem, 0, size);
	return ns_sample_init_zeroed(mem, c);
}

void *sample_block(size_t size, uint64_t *mapped)
{
	void *block;

	*mapped = size >= MAP_FROM ? size : 0;
	if (*mapped == 0) {
		block = ns_sketch_alloc(size);
		return block != NULL ? memset(block, 0, size) : NULL;
	}
	block = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return block != MAP_FAILED ? block : ns_errno_null(ENOMEM);
}

void sample_block_free(void *block, uint64_t mapped)
{
	if (mapped != 0)
		munmap(block, mapped);
	else
		free(block);
}

struct ns_sample *ns_sample_create(const struct ns_sample_conf *c)
{
	size_t size = ns_sample_size(c);
	uint64_t mapped;
	struct ns_sample *s = size > 0 ? sample_block(size, &mapped) : NULL;

	if (s == NULL)
		return NULL;
	ns_sample_init_zeroed(s, c);
	s->mapped = mapped;
	return s;
}

void ns_sample_destroy(struct ns_sample *s)
{
	if (s != NULL)
		sample_block_free(s, s->mapped);
}

void ns_sample_reset(struct ns_sample *s)
{
	uint32_t words = (s->places + 511) / 512;
	uint64_t *map = sample_map(s);

	for (uint32_t w = 0; w < words; w++) {
		if (map[w] == 0)
			continue;
		if (__builtin_popcountll(map[w]) >= 16)
			sample_clear(s, w * 512, NS_MIN(512, s->places - w * 512));
		else
			for (uint64_t left = map[w]; left != 0; left &= left - 1)
				sample_clear(s, w * 512 + 8 * (uint32_t)__builtin_ctzll(left), 8);
		map[w] = 0;
	}
	s->max = UINT64_MAX;
	s->level = SAMPLE_TOP;
	s->kept = s->used = s->sweep_at = s->sweep_left = 0;
	memset(s->total, 0, sizeof(s->total));
	memset(s->count, 0, sizeof(s->count));
}
