/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet and what stands between it and IP: VLAN, MPLS, PPPoE, PPP, LLC/SNAP and others. */
#include "decode_priv.h"
#include "link_priv.h"

static void ethertype_or_llc(struct walk *w, uint16_t type)
{
	if (type >= 0x0600) {
		w->ethertype = type;
		w->next = NS_NEXT_ETHERTYPE;
		return;
	}
	/* a length: padding behind it is no part of the frame */
	if (type > 0 && have(w, w->off, type))
		w->len = w->off + type;
	walk_llc(w);
}

void walk_ethernet(struct walk *w)
{
	if (ns_unlikely(!have(w, w->off, 14))) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint16_t type = be16(w->data + w->off + 12);

	w->off += 14;
	w->p->ethertype = type;
	ethertype_or_llc(w, type);
}

void walk_snap(struct walk *w)
{
	if (!have(w, w->off, 5)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint32_t oui = be32(w->data + w->off) >> 8;
	uint16_t pid = be16(w->data + w->off + 3);

	w->off += 5;
	w->p->ethertype = NS_ETHERTYPE_LLC;
	if (oui == 0x000000 || oui == 0x0000f8) {
		w->ethertype = pid;
		w->next = pid >= 0x0600 ? NS_NEXT_ETHERTYPE : NS_NEXT_END;
	} else if (oui == 0x0080c2 && (pid == 1 || pid == 7)) { /* bridged Ethernet, RFC 2684 */
		if (w->linktype == 100 || w->linktype == 123)
			w->off += 2; /* ATM aligns the frame */
		w->next = NS_NEXT_ETHERNET;
	} else {
		w->next = NS_NEXT_END;
	}
}

void walk_llc(struct walk *w)
{
	w->p->ethertype = NS_ETHERTYPE_LLC;
	if (!have(w, w->off, 3)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint8_t dsap = w->data[w->off], ssap = w->data[w->off + 1];
	uint8_t control = w->data[w->off + 2];

	if (dsap == 0xaa && ssap == 0xaa && control == 0x03) {
		w->off += 3;
		walk_snap(w);
	} else if (dsap == 0x06 && ssap == 0x06 && control == 0x03) {
		w->off += 3;
		w->next = NS_NEXT_IP;
	} else if (dsap == 0xfe && ssap == 0xfe && control == 0x03) { /* routed, NLPID */
		w->off += 3;
		walk_nlpid(w);
	} else {
		w->next = NS_NEXT_END;
	}
}

static void vlan(struct walk *w)
{
	if (!have(w, w->off, 4)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint16_t tci = be16(w->data + w->off), type = be16(w->data + w->off + 2);

	if (w->nvlans < 2)
		w->vlan[w->nvlans++] = (uint16_t)((tci & 0xfff) + 1);
	w->off += 4;
	w->p->ethertype = type;
	ethertype_or_llc(w, type);
}

/* A frame if there is room for one on the wire; something else, or nothing, if there is not. */
static void pseudowire(struct walk *w)
{
	if (have(w, w->off, 14))
		w->next = NS_NEXT_ETHERNET;
	else if (w->wire_end > w->len && w->wire_end > w->off)
		walk_fault(w, &ns_drop_truncated);
	else
		w->next = NS_NEXT_END;
}

/*
 * RFC 3032: the label stack does not say what it carries. Behind the last label the first nibble
 * tells IPv4 and IPv6; 0 is the control word of a pseudowire (RFC 4385), anything else a frame.
 */
static void mpls(struct walk *w)
{
	for (;;) {
		if (!have(w, w->off, 4)) {
			walk_fault(w, &ns_drop_truncated);
			return;
		}
		bool bottom = (w->data[w->off + 2] & 1) != 0;

		w->off += 4;
		if (bottom)
			break;
	}
	if (!have(w, w->off, 1)) {
		pseudowire(w);
		return;
	}
	switch (w->data[w->off] >> 4) {
	case 4:
	case 6:
		w->next = NS_NEXT_IP;
		break;
	case 0:
		w->off += 4;
		pseudowire(w);
		break;
	case 1: /* associated channel: OAM */
		w->next = NS_NEXT_END;
		break;
	default:
		pseudowire(w);
	}
}

static void pppoe(struct walk *w)
{
	if (!have(w, w->off, 6)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint16_t len = be16(w->data + w->off + 4);

	w->off += 6;
	if (have(w, w->off, len))
		w->len = w->off + len;
	w->next = NS_NEXT_PPP;
}

void walk_ppp(struct walk *w)
{
	uint16_t proto;

	if (have(w, w->off, 2) && w->data[w->off] == 0xff && w->data[w->off + 1] == 0x03)
		w->off += 2;
	/* 0xff alone is half of address and control, and no protocol */
	if (!have(w, w->off, w->off < w->len && w->data[w->off] == 0xff ? 2 : 1)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	if ((w->data[w->off] & 1) != 0) { /* compressed protocol field */
		proto = w->data[w->off];
		w->off += 1;
	} else {
		if (!have(w, w->off, 2)) {
			walk_fault(w, &ns_drop_truncated);
			return;
		}
		proto = be16(w->data + w->off);
		w->off += 2;
	}
	w->p->ethertype = NS_ETHERTYPE_PPP_CONTROL;
	switch (proto) {
	case 0x0021:
	case 0x0057:
		w->next = NS_NEXT_IP;
		break;
	case 0x0281:
	case 0x0283:
		w->ethertype = ETHERTYPE_MPLS;
		w->next = NS_NEXT_ETHERTYPE;
		break;
	case 0x0031: /* bridging control, RFC 3518: flags, MAC type, then the frame */
		if (have(w, w->off, 2) && w->data[w->off + 1] == 1) {
			w->off += 2;
			w->next = NS_NEXT_ETHERNET;
			break;
		}
		w->next = NS_NEXT_END;
		break;
	default:
		w->next = NS_NEXT_END;
	}
}

/* RFC 8300: base header with length in 4-octet words and next protocol. */
static void nsh(struct walk *w)
{
	if (!have(w, w->off, 8)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint32_t len = (uint32_t)(w->data[w->off + 1] & 0x3f) * 4;
	uint8_t next = w->data[w->off + 3];

	if (len < 8) {
		walk_fault(w, &ns_drop_bad_link_header);
		return;
	}
	if (!have(w, w->off, len)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	w->off += len;
	if (next == 1 || next == 2)
		w->next = NS_NEXT_IP;
	else if (next == 3)
		w->next = NS_NEXT_ETHERNET;
	else
		w->next = NS_NEXT_END;
}

/* A tag of n octets whose last two are the next EtherType. */
static void tag(struct walk *w, uint32_t n)
{
	if (!have(w, w->off, n)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint16_t type = be16(w->data + w->off + n - 2);

	w->off += n;
	w->p->ethertype = type;
	ethertype_or_llc(w, type);
}

static void skip_to_ethernet(struct walk *w, uint32_t n)
{
	if (!have(w, w->off, n)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	w->off += n;
	w->next = NS_NEXT_ETHERNET;
}

/* Arista's timestamps: subtype, version (which says how wide), seconds and nanoseconds. */
static void arista(struct walk *w)
{
	if (!have(w, w->off, 4)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint16_t subtype = be16(w->data + w->off), version = be16(w->data + w->off + 2);

	if (subtype != 1 || ((version & 0xff) != 0x10 && (version & 0xff) != 0x20)) {
		w->next = NS_NEXT_END;
		return;
	}
	w->off += 4;
	tag(w, (version & 0xff) == 0x10 ? 10 : 8);
}

/*
 * IEEE 802.1AE: frames that are authenticated but not encrypted (E and C clear) can be read. Behind
 * the tag, 6 octets or 14 with the secure channel, stands the EtherType; an ICV of 16 at the end.
 */
static void macsec(struct walk *w)
{
	if (!have(w, w->off, 6)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint8_t tci = w->data[w->off];

	if ((tci & 0x8c) != 0) { /* version, encrypted, changed */
		w->next = NS_NEXT_END;
		return;
	}
	tag(w, ((tci & 0x20) != 0 ? 14 : 6) + 2);
}

void walk_ethertype(struct walk *w)
{
	w->p->ethertype = w->ethertype;
	switch (w->ethertype) {
	case ETHERTYPE_IPV4:
	case ETHERTYPE_IPV6:
		w->next = NS_NEXT_IP;
		break;
	case ETHERTYPE_VLAN:
	case ETHERTYPE_QINQ:
	case ETHERTYPE_QINQ_OLD:
		vlan(w);
		break;
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MC:
		mpls(w);
		break;
	case ETHERTYPE_PPPOE:
		pppoe(w);
		break;
	case ETHERTYPE_PPP:
		w->next = NS_NEXT_PPP;
		break;
	case ETHERTYPE_TEB:
		w->next = NS_NEXT_ETHERNET;
		break;
	case 0x894f:
		nsh(w);
		break;
	case 0x88e7: /* 802.1ah I-TAG: priority and service id, then the customer's frame */
		skip_to_ethernet(w, 4);
		break;
	case 0x8926: /* VN-Tag */
		tag(w, 6);
		break;
	case 0x8909: /* Cisco metadata; inside GRE the EtherType stands in front */
		if (have(w, w->off, 8) && be16(w->data + w->off) >= 0x0600) {
			w->ethertype = be16(w->data + w->off);
			w->off += 8;
		} else {
			tag(w, 8);
		}
		break;
	case 0x8903: /* Cisco FabricPath: tag and TTL behind its own addresses */
		skip_to_ethernet(w, 2);
		break;
	case 0xd28b:
		arista(w);
		break;
	case 0x88e5:
		macsec(w);
		break;
	default:
		w->next = NS_NEXT_END;
	}
}
