/* SPDX-License-Identifier: BSD-3-Clause */
/* What is refused in the list of tasks, with place and words; what runs without a list. */
#include "task_test_util.h"

/* The message for a list that is refused. */
static const char *why(const char *list)
{
	static struct ns_err e;
	struct ns_conf *c;

	e.text[0] = '\0';
	c = conf_of(list, &e);
	CU_ASSERT_PTR_NULL(c);
	ns_conf_destroy(c);
	return e.text;
}

static void refused(const char *list, const char *want)
{
	const char *got = why(list);

	if (strncmp(got, want, strlen(want)) != 0) {
		fprintf(stderr, "%s\n  got  %s\n  want %s\n", list, got, want);
		CU_FAIL("another message");
	}
}

static void names(void)
{
	refused("- {name: Top, type: tcount}",
		"t.yaml:2:4: tasks[0].name: \"Top\" is no name: a letter, then at most 31 of a-z, "
		"0-9 and _");
	refused("- {name: 4you, type: tcount}", "t.yaml:2:4: tasks[0].name: \"4you\" is no name");
	refused("- {name: a-b, type: tcount}", "t.yaml:2:4: tasks[0].name: \"a-b\" is no name");
	refused("- {name: sqlite_a, type: tcount}",
		"t.yaml:2:4: tasks[0].name: \"sqlite_a\": tables whose names begin with");
	refused("- {name: ns_schema, type: tcount}",
		"t.yaml:2:4: tasks[0].name: \"ns_schema\": tables whose names begin with");
	refused("- {name: flow, type: tcount}",
		"t.yaml:2:4: tasks[0].name: \"flow\" is the name of a "
		"kind of records that is there");
	refused("- {name: a, type: tcount}\n- {name: b, type: tcount}\n- {name: a, type: tcount}",
		"t.yaml:4:4: tasks[2].name: there is a task \"a\" already");
	refused("- {type: tcount}", "t.yaml:2:3: tasks[0]: the key \"name\" is required");
	refused("- {name: a, type: tcuont}", "t.yaml:2:19: tasks[0].type: unknown type \"tcuont\"");
	/* 32 characters are fine */
	tasks_free(tasks_of("- {name: abcdefghijklmnopqrstuvwxyz_12345, type: tcount}", NULL));
	refused("- {name: abcdefghijklmnopqrstuvwxyz_123456, type: tcount}",
		"t.yaml:2:10: tasks[0].name: expected text of 1 to 32 octets");
}

static void filters(void)
{
	refused("- {name: a, type: tcount, when: tpc}",
		"t.yaml:2:27: tasks[0].when: filter \"tpc\": ");
	refused("- name: a\n  type: tcount\n  when: 'tcp and ('",
		"t.yaml:4:3: tasks[0].when: filter \"tcp and (\": can't parse filter expression: "
		"syntax error");
	refused("- {name: a, type: tcount, of: flows, when: tcp}",
		"t.yaml:2:38: tasks[0].when: a filter looks at packets; it can't go with \"of: "
		"flows\"");
	refused("- {name: a, type: tcount, of: packet}", "t.yaml:2:31: tasks[0].of: ");
}

static void fields(void)
{
	refused("- {name: a, type: tcount, key: [src_ip, dst]}",
		"t.yaml:2:41: tasks[0].key[1]: \"dst\" is no field of packets; there are: src_ip, "
		"dst_ip, src_port, dst_port, initiator_ip, responder_ip, initiator_port, "
		"responder_port, proto, ip_version, vlan, tunnel, tunnel_id, port, reverse, tos, "
		"ttl, tcp_flags, tcp_window, icmp_type, icmp_code, ethertype, protocol, ");
	refused("- {name: a, type: tcount, of: flows, key: [initiator_ip]}",
		"t.yaml:2:44: tasks[0].key[0]: \"initiator_ip\" is no field of flows; there are: "
		"community_id, src_ip, src_port, dst_ip");
	refused("- {name: a, type: tcount, key: [src_ip], peers: [dst_ip, src_ip/128]}",
		"t.yaml:2:58: tasks[0].peers[1]: \"src_ip/128\": the prefix lengths of IPv4 (0-32) "
		"and IPv6 (0-128) are written as \"src_ip/24\" or \"src_ip/24/48\"");
	refused("- {name: a, type: tcount, of: flows, key: [proto, start_ns]}",
		"t.yaml:2:51: tasks[0].key[1]: \"start_ns\" can't be part of a key: rows have a "
		"column of that name");
	refused("- {name: a, type: tcount, value: src_ip}",
		"t.yaml:2:27: tasks[0].value: \"src_ip\" is no number of packets; there are: ttl, ");
}

/* What only the plug-in finds, when it is asked for its columns. */
static void found_by_trial(void)
{
	refused("- {name: a, type: tcount}\n- {name: b, type: tcount, key: [src_ip], any: true}",
		"t.yaml:3:3: tasks[1]: packets that are not IP have no \"src_ip\"");
	refused("- {name: b, type: tcount, key: [port], any: true, value: ttl}",
		"t.yaml:2:3: tasks[0]: packets that are not IP have no \"ttl\"");
	refused("- {name: b, type: tcount, fail: 22}", "t.yaml:2:3: tasks[0]: told to fail");
	CU_ASSERT_EQUAL(tcount_alive, 0);
}

static void no_plugin(void)
{
	static struct ns_conf_variant lonely;
	struct ns_err e = {""};

	lonely = tcount_variant;
	lonely.type = "lonely";
	lonely.next = NULL;
	ns_conf_variant_link(&lonely);
	struct ns_tasks_args a = {.conf = conf_of("- {name: a, type: lonely}", &e)};

	CU_ASSERT_PTR_NOT_NULL_FATAL(a.conf);
	CU_ASSERT_PTR_NULL(ns_tasks_create(&a, &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_STRING_EQUAL(e.text, "task \"a\": no plug-in for the type \"lonely\"");
	ns_conf_destroy((struct ns_conf *)(uintptr_t)a.conf);
}

/* The list that holds without one, of the types that this program has: here none. */
static void defaults(void)
{
	struct ns_err e = {""};
	struct ns_conf *c = ns_conf_load(NULL, NULL, 0, &e);
	struct ns_tasks_args a = {.conf = c};

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	struct ns_tasks *ts = ns_tasks_create(&a, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(ts);
	CU_ASSERT_EQUAL(ns_tasks_n(ts), 0);
	CU_ASSERT(!ns_tasks_of_packets(ts) && !ns_tasks_of_flows(ts));
	CU_ASSERT_PTR_NULL(ns_tasks_kind(ts, 0));
	/* nothing to do is done well */
	void *state = ns_tasks_state_create(ts);
	struct ns_task_lcore *l = ns_task_lcore_create(ts);
	struct task_packet b;
	struct rte_mbuf *m = test_packet_other(&b, true);

	CU_ASSERT_PTR_NOT_NULL_FATAL(state);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	ns_tasks_packets(l, state, &m, 1);
	ns_tasks_flush(l, state);
	ns_tasks_reset(ts, state);
	CU_ASSERT_EQUAL(ns_tasks_merge(ts, state, state), 0);
	CU_ASSERT_EQUAL(ns_tasks_state_size(ts), 0);
	ns_task_lcore_destroy(l);
	ns_tasks_state_destroy(ts, state);
	ns_tasks_state_destroy(ts, NULL);
	ns_task_lcore_destroy(NULL);
	ns_tasks_destroy(ts);
	ns_tasks_destroy(NULL);
	ns_conf_destroy(c);
}

NS_TEST_MAIN({"names", names}, {"filters", filters}, {"fields", fields},
	{"found by trial", found_by_trial}, {"a type without a plug-in", no_plugin},
	{"no list", defaults})
