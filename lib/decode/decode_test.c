/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

static const uint8_t udp[] = {ETH(0x0800), INNER4};
static const uint8_t arp[] = {ETH(0x0806), 0, 1, 8, 0, 6, 4, 0, 1};
static const uint8_t short_ip[] = {ETH(0x0800), 0x45, 0, 0};
static const uint8_t bad_ip[] = {
	ETH(0x0800), 0x41, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, A4_SRC, A4_DST};

static void configuration(void)
{
	static const struct {
		const char *text;
		const char *says; /* NULL: taken */
	} cases[] = {
		{"decode.max_tunnels=16", NULL},
		{"decode.max_tunnels=0", NULL},
		{"decode.verify_checksum=true", NULL},
		{"decode.max_tunnels=17", "16"},
		{"decode.max_tunnels=256", "max_tunnels"},
		{"decode.max_tunnel=1", "max_tunnel"},
	};
	struct ns_err e = {""};
	struct ns_conf *c = ns_conf_load(NULL, NULL, 0, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	const struct ns_decode_conf *values = ns_conf_get(c, "decode");

	CU_ASSERT_PTR_NOT_NULL_FATAL(values);
	CU_ASSERT_EQUAL(values->max_tunnels, 4);
	CU_ASSERT_FALSE(values->verify_checksum);
	ns_conf_destroy(c);
	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		c = ns_conf_load(NULL, &cases[i].text, 1, &e);
		CU_ASSERT_EQUAL(c == NULL, cases[i].says != NULL);
		if (cases[i].says != NULL)
			CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i].says));
		ns_conf_destroy(c);
	}
	ns_decoder_destroy(NULL);
}

/* Good ones in front in their order, dropped ones behind, each counted once. */
static void burst(void)
{
	static const struct {
		const uint8_t *octets;
		uint32_t len;
		uint16_t linktype;
	} kinds[] = {{udp, sizeof(udp), 1}, {short_ip, sizeof(short_ip), 1}, {arp, sizeof(arp), 1},
		{bad_ip, sizeof(bad_ip), 1}, {udp, sizeof(udp), 60000}};
	static struct ns_test_mbuf b[NS_DECODE_BURST_MAX];
	struct rte_mbuf *m[NS_DECODE_BURST_MAX];
	struct ns_counters c = {{0}};
	struct ns_decoder *d = ns_test_decoder(4, false);
	uint64_t sum = 0;

	for (unsigned i = 0; i < NS_DECODE_BURST_MAX; i++) {
		m[i] = &b[i].m;
		m[i]->buf_addr = (void *)(uintptr_t)kinds[i % 5].octets;
		m[i]->priv_size = NS_PACKET_PRIV;
		ns_packet(m[i])->caplen = ns_packet(m[i])->wirelen = kinds[i % 5].len;
		ns_packet(m[i])->linktype = kinds[i % 5].linktype;
	}
	uint16_t good = ns_decode_burst(d, m, NS_DECODE_BURST_MAX, &c);

	CU_ASSERT_EQUAL(good, 103); /* kinds 0 and 2 of 256 */
	for (unsigned i = 0; i < NS_DECODE_BURST_MAX; i++) {
		size_t at = (size_t)((struct ns_test_mbuf *)m[i] - b);

		CU_ASSERT_EQUAL(i < good, at % 5 == 0 || at % 5 == 2);
		if (i > 0 && i != good)
			CU_ASSERT(m[i] > m[i - 1]);
		CU_ASSERT((ns_packet(m[i])->flags & NS_PKT_DECODED) != 0);
	}
	CU_ASSERT_EQUAL(c.v[ns_drop_truncated.id], 51);
	CU_ASSERT_EQUAL(c.v[ns_drop_bad_ip_header.id], 51);
	CU_ASSERT_EQUAL(c.v[ns_drop_unknown_linktype.id], 51);
	for (unsigned i = 0; i < NS_COUNTER_MAX; i++)
		sum += c.v[i];
	CU_ASSERT_EQUAL(sum + good, NS_DECODE_BURST_MAX);
	CU_ASSERT_EQUAL(ns_decode_burst(d, m, 0, &c), 0);
	ns_decoder_destroy(d);
}

/* The hash is of the whole tuple and nothing else, and spreads neighbours. */
static void hash(void)
{
	struct ns_tuple t = {.proto = 17, .ver = 4};
	unsigned rows[64] = {0};
	uint32_t h = ns_tuple_hash(&t);

	for (size_t i = 0; i < sizeof(t); i++) {
		((uint8_t *)&t)[i] ^= 1;
		CU_ASSERT_NOT_EQUAL(ns_tuple_hash(&t), h);
		((uint8_t *)&t)[i] ^= 1;
	}
	CU_ASSERT_EQUAL(ns_tuple_hash(&t), h);
	for (unsigned i = 0; i < 64000; i++) {
		t.pa = __builtin_bswap16((uint16_t)i);
		rows[ns_tuple_hash(&t) % 64]++;
	}
	for (unsigned i = 0; i < 64; i++)
		CU_ASSERT(rows[i] > 800 && rows[i] < 1200);
}

static uint32_t hash_of(uint32_t address)
{
	struct ns_tuple t = {.proto = 6, .ver = 4, .pa = 1};
	uint64_t w[6];

	memcpy(t.a, &address, sizeof(address));
	memcpy(w, &t, sizeof(w));
	CU_ASSERT_EQUAL_FATAL(ns_tuple_hash_narrow(w), ns_tuple_hash(&t));
	return ns_tuple_hash(&t);
}

/* What has one bucket with one seed has others with another. */
static void keyed(void)
{
	enum { ROWS = 1 << 14, PAIRS = 1000 };
	static uint32_t first[ROWS], pair[PAIRS][2];
	uint32_t usual = hash_of(1);
	unsigned n = 0, same = 0;

	for (uint32_t i = 1; n < PAIRS; i++) {
		uint32_t *at = &first[hash_of(i) % ROWS];

		if (*at == 0) {
			*at = i;
			continue;
		}
		pair[n][0] = *at;
		pair[n++][1] = i;
	}
	ns_tuple_seed(77);
	for (unsigned i = 0; i < PAIRS; i++)
		same += hash_of(pair[i][0]) % ROWS == hash_of(pair[i][1]) % ROWS;
	CU_ASSERT(same < 5);
	CU_ASSERT_NOT_EQUAL(hash_of(1), usual);
	hash();
	ns_tuple_seed(0);
	CU_ASSERT_EQUAL(hash_of(1), usual);
}

/* Whatever an mbuf held before, the same octets give the same view. */
static void nothing_left_over(void)
{
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct ns_test_mbuf b = {.m = {.buf_addr = (void *)(uintptr_t)udp}};
	struct ns_counters notes = {{0}};
	struct ns_packet fresh, *p = ns_packet(&b.m);

	for (int old = 0; old < 256; old += 85) {
		memset(p, old, sizeof(*p));
		p->caplen = p->wirelen = sizeof(udp);
		p->linktype = 1;
		p->flags &= (uint16_t) ~(NS_PKT_RSS | NS_PKT_COPY);
		CU_ASSERT_PTR_NULL(ns_decode(d, &b.m, &notes));
		if (old == 0)
			fresh = *p;
		/* no fragment, no tunnel: the third line holds nothing */
		CU_ASSERT_EQUAL(memcmp(&fresh.flags, &p->flags,
					offsetof(struct ns_packet, frag_id) -
						offsetof(struct ns_packet, flags)),
			0);
	}
	/* decoding again changes nothing; what the source and defrag said stays */
	p->flags |= NS_PKT_RSS | NS_PKT_COPY;
	CU_ASSERT_PTR_NULL(ns_decode(d, &b.m, &notes));
	CU_ASSERT_EQUAL(p->flags, fresh.flags | NS_PKT_RSS | NS_PKT_COPY);
	/* a frame without IP in an mbuf whose last packet had one */
	b.m.buf_addr = (void *)(uintptr_t)arp;
	p->caplen = p->wirelen = sizeof(arp);
	CU_ASSERT_PTR_NULL(ns_decode(d, &b.m, &notes));
	CU_ASSERT_EQUAL(p->flags, NS_PKT_DECODED | NS_PKT_RSS | NS_PKT_COPY);
	ns_decoder_destroy(d);
}

NS_TEST_MAIN({"configuration", configuration}, {"burst", burst}, {"hash", hash}, {"keyed", keyed},
	{"nothing left over", nothing_left_over})
