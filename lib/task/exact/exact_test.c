/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_test_sketches.h>
#include <ns_test_task_alloc.h>

static void say(struct ns_test_tasks *t, unsigned lane, const char *src, const char *dst,
	uint16_t dport, uint32_t len)
{
	ns_test_say(t, lane,
		&(struct ns_test_say){
			.src = src, .dst = dst, .sport = 1000, .dport = dport, .len = len});
}

static void by_key(void)
{
	struct ns_test_tasks *t = ns_test_tasks("- {name: a, type: exact, key: [src_ip]}\n"
						"- {name: b, type: exact, key: [dst_ip, dst_port], "
						"order: octets, top: 2}\n"
						"- {name: c, type: exact, key: [src_ip/24/48]}\n"
						"- {name: d, type: exact}\n",
		1, false);

	ns_test_rows(t, 0, "");
	ns_test_rows(t, 3, "0,0,0,0,0\n");
	say(t, 0, "10.0.0.1", "10.0.1.9", 53, 60);
	say(t, 0, "10.0.0.1", "10.0.1.9", 53, 60);
	say(t, 0, "10.0.1.9", "10.0.0.1", 1000, 1514);
	say(t, 0, "10.0.0.2", "10.0.1.9", 80, 100);
	say(t, 0, "2001:db8::1", "2001:db8::2", 80, 80);
	say(t, 0, "2001:db8:0:ff::1", "2001:db8::2", 80, 80);
	/* equal ones stand in the order of their keys: IPv4 before IPv6, smaller ones first */
	ns_test_rows(t, 0,
		"10.0.0.1,2,120,92,1,0\n"
		"10.0.0.2,1,100,86,1,0\n"
		"10.0.1.9,1,1514,1500,1,0\n"
		"2001:db8::1,1,80,66,1,0\n"
		"2001:db8:0:ff::1,1,80,66,1,0\n");
	ns_test_rows(t, 1,
		"10.0.0.1,1000,1,1514,1500,1,0\n"
		"2001:db8::2,80,2,160,132,2,0\n");
	ns_test_rows(t, 2,
		"10.0.0.0/24,3,220,178,2,0\n"
		"2001:db8::/48,2,160,132,2,0\n"
		"10.0.1.0/24,1,1514,1500,1,0\n");
	ns_test_rows(t, 3, "6,1894,1810,5,0\n");
	ns_test_reset(t);
	ns_test_rows(t, 0, "");
	ns_test_rows(t, 3, "0,0,0,0,0\n");
	ns_test_tasks_end(t);
}

static void of_flows(void)
{
	struct ns_test_tasks *t = ns_test_tasks(
		"- {name: a, type: exact, of: flows, key: [src_ip, dst_port], order: rev_ip_octets}\n"
		"- {name: b, type: exact, of: flows}\n",
		2, false);

	say(t, 0, "10.0.0.1", "10.0.0.9", 53, 60);
	say(t, 0, "10.0.0.1", "10.0.0.9", 53, 60);
	say(t, 1, "10.0.0.1", "10.0.0.8", 53, 74);
	say(t, 1, "10.0.0.2", "10.0.0.9", 80, 114);
	ns_test_say(t, 1,
		&(struct ns_test_say){.src = "10.0.0.9",
			.dst = "10.0.0.2",
			.sport = 80,
			.dport = 1000,
			.len = 1014});
	ns_test_rows(t, 0, "");
	ns_test_end_flows(t);
	ns_test_rows(t, 0,
		"10.0.0.2,80,1,1,1,100,1000,114,1014,0\n"
		"10.0.0.1,53,2,3,0,152,0,194,0,0\n");
	ns_test_rows(t, 1, "3,4,1,252,1000,308,1014,0\n");
	ns_test_tasks_end(t);
}

static void order(void)
{
	static const char *const by[] = {"packets", "octets", "ip_octets", "flows"};
	static const char *const first[] = {"10.0.0.1,", "10.0.0.2,", "10.0.0.2,", "10.0.0.3,"};
	char text[400] = "";

	for (unsigned i = 0; i < NS_ARRAY_LEN(by); i++)
		sprintf(text + strlen(text),
			"- {name: t%u, type: exact, key: [src_ip], order: %s, top: 1}\n", i, by[i]);
	struct ns_test_tasks *t = ns_test_tasks(text, 1, false);

	for (unsigned i = 0; i < 4; i++)
		say(t, 0, "10.0.0.1", "10.0.1.1", 1, 60);
	say(t, 0, "10.0.0.2", "10.0.1.1", 1, 1000);
	for (uint16_t i = 0; i < 3; i++)
		say(t, 0, "10.0.0.3", "10.0.1.1", i, 60);
	for (unsigned i = 0; i < NS_ARRAY_LEN(by); i++) {
		const char *got = ns_test_rows_of(t, i);

		CU_ASSERT_EQUAL(strncmp(got, first[i], strlen(first[i])), 0);
		CU_ASSERT_PTR_EQUAL(strchr(got, '\n'), got + strlen(got) - 1);
	}
	ns_test_tasks_end(t);
}

#define SOURCES 100

/* SOURCES hosts, host i with i + 1 flows of a packet, in a different order for each step. */
static void many(struct ns_test_tasks *t, unsigned step)
{
	for (unsigned i = 0, at = step; i < SOURCES; i++, at += step) {
		unsigned host = at % SOURCES;
		char src[20];

		snprintf(src, sizeof(src), "10.0.0.%u", host);
		for (unsigned j = 0; j <= host; j++)
			say(t, (i + j) % t->lanes, src, "10.0.1.1", (uint16_t)j, 60 + host);
	}
}

static void overflow(void)
{
	static const char one[] = "- {name: a, type: exact, key: [src_ip], max: 16}\n"
				  "- {name: b, type: exact}\n";
	struct ns_test_tasks *t = ns_test_tasks(one, 1, false);
	unsigned packets, octets, ip, flows, over, host, n = 0;
	unsigned long sum[4] = {0};
	char want[4096];

	many(t, 1);
	snprintf(want, sizeof(want), "%s", ns_test_rows_of(t, 0));
	for (char *line = strtok(want, "\n"); line != NULL; line = strtok(NULL, "\n"), n++) {
		if (sscanf(line, "10.0.0.%u,%u,%u,%u,%u,%u", &host, &packets, &octets, &ip, &flows,
			    &over) == 6) {
			CU_ASSERT_EQUAL(packets, host + 1);
			CU_ASSERT_EQUAL(octets, (host + 1) * (60 + host));
			CU_ASSERT_EQUAL(over, 0);
		} else {
			CU_ASSERT_EQUAL(sscanf(line, ",%u,%u,%u,%u,%u", &packets, &octets, &ip,
						&flows, &over),
				5);
			CU_ASSERT_EQUAL(over, 1);
			CU_ASSERT_PTR_NULL(strtok(NULL, "\n"));
		}
		sum[0] += packets;
		sum[1] += octets;
		sum[2] += ip;
		sum[3] += flows;
	}
	CU_ASSERT_EQUAL(over, 1);
	CU_ASSERT_TRUE(n > 8 && n <= 17);
	snprintf(want, sizeof(want), "%lu,%lu,%lu,%lu,0\n", sum[0], sum[1], sum[2], sum[3]);
	ns_test_rows(t, 1, want);
	CU_ASSERT_EQUAL(sum[0], SOURCES * (SOURCES + 1) / 2);

	/* in any order and on any number of lcores the same */
	snprintf(want, sizeof(want), "%s", ns_test_rows_of(t, 0));
	ns_test_tasks_end(t);
	for (unsigned lanes = 1; lanes <= NS_TEST_LANES; lanes++) {
		t = ns_test_tasks(one, lanes, false);
		many(t, 37);
		ns_test_rows(t, 0, want);
		ns_test_reset(t);
		ns_test_rows(t, 0, "");
		ns_test_tasks_end(t);
	}
}

static void wrong(void)
{
	static const struct {
		const char *list;
		const char *words[4];
	} cases[] = {
		{"- {name: a, type: exact, key: [src_ip, nobody]}\n", {"2:", "key[1]", "nobody"}},
		{"- {name: a, type: exact, key: [src_ip/33]}\n", {"2:", "key[0]", "33"}},
		{"- {name: a, type: exact, key: [src_ip], max: 15}\n", {"2:", "max", "between 16"}},
		{"- {name: a, type: exact, max: 20000000}\n", {"2:", "max", "16777216"}},
		{"- {name: a, type: exact, order: rev_packets}\n",
			{"2:", "order", "there are packets, octets, ip_octets, flows"}},
		{"- {name: a, type: exact, order: size}\n", {"2:", "order", "ip_octets"}},
		{"- {name: a, type: exact, of: flows, order: octets}\n",
			{"2:", "order", "rev_l2_octets"}},
		{"- {name: a, type: exact, of: flows, key: [packets]}\n", {"2:", "packets"}},
		{"- {name: A, type: exact}\n", {"2:", "name", "A"}},
		{"- {name: a, type: exact, when: tcp, of: flows}\n", {"2:", "when"}},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++)
		ns_test_refused(cases[i].list, cases[i].words);
}

static void no_memory(void)
{
	static const char one[] = "- {name: a, type: exact, key: [src_ip]}\n";
	struct ns_test_tasks *t = ns_test_tasks(one, 1, true);

	say(t, 0, "10.0.0.1", "10.0.1.1", 1, 60);
	ns_test_rows(t, 0, "10.0.0.1,1,60,46,1,0\n");
	ns_test_tasks_no_memory(one, t);
	ns_test_tasks_end(t);
}

static void sketches(void)
{
	ns_test_sketches_merge(
		"- {name: a, type: exact, key: [src_ip, dst_port], max: 500}\n", true);
}

NS_TEST_MAIN({"by key", by_key}, {"of flows", of_flows}, {"order", order}, {"overflow", overflow},
	{"wrong", wrong}, {"sketches", sketches}, {"no memory", no_memory})
