/* SPDX-License-Identifier: BSD-3-Clause */
#include "heavy_priv.h"

#include <ns_test_sketches.h>
#include <ns_test_task_alloc.h>
#include <ns_test_zipf.h>

#include <inttypes.h>
#include <math.h>

/* Host i sends n frames of len octets. */
static void say(struct ns_test_tasks *t, unsigned lane, unsigned i, unsigned n, uint32_t len)
{
	char from[20];

	snprintf(from, sizeof(from), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
	for (; n > 0; n--)
		ns_test_say(t, lane,
			&(struct ns_test_say){.src = from,
				.dst = "11.0.0.1",
				.sport = 1,
				.dport = 2,
				.len = len});
}

#define LIST(more) "- {name: a, type: heavy, key: [src_ip]" more "}\n"

static void lists(void)
{
	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct ns_test_tasks *t = ns_test_tasks(
			LIST(", top: 2") "- {name: b, type: heavy, key: [src_ip], by: packets}\n"
					 "- {name: c, type: heavy, key: [dst_ip, proto], by: ip_octets}\n"
					 "- {name: d, type: heavy, key: [src_ip/15]}\n",
			lanes, false);

		ns_test_rows(t, 0, "");
		for (unsigned i = 0; i < 8; i++) {
			say(t, i % lanes, 1, 1, 100);
			say(t, i % lanes, 2, 1, 50);
			say(t, i % lanes, 3, i == 0, 800);
		}
		ns_test_rows(
			t, 0, "1,10.0.0.1,800,800,800,1,8,0.4\n2,10.0.0.3,800,800,800,1,1,0.4\n");
		say(t, 0, 3, 1, 800);
		ns_test_rows(t, 1,
			"1,10.0.0.1,8,8,8,1,800,0.4444444444444444\n"
			"2,10.0.0.2,8,8,8,1,400,0.4444444444444444\n"
			"3,10.0.0.3,2,2,2,1,1600,0.1111111111111111\n");
		ns_test_rows(t, 2, "1,11.0.0.1,udp,2548,2548,2548,1,18,1\n");
		ns_test_rows(t, 3, "1,10.0.0.0/15,2800,2800,2800,1,18,1\n");
		ns_test_reset(t);
		ns_test_rows(t, 0, "");
		say(t, 0, 1, 1, 100);
		ns_test_rows(t, 0, "1,10.0.0.1,100,100,100,1,1,1\n");
		ns_test_tasks_end(t);
	}
}

/* Both directions of a record together; and the words that go with it. */
static void of_flows(void)
{
	struct ns_test_tasks *t = ns_test_tasks(
		"- {name: a, type: heavy, of: flows, key: [dst_port]}\n"
		"- {name: b, type: heavy, of: flows, key: [dst_port], by: packets}\n"
		"- {name: c, type: heavy, of: flows, key: [dst_port], by: ip_octets}\n"
		"- {name: d, type: heavy, of: flows, key: [dst_port], by: flows}\n",
		1, true);
	const struct ns_flow_rec recs[] = {{.dst_port = 53,
						   .packets = 1,
						   .rev_packets = 2,
						   .l2_octets = 100,
						   .rev_l2_octets = 300,
						   .ip_octets = 60,
						   .rev_ip_octets = 250},
		{.dst_port = 80, .packets = 3, .l2_octets = 500, .ip_octets = 450},
		{.dst_port = 53, .packets = 1, .l2_octets = 100, .ip_octets = 60}};

	for (unsigned i = 0; i < NS_ARRAY_LEN(recs); i++)
		ns_tasks_record(t->lane[0].l, t->lane[0].state, &recs[i]);
	ns_test_rows(t, 0, "1,53,500,500,500,1,500,0,4,0.5\n2,80,500,500,500,1,500,0,3,0.5\n");
	ns_test_rows(t, 1,
		"1,53,4,4,4,1,4,0,500,0.5714285714285714\n"
		"2,80,3,3,3,1,3,0,500,0.42857142857142855\n");
	ns_test_rows(t, 2,
		"1,80,450,450,450,1,450,0,3,0.5487804878048781\n"
		"2,53,370,370,370,1,370,0,4,0.45121951219512196\n");
	ns_test_rows(t, 3,
		"1,53,2,2,2,1,2,0,4,0.6666666666666666\n"
		"2,80,1,1,1,1,1,0,3,0.3333333333333333\n");
	ns_test_tasks_end(t);
}

struct row {
	unsigned rank, host;
	uint64_t estimate, lower, upper, exact, other;
	double error, share;
};

static unsigned parse(const char *text, struct row *r)
{
	unsigned n = 0, b, c, d;
	int len;

	for (; *text != '\0'; text += len, n++) {
		CU_ASSERT_EQUAL_FATAL(
			sscanf(text,
				"%u,10.%u.%u.%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",1,%" PRIu64
				",%lf,%" PRIu64 ",%lf\n%n",
				&r[n].rank, &b, &c, &d, &r[n].estimate, &r[n].lower, &r[n].upper,
				&r[n].exact, &r[n].error, &r[n].other, &r[n].share, &len),
			11);
		r[n].host = b << 16 | c << 8 | d;
	}
	return n;
}

enum { HOSTS = 5000, PACKETS = 60000, TOP = 40 };

/*
 * Far more keys than places, spread over lanes by key or not: bounds hold for every row, the true
 * top is all there, listed or as missed, and the exact column is right.
 */
static void verified(void)
{
	static uint64_t truth[HOSTS];
	static bool given[HOSTS];

	for (unsigned lanes = 1; lanes <= 4; lanes += 3) {
		/* some 110 places */
		struct ns_test_tasks *t =
			ns_test_tasks(LIST(", memory: 8 KiB, top: 40, verify: true"), lanes, false);
		struct row r[2 * TOP];
		struct ns_zipf z;
		uint64_t total = 0;
		unsigned n, listed = 0, missed = 0;

		ns_zipf_init(&z, 1.0, HOSTS, 7);
		memset(truth, 0, sizeof(truth));
		for (unsigned i = 0; i < PACKETS; i++) {
			unsigned host = (unsigned)ns_zipf_next(&z) - 1;
			uint32_t len = 60 + host % 7 * 100;

			say(t, i % lanes, host, 1, len);
			truth[host] += len;
			total += len;
		}
		n = parse(ns_test_rows_of(t, 0), r);
		memset(given, 0, sizeof(given));
		for (unsigned i = 0; i < n; i++) {
			uint64_t w = truth[r[i].host];

			CU_ASSERT_EQUAL(r[i].exact, w);
			CU_ASSERT_TRUE(r[i].lower <= w && w <= r[i].upper);
			CU_ASSERT_EQUAL(r[i].estimate, r[i].lower);
			CU_ASSERT_TRUE(fabs(r[i].error - ((double)r[i].estimate - (double)w) /
								 (double)w) < 1e-9);
			CU_ASSERT_TRUE(
				fabs(r[i].share - (double)r[i].estimate / (double)total) < 1e-9);
			CU_ASSERT_TRUE(r[i].other * 60 <= w);
			if (r[i].rank == 0)
				missed++;
			else
				CU_ASSERT_EQUAL(r[i].rank, ++listed);
			CU_ASSERT_TRUE(r[i].rank == 0 || missed == 0);
			given[r[i].host] = true;
		}
		CU_ASSERT_EQUAL(listed, TOP);
		/* small enough to miss some, and each that is missed is said */
		CU_ASSERT_TRUE(missed > 0 && missed < TOP);
		for (unsigned i = 0; i < HOSTS; i++) {
			unsigned before = 0;

			/* of equal ones, those that are given stand before the others */
			for (unsigned j = 0; j < HOSTS; j++)
				before += truth[j] > truth[i] || (truth[j] == truth[i] && given[j]);
			CU_ASSERT_TRUE(given[i] || before >= TOP);
		}
		ns_test_tasks_end(t);
	}
}

/* With enough memory nothing is missed and no error is left, however the packets were spread. */
static void enough(void)
{
	struct ns_test_tasks *t = ns_test_tasks(LIST(", verify: true"), 4, false);
	struct row r[200];
	struct ns_zipf z;
	unsigned n;

	ns_zipf_init(&z, 1.0, HOSTS, 7);
	for (unsigned i = 0; i < PACKETS; i++)
		say(t, i % 4, (unsigned)ns_zipf_next(&z), 1, 60);
	n = parse(ns_test_rows_of(t, 0), r);
	CU_ASSERT_EQUAL(n, 100);
	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(r[i].rank, i + 1);
		CU_ASSERT_EQUAL(r[i].error, 0);
	}
	ns_test_tasks_end(t);
}

static void add(struct ns_sample *s, uint64_t hash, uint64_t key, uint64_t weight)
{
	const uint64_t *values = &weight;

	ns_sample_add_bulk(s, &hash, (const uint8_t *)&key, 8, &values, 1);
}

/* Of equal weight those that are listed are no miss, and of a part of the keys a part is asked. */
static void misses(void)
{
	const struct ns_sample_conf c = {.slots = 64, .key_len = 8, .values = 1};
	struct ns_sample *s = ns_sample_create(&c);
	struct ns_topk_entry listed[3] = {{.hash = 10}, {.hash = 12}, {.hash = 14}};
	struct heavy_key *out;
	uint32_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(heavy_missed(s, 8, 3, listed, 0, &out, &n), 0);
	CU_ASSERT_EQUAL(n, 0);
	free(out);
	for (uint64_t i = 10; i < 18; i++)
		add(s, i, 100 - i, 5);
	CU_ASSERT_EQUAL(heavy_missed(s, 8, 3, listed, 3, &out, &n), 0);
	CU_ASSERT_EQUAL(n, 0);
	free(out);
	add(s, 11, 89, 2);
	add(s, 16, 84, 1);
	CU_ASSERT_EQUAL(heavy_missed(s, 8, 3, listed, 3, &out, &n), 0);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_EQUAL(out[0].hash, 11);
	CU_ASSERT_EQUAL(out[0].weight, 7);
	CU_ASSERT_EQUAL(out[1].hash, 16);
	free(out);
	/* equal ones that are not listed go by their octets: 17 has 83, 15 has 85 */
	CU_ASSERT_EQUAL(heavy_missed(s, 8, 6, listed, 3, &out, &n), 0);
	CU_ASSERT_EQUAL_FATAL(n, 3);
	CU_ASSERT_EQUAL(out[2].hash, 17);
	free(out);
	/* many more, of which a part is kept: only who is heavier than the last listed one for sure
	 */
	for (uint64_t i = 1; i <= 1000; i++)
		add(s, i * UINT64_C(0x9e3779b97f4a7c15), i, i <= 200 ? 1000 : 1);
	CU_ASSERT_TRUE(ns_sample_rate(s) < 0.1);
	listed[2].count = 999;
	CU_ASSERT_EQUAL(heavy_missed(s, 8, 3, listed, 3, &out, &n), 0);
	CU_ASSERT_EQUAL(n, 3);
	CU_ASSERT_EQUAL(out[0].weight, 1000);
	free(out);
	listed[2].count = 1000;
	CU_ASSERT_EQUAL(heavy_missed(s, 8, 3, listed, 3, &out, &n), 0);
	CU_ASSERT_EQUAL(n, 0);
	free(out);
	ns_sample_destroy(s);
}

/* More keys than the exact table holds: what is not known is empty. */
static void unknown(void)
{
	struct ns_test_tasks *t = ns_test_tasks(
		"- {name: a, type: heavy, of: flows, key: [src_ip], by: packets}\n", 1, true);
	unsigned known = 0, rows = 0;

	for (unsigned i = 0; i < 150000; i++) {
		struct ns_flow_rec r = {
			.src = {4, {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
			.packets = i < 100 ? 5000 : 1};

		ns_tasks_record(t->lane[0].l, t->lane[0].state, &r);
	}
	for (const char *s = ns_test_rows_of(t, 0); *s != '\0'; s = strchr(s, '\n') + 1) {
		known += strstr(s, ",1,5000,") != NULL && strstr(s, ",1,5000,") < strchr(s, '\n');
		rows++;
	}
	CU_ASSERT_EQUAL(rows, 100);
	CU_ASSERT_TRUE(known > 20 && known < 90);
	ns_test_tasks_end(t);
}

static void wrong(void)
{
	static const struct {
		const char *list;
		const char *words[4];
	} cases[] = {
		{"- {name: a, type: heavy}\n", {"2:", "key", "at least one"}},
		{"- {name: a, type: heavy, key: [src_ip, x]}\n", {"2:", "key[1]", "\"x\""}},
		{LIST(", memory: 1000"), {"2:", "memory", "1 KiB"}},
		{LIST(", memory: 2 GiB"), {"2:", "memory", "1 GiB"}},
		{LIST(", memory: much"), {"2:", "memory", "much"}},
		{LIST(", memory: 2 KiB"), {"2:", "has room for", "fewer than top: 100"}},
		{LIST(", top: 0"), {"2:", "top", "between 1"}},
		{LIST(", top: 100001"), {"2:", "top", "100000"}},
		{LIST(", by: weight"), {"2:", "by", "ip_octets"}},
		{LIST(", by: flows"), {"2:", "by", "of: flows"}},
		{LIST(", of: flows, when: tcp"), {"2:", "when", "of: flows"}},
		{"- {name: a, type: heavy, of: flows, key: [packets]}\n",
			{"2:", "packets", "already"}},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++)
		ns_test_refused(cases[i].list, cases[i].words);
}

static void no_memory(void)
{
	struct ns_test_tasks *t = ns_test_tasks(LIST(""), 1, true);

	say(t, 0, 1, 2, 60);
	ns_test_rows(t, 0, "1,10.0.0.1,120,120,120,1,120,0,2,1\n");
	ns_test_tasks_no_memory(LIST(""), t);
	ns_test_tasks_end(t);
}

static void sketches(void)
{
	ns_test_sketches_merge("- {name: a, type: heavy, key: [src_ip], top: 5}\n", false);
}

NS_TEST_MAIN({"lists", lists}, {"of flows", of_flows}, {"verified", verified}, {"enough", enough},
	{"misses", misses}, {"unknown", unknown}, {"wrong", wrong}, {"sketches", sketches},
	{"no memory", no_memory})
