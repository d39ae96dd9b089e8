/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * For tests of the room: configurations, packets made by hand, and results as lines of text,
 *sorted. Include in one file of a test program.
 *
 *	struct ns_tasks *ts = tasks_of("- {name: t, type: tcount, key: [src_ip]}", NULL);
 */

#include "ns_test.h"
#include "task_priv.h"
#include "task_test_count.h"

#include <ns_registry.h>
#include <ns_text.h>

#include <stdarg.h>
#include <string.h>

/* --- configurations ------------------------------------------------------------------------ */

static struct ns_conf *tasks_conf; /* of the last tasks_of() */

static inline struct ns_conf *conf_of(const char *list, struct ns_err *e)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "tasks:\n%s\n", list);

	CU_ASSERT_FATAL(n > 0 && (size_t)n < sizeof(text));
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	return ns_conf_parse(text, (size_t)n, "t.yaml", NULL, 0, e);
}

/* The compiled list; the test ends without it. NULL args: file mode, nothing known. */
static inline struct ns_tasks *tasks_of(const char *list, const struct ns_tasks_args *args)
{
	struct ns_tasks_args a = args != NULL ? *args : (struct ns_tasks_args){0};
	struct ns_err e = {""};

	ns_conf_destroy(tasks_conf);
	tasks_conf = conf_of(list, &e);
	a.conf = tasks_conf;
	if (a.conf == NULL)
		fprintf(stderr, "%s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a.conf);
	struct ns_tasks *ts = ns_tasks_create(&a, &e);

	if (ts == NULL)
		fprintf(stderr, "%s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ts);
	return ts;
}

static inline void tasks_free(struct ns_tasks *ts)
{
	ns_tasks_destroy(ts);
	ns_conf_destroy(tasks_conf);
	tasks_conf = NULL;
	CU_ASSERT_EQUAL(tcount_alive, 0);
}

static inline struct tcount_state *state_of_task(
	const struct ns_tasks *ts, void *state, unsigned task)
{
	return (struct tcount_state *)((uint8_t *)state + ts->tasks[task]->state_at);
}

/* --- results as text ----------------------------------------------------------------------- */

struct lines {
	unsigned n;
	char *l[4096];
};

static inline void lines_add(struct lines *t, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	CU_ASSERT_FATAL(t->n < NS_ARRAY_LEN(t->l));
	t->l[t->n] = strdup(buf);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->l[t->n]);
	t->n++;
}

static inline int lines_row(void *ctx, const struct ns_rec_kind *kind, const void *row)
{
	char buf[2048], *p = buf;

	p = ns_put_str(p, kind->name);
	for (unsigned i = TASK_COLS_HEAD; i < kind->fields_n; i++) {
		*p++ = ' ';
		p = ns_rec_put_text(p, &kind->fields[i], row);
	}
	*p = '\0';
	lines_add(ctx, "%s", buf);
	return 0;
}

static inline int lines_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void lines_sort(struct lines *t)
{
	qsort(t->l, t->n, sizeof(t->l[0]), lines_order);
}

static inline void lines_free(struct lines *t)
{
	for (unsigned i = 0; i < t->n; i++)
		free(t->l[i]);
	t->n = 0;
}

/* All rows of all tasks but their first three columns, sorted. */
static inline void result_of(const struct ns_tasks *ts, const void *state, struct lines *t)
{
	static const struct ns_task_span span = {1000, 3000, 7};

	t->n = 0;
	CU_ASSERT_EQUAL(ns_tasks_result(ts, state, &span, lines_row, t), 0);
	lines_sort(t);
}

/* Compares, and shows the first difference. */
static inline void lines_same(struct lines *a, struct lines *b)
{
	CU_ASSERT_EQUAL(a->n, b->n);
	for (unsigned i = 0; i < NS_MIN(a->n, b->n); i++) {
		if (strcmp(a->l[i], b->l[i]) == 0)
			continue;
		fprintf(stderr, "row %u: \"%s\" is not \"%s\"\n", i, a->l[i], b->l[i]);
		CU_FAIL("rows differ");
		break;
	}
	lines_free(a);
	lines_free(b);
}

/* --- packets ------------------------------------------------------------------------------- */

struct task_packet {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
	uint8_t data[128];
};

/* xorshift64*, Vigna 2016 */
static uint64_t test_rand_state = 1;

static inline uint64_t test_rand(void)
{
	uint64_t x = test_rand_state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	test_rand_state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint32_t test_below(uint32_t n)
{
	return (uint32_t)(test_rand() >> 32) % n;
}

/* A flow of the test's world. */
struct test_flow {
	bool v6;
	uint8_t proto;
	uint8_t addr[2][16]; /* initiator, responder; IPv4 in the first four octets */
	uint16_t port[2];
	uint8_t icmp_type[2];
	uint16_t vlan[2];
	uint8_t tunnel;
	bool seen[2];
};

static inline void test_flow_make(struct test_flow *f)
{
	static const uint8_t protos[] = {6, 6, 17, 17, 1, 58, 47};

	memset(f, 0, sizeof(*f));
	f->v6 = test_below(3) == 0;
	f->proto = protos[test_below(sizeof(protos))];
	for (unsigned i = 0; i < 2; i++) {
		if (f->v6) {
			f->addr[i][0] = 0x20;
			f->addr[i][1] = 0x01;
			f->addr[i][4] = (uint8_t)test_below(4);
			f->addr[i][9] = (uint8_t)(1 + test_below(3));
			f->addr[i][15] = (uint8_t)(1 + test_below(4));
		} else {
			f->addr[i][0] = 10;
			f->addr[i][1] = (uint8_t)test_below(3);
			f->addr[i][2] = (uint8_t)(test_below(2) * 128);
			f->addr[i][3] = (uint8_t)test_below(6);
		}
		f->port[i] = f->proto == 47 ? 0 : (uint16_t)(50 + test_below(4) * 4000);
	}
	f->icmp_type[0] = 8;
	f->vlan[0] = (uint16_t)(test_below(3) == 0 ? 1 + test_below(3) * 2000 : 0);
	f->vlan[1] = (uint16_t)(f->vlan[0] != 0 && test_below(2) == 0 ? 101 : 0);
	f->tunnel = (uint8_t)(test_below(4) == 0);
}

static inline bool test_is_icmp(const struct test_flow *f)
{
	return f->proto == 1 || f->proto == 58;
}

/* A packet of the flow as decode and the flow table leave it. */
static inline struct rte_mbuf *test_packet_make(struct task_packet *b, struct test_flow *f)
{
	unsigned dir = test_below(2);
	const uint8_t *src = f->addr[dir], *dst = f->addr[dir ^ 1];

	memset(b, 0, sizeof(*b));
	b->m.buf_addr = b->data;
	b->m.priv_size = NS_PACKET_PRIV;
	b->m.data_len = sizeof(b->data);
	struct ns_packet *p = ns_packet(&b->m);
	bool swapped = memcmp(src, dst, 16) > 0;

	p->linktype = NS_LINKTYPE_ETHERNET;
	p->flags = NS_PKT_DECODED | NS_PKT_IP | NS_PKT_PORTS | (swapped ? NS_PKT_SWAPPED : 0);
	memcpy(p->tuple.a, swapped ? dst : src, 16);
	memcpy(p->tuple.b, swapped ? src : dst, 16);
	p->tuple.ver = f->v6 ? 6 : 4;
	p->tuple.proto = f->proto;
	memcpy(p->tuple.vlan, f->vlan, sizeof(f->vlan));
	p->tuple.tunnel = f->tunnel;
	p->tunnel_id = f->tunnel != 0 ? test_below(3) : 0;
	if (test_is_icmp(f)) {
		p->icmp_type = f->icmp_type[dir];
		p->icmp_code = (uint8_t)test_below(2);
		p->dport = (uint16_t)(p->icmp_type * 256 + p->icmp_code);
		p->flow_dport = (uint16_t)(f->icmp_type[0] * 256);
	} else {
		p->sport = f->port[dir];
		p->dport = f->port[dir ^ 1];
		p->flow_dport = f->port[1];
	}
	if (f->proto == 6) {
		p->flags |= NS_PKT_TCP;
		p->tcp_flags = (uint8_t)(16 + test_below(3));
		p->tcp_window = (uint16_t)test_below(65536);
		p->l4_len = (uint16_t)test_below(3);
	}
	p->l3_off = 14;
	p->l4_off = p->payload_off = f->v6 ? 54 : 34;
	p->ip_octets = 60 + test_below(3);
	p->wirelen = p->ip_octets + 14 + test_below(2);
	p->caplen = 64 + test_below(2);
	p->port = (uint16_t)test_below(2);
	p->ttl = (uint8_t)(60 + test_below(3));
	p->tos = (uint8_t)(4 * test_below(2));
	p->ethertype = f->v6 ? 0x86dd : 0x0800;
	p->flow = NS_PKT_FLOW | (dir != 0 ? NS_PKT_REVERSE : 0);
	if (!f->seen[0] && !f->seen[1])
		p->flow |= NS_PKT_FLOW_NEW;
	if (!f->seen[dir])
		p->flow |= NS_PKT_FLOW_FIRST;
	f->seen[dir] = true;
	return &b->m;
}

/* ARP, or something without an EtherType; or an IP packet that found no room in the flow table. */
static inline struct rte_mbuf *test_packet_other(struct task_packet *b, bool ip)
{
	memset(b, 0, sizeof(*b));
	b->m.buf_addr = b->data;
	b->m.priv_size = NS_PACKET_PRIV;
	struct ns_packet *p = ns_packet(&b->m);

	p->linktype = NS_LINKTYPE_ETHERNET;
	p->flags = NS_PKT_DECODED | (ip ? NS_PKT_IP : 0);
	p->ethertype = test_below(2) == 0 ? 0x0806 : 0;
	p->wirelen = p->caplen = 60 + test_below(2);
	p->port = (uint16_t)test_below(2);
	return &b->m;
}
