#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Packets out of a running ns-engine: captures by the console's commands.

usage: capture_test.py CASE NS-ENGINE NS-CONSOLE PCAP-ANALYZER GEN-CAPTURE WATCH-LIBRARY
"""
import collections
import csv
import os
import re
import shutil
import signal
import struct
import subprocess
import sys

import harness
import law_test
import sending
from harness import WHOLE, Engine, all_analysed, check, records, same_records, wait_for

PACKETS = 20000
ROOM = "blocksz=131072,framesz=2048,framecnt=16384"  # two seconds of the sender


class Console(sending.Console):
    """One that knows captures."""

    def records(self, command, kind="capture"):
        return super().records(command, kind)

    def ended(self, status, number=0):
        """A capture, the last one if no number says which, once it has ended."""
        seen = []

        def over():
            seen[:] = [r for r in self.records("capture show") if number in (0, r["id"])][-1:]
            return seen and seen[0]["status"] not in ("running", "ending")
        wait_for(over, "the capture to end")
        check(seen[0]["status"] == status, f"not {status}: {seen[0]}")
        return seen[0]


def read_pcapng(path):
    """Packets, interfaces and statistics of a little-endian file, each with its options."""
    with open(path, "rb") as f:
        data = f.read()
    packets, interfaces, statistics, at = [], [], [], 0

    def options(body):
        found, i = {}, 0
        while i + 4 <= len(body):
            code, n = struct.unpack_from("<HH", body, i)
            if code == 0:
                break
            found[code] = body[i + 4:i + 4 + n]
            i += 4 + (n + 3) // 4 * 4
        return found
    while at < len(data):
        kind, n = struct.unpack_from("<II", data, at)
        check(n % 4 == 0 and struct.unpack_from("<I", data, at + n - 4)[0] == n,
              f"{path}: no block at {at}")
        body = data[at + 8:at + n - 4]
        if kind == 6:
            iface, high, low, caplen, wirelen = struct.unpack_from("<IIIII", body)
            packets.append({"iface": iface, "ns": high << 32 | low, "wirelen": wirelen,
                            "data": body[20:20 + caplen],
                            **options(body[20 + (caplen + 3) // 4 * 4:])})
        elif kind == 1:
            interfaces.append(options(body[8:]))
        elif kind == 5:
            statistics.append({k: struct.unpack("<Q", v)[0] for k, v in options(body[12:]).items()
                               if len(v) == 8})
        at += n
    return packets, interfaces, statistics


def read_times(path):
    """Nanoseconds of a pcap file that tcpdump wrote so."""
    with open(path, "rb") as f:
        data = f.read()
    check(struct.unpack_from("<I", data)[0] == 0xa1b23c4d, f"{path}: no nanoseconds")
    times, at = [], 24
    while at < len(data):
        s, ns, caplen = struct.unpack_from("<III", data, at)
        times.append(s * 10**9 + ns)
        at += 16 + caplen
    return times


class Tcpdump:
    def __init__(self, interface, path):
        if not shutil.which("tcpdump"):
            harness.skip("needs tcpdump")
        self.path = path
        self.argv = ["tcpdump", "-i", interface, "-w", path, "-U", "-s", "0", "-B", "65536", "-Z",
                     "root", "--time-stamp-precision=nano", "--immediate-mode"]
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        check("listening on" in line, f"tcpdump: {line}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=harness.PATIENCE)[1]
        check(re.search(r"^0 packets dropped by kernel", said, re.M), f"tcpdump lost some: {said}")
        return harness.read_pcap(self.path), read_times(self.path)


def fields(path):
    """What tshark reads: (number, interface, comment) of each packet."""
    out = harness.run("tshark", "-r", path, "-T", "fields", "-E", "separator=;", "-e",
                      "frame.number", "-e", "frame.interface_name", "-e", "frame.comment",
                      env=dict(os.environ, HOME=os.path.dirname(path)))
    return [tuple(line.split(";")) for line in out.splitlines()]


def capinfos(path):
    out = harness.run("capinfos", "-M", "-c", "-t", path)
    return re.search(r"File type: +(.*)", out).group(1), int(
        re.search(r"Number of packets: +(\d+)", out).group(1))


def tcpdump(folder, engine, console, analyzer, gen, _):
    """A capture is what tcpdump saw on the same veth; whole flows, and its comments say which."""
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "imix", path, str(PACKETS), "500", "7")
    frames = harness.read_pcap(path)
    c = Console(console, folder)
    for i, (queues, more) in enumerate(((1, ["engine.workers=1"]), (1, ["engine.mode=rtc"]),
                                        (2, ["engine.mode=rtc", "engine.workers=2"]))):
        watched, sender = harness.veth()
        out = os.path.join(folder, f"out{i}.pcapng")
        flows = os.path.join(folder, f"flows{i}.csv")
        # relative to where the engine is
        name = os.path.relpath(out)
        target = f"net_af_packet0,iface={watched},qpairs={queues},{ROOM}"
        with Engine(engine, target, options=[*WHOLE, c.option, *more],
                    words=["-w", "csv:" + flows]) as en, \
                Tcpdump(watched, os.path.join(folder, f"ref{i}.pcap")) as dump:
            check(c.says(f"capture start {name}") == f"capture 1 writes {os.getcwd()}/{name}\n",
                  "another name")
            harness.send(sender, frames)
            en.wait_packets(len(frames))
            c.says("capture stop")
            r = c.ended("stopped")
            want, times = dump.stop()
            report = en.stop()
        all_analysed(report, len(frames))
        check(r["status"] == "stopped" and r["packets"] == r["matched"] == len(frames) and
              r["missed"] == r["lost"] == 0 and r["octets"] == os.path.getsize(out), f"{r}")
        packets, interfaces, statistics = read_pcapng(out)
        got = [p["data"] for p in packets]
        check(want == frames, f"tcpdump saw {len(want)} packets, not those {len(frames)}")
        # two sockets of one interface are read in turn: each in order, both within a burst
        if queues == 1:
            check(got == want, "the capture is not what tcpdump saw")
            off = sorted(p["ns"] - t for p, t in zip(packets, times))
            check(off[0] > -50e6 and off[len(off) * 95 // 100] < 50e6,
                  f"times differ from {off[0]} to {off[-1]} ns")
            print(f"{more}: times later by {off[len(off) // 2] / 1e3:.0f} us (median), "
                  f"{off[-1] / 1e3:.0f} us at most")
        else:
            check(sorted(got) == sorted(want), "the capture is not what tcpdump saw")
        # an lcore that is kept from its CPU for long comes late
        back = sum(a["ns"] > b["ns"] for a, b in zip(packets, packets[1:]))
        check(back <= (0 if queues == 1 else len(packets) // 100), f"{back} out of order of time")
        check(all(p["wirelen"] == len(p["data"]) for p in packets), "another length")
        check([f[2] for f in interfaces] == [watched.encode()] and
              interfaces[0][3] == b"net_af_packet0", f"other interfaces: {interfaces}")
        check(statistics[0][4] == statistics[0][6] == statistics[0][8] == len(frames) and
              statistics[0][7] == 0, f"other statistics: {statistics}")
        comments = collections.Counter(p[1].decode() for p in packets if 1 in p)
        with open(flows, newline="", encoding="utf-8") as f:
            known = collections.Counter()
            for row in csv.DictReader(f):
                known["community_id=" + row["community_id"]] += \
                    int(row["packets"]) + int(row["rev_packets"])
        check(comments == known and len(known) > 100,
              f"{len(comments)} flows in comments, {len(known)} in records: "
              f"{list((comments - known).items())[:3]}, {list((known - comments).items())[:3]}")
        if i == 0:
            check(capinfos(out) == ("pcapng", len(frames)), f"{capinfos(out)}")
            seen = fields(out)
            check(seen == [(str(n + 1), watched, p.get(1, b"").decode())
                           for n, p in enumerate(packets)], f"tshark reads {seen[:3]}")
            for file, csv_file in (path, "a.csv"), (out, "b.csv"):
                harness.run(analyzer, "--quiet", "--report", "none", "-o", "flow.idle=1000000",
                            "-o", "flow.active=0", "-o", "flow.tcp_end=false", "-w",
                            f"csv:{folder}/{csv_file}", file)
            same_records(records(f"{folder}/b.csv"), records(f"{folder}/a.csv"), "read back")
        harness.run("ip", "link", "del", sender)


def limits(folder, engine, console, _, gen, *__):
    """Filter, snaplen and the three limits; what is wrong is refused and makes no file."""
    c = Console(console, folder)
    watched, sender = harness.veth()
    frames = [harness.udp_frame(i % 10) + bytes(40) for i in range(2000)]
    with Engine(engine, f"net_af_packet0,iface={watched},{ROOM}", options=[c.option]) as en:
        out = {n: os.path.join(folder, n) for n in ("filter", "packets", "size", "seconds", "no")}
        for words, text in (("", "a file is missing"), ("filter what", "syntax error"),
                            ("filter 'udp port'", "udp port"), ("packets x", "packets: \"x\""),
                            ("snaplen 0", "snaplen: \"0\""), ("loud", "\"loud\"? There are")):
            c.refuses(f"capture start {out['no'] if words else ''} {words}", text)
        c.refuses(f"capture start {folder}/none/x", "No such file or directory")
        c.refuses("capture stop", "no capture runs")
        check(not os.path.exists(out["no"]), "a file of a capture that was refused")
        c.says(f"capture start {out['filter']} filter 'udp src port 1027 or arp' snaplen 48")
        c.says(f"capture start {out['packets']} filter udp src port 1025 packets 50")
        c.says(f"capture start {out['size']} size 20k")
        c.says(f"capture start {out['seconds']} seconds 2")
        c.refuses(f"capture start {out['no']}", "4 captures run already")
        c.refuses(f"capture start {out['filter']} force", "4 captures run already")
        check(not os.path.exists(out["no"]), "a file of a capture that was refused")
        harness.send(sender, frames)
        en.wait_packets(len(frames))
        last = c.ended("done")  # of four, that with seconds
        check(last["packets"] == 2000 and 2 <= last["seconds"] < 10 and last["seconds_left"] == 0,
              f"{last}")
        c.says(f"capture stop {out['filter']}")
        r = c.ended("stopped", 1)
        shown = {os.path.basename(x["file"]): x for x in c.records("capture show")}
        check(r == shown["filter"], f"{r} is not {shown['filter']}")
        c.refuses(f"capture start {out['filter']}", "is there already")
        c.says(f"capture start {out['filter']} force filter arp")
        table = c.says("capture show")
        check("running" in table and out["filter"] in table, f"{table}")
        all_analysed(en.stop(), len(frames))
    check((shown["filter"]["packets"], shown["filter"]["matched"]) == (200, 200), f"{shown}")
    check(shown["packets"]["status"] == shown["size"]["status"] == "done", f"{shown}")
    packets = read_pcapng(out["packets"])[0]
    check([p["data"] for p in packets] == [f for f in frames if f[34:36] == b"\x04\x01"][:50],
          "not the first 50 packets")
    size = os.path.getsize(out["size"])
    check(19000 < size <= 20000 and size == shown["size"]["octets"], f"{size} octets")
    packets = read_pcapng(out["size"])[0]
    check([p["data"] for p in packets] == frames[:len(packets)], "not the first packets")
    # that which still ran is whole: its interface, no packet, its statistics
    packets, interfaces, statistics = read_pcapng(out["filter"])
    check(not packets and interfaces[0][11] == b"\0arp" and statistics[0][6] == 0,
          f"{packets} {interfaces} {statistics}")
    check(os.stat(out["filter"]).st_mode & 0o777 == 0o600, "others may read it")


def full(folder, engine, console, _, __, *___):
    """A full disk is said; what was written can be read and is counted; the engine goes on."""
    c = Console(console, folder)
    watched, sender = harness.veth()
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    harness.run("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk)
    try:
        fill(c, engine, watched, sender, disk)
    finally:
        harness.run("umount", disk)


def fill(c, engine, watched, sender, disk):
    frames = [harness.udp_frame(i) + bytes(400) for i in range(4000)]
    with Engine(engine, f"net_af_packet0,iface={watched},{ROOM}", options=[c.option]) as en:
        c.says(f"capture start {disk}/out.pcapng")
        harness.send(sender, frames)
        en.wait_packets(len(frames))
        r = c.ended("failed")
        check(r["message"].startswith("No space left on device; "), f"{r}")
        check(r["matched"] == r["packets"] + r["missed"] + r["lost"] and r["lost"] > 0, f"{r}")
        check("No space left" in c.says("capture show"), "the table does not say it")
        all_analysed(en.stop(), len(frames))
    packets, _, statistics = read_pcapng(f"{disk}/out.pcapng")
    check([p["data"] for p in packets] == frames[:len(packets)], "not the first packets")
    check(len(packets) == r["packets"] > 500, f"{len(packets)} packets, {r}")
    check(statistics and statistics[0][8] == len(packets), f"{statistics}")
    check(capinfos(f"{disk}/out.pcapng")[1] == len(packets), "capinfos reads something else")
    check("No space left on device" in "".join(en.errors), f"not logged: {en.errors}")


def missed(folder, engine, console, *_):
    """More than a thread can write: all that matched is in the file or missed, exactly."""
    c = Console(console, folder)
    out = os.path.join(folder, "out.pcapng")
    for mode in "pipeline", "rtc":
        with Engine(engine, "net_null0", options=[c.option, "engine.idle=poll",
                                                  "engine.mode=" + mode]) as en:
            en.wait_packets(1)
            c.says(f"capture start {out} buffer 1k size 40M force")
            r = c.ended("done")
            en.stop()
        packets, _, statistics = read_pcapng(out)
        check(r["missed"] > 0 and r["lost"] == 0, f"nothing is missed: {r}")
        check(len(packets) == r["packets"] and 39e6 < r["octets"] <= 40e6, f"{r}")
        drops = sum(struct.unpack("<Q", p[4])[0] for p in packets if 4 in p)
        check(0 < drops <= r["missed"], f"{drops} missed between packets, of {r['missed']}")
        check(statistics[0][7] == r["missed"] and statistics[0][6] == r["matched"] and
              statistics[0][8] == r["packets"], f"{statistics}, {r}")
        # what was still in the buffer when the size was reached
        check(0 <= r["matched"] - r["missed"] - r["packets"] <= 262144 // 96, f"{r}")
        print(f"{mode}: {r['packets']} written, {r['missed']} missed")


def busy(folder, c, mode):
    """All that law_test.py makes happen, and two captures: one without end, one with."""
    def begun():
        c.says("capture start /dev/null force filter 'tcp or udp port 53' buffer 1M")
        c.says(f"capture start {folder}/some force snaplen 60 size 1M")
    return [*law_test.busy(folder), c.option, "engine.mode=" + mode], begun


def calls(folder, engine, console, _, gen, watch):
    """Law 3 while captures run: lcores allocate, free and lock nothing."""
    if not os.path.exists(watch):
        harness.skip(f"there is no {watch}")
    c = Console(console, folder)
    for mode in "pipeline", "rtc":
        options, begun = busy(folder, c, mode)
        seen, _ = law_test.watched(folder, engine, watch, law_test.traffic(folder, gen), options,
                                   begun=begun)
        wrong = {n: v[0] for n, v in seen.items() if v[0] > 0}
        check(not wrong, f"{mode}: lcores call {wrong}")
        check(seen["malloc"][1] > 0, f"{mode}: nothing seen: {seen}")


def syscalls(folder, engine, console, _, gen, __):
    """And make no system call."""
    if law_test.why_not_traced():
        harness.skip(law_test.why_not_traced())
    c = Console(console, folder)
    for mode in "pipeline", "rtc":
        options, begun = busy(folder, c, mode)
        by_lcores, others, r = law_test.traced(folder, engine, law_test.traffic(folder, gen),
                                               options, begun=begun)
        check(not by_lcores, f"{mode}: lcores call {by_lcores}")
        print(f"{mode}: {r['analysed']} packets; system calls: lcores 0, others {others}")


if __name__ == "__main__":
    CASES = (tcpdump, limits, full, missed, calls, syscalls)
    sys.exit(harness.main({c.__name__: c for c in CASES}, sys.argv))
