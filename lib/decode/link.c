/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Link types of capture files (https://www.tcpdump.org/linktypes.html): what stands in front of the
 * network layer, and which protocol follows.
 */
#include "decode_priv.h"
#include "link_priv.h"

void walk_to_ethertype(struct walk *w, uint32_t skip, uint16_t ethertype)
{
	w->off += skip;
	w->ethertype = ethertype;
	w->next = NS_NEXT_ETHERTYPE;
}

/* BSD loopback: the address family of the capturing machine, in its byte order. */
static void link_null(struct walk *w)
{
	if (!have(w, w->off, 4)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint32_t family = be32(w->data + w->off);

	if (family > 0xffff)
		family = __builtin_bswap32(family);
	w->off += 4;
	w->p->ethertype = NS_ETHERTYPE_NULL;
	switch (family) {
	case 2: /* AF_INET everywhere */
	case 10: /* AF_INET6: Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		w->next = NS_NEXT_IP;
		break;
	default:
		w->next = NS_NEXT_END;
	}
}

static void link_raw(struct walk *w)
{
	w->next = NS_NEXT_IP;
}

/* Linux cooked capture v1: 16 octets, protocol at the end; v2: 20 octets, protocol in front. */
static void link_sll_any(struct walk *w, uint32_t size, uint32_t proto_at, uint32_t arphrd_at)
{
	if (!have(w, w->off, size)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint16_t proto = be16(w->data + w->off + proto_at);
	uint16_t arphrd = be16(w->data + w->off + arphrd_at);

	w->p->ethertype = NS_ETHERTYPE_SLL;
	if (arphrd == 824) { /* netlink: no network layer follows */
		w->p->ethertype = NS_ETHERTYPE_NETLINK;
		w->next = NS_NEXT_END;
	} else if (arphrd >= 801 && arphrd <= 803) { /* ARPHRD_IEEE80211*: radio frames */
		w->off += size;
		w->next = NS_NEXT_LINK;
		w->linktype = arphrd == 803 ? 127 : arphrd == 802 ? 119 : 105;
	} else if (proto == 4) { /* 802.2 LLC */
		w->off += size;
		walk_llc(w);
	} else if (proto < 0x0600) {
		w->next = NS_NEXT_END;
	} else {
		walk_to_ethertype(w, size, proto);
	}
}

static void link_sll(struct walk *w)
{
	link_sll_any(w, 16, 14, 2);
}

static void link_sll2(struct walk *w)
{
	link_sll_any(w, 20, 0, 8);
}

/* PPP in HDLC-like framing, or Cisco HDLC when the address says so. */
static void link_ppp_hdlc(struct walk *w)
{
	if (have(w, w->off, 1) && (w->data[w->off] == 0x0f || w->data[w->off] == 0x8f)) {
		if (!have(w, w->off, 4)) {
			walk_fault(w, &ns_drop_truncated);
			return;
		}
		walk_to_ethertype(w, 4, be16(w->data + w->off + 2));
		return;
	}
	w->next = NS_NEXT_PPP;
}

/* One octet of direction before PPP. */
static void link_ppp_dir(struct walk *w)
{
	if (!have(w, w->off, 1)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	w->off += 1;
	w->next = NS_NEXT_PPP;
}

static void link_pppoe(struct walk *w)
{
	walk_to_ethertype(w, 0, ETHERTYPE_PPPOE);
}

static void link_chdlc(struct walk *w)
{
	if (!have(w, w->off, 4)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint16_t proto = be16(w->data + w->off + 2);

	if (proto == 0xfefe) { /* OSI in Cisco HDLC */
		w->p->ethertype = NS_ETHERTYPE_LLC;
		w->next = NS_NEXT_END;
		return;
	}
	walk_to_ethertype(w, 4, proto);
}

/* Q.922 address of 2-4 octets, then RFC 2427: control, optional pad, NLPID; or Cisco's EtherType.
 */
static void link_frelay(struct walk *w)
{
	uint32_t n = 0;

	w->p->ethertype = NS_ETHERTYPE_FRAME_RELAY;
	do {
		if (n == 4 || !have(w, w->off + n, 1)) {
			walk_fault(w, n == 4 ? &ns_drop_bad_link_header : &ns_drop_truncated);
			return;
		}
	} while ((w->data[w->off + n++] & 1) == 0);
	w->off += n;
	if (!have(w, w->off, 2)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	if (w->data[w->off] != 0x03) {
		walk_to_ethertype(w, 2, be16(w->data + w->off));
		return;
	}
	w->off += 1;
	if (w->data[w->off] == 0)
		w->off += 1;
	walk_nlpid(w);
}

void walk_nlpid(struct walk *w)
{
	if (!have(w, w->off, 1)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint8_t nlpid = w->data[w->off];

	w->off += 1;
	if (nlpid == 0xcc || nlpid == 0x8e) {
		w->next = NS_NEXT_IP;
	} else if (nlpid == 0xcf) {
		w->next = NS_NEXT_PPP;
	} else if (nlpid == 0x80) {
		walk_snap(w);
	} else {
		w->next = NS_NEXT_END;
	}
}

static void link_mpls(struct walk *w)
{
	walk_to_ethertype(w, 0, ETHERTYPE_MPLS);
}

/* Netfilter log: family, version, resource id, then attributes (length, type: host order). */
static void link_nflog(struct walk *w)
{
	uint32_t off = w->off + 4;

	w->p->ethertype = NS_ETHERTYPE_NFLOG;
	if (!have(w, w->off, 4)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint8_t family = w->data[w->off];

	while (have(w, off, 4)) {
		uint32_t len = (uint32_t)w->data[off] | (uint32_t)w->data[off + 1] << 8;
		uint32_t type = (uint32_t)w->data[off + 2] | ((uint32_t)w->data[off + 3] & 0x7f)
								     << 8;

		if (len > 0x00ff && (len & 0xff) == 0 && !have(w, off, len)) {
			/* written by a big-endian machine */
			len = be16(w->data + off);
			type = be16(w->data + off + 2) & 0x7fff;
		}
		if (len < 4) {
			walk_fault(w, &ns_drop_bad_link_header);
			return;
		}
		if (type == 9) { /* NFULA_PAYLOAD */
			w->off = off + 4;
			w->next = family == 2 || family == 10 ? NS_NEXT_IP : NS_NEXT_END;
			return;
		}
		off += (len + 3) & ~3u;
	}
	/* the last attribute may lack its padding */
	if (w->wire_end > w->len || off > w->len + 3) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	w->next = NS_NEXT_END;
}

/* Per-packet information: version, flags, length, link type (little-endian), then the frame. */
static void link_ppi(struct walk *w)
{
	if (!have(w, w->off, 8)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	const uint8_t *h = w->data + w->off;
	uint32_t len = (uint32_t)h[2] | (uint32_t)h[3] << 8;
	uint32_t type =
		(uint32_t)h[4] | (uint32_t)h[5] << 8 | (uint32_t)h[6] << 16 | (uint32_t)h[7] << 24;

	if (len < 8 || type > 0xffff || type == 192) {
		walk_fault(w, &ns_drop_bad_link_header);
		return;
	}
	if (!have(w, w->off, len)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	w->off += len;
	w->linktype = (uint16_t)type;
	w->next = NS_NEXT_LINK;
}

static const struct {
	uint16_t linktype;
	const char *name;
	void (*walk)(struct walk *w); /* NULL: known by name only */
} links[] = {
	{0, "null", link_null},
	{1, "ethernet", walk_ethernet},
	{7, "arcnet_bsd", NULL},
	{8, "slip", walk_slip},
	{9, "ppp", link_ppp_hdlc},
	{10, "fddi", walk_fddi},
	{12, "raw", link_raw},
	{14, "raw", link_raw},
	{50, "ppp_hdlc", link_ppp_hdlc},
	{51, "ppp_ether", link_pppoe},
	{100, "atm_rfc1483", walk_llc},
	{101, "raw", link_raw},
	{104, "c_hdlc", link_chdlc},
	{105, "ieee802_11", walk_wlan},
	{107, "frelay", link_frelay},
	{108, "loop", link_null},
	{113, "linux_sll", link_sll},
	{117, "pflog", NULL},
	{119, "ieee802_11_prism", walk_prism},
	{123, "sunatm", walk_sunatm},
	{127, "ieee802_11_radiotap", walk_radiotap},
	{129, "arcnet_linux", walk_arcnet_linux},
	{137, "juniper_atm1", NULL},
	{140, "mtp2", NULL},
	{147, "user0", NULL},
	{160, "user13", NULL},
	{163, "ieee802_11_avs", walk_avs},
	{166, "ppp_pppd", link_ppp_dir},
	{178, "juniper_ether", NULL},
	{187, "bluetooth_hci_h4", NULL},
	{189, "usb_linux", NULL},
	{192, "ppi", link_ppi},
	{195, "ieee802_15_4", NULL},
	{201, "bluetooth_hci_h4_with_phdr", NULL},
	{204, "ppp_with_dir", link_ppp_dir},
	{219, "mpls", link_mpls},
	{220, "usb_linux_mmapped", NULL},
	{227, "can_socketcan", NULL},
	{228, "ipv4", link_raw},
	{229, "ipv6", link_raw},
	{230, "ieee802_15_4_nofcs", NULL},
	{239, "nflog", link_nflog},
	{242, "ipoib", walk_ipoib},
	{253, "netlink", NULL},
	{276, "linux_sll2", link_sll2},
};

void walk_link(struct walk *w)
{
	if (ns_likely(w->linktype == NS_LINKTYPE_ETHERNET)) {
		walk_ethernet(w);
		return;
	}
	for (size_t i = 0; i < NS_ARRAY_LEN(links); i++) {
		if (links[i].linktype == w->linktype && links[i].walk != NULL) {
			links[i].walk(w);
			return;
		}
	}
	walk_fault(w, &ns_drop_unknown_linktype);
}

const char *ns_linktype_name(uint16_t linktype)
{
	for (size_t i = 0; i < NS_ARRAY_LEN(links); i++) {
		if (links[i].linktype == linktype)
			return links[i].name;
	}
	return NULL;
}

bool ns_linktype_decodable(uint16_t linktype)
{
	for (size_t i = 0; i < NS_ARRAY_LEN(links); i++) {
		if (links[i].linktype == linktype)
			return links[i].walk != NULL;
	}
	return false;
}
