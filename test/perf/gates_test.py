#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""peers on little captures; and what peers and instructions make of figures, with made ones."""
import contextlib
import copy
import importlib.machinery
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ["NS_BUILD_ROOT"]


def script(name):
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(HERE, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


peers = script("peers")
instructions = script("instructions")


class Peers(unittest.TestCase):
    def run_peers(self, *words):
        return subprocess.run([os.path.join(HERE, "peers"), "--no-install", *words, BUILD],
                              capture_output=True, text=True, timeout=240, check=False)

    # Every program runs, and those that print how many flows there are find ours.
    def test_all_run_and_agree(self):
        lack = peers.missing()
        if lack:
            self.skipTest(f"missing packages: {' '.join(lack)}; usertools/setup perf")
        with tempfile.TemporaryDirectory() as folder:
            got = self.run_peers("--scale", "0.004", "--rounds", "1", "--json", "--work", folder)
            kept = sorted(os.listdir(folder))
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertEqual(kept, ["imix-8000-800.pcap", "udp64-4000-400.pcap"])
        result = json.loads(got.stdout)
        self.assertEqual(sorted(result["captures"]), ["a", "b"])
        for name, c in result["captures"].items():
            rows = c["programs"]
            self.assertLessEqual(set(peers.OURS) | set(peers.PACKAGES), set(rows))
            for program, row in rows.items():
                self.assertGreater(row["cpu_ns"], 0, (name, program))
                self.assertGreater(row["peak_mib"], 1, (name, program))
            self.assertEqual(rows["ndpiReader"]["flows"], rows["default"]["flows"])
        found = {p: r["flows"] for p, r in result["captures"]["a"]["programs"].items()
                 if r["flows"] is not None}
        self.assertEqual(found, dict.fromkeys(("default", "softflowd", "nfpcapd", "ndpiReader",
                                               "tshark"), 400))
        self.assertEqual(len(result["bars"]), len(peers.BARS) + 2)

    def test_wrong_arguments(self):
        for words in (["--rounds", "0"], ["--captures", "x"], ["--without", "yaf"],
                      ["--json", "--markdown"]):
            self.assertEqual(self.run_peers(*words).returncode, 2, words)

    def result(self):
        """Figures at which every bar is just met."""
        def row(cpu, wall, flows=None):
            return {"cpu_s": cpu, "cpu_ns": cpu, "wall_s": wall, "peak_mib": 40.4, "rounds": 5,
                    "ratio": cpu / 0.2, "flows": flows, "least_ns": cpu, "most_ns": cpu}

        rows = {"default": row(0.2, 0.2, 100000), "core": row(0.15, 0.2), "bare": row(0.09, 0.1),
                "two": row(0.2, 0.13), "softflowd": row(0.601, 0.6, 100000),
                "nfpcapd": row(1.201, 1.2, 100000), "tcpdump": row(0.1, 0.1)}
        one = {"kind": "64-byte UDP", "packets": 1000000, "flows": 100000, "programs": rows}
        return {"versions": {"softflowd": "1.1.0"}, "jobs": 2, "cpu": 1, "rounds": 5,
                "captures": {"a": one, "b": copy.deepcopy(one)}}

    def missed(self, captures):
        return [what for what, got, most in peers.bars(captures) if got is None or got > most]

    def test_bars(self):
        captures = self.result()["captures"]
        self.assertEqual(self.missed(captures), [])
        for name, program, key, value, said in (
                ("a", "softflowd", "cpu_s", 0.59, ["a: ", "softflowd"]),
                ("b", "nfpcapd", "cpu_s", 1.19, ["b: ", "nfpcapd"]),
                ("a", "default", "cpu_s", 0.21, ["a: ", "softflowd"]),
                ("b", "core", "cpu_s", 0.16, ["b: ", "core set"]),
                ("b", "bare", "cpu_s", 0.092, ["b: ", "no tasks"]),
                ("a", "two", "wall_s", 0.131, ["a: ", "wall time"])):
            worse = copy.deepcopy(captures)
            worse[name]["programs"][program][key] = value
            got = self.missed(worse)
            self.assertTrue(got, (name, program))
            self.assertTrue(all(word in got[0] for word in said), got)
        del captures["a"]["programs"]["tcpdump"]
        self.assertEqual(len(self.missed(captures)), 3, "what was not measured is not met")

    def test_disagreements(self):
        captures = self.result()["captures"]
        self.assertEqual(list(peers.disagreements(captures)), [])
        captures["b"]["programs"]["nfpcapd"]["flows"] = 1  # another question
        self.assertEqual(list(peers.disagreements(captures)), [])
        captures["a"]["programs"]["nfpcapd"]["flows"] = 99999
        self.assertEqual(list(peers.disagreements(captures)),
                         ["a: nfpcapd finds 99999 flows, pcap-analyzer 100000"])

    def test_page(self):
        table = peers.markdown(self.result())
        self.assertIn("| softflowd 1.1.0 (b: leaves out what is in a VLAN) | 1 ns/packet | 3.00 | "
                      "40 |", table)
        self.assertIn("0.65 (a) and 0.65 (b)", table)
        with tempfile.NamedTemporaryFile("w+", suffix=".md") as f:
            f.write(f"before\n{peers.BEGIN}\nold\n{peers.END}\nafter\n")
            f.flush()
            peers.put_markdown(f.name, table)
            f.seek(0)
            self.assertEqual(f.read(), f"before\n{peers.BEGIN}\n{table}{peers.END}\nafter\n")
            f.write("no marks\n" + peers.BEGIN)
            f.flush()
            with self.assertRaises(SystemExit):
                peers.put_markdown(f.name, table)


PROFILE = """\
version: 1
events: Ir
fn=(1) engine_analysis
5 10
cfn=(2) analyse
calls=3 0
5 300
fn=(2)
+2 40
cfn=(3) ns_flow_burst
calls=3 0
* 260
cfn=(2)
calls=1 0
* 7
fn=(3)
9 260
totals: 610
"""


class Instructions(unittest.TestCase):
    figures = {c: (100.0, 20000000) for c in [*instructions.CASES, *instructions.LCORES]}
    table = {c: (100.0, None) for c in figures}

    def said(self, figures, table=None, comparable=True):
        found = list(instructions.faults(figures, table or self.table, comparable))
        return [text for fault, text in found if fault], [text for fault, text in found if not fault]

    def test_profile(self):
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(PROFILE)
            f.flush()
            total, inclusive = instructions.read_profile(f.name)
        self.assertEqual(total, 610)
        self.assertEqual(inclusive, {"analyse": 300, "ns_flow_burst": 260})

    def test_path(self):
        rx = dict.fromkeys([choice[0] for choice in instructions.PATH], 0)
        rx.update(ns_decode_burst=50, ns_pcap_burst=5, ns_defrag_wanted=1)
        rx.update(engine_epoch_stamp=7, ns_dispatch_burst=6)
        work = dict.fromkeys(rx, 0) | {"analyse": 300, "ns_flow_burst": 260}
        profiles = [(0, instructions.collections.Counter(p)) for p in (rx, work, work)]
        self.assertEqual(instructions.path_cost(profiles), 50 + 5 + 1 + 7 + 600)
        profiles[0][1]["ns_decode_burst"] = 0
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as err:
            instructions.path_cost(profiles)
        self.assertIn("ns_decode_burst", err.getvalue())

    def test_growth(self):
        self.assertEqual(self.said(self.figures), ([], []))
        for case in self.figures:
            more = dict(self.figures, **{case: (103.1, 1)})
            bad, _ = self.said(more)
            self.assertIn(case, " ".join(bad))
            # other compiler: said, no fault; but lcores are compared with each other
            bad, notes = self.said(more, comparable=False)
            self.assertEqual(len(bad), case in ("lcores 2", "lcores 4"), bad)
            self.assertIn(case, " ".join(notes))
        bad, notes = self.said(dict(self.figures, **{"a, none": (90.0, 1)}))
        self.assertEqual((bad, len(notes)), ([], 1), "for the better: only a note")

    def test_bar(self):
        table = dict(self.table, **{"a, none": (100.0, 99.0)})
        bad, _ = self.said(self.figures, table, comparable=False)
        self.assertEqual(bad, ["a, none: 100.0 instructions per packet, the bar is 99"])

    def test_list_of_cases(self):
        table = dict(self.table, gone=(1.0, None))
        del table["b, none"]
        bad, _ = self.said(self.figures, table)
        self.assertEqual(len(bad), 2, bad)
        low = dict(self.figures, **{c: (84.0, 1) for c in instructions.LCORES})
        self.assertTrue(any("PATH" in line for line in self.said(low)[0]))

    def test_table(self):
        where = {"compiler": "GCC: (x) 1", "libc": "glibc 2.36"}
        old = {"a, none": (1.0, 600.0)}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.tsv")
            self.assertEqual(instructions.read_table(path), ({}, {}))
            instructions.write_table(path, where, self.figures, old)
            self.assertEqual(instructions.read_table(path),
                             (where, dict(self.table, **{"a, none": (100.0, 600.0)})))

    # What is committed has every case, and the bar.
    def test_committed(self):
        where, table = instructions.read_table(os.path.join(HERE, "instructions.tsv"))
        self.assertEqual(set(table), set(self.figures))
        self.assertIn("GCC", where["compiler"])
        self.assertTrue([case for case, (_, bar) in table.items() if bar is not None])

    def test_compiler_of_the_build(self):
        self.assertRegex(instructions.circumstances(BUILD)["compiler"], r"GCC: |clang")


if __name__ == "__main__":
    program = unittest.main(exit=False)
    # "Skipped" in the words of meson, when the part that runs the programs was; it has said why.
    for _, why in program.result.skipped:
        print(f"SKIPPED: {why}", file=sys.stderr)
    if program.result.wasSuccessful() and program.result.skipped:
        sys.exit(77)
    sys.exit(not program.result.wasSuccessful())
