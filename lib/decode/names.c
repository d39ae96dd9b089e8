/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of what is not IP, for reports. IEEE 802 numbers, iana.org/assignments/ieee-802-numbers. */
#include "link_priv.h"

static const struct {
	uint16_t type;
	const char *name;
} ethertypes[] = {
	{NS_ETHERTYPE_LLC, "llc"},
	{NS_ETHERTYPE_WLAN, "ieee802_11"},
	{NS_ETHERTYPE_PPP_CONTROL, "ppp"},
	{NS_ETHERTYPE_FRAME_RELAY, "frame_relay"},
	{NS_ETHERTYPE_NETLINK, "netlink"},
	{NS_ETHERTYPE_NULL, "null"},
	{NS_ETHERTYPE_SLL, "linux_sll"},
	{NS_ETHERTYPE_NFLOG, "nflog"},
	{NS_ETHERTYPE_ATM, "atm"},
	{NS_ETHERTYPE_ARCNET, "arcnet"},
	{0x0806, "arp"},
	{0x0842, "wake_on_lan"},
	{0x2000, "cdp"},
	{0x22f3, "trill"},
	{0x6003, "decnet"},
	{0x8035, "rarp"},
	{0x809b, "appletalk"},
	{0x80f3, "aarp"},
	{0x8137, "ipx"},
	{0x8809, "slow_protocols"},
	{0x8847, "mpls"},
	{0x8848, "mpls_multicast"},
	{0x8863, "pppoe_discovery"},
	{0x8864, "pppoe"},
	{0x888e, "eapol"},
	{0x8892, "profinet"},
	{0x88a2, "ata_over_ethernet"},
	{0x88a4, "ethercat"},
	{0x88b8, "goose"},
	{0x88cc, "lldp"},
	{0x88e5, "macsec"},
	{0x88f5, "mvrp"},
	{0x88f7, "ptp"},
	{0x8902, "cfm"},
	{0x8906, "fcoe"},
	{0x8914, "fip"},
	{0x8915, "roce"},
	{0x893a, "ieee1905"},
	{0x894f, "nsh"},
	{0x9000, "loopback"},
};

const char *ns_ethertype_name(uint16_t type)
{
	for (size_t i = 0; i < NS_ARRAY_LEN(ethertypes); i++) {
		if (ethertypes[i].type == type)
			return ethertypes[i].name;
	}
	return NULL;
}
