/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The states of all tasks in one mapping of zero pages: a page is touched when it is used, and
 * large ones are asked for, as sketches are read at random.
 */
#include "task_priv.h"

#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

static inline void *state_of(const struct ns_task_build *b, void *state)
{
	return (uint8_t *)state + b->state_at;
}

/* Octets mapped for a state. */
static size_t mapped(const struct ns_tasks *ts)
{
	return NS_MAX(task_align(ts->state_size, 4096), 4096);
}

/* Zero pages that begin at a large page where they fill one. */
static void *map(size_t size)
{
	size_t spare = size >= HUGE_PAGE ? HUGE_PAGE : 0;
	uint8_t *all = mmap(
		NULL, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		return NULL;
	if (spare == 0)
		return all;
	size_t before = task_align((uintptr_t)all, HUGE_PAGE) - (uintptr_t)all;

	if (before > 0)
		munmap(all, before);
	if (spare > before)
		munmap(all + before + size, spare - before);
	/* may be refused; small pages do the same, slower */
	(void)madvise(all + before, size, MADV_HUGEPAGE);
	return all + before;
}

void *ns_tasks_state_create(const struct ns_tasks *ts)
{
	void *state = map(mapped(ts));

	if (state == NULL)
		return ns_errno_null(ENOMEM);
	for (unsigned i = 0; i < ts->tasks_n; i++) {
		const struct ns_task_build *b = ts->tasks[i];

		b->ops->init(b->self, state_of(b, state));
	}
	return state;
}

void ns_tasks_state_destroy(const struct ns_tasks *ts, void *state)
{
	if (state != NULL)
		munmap(state, mapped(ts));
}

size_t ns_tasks_state_size(const struct ns_tasks *ts)
{
	return ts->state_size;
}

void ns_tasks_reset(const struct ns_tasks *ts, void *state)
{
	for (unsigned i = 0; i < ts->tasks_n; i++) {
		const struct ns_task_build *b = ts->tasks[i];

		b->ops->reset(b->self, state_of(b, state));
	}
}

int ns_tasks_merge(const struct ns_tasks *ts, void *into, const void *from)
{
	for (unsigned i = 0; i < ts->tasks_n; i++) {
		const struct ns_task_build *b = ts->tasks[i];
		int rc = b->ops->merge(
			b->self, state_of(b, into), (const uint8_t *)from + b->state_at);

		if (rc < 0)
			return ns_errno_set(-rc);
	}
	return 0;
}
