#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reports, messages and signals, as people and machines meet them."""
import os
import pty
import re
import select
import signal
import subprocess
import time

import ns

DEMO = os.path.join(ns.DATA, "demo.pcapng")


class Json(ns.Case):
    def check(self, report, rows):
        capture, flows = report["capture"], report["flows"]
        total = report["conservation"]
        self.conserved(report)
        self.assertEqual(capture["packets"], total["received"] - total["drops"]["filtered"])
        self.assertEqual(sum(p["packets"] for p in report["protocols"]), total["analysed"])
        if total["dropped"] == 0:
            self.assertEqual(sum(p["octets"] for p in report["protocols"]), capture["octets"])
        self.assertLessEqual(capture["captured_octets"], capture["octets"])
        self.assertEqual(flows["count"], len(rows))
        self.assertEqual(sum(flows["end_reasons"].values()), len(rows))
        octets = [sum(int(r[k]) for k in ("l2_octets", "rev_l2_octets")) for r in rows]
        self.assertEqual([f["l2_octets"] + f["rev_l2_octets"] for f in flows["top"]],
                         sorted(octets, reverse=True)[:10])
        self.assertEqual(report["hosts"]["count"],
                         len({r[k] for r in rows for k in ("src_ip", "dst_ip")}))
        self.assertEqual(report["tunnels"]["count"], len({r["tunnel"] for r in rows} - {""}))
        self.assertEqual(report["vlans"]["count"], len({r["vlan"] for r in rows} - {""}))
        of_tcp = [r for r in rows if r["proto"] == "tcp"]
        self.assertEqual(report["tcp"]["flows"], len(of_tcp))
        self.assertEqual(report["tcp"]["retransmitted_segments"], sum(
            int(r[k]) for r in of_tcp for k in ("tcp_retransmits", "rev_tcp_retransmits")))
        for host in report["hosts"]["top"]:
            self.assertEqual(host["octets"], host["sent_octets"] + host["received_octets"])
            mine = [r for r in rows if host["ip"] in (r["src_ip"], r["dst_ip"])]
            self.assertEqual(host["flows"], len(mine))
            self.assertEqual(host["sent_octets"], sum(
                int(r["l2_octets"] if r["src_ip"] == host["ip"] else r["rev_l2_octets"])
                for r in mine if r["src_ip"] != r["dst_ip"]))

    def test_every_capture(self):
        for path in ns.captures():
            with self.subTest(capture=os.path.basename(path)):
                report, rows = self.flows(path)
                self.check(report, rows)
                self.assertEqual(report["input"]["files"], [path])

    def test_made_captures(self):
        for args in (("imix", 30000, 3000, 2), ("tunnels",)):
            self.check(*self.flows("-j", "2", self.made(*args)))

    def test_several_files(self):
        files = [os.path.join(ns.DATA, n) for n in ("dns.pcap", "tls13.pcapng", "loss.pcap.gz")]
        alone = [self.analyse(f)["conservation"]["received"] for f in files]
        report, rows = self.flows(*files)
        self.check(report, rows)
        self.assertEqual(report["conservation"]["received"], sum(alone))

    def test_loss_is_seen(self):
        tcp = self.analyse(os.path.join(ns.DATA, "loss.pcap.gz"))["tcp"]
        self.assertGreater(tcp["retransmitted_segments"], 0)
        self.assertGreater(tcp["sequence_gaps"], 0)

    # All but what the run itself took.
    def test_the_same_with_any_workers(self):
        seen = []
        for n in ("1", "2", "4"):
            report = self.analyse("-j", n, DEMO)
            report.pop("run")
            seen.append(report)
        self.assertEqual(seen[1], seen[0])
        self.assertEqual(seen[2], seen[0])


class Text(ns.Case):
    def test_every_capture(self):
        for path in ns.captures():
            with self.subTest(capture=os.path.basename(path)):
                r = ns.run(path)
                self.assertEqual((r.status, r.text), (0, ""))
                text = r.out.decode()
                report = self.analyse(path)
                n = report["conservation"]["received"]
                self.assertRegex(text, rf"Packets +{n}\b")
                self.assertIn(f"holds: received {n} = analysed {n} + dropped 0", text)
                for p in report["protocols"][:10]:
                    self.assertRegex(text, rf"(?m)^  {re.escape(p['name'])} +{p['packets']} ")
                for title in ("Capture", "Conservation", "Protocols", "Top talkers",
                              "Packets per second"):
                    self.assertIn(title, text)
                if report["tcp"]["flows"] > 0:
                    self.assertIn("TCP health", text)

    def test_quiet_and_none(self):
        r = ns.run("--quiet", "--report", "none", DEMO)
        self.assertEqual((r.status, r.out, r.text), (0, b"", ""))
        r = ns.run("--quiet", DEMO)
        self.assertIn(b"Conservation", r.out)
        self.assertEqual(r.text, "")
        r = ns.run("--quiet", self.path("missing"))
        self.assertEqual(r.status, 1)
        self.assertIn("No such file", r.text)

    def test_standard_input(self):
        with open(DEMO, "rb") as f:
            r = ns.run("--report", "json", "-", stdin=f)
        self.assertEqual((r.status, r.text), (0, ""))
        self.assertEqual(r.report["flows"], self.analyse(DEMO)["flows"])
        with open(DEMO, "rb") as f:
            self.assertIn("standard input", ns.run("-", stdin=f).out.decode())

    # What comes from outside must not drive a terminal.
    def test_names_do_no_harm(self):
        path = self.put("a\x1b[31m\nb.pcap", ns.pcap())
        r = ns.run(path)
        self.assertEqual(r.status, 0)
        self.assertNotIn(b"\x1b", r.out)
        self.assertEqual(self.analyse(path)["input"]["files"], [path])


class Slow(ns.Case):
    """Input that takes its time: a pipe that stays open."""

    def start(self, *args, packets=4000, **how):
        self.data = ns.read_bytes(self.made("imix", 20000, 2000, 9))
        self.cut = sum(len(h) + len(b) for (h, b), _ in
                       zip(ns.records(self.data), range(packets))) + 24
        p = ns.spawn(*args, "-", stdin=subprocess.PIPE, **how)
        self.addCleanup(p.kill)
        p.stdin.write(self.data[:self.cut])
        p.stdin.flush()
        return p

    def stop(self, sig, workers, more=0):
        out = self.path("flows.csv")
        p = self.start("--report", "json", "-j", workers, "-w", "csv:" + out)
        if more:  # a record that is not whole
            p.stdin.write(self.data[self.cut:self.cut + more])
            p.stdin.flush()
        time.sleep(0.7)
        self.assertIsNone(p.poll(), "it ended by itself")
        began = time.monotonic()
        p.send_signal(sig)
        result = ns.ended(p)  # the pipe is still open: it must not be waited for
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(result.status, 130, result.text)
        report = result.report
        self.conserved(report)
        self.assertTrue(report["input"]["interrupted"])
        self.assertEqual(report["input"]["faults"], [])
        self.assertEqual(report["conservation"]["received"], 4000)
        rows = ns.read_csv(out)
        self.assertEqual(report["flows"]["count"], len(rows))
        self.assertEqual(sum(int(r["packets"]) + int(r["rev_packets"]) for r in rows), 4000)

    def test_interrupt(self):
        for sig, workers, more in ((signal.SIGINT, "1", 0), (signal.SIGINT, "2", 20),
                                   (signal.SIGTERM, "3", 5)):
            with self.subTest(signal=sig, workers=workers):
                self.stop(sig, workers, more)

    def test_interrupt_of_packed_input(self):
        data = ns.gzipped(ns.read_bytes(self.made("imix", 20000, 2000, 9)))
        p = ns.spawn("--report", "json", "-", stdin=subprocess.PIPE)
        self.addCleanup(p.kill)
        p.stdin.write(data[:len(data) * 3 // 4])
        p.stdin.flush()
        time.sleep(0.7)
        p.send_signal(signal.SIGINT)
        result = ns.ended(p)
        text, report = result.text, result.report
        self.assertEqual((p.returncode, text), (130, ""))
        self.conserved(report)
        self.assertGreater(report["conservation"]["received"], 1000)

    def test_goes_on_as_octets_come(self):
        p = self.start("--report", "json", packets=10)
        time.sleep(0.3)
        out, text = p.communicate(self.data[self.cut:], timeout=ns.TIMEOUT)
        self.assertEqual((p.returncode, text), (0, b""))
        report = ns.Result(subprocess.CompletedProcess([], 0, out, b"")).report
        self.assertEqual(report["conservation"]["received"],
                         sum(1 for _ in ns.records(self.data)))

    def on_terminal(self, *args):
        """What a terminal at stderr sees within a second, and after the end of the input."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        p = subprocess.Popen([ns.ANALYZER, "--report", "none", *args, "-"],
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=theirs)
        self.addCleanup(p.kill)
        os.close(theirs)
        seen, end = b"", time.monotonic() + 5
        p.stdin.write(ns.read_bytes(self.made("imix", 20000, 2000, 9))[:2_000_000])
        p.stdin.flush()
        while time.monotonic() < end and b"packets/s" not in seen:
            if select.select([ours], [], [], 0.1)[0]:
                seen += os.read(ours, 4096)
            elif args and time.monotonic() > end - 3.5:
                break
        p.send_signal(signal.SIGINT)
        p.wait(20)
        p.stdin.close()
        try:
            while select.select([ours], [], [], 0.2)[0]:
                more = os.read(ours, 4096)
                if not more:
                    break
                seen += more
        except OSError:
            pass  # the other side is closed
        return seen.decode()

    def test_progress(self):
        seen = self.on_terminal()
        self.assertRegex(seen, r"\d.* packets · \d.* ?\w?packets/s")
        self.assertTrue(seen.endswith("\r\x1b[K"), "the line is left on the terminal: " +
                        repr(seen[-80:]))

    def test_no_progress_when_quiet(self):
        self.assertEqual(self.on_terminal("--quiet"), "")

    def test_share_and_time_left(self):
        path = self.made("imix", 200000, 20000, 1)
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        p = subprocess.Popen([ns.ANALYZER, "--report", "none", "-o", "engine.epoch_ms=10", path],
                             stderr=theirs)
        os.close(theirs)
        self.assertEqual(p.wait(ns.TIMEOUT), 0)
        seen = os.read(ours, 65536).decode()
        self.assertRegex(seen, r"packets/s · \d+ % · .* left")


if __name__ == "__main__":
    ns.main()
