#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The records do not depend on workers, on the run, or on how the packets come in."""
import os
import subprocess

import ns

DEMO = os.path.join(ns.DATA, "demo.pcapng")
SETTINGS = {
    "defaults": [],
    "no time-outs": ns.WHOLE,
    "tiny time-outs": ["-o", "flow.idle=1", "-o", "flow.active=2", "-o", "flow.tcp_linger=0"],
    "tiny table": ["-o", "flow.max=4096"],
    "tiny table of fragments": ["-o", "defrag.datagrams=16", "-o", "defrag.held=2"],
}


class Answers(ns.Case):
    def sorted_csv(self, *args, status=0, **how):
        out = self.path("flows.csv")
        r = ns.run("--quiet", "--report", "none", "-w", "csv:" + out, *args, **how)
        self.assertEqual(r.status, status, r.text)
        data = ns.read_bytes(out)
        os.unlink(out)
        head, *lines = data.splitlines(keepends=True)
        self.assertTrue(head.startswith(b"community_id,"))
        self.assertTrue(lines)
        return b"".join(sorted(lines))

    def by_workers(self, path, *settings):
        """The answer of 1 to 4 workers, twice each."""
        first = None
        for n in (1, 2, 3, 4, 4, 3, 2, 1):
            got = self.sorted_csv("-j", str(n), *settings, path)
            if first is None:
                first = got
            elif got != first:
                ours, theirs = set(first.splitlines()), set(got.splitlines())
                self.fail(f"{n} workers: {len(ours - theirs)} lines missing, such as "
                          f"{sorted(ours - theirs)[:1]}; {len(theirs - ours)} others, such as "
                          f"{sorted(theirs - ours)[:1]}")
        return first

    def reasons(self, answer):
        at = ns.COLUMNS.index("end_reason")
        return {line.split(b",")[at].decode() for line in answer.splitlines()}

    def imix(self, packets, flows, seconds_of_one=1):
        path = self.made("imix", packets, flows, 7)
        if seconds_of_one != 1:
            ns.write_bytes(path, ns.stretched(ns.read_bytes(path), seconds_of_one))
        return path


class SameAnswer(Answers):
    def test_imix(self):
        answer = self.by_workers(self.imix(200000, 20000))
        self.assertGreaterEqual(len(answer.splitlines()), 20000)

    def test_imix_tiny_timeouts(self):
        path = self.imix(60000, 4000, 60)
        answer = self.by_workers(path, *SETTINGS["tiny time-outs"])
        self.assertLessEqual({"1", "2", "3"}, self.reasons(answer), "time-outs that never came")

    def test_imix_tiny_table(self):
        answer = self.by_workers(self.imix(150000, 15000), *SETTINGS["tiny table"])
        self.assertIn("5", self.reasons(answer), "an eviction that never came")

    def test_imix_all_at_once(self):
        path = self.imix(100000, 10000, 20)
        answer = self.by_workers(path, *SETTINGS["tiny time-outs"], *SETTINGS["tiny table"])
        self.assertLessEqual({"1", "2", "5"}, self.reasons(answer))

    def test_fragments(self):
        path = self.made("frags")
        for name in ("no time-outs", "tiny table of fragments"):
            with self.subTest(settings=name):
                self.by_workers(path, *SETTINGS[name])

    def test_tunnels(self):
        self.by_workers(self.made("tunnels"))

    def test_demo(self):
        for name in ("defaults", "tiny time-outs"):
            with self.subTest(settings=name):
                self.by_workers(DEMO, *SETTINGS[name])

    def test_dispatch_does_not_matter(self):
        path = self.imix(30000, 3000)
        want = self.sorted_csv(path)
        for more in (["dispatch.ring=64"], ["engine.mode=pipeline"], ["engine.idle=pause"],
                     ["engine.mbufs=4095"]):
            for n in ("1", "3"):
                with self.subTest(option=more, workers=n):
                    self.assertEqual(self.sorted_csv("-j", n, "-o", *more, path), want)


class SameInput(Answers):
    """However the octets come, the answer is that of the plain file."""

    def setUp(self):
        super().setUp()
        self.plain = self.imix(30000, 3000)
        self.want = self.sorted_csv(self.plain)

    def test_packed(self):
        data = ns.read_bytes(self.plain)
        half = len(data) // 2
        packed = [self.put("a.gz", ns.gzipped(data)),
                  self.put("members.gz", ns.gzipped(data[:half]) + ns.gzipped(data[half:])),
                  self.put("no_name_tells", ns.gzipped(data))]
        if ns.have("zstd"):
            packed.append(ns.zstd(self.plain, self.path("a.zst")))
        for path in packed:
            for n in ("1", "3"):
                with self.subTest(file=os.path.basename(path), workers=n):
                    self.assertEqual(self.sorted_csv("-j", n, path), self.want)

    def test_standard_input(self):
        for n in ("1", "2"):
            with open(self.plain, "rb") as f:
                self.assertEqual(self.sorted_csv("-j", n, "-", stdin=f), self.want, "a file")
            with subprocess.Popen(["cat", self.plain], stdout=subprocess.PIPE) as cat:
                self.assertEqual(self.sorted_csv("-j", n, "-", stdin=cat.stdout), self.want)
                cat.stdout.close()

    # Two files that took turns at packets. The port tells them apart, so it is left out.
    def test_merged(self):
        parts = [[], []]
        for i, (head, body) in enumerate(ns.records(ns.read_bytes(self.plain))):
            parts[i % 3 == 1].append(head + body)
        header = ns.read_bytes(self.plain)[:24]
        a, b = (self.put(f"{i}.pcap", header + b"".join(p)) for i, p in enumerate(parts))
        packed = self.put("b.pcap.gz", ns.gzipped(ns.read_bytes(b)))

        def without_port(lines):
            return sorted(x.rpartition(b",")[0] for x in lines.splitlines())

        want = without_port(self.want)
        for files in ([a, b], [b, a], [a, packed]):
            for n in ("1", "4"):
                with self.subTest(files=[os.path.basename(f) for f in files], workers=n):
                    self.assertEqual(without_port(self.sorted_csv("-j", n, *files)), want)

    def test_pcapng(self):
        if not ns.have("editcap"):
            self.skipTest("no editcap")
        path = self.path("a.pcapng")
        subprocess.run(["editcap", "-F", "pcapng", self.plain, path], check=True,
                       capture_output=True, timeout=ns.TIMEOUT)
        self.assertEqual(self.sorted_csv("-j", "2", path), self.want)


if __name__ == "__main__":
    ns.main()
