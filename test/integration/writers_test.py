#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""All writers say the same, and independent collectors read IPFIX as it was meant."""
import collections
import json
import os
import re
import socket
import sqlite3
import subprocess
import time

import ns
from flows_test import compare

DEMO = os.path.join(ns.DATA, "demo.pcapng")


def protocol(name):
    return compare.our_proto(name)


def key(r):
    """What IPFIX collectors can tell of a flow, from a CSV row."""
    return (r["src_ip"], int(r["src_port"]), r["dst_ip"], int(r["dst_port"]), protocol(r["proto"]),
            int(r["packets"]), int(r["ip_octets"]), int(r["rev_packets"]), int(r["rev_ip_octets"]))


class TextWriters(ns.Case):
    def setUp(self):
        super().setUp()
        self.sources = [DEMO, self.made("imix", 30000, 3000, 11), self.made("tunnels")]

    def all_writers(self, path, *more):
        for name in ("csv", "json", "db"):
            if os.path.exists(self.path("f." + name)):
                os.unlink(self.path("f." + name))
        report = self.analyse("-w", "csv:" + self.path("f.csv"), "-w",
                              "json:" + self.path("f.json"), "-w", "sqlite:" + self.path("f.db"),
                              *more, path)
        with open(self.path("f.json"), encoding="utf-8") as f:
            lines = [r for r in map(json.loads, f) if r["kind"] == "flow"]
        with sqlite3.connect(self.path("f.db")) as db:
            db.row_factory = sqlite3.Row
            rows = [dict(r) for r in db.execute("SELECT * FROM flow")]
        db.close()
        return report, ns.read_csv(self.path("f.csv")), lines, rows

    def as_text(self, row):
        return tuple((k, "" if v is None else str(v)) for k, v in row.items() if k != "kind")

    def test_the_same_records(self):
        for path in self.sources:
            for workers in ("1", "3"):
                with self.subTest(capture=os.path.basename(path), workers=workers):
                    report, as_csv, as_json, as_sql = self.all_writers(path, "-j", workers)
                    want = sorted(map(self.as_text, as_csv))
                    self.assertEqual(len(want), report["flows"]["count"])
                    self.assertEqual(sorted(map(self.as_text, as_json)), want)
                    self.assertEqual(sorted(map(self.as_text, as_sql)), want)

    def test_community_ids(self):
        _, as_csv, as_json, as_sql = self.all_writers(DEMO)
        want = sorted(r["community_id"] for r in as_csv)
        self.assertGreater(len(set(want)), 100)
        for other in (as_json, as_sql):
            self.assertEqual(sorted(r["community_id"] for r in other), want)

    def test_json_types(self):
        _, _, lines, _ = self.all_writers(self.made("tunnels"))
        for r in lines:
            for name, v in r.items():
                numeric = name not in ("kind", "community_id", "src_ip", "dst_ip", "proto", "vlan",
                                       "tunnel", "outer_src", "outer_dst") and \
                    "flags" not in name
                self.assertIsInstance(v, (int if numeric else str, type(None)), name)

    def test_sqlite(self):
        _, as_csv, _, _ = self.all_writers(DEMO)
        db = sqlite3.connect(self.path("f.db"))
        self.addCleanup(db.close)
        self.assertEqual(db.execute("PRAGMA user_version").fetchone(), (1,))
        self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        self.assertIn(("flow", 1), db.execute("SELECT kind, version FROM ns_schema").fetchall())
        for c in ("packets", "ip_octets", "l2_octets", "rev_packets", "start_ns", "end_ns",
                  "src_port", "dst_port", "end_reason"):
            self.assertEqual(db.execute(f"SELECT DISTINCT typeof({c}) FROM flow").fetchall(),
                             [("integer",)], c)
        self.assertEqual(db.execute("SELECT sum(packets + rev_packets) FROM flow").fetchone()[0],
                         sum(int(r["packets"]) + int(r["rev_packets"]) for r in as_csv))
        self.assertGreater(db.execute("SELECT count(*) FROM flow WHERE vlan IS NULL").fetchone(),
                           (0,))
        self.assertEqual(db.execute("SELECT count(*) FROM flow WHERE vlan = ''").fetchone(), (0,))
        db.close()
        self.assertEqual(sorted(n for n in os.listdir(self.dir) if n.startswith("f.db")),
                         ["f.db"], "files of the write-ahead log are left")

    def test_sqlite_grows(self):
        path, out = os.path.join(ns.DATA, "dns.pcap"), self.path("grows.db")
        for n in (1, 2):
            self.analyse("-w", "sqlite:" + out, path)
            db = sqlite3.connect(out)
            count, ids = db.execute(
                "SELECT count(*), count(DISTINCT community_id) FROM flow").fetchone()
            db.close()
            self.assertEqual(count, n * len(self.flows(path)[1]))
            self.assertLessEqual(ids * n, count)

    def test_sqlite_refuses_other_databases(self):
        out = self.path("other.db")
        db = sqlite3.connect(out)
        db.execute("CREATE TABLE flow (a)")
        db.commit()
        db.close()
        before = ns.read_bytes(out)
        r = ns.run("-w", "sqlite:" + out, DEMO)
        self.assertEqual(r.status, 1, r.text)
        self.assertIn(out, r.text)
        self.assertEqual(ns.read_bytes(out), before)


class Ipfix(ns.Case):
    def wanted(self, path, *more):
        return collections.Counter(map(key, self.flows(*more, path)[1]))

    def free_port(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def collector(self, port):
        """nfcapd that listens; its folder."""
        folder = self.path("nfcapd")
        os.mkdir(folder)
        p = subprocess.Popen(["nfcapd", "-w", folder, "-b", "127.0.0.1", "-p", str(port), "-t",
                              "3600", "-B", "4194304"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=dict(os.environ, TZ="UTC"))

        def end():
            p.terminate()
            p.wait(ns.TIMEOUT)

        self.addCleanup(end)
        at = f"0100007F:{port:04X}"
        for _ in range(200):
            with open("/proc/net/udp", encoding="ascii") as f:
                if at in f.read():
                    return p, folder
            time.sleep(0.05)
        self.fail("nfcapd does not listen")

    def collected(self, p, folder):
        """Records of nfdump, once nfcapd has taken all and ended."""
        time.sleep(0.5)
        p.terminate()
        p.wait(ns.TIMEOUT)
        out = subprocess.run(["nfdump", "-R", folder, "-q", "-o", "json"], check=True,
                             capture_output=True, timeout=ns.TIMEOUT,
                             env=dict(os.environ, TZ="UTC")).stdout.decode()
        return json.loads("[" + out + "]")

    def nf_key(self, r):
        v = "4" if "src4_addr" in r else "6"
        icmp = r["proto"] in (1, 58)
        dst_port = r["icmp_type"] * 256 + r["icmp_code"] if icmp else r.get("dst_port", 0)
        return (r[f"src{v}_addr"], 0 if icmp else r.get("src_port", 0), r[f"dst{v}_addr"],
                dst_port, r["proto"], r["in_packets"], r["in_bytes"], r["out_packets"],
                r["out_bytes"])

    def test_nfcapd_over_udp(self):
        if not ns.have("nfcapd", "nfdump"):
            self.skipTest("no nfcapd, nfdump")
        want = self.wanted(DEMO)
        port = self.free_port()
        p, folder = self.collector(port)
        rows = self.flows("-w", f"ipfix:udp://127.0.0.1:{port}", "-j", "2", DEMO)[1]
        got = self.collected(p, folder)
        self.assertEqual(collections.Counter(map(self.nf_key, got)), want)
        vlans = collections.Counter((r["vlan"] or "0").split(".", maxsplit=1)[0] for r in rows)
        self.assertEqual(collections.Counter(str(r["src_vlan"]) for r in got), vlans)
        times = collections.Counter(int(r["start_ns"]) // 1_000_000 % 60_000 for r in rows)
        self.assertEqual(collections.Counter(int(float(r["first"][17:]) * 1000 + 0.5)
                                             for r in got), times)
        flags = collections.Counter((r["src_ip"], int(r["src_port"]), frozenset(r["tcp_flags"]))
                                    for r in rows if r["proto"] == "tcp")
        self.assertEqual(collections.Counter(
            (self.nf_key(r)[0], r["src_port"], frozenset(r["tcp_flags"]) - {"."})
            for r in got if r["proto"] == 6), flags)

    def tshark_flows(self, path):
        """Flows of tshark's text of an IPFIX file."""
        text = subprocess.run(["tshark", "-n", "-r", path, "-V"], check=True,
                              capture_output=True, timeout=ns.TIMEOUT,
                              env=dict(os.environ, HOME="/nonexistent")).stdout.decode()
        self.assertNotIn("Malformed", text)
        self.assertNotIn("Expert Info (Error", text)
        for block in re.split(r"\n +Flow \d+\n", text)[1:]:
            reverse = dict(re.findall(r"\n? +(\w+): (\d+) \(Reverse", "\n" + block))
            plain = dict(re.findall(r"\n +([A-Za-z]+): ([0-9a-f.:]+)(?= *\n| \()",
                                    re.sub(r".*\(Reverse.*", "", "\n" + block)))
            proto = re.search(r"Protocol: .*\((\d+)\)", block)
            if "SrcAddr" not in plain:
                continue  # totals of the exporter
            yield (plain["SrcAddr"], int(plain["SrcPort"]), plain["DstAddr"],
                   int(plain["DstPort"]), int(proto[1]), int(plain["Packets"]),
                   int(plain["Octets"]), int(reverse["Packets"]), int(reverse["Octets"]))

    def test_tshark_reads_the_file(self):
        if not ns.have("tshark"):
            self.skipTest("no tshark")
        for path in (DEMO, self.made("imix", 20000, 1500, 5)):
            with self.subTest(capture=os.path.basename(path)):
                out = self.path("flows.ipfix")
                want = self.wanted(path, "-w", "ipfix:" + out)
                self.assertEqual(collections.Counter(self.tshark_flows(out)), want)

    def test_several_writers_and_a_report(self):
        outs = [f"csv:{self.path(str(i))}" for i in range(8)]
        args = [x for o in outs for x in ("-w", o)]
        report = self.analyse(*args, "-j", "2", DEMO)
        lines = [sorted(ns.read_bytes(o[4:]).splitlines()) for o in outs]
        self.assertEqual(len(lines[0]) - 1, report["flows"]["count"])
        for other in lines[1:]:
            self.assertEqual(other, lines[0])


if __name__ == "__main__":
    ns.main()
