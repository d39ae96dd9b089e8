#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Another configuration while packets come: all of it or nothing, no packet and no epoch lost.

usage: reload_test.py CASE NS-ENGINE GEN-CAPTURE
"""
import json
import os
import signal
import subprocess
import sys

import harness
from harness import Engine, check

PLAIN = """engine: {{mode: {mode}, workers: {workers}, {more}}}
tasks:
  - {{name: total, type: exact, key: [proto]}}
"""
PORTS = "  - {name: ports, type: heavy, key: [dst_port]}\n"


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def rows(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def hup(en, want):
    """A SIGHUP, and what the engine says to it."""
    n = len(en.errors)
    en.kill(signal.SIGHUP)
    en.wait(lambda: any(": reload: " in x for x in en.errors[n:]), "an answer to SIGHUP")
    said = next(x for x in en.errors[n:] if ": reload: " in x)
    check(want in said, f"not \"{want}\": {said}")
    seen = len(en.epochs)
    en.wait(lambda: len(en.epochs) >= seen + 3, "three epochs more")


def run(folder, engine, generator, mode, workers):
    conf, out = os.path.join(folder, "ns.yaml"), os.path.join(folder, "rows.json")
    capture = os.path.join(folder, "in.pcap")
    subprocess.run([generator, "imix", capture, "4000", "400", "1"], check=True,
                   stdout=subprocess.DEVNULL)

    def plain(more=""):
        return PLAIN.format(mode=mode, workers=workers, more=more)
    holds, old = "holds from the next epoch on", "nothing was changed: "
    write(conf, plain())
    with Engine(engine, f"net_pcap0,rx_pcap={capture},infinite_rx=1",
                words=["-c", conf, "-w", "json@100ms:" + out], options=["engine.mbufs=32768"]) as en:
        en.wait(lambda: len(en.epochs) >= 3, "three epochs")
        write(conf, plain() + PORTS)
        hup(en, holds)
        write(conf, plain() + PORTS.replace("heavy", "hevy"))
        hup(en, f"{old}{conf}:4:25: tasks[1].type: unknown type \"hevy\"")
        write(conf, plain() + PORTS.replace("[dst_port]", "[dst_port, proto]"))
        hup(en, f"{old}task \"ports\" would have other columns than before")
        write(conf, plain("filter: tcp prt 80") + PORTS)
        hup(en, "filter")
        write(conf, plain("idle: pause") + PORTS)
        hup(en, f"{old}engine.idle can't change while the engine runs")
        last = int(en.epochs[-1].group(1))
        write(conf, plain("filter: tcp"))
        hup(en, holds)
        r = en.stop()
    said = rows(out)
    total = [x for x in said if x["kind"] == "total"]
    ports = [x["epoch"] for x in said if x["kind"] == "ports"]
    # every packet is in the rows of the epoch in which it was analysed, whatever changed between
    check(sum(x["packets"] for x in total) == r["analysed"],
          f"{sum(x['packets'] for x in total)} packets in rows, {r['analysed']} analysed")
    epochs = sorted({x["epoch"] for x in total})
    check(ports and 0 < min(ports) and last <= max(ports) < epochs[-1],
          f"ports in epochs {min(ports)} to {max(ports)} of {epochs[-1]}")
    tcp = [x for x in total if x["epoch"] == epochs[-1]]
    check({x["proto"] for x in tcp} == {"tcp"}, f"the filter lets other packets through: {tcp}")
    check(r["drops"]["filtered"] > 0, f"nothing was filtered: {r}")


def pipeline(folder, engine, generator):
    run(folder, engine, generator, "pipeline", 2)


def rtc(folder, engine, generator):
    run(folder, engine, generator, "rtc", 1)


if __name__ == "__main__":
    sys.exit(harness.main({c.__name__: c for c in (pipeline, rtc)}, sys.argv))
