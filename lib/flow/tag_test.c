/* SPDX-License-Identifier: BSD-3-Clause */
/* The own index by itself: against a list of what should be in it, full, and with long chains. */
#include "flow_test_util.h"
#include "tag.h"

#define FLOWS 4096u

static uint64_t seed = 88172645463325252u;

static uint32_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32);
}

/* How often pos stands in the chain of this signature. */
static unsigned times(const struct tag_index *x, uint32_t sig, uint32_t pos)
{
	unsigned n = 0;

	for (const struct tag_bucket *b = tag_home(x, sig);; b = &x->buckets[b->next]) {
		for (unsigned m = tag_match(b, tag_of(sig)); m != 0; m &= m - 1)
			n += b->pos[__builtin_ctz(m)] == pos;
		if (b->next == 0)
			return n;
	}
}

static unsigned chained(const struct tag_index *x)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < x->n; i++) {
		for (uint32_t at = x->buckets[i].next; at != 0; at = x->buckets[at].next)
			n++;
	}
	return n;
}

static unsigned spare(const struct tag_index *x)
{
	unsigned n = x->extra - x->extra_used;

	for (uint32_t at = x->extra_free; at != 0; at = x->buckets[at].next)
		n++;
	return n;
}

/* Tags of a place each, the last of them among the positions of the same load. */
static void match(void)
{
	struct tag_bucket b = {0};

	CU_ASSERT_EQUAL(tag_match(&b, 0), TAG_MASK);
	for (unsigned i = 0; i < TAG_PLACES; i++) {
		memset(&b, 0, sizeof(b));
		b.tag[i] = 0xfffe;
		for (unsigned j = 0; j < TAG_PLACES; j++)
			b.pos[j] = 0xfffefffe;
		CU_ASSERT_EQUAL(tag_match(&b, 0xfffe), 1u << i);
		CU_ASSERT_EQUAL(tag_match(&b, 0), TAG_MASK & ~(1u << i));
	}
	CU_ASSERT_EQUAL(tag_of(0x50000), 1);
}

/* sig narrows the hash, so that some buckets are continued again and again. */
static void play(uint32_t mask)
{
	static uint32_t sig[FLOWS];
	static bool in[FLOWS];
	struct tag_index x;
	unsigned inside = 0, refused = 0, longest = 0;

	memset(in, 0, sizeof(in));
	CU_ASSERT_EQUAL_FATAL(tag_create(&x, FLOWS, false), 0);
	for (unsigned i = 0; i < FLOWS; i++)
		sig[i] = rnd() & mask;
	for (unsigned step = 0; step < 200000; step++) {
		/* waves: nearly full, nearly empty */
		bool fill = step / 20000 % 2 == 0;
		uint32_t at = rnd() % FLOWS;

		if (in[at] && (!fill || rnd() % 4 == 0)) {
			tag_forget(&x, sig[at], at);
			in[at] = false;
			inside--;
		} else if (!in[at] && (fill || rnd() % 4 == 0)) {
			if (tag_enter(&x, sig[at], at)) {
				in[at] = true;
				inside++;
			} else {
				refused++;
			}
		}
		CU_ASSERT_EQUAL_FATAL(times(&x, sig[at], at), in[at]);
		if (step % 1000 != 0)
			continue;
		for (unsigned i = 0; i < FLOWS; i++)
			CU_ASSERT_EQUAL_FATAL(times(&x, sig[i], i), in[i]);
		CU_ASSERT_EQUAL_FATAL(chained(&x) + spare(&x), x.extra);
		longest = NS_MAX(longest, chained(&x));
	}
	CU_ASSERT(longest > 0);
	CU_ASSERT_EQUAL(refused > 0, mask != UINT32_MAX);
	for (unsigned i = 0; i < FLOWS; i++) {
		if (in[i])
			tag_forget(&x, sig[i], i);
	}
	CU_ASSERT_EQUAL(chained(&x), 0);
	CU_ASSERT_EQUAL(spare(&x), x.extra);
	tag_forget(&x, sig[0], 0); /* not there: nothing */
	tag_destroy(&x);
}

static void usual(void)
{
	play(UINT32_MAX);
}

/* An eighth of the buckets for all: no room after a while, and nothing is lost. */
static void crowded(void)
{
	play(UINT32_MAX >> 3);
}

/* All flows have one hash: a chain has an end, and those in it can be found and forgotten. */
static void one_hash(void)
{
	const unsigned most = TAG_PLACES * (TAG_CHAIN + 1);
	struct tag_index x;
	unsigned n = 0;

	CU_ASSERT_EQUAL_FATAL(tag_create(&x, FLOWS, false), 0);
	while (n <= most && tag_enter(&x, 4711, n))
		n++;
	CU_ASSERT_EQUAL(n, most);
	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(times(&x, 4711, i), 1);
		tag_forget(&x, 4711, i);
		CU_ASSERT_EQUAL(times(&x, 4711, i), 0);
	}
	CU_ASSERT_EQUAL(chained(&x), 0);
	tag_destroy(&x);
}

NS_TEST_MAIN({"tags", match}, {"against a list", usual}, {"crowded", crowded},
	{"one hash for all", one_hash})
