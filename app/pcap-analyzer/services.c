/* SPDX-License-Identifier: BSD-3-Clause */
#include "services.h"

enum { TCP = 6, UDP = 17, SCTP = 132 };

/*
 * Service names that people know, by port; tables of the system may not be there. IANA service name
 * and port number registry, and a few that are only used to be so.
 */
#define BIT_T 1u
#define BIT_U 2u
#define BIT_S 4u
static const struct service {
	uint16_t port;
	uint8_t protos;
	const char *name;
} services[] = {
	{7, BIT_T | BIT_U, "echo"},
	{9, BIT_T | BIT_U, "discard"},
	{13, BIT_T, "daytime"},
	{17, BIT_T | BIT_U, "qotd"},
	{19, BIT_T | BIT_U, "chargen"},
	{20, BIT_T, "ftp-data"},
	{21, BIT_T, "ftp"},
	{22, BIT_T, "ssh"},
	{23, BIT_T, "telnet"},
	{25, BIT_T, "smtp"},
	{37, BIT_T | BIT_U, "time"},
	{43, BIT_T, "whois"},
	{49, BIT_T, "tacacs"},
	{53, BIT_T | BIT_U, "domain"},
	{67, BIT_U, "dhcp"},
	{68, BIT_U, "dhcp-client"},
	{69, BIT_U, "tftp"},
	{70, BIT_T, "gopher"},
	{79, BIT_T, "finger"},
	{80, BIT_T, "http"},
	{80, BIT_U, "http3"},
	{88, BIT_T | BIT_U, "kerberos"},
	{102, BIT_T, "iso-tsap"},
	{110, BIT_T, "pop3"},
	{111, BIT_T | BIT_U, "sunrpc"},
	{113, BIT_T, "ident"},
	{119, BIT_T, "nntp"},
	{123, BIT_U, "ntp"},
	{135, BIT_T, "msrpc"},
	{137, BIT_U, "netbios-ns"},
	{138, BIT_U, "netbios-dgm"},
	{139, BIT_T, "netbios-ssn"},
	{143, BIT_T, "imap"},
	{161, BIT_U, "snmp"},
	{162, BIT_U, "snmptrap"},
	{177, BIT_U, "xdmcp"},
	{179, BIT_T, "bgp"},
	{194, BIT_T, "irc"},
	{319, BIT_U, "ptp-event"},
	{320, BIT_U, "ptp-general"},
	{389, BIT_T | BIT_U, "ldap"},
	{427, BIT_T | BIT_U, "svrloc"},
	{443, BIT_T, "https"},
	{443, BIT_U, "quic"},
	{445, BIT_T, "smb"},
	{464, BIT_T | BIT_U, "kpasswd"},
	{465, BIT_T, "submissions"},
	{500, BIT_U, "isakmp"},
	{502, BIT_T, "modbus"},
	{513, BIT_T, "login"},
	{514, BIT_T, "shell"},
	{514, BIT_U, "syslog"},
	{515, BIT_T, "printer"},
	{520, BIT_U, "rip"},
	{521, BIT_U, "ripng"},
	{546, BIT_U, "dhcpv6-client"},
	{547, BIT_U, "dhcpv6"},
	{548, BIT_T, "afp"},
	{554, BIT_T, "rtsp"},
	{587, BIT_T, "submission"},
	{623, BIT_U, "ipmi"},
	{631, BIT_T, "ipp"},
	{636, BIT_T, "ldaps"},
	{646, BIT_T | BIT_U, "ldp"},
	{853, BIT_T, "dns-tls"},
	{853, BIT_U, "dns-quic"},
	{873, BIT_T, "rsync"},
	{989, BIT_T, "ftps-data"},
	{990, BIT_T, "ftps"},
	{993, BIT_T, "imaps"},
	{995, BIT_T, "pop3s"},
	{1080, BIT_T, "socks"},
	{1194, BIT_T | BIT_U, "openvpn"},
	{1433, BIT_T, "mssql"},
	{1434, BIT_U, "mssql-browser"},
	{1521, BIT_T, "oracle"},
	{1701, BIT_U, "l2tp"},
	{1719, BIT_U, "h323-ras"},
	{1720, BIT_T, "h323"},
	{1723, BIT_T, "pptp"},
	{1812, BIT_U, "radius"},
	{1813, BIT_U, "radius-acct"},
	{1883, BIT_T, "mqtt"},
	{1900, BIT_U, "ssdp"},
	{1985, BIT_U, "hsrp"},
	{2049, BIT_T | BIT_U, "nfs"},
	{2055, BIT_U, "netflow"},
	{2123, BIT_U, "gtp-c"},
	{2152, BIT_U, "gtp-u"},
	{2181, BIT_T, "zookeeper"},
	{2375, BIT_T, "docker"},
	{2379, BIT_T, "etcd"},
	{2404, BIT_T, "iec-104"},
	{2905, BIT_S, "m3ua"},
	{3128, BIT_T, "squid"},
	{3260, BIT_T, "iscsi"},
	{3268, BIT_T, "globalcat"},
	{3306, BIT_T, "mysql"},
	{3389, BIT_T | BIT_U, "rdp"},
	{3478, BIT_T | BIT_U, "stun"},
	{3544, BIT_U, "teredo"},
	{3868, BIT_T | BIT_S, "diameter"},
	{4172, BIT_T | BIT_U, "pcoip"},
	{4222, BIT_T, "nats"},
	{4500, BIT_U, "ipsec-nat-t"},
	{4739, BIT_T | BIT_U | BIT_S, "ipfix"},
	{4789, BIT_U, "vxlan"},
	{5004, BIT_U, "rtp"},
	{5005, BIT_U, "rtcp"},
	{5060, BIT_T | BIT_U | BIT_S, "sip"},
	{5061, BIT_T, "sips"},
	{5201, BIT_T | BIT_U, "iperf3"},
	{5222, BIT_T, "xmpp"},
	{5269, BIT_T, "xmpp-server"},
	{5353, BIT_U, "mdns"},
	{5355, BIT_U, "llmnr"},
	{5432, BIT_T, "postgresql"},
	{5555, BIT_T, "adb"},
	{5671, BIT_T, "amqps"},
	{5672, BIT_T, "amqp"},
	{5683, BIT_U, "coap"},
	{5900, BIT_T, "vnc"},
	{5938, BIT_T, "teamviewer"},
	{5985, BIT_T, "winrm"},
	{6000, BIT_T, "x11"},
	{6081, BIT_U, "geneve"},
	{6343, BIT_U, "sflow"},
	{6379, BIT_T, "redis"},
	{6443, BIT_T, "kubernetes"},
	{6653, BIT_T, "openflow"},
	{6667, BIT_T, "irc"},
	{6881, BIT_T | BIT_U, "bittorrent"},
	{8080, BIT_T, "http-alt"},
	{8333, BIT_T, "bitcoin"},
	{8443, BIT_T, "https-alt"},
	{8883, BIT_T, "mqtts"},
	{9042, BIT_T, "cassandra"},
	{9092, BIT_T, "kafka"},
	{9100, BIT_T, "jetdirect"},
	{9200, BIT_T, "elasticsearch"},
	{9418, BIT_T, "git"},
	{10050, BIT_T, "zabbix-agent"},
	{11211, BIT_T | BIT_U, "memcached"},
	{20000, BIT_T | BIT_U, "dnp3"},
	{27017, BIT_T, "mongodb"},
	{36412, BIT_S, "s1ap"},
	{38412, BIT_S, "ngap"},
	{44818, BIT_T | BIT_U, "ethernet-ip"},
	{47808, BIT_U, "bacnet"},
	{51820, BIT_U, "wireguard"},
};

const char *service_name(uint8_t proto, uint16_t port)
{
	unsigned bit = proto == TCP ? BIT_T : proto == UDP ? BIT_U : proto == SCTP ? BIT_S : 0;
	size_t lo = 0, hi = NS_ARRAY_LEN(services);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (services[mid].port < port)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < NS_ARRAY_LEN(services) && services[lo].port == port; lo++) {
		if ((services[lo].protos & bit) != 0)
			return services[lo].name;
	}
	return NULL;
}
