/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Super-spreaders in 4 MiB against exact counts: recall of the true top 50, and how often the
 * intervals hold. Ends with 1 when a recall is below the bar of its stream.
 *
 * A sample can't tell keys apart that differ by less than its own noise, 1 / sqrt(pairs kept of the
 * key). The last stream shows where that begins: many keys of nearly the same fan-out about
 * rank 50, some 30 pairs of each kept. It has no bar, and the intervals printed beside it say so.
 */
#include "ns_test_zipf.h"

#include <ns_spread.h>

#include <stdio.h>
#include <stdlib.h>

#define TOP 50
#define BURST 32
#define MEMORY (4u << 20)

/* Peers of key k; *state for what is random. */
typedef uint32_t fan_out(unsigned k, unsigned keys, uint64_t *state);

struct shape {
	const char *name;
	fan_out *peers;
	unsigned keys, seeds;
	double bar; /* least recall; 0: none */
};

static void *memory(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL) {
		perror("ns-spread-accuracy");
		exit(2);
	}
	return p;
}

static double harmonic(unsigned keys)
{
	return log(keys) + 0.5772156649 + 0.5 / keys;
}

static uint32_t zipf_10m(unsigned k, unsigned keys, uint64_t *state)
{
	return (uint32_t)fmax(10e6 / harmonic(keys) / k, 1);
}

static uint32_t zipf_1m(unsigned k, unsigned keys, uint64_t *state)
{
	return (uint32_t)fmax(1e6 / harmonic(keys) / k, 1);
}

/* Sources and their different (address, port) in the 150 largest captures of the corpus. */
static uint32_t corpus(unsigned k, unsigned keys, uint64_t *state)
{
	static const uint16_t most[] = {267, 193, 149, 136, 125, 102, 65, 51, 47, 38, 37, 30, 29,
		29, 28, 28, 25, 22, 20, 19, 18, 18, 17, 16, 14, 13, 12, 12, 11, 11, 11, 11, 10, 10,
		9, 9, 9, 9, 9, 8, 8, 8, 7, 7, 7, 7, 7, 7};

	if (k <= NS_ARRAY_LEN(most))
		return most[k - 1];
	return k <= 60 ? 6 : k <= 300 ? 3 : 1;
}

static uint32_t corpus_40(unsigned k, unsigned keys, uint64_t *state)
{
	return k <= 60 ? 40 * corpus(k, keys, state) : 1;
}

/* Ten scanners, a thousand servers of slowly falling fan-out, clients with 1 to 8 peers. */
static uint32_t scanners(unsigned k, unsigned keys, uint64_t *state)
{
	if (k <= 10)
		return 55000 - 5000 * k;
	if (k <= 1010)
		return (uint32_t)(8000 * pow(k - 10, -0.8));
	return 1 + (uint32_t)(ns_test_mix(state) % 8);
}

static const struct shape shapes[] = {
	{"zipf 1.0, 10 M pairs, 1 M keys", zipf_10m, 1000000, 4, 0.95},
	{"zipf 1.0, 1 M pairs, 100 k keys", zipf_1m, 100000, 10, 0.95},
	{"the corpus", corpus, 45679, 3, 0.95},
	{"40 times the corpus", corpus_40, 1800000, 4, 0.95},
	{"scanners, 1000 servers, 300 k clients (no bar)", scanners, 300000, 6, 0},
};

static void burst(
	struct ns_spread *t, uint32_t *key, const uint32_t *peer, unsigned n, uint64_t seed)
{
	uint64_t keys[BURST][2], pair[BURST];

	for (unsigned i = 0; i < n; i++) {
		uint64_t other[2] = {peer[i], ~seed};

		keys[i][0] = key[i];
		keys[i][1] = seed;
		pair[i] = ns_hash_pair(ns_hash_words(keys[i], 2, 0), ns_hash_words(other, 2, 0));
	}
	ns_spread_add_bulk(t, pair, (const uint8_t *)keys, 16, n);
}

/* Feeds all pairs, every eighth once more. Their order: a walk with a step prime to their number.
 */
static void feed(struct ns_spread *t, const uint32_t *peers, unsigned keys, uint64_t seed)
{
	uint64_t n = 0, at, step = UINT64_C(2654435761);
	uint32_t *key_of, *peer_of, k32[BURST], p32[BURST];
	unsigned some = 0;

	for (unsigned k = 1; k <= keys; k++)
		n += peers[k];
	key_of = memory(n, sizeof(*key_of));
	peer_of = memory(n, sizeof(*peer_of));
	at = 0;
	for (unsigned k = 1; k <= keys; k++) {
		for (uint32_t i = 0; i < peers[k]; i++) {
			key_of[at] = k;
			peer_of[at++] = i;
		}
	}
	while (n % step == 0)
		step += 2;
	for (uint64_t i = 0; i < n + n / 8; i++) {
		at = i * step % n;
		k32[some] = key_of[at];
		p32[some++] = peer_of[at];
		if (some == BURST) {
			burst(t, k32, p32, some, seed);
			some = 0;
		}
	}
	burst(t, k32, p32, some, seed);
	free(key_of);
	free(peer_of);
}

static int downwards(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (y > x) - (y < x);
}

/* The TOP-th most peers; a key with so many belongs to the top. */
static uint32_t top_least(const uint32_t *peers, unsigned keys)
{
	uint32_t *sorted = memory(keys, sizeof(*sorted)), least;

	memcpy(sorted, peers + 1, keys * sizeof(*sorted));
	qsort(sorted, keys, sizeof(*sorted), downwards);
	least = sorted[TOP - 1];
	free(sorted);
	return least;
}

static double measure(const struct shape *s)
{
	struct ns_spread_conf c = {.memory = MEMORY, .key_len = 16};
	struct ns_spread *t = ns_spread_create(&c);
	uint32_t *peers = memory(s->keys + (size_t)1, sizeof(*peers));
	struct ns_spread_entry e[TOP];
	double hits = 0, inside = 0, error = 0, rate = 0, worst = 1;

	if (t == NULL) {
		perror("ns-spread-accuracy");
		exit(2);
	}
	for (uint64_t seed = 1; seed <= s->seeds; seed++) {
		uint64_t state = seed;
		double found = 0;

		for (unsigned k = 1; k <= s->keys; k++)
			peers[k] = s->peers(k, s->keys, &state);
		ns_spread_reset(t);
		feed(t, peers, s->keys, seed);
		uint32_t least = top_least(peers, s->keys);
		int n = ns_spread_list(t, e, TOP, 0.95);

		for (int i = 0; i < n; i++) {
			double want = peers[ns_le_get64(e[i].key)];

			found += want >= least;
			inside += e[i].low <= want && want <= e[i].high;
			error += fabs(e[i].peers / want - 1);
		}
		hits += found;
		worst = fmin(worst, found / TOP);
		rate += ns_spread_rate(t);
	}
	double all = (double)TOP * s->seeds;

	printf("%-46s kept %5.2f %%  recall %.4f (worst of %u: %.2f)  error %.2f %%  "
	       "95 %% interval holds %.1f %%\n",
		s->name, 100 * rate / s->seeds, hits / all, s->seeds, worst, 100 * error / all,
		100 * inside / all);
	ns_spread_destroy(t);
	free(peers);
	return hits / all;
}

int main(void)
{
	int ret = 0;

	for (unsigned i = 0; i < NS_ARRAY_LEN(shapes); i++)
		if (measure(&shapes[i]) < shapes[i].bar)
			ret = 1;
	if (ret != 0)
		fprintf(stderr, "ns-spread-accuracy: a recall below its bar\n");
	return ret;
}
