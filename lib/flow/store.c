/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of the flows, and which positions are free.
 *
 * All arrays are reserved for the most flows there may be, and an entry never moves. Live tables
 * touch the two lines of every flow at start; in file mode what no flow needs is never touched.
 *
 * A freed position waits until no reader can look at it any more:
 *
 *   freed ── rte_rcu_qsbr_start(): token ──▶ waiting ── all readers quiescent ──▶ unused
 */
#include "flow_priv.h"

#include <rte_malloc.h>
#include <rte_prefetch.h>

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* Memory that the system could give, in octets; UINT64_MAX: it does not say. */
static uint64_t available(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	uint64_t kib = UINT64_MAX / 1024;
	char line[128];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			break;
	}
	if (f != NULL)
		fclose(f);
	return kib * 1024;
}

void *flow_map(size_t size, bool live)
{
	void *p;

	/* touching more than there is would end the process, and not with an error */
	if (live && size > HUGE_PAGE && size > available()) {
		errno = ENOMEM;
		return NULL;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);
	if (p == MAP_FAILED) {
		errno = ENOMEM;
		return NULL;
	}
	if (size >= 2 * HUGE_PAGE)
		madvise(p, size, MADV_HUGEPAGE);
	if (live)
		madvise(p, size, MADV_POPULATE_WRITE);
	return p;
}

static void unmap(void *p, size_t size)
{
	if (p != NULL)
		munmap(p, size);
}

static int create_rcu(struct store *s)
{
	s->rcu = rte_zmalloc("ns_flow_rcu", rte_rcu_qsbr_get_memsize(READERS), NS_CACHE_LINE);
	if (s->rcu == NULL)
		return -1;
	return rte_rcu_qsbr_init(s->rcu, READERS);
}

/* Pages that few flows need are small, and taken when they are. */
static void *map_seldom(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

int flow_store_create(struct store *s, uint32_t max, bool live)
{
	*s = (struct store){
		.max = max, .unused = {NONE, NONE}, .waiting = {NONE, NONE}, .freed = {NONE, NONE}};
	s->hot = flow_map(max * sizeof(*s->hot), live);
	s->warm = s->hot != NULL ? flow_map(max * sizeof(*s->warm), live) : NULL;
	s->wide = map_seldom(max * sizeof(*s->wide));
	s->big = map_seldom(max * sizeof(*s->big));
	s->cold = map_seldom(max * sizeof(*s->cold));
	if (s->warm == NULL || s->wide == NULL || s->big == NULL || s->cold == NULL ||
		create_rcu(s) != 0) {
		flow_store_destroy(s);
		return ns_errno_set(ENOMEM);
	}
	return 0;
}

void flow_store_destroy(struct store *s)
{
	size_t max = s->max;

	rte_free(s->rcu);
	unmap(s->hot, max * sizeof(*s->hot));
	unmap(s->warm, max * sizeof(*s->warm));
	unmap(s->wide, max * sizeof(*s->wide));
	unmap(s->big, max * sizeof(*s->big));
	unmap(s->cold, max * sizeof(*s->cold));
	*s = (struct store){0};
}

/* Moves on what no reader can see any more. */
static void reclaim(struct store *s)
{
	for (unsigned i = 0; i < 2; i++) {
		if (s->waiting.first == NONE) {
			if (s->freed.first == NONE)
				return;
			s->waiting = s->freed;
			s->freed = (struct chain){NONE, NONE};
			s->token = rte_rcu_qsbr_start(s->rcu);
		}
		if (rte_rcu_qsbr_check(s->rcu, s->token, false) != 1)
			return;
		s->warm[s->waiting.last].next = s->unused.first;
		s->unused.first = s->waiting.first;
		s->waiting = (struct chain){NONE, NONE};
	}
}

uint32_t flow_position(struct store *s)
{
	if (s->unused.first == NONE)
		reclaim(s);
	uint32_t pos = s->unused.first;

	if (ns_likely(pos != NONE)) {
		s->unused.first = s->warm[pos].next;
		/* the next new flow finds its lines there */
		if (s->unused.first != NONE) {
			rte_prefetch0(&s->hot[s->unused.first]);
			rte_prefetch0(&s->warm[s->unused.first]);
		}
		return pos;
	}
	pos = s->fresh;
	if (pos == s->max)
		return NONE;
	__atomic_store_n(&s->fresh, pos + 1, __ATOMIC_RELAXED);
	return pos;
}

void flow_position_free(struct store *s, uint32_t pos)
{
	/* no key is like this: whoever looked the flow up before will not take it for his */
	__atomic_store_n(&s->hot[pos].key.ports, 0, __ATOMIC_RELEASE);
	s->warm[pos].next = NONE;
	if (s->freed.first == NONE)
		s->freed.first = pos;
	else
		s->warm[s->freed.last].next = pos;
	s->freed.last = pos;
}
