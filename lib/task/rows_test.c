/* SPDX-License-Identifier: BSD-3-Clause */
/* Columns that a task asks for, and rows that it fills. */
#include "task_test_util.h"

#include <math.h>

/* A task on trial, without a plug-in behind it. */
static struct ns_task_build *trial(bool verify)
{
	static const struct tcount_conf conf = {.task = {.name = (char *)"t"}};
	struct ns_task_build *b = calloc(1, sizeof(*b));

	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	b->conf = &conf.task;
	b->verify = verify;
	b->kind = (struct ns_rec_kind){.name = "t", .fields = b->cols};
	b->shown = &b->kind;
	return b;
}

static void trial_free(struct ns_task_build *b)
{
	task_build_fini(b);
	free(b);
}

static int col(struct ns_task_build *b, const char *name, enum ns_rec_type type, uint16_t size)
{
	return ns_task_col(b,
		&(struct ns_rec_field){
			.name = name, .type = type, .size = size, .unit = "u", .help = "h"},
		NULL);
}

/* Every column where its type may stand, behind the one before it. */
static void layout(void)
{
	struct ns_task_build *b = trial(false);
	struct ns_err e;

	CU_ASSERT_EQUAL(col(b, "a", NS_REC_U8, 0), 0);
	CU_ASSERT_EQUAL(col(b, "b", NS_REC_U16, 99), 2);
	CU_ASSERT_EQUAL(col(b, "c", NS_REC_IP, 0), 4);
	CU_ASSERT_EQUAL(col(b, "d", NS_REC_PROTO, 0), 21);
	CU_ASSERT_EQUAL(col(b, "e", NS_REC_U32, 0), 24);
	CU_ASSERT_EQUAL(col(b, "f", NS_REC_PREFIX, 0), 28);
	CU_ASSERT_EQUAL(col(b, "g", NS_REC_F64, 0), 48);
	CU_ASSERT_EQUAL(col(b, "h", NS_REC_STR, 5), 56);
	CU_ASSERT_EQUAL(col(b, "i", NS_REC_VLANS, 0), 62);
	CU_ASSERT_EQUAL(col(b, "j", NS_REC_MAC, 0), 68);
	CU_ASSERT_EQUAL(col(b, "k", NS_REC_TIME, 0), 80);
	CU_ASSERT_EQUAL(b->cols[1].size, 2);
	CU_ASSERT_EQUAL(b->cols[7].size, 5);
	CU_ASSERT((b->cols[0].flags & NS_REC_NO_EXPORT) != 0);
	CU_ASSERT_EQUAL(ns_task_col(b, &(struct ns_rec_field){.name = "h", .type = NS_REC_U8}, &e),
		-EEXIST);
	CU_ASSERT_STRING_EQUAL(e.text, "the rows have a column \"h\" already");
	/* text of no octets */
	CU_ASSERT_EQUAL(col(b, "l", NS_REC_STR, 0), -EINVAL);
	CU_ASSERT_EQUAL(b->kind.fields_n, 11);
	/* what has an element goes into IPFIX */
	CU_ASSERT(ns_task_col(b,
			  &(struct ns_rec_field){.name = "m", .type = NS_REC_U64, .ipfix_ie = 2},
			  NULL) > 0);
	CU_ASSERT((b->cols[11].flags & NS_REC_NO_EXPORT) == 0);
	CU_ASSERT_STRING_EQUAL(b->cols[11].unit, "");
	trial_free(b);
}

static void limits(void)
{
	struct ns_task_build *b = trial(false);
	char *const one[] = {(char *)"src_ip"};
	struct ns_err e;
	char name[16];

	for (unsigned i = 0; i < TASK_COLS_MAX; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		CU_ASSERT(col(b, name, NS_REC_U8, 0) >= 0);
	}
	CU_ASSERT_EQUAL(col(b, "more", NS_REC_U8, 0), -ENOSPC);
	CU_ASSERT_STRING_EQUAL(b->cols[63].name, "c63");
	for (unsigned i = 0; i < TASK_KEYS_MAX; i++)
		CU_ASSERT_EQUAL(ns_task_key(b, one, 1, &e), (int)i);
	CU_ASSERT_EQUAL(ns_task_key(b, one, 1, &e), -ENOSPC);
	CU_ASSERT_EQUAL(ns_task_key_len(b, 7), 16);
	CU_ASSERT_EQUAL(ns_task_key_len(b, 8), 0);
	for (unsigned i = 0; i < TASK_VALUES_MAX; i++)
		CU_ASSERT_EQUAL(
			ns_task_value(b, i % 2 == 0 ? "l2_octets" : "tcp_window", &e), (int)i);
	CU_ASSERT_EQUAL(ns_task_value(b, "ttl", &e), -ENOSPC);
	CU_ASSERT(!ns_task_value_empty(b, 0));
	CU_ASSERT(ns_task_value_empty(b, 1));
	CU_ASSERT(!ns_task_value_empty(b, 99));
	CU_ASSERT_EQUAL(ns_task_col_key(b, 9, &e), -EINVAL);
	trial_free(b);
}

static uint64_t u64_at(const void *row, int at)
{
	uint64_t v;

	memcpy(&v, (const uint8_t *)row + at, sizeof(v));
	return v;
}

static double f64_at(const void *row, int at)
{
	double v;

	memcpy(&v, (const uint8_t *)row + at, sizeof(v));
	return v;
}

static void whole_estimates(void)
{
	struct ns_task_build *b = trial(true);
	struct ns_task_estimate c;
	uint8_t row[128] = {0};

	CU_ASSERT_EQUAL(ns_task_col_estimate(b, NS_REC_U64, "packets", &c, NULL), 0);
	CU_ASSERT_STRING_EQUAL(b->cols[0].name, "estimate");
	CU_ASSERT_STRING_EQUAL(b->cols[5].name, "error");
	CU_ASSERT_STRING_EQUAL(b->cols[0].unit, "packets");

	/* integers that a double can't tell apart */
	uint64_t v = (UINT64_C(1) << 60) + 1;

	ns_task_row_estimate_u64(row, &c, v, v - 1, UINT64_MAX, 0.95);
	CU_ASSERT_EQUAL(u64_at(row, c.estimate), v);
	CU_ASSERT_EQUAL(u64_at(row, c.lower), v - 1);
	CU_ASSERT_EQUAL(u64_at(row, c.upper), UINT64_MAX);
	CU_ASSERT_EQUAL(f64_at(row, c.confidence), 0.95);
	/* not known yet */
	CU_ASSERT(ns_rec_is_empty(&b->cols[4], row));
	CU_ASSERT(ns_rec_is_empty(&b->cols[5], row));
	ns_task_row_exact_u64(row, &c, v - 2);
	CU_ASSERT_EQUAL(u64_at(row, c.exact), v - 2);
	CU_ASSERT_EQUAL(f64_at(row, c.error), 2.0 / (double)(v - 2));
	ns_task_row_exact_u64(row, &c, v + 2);
	CU_ASSERT_EQUAL(f64_at(row, c.error), -2.0 / (double)(v + 2));
	ns_task_row_exact_u64(row, &c, v);
	CU_ASSERT_EQUAL(f64_at(row, c.error), 0);

	/* real numbers into integers: nearest, within what there is */
	ns_task_row_estimate(row, &c, 2.5, -1, 1e300, 0.9);
	CU_ASSERT_EQUAL(u64_at(row, c.estimate), 3);
	CU_ASSERT_EQUAL(u64_at(row, c.lower), 0);
	CU_ASSERT_EQUAL(u64_at(row, c.upper), UINT64_MAX);
	ns_task_row_estimate(row, &c, NAN, 0x1p63, 0x1.fffffffffffffp63, 0.9);
	CU_ASSERT_EQUAL(u64_at(row, c.estimate), 0);
	CU_ASSERT_EQUAL(u64_at(row, c.lower), UINT64_C(1) << 63);
	CU_ASSERT_EQUAL(u64_at(row, c.upper), UINT64_MAX - 2047);
	ns_task_row_estimate_u64(row, &c, 5, 4, 6, 1);
	ns_task_row_exact(row, &c, 4);
	CU_ASSERT_EQUAL(u64_at(row, c.exact), 4);
	CU_ASSERT_EQUAL(f64_at(row, c.error), 0.25);
	/* of nothing there is no part, unless there was nothing */
	ns_task_row_exact_u64(row, &c, 0);
	CU_ASSERT(isnan(f64_at(row, c.error)));
	ns_task_row_estimate_u64(row, &c, 0, 0, 0, 1);
	ns_task_row_exact_u64(row, &c, 0);
	CU_ASSERT_EQUAL(f64_at(row, c.error), 0);
	trial_free(b);
}

static void real_estimates(void)
{
	struct ns_task_build *b = trial(true);
	struct ns_task_estimate c;
	uint8_t row[128] = {0};

	CU_ASSERT_EQUAL(ns_task_col_estimate(b, NS_REC_F64, "", &c, NULL), 0);
	ns_task_row_estimate(row, &c, 1.5, 1, 2, 0.5);
	CU_ASSERT_EQUAL(f64_at(row, c.estimate), 1.5);
	CU_ASSERT(ns_rec_is_empty(&b->cols[4], row));
	CU_ASSERT(ns_rec_is_empty(&b->cols[5], row));
	ns_task_row_exact(row, &c, -3);
	CU_ASSERT_EQUAL(f64_at(row, c.exact), -3);
	CU_ASSERT_EQUAL(f64_at(row, c.error), -1.5);
	ns_task_row_estimate_u64(row, &c, 8, 7, 9, 0.5);
	ns_task_row_exact_u64(row, &c, 10);
	CU_ASSERT_EQUAL(f64_at(row, c.estimate), 8);
	CU_ASSERT_EQUAL(f64_at(row, c.exact), 10);
	CU_ASSERT_EQUAL(f64_at(row, c.error), -0.2);
	trial_free(b);

	/* without verify there are no columns, and nothing is written in their place */
	b = trial(false);
	CU_ASSERT_EQUAL(ns_task_col_estimate(b, NS_REC_F64, NULL, &c, NULL), 0);
	CU_ASSERT_EQUAL(b->kind.fields_n, 4);
	CU_ASSERT(c.exact == -1 && c.error == -1);
	memset(row, 0x55, sizeof(row));
	ns_task_row_estimate(row + 32, &c, 1, 1, 1, 1);
	ns_task_row_exact(row + 32, &c, 7);
	ns_task_row_exact_u64(row + 32, &c, 7);
	for (unsigned i = 0; i < sizeof(row); i++)
		CU_ASSERT(row[i] == 0x55 || (i >= 32 && i < 64));
	CU_ASSERT_EQUAL(ns_task_col_estimate(b, NS_REC_U32, NULL, &c, NULL), -EINVAL);
	trial_free(b);
}

struct taker {
	unsigned rows, stop_at;
	uint64_t start_ns, end_ns, epoch;
};

static int take(void *ctx, const struct ns_rec_kind *kind, const void *row)
{
	struct taker *t = ctx;

	t->start_ns = u64_at(row, kind->fields[0].offset);
	t->end_ns = u64_at(row, kind->fields[1].offset);
	t->epoch = u64_at(row, kind->fields[2].offset);
	CU_ASSERT(t->stop_at == 0 || t->rows < t->stop_at);
	return ++t->rows == t->stop_at ? -ENOSPC : 0;
}

static void taken(void)
{
	static const char *const head[] = {"start_ns", "end_ns", "epoch"};
	struct ns_tasks *ts = tasks_of("- {name: a, type: tcount, key: [src_ip, proto]}\n"
				       "- {name: b, type: tcount, verify: true, estimate: true}",
		NULL);
	struct ns_task_lcore *l = ns_task_lcore_create(ts);
	void *state = ns_tasks_state_create(ts);
	const struct ns_task_span span = {100, 350, 9};
	struct taker t = {0};
	struct test_flow f;
	struct task_packet p;

	for (unsigned i = 0; i < 40; i++) {
		test_flow_make(&f);
		struct rte_mbuf *m = test_packet_make(&p, &f);

		ns_tasks_packets(l, state, &m, 1);
	}
	ns_tasks_flush(l, state);
	CU_ASSERT_EQUAL(ns_tasks_result(ts, state, &span, take, &t), 0);
	CU_ASSERT_EQUAL(t.rows, state_of_task(ts, state, 0)->n + 1);
	CU_ASSERT(t.start_ns == 100 && t.end_ns == 350 && t.epoch == 9);
	unsigned all = t.rows;

	/* who takes may stop, at any row; others are not asked then */
	for (unsigned i = 1; i <= all; i++) {
		t = (struct taker){.stop_at = i};
		CU_ASSERT_EQUAL(ns_tasks_result(ts, state, &span, take, &t), -ENOSPC);
		CU_ASSERT_EQUAL(errno, ENOSPC);
		CU_ASSERT_EQUAL(t.rows, i);
	}

	const struct ns_rec_kind *k = ns_tasks_kind(ts, 0);

	CU_ASSERT_STRING_EQUAL(k->name, "a");
	CU_ASSERT_STRING_EQUAL(k->help, "counts of 2 fields");
	CU_ASSERT_EQUAL(k->size % 8, 0);
	CU_ASSERT_EQUAL(k->ipfix_family_field, -1);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_STRING_EQUAL(k->fields[i].name, head[i]);
	CU_ASSERT_STRING_EQUAL(k->fields[3].name, "src_ip");
	CU_ASSERT_STRING_EQUAL(k->fields[4].name, "proto");
	/* the name that the plug-in gave stood on its stack */
	CU_ASSERT_STRING_EQUAL(k->fields[5].name, "count");
	CU_ASSERT((k->fields[3].flags & NS_REC_KEY) != 0);
	CU_ASSERT_EQUAL(ns_tasks_kind(ts, 1)->fields_n, 9);
	ns_tasks_state_destroy(ts, state);
	ns_task_lcore_destroy(l);
	tasks_free(ts);
}

/* An address that is none, one of zeros, and an IPv4 one of zeros are three. */
static void no_address(void)
{
	struct ns_tasks *ts =
		tasks_of("- {name: a, type: tcount, of: flows, key: [outer_src/8/16]}\n"
			 "- {name: b, type: tcount, of: flows, key: [outer_src]}",
			NULL);
	struct ns_task_lcore *l = ns_task_lcore_create(ts);
	void *state = ns_tasks_state_create(ts);
	struct lines t, want = {.n = 0};

	for (uint8_t v = 0; v < 3; v++) {
		struct ns_flow_rec r = {.outer_src.ver = (uint8_t)(v == 0 ? 0 : 2 + 2 * v)};

		ns_tasks_record(l, state, &r);
	}
	ns_tasks_flush(l, state);
	result_of(ts, state, &t);
	lines_add(&want, "a  1 0 0");
	lines_add(&want, "a 0.0.0.0/8 1 0 0");
	lines_add(&want, "a ::/16 1 0 0");
	lines_add(&want, "b  1 0 0");
	lines_add(&want, "b 0.0.0.0 1 0 0");
	lines_add(&want, "b :: 1 0 0");
	lines_same(&t, &want);
	ns_tasks_state_destroy(ts, state);
	ns_task_lcore_destroy(l);
	tasks_free(ts);
}

NS_TEST_MAIN({"layout of rows", layout}, {"limits", limits},
	{"estimates that are integers", whole_estimates},
	{"estimates that are real", real_estimates}, {"rows are taken", taken},
	{"no address", no_address})
