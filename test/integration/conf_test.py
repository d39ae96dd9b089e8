#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The examples of conf/ are accepted, say why, and do what they say on captures."""
import csv
import json
import os
import re
import sqlite3
import subprocess

import ns

CONF = os.path.join(ns.ROOT, "conf")
JOBS = ("isp-edge", "datacentre-east-west", "dns-service")
LIVE = ["several-nodes.yaml"]  # has a writer that files do without


def text(name):
    with open(os.path.join(CONF, name), encoding="utf-8") as f:
        return f.read()


def tasks(name):
    """Of each task its name, its keys as text, and the comment above it."""
    out, comment = [], []
    for line in text(name).split("\ntasks:\n")[1].splitlines():
        entry = re.match(r"  - name: (\w+)$", line)
        if entry:
            out.append((entry[1], {}, " ".join(comment)))
            comment = []
        elif line.startswith("  #"):
            comment.append(line.strip("# "))
        elif re.match(r"    \w+:", line):
            key, value = line.strip().split(":", 1)
            out[-1][1][key] = value.strip()
    return out


class Accepted(ns.Case):
    def test_all(self):
        names = sorted(n for n in os.listdir(CONF) if n.endswith(".yaml"))
        self.assertGreaterEqual(len(names), 7)
        for name in names:
            with self.subTest(conf=name):
                r = ns.run("--check", "--config", os.path.join(CONF, name))
                if name in LIVE:
                    self.assertEqual(r.status, 1)
                    self.assertIn("no such writer", r.text)
                else:
                    self.assertEqual((r.status, r.out, r.text), (0, b"", ""))

    def test_each_task_says_why(self):
        used = set()
        for job in JOBS:
            found = tasks(job + ".yaml")
            self.assertGreater(len(found), 10, job)
            for i, (name, keys, comment) in enumerate(found):
                used.add(keys["type"])
                # one of a pair may stand directly below the other
                before = found[i - 1][2] if i > 0 else ""
                self.assertGreater(len(comment or before), 20, f"{job}: {name}")
        with open(os.path.join(os.environ["NS_BUILD_ROOT"], "lib", "plugins.list"),
                  encoding="utf-8") as f:
            types = {x.split("/")[1].strip() for x in f if x.startswith("task/")}
        self.assertEqual(used, types, "a type without an example, or an example without its type")


class Runs(ns.Case):
    def go(self, job, capture, *more):
        """A run in a folder of its own; (rows by task out of JSON lines, the report)."""
        folder = self.path(os.path.basename(capture) + "-" + job)
        os.mkdir(folder)
        report = self.analyse("-c", os.path.join(CONF, job + ".yaml"), *more, capture, cwd=folder)
        self.conserved(report)
        files = os.listdir(folder)
        lines = [n for n in files if n.endswith(".json")]
        self.assertEqual(len(lines), 1, files)
        rows = {}
        with open(os.path.join(folder, lines[0]), encoding="utf-8") as f:
            for line in f:
                row = json.loads(line)
                rows.setdefault(row["kind"], []).append(row)
        return folder, rows, report

    # Every task without a filter has rows, of whatever is in the capture; none has rows that are
    # not in the configuration.
    def test_on_generated_captures(self):
        captures = (self.made("imix", 30000, 3000, 5), self.made("tunnels"), self.made("frags"))
        for job in JOBS:
            for capture in captures:
                with self.subTest(job=job, capture=os.path.basename(capture)):
                    _, rows, report = self.go(job, capture)
                    # DNS in the one, no DNS in the other: the filter leaves what it leaves
                    if report["conservation"]["analysed"] == 0:
                        continue
                    listed = {name for name, _, _ in tasks(job + ".yaml")}
                    self.assertEqual({t["name"] for t in report["tasks"]}, listed)
                    self.assertLessEqual(set(rows) - {"flow"}, listed)
                    for name, keys, _ in tasks(job + ".yaml"):
                        if keys["type"] == "rate":
                            self.assertIn(name, rows)

    # The filters and keys match what they were written for.
    def test_isp(self):
        syn = [ns.ether(ns.ipv4(ns.tcp(1000 + i, 80), 6, f"192.0.2.{i}", "198.51.100.7"))
               for i in range(200)]
        probes = [ns.ether(ns.ipv4(ns.udp(dport=i), 17, "203.0.113.5", "198.51.100.9"))
                  for i in range(1, 151)]
        big = [ns.ether(ns.ipv4(ns.udp(b"x" * 1000, 123, 4444), 17, "192.0.2.1", "198.51.100.8"))
               ] * 20
        path = self.put("isp.pcap", ns.pcap(*syn, *probes, *big))
        folder, rows, _ = self.go("isp-edge", path)
        first = {name: r[0] for name, r in rows.items()}
        self.assertEqual((first["syn_targets"]["dst_ip"], first["syn_targets"]["estimate"]),
                         ("198.51.100.7", 200))
        self.assertEqual((first["scanners"]["src_ip"], first["scanners"]["estimate"]),
                         ("203.0.113.5", 150))
        self.assertEqual((first["most_met"]["dst_ip"], first["most_met"]["estimate"]),
                         ("198.51.100.7", 200))
        self.assertEqual((first["reflection"]["src_ip"], first["reflection"]["dst_ip"]),
                         ("192.0.2.1", "198.51.100.8"))
        self.assertEqual({r["dst_ip"] for r in rows["received_by_network"]}, {"198.51.100.0/28"})
        self.assertEqual(first["received_by_network"]["packets"], 370)
        self.assertNotIn("sent_by_network", rows)
        self.assertEqual(first["rates"]["packets"], 370)
        with sqlite3.connect(os.path.join(folder, "isp-edge.db")) as db:
            tables = {r[0] for r in db.execute("SELECT name FROM sqlite_master")}
            self.assertLessEqual({"flow", "rates", "scanners", "syn_targets"}, tables)
            self.assertEqual(db.execute("SELECT packets FROM rates WHERE protocol = 'all'"
                                        ).fetchall(), [(370,)])
        db.close()

    def test_datacentre(self):
        def vxlan(vni, inner):
            head = b"\x08\0\0\0" + vni.to_bytes(3, "big") + b"\0"
            return ns.ether(ns.ipv4(ns.udp(head + ns.ether(inner), 50000, 4789), 17,
                                    "10.255.0.1", "10.255.0.2"))

        frames = [vxlan(42, ns.ipv4(ns.tcp(2000, 1 + i), 6, "10.0.0.5", f"10.0.1.{i}"))
                  for i in range(30)]
        frames += [vxlan(7, ns.ipv4(ns.udp(), 17, "10.0.0.5", "10.0.0.6"))]
        frames += [ns.ether(ns.ipv4(ns.udp(), 17, "10.0.0.70", "10.0.0.6"))] * 3
        _, rows, _ = self.go("datacentre-east-west", self.put("dc.pcap", ns.pcap(*frames)))
        tenants = {r["tunnel"]: r["packets"] for r in rows["tenants"]}
        self.assertEqual(tenants, {"vxlan:42": 30, "vxlan:7": 1, None: 3})
        self.assertEqual([(r["tunnel"], r["initiator_ip"], r["estimate"])
                          for r in rows["fan_out"]], [("vxlan:42", "10.0.0.5", 30)])
        self.assertEqual([(r["src_ip"], r["estimate"]) for r in rows["underlay"]],
                         [("10.0.0.70", 3 * len(frames[-1]))])
        matrix = {(r["src_ip"], r["dst_ip"]): r["packets"] for r in rows["rack_matrix"]}
        self.assertEqual(matrix, {("10.0.0.0/26", "10.0.1.0/26"): 30,
                                  ("10.0.0.0/26", "10.0.0.0/26"): 1,
                                  ("10.0.0.64/26", "10.0.0.0/26"): 3})

    def test_dns(self):
        ask = lambda i: ns.ether(ns.ipv4(ns.udp(b"q" * 30, 4000, 53), 17, f"192.0.2.{i}",
                                         "198.51.100.53"))
        tell = lambda i, n: ns.ether(ns.ipv4(ns.udp(b"a" * n, 53, 4000), 17, "198.51.100.53",
                                             f"192.0.2.{i}"))
        frames = [f for i in range(50) for f in (ask(i), tell(i, 100))] + [tell(7, 1300)] * 9
        frames += [ns.ether(ns.ipv4(ns.udp(), 17))] * 5
        folder, rows, report = self.go("dns-service", self.put("dns.pcap", ns.pcap(*frames)))
        self.assertEqual(report["conservation"]["drops"]["filtered"], 5)
        first = {name: r[0] for name, r in rows.items()}
        self.assertEqual(first["top_answered"]["dst_ip"], "192.0.2.7")
        self.assertEqual([(r["src_ip"], r["packets"]) for r in rows["client_networks"]],
                         [("192.0.2.0/24", 50)])
        self.assertEqual([r["estimate"] for r in rows["asked_by_many"]], [50])
        self.assertEqual(sum(r["packets"] for r in rows["transports"]), 109)
        self.assertNotIn("fragments", rows)
        # the interval of the other writer is longer, the numbers are the same
        with open(os.path.join(folder, "dns.rates.csv"), encoding="utf-8", newline="") as f:
            all_of_it = [r for r in csv.DictReader(f) if r["protocol"] == "all"]
        self.assertEqual([r["packets"] for r in all_of_it], ["109"])

    def test_wrong_place(self):
        """An example with one word wrong is refused at that word."""
        wrong = text("isp-edge.yaml").replace("key: [src_ip/20/40]", "key: [src_ip/20/140]")
        line = wrong[:wrong.index("140")].count("\n") + 1
        r = ns.run("--check", "-c", self.put("wrong.yaml", wrong.encode()))
        self.assertEqual(r.status, 1)
        self.assertRegex(r.text, rf"wrong\.yaml:{line}:\d+: tasks\[\d+\]\.key\[0\]: ")

    def test_engine_takes_them(self):
        engine = os.path.join(os.environ["NS_BUILD_ROOT"], "app", "ns-engine", "ns-engine")
        if not ns.have(engine):
            self.skipTest("no ns-engine")
        for name in [job + ".yaml" for job in JOBS] + LIVE:
            subprocess.run([engine, "--check", "-c", os.path.join(CONF, name)],
                           check=True, timeout=ns.TIMEOUT)


if __name__ == "__main__":
    ns.main()
