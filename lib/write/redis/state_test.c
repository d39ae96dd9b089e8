/* SPDX-License-Identifier: BSD-3-Clause */
#include "redis_priv.h"
#include "redis_test_util.h"

#include <ns_test_alloc.h>

/* What an engine says of itself. */
static void own_state(void)
{
	struct redis_state s;
	struct ns_counter_rec c[2] = {
		{.name = "ring_full", .drop = 1, .value = 10, .epoch_value = 3},
		{.name = "note_it", .value = 7, .epoch_value = 7}};
	struct ns_lcore_rec l[2] = {{.lcore = 1, .cpu = 3, .role = "rx", .packets = 5},
		{.lcore = 2, .cpu = 4, .role = "analysis", .epoch_busy = 0.25}};
	struct ns_writer_rec w = {.name = "csv", .target = "out.csv", .status = "ok", .records = 9};

	up(&s, &redis_conf_defaults);
	CU_ASSERT_FALSE(redis_test_put(&s, &ns_counter_rec_kind, c, 2));
	CU_ASSERT_FALSE(redis_test_put(&s, &ns_lcore_rec_kind, l, 2));
	CU_ASSERT_FALSE(redis_test_put(&s, &ns_writer_rec_kind, &w, 1));
	CU_ASSERT_TRUE(redis_test_end(&s, 41));
	CU_ASSERT_EQUAL(s.records, 6);
	has(&s, "HSET " K "counters ", "ring_full 10 note_it 7\n");
	has(&s, "HSET " K "counters:epoch ", "ring_full 3 note_it 7\n");
	has(&s, "SADD " K "counters:drops ", "ring_full\n");
	has(&s, "HSET " K "lcore:1 ",
		"lcore 1 cpu 3 role rx packets 5 bursts 0 full_bursts 0 empty_polls 0 "
		"epoch_packets 0 epoch_busy 0 burst_fill 0 longest_ns 0 ring_used 0 ring_size 0 "
		"flows 0 flows_max 0 paused 0\n");
	CU_ASSERT_EQUAL(count(&s, "HSET " K "lcore:2 lcore 2 cpu 4 role analysis"), 1);
	has(&s, "HSET " K "writers ",
		"csv {\"kind\":\"writer\",\"name\":\"csv\",\"target\":\"out.csv\",\"status\":\"ok\","
		"\"records\":9,\"octets\":0,\"lost\":0,\"queued\":0,\"queue_max\":0,"
		"\"reconnects\":0,\"message\":null}\n");
	CU_ASSERT_EQUAL(count(&s, "HSET " K "epoch epoch 41 start_ns 1700000000000000000 "), 1);
	char *h = lines(&s, "HSET " K "health ");

	CU_ASSERT_PTR_NOT_NULL(strstr(h, "node n1 boot "));
	CU_ASSERT_PTR_NOT_NULL(strstr(h, " status running start_ns "));
	CU_ASSERT_PTR_NOT_NULL(strstr(h, " epoch 41 end_ns 1700000001000000000 epoch_ms 1000 "
					 "ttl_ms 3000 writes 1 reconnects 0 lost 0 flows_from "
					 "ended flows\n"));
	free(h);
	/* what is not there is not made */
	CU_ASSERT_EQUAL(count(&s, "SADD " K "tasks"), 0);
	CU_ASSERT_EQUAL(count(&s, "ZADD "), 0);
	redis_state_fini(&s);
}

/* One transaction: MULTI, DEL of all keys, ..., a time to live for each key written, EXEC. */
static void whole(void)
{
	struct redis_state s;
	struct ns_lcore_rec l = {.lcore = 5};
	char *text;

	up(&s, &redis_conf_defaults);
	for (uint64_t epoch = 0; epoch < 2; epoch++) {
		redis_test_put(&s, &ns_lcore_rec_kind, &l, 1);
		CU_ASSERT_TRUE_FATAL(redis_test_end(&s, epoch));
		text = redis_test_text(&s.buf);
		CU_ASSERT_EQUAL(strncmp(text,
					"MULTI\nDEL " K "health " K "epoch " K "counters " K
					"counters:epoch " K "counters:drops " K "writers " K
					"tasks " K "hosts " K "flows " K "flows:rows",
					20),
			0);
		/* a key that is new is cleared when it comes, later with all others */
		CU_ASSERT_EQUAL(count(&s, "DEL " K "lcore:5"), epoch == 0);
		CU_ASSERT_EQUAL(strstr(text, "flows:rows " K "lcore:5\n") != NULL, epoch == 1);
		CU_ASSERT_EQUAL(strcmp(text + strlen(text) - 6, "\nEXEC\n"), 0);
		unsigned n = 0;

		for (const char *p = text; *p != '\0'; p++)
			n += *p == '\n';
		CU_ASSERT_EQUAL(n, s.buf.commands);
		free(text);
		CU_ASSERT_EQUAL(count(&s, "PEXPIRE " K "lcore:5 3000"), 1);
		CU_ASSERT_EQUAL(count(&s, "PEXPIRE " K "health 3000"), 1);
		CU_ASSERT_EQUAL(count(&s, "PEXPIRE " K "epoch 3000"), 1);
		redis_state_next(&s);
	}
	/* gone in the third: deleted, not kept alive */
	CU_ASSERT_TRUE(redis_test_end(&s, 2));
	CU_ASSERT_EQUAL(count(&s, "PEXPIRE " K "lcore:5"), 0);
	CU_ASSERT_EQUAL(count(&s, "PEXPIRE "), 3); /* health, epoch, tasks which is empty */
	redis_state_fini(&s);
}

/* Rows of one epoch and the end of another are never one state. */
static void lost_between(void)
{
	struct ns_test_kind *k = ns_test_kind_create("top");
	struct ns_test_row r = ns_test_row(1);
	struct redis_state s;

	up(&s, &redis_conf_defaults);
	redis_test_put(&s, &k->kind, &r, 1);
	CU_ASSERT_FALSE(redis_test_end(&s, 8)); /* the rows say 7 */
	CU_ASSERT_EQUAL(s.lost, 2);
	redis_test_put(&s, &k->kind, &r, 1);
	r.epoch = 9;
	redis_test_put(&s, &k->kind, &r, 1); /* the end of 7 is missing */
	CU_ASSERT_EQUAL(s.lost, 3);
	CU_ASSERT_TRUE(redis_test_end(&s, 9));
	CU_ASSERT_EQUAL(s.records, 2);
	CU_ASSERT_EQUAL(count(&s, "MULTI"), 1);
	CU_ASSERT_EQUAL(count(&s, "ZADD"), 1);
	has(&s, "HSET " K "task:top ",
		"help largest senders key src_ip dst_net score estimate unit packets epoch 9 rows 1 "
		"kept 1\n");
	redis_state_fini(&s);
	free(k);
}

static void many_keys(void)
{
	struct redis_state s;
	struct ns_lcore_rec l = {0};

	up(&s, &redis_conf_defaults);
	for (l.lcore = 0; l.lcore < 300; l.lcore++)
		redis_test_put(&s, &ns_lcore_rec_kind, &l, 1);
	CU_ASSERT_TRUE(redis_test_end(&s, 0));
	CU_ASSERT_EQUAL(s.keys_n, REDIS_FIXED + 300);
	redis_state_fini(&s);
}

/* An allocation that fails costs the epoch, counted, and not the next one. */
static void no_memory(void)
{
	struct ns_test_kind *k = ns_test_kind_create("top");
	struct ns_test_row r = ns_test_row(1);
	struct flow f = flow(1, 1000, 50);
	unsigned n = 1;

	CU_ASSERT_EQUAL_FATAL(ns_node_init("n1", NULL), 0);
	for (bool all = false; !all; n++) {
		struct redis_state s;
		int rc;
		bool ok;

		ns_test_alloc_fail(n);
		rc = redis_state_init(&s, &redis_conf_defaults, 1000, &redis_test_stats);
		if (rc == 0) {
			redis_test_put(&s, &flow_kind, &f, 1);
			redis_test_put(&s, &k->kind, &r, 1);
			ok = redis_test_end(&s, 7);
		}
		all = ns_test_alloc_done();
		if (rc < 0) {
			CU_ASSERT_EQUAL(rc, -ENOMEM);
			continue;
		}
		/* only the list of flows may do without its memory */
		CU_ASSERT(ok || s.lost == 3);
		redis_state_next(&s);
		redis_test_put(&s, &k->kind, &r, 1);
		CU_ASSERT_TRUE(redis_test_end(&s, 7));
		CU_ASSERT_EQUAL(count(&s, "ZADD " K "task:top:top 999.5 10.0.0.1"), 1);
		redis_state_fini(&s);
	}
	CU_ASSERT(n > 15);
	free(k);
}

NS_TEST_MAIN({"what the engine says", own_state}, {"one transaction", whole},
	{"records lost between", lost_between}, {"many keys", many_keys}, {"no memory", no_memory})
