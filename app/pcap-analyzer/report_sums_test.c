/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test.h"
#include "ns_test_alloc.h"
#include "report_sample.h"

static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * n) >> 32);
}

/* Few values, so that ranks are tied everywhere. */
static void random_records(struct ns_flow_rec *f, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		f[i] = rnd(4) == 0 ? dns((uint8_t)rnd(40)) : web((uint8_t)rnd(40));
		f[i].l2_octets = 1000 + 100 * rnd(3);
		f[i].rev_l2_octets = 1000;
		f[i].packets = 5;
		f[i].rev_packets = rnd(3);
		f[i].dst_port = (uint16_t)(1 + rnd(60));
		f[i].start_ns = T0 + rnd(2000);
		f[i].vlan = (struct ns_vlans){(uint16_t)rnd(3), {(uint16_t)rnd(30), 0}};
		f[i].end_reason = (uint8_t)rnd(7);
		if (f[i].proto == 6)
			f[i].tcp_rtt_ns = 1 + rnd(100000000);
	}
}

static void any_order(void)
{
	enum { N = 5000, ROUNDS = 6 };
	static struct ns_flow_rec f[N];
	struct report_input in = sample_input();
	char *first[2] = {NULL, NULL};

	seed = 1;
	random_records(f, N);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct report *r = report_create_bounded(1000, 100);

		for (uint32_t i = N - 1; round > 0 && i > 0; i--) {
			uint32_t j = rnd(i + 1);
			struct ns_flow_rec t = f[i];

			f[i] = f[j];
			f[j] = t;
		}
		/* batches of other lengths each time */
		for (uint32_t i = 0, n; i < N; i += n) {
			n = 1 + rnd(64);
			n = NS_MIN(N - i, n);
			put(r, f + i, n);
		}
		CU_ASSERT(r->rtts.n > 40 && r->rtts.n <= 100);
		for (int k = 0; k < 2; k++) {
			char *text = printed(r, &in, k == 0 ? TEXT : JSON);

			if (round == 0)
				first[k] = text;
			else
				same(text, first[k]);
			if (round > 0)
				free(text);
		}
		report_destroy(r);
	}
	has(first[0], "(of a sample: ");
	has(first[1], "\"exact\": false");
	free(first[0]);
	free(first[1]);
}

/* Hosts that differ in nothing but their address stand in its order, whoever came first. */
static void ties(void)
{
	for (unsigned turned = 0; turned < 2; turned++) {
		struct report *r = report_create();
		const struct tally *top[REPORT_ROWS];
		char name[64];

		for (unsigned i = 0; i < 30; i++) {
			struct ns_flow_rec f = ping();

			f.src = ip4(10, 0, 0, (uint8_t)(turned ? i : 29 - i));
			f.dst = f.src;
			put(r, &f, 1);
		}
		CU_ASSERT_EQUAL(table_top(&r->hosts, top, REPORT_ROWS), REPORT_ROWS);
		for (uint8_t i = 0; i < REPORT_ROWS; i++) {
			char want[64];

			snprintf(want, sizeof(want), "10.0.0.%u", i);
			CU_ASSERT_STRING_EQUAL(report_host_name(name, top[i]), want);
			/* it talks to itself: once */
			CU_ASSERT_EQUAL(top[i]->flows, 1);
			CU_ASSERT_EQUAL(top[i]->octets, 294);
		}
		report_destroy(r);
	}
}

static void full_table(void)
{
	struct report *r = report_create_bounded(4, 4);
	struct report_input in = sample_input();
	uint64_t octets;

	sample(r);
	CU_ASSERT_EQUAL(r->hosts.used, 4);
	octets = r->hosts.other.octets;
	for (uint32_t i = 0; i < r->hosts.used; i++)
		octets += r->hosts.entries[i].octets;
	/* each flow at both of its hosts: eleven whole ones, the late one, the vain one, DNS, ping
	 */
	uint64_t web_octets = 11 * (1140 + 15200) + 2 * 66;
	uint64_t rest = (1140 + 20 + 15200 + 20) + (1140 + 30) + 2 * 300 + 294;

	CU_ASSERT_EQUAL(octets, 2 * (web_octets + rest));
	char *text = printed(r, &in, TEXT);

	has(text, "The table is full at 4 hosts: a further ");
	free(text);
	text = printed(r, &in, JSON);
	CU_ASSERT(json_ok(text));
	has(text, "\"count\": 4,\n    \"complete\": false,");
	free(text);
	report_destroy(r);
}

static void grows(void)
{
	enum { N = 100000 };
	struct table t;
	const struct tally *top[3];

	table_init(&t, 2, N);
	for (uint64_t round = 1; round <= 2; round++) {
		for (uint64_t i = 0; i < N; i++) {
			uint64_t key[TABLE_KEY_WORDS] = {i * 3, i};
			struct tally *y = table_get(&t, key, table_hash(&t, key));

			CU_ASSERT_PTR_NOT_NULL_FATAL(y);
			y->octets += i == 77 ? N : i;
			y->flows++;
		}
	}
	CU_ASSERT_EQUAL(t.used, N);
	CU_ASSERT_EQUAL(t.other.flows, 0);
	for (uint32_t i = 0; i < t.used; i++) {
		if (t.entries[i].flows != 2)
			CU_FAIL("a key was lost while the table grew");
	}
	CU_ASSERT_EQUAL(table_top(&t, top, 3), 3);
	CU_ASSERT_EQUAL(top[0]->key[1], 77);
	CU_ASSERT_EQUAL(top[1]->key[1], N - 1);
	CU_ASSERT_EQUAL(top[2]->key[1], N - 2);
	table_fini(&t);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void percentiles(void)
{
	static struct rtt v[1000];
	static uint64_t sorted[1000];
	static const unsigned percents[] = {1, 50, 90, 99, 100};

	seed = 7;
	for (uint32_t n = 1; n <= 1000; n += n < 20 ? 1 : 97) {
		struct rtts s = {.v = v, .n = n};

		for (uint32_t i = 0; i < n; i++)
			sorted[i] = v[i].ns = (uint64_t)rnd(1000) << rnd(50);
		qsort(sorted, n, sizeof(sorted[0]), by_value);
		for (unsigned i = 0; i < NS_ARRAY_LEN(percents); i++)
			CU_ASSERT_EQUAL(report_rtt(&s, percents[i]),
				sorted[(n * percents[i] + 99) / 100 - 1]);
	}
	CU_ASSERT_EQUAL(report_rtt(&(struct rtts){.n = 0}, 50), 0);
}

static void no_memory(void)
{
	struct report_input in = sample_input();
	FILE *null = fopen("/dev/null", "w");
	unsigned refused = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(null);
	setvbuf(null, NULL, _IONBF, 0);
	for (unsigned nth = 1; nth < 1000; nth++) {
		ns_test_alloc_fail(nth);
		struct report *r = report_create();
		int rc = -ENOMEM;

		if (r != NULL) {
			static struct ns_flow_rec f[300];
			struct ns_batch b = {
				.kind = &ns_flow_rec_kind, .n = 300, .records = (uint8_t *)f};

			seed = 3;
			random_records(f, 300);
			report_put(r, &b);
			rc = report_text_as(r, &in, null, true);
			if (rc == 0)
				rc = report_json(r, &in, null);
		}
		report_destroy(r);
		if (ns_test_alloc_done()) {
			CU_ASSERT_EQUAL(rc, 0);
			break;
		}
		CU_ASSERT_EQUAL(rc, -ENOMEM);
		refused++;
	}
	CU_ASSERT(refused > 10 && refused < 900);
	fclose(null);
}

static void sealed(void)
{
	struct ns_err e;

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(&e), 0);
}

NS_TEST_MAIN({"the registry is sealed", sealed}, {"the same for any order of records", any_order},
	{"ties", ties}, {"full tables", full_table}, {"tables grow", grows},
	{"percentiles are exact", percentiles}, {"each allocation may fail", no_memory})
