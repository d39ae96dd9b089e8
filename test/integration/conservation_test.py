#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""received = analysed + drops by name, on every capture; and each drop and note is made to happen."""
import os
import struct

import ns

# What a file can't cause. "ring_full" and "records_lost": the unit tests of dispatch and engine;
# the port's own counters: the unit tests of source/ethdev and the live tests.
ELSEWHERE_DROPS = {"ring_full", "port_missed", "port_errors", "port_nombuf"}
ELSEWHERE_NOTES = {"records_lost"}

GOOD = ns.ether(ns.ipv4(ns.udp(), 17))


def vxlan(inner):
    return ns.ether(ns.ipv4(ns.udp(struct.pack(">II", 0x08000000, 42 << 8) + inner, 5000, 4789),
                            17))


def fragments(ident, order):
    """Two fragments of a datagram, in the order of their numbers."""
    data = ns.udp(b"x" * 40)
    parts = [ns.ipv4(data[:24], 17, ident=ident, frag=0x2000),
             ns.ipv4(data[24:], 17, ident=ident, frag=3)]
    return [ns.ether(parts[i]) for i in order]


class Conservation(ns.Case):
    def every_capture(self, *more):
        made = [self.made("imix", 20000, 2000, 3), self.made("udp64", 5000, 500, 1, 3),
                self.made("frags"), self.made("tunnels")]
        folder = self.made("linktypes")
        links = [os.path.join(folder, n) for n in sorted(os.listdir(folder))]
        self.assertGreater(len(links), 15)
        for path in ns.captures() + made + links:
            with self.subTest(capture=os.path.basename(path)):
                report, rows = self.flows(*more, path)
                self.conserved(report)
                self.counted_in_flows(report, rows)

    def counted_in_flows(self, report, rows):
        """Each IP packet analysed is in exactly one flow; the others are counted by protocol."""
        packets = sum(int(r["packets"]) + int(r["rev_packets"]) for r in rows)
        octets = sum(int(r["l2_octets"]) + int(r["rev_l2_octets"]) for r in rows)
        of_ip = [p for p in report["protocols"] if p["layer"] == "ip"]
        self.assertEqual(packets, sum(p["packets"] for p in of_ip))
        self.assertEqual(octets, sum(p["octets"] for p in of_ip))
        self.assertEqual(report["conservation"]["analysed"],
                         sum(p["packets"] for p in report["protocols"]))

    def test_one_worker(self):
        self.every_capture()

    def test_three_workers(self):
        self.every_capture("-j", "3", "-o", "flow.idle=1", "-o", "defrag.held=1")

    def test_it_counts_all_packets_of_the_file(self):
        path = self.made("imix", 20000, 2000, 3)
        n = sum(1 for _ in ns.records(ns.read_bytes(path)))
        for more in ([], ["-j", "3"], ["-f", "udp"], ["-j", "2", "-f", "not ip and not ip6"]):
            report = self.analyse(*more, path)
            self.conserved(report)
            self.assertEqual(report["conservation"]["received"], n)


class Forced(ns.Case):
    """Each case: the packets, the options, and how many of them the counter must show."""

    def drops(self):
        short = GOOD[:20]
        wrong = bytearray(GOOD)
        wrong[24] ^= 1  # the checksum of the IP header
        return {
            "truncated": (ns.pcap(GOOD, short, GOOD[:30]), [], 2),
            "unknown_linktype": (ns.pcap(GOOD, GOOD, linktype=147), [], 2),
            "bad_link_header": (ns.pcap(GOOD, ns.ether(b"\0\0\0\0\0\0\0\0" * 4, 0x894f)), [], 1),
            "bad_ip_header": (ns.pcap(ns.ether(b"\x53" + b"\0" * 40), ns.ether(b"\x42" * 40)),
                              [], 2),
            "bad_checksum": (ns.pcap(GOOD, bytes(wrong)),
                             ["-o", "decode.verify_checksum=true"], 1),
            "filtered": (ns.pcap(GOOD, ns.ether(b"\0" * 28, 0x0806), GOOD),
                         ["-f", "arp"], 2),
            "flow_table_full": (None, [], None),
        }

    def notes(self):
        cut = GOOD[:14 + 20 + 5]
        return {
            "cut_l4": (ns.pcap(GOOD, cut), [], 1),
            "nesting_limit": (ns.pcap(vxlan(vxlan(GOOD)), vxlan(GOOD)),
                              ["-o", "decode.max_tunnels=1"], 1),
            "tunnel_undecoded": (ns.pcap(vxlan(ns.ether(b"\x33" * 40)), vxlan(GOOD)), [], 1),
            "fragment_no_first": (ns.pcap(*fragments(1, [1]), *fragments(2, [0, 1])), [], 1),
            "fragment_not_held": (ns.pcap(*fragments(1, [1]), *fragments(2, [1, 0])),
                                  ["-o", "defrag.held=1"], None),
            "fragment_evicted": (
                ns.pcap(*[f for i in range(40) for f in fragments(i, [0])]),
                ["-o", "defrag.datagrams=16"], 24),
        }

    def counter(self, kind, name, report):
        self.conserved(report)
        return report["conservation"][kind][name]

    def check(self, kind, cases):
        for name, (data, options, want) in cases.items():
            if data is None:
                continue
            path = self.put(name + ".pcap", data)
            for workers in ("1", "2"):
                with self.subTest(counter=name, workers=workers):
                    got = self.counter(kind, name,
                                       self.analyse("-j", workers, *options, path))
                    if want is None:
                        self.assertGreater(got, 0)
                    else:
                        self.assertEqual(got, want)
            if options:
                with self.subTest(counter=name, options="none"):
                    self.assertEqual(self.counter(kind, name, self.analyse(path)), 0,
                                     "happens without the options that should force it")

    def test_drops(self):
        self.check("drops", self.drops())

    def test_notes(self):
        self.check("notes", self.notes())

    # rte_hash takes EAL's memory as it grows; with next to none the first one stays, and is full in
    # some shard before it may evict there. How much that is depends on the library's tables.
    def test_flow_table_full(self):
        path = self.made("udp64", 60000, 60000, 0, 1)
        for megabytes in range(28, 11, -2):
            r = ns.run("--quiet", "--report", "json", "-o", f"engine.memory={megabytes}",
                       "-o", "flow.index=rte_hash", path)
            if r.status != 0:
                self.assertIn("engine.memory", r.text)
                break
            if self.counter("drops", "flow_table_full", r.report) > 0:
                return
        self.fail("the table was never full")

    def test_nothing_is_left_out(self):
        c = self.analyse(self.put("a.pcap", ns.pcap(GOOD)))["conservation"]
        self.assertEqual(set(c["drops"]), set(self.drops()) | ELSEWHERE_DROPS)
        self.assertEqual(set(c["notes"]), set(self.notes()) | ELSEWHERE_NOTES)

    def test_unknown_link_types_by_name(self):
        report = self.analyse(self.put("a.pcap", ns.pcap(GOOD, GOOD, linktype=147)),
                              self.put("b.pcap", ns.pcap(GOOD, linktype=148)))
        self.conserved(report)
        self.assertEqual([(u["linktype"], u["packets"])
                          for u in report["conservation"]["unknown_linktypes"]],
                         [(147, 2), (148, 1)])
        text = ns.run(self.path("a.pcap")).out.decode()
        self.assertRegex(text, r"unknown_linktype +2 ")
        self.assertRegex(text, r"link type \S+: 2 packets")


if __name__ == "__main__":
    ns.main()
