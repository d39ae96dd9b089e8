#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Damaged input: what stands before the damage is reported, the message says where, status 2."""
import os
import re
import struct
import subprocess

import ns

DNS = os.path.join(ns.DATA, "dns.pcap")
TLS = os.path.join(ns.DATA, "tls13.pcapng")
GOOD = ns.ether(ns.ipv4(ns.udp(), 17))


class Damage(ns.Case):
    def damaged(self, path, *more):
        """The report of a run over that file, which must be called damaged with its place."""
        out = self.path("flows.csv")
        r = ns.run("--quiet", "--report", "json", "-w", "csv:" + out, *more, path)
        self.assertEqual(r.status, 2, r.text)
        place = re.search(re.escape(path) + r": octet (\d+)( \(uncompressed\))?: \S+", r.text)
        self.assertTrue(place, f"no file and offset in {r.text!r}")
        report = r.report
        self.conserved(report)
        self.assertEqual(len(report["input"]["faults"]), 1)
        self.assertIn(report["input"]["faults"][0], r.text)
        rows = ns.read_csv(out)
        packets = sum(int(x["packets"]) + int(x["rev_packets"]) for x in rows)
        self.assertEqual(packets, sum(p["packets"] for p in report["protocols"]
                                      if p["layer"] == "ip"))
        return report["conservation"]["received"], int(place[1])

    # Every length of a small file: at ends of records it is whole, elsewhere damaged.
    def test_pcap_cut_anywhere(self):
        frames = [GOOD, GOOD, GOOD]
        whole = ns.pcap(*frames)
        ends = [24 + i * (16 + len(GOOD)) for i in range(len(frames) + 1)]
        for n in (5, 23, *range(25, 45, 4), ends[1] - 1, ends[1] + 1, ends[1] + 17, ends[2] - 1,
                  len(whole) - 1):
            with self.subTest(octets=n):
                before = [e for e in ends if e <= n]
                got = self.damaged(self.put("a.pcap", whole[:n]))
                self.assertEqual(got, (max(len(before) - 1, 0), before[-1] if before else 0))
        for n in ends:
            with self.subTest(octets=n):
                report = self.analyse(self.put("a.pcap", whole[:n]))
                self.assertEqual(report["conservation"]["received"], ends.index(n))
                self.assertEqual(report["input"]["faults"], [])

    def blocks(self, data):
        """(offset, type) of the blocks of a pcapng file."""
        at = 0
        while at < len(data):
            kind, n = struct.unpack_from("<II", data, at)
            yield at, kind
            at += n

    def test_pcapng_cut_anywhere(self):
        data = ns.read_bytes(TLS)
        starts = [at for at, _ in self.blocks(data)]
        packets = [at for at, kind in self.blocks(data) if kind == 6]
        self.assertGreater(len(packets), 20)
        for at in (packets[0], packets[7], packets[-1]):
            for more in (4, 9, 30):
                with self.subTest(block=at, octets=more):
                    got = self.damaged(self.put("a.pcapng", data[:at + more]))
                    self.assertEqual(got, (packets.index(at), at))
            with self.subTest(block=at, octets="whole"):
                self.analyse(self.put("a.pcapng", data[:at]))
        self.assertEqual(self.damaged(self.put("a.pcapng", data[:10]))[0], 0)
        wrong = bytearray(data)
        second = starts[starts.index(packets[5]) + 1]
        struct.pack_into("<I", wrong, second - 4, 99)  # the length behind the block
        self.assertEqual(self.damaged(self.put("a.pcapng", bytes(wrong)))[0], 5)

    def test_a_record_that_can_not_be(self):
        data = bytearray(ns.pcap(*[GOOD] * 8))
        at = 24 + 5 * (16 + len(GOOD))
        struct.pack_into("<I", data, at + 8, 0x7fffffff)
        for workers in ("1", "3"):
            self.assertEqual(self.damaged(self.put("a.pcap", bytes(data)), "-j", workers),
                             (5, at))

    def test_packed_data_cut(self):
        path = self.made("imix", 20000, 2000, 5)
        whole = self.analyse(path)["conservation"]["received"]
        packed = {"a.gz": ns.gzipped(ns.read_bytes(path))}
        if ns.have("zstd"):
            packed["a.zst"] = ns.read_bytes(ns.zstd(path, self.path("whole.zst")))
        for name, data in packed.items():
            seen = 0
            for share in (0.3, 0.7, 0.99):
                with self.subTest(file=name, share=share):
                    n, at = self.damaged(self.put(name, data[:int(len(data) * share)]))
                    self.assertGreater(n, seen)
                    self.assertLess(n, whole)
                    self.assertGreater(at, 24)
                    seen = n

    def test_packed_data_damaged(self):
        data = bytearray(ns.gzipped(ns.read_bytes(self.made("imix", 20000, 2000, 5))))
        data[len(data) // 2] ^= 0xff
        data[len(data) // 2 + 9] ^= 0xff
        n, _ = self.damaged(self.put("a.gz", bytes(data)))
        self.assertGreater(n, 1000)

    def test_other_files_are_read(self):
        cut = self.put("cut.pcap", ns.read_bytes(DNS)[:500])
        alone, _ = self.damaged(cut)
        other = self.analyse(TLS)["conservation"]["received"]
        for files in ((cut, TLS), (TLS, cut)):
            for workers in ("1", "2"):
                r = ns.run("--report", "json", "-j", workers, *files)
                self.assertEqual(r.status, 2)
                self.assertIn(cut + ": octet ", r.text)
                self.assertNotIn(TLS, r.text)
                self.assertEqual(r.report["conservation"]["received"], alone + other)

    def test_text_report_says_so(self):
        cut = self.put("cut.pcap", ns.read_bytes(DNS)[:500])
        r = ns.run(cut)
        self.assertEqual(r.status, 2)
        self.assertIn("DAMAGED", r.out.decode())
        self.assertIn(cut + ": octet ", r.out.decode())

    def test_standard_input(self):
        for data in (ns.read_bytes(DNS)[:500], ns.gzipped(ns.read_bytes(DNS))[:1500]):
            r = ns.run("--report", "json", "-", input=data)
            self.assertEqual(r.status, 2)
            self.assertIn("standard input: octet ", r.text)
            self.assertGreater(r.report["conservation"]["received"], 0)


class Refused(ns.Case):
    """No capture file at all: a clear message, no report."""

    def refused(self, path, status, *words, **how):
        r = ns.run("--report", "json", path, **how)
        self.assertEqual(r.status, status, r.text)
        self.assertEqual(r.out, b"")
        name = "standard input" if path == "-" else path
        for w in (name, *words):
            self.assertIn(w, r.text)
        self.assertEqual(len(r.text.splitlines()), 1, r.text)

    def test_no_capture(self):
        head = ns.pcap_header()
        cases = {
            "text": (b"Once upon a time\n", "no capture file", "4f 6e 63 65"),
            "short": (b"abc", "no capture file"),
            "nothing": (b"", "empty"),
            "zeros": (b"\0" * 1000, "no capture file"),
            "version": (head[:4] + b"\x09" + head[5:], "version 9.4"),
            "reserved": (head[:20] + b"\1\0\xff\x03", "reserved"),
            "gzip_of_text": (ns.gzipped(b"Once upon a time\n"), "no capture file"),
            "gzip_of_nothing": (ns.gzipped(b""), "empty"),
            "half_gzip": (ns.gzipped(b"Once upon a time\n")[:7], "end early"),
            "pcapng_version": (struct.pack("<IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 7, 0, -1, 28),
                               "version 7.0"),
        }
        for name, (data, *words) in cases.items():
            with self.subTest(case=name):
                self.refused(self.put(name, data), 2, "octet ", *words)
        self.refused("-", 2, "no capture file", input=b"Once upon a time\n")

    def test_can_not_be_opened(self):
        self.refused(self.path("missing"), 1, "No such file")
        self.refused(self.dir, 1, "directory")
        self.refused(DNS + "/x", 1, "Not a directory")

    def test_unreadable(self):
        path = self.put("secret.pcap", ns.pcap(GOOD))
        os.chmod(path, 0)
        os.chmod(self.dir, 0o755)
        how = {}
        if os.geteuid() == 0:  # root may read anything
            how = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
        try:
            self.refused(path, 1, "Permission denied", **how)
        except PermissionError:
            self.skipTest("the program itself is out of another user's reach")

    # A wrong call must not cost a file that was there before.
    def test_no_output_is_clobbered(self):
        text = self.put("text", b"Once upon a time\n")
        for bad in (self.path("missing"), self.dir, text):
            for writer in ("csv", "json", "sqlite", "ipfix"):
                with self.subTest(input=os.path.basename(bad), writer=writer):
                    old = self.put("precious", b"kept")
                    r = ns.run("-w", f"{writer}:{old}", DNS, bad)
                    self.assertIn(r.status, (1, 2))
                    self.assertEqual(ns.read_bytes(old), b"kept")
                    new = self.path("new")
                    ns.run("-w", f"{writer}:{new}", bad)
                    self.assertFalse(os.path.exists(new))
        old = self.put("precious", b"kept")
        for wrong in (["-f", "port foo bar"], ["-o", "flow.idle=x"], ["--report", "foo"]):
            self.assertEqual(ns.run("-w", "csv:" + old, *wrong, DNS).status, 1)
            self.assertEqual(ns.read_bytes(old), b"kept")

    def test_one_of_several(self):
        text = self.put("text", b"Once upon a time\n")
        r = ns.run(DNS, text)
        self.assertEqual(r.status, 2)
        self.assertIn(text + ": octet 0: ", r.text)
        self.assertEqual(ns.run(DNS, self.path("missing")).status, 1)


class Fine(ns.Case):
    def test_no_packets(self):
        files = [self.put("a.pcap", ns.pcap()), self.put("a.pcap.gz", ns.gzipped(ns.pcap()))]
        if ns.have("editcap"):
            files.append(self.path("a.pcapng"))
            subprocess.run(["editcap", "-F", "pcapng", files[0], files[-1]], check=True,
                           timeout=ns.TIMEOUT)
        for path in files:
            for workers in ("1", "3"):
                with self.subTest(file=os.path.basename(path), workers=workers):
                    report, rows = self.flows("-j", workers, path)
                    self.conserved(report)
                    self.assertEqual((report["conservation"]["received"], rows), (0, []))
                    self.assertIsNone(report["capture"]["first_ns"])
        self.assertEqual(ns.run(files[0]).status, 0)

    def test_filter_matches_nothing(self):
        report, rows = self.flows("-f", "port 9", DNS)
        self.conserved(report)
        self.assertEqual(rows, [])
        self.assertEqual(report["conservation"]["analysed"], 0)
        self.assertEqual(ns.run("-f", "port 9", DNS).status, 0)


if __name__ == "__main__":
    ns.main()
