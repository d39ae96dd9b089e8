/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

#define SNAP(type) 0xaa, 0xaa, 0x03, 0, 0, 0, B16(type)
#define NULL_FAMILY(n) n, 0, 0, 0
/* 802.11: frame control, duration, three addresses, sequence control */
#define WLAN(fc0, fc1) fc0, fc1, 0, 0, MAC1, MAC2, MAC1, 0x10, 0
#define ARPHRD_SLL(arphrd, proto) 0, 0, B16(arphrd), 0, 6, MAC2, 0, 0, B16(proto)
#define SLL2(arphrd, proto) B16(proto), 0, 0, 0, 0, 0, 2, B16(arphrd), 0, 6, MAC2, 0, 0
#define ZERO8 0, 0, 0, 0, 0, 0, 0, 0
#define ZERO40 ZERO8, ZERO8, ZERO8, ZERO8, ZERO8

struct frame {
	uint16_t linktype;
	uint16_t len;
	const char *name; /* of ns_packet.ethertype, NULL: not to be compared */
	uint8_t octets[160];
};

#define F(type, nm, ...)                                    \
	{                                                   \
		type, sizeof((uint8_t[]){__VA_ARGS__}), nm, \
		{                                           \
			__VA_ARGS__                         \
		}                                           \
	}

/* All end with INNER4 or INNER6. */
static const struct frame carries_ip[] = {
	F(0, "null", NULL_FAMILY(2), INNER4),
	F(0, "null", 0, 0, 0, 2, INNER4),
	F(0, "null", NULL_FAMILY(10), INNER6),
	F(0, "null", NULL_FAMILY(24), INNER6),
	F(0, "null", 0, 0, 0, 28, INNER6),
	F(0, "null", NULL_FAMILY(30), INNER6),
	F(108, "null", 0, 0, 0, 2, INNER4),
	F(1, NULL, ETH(0x0800), INNER4),
	F(8, NULL, ZERO8, ZERO8, INNER4),
	F(9, NULL, 0xff, 0x03, 0x00, 0x21, INNER4),
	F(9, NULL, 0x00, 0x57, INNER6),
	F(9, NULL, 0x21, INNER4),
	F(9, NULL, 0x0f, 0x00, 0x08, 0x00, INNER4), /* Cisco HDLC under PPP's number */
	F(9, NULL, 0x8f, 0x00, 0x86, 0xdd, INNER6),
	/* MPLS over PPP, label 16 */
	F(50, NULL, 0xff, 0x03, 0x02, 0x81, 0x00, 0x01, 0x01, 64, INNER4),
	F(10, NULL, 0x50, MAC1, MAC2, SNAP(0x0800), INNER4),
	F(12, NULL, INNER4),
	F(14, NULL, INNER6),
	F(101, NULL, INNER4),
	F(228, NULL, INNER4),
	F(229, NULL, INNER6),
	/* PPPoE: version and type, session data, session id, length; PPP */
	F(51, NULL, 0x11, 0, 0, 1, B16(34), 0x00, 0x21, INNER4),
	F(100, NULL, SNAP(0x0800), INNER4),
	/* RFC 2684: bridged Ethernet without FCS behind two octets of padding */
	F(100, NULL, 0xaa, 0xaa, 0x03, 0, 0x80, 0xc2, 0, 7, 0, 0, ETH(0x0800), INNER4),
	F(100, "llc", 0xfe, 0xfe, 0x03, 0xcc, INNER4),
	F(104, NULL, 0x0f, 0x00, 0x08, 0x00, INNER4),
	F(104, NULL, 0x8f, 0x00, 0x86, 0xdd, INNER6),
	/* Q.922 address of two and of four octets; RFC 2427 */
	F(107, "frame_relay", 0x18, 0x41, 0x03, 0xcc, INNER4),
	F(107, "frame_relay", 0x18, 0x40, 0x00, 0x41, 0x03, 0x00, 0x8e, INNER6),
	F(107, NULL, 0x18, 0x41, 0x03, 0x00, 0x80, 0, 0, 0, 0x08, 0x00, INNER4),
	F(107, NULL, 0x18, 0x41, 0x03, 0xcf, 0x00, 0x21, INNER4),
	F(107, NULL, 0x18, 0x41, 0x08, 0x00, INNER4), /* Cisco's encapsulation */
	F(113, NULL, ARPHRD_SLL(1, 0x0800), INNER4),
	F(113, NULL, ARPHRD_SLL(1, 0x8100), 0, 5, 0x86, 0xdd, INNER6),
	F(113, NULL, ARPHRD_SLL(1, 4), SNAP(0x0800), INNER4),
	F(113, NULL, ARPHRD_SLL(801, 4), WLAN(0x08, 0), SNAP(0x0800), INNER4),
	F(276, NULL, SLL2(1, 0x0800), INNER4),
	F(276, NULL, SLL2(803, 4), 0, 0, 8, 0, 0, 0, 0, 0, WLAN(0x08, 0), SNAP(0x0800), INNER4),
	F(105, NULL, WLAN(0x08, 0x02), SNAP(0x0800), INNER4),
	F(105, NULL, WLAN(0x08, 0x03), MAC2, SNAP(0x0800), INNER4), /* four addresses */
	F(105, NULL, WLAN(0x88, 0x01), 0, 0, SNAP(0x86dd), INNER6), /* QoS */
	F(105, NULL, WLAN(0x88, 0x81), 0, 0, 1, 2, 3, 4, SNAP(0x0800), INNER4), /* HT control */
	/* an aggregate: the first subframe's addresses and length */
	F(105, NULL, WLAN(0x88, 0x01), 0x80, 0, MAC1, MAC2, 0, 40, SNAP(0x0800), INNER4),
	/* radiotap: version, pad, length, what is present */
	F(127, NULL, 0, 0, 8, 0, 0, 0, 0, 0, WLAN(0x08, 0), SNAP(0x0800), INNER4),
	/* TSFT and flags: the header is padded to four octets */
	F(127, NULL, 0, 0, 17, 0, 3, 0, 0, 0, ZERO8, 0x20, WLAN(0x88, 0), 0, 0, 0, 0, SNAP(0x0800),
		INNER4),
	/* a second word of presence before the flags */
	F(127, NULL, 0, 0, 13, 0, 2, 0, 0, 0x80, 0, 0, 0, 0, 0x20, WLAN(0x88, 0), 0, 0, 0, 0,
		SNAP(0x0800), INNER4),
	/* Prism: message code, length, device; then values */
	F(119, NULL, 0x44, 0, 0, 0, 24, 0, 0, 0, ZERO8, ZERO8, WLAN(0x08, 0), SNAP(0x0800), INNER4),
	F(119, NULL, 0, 0, 0, 0x44, 0, 0, 0, 24, ZERO8, ZERO8, WLAN(0x08, 0), SNAP(0x0800), INNER4),
	/* AVS under its own number and under that of Prism */
	F(163, NULL, 0x80, 0x21, 0x10, 0x01, 0, 0, 0, 12, 0, 0, 0, 0, WLAN(0x08, 0), SNAP(0x0800),
		INNER4),
	F(119, NULL, 0x80, 0x21, 0x10, 0x02, 0, 0, 0, 8, WLAN(0x08, 0), SNAP(0x0800), INNER4),
	/* SunATM: LLC in the low nibble, VPI, VCI */
	F(123, NULL, 0x02, 0, 0, 32, SNAP(0x0800), INNER4),
	/* ARCNET: source, destination, offset, protocol; split flag and sequence of RFC 1201 */
	F(129, "arcnet", 1, 2, 0, 0, 212, 0, 0, 1, INNER4),
	F(129, "arcnet", 1, 2, 0, 0, 240, INNER4),
	F(166, NULL, 1, 0xff, 0x03, 0x00, 0x21, INNER4),
	F(204, NULL, 0, 0x00, 0x57, INNER6),
	/* PPI: version, flags, length, link type */
	F(192, NULL, 0, 0, 8, 0, 1, 0, 0, 0, ETH(0x0800), INNER4),
	F(192, NULL, 0, 0, 12, 0, 105, 0, 0, 0, 1, 2, 3, 4, WLAN(0x08, 0), SNAP(0x0800), INNER4),
	F(219, NULL, 0x00, 0x01, 0x01, 64, INNER4),
	/* NFLOG: family, version, resource; an attribute of 5 octets, then the packet */
	F(239, "nflog", 2, 0, 0, 0, 5, 0, 10, 0, 'x', 0, 0, 0, 36, 0, 9, 0, INNER4),
	F(239, "nflog", 10, 0, 0, 0, 56, 0, 9, 0, INNER6),
	F(239, "nflog", 2, 0, 0, 0, 0, 36, 0, 9, INNER4), /* a big-endian machine */
	F(242, NULL, ZERO40, 0x08, 0x00, 0, 0, INNER4),
};

static void each_link_type(void)
{
	struct ns_decoder *d = ns_test_decoder(4, false);

	for (size_t i = 0; i < NS_ARRAY_LEN(carries_ip); i++) {
		const struct frame *f = &carries_ip[i];
		struct ns_test_view v = ns_test_decode(d, f->linktype, f->octets, f->len);
		bool good = v.why == NULL && ns_test_is_inner(&v.p, 0) &&
			    ns_test_has_inner_ports(&v.p) && v.p.l3_off == f->len - v.p.ip_octets;

		if (f->name != NULL) {
			const char *name = ns_ethertype_name(v.p.ethertype);

			good = good && name != NULL && strcmp(name, f->name) == 0;
		}
		if (!good)
			fprintf(stderr, "\nframe %zu, link type %u: %s\n", i, f->linktype,
				v.why != NULL ? v.why->name : "wrong view");
		CU_ASSERT(good);
		CU_ASSERT(ns_linktype_decodable(f->linktype));
		CU_ASSERT_PTR_NOT_NULL(ns_linktype_name(f->linktype));
	}
	ns_decoder_destroy(d);
}

/* Cut anywhere: dropped as truncated, or the flow of what is left; never another reason. */
static void cut_anywhere(void)
{
	struct ns_decoder *d = ns_test_decoder(4, false);

	for (size_t i = 0; i < NS_ARRAY_LEN(carries_ip); i++) {
		const struct frame *f = &carries_ip[i];
		uint32_t ip = ns_test_decode(d, f->linktype, f->octets, f->len).p.l3_off;

		for (uint32_t cut = 0; cut < f->len; cut++) {
			struct ns_test_view v =
				ns_test_decode_cut(d, f->linktype, f->octets, cut, f->len);
			uint32_t header = (f->octets[ip] >> 4) == 4 ? 20 : 40;

			if (cut >= ip + header) {
				CU_ASSERT_PTR_NULL(v.why);
				CU_ASSERT(ns_test_is_inner(&v.p, 0));
				CU_ASSERT_EQUAL(ns_test_note(&v, "cut_l4"), cut < ip + header + 8);
				CU_ASSERT_EQUAL(
					(v.p.flags & NS_PKT_PORTS) != 0, cut >= ip + header + 4);
			} else {
				if (v.why != &ns_drop_truncated)
					fprintf(stderr, "\nframe %zu, link type %u, cut at %u\n", i,
						f->linktype, cut);
				CU_ASSERT_PTR_EQUAL(v.why, &ns_drop_truncated);
			}
		}
	}
	ns_decoder_destroy(d);
}

/* Frames without IP are no faults, and have a name. */
static void not_ip(void)
{
	static const struct frame frames[] = {
		F(0, "null", NULL_FAMILY(7), 1, 2, 3, 4),
		F(9, "ppp", 0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4),
		F(104, "llc", 0x0f, 0, 0xfe, 0xfe, 0x03, 0x83, 1, 2),
		F(104, NULL, 0x8f, 0, 0x80, 0x35, 0, 0, 0, 2), /* SLARP */
		F(107, "frame_relay", 0x18, 0x41, 0x03, 0x81, 1, 2), /* CLNP */
		F(113, "linux_sll", ARPHRD_SLL(1, 0x0001), 1, 2),
		F(113, "netlink", ARPHRD_SLL(824, 0), 1, 2),
		F(113, "arp", ARPHRD_SLL(1, 0x0806), 1, 2),
		F(276, "netlink", SLL2(824, 0), 1, 2),
		F(105, "ieee802_11", WLAN(0x80, 0)), /* beacon */
		F(105, "ieee802_11", WLAN(0x48, 0)), /* no data */
		F(105, "ieee802_11", WLAN(0x08, 0x40), 1, 2, 3), /* protected */
		F(123, "atm", 0x05, 0, 0, 5, 1, 2),
		F(129, "arcnet", 1, 2, 0, 0, 213, 0, 0, 1),
		F(239, "nflog", 2, 0, 0, 0, 5, 0, 10, 0, 'x', 0, 0, 0),
		F(239, "nflog", 2, 0, 0, 0, 5, 0, 10, 0, 'x'),
		F(239, "nflog", 7, 0, 0, 0, 36, 0, 9, 0, INNER4),
	};
	struct ns_decoder *d = ns_test_decoder(4, false);

	for (size_t i = 0; i < NS_ARRAY_LEN(frames); i++) {
		const struct frame *f = &frames[i];
		struct ns_test_view v = ns_test_decode(d, f->linktype, f->octets, f->len);
		const char *name = ns_ethertype_name(v.p.ethertype);

		CU_ASSERT_PTR_NULL(v.why);
		CU_ASSERT_EQUAL(
			v.p.flags, NS_PKT_DECODED | (v.p.flags & (NS_PKT_RSS | NS_PKT_COPY)));
		if (f->name != NULL)
			CU_ASSERT(name != NULL && strcmp(name, f->name) == 0);
	}
	ns_decoder_destroy(d);
}

static void contradictions(void)
{
	static const struct frame frames[] = {
		F(107, NULL, 0x18, 0x40, 0x40, 0x40, 0x41, 0x03, 0xcc,
			INNER4), /* address too long */
		F(127, NULL, 0, 0, 7, 0, 0, 0, 0, 0, WLAN(0x08, 0)),
		F(119, NULL, 0x44, 0, 0, 0, 23, 0, 0, 0, WLAN(0x08, 0)),
		F(163, NULL, 0x80, 0x21, 0x10, 1, 0, 0, 0, 7, WLAN(0x08, 0)),
		F(192, NULL, 0, 0, 7, 0, 1, 0, 0, 0, ETH(0x0800)),
		F(192, NULL, 0, 0, 8, 0, 192, 0, 0, 0, ETH(0x0800)), /* PPI in PPI */
		F(192, NULL, 0, 0, 8, 0, 1, 0, 1, 0, ETH(0x0800)),
		F(239, NULL, 2, 0, 0, 0, 3, 0, 9, 0, INNER4),
	};
	struct ns_decoder *d = ns_test_decoder(4, false);

	for (size_t i = 0; i < NS_ARRAY_LEN(frames); i++)
		CU_ASSERT_PTR_EQUAL(
			ns_test_decode(d, frames[i].linktype, frames[i].octets, frames[i].len).why,
			&ns_drop_bad_link_header);
	ns_decoder_destroy(d);
}

/* Every number that no decoder stands behind gives the one reason; names agree with that. */
static void unknown(void)
{
	static const uint8_t octets[] = {INNER4};
	struct ns_decoder *d = ns_test_decoder(4, false);

	for (uint32_t type = 0; type <= UINT16_MAX; type++) {
		if (ns_linktype_decodable((uint16_t)type)) {
			CU_ASSERT_PTR_NOT_NULL(ns_linktype_name((uint16_t)type));
			continue;
		}
		struct ns_test_view v = ns_test_decode(d, (uint16_t)type, octets, sizeof(octets));

		if (v.why != &ns_drop_unknown_linktype)
			CU_FAIL("another reason");
	}
	CU_ASSERT_PTR_NULL(ns_linktype_name(65535));
	CU_ASSERT_STRING_EQUAL(ns_linktype_name(189), "usb_linux");
	CU_ASSERT_FALSE(ns_linktype_decodable(189));
	CU_ASSERT_PTR_NULL(ns_ethertype_name(0x0bad));
	CU_ASSERT_STRING_EQUAL(ns_ethertype_name(0x0806), "arp");
	ns_decoder_destroy(d);
}

NS_TEST_MAIN({"each link type", each_link_type}, {"cut anywhere", cut_anywhere}, {"not IP", not_ip},
	{"contradictions", contradictions}, {"unknown", unknown})
