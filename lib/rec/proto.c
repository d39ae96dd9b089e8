/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keywords of the IANA registry "Assigned Internet Protocol Numbers", in lower case, by number.
 * The note "(deprecated)" that the registry adds to some keywords is not part of them. Numbers
 * that have a description but no keyword (61, 63, 68, 99, 114, 253, 254), the reserved 255 and
 * unassigned ones have no entry.
 */
#include "ns_rec.h"

#include <ns_text.h>

/* Of a fixed size, so that one is put in one go. */
struct keyword {
	char text[16];
	uint8_t len; /* 0: none */
};

#define K(s)                     \
	{                        \
		s, sizeof(s) - 1 \
	}

static const struct keyword keywords[256] = {
	[0] = K("hopopt"),
	[1] = K("icmp"),
	[2] = K("igmp"),
	[3] = K("ggp"),
	[4] = K("ipv4"),
	[5] = K("st"),
	[6] = K("tcp"),
	[7] = K("cbt"),
	[8] = K("egp"),
	[9] = K("igp"),
	[10] = K("bbn-rcc-mon"),
	[11] = K("nvp-ii"),
	[12] = K("pup"),
	[13] = K("argus"),
	[14] = K("emcon"),
	[15] = K("xnet"),
	[16] = K("chaos"),
	[17] = K("udp"),
	[18] = K("mux"),
	[19] = K("dcn-meas"),
	[20] = K("hmp"),
	[21] = K("prm"),
	[22] = K("xns-idp"),
	[23] = K("trunk-1"),
	[24] = K("trunk-2"),
	[25] = K("leaf-1"),
	[26] = K("leaf-2"),
	[27] = K("rdp"),
	[28] = K("irtp"),
	[29] = K("iso-tp4"),
	[30] = K("netblt"),
	[31] = K("mfe-nsp"),
	[32] = K("merit-inp"),
	[33] = K("dccp"),
	[34] = K("3pc"),
	[35] = K("idpr"),
	[36] = K("xtp"),
	[37] = K("ddp"),
	[38] = K("idpr-cmtp"),
	[39] = K("tp++"),
	[40] = K("il"),
	[41] = K("ipv6"),
	[42] = K("sdrp"),
	[43] = K("ipv6-route"),
	[44] = K("ipv6-frag"),
	[45] = K("idrp"),
	[46] = K("rsvp"),
	[47] = K("gre"),
	[48] = K("dsr"),
	[49] = K("bna"),
	[50] = K("esp"),
	[51] = K("ah"),
	[52] = K("i-nlsp"),
	[53] = K("swipe"),
	[54] = K("narp"),
	[55] = K("min-ipv4"),
	[56] = K("tlsp"),
	[57] = K("skip"),
	[58] = K("ipv6-icmp"),
	[59] = K("ipv6-nonxt"),
	[60] = K("ipv6-opts"),
	[62] = K("cftp"),
	[64] = K("sat-expak"),
	[65] = K("kryptolan"),
	[66] = K("rvd"),
	[67] = K("ippc"),
	[69] = K("sat-mon"),
	[70] = K("visa"),
	[71] = K("ipcv"),
	[72] = K("cpnx"),
	[73] = K("cphb"),
	[74] = K("wsn"),
	[75] = K("pvp"),
	[76] = K("br-sat-mon"),
	[77] = K("sun-nd"),
	[78] = K("wb-mon"),
	[79] = K("wb-expak"),
	[80] = K("iso-ip"),
	[81] = K("vmtp"),
	[82] = K("secure-vmtp"),
	[83] = K("vines"),
	[84] = K("iptm"),
	[85] = K("nsfnet-igp"),
	[86] = K("dgp"),
	[87] = K("tcf"),
	[88] = K("eigrp"),
	[89] = K("ospfigp"),
	[90] = K("sprite-rpc"),
	[91] = K("larp"),
	[92] = K("mtp"),
	[93] = K("ax.25"),
	[94] = K("ipip"),
	[95] = K("micp"),
	[96] = K("scc-sp"),
	[97] = K("etherip"),
	[98] = K("encap"),
	[100] = K("gmtp"),
	[101] = K("ifmp"),
	[102] = K("pnni"),
	[103] = K("pim"),
	[104] = K("aris"),
	[105] = K("scps"),
	[106] = K("qnx"),
	[107] = K("a/n"),
	[108] = K("ipcomp"),
	[109] = K("snp"),
	[110] = K("compaq-peer"),
	[111] = K("ipx-in-ip"),
	[112] = K("vrrp"),
	[113] = K("pgm"),
	[115] = K("l2tp"),
	[116] = K("ddx"),
	[117] = K("iatp"),
	[118] = K("stp"),
	[119] = K("srp"),
	[120] = K("uti"),
	[121] = K("smp"),
	[122] = K("sm"),
	[123] = K("ptp"),
	[124] = K("isis over ipv4"),
	[125] = K("fire"),
	[126] = K("crtp"),
	[127] = K("crudp"),
	[128] = K("sscopmce"),
	[129] = K("iplt"),
	[130] = K("sps"),
	[131] = K("pipe"),
	[132] = K("sctp"),
	[133] = K("fc"),
	[134] = K("rsvp-e2e-ignore"),
	[135] = K("mobility header"),
	[136] = K("udplite"),
	[137] = K("mpls-in-ip"),
	[138] = K("manet"),
	[139] = K("hip"),
	[140] = K("shim6"),
	[141] = K("wesp"),
	[142] = K("rohc"),
	[143] = K("ethernet"),
	[144] = K("aggfrag"),
	[145] = K("nsh"),
	[146] = K("homa"),
};

const char *ns_proto_name(uint8_t proto)
{
	return keywords[proto].len != 0 ? keywords[proto].text : NULL;
}

char *ns_put_proto(char *p, uint8_t proto)
{
	const struct keyword *k = &keywords[proto];

	if (k->len == 0)
		return ns_put_octet_wide(p, proto);
	memcpy(p, k->text, sizeof(k->text));
	return p + k->len;
}
