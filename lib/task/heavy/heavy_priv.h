/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_task_exact.h>
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

/* A key of the exact table; heavy_missed.c. */
struct heavy_key {
	uint64_t weight; /* ranks; of equal ones those that are listed go first */
	uint64_t second; /* is listed */
	uint64_t hash;
	const uint8_t *key; /* in the table */
};

/*
 * Which keys of @p s belong to the @p top heaviest and are not among the @p n @p listed ones; of
 * equal weight those that are listed go first. Heaviest first, *missed of them, in memory to
 * free(). When the table has forgotten a part of the keys, those of the rest that are heavier than
 * the last listed one can be. -ENOMEM.
 */
int heavy_missed(const struct ns_sample *s, uint16_t key_len, uint32_t top,
	const struct ns_topk_entry *listed, uint32_t n, struct heavy_key **out, uint32_t *missed);
