/* SPDX-License-Identifier: BSD-3-Clause */
/* Link types of old or rare networks: ATM, SLIP, ARCNET, FDDI, InfiniBand. */
#include "link_priv.h"

/* SunATM: flags, VPI, VCI; only LLC-encapsulated traffic carries a network layer we can see. */
void walk_sunatm(struct walk *w)
{
	if (!have(w, w->off, 4)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint8_t type = w->data[w->off] & 0x0f;

	w->off += 4;
	w->p->ethertype = NS_ETHERTYPE_ATM;
	if (type == 2) {
		walk_llc(w);
		return;
	}
	w->next = NS_NEXT_END;
}

/* BSD SLIP: direction and 15 octets of compression state. */
void walk_slip(struct walk *w)
{
	if (!have(w, w->off, 16)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	w->off += 16;
	w->next = NS_NEXT_IP;
}

/* Linux ARCNET: source, destination, offset, type; RFC 1201 adds split flag and sequence. */
void walk_arcnet_linux(struct walk *w)
{
	if (!have(w, w->off, 8)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint8_t type = w->data[w->off + 4];

	w->p->ethertype = NS_ETHERTYPE_ARCNET;
	if (type == 212 || type == 196) {
		w->off += 8;
		w->next = NS_NEXT_IP;
	} else if (type == 240) { /* RFC 1051: no fragmentation header */
		w->off += 5;
		w->next = NS_NEXT_IP;
	} else {
		w->next = NS_NEXT_END;
	}
}

/* FDDI: frame control and two addresses, then LLC. */
void walk_fddi(struct walk *w)
{
	if (!have(w, w->off, 13)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	w->off += 13;
	walk_llc(w);
}

/* IP over InfiniBand (RFC 4391): 40 octets of GRH, EtherType, 2 reserved. */
void walk_ipoib(struct walk *w)
{
	if (!have(w, w->off, 44)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	walk_to_ethertype(w, 44, be16(w->data + w->off + 40));
}
