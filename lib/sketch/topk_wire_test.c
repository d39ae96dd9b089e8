/* SPDX-License-Identifier: BSD-3-Clause */
/* Top-k: the serialised form, what is refused, and that release after release reads it. */
#include "golden_topk.h"
#include "ns_test.h"
#include "topk_test_util.h"

static struct ns_topk *filled(size_t memory, uint16_t key_len, unsigned keys, uint64_t seed)
{
	struct ns_topk_conf c = {.memory = memory, .key_len = key_len, .seed = seed};
	struct ns_topk *t = ns_topk_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (uint64_t i = 0; i < keys; i++) {
		uint8_t key[KEY_MAX];
		uint64_t hash = topk_key(key, key_len, i), weight = 1 + i * i % 97,
			 other = 1000 * i;

		ns_topk_add_bulk(t, &hash, key, key_len, &weight, &other, 1);
	}
	return t;
}

static uint8_t *written(const struct ns_topk *t, size_t *len)
{
	uint8_t *out;

	*len = ns_topk_write_size(t);
	out = malloc(*len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	CU_ASSERT_EQUAL(ns_topk_write(t, out), *len);
	return out;
}

static void there_and_back(void)
{
	static const unsigned keys[] = {0, 1, 40, 5000};
	static const uint16_t lens[] = {8, 16, 40, 128};

	for (unsigned i = 0; i < 16; i++) {
		struct ns_topk *t = filled(20000, lens[i / 4], keys[i % 4], i), *u;
		struct ns_err e;
		size_t len;
		uint8_t *out = written(t, &len);

		u = ns_topk_parse(out, len, &e);
		CU_ASSERT_PTR_NOT_NULL_FATAL(u);
		CU_ASSERT_EQUAL(memcmp(t, u, 64 + (size_t)t->buckets * t->bucket_len), 0);
		CU_ASSERT_EQUAL(ns_topk_merge(u, t), 0);
		ns_topk_destroy(u);
		ns_topk_destroy(t);
		free(out);
	}
}

/* Octets that version 1 has once made. */
static void golden(void)
{
	struct ns_topk *t = filled(900, 16, 30, UINT64_C(0x0123456789abcdef)), *u;
	struct ns_topk_entry a[16], b[16];
	struct ns_err e = {0};
	size_t len;
	uint8_t *out = written(t, &len);
	CU_ASSERT_EQUAL(len, sizeof(golden_topk));
	CU_ASSERT_EQUAL(memcmp(out, golden_topk, NS_MIN(len, sizeof(golden_topk))), 0);
	u = ns_topk_parse(golden_topk, sizeof(golden_topk), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(u);
	CU_ASSERT_EQUAL(u->seed, UINT64_C(0x0123456789abcdef));
	CU_ASSERT_EQUAL(ns_topk_total(u), ns_topk_total(t));
	CU_ASSERT_EQUAL(ns_topk_total_other(u), 435000);
	CU_ASSERT_EQUAL_FATAL(ns_topk_list(t, a, 16), ns_topk_list(u, b, 16));
	CU_ASSERT_EQUAL(memcmp(a[0].key, b[0].key, 16), 0);
	CU_ASSERT_EQUAL(a[0].count, b[0].count);
	ns_topk_destroy(u);
	ns_topk_destroy(t);
	free(out);
}

static void refused(const uint8_t *in, size_t len, const char *why)
{
	struct ns_err e = {0};
	struct ns_topk *t;

	errno = 0;
	t = ns_topk_parse(in, len, &e);
	CU_ASSERT_PTR_NULL(t);
	CU_ASSERT_EQUAL(errno, EBADMSG);
	if (strstr(e.text, why) == NULL) {
		printf("\"%s\" instead of \"%s\"\n", e.text, why);
		CU_FAIL("message");
	}
	ns_topk_destroy(t);
}

/* What stands at an octet of a good form, with that octet or the 8 from it on changed. */
#define BAD8(at, value, why)                       \
	do {                                       \
		memcpy(copy, out, len);            \
		ns_le_put64(copy + (at), (value)); \
		refused(copy, len, (why));         \
	} while (0)

static void refusals(void)
{
	struct ns_topk *t = filled(0, 8, 2, 0);
	size_t len;
	uint8_t *out = written(t, &len), *copy = malloc(len + 8);
	uint64_t total = ns_topk_total(t), hash = ns_le_get64(out + 49);

	/* head 24, fixed 24, places taken 1, two places of 40 */
	CU_ASSERT_EQUAL_FATAL(len, 129);
	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	BAD8(24, UINT64_C(0x100000007), "octet 24: key length");
	BAD8(24, UINT64_C(0x100000088), "octet 24: key length");
	BAD8(24, UINT64_C(0x100000000), "octet 24: key length");
	BAD8(24, UINT64_C(0x000000008), "octet 28: a number of buckets");
	BAD8(24, UINT64_C(0xffffffff00000008), "octet 28: a number of buckets");
	BAD8(32, total - 1, "octet 32: totals");
	BAD8(32, 0, "octet 49: a count");
	BAD8(40, 999, "octet 89: a count");
	BAD8(49, 0, "octet 49: a hash");
	BAD8(89, hash, "octet 89: a hash that is there twice");
	BAD8(57, 0xffff, "octet 49: a count");
	BAD8(65, 0xffff, "octet 49: a count");
	/* buckets: two, and the second is not there */
	BAD8(24, UINT64_C(0x200000008), "octet ");
	/* place 2 is taken as well, and has no octets */
	memcpy(copy, out, len);
	copy[48] = 7;
	refused(copy, len, "octet 129: a place without an end");
	/* and so is place 4, of four */
	copy[48] = 0x13;
	refused(copy, len, "octet 48: a place that no bucket has");
	copy[48] = 1;
	refused(copy, len, "octet 89: more than the buckets");
	for (size_t cut = 0; cut < len; cut++) {
		memcpy(copy, out, len);
		if (cut >= NS_SKETCH_HEAD)
			ns_le_put64(copy + 16, cut - NS_SKETCH_HEAD);
		refused(copy, cut, cut < NS_SKETCH_HEAD ? "octets, a head has" : "octet ");
	}
	ns_topk_destroy(t);
	free(copy);
	free(out);
}

/* A damaged form is refused, or is one that some sketch would have written. */
static void any_damage(void)
{
	struct ns_topk *t = filled(900, 16, 30, 0), *u;
	size_t len, again;
	uint8_t *out = written(t, &len), *back;

	for (size_t i = 0; i < len * 8; i++) {
		struct ns_err e = {0};

		out[i / 8] ^= (uint8_t)(1u << i % 8);
		u = ns_topk_parse(out, len, &e);
		if (u != NULL) {
			back = written(u, &again);
			CU_ASSERT_EQUAL(again, len);
			CU_ASSERT_EQUAL(memcmp(out, back, NS_MIN(len, again)), 0);
			free(back);
		} else {
			CU_ASSERT_NOT_EQUAL(e.text[0], '\0');
		}
		ns_topk_destroy(u);
		out[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	ns_topk_destroy(t);
	free(out);
}

NS_TEST_MAIN({"there and back", there_and_back}, {"golden octets", golden}, {"refusals", refusals},
	{"any damage", any_damage})
