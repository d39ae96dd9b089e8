/* SPDX-License-Identifier: BSD-3-Clause */
#include "cardinality_priv.h"

#include <ns_test_sketches.h>
#include <ns_test_task_alloc.h>

#include <inttypes.h>
#include <math.h>

/* Host i says something to a port. */
static void say(struct ns_test_tasks *t, unsigned lane, unsigned i, uint8_t proto, uint16_t port)
{
	char from[20];

	snprintf(from, sizeof(from), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
	ns_test_say(t, lane,
		&(struct ns_test_say){
			.src = from, .dst = "11.0.0.1", .sport = 1, .dport = port, .proto = proto});
}

#define LIST(more) "- {name: a, type: cardinality, key: [src_ip]" more "}\n"

static void total(void)
{
	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct ns_test_tasks *t = ns_test_tasks(
			LIST("") "- {name: b, type: cardinality, key: [proto, dst_port]}\n", lanes,
			lanes == 3);
		const char *more = lanes == 3 ? ",5,0" : "";
		char want[64];

		ns_test_rows(t, 0, lanes == 3 ? "0,0,0,1,,0\n" : "0,0,0,1\n");
		for (unsigned again = 0; again < 3; again++) {
			for (unsigned i = 0; i < 5; i++)
				say(t, (i + again) % lanes, i, i % 2 == 0 ? 6 : 17, 80);
		}
		snprintf(want, sizeof(want), "5,5,5,1%s\n", more);
		ns_test_rows(t, 0, want);
		ns_test_rows(t, 1, lanes == 3 ? "2,2,2,1,2,0\n" : "2,2,2,1\n");
		ns_test_reset(t);
		say(t, 0, 9, 6, 80);
		ns_test_rows(t, 0, lanes == 3 ? "1,1,1,1,1,0\n" : "1,1,1,1\n");
		ns_test_tasks_end(t);
	}
}

static void per_values(void)
{
	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct ns_test_tasks *t = ns_test_tasks(
			LIST(", per: proto") "- {name: b, type: cardinality, key: [src_ip], per: dst_port, per_max: 2}\n"
					     "- {name: c, type: cardinality, key: [dst_port], per: src_ip/31}\n"
					     "- {name: d, type: cardinality, key: [src_ip, dst_ip], per: reverse}\n",
			lanes, true);
		const char *text;

		ns_test_rows(t, 0, "");
		for (unsigned again = 0; again < 2; again++) {
			for (unsigned i = 0; i < 6; i++)
				say(t, (i + again) % lanes, i, i < 4 ? 17 : 6,
					(uint16_t)(i % 3 + 300));
		}
		ns_test_rows(t, 0, "tcp,0,2,2,2,1,2,0\nudp,0,4,4,4,1,4,0\n");
		/* two of the ports, and the third as the rest: 2 sources each */
		text = ns_test_rows_of(t, 1);
		CU_ASSERT_EQUAL(strlen(text), 3 * strlen("300,0,2,2,2,1,2,0\n") - 2);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n0,1,2,2,2,1,2,0\n"));
		CU_ASSERT_TRUE(strncmp(text, "30", 2) == 0 && strstr(text, ",0,2,2,2,1,2,0\n30"));
		ns_test_rows(t, 2,
			"10.0.0.0/31,0,2,2,2,1,2,0\n10.0.0.2/31,0,2,2,2,1,2,0\n"
			"10.0.0.4/31,0,2,2,2,1,2,0\n");
		ns_test_rows(t, 3, "0,0,6,6,6,1,6,0\n");
		ns_test_reset(t);
		ns_test_rows(t, 1, "");
		say(t, 0, 1, 6, 999);
		ns_test_rows(t, 1, "999,0,1,1,1,1,1,0\n");
		ns_test_tasks_end(t);
	}
}

/*
 * Many more values than rows: the same ones are kept, with the same numbers, whatever order they
 * come in and however they are spread over lanes. In the rest a key counts once.
 */
static void values_without_order(void)
{
	char first[4096] = "";

	for (unsigned way = 0; way < 4; way++) {
		unsigned lanes = way % 2 == 0 ? 1 : 4;
		struct ns_test_tasks *t =
			ns_test_tasks(LIST(", per: dst_port, per_max: 8"), lanes, true);

		for (unsigned i = 0; i < 6000; i++) {
			unsigned k = way < 2 ? i : 5999 - i;

			/* 300 ports with 20 hosts each, of 200 hosts in all */
			say(t, i % lanes, k % 200, 17, (uint16_t)(1 + k % 300));
		}
		if (way == 0)
			snprintf(first, sizeof(first), "%s", ns_test_rows_of(t, 0));
		else
			ns_test_rows(t, 0, first);
		ns_test_tasks_end(t);
	}
	unsigned rows = 0, port, other, n;
	uint64_t keys, exact;
	int len;

	for (const char *s = first; *s != '\0'; s += len, rows++) {
		n = (unsigned)sscanf(s, "%u,%u,%" PRIu64 ",%*u,%*u,1,%" PRIu64 ",0\n%n", &port,
			&other, &keys, &exact, &len);
		CU_ASSERT_EQUAL_FATAL(n, 4);
		CU_ASSERT_EQUAL(other, rows == 8);
		CU_ASSERT_EQUAL(keys, rows < 8 ? 2 : 200);
		CU_ASSERT_EQUAL(exact, keys);
	}
	CU_ASSERT_EQUAL(rows, 9);
}

static void per_prefix(void)
{
	struct ns_test_tasks *t = ns_test_tasks(
		LIST(", per: src_ip, prefixes: [10.0.0.0/8, 10.1.0.0/16, \"2001:db8::/32\", "
		     "\"::/0\", 10.0.0.7]"),
		2, true);

	for (unsigned again = 0; again < 2; again++) {
		for (unsigned i = 0; i < 10; i++)
			say(t, (i + again) % 2, i, 17, 1);
		for (unsigned i = 0; i < 3; i++)
			say(t, (i + again) % 2, 65536 + i, 17, 1);
		ns_test_say(t, again, &(struct ns_test_say){.src = "9.1.1.1", .dst = "11.0.0.1"});
		ns_test_say(t, again, &(struct ns_test_say){.src = "12.1.1.1", .dst = "11.0.0.1"});
		ns_test_say(t, again,
			&(struct ns_test_say){
				.src = "2001:db8::1", .dst = "2001:db9::1", .len = 80});
		ns_test_say(t, again,
			&(struct ns_test_say){
				.src = "2001:db9::1", .dst = "2001:db8::1", .len = 80});
		ns_test_say(t, again,
			&(struct ns_test_say){.src = "fe80::1", .dst = "2001:db8::1", .len = 80});
	}
	ns_test_rows(t, 0,
		"10.0.0.0/8,9,9,9,1,9,0\n10.1.0.0/16,3,3,3,1,3,0\n2001:db8::/32,1,1,1,1,1,0\n"
		"::/0,2,2,2,1,2,0\n10.0.0.7/32,1,1,1,1,1,0\n,2,2,2,1,2,0\n");
	ns_test_reset(t);
	ns_test_rows(t, 0,
		"10.0.0.0/8,0,0,0,1,,0\n10.1.0.0/16,0,0,0,1,,0\n2001:db8::/32,0,0,0,1,,0\n"
		"::/0,0,0,0,1,,0\n10.0.0.7/32,0,0,0,1,,0\n,0,0,0,1,,0\n");
	ns_test_tasks_end(t);
}

/* A key as the core makes it. */
static void key_of(uint8_t key[16], const char *text)
{
	memset(key, 0, 16);
	key[10] = key[11] = 0xff;
	if (inet_pton(AF_INET, text, key + 12) != 1)
		CU_ASSERT_EQUAL(inet_pton(AF_INET6, text, key), 1);
}

static bool in(const struct ns_prefix *p, const uint8_t key[16])
{
	const uint8_t *addr = p->ip.ver == 4 ? key + 12 : key;
	bool v4 = memcmp(key, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;

	if ((p->ip.ver == 4) != v4)
		return false;
	for (unsigned i = 0; i < p->len; i++) {
		if (((addr[i / 8] ^ p->ip.addr[i / 8]) & 0x80 >> i % 8) != 0)
			return false;
	}
	return true;
}

/* Against a search through all of them, at the ends of each and everywhere near. */
static void longest_prefix(void)
{
	static const char *const texts[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9",
		"10.255.255.255/32", "255.255.255.255/32", "0.0.0.0/32", "192.168.0.0/16",
		"192.168.128.0/17", "192.168.255.0/24", "::/0", "::/1", "::/64", "::/96",
		"8000::/1", "2001:db8::/32", "2001:db8:8000::/33", "2001:db8::1/128", "ffff::/16",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "::fffe:0:0/96", "::/128"};
	struct ns_prefix all[NS_ARRAY_LEN(texts)], p[NS_ARRAY_LEN(texts)];
	struct card_ranges *r = malloc(sizeof(*r));
	struct ns_err e;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	for (unsigned i = 0; i < NS_ARRAY_LEN(texts); i++) {
		e.text[0] = '\0';
		CU_ASSERT_EQUAL(card_prefix_parse(texts[i], &all[i], &e), 0);
		CU_ASSERT_STRING_EQUAL(e.text, "");
	}
	srand(1);
	for (unsigned set = 0; set < 300; set++) {
		unsigned n = 0;

		for (unsigned i = 0; i < NS_ARRAY_LEN(texts); i++) {
			if (set == 0 || rand() % 2 == 0)
				p[n++] = all[i];
		}
		card_ranges_init(r, p, n);
		for (unsigned i = 0; i < NS_ARRAY_LEN(texts) * 16; i++) {
			char text[64];
			uint8_t key[16];
			unsigned best = 0, change = i % 16;

			snprintf(text, sizeof(text), "%.*s", (int)strcspn(texts[i / 16], "/"),
				texts[i / 16]);
			key_of(key, text);
			if (change < 8)
				key[15] = (uint8_t)(key[15] + change - 4);
			else
				key[4 + change - 4] ^= (uint8_t)(rand() % 256);
			for (unsigned j = 0; j < n; j++) {
				if (in(&p[j], key) && (best == 0 || p[j].len > p[best - 1].len))
					best = j + 1;
			}
			CU_ASSERT_EQUAL(card_ranges_find(r, key), best);
		}
	}
	free(r);
}

static void prefix_text(void)
{
	static const char *const bad[] = {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8",
		"10.0.0.0/8x", "10.0.0.0/-1", "10.0.0.0/ 8", "10.0.0.0/0008", "2001:db8::/129",
		"2001:db8::1/64", "10.0.0.1/24", "1.2.3.4/0", "::ffff:1.2.3.4", "::ffff:0:0/96",
		"x", "10.0.0.0/8/8",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd/1"};
	struct ns_prefix p;

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		struct ns_err e = {""};

		CU_ASSERT_EQUAL(card_prefix_parse(bad[i], &p, &e), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strchr(e.text, '"'));
	}
	CU_ASSERT_EQUAL(card_prefix_parse("10.1.0.0/16", &p, NULL), 0);
	CU_ASSERT_TRUE(p.ip.ver == 4 && p.len == 16 && p.ip.addr[1] == 1);
}

/* Hosts 0 .. n - 1, as flow records. */
static void hosts(struct ns_test_tasks *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct ns_flow_rec r = {
			.src = {4, {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
			.proto = i % 3 == 0 ? 6 : 17};
		struct ns_test_lane *l = &t->lane[i % t->lanes];

		ns_tasks_record(l->l, l->state, &r);
	}
}

#define FLOWS(more) "- {name: a, type: cardinality, of: flows, key: [src_ip]" more "}\n"

/* Beyond what is kept exactly: within the bound, and the same for 1 lane and 4. */
static void many(void)
{
	char first[4][128];

	for (unsigned lanes = 1; lanes <= 4; lanes += 3) {
		struct ns_test_tasks *t = ns_test_tasks(
			FLOWS("") "- {name: b, type: cardinality, of: flows, key: [src_ip], "
				  "error: 0.1, per: proto}\n",
			lanes, true);
		uint64_t est, low, high, exact;
		double error;

		hosts(t, 90000);
		CU_ASSERT_EQUAL(sscanf(ns_test_rows_of(t, 0),
					"%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",0.95,%" PRIu64 ",%lf",
					&est, &low, &high, &exact, &error),
			5);
		CU_ASSERT_EQUAL(exact, 90000);
		CU_ASSERT_TRUE(low <= exact && exact <= high && low < high);
		CU_ASSERT_TRUE(fabs(error) < 3 * 0.008);
		CU_ASSERT_TRUE(fabs(error - ((double)est / 90000 - 1)) < 1e-9);
		for (unsigned i = 0; i < 2; i++) {
			if (lanes == 1)
				snprintf(first[i], sizeof(first[i]), "%s", ns_test_rows_of(t, i));
			else
				ns_test_rows(t, i, first[i]);
		}
		CU_ASSERT_PTR_NOT_NULL(strstr(first[1], "tcp,0,"));
		CU_ASSERT_PTR_NOT_NULL(strstr(first[1], ",0.95,30000,"));
		CU_ASSERT_PTR_NOT_NULL(strstr(first[1], ",0.95,60000,"));
		/* more than the table of the exact answer has room for */
		hosts(t, 200000);
		CU_ASSERT_PTR_NOT_NULL(strstr(ns_test_rows_of(t, 0), ",0.95,,\n"));
		ns_test_tasks_end(t);
	}
}

static void wrong(void)
{
	static const struct {
		const char *list;
		const char *words[4];
	} cases[] = {
		{"- {name: a, type: cardinality}\n", {"2:", "key", "at least one"}},
		{LIST(", error: 0.001"), {"2:", "error", "0.0015"}},
		{LIST(", error: 0.3"), {"2:", "error", "0.2"}},
		{LIST(", per: x"), {"2:", "per: ", "\"x\""}},
		{LIST(", per: proto, per_max: 0"), {"2:", "per_max", "between 1"}},
		{LIST(", per: proto, per_max: 4097"), {"2:", "per_max", "4096"}},
		{LIST(", prefixes: [10.0.0.0/8]"), {"2:", "prefixes", "src_ip"}},
		{LIST(", per: proto, prefixes: [10.0.0.0/8]"), {"2:", "per", "src_ip"}},
		{LIST(", per: src_ip/8, prefixes: [10.0.0.0/8]"), {"2:", "per", "src_ip"}},
		{LIST(", per: src_ip, prefixes: [10.0.0.0/8, 10.0.0.1/8]"),
			{"2:", "prefixes[1]", "behind the first 8"}},
		{LIST(", per: src_ip, prefixes: [10.0.0.0/8, 10.0.0.0/8]"),
			{"2:", "prefixes[1]", "twice"}},
		{LIST(", per: src_ip, prefixes: [ten]"), {"2:", "prefixes[0]", "no prefix"}},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++)
		ns_test_refused(cases[i].list, cases[i].words);
}

static void no_memory(void)
{
	static const char *const lists[] = {LIST(""), LIST(", per: proto, per_max: 4"),
		LIST(", per: src_ip, prefixes: [10.0.0.0/8]")};

	for (unsigned i = 0; i < NS_ARRAY_LEN(lists); i++) {
		struct ns_test_tasks *t = ns_test_tasks(lists[i], 1, true);

		say(t, 0, 1, 6, 2);
		CU_ASSERT_PTR_NOT_NULL(strstr(ns_test_rows_of(t, 0), "1,1,1,1,1,0\n"));
		ns_test_tasks_no_memory(lists[i], t);
		ns_test_tasks_end(t);
	}
}

static void sketches(void)
{
	ns_test_sketches_merge("- {name: a, type: cardinality, key: [src_ip]}\n", true);
	ns_test_sketches_merge(
		"- {name: a, type: cardinality, key: [src_ip], per: dst_port}\n", true);
	ns_test_sketches_merge(
		"- {name: a, type: cardinality, key: [dst_ip], per: src_ip, prefixes: [10.0.1.0/24, 10.0.0.0/8]}\n",
		true);
}

NS_TEST_MAIN({"total", total}, {"per values", per_values},
	{"values without order", values_without_order}, {"per prefix", per_prefix},
	{"longest prefix", longest_prefix}, {"prefix text", prefix_text}, {"many", many},
	{"wrong", wrong}, {"sketches", sketches}, {"no memory", no_memory})
