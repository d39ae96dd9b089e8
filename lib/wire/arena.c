/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_priv.h"

#define BLOCK_MIN (64u << 10)

struct wire_block {
	struct wire_block *next;
	size_t size, used;
	_Alignas(16) uint8_t memory[];
};

static struct wire_block *another(struct wire_arena *a, size_t n)
{
	size_t size = NS_MAX(n, (size_t)BLOCK_MIN);
	struct wire_block *b = malloc(sizeof(*b) + size);

	if (b == NULL)
		return ns_errno_null(ENOMEM);
	b->size = size;
	b->used = 0;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *wire_alloc(struct wire_arena *a, size_t n)
{
	struct wire_block *b = a->blocks;

	n = (n + 15) & ~(size_t)15;
	if (b == NULL || b->size - b->used < n)
		b = another(a, NS_MAX(n, 2 * a->wanted));
	if (b == NULL)
		return NULL;
	void *p = b->memory + b->used;

	b->used += n;
	a->wanted += n;
	return memset(p, 0, n);
}

void wire_arena_reset(struct wire_arena *a)
{
	/* a new block is twice what came before it: soon the newest is enough for a message */
	while (a->blocks != NULL && a->blocks->next != NULL) {
		struct wire_block *old = a->blocks->next;

		a->blocks->next = old->next;
		free(old);
	}
	if (a->blocks != NULL)
		a->blocks->used = 0;
	a->wanted = 0;
}

void wire_arena_destroy(struct wire_arena *a)
{
	wire_arena_reset(a);
	free(a->blocks);
	a->blocks = NULL;
}
