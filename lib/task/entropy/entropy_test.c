/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_test_sketches.h>
#include <ns_test_task_alloc.h>
#include <ns_test_zipf.h>

#include <inttypes.h>
#include <math.h>

#define LIST(more) "- {name: a, type: entropy, key: [src_ip]" more "}\n"
#define FLOWS(more) "- {name: a, type: entropy, of: flows, key: [src_ip]" more "}\n"

static void say(struct ns_test_tasks *t, unsigned lane, unsigned host, uint32_t len)
{
	char from[20];

	snprintf(from, sizeof(from), "10.0.0.%u", host);
	ns_test_say(t, lane, &(struct ns_test_say){.src = from, .dst = "11.0.0.1", .len = len});
}

static void few(void)
{
	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct ns_test_tasks *t = ns_test_tasks(
			LIST("") "- {name: b, type: entropy, key: [src_ip], by: octets}\n"
				 "- {name: c, type: entropy, key: [dst_ip], by: ip_octets}\n",
			lanes, lanes == 3);
		const char *rows[][4] = {
			{"0,0,0,0,0,1,\n", "4,40,2,2,2,1,1\n", "4,5200,1.75,1.75,1.75,1,0.875\n",
				"1,4640,0,0,0,1,\n"},
			{"0,0,0,0,0,1,0,0,\n", "4,40,2,2,2,1,2,0,1\n",
				"4,5200,1.75,1.75,1.75,1,1.75,0,0.875\n", "1,4640,0,0,0,1,0,0,\n"}};
		const char **want = rows[lanes == 3];

		ns_test_rows(t, 0, want[0]);
		/* by octets 1/2, 1/4, 1/8, 1/8 */
		for (unsigned i = 0; i < 40; i++)
			say(t, i / 4 % lanes, i % 4, i % 4 == 0 ? 260 : i % 4 == 1 ? 130 : 65);
		ns_test_rows(t, 0, want[1]);
		ns_test_rows(t, 1, want[2]);
		ns_test_rows(t, 2, want[3]);
		ns_test_reset(t);
		ns_test_rows(t, 1, want[0]);
		ns_test_tasks_end(t);
	}
}

enum { HOSTS = 40000, RECORDS = 90000 };

static double truth(const double *weight, unsigned n, double total)
{
	double h = 0;

	for (unsigned i = 0; i < n; i++)
		h -= weight[i] > 0 ? weight[i] / total * log2(weight[i] / total) : 0;
	return h;
}

/* More keys than the sketch holds: near the truth, which verify knows, for 1 lane and 4. */
static void many(void)
{
	static double weight[HOSTS];
	unsigned inside = 0;

	for (unsigned i = 0; i < 6; i++) {
		unsigned lanes = i % 2 == 0 ? 1 : 4, different = 0;
		struct ns_test_tasks *t =
			ns_test_tasks(FLOWS(", by: packets, memory: 64 KiB"), lanes, true);
		double total = 0, bits, low, high, exact, error, normalized, packets, keys, h;
		struct ns_zipf z;

		memset(weight, 0, sizeof(weight));
		ns_zipf_init(&z, 0.6 + 0.2 * i, HOSTS, 3);
		for (unsigned k = 0; k < RECORDS; k++) {
			unsigned host = (unsigned)ns_zipf_next(&z) - 1, n = 1 + host % 3;
			struct ns_test_lane *l = &t->lane[k % lanes];
			struct ns_flow_rec r = {
				.src = {4, {10, 0, (uint8_t)(host >> 8), (uint8_t)host}},
				.packets = n,
				.rev_packets = 1};

			ns_tasks_record(l->l, l->state, &r);
			different += weight[host] == 0;
			weight[host] += n + 1;
			total += n + 1;
		}
		CU_ASSERT_EQUAL(
			sscanf(ns_test_rows_of(t, 0), "%lf,%lf,%lf,%lf,%lf,0.95,%lf,%lf,%lf\n",
				&keys, &packets, &bits, &low, &high, &exact, &error, &normalized),
			8);
		h = truth(weight, HOSTS, total);
		CU_ASSERT_TRUE(fabs(exact - h) < 1e-9);
		CU_ASSERT_TRUE(fabs(error - (bits - exact) / exact) < 1e-9);
		CU_ASSERT_EQUAL(packets, total);
		CU_ASSERT_TRUE(fabs(keys / different - 1) < 0.1);
		CU_ASSERT_TRUE(low < bits && bits < high);
		CU_ASSERT_TRUE(fabs(bits - h) < 0.3);
		CU_ASSERT_TRUE(fabs(normalized - fmin(bits / log2(keys), 1)) < 1e-3);
		inside += low <= h && h <= high;
		ns_test_tasks_end(t);
	}
	CU_ASSERT_TRUE(inside >= 5);
}

/* More keys than even the exact table holds. */
static void unknown(void)
{
	struct ns_test_tasks *t = ns_test_tasks(FLOWS(", by: flows"), 1, true);

	for (unsigned i = 0; i < 200000; i++) {
		struct ns_flow_rec r = {
			.src = {4, {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}}};

		ns_tasks_record(t->lane[0].l, t->lane[0].state, &r);
	}
	const char *text = ns_test_rows_of(t, 0);

	CU_ASSERT_PTR_NOT_NULL(strstr(text, ",200000,17."));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, ",0.95,,,"));
	ns_test_tasks_end(t);
}

static void wrong(void)
{
	static const struct {
		const char *list;
		const char *words[4];
	} cases[] = {
		{"- {name: a, type: entropy}\n", {"2:", "key", "at least one"}},
		{"- {name: a, type: entropy, key: [x]}\n", {"2:", "key[0]", "\"x\""}},
		{LIST(", memory: 1 KiB"), {"2:", "memory", "16 KiB"}},
		{LIST(", memory: 2 GiB"), {"2:", "memory", "1 GiB"}},
		{LIST(", memory: much"), {"2:", "memory", "much"}},
		{LIST(", by: flows"), {"2:", "by", "of: flows"}},
		{LIST(", by: weight"), {"2:", "by", "ip_octets"}},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++)
		ns_test_refused(cases[i].list, cases[i].words);
}

static void no_memory(void)
{
	struct ns_test_tasks *t = ns_test_tasks(LIST(""), 1, true);

	say(t, 0, 1, 60);
	say(t, 0, 2, 60);
	ns_test_rows(t, 0, "2,2,1,1,1,1,1,0,1\n");
	ns_test_tasks_no_memory(LIST(""), t);
	ns_test_tasks_end(t);
}

static void sketches(void)
{
	ns_test_sketches_merge("- {name: a, type: entropy, key: [src_ip]}\n", false);
}

NS_TEST_MAIN({"few", few}, {"many", many}, {"unknown", unknown}, {"wrong", wrong},
	{"sketches", sketches}, {"no memory", no_memory})
