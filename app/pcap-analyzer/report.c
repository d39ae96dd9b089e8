/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes in: records become sums. The names and numbers that both reports need. */
#include "report_priv.h"
#include "services.h"

#include <ns_decode.h>
#include <ns_text.h>

#include <stdlib.h>
#include <string.h>

enum { TCP = 6, UDP = 17, DCCP = 33, SCTP = 132, UDPLITE = 136 };
enum { SYN = 2, RST = 4, ACK = 16 };

#define HOST_WORDS 3
#define SERVICE_WORDS 1
#define TUNNEL_WORDS 4
#define VLAN_WORDS 1

struct report *report_create_bounded(uint32_t keys, uint32_t rtts)
{
	struct report *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ns_errno_null(ENOMEM);
	table_init(&r->hosts, HOST_WORDS, keys);
	table_init(&r->services, SERVICE_WORDS, keys);
	table_init(&r->tunnels, TUNNEL_WORDS, keys);
	table_init(&r->vlans, VLAN_WORDS, keys);
	r->rtts.max = rtts;
	r->task_rows = REPORT_TASK_ROWS;
	return r;
}

struct report *report_create(void)
{
	return report_create_bounded(REPORT_KEYS_MAX, REPORT_RTTS_MAX);
}

void report_destroy(struct report *r)
{
	if (r == NULL)
		return;
	table_fini(&r->hosts);
	table_fini(&r->services);
	table_fini(&r->tunnels);
	table_fini(&r->vlans);
	report_tasks_fini(r);
	free(r->rtts.v);
	free(r);
}

/* Key octets: version, address. */
static void host_key(uint64_t key[TABLE_KEY_WORDS], const struct ns_ip *ip)
{
	memset(key, 0, HOST_WORDS * sizeof(*key));
	memcpy(key, &ip->ver, 1);
	memcpy((uint8_t *)key + 1, ip->addr, sizeof(ip->addr));
}

/*
 * How little a port looks like a service's: by name, then the system ports (RFC 6335, 6), then
 * those below what systems give to clients (Linux: from 32768; RFC 6335: from 49152).
 */
static unsigned port_doubt(uint8_t proto, uint16_t port)
{
	if (service_name(proto, port) != NULL)
		return 0;
	return port < 1024 ? 1 : port < 32768 ? 2 : 3;
}

/*
 * The port of the service. The initiator is who sent the first packet, and that is the server when
 * the capture begins in the middle: the flags of a handshake tell, else the ports themselves.
 */
static uint16_t service_port(const struct ns_flow_rec *f)
{
	if (f->proto == TCP && (f->tcp_first_flags & SYN) != 0)
		return (f->tcp_first_flags & ACK) != 0 ? f->src_port : f->dst_port;
	unsigned src = port_doubt(f->proto, f->src_port), dst = port_doubt(f->proto, f->dst_port);

	if (src != dst)
		return src < dst ? f->src_port : f->dst_port;
	/* of TCP nobody was seen to call; elsewhere who sends first mostly is the client */
	return f->proto == TCP ? NS_MIN(f->src_port, f->dst_port) : f->dst_port;
}

/* Key octets: protocol, port. False: no ports, or none were seen (fragments). */
static bool service_key(uint64_t key[TABLE_KEY_WORDS], const struct ns_flow_rec *f)
{
	if (f->proto != TCP && f->proto != UDP && f->proto != SCTP && f->proto != DCCP &&
		f->proto != UDPLITE)
		return false;
	if (f->src_port == 0 && f->dst_port == 0)
		return false;
	uint16_t port = service_port(f);
	uint8_t octets[8] = {f->proto, (uint8_t)(port >> 8), (uint8_t)port};

	memcpy(key, octets, sizeof(octets));
	return true;
}

static struct tally *add(struct report *r, struct table *t, const uint64_t *key, uint32_t hash,
	const struct ns_flow_rec *f)
{
	struct tally *y = table_get(t, key, hash);

	if (y == NULL) {
		r->err = -ENOMEM;
		return NULL;
	}
	y->packets += f->packets + f->rev_packets;
	y->octets += f->l2_octets + f->rev_l2_octets;
	y->flows++;
	return y;
}

static void add_key(
	struct report *r, struct table *t, const uint64_t *key, const struct ns_flow_rec *f)
{
	add(r, t, key, table_hash(t, key), f);
}

static void add_host(struct report *r, const struct ns_ip *ip, uint32_t hash,
	const struct ns_flow_rec *f, uint64_t sent)
{
	uint64_t key[TABLE_KEY_WORDS];

	host_key(key, ip);
	struct tally *y = add(r, &r->hosts, key, hash, f);

	if (y != NULL)
		y->sent += sent;
}

static void add_layers(struct report *r, const struct ns_flow_rec *f)
{
	uint64_t key[TABLE_KEY_WORDS] = {0};

	if (f->tunnel[0] != '\0') {
		memcpy(key, f->tunnel, strnlen(f->tunnel, sizeof(f->tunnel)));
		add_key(r, &r->tunnels, key, f);
	}
	if (f->vlan.n != 0) {
		uint8_t octets[8] = {(uint8_t)f->vlan.n, (uint8_t)(f->vlan.id[0] >> 8),
			(uint8_t)f->vlan.id[0], (uint8_t)(f->vlan.id[1] >> 8),
			(uint8_t)f->vlan.id[1]};

		memcpy(key, octets, sizeof(octets));
		add_key(r, &r->vlans, key, f);
	}
}

/* A total order of records: more octets first, then by all fields as their description lists them.
 */
static int flow_rank(const struct ns_flow_rec *a, const struct ns_flow_rec *b)
{
	uint64_t x = a->l2_octets + a->rev_l2_octets, y = b->l2_octets + b->rev_l2_octets;
	const struct ns_rec_kind *k = &ns_flow_rec_kind;

	if (x != y)
		return x > y ? -1 : 1;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	for (unsigned i = 0; i < k->fields_n; i++) {
		size_t at = k->fields[i].offset;
		int c = memcmp((const uint8_t *)a + at, (const uint8_t *)b + at, k->fields[i].size);

		if (c != 0)
			return c;
	}
	return 0;
}

static void add_top(struct report *r, const struct ns_flow_rec *f)
{
	unsigned at = r->top_n;

	while (at > 0 && flow_rank(f, &r->top[at - 1]) < 0)
		at--;
	if (at == REPORT_ROWS)
		return;
	r->top_n = NS_MIN(r->top_n + 1, (unsigned)REPORT_ROWS);
	memmove(&r->top[at + 1], &r->top[at], (r->top_n - at - 1) * sizeof(*f));
	r->top[at] = *f;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	unsigned __int128 m = (unsigned __int128)(h ^ v ^ UINT64_C(0x243f6a8885a308d3)) *
			      UINT64_C(0x9e3779b97f4a7c15);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Of the record's identity, the same in each run: it decides whether the sample holds it. */
static uint64_t rtt_hash(const struct ns_flow_rec *f)
{
	uint64_t w[4], h = mix(f->tcp_rtt_ns, f->start_ns);

	memcpy(w, f->src.addr, 16);
	memcpy(w + 2, f->dst.addr, 16);
	for (unsigned i = 0; i < NS_ARRAY_LEN(w); i++)
		h = mix(h, w[i]);
	h = mix(h, (uint64_t)f->src_port << 32 | (uint64_t)f->dst_port << 16 | f->vlan.id[0]);
	return mix(mix(h, f->tunnel_id), f->end_ns);
}

static bool rtt_kept(const struct rtts *s, uint64_t hash)
{
	return s->level == 0 || (s->level < 64 && hash >> (64 - s->level) == 0);
}

static int rtts_add(struct rtts *s, const struct ns_flow_rec *f)
{
	struct rtt v = {rtt_hash(f), f->tcp_rtt_ns};

	if (!rtt_kept(s, v.hash))
		return 0;
	while (s->n == s->max) {
		uint32_t n = 0;

		s->level++;
		for (uint32_t i = 0; i < s->n; i++) {
			if (rtt_kept(s, s->v[i].hash))
				s->v[n++] = s->v[i];
		}
		s->n = n;
		if (!rtt_kept(s, v.hash))
			return 0;
	}
	if (s->n == s->room) {
		uint32_t room = s->room == 0 ? 256 : s->room * 2;
		struct rtt *bigger = realloc(s->v, (size_t)room * sizeof(*bigger));

		if (bigger == NULL)
			return ns_errno_set(ENOMEM);
		s->v = bigger;
		s->room = room;
	}
	s->v[s->n++] = v;
	return 0;
}

static void add_tcp(struct report *r, const struct ns_flow_rec *f)
{
	struct report_tcp *t = &r->tcp;

	if (f->proto != TCP)
		return;
	t->flows++;
	t->packets += f->packets + f->rev_packets;
	t->retransmits += f->tcp_retransmits + f->rev_tcp_retransmits;
	t->gaps += f->tcp_gaps + f->rev_tcp_gaps;
	t->reset += ((f->tcp_flags | f->rev_tcp_flags) & RST) != 0;
	t->unanswered += (f->tcp_first_flags & (SYN | ACK)) == SYN && f->rev_packets == 0;
	if (f->tcp_rtt_ns == 0)
		return;
	t->handshakes++;
	if (rtts_add(&r->rtts, f) < 0)
		r->err = -ENOMEM;
}

/* What is looked up for a record, some records before it is counted. */
struct look {
	uint32_t src, dst, service;
	bool has_service;
	uint64_t service_key[TABLE_KEY_WORDS];
};

static void look_ahead(const struct report *r, struct look *l, const struct ns_flow_rec *f)
{
	uint64_t key[TABLE_KEY_WORDS];

	host_key(key, &f->src);
	l->src = table_hash(&r->hosts, key);
	host_key(key, &f->dst);
	l->dst = table_hash(&r->hosts, key);
	table_fetch_slot(&r->hosts, l->src);
	table_fetch_slot(&r->hosts, l->dst);
	l->has_service = service_key(l->service_key, f);
	if (!l->has_service)
		return;
	l->service = table_hash(&r->services, l->service_key);
	table_fetch_slot(&r->services, l->service);
}

static void look_closer(const struct report *r, const struct look *l)
{
	table_fetch_entry(&r->hosts, l->src);
	table_fetch_entry(&r->hosts, l->dst);
	if (l->has_service)
		table_fetch_entry(&r->services, l->service);
}

static void add_flow(struct report *r, const struct ns_flow_rec *f, const struct look *l)
{
	r->flows++;
	r->ends[f->end_reason < REPORT_ENDS ? f->end_reason : 0]++;
	add_host(r, &f->src, l->src, f, f->l2_octets);
	/* a host that talks to itself has its packets once */
	if (memcmp(&f->src, &f->dst, sizeof(f->src)) != 0)
		add_host(r, &f->dst, l->dst, f, f->rev_l2_octets);
	if (l->has_service)
		add(r, &r->services, l->service_key, l->service, f);
	add_layers(r, f);
	add_top(r, f);
	add_tcp(r, f);
}

#define CLOSER 8 /* records between two steps; a power of two */
#define AHEAD (2 * CLOSER)

void report_put(void *report, const struct ns_batch *b)
{
	const struct ns_flow_rec *f = (const struct ns_flow_rec *)(const void *)b->records;
	struct report *r = report;
	struct look look[AHEAD];

	if (b->kind != &ns_flow_rec_kind) {
		report_tasks_put(r, b);
		return;
	}
	for (uint32_t i = 0; i < b->n + AHEAD && r->err == 0; i++) {
		if (i >= AHEAD)
			add_flow(r, &f[i - AHEAD], &look[i % AHEAD]);
		if (i >= CLOSER && i - CLOSER < b->n)
			look_closer(r, &look[(i - CLOSER) % AHEAD]);
		if (i < b->n)
			look_ahead(r, &look[i % AHEAD], &f[i]);
	}
}
