/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Tasks for tests, fed as the engine feeds them: a frame is put together, decoded, goes through a
 * flow table of its lane (what stands for an analysis lcore) and on to the tasks, and so does the
 * record of each flow that ends. Rows come back as CSV without start_ns, end_ns and epoch.
 *
 *	struct ns_test_tasks *t = ns_test_tasks("- {name: a, type: exact, key: [src_ip]}\n", 1, 0);
 *	ns_test_say(t, 0, &(struct ns_test_say){.src = "10.0.0.1", .dst = "10.0.0.2", .len = 60});
 *	ns_test_rows(t, 0, "10.0.0.1,1,60,46,1,0\n");
 *	ns_test_tasks_end(t);
 */

#include "ns_test.h"
#include "ns_test_eal.h"

#include <ns_decode.h>
#include <ns_flow.h>
#include <ns_registry.h>
#include <ns_task.h>

#include <arpa/inet.h>
#include <string.h>

#define NS_TEST_LANES 4
#define NS_TEST_T0 UINT64_C(1700000000000000000)

struct ns_test_say {
	const char *src, *dst; /* IPv4 or IPv6; NULL: a frame without IP */
	uint16_t sport, dport;
	uint8_t proto; /* 0: UDP; TCP gets an ACK */
	uint16_t ethertype; /* without IP */
	uint32_t len; /* of the frame on the wire; 0: 60 */
	uint64_t ms; /* time */
};

struct ns_test_frame {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
	uint8_t data[128];
};

struct ns_test_lane {
	struct ns_flow_table *flows;
	struct ns_task_lcore *l;
	void *state;
	struct ns_counters c;
	unsigned n;
	struct ns_test_frame frame[NS_TASK_BURST];
};

struct ns_test_tasks {
	struct ns_conf *conf;
	struct ns_decoder *decoder;
	struct ns_tasks *ts;
	unsigned lanes;
	uint64_t clock_ns;
	const struct ns_rec_kind *kind; /* whose rows are wanted */
	char *rows;
	size_t rows_len;
	struct ns_test_lane lane[NS_TEST_LANES];
};

/* The configuration of these tasks, a YAML list; NULL with a message. */
static inline struct ns_conf *ns_test_tasks_conf(const char *list, struct ns_err *e)
{
	char *yaml = NULL;

	ns_test_eal();
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	CU_ASSERT_TRUE_FATAL(asprintf(&yaml, "tasks:\n%s", list) > 0);
	struct ns_conf *c = ns_conf_parse(yaml, strlen(yaml), "test.yaml", NULL, 0, e);

	free(yaml);
	return c;
}

/* That a list is refused with a message that holds each of the words (ended by NULL). */
static inline void ns_test_refused(const char *list, const char *const *words)
{
	struct ns_err e = {""};
	struct ns_conf *c = ns_test_tasks_conf(list, &e);

	CU_ASSERT_PTR_NULL(c);
	ns_conf_destroy(c);
	for (; *words != NULL; words++) {
		if (strstr(e.text, *words) == NULL)
			printf("\n\"%s\" is not in: %s\n", *words, e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, *words));
	}
}

static inline void ns_test_ended(void *ctx, const struct ns_flow_ended *flow)
{
	struct ns_test_lane *l = ctx;
	struct ns_flow_rec r;

	ns_flow_record(flow, &r);
	ns_tasks_record(l->l, l->state, &r);
}

/* Tasks of that list over that many lanes, with verify or not. */
static inline struct ns_test_tasks *ns_test_tasks(const char *list, unsigned lanes, bool verify)
{
	static const struct ns_flow_conf flow = {
		.max = 16384, .idle = 60, .active = 300, .tcp_end = true, .tcp_linger = 1};
	static const struct ns_decode_conf decode = {.max_tunnels = 4};
	static unsigned id; /* of a table: there may be two sets of lanes at once */
	struct ns_test_tasks *t = calloc(1, sizeof(*t));
	struct ns_err e = {""};

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	t->conf = ns_test_tasks_conf(list, &e);
	if (t->conf != NULL)
		t->ts = ns_tasks_create(
			&(struct ns_tasks_args){.conf = t->conf, .verify = verify, .bound = 100000},
			&e);
	if (t->ts == NULL)
		printf("\n%s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->ts);
	t->decoder = ns_decoder_create(&decode);
	t->lanes = lanes;
	for (unsigned i = 0; i < lanes; i++) {
		struct ns_test_lane *l = &t->lane[i];
		struct ns_flow_hooks hooks = {ns_test_ended, l};

		l->flows = ns_flow_table_create(&flow, id++, 1, 1, 0, true, &hooks);
		l->l = ns_task_lcore_create(t->ts);
		l->state = ns_tasks_state_create(t->ts);
		CU_ASSERT_TRUE_FATAL(l->flows != NULL && l->l != NULL && l->state != NULL);
	}
	return t;
}

/* What waits in a lane goes through. */
static inline void ns_test_feed(struct ns_test_tasks *t, struct ns_test_lane *l)
{
	struct rte_mbuf *m[NS_TASK_BURST];

	for (unsigned i = 0; i < l->n; i++)
		m[i] = &l->frame[i].m;
	uint16_t n = ns_decode_burst(t->decoder, m, (uint16_t)l->n, &l->c);

	ns_flow_burst(l->flows, m, n, &l->c);
	ns_tasks_packets(l->l, l->state, m, n);
	l->n = 0;
}

/* The octets of the frame; returns how many. */
static inline uint32_t ns_test_frame_put(uint8_t *at, const struct ns_test_say *s)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	bool v6 = s->src != NULL && strchr(s->src, ':') != NULL;
	uint16_t type = s->src == NULL ? s->ethertype : v6 ? 0x86dd : 0x0800;
	uint8_t proto = s->proto != 0 ? s->proto : 17;
	uint32_t len = (s->len != 0 ? s->len : 60) - 14;
	uint8_t *ip = at + 14, *l4 = ip + (v6 ? 40 : 20);

	memset(at, 0, sizeof(((struct ns_test_frame *)0)->data));
	memcpy(at, macs, sizeof(macs));
	at[12] = (uint8_t)(type >> 8);
	at[13] = (uint8_t)type;
	if (s->src == NULL)
		return NS_MIN(len + 14, (uint32_t)sizeof(((struct ns_test_frame *)0)->data));
	ip[0] = v6 ? 0x60 : 0x45;
	ip[v6 ? 4 : 2] = (uint8_t)((v6 ? len - 40 : len) >> 8);
	ip[v6 ? 5 : 3] = (uint8_t)(v6 ? len - 40 : len);
	ip[v6 ? 7 : 8] = 64;
	ip[v6 ? 6 : 9] = proto;
	CU_ASSERT_EQUAL(inet_pton(v6 ? AF_INET6 : AF_INET, s->src, ip + (v6 ? 8 : 12)), 1);
	CU_ASSERT_EQUAL(inet_pton(v6 ? AF_INET6 : AF_INET, s->dst, ip + (v6 ? 24 : 16)), 1);
	l4[0] = (uint8_t)(s->sport >> 8);
	l4[1] = (uint8_t)s->sport;
	l4[2] = (uint8_t)(s->dport >> 8);
	l4[3] = (uint8_t)s->dport;
	if (proto == 17)
		l4[5] = 8;
	if (proto == 6) {
		l4[12] = 0x50;
		l4[13] = 0x10;
	}
	return NS_MIN(len + 14, (uint32_t)sizeof(((struct ns_test_frame *)0)->data));
}

/* A packet comes to that lane. */
static inline void ns_test_say(struct ns_test_tasks *t, unsigned lane, const struct ns_test_say *s)
{
	struct ns_test_lane *l = &t->lane[lane];
	struct ns_test_frame *f = &l->frame[l->n++];

	memset(&f->m, 0, sizeof(f->m) + sizeof(f->priv));
	f->m.buf_addr = f->data;
	f->m.priv_size = sizeof(f->priv);
	f->m.nb_segs = 1;
	struct ns_packet *p = ns_packet(&f->m);

	p->caplen = ns_test_frame_put(f->data, s);
	p->wirelen = s->len != 0 ? s->len : 60;
	p->linktype = NS_LINKTYPE_ETHERNET;
	p->ts_ns = NS_TEST_T0 + s->ms * 1000000;
	t->clock_ns = NS_MAX(t->clock_ns, p->ts_ns);
	p->clock_ns = t->clock_ns;
	f->m.data_len = (uint16_t)p->caplen;
	f->m.pkt_len = p->caplen;
	if (l->n == NS_TASK_BURST)
		ns_test_feed(t, l);
}

/* All flows end. */
static inline void ns_test_end_flows(struct ns_test_tasks *t)
{
	for (unsigned i = 0; i < t->lanes; i++) {
		ns_test_feed(t, &t->lane[i]);
		ns_flow_end_all(t->lane[i].flows, t->clock_ns);
	}
}

static inline int ns_test_row(void *ctx, const struct ns_rec_kind *kind, const void *row)
{
	struct ns_test_tasks *t = ctx;
	struct ns_rec_kind rest = *kind;

	if (kind != t->kind)
		return 0;
	CU_ASSERT_TRUE_FATAL(kind->fields_n > 3);
	rest.fields += 3;
	rest.fields_n -= 3;
	char *more = realloc(t->rows, t->rows_len + ns_rec_line_max(kind) + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(more);
	t->rows = more;
	t->rows_len = (size_t)(ns_rec_put_csv(t->rows + t->rows_len, &rest, row) - t->rows);
	return 0;
}

/*
 * The rows of task number @p task over all lanes, about 2 seconds; valid until the next call. The
 * lanes go on.
 */
static inline const char *ns_test_rows_of(struct ns_test_tasks *t, unsigned task)
{
	static const struct ns_task_span span = {NS_TEST_T0, NS_TEST_T0 + 2 * NS_SEC_NS, 1};
	void *all = ns_tasks_state_create(t->ts);

	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	for (unsigned i = 0; i < t->lanes; i++) {
		ns_test_feed(t, &t->lane[i]);
		ns_tasks_flush(t->lane[i].l, t->lane[i].state);
		CU_ASSERT_EQUAL(ns_tasks_merge(t->ts, all, t->lane[i].state), 0);
	}
	t->kind = ns_tasks_kind(t->ts, task);
	if (t->rows == NULL)
		t->rows = malloc(1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->rows);
	t->rows_len = 0;
	CU_ASSERT_EQUAL(ns_tasks_result(t->ts, all, &span, ns_test_row, t), 0);
	ns_tasks_state_destroy(t->ts, all);
	t->rows[t->rows_len] = '\0';
	return t->rows;
}

static inline void ns_test_rows(struct ns_test_tasks *t, unsigned task, const char *want)
{
	const char *got = ns_test_rows_of(t, task);

	if (strcmp(got, want) != 0) {
		printf("\nexpected:\n%sgot:\n", want);
		fputs(got, stdout);
	}
	CU_ASSERT_STRING_EQUAL(got, want);
}

/* States of all lanes become empty. */
static inline void ns_test_reset(struct ns_test_tasks *t)
{
	for (unsigned i = 0; i < t->lanes; i++) {
		ns_test_feed(t, &t->lane[i]);
		ns_tasks_flush(t->lane[i].l, t->lane[i].state);
		ns_tasks_reset(t->ts, t->lane[i].state);
	}
}

static inline void ns_test_tasks_end(struct ns_test_tasks *t)
{
	for (unsigned i = 0; i < t->lanes; i++) {
		ns_flow_table_destroy(t->lane[i].flows);
		ns_tasks_state_destroy(t->ts, t->lane[i].state);
		ns_task_lcore_destroy(t->lane[i].l);
	}
	ns_tasks_destroy(t->ts);
	ns_decoder_destroy(t->decoder);
	ns_conf_destroy(t->conf);
	free(t->rows);
	free(t);
}
