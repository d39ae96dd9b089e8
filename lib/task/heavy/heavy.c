/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The heaviest keys.
 *
 *   key, hash ─┐
 *   weight ────┼─▶ ns_topk            state: | ns_topk | exact: ns_sample |
 *   other ─────┘                                         (with verify only)
 *
 * The bounds of Space-Saving are no matter of chance: confidence is 1. The estimate is the lower of
 * them, what the key has weighed since it has its place. Heavy keys had it from the start, or
 * nearly; the upper one also takes in what others had weighed there, and in merged states what a
 * key that an lcore has not seen might have weighed there: on zipf 1.0 over 4 lcores, each with
 * keys of its own (3 million packets, 1 million keys, 512 KiB), the estimate is right
 * for all of the top 100, where the upper bound is 2 % too high. ns_topk_list_sure() ranks.
 *
 * With verify a table of all keys with the same weight stands beside the sketch.
 */
#include "heavy_priv.h"

#include <ns_registry.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct heavy {
	struct ns_topk_conf sketch;
	struct ns_task_exact exact;
	struct ns_task_weight weight, other;
	uint32_t top;
	struct ns_task_estimate est;
	int rank, other_at, share; /* offsets in the row */
};

static int column(int *at, struct ns_task_build *b, const struct ns_rec_field *f, struct ns_err *e)
{
	*at = ns_task_col(b, f, e);
	return NS_MIN(*at, 0);
}

static int columns(
	struct heavy *t, struct ns_task_build *b, const struct heavy_conf *c, struct ns_err *e)
{
	const char *unit = ns_task_by_unit(c->by);
	const char *other = c->by == NS_TASK_BY_PACKETS ? "octets" : "packets";
	const struct ns_rec_field rank = {.name = "rank",
		.type = NS_REC_U32,
		.help = "1: the heaviest; 0: should be here, but was missed (verify)"};
	const struct ns_rec_field beside = {.name = other,
		.type = NS_REC_U64,
		.unit = other,
		.help = "at least so many: since the key has had its place"};
	const struct ns_rec_field share = {.name = "share",
		.type = NS_REC_F64,
		.help = "part of the weight of all keys, 0 to 1"};

	if (column(&t->rank, b, &rank, e) < 0 || ns_task_col_key(b, 0, e) < 0 ||
		ns_task_col_estimate(b, NS_REC_U64, unit, &t->est, e) < 0 ||
		column(&t->other_at, b, &beside, e) < 0)
		return -errno;
	return column(&t->share, b, &share, e);
}

static int wants(
	struct heavy *t, struct ns_task_build *b, const struct heavy_conf *c, struct ns_err *e)
{
	int other = c->by == NS_TASK_BY_PACKETS ? NS_TASK_BY_OCTETS : NS_TASK_BY_PACKETS;

	if (ns_task_key(b, c->key, c->key_count, e) < 0 ||
		ns_task_weight(b, &c->task, c->by, &t->weight, e) < 0)
		return -errno;
	return ns_task_weight(b, &c->task, other, &t->other, e);
}

/* Fewer places than rows would make a list of whatever came last. */
static int check_room(const struct heavy *t, const struct heavy_conf *c, struct ns_err *e)
{
	uint32_t places = ns_topk_places(&t->sketch);

	if (places < t->top)
		return ns_fail(e, EINVAL,
			"memory: %s has room for %u keys of this kind, fewer than top: %u",
			c->memory, places, t->top);
	return 0;
}

static void destroy(void *task)
{
	free(task);
}

static void *create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	const struct heavy_conf *c = conf;
	struct heavy *t = calloc(1, sizeof(*t));
	char keys[NS_TASK_FIELDS_MAX];
	uint64_t memory = 0;

	if (t == NULL) {
		ns_fail(e, ENOMEM, "task \"%s\": no memory", c->task.name);
		return NULL;
	}
	t->top = c->top;
	if (ns_conf_size(c->memory, &memory, e) < 0 || wants(t, b, c, e) < 0 ||
		columns(t, b, c, e) < 0)
		goto fail;
	t->sketch = (struct ns_topk_conf){
		.memory = memory, .key_len = ns_task_key_len(b, 0), .seed = ns_task_seed(b)};
	if (check_room(t, c, e) < 0)
		goto fail;
	t->exact = ns_task_exact(b, ns_topk_size(&t->sketch), t->sketch.key_len, 1);
	ns_task_help(b, "top %" PRIu32 " of %s by %s", c->top,
		ns_task_fields(keys, c->key, c->key_count), ns_task_by_words[c->by].str);
	return t;
fail:;
	int err = errno;

	free(t);
	return ns_errno_null(err);
}

static size_t size(const void *task)
{
	const struct heavy *t = task;

	return ns_task_exact_size(&t->exact);
}

static void init(const void *task, void *state)
{
	const struct heavy *t = task;

	ns_topk_init_zeroed(state, &t->sketch);
	ns_task_exact_init(&t->exact, state);
}

static void feed(const void *task, void *state, const struct ns_task_cols *c)
{
	const struct heavy *t = task;
	const struct ns_task_keys *k = &c->keys[0];
	uint64_t sums[2][NS_TASK_BURST];
	const uint64_t *weight = ns_task_weigh(&t->weight, c, sums[0]);
	const uint64_t *other = ns_task_weigh(&t->other, c, sums[1]);

	ns_topk_add_bulk(state, k->hash, k->key, k->len, ns_task_or_null(weight),
		ns_task_or_null(other), c->n);
	ns_task_exact_add(&t->exact, state, k->hash, k->key, k->len, &weight, c->n);
}

static int merge(const void *task, void *into, const void *from)
{
	const struct heavy *t = task;
	int rc = ns_topk_merge(into, from);

	return rc == 0 ? ns_task_exact_merge(&t->exact, into, from) : rc;
}

static void reset(const void *task, void *state)
{
	const struct heavy *t = task;

	ns_topk_reset(state);
	ns_task_exact_reset(&t->exact, state);
}

static double share_of(uint64_t weight, uint64_t total)
{
	return total > 0 ? (double)weight / (double)total : 0;
}

static void put_row(const struct heavy *t, const void *state, struct ns_task_out *o, uint32_t rank,
	const struct ns_topk_entry *k)
{
	const struct ns_sample *exact = ns_task_exact_table(&t->exact, state);
	uint64_t sure = k->count - k->error;
	struct ns_sample_entry true_one;
	void *row = ns_task_row(o);

	memcpy((uint8_t *)row + t->rank, &rank, sizeof(rank));
	ns_task_row_key(o, row, 0, k->key);
	ns_task_row_estimate_u64(row, &t->est, sure, sure, k->count, 1);
	if (exact != NULL && ns_sample_find(exact, k->hash, &true_one))
		ns_task_row_exact_u64(row, &t->est, true_one.values[0]);
	ns_task_row_u64(row, t->other_at, k->other);
	ns_task_row_f64(row, t->share, share_of(sure, ns_topk_total(state)));
	ns_task_row_end(o);
}

/* Keys that should have been listed: what the sketch knows of them, and the truth. */
static int put_missed(const struct heavy *t, const void *state, struct ns_task_out *o,
	const struct ns_topk_entry *listed, uint32_t n)
{
	struct heavy_key *missed;
	uint32_t missed_n;
	int rc = heavy_missed(ns_task_exact_table(&t->exact, state), t->sketch.key_len, t->top,
		listed, n, &missed, &missed_n);

	for (uint32_t i = 0; i < missed_n; i++) {
		struct ns_topk_entry x;

		if (!ns_topk_query(state, missed[i].hash, &x))
			x.error = x.count;
		x.key = missed[i].key;
		put_row(t, state, o, 0, &x);
	}
	free(missed);
	return rc;
}

static int result(const void *task, const void *state, struct ns_task_out *o)
{
	const struct heavy *t = task;
	struct ns_topk_entry *list = malloc(t->top * sizeof(*list));
	uint32_t n;
	int rc = 0;

	if (list == NULL)
		return ns_errno_set(ENOMEM);
	n = (uint32_t)ns_topk_list_sure(state, list, t->top);
	for (uint32_t i = 0; i < n; i++)
		put_row(t, state, o, i + 1, &list[i]);
	if (ns_task_exact_table(&t->exact, state) != NULL)
		rc = put_missed(t, state, o, list, n);
	free(list);
	return rc;
}

static void sketches(const void *task, const void *state, struct ns_task_sketches *o)
{
	ns_task_sketch(o, NS_SKETCH_TOPK, state, NULL, 0);
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

static const struct ns_plugin heavy = {
	.kind = NS_TASK_KIND,
	.name = "heavy",
	.summary = "the heaviest keys by packets or octets, in fixed memory",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(heavy)
