/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Top-k against exact counts at full size: 10 M packets of 1 M keys by Zipf's law with s = 1.0 in
 * 512 KiB. At least 0.99 of the true top 100 are found and their counts are off by no more than
 * 0.1 % on average; and each of the 1 M keys is within its bounds. Once as one pass, and once as
 * four parts that are merged.
 */
#include "ns_test_zipf.h"

#include <ns_topk.h>

#include <stdio.h>
#include <stdlib.h>

#define KEYS 1000000u
#define PACKETS 10000000u /* a multiple of BURST */
#define TOP 100
#define PARTS 4
#define BURST 32

static uint32_t truth[KEYS];

struct key {
	uint64_t half[2];
};

static struct key key_of(uint64_t number)
{
	return (struct key){{number, ~number}};
}

static struct ns_topk *make(void)
{
	struct ns_topk_conf c = {.memory = 512 * 1024, .key_len = sizeof(struct key)};
	struct ns_topk *t = ns_topk_create(&c);

	if (t == NULL)
		abort();
	return t;
}

static int by_count(const void *a, const void *b)
{
	uint32_t x = truth[*(const uint32_t *)a], y = truth[*(const uint32_t *)b];

	return (x < y) - (x > y);
}

static bool check(const char *what, const struct ns_topk *t, const uint32_t *sorted)
{
	struct ns_topk_entry list[TOP], e;
	uint64_t broken = 0, unlisted = ns_topk_unlisted(t);
	double error = 0;
	unsigned found = 0;

	if (ns_topk_list(t, list, TOP) != TOP || ns_topk_total(t) != PACKETS)
		return false;
	for (unsigned i = 0; i < TOP; i++)
		found += truth[list[i].key[0] | list[i].key[1] << 8 | list[i].key[2] << 16] >=
			 truth[sorted[TOP - 1]];
	for (uint32_t k = 0; k < KEYS; k++) {
		uint32_t number = sorted[k];
		struct key key = key_of(number);
		uint64_t w = truth[number];
		bool listed = ns_topk_query(t, ns_hash64(&key, sizeof(key), 0), &e);

		broken += w > e.count || e.count - e.error > w || (!listed && e.count > unlisted);
		if (k < TOP)
			error += listed ? (double)(e.count - w) / (double)w : 1;
	}
	error /= TOP;
	printf("%-12s recall of the top %d: %.2f, mean relative error %.5f %%, bounds broken: "
	       "%llu of %u, unlisted: at most %llu\n",
		what, TOP, (double)found / TOP, 100 * error, (unsigned long long)broken, KEYS,
		(unsigned long long)unlisted);
	return found >= 0.99 * TOP && error <= 0.001 && broken == 0;
}

int main(void)
{
	struct ns_topk *one = make(), *part[PARTS];
	uint32_t *sorted = malloc(KEYS * sizeof(*sorted));
	struct ns_zipf z;
	bool good;

	if (sorted == NULL)
		abort();
	for (unsigned i = 0; i < PARTS; i++)
		part[i] = make();
	ns_zipf_init(&z, 1.0, KEYS, 1);
	for (unsigned i = 0; i < PACKETS; i += BURST) {
		struct key key[BURST];
		uint64_t hash[BURST];

		for (unsigned j = 0; j < BURST; j++) {
			uint64_t number = ns_zipf_next(&z) - 1;

			truth[number]++;
			key[j] = key_of(number);
			hash[j] = ns_hash64(&key[j], sizeof(key[j]), 0);
		}
		ns_topk_add_bulk(
			one, hash, (const uint8_t *)key, sizeof(key[0]), NULL, NULL, BURST);
		ns_topk_add_bulk(part[i / BURST % PARTS], hash, (const uint8_t *)key,
			sizeof(key[0]), NULL, NULL, BURST);
	}
	for (uint32_t k = 0; k < KEYS; k++)
		sorted[k] = k;
	qsort(sorted, KEYS, sizeof(*sorted), by_count);
	good = check("one pass", one, sorted);
	for (unsigned i = 1; i < PARTS; i++) {
		ns_topk_merge(part[0], part[i]);
		ns_topk_destroy(part[i]);
	}
	good &= check("four merged", part[0], sorted);
	ns_topk_destroy(part[0]);
	ns_topk_destroy(one);
	free(sorted);
	return good ? 0 : 1;
}
