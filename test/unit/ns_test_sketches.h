/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * For tests of task types: what two engines have counted of some packets each, serialised, read and
 * merged, is what one engine has counted that saw all of them.
 */

#include "ns_test_task.h"

#include <ns_sketch_set.h>

#define NS_TEST_SKETCH_PACKETS 3000u

/* The sketches of task 0 over all lanes, serialised; memory for free(). */
static inline uint8_t *ns_test_sketches_of(struct ns_test_tasks *t, size_t *len)
{
	static const struct ns_task_span span = {NS_TEST_T0, NS_TEST_T0 + NS_SEC_NS, 1};
	void *all = ns_tasks_state_create(t->ts);

	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	for (unsigned i = 0; i < t->lanes; i++) {
		ns_test_feed(t, &t->lane[i]);
		ns_tasks_flush(t->lane[i].l, t->lane[i].state);
		CU_ASSERT_EQUAL(ns_tasks_merge(t->ts, all, t->lane[i].state), 0);
	}
	struct ns_sketch_set *s = ns_tasks_sketches(t->ts, 0, all, &span);

	CU_ASSERT_TRUE(ns_tasks_sketched(t->ts, 0));
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	*len = ns_sketch_set_write_size(s);
	uint8_t *out = malloc(*len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	CU_ASSERT_EQUAL(ns_sketch_set_write(s, out), *len);
	ns_tasks_sketches_free(s);
	ns_tasks_state_destroy(t->ts, all);
	return out;
}

/* Packet @p i of the traffic: some hosts, ports and lengths, again and again. */
static inline void ns_test_sketches_say(struct ns_test_tasks *t, unsigned lane, unsigned i)
{
	char from[24], to[24];

	snprintf(from, sizeof(from), "10.0.%u.%u", i * 7 % 3, i * 7 % 199);
	snprintf(to, sizeof(to), "11.%u.0.%u", i % 5, i * 13 % 251);
	ns_test_say(t, lane,
		&(struct ns_test_say){.src = from,
			.dst = to,
			.sport = (uint16_t)(1000 + i % 11),
			.dport = (uint16_t)(i % 17),
			.len = 60 + i % 900,
			.ms = i});
}

/*
 * The list has one task. Even and odd packets go to engines of two lanes and of one; @p same: what
 * they have together is to the bit what one engine has that saw all.
 */
static inline void ns_test_sketches_merge(const char *list, bool same)
{
	struct ns_test_tasks *t[3] = {ns_test_tasks(list, 2, false), ns_test_tasks(list, 1, false),
		ns_test_tasks(list, 1, false)};
	struct ns_sketch_set *s[2];
	uint8_t *form[3];
	size_t len[3];
	struct ns_err e = {""};

	for (unsigned i = 0; i < NS_TEST_SKETCH_PACKETS; i++) {
		ns_test_sketches_say(t[i % 2], i % 2 == 0 ? i / 2 % 2 : 0, i);
		ns_test_sketches_say(t[2], 0, i);
	}
	for (unsigned k = 0; k < 3; k++)
		form[k] = ns_test_sketches_of(t[k], &len[k]);
	for (unsigned k = 0; k < 2; k++) {
		s[k] = ns_sketch_set_parse(form[k], len[k], &e);
		if (s[k] == NULL)
			printf("\n%s\n", e.text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s[k]);
	}
	CU_ASSERT_EQUAL(ns_sketch_set_merge(s[0], s[1], &e), 0);
	size_t n = ns_sketch_set_write_size(s[0]);
	uint8_t *out = malloc(n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	CU_ASSERT_EQUAL(ns_sketch_set_write(s[0], out), n);
	CU_ASSERT_TRUE(len[2] > 100);
	if (same) {
		CU_ASSERT_EQUAL(n, len[2]);
		CU_ASSERT_TRUE(n == len[2] && memcmp(out, form[2], n) == 0);
	}
	free(out);
	for (unsigned k = 0; k < 3; k++) {
		free(form[k]);
		ns_test_tasks_end(t[k]);
	}
	ns_sketch_set_destroy(s[0]);
	ns_sketch_set_destroy(s[1]);
}
