/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_test_sketches.h>
#include <ns_test_task_alloc.h>

#include <math.h>

static void say(struct ns_test_tasks *t, unsigned lane, unsigned src, unsigned dst)
{
	char from[20], to[20];

	snprintf(from, sizeof(from), "10.%u.%u.%u", src >> 16 & 255, src >> 8 & 255, src & 255);
	snprintf(to, sizeof(to), "11.%u.%u.%u", dst >> 16 & 255, dst >> 8 & 255, dst & 255);
	ns_test_say(t, lane, &(struct ns_test_say){.src = from, .dst = to, .sport = 1, .dport = 2});
}

#define LIST(more) "- {name: a, type: spread, key: [src_ip], peers: [dst_ip]" more "}\n"

static void exact_while_small(void)
{
	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct ns_test_tasks *t = ns_test_tasks(LIST(", top: 2"), lanes, false);

		ns_test_rows(t, 0, "");
		for (unsigned again = 0; again < 3; again++) {
			for (unsigned i = 0; i < 5; i++)
				say(t, (i + again) % lanes, 1, i);
			for (unsigned i = 0; i < 3; i++)
				say(t, (i + again) % lanes, 2, i);
			for (unsigned i = 0; i < 3; i++)
				say(t, (i + again) % lanes, 3, i);
			say(t, 0, 4, 1);
		}
		ns_test_rows(t, 0, "1,10.0.0.1,5,5,5,1,5\n2,10.0.0.2,3,3,3,1,3\n");
		ns_test_reset(t);
		ns_test_rows(t, 0, "");
		ns_test_tasks_end(t);
	}
}

static void least(void)
{
	struct ns_test_tasks *t = ns_test_tasks(
		LIST("") "- {name: b, type: spread, key: [src_ip], peers: [dst_ip], least: 1}\n"
			 "- {name: c, type: spread, key: [dst_ip], peers: [src_ip, dst_port]}\n",
		1, true);

	say(t, 0, 1, 1);
	say(t, 0, 2, 1);
	say(t, 0, 2, 2);
	ns_test_rows(t, 0, "1,10.0.0.2,2,2,2,1,2,0,2\n");
	ns_test_rows(t, 1, "1,10.0.0.2,2,2,2,1,2,0,2\n2,10.0.0.1,1,1,1,1,1,0,1\n");
	ns_test_rows(t, 2, "1,11.0.0.1,2,2,2,1,2,0,2\n");
	ns_test_tasks_end(t);
}

/* Host i of 200 meets 3000 / (i + 1) others. */
static void many(struct ns_test_tasks *t)
{
	for (unsigned i = 0; i < 200; i++) {
		for (unsigned j = 0; j < 3000 / (i + 1); j++)
			say(t, (i + j) % t->lanes, i, i * 3000 + j);
	}
}

/* With less memory than there are pairs: the truth stands beside, and who was missed is named. */
static void verified(void)
{
	struct ns_test_tasks *t =
		ns_test_tasks(LIST(", memory: 16 KiB, top: 50, verify: true"), 2, false);
	struct ns_test_tasks *all = ns_test_tasks(LIST(", memory: 16 KiB, top: 50"), 1, true);
	unsigned last = 0, listed = 0, missed = 0, inside = 0;
	char text[16384], *save;

	many(t);
	many(all);
	snprintf(text, sizeof(text), "%s", ns_test_rows_of(t, 0));
	ns_test_rows(all, 0, text);
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
		line = strtok_r(NULL, "\n", &save)) {
		unsigned rank, b, c;
		unsigned long est, lo, hi, exact, sampled;
		double error;

		CU_ASSERT_EQUAL(sscanf(line, "%u,10.0.%u.%u,%lu,%lu,%lu,0.95,%lu,%lf,%lu", &rank,
					&b, &c, &est, &lo, &hi, &exact, &error, &sampled),
			9);
		CU_ASSERT_EQUAL(exact, 3000 / (b * 256 + c + 1));
		CU_ASSERT_TRUE(fabs(error - ((double)est - (double)exact) / (double)exact) < 1e-3);
		CU_ASSERT_TRUE(lo <= est && est <= hi);
		inside += lo <= exact && exact <= hi;
		if (rank == 0) {
			missed++;
			CU_ASSERT_TRUE(b * 256 + c < 50);
		} else {
			CU_ASSERT_EQUAL(missed, 0);
			CU_ASSERT_EQUAL(rank, last + 1);
			last = rank;
			listed++;
		}
	}
	CU_ASSERT_EQUAL(listed, 50);
	CU_ASSERT_TRUE(missed > 0 && missed < 35);
	CU_ASSERT_TRUE(inside >= (listed + missed) * 8 / 10);
	ns_test_tasks_end(t);
	ns_test_tasks_end(all);
}

static void wrong(void)
{
	static const struct {
		const char *list;
		const char *words[4];
	} cases[] = {
		{"- {name: a, type: spread, peers: [dst_ip]}\n", {"2:", "key", "at least one"}},
		{"- {name: a, type: spread, key: [src_ip]}\n", {"2:", "peers", "at least one"}},
		{LIST(", memory: 1 KiB"), {"2:", "memory", "16 KiB"}},
		{LIST(", memory: 8 GiB"), {"2:", "memory", "4 GiB"}},
		{LIST(", memory: much"), {"2:", "memory", "much"}},
		{LIST(", top: 0"), {"2:", "top", "between 1"}},
		{"- {name: a, type: spread, key: [src_ip], peers: [dst_ip, x]}\n",
			{"2:", "peers[1]", "\"x\""}},
		{"- {name: a, type: spread, of: flows, key: [src_ip], peers: [responder_ip]}\n",
			{"2:", "peers[0]", "responder_ip"}},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++)
		ns_test_refused(cases[i].list, cases[i].words);
}

static void no_memory(void)
{
	struct ns_test_tasks *t = ns_test_tasks(LIST(""), 1, true);

	say(t, 0, 1, 1);
	say(t, 0, 1, 2);
	ns_test_rows(t, 0, "1,10.0.0.1,2,2,2,1,2,0,2\n");
	ns_test_tasks_no_memory(LIST(""), t);
	ns_test_tasks_end(t);
}

static void sketches(void)
{
	ns_test_sketches_merge(
		"- {name: a, type: spread, key: [src_ip], peers: [dst_ip], memory: 16 KiB}\n",
		true);
}

NS_TEST_MAIN({"exact while small", exact_while_small}, {"least", least}, {"verified", verified},
	{"wrong", wrong}, {"sketches", sketches}, {"no memory", no_memory})
