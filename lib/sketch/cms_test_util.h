/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What Count-Min's tests share. */

#include "cms_priv.h"
#include "ns_test_zipf.h"

#include <stdlib.h>

static inline struct ns_cms *cms_make(
	enum ns_cms_layout layout, uint8_t rows, size_t memory, bool plain)
{
	struct ns_cms_conf c = {.memory = memory, .rows = rows, .layout = layout, .plain = plain};
	struct ns_cms *s = ns_cms_create(&c);

	if (s == NULL)
		abort();
	return s;
}

static inline uint64_t cms_key(uint64_t key)
{
	return ns_hash64(&key, sizeof(key), 0);
}

static inline bool cms_same(const struct ns_cms *a, const struct ns_cms *b)
{
	size_t na = ns_cms_write_size(a), nb = ns_cms_write_size(b);
	uint8_t *pa = malloc(na), *pb = malloc(nb);
	bool eq = na == nb && ns_cms_write(a, pa) == na && ns_cms_write(b, pb) == nb &&
		  memcmp(pa, pb, na) == 0;

	free(pa);
	free(pb);
	return eq;
}
