/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics_priv.h"
#include "metrics_test_state.h"
#include "page_golden.h"
#include "page_write.h"

#include <ns_test.h>

#include <math.h>
#include <string.h>

static const struct ns_counter full = {.name = "ring_full", .kind = NS_COUNTER_DROP},
			       never = {.name = "missed", .kind = NS_COUNTER_DROP},
			       odd = {.name = "odd_note", .kind = NS_COUNTER_NOTE};
static const struct ns_counter *const all[] = {&full, &odd, &never};
static const uint64_t busy[] = {1500000000, 333};
static const struct proc proc = {.start_ns = UINT64_C(1699999990500000000),
	.cpu_ns = 20000000001,
	.resident = 8192,
	.virtual = 1 << 20,
	.threads = 6,
	.files = 17};

static char *page(const struct ns_engine_state *st)
{
	struct page_args a = {.st = st,
		.node = "golden",
		.version = "1.2.3",
		.dpdk = "DPDK 22.11",
		.counters = all,
		.counters_n = 3,
		.busy_ns = busy,
		.epoch_ns = 1000000000,
		.stalled = 2,
		.skipped = 5,
		.proc = &proc};
	size_t len = 0;
	char *text = page_make(&a, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_EQUAL(strlen(text), len);
	return text;
}

/* Says where they part: a page is long. */
static void same(const char *got, const char *want)
{
	const char *line_got = got, *line_want = want;

	for (; *got == *want && *got != '\0'; got++, want++) {
		if (*got == '\n') {
			line_got = got + 1;
			line_want = want + 1;
		}
	}
	if (*got == *want)
		return;
	printf("\n got: %.*s\nwant: %.*s\n", (int)strcspn(line_got, "\n"), line_got,
		(int)strcspn(line_want, "\n"), line_want);
	CU_FAIL("the page is another one");
}

static void whole(void)
{
	char *text = page(&test_state);

	same(text, page_golden);
	free(text);
}

static void has(const struct ns_engine_state *st, const char *line, bool yes)
{
	char *text = page(st);

	if ((strstr(text, line) != NULL) != yes) {
		printf("\n%s \"%s\"\n", yes ? "missing" : "not wanted", line);
		CU_FAIL("line");
	}
	free(text);
}

static void nothing_there(void)
{
	const struct ns_engine_state empty = {0};

	has(&empty, "netspectra_epochs_total{node=\"golden\"} 1\n", true);
	has(&empty, "netspectra_lcore_", false);
	has(&empty, "netspectra_writer_", false);
	has(&empty, "netspectra_packet_latency_seconds{node=\"golden\",quantile=\"0.99\"} NaN\n",
		true);
	has(&empty, "by_reason_total{node=\"golden\",reason=\"missed\"} 0\n", true);
	has(&empty, "netspectra_conservation_packets{node=\"golden\"} 0\n", true);
}

/* The law is looked at with what the page itself shows. */
static void law_broken(void)
{
	struct ns_engine_state st = test_state;

	st.epoch.analysed--; /* one is nowhere */
	has(&st, "netspectra_conservation_packets{node=\"golden\"} 1\n", true);
	st = test_state;
	st.epoch.last = 1; /* nothing may be in flight at the end */
	has(&st, "netspectra_conservation_packets{node=\"golden\"} 10\n", true);
	has(&st, "netspectra_stopped{node=\"golden\"} 1\n", true);
	st = test_state;
	st.epoch.analysed = 970; /* more than were received */
	st.epoch.in_flight = (uint64_t)-10;
	has(&st, "netspectra_in_flight_packets{node=\"golden\"} -10\n", true);
	has(&st, "netspectra_conservation_packets{node=\"golden\"} -10\n", true);
}

static char *written(void (*write)(const struct page *p, double v), double v)
{
	static char text[64];
	struct page p = {fmemopen(text, sizeof(text), "w"), "n"};

	CU_ASSERT_PTR_NOT_NULL_FATAL(p.f);
	write(&p, v);
	fclose(p.f);
	return text;
}

static void numbers(void)
{
	CU_ASSERT_STRING_EQUAL(written(page_f64, 0.25), "0.250000\n");
	CU_ASSERT_STRING_EQUAL(written(page_f64, -1.5), "-1.500000\n");
	CU_ASSERT_STRING_EQUAL(written(page_f64, -1e-9), "0.000000\n");
	CU_ASSERT_STRING_EQUAL(written(page_f64, 0.9999999), "1.000000\n");
	CU_ASSERT_STRING_EQUAL(written(page_f64, (double)NAN), "NaN\n");
	CU_ASSERT_STRING_EQUAL(written(page_f64, (double)INFINITY), "NaN\n");
}

static void label(const char *value, const char *want)
{
	char text[128] = "";
	struct page p = {fmemopen(text, sizeof(text), "w"), "n"};

	CU_ASSERT_PTR_NOT_NULL_FATAL(p.f);
	page_sample(&p, "m", "k", value, NULL, NULL);
	fclose(p.f);
	CU_ASSERT_EQUAL(strncmp(text, "netspectra_m{node=\"n\",k=\"", 25), 0);
	CU_ASSERT_EQUAL(strncmp(text + 25, want, strlen(want)), 0);
	CU_ASSERT_STRING_EQUAL(text + 25 + strlen(want), "\"} ");
}

static void labels(void)
{
	label("plain", "plain");
	label("a\\b\"c\nd", "a\\\\b\\\"c\\nd");
	label("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xa7", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xa7");
	label("\xc0\xaf", "??"); /* longer than it need be */
	label("\xed\xa0\x80", "???"); /* a surrogate */
	label("\xf5\x80\x80\x80", "????"); /* above U+10FFFF */
	label("\xe2\x82", "??"); /* cut */
}

NS_TEST_MAIN({"whole", whole}, {"nothing there", nothing_there}, {"law broken", law_broken},
	{"numbers", numbers}, {"labels", labels})
