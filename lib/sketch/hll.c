/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperLogLog: life and adding; hll_priv.h draws the block. */
#include "hll_priv.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <stdlib.h>

#define BATCH 32u
#define PREFETCH_P 16 /* fewer registers than 2^16 stay in the nearest caches by themselves */

/*
 * What a register knows already: bit k - 1 is set when a hash of rank k would change nothing. Most
 * hashes of a stream are of that kind, and one bit test tells. It is the register opened up, with
 * all that it has forgotten, less the two bits below rank 1.
 */
#define KNOWN(r) ((r) < 8 ? 0 : (((UINT64_C(5) + (r) % 4) << ((((r) >> 2) - 2) & 63)) - 1) >> 2)
#define KNOWN4(r) KNOWN(r), KNOWN((r) + 1), KNOWN((r) + 2), KNOWN((r) + 3)
#define KNOWN16(r) KNOWN4(r), KNOWN4((r) + 4), KNOWN4((r) + 8), KNOWN4((r) + 12)
#define KNOWN64(r) KNOWN16(r), KNOWN16((r) + 16), KNOWN16((r) + 32), KNOWN16((r) + 48)
static const uint64_t known[256] = {KNOWN64(0), KNOWN64(64), KNOWN64(128), KNOWN64(192)};

static bool valid(const struct ns_hll_conf *c)
{
	return c->p >= NS_HLL_P_MIN && c->p <= NS_HLL_P_MAX;
}

size_t ns_hll_size(const struct ns_hll_conf *c)
{
	if (!valid(c)) {
		errno = EINVAL;
		return 0;
	}
	return sizeof(struct ns_hll) + ns_hll_area(c->p);
}

struct ns_hll *ns_hll_init_zeroed(void *mem, const struct ns_hll_conf *c)
{
	struct ns_hll *h = mem;

	if (!valid(c))
		return ns_errno_null(EINVAL);
	h->seed = c->seed;
	h->p = c->p;
	return h;
}

/* Registers are cleared when they take the place of the set. */
struct ns_hll *ns_hll_init(void *mem, const struct ns_hll_conf *c)
{
	if (!valid(c))
		return ns_errno_null(EINVAL);
	memset(mem, 0, sizeof(struct ns_hll) + (size_t)ns_hll_slots(c->p) * sizeof(uint64_t));
	return ns_hll_init_zeroed(mem, c);
}

struct ns_hll *ns_hll_create(const struct ns_hll_conf *c)
{
	size_t size = ns_hll_size(c);
	void *mem = size > 0 ? ns_sketch_alloc(size) : NULL;

	return mem != NULL ? ns_hll_init(mem, c) : NULL;
}

void ns_hll_destroy(struct ns_hll *h)
{
	free(h);
}

void ns_hll_reset(struct ns_hll *h)
{
	h->count = 0;
	h->dense = h->zero = false;
	memset(h->area, 0, (size_t)ns_hll_slots(h->p) * sizeof(uint64_t));
}

/*
 * The mark ends the search for the first one in the bits below the index, so rank - 1 is the number
 * of leading zeros, at most 64 - p.
 *
 * The branch is guessed wrong while a sketch fills. Listing the hashes that change something first,
 * without a branch, costs 1.1 ns each where this costs 0.85 once most are known, 1.45 in place of
 * 1.6 over the first million: a stream repeats itself more than that.
 */
static inline __attribute__((always_inline)) void dense_add(
	uint8_t *regs, unsigned p, const uint64_t *hash, unsigned n)
{
	const uint64_t mark = UINT64_C(1) << (p - 1);

	for (unsigned i = 0; i < n; i++) {
		uint8_t *r = &regs[hash[i] >> (64 - p)];
		unsigned zeros = (unsigned)__builtin_clzll(hash[i] << p | mark);

		if (__builtin_expect(!(known[*r] >> zeros & 1), 0))
			*r = ns_hll_close(ns_hll_open(*r) | UINT64_C(4) << zeros);
	}
}

static void dense_add_plain(uint8_t *regs, unsigned p, const uint64_t *hash, unsigned n)
{
	dense_add(regs, p, hash, n);
}

#ifdef __x86_64__
static bool has_lzcnt;

/* Not every compiler's __builtin_cpu_supports() knows LZCNT: leaf 0x80000001, ECX bit 5. */
__attribute__((constructor)) static void ask_processor(void)
{
	unsigned a, b, c = 0, d;

	__builtin_cpu_init();
	has_lzcnt = __get_cpuid(0x80000001, &a, &b, &c, &d) && (c >> 5 & 1) &&
		    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

/* The oldest x86-64 counts leading zeros in microcode. */
__attribute__((target("bmi,bmi2,lzcnt"))) static void dense_add_bmi(
	uint8_t *regs, unsigned p, const uint64_t *hash, unsigned n)
{
	dense_add(regs, p, hash, n);
}
#endif

static void dense_add_any(struct ns_hll *h, const uint64_t *hash, unsigned n)
{
	unsigned p = h->p;

	if (p >= PREFETCH_P) {
		for (unsigned i = 0; i < n; i++)
			__builtin_prefetch(&h->area[hash[i] >> (64 - p)], 1);
	}
#ifdef __x86_64__
	if (has_lzcnt) {
		dense_add_bmi(h->area, p, hash, n);
		return;
	}
#endif
	dense_add_plain(h->area, p, hash, n);
}

uint32_t ns_hll_hashes(const struct ns_hll *h, uint64_t *out)
{
	const uint64_t *slot = (const uint64_t *)h->area;
	uint32_t n = 0, slots = ns_hll_slots(h->p);

	if (h->zero)
		out[n++] = 0;
	for (uint32_t i = 0; i < slots; i++) {
		if (slot[i] != 0)
			out[n++] = slot[i];
	}
	return n;
}

void ns_hll_densify(struct ns_hll *h)
{
	uint64_t hash[NS_HLL_KEEP_MAX];
	uint32_t n = ns_hll_hashes(h, hash);

	h->count = 0;
	h->zero = false;
	h->dense = true;
	memset(h->area, 0, (size_t)1 << h->p);
	for (uint32_t i = 0; i < n; i += BATCH)
		dense_add_any(h, hash + i, n - i < BATCH ? n - i : BATCH);
}

/* Puts one hash into the set; false when it is new and there is no place for it. */
static bool sparse_add(struct ns_hll *h, uint64_t hash)
{
	uint64_t *slot = (uint64_t *)h->area;
	uint32_t mask = ns_hll_slots(h->p) - 1;
	/* Multiplied, for hashes that somebody chose to begin or end alike. */
	uint32_t i = (uint32_t)(hash * NS_HASH_P1 >> 32) & mask;

	if (hash == 0) {
		if (h->zero)
			return true;
	} else {
		for (; slot[i] != 0; i = (i + 1) & mask) {
			if (slot[i] == hash)
				return true;
		}
	}
	if (h->count == ns_hll_keep(h->p))
		return false;
	h->count++;
	if (hash == 0)
		h->zero = true;
	else
		slot[i] = hash;
	return true;
}

void ns_hll_add_bulk(struct ns_hll *h, const uint64_t *hash, unsigned n)
{
	unsigned i = 0;

	if (__builtin_expect(!h->dense, 0)) {
		while (i < n && sparse_add(h, hash[i]))
			i++;
		if (i == n)
			return;
		ns_hll_densify(h);
	}
	for (; i + BATCH <= n; i += BATCH)
		dense_add_any(h, hash + i, BATCH);
	if (i < n)
		dense_add_any(h, hash + i, n - i);
}

void ns_hll_add(struct ns_hll *h, uint64_t hash)
{
	ns_hll_add_bulk(h, &hash, 1);
}
