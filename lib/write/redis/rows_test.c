/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of tasks, hosts and flows as commands. */
#include "redis_priv.h"
#include "redis_test_util.h"

static void rows(void)
{
	struct redis_state s;
	struct redis_conf conf = redis_conf_defaults;
	struct ns_test_kind *top = ns_test_kind_create("top");
	struct ns_test_row r[3] = {ns_test_row(1), ns_test_row(2), ns_test_row(3)};

	conf.top = 4;
	up(&s, &conf);
	CU_ASSERT_FALSE(redis_test_put(&s, &top->kind, r, 3));
	r[0] = ns_test_row(4);
	r[1] = ns_test_row(5);
	CU_ASSERT_FALSE(redis_test_put(&s, &top->kind, r, 2));
	CU_ASSERT_TRUE(redis_test_end(&s, 7));
	CU_ASSERT_EQUAL(s.records, 6);
	/* the fifth is counted only */
	has(&s, "ZADD " K "task:top:top ",
		"999.5 10.0.0.1 none 998.5 10.0.0.2 2001:db8::/32 997.5 10.0.0.3 none\n"
		"996.5 10.0.0.4 2001:db8::/32\n");
	has(&s, "HSET " K "task:top ",
		"help largest senders key src_ip dst_net score estimate unit packets epoch 7 rows 5 "
		"kept 4\n");
	has(&s, "SADD " K "tasks ", "top\n");
	char *got = lines(&s, "HSET " K "task:top:rows ");

	CU_ASSERT_PTR_EQUAL(strstr(got, "1 {\"kind\":\"top\",\"start_ns\":170000000"), got);
	CU_ASSERT_PTR_NOT_NULL(strstr(got, "} 3 {\"kind\":\"top\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(got, "}\n4 {\"kind\":\"top\""));
	CU_ASSERT_PTR_NULL(strstr(got, "10.0.0.5"));
	free(got);
	/* two columns in the key: these are no hosts */
	CU_ASSERT_EQUAL(count(&s, "ZUNIONSTORE"), 0);
	redis_state_fini(&s);
	free(top);
}

/* A kind with these columns out of the row's: start_ns, end_ns, epoch, and the bits of @p more. */
static struct ns_test_kind *kind_of(const char *name, unsigned more, const char *score)
{
	struct ns_test_kind *k = ns_test_kind_create(name);
	unsigned n = 3;

	for (unsigned i = 3; i < k->kind.fields_n; i++) {
		if ((more >> i & 1) != 0)
			k->fields[n++] = k->fields[i];
	}
	k->kind.fields_n = n;
	for (unsigned i = 3; i < n && score != NULL; i++) {
		if (strcmp(k->fields[i].name, score) == 0)
			k->fields[i].unit = "octets";
	}
	return k;
}

#define SRC 0x10u
#define OCTETS 0x40u
#define ESTIMATE 0x80u

/* Hosts: one address and nothing else; by octets rather than packets; or as configured. */
static void hosts(void)
{
	struct ns_test_kind *by_packets = kind_of("by_packets", SRC | ESTIMATE, NULL),
			    *by_octets = kind_of("by_octets", SRC | OCTETS, NULL),
			    *other = kind_of("other", SRC | OCTETS, NULL);
	struct ns_test_row r = ns_test_row(1);
	struct redis_conf conf = redis_conf_defaults;

	other->fields[3].name = "dst_ip";
	for (int i = 0; i < 2; i++) {
		struct redis_state s;

		up(&s, &conf);
		redis_test_put(&s, &other->kind, &r, 1);
		redis_test_put(&s, &by_packets->kind, &r, 1);
		redis_test_put(&s, &by_octets->kind, &r, 1);
		CU_ASSERT_TRUE(redis_test_end(&s, 7));
		has(&s, "ZUNIONSTORE " K "hosts 1 " K,
			i == 0 ? "task:by_octets:top\n" : "task:other:top\n");
		has(&s, "ZADD " K "task:by_octets:top ", "4999999999 10.0.0.1\n");
		CU_ASSERT_EQUAL(count(&s, "PEXPIRE " K "hosts 3000"), 1);
		has(&s, "HSET " K "health hosts_from ", i == 0 ? "by_octets\n" : "other\n");
		redis_state_fini(&s);
		conf.hosts_from = (char *)"other";
	}
	free(by_packets);
	free(by_octets);
	free(other);
}

/* Without a key there are no members, and the one row is the hash. */
static void without_key(void)
{
	struct ns_test_kind *k = kind_of("hosts_seen", ESTIMATE | 0x100u, NULL);
	struct ns_test_row r = ns_test_row(2);
	struct redis_state s;

	up(&s, &redis_conf_defaults);
	redis_test_put(&s, &k->kind, &r, 1);
	CU_ASSERT_TRUE(redis_test_end(&s, 7));
	has(&s, "HSET " K "task:hosts_seen ",
		"start_ns 1700000000000000000 end_ns 1700000060000000000 epoch 7 estimate 998.5 "
		"lower 900.25\n"
		"help largest senders score estimate unit packets epoch 7 rows 1 kept 1\n");
	CU_ASSERT_EQUAL(count(&s, "ZADD"), 0);
	CU_ASSERT_EQUAL(count(&s, "HSET " K "task:hosts_seen:rows 1 {"), 1);
	redis_state_fini(&s);
	free(k);
}

/* The sum of what found no room is a row, and no member; a value that is not known is neither. */
static void rest(void)
{
	struct ns_test_kind *k = kind_of("exact", SRC | ESTIMATE | 0x8u, NULL);
	struct ns_test_row r[3] = {ns_test_row(1), ns_test_row(2), ns_test_row(3)};
	struct redis_state s;

	k->fields[3].name = "overflow"; /* it was the rank */
	r[0].rank = r[1].rank = 0;
	r[2].rank = 1;
	r[1].estimate = NAN;
	up(&s, &redis_conf_defaults);
	redis_test_put(&s, &k->kind, r, 3);
	CU_ASSERT_TRUE(redis_test_end(&s, 7));
	has(&s, "ZADD " K "task:exact:top ", "999.5 10.0.0.1\n");
	CU_ASSERT_EQUAL(count(&s, "HSET " K "task:exact:rows 1 {"), 1);
	char *got = lines(&s, "HSET " K "task:exact:rows ");

	CU_ASSERT_PTR_NOT_NULL(strstr(got, "} 3 {"));
	free(got);
	redis_state_fini(&s);
	free(k);
}

static void ended_flows(void)
{
	struct flow f[4] = {
		flow(1, 1000, 50), flow(2, 1000, 500), flow(3, 1000, 5), flow(1, 1000, 70)};
	struct redis_conf conf = redis_conf_defaults;
	struct redis_state s;

	conf.flows = 3;
	up(&s, &conf);
	CU_ASSERT_FALSE(redis_test_put(&s, &flow_kind, f, 4));
	CU_ASSERT_TRUE(redis_test_end(&s, 0));
	CU_ASSERT_EQUAL(s.records, 5);
	/* the one that came twice: the larger is the last word */
	has(&s, "ZADD " K "flows ",
		"51 10.0.0.1 10.0.0.99 1000 443 tcp 71 10.0.0.1 10.0.0.99 1000 443 tcp "
		"501 10.0.0.2 10.0.0.99 1000 443 tcp\n");
	char *got = lines(&s, "HSET " K "flows:rows ");

	CU_ASSERT_EQUAL(strncmp(got, "1 {\"kind\":\"flow\",\"src_ip\":\"10.0.0.2\"", 36), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(got, "} 3 {"));
	free(got);
	redis_state_next(&s);
	CU_ASSERT_TRUE(redis_test_end(&s, 1));
	CU_ASSERT_EQUAL(count(&s, "ZADD"), 0);
	redis_state_fini(&s);
}

/* A task that tells flows that are there is better than flows that have ended. */
static void active_flows(void)
{
	static const unsigned key[] = {3, 4, 5, 6, 7};
	struct ns_test_kind *k = ns_test_kind_create("talks");
	struct ns_test_row r[3] = {ns_test_row(1), ns_test_row(2), ns_test_row(3)};
	static const char *const names[] = {"src_port", "src_ip", "dst_ip", "dst_port", "proto"};
	static const enum ns_rec_type types[] = {
		NS_REC_U16, NS_REC_IP, NS_REC_IP, NS_REC_U16, NS_REC_PROTO};
	struct redis_conf conf = redis_conf_defaults;
	struct flow f = flow(1, 1000, 50);
	struct redis_state s;

	for (unsigned i = 0; i < NS_ARRAY_LEN(key); i++) {
		k->fields[key[i]].name = names[i];
		k->fields[key[i]].type = types[i];
		k->fields[key[i]].flags |= NS_REC_KEY;
	}
	k->fields[8].name = "estimate";
	r[0].lower = r[2].lower = 5;
	conf.flows = 2;
	up(&s, &conf);
	redis_test_put(&s, &flow_kind, &f, 1);
	redis_test_put(&s, &k->kind, r, 3);
	CU_ASSERT_TRUE(redis_test_end(&s, 7));
	char *flows = lines(&s, "ZADD " K "flows "), *top = lines(&s, "ZADD " K "task:talks:top ");

	CU_ASSERT_EQUAL(strncmp(flows, "5 1 10.0.0.1 ", 13), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(flows, " 10.0.0.2 "));
	CU_ASSERT_PTR_NULL(strstr(flows, " 10.0.0.3 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(top, " 10.0.0.3 "));
	free(flows);
	free(top);
	CU_ASSERT_EQUAL(count(&s, "HSET " K "flows:rows 1 {\"kind\":\"talks\""), 1);
	CU_ASSERT_EQUAL(count(&s, "ZADD " K "flows "), 1);
	redis_state_fini(&s);
	free(k);
}

/* A task that comes anew under its name goes on in the same keys. */
static void reload(void)
{
	struct ns_test_kind *old = ns_test_kind_create("top"), *new = ns_test_kind_create("top");
	struct ns_test_row r = ns_test_row(1);
	struct redis_state s;

	up(&s, &redis_conf_defaults);
	redis_test_put(&s, &old->kind, &r, 1);
	CU_ASSERT_TRUE(redis_test_end(&s, 7));
	unsigned keys = s.keys_n;

	redis_state_next(&s);
	redis_test_put(&s, &new->kind, &r, 1);
	CU_ASSERT_TRUE(redis_test_end(&s, 7));
	CU_ASSERT_EQUAL(s.keys_n, keys);
	CU_ASSERT_EQUAL(s.tasks_n, 1);
	has(&s, "SADD " K "tasks ", "top\n");
	CU_ASSERT_EQUAL(count(&s, "HSET " K "task:top:rows 1 {"), 1);
	redis_state_fini(&s);
	free(old);
	free(new);
}

NS_TEST_MAIN({"rows", rows}, {"hosts", hosts}, {"without a key", without_key}, {"the rest", rest},
	{"ended flows", ended_flows}, {"active flows", active_flows}, {"reload", reload})
