/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same packets give the same records, however often the ager runs, whatever bursts they come
 * in, over any number of tables, and whether these grow.
 */
#include "flow_test_util.h"

#include <ns_text.h>

#define SHARDS 64
#define WORKERS 4
#define LINE 1024

static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

struct plan {
	struct ns_flow_conf conf;
	const struct say *says;
	unsigned n;
	unsigned workers;
	enum { NEVER, ALWAYS, NOW_AND_THEN } age;
	bool live, bursts;
};

static struct say *packets(unsigned n, unsigned hosts)
{
	struct say *s = calloc(n, sizeof(*s));
	uint64_t ms = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (unsigned i = 0; i < n; i++) {
		static const uint8_t flags[] = {
			SYN, SYN | ACK, ACK, ACK, ACK, PSH | ACK, FIN | ACK, FIN | ACK, RST};
		uint32_t at = rnd(10) < 7 ? rnd(hosts / 8) : rnd(hosts);
		bool back = rnd(3) == 0;

		if (rnd(1000) == 0)
			ms += rnd(4000); /* silence */
		else if (rnd(4) == 0)
			ms += rnd(12);
		s[i] = (struct say){.src = back ? 1 : 2 + at,
			.dst = back ? 2 + at : 1,
			.sport = (uint16_t)(back ? 80 : 1000 + at % 3),
			.dport = (uint16_t)(back ? 1000 + at % 3 : 80),
			.proto = at % 4 != 0 ? TCP : UDP,
			.v6 = at % 5 == 0,
			.vlan = at % 7 == 0 ? 11 : 0,
			.tcp = at % 4 != 0 ? flags[rnd(NS_ARRAY_LEN(flags))] : 0,
			.seq = rnd(5000),
			.len = (uint16_t)rnd(100),
			.ttl = (uint8_t)(60 + rnd(4)),
			.ms = ms,
			.late = rnd(20) == 0 ? rnd(1500) : 0};
		if ((uint64_t)s[i].late > ms)
			s[i].late = 0;
	}
	return s;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All records of the plan as sorted lines; reasons[] counts why they ended. */
static char **play(const struct plan *p, unsigned *lines, unsigned reasons[6])
{
	enum { BURST = 32 };
	static struct test_packet b[WORKERS][BURST];
	struct rte_mbuf *m[WORKERS][BURST];
	uint16_t k[WORKERS] = {0};
	run_t *r[WORKERS];
	uint64_t last = 0;

	*lines = 0;
	for (unsigned w = 0; w < p->workers; w++)
		r[w] = run_share(
			&p->conf, w, ns_dispatch_share(SHARDS, p->workers, w), SHARDS, 0, !p->live);
	for (unsigned i = 0; i < p->n; i++) {
		struct test_packet one;
		uint32_t bucket = ns_bucket(ns_packet(packet_of(&p->says[i], &one))->hash, SHARDS);
		unsigned w = bucket % p->workers;

		m[w][k[w]] = packet_of(&p->says[i], &b[w][k[w]]);
		k[w]++;
		last = p->says[i].ms;
		if (p->bursts && k[w] < BURST && rnd(24) != 0)
			continue;
		CU_ASSERT_EQUAL(ns_flow_burst(r[w]->t, m[w], k[w], &r[w]->c), 0);
		k[w] = 0;
		if (p->age == ALWAYS)
			run_age(r[w], last);
		else if (p->age == NOW_AND_THEN && rnd(50) == 0)
			ns_flow_age(r[w]->t, T0 + last * MS);
	}
	for (unsigned w = 0; w < p->workers; w++) {
		CU_ASSERT_EQUAL(ns_flow_burst(r[w]->t, m[w], k[w], &r[w]->c), 0);
		run_end(r[w], last);
		CU_ASSERT_EQUAL(run_stat(r[w], 'c'), r[w]->n);
		CU_ASSERT_EQUAL(run_stat(r[w], 'e'), r[w]->n);
		*lines += r[w]->n;
	}
	char **text = calloc(*lines, sizeof(*text));
	unsigned at = 0;
	uint64_t total = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (unsigned w = 0; w < p->workers; w++) {
		for (unsigned i = 0; i < r[w]->n; i++) {
			char line[LINE];

			*ns_rec_put_csv(line, &ns_flow_rec_kind, &r[w]->recs[i]) = '\0';
			text[at++] = strdup(line);
			total += r[w]->recs[i].packets + r[w]->recs[i].rev_packets;
			reasons[r[w]->recs[i].end_reason]++;
		}
		run_free(r[w]);
	}
	CU_ASSERT_EQUAL(total, p->n);
	qsort(text, *lines, sizeof(*text), by_text);
	return text;
}

static void free_lines(char **text, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(text[i]);
	free(text);
}

/* Plays the plan and says whether it gives the lines of the first one. */
static bool same(const struct plan *p, char *const *want, unsigned want_n)
{
	unsigned n, reasons[6] = {0};
	char **got = play(p, &n, reasons);
	bool equal = n == want_n;

	for (unsigned i = 0; equal && i < n; i++) {
		equal = strcmp(got[i], want[i]) == 0;
		if (!equal)
			printf("\n  want %s  got  %s", want[i], got[i]);
	}
	free_lines(got, n);
	return equal;
}

static void the_same(void)
{
	static const struct ns_flow_conf confs[] = {
		{SHARDS * 4, 2, 5, true, 1}, /* evicts */
		{SHARDS * 4, 30, 0, true, 0},
		{SHARDS * 64, 1, 3, true, 3}, /* does not */
		{SHARDS * 3, 2, 1, false, 0},
	};
	unsigned all[6] = {0};

	for (unsigned i = 0; i < NS_ARRAY_LEN(confs); i++) {
		seed = UINT64_C(0x9e3779b97f4a7c15) + i;
		struct plan p = {.conf = confs[i], .n = 20000, .workers = 1};
		struct say *s = packets(p.n, 600);
		unsigned n;

		p.says = s;
		char **want = play(&p, &n, all);

		CU_ASSERT(n > 1000);
		for (unsigned age = NEVER; age <= NOW_AND_THEN; age++) {
			p.age = age;
			for (p.workers = 1; p.workers <= WORKERS; p.workers++) {
				p.bursts = rnd(2) == 0;
				CU_ASSERT(same(&p, want, n));
			}
		}
		free_lines(want, n);
		free(s);
	}
	/* nothing was left out of the experiment */
	for (unsigned reason = NS_FLOW_END_IDLE; reason <= NS_FLOW_END_RESOURCES; reason++)
		CU_ASSERT(all[reason] > 50);
}

/* More flows than a growing table begins with. */
static void grows(void)
{
	struct plan p = {.conf = {262144, 6000, 0, true, 5}, .n = 300000, .workers = 1};
	unsigned n, reasons[6] = {0};

	seed = 4711;
	struct say *s = packets(p.n, 60000);

	p.says = s;
	for (unsigned i = 0; i < p.n; i++) /* few end before the table has grown */
		s[i].tcp &= (uint8_t) ~(FIN | RST | SYN);
	p.live = true;
	char **want = play(&p, &n, reasons);

	CU_ASSERT(n > 40000);
	p.live = false;
	p.bursts = true;
	CU_ASSERT(same(&p, want, n));
	p.age = NOW_AND_THEN;
	p.conf.max = 35000; /* not a power of two, and evicts */
	free_lines(want, n);
	p.age = NEVER;
	want = play(&p, &n, reasons);
	p.age = NOW_AND_THEN;
	CU_ASSERT(same(&p, want, n));
	CU_ASSERT(reasons[NS_FLOW_END_RESOURCES] > 1000);
	free_lines(want, n);
	free(s);
}

FLOW_TEST_MAIN({"the same records", the_same}, {"a table that grows", grows})
