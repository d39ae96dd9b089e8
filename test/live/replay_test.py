#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Packets of capture files out of a port, while ns-engine runs.

usage: replay_test.py CASE NS-ENGINE NS-CONSOLE GEN-CAPTURE
"""
import gzip
import os
import struct
import subprocess
import sys

import harness
from harness import Engine, check, wait_for
from sending import Console, Receiver, pair, port, same

PACKETS = 8000


def pcap(path, packets, linktype=1, magic=0xa1b23c4d):
    """A pcap file of (nanoseconds, octets on the wire, frame)."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 65535, linktype))
        for ns, wire, frame in packets:
            f.write(struct.pack("<IIII", 1700000000 + ns // 10**9, ns % 10**9, len(frame), wire) +
                    frame)
    return path


def paced(folder, name, n, gap_ns):
    frames = [harness.udp_frame(i) for i in range(n)]
    return pcap(os.path.join(folder, name),
                [(i * gap_ns, len(f), f) for i, f in enumerate(frames)]), frames


def account(r):
    check(r["packets"] == r["sent"] + r["dropped"] + r["cut"] + r["too_long"] + r["too_short"] +
          r["other_link"], f"{r}")


def exact(folder, engine, console, gen):
    """What is in the file comes out of the port, octet for octet, in its order; any format."""
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "imix", path, str(PACKETS), "500", "7")
    frames = harness.read_pcap(path)
    with open(path, "rb") as f, gzip.open(path + ".gz", "wb") as g:
        g.write(f.read())
    files = [path, path + ".gz"]
    if subprocess.run(["editcap", "-F", "pcapng", path, path + "ng"], check=False,
                      capture_output=True).returncode == 0:
        files.append(path + "ng")
    c = Console(console, folder)
    far = pair("a")
    pair("b")
    with Engine(engine, port(0, "a"), port(1, "b"), options=[c.option]) as en:
        for file in files:
            with Receiver(far) as at:
                said = c.says(f"replay {file} to a speed max")
                check("to port a, max" in said, said)
                r = c.last("replay", "done")
                same(at.wait(len(frames)), frames, file)
            account(r)
            check(r["sent"] == r["packets"] == len(frames) and r["port_errors"] == 0 and
                  r["octets"] == sum(map(len, frames)) and r["file"] == file, f"{r}")
            print(f"{os.path.basename(file)}: {r['packets_per_s']:.0f} packets/s, "
                  f"{r['bits_per_s'] / 1e6:.0f} Mbit/s")
        with Receiver(far) as at:
            c.says(f"replay {path} to net_af_packet0 loop 3 speed 0")
            r = c.last("replay", "done")
            same(at.wait(3 * len(frames)), 3 * frames, "three times")
        account(r)
        check(r["sent"] == 3 * len(frames) and r["loop"] == r["loops"] == 3, f"{r}")
        check("done" in c.says("replay show"), "the table")
        # what a port sends it does not receive
        check(en.stop()["received"] == 0, "a port receives what it sent")


def drivers(folder, engine, console, _):
    """The same out of other drivers: a tap, whose interface receives it, and af_xdp."""
    c = Console(console, folder)
    path = os.path.join(folder, "in.pcap")
    frames = [harness.udp_frame(i) + bytes(i % 1400) for i in range(3000)]
    harness.write_pcap(path, frames)
    far = pair("x")
    # what libxdp keeps for itself is not ours to free
    env = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    for target, name, at in (("net_tap0,iface=nstap0", "nstap0", "nstap0"),
                             ("net_af_xdp0,iface=x", "x", far)):
        with Engine(engine, target, options=[c.option], env=env) as en:
            if at == "nstap0":
                harness.run("ip", "link", "set", "dev", at, "up")
            with Receiver(at) as r:
                c.says(f"replay {path} to {name} pps 20k")
                done = c.last("replay", "done")
                same(r.wait(len(frames)), frames, target)
            account(done)
            check(done["sent"] == len(frames) and done["to"] == name, f"{done}")
            (shown,) = c.records("show ports", "port")
            check(shown["sent"] == len(frames) and shown["send_errors"] == 0, f"{shown}")
            en.stop()


def pace(folder, engine, console, _):
    """As captured, faster, packets a second: how long it takes, and how far packets are apart."""
    c = Console(console, folder)
    far = pair("a")
    path, frames = paced(folder, "p.pcap", 2000, 10**6)
    with Engine(engine, port(0, "a"), options=[c.option]) as en:
        for words, seconds in (("", 1.999), ("speed 4", 0.49975), ("pps 1000", 1.999),
                               ("pps 5k", 0.3998), ("pps 20k loop 5", 0.49995)):
            with Receiver(far) as at:
                c.says(f"replay {path} to a {words}")
                r = c.last("replay", "done")
                n = len(frames) * (5 if "loop" in words else 1)
                same(at.wait(n), frames * (n // len(frames)), words)
                times = at.times
            account(r)
            check(r["sent"] == n, f"{r}")
            # never too fast; how much later the last one comes is the machine's business
            check(seconds <= r["seconds"] < seconds + 0.5, f"{words}: {seconds} s wanted, {r}")
            check(abs((times[-1] - times[0]) / 1e9 - seconds) < 0.5, f"{words}: {times[-1]}")
            gap = seconds / (n - 1) * 1e9
            off = sorted(abs(b - a - gap) for a, b in zip(times, times[1:]))
            check(off[len(off) // 2] < 5e6, f"{words}: packets are {off[len(off) // 2]} ns off")
            rate = (n - 1) / seconds
            got = (n - 1) / ((times[-1] - times[0]) / 1e9)
            print(f"{words or 'as captured'}: {r['seconds']:.4f} s ({seconds} wanted), rate "
                  f"{100 * (got / rate - 1):+.3f} %; gaps at the far end off by p50 "
                  f"{off[len(off) // 2] / 1e3:.1f} us, p99 {off[len(off) * 99 // 100] / 1e3:.1f} "
                  f"us; late p50 {r['late_p50_ns'] / 1e3:.1f} us, "
                  f"p99 {r['late_p99_ns'] / 1e3:.1f} us, "
                  f"at most {r['late_max_ns'] / 1e3:.0f} us")
        # a gap of an hour does not keep it from being stopped
        long = pcap(os.path.join(folder, "long.pcap"),
                    [(0, 60, frames[0]), (3600 * 10**9, 60, frames[1])])
        c.says(f"replay {long} to a")
        wait_for(lambda: c.last("replay", "running")["sent"] == 1, "the first packet")
        c.refuses(f"replay {path} to a", "port \"a\" is sent to by replay 6 already")
        c.says("replay stop")
        r = c.last("replay", "stopped")
        check(r["sent"] == 1, f"{r}")
        c.says(f"replay {long} to a")
        en.stop()  # one that runs ends with the engine


def skipped(folder, engine, console, _):
    """What a port can't send is skipped and counted; a damaged file is said, and how far it was."""
    c = Console(console, folder)
    far = pair("a", 1500)
    frame = harness.udp_frame(1)
    tagged = frame[:12] + b"\x81\0\0\x05" + frame[12:] + bytes(1514 + 4 - 64)
    packets = [(0, 60, frame), (1, 1500, frame), (2, 1514, frame + bytes(1454)),
               (3, 1515, frame + bytes(1455)), (4, 9014, frame + bytes(8954)), (5, 10, bytes(10)),
               (6, 1518, tagged), (7, 60, frame)]
    path = pcap(os.path.join(folder, "odd.pcap"), packets)
    good = [f for ns, wire, f in packets if ns in (0, 2, 6, 7)]
    with Engine(engine, port(0, "a"), "net_null1", options=[
            c.option, "engine.eal=[--vdev=net_null7]"]) as en:
        with Receiver(far) as at:
            c.says(f"replay {path} to a")
            r = c.last("replay", "done")
            account(r)
            same(at.wait(len(good)), good, "what fits")
            check((r["sent"], r["cut"], r["too_long"], r["too_short"]) == (4, 1, 2, 1), f"{r}")
            c.says(f"replay {path} to a cut")
            r = c.last("replay", "done")
            check((r["sent"], r["cut"]) == (5, 0), f"{r}")
            same(at.wait(2 * len(good) + 1)[len(good):], good[:1] + [frame] + good[1:], "cut ones")

        frames = [harness.udp_frame(i) for i in range(100)]
        broken = os.path.join(folder, "broken.pcap")
        harness.write_pcap(broken, frames, cut=30)
        with Receiver(far) as at:
            c.says(f"replay {broken} to a")
            r = c.last("replay", "failed")
            account(r)
            same(at.wait(99), frames[:99], "what can be read")
        check(r["sent"] == 99 and broken in r["message"] and
              "packet 100 can't be read" in r["message"], f"{r}")
        check(broken in c.says("replay show") or "failed" in c.says("replay show"), "the table")

        other = pcap(os.path.join(folder, "sll.pcap"), packets[:1], 113)
        c.refuses(f"replay {other} to a", other, "link type", "113", "only Ethernet")
        empty = pcap(os.path.join(folder, "empty.pcap"), [])
        c.refuses(f"replay {empty} to a", empty, "no packets")
        with open(os.path.join(folder, "text"), "w", encoding="ascii") as f:
            f.write("no capture at all, but some text that is long enough\n")
        c.refuses(f"replay {f.name} to a", f.name)
        c.refuses(f"replay {folder}/nope to a", f"{folder}/nope: No such file")
        c.refuses(f"replay {folder} to a", "no regular file")
        c.refuses(f"replay {path}", "to which port?")
        c.refuses(f"replay {path} to nope", "there is no port \"nope\"", "net_af_packet0 (a)")
        c.refuses(f"replay {path} to net_null7", "is not open")
        c.refuses(f"replay {path} to a speed -1", "speed: \"-1\"")
        c.refuses(f"replay {path} to a pps 0", "pps: \"0\"")
        c.refuses(f"replay {path} to a pps 5 speed 1", "one of speed and pps")
        c.refuses(f"replay {path} to a loud", "\"loud\"? There are speed, pps, loop, cut")
        c.refuses("replay stop", "no replay runs")
        c.refuses("replay stop 77", "there is no replay \"77\"")
        # sent to a port by somebody else
        c.says("mirror a to net_null1")
        c.refuses(f"replay {path} to net_null1", "is sent to by mirror 1 already")
        # a file that is made shorter while it is read; a port that is down
        big, _ = paced(folder, "big.pcap", 60000, 100000)
        c.says(f"replay {big} to a")
        os.truncate(big, 3000000)
        r = c.last("replay", "failed", "done")
        check(r["status"] == "failed" and "can't be read" in r["message"] and r["sent"] > 30000,
              f"{r}")
        harness.run("ip", "link", "set", "dev", "a", "down")
        c.says(f"replay {broken} to a speed max")
        r = c.last("replay", "failed")
        account(r)
        check(r["dropped"] + r["port_errors"] >= 99 - 64, f"a port that is down: {r}")
        en.stop()


if __name__ == "__main__":
    CASES = (exact, drivers, pace, skipped)
    sys.exit(harness.main({x.__name__: x for x in CASES}, sys.argv))
