/* SPDX-License-Identifier: BSD-3-Clause */
/* What each type has to be alike in, and what it says of itself. Quantiles: any_quantile.c. */
#include "any_priv.h"
#include "cms_priv.h"
#include "entropy_priv.h"
#include "hll_priv.h"
#include "ns_spread.h"

#include <inttypes.h>
#include <stdio.h>

#define CONFIDENCE 0.95

static unsigned put(struct ns_sketch_param *to, const struct ns_sketch_param *from, unsigned n)
{
	memcpy(to, from, n * sizeof(*to));
	return n;
}

#define PARAMS(param, ...)                                              \
	put(param, (const struct ns_sketch_param[]){__VA_ARGS__},       \
		sizeof((const struct ns_sketch_param[]){__VA_ARGS__}) / \
			sizeof(struct ns_sketch_param))

/* --- HyperLogLog ----------------------------------------------------------------------------- */

unsigned any_hll_params(const void *s, struct ns_sketch_param *param)
{
	const struct ns_hll *h = s;

	return PARAMS(param, {"seed", h->seed}, {"p", h->p});
}

void any_hll_facts(const void *s, struct ns_sketch_facts *f)
{
	const struct ns_hll *h = s;
	size_t registers = (size_t)1 << h->p;

	f->octets = sizeof(*h) + ns_hll_area(h->p);
	f->of = "different keys";
	f->estimate = ns_hll_interval(h, CONFIDENCE, &f->low, &f->high);
	if (!h->dense) {
		f->cell = "hashes";
		f->used = h->count;
		f->cells = ns_hll_keep(h->p);
		snprintf(f->bound, sizeof(f->bound), "exact: all hashes are kept");
		return;
	}
	f->cell = "registers";
	f->cells = registers;
	f->confidence = CONFIDENCE;
	for (size_t i = 0; i < registers; i++) {
		f->used += h->area[i] != 0;
		f->saturated += h->area[i] >> 2 > ns_hll_rank_max(h->p);
	}
	snprintf(f->bound, sizeof(f->bound), "standard error %.3g %%", 100 * ns_hll_error(h));
}

/* --- Count-Min ------------------------------------------------------------------------------- */

unsigned any_cms_params(const void *s, struct ns_sketch_param *param)
{
	const struct ns_cms *c = s;

	return PARAMS(param, {"seed", c->seed}, {"layout", c->layout}, {"depth", c->rows},
		{"width", c->width}, {"plain", c->plain});
}

void any_cms_facts(const void *s, struct ns_sketch_facts *f)
{
	const struct ns_cms *c = s;
	double confidence;
	uint64_t bound = ns_cms_bound(c, &confidence);

	f->octets = sizeof(*c) + ns_cms_counters(c) * sizeof(c->count[0]);
	f->cell = "counters";
	f->used = ns_cms_used(c, &f->cells);
	for (uint64_t i = 0; i < f->cells; i++)
		f->saturated += c->count[i] == UINT64_MAX;
	f->of = "weight of all keys";
	f->estimate = f->low = f->high = (double)c->total;
	snprintf(f->bound, sizeof(f->bound),
		"a key reads never too low, too high by at most %" PRIu64 " (%.3g %%)", bound,
		100 * confidence);
}

/* --- Space-Saving ---------------------------------------------------------------------------- */

unsigned any_topk_params(const void *s, struct ns_sketch_param *param)
{
	const struct ns_topk *t = s;

	return PARAMS(param, {"seed", t->seed}, {"buckets", t->buckets}, {"key_len", t->key_len});
}

/* Places that are taken, and those of them whose count stands at its end. */
static void places(const struct ns_topk *t, struct ns_sketch_facts *f)
{
	struct ns_topk_entry one;
	uint32_t at = 0;

	f->cell = "places";
	f->cells = ns_topk_capacity(t);
	while (ns_topk_next(t, &at, &one)) {
		f->used++;
		f->saturated += one.count == UINT64_MAX;
	}
}

void any_topk_facts(const void *s, struct ns_sketch_facts *f)
{
	const struct ns_topk *t = s;

	f->octets = topk_size(t->buckets, t->key_len);
	places(t, f);
	f->of = "weight of all keys";
	f->estimate = f->low = f->high = (double)t->total;
	snprintf(f->bound, sizeof(f->bound),
		"between two bounds, always; a key without a place: at most %" PRIu64,
		ns_topk_unlisted(t));
}

/* --- samples --------------------------------------------------------------------------------- */

unsigned any_sample_params(const void *s, struct ns_sketch_param *param)
{
	const struct ns_sample_conf *c = &((const struct ns_sample *)s)->conf;

	return PARAMS(param, {"seed", c->seed}, {"slots", c->slots}, {"key_len", c->key_len},
		{"values", c->values});
}

static void sample_bound(const struct ns_sample *s, struct ns_sketch_facts *f)
{
	double rate = ns_sample_rate(s);

	if (rate < 1)
		snprintf(f->bound, sizeof(f->bound), "a fair sample: %.3g %% of all are kept",
			100 * rate);
	else
		snprintf(f->bound, sizeof(f->bound), "exact: nothing was forgotten");
}

/* Of k things kept with rate r there were k / r, with a relative standard error of 1 / sqrt(k). */
static void sample_number(const struct ns_sample *s, struct ns_sketch_facts *f)
{
	double rate = ns_sample_rate(s), kept = ns_sample_kept(s);
	double wide = rate < 1 ? ns_sketch_z(CONFIDENCE) * __builtin_sqrt(kept * (1 - rate)) : 0;

	f->estimate = kept / rate;
	f->low = (wide < kept ? kept - wide : 0) / rate;
	f->high = (kept + wide) / rate;
	f->confidence = rate < 1 ? CONFIDENCE : 1;
}

void any_sample_facts(const void *s, struct ns_sketch_facts *f)
{
	const struct ns_sample *t = s;

	f->octets = ns_sample_size(&t->conf);
	f->cell = "things";
	f->used = t->kept;
	f->cells = t->conf.slots;
	f->of = "different keys";
	sample_bound(t, f);
	sample_number(t, f);
}

unsigned any_spread_params(const void *s, struct ns_sketch_param *param)
{
	return any_sample_params(spread_sample(s), param);
}

void any_spread_facts(const void *s, struct ns_sketch_facts *f)
{
	any_sample_facts(spread_sample(s), f);
	f->octets += NS_CACHE_LINE;
	f->cell = f->of = "pairs";
}

/* --- entropy --------------------------------------------------------------------------------- */

unsigned any_entropy_params(const void *s, struct ns_sketch_param *param)
{
	const struct ns_sample_conf *c = &entropy_sample(s)->conf;

	return PARAMS(param, {"seed", c->seed}, {"buckets", entropy_topk(s)->buckets},
		{"slots", c->slots});
}

void any_entropy_facts(const void *s, struct ns_sketch_facts *f)
{
	const struct ns_sample *sample = entropy_sample(s);
	const struct ns_entropy *n = s;

	f->octets = n->sample + ns_sample_size(&sample->conf);
	places(entropy_topk(s), f);
	f->used += sample->kept;
	f->cells += sample->conf.slots;
	f->cell = "places";
	f->of = "bits";
	f->estimate = ns_entropy_bits(s, CONFIDENCE, &f->low, &f->high);
	f->confidence = ns_entropy_exact(s) ? 1 : CONFIDENCE;
	sample_bound(sample, f);
}
