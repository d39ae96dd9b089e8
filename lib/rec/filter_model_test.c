/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random expressions over random records against a plain model: a tree that is printed, for the
 * filter to compile, and evaluated as it stands.
 */
#include "filter_fuzz_kind.h"
#include "ns_test.h"

#include <ns_rec_filter.h>

#include <math.h>
#include <string.h>

#define EXPRESSIONS 20000
#define RECORDS 20
#define DEPTH 6

static uint64_t seed = 88172645463325252;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* Values are few, so that tests are true now and then. */
static struct ns_ip some_ip(void)
{
	struct ns_ip ip = {.ver = (uint8_t[]){0, 4, 4, 6}[rnd(4)]};

	if (ip.ver == 0)
		return ip;
	ip.addr[0] = (uint8_t)(10 + rnd(2));
	ip.addr[3] = (uint8_t)rnd(4);
	if (ip.ver == 6)
		ip.addr[15] = (uint8_t)rnd(3);
	return ip;
}

static const char some_texts[4][5] = {"", "a", "ab", {'x', 'a', 'b', 'x', 'x'}};

static struct fuzz_rec some_record(void)
{
	struct fuzz_rec r = {.src_ip = some_ip(),
		.dst_ip = some_ip(),
		.proto = (uint8_t[]){6, 17, 1}[rnd(3)],
		.tcp_flags = (uint8_t)rnd(32),
		.src_port = (uint16_t)(440 + rnd(6)),
		.dst_port = (uint16_t)(440 + rnd(6)),
		.vlan = {.n = (uint16_t)rnd(3), .id = {1, 2}},
		.tcp_rtt_ns = rnd(5) * UINT64_C(1000000),
		.i64 = (int64_t)rnd(11) - 5,
		.f64 = rnd(4) == 0 ? NAN : rnd(9) / 4.0,
		.packets = rnd(2001)};

	r.vlan.id[0] = (uint16_t)(1 + rnd(2));
	memcpy(r.text, some_texts[rnd(4)], sizeof(r.text));
	return r;
}

/* The tree. */
struct tree {
	enum { LEAF, NOT, AND, OR } type;
	struct tree *left, *right;
	unsigned field, op;
	uint32_t value;
	struct ns_ip ip;
	unsigned bits;
};

static const char *const ops[] = {"=", "!=", "<", "<=", ">", ">="};
static const char *const texts[] = {"a", "ab", "xabxx", "b"};
static const char *const protos[] = {"tcp", "udp", "icmp"};
static const uint8_t proto_numbers[] = {6, 17, 1};

static bool order(double a, unsigned op, double b)
{
	return (const bool[]){a == b, a != b, a<b, a <= b, a> b, a >= b}[op];
}

static bool in_net(const struct ns_ip *ip, const struct tree *t)
{
	unsigned bits = NS_MIN(t->bits, ip->ver == 4 ? 32u : 128u);

	if (ip->ver != t->ip.ver)
		return false;
	for (unsigned i = 0; i < bits; i++) {
		unsigned bit = 0x80u >> i % 8;

		if ((ip->addr[i / 8] & bit) != (t->ip.addr[i / 8] & bit))
			return false;
	}
	return true;
}

static bool leaf(const struct tree *t, const struct fuzz_rec *r)
{
	uint32_t v = t->value;

	switch (t->field) {
	case 0:
		return order(r->packets, t->op, v * 200.0);
	case 1:
		return order((double)r->i64, t->op, (double)v - 5);
	case 2: /* absent: unequal to everything */
		if (isnan(r->f64))
			return t->op == 1;
		return order(r->f64, t->op, v / 4.0);
	case 3:
		if (r->tcp_rtt_ns == 0)
			return t->op == 1;
		return order((double)r->tcp_rtt_ns, t->op, v * 1e6);
	case 4: /* "!=" of several: neither */
		if (t->op == 1)
			return r->src_port != 440 + v && r->dst_port != 440 + v;
		return order(r->src_port, t->op, 440.0 + v) || order(r->dst_port, t->op, 440.0 + v);
	case 5:
		return (in_net(&r->src_ip, t) || in_net(&r->dst_ip, t)) != (t->op == 1);
	case 6:
		return in_net(&r->dst_ip, t) != (t->op == 1);
	case 7:
		return (r->proto == proto_numbers[v % 3]) != (t->op == 1);
	case 8:
		return (strnlen(r->text, 5) == strlen(texts[v % 4]) &&
			       strncmp(r->text, texts[v % 4], 5) == 0) != (t->op == 1);
	case 9:
		return memmem(r->text, strnlen(r->text, 5), texts[v % 4], strlen(texts[v % 4])) !=
		       NULL;
	case 10:
		return (r->tcp_flags & v) == v;
	case 11:
		return ((r->vlan.n > 0 && r->vlan.id[0] == v) ||
			       (r->vlan.n > 1 && r->vlan.id[1] == v)) != (t->op == 1);
	default:
		return r->tcp_rtt_ns != 0;
	}
}

static bool holds(const struct tree *t, const struct fuzz_rec *r)
{
	switch (t->type) {
	case NOT:
		return !holds(t->left, r);
	case AND:
		return holds(t->left, r) && holds(t->right, r);
	case OR:
		return holds(t->left, r) || holds(t->right, r);
	default:
		return leaf(t, r);
	}
}

static char *print_leaf(char *p, const struct tree *t)
{
	const char *op = ops[t->op];
	uint32_t v = t->value;
	char addr[64];

	*ns_put_ip(addr, &t->ip) = '\0';
	switch (t->field) {
	case 0:
		return p + (rnd(2) == 0 ? sprintf(p, "packets%s%u", op, v * 200)
					: sprintf(p, "packets %s 0x%x", op, v * 200));
	case 1:
		return p + sprintf(p, "i64 %s %d", op, (int)v - 5);
	case 2:
		return p + sprintf(p, "f64 %s %g", op, v / 4.0);
	case 3:
		return p + (rnd(2) == 0 ? sprintf(p, "rtt %s %ums", op, v)
					: sprintf(p, "tcp_rtt %s %uus", op, v * 1000));
	case 4:
		return p + sprintf(p, "port %s %u", op, 440 + v);
	case 5:
	case 6:
		return p + sprintf(p, "%s %s %s/%u",
				   t->field == 5 ? "net"
				   : rnd(2) == 0 ? "dst_ip"
						 : "dst net",
				   op, addr, t->bits);
	case 7:
		return p + (t->op == 0 && rnd(2) == 0
					   ? sprintf(p, "%s", protos[v % 3])
					   : sprintf(p, "proto %s %s", op, protos[v % 3]));
	case 8:
		return p + sprintf(p, "text %s '%s'", op, texts[v % 4]);
	case 9:
		return p + sprintf(p, "text~%s", texts[v % 4]);
	case 10:
		return p + sprintf(p, "flags ~ %u", v);
	case 11:
		return p + sprintf(p, "vlan %s %u", op, v);
	default:
		return p + sprintf(p, "rtt");
	}
}

/* Parentheses where they must be, and sometimes where they need not. */
static char *print(char *p, const struct tree *t, unsigned tight)
{
	static const unsigned tightness[] = {3, 2, 1, 0};
	bool round = tightness[t->type] < tight || rnd(4) == 0;

	if (round)
		*p++ = '(';
	if (t->type == LEAF) {
		p = print_leaf(p, t);
	} else if (t->type == NOT) {
		p = print(p + sprintf(p, rnd(2) == 0 ? "not " : "!"), t->left, 2);
	} else {
		p = print(p, t->left, tightness[t->type]);
		p += sprintf(p, "%s",
			t->type == AND ? (rnd(2) == 0 ? " and " : "&&")
				       : (rnd(2) == 0 ? " or " : "||"));
		p = print(p, t->right, tightness[t->type]);
	}
	if (round)
		*p++ = ')';
	return p;
}

static struct tree *grow(unsigned depth, struct tree **free_at)
{
	struct tree *t = (*free_at)++;

	memset(t, 0, sizeof(*t));
	t->type = depth == 0 ? LEAF : rnd(4);
	if (t->type != LEAF)
		t->left = grow(depth - 1, free_at);
	if (t->type == AND || t->type == OR)
		t->right = grow(depth - 1, free_at);
	t->field = rnd(13);
	t->op = t->field <= 4 ? rnd(6) : rnd(2);
	t->value = rnd(11);
	do
		t->ip = some_ip();
	while (t->ip.ver == 0);
	t->bits = rnd(t->ip.ver == 4 ? 33 : 129);
	return t;
}

static void as_the_model(void)
{
	static struct tree trees[2 << DEPTH];
	static char text[1 << 16];
	unsigned yes = 0, no = 0, wrong = 0;

	for (unsigned i = 0; i < EXPRESSIONS; i++) {
		struct tree *at = trees, *t = grow(i % (DEPTH + 1), &at);
		struct ns_err e = {""};
		struct ns_rec_filter *f;

		*print(text, t, 0) = '\0';
		f = ns_rec_filter_create(&fuzz_kind, text, &e);
		if (f == NULL && errno == E2BIG)
			continue;
		if (f == NULL)
			printf("%s: %s\n", text, e.text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		for (unsigned j = 0; j < RECORDS; j++) {
			struct fuzz_rec r = some_record();
			bool is = ns_rec_filter_match(f, &r), was = holds(t, &r);

			if (is != was && wrong++ == 0)
				printf("%s\n", text);
			yes += is;
			no += !is;
		}
		ns_rec_filter_destroy(f);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(yes > EXPRESSIONS && no > EXPRESSIONS);
}

NS_TEST_MAIN({"as the model", as_the_model})
