/* SPDX-License-Identifier: BSD-3-Clause */
/* What tasks share, their states, and that no allocation that fails does harm. */
#include "ns_test_alloc.h"
#include "task_test_util.h"

static void sharing(void)
{
	struct ns_tasks *ts =
		tasks_of("- {name: a, type: tcount, key: [src_ip], value: l2_octets}\n"
			 "- {name: b, type: tcount, key: [dst_ip], value: l2_octets}\n"
			 "- {name: c, type: tcount, key: [src_ip], peers: [dst_ip]}\n"
			 "- {name: d, type: tcount, key: [src_ip], peers: [dst_ip], once: true}\n"
			 "- {name: e, type: tcount, key: [dst_ip], once: true}\n"
			 "- {name: f, type: tcount, key: [src_ip/24], when: tcp}\n"
			 "- {name: g, type: tcount, key: [src_ip/24/48], when: tcp}\n"
			 "- {name: h, type: tcount, key: [src_ip/24], once: true, when: tcp}\n"
			 "- {name: i, type: tcount, key: [src_ip], when: udp}\n"
			 "- {name: j, type: tcount, of: flows, key: [src_ip]}\n"
			 "- {name: k, type: tcount, of: flows, key: [src_ip], once: true}\n"
			 "- {name: l, type: tcount, any: true, key: [port], once: true}\n"
			 "- {name: m, type: tcount, key: [proto, src_ip]}\n"
			 "- {name: n, type: tcount, key: [src_ip, proto]}",
			NULL);
	static const unsigned feed[] = {0, 0, 0, 1, 1, 2, 2, 2, 3, 4, 4, 5, 0, 0};
	/* src_ip, dst_ip, and the two orders of the last: columns are in the order asked for */
	static const unsigned keys[] = {4, 2, 2, 1, 1, 1}, values[] = {1, 0, 0, 0, 0, 0};

	CU_ASSERT_EQUAL(ns_tasks_n(ts), 14);
	CU_ASSERT_EQUAL_FATAL(ts->feeds_n, 6);
	for (unsigned i = 0; i < 14; i++)
		CU_ASSERT_EQUAL(ts->tasks[i]->feed, feed[i]);
	for (unsigned i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL(ts->feeds[i].keys_n, keys[i]);
		CU_ASSERT_EQUAL(ts->feeds[i].values_n, values[i]);
	}
	CU_ASSERT(ts->feeds[1].once && !ts->feeds[2].once && !ts->feeds[5].once);
	CU_ASSERT(ts->feeds[5].any && ts->any);
	CU_ASSERT_EQUAL(ts->whens_n, 2);
	CU_ASSERT_PTR_EQUAL(ts->feeds[2].when->text, ts->tasks[5]->conf->when);
	CU_ASSERT_EQUAL(ts->tasks[3]->key_at[1], 1);
	tasks_free(ts);
}

static void slots(void)
{
	static const struct {
		struct ns_tasks_args args;
		uint32_t slots;
	} cases[] = {
		{{.live = true}, 1u << 20},
		{{.live = true, .bound = 5000}, 1u << 20},
		{{.bound = 0}, 1u << 24},
		{{.bound = 5000}, 5000},
		{{.bound = 5}, 1024},
		{{.bound = UINT64_C(1) << 40}, 1u << 24},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++) {
		struct ns_tasks *ts = tasks_of("- {name: a, type: tcount}", &cases[i].args);

		CU_ASSERT_EQUAL(ns_task_verify_slots(ts->tasks[0]), cases[i].slots);
		CU_ASSERT(!ns_task_verify(ts->tasks[0]));
		tasks_free(ts);
	}
	struct ns_tasks *ts = tasks_of(
		"- {name: a, type: tcount}\n- {name: b, type: tcount, verify: true}", NULL);

	CU_ASSERT(!ns_task_verify(ts->tasks[0]) && ns_task_verify(ts->tasks[1]));
	tasks_free(ts);
	ts = tasks_of("- {name: a, type: tcount}", &(struct ns_tasks_args){.verify = true});
	CU_ASSERT(ns_task_verify(ts->tasks[0]));
	tasks_free(ts);
}

/* States of one task do not meet those of another; merged halves are the whole. */
static void states(void)
{
	static const char list[] =
		"- {name: a, type: tcount, key: [src_ip], value: l2_octets}\n"
		"- {name: b, type: tcount, key: [proto, responder_port], once: true}\n"
		"- {name: c, type: tcount, value: ttl}\n"
		"- {name: d, type: tcount, of: flows, key: [src_port]}";
	static struct lines whole, merged, nothing;
	struct ns_tasks *ts = tasks_of(list, &(struct ns_tasks_args){.seed = 77});
	struct ns_task_lcore *l = ns_task_lcore_create(ts);
	void *s[3];
	struct test_flow flows[20];
	struct task_packet p;

	for (unsigned i = 0; i < 3; i++) {
		s[i] = ns_tasks_state_create(ts);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s[i]);
		CU_ASSERT_EQUAL((uintptr_t)s[i] % NS_CACHE_LINE, 0);
	}
	CU_ASSERT_EQUAL(ns_tasks_state_size(ts),
		4 * task_align(sizeof(struct tcount_state), NS_CACHE_LINE));
	for (unsigned i = 0; i < 20; i++)
		test_flow_make(&flows[i]);
	for (unsigned i = 0; i < 900; i++) {
		struct rte_mbuf *m = test_packet_make(&p, &flows[test_below(20)]);
		struct ns_flow_rec r = {.src_port = (uint16_t)test_below(9)};
		void *part = s[1 + i % 2];

		/* what waits goes with the state that it came for */
		ns_tasks_packets(l, s[0], &m, 1);
		ns_tasks_record(l, s[0], &r);
		ns_tasks_flush(l, s[0]);
		ns_tasks_packets(l, part, &m, 1);
		ns_tasks_record(l, part, &r);
		ns_tasks_flush(l, part);
	}
	result_of(ts, s[0], &whole);
	CU_ASSERT(whole.n > 20);
	CU_ASSERT_EQUAL(ns_tasks_merge(ts, s[1], s[2]), 0);
	result_of(ts, s[1], &merged);
	lines_same(&merged, &whole);
	ns_tasks_reset(ts, s[1]);
	result_of(ts, s[1], &nothing);
	CU_ASSERT_EQUAL(nothing.n, 0);
	for (unsigned i = 0; i < 3; i++)
		ns_tasks_state_destroy(ts, s[i]);
	ns_task_lcore_destroy(l);
	tasks_free(ts);
}

static int merge_fails(const void *task, void *into, const void *from)
{
	return -EBADMSG;
}

static int result_fails(const void *task, const void *state, struct ns_task_out *o)
{
	return -EIO;
}

static void failures(void)
{
	struct ns_tasks *ts = tasks_of("- {name: a, type: tcount}", NULL);
	void *s = ns_tasks_state_create(ts);
	struct ns_task_ops ops = tcount_ops;
	struct lines t = {.n = 0};

	ops.merge = merge_fails;
	ops.result = result_fails;
	ts->tasks[0]->ops = &ops;
	CU_ASSERT_EQUAL(ns_tasks_merge(ts, s, s), -EBADMSG);
	CU_ASSERT_EQUAL(errno, EBADMSG);
	CU_ASSERT_EQUAL(ns_tasks_result(ts, s, &(struct ns_task_span){0}, lines_row, &t), -EIO);
	CU_ASSERT_EQUAL(errno, EIO);
	ns_tasks_state_destroy(ts, s);
	tasks_free(ts);
}

/* Large states begin at a large page. */
static void large(void)
{
	struct ns_tasks *ts = tasks_of("- {name: a, type: tcount}", NULL);

	for (size_t mib = 1; mib < 9; mib++) {
		void *s[2];

		ts->state_size = (mib << 20) + 64;
		for (unsigned i = 0; i < 2; i++) {
			s[i] = ns_tasks_state_create(ts);
			CU_ASSERT_PTR_NOT_NULL_FATAL(s[i]);
			CU_ASSERT(mib < 2 || (uintptr_t)s[i] % (2u << 20) == 0);
			memset(s[i], 1, ts->state_size);
		}
		ns_tasks_state_destroy(ts, s[0]);
		CU_ASSERT_EQUAL(((uint8_t *)s[1])[ts->state_size - 1], 1);
		ns_tasks_state_destroy(ts, s[1]);
	}
	/* more than there is room for */
	ts->state_size = SIZE_MAX / 4;
	CU_ASSERT_PTR_NULL(ns_tasks_state_create(ts));
	CU_ASSERT_EQUAL(errno, ENOMEM);
	tasks_free(ts);
}

static void nth_allocation(void)
{
	struct ns_err e;
	struct ns_conf *conf =
		conf_of("- {name: a, type: tcount, key: [src_ip], peers: [dst_ip]}\n"
			"- {name: b, type: tcount, value: ttl, estimate: true}\n"
			"- {name: c, type: tcount, of: flows, key: [src_ip, tunnel]}",
			&e);
	const struct ns_tasks_args a = {.conf = conf};
	struct ns_tasks *ts = NULL;
	unsigned n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(conf);
	for (n = 1; n < 1000; n++) {
		ns_test_alloc_fail(n);
		ts = ns_tasks_create(&a, &e);
		if (ns_test_alloc_done())
			break;
		/* only a task's line of help can be done without */
		if (ts == NULL) {
			CU_ASSERT_EQUAL(errno, ENOMEM);
			CU_ASSERT_EQUAL(tcount_alive, 0);
		} else {
			CU_ASSERT_STRING_EQUAL(ns_tasks_kind(ts, 0)->name, "a");
		}
		ns_tasks_destroy(ts);
	}
	CU_ASSERT(n > 15 && n < 1000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ts);
	void *s = ns_tasks_state_create(ts);

	ns_test_alloc_fail(1);
	int rc = ns_tasks_result(ts, s, &(struct ns_task_span){0}, lines_row, NULL);

	CU_ASSERT(!ns_test_alloc_done());
	CU_ASSERT_EQUAL(rc, -ENOMEM);
	ns_tasks_state_destroy(ts, s);
	ns_tasks_destroy(ts);
	ns_conf_destroy(conf);
}

/* Without libpcap's own, which does not survive all of them. */
static void nth_allocation_of_filters(void)
{
	struct ns_err e;

	for (unsigned n = 1; n <= 3; n++) {
		ns_test_alloc_fail(n);
		struct task_when *w = task_when_create("tcp port 80", &e);

		CU_ASSERT(!ns_test_alloc_done());
		CU_ASSERT_PTR_NULL(w);
		CU_ASSERT_EQUAL(errno, ENOMEM);
	}
}

NS_TEST_MAIN({"what is shared", sharing}, {"room for the exact answer", slots}, {"states", states},
	{"failures go up", failures}, {"large states", large},
	{"the nth allocation fails", nth_allocation},
	{"the nth allocation for filters fails", nth_allocation_of_filters})
