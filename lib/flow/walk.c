/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading a table that its lcore writes.
 *
 * A reader goes over the positions, not over the index, so it follows no pointer and needs no RCU:
 * the arrays stay where they are as long as the table. Which of them is a flow, and of what, an
 * entry says itself. What must be told is whether the lcore wrote while it was copied, and a
 * position that is used again or a flow that begins anew in its place must not be seen half: a
 * sequence lock over the whole table (flow_open()), since bursts change many entries and a number
 * in each would be a store a packet.
 *
 *	lcore    changes odd | wmb | packets of a burst ... | changes even, release
 *	reader   changes even, acquire | hot, warm, ... relaxed | rmb | changes the same: taken
 *
 * By C11: a copy with anything in it that was stored behind the lcore's barrier makes the reader's
 * second look, behind its own, see that `changes` was odd at least; and the first look acquires all
 * that was stored before `changes` became even. x86 keeps loads in order and stores in order, so
 * there both barriers bind the compiler only. Loads are of eight octets, aligned, relaxed. The
 * lcore's stores are plain ones, and C11 gives a race with these no meaning: what is relied on is
 * that a compiler makes moves of them, between the barriers; however they are torn, such a copy is
 * thrown away. So a race detector is told to look away from copy(), and only from there.
 */
#include "walk.h"

#include <rte_pause.h>
#include <rte_prefetch.h>

#include <sched.h>

#define AHEAD 8 /* positions whose lines are asked for before they are looked at */
#define SPINS 4096 /* looks while the lcore is in a burst: some 100 us */
#define YIELDS 64 /* and then, where both may share a CPU, chances to go on */

#ifdef __clang__
#define UNWATCHED __attribute__((disable_sanitizer_instrumentation))
#else
#define UNWATCHED __attribute__((no_sanitize("thread")))
#endif

typedef uint64_t __attribute__((may_alias)) word;

/* An entry as it was. Only those parts are set that its flags speak of. */
struct copy {
	struct hot hot;
	struct warm warm;
	struct wide wide;
	struct big big;
	struct cold cold;
};

#define IN_WORDS(type) \
	_Static_assert(sizeof(struct type) % sizeof(word) == 0, #type " is copied in words")
IN_WORDS(hot);
IN_WORDS(warm);
IN_WORDS(wide);
IN_WORDS(big);
IN_WORDS(cold);

UNWATCHED static inline void take(void *to, const void *from, size_t octets)
{
	const word *f = from;
	word *t = to;

	for (size_t i = 0; i < octets / sizeof(word); i++)
		t[i] = __atomic_load_n(&f[i], __ATOMIC_RELAXED);
}

UNWATCHED static __attribute__((noinline)) void copy(
	const struct store *s, uint32_t pos, struct copy *c)
{
	take(&c->hot, &s->hot[pos], sizeof(c->hot));
	if (!flow_used(&c->hot))
		return;
	take(&c->warm, &s->warm[pos], sizeof(c->warm));
	if ((uint8_t)(c->hot.key.ports >> 40) != 4)
		take(&c->wide, &s->wide[pos], sizeof(c->wide));
	if ((c->hot.state & FLOW_BIG) != 0)
		take(&c->big, &s->big[pos], sizeof(c->big));
	if ((c->warm.state & FLOW_TUNNEL) != 0)
		take(&c->cold, &s->cold[pos], sizeof(c->cold));
}
_Static_assert(offsetof(struct ns_tuple, ver) == offsetof(struct ns_tuple, pa) + 5,
	"the version is octet 5 of key.ports");

enum seen { FREE, LIVE, BUSY };

static enum seen look(const struct ns_flow_table *t, uint32_t pos, struct copy *c)
{
	for (unsigned i = 0; i < SPINS + YIELDS; i++) {
		uint64_t before = __atomic_load_n(&t->changes, __ATOMIC_ACQUIRE);

		if ((before & 1) != 0) {
			if (i < SPINS)
				rte_pause();
			else
				sched_yield();
			continue;
		}
		copy(&t->store, pos, c);
		/* free at some time since: it need not be asked whether anything else is whole */
		if (!flow_used(&c->hot))
			return FREE;
		rte_smp_rmb();
		if (__atomic_load_n(&t->changes, __ATOMIC_RELAXED) == before)
			return LIVE;
	}
	return BUSY;
}

static void draft(const struct copy *c, struct ns_flow_rec *r)
{
	struct ns_tuple u;
	const struct ns_flow_ended flow = {
		.tuple = &u, .hot = &c->hot, .warm = &c->warm, .big = &c->big, .cold = &c->cold};

	flow_key_tuple(&c->hot.key, &c->wide, &u);
	ns_flow_record_draft(&flow, r);
}

static inline void ask_for(const struct ns_flow_table *t, uint32_t pos, uint32_t end)
{
	if (pos >= end)
		return;
	rte_prefetch0(&t->store.hot[pos]);
	rte_prefetch0(&t->store.warm[pos]);
}

int ns_flow_walk(
	const struct ns_flow_table *t, uint32_t *from, unsigned max, ns_flow_walk_fn *fn, void *ctx)
{
	uint32_t end = __atomic_load_n(&t->store.fresh, __ATOMIC_RELAXED), pos = *from;
	uint32_t stop = pos < end ? pos + NS_MIN(max, end - pos) : pos;
	struct ns_flow_rec recs[NS_FLOW_WALK_BATCH];
	enum seen seen = FREE;
	unsigned n = 0;
	struct copy c;
	int rc = 0;

	for (; pos < stop && rc == 0; pos++) {
		ask_for(t, pos + AHEAD, stop);
		seen = look(t, pos, &c);
		if (seen == BUSY)
			break;
		if (seen == LIVE)
			draft(&c, &recs[n++]);
		if (n == NS_ARRAY_LEN(recs)) {
			rc = fn(ctx, recs, n);
			n = 0;
		}
	}
	if (n > 0)
		rc = fn(ctx, recs, n);
	*from = pos;
	if (rc != 0)
		return rc;
	return seen == BUSY ? -EAGAIN : pos < end;
}
