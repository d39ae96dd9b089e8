/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every order of small sets of segments that overlap, are lost and are cut off, and random ones,
 * against a model written for clarity: an array with an octet, or none, for each offset.
 */
#include "stream_test_util.h"

#define PLACES 64
#define NOTHING (-2)
#define ISN UINT32_C(0xfffffff0) /* it wraps in the midst */
#define SETS 6
#define ROUNDS 40000

struct part {
	uint32_t off, len, caplen;
	uint8_t mark; /* added to each octet's place */
};

struct model {
	int16_t held[PLACES];
	int16_t out[PLACES];
	unsigned next;
	bool last_wins;
};

static uint8_t octet_of(const struct part *p, uint32_t off)
{
	return (uint8_t)(off + p->mark);
}

static void model_take(struct model *m, const struct part *p)
{
	for (uint32_t off = p->off; off < p->off + p->len; off++) {
		int16_t v = off < p->off + p->caplen ? octet_of(p, off) : MISSING;

		if (off < m->next)
			continue;
		if (m->held[off] == NOTHING || (m->held[off] == MISSING && v != MISSING) ||
			(m->last_wins && v != MISSING))
			m->held[off] = v;
	}
	while (m->next < PLACES && m->held[m->next] != NOTHING) {
		m->out[m->next] = m->held[m->next];
		m->next++;
	}
}

/* How many octets the stream has: up to the last one that is known of. */
static unsigned model_end(struct model *m)
{
	unsigned end = m->next;

	for (unsigned i = m->next; i < PLACES; i++) {
		m->out[i] = m->held[i] == NOTHING ? MISSING : m->held[i];
		if (m->held[i] != NOTHING)
			end = i + 1;
	}
	return end;
}

static struct ns_stream_pool *pool_of(bool last_wins)
{
	struct ns_stream_conf conf = ns_stream_defaults;

	conf.memory = 1 << 20;
	conf.packets = UINT32_MAX;
	conf.wait_ms = UINT32_MAX;
	conf.overlap = last_wins ? NS_STREAM_LAST_WINS : NS_STREAM_FIRST_WINS;
	return ns_stream_pool_create(&conf, &keep_ops, false);
}

static void send(struct ns_stream_pool *p, struct ns_stream *s, struct seen *x, uint8_t flags,
	const struct part *part)
{
	uint8_t data[PLACES];
	struct ns_stream_segment g = {.data = data, .flags = flags, .seq = ISN};

	if (part != NULL) {
		for (uint32_t i = 0; i < part->caplen; i++)
			data[i] = octet_of(part, part->off + i);
		g.seq = ISN + 1 + part->off;
		g.len = part->len;
		g.caplen = part->caplen;
	}
	ns_stream_segment(p, s, &g, x);
}

/* Parts in this order, behind a SYN; those whose bit in lost is set do not come. */
static bool same(struct ns_stream_pool *p, bool last_wins, const struct part *parts,
	const unsigned *order, unsigned n, unsigned lost)
{
	struct ns_stream s = {0};
	struct ns_stream_stats st;
	static struct seen x;
	struct model m = {.last_wins = last_wins};

	memset(&x, 0, sizeof(x));
	for (unsigned i = 0; i < PLACES; i++)
		m.held[i] = NOTHING;
	send(p, &s, &x, SYN, NULL);
	for (unsigned i = 0; i < n; i++) {
		if ((lost >> order[i] & 1) != 0)
			continue;
		send(p, &s, &x, ACK, &parts[order[i]]);
		model_take(&m, &parts[order[i]]);
		if (x.dir[0].n != m.next)
			return false;
	}
	unsigned end = model_end(&m);

	ns_stream_cut(p, &s, &x);
	ns_stream_pool_stats(p, &st);
	return !x.wrong && x.dir[0].n == end && x.dir[0].ends == 1 && st.chunks_used == 0 &&
	       memcmp(x.dir[0].octet, m.out, end * sizeof(m.out[0])) == 0;
}

/* Calls itself for each place; false at the first difference. */
static bool all_orders(struct ns_stream_pool *p, bool last_wins, const struct part *parts,
	unsigned *order, unsigned n, unsigned at)
{
	if (at == n) {
		for (unsigned lost = 0; lost < 1u << n; lost++) {
			if (!same(p, last_wins, parts, order, n, lost))
				return false;
		}
		return true;
	}
	for (unsigned i = at; i < n; i++) {
		unsigned keep = order[at];

		order[at] = order[i];
		order[i] = keep;
		if (!all_orders(p, last_wins, parts, order, n, at + 1))
			return false;
		order[i] = order[at];
		order[at] = keep;
	}
	return true;
}

static void orders(void)
{
	static const struct part sets[][SETS] = {
		{{0, 5, 5, 0}, {5, 5, 5, 0}, {10, 5, 5, 0}, {15, 5, 5, 0}},
		{{0, 8, 8, 0}, {4, 8, 8, 100}, {8, 8, 8, 50}, {2, 20, 20, 7}, {30, 4, 4, 0}},
		{{0, 10, 4, 0}, {4, 6, 6, 9}, {10, 10, 0, 0}, {6, 12, 3, 90}, {0, 20, 11, 40}},
		{{12, 3, 3, 1}, {0, 30, 30, 2}, {5, 1, 1, 3}, {7, 20, 20, 4}, {29, 9, 5, 5}},
		{{20, 30, 30, 1}, {22, 5, 5, 2}, {24, 10, 2, 3}, {1, 60, 1, 4}, {0, 2, 2, 5}},
	};

	for (unsigned policy = 0; policy < 2; policy++) {
		struct ns_stream_pool *p = pool_of(policy == 1);

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		for (unsigned i = 0; i < NS_ARRAY_LEN(sets); i++) {
			unsigned order[SETS] = {0, 1, 2, 3, 4, 5}, n = 0;

			while (n < SETS && sets[i][n].len > 0)
				n++;
			CU_ASSERT(all_orders(p, policy == 1, sets[i], order, n, 0));
		}
		ns_stream_pool_destroy(p);
	}
}

static uint64_t seed = 88172645463325252;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

static void any(void)
{
	unsigned order[16], wrong = 0;
	const char *rounds = getenv("NS_STREAM_ROUNDS");
	unsigned most = rounds != NULL ? (unsigned)strtoul(rounds, NULL, 10) : ROUNDS;
	struct ns_stream_pool *p[2] = {pool_of(false), pool_of(true)};

	CU_ASSERT_PTR_NOT_NULL_FATAL(p[0]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p[1]);
	for (unsigned i = 0; i < NS_ARRAY_LEN(order); i++)
		order[i] = i;
	for (unsigned r = 0; r < most; r++) {
		struct part parts[16];
		unsigned n = 1 + rnd(16);

		for (unsigned i = 0; i < n; i++) {
			uint32_t off = rnd(PLACES - 1), len = 1 + rnd(PLACES - off);
			uint32_t caplen = rnd(4) == 0 ? rnd(len + 1) : len;

			parts[i] = (struct part){off, len, caplen, (uint8_t)(rnd(3) * 70)};
		}
		wrong += !same(p[r & 1], (r & 1) != 0, parts, order, n, 0);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	ns_stream_pool_destroy(p[0]);
	ns_stream_pool_destroy(p[1]);
}

NS_TEST_MAIN({"every order and loss", orders}, {"any segments", any})
