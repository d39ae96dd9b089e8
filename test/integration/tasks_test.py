#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tasks from the outside: exact against flow records, sketches against exact, any workers, epochs."""
import json
import os
import sqlite3
import subprocess

import ns
import sums


class Case(ns.Case):
    def csv(self, capture, *args, status=0):
        """The CSV of flows, with those of the tasks beside it in a folder of its own."""
        self.runs = getattr(self, "runs", 0) + 1
        folder = self.path(f"run{self.runs}")
        os.mkdir(folder)
        out = os.path.join(folder, "out.csv")
        r = ns.run("--quiet", "--report", "none", "-w", "csv:" + out, *args, capture)
        self.assertEqual(r.status, status, r.text)
        return out

    def lines(self, capture, *args, every="@1s"):
        """Rows of tasks by name, from JSON lines at an interval."""
        out = self.path("out.json")
        r = ns.run("--quiet", "--report", "none", "-w", f"json{every}:" + out, *args, capture)
        self.assertEqual(r.status, 0, r.text)
        rows = {}
        with open(out, encoding="utf-8") as f:
            for line in f:
                row = json.loads(line)
                rows.setdefault(row["kind"], []).append(row)
        return rows

    def stretched(self, packets, flows, factor):
        path = os.path.join(self.dir, f"imix-{packets}-{flows}.pcap")
        subprocess.run([ns.GENERATOR, "imix", path, str(packets), str(flows), "7"], check=True)
        return ns.write_bytes(path, ns.stretched(ns.read_bytes(path), factor))


class Exact(Case):
    def check(self, capture, *args):
        first = None
        for n in "1", "2", "3", "4":
            out = self.csv(capture, "-j", n, "-o", sums.TASKS, *args)
            self.assertEqual(sums.check_exact(out), [], f"{n} workers")
            for name in sums.SAME + sums.BOUNDED:
                if "exact" in (sums.table(out, name) or [{}])[0]:
                    self.assertEqual(sums.check_bounds(out, name), [], f"{n} workers")
            digest = sums.digest(out)
            if first is None:
                first = digest
            for name in first:
                self.assertEqual(digest[name], first[name], f"{name}, {n} workers")
        return first

    def test_imix(self):
        self.check(self.made("imix", 60000, 6000, 3))

    def test_imix_time_outs(self):
        path = self.stretched(60000, 4000, 60)
        self.check(path, "-o", "flow.idle=1", "-o", "flow.active=2")

    def test_evictions(self):
        self.check(self.made("imix", 60000, 9000, 3), "-o", "flow.max=4096")

    def test_fragments_tunnels(self):
        self.check(self.made("frags"))
        self.check(self.made("tunnels"))

    def test_committed_captures(self):
        for capture in ns.captures():
            with self.subTest(capture=os.path.basename(capture)):
                self.check(capture)


class Epochs(Case):
    """Rows at intervals of the packets' clock."""

    def setUp(self):
        super().setUp()
        self.capture = self.stretched(40000, 4000, 150)

    def test_sum_of_epochs_is_the_whole(self):
        tasks = ("tasks=[{name: p, type: exact, key: [proto]},"
                 "{name: f, type: exact, of: flows, key: [proto]}]")
        whole = self.lines(self.capture, "-o", tasks, every="")
        parts = self.lines(self.capture, "-o", tasks, "-o", "flow.idle=2")
        self.assertGreater(len({r["start_ns"] for r in parts["p"]}), 15)
        for name, column in ("p", "packets"), ("p", "octets"), ("p", "flows"), ("f", "packets"):
            want, have = {}, {}
            for r in whole[name]:
                want[r["proto"]] = r[column]
            for r in parts[name]:
                have[r["proto"]] = have.get(r["proto"], 0) + r[column]
            if column != "flows":
                self.assertEqual(have, want, f"{name}.{column}")
        for r in parts["p"] + parts["f"]:
            self.assertEqual(r["end_ns"] - r["start_ns"], 10**9)
            self.assertEqual(r["start_ns"] % 10**9, 0)

    def test_epochs_do_not_depend_on_workers(self):
        settings = ["-o", sums.TASKS, "-o", "flow.idle=1", "-o", "flow.active=3"]
        first = None
        for n in "1", "2", "4", "3", "1":
            rows = self.lines(self.capture, "-j", n, *settings)
            got = {k: sorted(json.dumps(r) for r in rows[k]) for k in sums.SAME if k in rows}
            self.assertEqual(set(got), set(sums.SAME))
            first = first or got
            for name in got:
                self.assertEqual(got[name], first[name], f"{name}, {n} workers")

    def test_long_gaps(self):
        """Epochs without packets cost nothing and give no rows."""
        path = self.stretched(300, 40, 4000000)
        rows = self.lines(path, "-o", "tasks=[{name: p, type: exact}]", "-j", "2")
        self.assertLessEqual(len(rows["p"]), 300)
        self.assertEqual(sum(r["packets"] for r in rows["p"]),
                         self.lines(path, "-o", "tasks=[{name: p, type: exact}]",
                                    every="")["p"][0]["packets"])

    def test_two_intervals_in_one_run(self):
        one, ten = self.path("one.json"), self.path("ten.json")
        r = ns.run("--quiet", "--report", "none", "-w", "json@1s:" + one, "-w", "json@10s:" + ten,
                   "-o", "tasks=[{name: p, type: exact}]", self.capture)
        self.assertEqual(r.status, 0, r.text)
        sums_of = []
        for path, span in (one, 10**9), (ten, 10**10):
            with open(path, encoding="utf-8") as f:
                rows = [x for x in map(json.loads, f) if x["kind"] == "p"]
            self.assertTrue(all(x["end_ns"] - x["start_ns"] == span for x in rows))
            sums_of.append(sum(x["packets"] for x in rows))
        self.assertEqual(sums_of[0], sums_of[1])


class Filters(Case):
    def test_when(self):
        capture = self.made("imix", 30000, 3000, 5)
        tasks = ("tasks=[{name: all_of_it, type: exact, key: [proto]},"
                 "{name: udp_only, type: exact, key: [proto], when: udp},"
                 "{name: big, type: exact, key: [proto], when: 'greater 1000 and ip'}]")
        rows = self.lines(capture, "-o", tasks, every="")
        everything = {r["proto"]: r for r in rows["all_of_it"]}
        self.assertGreater(len(everything), 2)
        self.assertEqual([r["proto"] for r in rows["udp_only"]], ["udp"])
        # a filter sees frames: behind a VLAN tag "udp" alone finds nothing, as in tcpdump
        self.assertLess(rows["udp_only"][0]["packets"], everything["udp"]["packets"])
        frames = self.lines(capture, "-f", "udp", "-o", tasks, every="")["all_of_it"]
        self.assertEqual([(r["proto"], r["packets"]) for r in frames],
                         [("udp", rows["udp_only"][0]["packets"])])
        self.assertTrue(rows["big"])


class Everywhere(Case):
    """The default set without a configuration: report, CSV, JSON, SQLite."""

    NAMES = ("top_sources", "top_destinations", "top_services", "top_talkers", "sources",
             "destinations", "ports", "fan_out", "fan_in", "packet_sizes")

    def setUp(self):
        super().setUp()
        self.capture = self.made("imix", 20000, 2000, 5)

    def test_report(self):
        text = ns.run("--quiet", self.capture).out.decode()
        report = ns.run("--quiet", "--report", "json", self.capture).report
        self.assertEqual([t["name"] for t in report["tasks"]], list(self.NAMES))
        for t in report["tasks"]:
            self.assertIn(t["name"], text)
            self.assertTrue(t["rows"], t["name"])

    def test_verify(self):
        report = ns.run("--quiet", "--report", "json", "--verify", self.capture).report
        for t in report["tasks"]:
            for row in t["rows"]:
                self.assertIsNotNone(row["exact"], t["name"])
                self.assertLess(abs(row["error"]), 0.05, t["name"])

    def test_writers(self):
        db, out = self.path("a.db"), self.path("a.json")
        r = ns.run("--quiet", "--report", "none", "-w", "sqlite:" + db, "-w", "json:" + out,
                   self.capture)
        self.assertEqual(r.status, 0, r.text)
        path = self.csv(self.capture)
        with open(out, encoding="utf-8") as f:
            lines = [json.loads(x) for x in f]
        con = sqlite3.connect(db)
        self.addCleanup(con.close)
        for name in self.NAMES:
            n = len(sums.table(path, name))
            self.assertGreater(n, 0, name)
            self.assertEqual(sum(x["kind"] == name for x in lines), n, name)
            self.assertEqual(con.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0], n, name)


class Refused(Case):
    def refused(self, tasks, *parts):
        path = self.put("conf.yaml", ("tasks:\n" + tasks).encode())
        r = ns.run("--check", "-c", path)
        self.assertEqual(r.status, 1, tasks)
        for p in (path, *parts):
            self.assertIn(p, r.text)

    def test_where_and_what(self):
        self.refused("  - {name: a, type: heavi, key: [src_ip]}\n", ":2:", "heavi", "heavy")
        self.refused("  - name: a\n    type: heavy\n    key: [src_ip]\n    kee: 1\n", ":5:", "kee")
        self.refused("  - name: a\n    type: heavy\n    key: [src_ip, srcip]\n", ":4:", "srcip",
                     "src_port")
        self.refused("  - name: a\n    type: heavy\n    key: [src_ip/33]\n", ":4:", "33")
        self.refused("  - name: a\n    type: exact\n    when: tpc\n", ":4:", "tpc")
        self.refused("  - name: A-b\n    type: exact\n", ":2:", "A-b")
        self.refused("  - {name: flow, type: exact}\n", ":2:", "flow")
        self.refused("  - {name: a, type: exact}\n  - {name: a, type: rate}\n", ":3:", "a")
        self.refused("  - name: a\n    type: exact\n    of: flows\n    when: tcp\n", ":5:", "when")
        self.refused("  - {name: a, key: [src_ip]}\n", ":2:", "type")

    def test_interval(self):
        capture = self.made("imix", 300, 30, 5)
        for bad in "json@:x", "json@0:x", "json@1y:x", "json@-1s:x":
            r = ns.run("--quiet", "-w", bad, capture)
            self.assertEqual(r.status, 1, bad)
            self.assertIn(bad, r.text)


if __name__ == "__main__":
    ns.main()
