/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_sample.h>
#include <ns_task_weight.h>
#include <ns_topk.h>

struct heavy_conf {
	struct ns_task_conf task;
	char **key;
	uint32_t key_count;
	int by; /* enum ns_task_by */
	uint32_t top;
	char *memory;
};

/* A key in a ranking; heavy_top.c. */
struct heavy_key {
	uint64_t weight; /* ranks; of equal ones the second does */
	uint64_t second;
	uint64_t hash;
	const uint8_t *key; /* in a sketch or table */
};

/*
 * The keys of @p t with the most weight that is certain, count - error; second is the count. At
 * most
 * @p top into @p out, heaviest first; returns how many.
 */
uint32_t heavy_list(const struct ns_topk *t, uint16_t key_len, uint32_t top, struct heavy_key *out);

/*
 * Which keys of @p s belong to the @p top heaviest and are not among the @p n @p listed ones; of
 * equal weight those that are listed go first. Heaviest first, *missed of them, in memory to
 * free(). When the table has forgotten a part of the keys, those of the rest that are heavier than
 * the last listed one can be. -ENOMEM.
 */
int heavy_missed(const struct ns_sample *s, uint16_t key_len, uint32_t top,
	const struct heavy_key *listed, uint32_t n, struct heavy_key **out, uint32_t *missed);
