/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "decode_priv.h"

/*
 * What ns_packet.ethertype holds for frames that have no EtherType: values below 0x0600, which
 * Ethernet uses for lengths.
 */
enum {
	NS_ETHERTYPE_LLC = 1,
	NS_ETHERTYPE_WLAN = 2,
	NS_ETHERTYPE_PPP_CONTROL = 3,
	NS_ETHERTYPE_FRAME_RELAY = 4,
	NS_ETHERTYPE_NETLINK = 5,
	NS_ETHERTYPE_NULL = 6,
	NS_ETHERTYPE_SLL = 7,
	NS_ETHERTYPE_NFLOG = 8,
	NS_ETHERTYPE_ATM = 9,
	NS_ETHERTYPE_ARCNET = 10,
};

/* 802.11 frames and the radio headers before them. */
void walk_wlan(struct walk *w);
void walk_radiotap(struct walk *w);
void walk_prism(struct walk *w);
void walk_avs(struct walk *w);

/* SNAP behind LLC, and the NLPID of RFC 2427. */
void walk_snap(struct walk *w);
void walk_nlpid(struct walk *w);

/* Skips octets and goes on with an EtherType. */
void walk_to_ethertype(struct walk *w, uint32_t skip, uint16_t ethertype);

/* Rare link types. */
void walk_sunatm(struct walk *w);
void walk_slip(struct walk *w);
void walk_arcnet_linux(struct walk *w);
void walk_fddi(struct walk *w);
void walk_ipoib(struct walk *w);
