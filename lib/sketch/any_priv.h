/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What any.c asks of each type. */

#include "ns_sketch_any.h"

struct any_ops {
	const char *name;
	size_t (*write_size)(const void *s);
	size_t (*write)(const void *s, uint8_t *out);
	void *(*parse)(const uint8_t *in, size_t len, struct ns_err *e);
	int (*merge)(void *into, const void *from);
	void (*destroy)(void *s);
	unsigned (*params)(const void *s, struct ns_sketch_param *param);
	void (*facts)(const void *s, struct ns_sketch_facts *f);
};

#define ANY_DECLARE(x)                                                           \
	unsigned any_##x##_params(const void *s, struct ns_sketch_param *param); \
	void any_##x##_facts(const void *s, struct ns_sketch_facts *f);

/* any_facts.c; any_quantile.c */
ANY_DECLARE(hll)
ANY_DECLARE(cms)
ANY_DECLARE(topk)
ANY_DECLARE(sample)
ANY_DECLARE(spread)
ANY_DECLARE(entropy)
ANY_DECLARE(quantile)
