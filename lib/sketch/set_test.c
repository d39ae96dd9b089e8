/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of sketches: the octets, merging, and what is refused. */
#include "ns_cms.h"
#include "ns_entropy.h"
#include "ns_hll.h"
#include "ns_quantile.h"
#include "ns_sample.h"
#include "ns_sketch_set.h"
#include "ns_spread.h"
#include "ns_test.h"
#include "ns_topk.h"

#include <math.h>

#define SEED 7
#define THINGS 3000

static void *make(unsigned type)
{
	switch (type) {
	case NS_SKETCH_HLL:
		return ns_hll_create(&(struct ns_hll_conf){.p = 10, .seed = SEED});
	case NS_SKETCH_CMS:
		return ns_cms_create(&(struct ns_cms_conf){
			.memory = 4096, .rows = 3, .plain = true, .seed = SEED});
	case NS_SKETCH_TOPK:
		return ns_topk_create(
			&(struct ns_topk_conf){.memory = 4096, .key_len = 8, .seed = SEED});
	case NS_SKETCH_SAMPLE:
		return ns_sample_create(&(struct ns_sample_conf){
			.slots = 256, .key_len = 8, .values = 1, .seed = SEED});
	case NS_SKETCH_SPREAD:
		return ns_spread_create(
			&(struct ns_spread_conf){.memory = 8192, .key_len = 8, .seed = SEED});
	case NS_SKETCH_QUANTILE:
		return ns_quantile_create(&(struct ns_quantile_conf){.error = 0.01, .seed = SEED});
	default:
		return ns_entropy_create(&(struct ns_entropy_conf){.memory = 16384, .seed = SEED});
	}
}

/* Adds things from..to - 1, each of its own weight. */
static void feed(const struct ns_sketch *s, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		uint64_t hash = ns_hash_words(&i, 1, SEED), weight = 1 + i % 9;
		const uint64_t *values = &weight;
		const uint8_t *key = (const uint8_t *)&i;

		switch (s->type) {
		case NS_SKETCH_HLL:
			ns_hll_add(s->self, hash);
			break;
		case NS_SKETCH_CMS:
			ns_cms_add(s->self, hash, weight);
			break;
		case NS_SKETCH_TOPK:
			ns_topk_add_bulk(s->self, &hash, key, 8, &weight, NULL, 1);
			break;
		case NS_SKETCH_SAMPLE:
			ns_sample_add_bulk(s->self, &hash, key, 8, &values, 1);
			break;
		case NS_SKETCH_SPREAD:
			ns_spread_add_bulk(s->self, &hash, key, 8, 1);
			break;
		case NS_SKETCH_QUANTILE:
			ns_quantile_add(s->self, i);
			break;
		default:
			ns_entropy_add_bulk(s->self, &hash, &weight, 1);
		}
	}
}

struct octets {
	uint8_t *v;
	size_t n;
};

static struct octets write_set(const struct ns_sketch_set *s)
{
	struct octets o = {.n = ns_sketch_set_write_size(s)};

	o.v = malloc(o.n);
	CU_ASSERT_EQUAL_FATAL(ns_sketch_set_write(s, o.v), o.n);
	return o;
}

static struct ns_sketch_set head(struct ns_sketch_part *parts, uint32_t n)
{
	return (struct ns_sketch_set){.task = "t",
		.type = "kind",
		.what = "things",
		.seed = SEED,
		.start_ns = 1000,
		.end_ns = 2000,
		.epoch = 3,
		.parts_n = n,
		.parts = parts};
}

/* The octets of a set of one sketch of that type with those things. */
static struct octets one(unsigned type, uint64_t from, uint64_t to)
{
	struct ns_sketch_part part = {.sketch = {(uint8_t)type, make(type)}};
	struct ns_sketch_set s = head(&part, 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(part.sketch.self);
	feed(&part.sketch, from, to);
	struct octets o = write_set(&s);

	ns_sketch_destroy(&part.sketch);
	return o;
}

static struct ns_sketch_set *parse(const struct octets *o)
{
	struct ns_err e = {""};
	struct ns_sketch_set *s = ns_sketch_set_parse(o->v, o->n, &e);

	if (s == NULL)
		fprintf(stderr, "%s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

static bool same(const struct octets *a, const struct octets *b)
{
	return a->n == b->n && memcmp(a->v, b->v, a->n) == 0;
}

/* All that a merge of unequal halves gives is what the whole gives, where order changes nothing. */
static void round_trip(void)
{
	for (unsigned type = NS_SKETCH_HLL; type <= NS_SKETCH_ENTROPY; type++) {
		struct octets a = one(type, 0, THINGS / 3), b = one(type, THINGS / 3, THINGS);
		struct octets whole = one(type, 0, THINGS), empty = one(type, 0, 0);
		struct ns_sketch_set *x = parse(&a), *y = parse(&b), *z = parse(&empty);
		struct ns_sketch_facts f;
		struct ns_err e;

		CU_ASSERT_STRING_EQUAL(x->task, "t");
		CU_ASSERT_STRING_EQUAL(x->what, "things");
		CU_ASSERT(x->start_ns == 1000 && x->end_ns == 2000 && x->epoch == 3);
		struct octets again = write_set(x);

		CU_ASSERT_TRUE(same(&a, &again));
		free(again.v);
		CU_ASSERT_EQUAL(ns_sketch_set_merge(x, z, &e), 0);
		again = write_set(x);
		CU_ASSERT_TRUE(same(&a, &again));
		free(again.v);
		CU_ASSERT_EQUAL(ns_sketch_set_merge(x, y, &e), 0);
		again = write_set(x);
		/* the lists of the heaviest are right within their bounds only */
		if (type != NS_SKETCH_TOPK && type != NS_SKETCH_ENTROPY)
			CU_ASSERT_TRUE(same(&whole, &again));
		ns_sketch_facts(&x->parts[0].sketch, &f);
		CU_ASSERT(f.low <= f.estimate && f.estimate <= f.high && f.used > 0);
		free(again.v);
		free(a.v);
		free(b.v);
		free(whole.v);
		free(empty.v);
		ns_sketch_set_destroy(x);
		ns_sketch_set_destroy(y);
		ns_sketch_set_destroy(z);
	}
}

/* Sketches by label: those of both merge, the others are put where they belong. */
static void labels(void)
{
	static const char *const names[2][3] = {{"b", "d", ""}, {"c", "bb", "d"}};
	static const char *const all[] = {"", "b", "bb", "c", "d"};
	struct octets o[2];
	struct ns_err e;

	for (unsigned k = 0; k < 2; k++) {
		struct ns_sketch_part p[3];
		struct ns_sketch_set s = head(p, 3);

		for (unsigned i = 0; i < 3; i++) {
			p[i] = (struct ns_sketch_part){(const uint8_t *)names[k][i],
				(uint32_t)strlen(names[k][i]),
				{NS_SKETCH_HLL, make(NS_SKETCH_HLL)}};
			feed(&p[i].sketch, 100 * k, 100 * k + 10 + i);
		}
		CU_ASSERT_EQUAL(ns_sketch_set_sort(&s), 0);
		s.start_ns -= k;
		s.end_ns += k;
		o[k] = write_set(&s);
		p[0].label = p[1].label;
		p[0].label_len = p[1].label_len;
		CU_ASSERT_EQUAL(ns_sketch_set_sort(&s), -EEXIST);
		for (unsigned i = 0; i < 3; i++)
			ns_sketch_destroy(&p[i].sketch);
	}
	struct ns_sketch_set *x = parse(&o[0]), *y = parse(&o[1]);

	CU_ASSERT_EQUAL_FATAL(ns_sketch_set_merge(x, y, &e), 0);
	ns_sketch_set_destroy(y);
	CU_ASSERT_EQUAL_FATAL(x->parts_n, NS_ARRAY_LEN(all));
	CU_ASSERT(x->start_ns == 999 && x->end_ns == 2001);
	for (unsigned i = 0; i < x->parts_n; i++) {
		CU_ASSERT_EQUAL(x->parts[i].label_len, strlen(all[i]));
		CU_ASSERT_TRUE(all[i][0] == '\0' ||
			       memcmp(x->parts[i].label, all[i], strlen(all[i])) == 0);
	}
	/* "d" had 11 of the first hundred and 12 of the second */
	CU_ASSERT_EQUAL(ns_hll_estimate(x->parts[4].sketch.self), 11 + 12);
	CU_ASSERT_EQUAL(ns_hll_estimate(x->parts[0].sketch.self), 12);
	struct octets again = write_set(x);
	struct ns_sketch_set *z = parse(&again);

	ns_sketch_set_destroy(z);
	ns_sketch_set_destroy(x);
	free(again.v);
	free(o[0].v);
	free(o[1].v);
}

/* Two sets of one sketch each: why they do not merge. */
static void refused(struct ns_sketch_set a, struct ns_sketch_set b, struct ns_sketch x,
	struct ns_sketch y, const char *why)
{
	struct ns_sketch_part p = {.sketch = x}, q = {.sketch = y};
	struct ns_err e = {""};

	a.parts = &p;
	b.parts = &q;
	struct octets oa = write_set(&a), ob = write_set(&b);
	struct ns_sketch_set *into = parse(&oa), *from = parse(&ob);

	CU_ASSERT_EQUAL(ns_sketch_set_merge(into, from, &e), -EINVAL);
	if (strstr(e.text, why) == NULL)
		CU_FAIL(e.text);
	struct octets again = write_set(into);

	CU_ASSERT_TRUE(same(&oa, &again));
	free(again.v);
	free(oa.v);
	free(ob.v);
	ns_sketch_set_destroy(into);
	ns_sketch_set_destroy(from);
}

static struct ns_sketch hll(uint8_t p, uint64_t seed)
{
	return (struct ns_sketch){
		NS_SKETCH_HLL, ns_hll_create(&(struct ns_hll_conf){.p = p, .seed = seed})};
}

static struct ns_sketch cms(size_t memory, uint8_t rows, bool plain)
{
	return (struct ns_sketch){NS_SKETCH_CMS,
		ns_cms_create(&(struct ns_cms_conf){
			.memory = memory, .rows = rows, .plain = plain, .seed = SEED})};
}

static void not_alike(void)
{
	struct ns_sketch a = hll(10, SEED), b = hll(12, SEED), c = hll(10, 8);
	struct ns_sketch m = cms(4096, 3, true), n = cms(8192, 3, true), o = cms(4096, 4, true),
			 p = cms(4096, 3, false);
	struct ns_sketch_set s = head(NULL, 1), type = s, what = s, seed = s;

	type.type = "other";
	what.what = "other things";
	seed.seed = 8;
	refused(s, type, a, a, "differ in type: kind and other");
	refused(s, what, a, a, "differ in what they count: \"things\" and \"other things\"");
	refused(s, seed, a, c, "differ in the seed of their hash: 7 and 8");
	refused(s, s, a, b, "hll sketches differ in p: 10 and 12");
	refused(s, s, m, n, "cms sketches differ in width: 170 and 341");
	refused(s, s, m, o, "cms sketches differ in depth: 3 and 4");
	refused(s, s, m, p, "cms sketches differ in plain: 1 and 0");
	refused(s, s, a, m, "sketches differ in type: hll and cms");
	for (struct ns_sketch *all[] = {&a, &b, &c, &m, &n, &o, &p}, **x = all; x < all + 7; x++)
		ns_sketch_destroy(*x);
}

/* Each octet of the head that is wrong is named. */
static void damaged(void)
{
	static const struct {
		unsigned at;
		uint8_t value;
		const char *says;
	} bad[] = {{0, 'X', "octet 0: no \"NSTS\""}, {4, 2, "octet 4: a version"},
		{4, 0, "octet 4: a version"}, {5, 2, "octet 5: a hash"},
		{6, 1, "octet 6: not zero"}, {7, 1, "octet 6: not zero"},
		{8, 9, "a seed that is not the set's"}, {17, 0xff, "octet 24: an end before"},
		{40, 2, "a part is missing"}, {41, 0xff, "octet 40: more parts than"},
		{40, 0, "more than the parts"}, {45, 0xff, "a text that does not end"},
		{46, 200, "octet 48: a text"}, {47, 200, "octet 49: a text"},
		{48, 0, "octet 48: a text with a zero"}, {59, 5, "octet 63: a sketch that"},
		{61, 0xff, "a label that does not end"}, {63, 0xff, "a sketch that does not end"},
		{67, 'x', "octet 67: sketch: octet 0"},
		{71, 99, "octet 67: sketch: octet 4: type 99 is not known"}};
	struct octets o = one(NS_SKETCH_HLL, 0, 5);
	struct ns_err e;

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		uint8_t was = o.v[bad[i].at];

		o.v[bad[i].at] = bad[i].value;
		e.text[0] = '\0';
		CU_ASSERT_PTR_NULL(ns_sketch_set_parse(o.v, o.n, &e));
		CU_ASSERT_EQUAL(errno, EBADMSG);
		if (strstr(e.text, bad[i].says) == NULL) {
			fprintf(stderr, "octet %u: %s\n", bad[i].at, e.text);
			CU_FAIL("says something else");
		}
		o.v[bad[i].at] = was;
	}
	for (size_t n = 0; n < o.n; n++)
		CU_ASSERT_PTR_NULL(ns_sketch_set_parse(o.v, n, &e));
	ns_sketch_set_destroy(parse(&o));
	free(o.v);
}

/* The octets of this release, drawn in set_wire.c and doc/wire.md. */
static void golden(void)
{
	static const uint8_t want[] = {'N', 'S', 'T', 'S', 1, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0xe8,
		3, 0, 0, 0, 0, 0, 0, 0xd0, 7, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
		6, 0, 1, 4, 't', 'k', 'i', 'n', 'd', 't', 'h', 'i', 'n', 'g', 's', 0, 0, 0, 0, 32,
		0, 0, 0, 'N', 'S', 'S', 'K', 1, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0,
		0, 0, 10, 0, 0, 0, 0, 0, 0, 0};
	struct octets o = one(NS_SKETCH_HLL, 0, 0);

	CU_ASSERT_EQUAL_FATAL(o.n, sizeof(want));
	CU_ASSERT_EQUAL(memcmp(o.v, want, sizeof(want)), 0);
	free(o.v);
}

/* What sketches say of themselves. */
static void facts(void)
{
	struct ns_sketch h = hll(10, SEED), m = cms(4096, 3, true);
	struct ns_sketch_facts f;

	feed(&h, 0, 20);
	ns_sketch_facts(&h, &f);
	CU_ASSERT(f.used == 20 && f.cells == 96 && f.estimate == 20 && f.confidence == 1);
	CU_ASSERT_STRING_EQUAL(f.cell, "hashes");
	feed(&h, 0, 20000);
	ns_sketch_facts(&h, &f);
	CU_ASSERT(f.cells == 1024 && f.used == 1024 && f.saturated == 0);
	CU_ASSERT(fabs(f.estimate - 20000) < 4 * 0.0238 * 20000 && f.confidence == 0.95);
	CU_ASSERT(f.low < f.estimate && f.estimate < f.high);
	CU_ASSERT_STRING_EQUAL(f.bound, "standard error 2.38 %");
	ns_cms_add(m.self, 1, 3);
	ns_sketch_facts(&m, &f);
	CU_ASSERT(f.used == 3 && f.cells == 510 && f.saturated == 0 && f.estimate == 3);
	ns_cms_add(m.self, 1, UINT64_MAX);
	ns_sketch_facts(&m, &f);
	CU_ASSERT_EQUAL(f.saturated, 3);
	CU_ASSERT_STRING_EQUAL(ns_sketch_name(NS_SKETCH_CMS), "cms");
	CU_ASSERT_PTR_NULL(ns_sketch_name(0));
	CU_ASSERT_PTR_NULL(ns_sketch_name(99));
	ns_sketch_destroy(&h);
	ns_sketch_destroy(&m);
}

NS_TEST_MAIN({"round trip and merge", round_trip}, {"labels", labels}, {"not alike", not_alike},
	{"damaged", damaged}, {"golden", golden}, {"facts", facts})
