/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is fed equals what a naive reader of each packet or record says, for random keys over random
 * packets and records, in bursts of random sizes.
 */
#include "task_test_util.h"

#include <ns_decode.h>

enum { PACKETS = 700, FLOWS = 60, ROUNDS = 150 };

static struct task_packet packets[PACKETS];
static struct test_flow flows[FLOWS];

/* A kind of tunnel, for its name. */
static int burrow_decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	return 0;
}

static const struct ns_tunnel_ops burrow_ops = {.decap = burrow_decap};
static const struct ns_plugin burrow = {
	.kind = NS_TUNNEL_KIND, .name = "burrow", .abi = NS_PLUGIN_ABI, .ops = &burrow_ops};
NS_PLUGIN_REGISTER(burrow)

/* --- the reference ------------------------------------------------------------------------- */

static void mask_bits(uint8_t *addr, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		addr[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
}

static char *ref_ip(char *out, const struct ns_ip *ip, const char *prefix)
{
	unsigned len4 = 32, len6 = 128;
	struct ns_ip masked = *ip;

	if (ip->ver == 0)
		return out;
	if (prefix != NULL)
		sscanf(prefix, "%u/%u", &len4, &len6);
	mask_bits(masked.addr, ip->ver == 4 ? len4 : len6);
	out = ns_put_ip(out, &masked);
	if (prefix != NULL)
		out += sprintf(out, "/%u", ip->ver == 4 ? len4 : len6);
	return out;
}

/* The text of a field of a packet, from the tuple's endpoints; where src is a or b is looked up. */
static char *ref_packet(char *out, const char *spec, const struct ns_packet *p)
{
	char name[64];
	const char *slash = strchr(spec, '/');
	struct ns_ip src = {.ver = p->tuple.ver}, dst = src;
	bool back = (p->flow & NS_PKT_REVERSE) != 0;
	bool icmp = p->tuple.proto == 1 || p->tuple.proto == 58;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(spec, "/"), spec);
	if ((p->flags & NS_PKT_SWAPPED) != 0) {
		memcpy(src.addr, p->tuple.b, 16);
		memcpy(dst.addr, p->tuple.a, 16);
	} else {
		memcpy(src.addr, p->tuple.a, 16);
		memcpy(dst.addr, p->tuple.b, 16);
	}
#define IS(s) (strcmp(name, s) == 0)
#define NUMBER(s, v) \
	if (IS(s))   \
	return out + sprintf(out, "%u", (unsigned)(v))
	if (IS("src_ip"))
		return ref_ip(out, &src, slash != NULL ? slash + 1 : NULL);
	if (IS("dst_ip"))
		return ref_ip(out, &dst, slash != NULL ? slash + 1 : NULL);
	if (IS("initiator_ip"))
		return ref_ip(out, back ? &dst : &src, slash != NULL ? slash + 1 : NULL);
	if (IS("responder_ip"))
		return ref_ip(out, back ? &src : &dst, slash != NULL ? slash + 1 : NULL);
	if (IS("proto"))
		return ns_put_proto(out, p->tuple.proto);
	if (IS("tcp_flags"))
		return ns_put_tcp_flags(out, p->tcp_flags);
	if (IS("vlan")) {
		if (p->tuple.vlan[0] != 0)
			out += sprintf(out, "%u", p->tuple.vlan[0] - 1u);
		if (p->tuple.vlan[1] != 0)
			out += sprintf(out, ".%u", p->tuple.vlan[1] - 1u);
		return out;
	}
	if (IS("tunnel")) {
		if (p->tuple.tunnel != 0)
			out = ns_put_str(out, "burrow");
		return p->tunnel_id != 0 ? out + sprintf(out, ":%u", p->tunnel_id) : out;
	}
	if (IS("tunnel_id") && p->tunnel_id == 0)
		return out;
	if (IS("tcp_window") && p->tcp_window == 0)
		return out;
	NUMBER("src_port", p->sport);
	NUMBER("dst_port", p->dport);
	NUMBER("initiator_port", icmp ? 0 : back ? p->dport : p->sport);
	NUMBER("responder_port", p->flow_dport);
	NUMBER("ip_version", p->tuple.ver);
	NUMBER("tunnel_id", p->tunnel_id);
	NUMBER("port", p->port);
	NUMBER("reverse", back);
	NUMBER("flows", (p->flow & NS_PKT_FLOW_NEW) != 0);
	NUMBER("tos", p->tos);
	NUMBER("ttl", p->ttl);
	NUMBER("tcp_window", p->tcp_window);
	NUMBER("icmp_type", p->icmp_type);
	NUMBER("icmp_code", p->icmp_code);
	NUMBER("ethertype", p->ethertype);
	NUMBER("protocol", (p->flags & NS_PKT_IP) != 0 ? p->tuple.proto : 65536 + p->ethertype);
	NUMBER("l2_octets", p->wirelen);
	NUMBER("ip_octets", p->ip_octets);
	NUMBER("payload_octets", p->tuple.proto == 6 || p->tuple.proto == 17
					 ? p->l4_len
					 : p->ip_octets - (p->tuple.ver == 4 ? 20 : 40));
	NUMBER("caplen", p->caplen);
	CU_FAIL_FATAL("no such field");
	return out;
}

static uint64_t ref_value(const char *name, const struct ns_packet *p)
{
	char text[64];

	*ref_packet(text, name, p) = '\0';
	return strtoull(text, NULL, 10);
}

/* Lines of "task key... count sum tags", from lines of "task key..." with a value each. */
static void count_lines(struct lines *each, const uint64_t *value, struct lines *out)
{
	static bool done[NS_ARRAY_LEN(each->l)];

	memset(done, 0, sizeof(done));
	out->n = 0;
	for (unsigned i = 0; i < each->n; i++) {
		uint64_t count = 0, sum = 0;

		for (unsigned j = i; j < each->n && !done[i]; j++) {
			if (strcmp(each->l[i], each->l[j]) != 0)
				continue;
			count++;
			sum += value[j];
			done[j] = j > i;
		}
		if (!done[i])
			lines_add(out, "%s %llu %llu 0", each->l[i], (unsigned long long)count,
				(unsigned long long)sum);
	}
	lines_free(each);
	lines_sort(out);
}

/* --- random specifications ----------------------------------------------------------------- */

struct spec {
	unsigned n;
	char field[6][48];
	char yaml[512];
	char value[32];
};

/* Any field of those, an address with prefix lengths in half of all cases. */
static void random_spec(struct spec *s, int of, unsigned n)
{
	char names[2048], *all[64], *save = NULL;
	unsigned all_n = 0, octets = 0, values_n = 0;
	struct task_field f;
	const char *values[64];

	task_field_names(of, 0, names, sizeof(names));
	for (char *t = strtok_r(names, ", ", &save); t != NULL; t = strtok_r(NULL, ", ", &save))
		all[all_n++] = t;
	for (unsigned i = 0; i < all_n; i++) {
		CU_ASSERT_EQUAL_FATAL(task_field_find(of, all[i], strlen(all[i]), &f), 0);
		if ((f.flags & TASK_FIELD_VALUE) != 0)
			values[values_n++] = all[i];
	}
	snprintf(s->value, sizeof(s->value), "%s", values[test_below(values_n)]);
	s->n = 0;
	while (s->n < n) {
		char *name = all[test_below(all_n)];
		bool twice = strcmp(name, "start_ns") == 0 || strcmp(name, "end_ns") == 0;

		CU_ASSERT_EQUAL_FATAL(task_field_find(of, name, strlen(name), &f), 0);
		for (unsigned i = 0; i < s->n; i++)
			twice = twice || (strncmp(s->field[i], name, strlen(name)) == 0 &&
						 strchr("/", s->field[i][strlen(name)]) != NULL);
		if (twice || octets + f.octets > NS_TASK_KEY_MAX)
			continue;
		octets += f.octets;
		if (f.type != NS_REC_IP || test_below(2) == 0)
			snprintf(s->field[s->n++], sizeof(s->field[0]), "%s", name);
		else if (test_below(2) == 0)
			snprintf(s->field[s->n++], sizeof(s->field[0]), "%s/%u", name,
				test_below(33));
		else
			snprintf(s->field[s->n++], sizeof(s->field[0]), "%s/%u/%u", name,
				test_below(33), test_below(129));
	}
	char *p = s->yaml;

	p = ns_put_str(p, "key: [");
	for (unsigned i = 0; i < s->n; i++) {
		p = ns_put_str(p, i > 0 ? ", " : "");
		p = ns_put_str(p, s->field[i]);
	}
	sprintf(p, "], value: %s", s->value);
}

static void feed_bursts(struct ns_task_lcore *l, void *state, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0, k; i < n; i += k) {
		k = 1 + test_below(NS_TASK_BURST);
		k = NS_MIN(k, n - i);
		ns_tasks_packets(l, state, m + i, k);
	}
}

static void same_packets(void)
{
	static struct rte_mbuf *m[PACKETS];
	static struct lines each, expected, got;
	static uint64_t value[PACKETS];

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	struct ns_decoder *d = ns_decoder_create(&(struct ns_decode_conf){4, false});

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct spec s;
		char list[768];

		random_spec(&s, NS_TASK_OF_PACKETS, 1 + test_below(5));
		snprintf(list, sizeof(list), "- {name: t, type: tcount, %s}", s.yaml);
		struct ns_tasks *ts = tasks_of(list, &(struct ns_tasks_args){.seed = test_rand()});
		struct ns_task_lcore *l = ns_task_lcore_create(ts);
		void *state = ns_tasks_state_create(ts);

		for (unsigned i = 0; i < FLOWS; i++)
			test_flow_make(&flows[i]);
		for (unsigned i = 0; i < PACKETS; i++)
			m[i] = test_packet_make(&packets[i], &flows[test_below(FLOWS)]);
		feed_bursts(l, state, m, PACKETS);
		ns_tasks_flush(l, state);
		each.n = 0;
		for (unsigned i = 0; i < PACKETS; i++) {
			char text[512], *p = text;

			for (unsigned j = 0; j < s.n; j++) {
				*p++ = ' ';
				p = ref_packet(p, s.field[j], ns_packet(m[i]));
			}
			*p = '\0';
			value[i] = ref_value(s.value, ns_packet(m[i]));
			lines_add(&each, "t%s", text);
		}
		count_lines(&each, value, &expected);
		result_of(ts, state, &got);
		lines_same(&got, &expected);
		ns_tasks_state_destroy(ts, state);
		ns_task_lcore_destroy(l);
		tasks_free(ts);
	}
	ns_decoder_destroy(d);
}

static void random_record(struct ns_flow_rec *r)
{
	memset(r, 0, sizeof(*r));
	for (unsigned i = 0; i < ns_flow_rec_kind.fields_n; i++) {
		const struct ns_rec_field *f = &ns_flow_rec_kind.fields[i];
		uint8_t *at = (uint8_t *)r + f->offset;
		struct ns_ip ip = {0};
		struct ns_vlans v = {0};

		switch (f->type) {
		case NS_REC_IP:
			ip.ver = (uint8_t)(test_below(3) * 2); /* 2: none that is known */
			ip.ver = ip.ver == 0 ? 6 : ip.ver == 2 ? 0 : 4;
			/* all zeros are an IPv6 address, and none is not that one */
			for (unsigned j = 0; ip.ver != 0 && j < (ip.ver == 4 ? 4u : 16u); j += 3)
				ip.addr[j] = (uint8_t)(test_below(2) * 0x20);
			memcpy(at, &ip, sizeof(ip));
			break;
		case NS_REC_VLANS:
			v.n = (uint16_t)test_below(3);
			for (unsigned j = 0; j < v.n; j++)
				v.id[j] = (uint16_t)(test_below(2) * 4095);
			memcpy(at, &v, sizeof(v));
			break;
		case NS_REC_STR:
			snprintf((char *)at, f->size, "%.*s", (int)test_below(f->size),
				"1:abcdefghijklmnopqrstuvwxyz0123456789");
			break;
		default:
			at[0] = (uint8_t)test_below(3);
			at[f->size - 1] ^= (uint8_t)test_below(2);
		}
	}
	r->end_ns = r->start_ns + test_below(3);
	if (test_below(10) == 0)
		r->end_ns = 0; /* a clock that went back */
}

static char *ref_record(char *out, const char *spec, const struct ns_flow_rec *r)
{
	const char *slash = strchr(spec, '/');

	if (strcmp(spec, "duration_ns") == 0)
		return ns_put_u64(out, r->end_ns > r->start_ns ? r->end_ns - r->start_ns : 0);
	for (unsigned i = 0; i < ns_flow_rec_kind.fields_n; i++) {
		const struct ns_rec_field *f = &ns_flow_rec_kind.fields[i];

		if (strncmp(f->name, spec, strcspn(spec, "/")) != 0 ||
			strlen(f->name) != strcspn(spec, "/"))
			continue;
		if (slash != NULL)
			return ref_ip(out, (const struct ns_ip *)((const uint8_t *)r + f->offset),
				slash + 1);
		return ns_rec_put_text(out, f, r);
	}
	CU_FAIL_FATAL("no such field");
	return out;
}

static void same_records(void)
{
	static struct lines each, expected, got;
	static uint64_t value[PACKETS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct spec s;
		char list[768], number[64];

		random_spec(&s, NS_TASK_OF_FLOWS, 1 + test_below(4));
		snprintf(list, sizeof(list), "- {name: t, type: tcount, of: flows, %s}", s.yaml);
		struct ns_tasks *ts = tasks_of(list, NULL);
		struct ns_task_lcore *l = ns_task_lcore_create(ts);
		void *state = ns_tasks_state_create(ts);

		each.n = 0;
		for (unsigned i = 0; i < PACKETS; i++) {
			struct ns_flow_rec r;
			char text[512], *p = text;

			random_record(&r);
			ns_tasks_record(l, state, &r);
			for (unsigned j = 0; j < s.n; j++) {
				*p++ = ' ';
				p = ref_record(p, s.field[j], &r);
			}
			*p = '\0';
			*ref_record(number, s.value, &r) = '\0';
			value[i] = strtoull(number, NULL, 10);
			lines_add(&each, "t%s", text);
		}
		ns_tasks_flush(l, state);
		count_lines(&each, value, &expected);
		result_of(ts, state, &got);
		lines_same(&got, &expected);
		ns_tasks_state_destroy(ts, state);
		ns_task_lcore_destroy(l);
		tasks_free(ts);
	}
}

NS_TEST_MAIN({"keys of packets as a naive reader has them", same_packets},
	{"keys of records as a naive reader has them", same_records})
