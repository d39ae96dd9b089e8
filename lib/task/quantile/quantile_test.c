/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_test_sketches.h>
#include <ns_test_task_alloc.h>
#include <ns_test_zipf.h>

#include <inttypes.h>
#include <math.h>

#define LIST(more) "- {name: a, type: quantile, value: l2_octets" more "}\n"
#define FLOWS(more) "- {name: a, type: quantile, of: flows, value: tcp_rtt_ns" more "}\n"

static void say(struct ns_test_tasks *t, unsigned lane, uint32_t len)
{
	ns_test_say(
		t, lane, &(struct ns_test_say){.src = "10.0.0.1", .dst = "11.0.0.1", .len = len});
}

static void rtt(struct ns_test_tasks *t, uint64_t i, uint64_t ns)
{
	struct ns_test_lane *l = &t->lane[i % t->lanes];

	ns_tasks_record(l->l, l->state, &(struct ns_flow_rec){.tcp_rtt_ns = ns});
}

/* Values so small that each has a bucket of its own. */
static void small(void)
{
	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct ns_test_tasks *t = ns_test_tasks(
			LIST(", points: [0, 25, 50, 99.5, 100]") "- {name: b, type: quantile, value: ttl, points: [50]}\n",
			lanes, false);

		ns_test_rows(t, 0, "");
		for (unsigned i = 0; i < 40; i++)
			say(t, i % lanes, 61 + i % 4);
		ns_test_rows(t, 0,
			"0,61,61,61,1,40,62.5\n25,61,61,61,1,40,62.5\n50,62,62,62,1,40,62.5\n"
			"99.5,64,64,64,1,40,62.5\n100,64,64,64,1,40,62.5\n");
		ns_test_rows(
			t, 1, "0,64,64,64,1,40,64\n50,64,64,64,1,40,64\n100,64,64,64,1,40,64\n");
		ns_test_reset(t);
		ns_test_rows(t, 0, "");
		say(t, 0, 70);
		ns_test_rows(t, 1, "0,64,64,64,1,1,64\n50,64,64,64,1,1,64\n100,64,64,64,1,1,64\n");
		ns_test_tasks_end(t);
	}
}

/* What is not known does not count; a time-out of 0 that is known would. */
static void not_known(void)
{
	struct ns_test_tasks *t = ns_test_tasks(
		FLOWS(", points: [50]") "- {name: b, type: quantile, of: flows, value: duration_ns, points: [50]}\n",
		1, true);

	for (unsigned i = 0; i < 100; i++)
		rtt(t, i, i % 3 == 0 ? 100 : 0);
	ns_test_rows(t, 0,
		"0,100,100,100,1,100,0,34,100\n50,100,100,100,1,100,0,34,100\n"
		"100,100,100,100,1,100,0,34,100\n");
	ns_test_rows(t, 1, "0,0,0,0,1,0,0,100,0\n50,0,0,0,1,0,0,100,0\n100,0,0,0,1,0,0,100,0\n");
	ns_test_tasks_end(t);
}

static int in_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

enum { VALUES = 60000 };

/* Twelve orders of magnitude, against sorting: bounds hold, exact is exact, lanes do not matter. */
static void percentiles(void)
{
	static const double points[] = {0, 1, 5, 25, 50, 75, 90, 95, 99, 99.9, 100};
	static uint64_t v[VALUES];
	char first[4096] = "";
	uint64_t state = 5;
	double mean = 0;

	for (unsigned i = 0; i < VALUES; i++) {
		v[i] = (uint64_t)pow(10, 12 * ns_test_unit(&state));
		mean += (double)v[i] / VALUES;
	}
	for (unsigned lanes = 1; lanes <= 4; lanes += 3) {
		struct ns_test_tasks *t = ns_test_tasks(FLOWS(""), lanes, true);

		for (unsigned i = 0; i < VALUES; i++)
			rtt(t, i, v[i]);
		if (lanes == 1)
			snprintf(first, sizeof(first), "%s", ns_test_rows_of(t, 0));
		else
			ns_test_rows(t, 0, first);
		ns_test_tasks_end(t);
	}
	qsort(v, VALUES, sizeof(v[0]), in_order);

	unsigned n = 0;
	int len;

	for (const char *s = first; *s != '\0'; s += len, n++) {
		double p, est, low, high, exact, error, m;
		unsigned count;

		CU_ASSERT_EQUAL_FATAL(sscanf(s, "%lf,%lf,%lf,%lf,1,%lf,%lf,%u,%lf\n%n", &p, &est,
					      &low, &high, &exact, &error, &count, &m, &len),
			8);
		CU_ASSERT_FATAL(n < NS_ARRAY_LEN(points));
		CU_ASSERT_EQUAL(p, points[n]);
		uint64_t rank = (uint64_t)ceil(p / 100 * VALUES);

		CU_ASSERT_EQUAL(exact, (double)v[rank > 0 ? rank - 1 : 0]);
		CU_ASSERT_TRUE(low <= exact && exact <= high);
		CU_ASSERT_TRUE(fabs(est - exact) <= 0.01 * exact);
		CU_ASSERT_TRUE(fabs(error - (est - exact) / exact) < 1e-9);
		/* small whole numbers, and the ends, are known exactly */
		CU_ASSERT_EQUAL(low<high, p> 0 && p < 100 && exact >= 64);
		CU_ASSERT_EQUAL(count, VALUES);
		CU_ASSERT_TRUE(fabs(m / mean - 1) < 1e-9);
	}
	CU_ASSERT_EQUAL(n, NS_ARRAY_LEN(points));
}

/* More different values than the exact table holds. */
static void unknown(void)
{
	struct ns_test_tasks *t = ns_test_tasks(FLOWS(", points: [50]"), 1, true);

	for (unsigned i = 1; i <= 150000; i++)
		rtt(t, i, i);
	const char *text = ns_test_rows_of(t, 0);

	CU_ASSERT_TRUE(strncmp(text, "0,1,1,1,1,,,150000,75000.5\n50,7", 30) == 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n100,150000,150000,150000,1,,,150000,75000.5\n"));
	ns_test_tasks_end(t);
}

static void wrong(void)
{
	static const struct {
		const char *list;
		const char *words[4];
	} cases[] = {
		{"- {name: a, type: quantile}\n", {"2:", "value"}},
		{"- {name: a, type: quantile, value: src_ip}\n", {"2:", "value", "l2_octets"}},
		{"- {name: a, type: quantile, of: flows, value: ttl}\n",
			{"2:", "value", "\"ttl\""}},
		{LIST(", error: 0.0001"), {"2:", "error", "0.001"}},
		{LIST(", error: 0.2"), {"2:", "error", "0.1"}},
		{LIST(", points: []"), {"2:", "points", "at least one"}},
		{LIST(", points: [50, 101]"), {"2:", "points[1]", "0 and 100"}},
		{LIST(", points: [-1]"), {"2:", "points[0]", "0 and 100"}},
		{LIST(", points: [50, 90, 90]"), {"2:", "points[2]", "increase"}},
		{LIST(", points: [half]"), {"2:", "points", "half"}},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++)
		ns_test_refused(cases[i].list, cases[i].words);
}

static void no_memory(void)
{
	struct ns_test_tasks *t = ns_test_tasks(LIST(""), 1, true);

	say(t, 0, 60);
	CU_ASSERT_PTR_NOT_NULL(strstr(ns_test_rows_of(t, 0), "99.9,60,60,60,1,60,0,1,60\n"));
	ns_test_tasks_no_memory(LIST(""), t);
	ns_test_tasks_end(t);
}

static void sketches(void)
{
	ns_test_sketches_merge("- {name: a, type: quantile, value: l2_octets}\n", true);
}

NS_TEST_MAIN({"small", small}, {"not known", not_known}, {"percentiles", percentiles},
	{"unknown", unknown}, {"wrong", wrong}, {"sketches", sketches}, {"no memory", no_memory})
