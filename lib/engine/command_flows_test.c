/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands on two tables of real flows, in an engine that has nothing else: what they answer,
 * refuse and offer.
 */
#include "engine_priv.h"
#include "live_flow.h"
#include "ns_test.h"
#include "ns_test_eal.h"
#include "sweep.h"

#include <ns_command.h>
#include <ns_registry.h>

#include <string.h>

#define T0 UINT64_C(1700000000000000000)
#define FLOWS 300 /* of each table */
#define SAID 4096

static struct ns_engine engine;
static struct lcore lcores[3]; /* the first reads, the others analyse */
static struct lcore_stats stats[3];

struct packet {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
};

/* Flow i goes from 10.0.0.i to 192.0.2.1, i + 1 packets; the odd ones are TCP to port 443. */
static void say(struct ns_flow_table *t, uint32_t i, bool back)
{
	struct packet b;
	struct rte_mbuf *m = memset(&b, 0, sizeof(b));
	struct ns_packet *p = ns_packet(m);
	struct ns_counters c = {0};

	p->flags = NS_PKT_DECODED | NS_PKT_IP | NS_PKT_PORTS | (back ? NS_PKT_SWAPPED : 0) |
		   (i % 2 != 0 ? NS_PKT_TCP : 0);
	p->ts_ns = p->clock_ns = T0 + i * NS_SEC_NS / 1000;
	p->ip_octets = back ? 1000 : 100;
	p->wirelen = p->ip_octets + 14;
	p->ttl = 64;
	p->tuple = (struct ns_tuple){.a = {10, 0, (uint8_t)(i >> 8), (uint8_t)i},
		.b = {192, 0, 2, 1},
		.ver = 4,
		.proto = i % 2 != 0 ? 6 : 17,
		.pa = __builtin_bswap16((uint16_t)(1024 + i)),
		.pb = __builtin_bswap16(i % 2 != 0 ? 443 : 53)};
	p->hash = ns_tuple_hash(&p->tuple);
	ns_flow_burst(t, &m, 1, &c);
}

static void ended(void *ctx, const struct ns_flow_ended *flow)
{
}

static void set_up(void)
{
	static const struct ns_flow_conf conf = {.max = 4096, .idle = 60, .active = 600};
	static const struct ns_flow_hooks hooks = {ended, NULL};

	ns_test_eal();
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	engine.lcores = lcores;
	engine.lcores_n = 3;
	engine.flow_conf = &conf;
	for (unsigned l = 0; l < 3; l++)
		lcores[l].stats = &stats[l];
	for (unsigned l = 1; l < 3; l++) {
		struct ns_flow_table *t = ns_flow_table_create(&conf, l, 64, 64, 0, false, &hooks);

		CU_ASSERT_PTR_NOT_NULL_FATAL(t);
		lcores[l].flows = t;
		for (uint32_t i = l - 1; i < 2 * FLOWS; i += 2) {
			for (uint32_t n = 0; n <= i; n++)
				say(t, i, false);
		}
	}
	say(lcores[1].flows, 4, true); /* one that is answered */
	stats[1].clock_ns = T0 + NS_SEC_NS;
}

/* What was said. */
static struct {
	char text[SAID];
	const struct ns_rec_kind *kind;
	struct live_flow recs[1000];
	unsigned n;
} said;

static void keep_record(void *ctx, const struct ns_rec_kind *kind, const void *rec)
{
	said.kind = kind;
	memcpy(&said.recs[said.n++], rec, sizeof(struct live_flow));
}

static void keep_text(void *ctx, const char *text)
{
	CU_ASSERT_FATAL(strlen(said.text) + strlen(text) + 2 < SAID);
	strcat(strcat(said.text, text), "\n");
}

static const struct ns_command_out out = {.record = keep_record, .text = keep_text};

/* Words of a line; the command's are the first two. */
static struct ns_command_call call_of(char *line, const char **argv, const struct ns_command **cmd)
{
	struct ns_command_call c = {.engine = &engine, .argv = argv + 2, .out = &out};
	unsigned n = 0, used;
	char *save, *w = strtok_r(line, " ", &save);

	memset(&said, 0, sizeof(said));
	for (; w != NULL; w = strtok_r(NULL, " ", &save))
		argv[n++] = strcmp(w, "''") == 0 ? "" : w;
	*cmd = ns_command_find(argv, n, &used, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(*cmd);
	CU_ASSERT_EQUAL_FATAL(used, 2);
	c.argc = n - 2;
	return c;
}

static int run(const char *text, struct ns_err *e)
{
	const char *argv[NS_COMMAND_ARGS];
	const struct ns_command *cmd;
	char line[SAID];
	struct ns_command_call c = call_of(strcpy(line, text), argv, &cmd);

	e->text[0] = '\0';
	return cmd->run(&c, e);
}

/* Words that are offered, with a blank behind each. */
static const char *offers(const char *text)
{
	const char *argv[NS_COMMAND_ARGS];
	const struct ns_command *cmd;
	char line[SAID];
	struct ns_command_call c = call_of(strcpy(line, text), argv, &cmd);

	cmd->complete(&c);
	for (char *p = said.text; (p = strchr(p, '\n')) != NULL;)
		*p = ' ';
	return said.text;
}

static uint64_t number(unsigned i, const char *field)
{
	uint64_t v = 0;

	for (unsigned f = 0; f < said.kind->fields_n; f++) {
		if (strcmp(said.kind->fields[f].name, field) == 0) {
			CU_ASSERT_TRUE(ns_rec_get_u64(&said.kind->fields[f], &said.recs[i], &v));
			return v;
		}
	}
	CU_FAIL(field);
	return 0;
}

static void lists(void)
{
	struct ns_err e;

	CU_ASSERT_EQUAL(run("show flows", &e), 0);
	CU_ASSERT_EQUAL(said.n, 20);
	for (unsigned i = 0; i < said.n; i++)
		CU_ASSERT_EQUAL(number(i, "packets"), 600 - i);
	CU_ASSERT_STRING_EQUAL(said.text, "20 of 600 flows\n");
	CU_ASSERT_EQUAL(number(0, "total_octets"), 60000);
	CU_ASSERT_STRING_EQUAL(said.recs[0].flow.community_id, "1:dEXFHmvYraWwULHqBPHE8oFwQig=");

	CU_ASSERT_EQUAL(run("show flows top 1000", &e), 0);
	CU_ASSERT_EQUAL(said.n, 600);
	CU_ASSERT_EQUAL(number(599, "packets"), 1);

	CU_ASSERT_EQUAL(run("show flows top 3 by age", &e), 0);
	CU_ASSERT_EQUAL_FATAL(said.n, 3);
	CU_ASSERT_EQUAL(number(0, "age_ns"), NS_SEC_NS);
	CU_ASSERT_EQUAL(number(2, "age_ns"), NS_SEC_NS - 2 * NS_SEC_NS / 1000);
	CU_ASSERT_EQUAL(number(2, "idle_ns"), number(2, "age_ns"));

	CU_ASSERT_EQUAL(run("show flows by src_port top 2", &e), 0);
	CU_ASSERT_EQUAL(number(1, "src_port"), 1024 + 598);

	/* a field that is in no list is shown when it is asked for */
	CU_ASSERT_EQUAL(run("show flows by rev_packets top 2", &e), 0);
	CU_ASSERT_EQUAL(number(0, "rev_packets"), 1);
	CU_ASSERT_EQUAL(number(0, "packets"), 5);
	CU_ASSERT_EQUAL(run("show flows by ttl_max top 1", &e), 0);
	CU_ASSERT_EQUAL(number(0, "ttl_max"), 64);

	/* no handshake was seen: there is nothing to put in order */
	CU_ASSERT_EQUAL(run("show flows by rtt", &e), 0);
	CU_ASSERT_EQUAL(said.n, 0);
	CU_ASSERT_STRING_EQUAL(said.text, "0 of 600 flows\n");
}

static void filters(void)
{
	struct ns_err e;

	CU_ASSERT_EQUAL(run("show flows filter tcp and packets <= 10", &e), 0);
	CU_ASSERT_EQUAL(said.n, 5);
	CU_ASSERT_EQUAL(number(0, "packets"), 10);
	CU_ASSERT_STRING_EQUAL(said.text, "5 of 5 flows that match\n");
	CU_ASSERT_EQUAL(run("show flows top 2 by packets filter src net 10.0.1.0/24", &e), 0);
	CU_ASSERT_STRING_EQUAL(said.text, "2 of 256 flows that match\n");
	CU_ASSERT_EQUAL(number(0, "total_packets"), 512);
	CU_ASSERT_EQUAL(run("show flows filter port 53 and total_octets > 59000", &e), 0);
	CU_ASSERT_EQUAL(said.n, 5);
	CU_ASSERT_EQUAL(run("show flows filter age > 997ms and idle < 1h", &e), 0);
	CU_ASSERT_EQUAL(said.n, 3);
	CU_ASSERT_EQUAL(
		run("show flows filter community_id '1:dEXFHmvYraWwULHqBPHE8oFwQig='", &e), 0);
	CU_ASSERT_EQUAL(said.n, 1);
	CU_ASSERT_EQUAL(number(0, "packets"), 600);
}

static void one(void)
{
	struct ns_err e;

	CU_ASSERT_EQUAL(run("show flow 1:dEXFHmvYraWwULHqBPHE8oFwQig=", &e), 0);
	CU_ASSERT_EQUAL(said.n, 1);
	CU_ASSERT_EQUAL(number(0, "l2_octets"), 600 * 114);
	CU_ASSERT_EQUAL(number(0, "end_reason"), 0);
	CU_ASSERT_EQUAL(number(0, "tcp_retransmits"), 0);
	CU_ASSERT_EQUAL(said.kind->fields_n, ns_flow_rec_kind.fields_n + 5);
	CU_ASSERT_EQUAL(run("show flow 1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=", &e), -ENOENT);
	CU_ASSERT_STRING_EQUAL(e.text, "no flow that goes on has this Community ID");
}

static void refuses(void)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"show flows tcp", "\"tcp\": expected top N, by FIELD or filter EXPRESSION"},
		{"show flows top", "\"top\": how many is missing"},
		{"show flows by", "\"by\": a field is missing"},
		{"show flows top 0", "\"0\": how many is 1 to 1000"},
		{"show flows top 1001", "\"1001\": how many is 1 to 1000"},
		{"show flows top x", "\"x\": how many is 1 to 1000"},
		{"show flows by src_ip",
			"flows have no number \"src_ip\"; they have packets, octets, age, idle,"},
		{"show flows filter", "filter: column 1, where the filter ends"},
		{"show flows filter packest 5", "filter: column 1, \"packest\": no such field"},
		{"show flows filter tcp and dst_port 70000", "filter: column 18, \"70000\""},
		{"show flow", "expected one Community ID"},
		{"show flow 1:x", "\"1:x\" is no Community ID, as 1:"},
	};
	struct ns_err e;
	struct ns_command_call none = {.out = &out};

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		CU_ASSERT_EQUAL(run(bad[i].line, &e), -EINVAL);
		if (strncmp(e.text, bad[i].why, strlen(bad[i].why)) != 0)
			printf("\n%s: %s ", bad[i].line, e.text);
		CU_ASSERT_EQUAL(strncmp(e.text, bad[i].why, strlen(bad[i].why)), 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		const char *const words[] = {"show", i == 0 ? "flows" : "flow"};
		unsigned used;
		const struct ns_command *cmd = ns_command_find(words, 2, &used, NULL);

		CU_ASSERT_PTR_NOT_NULL_FATAL(cmd);
		CU_ASSERT_EQUAL(cmd->run(&none, &e), -ENOENT);
		CU_ASSERT_STRING_EQUAL(e.text, "no engine runs");
	}
}

static void completes(void)
{
	CU_ASSERT_STRING_EQUAL(offers("show flows ''"), "top by filter ");
	CU_ASSERT_STRING_EQUAL(offers("show flows t"), "top ");
	CU_ASSERT_STRING_EQUAL(offers("show flows top ''"), "");
	CU_ASSERT_STRING_EQUAL(offers("show flows top 5 ''"), "by filter ");
	CU_ASSERT_STRING_EQUAL(offers("show flows by rt"), "rtt ");
	CU_ASSERT_STRING_EQUAL(offers("show flows by pa"), "packets ");
	CU_ASSERT_STRING_EQUAL(offers("show flows by rev_p"), "rev_packets ");
	CU_ASSERT_STRING_EQUAL(offers("show flows filter tot"), "total_packets total_octets ");
	CU_ASSERT_STRING_EQUAL(
		offers("show flows by age filter src ''"), "= != host net port and or ");
	CU_ASSERT_STRING_EQUAL(offers("show flows filter proto ''"),
		"tcp udp icmp ipv6-icmp sctp gre esp = != and or ");
}

static int count(void *ctx, struct ns_flow_rec *r, unsigned n)
{
	*(unsigned *)ctx += n;
	return 0;
}

/* A walk without time looks at a slice each time, and goes on where it was, if asked the same. */
static void goes_on(void)
{
	struct sweep s = {0};
	unsigned n = 0, rounds = 0;
	char text[96];

	CU_ASSERT_FALSE(sweep_begin(&s, &engine, strdup("a")));
	do {
		sweep_run(&s, 0, count, &n);
		rounds++;
		if (s.done)
			break;
		CU_ASSERT_TRUE(sweep_begin(&s, &engine, strdup("a")));
		CU_ASSERT_EQUAL(n, FLOWS);
		sweep_text(&s, text, sizeof(text));
		CU_ASSERT_STRING_EQUAL(text, "300 of 600 flows (50 %)");
	} while (rounds < 10);
	CU_ASSERT_EQUAL(n, 2 * FLOWS);
	CU_ASSERT_EQUAL(rounds, 2);
	/* what is done begins anew, and so does another question */
	CU_ASSERT_FALSE(sweep_begin(&s, &engine, strdup("a")));
	sweep_run(&s, 0, count, &n);
	CU_ASSERT_FALSE(sweep_begin(&s, &engine, strdup("b")));
	CU_ASSERT_EQUAL(s.looked, 0);
	sweep_end(&s);
}

/* Live, time goes on when no packet comes, but not for a port that plays an old capture. */
static void clocks(void)
{
	uint64_t real = ns_clock_real();

	CU_ASSERT_EQUAL(ns_engine_clock(&engine), T0 + NS_SEC_NS);
	engine.live = true;
	CU_ASSERT_EQUAL(ns_engine_clock(&engine), T0 + NS_SEC_NS);
	stats[2].clock_ns = real - 30 * NS_SEC_NS;
	CU_ASSERT_TRUE(ns_engine_clock(&engine) >= real);
	stats[2].clock_ns = real - 70 * NS_SEC_NS;
	CU_ASSERT_EQUAL(ns_engine_clock(&engine), real - 70 * NS_SEC_NS);
	CU_ASSERT_EQUAL(ns_engine_flows_now(&engine), 2 * FLOWS);
}

NS_TEST_MAIN({"set up", set_up}, {"lists", lists}, {"filters", filters}, {"one", one},
	{"refuses", refuses}, {"completes", completes}, {"goes on", goes_on}, {"clocks", clocks})
