/* SPDX-License-Identifier: BSD-3-Clause */
/* Entropy: life, adding, merging. What the numbers mean is in entropy_bits.c. */
#include "entropy_priv.h"

static bool conf_of(uint32_t *buckets, struct ns_sample_conf *sc, const struct ns_entropy_conf *c)
{
	struct ns_topk_conf tc = {
		.memory = c->memory / 2, .key_len = ENTROPY_KEY_LEN, .seed = c->seed};
	size_t topk = ns_topk_size(&tc), used = sizeof(struct ns_entropy) + topk;

	if (topk == 0)
		return false;
	*buckets = (uint32_t)((topk - sizeof(struct ns_topk)) / bucket_len(ENTROPY_KEY_LEN));
	*sc = (struct ns_sample_conf){.values = 1, .seed = c->seed};
	sc->slots = ns_sample_slots(c->memory > used ? c->memory - used : 0, 0, 1);
	return true;
}

/* Octets up to the sample, which begins a line. */
static size_t front(uint32_t buckets)
{
	size_t n = sizeof(struct ns_entropy) + topk_size(buckets, ENTROPY_KEY_LEN);

	return (n + NS_CACHE_LINE - 1) & ~(size_t)(NS_CACHE_LINE - 1);
}

size_t ns_entropy_size(const struct ns_entropy_conf *c)
{
	struct ns_sample_conf sc;
	uint32_t buckets;

	return conf_of(&buckets, &sc, c) ? front(buckets) + ns_sample_size(&sc) : 0;
}

/* In zeroed memory. */
static struct ns_entropy *parts(
	struct ns_entropy *s, uint32_t buckets, const struct ns_sample_conf *sc)
{
	s->sample = front(buckets);
	topk_init_zeroed(entropy_topk(s), buckets, ENTROPY_KEY_LEN, sc->seed);
	ns_sample_init_zeroed(entropy_sample(s), sc);
	return s;
}

struct ns_entropy *ns_entropy_init_zeroed(void *mem, const struct ns_entropy_conf *c)
{
	struct ns_sample_conf sc;
	uint32_t buckets;

	return conf_of(&buckets, &sc, c) ? parts(mem, buckets, &sc) : NULL;
}

struct ns_entropy *ns_entropy_init(void *mem, const struct ns_entropy_conf *c)
{
	size_t size = ns_entropy_size(c);

	return size != 0 ? ns_entropy_init_zeroed(memset(mem, 0, size), c) : NULL;
}

struct ns_entropy *entropy_create(uint32_t buckets, const struct ns_sample_conf *sc)
{
	uint64_t mapped;
	struct ns_entropy *s = sample_block(front(buckets) + ns_sample_size(sc), &mapped);

	if (s == NULL)
		return NULL;
	parts(s, buckets, sc)->mapped = mapped;
	return s;
}

struct ns_entropy *ns_entropy_create(const struct ns_entropy_conf *c)
{
	struct ns_sample_conf sc;
	uint32_t buckets;

	return conf_of(&buckets, &sc, c) ? entropy_create(buckets, &sc) : NULL;
}

void ns_entropy_destroy(struct ns_entropy *s)
{
	if (s != NULL)
		sample_block_free(s, s->mapped);
}

void ns_entropy_reset(struct ns_entropy *s)
{
	ns_topk_reset(entropy_topk(s));
	ns_sample_reset(entropy_sample(s));
}

void ns_entropy_add_bulk(
	struct ns_entropy *s, const uint64_t *hash, const uint64_t *weight, unsigned n)
{
	static const uint64_t ones[BURST] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	for (unsigned i = 0; i < n; i += BURST) {
		const uint64_t *weights[1] = {weight != NULL ? weight + i : ones};
		unsigned some = NS_MIN(n - i, BURST);
		uint64_t name[BURST];

		for (unsigned j = 0; j < some; j++)
			name[j] = entropy_name(hash[i + j]);
		ns_topk_add_bulk(entropy_topk(s), name, (const uint8_t *)name, ENTROPY_KEY_LEN,
			weights[0], NULL, some);
		ns_sample_add_bulk(entropy_sample(s), hash + i, NULL, 0, weights, some);
	}
}

int ns_entropy_merge(struct ns_entropy *into, const struct ns_entropy *from)
{
	const struct ns_sample_conf *a = &entropy_sample(into)->conf;
	const struct ns_sample_conf *b = &entropy_sample(from)->conf;
	int ret;

	if (a->slots != b->slots || a->seed != b->seed)
		return ns_errno_set(EINVAL);
	ret = ns_topk_merge(entropy_topk(into), entropy_topk(from));
	return ret < 0 ? ret : ns_sample_merge(entropy_sample(into), entropy_sample(from));
}

uint64_t ns_entropy_total(const struct ns_entropy *s)
{
	return ns_sample_total(entropy_sample(s), 0);
}

double ns_entropy_keys(const struct ns_entropy *s)
{
	return ns_sample_kept(entropy_sample(s)) / ns_sample_rate(entropy_sample(s));
}
