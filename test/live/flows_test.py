#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Flows that go on, asked for at the console of a running engine.

usage: flows_test.py CASE NS-ENGINE NS-CONSOLE GEN-CAPTURE
"""
import base64
import hashlib
import json
import os
import socket
import subprocess
import sys

import harness
from harness import Engine, check, wait_for

FLOWS = 200


def options(folder, *more):
    return [f"console.path={folder}/sock", "engine.idle=sleep", *more]


class Console:
    def __init__(self, program, folder):
        self.argv = [program, "-s", f"{folder}/sock"]

    def run(self, command, *words):
        return subprocess.run([*self.argv, *words, "-e", command], capture_output=True, text=True,
                              check=False, timeout=harness.PATIENCE)

    def says(self, command, status=0):
        out = self.run(command)
        check(out.returncode == status, f"{command}: status {out.returncode}, {out.stderr}")
        return out.stdout if status == 0 else out.stderr

    def flows(self, command):
        """The records of an answer, and its lines of text."""
        out = self.run(command, "--json")
        check(out.returncode == 0, f"{command}: status {out.returncode}, {out.stderr}")
        all_of = [json.loads(line) for line in out.stdout.splitlines()]
        return ([r for r in all_of if r["kind"] == "live_flow"],
                [r["text"] for r in all_of if r["kind"] == "text"])


def words(folder, line):
    """What Tab offers at the end of a line, by the socket's own protocol."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(harness.PATIENCE)
        s.connect(f"{folder}/sock")
        with s.makefile("rwb") as f:
            def answer():
                status, octets = f.readline().split()
                return status, f.read(int(octets)).decode()
            answer()
            f.write(f"format=words\t{line}\n".encode())
            f.flush()
            status, text = answer()
    check(status == b"ok", f"{line}: {text}")
    return text.split()


def community_id(source, port):
    """Of harness.udp_frame(): by the specification, not by the engine."""
    data = b"\0\0" + bytes((10, 0, 0, 1)) + source + b"\x11\0" + b"\0\x35" + port.to_bytes(2, "big")
    return "1:" + base64.b64encode(hashlib.sha1(data).digest()).decode()


def show(folder, engine, console, _):
    """Known packets over a wire: order, filter, one flow, all by what was sent."""
    harness.veth()
    c = Console(console, folder)
    # flow i is from 10.0.0.i+2, i + 1 packets; the last ones first
    frames = [harness.udp_frame(i + 2) for n in range(FLOWS) for i in range(n, FLOWS)]
    with Engine(engine, "net_af_packet0,iface=watched",
                options=options(folder, "engine.workers=2")) as en:
        check("0 of 0 flows" in c.says("show flows"), "flows before there was a packet")
        harness.send("sender", frames)
        en.wait_packets(len(frames))
        flows, text = c.flows("show flows top 1000 by packets")
        check(text == [f"{FLOWS} of {FLOWS} flows"], f"{text}")
        check([f["packets"] for f in flows] == list(range(FLOWS, 0, -1)), f"{flows[:3]}")
        for f in flows:
            i = f["packets"] + 1
            check(f["src_ip"] == f"10.0.0.{i}" and f["src_port"] == 1024 + i and
                  f["dst_ip"] == "10.0.0.1" and f["dst_port"] == 53 and f["proto"] == "udp" and
                  f["ip_octets"] == 46 * f["packets"] and f["rev_packets"] == 0, f"{f}")
            check(f["community_id"] == community_id(bytes((10, 0, 0, i)), 1024 + i), f"{f}")
        flows, text = c.flows("show flows top 5 filter src 10.0.0.0/26 and packets <= 40")
        check([f["packets"] for f in flows] == [40, 39, 38, 37, 36], f"{flows}")
        check(text == ["5 of 40 flows that match"], f"{text}")
        (one,), _ = c.flows("show flow " + flows[0]["community_id"])
        check(one["packets"] == 40 and one["l2_octets"] == 40 * 60 and one["end_reason"] == 0 and
              one["ttl_max"] == 64 and one["total_packets"] == 40, f"{one}")
        check(0 <= one["end_ns"] - one["start_ns"] == one["duration_ns"] <= one["age_ns"],
              f"{one}")
        # nothing comes: they grow older, by the time of day
        wait_for(lambda: c.flows("show flow " + one["community_id"])[0][0]["idle_ns"] >
                 one["idle_ns"] + 500000000, "a flow to be idle")
        text = c.says("show flows top 3")
        check("10.0.0.201" in text and f"3 of {FLOWS} flows" in text, text)
        text = c.says("show flows filter packest > 5", 1)
        check('filter: column 1, "packest": no such field' in text, text)
        text = c.says("show flow 1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1)
        check("no flow that goes on" in text, text)
        check(words(folder, "show flows by rt") == ["rtt"], words(folder, "show flows by rt"))
        check({"src", "src_ip", "src_port"} <= set(words(folder, "show flows filter s")),
              f"{words(folder, 'show flows filter s')}")
        r = en.stop()
    harness.all_analysed(r, len(frames))


def busy(folder, engine, console, gen):
    """A port that never stops: every record is whole, and no epoch and no packet is missing."""
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "udp64", path, "50000", "10000", "1.0", "3")
    c = Console(console, folder)
    seen, most = 0, 0
    with Engine(engine, f"net_pcap0,rx_pcap={path},infinite_rx=1",
                options=options(folder, "engine.mbufs=131071", "flow.active=1",
                                "engine.workers=1")) as en:
        en.wait(lambda: len(en.epochs) >= 3, "three epochs")
        for order in ("octets", "age", "idle", "packets", "src_port") * 4:
            flows, text = c.flows(f"show flows top 1000 by {order}")
            check(flows and " flows" in text[-1], f"{text}")
            for f in flows:
                check(f["ip_octets"] == 46 * f["packets"] > 0 and f["proto"] == "udp" and
                      f["src_ip"].startswith("10.") and f["rev_ip_octets"] == 0, f"{f}")
            seen += len(flows)
            most = max(most, flows[0]["packets"])
        check(seen > 10000 and most > 10, f"{seen} flows seen, {most} packets at most")
        r = en.stop()
    check(r["received"] > 50000, f"{r}")


if __name__ == "__main__":
    sys.exit(harness.main({"show": show, "busy": busy}, sys.argv))
