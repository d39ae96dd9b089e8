/* SPDX-License-Identifier: BSD-3-Clause */
#include "frequency_priv.h"

#include <ns_test_sketches.h>
#include <ns_test_task_alloc.h>
#include <ns_test_zipf.h>

#include <inttypes.h>
#include <stdio.h>

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
				.dport = 53,
				.len = len});
}

#define TASK(name, more) "- {name: " name ", type: frequency, " more "}\n"

/* Few keys fill a sketch so little that rows are what was said. */
static void counts(void)
{
	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct ns_test_tasks *t = ns_test_tasks(
			TASK("a", "key: [src_ip], watch: [10.0.0.2, 10.0.0.9, 10.0.0.1]") TASK("b",
				"key: [src_ip], by: octets, layout: rows, watch: [10.0.0.2]") TASK("c",
				"key: [dst_ip, proto, dst_port], by: ip_octets, memory: 512 KiB, depth: 2, watch: ['11.0.0.1 udp 53', 11.0.0.1 6 53]")
				TASK("d", "key: [src_ip/31], plain: true, watch: [10.0.0.2/31]"),
			lanes, false);

		ns_test_rows(t, 0,
			"1,,0,0,0,1,0,0,0.99,0,131072\n0,10.0.0.2,0,0,0,1,0,0,0.99,0,131072\n"
			"0,10.0.0.9,0,0,0,1,0,0,0.99,0,131072\n0,10.0.0.1,0,0,0,1,0,0,0.99,0,131072\n");
		for (unsigned i = 0; i < 8; i++) {
			say(t, i % lanes, 1, 1, 100);
			say(t, i % lanes, 2, 1, 50);
			say(t, i % lanes, 3, i == 0, 800);
		}
		ns_test_rows(t, 0,
			"1,,17,17,17,1,1,0,0.99,9,131072\n"
			"0,10.0.0.2,8,8,8,0.99,0.47058823529411764,0,0.99,9,131072\n"
			"0,10.0.0.9,0,0,0,1,0,0,0.99,9,131072\n"
			"0,10.0.0.1,8,8,8,0.99,0.47058823529411764,0,0.99,9,131072\n");
		ns_test_rows(t, 1,
			"1,,2000,2000,2000,1,1,1,0.950212931632136,9,131070\n"
			"0,10.0.0.2,400,399,400,0.950212931632136,0.2,1,0.950212931632136,9,131070\n");
		ns_test_rows(t, 2,
			"1,,hopopt,0,1762,1762,1762,1,1,0,0.99,2,65536\n"
			"0,11.0.0.1,udp,53,1762,1762,1762,0.99,1,0,0.99,2,65536\n"
			"0,11.0.0.1,tcp,53,0,0,0,1,0,0,0.99,2,65536\n");
		ns_test_rows(t, 3,
			"1,,17,17,17,1,1,0,0.99,6,131072\n"
			"0,10.0.0.2/31,9,9,9,0.99,0.5294117647058824,0,0.99,6,131072\n");
		ns_test_reset(t);
		say(t, 0, 1, 1, 100);
		ns_test_rows(t, 1,
			"1,,100,100,100,1,1,1,0.950212931632136,3,131070\n"
			"0,10.0.0.2,0,0,0,1,0,1,0.950212931632136,3,131070\n");
		ns_test_tasks_end(t);
	}
}

/* Both directions of a record together. */
static void of_flows(void)
{
	struct ns_test_tasks *t = ns_test_tasks(
		TASK("a", "of: flows, key: [dst_port], by: flows, watch: ['53']")
			TASK("b", "of: flows, key: [dst_port], by: octets, watch: ['53', '81']"),
		1, true);
	const struct ns_flow_rec recs[] = {{.dst_port = 53, .l2_octets = 100, .rev_l2_octets = 300},
		{.dst_port = 80, .l2_octets = 500}, {.dst_port = 53, .l2_octets = 100}};

	for (unsigned i = 0; i < NS_ARRAY_LEN(recs); i++)
		ns_tasks_record(t->lane[0].l, t->lane[0].state, &recs[i]);
	ns_test_rows(t, 0,
		"1,0,3,3,3,1,3,0,1,0,0.99,6,131072\n"
		"0,53,2,2,2,0.99,2,0,0.6666666666666666,0,0.99,6,131072\n");
	ns_test_rows(t, 1,
		"1,0,1000,1000,1000,1,1000,0,1,0,0.99,6,131072\n"
		"0,53,500,500,500,0.99,500,0,0.5,0,0.99,6,131072\n"
		"0,81,0,0,0,1,,0,0,0,0.99,6,131072\n");
	ns_test_tasks_end(t);
}

enum { HOSTS = 5000, PACKETS = 60000, WATCHED = 400 };

struct row {
	uint64_t estimate, lower, upper, exact, bound, used, all;
	double confidence, error, share, bound_confidence;
};

static const char *parse(const char *text, unsigned total, const char *key, struct row *r)
{
	char want[40];
	int len = 0, at;

	at = snprintf(want, sizeof(want), "%u,%s,", total, key);
	CU_ASSERT_EQUAL_FATAL(strncmp(text, want, (size_t)at), 0);
	CU_ASSERT_EQUAL_FATAL(
		sscanf(text + at,
			"%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%lf,%" PRIu64 ",%lf,%lf,%" PRIu64
			",%lf,%" PRIu64 ",%" PRIu64 "\n%n",
			&r->estimate, &r->lower, &r->upper, &r->confidence, &r->exact, &r->error,
			&r->share, &r->bound, &r->bound_confidence, &r->used, &r->all, &len),
		11);
	return text + at + len;
}

/*
 * Far more keys than counters: never too low, hardly ever too high by more than the bound, and
 * exact says the truth; over any number of lanes, of which a plain sketch's rows do not depend.
 */
static void verified(void)
{
	static const char *const ways[] = {
		"", ", layout: rows", ", plain: true", ", layout: rows, plain: true, depth: 2"};
	char list[16 * WATCHED], first[200 * WATCHED];

	for (unsigned way = 0; way < 4; way++) {
		for (unsigned lanes = 1; lanes <= 4; lanes += 3) {
			uint64_t truth[HOSTS] = {0}, over = 0, excess = 0;
			struct ns_test_tasks *t;
			struct ns_zipf z;
			struct row r;
			int n = snprintf(list, sizeof(list),
					TASK("a",
						"key: [src_ip], verify: true, memory: 16 KiB%s, watch: ["),
					ways[way]) -
				2;

			for (unsigned i = 0; i < WATCHED; i++)
				n += snprintf(list + n, sizeof(list) - (size_t)n, "%s10.0.%u.%u",
					i > 0 ? "," : "", i >> 8, i & 255);
			snprintf(list + n, sizeof(list) - (size_t)n, "]}\n");
			t = ns_test_tasks(list, lanes, false);
			ns_zipf_init(&z, 1.0, HOSTS, 5);
			for (unsigned i = 0; i < PACKETS; i++) {
				/* each once; then the frequent ones, all over the numbers */
				unsigned host =
					i < HOSTS ? i
						  : (unsigned)(ns_zipf_next(&z) * 2654435761u) %
							    HOSTS;

				truth[host]++;
				say(t, i % lanes, host, 1, 60);
			}
			const char *text = parse(ns_test_rows_of(t, 0), 1, "", &r);

			CU_ASSERT_TRUE(r.estimate == PACKETS && r.lower == PACKETS &&
				       r.upper == PACKETS && r.exact == PACKETS);
			CU_ASSERT_TRUE(r.confidence == 1 && r.error == 0 && r.share == 1);
			CU_ASSERT_TRUE(r.bound > 0 && r.bound < PACKETS / 20);
			CU_ASSERT_TRUE(r.used <= r.all && r.used > r.all * 9 / 10);
			for (unsigned i = 0; i < WATCHED; i++) {
				char key[20];

				snprintf(key, sizeof(key), "10.0.%u.%u", i >> 8, i & 255);
				text = parse(text, 0, key, &r);
				CU_ASSERT_TRUE(r.estimate == r.upper && r.upper >= truth[i]);
				CU_ASSERT_TRUE(
					r.lower == (r.upper > r.bound ? r.upper - r.bound : 0));
				CU_ASSERT_TRUE(r.exact == truth[i]);
				CU_ASSERT_TRUE(r.confidence == r.bound_confidence);
				over += r.lower > truth[i];
				excess += r.estimate - truth[i];
			}
			CU_ASSERT_STRING_EQUAL(text, "");
			/* 20 are the bound of rows with a depth of 2: exp(-2) */
			CU_ASSERT_TRUE(over <= WATCHED / 20);
			CU_ASSERT_TRUE(excess > 0);
			if (lanes == 1)
				snprintf(first, sizeof(first), "%s", ns_test_rows_of(t, 0));
			else if (way >= 2)
				ns_test_rows(t, 0, first);
			ns_test_tasks_end(t);
		}
	}
}

static void wrong(void)
{
	static const struct {
		const char *list;
		const char *words[4];
	} cases[] = {
		{"- {name: a, type: frequency}\n", {"2:", "key", "at least one"}},
		{TASK("a", "key: [src_ip, x]"), {"2:", "key[1]", "\"x\""}},
		{TASK("a", "key: [src_ip], memory: 1000"), {"2:", "memory", "1 KiB"}},
		{TASK("a", "key: [src_ip], memory: 2 GiB"), {"2:", "memory", "1 GiB"}},
		{TASK("a", "key: [src_ip], depth: 0"), {"2:", "depth", "between 1"}},
		{TASK("a", "key: [src_ip], depth: 9"), {"2:", "depth", "and 8"}},
		{TASK("a", "key: [src_ip], layout: columns"), {"2:", "layout", "lines"}},
		{TASK("a", "key: [src_ip], by: flows"), {"2:", "by", "of: flows"}},
		{TASK("a", "key: [src_ip], of: flows, when: tcp"), {"2:", "when", "of: flows"}},
		{TASK("a", "key: [src_ip], watch: [10.0.0.1, 10.0.0]"),
			{"2:", "watch[1]", "no address"}},
		{TASK("a", "key: [src_ip], watch: [10.0.0.1, 10.0.0.1]"),
			{"2:", "watch[1]", "twice"}},
		{TASK("a", "key: [src_ip, dst_port], watch: [10.0.0.1]"),
			{"2:", "watch[0]", "nothing for dst_port"}},
		{TASK("a", "key: [src_ip], watch: [10.0.0.1 80]"), {"2:", "watch[0]", "too much"}},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++)
		ns_test_refused(cases[i].list, cases[i].words);
}

static void no_memory(void)
{
	struct ns_test_tasks *t =
		ns_test_tasks(TASK("a", "key: [src_ip], watch: [10.0.0.1]"), 1, true);

	say(t, 0, 1, 2, 60);
	ns_test_tasks_no_memory(TASK("a", "key: [src_ip], watch: [10.0.0.1]"), t);
	ns_test_tasks_end(t);
}

static void sketches(void)
{
	ns_test_sketches_merge(
		"- {name: a, type: frequency, key: [src_ip], by: octets, plain: true}\n", true);
	ns_test_sketches_merge(
		"- {name: a, type: frequency, key: [src_ip], layout: rows}\n", false);
}

NS_TEST_MAIN({"counts", counts}, {"of flows", of_flows}, {"verified", verified}, {"wrong", wrong},
	{"sketches", sketches}, {"no memory", no_memory})
