/* SPDX-License-Identifier: BSD-3-Clause */
/* Hand-over of pairs of states; ns_snap.h draws it. */
#include "ns_snap.h"

#include <stdlib.h>
#include <string.h>

struct ns_snap {
	uint64_t opened; /* atomic; written once an epoch */
	unsigned lcores;
	/* control's */
	uint64_t opened_ns __attribute__((aligned(NS_CACHE_LINE)));
	uint64_t number; /* of the epoch that is being taken */
	unsigned missing; /* lcores whose state of it has not come */
	bool begun; /* an epoch was opened, or one is being taken */
	uint64_t last_swap_ns;
	uint64_t merging_ns;
	int error; /* of the epoch that is being taken */
	struct ns_snap_stats stats;
	struct ns_snap_lcore lcore[];
};
_Static_assert(offsetof(struct ns_snap, opened_ns) == NS_CACHE_LINE, "lcores read the line before");

struct ns_snap *ns_snap_create(unsigned lcores)
{
	size_t size = sizeof(struct ns_snap) + lcores * sizeof(struct ns_snap_lcore);
	struct ns_snap *s = aligned_alloc(
		NS_CACHE_LINE, (size + NS_CACHE_LINE - 1) / NS_CACHE_LINE * NS_CACHE_LINE);

	if (s == NULL)
		return ns_errno_null(ENOMEM);
	memset(s, 0, size);
	s->lcores = lcores;
	s->missing = lcores;
	return s;
}

void ns_snap_destroy(struct ns_snap *s)
{
	free(s);
}

struct ns_snap_lcore *ns_snap_lcore(struct ns_snap *s, unsigned i)
{
	return &s->lcore[i];
}

uint64_t ns_snap_opened(const struct ns_snap *s)
{
	return __atomic_load_n(&s->opened, __ATOMIC_ACQUIRE);
}

static void hand_over(struct ns_snap_lcore *l)
{
	struct ns_snap_slot *slot = &l->slot[l->active];

	slot->epoch = l->epoch;
	slot->swapped_ns = ns_clock_mono();
	__atomic_store_n(&slot->owner, NS_SNAP_CONTROL, __ATOMIC_RELEASE);
}

bool ns_snap_swap(struct ns_snap_lcore *l, uint64_t next)
{
	struct ns_snap_slot *other = &l->slot[l->active ^ 1];

	if (__atomic_load_n(&other->owner, __ATOMIC_ACQUIRE) != NS_SNAP_LCORE)
		return false;
	hand_over(l);
	l->active ^= 1;
	__atomic_store_n(&l->epoch, next, __ATOMIC_RELEASE);
	return true;
}

void ns_snap_end(struct ns_snap_lcore *l)
{
	hand_over(l);
	__atomic_store_n(&l->epoch, NS_SNAP_DONE, __ATOMIC_RELEASE);
}

bool ns_snap_open(struct ns_snap *s, uint64_t number)
{
	if (s->begun && s->missing > 0) {
		s->stats.late++;
		return false;
	}
	s->begun = true;
	s->missing = s->lcores;
	s->opened_ns = ns_clock_mono();
	__atomic_store_n(&s->opened, number, __ATOMIC_RELEASE);
	return true;
}

/* The slot that holds epoch number of this lcore, if it was handed over and not yet taken. */
static struct ns_snap_slot *handed(struct ns_snap_lcore *l, uint64_t number)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ns_snap_slot *slot = &l->slot[i];

		if (__atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE) == NS_SNAP_CONTROL &&
			slot->epoch == number)
			return slot;
	}
	return NULL;
}

static void take(struct ns_snap *s, struct ns_snap_slot *slot, const struct ns_snap_ops *ops)
{
	uint64_t start = ns_clock_mono();

	s->last_swap_ns = NS_MAX(s->last_swap_ns, slot->swapped_ns);
	if (slot->used) {
		int rc = ops->merge(ops->ctx, slot->state);

		if (rc < 0 && s->error == 0)
			s->error = rc;
		ops->reset(ops->ctx, slot->state);
		slot->used = false;
	}
	s->missing--;
	s->merging_ns += ns_clock_mono() - start;
	__atomic_store_n(&slot->owner, NS_SNAP_LCORE, __ATOMIC_RELEASE);
}

static void account(struct ns_snap *s)
{
	struct ns_snap_stats *st = &s->stats;

	st->epochs++;
	/* the last epoch of all is handed over at the end, and not because another was opened */
	if (s->number < s->opened && s->last_swap_ns > s->opened_ns)
		st->lag_ns = s->last_swap_ns - s->opened_ns;
	st->lag_max_ns = NS_MAX(st->lag_max_ns, st->lag_ns);
	st->merge_ns = s->merging_ns;
	st->merge_max_ns = NS_MAX(st->merge_max_ns, st->merge_ns);
	s->merging_ns = 0;
}

int ns_snap_take(struct ns_snap *s, uint64_t number, const struct ns_snap_ops *ops)
{
	if (number != s->number || !s->begun) {
		s->number = number;
		s->begun = true;
		s->missing = s->lcores;
	}
	if (s->missing == 0)
		return 0;
	for (unsigned i = 0; i < s->lcores; i++) {
		struct ns_snap_slot *slot = handed(&s->lcore[i], number);

		if (slot != NULL)
			take(s, slot, ops);
	}
	if (s->missing > 0)
		return (int)s->missing;
	int rc = s->error;

	account(s);
	s->error = 0;
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

uint64_t ns_snap_behind(const struct ns_snap *s)
{
	uint64_t least = NS_SNAP_DONE;

	for (unsigned i = 0; i < s->lcores; i++)
		least = NS_MIN(least, __atomic_load_n(&s->lcore[i].epoch, __ATOMIC_ACQUIRE));
	return least;
}

void ns_snap_stats(const struct ns_snap *s, struct ns_snap_stats *out)
{
	*out = s->stats;
}
