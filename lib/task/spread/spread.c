/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Super-spreaders: which keys meet the most different peers.
 *
 *   key hash, peers hash ─ pair hash ─▶ ns_spread     state: | ns_spread | exact: ns_sample |
 *                                                                        (with verify only)
 *
 * With verify all pairs are kept in a table besides, each with its key: as many rows of a key, as
 * many peers it has met.
 */
#include "spread_priv.h"

#include <ns_registry.h>
#include <ns_spread.h>
#include <ns_task_exact.h>

#include <math.h>
#include <stdlib.h>

#define CONFIDENCE 0.95

enum { KEY, PEERS };

struct spread {
	struct ns_spread_conf sketch;
	struct ns_task_exact pairs;
	uint32_t top, least;
	struct ns_task_estimate est;
	int rank, sampled; /* offsets in the row */
};

/* One key with its true number of peers. */
struct truth {
	const uint8_t *key;
	uint64_t peers;
	bool given;
};

static int columns(struct spread *t, struct ns_task_build *b, struct ns_err *e)
{
	const struct ns_rec_field rank = {.name = "rank",
		.type = NS_REC_U32,
		.size = 4,
		.help = "1: the most peers; 0: should be here, but was missed (verify)"};
	const struct ns_rec_field sampled = {.name = "pairs_sampled",
		.type = NS_REC_U64,
		.size = 8,
		.unit = "pairs",
		.help = "pairs of this key that the estimate is made from"};

	t->rank = ns_task_col(b, &rank, e);
	if (t->rank < 0)
		return t->rank;
	int rc = ns_task_col_key(b, KEY, e);

	if (rc == 0)
		rc = ns_task_col_estimate(b, NS_REC_U64, "peers", &t->est, e);
	if (rc < 0)
		return rc;
	t->sampled = ns_task_col(b, &sampled, e);
	return NS_MIN(t->sampled, 0);
}

static int keys(struct ns_task_build *b, const struct spread_conf *c, struct ns_err *e)
{
	int rc = ns_task_key(b, c->key, c->key_count, e);

	if (rc >= 0)
		rc = ns_task_key(b, c->peers, c->peers_count, e);
	return NS_MIN(rc, 0);
}

static void destroy(void *task)
{
	free(task);
}

static void *create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	const struct spread_conf *c = conf;
	char who[NS_TASK_FIELDS_MAX], whom[NS_TASK_FIELDS_MAX];
	struct spread *t = calloc(1, sizeof(*t));
	uint64_t memory;

	if (t == NULL) {
		ns_fail(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (ns_conf_size(c->memory, &memory, e) < 0 || keys(b, c, e) < 0 || columns(t, b, e) < 0) {
		int err = errno;

		free(t);
		return ns_errno_null(err);
	}
	t->top = c->top;
	t->least = c->least;
	t->sketch = (struct ns_spread_conf){
		.memory = memory, .key_len = ns_task_key_len(b, KEY), .seed = ns_task_seed(b)};
	t->pairs = ns_task_exact(b, ns_spread_size(&t->sketch), t->sketch.key_len, 0);
	ns_task_idempotent(b);
	ns_task_help(b, "top %u of %s by different %s", c->top,
		ns_task_fields(who, c->key, c->key_count),
		ns_task_fields(whom, c->peers, c->peers_count));
	return t;
}

static size_t size(const void *task)
{
	const struct spread *t = task;

	return ns_task_exact_size(&t->pairs);
}

static void init(const void *task, void *state)
{
	const struct spread *t = task;

	ns_spread_init_zeroed(state, &t->sketch);
	ns_task_exact_init(&t->pairs, state);
}

static void feed(const void *task, void *state, const struct ns_task_cols *c)
{
	const struct spread *t = task;
	const struct ns_task_keys *k = &c->keys[KEY];
	uint64_t pair[NS_TASK_BURST];

	for (unsigned i = 0; i < c->n; i++)
		pair[i] = ns_hash_pair(k->hash[i], c->keys[PEERS].hash[i]);
	ns_spread_add_bulk(state, pair, k->key, k->len, c->n);
	ns_task_exact_add(&t->pairs, state, pair, k->key, k->len, NULL, c->n);
}

static int merge(const void *task, void *into, const void *from)
{
	const struct spread *t = task;
	int rc = ns_spread_merge(into, from);

	return rc == 0 ? ns_task_exact_merge(&t->pairs, into, from) : rc;
}

static void reset(const void *task, void *state)
{
	const struct spread *t = task;

	ns_spread_reset(state);
	ns_task_exact_reset(&t->pairs, state);
}

/* --- the exact answer ------------------------------------------------------------------------ */

static int by_octets(const void *a, const void *b, void *arg)
{
	const struct truth *x = a, *y = b;
	const struct spread *t = arg;

	return memcmp(x->key, y->key, t->sketch.key_len);
}

static int by_peers(const void *a, const void *b, void *arg)
{
	const struct truth *x = a, *y = b;

	if (x->peers != y->peers)
		return x->peers > y->peers ? -1 : 1;
	return by_octets(a, b, arg);
}

/*
 * All keys with their true numbers of peers, in order of octets; *n of them. NULL and *n = 0: not
 * known, because there were more pairs than the table holds. -ENOMEM.
 */
static int count_truth(const struct spread *t, const void *state, struct truth **out, uint32_t *n)
{
	const struct ns_sample *s = ns_task_exact_table(&t->pairs, state);
	struct ns_sample_entry pair;
	uint32_t at = 0, got = 0, kept;
	struct truth *all;

	*out = NULL;
	*n = 0;
	if (!ns_task_exact_whole(&t->pairs, state))
		return 0;
	kept = ns_sample_kept(s);
	all = calloc(kept + (size_t)1, sizeof(*all));
	if (all == NULL)
		return ns_errno_set(ENOMEM);
	while (got < kept && ns_sample_next(s, &at, &pair))
		all[got++].key = pair.key;
	qsort_r(all, got, sizeof(*all), by_octets, (void *)(uintptr_t)t);
	for (uint32_t i = 0; i < got; i++) {
		if (*n == 0 || by_octets(&all[*n - 1], &all[i], (void *)(uintptr_t)t) != 0)
			all[(*n)++] = (struct truth){.key = all[i].key};
		all[*n - 1].peers++;
	}
	*out = all;
	return 0;
}

static struct truth *find_truth(
	const struct spread *t, struct truth *all, uint32_t n, const uint8_t *key)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = memcmp(key, all[mid].key, t->sketch.key_len);

		if (c == 0)
			return &all[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* --- rows ------------------------------------------------------------------------------------ */

/* All pairs were kept: then the numbers are certain. */
static double confidence(const void *state)
{
	return ns_spread_rate(state) < 1 ? CONFIDENCE : 1;
}

static void put_row(const struct spread *t, const void *state, struct ns_task_out *o, uint32_t rank,
	const struct ns_spread_entry *s, const struct truth *exact)
{
	uint8_t *row = ns_task_row(o);

	memcpy(row + t->rank, &rank, sizeof(rank));
	ns_task_row_key(o, row, KEY, s->key);
	ns_task_row_estimate_u64(row, &t->est, (uint64_t)llround(s->peers), (uint64_t)floor(s->low),
		(uint64_t)ceil(s->high), confidence(state));
	if (exact != NULL)
		ns_task_row_exact_u64(row, &t->est, exact->peers);
	ns_task_row_u64(row, t->sampled, s->sampled);
	ns_task_row_end(o);
}

/*
 * The keys of the true top that were not given, behind the others. What was estimated for them is
 * among all @p found; a key of which no pair was sampled has no more than ln(20) / rate peers at
 * the same confidence.
 */
static void put_missed(const struct spread *t, const void *state, struct ns_task_out *o,
	struct truth *all, uint32_t n, const struct ns_spread_entry *found, uint32_t found_n)
{
	qsort_r(all, n, sizeof(*all), by_peers, (void *)(uintptr_t)t);
	for (uint32_t i = 0; i < n && i < t->top && all[i].peers >= t->least; i++) {
		struct ns_spread_entry s = {
			.key = all[i].key, .high = -log(1 - CONFIDENCE) / ns_spread_rate(state)};

		if (all[i].given)
			continue;
		for (uint32_t j = 0; j < found_n; j++) {
			if (memcmp(found[j].key, all[i].key, t->sketch.key_len) == 0)
				s = found[j];
		}
		put_row(t, state, o, 0, &s, &all[i]);
	}
}

static int result(const void *task, const void *state, struct ns_task_out *o)
{
	const struct spread *t = task;
	struct ns_spread_entry *found;
	struct truth *all;
	uint32_t n, given = 0, all_n;
	int rc = count_truth(t, state, &all, &all_n);

	if (rc < 0)
		return rc;
	/* to look for missed ones, every key of which a pair was sampled */
	n = all == NULL ? t->top : (uint32_t)(ns_spread_pairs(state) * ns_spread_rate(state) + 1.5);
	found = malloc(NS_MAX(n, t->top) * sizeof(*found));
	if (found != NULL)
		rc = ns_spread_list(state, found, NS_MAX(n, t->top), CONFIDENCE);
	if (found == NULL || rc < 0) {
		free(found);
		free(all);
		return ns_errno_set(ENOMEM);
	}
	n = (uint32_t)rc;
	while (given < n && given < t->top && found[given].peers >= t->least) {
		struct truth *x = all != NULL ? find_truth(t, all, all_n, found[given].key) : NULL;

		if (x != NULL)
			x->given = true;
		put_row(t, state, o, given + 1, &found[given], x);
		given++;
	}
	if (all != NULL)
		put_missed(t, state, o, all, all_n, found + given, n - given);
	free(found);
	free(all);
	return 0;
}

static void sketches(const void *task, const void *state, struct ns_task_sketches *o)
{
	ns_task_sketch(o, NS_SKETCH_SPREAD, state, NULL, 0);
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

static const struct ns_plugin spread = {
	.kind = NS_TASK_KIND,
	.name = "spread",
	.summary = "keys that meet the most different peers, estimated in fixed memory",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(spread)
