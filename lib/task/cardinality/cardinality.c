/* SPDX-License-Identifier: BSD-3-Clause */
/* The task: which sketch a key goes into. The layout is drawn in cardinality_priv.h. */
#include "cardinality_priv.h"

#include <ns_registry.h>

#include <stdlib.h>
#include <string.h>

static size_t lines(size_t octets)
{
	return (octets + NS_CACHE_LINE - 1) / NS_CACHE_LINE * NS_CACHE_LINE;
}

static void destroy(void *task)
{
	struct card *t = task;

	if (t == NULL)
		return;
	free(t->prefixes);
	free(t->ranges);
	free(t);
}

static int make_ranges(struct card *t, const struct card_conf *c, struct ns_err *e)
{
	t->prefixes_n = c->prefixes_count;
	t->prefixes = calloc(c->prefixes_count, sizeof(t->prefixes[0]));
	/* numbers of 128 bits want to lie on 16 octets, as memory of malloc() does */
	t->ranges = malloc(sizeof(*t->ranges));
	if (t->prefixes == NULL || t->ranges == NULL)
		return ns_fail(e, ENOMEM, "task \"%s\": no memory", c->task.name);
	for (unsigned i = 0; i < t->prefixes_n; i++) {
		if (card_prefix_parse(c->prefixes[i], &t->prefixes[i], e) < 0)
			return -errno;
	}
	card_ranges_init(t->ranges, t->prefixes, t->prefixes_n);
	return 0;
}

static int column(int *at, struct ns_task_build *b, const struct ns_rec_field *f, struct ns_err *e)
{
	*at = ns_task_col(b, f, e);
	return NS_MIN(*at, 0);
}

static int columns(
	struct card *t, struct ns_task_build *b, const struct card_conf *c, struct ns_err *e)
{
	static const struct ns_rec_field prefix = {.name = "prefix",
		.type = NS_REC_PREFIX,
		.flags = NS_REC_KEY,
		.help = "the longest one that the address is in; empty: none"};
	static const struct ns_rec_field other = {.name = "other",
		.type = NS_REC_U8,
		.help = "1: of all values that have no row of their own"};

	t->prefix = t->other = -1;
	if (t->ranges != NULL) {
		if (column(&t->prefix, b, &prefix, e) < 0)
			return -errno;
	} else if (c->per != NULL) {
		if (ns_task_col_key(b, CARD_PER, e) < 0 || column(&t->other, b, &other, e) < 0)
			return -errno;
	}
	return ns_task_col_estimate(b, NS_REC_U64, "keys", &t->est, e);
}

static int wants(
	struct card *t, struct ns_task_build *b, const struct card_conf *c, struct ns_err *e)
{
	if (ns_task_key(b, c->key, c->key_count, e) < 0)
		return -errno;
	if (c->per != NULL && ns_task_key(b, &c->per, 1, e) < 0)
		return -errno;
	if (c->prefixes_count > 0)
		return make_ranges(t, c, e);
	return 0;
}

static void lay_out(struct card *t, struct ns_task_build *b, const struct card_conf *c)
{
	t->sketch = (struct ns_hll_conf){.p = ns_hll_p(c->error), .seed = ns_task_seed(b)};
	t->sketch_len = lines(ns_hll_size(&t->sketch));
	t->sketches = 1;
	if (t->ranges != NULL)
		t->sketches += t->prefixes_n;
	else if (c->per != NULL) {
		t->per = (struct card_slots_conf){
			.max = c->per_max, .key_len = ns_task_key_len(b, CARD_PER)};
		t->sketches += c->per_max;
		t->sketches_at = lines(card_slots_size(&t->per));
	}
	t->exact = ns_task_exact(
		b, t->sketches_at + t->sketches * t->sketch_len, t->sketches > 1 ? 16 : 0, 0);
}

static void say(struct ns_task_build *b, const struct card_conf *c)
{
	char buf[NS_TASK_FIELDS_MAX];
	const char *keys = ns_task_fields(buf, c->key, c->key_count);

	if (c->per != NULL)
		ns_task_help(b, "different %s per %s%s", keys,
			c->prefixes_count > 0 ? "prefix of " : "", c->per);
	else
		ns_task_help(b, "different %s", keys);
}

static void *create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	const struct card_conf *c = conf;
	struct card *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		ns_fail(e, ENOMEM, "task \"%s\": no memory", c->task.name);
		return NULL;
	}
	if (wants(t, b, c, e) < 0 || columns(t, b, c, e) < 0) {
		int err = errno;

		destroy(t);
		return ns_errno_null(err);
	}
	lay_out(t, b, c);
	ns_task_idempotent(b);
	say(b, c);
	return t;
}

static size_t size(const void *task)
{
	const struct card *t = task;

	return ns_task_exact_size(&t->exact);
}

static void init(const void *task, void *state)
{
	const struct card *t = task;

	if (t->per.max > 0)
		card_slots_init(card_slots(t, state), &t->per);
	for (uint32_t i = 0; i < t->sketches; i++)
		ns_hll_init_zeroed(card_sketch(t, state, i), &t->sketch);
	ns_task_exact_init(&t->exact, state);
}

/* The slot of a value; one that another value had is emptied into the rest first. */
static uint32_t slot_for(const struct card *t, void *state, uint64_t hash, const uint8_t *key)
{
	uint32_t evicted, slot = card_slots_put(card_slots(t, state), hash, key, &evicted);

	if (ns_unlikely(evicted != 0)) {
		struct ns_hll *h = card_sketch(t, state, evicted);

		ns_hll_merge(card_sketch(t, state, 0), h);
		ns_hll_reset(h);
	}
	return slot;
}

/* Each (dimension, key) once; the number of keys in each is counted when there are rows. */
static void feed_exact(const struct card *t, void *state, const uint64_t *dimension,
	const uint64_t *hash, unsigned n)
{
	uint64_t pair[NS_TASK_BURST], both[NS_TASK_BURST][2];

	for (unsigned i = 0; i < n; i++) {
		pair[i] = ns_hash_pair(dimension[i], hash[i]);
		both[i][0] = dimension[i];
		both[i][1] = hash[i];
	}
	ns_task_exact_add(&t->exact, state, pair, (const uint8_t *)both, sizeof(both[0]), NULL, n);
}

static void feed_prefixes(const struct card *t, void *state, const struct ns_task_cols *c)
{
	const struct ns_task_keys *k = &c->keys[CARD_KEY], *per = &c->keys[CARD_PER];
	uint64_t slot[NS_TASK_BURST];

	for (unsigned i = 0; i < c->n; i++) {
		slot[i] = card_ranges_find(t->ranges, per->key + (size_t)i * per->len);
		ns_hll_add(card_sketch(t, state, (uint32_t)slot[i]), k->hash[i]);
	}
	if (t->exact.conf.slots > 0)
		feed_exact(t, state, slot, k->hash, c->n);
}

static void feed_values(const struct card *t, void *state, const struct ns_task_cols *c)
{
	const struct ns_task_keys *k = &c->keys[CARD_KEY], *per = &c->keys[CARD_PER];

	for (unsigned i = 0; i < c->n; i++) {
		uint32_t slot = slot_for(t, state, per->hash[i], per->key + (size_t)i * per->len);

		ns_hll_add(card_sketch(t, state, slot), k->hash[i]);
	}
	if (t->exact.conf.slots > 0)
		feed_exact(t, state, per->hash, k->hash, c->n);
}

static void feed(const void *task, void *state, const struct ns_task_cols *c)
{
	const struct card *t = task;

	if (t->ranges != NULL) {
		feed_prefixes(t, state, c);
	} else if (t->per.max > 0) {
		feed_values(t, state, c);
	} else {
		ns_hll_add_bulk(card_sketch(t, state, 0), c->keys[CARD_KEY].hash, c->n);
		ns_task_exact_add(&t->exact, state, c->keys[CARD_KEY].hash, NULL, 0, NULL, c->n);
	}
}

/* Sketches that have seen anything, the first of all. */
static uint32_t used(const struct card *t, const void *state)
{
	return t->per.max > 0 ? 1 + card_slots_n(card_slots(t, state)) : t->sketches;
}

static int merge(const void *task, void *into, const void *from)
{
	const struct card *t = task;
	uint32_t n = used(t, from);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t to = i;

		if (t->per.max > 0 && i > 0) {
			const struct card_slots *s = card_slots(t, from);

			to = slot_for(t, into, card_slots_hash(s, i), card_slots_key(s, i));
		}
		int rc = ns_hll_merge(card_sketch(t, into, to), card_sketch(t, from, i));

		if (rc < 0)
			return rc;
	}
	return ns_task_exact_merge(&t->exact, into, from);
}

static void reset(const void *task, void *state)
{
	const struct card *t = task;
	uint32_t n = used(t, state);

	for (uint32_t i = 0; i < n; i++)
		ns_hll_reset(card_sketch(t, state, i));
	if (t->per.max > 0)
		card_slots_reset(card_slots(t, state));
	ns_task_exact_reset(&t->exact, state);
}

static int result(const void *task, const void *state, struct ns_task_out *o)
{
	return card_result(task, state, o);
}

static void sketches(const void *task, const void *state, struct ns_task_sketches *o)
{
	card_sketches(task, state, o);
}

static const struct ns_task_ops ops = {
	.create = create,
	.destroy = destroy,
	.size = size,
	.init = init,
	.feed = feed,
	.merge = merge,
	.reset = reset,
	.result = result,
	.sketches = sketches,
};

static const struct ns_plugin cardinality = {
	.kind = NS_TASK_KIND,
	.name = "cardinality",
	.summary = "numbers of different keys, estimated in fixed memory",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(cardinality)
