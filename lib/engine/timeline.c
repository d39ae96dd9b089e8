/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_timeline.h>

#include <string.h>

/* Twice the width: neighbours fold, aligned so that base stays a multiple of the width. */
static void widen(struct ns_timeline *t)
{
	uint64_t odd = (t->base / t->width) & 1;
	uint32_t n = 0;
	struct ns_timeline_slot old[NS_TIMELINE_SLOTS];

	memcpy(old, t->slots, sizeof(old));
	memset(t->slots, 0, sizeof(t->slots));
	for (uint32_t i = 0; i < t->used; i++) {
		n = (uint32_t)((i + odd) / 2);
		t->slots[n].packets += old[i].packets;
		t->slots[n].octets += old[i].octets;
	}
	t->base -= odd * t->width;
	t->width *= 2;
	t->used = n + 1;
}

static void count(struct ns_timeline *t, uint64_t second, uint64_t packets, uint64_t octets)
{
	if (t->width == 0) {
		t->width = 1;
		t->base = second;
	}
	/* before the first: the slots move up, folding until there is room */
	while (second < t->base) {
		uint64_t shift = (t->base - second + t->width - 1) / t->width;

		if (shift + t->used <= NS_TIMELINE_SLOTS) {
			memmove(t->slots + shift, t->slots, t->used * sizeof(t->slots[0]));
			memset(t->slots, 0, shift * sizeof(t->slots[0]));
			t->base -= shift * t->width;
			t->used += (uint32_t)shift;
		} else {
			widen(t);
		}
	}
	while ((second - t->base) / t->width >= NS_TIMELINE_SLOTS)
		widen(t);
	uint32_t i = (uint32_t)((second - t->base) / t->width);

	t->slots[i].packets += packets;
	t->slots[i].octets += octets;
	if (i >= t->used)
		t->used = i + 1;
}

void ns_timeline_add(struct ns_timeline *t, uint64_t ts_ns, uint64_t octets)
{
	ns_timeline_add_many(t, ts_ns, 1, octets);
}

void ns_timeline_add_many(struct ns_timeline *t, uint64_t ts_ns, uint64_t packets, uint64_t octets)
{
	count(t, ts_ns / NS_SEC_NS, packets, octets);
}

void ns_timeline_merge(struct ns_timeline *into, const struct ns_timeline *from)
{
	if (from->width == 0)
		return;
	while (into->width != 0 && into->width < from->width)
		widen(into);
	for (uint32_t i = 0; i < from->used; i++) {
		const struct ns_timeline_slot *s = &from->slots[i];

		if (s->packets != 0)
			count(into, from->base + i * from->width, s->packets, s->octets);
	}
	while (into->width != 0 && into->width < from->width)
		widen(into);
}
