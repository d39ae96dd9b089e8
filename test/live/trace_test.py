#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What each stage did with single packets: `trace` at the console of a running engine.

usage: trace_test.py CASE NS-ENGINE NS-CONSOLE GEN-CAPTURE WATCH-LIBRARY
"""
import contextlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

import console_test
import harness
import law_test
from harness import Engine, check, wait_for

sys.path.insert(0, os.path.join(harness.ROOT, "test", "integration"))
import ns  # noqa: E402  pylint: disable=wrong-import-position

# What a packet that nothing happens to goes through.
PIPELINE = ["rx", "decode", "defrag", "dispatch", "analysis", "flow", "tasks", "end"]
RTC = [s for s in PIPELINE if s != "dispatch"]


class Console(console_test.Console):
    def trace(self, command):
        """Starts a trace; returns when the engine takes packets."""
        out = subprocess.Popen([*self.argv, "--json", "-e", command], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + harness.PATIENCE
        while "a trace goes on" not in self.run("-e", "trace nosuch 1").stderr:
            if out.poll() is not None:
                raise harness.Failure(f"{command} ended: {out.communicate()}")
            check(time.monotonic() < until, f"{command} does not begin")
        return out

    def ended(self, out, status=0):
        """The packets of a trace that was started: lists of records."""
        said, wrong = out.communicate(timeout=harness.PATIENCE)
        check(out.returncode == status, f"status {out.returncode}: {said}{wrong}")
        packets = {}
        for line in said.splitlines():
            r = json.loads(line)
            check(r["kind"] == "trace", f"{r}")
            packets.setdefault(r["packet"], []).append(r)
        check(sorted(packets) == list(range(1, len(packets) + 1)), f"packets {sorted(packets)}")
        for steps in packets.values():
            after = [s["after_ns"] for s in steps if s["result"] != "missing"]
            check(after[0] == 0 and after == sorted(after), f"times {after}")
        return [packets[i] for i in sorted(packets)]


def stage(packet, name, which=0):
    found = [s for s in packet if s["stage"] == name]
    check(len(found) > which, f"no {name} in {[s['stage'] for s in packet]}")
    return found[which]


def stages(packet):
    return [s["stage"] for s in packet]


def vlan(frame, tag):
    return frame[:12] + struct.pack(">HH", 0x8100, tag) + frame[12:]


def vxlan(vni, inner):
    return ns.ether(ns.ipv4(ns.udp(struct.pack(">II", 0x08000000, vni << 8) + inner, 5000, 4789),
                            17, "192.0.2.1", "192.0.2.2"))


def fragments(ident, sport):
    data = ns.udp(b"x" * 40, sport, 53)
    return [ns.ether(ns.ipv4(data[:24], 17, ident=ident, frag=0x2000)),
            ns.ether(ns.ipv4(data[24:], 17, ident=ident, frag=3))]


@contextlib.contextmanager
def wired(folder, engine, console, *more):
    """An engine on one end of a wire: its console and how to send to it."""
    watched, sender = harness.veth()
    sent = []

    def send(*frames):
        sent.append(harness.send(sender, frames, 0))
    options = [f"console.path={folder}/sock", "engine.idle=sleep", *more]
    # net_af_packet would give whole datagrams: the kernel puts fragments together for it
    with Engine(engine, f"net_pcap0,rx_iface={watched}", options=options) as en:
        console_test.started(en)
        c = Console(console, folder)
        yield c, send, en
        report = en.stop()
        check(report["received"] == sum(sent), f"{sum(sent)} sent: {report}")
    harness.run("ip", "link", "del", watched)


def follow(c, way, send, workers):
    """Packets of all kinds, each with what its stages say."""
    udp = ns.ether(ns.ipv4(ns.udp(b"x" * 20, 4000, 53), 17))
    back = ns.ether(ns.ipv4(ns.udp(b"x" * 30, 53, 4000), 17, "10.0.0.2", "10.0.0.1"))
    t = c.trace('trace "udp and port 53" 2')
    send(ns.ether(ns.ipv4(ns.udp(b"x", 1, 2), 17)), udp, back)
    one, two = c.ended(t)
    for p, wire in ((one, len(udp)), (two, len(back))):
        check(stages(p) == way, f"{stages(p)}, not {way}")
        check([s["result"] for s in p] == ["passed"] * (len(way) - 1) + ["freed"], f"{p}")
        rx = stage(p, "rx")
        check(rx["wirelen"] == rx["caplen"] == wire and rx["linktype"] == "ethernet" and
              rx["port"] == 0 and rx["queue"] == 0, f"{rx}")
        check(abs(rx["time_ns"] / 1e9 - time.time()) < 60, f"{rx}")
        check(stage(p, "defrag")["what"] == "not a fragment", f"{p}")
    d = stage(one, "decode")
    check(d["what"] == "ethernet / ipv4 10.0.0.1 > 10.0.0.2 / udp 4000 > 53", d["what"])
    check((d["src_ip"], d["dst_ip"], d["src_port"], d["dst_port"], d["proto"]) ==
          ("10.0.0.1", "10.0.0.2", 4000, 53, "udp"), f"{d}")
    a, b = stage(one, "flow"), stage(two, "flow")
    check(a["flow"] == "new" and a["flow_packets"] == 1 and a["flow_rev_packets"] is None, f"{a}")
    check(b["flow"] == "known" and b["flow_packets"] == 1 and b["flow_rev_packets"] == 1, f"{b}")
    check(a["community_id"] == b["community_id"] and a["position"] == b["position"], f"{a} {b}")
    check(a["community_id"].startswith("1:") and len(a["community_id"]) == 30, f"{a}")
    check(a["community_id"] in c.says(f"show flow {a['community_id']}"), "not the flow's own id")
    check(stage(one, "tasks")["tasks"] == "pairs, dns", f"{stage(one, 'tasks')}")
    if "dispatch" in way:
        x, y = stage(one, "dispatch"), stage(two, "dispatch")
        check(x["hash"] == y["hash"] and x["worker"] == y["worker"] < workers, f"{x} {y}")
        check(x["worker_lcore"] == stage(one, "analysis")["lcore"] != stage(one, "rx")["lcore"],
              f"{one}")
        check(stage(one, "analysis")["wait_ns"] > 0, f"{one}")
    more_kinds(c, way, send)


def more_kinds(c, way, send):
    tagged = vlan(vlan(ns.ether(ns.ipv4(ns.tcp(1000, 80), 6)), 200), 100)
    inner = ns.ether(ns.ipv4(ns.tcp(7, 8, flags=0x12), 6, "172.16.0.1", "172.16.0.2"))
    arp = ns.ether(b"\0\1\x08\0\6\4\0\1" + bytes(20), 0x0806)
    bad = ns.ether(b"\x15" + bytes(40))
    t = c.trace("trace all 5")
    send(tagged, vxlan(4711, vlan(inner, 5)), arp, bad, ns.ether(b"\x45" + bytes(4))[:24])
    v, x, no_ip, wrong, short = c.ended(t)
    d = stage(v, "decode")
    check(d["what"] == "ethernet / vlan 100 / vlan 200 / ipv4 10.0.0.1 > 10.0.0.2 / "
          "tcp 1000 > 80 [S]", d["what"])
    check(d["vlan"] == "100.200" and d["tcp_flags"] == "S", f"{d}")
    check(stage(v, "tasks")["tasks"] == "pairs", f"{v}")
    d = stage(x, "decode")
    check(d["what"] == "ethernet / ipv4 192.0.2.1 > 192.0.2.2 / udp 5000 > 4789 / vxlan 4711 / "
          "ethernet / vlan 5 / ipv4 172.16.0.1 > 172.16.0.2 / tcp 7 > 8 [SA]", d["what"])
    check(d["tunnel"] == "vxlan:4711" and d["vlan"] == "5" and d["src_ip"] == "172.16.0.1" and
          d["src_port"] == 7, f"{d}")
    check(stages(v) == stages(x) == way, f"{v} {x}")
    check(stage(no_ip, "decode")["what"] == "ethernet / arp", f"{no_ip}")
    check(stage(no_ip, "flow")["flow"] == "none" and stages(no_ip) == way, f"{no_ip}")
    check(stage(no_ip, "tasks")["tasks"] is None, f"{no_ip}")
    for p, why in ((wrong, "bad_ip_header"), (short, "truncated")):
        check(stages(p) == ["rx", "decode"] and p[1]["result"] == "dropped" and
              p[1]["reason"] == why and why in p[1]["what"], f"{p}")


def fragmented(c, way, send):
    """A later fragment before its first one, and after it."""
    first, later = fragments(11, 5000)
    t = c.trace("trace all 3")
    send(later)
    time.sleep(0.3)
    send(first, later)
    a, b, again = c.ended(t)
    check([s["stage"] for s in a][:4] == ["rx", "decode", "defrag", "defrag"], f"{stages(a)}")
    check(stages(a)[4:] == way[3:], f"{stages(a)}")
    held, given = stage(a, "defrag"), stage(a, "defrag", 1)
    check(held["result"] == "held" and given["result"] == "passed", f"{a}")
    check(given["after_ns"] - held["after_ns"] > 2e8 and given["lcore"] == held["lcore"], f"{a}")
    check((given["src_port"], given["dst_port"]) == (5000, 53), f"{given}")
    check(stage(a, "decode")["fragment"] == "last" and
          stage(b, "decode")["fragment"] == "first", f"{a} {b}")
    check("fragment of 11, at octet 24" in stage(a, "decode")["what"], f"{a}")
    ids = {stage(p, "flow")["community_id"] for p in (a, b, again)}
    check(len(ids) == 1 and stage(b, "flow")["flow"] == "new", f"{a} {b} {again}")
    check(stage(again, "defrag")["what"].startswith("has the ports"), f"{again}")
    # one whose first never comes has not come out when the time is over, and says so
    _, orphan = fragments(12, 5001)
    t = c.trace("trace all 2 seconds 1")
    send(orphan)
    (p,) = c.ended(t)
    check(stages(p) == ["rx", "decode", "defrag", "end"] and p[-1]["result"] == "missing" and
          "defrag waits for its first fragment" in p[-1]["what"], f"{p}")


TASKS = ("tasks=[{name: pairs, type: exact, key: [src_ip, dst_ip]}, "
         "{name: dns, type: exact, when: udp port 53, key: [src_ip]}, "
         "{name: ends, type: exact, of: flows, key: [src_ip]}]")


def pipeline(folder, engine, console, *_):
    with wired(folder, engine, console, "engine.workers=2", TASKS) as (c, send, _):
        follow(c, PIPELINE, send, 2)
        fragmented(c, PIPELINE, send)
        # to both workers
        t = c.trace("trace udp 40")
        send(*[ns.ether(ns.ipv4(ns.udp(b"x", 6000 + i, 9), 17)) for i in range(40)])
        workers = {}
        for p in c.ended(t):
            d = stage(p, "dispatch")
            check(d["worker_lcore"] == stage(p, "analysis")["lcore"] == stage(p, "flow")["lcore"],
                  f"{p}")
            workers.setdefault(d["worker"], set()).add(d["bucket"])
        check(sorted(workers) == [0, 1] and not workers[0] & workers[1], f"{workers}")


def rtc(folder, engine, console, *_):
    with wired(folder, engine, console, "engine.mode=rtc", TASKS) as (c, send, _):
        follow(c, RTC, send, 1)
        fragmented(c, RTC, send)


def limits(folder, engine, console, *_):
    """N, the time, a second one, who stops and who goes; wrong words."""
    udp = ns.ether(ns.ipv4(ns.udp(), 17))
    with wired(folder, engine, console, "engine.workers=1") as (c, send, _):
        for words, says in (("trace", "how many packets"), ("trace udp", "how many packets"),
                            ("trace udp 0", '"0" is not a number of packets'),
                            ("trace udp 1001", '"1001"'), ("trace 'udp porto' 3", "udp porto"),
                            ("trace udp 5 seconds x", 'seconds: "x"'),
                            ("trace stop now", "takes no argument"),
                            ("trace stop", "no trace goes on")):
            check(says in c.says(words, 1), f"{words}: {c.says(words, 1)}")
        t = c.trace("trace udp 3")
        send(*[udp] * 10)
        check(len(c.ended(t)) == 3, "not 3 packets")
        # without quotes, as a shell leaves it; for people: how many came
        begun = time.monotonic()
        text = c.run("trace", "udp", "port", "9", "5", "seconds", "0.5").stdout
        check(re.fullmatch(r"ended after [0-9.]+ s: 0 of 5 packets came\n", text), text)
        check(time.monotonic() - begun >= 0.5, "it did not wait")
        t = c.trace("trace '' 5")
        check("a trace goes on" in c.says("trace udp 1", 1), "a second one")
        send(udp)
        wait_for(lambda: "1 packets" in c.says("trace stop") if t.poll() is None else True, "stop")
        check(len(c.ended(t)) == 1, "not the one that came")
        # who goes, by Ctrl-C or else, takes it along
        for number in signal.SIGINT, signal.SIGKILL:
            t = c.trace("trace tcp 5 seconds 100")
            t.send_signal(number)
            t.communicate()
            wait_for(lambda: "no trace goes on" in c.run("-e", "trace stop").stderr, "its end")
    # an engine that ends
    with Engine(engine, "net_null0", options=[f"console.path={folder}/sock"]) as en:
        console_test.started(en)
        t = c.trace("trace 'udp port 9' 5 seconds 100")
        en.stop()
        said, wrong = t.communicate(timeout=harness.PATIENCE)
        check(t.returncode == 1 and "has ended" in wrong and said == "", f"{said}{wrong}")


def table(folder, engine, console, *_):
    """A flow table that is full: who had to go for a packet."""
    with wired(folder, engine, console, "engine.mode=rtc", "flow.max=4096",
               "dispatch.buckets=4096", "flow.idle=100000") as (c, send, _):
        send(*[ns.ether(ns.ipv4(ns.udp(b"x", 1 + i % 60000, 9), 17, f"10.{i >> 8 & 7}.{i & 255}.9"))
               for i in range(6000)])
        t = c.trace("trace 'port 65000' 30")
        send(*[ns.ether(ns.ipv4(ns.udp(b"x", 65000, 9), 17, f"10.9.{i}.9")) for i in range(30)])
        said = [stage(p, "flow") for p in c.ended(t)]
        check(all(s["flow"] == "new" for s in said), f"{said[0]}")
        check(any("another flow had to leave" in s["what"] for s in said), f"{said[0]['what']}")


def rate(folder, engine, console, gen, _):
    """Traces at full rate: every packet is in the account, and what is lost is named."""
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "imix", path, "3000", "300", "7")
    for target, more in ((f"net_pcap0,rx_pcap={path},infinite_rx=1", ["engine.workers=2"]),
                         ("net_null0", ["engine.mode=rtc"]),
                         (f"net_pcap0,rx_pcap={path},infinite_rx=1",
                          ["engine.workers=1", "dispatch.ring=64", "engine.idle=sleep"])):
        c = Console(console, folder)
        ends = {}
        with Engine(engine, target, options=[f"console.path={folder}/sock", "engine.mbufs=32767",
                                             *more]) as en:
            console_test.started(en)
            for i in range(6):
                command = "trace all 1000" if i % 2 else "trace 'ip and len > 80 or len < 80' 100"
                out = c.run("--json", "-e", command)
                check(out.returncode == 0, out.stderr)
                for r in map(json.loads, out.stdout.splitlines()):
                    if r["result"] in ("dropped", "freed", "missing"):
                        why = r["reason"] or r["result"]
                        ends[why] = ends.get(why, 0) + 1
            report = en.stop()
        check(ends.get("missing", 0) == 0 and sum(ends.values()) == 3 * 1100, f"{target}: {ends}")
        print(f"{target} {more}: {ends}, {report['received']} received, {report['drops']}")


def text_of(folder, engine, console, *_):
    """At a terminal: lines that fit, and Ctrl-C."""
    if not shutil.which("tmux"):
        harness.skip("needs tmux")
    inner = ns.ether(ns.ipv4(ns.udp(b"x", 7, 8), 17, "172.16.0.1", "172.16.0.2"))
    with wired(folder, engine, console, "engine.workers=1") as (c, send, _), \
            console_test.Terminal(folder, console, "-s", f"{folder}/sock") as t:
        t.sees("> $")
        t.keys("-l", "trace udp port 4789 1")
        t.keys("Enter")
        wait_for(lambda: "a trace goes on" in c.run("-e", "trace nosuch 1").stderr, "the trace")
        send(vxlan(99, inner))
        text = t.sees("end +analysed and freed\n.*> $")
        check(all(len(line) <= console_test.COLUMNS for line in text.splitlines()), text)
        check(re.search(r"^ +\d+ ns  decode +ethernet / ipv4 192\.0\.2\.1 > 192\.0\.2\.2 / udp 5000 "
                        r"> 4789 / vxlan 99 /\n +ethernet / ipv4 172", text, re.M), text)
        check(re.search(r"^ +0 ns  rx +lcore 1, port 0, queue 0; \d+ octets, ethernet$", text, re.M),
              text)
        t.gives("trace tcp 1 seconds 1000", "seconds 1000$")
        wait_for(lambda: "a trace goes on" in c.run("-e", "trace nosuch 1").stderr, "the trace")
        t.keys("C-c")
        wait_for(lambda: "no trace goes on" in c.run("-e", "trace stop").stderr, "its end")
        t.gives("show ports", "net_pcap")
        print(text)


@contextlib.contextmanager
def traces(c, done):
    """One trace after the other; done gets how many packets came out."""
    over = threading.Event()

    def run():
        while not over.is_set():
            out = c.run("-e", "trace all 500 seconds 5").stdout
            done.append(len(re.findall(r" end +analysed and freed$| dropped as ", out, re.M)))
    thread = threading.Thread(target=run)

    def begin():
        thread.start()
        wait_for(lambda: done, "a trace")
    yield begin
    over.set()
    thread.join()


def calls(folder, engine, console, gen, watch):
    """Law 3 while packets are traced: lcores allocate, free and lock nothing."""
    if not os.path.exists(watch):
        harness.skip(f"there is no {watch}")
    c = Console(console, folder)
    for mode in "pipeline", "rtc":
        options = law_test.busy(folder) + [f"engine.mode={mode}", f"console.path={folder}/sock"]
        done = []
        with traces(c, done) as begin:
            seen, _ = law_test.watched(folder, engine, watch, law_test.traffic(folder, gen),
                                       options, begun=begin)
        wrong = {n: v[0] for n, v in seen.items() if v[0] > 0}
        check(not wrong, f"{mode}: lcores call {wrong}")
        check(seen["malloc"][1] > 0 and sum(done) > 1000, f"{mode}: {done}, {seen}")
        print(f"{mode}: {sum(done)} packets traced")


CASES = {"pipeline": pipeline, "rtc": rtc, "limits": limits, "table": table, "rate": rate,
         "terminal": text_of, "calls": calls}

if __name__ == "__main__":
    sys.exit(harness.main(CASES, sys.argv))
