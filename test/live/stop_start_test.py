#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""stop, start and shutdown: ports that are left alone for a while, and the end.

usage: stop_start_test.py CASE NS-ENGINE NS-CONSOLE NS-WATCHDOG
"""
import csv
import os
import re
import signal
import subprocess
import sys
import time

import harness
from harness import Engine, all_analysed, check, wait_for
from metrics import base_of, get
from sending import Console, pair, port

SMALL = "blocksz=4096,framesz=2048,framecnt=512"
LISTEN = "metrics.listen=127.0.0.1:0"


def epoch(c):
    return c.records("show epoch", "epoch")[0]


def received(c):
    return epoch(c)["received"]


def stop(c):
    """An lcore that has lost its CPU may take longer than the answer waits for it."""
    said = c.says("stop")
    check("ports are not read any more" in said or
          re.search(r"^asked to stop reading ports; \d lcores still read$", said, re.M), said)


def wait_paused(c, want):
    wait_for(lambda: epoch(c)["paused"] == want, f"an epoch that is paused: {want}")
    wait_for(lambda: all(x["paused"] == (want if x["role"] != "analysis" else 0)
                         for x in c.records("show lcores", "lcore")), f"lcores to be {want}")


def counts(folder, engine, console, _):
    """Nothing is read while stopped; what the port lost is said; flows end; all is conserved."""
    c = Console(console, folder)
    far = pair("a")
    for more in (["engine.workers=1"], ["engine.mode=rtc", "engine.workers=1"],
                 ["engine.workers=1", "engine.idle=poll"]):
        out = os.path.join(folder, "flows.csv")
        with Engine(engine, port(0, "a", room=SMALL), words=["-w", "csv:" + out],
                    options=[c.option, LISTEN, "flow.idle=1", *more]) as en:
            base = base_of(en)
            frames = [harness.udp_frame(i) for i in range(4000)]
            harness.send(far, frames[:300], 2000)
            en.wait_packets(300)
            wait_for(lambda: get(base + "/readyz")[0] == 200, "the engine to be ready")
            check("ports are read already" in c.run("start").stderr, "start while it reads")
            stop(c)
            check("not read already" in c.run("stop").stderr, "stop twice")
            before = len(en.epochs)
            wait_paused(c, 1)
            status, text, _ = get(base + "/readyz")
            check(status == 503 and "ports are not read" in text, f"{status} {text}")
            check(get(base + "/healthz")[0] == 200, "a stopped engine is not dead")
            harness.send(far, frames[:200], 2000)  # they have room
            en.wait(lambda: len(en.epochs) > before + 10, "epochs while stopped")
            check(received(c) == 300, "packets are read while stopped")

            # flows age on
            def ended():
                with open(out, newline="", encoding="utf-8") as f:
                    return len(list(csv.DictReader(f))) >= 300
            en.wait(ended, "flows to end while stopped")
            check(epoch(c)["flows"] == 0, "flows that do not end")
            harness.send(far, frames, 0)  # these have not
            said = c.says("start")
            lost = int(re.search(r"they lost (\d+) packets", said).group(1))
            check(4000 - 512 <= lost < 4200, said)
            wait_paused(c, 0)
            en.wait_packets(300 + 200 + 4000)
            wait_for(lambda: get(base + "/readyz")[0] == 200, "the engine to be ready again")
            harness.send(far, frames[:100], 2000)
            en.wait_packets(300 + 200 + 4000 + 100)
            check("stopping in order" in c.says("shutdown"), "shutdown")
            r = en.finish()
        check(r["received"] == 4600 and r["drops"] == {"port_missed": lost}, f"{lost}: {r}")
        print(f"{more}: {lost} of 4200 lost by the port while stopped")


def ends(folder, engine, console, _):
    """SIGTERM and shutdown while stopped end in order, with what the port holds."""
    c = Console(console, folder)
    far = pair("a")
    for i, mode in enumerate(("pipeline", "rtc", "pipeline")):
        with Engine(engine, port(0, "a"), options=[c.option, "engine.mode=" + mode]) as en:
            en.wait(lambda: len(en.epochs) > 2, "epochs")
            stop(c)
            wait_paused(c, 1)
            harness.send(far, [harness.udp_frame(k) for k in range(150)])
            if i == 2:
                c.says("shutdown")
                all_analysed(en.finish(), 150)
            else:
                all_analysed(en.stop(signal.SIGTERM), 150)
    # many times, while packets come without end
    for mode in "pipeline", "rtc":
        with Engine(engine, "net_null0", options=[c.option, "engine.mode=" + mode]) as en:
            en.wait_packets(1)
            for _ in range(10):
                stop(c)
                wait_paused(c, 1)
                wait_for(lambda: (e := epoch(c))["paused"] == 1 and e["epoch_received"] == 0,
                         "an epoch without packets")
                n = received(c)
                time.sleep(0.2)
                check(received(c) == n, "packets are read while stopped")
                c.says("start")
                wait_for(lambda k=n: received(c) > k, "packets")
            en.stop()


def watched(folder, engine, console, dog):
    """A watchdog leaves a stopped engine alone: epochs go on, and so do its signs of life."""
    c = Console(console, folder)
    env = dict(os.environ, NS_DRIVERS_CONFIG=os.path.join(harness.ROOT, "drivers-config"))
    with subprocess.Popen([dog, "--timeout", "1", "--", engine, "--quiet", "-o", c.option, "-o",
                           "flow.max=65536", "-o", "engine.epoch_ms=100", "net_null0"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=env) as p:
        try:
            wait_for(lambda: c.run("show epoch").returncode == 0, "the engine")
            stop(c)
            wait_paused(c, 1)
            first = epoch(c)["epoch"]
            time.sleep(3)
            now = epoch(c)
            check(now["paused"] == 1 and now["epoch"] > first + 15, f"{first}, then {now}")
            p.terminate()
            text = p.communicate(timeout=harness.PATIENCE)[0]
        finally:
            if p.poll() is None:
                p.kill()
    check(p.returncode == 0 and "restart 1" not in text and "conserved: received" in text, text)


if __name__ == "__main__":
    CASES = (counts, ends, watched)
    sys.exit(harness.main({x.__name__: x for x in CASES}, sys.argv))
