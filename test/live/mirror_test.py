#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Packets of one port out of another one, while ns-engine runs.

usage: mirror_test.py CASE NS-ENGINE NS-CONSOLE GEN-CAPTURE
"""
import os
import sys

import harness
from harness import Engine, all_analysed, check, wait_for
from sending import Console, Receiver, pair, port, same

PACKETS = 12000


def account(r):
    check(r["matched"] == r["sent"] + r["missed"] + r["dropped"] + r["too_long"], f"{r}")


def stop(c, which=""):
    """Ends mirrors, and waits for it; a busy machine takes longer than the answer."""
    c.says(f"mirror stop {which}")
    wait_for(lambda: all(r["status"] == "stopped" for r in c.records("mirror show", "mirror")
                         if str(r["id"]) == which or which in ("", "all")), "mirrors to end")


def exact(folder, engine, console, gen):
    """What matches comes out of the other port, octet for octet; of that port alone."""
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "imix", path, str(PACKETS), "500", "7")
    frames = harness.read_pcap(path)
    harness.run("tcpdump", "-r", path, "-w", os.path.join(folder, "udp.pcap"), "udp")
    udp = harness.read_pcap(os.path.join(folder, "udp.pcap"))
    check(100 < len(udp) < len(frames), f"{len(udp)} packets match")
    c = Console(console, folder)
    a, b, d = pair("a"), pair("b"), pair("c")
    for queues, more in ((1, ["engine.workers=1"]), (1, ["engine.mode=rtc"]),
                         (2, ["engine.mode=rtc", "engine.workers=2"])):
        targets = [port(0, "a", queues), port(1, "b", queues), port(2, "c", queues)]
        with Engine(engine, *targets, options=[c.option, *more]) as en, \
                Receiver(b) as at_b, Receiver(d) as at_c:
            said = c.says("mirror a udp to net_af_packet1")
            check(said == "mirror 1 sends what matches of port a to port b\n", said)
            check("sends all of port a to port c" in c.says("mirror 0 to 2"), "all to c")
            harness.send(a, frames, 6000)
            harness.send(d, frames[:50])  # another port: nobody mirrors it
            en.wait_packets(len(frames) + 50)
            same(at_b.wait(len(udp)), udp, f"{more}: filtered", queues == 1)
            same(at_c.wait(len(frames)), frames, f"{more}: all", queues == 1)
            stop(c)
            check("stopped" in c.says("mirror show"), "the table")
            first, second = c.records("show mirrors", "mirror")
            for r, want in (first, udp), (second, frames):
                account(r)
                check(r["status"] == "stopped" and r["matched"] == r["sent"] == len(want) and
                      r["octets"] == sum(map(len, want)) and r["port_errors"] == 0, f"{r}")
            check(first["filter"] == "udp" and first["from"] == "a" and first["to"] == "b",
                  f"{first}")
            # when it has ended the ports are as they were
            harness.send(a, frames[:20])
            en.wait_packets(len(frames) + 70)
            check(len(at_c.frames) == len(frames), "a mirror that has ended sends")
            all_analysed(en.stop(), len(frames) + 70)


def refused(folder, engine, console, _):
    """What can't be is refused, with what there is instead; a port has one sender."""
    c = Console(console, folder)
    pair("a")
    pair("b")
    with Engine(engine, port(0, "a"), port(1, "b"), "net_null2",
                options=[c.option, "engine.eal=[--vdev=net_null7]"]) as en:
        ports = ("net_af_packet0 (a)", "net_af_packet1 (b)", "net_null2", "net_null7")
        c.refuses("mirror nope to b", "there is no port \"nope\"; there are: ", *ports)
        c.refuses("mirror a to 99", "there is no port \"99\"", *ports)
        c.refuses("mirror a to net_af_packet0", "can't be mirrored to itself")
        c.refuses("mirror a udp", "to which port?")
        c.refuses("mirror a to", "to which port?")
        c.refuses("mirror a 'udp port' to b", "udp port")
        c.refuses("mirror a what to b", "syntax error")
        c.refuses("mirror a to b loud", "\"loud\"? Behind the port")
        c.refuses("mirror a to b buffer none", "buffer: \"none\"")
        c.refuses("mirror a to net_null7", "is not open: it is none of engine.targets")
        c.refuses("mirror stop", "no mirror runs")
        c.refuses("mirror stop 7", "there is no mirror \"7\"")
        check("no mirrors" in c.says("mirror show"), "a mirror that was refused")
        c.says("mirror a filter udp or arp to b buffer 1M")
        c.refuses("mirror net_null2 to b", "port \"b\" is sent to by mirror 1 already")
        c.says("mirror net_null2 tcp to a")
        c.says("mirror a greater 500 to net_null2")
        c.refuses("mirror b to net_null2", "3 mirrors run already")
        check("running" in c.says("mirror show"), "nothing runs")
        stop(c, "1")
        c.refuses("mirror b to a", "port \"a\" is sent to by mirror 2 already")
        c.says("mirror net_null2 arp to b")
        stop(c, "all")
        for r in c.records("mirror show", "mirror"):
            account(r)
        # one that runs at the end ends in order
        c.says("mirror net_null2 udp to b")
        en.stop()


def lost(folder, engine, console, _):
    """Too long for the port, a port that is down, more than a thread can send: each is counted."""
    c = Console(console, folder)
    far = pair("a")
    other = pair("b", 1500)
    short = [harness.udp_frame(i) for i in range(600)]
    long = [harness.udp_frame(i) + bytes(1500) for i in range(200)]
    with Engine(engine, port(0, "a"), port(1, "b"), options=[c.option]) as en, \
            Receiver(other) as at_b:
        c.says("mirror a to b")
        harness.send(far, short + long)
        en.wait_packets(len(short) + len(long))
        same(at_b.wait(len(short)), short, "what is not too long")
        stop(c)
        r = c.last("mirror", "stopped")
        account(r)
        check((r["sent"], r["too_long"], r["dropped"]) == (len(short), len(long), 0), f"{r}")
        harness.run("ip", "link", "set", "dev", "b", "down")
        c.says("mirror a to b")
        harness.send(far, short)
        en.wait_packets(2 * len(short) + len(long))
        stop(c, "all")
        r = c.last("mirror", "stopped")
        account(r)
        check(r["matched"] == len(short) and r["dropped"] + r["port_errors"] >= len(short) - 64,
              f"a port that is down: {r}")
        all_analysed(en.stop(), 2 * len(short) + len(long))
    for mode in "pipeline", "rtc":
        with Engine(engine, "net_null0", "net_null1", options=[
                c.option, "engine.idle=poll", "engine.mode=" + mode]) as en:
            en.wait_packets(1)
            c.says("mirror 0 to 1 buffer 256k")

            def some():
                return c.records("mirror show", "mirror")[-1]["missed"] > 0
            en.wait(some, "the buffer to be full")
            stop(c)
            r = c.last("mirror", "stopped")
            account(r)
            check(r["sent"] > 0 and r["octets"] == r["sent"] * 64, f"{r}")
            print(f"{mode}: {r['sent'] / r['seconds'] / 1e6:.2f} M packets/s sent, "
                  f"{r['missed']} missed")
            en.stop()


if __name__ == "__main__":
    CASES = (exact, refused, lost)
    sys.exit(harness.main({x.__name__: x for x in CASES}, sys.argv))
