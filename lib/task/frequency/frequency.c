/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets or octets of every key, for those who ask.
 *
 *   hash ───┐
 *   weight ─┴─▶ ns_cms                   state: | ns_cms | exact: ns_sample |
 *                                                         (with verify only)
 *
 * Count-Min has no list of its keys: a row is given for each that the configuration names, whose
 * octets and hashes are known from the start. The first row is about all keys together: the sum,
 * which is exact, and how good the sketch is, so that its memory can be judged.
 *
 * The estimate is what is read, never too low; the bound says by how much it can be too high. With
 * verify a table of all keys with the same weight stands beside the sketch.
 */
#include "frequency_priv.h"

#include <ns_registry.h>
#include <ns_task_exact.h>

#include <stdlib.h>
#include <string.h>

struct frequency {
	struct ns_cms_conf sketch;
	struct ns_task_exact exact;
	struct ns_task_weight weight;
	uint16_t key_len;
	uint32_t watch_n;
	uint8_t *watch; /* their octets, key_len each */
	uint64_t *hash;
	struct ns_task_estimate est;
	int total, share, bound, bound_confidence, used, counters; /* offsets in the row */
};

/* What a row says of the sketch. */
struct quality {
	uint64_t total, bound, used, counters;
	double confidence;
};

static int columns(
	struct frequency *t, struct ns_task_build *b, const struct freq_conf *c, struct ns_err *e)
{
	const char *unit = ns_task_by_unit(c->by);
	const struct ns_rec_field total = {.name = "total",
		.type = NS_REC_U8,
		.help = "1: the row of all keys together; its key is empty"};
	const struct {
		int *at;
		struct ns_rec_field field;
	} more[] = {
		{&t->share, {.name = "share",
				    .type = NS_REC_F64,
				    .help = "part of the weight of all keys, 0 to 1"}},
		{&t->bound,
			{.name = "bound",
				.type = NS_REC_U64,
				.unit = unit,
				.help = "an estimate of any key is too high by no more than that"}},
		{&t->bound_confidence,
			{.name = "bound_confidence",
				.type = NS_REC_F64,
				.help = "probability with which the bound holds for a key"}},
		{&t->used, {.name = "counters_used",
				   .type = NS_REC_U64,
				   .unit = "counters",
				   .help = "counters of the sketch that are not 0"}},
		{&t->counters, {.name = "counters",
				       .type = NS_REC_U64,
				       .unit = "counters",
				       .help = "all counters of the sketch"}},
	};

	t->total = ns_task_col(b, &total, e);
	if (t->total < 0 || ns_task_col_key(b, 0, e) < 0 ||
		ns_task_col_estimate(b, NS_REC_U64, unit, &t->est, e) < 0)
		return -errno;
	for (unsigned i = 0; i < NS_ARRAY_LEN(more); i++) {
		*more[i].at = ns_task_col(b, &more[i].field, e);
		if (*more[i].at < 0)
			return -errno;
	}
	return 0;
}

static int watch(
	struct frequency *t, struct ns_task_build *b, const struct freq_conf *c, struct ns_err *e)
{
	t->watch = calloc(c->watch_count + (size_t)1, t->key_len);
	t->hash = calloc(c->watch_count + (size_t)1, sizeof(*t->hash));
	if (t->watch == NULL || t->hash == NULL)
		return ns_fail(e, ENOMEM, "task \"%s\": no memory", c->task.name);
	for (; t->watch_n < c->watch_count; t->watch_n++) {
		const char *text = c->watch[t->watch_n];
		uint8_t *key = t->watch + (size_t)t->watch_n * t->key_len;
		struct ns_err why = {""};

		if (ns_task_key_text(b, 0, text, key, &why) < 0)
			return ns_fail(
				e, EINVAL, "watch[%u]: \"%.60s\": %s", t->watch_n, text, why.text);
		t->hash[t->watch_n] = ns_hash_words(key, t->key_len / 8u, t->sketch.seed);
		for (uint32_t i = 0; i < t->watch_n; i++) {
			if (memcmp(t->watch + (size_t)i * t->key_len, key, t->key_len) == 0)
				return ns_fail(e, EINVAL, "watch[%u]: \"%.60s\" is there twice",
					t->watch_n, text);
		}
	}
	return 0;
}

static void destroy(void *task)
{
	struct frequency *t = task;

	if (t == NULL)
		return;
	free(t->watch);
	free(t->hash);
	free(t);
}

static void *create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	const struct freq_conf *c = conf;
	struct frequency *t = calloc(1, sizeof(*t));
	char keys[NS_TASK_FIELDS_MAX];
	uint64_t memory = 0;

	if (t == NULL) {
		ns_fail(e, ENOMEM, "task \"%s\": no memory", c->task.name);
		return NULL;
	}
	if (ns_conf_size(c->memory, &memory, e) < 0 ||
		ns_task_key(b, c->key, c->key_count, e) < 0 ||
		ns_task_weight(b, &c->task, c->by, &t->weight, e) < 0 || columns(t, b, c, e) < 0)
		goto fail;
	t->key_len = ns_task_key_len(b, 0);
	t->sketch = (struct ns_cms_conf){.memory = memory,
		.rows = (uint8_t)c->depth,
		.layout = (enum ns_cms_layout)c->layout,
		.plain = c->plain,
		.seed = ns_task_seed(b)};
	if (watch(t, b, c, e) < 0)
		goto fail;
	t->exact = ns_task_exact(b, ns_cms_size(&t->sketch), t->key_len, 1);
	ns_task_help(b, "%s of any %s", ns_task_by_words[c->by].str,
		ns_task_fields(keys, c->key, c->key_count));
	return t;
fail:;
	int err = errno;

	destroy(t);
	return ns_errno_null(err);
}

static size_t size(const void *task)
{
	const struct frequency *t = task;

	return ns_task_exact_size(&t->exact);
}

static void init(const void *task, void *state)
{
	const struct frequency *t = task;

	ns_cms_init_zeroed(state, &t->sketch);
	ns_task_exact_init(&t->exact, state);
}

static void feed(const void *task, void *state, const struct ns_task_cols *c)
{
	const struct frequency *t = task;
	const struct ns_task_keys *k = &c->keys[0];
	uint64_t sums[NS_TASK_BURST];
	const uint64_t *weight = ns_task_weigh(&t->weight, c, sums);

	ns_cms_add_bulk(state, k->hash, ns_task_or_null(weight), c->n);
	ns_task_exact_add(&t->exact, state, k->hash, k->key, k->len, &weight, c->n);
}

static int merge(const void *task, void *into, const void *from)
{
	const struct frequency *t = task;
	int rc = ns_cms_merge(into, from);

	return rc == 0 ? ns_task_exact_merge(&t->exact, into, from) : rc;
}

static void reset(const void *task, void *state)
{
	const struct frequency *t = task;

	ns_cms_reset(state);
	ns_task_exact_reset(&t->exact, state);
}

static void put_quality(
	const struct frequency *t, void *row, const struct quality *q, uint64_t weight)
{
	ns_task_row_f64(row, t->share, q->total > 0 ? (double)weight / (double)q->total : 0);
	ns_task_row_u64(row, t->bound, q->bound);
	ns_task_row_f64(row, t->bound_confidence, q->confidence);
	ns_task_row_u64(row, t->used, q->used);
	ns_task_row_u64(row, t->counters, q->counters);
}

static void put_total(const struct frequency *t, struct ns_task_out *o, const struct quality *q)
{
	uint8_t *row = ns_task_row(o);

	row[t->total] = 1;
	ns_task_row_estimate_u64(row, &t->est, q->total, q->total, q->total, 1);
	ns_task_row_exact_u64(row, &t->est, q->total);
	put_quality(t, row, q, q->total);
	ns_task_row_end(o);
}

/* What the key weighs in truth; false: the table has forgotten a part of the keys, and it too. */
static bool truth(const struct frequency *t, const void *state, uint64_t hash, uint64_t *weight)
{
	const struct ns_sample *s = ns_task_exact_table(&t->exact, state);
	struct ns_sample_entry x;
	bool found = s != NULL && ns_sample_find(s, hash, &x);

	*weight = found ? x.values[0] : 0;
	return found || ns_task_exact_whole(&t->exact, state);
}

static void put_key(const struct frequency *t, const void *state, struct ns_task_out *o,
	const struct quality *q, uint32_t i)
{
	uint64_t high = ns_cms_query(state, t->hash[i]), weight;
	uint64_t low = high > q->bound ? high - q->bound : 0;
	void *row = ns_task_row(o);

	ns_task_row_key(o, row, 0, t->watch + (size_t)i * t->key_len);
	/* never too low, so what reads 0 was not there */
	ns_task_row_estimate_u64(row, &t->est, high, low, high, high > 0 ? q->confidence : 1);
	if (truth(t, state, t->hash[i], &weight))
		ns_task_row_exact_u64(row, &t->est, weight);
	put_quality(t, row, q, high);
	ns_task_row_end(o);
}

static int result(const void *task, const void *state, struct ns_task_out *o)
{
	const struct frequency *t = task;
	struct quality q = {.total = ns_cms_total(state)};

	q.bound = ns_cms_bound(state, &q.confidence);
	q.used = ns_cms_used(state, &q.counters);
	put_total(t, o, &q);
	for (uint32_t i = 0; i < t->watch_n; i++)
		put_key(t, state, o, &q, i);
	return 0;
}

static void sketches(const void *task, const void *state, struct ns_task_sketches *o)
{
	ns_task_sketch(o, NS_SKETCH_CMS, state, NULL, 0);
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

static const struct ns_plugin frequency = {
	.kind = NS_TASK_KIND,
	.name = "frequency",
	.summary = "packets or octets of any key, in fixed memory for all keys",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(frequency)
