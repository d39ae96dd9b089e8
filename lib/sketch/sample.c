/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adding, forgetting and finding. The layout is drawn in sample_priv.h.
 *
 * When more than `slots` things are kept, the limit goes down by as many levels as it takes; the
 * counts of the levels say how many, so no thing is looked at. What is above the limit then is
 * forgotten: nobody finds it, and the sweep frees its place later. The sweep goes round the table
 * in steps; a step looks at one place and either passes on or frees it (backward shift, so probing
 * needs no tombstones) and looks again. Each thing that is put in pays for SWEEP steps while there
 * is anything to sweep, at the end of its chunk.
 *
 * Why the table never gets full. Let a round be 2 * places steps, which is 2 * places / SWEEP
 * things put in. A step passes a place or frees one; the sweep can't free more than the places that
 * were in use and those put in, fewer than `places`, so in a round it passes each place at least
 * once. Freeing never carries a thing from places that the sweep has yet to see to one that it has
 * passed. So if a thing is in the table at some time, it was kept a round ago, when at most `slots`
 * were, or it was put in since: had it been forgotten by then, the sweep would have freed it. (A
 * sweep ends when nothing forgotten is left, and a lowered limit gives it a whole turn again.)
 * With SWEEP = 32, and since a chunk pays at its end:
 *
 *   used <= slots + 2 * places / SWEEP + SAMPLE_CHUNK + 1 = slots + places / 16 + 33
 *
 * places > slots * 4 / 3 + 64 leaves a sixth of them free at the least, whatever the hashes are.
 */
#include "sample_priv.h"

#define SWEEP 32u
static inline uint32_t home_of(const struct ns_sample *s, uint64_t h)
{
	return (uint32_t)(((h * s->mult) >> 32) * s->places >> 32);
}

static inline uint32_t after(const struct ns_sample *s, uint32_t place)
{
	return place + 1 == s->places ? 0 : place + 1;
}

/* A few words, of any alignment; a call of memcpy() costs more than most of them. */
static inline void copy(void *to, const void *from, unsigned octets)
{
	for (unsigned i = 0; i < octets; i += 8)
		memcpy((uint8_t *)to + i, (const uint8_t *)from + i, 8);
}

static inline void move(struct ns_sample *s, uint32_t to, uint32_t from)
{
	copy(sample_hot(s, to), sample_hot(s, from), s->stride * 8);
	copy(sample_key(s, to), sample_key(s, from), s->conf.key_len);
}

static inline void clear(struct ns_sample *s, uint32_t place)
{
	for (unsigned i = 0; i < s->stride; i++)
		sample_hot(s, place)[i] = 0;
	for (unsigned i = 0; i < s->conf.key_len; i += 8)
		memset(sample_key(s, place) + i, 0, 8);
}

/* Frees a place: what probing would not reach over the hole any more moves into it. */
static void erase(struct ns_sample *s, uint32_t hole)
{
	const uint64_t *first = sample_hot(s, 0), *at = sample_hot(s, hole);
	const uint32_t places = s->places, stride = s->stride;

	for (uint32_t p = hole;;) {
		at += stride;
		if (++p == places) {
			p = 0;
			at = first;
		}
		if (*at == 0)
			break;
		uint32_t home = home_of(s, *at);
		uint32_t gone = p >= home ? p - home : p + places - home;
		uint32_t back = p >= hole ? p - hole : p + places - hole;

		if (gone < back)
			continue;
		move(s, hole, p);
		hole = p;
	}
	clear(s, hole);
	s->used--;
}

/* Most steps find nothing to do: they go along by pointer, and erase() may move what is there. */
static void sweep(struct ns_sample *s, uint64_t steps)
{
	const uint64_t *end = sample_hot(s, s->places), *p = sample_hot(s, s->sweep_at);
	uint32_t left = s->sweep_left, stride = s->stride;
	uint64_t max = s->max;

	for (; steps > 0 && left > 0; steps--) {
		if (*p > max) {
			erase(s, (uint32_t)((size_t)(p - sample_hot(s, 0)) / stride));
			if (s->used == s->kept)
				left = 0;
		} else {
			p += stride;
			p = p == end ? sample_hot(s, 0) : p;
			left--;
		}
	}
	s->sweep_at = (uint32_t)((size_t)(p - sample_hot(s, 0)) / stride);
	s->sweep_left = left;
}

/*
 * At once, for the control thread: from a free place on, each thing that stays goes to the first
 * free place from its home. None that stays has a home before the free place and a place behind it.
 */
void sample_sweep_all(struct ns_sample *s)
{
	uint32_t p = 0;

	if (s->sweep_left == 0)
		return;
	while (*sample_hot(s, p) != 0)
		p = after(s, p);
	for (uint32_t i = 1; i < s->places; i++) {
		p = after(s, p);
		uint64_t h = *sample_hot(s, p);

		if (h > s->max) {
			clear(s, p);
			s->used--;
		} else if (h != 0) {
			uint32_t to = home_of(s, h);

			while (to != p && *sample_hot(s, to) != 0)
				to = after(s, to);
			if (to == p)
				continue;
			move(s, to, p);
			clear(s, p);
		}
	}
	s->sweep_left = 0;
}

void sample_lower(struct ns_sample *s, uint32_t level)
{
	while (s->level > level)
		s->kept -= s->count[s->level--];
	s->max = sample_level_max(s->level);
	if (s->kept < s->used)
		s->sweep_left = s->places;
}

static uint64_t *make(struct ns_sample *s, uint64_t *p, uint64_t h, const uint8_t *key)
{
	uint32_t place = (uint32_t)((size_t)(p - sample_hot(s, 0)) / s->stride);

	*p = h;
	copy(sample_key(s, place), key, s->conf.key_len);
	sample_map(s)[place / 512] |= UINT64_C(1) << (place / 8 % 64);
	s->used++;
	s->kept++;
	s->count[sample_level(h)]++;
	if (ns_unlikely(s->kept > s->conf.slots)) {
		uint32_t level = s->level;

		for (uint32_t kept = s->kept; kept > s->conf.slots; level--)
			kept -= s->count[level];
		sample_lower(s, level);
	}
	return p;
}

/* Where a thing is, or the free place where it would be. */
static inline uint64_t *look_at(const struct ns_sample *s, uint32_t home, uint64_t h)
{
	uint64_t *end = sample_hot(s, s->places), *p = sample_hot(s, home);

	while (*p != h && *p != 0) {
		p += s->stride;
		if (p == end)
			p = sample_hot(s, 0);
	}
	return p;
}

static inline uint64_t *look(const struct ns_sample *s, uint64_t h)
{
	return look_at(s, home_of(s, h), h);
}

static inline uint64_t *put_at(struct ns_sample *s, uint32_t home, uint64_t h, const uint8_t *key)
{
	uint64_t *p = look_at(s, home, h);

	return *p != 0 ? p : make(s, p, h, key);
}

uint64_t *sample_put(struct ns_sample *s, uint64_t h, const uint8_t *key)
{
	return put_at(s, home_of(s, h), h, key);
}

static void add_totals(
	struct ns_sample *s, const uint64_t *const *values, unsigned from, unsigned n)
{
	for (unsigned j = 0; j < s->conf.values; j++) {
		const uint64_t *v = values[j] + from;
		uint64_t sum = 0, any = 0;

		for (unsigned i = 0; i < n; i++) {
			sum += v[i];
			any |= v[i];
		}
		if (ns_unlikely(any > UINT64_MAX / SAMPLE_CHUNK)) {
			sum = 0;
			for (unsigned i = 0; i < n; i++)
				sum = sample_sum(sum, v[i]);
		}
		s->total[j] = sample_sum(s->total[j], sum);
	}
}

static void add_chunk(struct ns_sample *s, const uint64_t *hash, const uint8_t *keys,
	unsigned stride, const uint64_t *const *values, size_t from, unsigned n)
{
	uint64_t h[SAMPLE_CHUNK];
	uint32_t home[SAMPLE_CHUNK];
	uint8_t at[SAMPLE_CHUNK];
	uint32_t used = s->used;
	unsigned m = 0;

	for (unsigned i = 0; i < n; i++) {
		h[m] = hash[from + i] + (hash[from + i] == 0);
		at[m] = (uint8_t)i;
		m += h[m] <= s->max;
	}
	for (unsigned k = 0; k < m; k++) {
		home[k] = home_of(s, h[k]);
		__builtin_prefetch(sample_hot(s, home[k]), 1);
		if (s->stride > 2)
			__builtin_prefetch(sample_hot(s, home[k] + 1) - 1, 1);
	}
	for (unsigned k = 0; k < m; k++) {
		size_t i = from + at[k];

		if (h[k] > s->max)
			continue;
		uint64_t *p =
			put_at(s, home[k], h[k], s->conf.key_len > 0 ? keys + i * stride : NULL);

		for (unsigned j = 0; j < s->conf.values; j++)
			p[1 + j] = sample_sum(p[1 + j], values[j][i]);
	}
	if (s->sweep_left > 0 && s->used != used)
		sweep(s, (uint64_t)(s->used - used) * SWEEP);
}

void ns_sample_add_bulk(struct ns_sample *s, const uint64_t *hash, const uint8_t *keys,
	unsigned stride, const uint64_t *const *values, unsigned n)
{
	for (unsigned i = 0; i < n; i += SAMPLE_CHUNK) {
		unsigned some = NS_MIN(n - i, SAMPLE_CHUNK);

		add_chunk(s, hash, keys, stride, values, i, some);
		add_totals(s, values, i, some);
	}
}

/* How far the limit must go down for the union: new things are counted before any is put in. */
static uint32_t union_level(const struct ns_sample *into, const struct ns_sample *from)
{
	uint32_t level = NS_MIN(into->level, from->level), more[SAMPLE_LEVELS] = {0}, at = 0;
	uint64_t max = sample_level_max(level), kept = 0;
	struct ns_sample_entry e;

	while (ns_sample_next(from, &at, &e))
		if (e.hash <= max && *look(into, e.hash) == 0)
			more[sample_level(e.hash)]++;
	for (uint32_t i = 0; i <= level; i++)
		kept += into->count[i] + more[i];
	for (; kept > into->conf.slots; level--)
		kept -= into->count[level] + more[level];
	return level;
}

/*
 * Both tables have the same homes, so the walk through one goes through the other in order too.
 * It fills from one end: the limit must be right and the table swept before the first is put in.
 */
int ns_sample_merge(struct ns_sample *into, const struct ns_sample *from)
{
	struct ns_sample_entry e;
	uint32_t at = 0;

	if (into->conf.slots != from->conf.slots || into->conf.key_len != from->conf.key_len ||
		into->conf.values != from->conf.values || into->conf.seed != from->conf.seed)
		return ns_errno_set(EINVAL);
	if ((uint64_t)into->kept + from->kept <= into->conf.slots)
		sample_lower(into, NS_MIN(into->level, from->level));
	else
		sample_lower(into, union_level(into, from));
	sample_sweep_all(into);
	while (ns_sample_next(from, &at, &e)) {
		if (e.hash > into->max)
			continue;
		uint64_t *p = sample_put(into, e.hash, e.key);

		for (unsigned j = 0; j < into->conf.values; j++)
			p[1 + j] = sample_sum(p[1 + j], e.values[j]);
	}
	for (unsigned j = 0; j < into->conf.values; j++)
		into->total[j] = sample_sum(into->total[j], from->total[j]);
	return 0;
}

uint32_t ns_sample_kept(const struct ns_sample *s)
{
	return s->kept;
}

double ns_sample_rate(const struct ns_sample *s)
{
	return ((double)s->max + 1) / 0x1p64;
}

uint64_t ns_sample_total(const struct ns_sample *s, unsigned j)
{
	return s->total[j];
}

static void show(const struct ns_sample *s, const uint64_t *p, struct ns_sample_entry *e)
{
	uint32_t place = (uint32_t)((size_t)(p - sample_hot(s, 0)) / s->stride);

	*e = (struct ns_sample_entry){*p, sample_key(s, place), p + 1};
}

bool ns_sample_find(const struct ns_sample *s, uint64_t hash, struct ns_sample_entry *e)
{
	uint64_t h = hash + (hash == 0);

	const uint64_t *p = look(s, h);

	if (h > s->max || *p == 0)
		return false;
	show(s, p, e);
	return true;
}

bool ns_sample_next(const struct ns_sample *s, uint32_t *at, struct ns_sample_entry *e)
{
	const uint64_t *map = sample_map(s);

	for (uint32_t p = *at; p < s->places;) {
		uint64_t groups = map[p / 512] >> (p / 8 % 64);

		if (groups == 0) {
			p = (p | 511) + 1;
		} else if ((groups & 1) == 0) {
			p = (p & ~7u) + 8 * (uint32_t)__builtin_ctzll(groups);
		} else {
			const uint64_t *hot = sample_hot(s, p);

			if (*hot != 0 && *hot <= s->max) {
				*e = (struct ns_sample_entry){*hot, sample_key(s, p), hot + 1};
				*at = p + 1;
				return true;
			}
			p++;
		}
	}
	*at = s->places;
	return false;
}
