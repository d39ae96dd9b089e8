/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shannon entropy of the distribution of weight over keys, in bits.
 *
 *   hash ───┬─▶ ns_entropy            state: | ns_entropy | exact: ns_sample |
 *   weight ─┘                                               (with verify only)
 *
 * One row: 0 bits is one key alone, log2(keys) is all keys alike. The two together tell an attack
 * from many sources (sources up, destinations down) from a scan (the other way round).
 */
#include "entropy_priv.h"

#include <ns_entropy.h>
#include <ns_registry.h>
#include <ns_task_exact.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CONFIDENCE 0.95

struct entropy {
	struct ns_entropy_conf sketch;
	struct ns_task_exact exact;
	struct ns_task_weight weight;
	struct ns_task_estimate est;
	int keys, total, normalized; /* offsets in the row */
};

static int column(int *at, struct ns_task_build *b, const struct ns_rec_field *f, struct ns_err *e)
{
	*at = ns_task_col(b, f, e);
	return NS_MIN(*at, 0);
}

static int columns(
	struct entropy *t, struct ns_task_build *b, const struct entropy_conf *c, struct ns_err *e)
{
	const char *unit = ns_task_by_unit(c->by);
	const struct ns_rec_field keys = {
		.name = "keys", .type = NS_REC_U64, .help = "different keys, estimated"};
	const struct ns_rec_field total = {
		.name = unit, .type = NS_REC_U64, .unit = unit, .help = "of all keys, exact"};
	const struct ns_rec_field normalized = {.name = "normalized",
		.type = NS_REC_F64,
		.flags = NS_REC_EMPTY_NAN,
		.help = "estimate / log2(keys), 0 to 1: how evenly they share; empty: fewer than "
			"2 keys"};

	if (column(&t->keys, b, &keys, e) < 0 || column(&t->total, b, &total, e) < 0 ||
		ns_task_col_estimate(b, NS_REC_F64, "bits", &t->est, e) < 0)
		return -errno;
	return column(&t->normalized, b, &normalized, e);
}

static void destroy(void *task)
{
	free(task);
}

static void *create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	const struct entropy_conf *c = conf;
	struct entropy *t = calloc(1, sizeof(*t));
	char keys[NS_TASK_FIELDS_MAX];
	uint64_t memory = 0;

	if (t == NULL) {
		ns_fail(e, ENOMEM, "task \"%s\": no memory", c->task.name);
		return NULL;
	}
	if (ns_conf_size(c->memory, &memory, e) < 0 ||
		ns_task_key(b, c->key, c->key_count, e) < 0 ||
		ns_task_weight(b, &c->task, c->by, &t->weight, e) < 0 || columns(t, b, c, e) < 0) {
		int err = errno;

		free(t);
		return ns_errno_null(err);
	}
	t->sketch = (struct ns_entropy_conf){.memory = memory, .seed = ns_task_seed(b)};
	t->exact = ns_task_exact(b, ns_entropy_size(&t->sketch), 0, 1);
	ns_task_help(b, "entropy of %s by %s", ns_task_fields(keys, c->key, c->key_count),
		ns_task_by_words[c->by].str);
	return t;
}

static size_t size(const void *task)
{
	const struct entropy *t = task;

	return ns_task_exact_size(&t->exact);
}

static void init(const void *task, void *state)
{
	const struct entropy *t = task;

	ns_entropy_init_zeroed(state, &t->sketch);
	ns_task_exact_init(&t->exact, state);
}

static void feed(const void *task, void *state, const struct ns_task_cols *c)
{
	const struct entropy *t = task;
	uint64_t sums[NS_TASK_BURST];
	const uint64_t *hash = c->keys[0].hash, *weight = ns_task_weigh(&t->weight, c, sums);

	ns_entropy_add_bulk(state, hash, weight, c->n);
	ns_task_exact_add(&t->exact, state, hash, NULL, 0, &weight, c->n);
}

static int merge(const void *task, void *into, const void *from)
{
	const struct entropy *t = task;
	int rc = ns_entropy_merge(into, from);

	return rc == 0 ? ns_task_exact_merge(&t->exact, into, from) : rc;
}

static void reset(const void *task, void *state)
{
	const struct entropy *t = task;

	ns_entropy_reset(state);
	ns_task_exact_reset(&t->exact, state);
}

static int in_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* H = log2 W - (sum of w log2 w) / W, in order of weight so that no order of keys is seen in it. */
static double bits_of(uint64_t *weight, uint32_t n)
{
	double total = 0, sum = 0;

	qsort(weight, n, sizeof(*weight), in_order);
	for (uint32_t i = 0; i < n; i++) {
		double w = (double)weight[i];

		total += w;
		sum += w > 0 ? w * log2(w) : 0;
	}
	return total > 0 ? fmax(log2(total) - sum / total, 0) : 0;
}

/* The true entropy; NaN when the table has not all keys. -ENOMEM. */
static int true_bits(const struct entropy *t, const void *state, double *bits)
{
	const struct ns_sample *s = ns_task_exact_table(&t->exact, state);
	struct ns_sample_entry entry;
	uint32_t at = 0, n = 0;
	uint64_t *weight;

	*bits = NAN;
	if (!ns_task_exact_whole(&t->exact, state))
		return 0;
	weight = malloc((ns_sample_kept(s) + (size_t)1) * sizeof(*weight));
	if (weight == NULL)
		return ns_errno_set(ENOMEM);
	while (ns_sample_next(s, &at, &entry))
		weight[n++] = entry.values[0];
	*bits = bits_of(weight, n);
	free(weight);
	return 0;
}

static int result(const void *task, const void *state, struct ns_task_out *o)
{
	const struct entropy *t = task;
	double exact, low, high, keys = ns_entropy_keys(state);
	double bits = ns_entropy_bits(state, CONFIDENCE, &low, &high);
	int rc = true_bits(t, state, &exact);

	if (rc < 0)
		return rc;
	void *row = ns_task_row(o);

	ns_task_row_u64(row, t->keys, (uint64_t)(keys + 0.5));
	ns_task_row_u64(row, t->total, ns_entropy_total(state));
	ns_task_row_estimate(
		row, &t->est, bits, low, high, ns_entropy_exact(state) ? 1 : CONFIDENCE);
	if (!isnan(exact))
		ns_task_row_exact(row, &t->est, exact);
	/* both are estimates: together they may come out a little over 1 */
	ns_task_row_f64(row, t->normalized, keys >= 2 ? fmin(bits / log2(keys), 1) : NAN);
	ns_task_row_end(o);
	return 0;
}

static void sketches(const void *task, const void *state, struct ns_task_sketches *o)
{
	ns_task_sketch(o, NS_SKETCH_ENTROPY, state, NULL, 0);
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

static const struct ns_plugin entropy = {
	.kind = NS_TASK_KIND,
	.name = "entropy",
	.summary = "Shannon entropy of the traffic's distribution over keys",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(entropy)
