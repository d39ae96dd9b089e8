/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference is libpcap's interpreter run on the same packets. */
#include "ns_test.h"
#include "ns_test_eal.h"

#include <ns_filter.h>

#include <pcap/pcap.h>
#include <string.h>

static const char *const exprs[] = {
	"tcp",
	"udp port 53",
	"tcp port 80 or tcp port 443",
	"ip host 10.0.0.1 and not icmp",
	"ip6",
	"net 192.168.0.0/16",
	"vlan 5 and tcp",
	"greater 100",
	"less 64",
	"len > 80 and udp",
	"ip[8] < 10",
	"ether[0:4] = 0x01020304",
	"ether[ether[0:4]:4] = 7",
	"ether[ether[1]:2] > 7",
	"tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
	"ip[2:2] % 7 = 3",
	"(ip[2:2] & ip[0]) / 3 = 22",
	"(ip[2:2] << ip[0]) > 300",
	"tcp[tcpflags] & (tcp-syn|tcp-ack) != 0",
	"portrange 1000-40000",
	"ip6 and tcp port 22",
	"tcp dst port 443 and src net 10.0.0.0/8",
	"udp src port 53 and dst host 192.168.1.2",
	"src host 200.1.2.3 or dst host 192.168.1.2",
	"ether[0:4] > 0x90000000",
	"ether[0:4] & 0xf0000000 = 0xa0000000",
	"ether[0:4] & 0x80 != 0",
	"ether[0:4] & 0x80000000 != 0",
	"ether[1] & 1 != 0",
	"ether host 01:02:03:04:05:06 or ether multicast",
	"not (tcp or udp)",
	"ip proto 17 and ip[8] > 200",
	"udp[4:2] > 1000 and udp[0:2] < 2000",
	"tcp[4:4] >= 0x80000000",
	"tcp[13] > 17",
	"udp[8] = udp[9]",
	"tcp port 80 and tcp[12] > 100",
	"ip[6:2] & 0x3fff != 0",
	"(ip[2:2] + ip[8]) * 3 - 7 > 400",
	"ip[12:4] ^ ip[16:4] = 0",
	"vlan and udp port 53",
	"pppoes and udp",
};

static uint32_t rnd_state = 12345;

static uint32_t rnd(void)
{
	rnd_state = rnd_state * 1664525u + 1013904223u;
	return rnd_state >> 8;
}

/* A frame that many of the filters look into: random, with plausible headers most of the time. */
static uint32_t make_frame(uint8_t *p)
{
	static const uint16_t ports[] = {53, 80, 443, 22, 1000, 40000};
	uint32_t len = rnd() % 160;
	uint8_t *ip = p + 14;

	for (unsigned i = 0; i < 160; i++)
		p[i] = (uint8_t)rnd();
	if (rnd() % 8 == 0)
		return len;
	p[12] = 0x08;
	p[13] = 0x00;
	switch (rnd() % 8) {
	case 0:
		p[12] = 0x86;
		p[13] = 0xdd;
		break;
	case 1:
		p[12] = 0x81;
		p[15] = 5;
		p[14] = 0;
		ip = p + 18;
		p[16] = 8;
		p[17] = 0;
		break;
	default:
		break;
	}
	ip[0] = (uint8_t)(0x45 + rnd() % 3);
	ip[6] = ip[7] = 0;
	ip[9] = rnd() % 2 ? 6 : 17;
	if (rnd() % 2)
		memcpy(ip + 12, "\x0a\x00\x00\x01", 4);
	else
		memcpy(ip + 16, "\xc0\xa8\x01\x02", 4);
	for (unsigned i = 0; i < 4; i += 2) {
		uint16_t port = ports[rnd() % NS_ARRAY_LEN(ports)];
		uint8_t *l4 = ip + (ip[0] & 15) * 4;

		l4[i] = (uint8_t)(port >> 8);
		l4[i + 1] = (uint8_t)port;
	}
	return len;
}

static void same_as_libpcap(void)
{
	unsigned matched = 0;
	unsigned jitted = 0;

	ns_test_eal();
	for (unsigned i = 0; i < NS_ARRAY_LEN(exprs); i++) {
		struct ns_err e = {{0}};
		struct ns_filter *f = ns_filter_create(exprs[i], 1, 0, &e);
		pcap_t *dead = pcap_open_dead(DLT_EN10MB, 262144);
		struct bpf_program ref;
		unsigned wrong = 0;

		if (f == NULL)
			printf("\n%s", e.text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL_FATAL(
			pcap_compile(dead, &ref, exprs[i], 1, PCAP_NETMASK_UNKNOWN), 0);
		jitted += ns_filter_jitted(f);
		for (unsigned k = 0; k < 20000; k++) {
			uint8_t buf[160];
			uint32_t cap = make_frame(buf);
			uint32_t wire = rnd() % 2 ? cap : cap + rnd() % 100;
			/* Its own memory of exactly that length: an overread is then seen. */
			uint8_t *frame = malloc(cap + 1);

			memcpy(frame, buf, cap);
			bool want = bpf_filter(ref.bf_insns, frame, wire, cap) != 0;

			matched += want;
			wrong += ns_filter_match(f, frame, cap, wire) != want;
			free(frame);
		}
		if (wrong > 0)
			printf("\n%s: %u differ", exprs[i], wrong);
		CU_ASSERT_EQUAL(wrong, 0);
		pcap_freecode(&ref);
		pcap_close(dead);
		ns_filter_destroy(f);
	}
	/* The test would prove nothing if no frame matched or all were interpreted. */
	CU_ASSERT(matched > 20000);
#ifdef __x86_64__
	CU_ASSERT(jitted >= 12);
#endif
	CU_ASSERT(jitted < NS_ARRAY_LEN(exprs));
}

static void index_from_packet_is_interpreted(void)
{
	struct ns_filter *f = ns_filter_create("ether[ether[0:4]:4] = 7", 1, 0, NULL);
	uint8_t frame[64];

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_FALSE(ns_filter_jitted(f));
	memset(frame, 0xff, sizeof(frame));
	CU_ASSERT_FALSE(ns_filter_match(f, frame, sizeof(frame), sizeof(frame)));
	ns_filter_destroy(f);
}

static void other_link_types(void)
{
	static const uint8_t ip[20] = {
		0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
	struct ns_filter *f = ns_filter_create("udp and host 10.0.0.2", 101, 0, NULL);
	struct ns_err e = {{0}};

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(ns_filter_match(f, ip, sizeof(ip), sizeof(ip)));
	CU_ASSERT_FALSE(ns_filter_match(f, ip, 9, sizeof(ip)));
	ns_filter_destroy(f);
	CU_ASSERT_PTR_NULL(ns_filter_create("ether host 00:11:22:33:44:55", 101, 0, &e));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "filter \"ether host"));
}

static void bad_expressions(void)
{
	static const char *const bad[] = {"tcp prt 80", "((", "port 99999", "host"};

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		struct ns_err e = {{0}};

		errno = 0;
		CU_ASSERT_PTR_NULL(ns_filter_create(bad[i], 1, 0, &e));
		CU_ASSERT_EQUAL(errno, EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i]));
		CU_ASSERT(strlen(e.text) > strlen(bad[i]) + 12);
	}
	ns_filter_destroy(NULL);
}

NS_TEST_MAIN({"same as libpcap", same_as_libpcap},
	{"index from packet is interpreted", index_from_packet_is_interpreted},
	{"other link types", other_link_types}, {"bad expressions", bad_expressions})
