/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_golden.h"
#include "report_sample.h"

static void golden_text(void)
{
	struct report *r = report_create();
	struct report_input in = sample_input();

	sample(r);
	char *text = printed(r, &in, TEXT);

	same(text, GOLDEN_TEXT);
	free(text);
	text = printed(r, &in, ASCII);
	has(text, "|.::==+*#@*.:");
	for (const char *p = text; *p != '\0'; p++) {
		/* only what the file's name brought with it */
		if ((unsigned char)*p >= 0x80)
			CU_ASSERT_EQUAL((unsigned char)*p, 0xff);
	}
	free(text);
	report_destroy(r);
}

/* Cuts from the one up to the other. */
static void cut(char *text, const char *first, const char *behind)
{
	char *from = strstr(text, first), *to = from != NULL ? strstr(from, behind) : NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	memmove(from, to, strlen(to) + 1);
}

/*
 * All registered counters are in the report, and all fields of a record; but the golden text does
 * not want to know of each.
 */
static void cut_others(char *text)
{
	unsigned n;
	const struct ns_counter *const *all = ns_counters_all(&n);

	for (unsigned i = 0; i < n; i++) {
		char line[96];

		snprintf(line, sizeof(line), "      \"%s\": %llu", all[i]->name,
			(unsigned long long)stats.counters.v[all[i]->id]);
		has(text, line);
	}
	cut(text, "    \"drops\": {", "    \"unknown_linktypes\"");
	has(text, "\"src_ip\": \"10.0.0.20\", \"src_port\": 443, \"dst_ip\": \"192.0.2.1\"");
	has(text, "\"rev_tcp_flags\": \"FSPA\", \"end_reason\": 3, ");
	/* ten rows, ordered by octets */
	for (unsigned i = 0; i < REPORT_ROWS; i++) {
		char octets[64];
		char *row = strstr(text, "      {\"community_id\"");

		CU_ASSERT_PTR_NOT_NULL_FATAL(row);
		snprintf(octets, sizeof(octets), "\"l2_octets\": %u, ", i == 0 ? 1160 : 1152 - i);
		char *found = strstr(row, octets);

		CU_ASSERT(found != NULL && found < strchr(row, '\n'));
		cut(text, "      {\"community_id\"", "\n");
	}
}

static void golden_json(void)
{
	struct report *r = report_create();
	struct report_input in = sample_input();

	timeline.used = 2;
	sample(r);
	char *text = printed(r, &in, JSON);

	CU_ASSERT(json_ok(text));
	cut_others(text);
	same(text, GOLDEN_JSON);
	free(text);
	report_destroy(r);
}

static void no_packets(void)
{
	struct report *r = report_create();
	struct report_input in = sample_input();
	static struct ns_timeline none;

	memset(&stats, 0, sizeof(stats));
	in.files_n = 1;
	in.timeline = &none;
	char *text = printed(r, &in, TEXT);

	same(text, GOLDEN_EMPTY);
	free(text);
	text = printed(r, &in, JSON);
	CU_ASSERT(json_ok(text));
	has(text, "\"first_ns\": null,\n    \"first\": null,");
	has(text, "\"packets_per_s\": null");
	has(text, "\"slots\": []");
	free(text);
	in.timeline = NULL;
	text = printed(r, &in, JSON);
	CU_ASSERT(json_ok(text));
	free(text);
	report_destroy(r);
}

/* Packets, but neither time between them nor a flow. */
static void one_moment(void)
{
	struct report *r = report_create();
	struct report_input in = sample_input();

	stats.last_ns = stats.first_ns;
	char *text = printed(r, &in, TEXT);

	has(text, "Duration        0 s\n");
	has(text, "none: all packets have the same time");
	CU_ASSERT_PTR_NULL(strstr(text, "TCP health"));
	free(text);
	text = printed(r, &in, JSON);
	CU_ASSERT(json_ok(text));
	has(text, "\"packets_per_s\": null");
	free(text);
	report_destroy(r);
}

static void bad_news(void)
{
	struct report *r = report_create();
	struct report_input in = sample_input();

	sample(r);
	stats.received++;
	set_counter("filtered", 23456);
	in.faults = "a.pcap: offset 24: cut\nb.pcap: \x1b[31mred\x80";
	in.interrupted = true;
	in.filter = "tcp \"x\"";
	char *text = printed(r, &in, TEXT);

	has(text, "DOES NOT HOLD: received 123457, but analysed 123400 + dropped 56 = 123456");
	has(text, "INTERRUPTED");
	has(text, "DAMAGED");
	has(text, "\n  a.pcap: offset 24: cut\n  b.pcap: ?[31mred");
	has(text, "Filter          tcp \"x\"\n");
	has(text, "100001 passed the filter");
	CU_ASSERT_PTR_NULL(strchr(text, '\x1b'));
	free(text);
	text = printed(r, &in, JSON);
	CU_ASSERT(json_ok(text));
	has(text, "\"holds\": false");
	has(text, "\"interrupted\": true");
	has(text, "\"filter\": \"tcp \\\"x\\\"\"");
	has(text, "\"a.pcap: offset 24: cut\",\n      \"b.pcap: \\u001b[31mred\xef\xbf\xbd\"\n");
	free(text);
	report_destroy(r);
}

static void disk_full(void)
{
	struct report *r = report_create();
	struct report_input in = sample_input();
	FILE *full = fopen("/dev/full", "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(full);
	sample(r);
	CU_ASSERT_EQUAL(report_text(r, &in, full), -ENOSPC);
	CU_ASSERT_EQUAL(errno, ENOSPC);
	CU_ASSERT_EQUAL(report_json(r, &in, full), -ENOSPC);
	fclose(full);
	report_destroy(r);
}

/* Of a kind without fields there is nothing to say but how many there were. */
static void other_records(void)
{
	static const struct ns_rec_kind alien = {.name = "alien", .size = 1};
	struct report *r = report_create();
	struct report_input in = sample_input();
	uint8_t recs[3] = {0};
	struct ns_batch b = {.kind = &alien, .n = 3, .records = recs};

	report_put(r, &b);
	CU_ASSERT_EQUAL(r->flows, 0);
	char *text = printed(r, &in, TEXT);

	has(text, "\nTasks\n  alien\n");
	free(text);
	text = printed(r, &in, JSON);
	CU_ASSERT(json_ok(text));
	has(text, "\"name\": \"alien\",\n      \"help\": null,\n      \"rows\": [\n        {},\n");
	free(text);
	report_destroy(r);
	report_destroy(NULL);
}

static void sealed(void)
{
	struct ns_err e;

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(&e), 0);
}

NS_TEST_MAIN({"the registry is sealed", sealed}, {"golden text", golden_text},
	{"golden JSON", golden_json}, {"no packets", no_packets}, {"one moment", one_moment},
	{"faults and violated conservation are loud", bad_news}, {"the disk is full", disk_full},
	{"records of other kinds", other_records})
