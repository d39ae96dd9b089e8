/* SPDX-License-Identifier: BSD-3-Clause */
/* What a connection's segments come to, case by case. */
#include "stream_test_util.h"

#define MEMORY (64 << 10)

static struct seen x;
static struct ns_stream s;
static struct ns_stream_pool *p;
static struct ns_stream_conf conf;
static uint64_t now;

static void renew(void)
{
	ns_stream_pool_destroy(p);
	memset(&x, 0, sizeof(x));
	memset(&s, 0, sizeof(s));
	now = UINT64_C(1700000000000) * MS;
	p = ns_stream_pool_create(&conf, &keep_ops, true);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
}

static void anew(void)
{
	conf = ns_stream_defaults;
	conf.memory = MEMORY;
	renew();
}

/* A segment of direction dir with the octets of text. */
static void say(unsigned dir, uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
	struct ns_stream_segment g = {.data = (const uint8_t *)text,
		.caplen = (uint32_t)strlen(text),
		.len = (uint32_t)strlen(text),
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.dir = (uint8_t)dir,
		.ts_ns = now,
		.clock_ns = now};

	ns_stream_segment(p, &s, &g, &x);
}

static void sends(uint32_t seq, const char *text)
{
	say(0, ACK, seq, 0, text);
}

/* What direction dir has; '_' stands for what is missing. */
static bool has(unsigned dir, const char *text)
{
	const struct kept *k = &x.dir[dir];
	bool same = k->n == strlen(text);

	for (uint64_t i = 0; same && i < k->n; i++)
		same = k->octet[i] == (text[i] == '_' ? MISSING : text[i]);
	return same && !x.wrong;
}

static struct ns_stream_stats stats(void)
{
	struct ns_stream_stats st;

	ns_stream_pool_stats(p, &st);
	return st;
}

static void handshake(uint32_t isn, uint32_t other)
{
	say(0, SYN, isn, 0, "");
	say(1, SYN | ACK, other, isn + 1, "");
	say(0, ACK, isn + 1, other + 1, "");
}

static void in_order(void)
{
	anew();
	handshake(100, 500);
	say(0, ACK | PSH, 101, 501, "GET ");
	say(0, ACK | PSH, 105, 501, "/");
	say(1, ACK, 501, 106, "200");
	CU_ASSERT(has(0, "GET /") && has(1, "200"));
	CU_ASSERT_EQUAL(stats().held, 0);
	say(0, ACK | FIN, 106, 504, "!");
	CU_ASSERT(has(0, "GET /!"));
	CU_ASSERT_EQUAL(x.dir[0].ends, 1);
	CU_ASSERT_EQUAL(x.dir[0].how, NS_STREAM_FIN);
	CU_ASSERT_FALSE(ns_stream_over(&s));
	say(1, ACK | FIN, 504, 108, "");
	CU_ASSERT_EQUAL(x.dir[1].how, NS_STREAM_FIN);
	CU_ASSERT(ns_stream_over(&s));
	ns_stream_cut(p, &s, &x);
	CU_ASSERT_EQUAL(x.dir[0].ends + x.dir[1].ends, 2);
}

static void out_of_order(void)
{
	anew();
	handshake(UINT32_MAX - 3, 500);
	sends(2, "cd");
	sends(UINT32_MAX - 2, "");
	sends(4, "ef");
	CU_ASSERT(has(0, ""));
	sends(UINT32_MAX - 2, "12345");
	CU_ASSERT(has(0, "12345cdef"));
	CU_ASSERT_EQUAL(stats().gaps, 0);
	CU_ASSERT_EQUAL(stats().chunks_used, 0);
}

static void again(void)
{
	anew();
	handshake(0, 0);
	sends(1, "abc");
	sends(1, "abc");
	sends(2, "bcde");
	sends(0, "x"); /* keep-alive */
	CU_ASSERT(has(0, "abcde"));
	CU_ASSERT_EQUAL(stats().old, 3 + 2);
}

/* Acknowledged, and more packets than are waited for. */
static void gap_by_ack(void)
{
	anew();
	conf.packets = 4;
	renew();
	handshake(0, 0);
	sends(1, "ab");
	sends(6, "fg");
	say(1, ACK, 1, 8, "");
	say(1, ACK, 1, 8, "");
	say(1, ACK, 1, 8, "");
	CU_ASSERT(has(0, "ab"));
	say(1, ACK, 1, 8, "");
	CU_ASSERT(has(0, "ab___fg"));
	CU_ASSERT_EQUAL(x.dir[0].gaps, 1);
	sends(3, "cde"); /* too late */
	CU_ASSERT(has(0, "ab___fg"));
	CU_ASSERT_EQUAL(stats().gap_octets, 3);
}

/* Not acknowledged: it is going to be sent again. */
static void no_gap_yet(void)
{
	anew();
	conf.packets = 4;
	renew();
	handshake(0, 0);
	sends(3, "cd");
	for (unsigned i = 0; i < 100; i++) {
		now += 1000 * MS;
		say(1, ACK, 1, 1, "");
	}
	CU_ASSERT(has(0, ""));
	sends(1, "ab");
	CU_ASSERT(has(0, "abcd"));
}

/* The other end is never heard: time decides. */
static void one_way(void)
{
	anew();
	say(0, SYN, 0, 0, "");
	sends(3, "cd");
	now += 999 * MS;
	sends(5, "e");
	CU_ASSERT(has(0, ""));
	now += MS;
	sends(6, "f");
	CU_ASSERT(has(0, "__cdef"));
}

static void midst(void)
{
	anew();
	sends(1000, "cd");
	sends(998, "ab");
	CU_ASSERT(has(0, ""));
	now += 1000 * MS;
	sends(1002, "e");
	CU_ASSERT(has(0, "abcde"));
	sends(990, "x");
	CU_ASSERT(has(0, "abcde"));
	CU_ASSERT_EQUAL(stats().early, 1);
	CU_ASSERT_EQUAL(stats().gaps, 0);
}

static void late_syn(void)
{
	anew();
	sends(103, "cd");
	sends(90, "old");
	say(0, SYN, 100, 0, "");
	CU_ASSERT(has(0, ""));
	sends(101, "ab");
	CU_ASSERT(has(0, "abcd"));
	CU_ASSERT_EQUAL(stats().early, 1);
}

static void fin_first(void)
{
	anew();
	handshake(0, 0);
	say(0, ACK | FIN, 3, 1, "c");
	sends(4, "behind the end");
	CU_ASSERT_EQUAL(x.dir[0].ends, 0);
	sends(1, "ab");
	CU_ASSERT(has(0, "abc"));
	CU_ASSERT_EQUAL(x.dir[0].how, NS_STREAM_FIN);
	CU_ASSERT_EQUAL(stats().outside, 1);
}

static void fin_alone(void)
{
	anew();
	handshake(0, 0);
	sends(1, "ab");
	say(0, ACK | FIN, 5, 1, "");
	ns_stream_cut(p, &s, &x);
	CU_ASSERT(has(0, "ab__"));
	CU_ASSERT_EQUAL(x.dir[0].how, NS_STREAM_FIN);
	CU_ASSERT_EQUAL(x.dir[1].how, NS_STREAM_CUT);
}

static void reset(void)
{
	anew();
	handshake(0, 0);
	say(1, RST | ACK, 1, 1, "");
	sends(1, "a"); /* was overtaken */
	ns_stream_cut(p, &s, &x);
	CU_ASSERT(has(0, "a"));
	CU_ASSERT_EQUAL(x.dir[0].how, NS_STREAM_RESET);
	CU_ASSERT_EQUAL(x.dir[1].how, NS_STREAM_RESET);
}

static void policies(void)
{
	for (unsigned i = 0; i < 2; i++) {
		anew();
		conf.overlap = i == 0 ? NS_STREAM_FIRST_WINS : NS_STREAM_LAST_WINS;
		renew();
		handshake(0, 0);
		sends(3, "cdef");
		sends(2, "BCDE");
		sends(1, "a");
		CU_ASSERT(has(0, i == 0 ? "aBcdef" : "aBCDEf"));
		CU_ASSERT_EQUAL(stats().overlap, 3);
		CU_ASSERT_EQUAL(stats().differs, 1);
		sends(1, "XX"); /* what was given away stays */
		CU_ASSERT(has(0, i == 0 ? "aBcdef" : "aBCDEf"));
	}
}

/* Cut off by the capture: a gap of just what is not there. */
static void cut_off(void)
{
	struct ns_stream_segment g = {
		.data = (const uint8_t *)"ab", .caplen = 2, .len = 6, .seq = 1, .flags = ACK};

	anew();
	handshake(0, 0);
	g.clock_ns = g.ts_ns = now;
	ns_stream_segment(p, &s, &g, &x);
	sends(7, "g");
	CU_ASSERT(has(0, "ab____g"));
	/* held ones, and somebody has the octets after all */
	g.seq = 10;
	ns_stream_segment(p, &s, &g, &x);
	sends(13, "yz");
	sends(8, "hi");
	CU_ASSERT(has(0, "ab____ghiab_yz_"));
}

static void window(void)
{
	anew();
	conf.window = 1000;
	renew();
	handshake(0, 0);
	sends(1, "a");
	sends(1003, "far");
	CU_ASSERT_EQUAL(stats().outside, 1);
	for (unsigned i = 0; i < 7; i++)
		sends(2000 + i, "z");
	/* so much was lost: it goes on with the eighth */
	CU_ASSERT_EQUAL(x.dir[0].n, 2006);
	CU_ASSERT_EQUAL(x.dir[0].octet[2005], 'z');
	CU_ASSERT_EQUAL(x.dir[0].octet[2004], MISSING);
	CU_ASSERT_FALSE(x.wrong);
}

static void held_limit(void)
{
	anew();
	conf.held = 4096;
	renew();
	handshake(0, 0);
	for (unsigned i = 0; i < 4; i++)
		sends(3 + 2 * i, "x");
	CU_ASSERT(has(0, ""));
	sends(11, "x");
	CU_ASSERT_EQUAL(x.dir[0].octet[2], 'x');
	CU_ASSERT(stats().chunks_used <= 4);
}

static void pool_full(void)
{
	static struct ns_stream other;

	anew();
	conf.memory = 2048;
	renew();
	memset(&other, 0, sizeof(other));
	handshake(0, 0);
	sends(3, "c");
	sends(5, "e");
	sends(7, "g"); /* what it holds makes room */
	CU_ASSERT(has(0, "__c"));
	CU_ASSERT_EQUAL(stats().shed, 0);

	struct ns_stream_segment g = {.flags = SYN};
	struct seen y = {0};

	ns_stream_segment(p, &other, &g, &y);
	g = (struct ns_stream_segment){
		.data = (const uint8_t *)"z", .caplen = 1, .len = 1, .seq = 9, .flags = ACK};
	sends(9, "i");
	ns_stream_segment(p, &other, &g, &y);
	CU_ASSERT_EQUAL(stats().shed, 1);
	ns_stream_cut(p, &other, &y);
	ns_stream_cut(p, &s, &x);
	CU_ASSERT(has(0, "__c_e_g_i"));
	CU_ASSERT_EQUAL(stats().chunks_used, 0);
}

static void unwanted(void)
{
	anew();
	x.dir[0].most = 2;
	handshake(0, 0);
	sends(4, "d");
	sends(1, "ab");
	CU_ASSERT(has(0, "ab"));
	CU_ASSERT_EQUAL(stats().chunks_used, 0);
	sends(3, "c");
	ns_stream_cut(p, &s, &x);
	CU_ASSERT(has(0, "ab"));
	CU_ASSERT_EQUAL(x.dir[0].ends, 0);
	CU_ASSERT_EQUAL(x.dir[1].ends, 1);
}

static void conf_wrong(void)
{
	struct ns_stream_conf c = ns_stream_defaults;

	c.memory = 10;
	CU_ASSERT_PTR_NULL(ns_stream_pool_create(&c, &keep_ops, false));
	CU_ASSERT_EQUAL(errno, EINVAL);
	c = ns_stream_defaults;
	c.window = UINT32_MAX;
	CU_ASSERT_PTR_NULL(ns_stream_pool_create(&c, &keep_ops, false));
	ns_stream_pool_destroy(p);
	p = NULL;
}

NS_TEST_MAIN({"in order", in_order}, {"out of order", out_of_order}, {"again", again},
	{"gap by ack", gap_by_ack}, {"no gap yet", no_gap_yet}, {"one way", one_way},
	{"midst", midst}, {"late syn", late_syn}, {"fin first", fin_first},
	{"fin alone", fin_alone}, {"reset", reset}, {"policies", policies}, {"cut off", cut_off},
	{"window", window}, {"held limit", held_limit}, {"pool full", pool_full},
	{"unwanted", unwanted}, {"conf wrong", conf_wrong})
