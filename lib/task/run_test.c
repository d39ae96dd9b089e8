/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is fed with what: selections, filters, first packets, records; what waits. */
#include "ns_test_decode.h"
#include "ns_test_eal.h"
#include "task_test_util.h"

enum { PACKETS = 2000, FLOWS = 90 };

static struct task_packet packets[PACKETS];
static struct rte_mbuf *m[PACKETS];
static struct test_flow flows[FLOWS];
static struct lines got, expected;

struct run {
	struct ns_tasks *ts;
	struct ns_task_lcore *l;
	void *state;
};

static struct run begin(const char *list)
{
	struct run r = {.ts = tasks_of(list, NULL)};

	r.l = ns_task_lcore_create(r.ts);
	r.state = ns_tasks_state_create(r.ts);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r.l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r.state);
	return r;
}

static void end(struct run *r)
{
	ns_tasks_state_destroy(r->ts, r->state);
	ns_task_lcore_destroy(r->l);
	tasks_free(r->ts);
}

static uint64_t fed(const struct run *r, unsigned task)
{
	return state_of_task(r->ts, r->state, task)->fed;
}

/* Packets of random flows; one in ten is ARP, one in twenty found no room for its flow. */
static void make_packets(void)
{
	for (unsigned i = 0; i < FLOWS; i++)
		test_flow_make(&flows[i]);
	for (unsigned i = 0; i < PACKETS; i++) {
		uint32_t what = test_below(20);

		if (what < 2)
			m[i] = test_packet_other(&packets[i], false);
		else if (what == 2)
			m[i] = test_packet_other(&packets[i], true);
		else
			m[i] = test_packet_make(&packets[i], &flows[test_below(FLOWS)]);
	}
}

static void feed_all(struct run *r, bool whole)
{
	for (unsigned i = 0, k; i < PACKETS; i += k) {
		k = whole ? NS_TASK_BURST : 1 + test_below(NS_TASK_BURST);
		k = NS_MIN(k, PACKETS - i);
		ns_tasks_packets(r->l, r->state, m + i, k);
	}
	ns_tasks_flush(r->l, r->state);
}

static unsigned count(unsigned flow, unsigned no_flags)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PACKETS; i++)
		n += (ns_packet(m[i])->flow & flow) == flow &&
		     (ns_packet(m[i])->flags & no_flags) == 0;
	return n;
}

/* Each feed gets its packets, all of them, once, whatever the bursts. */
static void selections(void)
{
	for (unsigned round = 0; round < 20; round++) {
		struct run r =
			begin("- {name: a, type: tcount, key: [src_ip]}\n"
			      "- {name: b, type: tcount, key: [src_ip], once: true}\n"
			      "- {name: c, type: tcount, key: [protocol], any: true}\n"
			      "- {name: d, type: tcount, key: [dst_port], once: true}\n"
			      "- {name: e, type: tcount, any: true}\n"
			      "- {name: f, type: tcount, value: flows}\n"
			      "- {name: g, type: tcount, of: flows, key: [proto]}\n"
			      "- {name: h, type: tcount, value: ttl, key: [src_ip], once: true}");

		make_packets();
		feed_all(&r, round % 2 == 0);
		unsigned in_flow = count(NS_PKT_FLOW, 0), all = in_flow + count(0, NS_PKT_IP);
		unsigned asked[8] = {0};

		for (unsigned i = 0; i < PACKETS * 8; i++)
			asked[i % 8] += ns_tasks_of_packet(r.ts, m[i / 8]) >> i % 8 & 1;
		for (unsigned i = 0; i < 8; i++)
			CU_ASSERT_EQUAL(asked[i], fed(&r, i));

		CU_ASSERT(in_flow < all && all < PACKETS);
		CU_ASSERT_EQUAL(fed(&r, 0), in_flow);
		CU_ASSERT_EQUAL(fed(&r, 1), count(NS_PKT_FLOW_FIRST, 0));
		CU_ASSERT_EQUAL(fed(&r, 2), all);
		/* ICMP packets of one flow may differ in it: all are needed */
		CU_ASSERT_EQUAL(fed(&r, 3), in_flow);
		CU_ASSERT_EQUAL(fed(&r, 4), all);
		CU_ASSERT_EQUAL(
			state_of_task(r.ts, r.state, 5)->e[0].sum, count(NS_PKT_FLOW_NEW, 0));
		CU_ASSERT_EQUAL(fed(&r, 6), 0);
		/* a sum is of all packets */
		CU_ASSERT_EQUAL(fed(&r, 7), in_flow);
		for (unsigned i = 0; i < 6; i++) {
			const struct tcount_state *s = state_of_task(r.ts, r.state, i);

			CU_ASSERT_EQUAL(s->faults, 0);
			/* what is few waits for more */
			CU_ASSERT(s->bursts <= 2 * (s->fed / NS_TASK_BURST + 1));
		}
		end(&r);
	}
}

/* The first packets of all directions have all the keys. */
static void first_is_enough(void)
{
	static const char *const keys[] = {"src_ip", "dst_ip/24/64", "proto, responder_port",
		"initiator_ip, responder_ip, vlan", "src_port, initiator_port, reverse",
		"protocol, ip_version"};
	char list[512];

	for (unsigned i = 0; i < NS_ARRAY_LEN(keys) * 5; i++) {
		static uint8_t all[TCOUNT_KEYS][NS_TASK_KEY_MAX], few[TCOUNT_KEYS][NS_TASK_KEY_MAX];
		const char *k = keys[i % NS_ARRAY_LEN(keys)];

		snprintf(list, sizeof(list),
			"- {name: all, type: tcount, key: [%s]}\n"
			"- {name: few, type: tcount, key: [%s], once: true}",
			k, k);
		struct run r = begin(list);
		struct tcount_state *a = state_of_task(r.ts, r.state, 0);
		struct tcount_state *b = state_of_task(r.ts, r.state, 1);

		make_packets();
		feed_all(&r, true);
		CU_ASSERT(b->fed < a->fed / 3);
		CU_ASSERT_EQUAL_FATAL(a->n, b->n);
		/* in the order of their first packets, both */
		for (unsigned j = 0; j < a->n; j++) {
			memcpy(all[j], a->e[j].key, NS_TASK_KEY_MAX);
			memcpy(few[j], b->e[j].key, NS_TASK_KEY_MAX);
		}
		CU_ASSERT_EQUAL(memcmp(all, few, (size_t)a->n * NS_TASK_KEY_MAX), 0);
		end(&r);
	}
}

/* The results do not depend on how packets come in bursts. */
static void any_bursts(void)
{
	static const char list[] =
		"- {name: a, type: tcount, key: [src_ip, proto], value: l2_octets}\n"
		"- {name: b, type: tcount, key: [responder_port], value: ip_octets, once: true}\n"
		"- {name: c, type: tcount, key: [ethertype], value: caplen, any: true}";

	for (unsigned round = 0; round < 10; round++) {
		make_packets();
		for (unsigned way = 0; way < 2; way++) {
			struct run r = begin(list);

			feed_all(&r, way == 0);
			result_of(r.ts, r.state, way == 0 ? &expected : &got);
			end(&r);
		}
		lines_same(&got, &expected);
	}
}

static void puts_frame(struct task_packet *b, uint16_t linktype, const uint8_t *frame, uint16_t n)
{
	struct ns_counters notes = {{0}};
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_packet *p = ns_packet(&b->m);

	memset(b, 0, sizeof(*b));
	b->m.buf_addr = b->data;
	b->m.priv_size = NS_PACKET_PRIV;
	memcpy(b->data, frame, n);
	p->linktype = linktype;
	p->caplen = p->wirelen = n;
	CU_ASSERT_PTR_NULL(ns_decode(d, &b->m, &notes));
	p->flow = NS_PKT_FLOW | NS_PKT_FLOW_FIRST;
	ns_decoder_destroy(d);
}

static const uint8_t ether_tcp[] = {ETH(0x0800), IP4(6, 40), TCP(1000, 443, 0x10)};
static const uint8_t ether_udp[] = {ETH(0x0800), IP4(17, 32), UDP(1000, 53, 12), 1, 2, 3, 4};
static const uint8_t raw_tcp[] = {IP4(6, 40), TCP(1000, 443, 0x10)};
/* in a packet of another port and address */
static const uint8_t ether_ipip[] = {ETH(0x0800), IP4(4, 52), INNER4};

static void filters(void)
{
	struct run r = begin("- {name: a, type: tcount, when: tcp and dst port 443}\n"
			     "- {name: b, type: tcount, when: tcp, key: [src_ip], once: true}\n"
			     "- {name: c, type: tcount, when: ''}\n"
			     "- {name: d, type: tcount, when: ip proto 4}\n"
			     "- {name: e, type: tcount, when: arp, any: true, key: [ethertype]}\n"
			     "- {name: f, type: tcount, when: tcp, value: ip_octets}\n"
			     "- {name: g, type: tcount, when: 'not ether host 00:00:00:00:00:09'}");

	puts_frame(&packets[0], NS_LINKTYPE_ETHERNET, ether_tcp, sizeof(ether_tcp));
	puts_frame(&packets[1], NS_LINKTYPE_ETHERNET, ether_udp, sizeof(ether_udp));
	puts_frame(&packets[2], 101, raw_tcp, sizeof(raw_tcp));
	puts_frame(&packets[3], NS_LINKTYPE_ETHERNET, ether_ipip, sizeof(ether_ipip));
	test_packet_other(&packets[4], false);
	packets[4].data[12] = 8;
	packets[4].data[13] = 6;
	/* a frame of a link type without a filter matches none, and none at all is not read */
	puts_frame(&packets[5], 101, raw_tcp, sizeof(raw_tcp));
	ns_packet(&packets[5].m)->linktype = 65535;
	puts_frame(&packets[6], 101, raw_tcp, sizeof(raw_tcp));
	ns_packet(&packets[6].m)->linktype = 147;
	for (unsigned i = 0; i < 7; i++)
		m[i] = &packets[i].m;
	ns_tasks_packets(r.l, r.state, m, 7);
	ns_tasks_flush(r.l, r.state);
	CU_ASSERT_EQUAL(fed(&r, 0), 2);
	/* with a filter all packets of a flow are needed */
	CU_ASSERT_EQUAL(fed(&r, 1), 2);
	CU_ASSERT_EQUAL(fed(&r, 2), 6);
	/* the outer header, which keys do not speak of */
	CU_ASSERT_EQUAL(fed(&r, 3), 1);
	CU_ASSERT_EQUAL(fed(&r, 4), 1);
	CU_ASSERT_EQUAL(state_of_task(r.ts, r.state, 5)->e[0].sum, 80);
	/* speaks of Ethernet only */
	CU_ASSERT_EQUAL(fed(&r, 6), 3);
	/* one filter for the text, one feed for all that is alike */
	CU_ASSERT_EQUAL(r.ts->whens_n, 5);
	end(&r);
}

/* With EAL running a filter is machine code, and says the same. */
static void filters_jitted(void)
{
	ns_test_eal();
	filters();
	struct run r = begin("- {name: a, type: tcount, when: tcp}");

	CU_ASSERT(ns_filter_jitted(
		r.ts->whens[0]->filters[r.ts->whens[0]->by_linktype[NS_LINKTYPE_ETHERNET] - 1]));
	end(&r);
}

static void records_wait(void)
{
	struct run r = begin("- {name: a, type: tcount, of: flows, key: [proto], value: packets}\n"
			     "- {name: b, type: tcount, of: flows, value: duration_ns}\n"
			     "- {name: c, type: tcount}");
	struct ns_flow_rec rec = {.packets = 3, .start_ns = 5, .end_ns = 12};

	CU_ASSERT(ns_tasks_of_flows(r.ts) && ns_tasks_of_packets(r.ts));
	for (unsigned i = 0; i < 70; i++) {
		rec.proto = (uint8_t)(i % 7);
		ns_tasks_record(r.l, r.state, &rec);
		CU_ASSERT_EQUAL(fed(&r, 0), (i + 1) / NS_TASK_BURST * NS_TASK_BURST);
	}
	ns_tasks_flush(r.l, r.state);
	CU_ASSERT_EQUAL(fed(&r, 0), 70);
	ns_tasks_flush(r.l, r.state);
	CU_ASSERT_EQUAL(fed(&r, 0), 70);
	CU_ASSERT_EQUAL(state_of_task(r.ts, r.state, 0)->n, 7);
	CU_ASSERT_EQUAL(state_of_task(r.ts, r.state, 0)->e[6].sum, 30);
	CU_ASSERT_EQUAL(state_of_task(r.ts, r.state, 1)->e[0].sum, 490);
	CU_ASSERT_EQUAL(fed(&r, 2), 0);
	end(&r);

	r = begin("- {name: c, type: tcount}");
	CU_ASSERT(!ns_tasks_of_flows(r.ts));
	for (unsigned i = 0; i < 70; i++)
		ns_tasks_record(r.l, r.state, &rec);
	ns_tasks_packets(r.l, r.state, m, 0);
	ns_tasks_flush(r.l, r.state);
	CU_ASSERT_EQUAL(fed(&r, 0), 0);
	end(&r);
}

NS_TEST_MAIN({"selections", selections}, {"first packets are enough", first_is_enough},
	{"any bursts", any_bursts}, {"filters", filters},
	{"filters as machine code", filters_jitted}, {"records wait", records_wait})
