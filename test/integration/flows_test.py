#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Flows of the committed captures against tshark's, and what the CSV file promises."""
import csv
import ipaddress
import os
import sys

import ns

sys.path.insert(0, os.path.join(ns.ROOT, "test", "corpus"))
import compare  # noqa: E402  pylint: disable=wrong-import-position


def reference():
    """{capture: rows}, the inner level where there is one."""
    found = {}
    with open(os.path.join(ns.DATA, "expected", "flows.tsv"), encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            found.setdefault(row["file"], {"inner": [], "outer": []})[row["level"]].append(row)
    return {k: v["inner"] or v["outer"] for k, v in found.items()}


def exceptions():
    with open(os.path.join(ns.HERE, "exceptions.tsv"), encoding="utf-8", newline="") as f:
        return dict(csv.reader((x for x in f if not x.startswith("#")), delimiter="\t"))


class Flows(ns.Case):
    def test_as_tshark_sees_them(self):
        ref, listed = reference(), exceptions()
        names = [os.path.basename(p) for p in ns.captures()]
        self.assertEqual(sorted(ref), sorted(names), "captures and their reference")
        self.assertEqual(sorted(set(listed) - set(names)), [], "exceptions of no capture")
        for path in ns.captures():
            name = os.path.basename(path)
            with self.subTest(capture=name):
                _, rows = self.flows(*ns.WHOLE, path)
                lines = compare.compare(ref[name], rows)
                if name in listed:
                    self.assertTrue(lines, "stands in exceptions.tsv, but its flows are equal")
                else:
                    self.assertEqual(lines, [])
                    self.assertTrue(rows)

    def test_the_comparison_can_fail(self):
        ref = reference()["dns.pcap"]
        _, rows = self.flows(*ns.WHOLE, os.path.join(ns.DATA, "dns.pcap"))
        for column in ("packets", "rev_packets", "l2_octets", "ip_octets"):
            changed = [dict(r) for r in rows]
            changed[0][column] = str(int(changed[0][column]) + 1)
            self.assertTrue(compare.compare(ref, changed), column)
        self.assertTrue(compare.compare(ref, rows[1:]))


class Csv(ns.Case):
    def rows(self):
        return self.flows(os.path.join(ns.DATA, "demo.pcapng"))[1]

    def test_columns_first_and_in_order(self):
        self.assertEqual(list(self.rows()[0])[:len(ns.COLUMNS)], ns.COLUMNS)

    def test_values(self):
        protos = set()
        for r in self.rows():
            protos.add(r["proto"])
            src, dst = ipaddress.ip_address(r["src_ip"]), ipaddress.ip_address(r["dst_ip"])
            self.assertEqual(src.version, dst.version)
            self.assertRegex(r["community_id"], r"^1:[A-Za-z0-9+/]{27}=$")
            self.assertRegex(r["vlan"], r"^(\d+(\.\d+)?)?$")
            self.assertRegex(r["tunnel"], r"^([a-z0-9]+(:\d+)?)?$")
            self.assertRegex(r["tcp_flags"] + r["rev_tcp_flags"], r"^[FSRPAUEC]*$")
            self.assertIn(r["end_reason"], "12345")
            self.assertGreater(int(r["packets"]) + int(r["rev_packets"]), 0)
            self.assertLessEqual(int(r["start_ns"]), int(r["end_ns"]))
            self.assertLess(int(r["ip_octets"]), int(r["l2_octets"]) + (r["packets"] == "0"))
            if r["proto"] in ("icmp", "ipv6-icmp"):
                self.assertEqual(r["src_port"], "0")
                self.assertEqual(int(r["dst_port"]),
                                 int(r["icmp_type"]) * 256 + int(r["icmp_code"]))
            if r["proto"] != "tcp":
                self.assertEqual(r["tcp_flags"] + r["rev_tcp_flags"], "")
        self.assertLessEqual({"tcp", "udp", "icmp", "ipv6-icmp"}, protos)

    def test_initiator_is_who_came_first(self):
        frames = [ns.ether(ns.ipv4(ns.udp(sport=s, dport=d), 17, src, dst)) for s, d, src, dst in (
            (9, 1, "10.0.0.9", "10.0.0.1"), (1, 9, "10.0.0.1", "10.0.0.9"),
            (9, 1, "10.0.0.9", "10.0.0.1"))]
        _, rows = self.flows(self.put("a.pcap", ns.pcap(*frames)))
        self.assertEqual(len(rows), 1)
        r = rows[0]
        self.assertEqual((r["src_ip"], r["src_port"], r["dst_ip"], r["dst_port"]),
                         ("10.0.0.9", "9", "10.0.0.1", "1"))
        self.assertEqual((r["packets"], r["rev_packets"]), ("2", "1"))
        self.assertEqual(int(r["end_ns"]) - int(r["start_ns"]), 2_000_000)

    def test_protocols_without_a_keyword_are_numbers(self):
        _, rows = self.flows(self.put("a.pcap", ns.pcap(
            ns.ether(ns.ipv4(b"x" * 30, 253)), ns.ether(ns.ipv4(b"x" * 30, 17)))))
        self.assertEqual(sorted(r["proto"] for r in rows), ["253", "udp"])


if __name__ == "__main__":
    ns.main()
