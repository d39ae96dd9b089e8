/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Percentiles of a numeric field.
 *
 *   value ─▶ ns_quantile              state: | ns_quantile | exact: ns_sample |
 *                                                            (with verify only)
 *
 * The sketch's bound is no matter of chance: confidence is 1. Least and largest value are exact and
 * stand as percentile 0 and 100.
 *
 * With verify each different value is counted in a table: the true value of a rank is found by
 * walking it in order.
 */
#include "quantile_priv.h"

#include <ns_quantile.h>
#include <ns_registry.h>
#include <ns_task_exact.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct quantile {
	struct ns_quantile_conf sketch;
	struct ns_task_exact exact;
	bool empty; /* 0 means "not known" */
	unsigned points_n; /* without 0 and 100 */
	double points[QUANTILE_POINTS_MAX]; /* percentiles, increasing */
	struct ns_task_estimate est;
	int percentile, count, mean; /* offsets in the row */
};

/* A value and how often it was seen; later how many were not above it. */
struct truth {
	uint64_t value, count;
};

static int column(int *at, struct ns_task_build *b, const struct ns_rec_field *f, struct ns_err *e)
{
	*at = ns_task_col(b, f, e);
	return NS_MIN(*at, 0);
}

static int columns(struct quantile *t, struct ns_task_build *b, struct ns_err *e)
{
	static const struct ns_rec_field percentile = {.name = "percentile",
		.type = NS_REC_F64,
		.flags = NS_REC_KEY,
		.help = "percent of the values that are not above the estimate; 0: the least"};
	static const struct ns_rec_field count = {
		.name = "count", .type = NS_REC_U64, .help = "values seen"};
	static const struct ns_rec_field mean = {
		.name = "mean", .type = NS_REC_F64, .help = "mean of all values, exact"};

	if (column(&t->percentile, b, &percentile, e) < 0 ||
		ns_task_col_estimate(b, NS_REC_F64, "", &t->est, e) < 0 ||
		column(&t->count, b, &count, e) < 0)
		return -errno;
	return column(&t->mean, b, &mean, e);
}

static void destroy(void *task)
{
	free(task);
}

static void *create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	const struct quantile_conf *c = conf;
	struct quantile *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		ns_fail(e, ENOMEM, "task \"%s\": no memory", c->task.name);
		return NULL;
	}
	if (ns_task_value(b, c->value, e) < 0 || columns(t, b, e) < 0) {
		int err = errno;

		free(t);
		return ns_errno_null(err);
	}
	t->empty = ns_task_value_empty(b, 0);
	for (uint32_t i = 0; i < c->points_count; i++) {
		if (c->points[i] > 0 && c->points[i] < 100)
			t->points[t->points_n++] = c->points[i];
	}
	t->sketch = (struct ns_quantile_conf){.error = c->error, .seed = ns_task_seed(b)};
	t->exact = ns_task_exact(b, ns_quantile_size(&t->sketch), 8, 1);
	ns_task_help(b, "percentiles of %s", c->value);
	return t;
}

static size_t size(const void *task)
{
	const struct quantile *t = task;

	return ns_task_exact_size(&t->exact);
}

static void init(const void *task, void *state)
{
	const struct quantile *t = task;

	ns_quantile_init_zeroed(state, &t->sketch);
	ns_task_exact_init(&t->exact, state);
}

static void feed_exact(const struct quantile *t, void *state, const uint64_t *value, unsigned n)
{
	static const uint64_t ones[NS_TASK_BURST] = {[0 ... NS_TASK_BURST - 1] = 1};
	const uint64_t *counts = ones;
	uint64_t hash[NS_TASK_BURST];

	for (unsigned i = 0; i < n; i++)
		hash[i] = ns_hash_words(&value[i], 1, t->exact.conf.seed);
	ns_task_exact_add(
		&t->exact, state, hash, (const uint8_t *)value, sizeof(*value), &counts, n);
}

static void feed(const void *task, void *state, const struct ns_task_cols *c)
{
	const struct quantile *t = task;
	const uint64_t *value = c->values[0];
	uint64_t known[NS_TASK_BURST] = {0};
	unsigned n = c->n;

	if (t->empty) {
		n = 0;
		for (unsigned i = 0; i < c->n; i++) {
			known[n] = value[i];
			n += value[i] != 0;
		}
		value = known;
	}
	ns_quantile_add_bulk(state, value, n);
	if (t->exact.conf.slots > 0)
		feed_exact(t, state, value, n);
}

static int merge(const void *task, void *into, const void *from)
{
	const struct quantile *t = task;
	int rc = ns_quantile_merge(into, from);

	return rc == 0 ? ns_task_exact_merge(&t->exact, into, from) : rc;
}

static void reset(const void *task, void *state)
{
	const struct quantile *t = task;

	ns_quantile_reset(state);
	ns_task_exact_reset(&t->exact, state);
}

static int in_order(const void *a, const void *b)
{
	const struct truth *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

/*
 * All values in order with the ranks up to which they reach; *n = 0: not wanted, or more than the
 * table holds. Memory to free; NULL: -ENOMEM.
 */
static struct truth *truths(const struct quantile *t, const void *state, uint32_t *n)
{
	const struct ns_sample *s = ns_task_exact_table(&t->exact, state);
	bool known = ns_task_exact_whole(&t->exact, state);
	struct truth *all = malloc(((known ? ns_sample_kept(s) : 0) + (size_t)1) * sizeof(*all));
	struct ns_sample_entry entry;
	uint32_t at = 0;
	uint64_t rank = 0;

	*n = 0;
	if (all == NULL)
		return ns_errno_null(ENOMEM);
	while (known && ns_sample_next(s, &at, &entry)) {
		memcpy(&all[*n].value, entry.key, sizeof(all->value));
		all[(*n)++].count = entry.values[0];
	}
	qsort(all, *n, sizeof(*all), in_order);
	for (uint32_t i = 0; i < *n; i++)
		all[i].count = rank += all[i].count;
	return all;
}

/* The true value of the nearest rank. */
static uint64_t true_value(const struct truth *all, uint32_t n, double p)
{
	uint64_t rank = (uint64_t)ceil(p * (double)all[n - 1].count);
	uint32_t low = 0, high = n - 1;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (all[mid].count >= rank)
			high = mid;
		else
			low = mid + 1;
	}
	return all[low].value;
}

struct row {
	double percentile, estimate, low, high;
};

static void put_row(const struct quantile *t, const void *state, const struct row *r,
	const struct truth *all, uint32_t n, struct ns_task_out *o)
{
	void *row = ns_task_row(o);

	ns_task_row_f64(row, t->percentile, r->percentile);
	ns_task_row_estimate(row, &t->est, r->estimate, r->low, r->high, 1);
	if (n > 0)
		ns_task_row_exact_u64(row, &t->est, true_value(all, n, r->percentile / 100));
	ns_task_row_u64(row, t->count, ns_quantile_count(state));
	ns_task_row_f64(row, t->mean, ns_quantile_mean(state));
	ns_task_row_end(o);
}

/* The estimate is within the error of the true value, which is a whole number. */
static struct row row_of(const void *state, double percentile, double value)
{
	double error = ns_quantile_error(state), min = (double)ns_quantile_min(state),
	       max = (double)ns_quantile_max(state);

	return (struct row){.percentile = percentile,
		.estimate = value,
		.low = fmax(ceil(value / (1 + error)), min),
		.high = fmin(floor(value / (1 - error)), max)};
}

static int result(const void *task, const void *state, struct ns_task_out *o)
{
	const struct quantile *t = task;
	double p[QUANTILE_POINTS_MAX], value[QUANTILE_POINTS_MAX];
	double min = (double)ns_quantile_min(state), max = (double)ns_quantile_max(state);
	struct truth *all;
	uint32_t n;

	if (ns_quantile_count(state) == 0)
		return 0;
	all = truths(t, state, &n);
	if (all == NULL)
		return -errno;
	for (unsigned i = 0; i < t->points_n; i++)
		p[i] = t->points[i] / 100;
	ns_quantile_values(state, p, value, t->points_n);
	put_row(t, state, &(struct row){0, min, min, min}, all, n, o);
	for (unsigned i = 0; i < t->points_n; i++) {
		struct row r = row_of(state, t->points[i], value[i]);

		put_row(t, state, &r, all, n, o);
	}
	put_row(t, state, &(struct row){100, max, max, max}, all, n, o);
	free(all);
	return 0;
}

static void sketches(const void *task, const void *state, struct ns_task_sketches *o)
{
	ns_task_sketch(o, NS_SKETCH_QUANTILE, state, NULL, 0);
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

static const struct ns_plugin quantile = {
	.kind = NS_TASK_KIND,
	.name = "quantile",
	.summary = "percentiles of a numeric field, with a bounded relative error",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(quantile)
