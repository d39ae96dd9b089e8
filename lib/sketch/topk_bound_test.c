/* SPDX-License-Identifier: BSD-3-Clause */
/* Top-k: count - error <= truth <= count for each key of any stream, merged in any way. */
#include "ns_test.h"
#include "topk_test_util.h"

#define KEYS 20000

/* Streams of keys below KEYS. */
enum shape { ZIPF, UNIFORM, HEAVY_LAST, FLOODED, SHAPES };

struct stream {
	enum shape shape;
	struct ns_zipf zipf;
	uint64_t state, n, length;
};

static uint64_t stream_next(struct stream *s)
{
	uint64_t i = s->n++, flood = 1000 + i % (KEYS - 1000);

	switch (s->shape) {
	case ZIPF:
		return ns_zipf_next(&s->zipf) - 1;
	case UNIFORM:
		return ns_test_mix(&s->state) % KEYS;
	case HEAVY_LAST: /* keys 0..99 come in the last tenth only */
		return i < s->length / 10 * 9 ? flood : ns_test_mix(&s->state) % 100;
	default: /* 100 steady keys, nine new ones between each two */
		return i % 10 == 0 ? i / 10 % 100 : flood;
	}
}

static struct stream stream_make(enum shape shape, double s, uint64_t length, uint64_t seed)
{
	struct stream st = {.shape = shape, .state = seed, .length = length};

	if (shape == ZIPF)
		ns_zipf_init(&st.zipf, s, KEYS, seed);
	return st;
}

static struct feed f;

static struct score run(struct stream s, size_t memory, bool octets)
{
	struct truth truth = truth_make(KEYS);
	uint64_t state = 77;
	struct score score;

	f = (struct feed){.t = topk_make(memory, 16), .truth = &truth};
	for (uint64_t i = 0; i < s.length; i++) {
		uint64_t octet = 40 + ns_test_mix(&state) % 1460;

		feed(&f, stream_next(&s), octets ? octet : 1, octets ? 1 : octet);
	}
	feed_flush(&f);
	CU_ASSERT_EQUAL(topk_broken(f.t, &truth, NULL), 0);
	score = topk_score(f.t, &truth, 100);
	ns_topk_destroy(f.t);
	truth_free(&truth);
	return score;
}

/*
 * The heaviest 100 of 20 k keys. A key is sure of its place when it weighs more than all weight
 * divided by the places, so the flatter streams need more of them; and more again as there are
 * four in a bucket only: some buckets have more heavy keys than that.
 */
static void streams(void)
{
	static const struct {
		double s;
		size_t kib;
	} zipf[] = {{0.8, 256}, {1.0, 128}, {1.2, 96}, {1.4, 64}};

	for (unsigned i = 0; i < NS_ARRAY_LEN(zipf); i++) {
		for (unsigned octets = 0; octets < 2; octets++) {
			struct score s = run(stream_make(ZIPF, zipf[i].s, 500000, i),
				zipf[i].kib * 1024, octets);

			CU_ASSERT(s.recall >= 0.99);
			CU_ASSERT(s.error <= 0.001);
		}
	}
	/* 500 packets of each heavy key, above the 330 and 190 that a place has in the end */
	CU_ASSERT(run(stream_make(HEAVY_LAST, 0, 500000, 5), 64 * 1024, false).recall >= 0.99);
	CU_ASSERT(run(stream_make(FLOODED, 0, 500000, 6), 112 * 1024, false).recall >= 0.95);
	/* nothing to be found; the bounds hold all the same, also in a single bucket */
	run(stream_make(UNIFORM, 0, 300000, 4), 64 * 1024, false);
	for (unsigned shape = 0; shape < SHAPES; shape++)
		run(stream_make(shape, 1.0, 100000, 7), 0, true);
}

/* Somebody who knows the hash fills one bucket: it is as good as four places are, and no worse. */
static void all_in_one_bucket(void)
{
	struct truth truth = truth_make(1000);
	static uint64_t hashes[1000];
	uint64_t state = 8;

	for (unsigned i = 0; i < 1000; i++)
		hashes[i] = (UINT64_C(5) << 60) + i;
	f = (struct feed){.t = topk_make(64 * 1024, 16), .truth = &truth};
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t k = ns_test_mix(&state) % (i % 4 == 0 ? 1000 : 2);

		feed_hashed(&f, k, hashes[k], 1, 100);
	}
	feed_flush(&f);
	CU_ASSERT_EQUAL(topk_broken(f.t, &truth, hashes), 0);
	/* 37,500 each, above a fourth of all: these must be there */
	for (unsigned k = 0; k < 2; k++) {
		struct ns_topk_entry e;

		CU_ASSERT_TRUE(ns_topk_query(f.t, hashes[k], &e));
		CU_ASSERT(e.error <= 100000 / PLACES);
	}
	ns_topk_destroy(f.t);
	truth_free(&truth);
}

static struct ns_topk *copy(const struct ns_topk *t)
{
	struct ns_topk *c = topk_make(64 + (size_t)t->buckets * t->bucket_len, t->key_len);

	CU_ASSERT_EQUAL_FATAL(c->buckets, t->buckets);
	memcpy(c, t, 64 + (size_t)t->buckets * t->bucket_len);
	return c;
}

static bool same_list(const struct ns_topk *a, const struct ns_topk *b)
{
	static struct ns_topk_entry x[4096], y[4096];
	int n = ns_topk_list(a, x, 4096), m = ns_topk_list(b, y, 4096);
	bool same = n == m && ns_topk_unlisted(a) == ns_topk_unlisted(b);

	for (int i = 0; same && i < n; i++)
		same = x[i].hash == y[i].hash && x[i].count == y[i].count &&
		       x[i].error == y[i].error && x[i].other == y[i].other &&
		       memcmp(x[i].key, y[i].key, a->key_len) == 0;
	return same;
}

/* k parts of a stream, cut at random or key by key, merged two by two in random order. */
static void merged_parts(void)
{
	uint64_t state = 9;

	for (unsigned round = 0; round < 60; round++) {
		unsigned k = 2 + ns_test_mix(&state) % 7, how = ns_test_mix(&state) % 3;
		size_t memory = 1000 + ns_test_mix(&state) % 30000;
		struct stream s = stream_make(round % SHAPES, 1.0, 40000, round);
		struct truth truth = truth_make(KEYS);
		struct ns_topk *part[8];
		static struct feed feeds[8];

		for (unsigned i = 0; i < k; i++)
			feeds[i] = (struct feed){.t = topk_make(memory, 16), .truth = &truth};
		for (uint64_t i = 0; i < s.length; i++) {
			uint64_t key = stream_next(&s);
			unsigned to = (unsigned)(how == 0   ? ns_test_mix(&state)
						 : how == 1 ? key
							    : i * k / s.length) %
				      k;

			/* the last part gets little: its buckets do not all fill */
			if (to == k - 1 && i % 16 != 0)
				to = 0;
			feed(&feeds[to], key, 1 + ns_test_mix(&state) % 1500, 1);
		}
		for (unsigned i = 0; i < k; i++) {
			feed_flush(&feeds[i]);
			part[i] = feeds[i].t;
		}
		for (unsigned left = k; left > 1; left--) {
			unsigned i = ns_test_mix(&state) % (left - 1);
			struct ns_topk *other_way = copy(part[left - 1]);

			CU_ASSERT_EQUAL(ns_topk_merge(other_way, part[i]), 0);
			CU_ASSERT_EQUAL(ns_topk_merge(part[i], part[left - 1]), 0);
			CU_ASSERT_TRUE(same_list(part[i], other_way));
			ns_topk_destroy(other_way);
			ns_topk_destroy(part[left - 1]);
		}
		CU_ASSERT_EQUAL(topk_broken(part[0], &truth, NULL), 0);
		ns_topk_destroy(part[0]);
		truth_free(&truth);
	}
}

static void add_one(struct ns_topk *t, uint64_t number, uint64_t weight, uint64_t other)
{
	ns_topk_add_bulk(t, &number, (const uint8_t *)&number, 8, &weight, &other, 1);
}

static void is(
	const struct ns_topk *t, uint64_t number, uint64_t count, uint64_t error, uint64_t other)
{
	struct ns_topk_entry e;

	CU_ASSERT_TRUE_FATAL(ns_topk_query(t, number, &e));
	CU_ASSERT_EQUAL(e.count, count);
	CU_ASSERT_EQUAL(e.error, error);
	CU_ASSERT_EQUAL(e.other, other);
	CU_ASSERT_EQUAL(memcmp(e.key, &number, 8), 0);
}

/* One bucket, by hand. */
static void merge_by_hand(void)
{
	struct ns_topk *full = topk_make(0, 8), *few = topk_make(0, 8), *t;
	struct ns_topk_entry e;

	for (uint64_t k = 5; k <= 8; k++)
		add_one(full, k, 10 * k, k);
	add_one(full, 9, 5, 50); /* in the place of 5 */
	is(full, 9, 55, 50, 50);
	add_one(few, 8, 100, 1);
	add_one(few, 20, 7, 2);
	add_one(few, 21, 1, 3);

	/* few has room, so a key that it does not list is not there: nothing is added to it */
	t = copy(full);
	CU_ASSERT_EQUAL(ns_topk_merge(t, few), 0);
	is(t, 8, 180, 0, 9);
	is(t, 7, 70, 0, 7);
	is(t, 6, 60, 0, 6);
	/* 20 may have weighed 55 in full: 62 of it stay before 6 with 60, 21 with 56, 9 with 55 */
	is(t, 20, 62, 55, 2);
	CU_ASSERT_FALSE(ns_topk_query(t, 9, &e));
	CU_ASSERT_EQUAL(e.count, 60);
	CU_ASSERT_FALSE(ns_topk_query(t, 21, &e));
	CU_ASSERT_EQUAL(ns_topk_unlisted(t), 60);
	CU_ASSERT_EQUAL(ns_topk_total(t), 265 + 108);
	ns_topk_destroy(t);

	/* into an empty one, and an empty one: nothing changes */
	t = topk_make(0, 8);
	CU_ASSERT_EQUAL(ns_topk_merge(t, full), 0);
	CU_ASSERT_EQUAL(memcmp(t, full, 64 + full->bucket_len), 0);
	struct ns_topk *none = topk_make(0, 8);

	CU_ASSERT_EQUAL(ns_topk_merge(t, none), 0);
	CU_ASSERT_EQUAL(memcmp(t, full, 64 + full->bucket_len), 0);
	/* keys without weight fill places, too */
	for (uint64_t k = 30; k < 34; k++)
		add_one(none, k, 0, 0);
	CU_ASSERT_EQUAL(ns_topk_merge(none, few), 0);
	is(none, 8, 100, 0, 1);
	is(none, 21, 1, 0, 3);
	ns_topk_destroy(none);
	ns_topk_destroy(t);
	ns_topk_destroy(full);
	ns_topk_destroy(few);
}

static void merge_refused(void)
{
	struct ns_topk_conf c = {.memory = 5000, .key_len = 16}, d = c;
	struct ns_topk *t = ns_topk_create(&c), *u;

	for (unsigned i = 0; i < 3; i++) {
		d = c;
		d.memory += i == 0 ? 5000 : 0;
		d.key_len += i == 1 ? 8 : 0;
		d.seed += i == 2;
		u = ns_topk_create(&d);
		errno = 0;
		CU_ASSERT_EQUAL(ns_topk_merge(t, u), -EINVAL);
		CU_ASSERT_EQUAL(errno, EINVAL);
		ns_topk_destroy(u);
	}
	ns_topk_destroy(t);
}

NS_TEST_MAIN({"streams", streams}, {"all in one bucket", all_in_one_bucket},
	{"merged parts", merged_parts}, {"merge by hand", merge_by_hand},
	{"merge refused", merge_refused})
