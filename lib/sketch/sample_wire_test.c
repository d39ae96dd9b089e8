/* SPDX-License-Identifier: BSD-3-Clause */
#include "golden_sample.h"
#include "sample_test_util.h"

static void round_trip(void)
{
	for (unsigned shape = 0; shape < SHAPES; shape++) {
		for (unsigned n = 0; n < 3000; n = 3 * n + 1) {
			struct stream s = make_stream(shape, n + 1, 2, n), more;
			struct ns_sample *t = make(200), *u;
			struct ns_err e = {{0}};
			size_t len;

			add(t, &s, 0, n, 32, 1);
			uint8_t *out = octets(t, &len);

			u = ns_sample_parse(out, len, &e);
			CU_ASSERT_PTR_NOT_NULL_FATAL(u);
			CU_ASSERT(same(t, u));
			more = make_stream(shape, 500, 2, n + 5);
			add(t, &more, 0, 500, 32, 1); /* what was parsed lives on */
			add(u, &more, 0, 500, 32, 1);
			CU_ASSERT(same(t, u));
			ns_sample_destroy(t);
			ns_sample_destroy(u);
			free(out);
			free_stream(&s);
			free_stream(&more);
		}
	}
}

/* The sample of the golden octets: 50 things into 16 slots. */
static struct ns_sample *golden_sample(void)
{
	struct ns_sample_conf c = {.slots = 16, .key_len = 8, .values = 1, .seed = 42};
	struct ns_sample *t = ns_sample_create(&c);

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (uint64_t i = 1; i <= 50; i++) {
		uint64_t hash = ns_hash_words(&i, 1, 42), weight = i * 10;
		const uint64_t *values[1] = {&weight};

		ns_sample_add_bulk(t, &hash, (uint8_t *)&i, 8, values, 1);
	}
	return t;
}

static void golden(void)
{
	struct ns_sample *t = golden_sample(), *u;
	struct ns_err e = {{0}};
	size_t len;
	uint8_t *out = octets(t, &len);

	CU_ASSERT_EQUAL(len, sizeof(golden_sample_v1));
	if (len != sizeof(golden_sample_v1) || memcmp(out, golden_sample_v1, len) != 0) {
		CU_FAIL("other octets than those of version 1");
		for (size_t i = 0; i < len; i++)
			printf("0x%02x,%s", out[i], i % 16 == 15 ? "\n" : " ");
	}
	u = ns_sample_parse(golden_sample_v1, sizeof(golden_sample_v1), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(u);
	CU_ASSERT(same(t, u));
	ns_sample_destroy(t);
	ns_sample_destroy(u);
	free(out);
}

/* The octets changed at one place are refused, with the place in the message. */
static void refused(size_t at, uint8_t with, size_t cut, const char *what)
{
	uint8_t in[sizeof(golden_sample_v1) + 8] = {0};
	struct ns_err e = {{0}};

	memcpy(in, golden_sample_v1, sizeof(golden_sample_v1));
	in[at] ^= with;
	struct ns_sample *t = ns_sample_parse(in, sizeof(golden_sample_v1) - cut, &e);

	CU_ASSERT_PTR_NULL(t);
	if (strstr(e.text, what) == NULL) {
		CU_FAIL("another message");
		printf("wanted \"%s\": \"%s\"\n", what, e.text);
	}
	ns_sample_destroy(t);
}

static void damage(void)
{
	size_t last = sizeof(golden_sample_v1) - 24;

	refused(0, 1, 0, "octet 0:");
	refused(4, 1, 0, "octet 4:");
	refused(5, 2, 0, "octet 5:");
	refused(16, 1, 0, "octet 16:");
	refused(24, 0x1f, 0, "octet 24:");
	refused(27, 0x80, 0, "octet 24:");
	refused(28, 1, 0, "octet 24:");
	refused(30, 0x80, 0, "octet 24:");
	refused(31, 1, 0, "octet 24:");
	refused(34, 1, 0, "octet 32:");
	refused(36, 1, 0, "octet 36:");
	refused(36, 0x40, 0, "octet 36:");
	refused(40 + 1, 0x31, 0, "octet 40:");
	refused(48 + 7, 0xff, 0, "octet 48:");
	refused(last + 7, 0xff, 0, "octet ");
	for (size_t cut = 1; cut <= sizeof(golden_sample_v1); cut++)
		refused(8, 0, cut, cut > sizeof(golden_sample_v1) - 24 ? "octets" : "octet 16:");
}

NS_TEST_MAIN({"round trip", round_trip}, {"golden", golden}, {"damage", damage})
