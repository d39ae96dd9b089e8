/* SPDX-License-Identifier: BSD-3-Clause */
/* The results of tasks in both reports, of kinds that are made while the test runs. */
#include "report_tasks_sample.h"

/* The part of the text from "Tasks" on to the next section. */
static char *tasks_of(char *text)
{
	char *from = strstr(text, "\nTasks\n"), *to;

	if (from == NULL)
		return NULL;
	to = strstr(from, "\nPackets per");
	if (to != NULL)
		*to = '\0';
	return from;
}

static void is(struct report *r, const struct report_input *in, const char *want)
{
	char *text = printed(r, in, TEXT), *tasks = tasks_of(text);

	same(tasks != NULL ? tasks : "(no tasks)", want);
	for (const char *p = tasks; p != NULL; p = strchr(p + 1, '\n'))
		CU_ASSERT(strcspn(p + 1, "\n") <= 100);
	free(text);
}

static void golden_text(void)
{
	struct ns_test_kind *top = ns_test_kind_create("top_sources"),
			    *spread = ns_test_kind_create("spread"),
			    *idle = ns_test_kind_create("idle"),
			    *unlisted = ns_test_kind_create("unlisted");
	const struct ns_rec_kind *kinds[] = {
		&spread->kind, &ns_flow_rec_kind, &idle->kind, &top->kind};
	struct report *r = report_create();
	struct report_input in = sample_input();

	spread->kind.help = "most peers\033[2J";
	idle->kind.help = NULL;
	in.kinds = kinds;
	in.kinds_n = NS_ARRAY_LEN(kinds);
	put_ranks(r, unlisted, 0, 4, 1);
	put_ranks(r, top, 0, 1, 13);
	put_ranks(r, spread, 0, 2, 1);
	put_ranks(r, spread, 1, 2, 3);
	is(r, &in,
		"\nTasks\n"
		"  spread: most peers?[2J\n"
		"    the last of 2 intervals, 2023-11-14 22:14:20 to 2023-11-14 22:15:20 UTC\n"
		"    rank  src_ip    dst_net         octets   estimate      lower      upper  confidence\n"
		"                                            (packets)  (packets)  (packets)\n"
		"       2  10.0.0.2  2001:db8::/32  5.00 GB      998.5      900.2       1100        0.95\n"
		"       3  10.0.0.3  -              5.00 GB      997.5          -          -        0.95\n"
		"       4  10.0.0.4  2001:db8::/32  5.00 GB      996.5      900.2       1100        0.95\n"
		"\n"
		"  idle\n"
		"    nothing\n"
		"\n"
		"  top_sources: largest senders\n"
		"    rank  src_ip     dst_net         octets   estimate      lower      upper  confidence\n"
		"                                             (packets)  (packets)  (packets)\n"
		"       1  10.0.0.1   -              5.00 GB      999.5          -          -        0.95\n"
		"       2  10.0.0.2   2001:db8::/32  5.00 GB      998.5      900.2       1100        0.95\n"
		"       3  10.0.0.3   -              5.00 GB      997.5          -          -        0.95\n"
		"       4  10.0.0.4   2001:db8::/32  5.00 GB      996.5      900.2       1100        0.95\n"
		"       5  10.0.0.5   -              5.00 GB      995.5          -          -        0.95\n"
		"       6  10.0.0.6   2001:db8::/32  5.00 GB      994.5      900.2       1100        0.95\n"
		"       7  10.0.0.7   -              5.00 GB      993.5          -          -        0.95\n"
		"       8  10.0.0.8   2001:db8::/32  5.00 GB      992.5      900.2       1100        0.95\n"
		"       9  10.0.0.9   -              5.00 GB      991.5          -          -        0.95\n"
		"      10  10.0.0.10  2001:db8::/32  5.00 GB      990.5      900.2       1100        0.95\n"
		"    ... and 3 more\n"
		"\n"
		"  unlisted: largest senders\n"
		"    rank  src_ip    dst_net         octets   estimate      lower      upper  confidence\n"
		"                                            (packets)  (packets)  (packets)\n"
		"       4  10.0.0.4  2001:db8::/32  5.00 GB      996.5      900.2       1100        0.95\n");
	CU_ASSERT_EQUAL(r->flows, 0);
	report_destroy(r);
	free(top);
	free(spread);
	free(idle);
	free(unlisted);
}

/* A key pair of long addresses with all that --verify brings. */
struct pair {
	uint64_t start_ns, end_ns, epoch;
	uint32_t rank;
	struct ns_ip src_ip, dst_ip;
	uint16_t dst_port;
	uint64_t estimate, lower, upper;
	double confidence;
	uint64_t exact;
	double error;
};

#define P(member, t, ...) \
	NS_REC_FIELD(struct pair, member, .name = #member, .type = t, ##__VA_ARGS__)

static const struct ns_rec_field pair_fields[] = {
	P(start_ns, NS_REC_TIME),
	P(end_ns, NS_REC_TIME),
	P(epoch, NS_REC_U64),
	P(rank, NS_REC_U32),
	P(src_ip, NS_REC_IP, .flags = NS_REC_KEY),
	P(dst_ip, NS_REC_IP, .flags = NS_REC_KEY),
	P(dst_port, NS_REC_U16, .flags = NS_REC_KEY),
	P(estimate, NS_REC_U64, .unit = "octets"),
	P(lower, NS_REC_U64, .unit = "octets"),
	P(upper, NS_REC_U64, .unit = "octets"),
	P(confidence, NS_REC_F64, .flags = NS_REC_EMPTY_NAN),
	P(exact, NS_REC_U64, .unit = "octets"),
	P(error, NS_REC_F64, .flags = NS_REC_EMPTY_NAN),
};

static const struct ns_rec_kind pairs = {.name = "talkers",
	.version = 1,
	.size = sizeof(struct pair),
	.fields = pair_fields,
	.fields_n = NS_ARRAY_LEN(pair_fields),
	.help = "pairs by octets",
	.ipfix_family_field = -1};

static void put_pairs(struct report *r, uint32_t n)
{
	for (uint32_t i = 1; i <= n; i++) {
		struct pair p = {.rank = i,
			.src_ip = ip6((uint8_t)i),
			.dst_ip = ip6((uint8_t)(100 + i)),
			.dst_port = 443,
			.estimate = 123456789 / i,
			.lower = 120000000 / i,
			.upper = 123456789 / i,
			.confidence = 0.99,
			.exact = 123000000 / i,
			.error = 0.003713 * i};

		put_rows(r, &pairs, &p, 1);
	}
}

static void wide(void)
{
	struct report *r = report_create();
	struct report_input in = sample_input();

	put_pairs(r, 2);
	is(r, &in,
		"\nTasks\n"
		"  talkers: pairs by octets\n"
		"    rank  src_ip                                  dst_port   estimate "
		"     lower      upper\n"
		"          dst_ip                                                      "
		"     exact      error\n"
		"       1  2001:db8:85a3:1111:2222:3333:4444:5501       443  123.46 MB "
		" 120.00 MB  123.46 MB\n"
		"          2001:db8:85a3:1111:2222:3333:4444:5565                      "
		" 123.00 MB   0.003713\n"
		"       2  2001:db8:85a3:1111:2222:3333:4444:5502       443   61.73 MB "
		"  60.00 MB   61.73 MB\n"
		"          2001:db8:85a3:1111:2222:3333:4444:5566                      "
		"  61.50 MB   0.007426\n"
		"    each: confidence 0.99\n");
	report_destroy(r);
}

/* Short keys and many numbers: the last ones take a second line, none of them below the rank. */
static void folded(void)
{
	enum { COLS = 9 };
	struct ns_rec_field fields[COLS + 2] = {{.name = "rank", .type = NS_REC_U32, .size = 4},
		{.name = "what", .type = NS_REC_STR, .offset = 8, .size = 8, .flags = NS_REC_KEY}};
	static const char names[COLS][32] = {"first_of_many", "second_of_many", "packets",
		"fourth_of_many", "fifth_of_many", "sixth_of_many", "seventh_of_many",
		"eighth_of_many", "ninth_of_many"};
	uint64_t rows[2][COLS + 2] = {{1}, {2}};
	const struct ns_rec_kind kind = {.name = "many",
		.size = sizeof(rows[0]),
		.fields = fields,
		.fields_n = COLS + 2,
		.ipfix_family_field = -1};
	struct report *r = report_create();
	struct report_input in = sample_input();

	for (unsigned i = 0; i < COLS; i++) {
		fields[i + 2] = (struct ns_rec_field){.name = names[i],
			.type = NS_REC_U64,
			.offset = (uint16_t)(8 * i + 16),
			.size = 8,
			.unit = i == 2 || i == 7 ? "packets" : ""};
		rows[0][i + 2] = i;
		rows[1][i + 2] = 1000 + i;
	}
	memcpy(&rows[0][1], "one", 3);
	memcpy(&rows[1][1], "two", 3);
	put_rows(r, &kind, rows, 2);
	is(r, &in,
		"\n"
		"Tasks\n"
		"  many\n"
		"    rank  what  first_of_many  second_of_many          packets  fourth"
		"_of_many  fifth_of_many\n"
		"                                sixth_of_many  seventh_of_many  eighth"
		"_of_many  ninth_of_many\n"
		"                                                                     ("
		"packets)\n"
		"       1  one               0               1                2        "
		"       3              4\n"
		"                                            5                6        "
		"       7              8\n"
		"       2  two            1000            1001             1002        "
		"    1003           1004\n"
		"                                         1005             1006        "
		"    1007           1008\n");
	report_destroy(r);
}

/* More columns than any page has: nothing is wider than it, and what is left out is named. */
static void very_wide(void)
{
	enum { COLS = 60 };
	static struct ns_rec_field fields[COLS];
	static char names[COLS][32];
	struct ns_rec_kind kind = {
		.name = "wide", .size = 8 * COLS, .fields = fields, .ipfix_family_field = -1};
	uint64_t row[COLS];

	for (unsigned i = 0; i < COLS; i++) {
		snprintf(names[i], sizeof(names[i]), "a_very_long_name_of_column_%u", i);
		fields[i] = (struct ns_rec_field){.name = names[i],
			.type = NS_REC_U64,
			.offset = (uint16_t)(8 * i),
			.size = 8,
			.unit = i % 2 == 0 ? "packets" : "octets"};
		row[i] = i;
	}
	for (unsigned n = 1; n <= COLS; n++) {
		struct report *r = report_create();
		struct report_input in = sample_input();

		kind.fields_n = n;
		put_rows(r, &kind, row, 1);
		char *text = printed(r, &in, TEXT), *tasks = tasks_of(text);

		CU_ASSERT_PTR_NOT_NULL_FATAL(tasks);
		for (const char *p = tasks; p != NULL; p = strchr(p + 1, '\n'))
			CU_ASSERT(strcspn(p + 1, "\n") <= 100);
		if (n <= 3) /* 28 octets each */
			CU_ASSERT_PTR_NULL(strstr(tasks, "not shown"));
		if (n > 16)
			has(tasks, "\n    not shown, for want of room: ");
		free(text);
		report_destroy(r);
	}
}

/* Columns that no row fills are left out; one that only some fill is not. */
static void empty_columns(void)
{
	struct ns_test_kind *k = ns_test_kind_create("quiet");
	struct ns_test_row rows[2] = {ns_test_row(2), ns_test_row(4)};
	struct report *r = report_create();
	struct report_input in = sample_input();

	k->kind.help = "";
	for (unsigned i = 0; i < 2; i++) {
		rows[i].dst_net = (struct ns_prefix){{0}, 0};
		rows[i].lower = rows[i].confidence = NAN;
	}
	rows[0].upper = NAN;
	put_rows(r, &k->kind, rows, 2);
	is(r, &in,
		"\nTasks\n"
		"  quiet\n"
		"    rank  src_ip     octets  estimate (packets)  upper (packets)\n"
		"       2  10.0.0.2  5.00 GB               998.5                -\n"
		"       4  10.0.0.4  5.00 GB               996.5             1100\n");
	report_destroy(r);
	free(k);
}

static void golden_json(void)
{
	struct ns_test_kind *top = ns_test_kind_create("top_sources"),
			    *idle = ns_test_kind_create("idle");
	const struct ns_rec_kind *kinds[] = {&idle->kind, &top->kind};
	struct report *r = report_create();
	struct report_input in = sample_input();

	idle->kind.help = "\"none\"";
	in.kinds = kinds;
	in.kinds_n = 2;
	put_ranks(r, top, 0, 1, 2);
	char *text = printed(r, &in, JSON);

	CU_ASSERT(json_ok(text));
	has(text,
		"  \"tasks\": [\n"
		"    {\n"
		"      \"name\": \"idle\",\n"
		"      \"help\": \"\\\"none\\\"\",\n"
		"      \"rows\": [],\n"
		"      \"left_out\": 0\n"
		"    },\n"
		"    {\n"
		"      \"name\": \"top_sources\",\n"
		"      \"help\": \"largest senders\",\n"
		"      \"rows\": [\n"
		"        {\"start_ns\": 1700000000000000000, \"end_ns\": 1700000060000000000, "
		"\"epoch\": 0, \"rank\": 1, \"src_ip\": \"10.0.0.1\", \"dst_net\": null, "
		"\"octets\": 4999999999, \"estimate\": 999.5, \"lower\": null, \"upper\": null, "
		"\"confidence\": 0.95},\n"
		"        {\"start_ns\": 1700000000000000000, \"end_ns\": 1700000060000000000, "
		"\"epoch\": 0, \"rank\": 2, \"src_ip\": \"10.0.0.2\", "
		"\"dst_net\": \"2001:db8::/32\", "
		"\"octets\": 4999999998, \"estimate\": 998.5, \"lower\": 900.25, \"upper\": 1100, "
		"\"confidence\": 0.95}\n"
		"      ],\n"
		"      \"left_out\": 0\n"
		"    }\n"
		"  ],\n");
	free(text);
	report_destroy(r);
	free(top);
	free(idle);
}

static void sealed(void)
{
	struct ns_err e;

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(&e), 0);
}

NS_TEST_MAIN({"the registry is sealed", sealed}, {"golden text", golden_text},
	{"golden JSON", golden_json}, {"too wide for the page", wide}, {"folded", folded},
	{"very wide", very_wide}, {"empty columns", empty_columns})
