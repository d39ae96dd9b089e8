/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks. Without a hold, everything that a burst gave out is done when the next burst is asked
 * for, so one block is filled over and over. With a hold, the source owns NS_SOURCE_SLOTS blocks
 * that go round: a block is marked when it is left and filled again only when the mark has been
 * passed.
 *
 * Who uses the slots: the only reader, directly (no copy), or, when several files are merged, the
 * arena to which merged packets are copied, since each of the files has then a block of its own.
 */
#include "pcap_priv.h"

#include <rte_pause.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* Small enough to stay in the second-level cache between the kernel's copy and the decoder. */
size_t ns_pcap_block_octets = 256 * 1024;

#define SPIN_PAUSES 2000
#define SPIN_YIELDS 50

/* Waits a little. The caller returns to the engine when it did not help: it may have to flush. */
static bool slot_free(struct ns_source *s, unsigned slot)
{
	struct ns_pcap_block *b = &s->slots[slot];

	if (!b->marked)
		return true;
	for (unsigned i = 0; i < SPIN_PAUSES + SPIN_YIELDS; i++) {
		if (s->hold.passed(s->hold.ctx, slot)) {
			b->marked = false;
			return true;
		}
		if (i < SPIN_PAUSES)
			rte_pause();
		else
			sched_yield();
	}
	return false;
}

/* Leaves the current slot for the next one, which takes at least size octets. */
static int slot_turn(struct ns_source *s, size_t size)
{
	struct ns_pcap_block *b = &s->slots[s->slot];
	unsigned next = (s->slot + 1) % NS_SOURCE_SLOTS;

	if (b->base == NULL) {
		next = s->slot; /* the very first block */
	} else if (!b->marked) {
		s->hold.mark(s->hold.ctx, s->slot);
		b->marked = true;
	}
	if (!slot_free(s, next))
		return -EAGAIN;
	b = &s->slots[next];
	/* One that a huge record has blown up does not stay so. */
	if (b->cap < size || b->cap / 8 > size) {
		uint8_t *grown = malloc(size);

		if (grown == NULL)
			return -ENOMEM;
		free(b->base);
		b->base = grown;
		b->cap = size;
	}
	s->slot = next;
	return 0;
}

int ns_pcap_block_turn(struct ns_pcap_reader *r, size_t size, uint8_t **base, size_t *cap)
{
	struct ns_source *s = r->s;
	size_t rest = (size_t)(r->end - r->pos);
	struct ns_pcap_block *b = &r->own;
	int rc;

	size = NS_MAX(size, s->block);
	if (s->slots_used && !s->opened)
		b = &s->slots[s->slot]; /* nothing was handed out yet */
	if (s->slots_used && s->opened) {
		/* The old slot stays as it is: packets in it are still on their way. */
		rc = slot_turn(s, size);
		if (rc < 0)
			return rc;
		b = &s->slots[s->slot];
		if (rest > 0)
			memcpy(b->base, r->pos, rest);
	} else if (b->cap < size) {
		uint8_t *grown = malloc(size);

		if (grown == NULL)
			return -ENOMEM;
		if (rest > 0)
			memcpy(grown, r->pos, rest);
		free(b->base);
		b->base = grown;
		b->cap = size;
	} else if (rest > 0) {
		memmove(b->base, r->pos, rest);
	}
	r->pos = b->base;
	r->end = b->base + rest;
	*base = b->base;
	*cap = b->cap;
	return 0;
}

uint8_t *ns_pcap_arena_get(struct ns_source *s, size_t len)
{
	struct ns_pcap_block *b = &s->slots[s->slot];
	uint8_t *p;

	len = (len + 15) & ~(size_t)15;
	if (b->base == NULL || b->cap - s->arena_used < len)
		return NULL;
	p = b->base + s->arena_used;
	s->arena_used += len;
	return p;
}

int ns_pcap_arena_turn(struct ns_source *s, size_t len)
{
	int rc = slot_turn(s, NS_MAX(len + 16, s->block));

	if (rc == 0)
		s->arena_used = 0;
	return rc;
}

void ns_pcap_blocks_free(struct ns_source *s)
{
	for (unsigned i = 0; i < NS_SOURCE_SLOTS; i++)
		free(s->slots[i].base);
	memset(s->slots, 0, sizeof(s->slots));
}
