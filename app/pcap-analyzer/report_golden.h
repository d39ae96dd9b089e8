/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the reports of report_sample.h are to look like. */

/* clang-format off */
#define GOLDEN_TEXT \
	"Capture report of pcap-analyzer\n" \
	"\n" \
	"Capture\n" \
	"  Files           a.pcap\n" \
	"                  b?[2J??m\xff\"\\.pcap\n" \
	"  First packet    2023-11-14 22:13:20.123456789 UTC\n" \
	"  Last packet     2023-11-14 22:15:23.579456789 UTC\n" \
	"  Duration        2.1 min\n" \
	"  Packets         123456 (123.46 k)\n" \
	"  Octets          98765432 (98.77 M) on the wire, 90000000 captured (91.1 %)\n" \
	"  Mean rate       1.00 k packets/s, 6.40 Mbit/s\n" \
	"  Mean size       800.0 octets a packet\n" \
	"\n" \
	"Conservation\n" \
	"  holds: received 123456 = analysed 123400 + dropped 56\n" \
	"    zz_drop        50  what the test has dropped\n" \
	"    zz_other_drop   6  of a link type that nobody knows\n" \
	"    link type user0: 4 packets\n" \
	"    link type 511 or more: 2 packets\n" \
	"  notes, of packets that were analysed all the same:\n" \
	"    zz_note  7  what the test has noted\n" \
	"\n" \
	"Protocols  packets   share     octets   share\n" \
	"  tcp       120000  97.2 %   98.00 MB  99.2 %\n" \
	"  udp         3000   2.4 %  700.00 kB   0.7 %\n" \
	"  arp          200   0.2 %   12.00 kB   0.0 %\n" \
	"  ip/253       100   0.1 %    6.00 kB   0.0 %\n" \
	"  0x8899       100   0.1 %    6.00 kB   0.0 %\n" \
	"\n" \
	"Top talkers     octets  share  packets  flows       sent  received\n" \
	"  192.0.2.1  197.42 kB  0.2 %      476     13  182.49 kB  14.94 kB\n" \
	"  10.0.0.1    16.64 kB  0.0 %       27      2    1.44 kB  15.20 kB\n" \
	"  10.0.0.20   16.38 kB  0.0 %       62      1    1.16 kB  15.22 kB\n" \
	"  10.0.0.11   16.36 kB  0.0 %       44      1    1.15 kB  15.21 kB\n" \
	"  10.0.0.10   16.36 kB  0.0 %       42      1    1.15 kB  15.21 kB\n" \
	"  10.0.0.9    16.36 kB  0.0 %       40      1    1.15 kB  15.21 kB\n" \
	"  10.0.0.8    16.36 kB  0.0 %       38      1    1.15 kB  15.21 kB\n" \
	"  10.0.0.7    16.35 kB  0.0 %       36      1    1.15 kB  15.21 kB\n" \
	"  10.0.0.6    16.35 kB  0.0 %       34      1    1.15 kB  15.21 kB\n" \
	"  10.0.0.5    16.35 kB  0.0 %       32      1    1.15 kB  15.21 kB\n" \
	"  ... of 18 hosts\n" \
	"\n" \
	"Services              octets  share  packets  flows\n" \
	"  tcp/443 (https)  196.25 kB  0.2 %      436     12\n" \
	"  tcp/2              1.17 kB  0.0 %       40      1\n" \
	"  udp/53 (domain)      600 B  0.0 %        4      2\n" \
	"\n" \
	"Largest flows  initiator        responder          octets  share  packets   duration\n" \
	"  tcp          10.0.0.20:443    192.0.2.1:40020  16.38 kB  0.0 %       62  100.00 ms\n" \
	"  tcp          10.0.0.11:40011  192.0.2.1:443    16.36 kB  0.0 %       44  100.00 ms\n" \
	"  tcp          10.0.0.10:40010  192.0.2.1:443    16.36 kB  0.0 %       42  100.00 ms\n" \
	"  tcp          10.0.0.9:40009   192.0.2.1:443    16.36 kB  0.0 %       40  100.00 ms\n" \
	"  tcp          10.0.0.8:40008   192.0.2.1:443    16.36 kB  0.0 %       38  100.00 ms\n" \
	"  tcp          10.0.0.7:40007   192.0.2.1:443    16.35 kB  0.0 %       36  100.00 ms\n" \
	"  tcp          10.0.0.6:40006   192.0.2.1:443    16.35 kB  0.0 %       34  100.00 ms\n" \
	"  tcp          10.0.0.5:40005   192.0.2.1:443    16.35 kB  0.0 %       32  100.00 ms\n" \
	"  tcp          10.0.0.4:40004   192.0.2.1:443    16.35 kB  0.0 %       30  100.00 ms\n" \
	"  tcp          10.0.0.3:40003   192.0.2.1:443    16.35 kB  0.0 %       28  100.00 ms\n" \
	"  ... of 16 flows\n" \
	"\n" \
	"Tunnels     octets  share  packets  flows\n" \
	"  vxlan:42   600 B  0.0 %        4      2\n" \
	"\n" \
	"VLANs      octets  share  packets  flows\n" \
	"  100.200   600 B  0.0 %        4      2\n" \
	"\n" \
	"TCP health\n" \
	"  Flows           13; 11 whole handshakes, 1 SYN without answer, 1 reset\n" \
	"  Retransmitted   13 of 476 segments (2.73 %)\n" \
	"  Sequence gaps   26\n" \
	"  Handshake RTT   p50 6.00 ms, p90 10.00 ms, p99 11.00 ms  (exact, of all 11)\n" \
	"\n" \
	"Flow ends\n" \
	"  idle timeout 2, end detected 13, end of input 1\n" \
	"\n" \
	"Packets per 3.00 s, from 2023-11-14 22:13:20 UTC\n" \
	"  |\xe2\x96\x81\xe2\x96\x82\xe2\x96\x82\xe2\x96\x84\xe2\x96\x84\xe2\x96\x85\xe2\x96\x86" \
	"\xe2\x96\x87\xe2\x96\x88\xe2\x96\x86\xe2\x96\x81\xe2\x96\x82\xe2\x96\x83\xe2\x96\x84\xe2" \
	"\x96\x84\xe2\x96\x84\xe2\x96\x86\xe2\x96\x87\xe2\x96\x88\xe2\x96\x88\xe2\x96\x81\xe2\x96" \
	"\x82\xe2\x96\x82\xe2\x96\x84\xe2\x96\x84\xe2\x96\x85\xe2\x96\x86\xe2\x96\x87\xe2\x96\x88" \
	"\xe2\x96\x86\xe2\x96\x81\xe2\x96\x82\xe2\x96\x83\xe2\x96\x84\xe2\x96\x84\xe2\x96\x84\xe2" \
	"\x96\x86\xe2\x96\x87\xe2\x96\x88\xe2\x96\x88\xe2\x96\x81\xe2\x96\x81|  peak 87\n" \
	"  0                                    2.1 min\n" \
	"\n" \
	"Run: 2 files, 2 workers, wall 500.00 ms, CPU 250.00 ms (2.0 us a packet), 246.91 k " \
	"packets/s\n"

#define GOLDEN_JSON \
	"{\n" \
	"  \"version\": 1,\n" \
	"  \"input\": {\n" \
	"    \"files\": [\n" \
	"      \"a.pcap\",\n" \
	"      \"b\\u001b[2J\xc2\x9bm\xef\xbf\xbd\\\"\\\\.pcap\"\n" \
	"    ],\n" \
	"    \"filter\": null,\n" \
	"    \"faults\": [],\n" \
	"    \"interrupted\": false\n" \
	"  },\n" \
	"  \"capture\": {\n" \
	"    \"first_ns\": 1700000000123456789,\n" \
	"    \"first\": \"2023-11-14T22:13:20.123456789Z\",\n" \
	"    \"last_ns\": 1700000123579456789,\n" \
	"    \"last\": \"2023-11-14T22:15:23.579456789Z\",\n" \
	"    \"duration_ns\": 123456000000,\n" \
	"    \"packets\": 123456,\n" \
	"    \"octets\": 98765432,\n" \
	"    \"captured_octets\": 90000000,\n" \
	"    \"packets_per_s\": 1000.000000,\n" \
	"    \"bits_per_s\": 6400040.953862,\n" \
	"    \"octets_per_packet\": 800.005119\n" \
	"  },\n" \
	"  \"conservation\": {\n" \
	"    \"holds\": true,\n" \
	"    \"received\": 123456,\n" \
	"    \"analysed\": 123400,\n" \
	"    \"dropped\": 56,\n" \
	"    \"unknown_linktypes\": [\n" \
	"      {\"linktype\": 147, \"name\": \"user0\", \"packets\": 4},\n" \
	"      {\"linktype\": 511, \"name\": \"511 or more\", \"packets\": 2}\n" \
	"    ]\n" \
	"  },\n" \
	"  \"protocols\": [\n" \
	"    {\"name\": \"tcp\", \"layer\": \"ip\", \"number\": 6, \"packets\": 120000, \"octets" \
	"\": 98000000},\n" \
	"    {\"name\": \"udp\", \"layer\": \"ip\", \"number\": 17, \"packets\": 3000, \"octets\"" \
	": 700000},\n" \
	"    {\"name\": \"arp\", \"layer\": \"link\", \"number\": 2054, \"packets\": 200, \"octet" \
	"s\": 12000},\n" \
	"    {\"name\": \"ip/253\", \"layer\": \"ip\", \"number\": 253, \"packets\": 100, \"octet" \
	"s\": 6000},\n" \
	"    {\"name\": \"0x8899\", \"layer\": \"link\", \"number\": 34969, \"packets\": 100, \"o" \
	"ctets\": 6000}\n" \
	"  ],\n" \
	"  \"hosts\": {\n" \
	"    \"count\": 18,\n" \
	"    \"complete\": true,\n" \
	"    \"top\": [\n" \
	"      {\"ip\": \"192.0.2.1\", \"sent_octets\": 182486, \"received_octets\": 14936, \"oct" \
	"ets\": 197422, \"packets\": 476, \"flows\": 13},\n" \
	"      {\"ip\": \"10.0.0.1\", \"sent_octets\": 1435, \"received_octets\": 15201, \"octets" \
	"\": 16636, \"packets\": 27, \"flows\": 2},\n" \
	"      {\"ip\": \"10.0.0.20\", \"sent_octets\": 1160, \"received_octets\": 15220, \"octet" \
	"s\": 16380, \"packets\": 62, \"flows\": 1},\n" \
	"      {\"ip\": \"10.0.0.11\", \"sent_octets\": 1151, \"received_octets\": 15211, \"octet" \
	"s\": 16362, \"packets\": 44, \"flows\": 1},\n" \
	"      {\"ip\": \"10.0.0.10\", \"sent_octets\": 1150, \"received_octets\": 15210, \"octet" \
	"s\": 16360, \"packets\": 42, \"flows\": 1},\n" \
	"      {\"ip\": \"10.0.0.9\", \"sent_octets\": 1149, \"received_octets\": 15209, \"octets" \
	"\": 16358, \"packets\": 40, \"flows\": 1},\n" \
	"      {\"ip\": \"10.0.0.8\", \"sent_octets\": 1148, \"received_octets\": 15208, \"octets" \
	"\": 16356, \"packets\": 38, \"flows\": 1},\n" \
	"      {\"ip\": \"10.0.0.7\", \"sent_octets\": 1147, \"received_octets\": 15207, \"octets" \
	"\": 16354, \"packets\": 36, \"flows\": 1},\n" \
	"      {\"ip\": \"10.0.0.6\", \"sent_octets\": 1146, \"received_octets\": 15206, \"octets" \
	"\": 16352, \"packets\": 34, \"flows\": 1},\n" \
	"      {\"ip\": \"10.0.0.5\", \"sent_octets\": 1145, \"received_octets\": 15205, \"octets" \
	"\": 16350, \"packets\": 32, \"flows\": 1}\n" \
	"    ],\n" \
	"    \"other\": {\n" \
	"      \"octets\": 0,\n" \
	"      \"packets\": 0,\n" \
	"      \"flows\": 0\n" \
	"    }\n" \
	"  },\n" \
	"  \"services\": {\n" \
	"    \"count\": 3,\n" \
	"    \"complete\": true,\n" \
	"    \"top\": [\n" \
	"      {\"service\": \"tcp/443\", \"name\": \"https\", \"octets\": 196252, \"packets\": 4" \
	"36, \"flows\": 12},\n" \
	"      {\"service\": \"tcp/2\", \"name\": null, \"octets\": 1170, \"packets\": 40, \"flow" \
	"s\": 1},\n" \
	"      {\"service\": \"udp/53\", \"name\": \"domain\", \"octets\": 600, \"packets\": 4, " \
	"\"flows\": 2}\n" \
	"    ],\n" \
	"    \"other\": {\n" \
	"      \"octets\": 0,\n" \
	"      \"packets\": 0,\n" \
	"      \"flows\": 0\n" \
	"    }\n" \
	"  },\n" \
	"  \"flows\": {\n" \
	"    \"count\": 16,\n" \
	"    \"end_reasons\": {\n" \
	"      \"idle_timeout\": 2,\n" \
	"      \"active_timeout\": 0,\n" \
	"      \"end_detected\": 13,\n" \
	"      \"end_of_input\": 1,\n" \
	"      \"lack_of_resources\": 0,\n" \
	"      \"other\": 0\n" \
	"    },\n" \
	"    \"top\": [\n" \
	"\n" \
	"\n" \
	"\n" \
	"\n" \
	"\n" \
	"\n" \
	"\n" \
	"\n" \
	"\n" \
	"\n" \
	"    ]\n" \
	"  },\n" \
	"  \"tunnels\": {\n" \
	"    \"count\": 1,\n" \
	"    \"complete\": true,\n" \
	"    \"top\": [\n" \
	"      {\"tunnel\": \"vxlan:42\", \"octets\": 600, \"packets\": 4, \"flows\": 2}\n" \
	"    ],\n" \
	"    \"other\": {\n" \
	"      \"octets\": 0,\n" \
	"      \"packets\": 0,\n" \
	"      \"flows\": 0\n" \
	"    }\n" \
	"  },\n" \
	"  \"vlans\": {\n" \
	"    \"count\": 1,\n" \
	"    \"complete\": true,\n" \
	"    \"top\": [\n" \
	"      {\"vlan\": \"100.200\", \"octets\": 600, \"packets\": 4, \"flows\": 2}\n" \
	"    ],\n" \
	"    \"other\": {\n" \
	"      \"octets\": 0,\n" \
	"      \"packets\": 0,\n" \
	"      \"flows\": 0\n" \
	"    }\n" \
	"  },\n" \
	"  \"tasks\": [],\n" \
	"  \"tcp\": {\n" \
	"    \"flows\": 13,\n" \
	"    \"segments\": 476,\n" \
	"    \"handshakes\": 11,\n" \
	"    \"syn_unanswered\": 1,\n" \
	"    \"reset_flows\": 1,\n" \
	"    \"retransmitted_segments\": 13,\n" \
	"    \"retransmission_rate\": 0.027311,\n" \
	"    \"sequence_gaps\": 26,\n" \
	"    \"handshake_rtt\": {\n" \
	"      \"p50_ns\": 6000000,\n" \
	"      \"p90_ns\": 10000000,\n" \
	"      \"p99_ns\": 11000000,\n" \
	"      \"sampled\": 11,\n" \
	"      \"exact\": true\n" \
	"    }\n" \
	"  },\n" \
	"  \"timeline\": {\n" \
	"    \"slot_s\": 1,\n" \
	"    \"slots\": [\n" \
	"      {\"start_s\": 1700000000, \"packets\": 1, \"octets\": 800},\n" \
	"      {\"start_s\": 1700000001, \"packets\": 2, \"octets\": 1600}\n" \
	"    ]\n" \
	"  },\n" \
	"  \"run\": {\n" \
	"    \"files\": 2,\n" \
	"    \"workers\": 2,\n" \
	"    \"wall_s\": 0.500000,\n" \
	"    \"cpu_s\": 0.250000,\n" \
	"    \"cpu_ns_per_packet\": 2025.012960,\n" \
	"    \"packets_per_s\": 246912.000000\n" \
	"  }\n" \
	"}\n"

#define GOLDEN_EMPTY \
	"Capture report of pcap-analyzer\n" \
	"\n" \
	"Capture\n" \
	"  File            a.pcap\n" \
	"  Packets         none\n" \
	"\n" \
	"Conservation\n" \
	"  holds: received 0 = analysed 0 + dropped 0\n" \
	"\n" \
	"Run: 1 file, 0 workers, wall 500.00 ms, CPU 250.00 ms\n"
/* clang-format on */
