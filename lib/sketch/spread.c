/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Super-spreaders: a sample of different (key, peer) pairs, known by the hash of the pair, each
 * with its key. No sums: a pair that was seen before costs one look at its hash.
 *
 *   | head, one line | ns_sample: hashes of pairs, keys |
 *
 * The pairs are grouped by key only when somebody asks. The serialised form is that of the sample
 * (sample_wire.c) with another type in its head.
 */
#include "ns_spread.h"
#include "sample_priv.h"

#include <math.h>
#include <stdlib.h>

#define MANY 64 /* counts from here on are alike to the first look */

struct ns_spread {
	uint64_t mapped;
	uint8_t spare[NS_CACHE_LINE - 8];
};

_Static_assert(sizeof(struct ns_spread) == NS_CACHE_LINE, "the sample begins a line");

struct group {
	const uint8_t *key;
	uint64_t hash;
	uint32_t pairs;
	uint16_t key_len; /* for the order of equals */
};

static struct ns_sample *sample_of(const struct ns_spread *s)
{
	return (struct ns_sample *)((uintptr_t)s + sizeof(*s));
}

static bool conf_of(struct ns_sample_conf *sc, const struct ns_spread_conf *c)
{
	size_t head = sizeof(struct ns_spread);

	*sc = (struct ns_sample_conf){.key_len = c->key_len, .seed = c->seed};
	sc->slots = ns_sample_slots(c->memory > head ? c->memory - head : 0, c->key_len, 0);
	if (c->key_len > 0 && sample_conf_ok(sc))
		return true;
	errno = EINVAL;
	return false;
}

size_t ns_spread_size(const struct ns_spread_conf *c)
{
	struct ns_sample_conf sc;

	return conf_of(&sc, c) ? sizeof(struct ns_spread) + ns_sample_size(&sc) : 0;
}

struct ns_spread *ns_spread_init_zeroed(void *mem, const struct ns_spread_conf *c)
{
	struct ns_sample_conf sc;

	if (!conf_of(&sc, c))
		return NULL;
	ns_sample_init_zeroed(sample_of(mem), &sc);
	return mem;
}

struct ns_spread *ns_spread_init(void *mem, const struct ns_spread_conf *c)
{
	size_t size = ns_spread_size(c);

	return size != 0 ? ns_spread_init_zeroed(memset(mem, 0, size), c) : NULL;
}

static struct ns_spread *create(const struct ns_sample_conf *sc)
{
	uint64_t mapped;
	struct ns_spread *s = sample_block(sizeof(struct ns_spread) + ns_sample_size(sc), &mapped);

	if (s == NULL)
		return NULL;
	s->mapped = mapped;
	ns_sample_init_zeroed(sample_of(s), sc);
	return s;
}

struct ns_spread *ns_spread_create(const struct ns_spread_conf *c)
{
	struct ns_sample_conf sc;

	return conf_of(&sc, c) ? create(&sc) : NULL;
}

void ns_spread_destroy(struct ns_spread *s)
{
	if (s != NULL)
		sample_block_free(s, s->mapped);
}

void ns_spread_reset(struct ns_spread *s)
{
	ns_sample_reset(sample_of(s));
}

void ns_spread_add_bulk(
	struct ns_spread *s, const uint64_t *pair, const uint8_t *keys, unsigned stride, unsigned n)
{
	ns_sample_add_bulk(sample_of(s), pair, keys, stride, NULL, n);
}

int ns_spread_merge(struct ns_spread *into, const struct ns_spread *from)
{
	return ns_sample_merge(sample_of(into), sample_of(from));
}

const struct ns_sample *spread_sample(const struct ns_spread *s)
{
	return sample_of(s);
}

double ns_spread_pairs(const struct ns_spread *s)
{
	return ns_sample_kept(sample_of(s)) / ns_sample_rate(sample_of(s));
}

double ns_spread_rate(const struct ns_spread *s)
{
	return ns_sample_rate(sample_of(s));
}

static int by_pairs(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->pairs != y->pairs)
		return x->pairs > y->pairs ? -1 : 1;
	return memcmp(x->key, y->key, x->key_len);
}

/* Groups the pairs into `room` (a power of two) places, then closes up the places in use. */
static size_t group(const struct ns_sample *s, struct group *all, size_t room)
{
	struct ns_sample_entry e;
	uint32_t at = 0;
	size_t n = 0;

	while (ns_sample_next(s, &at, &e)) {
		uint64_t hash = ns_hash_words(e.key, s->conf.key_len / 8u, s->conf.seed);
		size_t p = hash & (room - 1);

		while (all[p].pairs > 0 && all[p].hash != hash)
			p = (p + 1) & (room - 1);
		all[p].key = e.key;
		all[p].hash = hash;
		all[p].key_len = s->conf.key_len;
		all[p].pairs++;
	}
	for (size_t p = 0; p < room; p++)
		if (all[p].pairs > 0)
			all[n++] = all[p];
	return n;
}

/* Most keys have few pairs: those that can't be among the first `max` need not be sorted. */
static size_t drop_small(struct group *all, size_t n, unsigned max)
{
	size_t with[MANY + 1] = {0}, most = 0, left = 0;
	unsigned least = MANY;

	for (size_t i = 0; i < n; i++)
		with[NS_MIN(all[i].pairs, MANY)]++;
	for (most = with[least]; most < max && least > 1;)
		most += with[--least];
	for (size_t i = 0; i < n; i++)
		if (all[i].pairs >= least)
			all[left++] = all[i];
	return left;
}

/*
 * Of N peers c were kept, each with probability q. The interval holds all N for which c is no
 * further than z standard deviations from N q (the score interval, solved for N):
 *
 *   N q = c + z^2 (1 - q) / 2 +- z sqrt((1 - q) (c + z^2 (1 - q) / 4))
 */
static void interval(struct ns_spread_entry *e, double rate, double z)
{
	double c = (double)e->sampled, spare = 1 - rate;

	e->peers = c / rate;
	if (spare <= 0) {
		e->low = e->high = c;
		return;
	}
	if (isinf(z)) {
		e->low = c;
		e->high = HUGE_VAL;
		return;
	}
	double mid = c + z * z * spare / 2, half = z * sqrt(spare * (c + z * z * spare / 4));

	e->low = fmax(c, (mid - half) / rate);
	e->high = (mid + half) / rate;
}

int ns_spread_list(
	const struct ns_spread *s, struct ns_spread_entry *out, unsigned max, double confidence)
{
	const struct ns_sample *sample = sample_of(s);
	double rate = ns_sample_rate(sample), z = ns_sketch_z(confidence);
	size_t room = 16, n;

	while (room < 2 * (size_t)ns_sample_kept(sample))
		room *= 2;
	struct group *all = calloc(room, sizeof(*all));

	if (all == NULL)
		return ns_errno_set(ENOMEM);
	n = drop_small(all, group(sample, all, room), max);
	qsort(all, n, sizeof(*all), by_pairs);
	n = NS_MIN(n, max);
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct ns_spread_entry){
			.key = all[i].key, .hash = all[i].hash, .sampled = all[i].pairs};
		interval(&out[i], rate, z);
	}
	free(all);
	return (int)n;
}

size_t ns_spread_write_size(const struct ns_spread *s)
{
	return ns_sample_write_size(sample_of(s));
}

size_t ns_spread_write(const struct ns_spread *s, uint8_t *out)
{
	return sample_wire_put(sample_of(s), NS_SKETCH_SPREAD, out);
}

struct ns_spread *ns_spread_parse(const uint8_t *in, size_t len, struct ns_err *e)
{
	struct sample_wire w = {0};
	struct ns_spread *s;
	int ret = sample_wire_get(&w, in, len, NS_SKETCH_SPREAD, e);

	if (ret == 0 && (w.conf.key_len == 0 || w.conf.values != 0))
		ret = ns_fail(e, EBADMSG, "spread: octet 28: key of %u octets, %u values",
			w.conf.key_len, w.conf.values);
	if (ret < 0)
		return NULL;
	s = create(&w.conf);
	if (s == NULL) {
		ns_fail(e, ENOMEM, "spread: octet 24: no memory for %u slots", w.conf.slots);
		return NULL;
	}
	ret = sample_wire_fill(sample_of(s), &w, e);
	if (ret == 0)
		return s;
	ns_spread_destroy(s);
	return ns_errno_null(-ret);
}
