/* SPDX-License-Identifier: BSD-3-Clause */
/* All keys of a top-k sketch, one by one, for those who rank by something else than the count. */
#include "topk_priv.h"

bool ns_topk_next(const struct ns_topk *t, uint32_t *at, struct ns_topk_entry *e)
{
	for (uint64_t i = *at; i < (uint64_t)t->buckets * PLACES; i++) {
		const struct bucket *b = bucket_at(t, i / PLACES);
		unsigned p = (unsigned)(i % PLACES);

		if (b->hash[p] == 0)
			continue;
		*e = entry_at(t, b, p);
		*at = (uint32_t)i + 1;
		return true;
	}
	*at = t->buckets * PLACES;
	return false;
}
