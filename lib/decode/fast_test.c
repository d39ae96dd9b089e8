/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way (fast.c) against the walk: same view or not taken, for packets of all shapes, every
 * octet of their headers changed, every captured length, and what gen-capture makes.
 */
#include "ns_test_decode.h"
#include "same_view.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* A tunnel on the ports of VXLAN and GTP-U; here IP stands right behind UDP. */
static int bare_decap(const struct ns_tunnel_outer *outer, const uint8_t *data, uint16_t len,
	struct ns_decap *out)
{
	if (len == 0 || (data[0] >> 4 != 4 && data[0] >> 4 != 6))
		return 0;
	out->next = NS_NEXT_IP;
	return 1;
}

static const uint16_t tunnel_ports[] = {4789, 2152, 0};
static const struct ns_tunnel_ops tunnel_ops = {.udp_ports = tunnel_ports, .decap = bare_decap};
static const struct ns_plugin bare = {
	NS_TUNNEL_KIND, "bare", "for tests", NS_PLUGIN_ABI, &tunnel_ops};
NS_PLUGIN_REGISTER(bare)

#define LOCAL4 127, 0, 0, 1
#define TAG(type, vid) B16(type), B16(vid)
#define MACS MAC1, MAC2
#define UDP4(sport, dport) IP4(17, 32), UDP(sport, dport, 12), 'd', 'a', 't', 'a'
#define UDP6(sport, dport) IP6(17, 12), UDP(sport, dport, 12), 'd', 'a', 't', 'a'
#define TCP4 IP4(6, 44), TCP(80, 40000, 0x18), 'd', 'a', 't', 'a'
#define TCP6 IP6(6, 24), TCP(40000, 80, 0x12), 'd', 'a', 't', 'a'

struct frame {
	const char *name;
	bool taken;
	uint8_t len;
	uint8_t octets[160];
};

#define F(nm, yes, ...)                                    \
	{                                                  \
		nm, yes, sizeof((uint8_t[]){__VA_ARGS__}), \
		{                                          \
			__VA_ARGS__                        \
		}                                          \
	}

static const struct frame frames[] = {
	F("UDP", true, ETH(0x0800), UDP4(1000, 2000)),
	F("UDP, padded", true, ETH(0x0800), UDP4(2000, 1000), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	F("UDP, all ports the same", true, ETH(0x0800), UDP4(53, 53)),
	F("UDP without data", true, ETH(0x0800), IP4(17, 28), UDP(7, 9, 8)),
	F("UDP, shorter than the IP payload", true, ETH(0x0800), IP4(17, 32), UDP(7, 9, 10), 1, 2,
		3, 4),
	F("UDP, longer than the IP payload", true, ETH(0x0800), IP4(17, 32), UDP(7, 9, 99), 1, 2, 3,
		4),
	F("UDP of length 0", true, ETH(0x0800), IP4(17, 32), UDP(7, 9, 0), 1, 2, 3, 4),
	F("UDP of length 7", true, ETH(0x0800), IP4(17, 32), UDP(7, 9, 7), 1, 2, 3, 4),
	F("UDP to itself", true, ETH(0x0800), IP4_HEAD(17, 32, 0), LOCAL4, LOCAL4, UDP(9, 7, 12), 1,
		2, 3, 4),
	F("UDP to itself, upwards", true, ETH(0x0800), IP4_HEAD(17, 32, 0), LOCAL4, LOCAL4,
		UDP(7, 9, 12), 1, 2, 3, 4),
	F("may not be fragmented", true, ETH(0x0800), IP4_HEAD(17, 32, 0xc000), I4_DST, I4_SRC,
		UDP(7, 9, 12), 1, 2, 3, 4),
	F("TCP", true, ETH(0x0800), TCP4),
	F("TCP, options", true, ETH(0x0800), IP4(6, 48), TCP_WORDS(80, 1234, 6, 2), 2, 4, 5, 0xb4,
		1, 2, 3, 4),
	F("TCP, header longer than the packet", true, ETH(0x0800), IP4(6, 44),
		TCP_WORDS(80, 1234, 15, 2), 1, 2, 3, 4),
	F("TCP, header too short", true, ETH(0x0800), IP4(6, 44), TCP_WORDS(80, 1234, 4, 2), 1, 2,
		3, 4),
	F("UDP over IPv6", true, ETH(0x86dd), UDP6(1000, 2000)),
	F("UDP over IPv6 to itself", true, ETH(0x86dd), IP6_HEAD(17, 12), A6_SRC, A6_SRC,
		UDP(9, 7, 12), 1, 2, 3, 4),
	F("IPv6 addresses that differ in front", true, ETH(0x86dd), IP6_HEAD(17, 12), I6_SRC,
		A6_SRC, UDP(9, 7, 12), 1, 2, 3, 4),
	F("TCP over IPv6", true, ETH(0x86dd), TCP6),
	F("one tag", true, MACS, TAG(0x8100, 0x2fff), B16(0x0800), UDP4(1, 2)),
	F("one service tag", true, MACS, TAG(0x88a8, 0), B16(0x86dd), TCP6),
	F("one old service tag", true, MACS, TAG(0x9100, 7), B16(0x0800), TCP4),
	F("two tags", true, MACS, TAG(0x88a8, 0xe001), TAG(0x8100, 0xfff), B16(0x0800), TCP4),
	F("two tags, IPv6", true, MACS, TAG(0x8100, 1), TAG(0x9100, 2), B16(0x86dd), UDP6(5, 6)),
	F("three tags", false, MACS, TAG(0x8100, 1), TAG(0x8100, 2), TAG(0x8100, 3), B16(0x0800),
		UDP4(5, 6)),
	F("a tunnel's port", false, ETH(0x0800), UDP4(4789, 2000)),
	F("a tunnel's port, the other", false, ETH(0x86dd), UDP6(2000, 2152)),
	F("a tunnel", false, ETH(0x0800), IP4(17, 28 + INNER4_LEN), UDP(2152, 2152, 8 + INNER4_LEN),
		INNER4),
	F("not a tunnel's port, if much like one", true, ETH(0x0800), UDP4(4789 + 2048, 80)),
	F("TCP to a tunnel's port", true, ETH(0x0800), IP4(6, 40), TCP(4789, 2152, 2)),
	F("IPv4 options", false, ETH(0x0800), 0x46, 0, B16(36), 0, 0, 0, 0, 64, 17, 0, 0, A4_SRC,
		A4_DST, 1, 1, 1, 1, UDP(7, 9, 12), 1, 2, 3, 4),
	F("a first fragment", false, ETH(0x0800), IP4_FRAG(17, 32, 0x2000), UDP(7, 9, 12), 1, 2, 3,
		4),
	F("a later fragment", false, ETH(0x0800), IP4_FRAG(17, 32, 1), UDP(7, 9, 12), 1, 2, 3, 4),
	F("IPv4 of length 0", false, ETH(0x0800), IP4(17, 0), UDP(7, 9, 12), 1, 2, 3, 4),
	F("IPv6 of length 0", false, ETH(0x86dd), IP6(17, 0), UDP(7, 9, 12), 1, 2, 3, 4),
	F("IPv6 hop by hop", false, ETH(0x86dd), IP6(0, 20), 17, 0, 1, 4, 0, 0, 0, 0, UDP(7, 9, 12),
		1, 2, 3, 4),
	F("IPv6 behind IPv4's type", false, ETH(0x0800), UDP6(7, 9)),
	F("IPv4 behind IPv6's type", false, ETH(0x86dd), UDP4(7, 9), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0),
	F("ICMP", false, ETH(0x0800), IP4(1, 28), 8, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0),
	F("MPLS", false, ETH(0x8847), 0, 1, 1, 64, UDP4(7, 9)),
};

static const uint32_t beyond[] = {0, 1, 4, 1000, 70000}; /* octets on the wire, not captured */

static void shapes(void)
{
	struct ns_decoder *d = ns_test_decoder(4, false), *none = ns_test_decoder(0, false);
	struct ns_decoder *verifies = ns_test_decoder(4, true);

	for (size_t i = 0; i < NS_ARRAY_LEN(frames); i++) {
		const struct frame *f = &frames[i];
		int got = same_view_copy(d, NS_LINKTYPE_ETHERNET, f->octets, f->len, f->len);

		CU_ASSERT_EQUAL(got, f->taken);
		if (got != f->taken)
			fprintf(stderr, "%s: %d\n", f->name, got);
		CU_ASSERT_EQUAL(same_view_copy(none, 1, f->octets, f->len, f->len), f->taken);
		CU_ASSERT_EQUAL(same_view_copy(verifies, 1, f->octets, f->len, f->len), 0);
		CU_ASSERT_EQUAL(same_view_copy(d, 12, f->octets, f->len, f->len), 0);
		/* no L4 header, no short way */
		for (uint32_t n = 0; n <= f->len; n++) {
			for (size_t k = 0; k < NS_ARRAY_LEN(beyond); k++)
				CU_ASSERT_NOT_EQUAL(
					same_view_copy(d, 1, f->octets, n, f->len + beyond[k]), -1);
			CU_ASSERT(n >= 42 || same_view_copy(d, 1, f->octets, n, f->len) == 0);
		}
	}
	ns_decoder_destroy(d);
	ns_decoder_destroy(none);
	ns_decoder_destroy(verifies);
}

/* Each octet with each value, at the full length and at one that ends within the headers. */
static void octets(void)
{
	struct ns_decoder *d = ns_test_decoder(4, false);
	unsigned taken = 0, all = 0, differ = 0;

	for (size_t i = 0; i < NS_ARRAY_LEN(frames); i++) {
		struct frame f = frames[i];

		for (unsigned at = 0; at < f.len; at++) {
			uint8_t was = f.octets[at];

			for (unsigned v = 0; v < 256; v++) {
				f.octets[at] = (uint8_t)v;
				int whole = same_view_copy(d, 1, f.octets, f.len, f.len);
				int cut = same_view_copy(d, 1, f.octets, f.len - at % 12, f.len);

				differ += (whole < 0) + (cut < 0);
				taken += whole > 0;
				all++;
			}
			f.octets[at] = was;
		}
	}
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT(taken > all / 2 && taken < all); /* both ways are tried */
	ns_decoder_destroy(d);
}

static uint64_t rng = 88172645463325252u;

static uint32_t below(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 32) * n >> 32);
}

/* A few octets at once; lengths and ports more often than others. */
static void several(void)
{
	static const uint8_t values[] = {0, 1, 4, 6, 7, 8, 17, 20, 0x45, 0x60, 0x81, 0x88, 0xff};
	struct ns_decoder *d = ns_test_decoder(4, false);
	unsigned taken = 0, differ = 0, rounds = 300000;

	for (unsigned r = 0; r < rounds; r++) {
		struct frame f = frames[below(NS_ARRAY_LEN(frames))];

		for (unsigned k = below(4) + 1; k > 0; k--)
			f.octets[below(f.len)] =
				below(2) != 0 ? values[below(sizeof(values))] : (uint8_t)below(256);
		uint32_t n = below(4) != 0 ? f.len : below(f.len + 1u);
		int rc = same_view_copy(d, 1, f.octets, n, n + beyond[below(5)]);

		differ += rc < 0;
		taken += rc > 0;
	}
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT(taken > rounds / 8);
	ns_decoder_destroy(d);
}

struct seen {
	unsigned packets, taken, differ;
};

/* All packets of a capture in microseconds, whole and cut. */
static void capture(const struct ns_decoder *d, const char *name, struct seen *s)
{
	static uint8_t octets_of[65536];
	uint32_t head[6], rec[4];
	FILE *f = fopen(name, "rb");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL_FATAL(fread(head, sizeof(head), 1, f), 1);
	CU_ASSERT_EQUAL_FATAL(head[0], 0xa1b2c3d4);
	uint16_t linktype = (uint16_t)head[5];

	while (fread(rec, sizeof(rec), 1, f) == 1) {
		CU_ASSERT_FATAL(rec[2] < sizeof(octets_of));
		CU_ASSERT_EQUAL_FATAL(fread(octets_of, 1, rec[2], f), rec[2]);
		int rc = same_view_copy(d, linktype, octets_of, rec[2], rec[3]);
		uint32_t cut = below(NS_MIN(rec[2], 160u) + 1);

		s->packets++;
		s->taken += rc > 0;
		s->differ += rc < 0;
		s->differ += same_view_copy(d, linktype, octets_of, cut, rec[3]) < 0;
	}
	fclose(f);
}

/* Makes captures with the project's generator in dir. */
static void generate(const char *dir, const char *what)
{
	const char *root = getenv("NS_BUILD_ROOT");
	char command[PATH_MAX * 2 + 100];

	snprintf(command, sizeof(command), "cd '%s' && '%s/test/perf/gen-capture' %s", dir,
		root != NULL ? root : "build", what);
	CU_ASSERT_EQUAL_FATAL(system(command), 0); /* gen-capture is to be built first */
}

static void captures(void)
{
	static const char *const makes[] = {"udp64 udp64.pcap 20000 2000 1.0 1",
		"imix imix.pcap 30000 3000 1", "tunnels tunnels.pcap", "frags frags.pcap",
		"linktypes ."};
	struct ns_decoder *d = ns_test_decoder(4, false);
	char dir[] = "/tmp/ns-fast-XXXXXX";
	struct seen all = {0};
	struct dirent *e;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	for (size_t i = 0; i < NS_ARRAY_LEN(makes); i++)
		generate(dir, makes[i]);
	DIR *list = opendir(dir);

	CU_ASSERT_PTR_NOT_NULL_FATAL(list);
	while ((e = readdir(list)) != NULL) {
		char name[PATH_MAX];
		struct seen s = {0};

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
		capture(d, name, &s);
		if (strcmp(e->d_name, "udp64.pcap") == 0)
			CU_ASSERT_EQUAL(s.taken, s.packets);
		if (strcmp(e->d_name, "imix.pcap") == 0)
			CU_ASSERT(s.taken > s.packets / 100 * 98);
		all.packets += s.packets;
		all.differ += s.differ;
		unlink(name);
	}
	closedir(list);
	rmdir(dir);
	CU_ASSERT_EQUAL(all.differ, 0);
	CU_ASSERT(all.packets > 50000);
	ns_decoder_destroy(d);
}

/* Flags that others gave stay, whichever way a packet takes. */
static void flags_kept(void)
{
	struct ns_decoder *d = ns_test_decoder(4, false);
	struct view_mbuf b;

	for (size_t i = 0; i < NS_ARRAY_LEN(frames); i++) {
		struct ns_packet *p =
			view_prepare(&b, 1, frames[i].octets, frames[i].len, frames[i].len, 0);
		struct ns_counters notes = {{0}};

		CU_ASSERT_PTR_NULL(ns_decode(d, &b.m, &notes));
		CU_ASSERT_EQUAL(p->flags & (NS_PKT_RSS | NS_PKT_COPY), 0);
		p->flags = NS_PKT_RSS | NS_PKT_FRAG | NS_PKT_TUNNEL;
		CU_ASSERT_PTR_NULL(ns_decode(d, &b.m, &notes));
		CU_ASSERT_EQUAL(p->flags & (NS_PKT_RSS | NS_PKT_COPY), NS_PKT_RSS);
		CU_ASSERT(!frames[i].taken || (p->flags & (NS_PKT_FRAG | NS_PKT_TUNNEL)) == 0);
	}
	ns_decoder_destroy(d);
}

NS_TEST_MAIN({"shapes", shapes}, {"octets", octets}, {"several octets", several},
	{"captures", captures}, {"flags kept", flags_kept})
