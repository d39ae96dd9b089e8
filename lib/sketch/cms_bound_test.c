/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Count-Min: the error, measured. On each stream, for each layout, d and way to update: no estimate
 * is too low, and no more are above the bound than its confidence allows.
 */
#include "cms_test_util.h"
#include "ns_test.h"

#define KEYS (1u << 16)
#define ADDS 300000u

static uint64_t truth[KEYS + 1];
static struct {
	uint64_t hash, key, weight;
} stream[ADDS];

enum { ZIPF08, ZIPF10, ZIPF12, ZIPF14, UNIFORM, IN_A_ROW, ONE_BIT, TWO_GIANTS, STREAMS };

static void make_stream(unsigned kind)
{
	static const double s[] = {0.8, 1.0, 1.2, 1.4};
	uint64_t state = 17 + kind, block[16] = {0};
	struct ns_zipf z;

	ns_zipf_init(&z, kind < 4 ? s[kind] : 1, KEYS, 5 + kind);
	memset(truth, 0, sizeof(truth));
	for (unsigned i = 0; i < ADDS; i++) {
		uint64_t key = kind < 4 ? ns_zipf_next(&z) : 1 + ns_test_mix(&state) % KEYS, w = 1;
		uint64_t hash = cms_key(key);

		if (kind == IN_A_ROW) {
			key = 1 + i % KEYS;
			hash = cms_key(key);
		} else if (kind == ONE_BIT) {
			/* 1024 keys of 128 octets, each of one bit. */
			key = 1 + i % 1024;
			block[(key - 1) / 64] = UINT64_C(1) << (key - 1) % 64;
			hash = ns_hash64(block, sizeof(block), 0);
			block[(key - 1) / 64] = 0;
		} else if (kind == TWO_GIANTS) {
			/* All weight is in two keys; octets in place of packets. */
			w = key <= 2 ? 1000000000 : 40 + key % 1460;
		}
		stream[i].key = key;
		stream[i].hash = hash;
		stream[i].weight = w;
		truth[key] += w;
	}
}

static void add_part(struct ns_cms *s, unsigned from, unsigned step)
{
	uint64_t hash[100], weight[100];
	unsigned n = 0;

	for (unsigned i = from; i < ADDS; i += step) {
		hash[n] = stream[i].hash;
		weight[n++] = stream[i].weight;
		if (n == 100) {
			ns_cms_add_bulk(s, hash, weight, n);
			n = 0;
		}
	}
	ns_cms_add_bulk(s, hash, weight, n);
}

static void check(const struct ns_cms *s)
{
	unsigned keys = 0, above = 0, low = 0;
	double confidence = -1;
	uint64_t bound = ns_cms_bound(s, &confidence), total = 0;
	static bool done[KEYS + 1];

	memset(done, 0, sizeof(done));
	for (unsigned i = 0; i < ADDS; i++) {
		uint64_t k = stream[i].key, q;

		total += stream[i].weight;
		if (done[k])
			continue;
		done[k] = true;
		q = ns_cms_query(s, stream[i].hash);
		low += q < truth[k];
		above += q > truth[k] && q - truth[k] > bound;
		keys++;
	}
	CU_ASSERT_EQUAL(low, 0);
	CU_ASSERT_EQUAL(ns_cms_total(s), total);
	CU_ASSERT(bound <= total);
	CU_ASSERT(confidence >= 0.63 && confidence < 1);
	CU_ASSERT(above <= (1 - confidence) * keys);
	if (above > (1 - confidence) * keys)
		printf("layout %u d %u width %llu: %u of %u above %llu\n", s->layout, s->rows,
			(unsigned long long)s->width, above, keys, (unsigned long long)bound);
}

static void streams(void)
{
	for (unsigned kind = 0; kind < STREAMS; kind++) {
		make_stream(kind);
		for (unsigned set = 0; set < 24; set++) {
			static const uint8_t rows[] = {1, 3, 4, 8};
			static const size_t memory[] = {16384, 131072, 999999};
			/* Plain ones for every other d. */
			struct ns_cms *s = cms_make(set < 12 ? NS_CMS_ROWS : NS_CMS_BLOCKED,
				rows[set % 4], memory[set / 4 % 3], (set + kind) % 8 == 7);

			add_part(s, 0, 1);
			check(s);
			ns_cms_destroy(s);
		}
	}
}

/* Parts of a stream, each with its conservative update, added up: still never too low. */
static void merged(void)
{
	static const unsigned kinds[] = {ZIPF10, TWO_GIANTS};

	for (unsigned i = 0; i < 2; i++) {
		make_stream(kinds[i]);
		for (unsigned layout = NS_CMS_ROWS; layout <= NS_CMS_BLOCKED; layout++) {
			struct ns_cms *s = cms_make(layout, 3, 200000, false);

			for (unsigned part = 0; part < 4; part++) {
				struct ns_cms *p = cms_make(layout, 3, 200000, false);

				add_part(p, part, 4);
				CU_ASSERT_EQUAL(ns_cms_merge(s, p), 0);
				ns_cms_destroy(p);
			}
			check(s);
			ns_cms_destroy(s);
		}
	}
}

/* Things whose hashes somebody chose to fall into one line: that line alone is worthless. */
static void one_line(void)
{
	struct ns_cms *s = cms_make(NS_CMS_BLOCKED, 3, 1 << 20, false);
	uint64_t state = 1, seen[1000], sum = 0;
	double confidence;

	for (unsigned i = 0; i < 1000; i++) {
		seen[i] = UINT64_C(0x1234) << 48 | (ns_test_mix(&state) & UINT32_MAX);
		ns_cms_add(s, seen[i], i + 1);
		sum += i + 1;
	}
	for (unsigned i = 0; i < 1000; i++) {
		CU_ASSERT(ns_cms_query(s, seen[i]) >= i + 1);
		CU_ASSERT(ns_cms_query(s, seen[i]) <= sum);
	}
	CU_ASSERT_EQUAL(ns_cms_query(s, UINT64_C(0x1238) << 48), 0);
	/* Of 16384 lines one reads anything. */
	CU_ASSERT_EQUAL(ns_cms_bound(s, &confidence), 0);
	ns_cms_destroy(s);
}

/* The bound on lines against all lines and sets, one by one. */
static void bound_by_counting(void)
{
	uint64_t state = 8;

	for (unsigned d = 1; d <= 8; d++) {
		struct ns_cms *s = cms_make(NS_CMS_BLOCKED, (uint8_t)d, 4096 * 64, false);
		double confidence;
		uint64_t bound, above = 0, all = 0, less = 0;

		for (unsigned i = 0; i < 60000; i++) {
			uint64_t h = ns_test_mix(&state);

			ns_cms_add(s, h, h % 50 == 0 ? h % 4096 : h % 128);
		}
		bound = ns_cms_bound(s, &confidence);
		CU_ASSERT_DOUBLE_EQUAL(confidence, 0.99, 1e-12);
		for (uint64_t line = 0; line < 4096; line++) {
			for (unsigned set = 0; set < ns_cms_sets[d]; set++) {
				uint64_t h =
					line << 52 | (((uint64_t)set << 32) + ns_cms_sets[d] - 1) /
							     ns_cms_sets[d];

				above += ns_cms_query(s, h) > bound;
				less += ns_cms_query(s, h) > bound - bound / 24;
				all++;
			}
		}
		/* What 0.009 leaves of 4096 lines after its margin is 0.0035. */
		CU_ASSERT((double)above <= 0.0036 * (double)all);
		CU_ASSERT((double)less >= 0.0034 * (double)all);
		ns_cms_destroy(s);
	}
}

static void wanted_error(void)
{
	struct ns_cms_conf c = ns_cms_for_error(0.001, 0.95, 7);

	CU_ASSERT_EQUAL(c.rows, 3);
	CU_ASSERT_EQUAL(c.layout, NS_CMS_ROWS);
	CU_ASSERT_EQUAL(c.memory, (size_t)2719 * 3 * 8);
	CU_ASSERT_EQUAL(c.seed, 7);
	CU_ASSERT_EQUAL(ns_cms_for_error(0.001, 1 - exp(-2), 0).rows, 2);
	CU_ASSERT_EQUAL(ns_cms_for_error(0.001, 0.999999, 0).rows, 8);
	CU_ASSERT_EQUAL(ns_cms_for_error(0.001, 1, 0).rows, 8);
	CU_ASSERT_EQUAL(ns_cms_for_error(0.001, 0, 0).rows, 1);
	CU_ASSERT_EQUAL(ns_cms_for_error(1e9, 0.5, 0).memory, 8);
	/* What nobody has memory for is refused when it is asked for. */
	c = ns_cms_for_error(0, 0.95, 0);
	CU_ASSERT_PTR_NULL(ns_cms_create(&c));

	struct ns_cms *s = cms_make(NS_CMS_ROWS, 3, (size_t)2719 * 3 * 8, false);
	double confidence;

	ns_cms_add(s, 1, 1000000);
	CU_ASSERT_EQUAL(ns_cms_bound(s, &confidence), 1000);
	CU_ASSERT_DOUBLE_EQUAL(confidence, 1 - exp(-3), 1e-12);
	ns_cms_destroy(s);
}

NS_TEST_MAIN({"streams", streams}, {"merged", merged}, {"one line", one_line},
	{"the bound by counting", bound_by_counting}, {"a wanted error", wanted_error})
