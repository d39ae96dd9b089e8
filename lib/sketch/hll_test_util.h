/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What HyperLogLog's tests share. */

#include "hll_priv.h"
#include "ns_test_zipf.h"

#include <stdlib.h>

static inline struct ns_hll *hll_make(uint8_t p)
{
	struct ns_hll_conf c = {.p = p};
	struct ns_hll *h = ns_hll_create(&c);

	if (h == NULL)
		abort();
	return h;
}

static inline uint64_t hll_key(uint64_t key)
{
	return ns_hash64(&key, sizeof(key), 0);
}

static inline void hll_add_range(struct ns_hll *h, uint64_t from, uint64_t to)
{
	uint64_t batch[32];
	unsigned n = 0;

	for (uint64_t k = from; k < to; k++) {
		batch[n++] = hll_key(k);
		if (n == 32 || k + 1 == to) {
			ns_hll_add_bulk(h, batch, n);
			n = 0;
		}
	}
}

static inline bool hll_same(const struct ns_hll *a, const struct ns_hll *b)
{
	size_t na = ns_hll_write_size(a), nb = ns_hll_write_size(b);
	uint8_t *pa = malloc(na), *pb = malloc(nb);
	bool eq = na == nb && ns_hll_write(a, pa) == na && ns_hll_write(b, pb) == nb &&
		  memcmp(pa, pb, na) == 0;

	free(pa);
	free(pb);
	return eq;
}
